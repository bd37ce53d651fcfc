/*
 * How long, as people write it: 500ms, 1s, 1.5s, 2m, 1h; a bare number is seconds.
 *
 * Read digit by digit: strtod(3) takes signs, exponents, hexadecimal and the locale's comma.
 */
#include <string.h>

#include "plan/settings.h"

#define SECOND INT64_C(1000000) /* us */
#define HOUR   (3600 * SECOND)

bool settings_duration(const char *text, int64_t *us)
{
	static const struct {
		const char *unit;
		int64_t us;
	} units[] = {{"", SECOND}, {"ms", 1000}, {"s", SECOND}, {"m", 60 * SECOND}, {"h", HOUR}};
	int64_t whole = 0;
	int64_t part = 0; /* of the unit, in millionths */
	int64_t place = SECOND;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && whole <= SETTINGS_DURATION_MAX; p++)
		whole = whole * 10 + (*p - '0');
	if (p == text || whole > SETTINGS_DURATION_MAX)
		return false;
	if (*p == '.' && (p[1] < '0' || p[1] > '9'))
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++)
			part += (*p - '0') * (place /= 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(p, units[i].unit) != 0)
			continue;
		if (whole > SETTINGS_DURATION_MAX / units[i].us)
			return false;
		*us = whole * units[i].us + part * units[i].us / SECOND;
		return *us <= SETTINGS_DURATION_MAX;
	}
	return false;
}

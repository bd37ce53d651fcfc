/* utc: against gmtime_r(3), every day of nine centuries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utc.h"

static void check(int64_t ms, const char *wanted)
{
	char made[UTC_MAX + 2];

	memset(made, '#', sizeof(made));
	*utc_put(made, ms) = '\0';
	assert_string_equal(made, wanted);
	assert_int_equal(made[UTC_MAX + 1], '#');
}

static void check_time(int64_t ms)
{
	char wanted[80], date[48];
	time_t seconds = (time_t)((ms - (ms % 1000 + 1000) % 1000) / 1000);
	struct tm tm;

	assert_non_null(gmtime_r(&seconds, &tm));
	strftime(date, sizeof(date), "%m-%dT%H:%M:%S", &tm);
	snprintf(wanted, sizeof(wanted), "%04d-%s.%03dZ", tm.tm_year + 1900, date,
		 (int)((ms % 1000 + 1000) % 1000));
	check(ms, wanted);
}

static void test_times(void **state)
{
	(void)state;
	check(0, "1970-01-01T00:00:00.000Z");
	check(951782399999, "2000-02-28T23:59:59.999Z");
	check(951782400000, "2000-02-29T00:00:00.000Z");
	check(4107542400000, "2100-03-01T00:00:00.000Z");
	check(-1, "1969-12-31T23:59:59.999Z");
	check(INT64_MIN, "0000-01-01T00:00:00.000Z");
	check(INT64_MAX, "9999-12-31T23:59:59.999Z");
	/* every day from 1583 to 2517 at some moment of it, then all ages in coarse steps */
	for (int64_t day = -141000; day < 200000; day++)
		check_time(day * 86400000 + (day & 0xffff) * 1301);
	for (int64_t ms = -62167219200000; ms < 253402300799999; ms += 86400000ll * 97)
		check_time(ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

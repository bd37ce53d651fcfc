/*
 * The values that several formats write in the same words.
 *
 * The problem: a record holds some ten numbers and a time stamp, and 200,000 of them are wanted a
 * second. printf(3) takes as long for one number as this takes for a record. So digits are made by hand,
 * two at a time.
 *
 * Floating-point numbers alone go through printf(3): they are rare (Opaque Float of UCD and of UPS
 * MIBs), and the shortest form that reads back is found by asking for one digit more until it does.
 */
#include "out/value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *two(char *at, uint32_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	memcpy(at, pairs + (size_t)v * 2, 2);
	return at + 2;
}

char *value_u64(char *at, uint64_t v)
{
	char digits[20]; /* 2^64 - 1 has 20 */
	size_t first = sizeof(digits);

	while (v >= 100) {
		first -= 2;
		two(digits + first, (uint32_t)(v % 100));
		v /= 100;
	}
	if (v >= 10) {
		first -= 2;
		two(digits + first, (uint32_t)v);
	} else {
		digits[--first] = (char)('0' + v);
	}
	memcpy(at, digits + first, sizeof(digits) - first);
	return at + sizeof(digits) - first;
}

char *value_i64(char *at, int64_t v)
{
	if (v < 0)
		*at++ = '-';
	return value_u64(at, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static char *three(char *at, uint32_t v)
{
	*at++ = (char)('0' + v / 100);
	return two(at, v % 100);
}

char *value_ms(char *at, int64_t us)
{
	at = value_u64(at, (uint64_t)us / 1000);
	*at++ = '.';
	return three(at, (uint32_t)((uint64_t)us % 1000));
}

static bool reads_back(const char *text, double v, bool single)
{
	return single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
}

char *value_real(char *at, double v, bool single)
{
	char text[VALUE_MAX];
	int least = single ? FLT_DIG : DBL_DIG;
	int most = single ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
	size_t len;

	if (isnan(v))
		memcpy(text, "NaN", sizeof("NaN"));
	else if (isinf(v))
		snprintf(text, sizeof(text), "%s", v < 0 ? "-Infinity" : "Infinity");
	else
		for (int digits = least; digits <= most; digits++) {
			snprintf(text, sizeof(text), "%.*g", digits, v);
			if (reads_back(text, v, single))
				break;
		}
	len = strlen(text);
	memcpy(at, text, len);
	return at + len;
}

char *value_hex(char *at, const uint8_t *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*at++ = digits[p[i] >> 4];
		*at++ = digits[p[i] & 15];
	}
	return at;
}

char *value_ipv4(char *at, const uint8_t ip[4])
{
	for (int part = 0; part < 4; part++) {
		if (part)
			*at++ = '.';
		at = value_u64(at, ip[part]);
	}
	return at;
}

/* value: numbers against printf(3), reals that read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/value.h"

#define CHECK(call, wanted)                           \
	do {                                          \
		char made[VALUE_MAX + 1], *at = made; \
		*(call) = '\0';                       \
		assert_string_equal(made, wanted);    \
	} while (0)

static void test_integers(void **state)
{
	char wanted[32];
	uint64_t v = 0;

	(void)state;
	for (int digits = 0; digits < 20; digits++, v = v * 10 + 9) {
		snprintf(wanted, sizeof(wanted), "%" PRIu64, v);
		CHECK(value_u64(at, v), wanted);
		snprintf(wanted, sizeof(wanted), "%" PRIu64, v + 1);
		CHECK(value_u64(at, v + 1), wanted);
	}
	CHECK(value_u64(at, UINT64_MAX), "18446744073709551615");
	CHECK(value_i64(at, INT64_MIN), "-9223372036854775808");
	CHECK(value_i64(at, INT64_MAX), "9223372036854775807");
	CHECK(value_i64(at, -1), "-1");
	CHECK(value_i64(at, 0), "0");
}

static void test_milliseconds(void **state)
{
	(void)state;
	CHECK(value_ms(at, 0), "0.000");
	CHECK(value_ms(at, 7), "0.007");
	CHECK(value_ms(at, 412), "0.412");
	CHECK(value_ms(at, 1000), "1.000");
	CHECK(value_ms(at, 12345678), "12345.678");
}

static void test_reals_known(void **state)
{
	(void)state;
	CHECK(value_real(at, (double)0.1f, true), "0.1");
	CHECK(value_real(at, (double)3.14f, true), "3.14");
	CHECK(value_real(at, (double)16777216.0f, true), "16777216");
	CHECK(value_real(at, 0.1, false), "0.1");
	CHECK(value_real(at, 0.1 + 0.2, false), "0.30000000000000004");
	CHECK(value_real(at, 230, false), "230");
	CHECK(value_real(at, 1e300, false), "1e+300");
	CHECK(value_real(at, -0.0, false), "-0");
	CHECK(value_real(at, (double)NAN, true), "NaN");
	CHECK(value_real(at, (double)INFINITY, false), "Infinity");
	CHECK(value_real(at, -(double)INFINITY, true), "-Infinity");
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void test_reals_read_back(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[VALUE_MAX + 1];
		uint64_t bits = next_random(&seed);
		uint32_t half = (uint32_t)bits;
		double d;
		float f;

		memcpy(&d, &bits, sizeof(d));
		memcpy(&f, &half, sizeof(f));
		if (!isnan(d)) {
			*value_real(text, d, false) = '\0';
			assert_true(strtod(text, NULL) == d);
		}
		if (!isnan(f)) {
			*value_real(text, (double)f, true) = '\0';
			assert_true(strtof(text, NULL) == f);
			assert_true(strlen(text) <= 15); /* not the 17 digits of a double */
		}
	}
}

static void test_octets(void **state)
{
	static const uint8_t ip[4] = {255, 0, 10, 199};

	(void)state;
	CHECK(value_ipv4(at, ip), "255.0.10.199");
	CHECK(value_hex(at, ip, 4), "ff000ac7");
	CHECK(value_hex(at, ip, 0), "");
}

/* --- text ----------------------------------------------------------------------------------- */

#define TEXT(literal) (const uint8_t *)(literal), sizeof(literal) - 1

static void check_buf(struct buf *b, const char *wanted, size_t len)
{
	assert_int_equal(b->len, len);
	assert_memory_equal(b->data, wanted, len);
	b->len = 0;
}
#define CHECK_BUF(b, literal) check_buf(b, literal, sizeof(literal) - 1)

static void test_text(void **state)
{
	(void)state;
	assert_true(value_is_text(TEXT("")));
	assert_true(value_is_text(TEXT("a \t\r\n\"\\ Z\xc3\xbcrich")));
	assert_false(value_is_text(TEXT("a\0b")));
	assert_false(value_is_text(TEXT("\x1b[2J")));
	assert_false(value_is_text(TEXT("\x7f")));
	assert_false(value_is_text(TEXT("\xc2\x85"))); /* NEL: a line end to some */
	assert_false(value_is_text(TEXT("\xe2\x80\xae")));
	assert_false(value_is_text(TEXT("T\xfcr")));
}

static void test_shown(void **state)
{
	struct buf out = {0};

	(void)state;
	value_put_shown(&out, TEXT("a\tb\n\\y\\x\xff\xe2\x80\xae\xc3\xa9"));
	CHECK_BUF(&out, "a\\x09b\\x0a\\y\\x5cx\\xff\\xe2\\x80\\xae\xc3\xa9");
	value_put_escaped(&out, TEXT("aB\0"));
	CHECK_BUF(&out, "\\x61\\x42\\x00");
	buf_free(&out);
}

/* From `start` on only; what is special is octets, not a NUL at their end. */
static void test_in_place(void **state)
{
	struct buf out = {0};

	(void)state;
	buf_puts(&out, "a,b,c");
	value_guard(&out, 2, ",", '\\');
	CHECK_BUF(&out, "a,b\\,c");
	buf_put(&out, ",\0,", 3);
	value_guard(&out, 0, ", ", '!');
	CHECK_BUF(&out, "!,\0!,");
	value_guard(&out, 0, ",", '!');
	CHECK_BUF(&out, "");
	buf_puts(&out, "bc");
	value_insert(&out, 0, "a");
	value_insert(&out, 3, "d");
	value_insert(&out, 2, "");
	CHECK_BUF(&out, "abcd");
	buf_puts(&out, "\r\\y\\x0d\n");
	assert_false(value_escape(&out, 1, "\r"));
	assert_true(value_escape(&out, 0, "\r"));
	CHECK_BUF(&out, "\\x0d\\y\\x5cx0d\n");
	buf_free(&out);
}

static void test_forms(void **state)
{
	static const uint32_t id[] = {1, 3, 6};
	struct varbind v = {.type = VAR_OCTETS, .value.octets = {TEXT("a\n")}};
	struct buf out = {0};

	(void)state;
	assert_int_equal(value_put(&out, &v), VALUE_TEXT);
	CHECK_BUF(&out, "a\n");
	v.type = VAR_OPAQUE;
	assert_int_equal(value_put(&out, &v), VALUE_HEX);
	CHECK_BUF(&out, "610a");
	v.type = VAR_IPADDRESS;
	assert_int_equal(value_put(&out, &v), VALUE_HEX);
	out.len = 0;
	v.value.octets.p = (const uint8_t *)"\xff\0\1\2";
	v.value.octets.len = 4;
	assert_int_equal(value_put(&out, &v), VALUE_TEXT);
	CHECK_BUF(&out, "255.0.1.2");
	v.type = VAR_OCTETS;
	assert_int_equal(value_put(&out, &v), VALUE_HEX);
	CHECK_BUF(&out, "ff000102");
	v = (struct varbind){.type = VAR_OID, .value.oid = {id, 3}};
	assert_int_equal(value_put(&out, &v), VALUE_TEXT);
	CHECK_BUF(&out, "1.3.6");
	v = (struct varbind){.type = VAR_COUNTER64, .value.u = UINT64_MAX};
	assert_int_equal(value_put(&out, &v), VALUE_NUMBER);
	CHECK_BUF(&out, "18446744073709551615");
	v = (struct varbind){.type = VAR_INTEGER, .value.i = INT64_MIN};
	assert_int_equal(value_put(&out, &v), VALUE_NUMBER);
	CHECK_BUF(&out, "-9223372036854775808");
	v = (struct varbind){.type = VAR_DOUBLE, .value.d = -INFINITY};
	assert_int_equal(value_put(&out, &v), VALUE_REAL);
	CHECK_BUF(&out, "-Infinity");
	for (uint8_t type = VAR_NULL; type < VAR_TYPE_COUNT; type++) {
		v.type = type;
		assert_int_equal(value_put(&out, &v), VALUE_NOTHING);
	}
	CHECK_BUF(&out, "");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),    cmocka_unit_test(test_milliseconds),
		cmocka_unit_test(test_reals_known), cmocka_unit_test(test_reals_read_back),
		cmocka_unit_test(test_octets),      cmocka_unit_test(test_text),
		cmocka_unit_test(test_shown),       cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* oid: what people write, what BER can carry, and the order of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/oid.h"

static bool parses(const char *text, struct oid *out)
{
	return oid_parse(text, strlen(text), out);
}

static void test_there_and_back(void **state)
{
	static const char *const texts[] = {
		"1.3",
		"0.0",
		"0.39",
		"1.39.4294967295",
		"2.4294967215",
		"1.3.6.1.2.1.1.1.0",
		"1.3.6.1.4.1.9.9.10.99.100.999.1000.65535.65536.2147483648",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char text[OID_TEXT_MAX];
		struct oid o;

		assert_true(parses(texts[i], &o));
		assert_int_equal(oid_text(o.id, o.len, text), strlen(texts[i]));
		assert_string_equal(text, texts[i]);
	}
}

static void test_leading_dot(void **state)
{
	struct oid o;

	(void)state;
	assert_true(parses(".1.3.6", &o));
	assert_int_equal(o.len, 3);
	assert_int_equal(o.id[0], 1);
	assert_int_equal(o.id[2], 6);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		".",
		"1",
		".1",
		"1.",
		"1..3",
		"..1.3",
		"1.3.",
		"3.1",
		"1.40",
		"0.40",
		"sysDescr.0",
		"1.3.x",
		"1.3 ",
		" 1.3",
		"1.-3",
		"+1.3",
		"1.4294967296",
		"2.4294967216",
		"1.3.99999999999999999999999",
		"1,3",
		"1.3.6.1.2.1.1.1.0x",
	};
	struct oid o;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&o, 0, sizeof(o));
		if (parses(texts[i], &o))
			fail_msg("'%s' was taken for an OID", texts[i]);
	}
	assert_false(oid_parse("1.3\0.6", 6, &o));
	assert_true(oid_parse("1.3.6", 3, &o)); /* only len octets are read */
	assert_int_equal(o.len, 2);
}

static void test_longest(void **state)
{
	char text[OID_TEXT_MAX + 16], back[OID_TEXT_MAX];
	struct oid o;
	size_t len = 0;

	(void)state;
	memcpy(text, "1.3", 3);
	len = 3;
	for (size_t i = 2; i < OID_MAX; i++) {
		memcpy(text + len, ".4294967295", 11);
		len += 11;
	}
	assert_true(oid_parse(text, len, &o));
	assert_int_equal(o.len, OID_MAX);
	assert_int_equal(oid_text(o.id, o.len, back), len);
	assert_memory_equal(back, text, len);

	memcpy(text + len, ".1", 2);
	assert_false(oid_parse(text, len + 2, &o));
}

/* The longest text there can be fills OID_TEXT_MAX exactly; the sanitizer watches the end. */
static void test_text_fits(void **state)
{
	uint32_t id[OID_MAX];
	char text[OID_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < OID_MAX; i++)
		id[i] = UINT32_MAX;
	assert_int_equal(oid_text(id, OID_MAX, text), OID_TEXT_MAX - 1);
	assert_int_equal(oid_text(id, 0, text), 0);
	assert_string_equal(text, "");
}

static int compare(const char *a, const char *b)
{
	struct oid x, y;

	assert_true(parses(a, &x) && parses(b, &y));
	return oid_compare(x.id, x.len, y.id, y.len);
}

static void test_order(void **state)
{
	/* each below the next */
	static const char *const sorted[] = {
		"0.0",
		"1.3",
		"1.3.0",
		"1.3.6",
		"1.3.6.1.9",
		"1.3.6.1.10",
		"1.3.6.1.2147483647",
		"1.3.6.1.2147483648",
		"1.3.6.1.4294967295",
		"1.3.6.2",
		"2.0",
	};
	const size_t n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			int order = compare(sorted[i], sorted[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
	assert_int_equal(oid_compare(NULL, 0, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_leading_dot),
		cmocka_unit_test(test_refused),        cmocka_unit_test(test_longest),
		cmocka_unit_test(test_text_fits),      cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

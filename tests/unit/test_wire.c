/* wire: every pair there and back, and every message cut at every octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/wire.h"

#define SAMPLE (1 + 2 + 4 + 8 + 3 + 2 + 5) /* octets that put_sample() writes */

static void put_sample(struct wire_out *w)
{
	wire_put_u8(w, 0xfe);
	wire_put_u16(w, 0x0102);
	wire_put_u32(w, 0xdeadbeef);
	wire_put_u64(w, 0x1122334455667788);
	wire_put_bytes(w, "abc", 3);
	wire_put_str(w, "hello", 5);
}

static void test_big_endian(void **state)
{
	static const uint8_t expected[SAMPLE] = {
		0xfe, 1,    2,   0xde, 0xad, 0xbe, 0xef, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
		0x77, 0x88, 'a', 'b',  'c',  0,    5,    'h',  'e',  'l',  'l',  'o',
	};
	uint8_t octets[SAMPLE];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	(void)state;
	put_sample(&w);
	assert_false(w.full);
	assert_ptr_equal(w.at, w.end);
	assert_memory_equal(octets, expected, sizeof(expected));
}

static void test_there_and_back(void **state)
{
	uint8_t octets[SAMPLE];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};
	uint16_t len;
	const uint8_t *text;

	(void)state;
	put_sample(&w);
	assert_int_equal(wire_get_u8(&r), 0xfe);
	assert_int_equal(wire_get_u16(&r), 0x0102);
	assert_int_equal(wire_get_u32(&r), 0xdeadbeef);
	assert_true(wire_get_u64(&r) == 0x1122334455667788);
	assert_memory_equal(wire_get_bytes(&r, 3), "abc", 3);
	text = wire_get_str(&r, &len);
	assert_int_equal(len, 5);
	assert_memory_equal(text, "hello", 5);
	assert_false(r.bad);
	assert_ptr_equal(r.at, r.end);
}

/* With room for n octets, exactly the fields that fit are written and nothing behind the end. */
static void test_full_at_every_length(void **state)
{
	(void)state;
	for (size_t room = 0; room < SAMPLE; room++) {
		uint8_t octets[SAMPLE + 1];
		struct wire_out w = {.at = octets, .end = octets + room};
		size_t used;

		memset(octets, 0xaa, sizeof(octets));
		put_sample(&w);
		assert_true(w.full);
		used = (size_t)(w.at - octets);
		assert_true(used <= room);
		for (size_t i = used; i < sizeof(octets); i++)
			assert_int_equal(octets[i], 0xaa);
		wire_put_u8(&w, 1); /* would fit, but it sticks */
		assert_int_equal((size_t)(w.at - octets), used);
	}
}

static void test_bad_at_every_length(void **state)
{
	uint8_t octets[SAMPLE];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	(void)state;
	put_sample(&w);
	for (size_t have = 0; have < SAMPLE; have++) {
		struct wire_in r = {.at = octets, .end = octets + have};
		uint16_t len;

		wire_get_u8(&r);
		wire_get_u16(&r);
		wire_get_u32(&r);
		wire_get_u64(&r);
		wire_get_bytes(&r, 3);
		assert_null(wire_get_str(&r, &len));
		assert_int_equal(len, 0);
		assert_true(r.bad);
		assert_true(r.at <= r.end);
	}
}

static void test_bad_sticks(void **state)
{
	static const uint8_t octets[] = {1, 2, 3};
	struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};

	(void)state;
	assert_int_equal(wire_get_u32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(wire_get_u8(&r), 0); /* one octet is there, but not for us */
	assert_int_equal(wire_get_u16(&r), 0);
	assert_true(wire_get_u64(&r) == 0);
	assert_null(wire_get_bytes(&r, 1));
}

static void test_lying_lengths(void **state)
{
	static const uint8_t octets[] = {0xff, 0xff, 'x'};
	struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};
	uint16_t len;

	(void)state;
	assert_null(wire_get_str(&r, &len));
	assert_int_equal(len, 0);
	assert_true(r.bad);

	r = (struct wire_in){.at = octets, .end = octets + sizeof(octets)};
	assert_null(wire_get_bytes(&r, SIZE_MAX));
	assert_true(r.bad);
}

static void test_empty_strings(void **state)
{
	uint8_t octets[2];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};
	uint16_t len = 7;

	(void)state;
	wire_put_str(&w, NULL, 0);
	wire_put_bytes(&w, NULL, 0);
	assert_false(w.full);
	assert_non_null(wire_get_str(&r, &len)); /* empty, not missing */
	assert_int_equal(len, 0);
	assert_non_null(wire_get_bytes(&r, 0));
	assert_false(r.bad);
}

static void test_longest_string(void **state)
{
	static uint8_t octets[2 + UINT16_MAX], text[UINT16_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};
	uint16_t len;

	(void)state;
	memset(text, 'z', sizeof(text));
	wire_put_str(&w, text, UINT16_MAX);
	assert_false(w.full);
	assert_memory_equal(wire_get_str(&r, &len), text, UINT16_MAX);
	assert_int_equal(len, UINT16_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_full_at_every_length),
		cmocka_unit_test(test_bad_at_every_length),
		cmocka_unit_test(test_bad_sticks),
		cmocka_unit_test(test_lying_lengths),
		cmocka_unit_test(test_empty_strings),
		cmocka_unit_test(test_longest_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* peek: what is read of a message before it is believed, wherever it is cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/profile.h"
#include "snmp/peek.h"

#define RESPONSE 0xa2

/* In a block of exactly len octets, so that a read past them is seen. */
static uint8_t *copy_of(const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	return copy;
}

/* ---- v1 and v2c */

static const char message[] = "\x30\x82\x00\x28\x02\x01\x01\x04\x06public"
			      "\xa2\x82\x00\x19\x02\x04\x12\x34\x56\x78\x02\x01\x00\x02\x01\x00"
			      "\x30\x82\x00\x09\x30\x07\x06\x03\x2b\x06\x01\x05\x00";

static void test_cut_anywhere(void **state)
{
	const size_t needed = 4 + 3 + 8 + 4 + 6; /* up to the end of the request-id */
	struct peek head;
	const char *words;

	(void)state;
	for (size_t len = 0; len < sizeof(message); len++) {
		uint8_t *cut = copy_of(message, len);

		words = "";
		if (peek_message(cut, len, &head, &words)) {
			assert_true(len >= needed);
			assert_int_equal(head.version, SNMP_V2C);
			assert_int_equal(head.community_len, 6);
			assert_memory_equal(head.community, "public", 6);
			assert_int_equal(head.type, RESPONSE);
			assert_int_equal(head.request_id, 0x12345678);
			assert_memory_equal(cut + head.request_id_at, "\x12\x34\x56\x78", 4);
		} else {
			assert_true(len < needed);
			assert_string_equal(words, len == 0 ? "it is empty"
						   : len < 21
							   ? words
							   : "it is cut off, or a length is wrong");
			assert_string_not_equal(words, "");
		}
		free(cut);
	}
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *words;
		int64_t version;
	} rows[] = {
		{"\x04\x02xx", 4, "it does not start with a SEQUENCE", -1},
		{"\x30\x0b\x02\x01\x01\x02\x01\x05\xa2\x03\x02\x01\x01", 13, "it has no community",
		 1},
		{"\x30\x0b\x02\x01\x03\x30\x01\x05\xa2\x03\x02\x01\x01", 13, "it is of SNMPv3", 3},
		{"\x30\x0b\x02\x05\x01\x01\x01\x01\x01\x02\x01\x05", 12,
		 "an INTEGER has more than 4 octets", -1},
		{"\x30\x0a\x02\x00\x02\x01\x05\xa2\x03\x02\x01\x01", 12,
		 "an INTEGER has no content", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct peek head;
		const char *words = "";

		assert_false(
			peek_message((const uint8_t *)rows[i].data, rows[i].len, &head, &words));
		assert_string_equal(words, rows[i].words);
		assert_int_equal(head.version, rows[i].version);
	}
}

/* A short request-id is read, but is no place to be patched. */
static void test_short_request_id(void **state)
{
	static const char data[] = "\x30\x0b\x02\x01\x00\x04\x00\xa2\x03\x02\x01\xff";
	struct peek head;
	const char *words;

	(void)state;
	assert_true(peek_message((const uint8_t *)data, sizeof(data) - 1, &head, &words));
	assert_int_equal(head.request_id, UINT32_MAX);
	assert_int_equal(head.request_id_at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_short_request_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

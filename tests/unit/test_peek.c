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

/* ---- SNMPv3: a message of RFC 3412 with every field of another length */

#define HEADER(flags) \
	"\x30\x10\x02\x04\x71\x23\x45\x67\x02\x02\x05\xc0\x04\x01" flags "\x02\x01\x03"
#define SECURITY                                                                               \
	"\x04\x25\x30\x23\x04\x05\x80\x00\x1f\x88\x04\x02\x01\x07\x02\x02\x12\x34\x04\x04user" \
	"\x04\x03xyz\x04\x08saltsalt"
static const char plain[] = "\x30\x42\x02\x01\x03" HEADER("\x04") SECURITY
	"\x30\x04\x04\x00\x04\x00";
static const char sealed[] = "\x30\x42\x02\x01\x03" HEADER("\x07") SECURITY
	"\x04\x04\x01\x02\x03\x04";

#define ID_END   13 /* octets up to the end of the msgID */
#define DATA_LEN 4

static void check_v3(const struct peek_v3 *v, const uint8_t *data, uint8_t flags)
{
	assert_true(v->whole);
	assert_int_equal(v->flags, flags);
	assert_int_equal(v->model, PEEK_USM);
	assert_int_equal(v->engine_id_len, 5);
	assert_memory_equal(v->engine_id, "\x80\x00\x1f\x88\x04", 5);
	assert_true(v->boots == 7 && v->time_s == 0x1234);
	assert_int_equal(v->user_len, 4);
	assert_memory_equal(v->user, "user", 4);
	assert_int_equal(v->digest_len, 3);
	assert_memory_equal(v->digest, "xyz", 3);
	assert_int_equal(v->salt_len, 8);
	assert_memory_equal(v->salt, "saltsalt", 8);
	assert_ptr_equal(v->data, data + sizeof(plain) - 1 - DATA_LEN);
	assert_int_equal(v->data_len, DATA_LEN);
	assert_int_equal(v->len, sizeof(plain) - 1);
}

static void test_v3_cut_anywhere(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(plain) - 1; len++) {
		for (int k = 0; k < 2; k++) {
			uint8_t *cut = copy_of(k ? sealed : plain, len);
			const char *words = NULL;
			struct peek_v3 v;
			bool found = peek_v3(cut, len, &v, &words);

			assert_int_equal(found, len >= ID_END);
			if (found)
				assert_int_equal(v.msg_id, 0x71234567);
			if (len == sizeof(plain) - 1) {
				assert_null(words);
				check_v3(&v, cut, k ? 7 : 4);
			} else {
				assert_false(v.whole);
				assert_non_null(words);
			}
			free(cut);
		}
	}
}

static void test_v3_ends_before_the_datagram(void **state)
{
	uint8_t *longer = malloc(sizeof(plain) - 1 + 5);
	struct peek_v3 v;
	const char *words;

	(void)state;
	assert_non_null(longer);
	memcpy(longer, plain, sizeof(plain) - 1);
	memcpy(longer + sizeof(plain) - 1, "after", 5);
	assert_true(peek_v3(longer, sizeof(plain) - 1 + 5, &v, &words));
	check_v3(&v, longer, 4);
	free(longer);
}

static void test_v3_what_is_refused(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *words;
		bool found; /* the msgID */
	} rows[] = {
#define ROW(octets, words, found) {octets, sizeof(octets) - 1, words, found}
		ROW("", "it is empty", false),
		ROW("\x31\x00", "it does not start with a SEQUENCE", false),
		ROW("\x30\x03\x02\x01\x01", "it is not of SNMPv3", false),
		ROW("\x30\x05\x02\x01\x03\x04\x00", "it has no header", false),
		ROW("\x30\x08\x02\x01\x03\x30\x03\x04\x01\x00",
		    "there is no INTEGER where one must be", false),
		ROW("\x30\x17\x02\x01\x03\x30\x0e\x02\x01\x07\x02\x02\x05\xc0\x04\x02\x04\x04\x02"
		    "\x01\x03\x04\x00\x30\x00",
		    "its flags are not of 1 octet", true),
		ROW("\x30\x18\x02\x01\x03\x30\x0d\x02\x01\x07\x02\x02\x05\xc0\x04\x01\x02\x02"
		    "\x01\x03\x04\x00\x30\x00\x05\x00",
		    "its flags say encrypted but not authenticated", true),
		ROW("\x30\x16\x02\x01\x03\x30\x0d\x02\x01\x07\x02\x02\x05\xc0\x04\x01\x00\x02"
		    "\x01\x02\x04\x00\x30\x00",
		    "its security model is neither USM nor TSM", true),
		ROW("\x30\x14\x02\x01\x03\x30\x0d\x02\x01\x07\x02\x02\x05\xc0\x04\x01\x00\x02"
		    "\x01\x03\x05\x00",
		    "it has no security parameters", true),
		ROW("\x30\x16\x02\x01\x03\x30\x0d\x02\x01\x07\x02\x02\x05\xc0\x04\x01\x00\x02"
		    "\x01\x03\x04\x02\x31\x00",
		    "its security parameters are no SEQUENCE", true),
		ROW("\x30\x16\x02\x01\x03\x30\x0d\x02\x01\x07\x02\x02\x05\xc0\x04\x01\x00\x02"
		    "\x01\x03\x04\x02\x30\x7f",
		    "it is cut off, or a length is wrong", true),
		ROW("\x30\x42\x02\x01\x03" HEADER("\x03") SECURITY "\x30\x04\x04\x00\x04\x00",
		    "it is not encrypted, as its flags say", true),
		ROW("\x30\x42\x02\x01\x03" HEADER("\x00") SECURITY "\x04\x04\x01\x02\x03\x04",
		    "it has no scopedPDU", true),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *data = copy_of(rows[i].data, rows[i].len);
		const char *words = "";
		struct peek_v3 v;

		assert_int_equal(peek_v3(data, rows[i].len, &v, &words), rows[i].found);
		assert_false(v.whole);
		assert_string_equal(words, rows[i].words);
		free(data);
	}
}

/* Any octet changed to any other: nothing is read outside, and what is pointed to lies inside. */
static void test_v3_garbled(void **state)
{
	const size_t len = sizeof(sealed) - 1;
	unsigned whole = 0;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		for (unsigned o = 0; o < 256; o++) {
			uint8_t *data = copy_of(sealed, len);
			const char *words;
			struct peek_v3 v;

			data[i] = (uint8_t)o;
			if (peek_v3(data, len, &v, &words) && v.whole) {
				assert_true(v.engine_id >= data &&
					    v.engine_id + v.engine_id_len <= data + len);
				assert_true(v.digest >= data &&
					    v.digest + v.digest_len <= data + len);
				assert_true(v.data >= data && v.data + v.data_len <= data + len);
				assert_true(v.len <= len);
				whole++;
			}
			free(data);
		}
	}
	assert_in_range(whole, 256 * 16, 256 * 45); /* what is content may be anything */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_short_request_id),
		cmocka_unit_test(test_v3_cut_anywhere),
		cmocka_unit_test(test_v3_ends_before_the_datagram),
		cmocka_unit_test(test_v3_what_is_refused),
		cmocka_unit_test(test_v3_garbled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

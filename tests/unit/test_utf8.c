/* utf8: every edge of RFC 3629 §4, the fast scan against the slow one, what may be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct sample {
	const char *octets;
	uint32_t code; /* of the first character, when it is one */
	size_t len;    /* 0: not UTF-8 */
};

static const struct sample samples[] = {
	{"a", 'a', 1},
	{"\x7f", 0x7f, 1},
	{"\x80", 0, 0},
	{"\xbf", 0, 0},
	{"\xc0\x80", 0, 0}, /* overlong NUL */
	{"\xc1\xbf", 0, 0},
	{"\xc2\x80", 0x80, 2},
	{"\xc2", 0, 0},
	{"\xc2\x41", 0, 0},
	{"\xdf\xbf", 0x7ff, 2},
	{"\xe0\x9f\xbf", 0, 0}, /* overlong */
	{"\xe0\xa0\x80", 0x800, 3},
	{"\xe2\x82", 0, 0}, /* cut off */
	{"\xed\x9f\xbf", 0xd7ff, 3},
	{"\xed\xa0\x80", 0, 0}, /* surrogates */
	{"\xed\xbf\xbf", 0, 0},
	{"\xee\x80\x80", 0xe000, 3},
	{"\xef\xbf\xbf", 0xffff, 3},
	{"\xf0\x8f\xbf\xbf", 0, 0}, /* overlong */
	{"\xf0\x90\x80\x80", 0x10000, 4},
	{"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
	{"\xf4\x90\x80\x80", 0, 0}, /* above U+10FFFF */
	{"\xf5\x80\x80\x80", 0, 0},
	{"\xff", 0, 0},
};

static void test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		size_t len = strlen(s->octets);
		uint8_t *p = malloc(len); /* of its own size: a read behind it is seen */
		uint32_t code = 0;

		memcpy(p, s->octets, len);
		assert_int_equal(utf8_decode(p, len, &code), s->len);
		if (s->len)
			assert_int_equal(code, s->code);
		assert_int_equal(utf8_valid(p, len), s->len != 0);
		free(p);
	}
}

/* Every character there is, encoded, comes back; every surrogate is refused. */
static void test_all_characters(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
		uint8_t p[4];
		uint32_t back = 0;
		size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		for (size_t i = n - 1; i; i--)
			p[i] = (uint8_t)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
		p[0] = (uint8_t)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c >> (6 * (n - 1)));
		if (c >= 0xd800 && c <= 0xdfff) {
			assert_int_equal(utf8_decode(p, n, &back), 0);
			continue;
		}
		assert_int_equal(utf8_decode(p, n, &back), n);
		assert_int_equal(back, c);
		assert_int_equal(utf8_decode(p, n - 1, &back), 0);
	}
}

static void test_plain_stops_at_every_octet(void **state)
{
	(void)state;
	for (size_t at = 0; at < 20; at++) {
		for (unsigned c = 0; c < 256; c++) {
			uint8_t text[20];
			bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

			memset(text, 'a', sizeof(text));
			text[at] = (uint8_t)c;
			assert_int_equal(utf8_plain(text, sizeof(text)), plain ? sizeof(text) : at);
		}
	}
	assert_int_equal(utf8_plain(NULL, 0), 0);
}

static void test_shown(void **state)
{
	static const uint32_t hidden[] = {0,      0x1f,   0x7f,   0x80,   0x85,
					  0x9f,   0x61c,  0x200e, 0x200f, 0x2028,
					  0x2029, 0x202a, 0x202e, 0x2066, 0x2069};
	static const uint32_t shown[] = {0x20,   0x7e,   0xa0,   0x61b,  0x200d,  0x2010,
					 0x2027, 0x202f, 0x2065, 0x206a, 0x1f600, 0x10ffff};

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		assert_false(utf8_shown(hidden[i]));
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		assert_true(utf8_shown(shown[i]));
}

static void check_made_shown(const char *text, const char *wanted)
{
	char copy[64];

	strcpy(copy, text);
	utf8_make_shown(copy);
	assert_string_equal(copy, wanted);
}

static void test_make_shown(void **state)
{
	(void)state;
	check_made_shown("", "");
	check_made_shown("core \xc3\xa9 \xf0\x9f\x98\x80", "core \xc3\xa9 \xf0\x9f\x98\x80");
	check_made_shown("a\033[2Jb\nc\x7f", "a?[2Jb?c?");
	check_made_shown("\xc2\x9b\xe2\x80\xae\xe2\x80\xa8z", "???z"); /* a '?' a character */
	check_made_shown("\xff\xc3z\xe2\x80", "??z??");                /* a '?' an octet */
}

static void test_valid_is_decided_to_the_end(void **state)
{
	(void)state;
	assert_true(utf8_valid(NULL, 0));
	assert_true(utf8_valid((const uint8_t *)"0123456789 \"q\" \\ \xc3\xa9 \x01", 20));
	assert_false(utf8_valid((const uint8_t *)"0123456789abcdef\xc3", 17));
	assert_false(utf8_valid((const uint8_t *)"\xc3\xa9\xa9", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_all_characters),
		cmocka_unit_test(test_plain_stops_at_every_octet),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_make_shown),
		cmocka_unit_test(test_valid_is_decided_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

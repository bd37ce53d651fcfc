/* nearest: what is suggested for a mistyped word, and when nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

static const char *suggest(const char *written)
{
	static const char *const words[] = {"community", "timeout", "retries", "get", "port", "v3"};
	static struct nearest n;

	n = (struct nearest){.written = written};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		nearest_try(&n, words[i]);
	return n.word;
}

static void test_each_kind_of_slip(void **state)
{
	(void)state;
	assert_string_equal(suggest("comunity"), "community");   /* left out */
	assert_string_equal(suggest("commmunity"), "community"); /* put in */
	assert_string_equal(suggest("timeuot"), "timeout");      /* swapped */
	assert_string_equal(suggest("retrees"), "retries");      /* exchanged */
	assert_string_equal(suggest("Port"), "port");            /* letter case */
	assert_string_equal(suggest("gte"), "get");
}

static void test_swap_is_one_slip(void **state)
{
	struct nearest n = {.written = "ab"};

	(void)state;
	nearest_try(&n, "ba");
	assert_string_equal(n.word, "ba");
	assert_int_equal(n.distance, 1);
	nearest_try(&n, "ac"); /* as near: the first stays */
	assert_string_equal(n.word, "ba");
	nearest_try(&n, "ab");
	assert_int_equal(n.distance, 0);
}

static void test_nothing_near(void **state)
{
	char longest[NEAREST_MAX + 1];

	(void)state;
	assert_string_equal(suggest("password"), "");
	assert_string_equal(suggest(""), "");
	assert_string_equal(suggest("xy"), ""); /* all of "v3" would have to go */
	memset(longest, 'a', NEAREST_MAX);
	longest[NEAREST_MAX] = '\0';
	assert_string_equal(suggest(longest), "");
}

static void test_longest_words(void **state)
{
	char word[NEAREST_MAX + 1];
	char slip[NEAREST_MAX + 1];
	struct nearest n = {.written = slip};

	(void)state;
	memset(word, 'a', sizeof(word));
	word[NEAREST_MAX] = '\0';
	nearest_try(&n, word); /* one octet too long for the table */
	assert_string_equal(n.word, "");
	word[NEAREST_MAX - 1] = '\0';
	memcpy(slip, word, sizeof(word));
	slip[10] = 'b';
	nearest_try(&n, word);
	assert_string_equal(n.word, word);
	assert_int_equal(n.distance, 1);
}

static void test_hint(void **state)
{
	struct nearest n = {.written = "gett"};
	char hint[NEAREST_HINT_MAX];

	(void)state;
	assert_string_equal(nearest_hint(&n, hint), "");
	nearest_try(&n, "get");
	assert_string_equal(nearest_hint(&n, hint), " (did you mean 'get'?)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_of_slip),
		cmocka_unit_test(test_swap_is_one_slip),
		cmocka_unit_test(test_nothing_near),
		cmocka_unit_test(test_longest_words),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

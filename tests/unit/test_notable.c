/* notable: the ten slowest of any number, the first ten that fail, names that a terminal may see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/notable.h"

static void meet(struct notable *n, const char *host, enum record_status status, int64_t rtt_us)
{
	struct record r = {.host = host, .status = status, .rtt_us = rtt_us, .tries = 3};

	notable_meet(n, &r);
}

static int descending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

static void test_slowest_of_many(void **state)
{
	static int64_t times[5000];
	struct notable n = {0};
	uint32_t seed = 4711;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		char name[16];

		seed = seed * 1664525 + 1013904223;
		times[i] = seed >> 4;
		snprintf(name, sizeof(name), "h%lld", (long long)times[i]);
		meet(&n, name, RECORD_OK, times[i]);
		assert_int_equal(n.nslowest, i + 1 < NOTABLE_MAX ? i + 1 : NOTABLE_MAX);
	}
	qsort(times, 5000, sizeof(times[0]), descending);
	for (size_t i = 0; i < NOTABLE_MAX; i++) {
		assert_true(n.slowest[i].rtt_us == times[i]);
		assert_true(strtoll(n.slowest[i].name + 1, NULL, 10) == times[i]);
	}
	assert_int_equal(n.nfailing, 0);
}

/* The slowest that came first and nothing else; who never answered is not slow. */
static void test_equal_and_silent(void **state)
{
	struct notable n = {0};

	(void)state;
	meet(&n, "silent", RECORD_TIMEOUT, -1);
	assert_int_equal(n.nslowest, 0);
	for (char c = 'a'; c <= 'z'; c++)
		meet(&n, (char[]){c, '\0'}, RECORD_OK, 5);
	for (size_t i = 0; i < NOTABLE_MAX; i++)
		assert_int_equal(n.slowest[i].name[0], 'a' + (int)i);
}

static void test_first_that_fail(void **state)
{
	struct record r = {.host = "last", .status = RECORD_RESOLVE, .rtt_us = -1};
	struct notable n = {0};

	(void)state;
	r.message = "no such name\033[2J";
	notable_meet(&n, &r);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "h%d", i);
		meet(&n, name, i % 2 ? RECORD_OK : RECORD_PARTIAL, i);
	}
	assert_int_equal(n.failed, 51);
	assert_int_equal(n.nfailing, NOTABLE_MAX);
	assert_string_equal(n.failing[0].name, "last");
	assert_string_equal(n.failing[0].words, "no such name?[2J");
	for (int i = 1; i < NOTABLE_MAX; i++) {
		assert_int_equal(strtol(n.failing[i].name + 1, NULL, 10), (i - 1) * 2);
		assert_int_equal(n.failing[i].status, RECORD_PARTIAL);
		assert_int_equal(n.failing[i].tries, 3);
	}
	assert_int_equal(n.slowest[0].rtt_us, 99);
}

static void test_names(void **state)
{
	struct record r = {.status = RECORD_TIMEOUT, .rtt_us = -1};
	struct notable n = {0};

	(void)state;
	meet(&n, "a\tb\033[31m\xff", RECORD_TIMEOUT, -1);
	assert_string_equal(n.failing[0].name, "a?b?[31m?");
	notable_meet(&n, &r);
	assert_string_equal(n.failing[1].name, "?");
	assert_true(addr_parse("192.0.2.7", 9, &r.addr));
	r.addr.port = 161;
	notable_meet(&n, &r);
	assert_string_equal(n.failing[2].name, "192.0.2.7");
}

/* At every length, no character is halved. */
static void test_long_names(void **state)
{
	(void)state;
	for (size_t len = 0; len < 120; len++) {
		struct notable n = {0};
		char name[256];

		memset(name, 'x', len);
		strcpy(name + len, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");
		meet(&n, name, RECORD_TIMEOUT, -1);
		assert_true(strlen(n.failing[0].name) < NOTABLE_NAME);
		assert_true(
			utf8_valid((const uint8_t *)n.failing[0].name, strlen(n.failing[0].name)));
		assert_null(strchr(n.failing[0].name, '?'));
		if (strlen(name) < NOTABLE_NAME)
			assert_string_equal(n.failing[0].name, name);
		else
			assert_string_equal(n.failing[0].name + strlen(n.failing[0].name) - 3,
					    "...");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slowest_of_many), cmocka_unit_test(test_equal_and_silent),
		cmocka_unit_test(test_first_that_fail), cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ledger: bits taken once, and what is missing, against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "link/ledger.h"

static void assert_next_is(const struct ledger *l, const bool *has, uint64_t tasks)
{
	for (uint64_t from = 0; from <= tasks; from++) {
		uint64_t want = from, got = UINT64_MAX;

		while (want < tasks && !has[want])
			want++;
		assert_int_equal(ledger_next(l, from, &got), want < tasks);
		if (want < tasks)
			assert_int_equal(got, want);
	}
}

static void assert_missing_is(const struct ledger *l, const bool *has, uint64_t tasks)
{
	for (uint64_t from = 0; from <= tasks; from++) {
		uint64_t want = from, got = UINT64_MAX;

		while (want < tasks && has[want])
			want++;
		assert_int_equal(ledger_missing(l, from, &got), want < tasks);
		if (want < tasks)
			assert_int_equal(got, want);
	}
}

static void walk(uint64_t tasks)
{
	struct ledger *l = ledger_new(tasks);
	bool has[200] = {false};
	uint64_t count = 0;

	for (unsigned i = 0; tasks && i < 5 * tasks; i++) {
		uint64_t seq = (uint64_t)rand() % tasks;

		assert_int_equal(ledger_has(l, seq), has[seq]);
		assert_int_equal(ledger_take(l, seq), !has[seq]);
		count += !has[seq];
		has[seq] = true;
		assert_int_equal(ledger_count(l), count);
		if (i % 7 == 0) {
			assert_missing_is(l, has, tasks);
			assert_next_is(l, has, tasks);
			seq = (uint64_t)rand() % tasks;
			assert_int_equal(ledger_give(l, seq), has[seq]);
			count -= has[seq];
			has[seq] = false;
		}
	}
	ledger_clear(l);
	memset(has, 0, sizeof(has));
	assert_int_equal(ledger_count(l), 0);
	assert_missing_is(l, has, tasks);
	ledger_free(l);
}

static void test_against_an_array(void **state)
{
	static const uint64_t sizes[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 200};

	(void)state;
	srand(7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		walk(sizes[i]);
}

static void test_all_taken(void **state)
{
	struct ledger *l = ledger_new(1000000);
	uint64_t out;

	(void)state;
	for (uint64_t seq = 0; seq < 1000000; seq++)
		assert_true(ledger_take(l, seq));
	assert_false(ledger_missing(l, 0, &out));
	assert_int_equal(ledger_count(l), 1000000);
	ledger_free(l);
	ledger_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_an_array),
		cmocka_unit_test(test_all_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

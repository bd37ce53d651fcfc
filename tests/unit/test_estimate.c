/* estimate: the rate of late, and an end that is only told when it is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/estimate.h"

#define SECOND INT64_C(1000000)

/* `rate` a second from from_s to to_s, told ten times a second. */
static uint64_t go_on(struct estimate *e, uint64_t done, int from_s, int to_s, unsigned rate)
{
	for (int i = from_s * 10; i < to_s * 10; i++) {
		done += rate / 10;
		estimate_see(e, done, (i + 1) * SECOND / 10);
	}
	return done;
}

static void assert_near(double got, double wanted)
{
	assert_true(got > wanted * 0.93 && got < wanted * 1.07);
}

static void test_rate_is_of_late(void **state)
{
	struct estimate e;
	uint64_t done;

	(void)state;
	estimate_begin(&e, 0, 0);
	assert_true(estimate_rate(&e, 0, 0) == 0);
	done = go_on(&e, 0, 0, 1, 100);
	assert_near(estimate_rate(&e, done, SECOND), 100);
	done = go_on(&e, done, 1, 60, 1000);
	assert_near(estimate_rate(&e, done, 60 * SECOND), 1000);
	done = go_on(&e, done, 60, 71, 20); /* ten seconds later nothing is left of that */
	assert_near(estimate_rate(&e, done, 71 * SECOND), 20);
	done = go_on(&e, done, 71, 82, 0);
	assert_true(estimate_rate(&e, done, 82 * SECOND) == 0);
}

/* Samples that nobody took leave the rate of the time that is known. */
static void test_rare_samples(void **state)
{
	struct estimate e;

	(void)state;
	estimate_begin(&e, 0, 0);
	for (int i = 1; i < 200; i++)
		estimate_see(&e, (uint64_t)i * 16, i * 16 * SECOND);
	assert_near(estimate_rate(&e, 200 * 16, 200 * 16 * SECOND), 1);
}

static void test_left_by_rate(void **state)
{
	struct estimate e;
	struct estimate_left left;
	uint64_t done;

	(void)state;
	estimate_begin(&e, 0, 7 * SECOND);
	estimate_wait(&e, 10000, 0);
	done = go_on(&e, 0, 0, 6, 100);
	assert_int_equal(estimate_left(&e, done, 1000, 6 * SECOND).kind, LEFT_UNKNOWN);
	done = go_on(&e, done, 6, 20, 100);
	left = estimate_left(&e, done, 1000, 20 * SECOND);
	assert_int_equal(left.kind, LEFT_ABOUT);
	assert_near((double)left.us, 10e6);
	done = go_on(&e, done, 20, 40, 0);
	assert_int_equal(estimate_left(&e, done, 1000, 40 * SECOND).kind, LEFT_UNKNOWN);
}

/* Long waits do not hold it back for ever. */
static void test_long_silence(void **state)
{
	struct estimate e;
	uint64_t done;

	(void)state;
	estimate_begin(&e, 0, 3600 * SECOND);
	estimate_wait(&e, 10, 0);
	done = go_on(&e, 0, 0, 9, 100);
	assert_int_equal(estimate_left(&e, done, 1000, 9 * SECOND).kind, LEFT_UNKNOWN);
	done = go_on(&e, done, 9, 11, 100);
	assert_int_equal(estimate_left(&e, done, 1000, 11 * SECOND).kind, LEFT_ABOUT);
}

/* Thirty answer at once, the rest is silent: nobody is to come, so their waits say when it ends. */
static void test_left_by_silence(void **state)
{
	struct estimate e;
	struct estimate_left left;

	(void)state;
	estimate_begin(&e, 0, 7 * SECOND);
	estimate_see(&e, 30, SECOND / 2);
	estimate_wait(&e, 224, SECOND / 4);
	estimate_wait(&e, 0, SECOND / 2);
	estimate_wait(&e, 0, SECOND);
	left = estimate_left(&e, 30, 224, 2 * SECOND);
	assert_int_equal(left.kind, LEFT_AT_MOST);
	assert_true(left.us == 7 * SECOND + SECOND / 2 - 2 * SECOND);
	estimate_see(&e, 30, 7 * SECOND);
	assert_int_equal(estimate_left(&e, 30, 224, 8 * SECOND).kind,
			 LEFT_ABOUT);     /* not true any more */
	estimate_wait(&e, 5, 9 * SECOND); /* a worker died, and its hosts wait again */
	estimate_wait(&e, 0, 10 * SECOND);
	left = estimate_left(&e, 30, 224, 10 * SECOND);
	assert_int_equal(left.kind, LEFT_AT_MOST);
	assert_true(left.us == 7 * SECOND);
}

static void test_endless_silence(void **state)
{
	struct estimate e;

	(void)state;
	estimate_begin(&e, SECOND, INT64_MAX);
	estimate_wait(&e, 0, SECOND);
	assert_int_equal(estimate_left(&e, 0, 5, 30 * SECOND).kind, LEFT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_is_of_late), cmocka_unit_test(test_rare_samples),
		cmocka_unit_test(test_left_by_rate),    cmocka_unit_test(test_long_silence),
		cmocka_unit_test(test_left_by_silence), cmocka_unit_test(test_endless_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

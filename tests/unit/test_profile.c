/* profile: the waits of a silent host, and their sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/profile.h"

static void test_waits_double_up_to_eight(void **state)
{
	static const int64_t waits[] = {500, 1000, 2000, 4000, 4000, 4000};
	struct profile p = {.timeout_us = 500};

	(void)state;
	for (unsigned try = 0; try < 6; try++)
		assert_true(profile_wait_us(&p, try) == waits[try]);
	assert_true(profile_wait_us(&p, UINT32_MAX) == 500 * PROFILE_BACKOFF_MAX);
	p.timeout_us = INT64_MAX / 2;
	assert_true(profile_wait_us(&p, 1) == INT64_MAX - 1);
	assert_true(profile_wait_us(&p, 2) == INT64_MAX);
}

static void test_worst_is_the_sum_of_waits(void **state)
{
	(void)state;
	for (unsigned retries = 0; retries < 20; retries++) {
		struct profile p = {.timeout_us = 1000003, .retries = retries};
		int64_t sum = 0;

		for (unsigned try = 0; try <= retries; try++)
			sum += profile_wait_us(&p, try);
		assert_true(profile_worst_us(&p, 1) == sum);
		assert_true(profile_worst_us(&p, 8) == 8 * sum);
	}
}

static void test_worst_is_the_deadline_when_that_is_sooner(void **state)
{
	struct profile p = {.timeout_us = 1000000, .retries = 2, .deadline_us = 5000000};

	(void)state;
	assert_true(profile_worst_us(&p, 1) == 5000000);
	p.deadline_us = 7000001;
	assert_true(profile_worst_us(&p, 1) == 7000000);
	assert_true(profile_worst_us(&p, 2) == 7000001);
}

static void test_worst_does_not_overflow(void **state)
{
	struct profile p = {.timeout_us = INT64_MAX / 4, .retries = UINT32_MAX};

	(void)state;
	assert_true(profile_worst_us(&p, 1) == INT64_MAX);
	p = (struct profile){.timeout_us = INT64_MAX / 2};
	assert_true(profile_worst_us(&p, 3) == INT64_MAX);
	p.deadline_us = 9;
	assert_true(profile_worst_us(&p, 3) == 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_double_up_to_eight),
		cmocka_unit_test(test_worst_is_the_sum_of_waits),
		cmocka_unit_test(test_worst_is_the_deadline_when_that_is_sooner),
		cmocka_unit_test(test_worst_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * master, agents beyond a broker: what is silent, and what was given up, and when that decides (master_remote_silence.c,
 * dead letters). The broker and its agents are remote_stage.h's.
 */
#include <stdlib.h>

#include "remote_stage.h"

/* --- patience ------------------------------------------------------------------------------ */

/* Each further time it is waited twice as long: 0.3, 0.6 and 1.2 s. */
static void test_patience_doubles(void **state)
{
	struct trial *t = *state;

	play.silent = true;
	t->remote.attempts = 3;
	t->remote.patience_us = 300000;
	run_all(t, 40);
	assert_int_equal(t->lost, 40);
	assert_true(t->result.elapsed_us >= 2100000);
}

/* No task goes out before the broker has a queue for it. */
static void test_no_queue_yet(void **state)
{
	struct trial *t = *state;

	play.unheard_of = true;
	run_all(t, 40);
	assert_int_equal(t->ok, 40);
	assert_int_equal(world->early, 0);
	assert_true(world->asked_of[NORTH] > 3 && world->asked_of[SOUTH] > 3);
}

/* --- batches that were given up ------------------------------------------------------------ */

/* The first batches come back as dead letters when their tasks are out again: who has them now answers. */
static void test_given_up_and_answered(void **state)
{
	struct trial *t = *state;

	play.dies_late = true;
	t->remote.patience_us = 1000000;
	run_all(t, 100);
	assert_int_equal(t->ok, 100);
	assert_int_equal(t->result.remote.dead, 0);
	assert_true(t->result.remote.republished >= 100);
}

/* What is out now is given up as well: that decides. */
static void test_given_up_twice(void **state)
{
	struct trial *t = *state;

	play.dies_late = true;
	play.dead = 100;
	t->remote.patience_us = 1000000;
	run_all(t, 100);
	assert_int_equal(t->crashed, 100);
	assert_int_equal(t->result.remote.dead, 100);
	assert_true(t->result.remote.republished >= 100);
}

/* And if nothing is heard of it: what is known of its tasks is that they were given up. */
static void test_given_up_and_silent(void **state)
{
	struct trial *t = *state;

	play.dies_late = play.silent = true;
	t->remote.attempts = 2;
	run_all(t, 100);
	assert_int_equal(t->crashed, 100);
	assert_int_equal(t->lost, 0);
	assert_int_equal(t->result.remote.dead, 100);
}

/* --- queues that hang ----------------------------------------------------------------------- */

/* Of one site: it is examined, and made anew; nobody examines the other one. */
static void test_hangs(void **state)
{
	struct trial *t = *state;

	play.stuck = true;
	run_all(t, 100);
	assert_int_equal(t->ok, 100);
	assert_int_equal(world->examined[SOUTH], 1);
	assert_int_equal(world->examined[NORTH], 0);
}

/* Nobody may mend it: that is silence like other silence, and the run ends. */
static void test_hangs_for_ever(void **state)
{
	struct trial *t = *state;

	play.stuck = play.stays_stuck = true;
	t->remote.attempts = 2;
	run_all(t, 100);
	assert_int_equal(t->ok, 50);
	assert_int_equal(t->lost, 50);
	assert_true(world->examined[SOUTH] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_patience_doubles),      TEST(test_no_queue_yet),
		TEST(test_given_up_and_answered), TEST(test_given_up_twice),
		TEST(test_given_up_and_silent),   TEST(test_hangs),
		TEST(test_hangs_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

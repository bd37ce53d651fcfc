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

/* Of both: the link says nothing while it examines one, and is not given the other one before it has. */
static void test_hangs_twice(void **state)
{
	struct trial *t = *state;

	play.stuck = play.both_stuck = play.slow_cure = true;
	run_all(t, 100);
	assert_int_equal(t->ok, 100);
	assert_int_equal(world->examined[SOUTH], 1);
	assert_int_equal(world->examined[NORTH], 1);
	assert_int_equal(world->crowded, 0);
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

/* There are more targets than its queue and the window take: what was not handed out is lost, too. */
static void test_hangs_with_all_there_is(void **state)
{
	struct trial *t = *state;

	play.stuck = play.stays_stuck = play.alone = true;
	play.goes_last = true; /* its farewell is not waited for */
	t->remote.attempts = 1;
	run_all(t, MOST);
	assert_int_equal(t->lost, MOST);
}

static struct writer *round_begin_now(void *arg)
{
	struct trial *t = arg;
	struct writer_options o = {.path = t->path};
	enum writer_result opened;

	t->config.writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	return t->config.writer;
}

static bool round_ends(void *arg, const struct master_result *result)
{
	struct trial *t = arg;

	assert_int_equal(result->targets, MOST);
	assert_int_equal(result->status[RECORD_LOST], MOST);
	writer_free(t->config.writer);
	return false;
}

/* Its queue is full, and nobody is there who would empty it: that ends the round likewise. */
static void test_full_and_deserted_round(void **state)
{
	struct trial *t = *state;
	struct master_schedule schedule = {0};
	struct master_rounds rounds = {.interval_us = 200000,
				       .schedule = &schedule,
				       .arg = t,
				       .begin = round_begin_now,
				       .end = round_ends};

	play.deserted = play.alone = play.goes_last = true;
	play.nack = 100;
	t->plan.total = MOST;
	t->config.rounds = &rounds;
	master_run(&t->config, &t->result);
	assert_int_equal(world->told[BATCH_OVER], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_patience_doubles),        TEST(test_no_queue_yet),
		TEST(test_given_up_and_answered),   TEST(test_given_up_twice),
		TEST(test_given_up_and_silent),     TEST(test_hangs),
		TEST(test_hangs_for_ever),          TEST(test_hangs_twice),
		TEST(test_hangs_with_all_there_is), TEST(test_full_and_deserted_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

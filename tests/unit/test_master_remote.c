/*
 * master, agents beyond a broker: master_run() with a plan of two sites and a courier (remote_stage.h) that loses, repeats,
 * reorders and delays as a test wants it; whatever it does, each target has exactly one record.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/loop.h"
#include "remote_stage.h"

/* --- tests ----------------------------------------------------------------------------------- */

static void test_plain(void **state)
{
	struct trial *t = *state;

	t->remote.patience_us = 30000000;
	run_all(t, MAX);
	assert_int_equal(t->ok, MAX);
	assert_int_equal(t->result.remote.duplicates, 0);
	assert_int_equal(t->result.remote.republished, 0);
	assert_int_equal(t->result.remote.sites, SITES);
	assert_in_range(t->result.remote.agents, 1, 3);
	assert_int_equal(t->result.stats.count[STATS_SENT] > 0, 1);
	assert_int_equal(world->told[BATCH_RUN], 1);
	assert_int_equal(world->told[BATCH_OVER], 1);
	assert_int_equal(world->told[BATCH_CANCEL], 0);
	assert_true(world->forgot);
	assert_int_equal(world->polled, MAX);
	for (size_t i = 0; i < HELD; i++)
		assert_false(world->results[i].used); /* all was acknowledged */
}

static void test_no_target(void **state)
{
	run_all(*state, 0);
}

static void test_batches_are_filled(void **state)
{
	struct trial *t = *state;
	const unsigned share = batch_share(MAX / SITES);

	t->remote.patience_us = 30000000;
	run_all(t, MAX);
	assert_true(share > 64);
	assert_in_range(world->batches, MAX / share, MAX / share + SITES + 1);
}

static void test_repeated(void **state)
{
	struct trial *t = *state;

	play.repeat = 50;
	t->remote.patience_us = 30000000;
	run_all(t, 2000);
	assert_int_equal(t->ok, 2000);
	assert_int_equal(t->result.stats.count[STATS_SENT], 2000); /* a repeat counts nothing */
	assert_true(t->result.remote.duplicates > 0);
}

static void test_lost_on_the_way(void **state)
{
	struct trial *t = *state;

	play.lose = 15;
	run_all(t, 1000);
	assert_int_equal(t->ok, 1000);
	assert_true(t->result.remote.republished > 0);
	assert_true(world->highest > 1);
}

/* One batch of many is lost: nothing but its tasks goes out again. */
static void test_only_what_is_missing(void **state)
{
	struct trial *t = *state;

	play.swallow_once = true;
	t->remote.patience_us = 3000000; /* a busy machine is no silent site */
	run_all(t, MAX);
	assert_int_equal(t->ok, MAX);
	assert_int_equal(t->result.remote.republished, batch_share(MAX / SITES));
	assert_int_equal(world->highest, 2);
}

static void test_lost_for_ever(void **state)
{
	struct trial *t = *state;

	play.lose = 100;
	t->remote.attempts = 3;
	t->remote.patience_us = 30000;
	run_all(t, 100);
	assert_int_equal(t->lost, 100);
	assert_int_equal(t->result.status[RECORD_LOST], 100);
	assert_int_equal(t->result.remote.republished, 200);
}

static void test_agents_that_say_nothing(void **state)
{
	struct trial *t = *state;

	play.silent = true;
	t->remote.attempts = 2;
	t->remote.patience_us = 30000;
	run_all(t, 100);
	assert_int_equal(t->lost, 100);
	assert_int_equal(world->polled, 200);
}

/* Nothing is published again to a queue where it still is; its targets are lost, the other site's are not. */
static void test_deserted_site(void **state)
{
	struct trial *t = *state;

	play.deserted = true;
	t->remote.attempts = 2;
	t->remote.patience_us = 2000000;
	run_all(t, 1000);
	assert_int_equal(t->ok, 500);
	assert_int_equal(t->lost, 500);
	assert_int_equal(t->result.remote.republished, 0);
}

static void wait_for_south(struct trial *t)
{
	play.busy_us = 3000000;
	t->remote.attempts = 2;
	t->remote.patience_us = 500000;
	run_all(t, 200);
	assert_int_equal(t->ok, 200);
}

/* Who brings what we have, and nothing else for a while, is not silent. */
static void test_repeats_are_a_word(void **state)
{
	play.repeats = true;
	wait_for_south(*state);
}

/* Nor who takes what stands in the queue before ours. */
static void test_others_before_us(void **state)
{
	play.ahead = true;
	wait_for_south(*state);
}

/* A broker that has not heard a queue's leader says of it that it is empty, and nobody there: it is asked once more. */
static void test_unheard_leader(void **state)
{
	struct trial *t = *state;

	play.unheard = true;
	play.busy_us = 1500000;
	t->remote.patience_us = 200000;
	run_all(t, 200);
	assert_int_equal(t->ok, 200);
	assert_int_equal(t->result.remote.republished, 0);
}

/* Its answers about sites come when both sides are up. */
static void test_one_side_first(void **state)
{
	struct trial *t = *state;

	play.apart = true;
	t->config.rate_pps = 1000;
	t->config.deadline_us = 20000000;
	run_all(t, 100);
	assert_int_equal(t->ok, 100);
}

/* An alarm ends with the connection that told it; then silence counts again. */
static void test_alarm_and_down(void **state)
{
	struct trial *t = *state;

	play.alarm = play.silent = true;
	t->remote.attempts = 2;
	t->remote.patience_us = 200000;
	t->config.deadline_us = 20000000;
	run_all(t, 100);
	assert_int_equal(t->lost, 100);
}

/* What would be said to a broker that has gone keeps nobody waiting for long. */
static void test_gone_at_the_end(void **state)
{
	struct trial *t = *state;
	int64_t begun_us = loop_clock_us(), us;

	play.goes_last = true;
	run_all(t, 100);
	us = loop_clock_us() - begun_us;
	assert_int_equal(t->ok, 100);
	assert_int_equal(world->told[BATCH_OVER], 1);
	assert_in_range(us, 2000000, 8000000);
}

static void test_nacked(void **state)
{
	struct trial *t = *state;

	play.nack = 40;
	run_all(t, 1000);
	assert_int_equal(t->ok, 1000);
}

static void test_not_confirmed(void **state)
{
	struct trial *t = *state;

	play.no_confirm = 30; /* until another channel is asked for */
	t->remote.patience_us = 10000000;
	run_all(t, 300);
	assert_int_equal(t->ok, 300);
}

static void test_dying_link(void **state)
{
	struct trial *t = *state;

	play.die = 10;
	run_all(t, 1000);
	assert_int_equal(t->ok, 1000);
	assert_int_equal(t->result.deaths, world->births - 1);
}

static void test_down_and_up(void **state)
{
	struct trial *t = *state;

	play.down_later = true;
	play.late = 90;
	run_all(t, 1000);
	assert_int_equal(t->ok, 1000);
	assert_int_equal(t->result.deaths, 0);
}

static void test_no_broker(void **state)
{
	struct trial *t = *state;

	play.refuses = true;
	go(t, 10);
	assert_true(t->result.failed && t->result.aborted);
	assert_int_equal(t->result.targets, 0);
}

static void test_dead_letters(void **state)
{
	struct trial *t = *state;

	play.dead = 30;
	run_all(t, 1000);
	assert_true(t->crashed > 0);
	assert_int_equal(t->ok + t->crashed, 1000);
	assert_int_equal(t->result.remote.dead, t->crashed);
}

/* What nobody had before its time was over has killed nobody. */
static void test_expired_letters(void **state)
{
	struct trial *t = *state;

	play.dead = 30;
	t->remote.ttl_us = 1;
	run_all(t, 1000);
	assert_int_equal(t->ok, 1000);
	assert_int_equal(t->result.remote.dead, 0);
}

static void nothing_counts(struct trial *t)
{
	t->remote.attempts = 1;
	t->remote.patience_us = 50000;
	run_all(t, 100);
	assert_int_equal(t->lost, 100);
}

static void test_another_run(void **state)
{
	play.other_run = true;
	nothing_counts(*state);
}

/* An agent cannot say that a target is lost. */
static void test_status_of_ours(void **state)
{
	play.says_lost = true;
	nothing_counts(*state);
}

static void test_need(void **state)
{
	struct trial *t = *state;

	play.needs = play.deserted = true;
	t->remote.patience_us = 60000000;
	t->config.deadline_us = 1500000;
	run_all(t, 40);
	assert_int_equal(world->told[BATCH_RUN], 2);
}

static void test_large(void **state)
{
	struct trial *t = *state;

	play.large = true;
	run_all(t, 2);
	assert_int_equal(t->ok, 2);
	assert_int_equal(t->longest, PIECES * PIECE);
	assert_int_equal(t->result.remote.republished, 0);
}

static void test_large_with_a_gap(void **state)
{
	struct trial *t = *state;

	play.large = play.gap = true;
	run_all(t, 2);
	assert_int_equal(t->ok, 2);
	assert_int_equal(t->longest, PIECES * PIECE);
	assert_true(t->result.remote.republished > 0);
}

static void test_large_without_its_last_but_one(void **state)
{
	play.gap_late = true;
	test_large_with_a_gap(state);
}

static void test_old_rounds(void **state)
{
	struct trial *t = *state;

	play.old_round = true;
	t->remote.attempts = 1;
	t->remote.patience_us = 50000;
	run_all(t, 100);
	assert_int_equal(t->lost, 100);
	assert_true(t->result.remote.late >= 100);
}

static void test_garbage(void **state)
{
	struct trial *t = *state;

	play.garbage = true;
	play.late = 50;
	run_all(t, 500);
	assert_int_equal(t->ok, 500);
}

static void test_deadline(void **state)
{
	struct trial *t = *state;

	play.deserted = true;
	t->remote.patience_us = 60000000;
	t->config.deadline_us = 300000;
	run_all(t, 3000);
	assert_int_equal(t->ok + t->cancelled, 3000);
	assert_in_range(t->cancelled, 1500, 3000);
	assert_int_equal(world->told[BATCH_CANCEL], 1);
	assert_int_equal(world->told[BATCH_OVER], 1);
}

static void test_rate(void **state)
{
	struct trial *t = *state;

	t->config.rate_pps = 1000;
	run_all(t, 100);
	assert_int_equal(t->ok, 100);
}

/* All at once, in random order, from many seeds. */
static void test_random_walk(void **state)
{
	struct trial *t = *state;

	play = (struct part){.lose = 5,
			     .nack = 5,
			     .no_confirm = 2,
			     .repeat = 10,
			     .late = 60,
			     .die = 3,
			     .dead = 1};
	play.garbage = true;
	run_all(t, 3000);
	if (t->ok + t->crashed != 3000)
		fail_msg("%u ok, %u crashed, %u lost, %u cancelled", t->ok, t->crashed, t->lost,
			 t->cancelled);
}

/* --- rounds ---------------------------------------------------------------------------------- */

struct rounds {
	struct trial *t;
	struct writer *writer;
	unsigned rounds, wanted;
	uint64_t records;
	unsigned full; /* the round (from 1) that finds a disk without room; 0: none */
	struct rlimit size;
};

static struct writer *round_begin_now(void *arg)
{
	struct rounds *r = arg;
	struct writer_options o = {.path = r->t->path};
	enum writer_result opened;

	struct rlimit little = {.rlim_cur = 1000, .rlim_max = r->size.rlim_max};

	r->writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	if (r->full > 0)
		setrlimit(RLIMIT_FSIZE, r->rounds + 1 == r->full ? &little : &r->size);
	return r->writer;
}

static bool round_ends(void *arg, const struct master_result *result)
{
	struct rounds *r = arg;

	bool full = r->rounds + 1 == r->full;

	assert_int_equal(result->targets, r->t->plan.total);
	assert_int_equal(result->status[RECORD_OK], r->t->plan.total);
	assert_int_equal(result->written, full ? WRITER_FAILED : WRITER_OK);
	if (!full)
		assert_int_equal(writer_commit(r->writer), WRITER_OK);
	writer_free(r->writer);
	return ++r->rounds < r->wanted;
}

/* Returns how many rounds there were. */
static unsigned run_rounds(struct trial *t, struct rounds *r)
{
	struct master_schedule schedule = {0};
	struct master_rounds rounds = {.interval_us = 200000,
				       .schedule = &schedule,
				       .arg = r,
				       .begin = round_begin_now,
				       .end = round_ends};

	t->config.rounds = &rounds;
	master_run(&t->config, &t->result);
	assert_int_equal(world->told[BATCH_RUN], 1);
	assert_int_equal(world->told[BATCH_OVER], 1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return r->rounds;
}

static void test_rounds(void **state)
{
	struct trial *t = *state;
	struct rounds r = {.t = t, .wanted = 4};

	play.repeat = 30;
	play.late = 30;
	t->plan.total = 200;
	t->remote.patience_us = 5000000;
	assert_int_equal(run_rounds(t, &r), 4);
}

/* A round that cannot be written takes its results all the same, and is over when it is. */
static void test_round_without_room(void **state)
{
	struct trial *t = *state;
	struct rounds r = {.t = t, .wanted = 3, .full = 2};

	t->plan.total = MAX;
	t->remote.patience_us = 60000000;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &r.size);
	assert_int_equal(run_rounds(t, &r), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_no_target),
		TEST(test_batches_are_filled),
		TEST(test_repeated),
		TEST(test_lost_on_the_way),
		TEST(test_only_what_is_missing),
		TEST(test_lost_for_ever),
		TEST(test_agents_that_say_nothing),
		TEST(test_deserted_site),
		TEST(test_repeats_are_a_word),
		TEST(test_others_before_us),
		TEST(test_unheard_leader),
		TEST(test_one_side_first),
		TEST(test_alarm_and_down),
		TEST(test_gone_at_the_end),
		TEST(test_nacked),
		TEST(test_not_confirmed),
		TEST(test_dying_link),
		TEST(test_down_and_up),
		TEST(test_no_broker),
		TEST(test_dead_letters),
		TEST(test_expired_letters),
		TEST(test_another_run),
		TEST(test_status_of_ours),
		TEST(test_need),
		TEST(test_large),
		TEST(test_large_with_a_gap),
		TEST(test_large_without_its_last_but_one),
		TEST(test_old_rounds),
		TEST(test_garbage),
		TEST(test_deadline),
		TEST(test_rate),
		TEST(test_random_walk),
		TEST(test_rounds),
		TEST(test_round_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * master, agents beyond a broker: how a run ends whose output has failed, and what agents hear of it
 * (master_remote_leave.c); and a run that is taken up, which was ended by something else. The broker and its agents are remote_stage.h's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "link/journal.h"
#include "remote_stage.h"

/* --- an output that fails ------------------------------------------------------------------ */

static void run_into(struct trial *t, const struct writer_options *o, enum writer_result expected)
{
	enum writer_result opened;

	t->plan.total = MAX;
	t->remote.patience_us = 60000000;
	t->config.writer = writer_open(o, &opened);
	assert_int_equal(opened, WRITER_OK);
	master_run(&t->config, &t->result);
	writer_free(t->config.writer);
	assert_int_equal(t->result.written, expected);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void run_without_room(struct trial *t)
{
	struct writer_options o = {.path = t->path};
	struct rlimit size, little;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &size);
	little = (struct rlimit){.rlim_cur = 1000, .rlim_max = size.rlim_max};
	setrlimit(RLIMIT_FSIZE, &little);
	run_into(t, &o, WRITER_FAILED);
	setrlimit(RLIMIT_FSIZE, &size);
}

static void test_full_disk(void **state)
{
	run_without_room(*state);
	assert_int_equal(world->told[BATCH_CANCEL], 1);
	assert_int_equal(world->told[BATCH_OVER], 1);
	assert_true(world->forgot);
}

static void test_reader_has_gone(void **state)
{
	struct writer_options o = {0};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[0]);
	o.fd = pair[1];
	run_into(*state, &o, WRITER_CLOSED);
	close(pair[1]);
	assert_int_equal(world->told[BATCH_CANCEL], 1);
	assert_int_equal(world->told[BATCH_OVER], 1);
	assert_true(world->forgot);
}

/* It may be taken up when there is room again: nothing more is polled, but what was is kept. */
static void test_full_disk_with_a_journal(void **state)
{
	struct trial *t = *state;
	struct journal_head head = {.run = 4711, .tasks = MAX, .master = "m1"};
	char path[100], error[JOURNAL_ERROR_MAX];

	snprintf(path, sizeof(path), "%s/journal", t->folder);
	t->remote.journal = journal_new(path, &head, error);
	assert_non_null(t->remote.journal);
	run_without_room(t);
	journal_end(t->remote.journal);
	assert_int_equal(world->told[BATCH_CANCEL], 1);
	assert_int_equal(world->told[BATCH_OVER], 0);
	assert_false(world->forgot);
}

/* Nobody is there to bring it to the broker: that is waited for no longer than 2 s. */
static void test_full_disk_and_the_courier_hangs(void **state)
{
	int64_t begun_us = loop_clock_us();

	play.hangs = true;
	run_without_room(*state);
	assert_in_range(loop_clock_us() - begun_us, 2000000, 8000000);
	assert_int_equal(world->told[BATCH_CANCEL], 0);
	assert_int_equal(world->births, 1);
}

/* Returns whether who starts us is told that agents go on. */
static bool run_and_hear(struct trial *t)
{
	char heard[4096];
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);

	for (uint64_t seq = 0; seq < 600; seq += 100) /* nobody would be asked here */
		bring_records(seq, 100);
	log_set_level(LOG_LEVEL_WARNING);
	dup2(fileno(f), STDERR_FILENO);
	run_without_room(t);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	heard[fread(heard, 1, sizeof(heard) - 1, f)] = '\0';
	fclose(f);
	return strstr(heard, "agents could not be told that the run has ended") != NULL;
}

/* The courier goes in good order; but what agents should hear is not with it. */
static void test_full_disk_and_an_alarm(void **state)
{
	play.alarm_stays = true;
	assert_true(run_and_hear(*state));
	assert_int_equal(world->told[BATCH_CANCEL], 0);
}

static void test_full_disk_and_the_courier_dies(void **state)
{
	play.dies_loaded = true;
	assert_true(run_and_hear(*state));
	assert_int_equal(world->told[BATCH_CANCEL], 0);
}

static void test_full_disk_is_told(void **state)
{
	assert_false(run_and_hear(*state));
	assert_int_equal(world->told[BATCH_CANCEL], 1);
}

/* --- a run that is taken up ---------------------------------------------------------------- */

#define STOOD   100 /* records that stand in the output, of */
#define TARGETS 200

/* Returns how many records this run has written. */
static unsigned take_up(struct trial *t, struct ledger *stood)
{
	struct journal_sums begun = {.status = {[RECORD_OK] = STOOD},
				     .stats = {.count = {[STATS_SENT] = STOOD}}};
	unsigned lines = 0;
	char line[100];
	FILE *f;

	for (uint64_t seq = 0; seq < STOOD; seq++)
		ledger_take(stood, seq);
	t->remote.taken = stood;
	t->remote.begun = &begun;
	t->remote.patience_us = 60000000;
	go(t, TARGETS);
	assert_int_equal(t->result.status[RECORD_OK], TARGETS);
	assert_int_equal(t->result.targets, TARGETS);
	assert_int_equal(t->result.remote.resumed, STOOD);
	f = fopen(t->path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		lines++;
	fclose(f);
	return lines;
}

/* What has its record is asked no more. */
static void test_taken_up(void **state)
{
	struct trial *t = *state;
	struct ledger *stood = ledger_new(TARGETS);

	assert_int_equal(take_up(t, stood), TARGETS - STOOD);
	assert_int_equal(world->polled, TARGETS - STOOD);
	assert_int_equal(t->result.stats.count[STATS_SENT], TARGETS);
	ledger_free(stood);
}

/* Messages that were written, and not acknowledged, come again: what was counted of them stands in the journal. One whose
 * records were not all written was not counted. */
static void test_taken_up_and_brought_again(void **state)
{
	struct trial *t = *state;
	struct ledger *stood = ledger_new(TARGETS);

	for (uint64_t seq = 0; seq < STOOD - 20; seq += 20)
		bring_records(seq, 20);
	bring_records(STOOD - 5, 10);
	assert_int_equal(take_up(t, stood), TARGETS - STOOD);
	assert_int_equal(world->polled, TARGETS - STOOD);
	assert_int_equal(t->result.stats.count[STATS_SENT], TARGETS + 10);
	assert_int_equal(t->result.remote.duplicates, STOOD - 20 + 10);
	ledger_free(stood);
}

/* What was given up before is asked anew, and that decides. */
static void test_taken_up_and_given_up_before(void **state)
{
	struct trial *t = *state;
	struct ledger *stood = ledger_new(TARGETS);

	bring_dead(STOOD - 5, 20, 1);
	assert_int_equal(take_up(t, stood), TARGETS - STOOD);
	assert_int_equal(t->result.status[RECORD_CRASHED], 0);
	ledger_free(stood);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_full_disk),
		TEST(test_reader_has_gone),
		TEST(test_full_disk_with_a_journal),
		TEST(test_full_disk_and_the_courier_hangs),
		TEST(test_full_disk_and_an_alarm),
		TEST(test_full_disk_and_the_courier_dies),
		TEST(test_full_disk_is_told),
		TEST(test_taken_up),
		TEST(test_taken_up_and_brought_again),
		TEST(test_taken_up_and_given_up_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

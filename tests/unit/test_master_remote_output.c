/*
 * master, agents beyond a broker: records that are larger than a message, and an output that takes nothing for a while
 * (master_remote_pieces.c, and the turns of master_remote.c). The broker and its agents are remote_stage.h's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote_stage.h"

/* --- pieces ------------------------------------------------------------------------------- */

/* Two polls of a target bring their pieces mixed: the record is of one of them. */
static void test_pieces_of_two_polls(void **state)
{
	static char line[PIECES * PIECE + 2];
	struct trial *t = *state;
	const char *x;
	FILE *f;

	play.large = play.two_polls = true;
	t->remote.patience_us = 60000000;
	run_all(t, 2);
	assert_int_equal(t->ok, 2);
	assert_int_equal(t->longest, PIECES * PIECE);
	f = fopen(t->path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL && line[1] != '1')
		;
	fclose(f);
	x = line + strlen("#1 ok ");
	assert_int_equal(strspn(x, (char[]){*x, '\0'}), strlen(x) - 1);
}

/* --- the end of a round ------------------------------------------------------------------- */

#define MANY 130 /* pieces: more than the writer keeps in memory */

struct service {
	struct trial *t;
	struct writer *writer;
	uint64_t sent, duplicates;
};

static struct writer *begin_round(void *arg)
{
	struct service *s = arg;
	struct writer_options o = {.path = s->t->path};
	enum writer_result opened;

	s->writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	return s->writer;
}

static bool end_round(void *arg, const struct master_result *result)
{
	struct service *s = arg;

	assert_int_equal(result->status[RECORD_OK], 2);
	assert_int_equal(writer_commit(s->writer), WRITER_OK);
	writer_free(s->writer);
	s->sent = result->stats.count[STATS_SENT];
	s->duplicates = result->remote.duplicates;
	return false;
}

/* The last record that is missing is so large that the output takes no more, and its message has another one behind
 * it: the round ends when that was gone through, and has its counters. */
static void test_rest_of_a_message(void **state)
{
	struct trial *t = *state;
	struct service s = {.t = t};
	struct master_schedule schedule = {0};
	struct master_rounds rounds = {.interval_us = 60000000,
				       .schedule = &schedule,
				       .arg = &s,
				       .begin = begin_round,
				       .end = end_round};

	play.large = play.beside = true;
	play.pieces = MANY;
	play.prefetch = HELD;
	t->plan.total = 2;
	t->remote.patience_us = 60000000;
	t->config.rounds = &rounds;
	master_run(&t->config, &t->result);
	assert_int_equal(s.duplicates, 1);
	assert_int_equal(s.sent,
			 MANY + 1 + 1); /* a message each, the last one of two; the other target */
}

/* --- a reader that takes its time --------------------------------------------------------- */

#define WIDE_TARGETS 300 /* 2.6 MiB: more than the writer keeps */
#define PAUSE_US     5000000

static void read_late(int fd)
{
	static char octets[65536];
	ssize_t n;

	usleep(PAUSE_US);
	while ((n = read(fd, octets, sizeof(octets))) > 0)
		;
	_exit(n < 0);
}

static int64_t cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * INT64_C(1000000) + r.ru_utime.tv_usec +
	       r.ru_stime.tv_usec;
}

/* Meanwhile nothing is read: confirms that nobody has read are no broker that does not confirm, and nobody spins. */
static void test_late_reader(void **state)
{
	struct trial *t = *state;
	struct writer_options o = {0};
	enum writer_result opened;
	int pair[2], status, small = 4096;
	int64_t begun_us;
	pid_t reader;

	play.wide = play.confirms_late = true;
	play.prefetch = HELD;
	t->plan.total = WIDE_TARGETS;
	t->remote.silence_us = 1500000; /* a courier that is not read is not silent */
	t->remote.patience_us = 60000000;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	reader = fork();
	if (reader == 0) {
		close(pair[1]);
		read_late(pair[0]);
	}
	close(pair[0]);
	o.fd = pair[1];
	t->config.writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	begun_us = cpu_us();
	master_run(&t->config, &t->result);
	assert_in_range(cpu_us() - begun_us, 0, PAUSE_US / 10);
	assert_int_equal(writer_commit(t->config.writer), WRITER_OK);
	writer_free(t->config.writer);
	close(pair[1]);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	assert_int_equal(t->result.status[RECORD_OK], WIDE_TARGETS);
	assert_true(t->result.elapsed_us >= PAUSE_US);
	assert_int_equal(world->reopened, 0);
	assert_int_equal(world->births, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pieces_of_two_polls),
		TEST(test_rest_of_a_message),
		TEST(test_late_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

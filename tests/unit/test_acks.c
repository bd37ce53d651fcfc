/* acks: a message is acknowledged when its records are safe, and not before; the journal says no more than the disk has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/journal_internal.h"
#include "out/writer_internal.h"
#include "pool/acks.h"

/* What the disk was asked for, in order: w a write, s a sync, W and S those of the journal, a an acknowledgement. */
static struct {
	char done[4096];
	size_t ndone;
	int write_errno, fsync_errno, journal_write_errno, journal_fsync_errno;
	uint64_t tags[4096]; /* acknowledged */
	size_t ntags;
} seen;

static void note(char what)
{
	assert_true(seen.ndone < sizeof(seen.done) - 1);
	if (seen.ndone == 0 || what != 'a' || seen.done[seen.ndone - 1] != 'a')
		seen.done[seen.ndone++] = what;
}

/* What is noted, or fails with `error`. */
static ssize_t noted_write(char what, int error, int fd, const void *p, size_t len)
{
	note(what);
	errno = error;
	return error ? -1 : write(fd, p, len);
}

static int noted_fsync(char what, int error, int fd)
{
	note(what);
	errno = error;
	return error ? -1 : fsync(fd);
}

static ssize_t disk_write(int fd, const void *p, size_t len)
{
	return noted_write('w', seen.write_errno, fd, p, len);
}

static int disk_fsync(int fd)
{
	return noted_fsync('s', seen.fsync_errno, fd);
}

static int set_lock(int fd, struct flock *lock)
{
	return fcntl(fd, F_SETLK, lock);
}

static int open_private(int dir, const char *name, int flags)
{
	return openat(dir, name, flags, 0600);
}

static const struct writer_system disk = {disk_write, disk_fsync, close,       renameat,
					  ftruncate,  set_lock,   open_private};

static ssize_t journal_write(int fd, const void *p, size_t len)
{
	return noted_write('W', seen.journal_write_errno, fd, p, len);
}

static int journal_fsync(int fd)
{
	return noted_fsync('S', seen.journal_fsync_errno, fd);
}

static const struct journal_system journal_disk = {journal_write, journal_fsync};

static void take_ack(void *arg, uint64_t tag)
{
	assert_ptr_equal(arg, &seen);
	note('a');
	seen.tags[seen.ntags++] = tag;
}

/* --- a run --------------------------------------------------------------------------------- */

struct lab {
	struct writer *w;
	struct journal *j;
	struct acks *a;
	struct stats stats;
	char *folder;
	uint64_t seq, tag;
};

static void lab_open(struct lab *lab, const struct writer_options *o, bool journal)
{
	const struct journal_head head = {.run = 1, .master = "m", .tasks = 100000};
	char error[JOURNAL_ERROR_MAX];
	enum writer_result result;

	lab->w = writer_open_with(o, &disk, &result);
	assert_int_equal(result, WRITER_OK);
	if (journal)
		lab->j = journal_new_with("journal", &head, &journal_disk, error);
	lab->a = acks_new(&(struct acks_config){
		.journal = lab->j, .stats = &lab->stats, .send = take_ack, .arg = &seen});
	acks_output(lab->a, lab->w, false);
	seen.ndone = 0;
}

static int setup(void **state)
{
	char folder[] = "/tmp/test-acks-XXXXXX";
	struct lab *lab;

	memset(&seen, 0, sizeof(seen));
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	lab = calloc(1, sizeof(*lab));
	lab->folder = strdup(folder);
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;
	char command[PATH_MAX];

	acks_free(lab->a);
	journal_free(lab->j);
	writer_free(lab->w);
	snprintf(command, sizeof(command), "rm -rf '%s'", lab->folder);
	free(lab->folder);
	free(lab);
	return chdir("/") || system(command);
}

#define RECORD_LEN 10

static void put_record(struct lab *lab, enum record_status status)
{
	writer_put(lab->w, "a record.\n", RECORD_LEN);
	acks_seq(lab->a, lab->seq++, status);
}

/* A message of two records. */
static void put_message(struct lab *lab, int64_t now_us)
{
	put_record(lab, RECORD_OK);
	put_record(lab, RECORD_TIMEOUT);
	acks_tag(lab->a, ++lab->tag, now_us);
}

static void check_done(const char *wanted)
{
	seen.done[seen.ndone] = '\0';
	assert_string_equal(seen.done, wanted);
	seen.ndone = 0;
}

/* What --resume would find. */
static struct journal_sums found;
static uint64_t nfound;

static void find_seq(void *arg, uint64_t seq)
{
	(void)arg;
	assert_true(seq == nfound); /* each, and in order */
	nfound++;
}

static void look(void)
{
	struct journal_head h = {.tasks = 100000};
	const struct journal_reader r = {find_seq, NULL};
	char error[JOURNAL_ERROR_MAX];

	nfound = 0;
	assert_int_equal(system("cp journal copy"), 0);
	journal_free(journal_resume("copy", &h, &found, &r, error));
}

/* --- files --------------------------------------------------------------------------------- */

static void test_group_of_a_file(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	lab->stats.count[STATS_SENT] = 77;
	for (unsigned i = 1; i < ACKS_GROUP; i++) {
		put_message(lab, 1000);
		assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	}
	check_done(""); /* nothing yet, for nothing is worth it */
	assert_true(acks_next_us(lab->a) == 1000 + ACKS_GROUP_US);
	put_message(lab, 2000);
	assert_true(acks_next_us(lab->a) == 2000);
	assert_int_equal(acks_turn(lab->a, false, 2000), WRITER_OK);
	check_done("wsWSa");
	assert_int_equal(seen.ntags, ACKS_GROUP);
	for (unsigned i = 0; i < ACKS_GROUP; i++)
		assert_true(seen.tags[i] == i + 1);
	assert_false(acks_owes(lab->a));
	assert_true(acks_next_us(lab->a) == INT64_MAX);
	look();
	assert_int_equal(nfound, 2 * ACKS_GROUP);
	assert_int_equal(found.length, 2 * ACKS_GROUP * RECORD_LEN);
	assert_int_equal(found.status[RECORD_OK], ACKS_GROUP);
	assert_int_equal(found.status[RECORD_TIMEOUT], ACKS_GROUP);
	assert_int_equal(found.stats.count[STATS_SENT], 77);
}

static void test_none_waits_long(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	put_message(lab, 1000);
	put_message(lab, 150000);
	assert_int_equal(acks_turn(lab->a, false, 1000 + ACKS_GROUP_US - 1), WRITER_OK);
	check_done("");
	assert_int_equal(acks_turn(lab->a, false, 1000 + ACKS_GROUP_US), WRITER_OK);
	check_done("wsWSa");
	assert_int_equal(seen.ntags, 2);
	put_message(lab, 900000);
	assert_true(acks_next_us(lab->a) == 900000 + ACKS_GROUP_US);
	assert_int_equal(acks_turn(lab->a, true, 900000), WRITER_OK); /* the run is over */
	check_done("wsWSa");
	look();
	assert_int_equal(nfound, 6);
}

/* Records that came in no message (lost, cancelled) are in the journal, too; of a record that is not whole nothing is. */
static void test_records_alone(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	put_record(lab, RECORD_LOST);
	acks_seq(lab->a, lab->seq++, RECORD_OK); /* is not wanted: no octet */
	writer_put_part(lab->w, "half a", 6);
	assert_true(acks_owes(lab->a));
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_OK);
	check_done("wsWS");
	assert_false(acks_owes(lab->a));
	look();
	assert_int_equal(nfound, 2);
	assert_int_equal(found.length, RECORD_LEN);
	assert_int_equal(found.status[RECORD_LOST], 1);
	assert_int_equal(found.status[RECORD_OK], 1);
}

static void test_many_records_in_few_messages(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	for (unsigned i = 0; i < ACKS_RECORDS_MAX; i++) {
		assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
		assert_int_equal(seen.ndone, 0);
		acks_seq(lab->a, lab->seq++, RECORD_OK);
	}
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	look();
	assert_int_equal(nfound, ACKS_RECORDS_MAX);
}

/* A run that was taken up goes on counting. */
static void test_sums_go_on(void **state)
{
	struct lab *lab = *state;
	struct journal_sums begun = {.length = 0, .status = {[RECORD_OK] = 500}};

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	acks_free(lab->a);
	lab->a = acks_new(&(struct acks_config){.journal = lab->j,
						.begun = &begun,
						.stats = &lab->stats,
						.send = take_ack,
						.arg = &seen});
	acks_output(lab->a, lab->w, false);
	put_message(lab, 1000);
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_OK);
	look();
	assert_int_equal(found.status[RECORD_OK], 501);
}

/* The link went down: the messages come again, under other tags. Their records are written and known. */
static void test_void(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	put_message(lab, 1000);
	acks_void(lab->a);
	assert_true(acks_next_us(lab->a) == INT64_MAX);
	assert_true(acks_owes(lab->a));
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_OK);
	check_done("wsWS");
	acks_tag(lab->a, 1, 2000); /* the same again: no record of it is new */
	assert_int_equal(acks_turn(lab->a, true, 2000), WRITER_OK);
	assert_int_equal(seen.ntags, 1);
}

/* Whatever fails: nothing is acknowledged, then or later. */
static void check_failure(struct lab *lab, int *which, const char *done)
{
	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	put_message(lab, 1000);
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_OK);
	seen.ndone = 0;
	assert_int_equal(seen.ntags, 1);
	put_message(lab, 2000);
	*which = ENOSPC;
	assert_int_equal(acks_turn(lab->a, true, 2000), WRITER_FAILED);
	check_done(done);
	*which = 0;
	assert_int_equal(acks_turn(lab->a, true, 3000), WRITER_FAILED);
	assert_true(acks_next_us(lab->a) == INT64_MAX);
	check_done("");
	assert_int_equal(seen.ntags, 1);
	look();
	assert_int_equal(nfound, 2);
	assert_int_equal(found.length, 2 * RECORD_LEN);
}

static void test_failing_write(void **state)
{
	check_failure(*state, &seen.write_errno, "w");
}

static void test_failing_sync(void **state)
{
	check_failure(*state, &seen.fsync_errno, "ws");
}

static void test_failing_journal(void **state)
{
	check_failure(*state, &seen.journal_write_errno, "wsW");
}

/* Its entry may be there all the same: that its octets are on disk is true. */
static void test_failing_sync_of_the_journal(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	put_message(lab, 1000);
	seen.journal_fsync_errno = EIO;
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_FAILED);
	check_done("wsWS");
	assert_int_equal(seen.ntags, 0);
}

/* The master's own flush has failed before: the writer knows no more that it was a file. */
static void test_writer_that_has_failed(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out", .resumable = true}, true);
	put_message(lab, 1000);
	assert_int_equal(writer_flush(lab->w, true), WRITER_OK); /* written, and not on disk */
	put_message(lab, 1000);
	seen.write_errno = ENOSPC;
	assert_int_equal(writer_flush(lab->w, true), WRITER_FAILED);
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK); /* is not due */
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_FAILED);
	assert_int_equal(seen.ntags, 0);
}

/* --- other outputs ------------------------------------------------------------------------- */

/* A file without a journal (of rounds): the disk all the same. */
static void test_without_a_journal(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out"}, false);
	put_message(lab, 1000);
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	check_done("");
	assert_int_equal(acks_turn(lab->a, false, 1000 + ACKS_GROUP_US), WRITER_OK);
	check_done("wsa");
}

static void test_added(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "log", .append = true}, false);
	put_message(lab, 1000);
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_OK);
	check_done("wsa");
}

/* A lock that somebody else has: nothing is acknowledged, and nobody spins. */
static void test_added_and_locked(void **state)
{
	struct lab *lab = *state;
	int ready[2];
	pid_t child;
	char octet;

	lab_open(lab, &(struct writer_options){.path = "log", .append = true}, true);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open("log", O_WRONLY);

		if (fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &octet, 1), 1);
	for (unsigned i = 0; i < ACKS_GROUP; i++)
		put_message(lab, 1000);
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	check_done("");
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_OK);
	check_done("");
	assert_true(acks_next_us(lab->a) > 1000);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	usleep(30000); /* after which the writer tries again */
	assert_int_equal(acks_turn(lab->a, false, 1000 + ACKS_GROUP_US), WRITER_OK);
	check_done("wsWSa");
	assert_int_equal(seen.ntags, ACKS_GROUP);
	close(ready[0]);
	close(ready[1]);
}

/* A stream: what it has taken, at once; nothing is synced. */
static void test_stream(void **state)
{
	struct lab *lab = *state;
	static char much[200000];
	ssize_t n;
	int fifo;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	fifo = open("fifo", O_RDONLY | O_NONBLOCK);
	lab_open(lab, &(struct writer_options){.path = "fifo"}, false);
	put_message(lab, 1000);
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	assert_int_equal(seen.ntags, 0); /* the writer was not asked yet */
	assert_true(acks_next_us(lab->a) == INT64_MAX);
	assert_int_equal(writer_flush(lab->w, true), WRITER_OK);
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	assert_int_equal(seen.ntags, 1);
	writer_put(lab->w, much, sizeof(much)); /* more than it takes */
	acks_tag(lab->a, 2, 1000);
	assert_int_equal(writer_flush(lab->w, true), WRITER_OK);
	assert_int_equal(acks_turn(lab->a, true, 1000), WRITER_OK);
	assert_int_equal(seen.ntags, 1);
	while (acks_owes(lab->a)) {
		n = read(fifo, much, sizeof(much));
		assert_true(n > 0);
		assert_int_equal(writer_flush(lab->w, true), WRITER_OK);
		assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	}
	assert_int_equal(seen.ntags, 2);
	seen.done[seen.ndone] = '\0';
	assert_null(strchr(seen.done, 's'));
	close(fifo);
}

/* What is sorted comes into the output when all is there; what has no output is as good as written. */
static void test_nothing_to_wait_for(void **state)
{
	struct lab *lab = *state;

	lab_open(lab, &(struct writer_options){.path = "out"}, false);
	acks_output(lab->a, lab->w, true);
	acks_tag(lab->a, 1, 1000);
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	check_done("a");
	acks_output(lab->a, NULL, false);
	acks_tag(lab->a, 2, 1000);
	assert_int_equal(acks_turn(lab->a, false, 1000), WRITER_OK);
	check_done("a");
	assert_false(acks_owes(lab->a));
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_group_of_a_file),
		RUN(test_none_waits_long),
		RUN(test_records_alone),
		RUN(test_many_records_in_few_messages),
		RUN(test_sums_go_on),
		RUN(test_void),
		RUN(test_failing_write),
		RUN(test_failing_sync),
		RUN(test_failing_journal),
		RUN(test_failing_sync_of_the_journal),
		RUN(test_writer_that_has_failed),
		RUN(test_without_a_journal),
		RUN(test_added),
		RUN(test_added_and_locked),
		RUN(test_stream),
		RUN(test_nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* writer: what was put, what is written, what is on disk; a dead run's file is taken up, or given up with its journal. */
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

#include "out/writer_internal.h"

#include "folder.h"

static struct {
	int write_errno, fsync_errno, truncate_errno; /* 0: works */
	unsigned fsyncs;
} fake;

static ssize_t fake_write(int fd, const void *p, size_t len)
{
	if (fake.write_errno == 0)
		return write(fd, p, len);
	errno = fake.write_errno;
	return len > 3 ? write(fd, p, 3) : -1; /* some of it goes */
}

static int fake_fsync(int fd)
{
	fake.fsyncs++;
	errno = fake.fsync_errno;
	return fake.fsync_errno ? -1 : fsync(fd);
}

static int fake_ftruncate(int fd, off_t len)
{
	errno = fake.truncate_errno;
	return fake.truncate_errno ? -1 : ftruncate(fd, len);
}

static int fake_set_lock(int fd, struct flock *lock)
{
	return fcntl(fd, F_SETLK, lock);
}

static int fake_open(int dir, const char *name, int flags)
{
	return openat(dir, name, flags, 0600);
}

static const struct writer_system fake_system = {fake_write,     fake_fsync,    close,    renameat,
						 fake_ftruncate, fake_set_lock, fake_open};

static int setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	signal(SIGPIPE, SIG_IGN);
	return folder_enter(state, "test-resume");
}

static struct writer *open_to(const struct writer_options *o, enum writer_result wanted)
{
	enum writer_result result;
	struct writer *w = writer_open_with(o, &fake_system, &result);

	if (result != wanted)
		fail_msg("%d: %s", result, writer_error(w));
	return w;
}

static struct writer *open_resumable(bool resume, enum writer_result wanted)
{
	return open_to(&(struct writer_options){.path = "out", .resumable = true, .resume = resume},
		       wanted);
}

static void put(struct writer *w, const char *text)
{
	writer_put(w, text, strlen(text));
}

static void check_said(const struct writer *w, const char *words)
{
	if (!strstr(writer_error(w), words))
		fail_msg("'%s' is not in '%s'", words, writer_error(w));
}

/* A run that died: 10 octets are good, 4 are not. */
static void leave(void)
{
	make("out", "old\n");
	make(".out.multisnmp", "1234\n6789\nhalf");
	make(".out.multisnmp.run", "journal");
}

/* --- counters ------------------------------------------------------------------------------ */

static void test_octets_of_a_file(void **state)
{
	struct writer *w = open_to(&(struct writer_options){.path = "out"}, WRITER_OK);

	(void)state;
	assert_null(writer_journal(w));
	writer_put_head(w, "head\n", 5);
	put(w, "one\n");
	writer_put_part(w, "tw", 2);
	assert_int_equal(writer_octets(w), 11);
	assert_int_equal(writer_through(w), 0);
	assert_int_equal(writer_flush(w, false), WRITER_OK); /* not worth a call yet */
	assert_int_equal(writer_through(w), 0);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_through(w), 11);
	assert_int_equal(fake.fsyncs, 0);
	assert_int_equal(writer_sync(w), WRITER_OK);
	assert_int_equal(fake.fsyncs, 1);
	put(w, "o\n");
	assert_int_equal(writer_octets(w), 13);
	assert_int_equal(writer_through(w), 11);
	fake.write_errno = ENOSPC;
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	put(w, "three\n"); /* is dropped */
	assert_int_equal(writer_octets(w), 13);
	assert_int_equal(writer_through(w), 11);
	assert_int_equal(writer_sync(w), WRITER_FAILED);
	writer_free(w);
	assert_false(exists(".out.multisnmp")); /* it could not have been resumed */
}

/* A pipe takes what it takes; nothing is synced, and nothing waits. */
static void test_octets_of_a_stream(void **state)
{
	static char much[100000];
	struct writer *w;
	enum writer_result result;
	int fifo;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fifo = open("fifo", O_RDONLY | O_NONBLOCK);
	w = open_to(&(struct writer_options){.path = "fifo"}, WRITER_OK);
	assert_null(writer_journal(w));
	memset(much, 'x', sizeof(much));
	writer_put(w, much, sizeof(much));
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_in_range(writer_through(w), 1, sizeof(much) - 1);
	assert_int_equal(writer_sync(w), WRITER_OK);
	assert_int_equal(fake.fsyncs, 0);
	for (uint64_t seen = 0; writer_through(w) < sizeof(much);) {
		assert_true(read(fifo, much, sizeof(much)) > 0);
		assert_int_equal(writer_flush(w, true), WRITER_OK);
		assert_true(writer_through(w) > seen);
		seen = writer_through(w);
	}
	assert_int_equal(writer_octets(w), sizeof(much));
	close(fifo);
	writer_free(w);
	w = writer_open(&(struct writer_options){.path = "fifo", .resume = true}, &result);
	assert_int_equal(result, WRITER_NOTHING);
	check_said(w, "'fifo' is no file");
	writer_free(w);
}

/* What stands at the beginning was not put: the figures lag, they never run ahead. */
static void test_octets_that_are_added(void **state)
{
	struct writer *w = open_to(&(struct writer_options){.path = "log", .append = true},
				   WRITER_OK);

	(void)state;
	writer_put_head(w, "a,b,c\n", 6);
	put(w, "1\n");
	assert_int_equal(writer_octets(w), 2);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_through(w), 2);
	assert_int_equal(writer_sync(w), WRITER_OK);
	assert_int_equal(fake.fsyncs, 1);
	writer_put_part(w, "2", 1);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_sync(w), WRITER_OK); /* in the middle of a record */
	put(w, "\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("log", "a,b,c\n1\n2\n");
}

static void test_sync_that_fails(void **state)
{
	static const bool appends[] = {false, true};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct writer *w = open_to(
			&(struct writer_options){.path = "out", .append = appends[i]}, WRITER_OK);

		put(w, "one\n");
		assert_int_equal(writer_flush(w, true), WRITER_OK);
		fake.fsync_errno = EIO;
		assert_int_equal(writer_sync(w), WRITER_FAILED);
		check_said(w, "Input/output error");
		assert_int_equal(writer_commit(w), WRITER_FAILED);
		writer_free(w);
		fake.fsync_errno = 0;
	}
}

/* Standard output that is a file; a device that keeps nothing needs no sync. */
static void test_octets_of_a_descriptor(void **state)
{
	struct writer *w;
	int fd = open("other", O_WRONLY | O_CREAT, 0600);

	(void)state;
	w = open_to(&(struct writer_options){.fd = fd}, WRITER_OK);
	put(w, "one\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_through(w), 4);
	fake.fsync_errno = EINVAL;
	assert_int_equal(writer_sync(w), WRITER_OK);
	assert_int_equal(fake.fsyncs, 1);
	fake.fsync_errno = EIO;
	assert_int_equal(writer_sync(w), WRITER_FAILED);
	writer_free(w);
	close(fd);
}

/* --- a run that died ----------------------------------------------------------------------- */

static void test_resume(void **state)
{
	struct writer *w;

	(void)state;
	leave();
	w = open_resumable(true, WRITER_OK);
	assert_string_equal(writer_journal(w), "./.out.multisnmp.run");
	check_file(".out.multisnmp.run", "journal");
	check_file(".out.multisnmp", "1234\n6789\nhalf");
	assert_int_equal(writer_keep(w, 10), WRITER_OK);
	check_file(".out.multisnmp", "1234\n6789\n");
	assert_int_equal(writer_octets(w), 10);
	assert_int_equal(writer_through(w), 10);
	writer_put_head(w, "head\n", 5); /* is there */
	put(w, "new\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_through(w), 14);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("out", "1234\n6789\nnew\n");
	assert_false(exists(".out.multisnmp"));
}

/* Of a run that died before anything was on disk. */
static void test_resume_from_the_beginning(void **state)
{
	struct writer *w;

	(void)state;
	leave();
	w = open_resumable(true, WRITER_OK);
	assert_int_equal(writer_keep(w, 0), WRITER_OK);
	writer_put_head(w, "head\n", 5);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("out", "head\n");
}

static void check_nothing_changed(void)
{
	check_file("out", "old\n");
	check_file(".out.multisnmp", "1234\n6789\nhalf");
	check_file(".out.multisnmp.run", "journal");
}

/* Who finds that it is no run of his leaves everything as it is. */
static void test_looking_changes_nothing(void **state)
{
	(void)state;
	leave();
	writer_free(open_resumable(true, WRITER_OK));
	check_nothing_changed();
}

static void test_nothing_to_resume(void **state)
{
	struct writer *w;

	(void)state;
	make("out", "old\n");
	w = open_resumable(true, WRITER_NOTHING);
	check_said(w, "nothing to resume");
	check_said(w, "'out'");
	writer_free(w);
	check_file("out", "old\n");
	assert_false(exists(".out.multisnmp"));
}

static void test_shorter_than_its_journal_says(void **state)
{
	struct writer *w;

	(void)state;
	leave();
	w = open_resumable(true, WRITER_OK);
	assert_int_equal(writer_keep(w, 15), WRITER_NOTHING);
	check_said(w, "shorter than its journal");
	writer_free(w);
	check_nothing_changed();
}

static void test_resume_that_cannot_be_cut(void **state)
{
	struct writer *w;

	(void)state;
	leave();
	w = open_resumable(true, WRITER_OK);
	fake.truncate_errno = EIO;
	assert_int_equal(writer_keep(w, 10), WRITER_FAILED);
	writer_free(w);
	check_nothing_changed();
}

/* The dead one is alive. */
static void test_resume_while_it_lives(void **state)
{
	struct writer *w;
	int ready[2], status;
	pid_t child;
	char octet, words[64];

	(void)state;
	leave();
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		open_resumable(true, WRITER_OK);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &octet, 1), 1);
	w = open_resumable(true, WRITER_LOCKED);
	snprintf(words, sizeof(words), "process %ld", (long)child);
	check_said(w, words);
	writer_free(w);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	check_nothing_changed();
	close(ready[0]);
	close(ready[1]);
}

/* Any other run that writes this file takes the journal away before it empties the file. */
static void test_begun_anew(void **state)
{
	static const bool resumables[] = {true, false};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct writer *w;

		leave();
		w = open_to(&(struct writer_options){.path = "out", .resumable = resumables[i]},
			    WRITER_OK);
		assert_true(writer_found_remains(w));
		assert_false(exists(".out.multisnmp.run"));
		check_file(".out.multisnmp", "");
		writer_free(w);
		w = open_to(&(struct writer_options){.path = "out"}, WRITER_OK);
		assert_false(writer_found_remains(w));
		writer_free(w);
	}
}

/* A journal whose run was over, and was killed before it could remove it. */
static void test_journal_alone(void **state)
{
	struct writer *w;

	(void)state;
	make(".out.multisnmp.run", "journal");
	writer_free(open_resumable(true, WRITER_NOTHING));
	w = open_resumable(false, WRITER_OK);
	assert_false(writer_found_remains(w));
	assert_false(exists(".out.multisnmp.run"));
	writer_free(w);
}

/* A journal that cannot be removed would lie beside another run's file. */
static void test_journal_that_stays(void **state)
{
	struct writer *w;

	(void)state;
	make(".out.multisnmp", "1234\n");
	assert_int_equal(mkdir(".out.multisnmp.run", 0700), 0);
	w = open_resumable(false, WRITER_FAILED);
	check_said(w, "journal");
	writer_free(w);
}

/* The disk is full: what is good stays, for who makes room. */
static void test_failure_leaves_it(void **state)
{
	struct writer *w = open_resumable(false, WRITER_OK);

	(void)state;
	make("out", "old\n");
	put(w, "good\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	put(w, "other\n");
	fake.write_errno = ENOSPC;
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	writer_free(w);
	check_file("out", "old\n");
	fake.write_errno = 0;
	w = open_resumable(true, WRITER_OK);
	assert_int_equal(writer_keep(w, 5), WRITER_OK);
	put(w, "other\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	fake.fsync_errno = EIO;
	assert_int_equal(writer_sync(w), WRITER_FAILED);
	writer_free(w);
	check_file(".out.multisnmp", "good\nother\n");
	writer_free(
		open_resumable(false, WRITER_OK)); /* an end that nothing forced takes it away */
	assert_false(exists(".out.multisnmp"));
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, setup, folder_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_octets_of_a_file),
		RUN(test_octets_of_a_stream),
		RUN(test_octets_that_are_added),
		RUN(test_octets_of_a_descriptor),
		RUN(test_sync_that_fails),
		RUN(test_resume),
		RUN(test_resume_from_the_beginning),
		RUN(test_looking_changes_nothing),
		RUN(test_nothing_to_resume),
		RUN(test_shorter_than_its_journal_says),
		RUN(test_resume_that_cannot_be_cut),
		RUN(test_resume_while_it_lives),
		RUN(test_begun_anew),
		RUN(test_journal_alone),
		RUN(test_journal_that_stays),
		RUN(test_failure_leaves_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

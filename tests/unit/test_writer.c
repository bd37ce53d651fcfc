/* writer: files that appear whole or not at all, locks and the races around them, streams that do
 * not wait. What needs a descriptor 1 or another user of its own runs in a child. */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "out/writer_internal.h"

#include "folder.h"

#define MUST(condition)                                                                     \
	do {                                                                                \
		if (!(condition)) {                                                         \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, \
				strerror(errno));                                           \
			_exit(1);                                                           \
		}                                                                           \
	} while (0)

/* Every test runs in an empty folder of its own, which must be empty but for FILEs at its end. */
static int setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	return folder_enter(state, "test-writer");
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static struct writer *open_path(const char *path, bool append)
{
	struct writer_options o = {.path = path, .append = append};
	enum writer_result result;
	struct writer *w = writer_open(&o, &result);

	if (result != WRITER_OK)
		fail_msg("%s", writer_error(w));
	return w;
}

/* Opening ends with `wanted`, and the error says `words`. */
static void check_refused(const char *path, enum writer_result wanted, const char *words)
{
	struct writer_options o = {.path = path};
	enum writer_result result;
	struct writer *w = writer_open(&o, &result);

	assert_int_equal(result, wanted);
	if (!strstr(writer_error(w), words))
		fail_msg("'%s' is not in '%s'", words, writer_error(w));
	writer_free(w);
}

static void put(struct writer *w, const char *text)
{
	writer_put(w, text, strlen(text));
}

static int in_child(void (*run)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		alarm(20); /* whoever waits in there has failed */
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- a file replaced as a whole */

static void test_replaces_at_commit(void **state)
{
	struct writer *w;

	(void)state;
	make("out", "old\n");
	assert_int_equal(chmod("out", 0640), 0);
	w = open_path("out", false);
	put(w, "new\n");
	assert_true(writer_pending(w));
	assert_int_equal(writer_fd(w), -1);
	assert_int_equal(writer_next_us(w), INT64_MAX);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_false(writer_pending(w));
	check_file("out", "old\n");
	check_file(".out.multisnmp", "new\n");
	assert_int_equal(mode_of(".out.multisnmp"), 0600);
	assert_int_equal(writer_commit(w), WRITER_OK);
	check_file("out", "new\n");
	assert_int_equal(mode_of("out"), 0640);
	assert_false(exists(".out.multisnmp"));
	writer_free(w);
	check_file("out", "new\n");
}

static void test_new_file_has_the_umask(void **state)
{
	mode_t old = umask(027);
	struct writer *w = open_path("out", false);

	(void)state;
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	assert_int_equal(mode_of("out"), 0640);
	assert_int_equal(umask(old), 027); /* put back as it was */
}

static void test_owner_is_kept_by_root(void **state)
{
	struct writer *w;
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	make("out", "old\n");
	assert_int_equal(chown("out", 12345, 54321), 0);
	w = open_path("out", false);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 54321);
}

static void test_links_are_followed(void **state)
{
	struct writer *w;

	(void)state;
	assert_int_equal(mkdir("sub", 0700), 0);
	make("sub/real", "old\n");
	assert_int_equal(symlink("sub/hop", "link"), 0);
	assert_int_equal(symlink("real", "sub/hop"), 0);
	w = open_path("link", false);
	assert_true(exists("sub/.real.multisnmp"));
	put(w, "new\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("sub/real", "new\n");
	assert_int_equal(readlink("link", (char[8]){0}, 8), 7);

	assert_int_equal(unlink("sub/real"), 0); /* now it leads to nothing, yet */
	w = open_path("link", false);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("sub/real", "");
}

static void test_abort_and_free_leave_the_old(void **state)
{
	struct writer *w;

	(void)state;
	make("out", "old\n");
	w = open_path("out", false);
	put(w, "new\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	writer_abort(w);
	assert_false(exists(".out.multisnmp"));
	put(w, "after the end");
	assert_false(writer_pending(w));
	writer_free(w);
	writer_free(open_path("out", false));
	assert_false(exists(".out.multisnmp"));
	check_file("out", "old\n");
	writer_free(NULL);
}

static void test_commit_of_an_unwritten_buffer_fails(void **state)
{
	struct writer *w;

	(void)state;
	make("out", "old\n");
	w = open_path("out", false);
	put(w, "new\n");
	assert_int_equal(writer_commit(w), WRITER_FAILED);
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	writer_free(w);
	check_file("out", "old\n");
	assert_false(exists(".out.multisnmp"));
}

/* ---- the lock */

/* A child that holds `path` (made if need be) until it is killed. */
static pid_t start_holder(const char *path)
{
	int ends[2];
	char c;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(path, O_RDWR | O_CREAT, 0600);

		MUST(fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0);
		MUST(write(fd, "half a rec", 10) == 10);
		MUST(write(ends[1], "x", 1) == 1);
		alarm(60); /* should the test end without us */
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

static void end_holder(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_holder_is_named_and_its_death_noticed(void **state)
{
	char words[64];
	struct writer *w;
	pid_t holder;

	(void)state;
	make("out", "old\n");
	holder = start_holder(".out.multisnmp");
	snprintf(words, sizeof(words), "output 'out' is being written by process %ld",
		 (long)holder);
	check_refused("out", WRITER_LOCKED, words);
	check_file(".out.multisnmp", "half a rec"); /* not emptied, not removed */
	end_holder(holder);
	w = open_path("out", false);
	put(w, "new\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("out", "new\n"); /* nothing of the dead one's */
}

static void test_two_writers(void **state)
{
	struct writer *w = open_path("out", false);
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct writer_options o = {.path = "out"};
		enum writer_result result;
		struct writer *second = writer_open(&o, &result);
		char words[32];

		snprintf(words, sizeof(words), "process %ld", (long)getppid());
		MUST(result == WRITER_LOCKED && strstr(writer_error(second), words));
		writer_free(second);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(exists(".out.multisnmp"));
	writer_free(w);
}

/* ---- the system in the test's hands */

static struct {
	int write_errno, fsync_errno, close_errno, rename_errno, truncate_errno; /* 0: works */
	size_t write_max; /* octets that a write takes before it fails; 0: none of them */
	unsigned writes, interrupts, fsyncs;
	size_t least; /* octets of the smallest write */
	void (*before_lock)(void);
	void (*before_second_open)(void);
	unsigned opens;
} fake;

static ssize_t fake_write(int fd, const void *p, size_t len)
{
	fake.writes++;
	if (fake.interrupts) {
		fake.interrupts--;
		errno = EINTR;
		return -1;
	}
	if (len < fake.least)
		fake.least = len;
	if (fake.write_max) {
		size_t part = len < fake.write_max ? len : fake.write_max;

		if (fake.write_errno)
			fake.write_max -= part;
		return write(fd, p, part);
	}
	if (fake.write_errno) {
		errno = fake.write_errno;
		return -1;
	}
	return write(fd, p, len);
}

static int fake_fsync(int fd)
{
	fake.fsyncs++;
	errno = fake.fsync_errno;
	return fake.fsync_errno ? -1 : fsync(fd);
}

static int fake_close(int fd)
{
	close(fd);
	errno = fake.close_errno;
	return fake.close_errno ? -1 : 0;
}

static int fake_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	errno = fake.rename_errno;
	return fake.rename_errno ? -1 : renameat(from_dir, from, to_dir, to);
}

static int fake_ftruncate(int fd, off_t len)
{
	errno = fake.truncate_errno;
	return fake.truncate_errno ? -1 : ftruncate(fd, len);
}

static int fake_set_lock(int fd, struct flock *lock)
{
	void (*before)(void) = fake.before_lock;

	fake.before_lock = NULL; /* once */
	if (before)
		before();
	return fcntl(fd, F_SETLK, lock);
}

static int fake_open(int dir, const char *name, int flags)
{
	if (++fake.opens == 2 && fake.before_second_open)
		fake.before_second_open();
	return openat(dir, name, flags, 0600);
}

static const struct writer_system fake_system = {fake_write,    fake_fsync,     fake_close,
						 fake_renameat, fake_ftruncate, fake_set_lock,
						 fake_open};

static struct writer *open_fake(const char *path, bool append)
{
	struct writer_options o = {.path = path, .append = append};
	enum writer_result result;
	struct writer *w = writer_open_with(&o, &fake_system, &result);

	if (result != WRITER_OK)
		fail_msg("%s", writer_error(w));
	return w;
}

static int setup_fake(void **state)
{
	memset(&fake, 0, sizeof(fake));
	fake.least = SIZE_MAX;
	return setup(state);
}

/* The run ends with WRITER_FAILED and these words, the old file is whole, the temporary one gone. */
static void check_fails(const char *words)
{
	struct writer *w;
	enum writer_result result;

	make("out", "old\n");
	w = open_fake("out", false);
	put(w, "new\n");
	result = writer_flush(w, true);
	if (result == WRITER_OK)
		result = writer_commit(w);
	assert_int_equal(result, WRITER_FAILED);
	if (!strstr(writer_error(w), words))
		fail_msg("'%s' is not in '%s'", words, writer_error(w));
	assert_false(exists(".out.multisnmp"));
	writer_free(w);
	check_file("out", "old\n");
}

static void test_failing_write(void **state)
{
	(void)state;
	fake.write_errno = ENOSPC;
	check_fails(
		"cannot write the new 'out': No space left on device; the old file is as it was");
	fake.write_max = 2; /* some of it went */
	check_fails("No space left");
}

static void test_failing_fsync(void **state)
{
	(void)state;
	fake.fsync_errno = EIO;
	check_fails("cannot write the new 'out': Input/output error");
}

static void test_failing_rename(void **state)
{
	(void)state;
	fake.rename_errno = EBUSY;
	check_fails("cannot rename the new 'out'");
}

static void test_failing_close_is_told(void **state)
{
	struct writer *w = open_fake("out", false);

	(void)state;
	fake.close_errno = EDQUOT;
	assert_int_equal(writer_commit(w), WRITER_FAILED);
	assert_non_null(strstr(writer_error(w), "cannot close 'out'"));
	writer_free(w);
}

/* The file before the rename, the folder after it; a folder that knows no fsync is none the worse. */
static void test_file_and_folder_are_synced(void **state)
{
	struct writer *w = open_fake("out", false);

	(void)state;
	assert_int_equal(writer_commit(w), WRITER_OK);
	assert_int_equal(fake.fsyncs, 2);
	writer_free(w);
}

static void test_interrupts_and_short_writes(void **state)
{
	struct writer *w = open_fake("out", false);

	(void)state;
	fake.interrupts = 3;
	fake.write_max = 2;
	put(w, "seven\n");
	put(w, "seven\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(fake.writes, 3 + 6);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("out", "seven\nseven\n");
}

static void test_file_is_written_in_chunks(void **state)
{
	struct writer *w = open_fake("out", false);
	char record[1000];
	size_t total = 0;
	struct stat st;

	(void)state;
	memset(record, 'r', sizeof(record));
	for (int i = 0; i < 2000; i++, total += sizeof(record)) {
		writer_put(w, record, sizeof(record));
		assert_int_equal(writer_flush(w, false), WRITER_OK);
		assert_false(writer_full(w));
	}
	assert_true(fake.writes > 0);
	assert_true(fake.least >= WRITER_CHUNK);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_size, total);
}

static void rename_temp_to_out(void)
{
	assert_int_equal(rename(".out.multisnmp", "out"), 0);
}

static void remove_temp(void)
{
	assert_int_equal(unlink(".out.multisnmp"), 0);
}

static void replace_temp(void)
{
	remove_temp();
	make(".out.multisnmp", "another run's");
}

/* Between our open and our lock the holder ends its run: what we have open is FILE now. */
static void test_holder_renames_before_our_lock(void **state)
{
	struct writer *w;

	(void)state;
	make(".out.multisnmp", "of the run before\n");
	fake.before_lock = rename_temp_to_out;
	w = open_fake("out", false);
	check_file("out", "of the run before\n");
	check_file(".out.multisnmp", "");
	writer_free(w);
	check_file("out", "of the run before\n");
}

static void test_temp_changes_before_our_lock(void **state)
{
	(void)state;
	fake.before_lock = remove_temp; /* also of the one that we have just made */
	writer_free(open_fake("out", false));
	fake.before_lock = replace_temp;
	writer_free(open_fake("out", false));
	assert_false(exists(".out.multisnmp"));
}

static pid_t late_holder;

static void replace_temp_by_a_held_one(void)
{
	remove_temp();
	late_holder = start_holder(".out.multisnmp");
}

/* What has the name by then is another run's, alive: it keeps its file. */
static void test_holder_comes_before_our_lock(void **state)
{
	struct writer_options o = {.path = "out"};
	enum writer_result result;
	struct writer *w;

	(void)state;
	make(".out.multisnmp", "of a dead run");
	fake.before_lock = replace_temp_by_a_held_one;
	w = writer_open_with(&o, &fake_system, &result);
	assert_int_equal(result, WRITER_LOCKED);
	writer_free(w);
	check_file(".out.multisnmp", "half a rec");
	end_holder(late_holder);
}

/* The holder ends its run between our finding that its file is there and our opening it. */
static void test_holder_renames_before_our_open(void **state)
{
	(void)state;
	make(".out.multisnmp", "of the run before\n");
	fake.before_second_open = rename_temp_to_out;
	writer_free(open_fake("out", false));
	check_file("out", "of the run before\n");
	assert_int_equal(fake.opens, 3);
}

/* ---- what others may have put in the way */

static void test_planted_link_is_not_emptied(void **state)
{
	(void)state;
	make("victim", "precious\n");
	assert_int_equal(link("victim", ".out.multisnmp"), 0);
	writer_free(open_path("out", false));
	check_file("victim", "precious\n");
	assert_int_equal(symlink("victim", ".out.multisnmp"), 0);
	check_refused("out", WRITER_FAILED, "cannot use '.out.multisnmp' in folder '.'");
	check_file("victim", "precious\n");
	assert_int_equal(unlink(".out.multisnmp"), 0);
	assert_int_equal(mkfifo(".out.multisnmp", 0600), 0);
	check_refused("out", WRITER_FAILED, "remove it"); /* at once: nobody reads that FIFO */
	assert_true(exists(".out.multisnmp"));
}

static void unwritable_folder(void)
{
	struct writer_options o = {.path = "locked/out"};
	enum writer_result result;
	struct writer *w;

	MUST(geteuid() != 0 || setuid(65534) == 0);
	w = writer_open(&o, &result);
	MUST(result == WRITER_FAILED);
	MUST(strstr(writer_error(w), "cannot write in folder 'locked': Permission denied"));
	MUST(strstr(writer_error(w), "make the folder writable"));
	MUST(strstr(writer_error(w), "use --append"));
	writer_free(w);
	o.whole = true; /* --append would be refused */
	w = writer_open(&o, &result);
	MUST(result == WRITER_FAILED);
	MUST(strstr(writer_error(w), "make the folder writable, or name another file"));
	MUST(!strstr(writer_error(w), "--append"));
	writer_free(w);
}

static void test_bad_places(void **state)
{
	(void)state;
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(mkdir("locked", 0555), 0);
	assert_int_equal(in_child(unwritable_folder), 0);
	check_refused("no/such/out", WRITER_FAILED, "folder 'no/such': No such file or directory");
	check_refused("no/such/out", WRITER_FAILED, "create the folder first");
	check_refused("locked", WRITER_FAILED, "is a folder");
	check_refused("", WRITER_FAILED, "names no file");
	check_refused("new/", WRITER_FAILED, "names no file");
	assert_int_equal(symlink("ring", "ring"), 0);
	check_refused("ring", WRITER_FAILED, "Too many levels of symbolic links");
}

/* ---- what is no regular file */

static void test_devices(void **state)
{
	struct writer *w = open_path("/dev/full", false);

	(void)state;
	put(w, "record\n");
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	assert_non_null(strstr(writer_error(w), "/dev/full: No space left on device"));
	assert_int_equal(writer_commit(w), WRITER_FAILED);
	writer_free(w);
	w = open_path("/dev/null", true);
	put(w, "record\n");
	assert_int_equal(writer_flush(w, false), WRITER_OK);
	assert_false(writer_pending(w));
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
}

static void test_fifo(void **state)
{
	char text[64];
	struct writer *w;
	int reader;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	w = open_path("fifo", false);
	assert_true(writer_fd(w) >= 0);
	put(w, "record\n");
	assert_int_equal(writer_flush(w, false), WRITER_OK); /* at once: somebody looks on */
	assert_int_equal(read(reader, text, sizeof(text)), 7);
	close(reader);
	put(w, "record\n");
	assert_int_equal(writer_flush(w, false), WRITER_CLOSED);
	assert_int_equal(writer_flush(w, true), WRITER_CLOSED);
	writer_free(w);
	assert_true(exists("fifo"));
}

/* poll(2) said yes, and then it was not so. */
static void test_eagain_is_later(void **state)
{
	struct writer *w;
	int reader;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	w = open_fake("fifo", false);
	put(w, "record\n");
	fake.write_errno = EAGAIN;
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_true(writer_pending(w));
	fake.write_errno = 0;
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_false(writer_pending(w));
	writer_free(w);
	close(reader);
}

/* ---- standard output; these run in children */

static struct writer *open_stdout(void)
{
	struct writer_options o = {.path = NULL};
	enum writer_result result;
	struct writer *w = writer_open(&o, &result);

	MUST(result == WRITER_OK);
	return w;
}

static void closed_stdout(void)
{
	struct writer_options o = {.path = "/dev/stdout"};
	enum writer_result result;
	struct writer *w;

	close(STDOUT_FILENO);
	w = writer_open(&o, &result);
	MUST(result == WRITER_FAILED && strstr(writer_error(w), "standard output is closed"));
	writer_free(w);
	MUST(open("/dev/null", O_RDONLY) == STDOUT_FILENO);
	w = writer_open(&o, &result);
	MUST(result == WRITER_FAILED && strstr(writer_error(w), "reading only"));
	writer_free(w);
}

static void full_stdout(void)
{
	struct writer *w;

	MUST(dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO) == STDOUT_FILENO);
	w = open_stdout();
	put(w, "record\n");
	MUST(writer_flush(w, true) == WRITER_FAILED);
	MUST(strstr(writer_error(w), "cannot write standard output: No space left on device"));
	writer_free(w);
	MUST(fcntl(STDOUT_FILENO, F_GETFD) >= 0); /* not ours to close */
}

static void file_stdout(void)
{
	struct writer *w;
	struct stat st;

	MUST(dup2(open("out", O_WRONLY | O_CREAT, 0600), STDOUT_FILENO) == STDOUT_FILENO);
	MUST(write(STDOUT_FILENO, "head\n", 5) == 5);
	w = open_stdout();
	MUST(writer_fd(w) == -1);
	put(w, "record\n");
	MUST(writer_flush(w, false) == WRITER_OK && writer_pending(w));
	MUST(writer_flush(w, true) == WRITER_OK && !writer_pending(w));
	MUST(writer_commit(w) == WRITER_OK);
	writer_free(w);
	MUST(fstat(STDOUT_FILENO, &st) == 0 && st.st_size == 12);
}

/* Fills an output that nobody reads, then lets `peer` be read: all comes, in order, nobody waited,
 * and the open file that others share with us is as it was. */
static void slow_reader(int peer, unsigned total)
{
	int before = fcntl(STDOUT_FILENO, F_GETFL);
	struct writer *w = open_stdout();
	unsigned next = 0;
	uint32_t words[64];
	size_t have = 0;

	MUST(writer_fd(w) >= 0);
	for (uint32_t i = 0; i < total; i++)
		writer_put(w, &i, sizeof(i));
	MUST(writer_full(w));
	for (int i = 0; i < 3; i++)
		MUST(writer_flush(w, true) == WRITER_OK);
	MUST(writer_pending(w));
	MUST(fcntl(STDOUT_FILENO, F_GETFL) == before);
	while (next < total) {
		ssize_t n = read(peer, (char *)words + have, sizeof(words) - have);

		MUST(n > 0);
		have += (size_t)n;
		for (size_t i = 0; i < have / 4; i++)
			MUST(words[i] == next++);
		memmove(words, (char *)words + have / 4 * 4, have % 4);
		have %= 4;
		MUST(writer_flush(w, false) == WRITER_OK);
	}
	MUST(!writer_pending(w) && writer_commit(w) == WRITER_OK);
	writer_free(w);
	MUST(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

static void closed_reader(int peer)
{
	struct writer *w = open_stdout();

	close(peer);
	put(w, "record\n");
	MUST(writer_flush(w, false) == WRITER_CLOSED);
	writer_free(w);
}

static void pipe_stdout(void)
{
	int ends[2];

	MUST(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
	close(ends[1]);
	slow_reader(ends[0], 500000);
	closed_reader(ends[0]);
}

/* Somebody else has made our standard output non-blocking: EAGAIN is "later". */
static void nonblocking_pipe_stdout(void)
{
	int ends[2];

	MUST(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
	close(ends[1]);
	MUST(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK) == 0);
	slow_reader(ends[0], 500000);
}

static void socket_stdout(void)
{
	int ends[2], few = 4096; /* octets, fewer than we offer at a time */

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	MUST(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &few, sizeof(few)) == 0);
	MUST(dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
	close(ends[1]);
	slow_reader(ends[0], 500000);
	closed_reader(ends[0]);
}

/* Standard output becomes a terminal that adds nothing. Returns its reader's end; -1: there is none. */
static int open_terminal(void)
{
	int reader = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios raw;
	int terminal;

	if (reader < 0) {
		print_message("no /dev/pts here: terminals are not tested\n");
		return -1;
	}
	MUST(grantpt(reader) == 0 && unlockpt(reader) == 0);
	terminal = open(ptsname(reader), O_RDWR | O_NOCTTY);
	MUST(terminal >= 0 && tcgetattr(terminal, &raw) == 0);
	cfmakeraw(&raw);
	MUST(tcsetattr(terminal, TCSANOW, &raw) == 0);
	MUST(dup2(terminal, STDOUT_FILENO) == STDOUT_FILENO);
	return reader;
}

static void terminal_stdout(void)
{
	int reader = open_terminal();

	if (reader >= 0)
		slow_reader(reader, 500000);
}

static void put_and_flush(struct writer *w, const char *text)
{
	writer_put(w, text, strlen(text));
	MUST(writer_flush(w, true) == WRITER_OK && !writer_pending(w));
}

/* What erases goes out once, and between lines only. */
static void interrupted_terminal(void)
{
	static const char wanted[] = "half whole\n<one\ntwo\n<three\n";
	enum writer_result result;
	struct writer_options o = {.path = NULL};
	char got[sizeof(wanted)];
	size_t len = 0;
	int reader = open_terminal();
	struct writer *w;

	if (reader < 0)
		return;
	w = writer_open(&o, &result);
	MUST(result == WRITER_OK);
	put_and_flush(w, "half");
	MUST(!writer_interrupt(w, "<"));
	put_and_flush(w, " whole\n");
	MUST(writer_interrupt(w, "<") && writer_interrupt(w, "<"));
	put_and_flush(w, "one\n");
	put_and_flush(w, "two\n");
	MUST(writer_interrupt(w, "<"));
	put_and_flush(w, "three\n");
	MUST(writer_interrupt(w, "<")); /* nothing comes any more */
	MUST(writer_commit(w) == WRITER_OK);
	MUST(writer_interrupt(w, "<"));
	while (len < sizeof(wanted) - 1) {
		ssize_t n = read(reader, got + len, sizeof(got) - len);

		MUST(n > 0);
		len += (size_t)n;
	}
	MUST(len == sizeof(wanted) - 1 && memcmp(got, wanted, len) == 0);
	writer_free(w);
}

/* What is no terminal holds no line that could be erased. */
static void interrupted_pipe(void)
{
	enum writer_result result;
	struct writer_options o = {.path = NULL};
	char got[32];
	int ends[2];
	struct writer *w;

	MUST(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
	w = writer_open(&o, &result);
	put_and_flush(w, "half");
	MUST(writer_interrupt(w, "<"));
	put_and_flush(w, " whole\n");
	MUST(read(ends[0], got, sizeof(got)) == 11 && memcmp(got, "half whole\n", 11) == 0);
	writer_free(w);
}

static void test_interrupted(void **state)
{
	(void)state;
	assert_int_equal(in_child(interrupted_terminal), 0);
	assert_int_equal(in_child(interrupted_pipe), 0);
}

static void test_stdout(void **state)
{
	(void)state;
	assert_int_equal(in_child(closed_stdout), 0);
	assert_int_equal(in_child(full_stdout), 0);
	assert_int_equal(in_child(file_stdout), 0);
	check_file("out", "head\nrecord\n");
}

static void test_slow_streams(void **state)
{
	(void)state;
	assert_int_equal(in_child(pipe_stdout), 0);
	assert_int_equal(in_child(nonblocking_pipe_stdout), 0);
	assert_int_equal(in_child(socket_stdout), 0);
	assert_int_equal(in_child(terminal_stdout), 0);
}

/* ---- octets that are not copied */

#define GIVEN 300000 /* octets: more than a socket holds */

static uint8_t octet_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* A writer to one end of a pair of sockets, which has these flags (O_NONBLOCK or 0), and whose kernel holds `room` octets, or as
 * many as it likes (0). */
static struct writer *open_socket(int ends[2], int flags, int room)
{
	struct writer_options o = {0};
	enum writer_result result;
	struct writer *w;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	if (room > 0)
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
	o.fd = ends[1];
	w = writer_open(&o, &result);
	assert_int_equal(result, WRITER_OK);
	return w;
}

static void close_socket(struct writer *w, const int ends[2])
{
	writer_free(w);
	if (ends[0] >= 0)
		close(ends[0]);
	close(ends[1]);
}

static void test_give_goes_at_once(void **state)
{
	int ends[2];
	struct writer *w = open_socket(ends, O_NONBLOCK, 0);
	char got[16];

	(void)state;
	put(w, "one ");
	writer_give(w, "two", 3);
	assert_false(writer_pending(w));
	assert_int_equal(writer_octets(w), 7);
	assert_int_equal(writer_through(w), 7);
	assert_int_equal(read(ends[0], got, sizeof(got)), 7);
	assert_memory_equal(got, "one two", 7);
	close_socket(w, ends);
}

/* What goes is what was put and given, in that order, however little is taken at a time. */
static void check_given(size_t before, int flags)
{
	size_t len = before + GIVEN + 100, taken = 0;
	uint8_t *octets = malloc(len), *got = malloc(len);
	int ends[2];
	struct writer *w = open_socket(ends, flags, 4096);

	for (size_t i = 0; i < len; i++)
		octets[i] = octet_at(i);
	writer_put(w, octets, before);
	writer_give(w, octets + before, GIVEN);
	assert_true(writer_pending(w));
	writer_give(w, octets + before + GIVEN, 100);
	assert_int_equal(writer_octets(w), len);
	while (taken < len) {
		ssize_t n = recv(ends[0], got + taken, len - taken, MSG_DONTWAIT);

		assert_in_range(writer_through(w), taken + (size_t)(n > 0 ? n : 0), len);
		taken += n > 0 ? (size_t)n : 0;
		assert_int_equal(writer_flush(w, false), WRITER_OK);
	}
	assert_memory_equal(got, octets, len);
	assert_int_equal(writer_through(w), len);
	assert_int_equal(writer_commit(w), WRITER_OK);
	close_socket(w, ends);
	free(octets);
	free(got);
}

static void test_give_in_parts(void **state)
{
	(void)state;
	check_given(0, O_NONBLOCK);
	check_given(50, O_NONBLOCK);
	check_given(50000, O_NONBLOCK); /* not all of it goes before what is given */
	check_given(50, 0);
}

/* A blocking socket, which some systems let a writer wait for whatever it is told, is asked first: so it is never filled. */
static void blocking_given(void)
{
	static const uint8_t octets[GIVEN];
	int ends[2];
	struct writer *w = open_socket(ends, 0, 16384);

	writer_give(w, octets, sizeof(octets));
	MUST(writer_through(w) == 0);
	MUST(writer_flush(w, false) == WRITER_OK);
	MUST(writer_through(w) > 0 && writer_pending(w));
	MUST(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0); /* from here on the test's own */
	MUST(send(ends[1], "x", 1, 0) == 1);
	close_socket(w, ends);
}

static void test_give_to_a_blocking_socket(void **state)
{
	(void)state;
	assert_int_equal(in_child(blocking_given), 0);
}

static void test_give_to_nobody(void **state)
{
	int ends[2];
	struct writer *w = open_socket(ends, O_NONBLOCK, 0);

	(void)state;
	close(ends[0]);
	ends[0] = -1;
	writer_give(w, "lost", 4); /* and no SIGPIPE */
	assert_int_equal(writer_through(w), 0);
	assert_int_equal(writer_flush(w, false), WRITER_CLOSED);
	writer_give(w, "more", 4);
	assert_int_equal(writer_through(w), 0);
	assert_int_equal(writer_octets(w), 4);
	assert_int_equal(writer_flush(w, false), WRITER_CLOSED);
	close_socket(w, ends);
}

/* To all but non-blocking sockets it is a writer_put(). */
static void test_give_to_a_file(void **state)
{
	struct writer *w = open_path("out", false);

	(void)state;
	put(w, "one ");
	writer_give(w, "two\n", 4);
	assert_true(writer_pending(w));
	assert_int_equal(writer_through(w), 0);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_OK);
	check_file("out", "one two\n");
	writer_free(w);
}

static void pipe_given(void)
{
	enum writer_result result;
	struct writer *w;
	char got[16];
	int ends[2];

	MUST(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
	w = writer_open(&(struct writer_options){.path = NULL}, &result);
	writer_give(w, "two", 3);
	MUST(writer_pending(w) && writer_through(w) == 0);
	MUST(writer_flush(w, false) == WRITER_OK && writer_through(w) == 3);
	MUST(read(ends[0], got, sizeof(got)) == 3 && memcmp(got, "two", 3) == 0);
	writer_free(w);
}

static void test_give_to_a_pipe(void **state)
{
	(void)state;
	assert_int_equal(in_child(pipe_given), 0);
}

/* ---- appending */

static void test_append(void **state)
{
	struct writer *w;

	(void)state;
	make("log", "first\n");
	w = open_path("log", true);
	put(w, "second\n");
	assert_int_equal(writer_flush(w, false), WRITER_OK);
	check_file("log", "first\n"); /* not worth a call yet */
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	check_file("log", "first\nsecond\n");
	assert_int_equal(rename("log", "log.1"), 0); /* rotated */
	put(w, "third\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("log.1", "first\nsecond\n");
	check_file("log", "third\n");
	assert_false(exists(".log.multisnmp"));
}

static void test_append_waits_for_the_lock(void **state)
{
	struct writer *w = open_path("log", true);
	pid_t holder = start_holder("log");
	int64_t next;

	(void)state;
	put(w, "record\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_true(writer_pending(w));
	assert_int_equal(writer_fd(w), -1);
	next = writer_next_us(w);
	assert_true(next > loop_clock_us() && next < loop_clock_us() + 1000000);
	end_holder(holder);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_next_us(w), next); /* not before its time: no busy loop */
	while (loop_clock_us() < next)
		usleep(1000);
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_false(writer_pending(w));
	assert_int_equal(writer_next_us(w), INT64_MAX);
	writer_free(w);
	check_file("log", "half a recrecord\n");
}

/* A full disk in the middle of a batch: what went is cut off again. */
static void test_append_leaves_no_half_record(void **state)
{
	struct writer *w;

	(void)state;
	make("log", "first\n");
	w = open_fake("log", true);
	fake.write_errno = ENOSPC;
	fake.write_max = 3;
	put(w, "record\n");
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	assert_non_null(strstr(writer_error(w), "cannot append to 'log': No space left on device"));
	assert_int_equal(writer_commit(w), WRITER_FAILED);
	writer_free(w);
	check_file("log", "first\n");

	fake.write_max = 3;
	fake.truncate_errno = EIO;
	w = open_fake("log", true);
	put(w, "record\n");
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	assert_non_null(strstr(writer_error(w), "ends in half a record"));
	writer_free(w);
}

static void put_part(struct writer *w, const char *text)
{
	writer_put_part(w, text, strlen(text));
}

/* Whether another process could lock FILE now. */
static bool is_locked(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		int fd = open(path, O_WRONLY);

		_exit(fd < 0 ? 2 : fcntl(fd, F_SETLK, &lock) < 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

/* A record in parts, with flushes between them: no other run may come in between. */
static void test_append_holds_until_the_record_is_whole(void **state)
{
	struct writer *w = open_path("log", true);
	struct stat st;

	(void)state;
	put(w, "first\n");
	put_part(w, "be");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_false(writer_pending(w)); /* nothing to do until more comes: no busy loop */
	assert_true(is_locked("log"));
	put_part(w, "gin");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_true(stat("log", &st) == 0 && st.st_size == 11); /* to open it would end the lock */
	assert_true(is_locked("log"));
	put(w, "ning\n");
	assert_int_equal(writer_flush(w, false), WRITER_OK); /* others wait: soon */
	assert_false(is_locked("log"));
	assert_false(writer_pending(w));
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("log", "first\nbeginning\n");
}

/* The last part may be empty; the lock goes all the same. */
static void test_append_empty_end(void **state)
{
	struct writer *w = open_path("log", true);

	(void)state;
	put_part(w, "record\n");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	writer_put(w, "", 0);
	assert_true(writer_pending(w));
	assert_int_equal(writer_flush(w, false), WRITER_OK);
	assert_false(writer_pending(w));
	assert_false(is_locked("log"));
	assert_int_equal(writer_commit(w), WRITER_OK);
	writer_free(w);
	check_file("log", "record\n");
}

/* What went in earlier flushes of a record is cut off with the rest: on a full disk, when the run is
 * aborted, and when it ends without the record's end. */
static void test_append_takes_parts_back(void **state)
{
	struct writer *w;

	(void)state;
	make("log", "first\n");
	w = open_fake("log", true);
	put_part(w, "rec");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	fake.write_errno = ENOSPC;
	fake.write_max = 1;
	put(w, "ord\n");
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	writer_free(w);
	check_file("log", "first\n");

	w = open_path("log", true);
	put_part(w, "rec");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	check_file("log", "first\nrec");
	writer_abort(w);
	check_file("log", "first\n");
	writer_free(w);

	w = open_path("log", true);
	put_part(w, "rec");
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_commit(w), WRITER_FAILED);
	assert_non_null(strstr(writer_error(w), "not written to its end"));
	writer_free(w);
	check_file("log", "first\n");
}

static void test_append_checks_fsync_and_close(void **state)
{
	struct writer *w = open_fake("log", true);

	(void)state;
	fake.fsync_errno = EIO;
	assert_int_equal(writer_commit(w), WRITER_FAILED);
	writer_free(w);
	fake.fsync_errno = 0;
	w = open_fake("log", true);
	fake.close_errno = EDQUOT;
	put(w, "record\n");
	assert_int_equal(writer_flush(w, true), WRITER_FAILED);
	writer_free(w);
}

static void replace_log(void)
{
	make("log.new", "of a run that replaces\n");
	assert_int_equal(rename("log.new", "log"), 0);
}

/* Between our open and our lock FILE is replaced: the batch belongs to the new one. */
static void test_append_follows_the_name(void **state)
{
	struct writer *w;

	(void)state;
	make("log", "old\n");
	w = open_fake("log", true);
	fake.before_lock = replace_log;
	put(w, "record\n");
	while (writer_pending(w))
		assert_int_equal(writer_flush(w, true), WRITER_OK);
	writer_free(w);
	check_file("log", "of a run that replaces\nrecord\n");
}

/* One of several runs: batches of 50 lines "NUMBER of BATCH\n", each of which must stay together. */
static void append_batches(void)
{
	struct writer_options o = {.path = "log", .append = true};
	enum writer_result result;
	struct writer *w = writer_open(&o, &result);

	MUST(result == WRITER_OK);
	for (int batch = 0; batch < 40; batch++) {
		for (int line = 0; line < 50; line++) {
			char text[64];
			int len = snprintf(text, sizeof(text), "%d of %ld.%d\n", line,
					   (long)getpid(), batch);

			writer_put(w, text, (size_t)len);
		}
		while (writer_pending(w)) {
			MUST(writer_flush(w, true) == WRITER_OK);
			usleep(100);
		}
	}
	MUST(writer_commit(w) == WRITER_OK);
	writer_free(w);
	_exit(0);
}

static void test_append_of_several_runs(void **state)
{
	pid_t runs[3];
	char line[64], batch[64] = "";
	int number, wanted = 0, lines = 0;
	FILE *f;

	(void)state;
	for (int i = 0; i < 3; i++) {
		runs[i] = fork();
		assert_true(runs[i] >= 0);
		if (runs[i] == 0)
			append_batches();
	}
	for (int i = 0; i < 3; i++) {
		int status;

		assert_int_equal(waitpid(runs[i], &status, 0), runs[i]);
		assert_int_equal(status, 0);
	}
	f = fopen("log", "r");
	while (fgets(line, sizeof(line), f)) {
		char of[64];

		assert_int_equal(sscanf(line, "%d of %63s", &number, of), 2);
		assert_int_equal(number, wanted);
		if (number)
			assert_string_equal(of, batch);
		strcpy(batch, of);
		wanted = (number + 1) % 50;
		lines++;
	}
	fclose(f);
	assert_int_equal(lines, 3 * 40 * 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, folder_leave)
#define FAKE(name) cmocka_unit_test_setup_teardown(name, setup_fake, folder_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_replaces_at_commit),
		TEST(test_new_file_has_the_umask),
		TEST(test_owner_is_kept_by_root),
		TEST(test_links_are_followed),
		TEST(test_abort_and_free_leave_the_old),
		TEST(test_commit_of_an_unwritten_buffer_fails),
		TEST(test_holder_is_named_and_its_death_noticed),
		TEST(test_two_writers),
		FAKE(test_failing_write),
		FAKE(test_failing_fsync),
		FAKE(test_failing_rename),
		FAKE(test_failing_close_is_told),
		FAKE(test_file_and_folder_are_synced),
		FAKE(test_interrupts_and_short_writes),
		FAKE(test_file_is_written_in_chunks),
		FAKE(test_holder_renames_before_our_lock),
		FAKE(test_temp_changes_before_our_lock),
		FAKE(test_holder_comes_before_our_lock),
		FAKE(test_holder_renames_before_our_open),
		TEST(test_planted_link_is_not_emptied),
		TEST(test_bad_places),
		TEST(test_devices),
		TEST(test_fifo),
		FAKE(test_eagain_is_later),
		TEST(test_stdout),
		TEST(test_slow_streams),
		TEST(test_give_goes_at_once),
		TEST(test_give_in_parts),
		TEST(test_give_to_a_blocking_socket),
		TEST(test_give_to_nobody),
		TEST(test_give_to_a_file),
		TEST(test_give_to_a_pipe),
		TEST(test_interrupted),
		TEST(test_append),
		TEST(test_append_waits_for_the_lock),
		FAKE(test_append_leaves_no_half_record),
		TEST(test_append_holds_until_the_record_is_whole),
		TEST(test_append_empty_end),
		FAKE(test_append_takes_parts_back),
		FAKE(test_append_checks_fsync_and_close),
		FAKE(test_append_follows_the_name),
		TEST(test_append_of_several_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

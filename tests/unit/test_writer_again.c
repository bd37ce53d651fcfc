/*
 * writer_again: one file after the other under one name. At each system call of a commit another process tries to
 * take the file, and must be told that it is ours; at each of them we may be killed, and nothing may be left that is
 * not used or removed by whoever comes next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "out/writer_internal.h"

#define CALLS_MAX 100 /* system calls of a commit, before and after */

static struct {
	bool contend;     /* others try at each call */
	unsigned calls;   /* since the last set-up: each counts twice, before it and after it */
	unsigned tries;   /* of others */
	unsigned taken;   /* of these, not refused as they should be */
	unsigned dies_at; /* call; 0: none */
	int rename_errno; /* for a rename to "out" */
	int fsync_errno;  /* of the folder */
} fake;

static void others_try(void)
{
	struct writer_options o = {.path = "out"};
	enum writer_result result;
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct writer *w = writer_open(&o, &result);

		_exit(result == WRITER_LOCKED && strstr(writer_error(w), "by process") ? 0 : 1);
	}
	waitpid(child, &status, 0);
	fake.tries++;
	fake.taken += status != 0;
}

static void between(void)
{
	if (++fake.calls == fake.dies_at)
		_exit(0);
	if (fake.contend)
		others_try();
}

static int fake_fsync(int fd)
{
	struct stat st;

	between();
	fstat(fd, &st);
	errno = S_ISDIR(st.st_mode) ? fake.fsync_errno : 0;
	if (errno != 0)
		return -1;
	return fsync(fd);
}

static int fake_close(int fd)
{
	int result;

	between();
	result = close(fd);
	between();
	return result;
}

static int fake_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int result = -1;

	between();
	errno = strcmp(to, "out") == 0 ? fake.rename_errno : 0;
	if (errno == 0)
		result = renameat(from_dir, from, to_dir, to);
	between();
	return result;
}

static int fake_set_lock(int fd, struct flock *lock)
{
	int result;

	between();
	result = fcntl(fd, F_SETLK, lock);
	between();
	return result;
}

static int fake_open(int dir, const char *name, int flags)
{
	int fd;

	between();
	fd = openat(dir, name, flags, 0600);
	between();
	return fd;
}

static const struct writer_system fake_system = {
	write, fake_fsync, fake_close, fake_renameat, ftruncate, fake_set_lock, fake_open};

static struct writer *open_again(const char *path)
{
	struct writer_options o = {.path = path, .again = true};
	enum writer_result result;
	struct writer *w = writer_open_with(&o, &fake_system, &result);

	if (result != WRITER_OK)
		fail_msg("%s", writer_error(w));
	return w;
}

static enum writer_result write_round(struct writer *w, const char *text)
{
	writer_put_head(w, "head ", 5);
	writer_put(w, text, strlen(text));
	assert_int_equal(writer_octets(w), 5 + strlen(text));
	assert_int_equal(writer_flush(w, true), WRITER_OK);
	assert_int_equal(writer_through(w), 5 + strlen(text));
	return writer_commit(w);
}

static void check_either(const char *path, const char *old, const char *new)
{
	char text[FOLDER_TEXT];

	read_text(path, text);
	if (strcmp(text, old) != 0)
		assert_string_equal(text, new);
}

static unsigned files_in(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2; /* "." and ".." */
}

static int set_up(void **state)
{
	memset(&fake, 0, sizeof(fake));
	return folder_enter(state, "test-writer-again");
}

/* Each round's file is whole, the mode stays, and nobody else comes in between, whenever he tries. */
static void test_never_nobodys(void **state)
{
	struct writer *w = open_again("out");
	struct stat st;
	char text[40];

	(void)state;
	fake.contend = true;
	for (int round = 0; round < 3; round++) {
		snprintf(text, sizeof(text), "round %d\n", round);
		assert_int_equal(write_round(w, text), WRITER_OK);
		assert_true(writer_goes_on(w));
		snprintf(text, sizeof(text), "head round %d\n", round);
		check_file("out", text);
		assert_int_equal(chmod("out", 0604), 0);
		assert_int_equal(files_in("."), 2);
		others_try();
	}
	assert_true(fake.tries >= 3 * 8);
	assert_int_equal(fake.taken, 0);
	assert_int_equal(stat("out", &st), 0);
	writer_free(w);
	assert_int_equal(files_in("."), 1);
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_int_equal(st.st_nlink, 1);
}

/* Dies at that call of the second round's commit. False: it has not so many. */
static bool killed_at(unsigned call)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct writer *w = open_again("out");

		if (write_round(w, "first\n") != WRITER_OK)
			_exit(2);
		fake.calls = 0;
		fake.dies_at = call;
		_exit(write_round(w, "second\n") == WRITER_OK ? 1 : 2);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 0;
}

static void test_killed_in_between(void **state)
{
	struct writer_options o = {.path = "out"};
	enum writer_result result;
	unsigned call = 1;

	(void)state;
	for (; killed_at(call); call++) {
		struct writer *w;

		check_either("out", "head first\n", "head second\n");
		w = writer_open(&o, &result);
		assert_int_equal(result, WRITER_OK);
		writer_free(w);
		check_either("out", "head first\n", "head second\n");
		assert_int_equal(files_in("."), 1);
		assert_true(call < CALLS_MAX);
		unlink("out");
	}
	assert_true(call > 8);
}

/* Where it cannot be had, all is as without it. */
static void check_not(struct writer *w, const char *out)
{
	assert_int_equal(write_round(w, "text\n"), WRITER_OK);
	assert_false(writer_goes_on(w));
	check_file(out, "head text\n");
	writer_free(w);
}

static void test_no_second_name(void **state)
{
	struct writer *w = open_again("out");

	(void)state;
	assert_int_equal(mkdir(".out.multisnmp.done", 0700), 0);
	check_not(w, "out");
	assert_int_equal(files_in("."), 2);
}

static void test_no_third_name(void **state)
{
	struct writer *w = open_again("out");

	(void)state;
	assert_int_equal(mkdir(".out.multisnmp.next", 0700), 0);
	check_not(w, "out");
	assert_int_equal(files_in("."), 2);
}

static void test_folder_was_moved(void **state)
{
	struct writer *w;

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	w = open_again("folder/out");
	assert_int_equal(rename("folder", "away"), 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	check_not(w, "away/out");
	assert_int_equal(files_in("away"), 1);
	assert_int_equal(files_in("folder"), 0);
}

static void test_link_was_bent(void **state)
{
	struct writer *w;

	(void)state;
	assert_int_equal(symlink("one", "out"), 0);
	w = open_again("out");
	assert_int_equal(unlink("out"), 0);
	assert_int_equal(symlink("other", "out"), 0);
	check_not(w, "one");
	assert_int_equal(files_in("."), 2);
}

static void check_fails(const char *words)
{
	struct writer *w = open_again("out");

	assert_int_equal(write_round(w, "old\n"), WRITER_OK);
	fake.rename_errno = EIO;
	assert_int_equal(write_round(w, "new\n"), WRITER_FAILED);
	assert_non_null(strstr(writer_error(w), words));
	assert_false(writer_goes_on(w));
	assert_int_equal(files_in("."), 1);
	writer_free(w);
	check_file("out", "head old\n");
}

static void test_rename_fails(void **state)
{
	(void)state;
	check_fails("cannot rename the new 'out': Input/output error; the old file is as it was");
}

static void test_folder_is_synced(void **state)
{
	struct writer *w = open_again("out");

	(void)state;
	fake.fsync_errno = EIO;
	assert_int_equal(write_round(w, "text\n"), WRITER_FAILED);
	assert_non_null(strstr(writer_error(w), "cannot sync the folder of 'out'"));
	assert_int_equal(files_in("."), 1);
	writer_free(w);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, folder_leave)
	const struct CMUnitTest tests[] = {
		TEST(test_never_nobodys), TEST(test_killed_in_between), TEST(test_no_second_name),
		TEST(test_no_third_name), TEST(test_folder_was_moved),  TEST(test_link_was_bent),
		TEST(test_rename_fails),  TEST(test_folder_is_synced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

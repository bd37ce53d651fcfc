/* denied: whose a file is that may not be opened, and which folder may not be entered. In a child that is nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/denied.h"

#define NOBODY 65534

static int setup(void **state)
{
	char folder[] = "/tmp/test-denied-XXXXXX";

	if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
		return -1;
	*state = strdup(folder);
	return chdir(folder);
}

static int teardown(void **state)
{
	if (chdir("/") < 0)
		return -1;
	free(*state);
	return 0;
}

/* The words, as somebody who is not root hears them. */
static void words_of(const char *path, char out[DENIED_MAX])
{
	int ends[2], status;
	ssize_t len;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char words[DENIED_MAX];

		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(2);
		if (open(path, O_RDONLY) >= 0)
			_exit(3);
		denied_words(path, words);
		_exit(errno == 0 || write(ends[1], words, strlen(words)) < 0);
	}
	close(ends[1]);
	len = read(ends[0], out, DENIED_MAX - 1);
	assert_true(len >= 0);
	out[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_file(void **state)
{
	char words[DENIED_MAX];
	int fd = open("secret", O_WRONLY | O_CREAT | O_EXCL, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0020), 0);
	close(fd);
	words_of("secret", words);
	assert_memory_equal(words, "Permission denied (owner ", 25);
	assert_non_null(strstr(words, ", mode 0020; we are "));
	if (geteuid() == 0) {
		assert_non_null(strstr(words, "(owner root, group root,"));
		assert_null(strstr(words, "we are root"));
	}
	assert_int_equal(unlink("secret"), 0);
}

static void test_folder(void **state)
{
	char words[DENIED_MAX], path[300];
	const char *folder = *state;

	snprintf(path, sizeof(path), "%s/open/closed/within/file", folder);
	assert_int_equal(mkdir("open", 0755), 0);
	assert_int_equal(mkdir("open/closed", 0700), 0);
	assert_int_equal(mkdir("open/closed/within", 0755), 0);
	assert_int_equal(chmod("open/closed", 0), 0);
	words_of(path, words);
	snprintf(path, sizeof(path), "may not enter '%s/open/closed')", folder);
	assert_memory_equal(words, "Permission denied (we are ", 26);
	assert_non_null(strstr(words, path));
	words_of("open/closed/within/file", words);
	assert_non_null(strstr(words, "may not enter 'open/closed')"));
	assert_int_equal(chmod("open/closed", 0700), 0);
	assert_int_equal(rmdir("open/closed/within"), 0);
	assert_int_equal(rmdir("open/closed"), 0);
	assert_int_equal(rmdir("open"), 0);
}

static void test_new_file(void **state)
{
	char words[DENIED_MAX];

	(void)state;
	errno = EACCES;
	denied_words("/etc/nosuch-file", words);
	assert_memory_equal(words, "Permission denied (folder's owner root, ", 40);
	errno = EACCES;
	denied_words("nosuch-file", words);
	assert_non_null(strstr(words, "(folder's owner "));
}

static void test_others(void **state)
{
	char words[DENIED_MAX];

	words_of("nosuch", words);
	assert_string_equal(words, "No such file or directory");
	words_of("nosuch/file", words);
	assert_string_equal(words, "No such file or directory");
	errno = EROFS;
	assert_string_equal(denied_words("x", words), strerror(EROFS));
	assert_int_equal(errno, EROFS);
	assert_int_equal(rmdir(*state), 0); /* nothing is left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_new_file),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

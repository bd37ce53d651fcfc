/* spool: against a plain buffer, around its bound, and with a disk that is full or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "out/spool.h"

/* Every test has a TMPDIR of its own. */
static int setup(void **state)
{
	char folder[] = "/tmp/test-spool-XXXXXX";

	assert_non_null(mkdtemp(folder));
	*state = strdup(folder);
	return setenv("TMPDIR", folder, 1);
}

static int teardown(void **state)
{
	int left = rmdir(*state); /* fails if a file has stayed behind */

	free(*state);
	return left;
}

static void read_all(struct spool *s, struct buf *all, size_t piece)
{
	ptrdiff_t n;

	do {
		n = spool_read(s, buf_room(all, piece), piece);
		assert_true(n >= 0);
		all->len += (size_t)n;
	} while (n);
}

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)rand();
}

/* Descriptors in use: the file must not be made before it is needed. */
static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

static void test_memory_only_up_to_the_bound(void **state)
{
	uint8_t octets[100] = {7};
	struct spool *s = spool_new(100);
	struct buf all = {0};
	int before = next_fd();

	(void)state;
	assert_int_equal(spool_read(s, octets, 1), 0);
	assert_true(spool_put(s, octets, 60));
	assert_true(spool_put(s, octets, 40));
	assert_int_equal(next_fd(), before);
	assert_true(spool_put(s, "x", 1));
	assert_int_not_equal(next_fd(), before);
	assert_int_equal(spool_size(s), 101);
	read_all(s, &all, 7);
	assert_int_equal(all.len, 101);
	assert_int_equal(all.data[100], 'x');
	buf_free(&all);
	spool_free(s);
	assert_int_equal(next_fd(), before);
	spool_free(NULL);
}

static void test_against_a_buffer(void **state)
{
	uint8_t octets[300];

	(void)state;
	srand(3);
	for (int round = 0; round < 300; round++) {
		struct spool *s = spool_new((size_t)rand() % 200);
		struct buf wanted = {0}, all = {0};

		for (int i = rand() % 20; i >= 0; i--) {
			size_t len = (size_t)rand() % sizeof(octets);

			fill(octets, len);
			assert_true(spool_put(s, octets, len));
			buf_put(&wanted, octets, len);
			if (rand() % 4 == 0) /* reading may begin before all is there */
				read_all(s, &all, 1 + (size_t)rand() % 50);
		}
		assert_int_equal(spool_size(s), wanted.len);
		read_all(s, &all, 64);
		assert_int_equal(all.len, wanted.len);
		if (all.len)
			assert_memory_equal(all.data, wanted.data, all.len);
		buf_free(&wanted);
		buf_free(&all);
		spool_free(s);
	}
}

static void test_no_folder(void **state)
{
	struct spool *s = spool_new(4);
	uint8_t back[8];

	(void)state;
	setenv("TMPDIR", "/nonexistent/folder", 1);
	assert_true(spool_put(s, "1234", 4));
	errno = 0;
	assert_false(spool_put(s, "5", 1));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(spool_size(s), 4);
	assert_int_equal(spool_read(s, back, 8), 4);
	spool_free(s);
}

/* In a child, since it lowers a limit: the file may have 10 octets. Returns 0 if all held. */
static int full_disk(void)
{
	struct rlimit limit = {10, 10};
	struct spool *s = spool_new(8);
	char back[32];

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	if (!spool_put(s, "12345678", 8) || !spool_put(s, "abcdefgh", 8))
		return 2;
	if (spool_put(s, "ABCDEFGH", 8) || errno != EFBIG)
		return 3;
	if (spool_put(s, "ABCDEFGH", 8) || spool_size(s) != 16)
		return 4;
	if (spool_read(s, back, 32) != 8 || spool_read(s, back + 8, 24) != 8)
		return 5;
	if (memcmp(back, "12345678abcdefgh", 16))
		return 6;
	spool_free(s);
	return 0;
}

static void test_full_disk(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(full_disk());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A spool that somebody has cut must not look like one that has come to its end. */
static void test_cut_file_is_no_end(void **state)
{
	struct spool *s = spool_new(4);
	char back[16];
	int fd = next_fd();

	(void)state;
	assert_true(spool_put(s, "123456789", 9));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 3), 0);
	assert_int_equal(spool_read(s, back, 16), 3);
	assert_int_equal(spool_read(s, back, 16), -1);
	assert_int_equal(errno, EIO);
	spool_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory_only_up_to_the_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_against_a_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_file_is_no_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

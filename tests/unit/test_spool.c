/* spool: against plain buffers, around its bound, and with a disk that is full or not there. */
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
#include <sys/stat.h>
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

static void read_all(struct spool *s, struct spool_run *run, struct buf *all, size_t piece)
{
	ptrdiff_t n;

	do {
		n = spool_read(s, run, buf_room(all, piece), piece);
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

static off_t size_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_size;
}

static void test_memory_only_up_to_the_bound(void **state)
{
	static uint8_t block[SPOOL_BLOCK] = {7};
	struct spool *s = spool_new(3);
	struct spool_run run = {0}, other = {0};
	struct buf all = {0};
	int before = next_fd();

	(void)state;
	assert_int_equal(spool_read(s, &run, block, 1), 0);
	assert_true(spool_put(s, &run, block, 60));
	assert_true(spool_put(s, &other, block, 40));
	assert_true(spool_put(s, &run, block, SPOOL_BLOCK)); /* three blocks by now, each begun */
	assert_true(spool_put(s, &other, block, SPOOL_BLOCK - 40));
	assert_int_equal(next_fd(), before);
	assert_true(spool_put(s, &other, "x", 1));
	assert_int_not_equal(next_fd(), before);
	assert_int_equal(other.size, SPOOL_BLOCK + 1);
	read_all(s, &other, &all, 7);
	assert_int_equal(all.len, SPOOL_BLOCK + 1);
	assert_int_equal(all.data[SPOOL_BLOCK], 'x');
	buf_free(&all);
	spool_free(s);
	assert_int_equal(next_fd(), before);
	spool_free(NULL);
}

#define RUNS 9

struct model { /* what a run should hold */
	struct spool_run run;
	struct buf wanted;
	struct buf read;
};

static void model_check(struct spool *s, struct model *m)
{
	read_all(s, &m->run, &m->read, 50000);
	assert_int_equal(m->run.size, m->wanted.len);
	assert_int_equal(m->read.len, m->wanted.len);
	if (m->wanted.len)
		assert_memory_equal(m->read.data, m->wanted.data, m->wanted.len);
}

static void model_drop(struct spool *s, struct model *m)
{
	spool_drop(s, &m->run);
	buf_free(&m->wanted);
	buf_free(&m->read);
}

/* Several runs at a time, put, read and dropped in any order; sizes around the ends of blocks. */
static void test_against_buffers(void **state)
{
	static uint8_t octets[3 * SPOOL_BLOCK];
	struct model models[RUNS] = {0};
	struct spool *s = spool_new(5);
	int fd = next_fd();

	(void)state;
	srand(3);
	fill(octets, sizeof(octets));
	for (int step = 0; step < 3000; step++) {
		struct model *m = &models[rand() % RUNS];
		size_t len = (size_t)(rand() % 3) * SPOOL_BLOCK + (size_t)(rand() % 5) - 2;

		if (rand() % 2)
			len = (size_t)rand() % 2000;
		if (len > sizeof(octets))
			len = 0;
		octets[rand() % 100] ^= 1;
		assert_true(spool_put(s, &m->run, octets, len));
		buf_put(&m->wanted, octets, len);
		if (rand() % 4 == 0) /* reading may begin before all is there */
			read_all(s, &m->run, &m->read, 1 + (size_t)rand() % 100000);
		if (rand() % 10 == 0) {
			model_check(s, m);
			model_drop(s, m);
		}
	}
	for (unsigned i = 0; i < RUNS; i++) {
		model_check(s, &models[i]);
		model_drop(s, &models[i]);
	}
	assert_int_equal(size_of(fd), 0); /* nobody holds anything */
	spool_free(s);
}

/* What was given back is used before the file grows, and before it the memory. */
static void test_blocks_are_used_again(void **state)
{
	static const uint8_t block[2 * SPOOL_BLOCK];
	struct spool_run stays = {0}, first = {0};
	struct spool *s = spool_new(1);
	int fd = next_fd();

	(void)state;
	assert_true(spool_put(s, &first, block, SPOOL_BLOCK)); /* the memory */
	assert_true(spool_put(s, &stays, block, SPOOL_BLOCK)); /* makes the file */
	spool_drop(s, &first);
	for (int i = 0; i < 100; i++) {
		struct spool_run run = {0};

		assert_true(spool_put(s, &run, block, SPOOL_BLOCK));
		assert_int_equal(size_of(fd), SPOOL_BLOCK);
		assert_true(spool_put(s, &run, block, 2 * SPOOL_BLOCK));
		assert_int_equal(size_of(fd), 3 * SPOOL_BLOCK);
		spool_drop(s, &run);
		assert_true(spool_put(s, &run, block, SPOOL_BLOCK)); /* the memory again */
		spool_drop(s, &run);
		assert_int_equal(ftruncate(fd, SPOOL_BLOCK), 0);
	}
	spool_free(s);
}

/* Thousands of runs, as a worker that was taken over may open them: one descriptor. */
static void test_one_file_for_all_runs(void **state)
{
	static struct spool_run runs[5000];
	struct spool *s = spool_new(2);
	int fd = next_fd(), after;
	char back;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		assert_true(spool_put(s, &runs[i], &(char){(char)i}, 1));
	after = next_fd();
	assert_in_range(after, fd + 1, fd + 1);
	for (unsigned i = 0; i < 5000; i++) {
		assert_int_equal(spool_read(s, &runs[i], &back, 1), 1);
		assert_int_equal(back, (char)i);
	}
	spool_free(s);
}

static void test_no_folder(void **state)
{
	static const uint8_t block[SPOOL_BLOCK];
	struct spool_run run = {0};
	struct spool *s = spool_new(1);
	struct buf all = {0};

	(void)state;
	setenv("TMPDIR", "", 1);
	assert_string_equal(spool_folder(), "/tmp");
	setenv("TMPDIR", "/nonexistent/folder", 1);
	assert_string_equal(spool_folder(), "/nonexistent/folder");
	assert_true(spool_put(s, &run, "1234", 4));
	errno = 0;
	assert_false(spool_put(s, &run, block, SPOOL_BLOCK));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(run.size, 4);
	assert_true(spool_put(s, &run, "567", 3));
	read_all(s, &run, &all, 8);
	assert_int_equal(all.len, 7);
	assert_memory_equal(all.data, "1234567", 7);
	buf_free(&all);
	spool_drop(s, &run);
	assert_true(spool_put(s, &run, block, SPOOL_BLOCK)); /* nothing was lost by it */
	spool_free(s);
}

/* In a child, since it lowers a limit: the file may have two blocks and 10 octets. Returns 0 if all held. */
static int full_disk(void)
{
	struct rlimit limit = {2 * SPOOL_BLOCK + 10, 2 * SPOOL_BLOCK + 10};
	static uint8_t block[2 * SPOOL_BLOCK];
	struct spool_run run = {0}, other = {0};
	struct spool *s = spool_new(1);
	static char back[SPOOL_BLOCK];

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	memset(block, 'b', sizeof(block));
	if (!spool_put(s, &run, block, SPOOL_BLOCK) || !spool_put(s, &run, "12345678", 8))
		return 2;
	if (spool_put(s, &run, block, sizeof(block)) || errno != EFBIG)
		return 3;
	if (spool_put(s, &run, block, sizeof(block)) || run.size != SPOOL_BLOCK + 8)
		return 4;
	if (!spool_put(s, &other, "abcdefgh", 8)) /* the block that was taken and given back */
		return 5;
	if (spool_read(s, &run, back, SPOOL_BLOCK) != SPOOL_BLOCK || back[0] != 'b')
		return 6;
	if (spool_read(s, &run, back, 32) != 8 || memcmp(back, "12345678", 8))
		return 7;
	if (spool_read(s, &run, back, 32) != 0)
		return 8;
	spool_drop(s, &run); /* and not what the other one has of it */
	if (!spool_put(s, &run, block, SPOOL_BLOCK) || !spool_put(s, &run, "XXXXXXXX", 8))
		return 9;
	if (spool_read(s, &other, back, 32) != 8 || memcmp(back, "abcdefgh", 8))
		return 10;
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
	struct spool_run run = {0};
	struct spool *s = spool_new(0);
	char back[16];
	int fd = next_fd();

	(void)state;
	assert_true(spool_put(s, &run, "123456789", 9));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 3), 0);
	assert_int_equal(spool_read(s, &run, back, 16), 3);
	assert_int_equal(spool_read(s, &run, back, 16), -1);
	assert_int_equal(errno, EIO);
	spool_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory_only_up_to_the_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_against_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks_are_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_file_for_all_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_file_is_no_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

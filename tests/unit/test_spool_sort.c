/* spool_sort: against qsort(3), in memory and through many runs, with disks that are full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "out/spool.h"

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

static bool put_text(struct spool_sort *s, const char *key, const char *value)
{
	struct spool_item item = {(const uint8_t *)key, strlen(key), (const uint8_t *)value,
				  strlen(value)};

	return spool_sort_put(s, &item);
}

static enum spool_state next(struct spool_sort *s, struct spool_item *item)
{
	enum spool_state state;

	do {
		state = spool_sort_next(s, item);
	} while (state == SPOOL_LATER);
	return state;
}

static void check_next(struct spool_sort *s, const char *key, const char *value)
{
	struct spool_item item;

	assert_int_equal(next(s, &item), SPOOL_ITEM);
	assert_int_equal(item.key_len, strlen(key));
	assert_memory_equal(item.key, key, item.key_len);
	assert_int_equal(item.len, strlen(value));
	assert_memory_equal(item.p, value, item.len);
}

static void check_end(struct spool_sort *s)
{
	struct spool_item item;

	assert_int_equal(next(s, &item), SPOOL_END);
	assert_int_equal(next(s, &item), SPOOL_END);
	spool_sort_free(s);
}

static void test_order(void **state)
{
	struct spool_sort *s = spool_sort_new(1 << 16);

	(void)state;
	assert_true(put_text(s, "b", "1"));
	assert_true(put_text(s, "ab", "2"));
	assert_true(put_text(s, "", "3"));
	assert_true(put_text(s, "a", ""));
	assert_true(put_text(s, "\xff", "5"));
	assert_true(put_text(s, "b", "0"));
	check_next(s, "", "3");
	check_next(s, "a", "");
	check_next(s, "ab", "2");
	check_next(s, "b", "1"); /* as they were put */
	check_next(s, "b", "0");
	check_next(s, "\xff", "5");
	check_end(s);
	check_end(spool_sort_new(100));
	spool_sort_free(NULL);
}

#define MANY 60000

/* Few keys, so that equal ones lie in many runs; the value is the number in order of arrival. With 2 KiB of
 * memory that is more than a thousand runs, hence more than one pass. */
static void check_many(size_t memory, unsigned keys)
{
	struct spool_sort *s = spool_sort_new(memory);
	unsigned long last_key = 0, last_value = 0, count = 0;
	struct spool_item item;
	enum spool_state got;

	for (unsigned long i = 0; i < MANY; i++) {
		char key[16], value[16];

		snprintf(key, sizeof(key), "%08lx", (unsigned long)rand() % keys);
		snprintf(value, sizeof(value), "%lu", i);
		assert_true(put_text(s, key, value));
	}
	while ((got = next(s, &item)) == SPOOL_ITEM) {
		char text[32] = "";
		unsigned long key, value;

		memcpy(text, item.key, item.key_len);
		key = strtoul(text, NULL, 16);
		memset(text, 0, sizeof(text));
		memcpy(text, item.p, item.len);
		value = strtoul(text, NULL, 10);
		if (count++) {
			assert_true(key >= last_key);
			assert_true(key > last_key || value > last_value);
		}
		last_key = key;
		last_value = value;
	}
	assert_int_equal(got, SPOOL_END);
	assert_int_equal(count, MANY);
	spool_sort_free(s);
}

static void test_many(void **state)
{
	(void)state;
	check_many(2048, 50);
	check_many(2048, 1000000);
	check_many(100000, 50);
	check_many((size_t)16 << 20, 50);
}

/* Larger than the memory, than a read, up to the most; and one octet more. */
static void test_long_items(void **state)
{
	static uint8_t octets[SPOOL_ITEM_MAX + 1];
	static const size_t sizes[] = {0,           1,      4000,          SPOOL_BLOCK - 8,
				       SPOOL_BLOCK, 300000, SPOOL_ITEM_MAX};
	struct spool_sort *s = spool_sort_new(4096);
	struct spool_item item;

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	for (size_t i = 7; i-- > 0;) {
		item = (struct spool_item){.key = octets, .key_len = sizes[i]};
		assert_true(spool_sort_put(s, &item));
		item = (struct spool_item){octets, sizes[i] / 2, octets, sizes[i] - sizes[i] / 2};
		assert_true(spool_sort_put(s, &item));
	}
	item = (struct spool_item){octets, 2, octets, SPOOL_ITEM_MAX - 1};
	assert_false(spool_sort_put(s, &item));
	assert_int_equal(errno, EMSGSIZE);
	item = (struct spool_item){.key = octets, .key_len = SIZE_MAX, .len = 2};
	assert_false(spool_sort_put(s, &item));
	for (size_t last = 0, i = 0; i < 14; i++) {
		assert_int_equal(next(s, &item), SPOOL_ITEM);
		assert_true(item.key_len >= last);
		assert_memory_equal(item.key, octets, item.key_len);
		assert_memory_equal(item.p, octets, item.len);
		last = item.key_len;
	}
	check_end(s);
}

/* The merge is done in steps, or the master would hear nobody for as long as it takes. */
static void test_merge_is_in_steps(void **state)
{
	static uint8_t octets[1000];
	struct spool_item item = {octets, 4, octets, sizeof(octets)};
	struct spool_sort *s = spool_sort_new(262144); /* 31 runs, two groups */
	unsigned later = 0;
	enum spool_state got;

	(void)state;
	for (unsigned i = 0; i < 8000; i++) {
		memcpy(octets, &i, sizeof(i));
		assert_true(spool_sort_put(s, &item));
	}
	while ((got = spool_sort_next(s, &item)) == SPOOL_LATER)
		later++;
	assert_int_equal(got, SPOOL_ITEM);
	assert_in_range(later, 7, 12); /* 8 MB of 1 MiB each */
	spool_sort_free(s);
}

static int full_disk(void)
{
	static uint8_t octets[1000];
	struct rlimit limit = {200000, 200000};
	struct spool_item item = {octets, sizeof(octets), NULL, 0};
	struct spool_sort *s = spool_sort_new(65536);

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (unsigned i = 0; i < 1000; i++) {
		errno = 0;
		if (!spool_sort_put(s, &item)) {
			spool_sort_free(s);
			return i > 150 && errno == EFBIG ? 0 : 2;
		}
	}
	return 1;
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

/* There is no folder for the file: what fits the memory needs none. */
static void test_no_folder(void **state)
{
	struct spool_sort *s = spool_sort_new(200);
	struct spool_item item;

	(void)state;
	setenv("TMPDIR", "/nowhere/at/all", 1);
	assert_true(put_text(s, "b", "1"));
	assert_true(put_text(s, "a", "2"));
	check_next(s, "a", "2");
	check_next(s, "b", "1");
	check_end(s);
	s = spool_sort_new(20);
	assert_true(put_text(s, "b", "1"));
	assert_false(put_text(s, "a", "2"));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(spool_sort_next(s, &item), SPOOL_FAILED);
	spool_sort_free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),      TEST(test_many),
		TEST(test_long_items), TEST(test_merge_is_in_steps),
		TEST(test_full_disk),  TEST(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

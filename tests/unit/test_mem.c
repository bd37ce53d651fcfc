/* mem: sizes at the edges, the fatal paths (in children), and the growing buffer against a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

/* Runs fatal() in a child; gives its exit status and what it said on stderr. */
static int status_of(void (*fatal)(void), char *said, size_t size)
{
	int ends[2], status;
	ssize_t len;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		fatal();
		_exit(0);
	}
	close(ends[1]);
	len = read(ends[0], said, size - 1);
	said[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void zero_overflow(void)
{
	free(mem_zero(SIZE_MAX / 2 + 1, 2));
}

static void resize_overflow(void)
{
	free(mem_resize(NULL, SIZE_MAX / 4 + 1, 8));
}

static void room_overflow(void)
{
	struct buf b = {0};

	buf_putc(&b, 'x');
	buf_room(&b, SIZE_MAX);
}

static void test_overflow_is_fatal(void **state)
{
	void (*const fatal[])(void) = {zero_overflow, resize_overflow, room_overflow};
	char said[64];

	(void)state;
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
		assert_int_equal(status_of(fatal[i], said, sizeof(said)), MEM_EXIT);
		assert_string_equal(said, "multisnmp: out of memory\n");
	}
}

static void check_without_any(void)
{
	struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};

	mem_check(); /* there is some */
	setrlimit(RLIMIT_AS, &none);
	mem_check();
}

static void test_check_is_fatal_where_there_is_none(void **state)
{
	char said[64];

	(void)state;
	if (getenv("WITH_ASAN") && strcmp(getenv("WITH_ASAN"), "yes") == 0)
		skip(); /* its allocator has taken its addresses */
	assert_int_equal(status_of(check_without_any, said, sizeof(said)), MEM_EXIT);
	assert_string_equal(said, "multisnmp: out of memory\n");
}

static void test_nothing_is_something(void **state)
{
	void *a = mem_alloc(0), *b = mem_zero(0, 8), *c = mem_resize(NULL, 0, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	c = mem_resize(c, 0, 4); /* realloc(p, 0) would free it and say NULL */
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void test_zero_is_zero(void **state)
{
	uint32_t *p = mem_zero(1000, sizeof(*p));

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	free(p);
}

static void test_strings(void **state)
{
	char *whole = mem_strdup("public"), *part = mem_strndup("private", 4);
	char *none = mem_strndup(NULL, 0);

	(void)state;
	assert_string_equal(whole, "public");
	assert_string_equal(part, "priv");
	assert_string_equal(none, "");
	mem_wipe(whole, 6);
	assert_memory_equal(whole, "\0\0\0\0\0\0", 7);
	mem_wipe(NULL, 0);
	free(whole);
	free(part);
	free(none);
}

static void test_buf_empty(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_put(&b, NULL, 0);
	buf_puts(&b, "");
	buf_consume(&b, 0);
	assert_int_equal(b.len, 0);
	assert_null(b.data); /* nothing was needed */
	assert_non_null(buf_room(&b, 0));
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.cap, 0);
	buf_free(&b);
}

static void test_buf_numbers(void **state)
{
	static const uint64_t values[] = {0, 9, 10, 99, 100, 4294967295u, UINT64_MAX};
	static const int64_t signs[] = {0, -1, 1, -100, INT64_MIN, INT64_MAX};
	struct buf b = {0};
	char expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)values[i]);
		buf_put_u64(&b, values[i]);
		assert_int_equal(b.len, strlen(expected));
		assert_memory_equal(b.data, expected, b.len);
		buf_consume(&b, b.len);
	}
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		snprintf(expected, sizeof(expected), "%lld", (long long)signs[i]);
		buf_put_i64(&b, signs[i]);
		assert_int_equal(b.len, strlen(expected));
		assert_memory_equal(b.data, expected, b.len);
		buf_consume(&b, b.len);
	}
	buf_free(&b);
}

static void test_buf_printf(void **state)
{
	struct buf b = {0};
	char expected[3000];

	(void)state;
	for (int width = 0; width < 600; width++) { /* over each border of growth */
		int len = snprintf(expected, sizeof(expected), "<%*d>", width, 42);

		buf_puts(&b, "kept");
		buf_printf(&b, "<%*d>", width, 42);
		assert_int_equal(b.len, 4 + len);
		assert_memory_equal(b.data, "kept", 4);
		assert_memory_equal(b.data + 4, expected, (size_t)len);
		buf_free(&b);
	}
}

/* Pushes at the end, takes from the front: the queue's way of using it. */
static void test_buf_as_a_stream(void **state)
{
	struct buf b = {0};
	uint8_t next_in = 0, next_out = 0;

	(void)state;
	for (size_t round = 1; round < 600; round++) {
		for (size_t i = 0; i < round; i++)
			buf_putc(&b, (char)next_in++);
		assert_true(b.cap >= b.len);
		for (size_t i = 0; i < round / 2; i++)
			assert_int_equal(b.data[i], next_out++);
		buf_consume(&b, round / 2);
	}
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], next_out++);
	assert_int_equal(next_in, next_out);
	buf_consume(&b, b.len);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overflow_is_fatal),
		cmocka_unit_test(test_check_is_fatal_where_there_is_none),
		cmocka_unit_test(test_nothing_is_something),
		cmocka_unit_test(test_zero_is_zero),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_buf_empty),
		cmocka_unit_test(test_buf_numbers),
		cmocka_unit_test(test_buf_printf),
		cmocka_unit_test(test_buf_as_a_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

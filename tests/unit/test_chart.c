/* chart: bars in blocks and in '#', and a histogram of any spread in few lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chart.h"

static const struct chart ascii = {.width = 10};
static const struct chart blocks = {.blocks = true, .width = 10};

static void check_bar(const struct chart *c, uint64_t n, uint64_t most, const char *wanted)
{
	struct buf out = {0};

	chart_bar(&out, c, n, most);
	buf_putc(&out, '\0');
	assert_string_equal((char *)out.data, wanted);
	buf_free(&out);
}

#define B "\xe2\x96\x88"

static void test_bars(void **state)
{
	(void)state;
	check_bar(&ascii, 100, 100, "##########");
	check_bar(&ascii, 54, 100, "#####");
	check_bar(&ascii, 1, 1000000, "#"); /* not nothing */
	check_bar(&ascii, 0, 100, "");
	check_bar(&ascii, 0, 0, "");
	check_bar(&blocks, 100, 100, B B B B B B B B B B);
	check_bar(&blocks, 55, 100, B B B B B "\xe2\x96\x8c");
	check_bar(&blocks, 1, 1000000, "\xe2\x96\x8f");
	check_bar(&blocks, 0, 100, "");
	check_bar(&ascii, UINT64_MAX, UINT64_MAX, "##########");
}

static void check_latency(const int64_t *us, size_t count, const char *wanted)
{
	struct histogram *h = histogram_new();
	struct buf out = {0};

	for (size_t i = 0; i < count; i++)
		histogram_add(h, us[i]);
	chart_latency(&out, &ascii, h);
	buf_putc(&out, '\0');
	assert_string_equal((char *)out.data, wanted);
	buf_free(&out);
	histogram_free(h);
}

#define CHECK(wanted, ...)                      \
	check_latency((int64_t[]){__VA_ARGS__}, \
		      sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), wanted)

static void test_ranges(void **state)
{
	(void)state;
	CHECK("      0.1 to    0.2 ms          3  ##########\n", 110, 150, 190);
	CHECK("      0.2 to    0.5 ms          1  #####\n"
	      "      0.5 to      1 ms          2  ##########\n"
	      "        1 to      2 ms          0\n"
	      "        2 to      5 ms          0\n"
	      "        5 to     10 ms          1  #####\n",
	      300, 700, 800, 9000);
	CHECK("    0.001 to  0.002 ms          2  ##########\n", 0, 1);
	check_latency(NULL, 0, "");
}

/* From microseconds to minutes: decades. */
static void test_wide(void **state)
{
	(void)state;
	CHECK("     0.01 to    0.1 ms          1  ##########\n"
	      "      0.1 to      1 ms          0\n"
	      "        1 to     10 ms          0\n"
	      "       10 to    100 ms          0\n"
	      "      100 to   1000 ms          0\n"
	      "     1000 to  10000 ms          0\n"
	      "    10000 to 100000 ms          1  ##########\n",
	      50, 60000000);
}

/* Whatever the latencies are: no more lines than a person reads, and nobody is lost. */
static void test_any(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct histogram *h = histogram_new();
		struct buf out = {0};
		uint64_t sum = 0, count;
		unsigned lines = 0;

		for (unsigned i = 0, n = 1 + (unsigned)round % 9; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			histogram_add(h, (int64_t)(((uint64_t)seed << 20) >> (seed % 52)));
		}
		chart_latency(&out, &ascii, h);
		buf_putc(&out, '\0');
		for (char *line = strtok((char *)out.data, "\n"); line; line = strtok(NULL, "\n")) {
			assert_int_equal(sscanf(line, "%*f to %*f ms %" SCNu64, &count), 1);
			sum += count;
			lines++;
		}
		assert_true(sum == histogram_count(h));
		assert_in_range(lines, 1, 13);
		buf_free(&out);
		histogram_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

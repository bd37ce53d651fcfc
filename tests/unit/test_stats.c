/* stats: names, sums, the wire; quantiles against the sorted values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/stats.h"

#define LONGEST (INT64_C(1) << 36)

static void test_every_counter_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATS_COUNT; i++) {
		assert_non_null(stats_name(i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(stats_name(i), stats_name(j));
	}
	assert_string_equal(stats_name(STATS_SENT), "sent");
	assert_string_equal(stats_name(STATS_DROPPED), "dropped");
}

static struct stats sample(uint64_t factor)
{
	struct stats s;

	for (size_t i = 0; i < STATS_COUNT; i++)
		s.count[i] = factor * (i + 1);
	return s;
}

static void test_sums(void **state)
{
	struct stats sum = {{0}}, one = sample(1), ten = sample(10), eleven = sample(11);

	(void)state;
	assert_true(stats_is_zero(&sum));
	stats_add(&sum, &one);
	stats_add(&sum, &ten);
	assert_memory_equal(&sum, &eleven, sizeof(sum));
	for (size_t i = 0; i < STATS_COUNT; i++) {
		struct stats s = {{0}};

		s.count[i] = UINT64_C(1) << 63;
		assert_false(stats_is_zero(&s));
	}
}

static void test_wire(void **state)
{
	uint8_t octets[STATS_PACKED];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct stats s = sample(UINT64_C(0x123456789abcdef)), back;

	(void)state;
	stats_pack(&s, &w);
	assert_false(w.full);
	assert_ptr_equal(w.at, w.end);
	for (size_t have = 0; have <= STATS_PACKED; have++) {
		struct wire_in r = {.at = octets, .end = octets + have};

		assert_int_equal(stats_unpack(&back, &r), have == STATS_PACKED);
	}
	assert_memory_equal(&back, &s, sizeof(s));
}

static void test_empty(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	assert_true(histogram_count(h) == 0);
	assert_true(histogram_max(h) == 0);
	assert_true(histogram_quantile(h, 0.5) == 0);
	histogram_free(h);
}

/* A bucket's edge is never below a value in it, and above it by 1/64 at most. */
static void assert_edge(int64_t us)
{
	struct histogram *h = histogram_new();
	int64_t edge;

	histogram_add(h, us);
	histogram_add(h, LONGEST - 1); /* lest the maximum hides the edge */
	edge = histogram_quantile(h, 0.5);
	assert_true(edge >= us);
	assert_true((edge - us) * 64 <= us);
	histogram_free(h);
}

static void test_edges(void **state)
{
	(void)state;
	for (int64_t us = 0; us < 1000; us++)
		assert_edge(us);
	for (int bit = 10; bit < 36; bit++) {
		for (int64_t near = -2; near <= 2; near++)
			assert_edge((INT64_C(1) << bit) + near);
		assert_edge((INT64_C(3) << bit) / 2);
	}
}

static void test_extremes(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	histogram_add(h, -5); /* a clock that went back is no latency */
	assert_true(histogram_quantile(h, 1) == 0);
	histogram_add(h, LONGEST);
	histogram_add(h, INT64_MAX);
	assert_true(histogram_count(h) == 3);
	assert_true(histogram_max(h) == INT64_MAX);
	assert_true(histogram_quantile(h, 1) == INT64_MAX);
	assert_true(histogram_quantile(h, 0) == 0);
	assert_true(histogram_quantile(h, -1) == 0);
	assert_true(histogram_quantile(h, 2) == INT64_MAX);
	histogram_free(h);
}

/* With few values a rank is a fraction: rounded up, so that the share is really reached. */
static void test_ranks(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	for (int64_t us = 10; us <= 30; us += 10)
		histogram_add(h, us);
	assert_true(histogram_quantile(h, 0) == 10);
	assert_true(histogram_quantile(h, 0.33) == 10);
	assert_true(histogram_quantile(h, 0.34) == 20);
	assert_true(histogram_quantile(h, 0.5) == 20);
	assert_true(histogram_quantile(h, 0.9) == 30);
	histogram_free(h);
}

static void test_at_most(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	assert_true(histogram_at_most(h, 100) == 0);
	histogram_add(h, 0);
	for (int64_t us = 10; us <= 1000000; us *= 10)
		histogram_add(h, us - 5);
	assert_true(histogram_at_most(h, 0) == 1);
	assert_true(histogram_at_most(h, 4) == 1);
	assert_true(histogram_at_most(h, 5) == 2);
	assert_true(histogram_at_most(h, 1010) == 4); /* 995, to within 1/64 */
	assert_true(histogram_at_most(h, 980) == 3);
	assert_true(histogram_at_most(h, 999994) == 6);
	assert_true(histogram_at_most(h, 999995) == 7); /* the maximum, exactly */
	assert_true(histogram_at_most(h, INT64_MAX) == 7);
	histogram_free(h);
}

static int ascending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void test_quantiles_against_sorted_values(void **state)
{
	static const double shares[] = {0.001, 0.25, 0.5, 0.75, 0.875, 0.9, 0.99, 0.999};
	static int64_t values[20000];
	struct histogram *h = histogram_new();
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		seed = seed * 1664525 + 1013904223;
		values[i] = (int64_t)(seed >> 8) >> (seed % 20); /* over many powers of two */
		histogram_add(h, values[i]);
	}
	qsort(values, 20000, sizeof(values[0]), ascending);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		int64_t exact = values[(size_t)(shares[i] * 20000) - 1];
		int64_t got = histogram_quantile(h, shares[i]);

		assert_true(got >= exact);
		assert_true((got - exact) * 64 <= exact);
	}
	assert_true(histogram_quantile(h, 1) == values[19999]); /* not above the maximum */
	histogram_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_counter_has_a_name),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_at_most),
		cmocka_unit_test(test_quantiles_against_sorted_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

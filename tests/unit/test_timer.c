/* timer: 10,000 random operations against a sorted model, and changes while timers are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/timer.h"

#define TIMERS     300
#define OPERATIONS 10000

/* The model: which timers run, until when, started in which order; found by looking at all. */
struct model {
	bool running[TIMERS];
	int64_t due_us[TIMERS];
	unsigned order[TIMERS];
	unsigned starts;
	int64_t now_us;
};

static int model_first(const struct model *m)
{
	int first = -1;

	for (int i = 0; i < TIMERS; i++) {
		if (!m->running[i])
			continue;
		if (first < 0 || m->due_us[i] < m->due_us[first] ||
		    (m->due_us[i] == m->due_us[first] && m->order[i] < m->order[first]))
			first = i;
	}
	return first;
}

static void model_start(struct model *m, int i, int64_t due_us)
{
	m->running[i] = true;
	m->due_us[i] = due_us;
	m->order[i] = m->starts++;
}

static void model_renew(struct model *m, int64_t late_us)
{
	for (int i = 0; i < TIMERS; i++)
		m->due_us[i] += late_us;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void fire(struct timers *ts, struct timer *all, struct model *m)
{
	struct timer *t;

	timers_collect(ts, m->now_us);
	while ((t = timers_pop_due(ts))) {
		int first = model_first(m);

		assert_true(first >= 0 && m->due_us[first] <= m->now_us);
		assert_ptr_equal(t, &all[first]);
		assert_false(timer_running(t));
		m->running[first] = false;
	}
}

static void assert_same(struct timers *ts, const struct timer *all, const struct model *m)
{
	int first = model_first(m);

	assert_true(timers_next_us(ts) == (first < 0 ? INT64_MAX : m->due_us[first]));
	for (int i = 0; i < TIMERS; i++)
		assert_int_equal(timer_running(&all[i]), m->running[i]);
}

/* Deadlines are drawn from 50 values, so that most are equal to many others. */
static void random_operation(struct timers *ts, struct timer *all, struct model *m, uint32_t *seed)
{
	int i = (int)(next_random(seed) % TIMERS);
	int64_t due_us = m->now_us + next_random(seed) % 50;

	switch (next_random(seed) % 16) {
	case 0:
		m->now_us += next_random(seed) % 20;
		fire(ts, all, m);
		break;
	case 1:
		timers_renew(ts, 7);
		model_renew(m, 7);
		break;
	case 2:
	case 3:
	case 4:
		timer_stop(ts, &all[i]);
		m->running[i] = false;
		break;
	default:
		timer_start(ts, &all[i], due_us);
		model_start(m, i, due_us);
	}
}

static void test_against_the_model(void **state)
{
	struct timers *ts = timers_new();
	struct timer all[TIMERS] = {{0}};
	struct model m = {.starts = 0};
	uint32_t seed = 20240229;

	(void)state;
	for (int n = 0; n < OPERATIONS; n++) {
		random_operation(ts, all, &m, &seed);
		assert_same(ts, all, &m);
	}
	m.now_us = INT64_MAX / 2;
	fire(ts, all, &m);
	assert_int_equal(model_first(&m), -1);
	timers_free(ts);
}

static void test_equal_deadlines_keep_their_order(void **state)
{
	static struct timer all[5000];
	struct timers *ts = timers_new();

	(void)state;
	for (size_t i = 0; i < 5000; i++)
		timer_start(ts, &all[i], 1000);
	timer_start(ts, &all[0], 1000); /* restarted: now the last */
	timers_collect(ts, 999);
	assert_null(timers_pop_due(ts));
	timers_collect(ts, 1000);
	for (size_t i = 1; i < 5000; i++)
		assert_ptr_equal(timers_pop_due(ts), &all[i]);
	assert_ptr_equal(timers_pop_due(ts), &all[0]);
	assert_null(timers_pop_due(ts));
	timers_free(ts);
}

static void test_stop_while_due(void **state)
{
	struct timers *ts = timers_new();
	struct timer a = {0}, b = {0}, c = {0}, d = {0};

	(void)state;
	timer_start(ts, &a, 10);
	timer_start(ts, &b, 20);
	timer_start(ts, &c, 30);
	timer_start(ts, &d, 40);
	timers_collect(ts, 40);
	assert_ptr_equal(timers_pop_due(ts), &a);
	assert_true(timer_running(&b));
	timer_stop(ts, &b);
	timer_stop(ts, &d);
	assert_false(timer_running(&b));
	memset(&b, 0xee, sizeof(b)); /* its owner is gone */
	assert_ptr_equal(timers_pop_due(ts), &c);
	assert_null(timers_pop_due(ts));
	timer_stop(ts, &c); /* harmless */
	assert_true(timers_next_us(ts) == INT64_MAX);
	timers_free(ts);
}

static void test_restart_while_due(void **state)
{
	struct timers *ts = timers_new();
	struct timer a = {0}, b = {0};

	(void)state;
	timer_start(ts, &a, 10);
	timer_start(ts, &b, 10);
	timers_collect(ts, 10);
	assert_ptr_equal(timers_pop_due(ts), &a);
	timer_start(ts, &a, 5); /* past already, but not in this round */
	timer_start(ts, &b, 50);
	assert_null(timers_pop_due(ts));
	assert_true(timers_next_us(ts) == 5);
	timers_collect(ts, 49);
	assert_ptr_equal(timers_pop_due(ts), &a);
	assert_null(timers_pop_due(ts));
	assert_true(timers_next_us(ts) == 50);
	timers_free(ts);
}

static void test_waiting_due_ones_want_a_turn(void **state)
{
	struct timers *ts = timers_new();
	struct timer a = {0}, b = {0}, later = {0};

	(void)state;
	timer_start(ts, &a, 10);
	timer_start(ts, &b, 10);
	timer_start(ts, &later, 100);
	timers_collect(ts, 10);
	timer_stop(ts, &a);
	assert_true(timers_next_us(ts) == 0);
	timers_collect(ts, 100); /* more become due behind those that wait */
	assert_ptr_equal(timers_pop_due(ts), &b);
	assert_ptr_equal(timers_pop_due(ts), &later);
	assert_null(timers_pop_due(ts));
	assert_true(timers_next_us(ts) == INT64_MAX);
	timers_free(ts);
}

static void test_renew(void **state)
{
	struct timers *ts = timers_new();
	struct timer early = {0}, collected = {0}, later = {0};

	(void)state;
	timer_start(ts, &collected, 10);
	timers_collect(ts, 10);
	timer_start(ts, &early, 100);
	timers_renew(ts, 1300);
	assert_ptr_equal(timers_pop_due(ts), &collected); /* due before, still due */
	timer_start(ts, &later, 1399);
	assert_true(timers_next_us(ts) == 1399);
	timers_collect(ts, 1400);
	assert_ptr_equal(timers_pop_due(ts), &later);
	assert_ptr_equal(timers_pop_due(ts), &early);
	timers_free(ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_model),
		cmocka_unit_test(test_equal_deadlines_keep_their_order),
		cmocka_unit_test(test_stop_while_due),
		cmocka_unit_test(test_restart_while_due),
		cmocka_unit_test(test_waiting_due_ones_want_a_turn),
		cmocka_unit_test(test_renew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

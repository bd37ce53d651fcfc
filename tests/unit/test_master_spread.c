/* master_spread: each target's instant is its own, whoever else is there, and what is due is no deadline in the past. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "pool/master_internal.h"

#define MAX   1000
#define MANY  ((UINT64_C(1) << 22) + 1) /* more than are sorted */
#define START INT64_C(1000000000)       /* a round that is long to come: nothing of it is due */

/* The plan's room has a double. */
struct plan {
	struct plan_target target[MAX];
	enum plan_kind kind[MAX];
	uint64_t count; /* MANY: the first one, again and again */
	uint64_t next[PLAN_KINDS];
	struct profile profile;
	unsigned looked_up;
};

void plan_rewind(struct plan *p)
{
	memset(p->next, 0, sizeof(p->next));
}

bool plan_next(struct plan *p, enum plan_kind kind, struct plan_target *out)
{
	while (p->next[kind] < p->count && p->kind[p->next[kind] % MAX] != kind)
		p->next[kind]++;
	if (p->next[kind] == p->count)
		return false;
	*out = p->target[p->next[kind] % MAX];
	out->seq = p->next[kind]++;
	return true;
}

void plan_at(struct plan *p, uint64_t seq, struct plan_target *out)
{
	p->looked_up++;
	*out = p->target[seq];
	out->seq = seq;
}

uint64_t plan_count(const struct plan *p, enum plan_kind kind)
{
	uint64_t n = 0;

	if (p->count > MAX)
		return kind == PLAN_DATAGRAMS ? p->count : 0;
	for (uint64_t i = 0; i < p->count; i++)
		n += p->kind[i] == kind;
	return n;
}

uint64_t plan_total(const struct plan *p)
{
	return p->count;
}

const struct profile *plan_profiles(const struct plan *p, size_t *count)
{
	*count = 1;
	return &p->profile;
}

struct lab {
	struct plan plan;
	struct master_schedule schedule;
	struct master_rounds rounds;
	struct master_config config;
	struct master m;
	char names[MAX][16];
};

static int set_up(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	lab->rounds = (struct master_rounds){
		.interval_us = 60000000, .spread = true, .schedule = &lab->schedule};
	lab->config = (struct master_config){.plan = &lab->plan, .rounds = &lab->rounds};
	lab->m = (struct master){.config = &lab->config, .loop = loop_new()};
	*state = lab;
	return 0;
}

static int tear_down(void **state)
{
	struct lab *lab = *state;

	spread_close(&lab->m);
	loop_free(lab->m.loop);
	free(lab);
	return 0;
}

static void name_all(struct lab *lab, unsigned count)
{
	lab->plan.count = count;
	for (unsigned i = 0; i < count; i++) {
		snprintf(lab->names[i], sizeof(lab->names[i]), "h%u", i);
		lab->plan.target[i] = (struct plan_target){.name = lab->names[i], .port = 161};
	}
}

/* When each is due, from the round's begin; in the order in which they are. Gives the last. */
static int64_t instants(struct lab *lab, int64_t *of)
{
	struct plan_target t;
	int64_t last_us = 0;
	bool later;

	spread_open(&lab->m);
	spread_begin(&lab->m, START + loop_now_us(lab->m.loop));
	for (;;) {
		int64_t due_us = spread_next_us(&lab->m) - START - loop_now_us(lab->m.loop);
		bool found;

		assert_false(spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later));
		lab->m.cancelled = "so that it is given before it is due";
		found = spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later);
		lab->m.cancelled = NULL;
		if (!found)
			break;
		assert_true(due_us >= last_us);
		of[t.seq % MAX] = last_us = due_us;
	}
	assert_true(spread_next_us(&lab->m) == LOOP_NEVER);
	spread_close(&lab->m);
	lab->m.spread = NULL;
	return last_us;
}

/* Neighbours in name stand anywhere, and the first of all at the begin. */
static void test_even(void **state)
{
	struct lab *lab = *state;
	int64_t of[MAX], first_us = START;
	unsigned tenth[10] = {0};

	name_all(lab, MAX);
	instants(lab, of);
	for (unsigned i = 0; i < MAX; i++) {
		assert_in_range(of[i], 0, 60000000);
		tenth[of[i] / 6000001]++;
		first_us = of[i] < first_us ? of[i] : first_us;
	}
	assert_int_equal(first_us, 0);
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(tenth[i], 50, 150);
}

/* After a reload without the first one, and with another order: those that stay are asked when they were. */
static void test_kept(void **state)
{
	struct lab *lab = *state;
	int64_t before[MAX], after[MAX];
	unsigned first = 0;

	name_all(lab, 100);
	instants(lab, before);
	while (before[first] > 0)
		first++;
	for (unsigned i = 0; i < 99; i++)
		lab->plan.target[i].name = lab->names[i < first ? i : i + 1];
	lab->plan.count = 99;
	instants(lab, after);
	for (unsigned i = 0; i < 99; i++)
		assert_int_equal(after[i], before[i < first ? i : i + 1]);
}

/* What a target is called is all of it. */
static void test_own(void **state)
{
	struct lab *lab = *state;
	int64_t of[MAX];
	struct plan_target *t = lab->plan.target;

	t[0] = (struct plan_target){.name = "a", .port = 161};
	t[1] = (struct plan_target){.name = "a", .port = 162};
	t[2] = (struct plan_target){.name = "a", .port = 161 + 256};
	t[3] = (struct plan_target){.addr = {.family = 4, .ip = {192, 0, 2, 1}}, .port = 161};
	t[4] = (struct plan_target){.addr = {.family = 4, .ip = {192, 0, 2, 2}}, .port = 161};
	t[5] = (struct plan_target){.path = "/run/a"};
	t[6] = (struct plan_target){.path = "/run/b"};
	lab->plan.count = 7;
	instants(lab, of);
	for (unsigned i = 0; i < 7; i++)
		for (unsigned j = 0; j < i; j++)
			assert_true(of[i] != of[j]);
}

/* It ends early enough for a silent host to be over, if that leaves half of the time. */
static void test_window(void **state)
{
	static const struct {
		int64_t timeout_us, deadline_us, window_us;
	} cases[] = {{1000000, 0, 59000000},
		     {20000000, 0, 40000000},
		     {50000000, 0, 30000000},
		     {1000000, 20000000, 19000000},
		     {1000000, 90000000, 59000000}};
	struct lab *lab = *state;
	int64_t of[MAX];

	name_all(lab, MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t window_us = cases[i].window_us;

		lab->plan.profile.timeout_us = cases[i].timeout_us;
		lab->config.deadline_us = cases[i].deadline_us;
		assert_in_range(instants(lab, of), window_us * 98 / 100, window_us + 10000);
	}
}

/* Too many to be sorted: at equal distances, in the order of the list. */
static void test_paced(void **state)
{
	struct lab *lab = *state;
	struct plan_target t;
	int64_t due_us = 0;
	bool later;

	name_all(lab, 1);
	lab->plan.count = MANY;
	spread_open(&lab->m);
	spread_begin(&lab->m, START + loop_now_us(lab->m.loop));
	lab->m.cancelled = "so that it is given before it is due";
	for (uint64_t i = 0; i < MANY / 2; i++) {
		assert_true(spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later));
		assert_int_equal(t.seq, i);
	}
	lab->m.cancelled = NULL;
	due_us = spread_next_us(&lab->m) - START - loop_now_us(lab->m.loop);
	assert_in_range(due_us, 30000000 - 10000, 30000000 + 10000);
	assert_int_equal(lab->plan.looked_up, 0);
	assert_false(lab->schedule.turned);
}

/* What is due waits for a worker, not for a time; a stop of the machine puts off the rest. */
static void test_due(void **state)
{
	struct lab *lab = *state;
	struct plan_target t;
	int64_t next_us;
	bool later;

	name_all(lab, 2);
	spread_open(&lab->m);
	spread_begin(&lab->m, loop_now_us(lab->m.loop));
	assert_true(spread_next_us(&lab->m) == LOOP_NEVER);
	assert_true(spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later));
	assert_false(spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later));
	assert_true(later);
	next_us = spread_next_us(&lab->m);
	assert_true(next_us > loop_now_us(lab->m.loop) && next_us < LOOP_NEVER);
	spread_renew(&lab->m, 5000000);
	assert_true(spread_next_us(&lab->m) == next_us + 5000000);
	lab->m.cancelled = "now";
	assert_true(spread_next_us(&lab->m) == LOOP_NEVER);
	assert_true(spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later));
	assert_false(spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later));
	assert_false(later);
	lab->m.cancelled = NULL;
	spread_begin(&lab->m, loop_now_us(lab->m.loop)); /* the next round has all of them again */
	assert_true(spread_next(&lab->m, PLAN_DATAGRAMS, &t, &later));
}

int main(void)
{
#define RUN(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RUN(test_even),   RUN(test_kept),  RUN(test_own),
		RUN(test_window), RUN(test_paced), RUN(test_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * dispatch: each rule by itself, then random operations against a model that is an array of all
 * targets with a state each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pool/dispatch.h"

static struct dispatch_task task(uint64_t seq)
{
	return (struct dispatch_task){.seq = seq, .profile = (uint32_t)seq * 3, .naddrs = 1};
}

static struct dispatch *ledger(unsigned workers, unsigned lease_max)
{
	struct dispatch_kind kind = {workers, lease_max};

	return dispatch_new(&kind, 1);
}

static uint32_t lease(struct dispatch *d, unsigned worker, uint64_t seq)
{
	struct dispatch_task t = task(seq);

	return dispatch_lease(d, worker, &t);
}

/* The next that waits goes to the worker; it must be seq. */
static uint32_t lease_again(struct dispatch *d, unsigned worker, uint64_t seq)
{
	uint32_t number;
	const struct dispatch_task *t = dispatch_lease_again(d, worker, &number);

	assert_non_null(t);
	assert_int_equal(t->seq, seq);
	assert_int_equal(t->profile, seq * 3);
	return number;
}

static void test_lease_and_answer(void **state)
{
	struct dispatch *d = ledger(2, 3);
	uint32_t a, b;

	(void)state;
	a = lease(d, 0, 10);
	b = lease(d, 1, 11);
	assert_int_not_equal(a, b);
	assert_int_equal(dispatch_room(d, 0), 2);
	assert_int_equal(dispatch_leased(d, 0), 1);
	assert_int_equal(dispatch_owes(d), 2);
	assert_int_equal(dispatch_find(d, 1, b, 11)->profile, 33);
	assert_true(dispatch_answer(d, 1, b, 11));
	assert_int_equal(dispatch_owes(d), 1);
	assert_true(dispatch_answer(d, 0, a, 10));
	assert_int_equal(dispatch_owes(d), 0);
	assert_int_equal(dispatch_targets(d), 2);
	assert_int_equal(dispatch_answered(d), 2);
	assert_int_equal(dispatch_room(d, 0), 3);
	dispatch_free(d);
}

static void test_all_slots_are_of_use(void **state)
{
	struct dispatch *d = ledger(3, 5);

	(void)state;
	for (uint64_t seq = 0; seq < 15; seq++)
		lease(d, (unsigned)seq % 3, seq);
	for (unsigned w = 0; w < 3; w++)
		assert_int_equal(dispatch_room(d, w), 0);
	assert_int_equal(dispatch_owes(d), 15);
	dispatch_free(d);
}

/* Workers 0 and 1 have three leases each, 2 to 4 one each. */
static void test_two_kinds(void **state)
{
	static const struct dispatch_kind kinds[] = {{2, 3}, {3, 1}};
	struct dispatch *d = dispatch_new(kinds, 2);
	struct dispatch_task t;

	(void)state;
	for (uint64_t seq = 0; seq < 6; seq++)
		lease(d, (unsigned)seq % 2, seq);
	for (uint64_t seq = 10; seq < 13; seq++)
		lease(d, (unsigned)seq - 8, seq);
	for (unsigned w = 0; w < 5; w++)
		assert_int_equal(dispatch_room(d, w), 0);
	assert_int_equal(dispatch_death(d, 3, 12, &t), DISPATCH_CHARGED);
	assert_int_equal(dispatch_death(d, 0, 0, &t), DISPATCH_NOBODY);
	assert_int_equal(dispatch_waiting(d), 4);
	lease_again(d, 3, 11);
	assert_null(dispatch_lease_again(d, 4, &(uint32_t){0}));
	lease_again(d, 0, 0);
	lease_again(d, 0, 2);
	lease_again(d, 0, 4);
	assert_int_equal(dispatch_owes(d), 9);
	dispatch_free(d);
}

/* A death of one kind holds up no target of the other, and neither takes what the other had. */
static void test_kinds_do_not_wait_for_each_other(void **state)
{
	static const struct dispatch_kind kinds[] = {{1, 3}, {2, 1}};
	struct dispatch *d = dispatch_new(kinds, 2);
	struct dispatch_task t;

	(void)state;
	lease(d, 0, 1);
	lease(d, 1, 2);
	assert_int_equal(dispatch_death(d, 1, 0, &t), DISPATCH_NOBODY);
	lease(d, 0, 3); /* though 2 waits */
	assert_null(dispatch_lease_again(d, 0, &(uint32_t){0}));
	lease_again(d, 2, 2);
	assert_int_equal(dispatch_death(d, 0, 0, &t), DISPATCH_NOBODY);
	lease(d, 1, 4); /* though 1 and 3 wait */
	lease_again(d, 0, 1);
	assert_int_equal(dispatch_death(d, 2, 0, &t), DISPATCH_NOBODY);
	assert_int_equal(dispatch_waiting(d), 2);
	assert_true(dispatch_withdraw(d, &t));
	assert_int_equal(t.seq, 3);
	assert_true(dispatch_withdraw(d, &t));
	assert_int_equal(t.seq, 2);
	assert_false(dispatch_withdraw(d, &t));
	assert_true(dispatch_withdraw_from(d, 1, &t));
	assert_int_equal(t.seq, 4);
	assert_false(dispatch_withdraw_from(d, 1, &t));
	assert_int_equal(dispatch_owes(d), 1);
	assert_int_equal(dispatch_answered(d), 3);
	assert_int_equal(dispatch_room(d, 1), 1);
	dispatch_free(d);
}

static void test_a_kind_without_workers(void **state)
{
	static const struct dispatch_kind kinds[] = {{0, 3}, {1, 1}};
	struct dispatch *d = dispatch_new(kinds, 2);

	(void)state;
	lease(d, 0, 1);
	assert_int_equal(dispatch_room(d, 0), 0);
	dispatch_free(d);
}

static void test_liars(void **state)
{
	struct dispatch *d = ledger(2, 3);
	uint32_t a;

	(void)state;
	a = lease(d, 0, 10);
	lease(d, 0, 11);
	assert_false(dispatch_answer(d, 1, a, 10)); /* another's */
	assert_false(dispatch_answer(d, 0, a, 11)); /* another target */
	assert_false(dispatch_answer(d, 0, 5, 0));  /* leased to nobody */
	assert_false(dispatch_answer(d, 0, 6, 10)); /* beyond the slots */
	assert_false(dispatch_answer(d, 0, UINT32_MAX, 10));
	assert_int_equal(dispatch_owes(d), 2);
	assert_true(dispatch_answer(d, 0, a, 10));
	assert_false(dispatch_answer(d, 0, a, 10)); /* twice */
	assert_int_equal(dispatch_answered(d), 1);
	dispatch_free(d);
}

/* The first life of a lease must not answer for its second, nor for another target. */
static void test_stale_leases(void **state)
{
	struct dispatch *d = ledger(2, 2);
	struct dispatch_task charged;
	uint32_t a, again;

	(void)state;
	a = lease(d, 0, 10);
	assert_int_equal(dispatch_death(d, 0, 0, &charged), DISPATCH_NOBODY);
	assert_false(dispatch_answer(d, 0, a, 10)); /* it waits */
	again = lease_again(d, 1, 10);
	assert_false(dispatch_answer(d, 0, again, 10));
	assert_true(dispatch_answer(d, 1, again, 10));
	for (uint64_t seq = 20; seq < 24; seq++) /* the slot is in use again, for another */
		lease(d, (unsigned)seq % 2, seq);
	assert_false(dispatch_answer(d, 0, a, 10));
	assert_false(dispatch_answer(d, 1, again, 10));
	dispatch_free(d);
}

/* A slot's number rests as long as possible before it is used again. */
static void test_numbers_rest(void **state)
{
	struct dispatch *d = ledger(1, 4);
	uint32_t first = lease(d, 0, 0);

	(void)state;
	dispatch_answer(d, 0, first, 0);
	for (uint64_t seq = 1; seq < 4; seq++)
		assert_int_not_equal(lease(d, 0, seq), first);
	assert_int_equal(lease(d, 0, 4), first);
	dispatch_free(d);
}

static void test_order_after_deaths(void **state)
{
	struct dispatch *d = ledger(3, 4);
	struct dispatch_task charged;
	uint32_t b;

	(void)state;
	lease(d, 0, 1);
	lease(d, 1, 2);
	b = lease(d, 0, 3);
	lease(d, 0, 4);
	lease(d, 1, 5);
	dispatch_answer(d, 0, b, 3);
	dispatch_death(d, 1, 0, &charged);
	dispatch_death(d, 0, 0, &charged); /* the later death's go before the earlier one's */
	dispatch_death(d, 2, 0, &charged); /* who owes nothing changes nothing */
	assert_int_equal(dispatch_waiting(d), 4);
	assert_int_equal(dispatch_owes(d), 4);
	lease_again(d, 2, 1);
	lease_again(d, 2, 4);
	lease_again(d, 0, 2);
	dispatch_death(d, 2, 0, &charged);
	lease_again(d, 1, 1);
	lease_again(d, 1, 4);
	lease_again(d, 1, 5);
	assert_int_equal(dispatch_waiting(d), 0);
	assert_int_equal(dispatch_targets(d), 5); /* leased again is not counted again */
	dispatch_free(d);
}

static void test_three_charges(void **state)
{
	struct dispatch *d = ledger(1, 4);
	struct dispatch_task charged = {0};
	static const char host[] = "poison";
	struct dispatch_task poison = {.seq = 7, .host = host, .naddrs = 1};

	(void)state;
	lease(d, 0, 6);
	dispatch_lease(d, 0, &poison);
	lease(d, 0, 8);
	for (unsigned i = 1; i < DISPATCH_CHARGES_MAX; i++) {
		assert_int_equal(dispatch_death(d, 0, 7 + 1, &charged), DISPATCH_CHARGED);
		assert_int_equal(charged.seq, 7);
		assert_int_equal(charged.charges, i);
		uint32_t innocent = lease_again(d, 0, 6); /* all of them, in their order */
		assert_int_equal(dispatch_find(d, 0, innocent, 6)->charges, 0);
		assert_int_equal(dispatch_lease_again(d, 0, &(uint32_t){0})->seq, 7);
		lease_again(d, 0, 8);
	}
	assert_int_equal(dispatch_death(d, 0, 7 + 1, &charged), DISPATCH_CRASHED);
	assert_ptr_equal(charged.host, host);
	assert_int_equal(dispatch_waiting(d), 2);
	assert_int_equal(dispatch_answered(d), 1);
	lease_again(d, 0, 6);
	lease_again(d, 0, 8);
	dispatch_free(d);
}

/* Only what was at work is charged, and only while it is owed. */
static void test_the_innocent(void **state)
{
	struct dispatch *d = ledger(2, 4);
	struct dispatch_task charged;
	uint32_t a;

	(void)state;
	a = lease(d, 0, 0);
	lease(d, 0, 1);
	lease(d, 1, 2);
	assert_true(dispatch_answer(d, 0, a, 0));
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(dispatch_death(d, 0, 0 + 1, &charged),
				 DISPATCH_NOBODY); /* answered */
		lease_again(d, 0, 1);
		assert_int_equal(dispatch_death(d, 0, 2 + 1, &charged),
				 DISPATCH_NOBODY); /* another's */
		lease_again(d, 0, 1);
		assert_int_equal(dispatch_death(d, 0, 0, &charged),
				 DISPATCH_NOBODY); /* at nothing */
		lease_again(d, 0, 1);
		assert_int_equal(dispatch_death(d, 0, UINT64_MAX, &charged), DISPATCH_NOBODY);
		lease_again(d, 0, 1);
	}
	assert_int_equal(dispatch_death(d, 0, 1 + 1, &charged), DISPATCH_CHARGED);
	assert_int_equal(charged.charges, 1);
	dispatch_free(d);
}

static void test_withdraw(void **state)
{
	struct dispatch *d = ledger(1, 4);
	struct dispatch_task t;

	(void)state;
	assert_false(dispatch_withdraw(d, &t));
	lease(d, 0, 5);
	lease(d, 0, 6);
	assert_false(dispatch_withdraw(d, &t)); /* leased is not waiting */
	dispatch_death(d, 0, 0, &t);
	assert_true(dispatch_withdraw(d, &t));
	assert_int_equal(t.seq, 5);
	assert_int_equal(dispatch_owes(d), 1);
	assert_int_equal(dispatch_answered(d), 1);
	assert_true(dispatch_withdraw(d, &t));
	assert_int_equal(t.seq, 6);
	assert_false(dispatch_withdraw(d, &t));
	assert_int_equal(dispatch_owes(d), 0);
	dispatch_free(d);
}

/* --- random operations against a model ---------------------------------------------------- */

#define WORKERS   5
#define LEASE_MAX 17
#define TARGETS   20000

struct model {
	struct dispatch *d;
	uint64_t next;            /* target never leased */
	int16_t owner[TARGETS];   /* worker; -1: waiting or never leased; -2: answered */
	uint32_t number[TARGETS]; /* lease */
	uint8_t charges[TARGETS];
	uint64_t leased[WORKERS];
	uint64_t waiting;
	uint64_t answered;
};

static void model_lease(struct model *m, unsigned w)
{
	uint64_t seq;

	if (dispatch_room(m->d, w) == 0)
		return;
	if (m->waiting > 0) {
		uint32_t number;
		seq = dispatch_lease_again(m->d, w, &number)->seq;
		assert_int_equal(m->owner[seq], -1);
		assert_true(seq < m->next);
		m->number[seq] = number;
		m->waiting--;
	} else if (m->next < TARGETS) {
		assert_null(dispatch_lease_again(m->d, w, &(uint32_t){0}));
		seq = m->next++;
		m->number[seq] = lease(m->d, w, seq);
	} else {
		return;
	}
	m->owner[seq] = (int16_t)w;
	m->leased[w]++;
}

static void model_answer(struct model *m, unsigned w, uint64_t seq)
{
	bool right = m->owner[seq] == (int16_t)w;

	assert_int_equal(dispatch_answer(m->d, w, m->number[seq], seq), right);
	if (!right)
		return;
	m->owner[seq] = -2;
	m->leased[w]--;
	m->answered++;
}

static void model_death(struct model *m, unsigned w, uint64_t at_work)
{
	struct dispatch_task charged;
	enum dispatch_charge is = dispatch_death(m->d, w, at_work + 1, &charged), should;

	should = m->owner[at_work] != (int16_t)w                 ? DISPATCH_NOBODY
		 : ++m->charges[at_work] == DISPATCH_CHARGES_MAX ? DISPATCH_CRASHED
								 : DISPATCH_CHARGED;
	assert_int_equal(is, should);
	if (is != DISPATCH_NOBODY)
		assert_int_equal(charged.seq, at_work);
	if (is == DISPATCH_CRASHED) {
		m->owner[at_work] = -2;
		m->answered++;
		m->leased[w]--;
	}
	for (uint64_t seq = 0; seq < m->next; seq++)
		if (m->owner[seq] == (int16_t)w)
			m->owner[seq] = -1;
	m->waiting += m->leased[w];
	m->leased[w] = 0;
}

static void model_compare(const struct model *m)
{
	uint64_t leased = 0;

	for (unsigned w = 0; w < WORKERS; w++) {
		assert_int_equal(dispatch_leased(m->d, w), m->leased[w]);
		assert_int_equal(dispatch_room(m->d, w), LEASE_MAX - m->leased[w]);
		leased += m->leased[w];
	}
	assert_int_equal(dispatch_waiting(m->d), m->waiting);
	assert_int_equal(dispatch_owes(m->d), leased + m->waiting);
	assert_int_equal(dispatch_targets(m->d), m->next);
	assert_int_equal(dispatch_answered(m->d), m->answered);
	assert_int_equal(m->next, m->answered + leased + m->waiting);
}

/* A target that may well be under way. */
static uint64_t some_target(const struct model *m)
{
	uint64_t back = (uint64_t)rand() % (WORKERS * LEASE_MAX * 2);

	return back < m->next ? m->next - 1 - back : 0;
}

static void test_against_a_model(void **state)
{
	struct model *m = calloc(1, sizeof(*m));

	(void)state;
	srand(4711);
	m->d = ledger(WORKERS, LEASE_MAX);
	memset(m->owner, 0xff, sizeof(m->owner));
	for (unsigned long step = 0; m->answered < TARGETS; step++) {
		unsigned w = (unsigned)rand() % WORKERS;
		int what = rand() % 100;
		assert_true(step < 100ul * TARGETS);
		if (what < 45)
			model_lease(m, w);
		else if (what < 99)
			model_answer(m, w, some_target(m));
		else if (step % 8 == 0)
			model_death(m, w, some_target(m));
		/* the oldest are never far behind, or the window above would miss them for ever */
		for (uint64_t seq = 0; seq + 300 < m->next && m->next == TARGETS; seq++)
			if (m->owner[seq] >= 0)
				model_answer(m, (unsigned)m->owner[seq], seq);
		model_compare(m);
	}
	for (uint64_t seq = 0; seq < TARGETS; seq++)
		assert_int_equal(m->owner[seq], -2);
	dispatch_free(m->d);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lease_and_answer),
		cmocka_unit_test(test_all_slots_are_of_use),
		cmocka_unit_test(test_two_kinds),
		cmocka_unit_test(test_kinds_do_not_wait_for_each_other),
		cmocka_unit_test(test_a_kind_without_workers),
		cmocka_unit_test(test_liars),
		cmocka_unit_test(test_stale_leases),
		cmocka_unit_test(test_numbers_rest),
		cmocka_unit_test(test_order_after_deaths),
		cmocka_unit_test(test_three_charges),
		cmocka_unit_test(test_the_innocent),
		cmocka_unit_test(test_withdraw),
		cmocka_unit_test(test_against_a_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

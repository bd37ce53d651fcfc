/* pace: what is asked for after which answers; then whole walks of simulated agents that drop, limit
 * and lose, and how many tries those cost. The seed is fixed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "snmp/pace.h"

#define SEED UINT64_C(0x5eed0003)

static void test_the_first_question_is_small(void **state)
{
	static const struct {
		size_t columns;
		unsigned wanted;
	} rows[] = {{1, 10}, {2, 5}, {3, 3}, {10, 1}, {11, 1}, {32, 1}, {0, 10}};
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(pace_repetitions(&p, rows[i].columns, 0), rows[i].wanted);
}

/* Answers of 20 octets a varbind: doubling, until PACE_OCTETS is what an answer would have. */
static void test_it_doubles_up_to_the_target(void **state)
{
	static const unsigned wanted[] = {10, 20, 40, 68, 68, 68};
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		unsigned n = pace_repetitions(&p, 1, 0);

		assert_int_equal(n, wanted[i]);
		pace_answered(&p, n, n, 40 + 20 * n);
	}
}

static void test_the_cap_is_obeyed(void **state)
{
	struct pace p;

	(void)state;
	for (unsigned cap = 1; cap < 100; cap += 7) {
		pace_start(&p, cap);
		for (int i = 0; i < 200; i++) {
			unsigned n = pace_repetitions(&p, 2, 0);

			assert_true(n >= 1 && n <= cap);
			pace_answered(&p, 2 * n, 2 * n, 40 + 10 * 2 * n);
		}
		assert_int_equal(pace_repetitions(&p, 2, 0), cap < 68 ? cap : 68);
	}
}

static void answer_until_steady(struct pace *p, size_t octets)
{
	for (int i = 0; i < 20; i++) {
		unsigned n = pace_repetitions(p, 1, 0);

		pace_answered(p, n, n, 40 + octets * n);
	}
}

static void test_each_further_try_asks_for_half(void **state)
{
	static const unsigned wanted[] = {68, 34, 17, 8, 4, 2, 1, 1, 1};
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	for (unsigned tries = 0; tries < sizeof(wanted) / sizeof(wanted[0]); tries++)
		assert_int_equal(pace_repetitions(&p, 1, tries), wanted[tries]);
	assert_int_equal(pace_repetitions(&p, 1, 1000000), 1);
	assert_int_equal(pace_repetitions(&p, 10, 1), 3);
}

/* A device whose rows become larger: the next answer is on the target already; and back again. */
static void test_larger_rows_shrink_it_at_once(void **state)
{
	struct pace p;
	unsigned n;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	pace_answered(&p, 68, 68, 40 + 68 * 200);
	n = pace_repetitions(&p, 1, 0);
	assert_int_equal(n, (PACE_OCTETS - 40) / 200);
	pace_answered(&p, n, n, 40 + 20 * n);
	assert_int_equal(pace_repetitions(&p, 1, 0), (PACE_OCTETS - 40) / 110);
	answer_until_steady(&p, 20);
	assert_int_equal(pace_repetitions(&p, 1, 0), 68);
	pace_answered(&p, 1, 1, 5000); /* one varbind that is larger than any answer should be */
	assert_int_equal(pace_repetitions(&p, 1, 0), 1);
}

static void test_one_loss_lowers_nothing(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	pace_lost(&p, 68);
	assert_int_equal(pace_repetitions(&p, 1, 0), 34);
	pace_answered(&p, 34, 34, 40 + 20 * 34);
	assert_int_equal(pace_repetitions(&p, 1, 0), 68);
}

/* Two tries of one question are one loss. */
static void test_tries_of_a_question_count_once(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	pace_answered(&p, 10, 10, 40 + 20 * 10);
	pace_answered(&p, 20, 20, 40 + 20 * 20);
	pace_lost(&p, 40);
	pace_lost(&p, 20);
	pace_answered(&p, 10, 10, 40 + 20 * 10);
	assert_int_equal(pace_columns(&p, 100, 0), 68);
}

/* What a device may send: nothing at all, or less than any message has. */
static void test_answers_that_cannot_be(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	pace_answered(&p, 10, 0, 40);
	assert_int_equal(pace_columns(&p, 100, 0), 13); /* nothing was learnt */
	pace_answered(&p, 10, 10, 30);
	assert_int_equal(pace_repetitions(&p, 1, 0), 20);
	for (int i = 0; i < 40; i++) {
		size_t n = pace_repetitions(&p, 1, 0);

		assert_true(n >= 1 && n <= 0xffff);
		pace_answered(&p, n, n, 1);
	}
}

/* What was answered after two lost tries is where it goes on from, by doubling. */
static void test_it_goes_on_from_what_was_answered(void **state)
{
	static const unsigned wanted[] = {34, 68, 68};
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	pace_lost(&p, 68);
	pace_lost(&p, 34); /* of the same question: counts once */
	pace_answered(&p, 17, 17, 40 + 20 * 17);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		unsigned n = pace_repetitions(&p, 1, 0);

		assert_int_equal(n, wanted[i]);
		pace_answered(&p, n, n, 40 + 20 * n);
	}
}

/* So many varbinds, lost so often in a row, each time with an answer to half of it. */
static void lose(struct pace *p, size_t asked, int times)
{
	for (int i = 0; i < times; i++) {
		pace_lost(p, asked);
		pace_answered(p, asked / 2, asked / 2, 40 + 20 * (asked / 2));
	}
}

static void test_lost_twice_is_a_wall(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	pace_answered(&p, 10, 10, 40 + 20 * 10);
	pace_answered(&p, 20, 20, 40 + 20 * 20);
	lose(&p, 40, 1);
	assert_int_equal(pace_repetitions(&p, 1, 0), 40);
	lose(&p, 40, 1);
	assert_int_equal(pace_repetitions(&p, 1, 0), 29); /* three quarters, by octets */
	assert_int_equal(pace_columns(&p, 64, 0), 29);
}

static void test_lost_three_times_is_a_wall_where_it_was_answered(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	lose(&p, 68, 2);
	assert_int_equal(pace_repetitions(&p, 1, 0), 68);
	lose(&p, 68, 1);
	assert_int_equal(pace_repetitions(&p, 1, 0), 50);
}

/* A lowered ceiling is tried higher after some answers; while that is lost, ever more rarely; when it
 * is answered, the next trial follows at once, up to the target. */
static void test_a_wall_is_tried_again(void **state)
{
	struct pace p;
	unsigned n, between[4] = {0};

	(void)state;
	pace_start(&p, 0);
	pace_answered(&p, 20, 20, 40 + 20 * 20);
	lose(&p, 40, 2);
	for (int trial = 0; trial < 4; trial++) {
		while ((n = pace_repetitions(&p, 1, 0)) <= 29) {
			pace_answered(&p, n, n, 40 + 20 * n);
			assert_true(++between[trial] < 1000);
		}
		pace_lost(&p, n); /* once is enough */
		pace_answered(&p, n / 2, n / 2, 40 + 20 * (n / 2));
		assert_true(pace_repetitions(&p, 1, 0) <= 29);
		assert_true(trial == 0 || between[trial] > between[trial - 1] + 10);
	}
	for (int i = 0; i < 400; i++) {
		n = pace_repetitions(&p, 1, 0);
		pace_answered(&p, n, n, 40 + 20 * n);
	}
	assert_int_equal(pace_repetitions(&p, 1, 0), 68);
}

/* Losses far apart are chance, even where no answer as large came between them: the person's cap, or
 * the end of every subtree, may be below. */
static void test_losses_far_apart_are_no_wall(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	pace_lost(&p, 68);
	for (int i = 0; i < 40; i++)
		pace_answered(&p, 10, 10, 40 + 20 * 10);
	lose(&p, 10, 2);
	assert_int_equal(pace_columns(&p, 100, 0), 68);
}

static void test_too_big_halves_down_to_one(void **state)
{
	static const unsigned wanted[] = {34, 17, 8, 4, 2, 1};
	struct pace p;
	unsigned asked = 68;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_true(pace_too_big(&p, asked));
		asked = pace_repetitions(&p, 1, 0);
		assert_int_equal(asked, wanted[i]);
	}
	assert_false(pace_too_big(&p, asked));
	assert_int_equal(pace_repetitions(&p, 1, 0), 1);
}

/* From one varbind, and with so many columns that most sizes are never asked for, it comes back. */
static void test_the_way_up_from_the_bottom(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 200);
	while (pace_repetitions(&p, 1, 0) > 1)
		assert_true(pace_too_big(&p, pace_repetitions(&p, 1, 0)));
	lose(&p, 1, 2); /* and even one is lost */
	for (int i = 0; i < 30; i++) {
		unsigned n = pace_repetitions(&p, 1, 0);

		pace_answered(&p, n, n, 40 + 200 * n);
	}
	assert_int_equal(pace_repetitions(&p, 1, 0), 6);

	pace_start(&p, 0);
	pace_answered(&p, 30, 30, 40 + 20 * 30);
	lose(&p, 30, 2);
	for (int i = 0; i < 100; i++)
		pace_answered(&p, 30 * pace_repetitions(&p, 30, 0),
			      30 * pace_repetitions(&p, 30, 0),
			      40 + 20 * 30 * pace_repetitions(&p, 30, 0));
	assert_int_equal(pace_repetitions(&p, 30, 0), 2);
}

/* One repetition of all columns may be too much: fewer columns then. */
static void test_columns_shrink_too(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	assert_int_equal(pace_columns(&p, 32, 0), 13); /* nothing is known yet */
	assert_int_equal(pace_columns(&p, 8, 0), 8);
	assert_int_equal(pace_columns(&p, 32, 1), 6);
	assert_int_equal(pace_columns(&p, 32, 100), 1);
	pace_answered(&p, 12, 12, 40 + 20 * 12);
	assert_int_equal(pace_columns(&p, 32, 0), 32);
	assert_true(pace_too_big(&p, 22));
	assert_int_equal(pace_columns(&p, 32, 0), 11);
	assert_true(pace_too_big(&p, 11));
	assert_int_equal(pace_columns(&p, 32, 0), 5);
}

/* ---- whole walks */

struct agent {
	const char *name;
	size_t rows;        /* of the subtree */
	size_t least, most; /* octets of a row, evenly spread */
	size_t limit;       /* larger answers are dropped; 0: none */
	size_t repetitions; /* it gives at most; 0: all */
	unsigned loss;      /* of 100 datagrams */
	bool too_big;       /* says so instead of dropping */
	size_t columns;     /* of each question */
};

struct outcome {
	size_t questions, lost, too_big, rows, octets;
};

static uint64_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x >> 11;
}

/* Octets of the answer to a question for n varbinds. */
static size_t answer_octets(const struct agent *a, size_t n, uint64_t *x)
{
	size_t octets = 45;

	for (size_t i = 0; i < n; i++)
		octets += a->least + draw(x) % (a->most - a->least + 1);
	return octets;
}

/* One question with all its tries, as the engine has them. False: none was answered. */
static bool ask_once(const struct agent *a, struct pace *p, struct outcome *o, uint64_t *x)
{
	size_t lost[8], nlost = 0;

	for (unsigned tries = 0; tries < 4;) {
		size_t asked = a->columns * pace_repetitions(p, a->columns, tries);
		size_t given = a->repetitions && asked > a->repetitions * a->columns
				       ? a->repetitions * a->columns
				       : asked;
		size_t octets = answer_octets(a, given, x);
		bool large = a->limit && octets > a->limit;

		if (large && a->too_big) {
			o->too_big++;
			assert_true(pace_too_big(p, asked));
			tries = 0;
			continue;
		}
		if (large || draw(x) % 100 < a->loss) {
			lost[nlost++] = asked;
			o->lost++;
			tries++;
			continue;
		}
		for (size_t i = 0; i < nlost; i++)
			pace_lost(p, lost[i]);
		pace_answered(p, asked, given, octets);
		o->questions++;
		o->rows += given;
		o->octets += octets;
		return true;
	}
	return false;
}

static struct outcome walk(const struct agent *a)
{
	struct pace p;
	struct outcome o = {0};
	uint64_t x = SEED;

	pace_start(&p, 0);
	while (o.rows < a->rows)
		if (!ask_once(a, &p, &o, &x) && a->loss == 0)
			fail_msg("%s: a question without an answer after %zu rows", a->name,
				 o.rows);
	printf("%-34s %7zu questions, %5zu octets each, %5zu tries lost, %3zu tooBig\n", a->name,
	       o.questions, o.octets / o.questions, o.lost, o.too_big);
	return o;
}

/* At most so many tries lost; answers at least so large, in the mean. */
static void test_walks_of_agents_that_drop(void **state)
{
	static const struct {
		struct agent a;
		size_t lost, octets;
	} rows[] = {
		{{"plain", 100000, 30, 30, 0, 0, 0, false, 1}, 0, 1300},
		{{"plain, rows that vary", 100000, 16, 60, 0, 0, 0, false, 1}, 0, 1000},
		{{"drops above 1,300", 100000, 30, 30, 1300, 0, 0, false, 1}, 16, 800},
		{{"drops above 1,024", 100000, 30, 30, 1024, 0, 0, false, 1}, 16, 600},
		{{"drops above 1,024, vary", 100000, 16, 60, 1024, 0, 0, false, 1}, 80, 500},
		{{"drops above 484", 100000, 30, 30, 484, 0, 0, false, 1}, 16, 300},
		{{"drops above 484, 8 columns", 100000, 30, 30, 484, 0, 0, false, 8}, 16, 240},
		{{"drops above 200", 10000, 30, 30, 200, 0, 0, false, 1}, 16, 100},
		{{"drops above 1,024, a million", 1000000, 30, 30, 1024, 0, 0, false, 1}, 18, 600},
		{{"gives 10 repetitions", 100000, 30, 30, 0, 10, 0, false, 1}, 0, 300},
		{{"tooBig above 1,024", 100000, 30, 30, 1024, 0, 0, true, 1}, 0, 500},
		{{"tooBig above 484", 100000, 30, 30, 484, 0, 0, true, 1}, 0, 240},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = walk(&rows[i].a);

		assert_true(o.lost <= rows[i].lost);
		assert_true(o.too_big <= 12);
		assert_true(o.octets / o.questions >= rows[i].octets);
		assert_true(o.octets / o.questions <= PACE_OCTETS);
	}
}

/* Loss by chance, also with many columns, and of a device that limits itself: the answers stay above half of what they would be without it. */
static void test_chance_does_not_cripple(void **state)
{
	static const unsigned loss[] = {1, 5, 10};

	(void)state;
	for (size_t i = 0; i < sizeof(loss) / sizeof(loss[0]); i++) {
		struct agent a = {"loss by chance", 300000, 16, 44, 0, 0, 0, false, 1};
		struct outcome ideal = walk(&a), o;

		a.loss = loss[i];
		o = walk(&a);
		assert_true(o.octets / o.questions >= ideal.octets / ideal.questions / 2);
		a.columns = 22;
		o = walk(&a);
		assert_true(o.octets / o.questions >= ideal.octets / ideal.questions / 2);
		a.repetitions = 20;
		a.columns = 1;
		o = walk(&a);
		assert_true(o.rows / o.questions >= 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_question_is_small),
		cmocka_unit_test(test_it_doubles_up_to_the_target),
		cmocka_unit_test(test_the_cap_is_obeyed),
		cmocka_unit_test(test_each_further_try_asks_for_half),
		cmocka_unit_test(test_larger_rows_shrink_it_at_once),
		cmocka_unit_test(test_one_loss_lowers_nothing),
		cmocka_unit_test(test_tries_of_a_question_count_once),
		cmocka_unit_test(test_answers_that_cannot_be),
		cmocka_unit_test(test_it_goes_on_from_what_was_answered),
		cmocka_unit_test(test_lost_twice_is_a_wall),
		cmocka_unit_test(test_lost_three_times_is_a_wall_where_it_was_answered),
		cmocka_unit_test(test_a_wall_is_tried_again),
		cmocka_unit_test(test_losses_far_apart_are_no_wall),
		cmocka_unit_test(test_too_big_halves_down_to_one),
		cmocka_unit_test(test_the_way_up_from_the_bottom),
		cmocka_unit_test(test_columns_shrink_too),
		cmocka_unit_test(test_walks_of_agents_that_drop),
		cmocka_unit_test(test_chance_does_not_cripple),
	};

	printf("seed %#llx\n", (unsigned long long)SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

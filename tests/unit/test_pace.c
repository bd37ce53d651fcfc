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

/* All tries of one question are one loss. */
static void test_tries_of_a_question_count_once(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	pace_answered(&p, 10, 10, 40 + 20 * 10);
	pace_answered(&p, 20, 20, 40 + 20 * 20);
	for (size_t asked = 40; asked > 30; asked--)
		pace_lost(&p, asked);
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

static void test_lost_three_times_is_a_wall(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	pace_answered(&p, 10, 10, 40 + 20 * 10);
	pace_answered(&p, 20, 20, 40 + 20 * 20);
	lose(&p, 40, 2);
	assert_int_equal(pace_repetitions(&p, 1, 0), 40);
	lose(&p, 40, 1);
	assert_int_equal(pace_repetitions(&p, 1, 0), 29); /* three quarters, by octets */
	assert_int_equal(pace_columns(&p, 64, 0), 29);
}

/* So much of what is small was lost, and answered, as further tries of lost questions; then all is as before. */
static void lose_small(struct pace *p, int lost, int answered)
{
	for (int i = 0; i < lost + answered; i++) {
		pace_lost(p, 68);
		if (i < lost)
			pace_lost(p, 34);
		pace_answered(p, i < lost ? 1 : 34, 1, 40 + 20);
		for (int k = 0; k < 20; k++)
			pace_answered(p, 68, 68, 40 + 20 * 68);
	}
}

/* The more small tries are lost, the more large ones in a row are no wall yet. */
static void test_chance_is_allowed_for(void **state)
{
	static const struct {
		int lost, answered;
		int wall; /* losses in a row that are one */
	} rows[] = {{0, 0, 3},   {0, 40, 3},  {2, 38, 4}, {8, 32, 4},
		    {12, 28, 5}, {20, 20, 7}, {39, 1, 12}};
	struct pace p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int times = 0;

		pace_start(&p, 0);
		answer_until_steady(&p, 20);
		lose_small(&p, rows[i].lost, rows[i].answered);
		while (pace_columns(&p, 100, 0) == 68 && times < 100) {
			lose(&p, 68, 1);
			times++;
		}
		assert_int_equal(times, rows[i].wall);
	}
}

/* What was lost long ago does not count any more: 128 small tries are looked back on. */
static void test_chance_is_forgotten(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	answer_until_steady(&p, 20);
	lose_small(&p, 60, 0);
	lose_small(&p, 0, 1000);
	lose(&p, 68, 3);
	assert_int_equal(pace_columns(&p, 100, 0), 50);
}

/* A loss of half of what a question asks for must have been a further try, whoever tells of the first. */
static void test_a_small_loss_clears_the_suspicion(void **state)
{
	static const bool told[] = {true, false};
	struct pace p;

	(void)state;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		pace_start(&p, 0);
		answer_until_steady(&p, 20);
		lose(&p, 68, told[i] ? 1 : 2);
		if (told[i])
			pace_lost(&p, 68);
		pace_lost(&p, 34);
		pace_answered(&p, 17, 17, 40 + 20 * 17);
		lose(&p, 68, 2);
		assert_int_equal(pace_columns(&p, 100, 0), 68);
	}
}

/* Though never two in a row; unless small ones are lost about as often. */
static void test_losses_that_come_often_are_a_wall(void **state)
{
	static const struct {
		int small;   /* tries lost, of forty */
		int answers; /* between two large losses */
		bool wall;
	} rows[] = {{0, 1, true},  {0, 2, true},  {0, 3, true},
		    {0, 4, false}, {0, 6, false}, {12, 2, false}};
	struct pace p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pace_start(&p, 0);
		answer_until_steady(&p, 20);
		lose_small(&p, rows[i].small, 40 - rows[i].small);
		for (int k = 0; k < 20 && pace_columns(&p, 100, 0) == 68; k++) {
			lose(&p, 68, 1);
			for (int n = 0; n < rows[i].answers; n++)
				pace_answered(&p, 68, 68, 40 + 20 * 68);
		}
		assert_int_equal(pace_columns(&p, 100, 0) < 68, rows[i].wall);
	}
}

/* Answers until it asks for more than so many varbinds. */
static int answers_until_trial(struct pace *p, size_t held)
{
	int answers = 0;
	size_t n;

	while ((n = pace_columns(p, 100, 0)) <= held && answers < 5000) {
		pace_answered(p, n, n, 40 + 20 * n);
		answers++;
	}
	return answers;
}

/* Where small tries are lost, one loss does not end a trial; and a wall that is new may be chance: it is
 * tried again soon, whatever the one before. */
static void test_trials_where_much_is_lost(void **state)
{
	static const struct {
		int small;   /* tries lost, of forty */
		int trials;  /* that one loss ended, of seven */
		int answers; /* more, before a new wall is tried */
	} rows[] = {{0, 7, 511}, {12, 0, 15}};
	struct pace p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ended = 0;
		size_t held;

		pace_start(&p, 0);
		answer_until_steady(&p, 20);
		lose_small(&p, rows[i].small, 40 - rows[i].small);
		while ((held = pace_columns(&p, 100, 0)) == 68)
			lose(&p, 68, 1);
		for (int trial = 0; trial < 7; trial++) {
			answers_until_trial(&p, held);
			lose(&p, pace_columns(&p, 100, 0), 1);
			ended += pace_columns(&p, 100, 0) == held;
			if (pace_columns(&p, 100, 0) > held)
				lose(&p, pace_columns(&p, 100, 0), 1);
			assert_int_equal(pace_columns(&p, 100, 0), held);
		}
		assert_int_equal(ended, rows[i].trials);
		while (pace_columns(&p, 100, 0) == held)
			lose(&p, held, 1);
		held = pace_columns(&p, 100, 0);
		assert_int_equal(answers_until_trial(&p, held), rows[i].answers);
	}
}

/* Losses of half the size, or of twice, are no more of the same. */
static void test_a_suspicion_is_of_one_size(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0);
	pace_answered(&p, 10, 10, 40 + 20 * 10);
	pace_answered(&p, 20, 20, 40 + 20 * 20);
	pace_answered(&p, 34, 34, 40 + 20 * 34);
	lose(&p, 68, 2);
	pace_answered(&p, 20, 20, 40 + 20 * 20);
	lose(&p, 25, 1);
	lose(&p, 68, 1);
	assert_int_equal(pace_columns(&p, 100, 0), 68);
	lose(&p, 68, 2);
	assert_int_equal(pace_columns(&p, 100, 0), 50);
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
	lose(&p, 40, 3);
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
	lose(&p, 68, 2);
	for (int i = 0; i < 40; i++)
		pace_answered(&p, 10, 10, 40 + 20 * 10);
	lose(&p, 68, 2);
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
	lose(&p, 30, 3);
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
	unsigned loss;      /* of 100 exchanges */
	bool too_big;       /* says so instead of dropping */
	size_t columns;     /* of each question */
	unsigned growth;    /* rows become so many times larger, evenly, until the end; 0: not */
};

struct manager { /* the one who asks */
	unsigned retries;
	bool tells_all; /* of all lost tries, not only of the last before the answer */
};

static const struct manager managers[] = {{12, false}, {4, false}, {2, false},
					  {12, true},  {4, true},  {2, true}};

#define MANAGERS (sizeof(managers) / sizeof(managers[0]))

struct outcome {
	size_t questions, lost, chance, too_big, rows, octets;
};

struct world {
	const struct agent *a;
	const struct manager *m;
	struct pace p;
	struct outcome o;
	uint64_t x;
};

static uint64_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x >> 11;
}

/* Octets of the answer to a question for n varbinds. */
static size_t answer_octets(struct world *w, size_t n)
{
	const struct agent *a = w->a;
	size_t octets = 0;

	for (size_t i = 0; i < n; i++)
		octets += a->least + draw(&w->x) % (a->most - a->least + 1);
	if (a->growth)
		octets += octets * (a->growth - 1) * w->o.rows / a->rows;
	return 45 + octets;
}

/* Varbinds of a question after so many tries: the last is for a single one. */
static size_t varbinds_of(struct world *w, unsigned tries)
{
	size_t columns = pace_columns(&w->p, w->a->columns, 0);
	size_t n = columns * pace_repetitions(&w->p, columns, tries);

	if (tries && tries == w->m->retries)
		return 1;
	return n > columns || !tries ? n : pace_columns(&w->p, columns, tries);
}

static void answered(struct world *w, const size_t *lost, size_t nlost, size_t asked, size_t octets)
{
	const struct agent *a = w->a;
	size_t given = a->repetitions && asked > a->repetitions * a->columns
			       ? a->repetitions * a->columns
			       : asked;

	for (size_t i = w->m->tells_all || !nlost ? 0 : nlost - 1; i < nlost; i++)
		if (w->m->tells_all || lost[i] > asked)
			pace_lost(&w->p, lost[i]);
	pace_answered(&w->p, asked, given, octets);
	w->o.questions++;
	w->o.rows += given;
	w->o.octets += octets;
}

/* One question with all its tries, as the engine has them. False: none was answered. */
static bool ask_once(struct world *w)
{
	const struct agent *a = w->a;
	size_t lost[16], nlost = 0;

	for (unsigned tries = 0; tries <= w->m->retries;) {
		size_t asked = varbinds_of(w, tries), limit = a->repetitions * a->columns;
		size_t octets = answer_octets(w, limit && asked > limit ? limit : asked);
		bool large = a->limit && octets > a->limit, chance = draw(&w->x) % 100 < a->loss;

		if (large && a->too_big) {
			w->o.too_big++;
			assert_true(pace_too_big(&w->p, asked));
			tries = 0;
			continue;
		}
		if (large || chance) {
			lost[nlost++] = asked;
			w->o.lost++;
			w->o.chance += chance;
			tries++;
			continue;
		}
		answered(w, lost, nlost, asked, octets);
		return true;
	}
	return false;
}

static struct outcome walk_seed(const struct agent *a, const struct manager *m, uint64_t seed)
{
	struct world w = {.a = a, .m = m, .x = seed};

	pace_start(&w.p, 0);
	while (w.o.rows < a->rows)
		if (!ask_once(&w) && a->loss == 0)
			fail_msg("%s: a question without an answer after %zu rows", a->name,
				 w.o.rows);
	printf("%#llx %-2u%s %-30s %2u %% %7zu questions, %5zu octets each, %6zu tries lost "
	       "(chance %6zu), "
	       "%3zu tooBig\n",
	       (unsigned long long)seed, m->retries, m->tells_all ? " all" : "    ", a->name,
	       a->loss, w.o.questions, w.o.octets / w.o.questions, w.o.lost, w.o.chance,
	       w.o.too_big);
	return w.o;
}

/* At most so many tries lost; answers at least so large, in the mean. */
static void test_walks_of_agents_that_drop(void **state)
{
	static const struct {
		struct agent a;
		size_t lost, octets;
	} rows[] = {
		{{"plain", 100000, 30, 30, 0, 0, 0, false, 1, 0}, 0, 1300},
		{{"plain, rows that vary", 100000, 16, 60, 0, 0, 0, false, 1, 0}, 0, 1000},
		{{"drops above 1,300", 100000, 30, 30, 1300, 0, 0, false, 1, 0}, 16, 800},
		{{"drops above 1,024", 100000, 30, 30, 1024, 0, 0, false, 1, 0}, 16, 600},
		{{"drops above 1,024, vary", 100000, 16, 60, 1024, 0, 0, false, 1, 0}, 200, 500},
		{{"drops above 484", 100000, 30, 30, 484, 0, 0, false, 1, 0}, 16, 300},
		{{"drops above 484, 8 columns", 100000, 30, 30, 484, 0, 0, false, 8, 0}, 16, 240},
		{{"drops above 200", 10000, 30, 30, 200, 0, 0, false, 1, 0}, 20, 100},
		{{"drops above 1,024, a million", 1000000, 30, 30, 1024, 0, 0, false, 1, 0},
		 18,
		 600},
		{{"drops above 1,024, rows grow", 300000, 20, 20, 1024, 0, 0, false, 1, 5},
		 40,
		 600},
		{{"gives 10 repetitions", 100000, 30, 30, 0, 10, 0, false, 1, 0}, 0, 300},
		{{"tooBig above 1,024", 100000, 30, 30, 1024, 0, 0, true, 1, 0}, 0, 500},
		{{"tooBig above 484", 100000, 30, 30, 484, 0, 0, true, 1, 0}, 0, 240},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * MANAGERS; i++) {
		struct outcome o = walk_seed(&rows[i / MANAGERS].a, &managers[i % MANAGERS], SEED);

		assert_true(o.lost <= rows[i / MANAGERS].lost);
		assert_true(o.too_big <= 12);
		assert_true(o.octets / o.questions >= rows[i / MANAGERS].octets);
		assert_true(o.octets / o.questions <= PACE_OCTETS);
	}
}

/* Loss by chance, also of a device that limits itself: answers keep so many of 100 octets of what they have
 * without it. */
static void test_chance_does_not_cripple(void **state)
{
	static const struct {
		unsigned loss, kept;
	} rows[] = {{1, 98}, {5, 90}, {10, 90}, {20, 70}, {30, 60}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * MANAGERS * 4; i++) {
		const struct manager *m = &managers[i / 4 % MANAGERS];
		struct agent a = {"loss by chance", 300000, 16, 44, 0, 0, 0, false, 1, 0};
		struct outcome ideal, o;

		if (i % 4 == 1)
			a.repetitions = 20;
		if (i % 4 == 2)
			a.columns = 22;
		ideal = walk_seed(&a, m, SEED + i % 4);
		a.loss = rows[i / 4 / MANAGERS].loss;
		o = walk_seed(&a, m, SEED + i % 4);
		assert_true(o.octets / o.questions * 100 >=
			    ideal.octets / ideal.questions * rows[i / 4 / MANAGERS].kept);
	}
}

/* A wall and chance: below the wall, at half of it or more, and less than three times the losses that chance makes. */
static void test_a_wall_and_chance(void **state)
{
	static const size_t walls[] = {1300, 1024, 700};
	static const unsigned loss[] = {5, 10, 20};

	(void)state;
	for (size_t i = 0; i < 3 * 3 * MANAGERS * 3; i++) {
		struct agent a = {"drops, and chance", 300000, 30, 30, walls[i % 3], 0,
				  loss[i / 3 % 3],     false,  1,  0};
		struct outcome o = walk_seed(&a, &managers[i / 9 % MANAGERS],
					     SEED + i / 9 / MANAGERS);

		assert_true(o.octets / o.questions <= a.limit);
		assert_true(o.octets / o.questions * 2 >= a.limit);
		assert_true(o.lost < o.chance * 3);
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
		cmocka_unit_test(test_lost_three_times_is_a_wall),
		cmocka_unit_test(test_chance_is_allowed_for),
		cmocka_unit_test(test_chance_is_forgotten),
		cmocka_unit_test(test_a_small_loss_clears_the_suspicion),
		cmocka_unit_test(test_losses_that_come_often_are_a_wall),
		cmocka_unit_test(test_trials_where_much_is_lost),
		cmocka_unit_test(test_a_suspicion_is_of_one_size),
		cmocka_unit_test(test_a_wall_is_tried_again),
		cmocka_unit_test(test_losses_far_apart_are_no_wall),
		cmocka_unit_test(test_too_big_halves_down_to_one),
		cmocka_unit_test(test_the_way_up_from_the_bottom),
		cmocka_unit_test(test_columns_shrink_too),
		cmocka_unit_test(test_walks_of_agents_that_drop),
		cmocka_unit_test(test_chance_does_not_cripple),
		cmocka_unit_test(test_a_wall_and_chance),
	};

	printf("seed %#llx\n", (unsigned long long)SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

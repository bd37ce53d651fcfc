/* amqp_put: which message a broker's answer is about, by the numbers of a channel. The rest has a broker: tests/e2e/test_amqp.py. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "link/amqp_calls.h"

#define PUT_MAX 3000

static struct rabbit r;

/* As rabbit_put() leaves it. Ids are numbers + 1000. */
static void put(unsigned n)
{
	while (n-- > 0) {
		r.put[r.next % LINK_PUTS_MAX] = (struct rabbit_put){.id = r.next + 1000};
		r.next++;
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	r.first = r.next = 1;
	return 0;
}

static void expect(enum link_event_kind kind, uint64_t number)
{
	struct link_event e;

	assert_true(rabbit_next_answer(&r, &e));
	assert_int_equal(e.kind, kind);
	assert_int_equal(e.id, number + 1000);
}

static void expect_nothing(void)
{
	struct link_event e;

	assert_false(rabbit_next_answer(&r, &e));
}

static void test_one_by_one(void **state)
{
	(void)state;
	put(3);
	rabbit_confirm(&r, 2, false, false);
	expect(LINK_CONFIRMED, 2);
	expect_nothing();
	assert_int_equal(r.first, 1);
	rabbit_confirm(&r, 2, false, false); /* said twice */
	expect_nothing();
	rabbit_confirm(&r, 1, false, true);
	expect(LINK_NACKED, 1);
	assert_int_equal(r.first, 3);
	rabbit_confirm(&r, 3, false, false);
	expect(LINK_CONFIRMED, 3);
	assert_true(r.first == 4 && r.next == 4);
}

static void test_all_up_to_one(void **state)
{
	(void)state;
	put(6);
	rabbit_confirm(&r, 3, false, false);
	expect(LINK_CONFIRMED, 3);
	rabbit_return(&r, 2);
	rabbit_confirm(&r, 5, true, false);
	expect(LINK_CONFIRMED, 1);
	put(2); /* between two of its answers */
	expect(LINK_RETURNED, 2);
	expect(LINK_CONFIRMED, 4);
	expect(LINK_CONFIRMED, 5);
	expect_nothing();
	rabbit_confirm(&r, 8, true, true);
	for (uint64_t n = 6; n <= 8; n++)
		expect(LINK_NACKED, n);
	expect_nothing();
	assert_int_equal(r.first, r.next);
}

/* Numbers that were never given, or answered long ago: a broker that is wrong, or answers a channel that is no more. */
static void test_no_such_number(void **state)
{
	(void)state;
	put(2);
	rabbit_confirm(&r, 0, true, false);
	expect_nothing();
	rabbit_confirm(&r, 3, false, false);
	expect_nothing();
	rabbit_confirm(&r, 1, false, false);
	expect(LINK_CONFIRMED, 1);
	rabbit_confirm(&r, 1, true, false);
	expect_nothing();
	rabbit_return(&r, 9);
	rabbit_confirm(&r, 2, false, false);
	expect(LINK_CONFIRMED, 2);
}

static void expect_word(struct rabbit_tags *t, uint64_t number, bool multiple)
{
	bool all;

	assert_int_equal(rabbit_tags_next(t, &all), number);
	assert_int_equal(all, multiple);
}

static void expect_no_word(struct rabbit_tags *t)
{
	bool all;

	assert_int_equal(rabbit_tags_next(t, &all), 0);
}

/* One word about many, as long as it is about no other; never two about one. */
static void test_words_about_many(void **state)
{
	struct rabbit_tags t = {0};

	(void)state;
	expect_no_word(&t);
	for (uint64_t n = 1; n <= 9; n++)
		rabbit_tags_taken(&t, n);
	rabbit_tags_ack(&t, 2);
	rabbit_tags_ack(&t, 1);
	rabbit_tags_ack(&t, 3);
	rabbit_tags_ack(&t, 5); /* 4 is still open */
	expect_word(&t, 3, true);
	expect_word(&t, 5, false);
	expect_no_word(&t);
	rabbit_tags_ack(&t, 5);
	rabbit_tags_ack(&t, 10);
	expect_no_word(&t);
	rabbit_tags_ack(&t, 4);
	expect_word(&t, 4, false);
	assert_true(rabbit_tags_settle(&t, 6)); /* sent back: told already */
	assert_false(rabbit_tags_settle(&t, 6));
	rabbit_tags_ack(&t, 6);
	expect_no_word(&t);
	rabbit_tags_ack(&t, 8);
	rabbit_tags_ack(&t, 7);
	expect_word(&t, 8, true);
	rabbit_tags_ack(&t, 9);
	expect_word(&t, 9, false);
	rabbit_tags_clear(&t);
}

/* Against a broker that knows what is open. */
static void test_words_at_random(void **state)
{
	struct rabbit_tags t = {0};
	bool open[PUT_MAX + 1] = {false}, done[PUT_MAX + 1] = {false};
	uint64_t last = 0, settled = 0, words = 0;

	(void)state;
	srand(7);
	while (settled < PUT_MAX) {
		uint64_t number,
			one = last > 0 ? last - (uint64_t)rand() % (last < 40 ? last : 40) : 0;
		bool all;

		if (last < PUT_MAX && rand() % 2)
			rabbit_tags_taken(&t, ++last), open[last] = true;
		if (last == PUT_MAX)
			one = (uint64_t)rand() % PUT_MAX + 1;
		if (one > 0 && rand() % 8 == 0 && open[one] && !done[one]) {
			assert_true(rabbit_tags_settle(&t, one));
			open[one] = false;
			settled++;
		} else if (one > 0) {
			rabbit_tags_ack(&t, one);
			done[one] = true;
		}
		while (rand() % 4 == 0 && (number = rabbit_tags_next(&t, &all)) > 0) {
			words++;
			assert_true(open[number]);
			for (uint64_t n = all ? 1 : number; n <= number; n++) {
				assert_true(!open[n] || done[n]);
				settled += open[n];
				open[n] = false;
			}
		}
	}
	expect_no_word(&t);
	assert_in_range(words, 1, PUT_MAX - 1);
	rabbit_tags_clear(&t);
}

/* Each message has one answer, whatever the order: against a list. */
static void test_against_a_list(void **state)
{
	static bool answered[PUT_MAX + 2 * LINK_PUTS_MAX + 2];
	unsigned told = 0;
	struct link_event e;

	(void)state;
	memset(answered, 0, sizeof(answered));
	srand(7);
	while (told < PUT_MAX) {
		uint64_t open = r.next - r.first;

		put((unsigned)rand() % (unsigned)(LINK_PUTS_MAX + 1 - open));
		if (r.next == r.first)
			continue;
		rabbit_confirm(&r, r.first + (uint64_t)rand() % (r.next - r.first), rand() % 3 == 0,
			       rand() % 2);
		while (rabbit_next_answer(&r, &e)) {
			assert_false(answered[e.id - 1000]);
			answered[e.id - 1000] = true;
			told++;
		}
		for (uint64_t n = 1; n < r.first; n++)
			assert_true(answered[n]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_words_about_many, setup),
		cmocka_unit_test_setup(test_words_at_random, setup),
		cmocka_unit_test_setup(test_one_by_one, setup),
		cmocka_unit_test_setup(test_all_up_to_one, setup),
		cmocka_unit_test_setup(test_no_such_number, setup),
		cmocka_unit_test_setup(test_against_a_list, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
		cmocka_unit_test_setup(test_one_by_one, setup),
		cmocka_unit_test_setup(test_all_up_to_one, setup),
		cmocka_unit_test_setup(test_no_such_number, setup),
		cmocka_unit_test_setup(test_against_a_list, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

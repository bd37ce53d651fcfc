/*
 * master, agents beyond a broker: the care for the child that holds the link (master_remote_link.c). The first one does
 * wrong with tasks in hand; the second one has its work done. The broker and its agents are remote_stage.h's.
 */
#include <stdlib.h>

#include "remote_stage.h"

static void run_with_two(struct trial *t)
{
	t->remote.patience_us = 60000000;
	run_all(t, 200);
	assert_int_equal(t->ok, 200);
	assert_int_equal(world->births, 2);
	assert_int_equal(t->result.deaths, 1);
	assert_int_equal(t->result.remote.republished, 0);
}

/* What it said last makes no sense: nothing more of it is believed. */
static void test_says_what_it_may_not_say(void **state)
{
	play.babbles = true;
	run_with_two(*state);
}

/* It is asked, and if it does not answer, killed. */
static void test_says_nothing(void **state)
{
	struct trial *t = *state;

	play.mute = true;
	t->remote.silence_us = 1500000;
	run_with_two(t);
}

/* One that has nothing to say, but answers, is not: its agents take their time. */
static void test_answers_when_asked(void **state)
{
	struct trial *t = *state;

	play.busy_us = 5000000;
	t->remote.silence_us = 1500000;
	t->remote.patience_us = 60000000;
	run_all(t, 40);
	assert_int_equal(t->ok, 40);
	assert_int_equal(world->births, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_says_what_it_may_not_say),
		TEST(test_says_nothing),
		TEST(test_answers_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

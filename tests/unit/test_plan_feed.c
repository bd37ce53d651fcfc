/* plan_feed: what is fed is handed out once, in order, kind by kind; "none yet" is not "that was all"; strings are kept once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/task.h"
#include "plan/fed.h"
#include "plan/plan_internal.h"

static int setup(void **state)
{
	struct plan *p = mem_zero(1, sizeof(*p));

	plan_feed_open(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	plan_feed_free(*state);
	free(*state);
	return 0;
}

static void feed(struct plan *p, uint64_t seq, uint8_t transport, const char *host)
{
	char text[64];
	struct plan_target t = {.seq = seq, .transport = transport, .profile = 3, .host = text};

	snprintf(text, sizeof(text), "%s", host);
	if (transport == TRANSPORT_UNIX)
		t.path = text;
	else
		t.name = text;
	plan_feed(p, &t);
	memset(text, 'x', sizeof(text) - 1); /* whoever keeps it, keeps this */
}

static void next_is(struct plan *p, enum plan_kind kind, uint64_t seq, const char *host)
{
	struct plan_target t;

	assert_true(plan_next(p, kind, &t));
	assert_int_equal(t.seq, seq);
	assert_int_equal(t.profile, 3);
	assert_string_equal(t.host, host);
	assert_string_equal(t.path != NULL ? t.path : t.name, host);
}

static void test_order_and_kinds(void **state)
{
	struct plan *p = *state;
	struct plan_target t;

	feed(p, 7, TRANSPORT_UDP, "a");
	feed(p, 9, TRANSPORT_UNIX, "/b");
	feed(p, 7, TRANSPORT_UDP, "c"); /* the same number, twice: the caller's word */
	feed(p, 8, TRANSPORT_TCP, "d");
	assert_int_equal(plan_total(p), 4);
	next_is(p, PLAN_DATAGRAMS, 7, "a");
	next_is(p, PLAN_DATAGRAMS, 7, "c");
	assert_false(plan_next(p, PLAN_DATAGRAMS, &t));
	next_is(p, PLAN_SESSIONS, 9, "/b");
	next_is(p, PLAN_SESSIONS, 8, "d");
	assert_false(plan_next(p, PLAN_SESSIONS, &t));
	assert_int_equal(plan_total(p), 4);
}

static void test_open_until_closed(void **state)
{
	struct plan *p = *state, listed = {0};
	struct plan_target t;

	assert_false(plan_next(p, PLAN_DATAGRAMS, &t));
	assert_true(plan_is_open(p));
	feed(p, 1, TRANSPORT_UDP, "a");
	plan_feed_close(p);
	assert_false(plan_is_open(p));
	next_is(p, PLAN_DATAGRAMS, 1, "a"); /* what was fed before is handed out */
	assert_false(plan_next(p, PLAN_DATAGRAMS, &t));
	assert_false(plan_is_open(&listed));
}

/* A ring that grows while it is turned by any amount, against a count. */
static void test_any_number(void **state)
{
	struct plan *p = *state;
	uint64_t in = 0, out = 0;
	char host[16];

	for (unsigned step = 1; step < 200; step++) {
		for (unsigned i = 0; i < step; i++, in++) {
			snprintf(host, sizeof(host), "h%u", (unsigned)in);
			feed(p, in, TRANSPORT_UDP, host);
		}
		for (unsigned i = 0; i < step * 2 / 3; i++, out++) {
			snprintf(host, sizeof(host), "h%u", (unsigned)out);
			next_is(p, PLAN_DATAGRAMS, out, host);
		}
	}
	for (; out < in; out++) {
		snprintf(host, sizeof(host), "h%u", (unsigned)out);
		next_is(p, PLAN_DATAGRAMS, out, host);
	}
}

/* Round after round the same strings: the same copies, which stay. */
static void test_strings_once(void **state)
{
	struct plan *p = *state;
	struct plan_target t, first[100];
	char host[16];

	for (unsigned round = 0; round < 50; round++)
		for (unsigned i = 0; i < 100; i++) {
			snprintf(host, sizeof(host), "h%u", i);
			feed(p, i, TRANSPORT_UDP, host);
			assert_true(plan_next(p, PLAN_DATAGRAMS, &t));
			if (round == 0)
				first[i] = t;
			assert_ptr_equal(t.host, first[i].host);
			assert_ptr_equal(t.name, first[i].host);
			assert_string_equal(first[i].host, host);
		}
}

/* What was fed since then is taken back, of each kind; what was there before stays, and what comes is next. */
static void test_undo(void **state)
{
	struct plan *p = *state;
	struct plan_target t;

	for (unsigned i = 0; i < 60; i++)
		feed(p, i, TRANSPORT_UDP, "a");
	feed(p, 7, TRANSPORT_UNIX, "/b");
	for (unsigned i = 0; i < 50; i++)
		next_is(p, PLAN_DATAGRAMS, i, "a");
	plan_feed_begin(p);
	for (unsigned i = 0; i < 200; i++) { /* the ring grows */
		feed(p, 1000, TRANSPORT_UDP, "x");
		feed(p, 1000, TRANSPORT_UNIX, "/x");
	}
	plan_feed_undo(p);
	assert_int_equal(plan_total(p), 61);
	feed(p, 60, TRANSPORT_UDP, "a");
	for (unsigned i = 50; i < 61; i++)
		next_is(p, PLAN_DATAGRAMS, i, "a");
	next_is(p, PLAN_SESSIONS, 7, "/b");
	assert_false(plan_next(p, PLAN_DATAGRAMS, &t));
	assert_false(plan_next(p, PLAN_SESSIONS, &t));
}

static void test_without_strings(void **state)
{
	struct plan *p = *state;
	struct plan_target t = {.seq = 5, .addr = {.family = 4, .ip = {192, 0, 2, 1}, .port = 161}};

	plan_feed(p, &t);
	memset(&t, 0xff, sizeof(t));
	assert_true(plan_next(p, PLAN_DATAGRAMS, &t));
	assert_null(t.host);
	assert_null(t.name);
	assert_null(t.path);
	assert_int_equal(t.addr.ip[3], 1);
	assert_int_equal(t.addr.port, 161);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_and_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_until_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strings_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_strings, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

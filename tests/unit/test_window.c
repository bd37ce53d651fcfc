/*
 * window: its courier is the other end of a socketpair, read frame by frame; the clock is a number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/wire.h"
#include "link/batch.h"
#include "link/window.h"

#define SECOND INT64_C(1000000)
#define MS     INT64_C(1000)

struct stage {
	int fd[2];
	struct queue *ours, *courier;
	struct window *w;
	int64_t now_us;
};

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s->fd), 0);
	s->ours = queue_new(s->fd[0]);
	s->courier = queue_new(s->fd[1]);
	s->w = window_new();
	s->now_us = 1000 * SECOND;
	window_attach(s->w, s->ours);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	window_free(s->w);
	queue_free(s->ours);
	queue_free(s->courier);
	close(s->fd[0]);
	close(s->fd[1]);
	free(s);
	return 0;
}

static uint64_t put_to(struct stage *s, enum courier_to to, const char *key, const char *body)
{
	struct queue_part parts[2] = {{body, strlen(body)}, {".", 1}};
	struct window_to where = {.to = to, .key = key, .mark = (uint64_t)(uint8_t)body[0] + 1000};

	return window_put(s->w, &where, parts, 2, s->now_us);
}

static uint64_t put(struct stage *s, const char *key, const char *body)
{
	return put_to(s, COURIER_TASKS, key, body);
}

/* One frame as text: "PUT 3 0 site body" or "REOPEN". False: there is none. */
static bool next_text(struct stage *s, char *out, size_t len)
{
	struct queue_frame f;

	if (!queue_next(s->courier, &f))
		return false;
	if (f.kind == COURIER_REOPEN) {
		assert_int_equal(f.len, 0);
		snprintf(out, len, "REOPEN");
		return true;
	}
	struct wire_in r = {.at = f.data, .end = f.data + f.len};
	uint64_t id = wire_get_u64(&r);
	uint8_t to = wire_get_u8(&r);
	uint16_t key_len;
	const uint8_t *key = wire_get_str(&r, &key_len);
	if (f.kind == COURIER_PUT_LENT) {
		unsigned epoch = wire_get_u32(&r), at = wire_get_u32(&r), n = wire_get_u32(&r);

		assert_true(!r.bad && r.at == r.end);
		snprintf(out, len, "%u:%u%.*s:[%u:%u+%u]", (unsigned)id, to, key_len,
			 (const char *)key, epoch, at, n);
		return true;
	}
	assert_int_equal(f.kind, COURIER_PUT);
	assert_false(r.bad);
	snprintf(out, len, "%u:%u%.*s:%.*s", (unsigned)id, to, key_len, (const char *)key,
		 (int)(r.end - r.at), (const char *)r.at);
	return true;
}

/* All that has come to the courier since the last time, with blanks between. */
static void assert_sent(struct stage *s, const char *wanted)
{
	char all[4096] = "", one[128];

	assert_true(queue_flush(s->ours));
	assert_int_equal(queue_read(s->courier), QUEUE_OPEN);
	while (next_text(s, one, sizeof(one))) {
		if (all[0])
			strcat(all, " ");
		assert_true(strlen(all) + strlen(one) + 2 < sizeof(all));
		strcat(all, one);
	}
	assert_string_equal(all, wanted);
}

static void assert_sent_first(struct stage *s, const char *wanted)
{
	char one[128] = "";

	assert_true(queue_flush(s->ours));
	assert_int_equal(queue_read(s->courier), QUEUE_OPEN);
	assert_true(next_text(s, one, sizeof(one)));
	assert_string_equal(one, wanted);
}

/* How many frames have come, whatever they say. */
static size_t sent_count(struct stage *s)
{
	struct queue_frame f;
	size_t n = 0, before;

	do {
		before = n;
		assert_true(queue_flush(s->ours));
		assert_int_equal(queue_read(s->courier), QUEUE_OPEN);
		while (queue_next(s->courier, &f))
			n++;
	} while (n > before || queue_backlog(s->ours) > 0);
	return n;
}

static void confirm(struct stage *s, uint64_t id)
{
	uint64_t mark = 0;

	assert_true(window_confirmed(s->w, id, &mark, s->now_us));
}

static void turn(struct stage *s, int64_t us)
{
	s->now_us += us;
	window_turn(s->w, s->now_us);
}

/* --- ids, marks, what is settled ---------------------------------------------------------- */

static void test_what_is_sent(void **state)
{
	struct stage *s = *state;

	window_up(s->w, s->now_us);
	assert_int_equal(put(s, "north", "a"), 1);
	assert_int_equal(put_to(s, COURIER_RESULTS, "m1", "b"), 2);
	assert_int_equal(put_to(s, COURIER_CONTROL, "", ""), 3);
	assert_sent(s, "1:0north:a. 2:1m1:b. 3:2:.");
	assert_int_equal(window_open(s->w), 3);
}

/* What is lent goes as its place, each time with the count of UPs; in order with what is copied. */
static void test_lent(void **state)
{
	struct stage *s = *state;
	struct window_to to = {.to = COURIER_RESULTS, .key = "m1", .mark = 4};
	struct window_lent body = {.at = 4096, .len = 150};
	uint64_t mark = 0;

	window_up(s->w, s->now_us);
	put(s, "north", "a");
	assert_int_equal(window_put_lent(s->w, &to, &body, s->now_us), 2);
	body.at = 0;
	window_put_lent(s->w, &to, &body, s->now_us);
	put(s, "north", "b");
	assert_sent(s, "1:0north:a. 2:1m1:[1:4096+150] 3:1m1:[1:0+150] 4:0north:b.");
	confirm(s, 3);
	assert_true(window_nacked(s->w, 2, s->now_us));
	turn(s, 50 * MS);
	assert_sent(s, "2:1m1:[1:4096+150]"); /* of that channel still */
	window_down(s->w);
	window_up(s->w, s->now_us);
	assert_sent(s, "1:0north:a. 2:1m1:[2:4096+150] 4:0north:b.");
	window_attach(s->w, s->ours); /* to another courier, which counts anew */
	window_up(s->w, s->now_us);
	assert_sent(s, "1:0north:a. 2:1m1:[1:4096+150] 4:0north:b.");
	assert_true(window_confirmed(s->w, 2, &mark, s->now_us));
	assert_int_equal(mark, 4);
	assert_int_equal(window_open(s->w), 2);
}

/* It counts as octets of the window like others. */
static void test_lent_fills(void **state)
{
	struct stage *s = *state;
	struct window_to to = {.to = COURIER_RESULTS, .key = "m1"};
	struct window_lent body = {.at = 0, .len = WINDOW_BODY_MAX};
	unsigned n = 0;

	while (window_wants(s->w, to.to, to.key) && n++ < WINDOW_MAX)
		window_put_lent(s->w, &to, &body, s->now_us);
	assert_in_range(n * body.len, WINDOW_OCTETS / 2, WINDOW_OCTETS / 2 + body.len);
}

static void test_out_of_order(void **state)
{
	struct stage *s = *state;
	uint64_t mark = 0;

	window_up(s->w, s->now_us);
	assert_int_equal(window_settled(s->w), 0);
	for (const char *p = "abcd"; *p; p++)
		put(s, "x", (char[]){*p, 0});
	assert_true(window_confirmed(s->w, 3, &mark, s->now_us));
	assert_int_equal(mark, 1000 + 'c');
	assert_int_equal(window_settled(s->w), 0);
	confirm(s, 1);
	assert_int_equal(window_settled(s->w), 1);
	confirm(s, 2);
	assert_int_equal(window_settled(s->w), 3);
	assert_false(window_confirmed(s->w, 2, &mark, s->now_us));
	assert_false(window_nacked(s->w, 2, s->now_us));
	assert_false(window_returned(s->w, 0, &mark, s->now_us));
	assert_false(window_confirmed(s->w, 5, &mark, s->now_us));
	confirm(s, 4);
	assert_int_equal(window_settled(s->w), 4);
	assert_int_equal(window_open(s->w), 0);
	assert_int_equal(put(s, "x", "e"), 5);
	assert_int_equal(window_settled(s->w), 4);
}

static void test_returned(void **state)
{
	struct stage *s = *state;
	uint64_t mark = 0;

	window_up(s->w, s->now_us);
	put(s, "nowhere", "q");
	assert_true(window_returned(s->w, 1, &mark, s->now_us));
	assert_int_equal(mark, 1000 + 'q');
	assert_int_equal(window_open(s->w), 0);
	assert_int_equal(window_settled(s->w), 1);
	window_up(s->w, s->now_us);
	assert_sent(s, "1:0nowhere:q.");
}

/* --- connections and couriers come and go --------------------------------------------------- */

static void test_all_goes_again(void **state)
{
	struct stage *s = *state;

	put(s, "x", "a");
	put(s, "x", "b");
	put(s, "x", "c");
	assert_sent(s, ""); /* nobody is up */
	window_up(s->w, s->now_us);
	assert_sent(s, "1:0x:a. 2:0x:b. 3:0x:c.");
	confirm(s, 2);
	window_up(s->w, s->now_us);
	assert_sent(s, "1:0x:a. 3:0x:c.");
	window_down(s->w);
	put(s, "x", "d");
	assert_sent(s, "");
	confirm(s, 1); /* was on its way */
	window_up(s->w, s->now_us);
	assert_sent(s, "3:0x:c. 4:0x:d.");
}

static void test_another_courier(void **state)
{
	struct stage *s = *state;

	window_up(s->w, s->now_us);
	put(s, "x", "a");
	assert_sent(s, "1:0x:a.");
	window_down(s->w);
	window_attach(s->w, NULL);
	put(s, "x", "b");
	turn(s, 10 * SECOND);
	window_up(s->w, s->now_us); /* without a queue: harmless */
	window_attach(s->w, s->ours);
	put(s, "x", "c");
	assert_sent(s, ""); /* attached is not up */
	window_up(s->w, s->now_us);
	assert_sent(s, "1:0x:a. 2:0x:b. 3:0x:c.");
}

/* --- full ----------------------------------------------------------------------------------- */

static void test_full_by_count(void **state)
{
	struct stage *s = *state;
	char key[8];

	for (unsigned i = 0; i < WINDOW_MAX; i++) {
		assert_false(window_full(s->w));
		snprintf(key, sizeof(key), "k%u", i);
		assert_true(window_wants(s->w, COURIER_TASKS, key));
		put(s, key, "a");
	}
	assert_true(window_full(s->w));
	assert_false(window_wants(s->w, COURIER_TASKS, "another"));
	confirm(s, WINDOW_MAX / 2);
	assert_false(window_full(s->w));
	assert_true(window_wants(s->w, COURIER_TASKS, "another"));
	put(s, "another", "b");
	window_up(s->w, s->now_us); /* each to its own key */
	assert_sent_first(s, "1:0k0:a.");
	assert_int_equal(sent_count(s), WINDOW_MAX - 1);
}

static void test_full_by_octets(void **state)
{
	struct stage *s = *state;
	static char body[BATCH_BODY_MAX];
	struct queue_part part = {body, sizeof(body)};
	size_t n = 0;

	while (!window_full(s->w)) {
		window_put(s->w, &(struct window_to){COURIER_TASKS, "x", 0}, &part, 1, s->now_us);
		n++;
	}
	assert_in_range(n * sizeof(body), WINDOW_OCTETS, WINDOW_OCTETS + sizeof(body) - 1);
	assert_true(n < WINDOW_MAX); /* or it would be no bound */
	assert_false(window_wants(s->w, COURIER_TASKS, "another"));
	window_put(s->w, &(struct window_to){COURIER_CONTROL, "", 0}, NULL, 0, s->now_us);
	confirm(s, 1);
	assert_false(window_full(s->w));
	assert_true(window_wants(s->w, COURIER_TASKS, "another"));
	assert_false(window_wants(s->w, COURIER_TASKS, "x")); /* more than its share */
	for (uint64_t id = 2; id <= n; id++)
		confirm(s, id);
	assert_true(window_wants(s->w, COURIER_TASKS, "x"));
}

/* Keys that are stuck leave room for the others. */
static void test_shares(void **state)
{
	struct stage *s = *state;
	size_t n[3] = {0};
	const char *const key[3] = {"a", "b", "c"};

	for (int i = 0; i < 3; i++)
		while (window_wants(s->w, COURIER_TASKS, key[i])) {
			put(s, key[i], "x");
			n[i]++;
		}
	assert_int_equal(n[0], WINDOW_MAX / 2);
	assert_int_equal(n[1], WINDOW_MAX / 4);
	assert_int_equal(n[2], WINDOW_MAX / 8);
	assert_true(window_wants(s->w, COURIER_TASKS, "d"));
	assert_true(window_wants(s->w, COURIER_RESULTS, "a")); /* another key */
	window_up(s->w, s->now_us);
	assert_int_equal(sent_count(s), n[0] + n[1] + n[2]);
}

/* --- nacks ---------------------------------------------------------------------------------- */

static void nack(struct stage *s, uint64_t id)
{
	assert_true(window_nacked(s->w, id, s->now_us));
}

static void test_pause_doubles(void **state)
{
	struct stage *s = *state;
	int64_t pause_us = 50 * MS;

	window_up(s->w, s->now_us);
	put(s, "x", "a");
	put(s, "y", "b");
	assert_sent(s, "1:0x:a. 2:0y:b.");
	for (int i = 0; i < 8; i++) {
		nack(s, 1);
		assert_false(window_wants(s->w, COURIER_TASKS, "x"));
		assert_true(window_wants(s->w, COURIER_TASKS, "y"));
		confirm(s, put(s, "y", "c") - 1); /* progress, so that nothing stalls */
		assert_int_equal(window_next_us(s->w), s->now_us + pause_us);
		turn(s, pause_us / 2);
		confirm(s, put(s, "y", "c") - 1);
		sent_count(s);
		turn(s, pause_us - pause_us / 2 - 1);
		assert_sent(s, "");
		turn(s, 1);
		assert_sent(s, "1:0x:a.");
		pause_us = pause_us * 2 < 2 * SECOND ? pause_us * 2 : 2 * SECOND;
	}
	confirm(s, 1);
	assert_true(window_wants(s->w, COURIER_TASKS, "x"));
	uint64_t id = put(s, "x", "d");
	assert_int_equal(sent_count(s), 1);
	nack(s, id); /* the pause begins anew */
	assert_int_equal(window_next_us(s->w), s->now_us + 50 * MS);
}

/* Of ten that were nacked one goes to try, then two for each that is confirmed. */
static void test_careful_after_a_nack(void **state)
{
	struct stage *s = *state;

	window_up(s->w, s->now_us);
	for (int i = 0; i < 10; i++)
		put(s, "x", "a");
	assert_int_equal(sent_count(s), 10);
	for (uint64_t id = 1; id <= 10; id++)
		nack(s, id);
	assert_int_equal(window_next_us(s->w), s->now_us + 50 * MS); /* one burst, one pause */
	turn(s, 50 * MS);
	assert_sent(s, "1:0x:a.");
	assert_false(window_wants(s->w, COURIER_TASKS, "x")); /* first what is here */
	confirm(s, 1);
	assert_sent(s, "2:0x:a. 3:0x:a.");
	confirm(s, 2);
	confirm(s, 3);
	assert_sent(s, "4:0x:a. 5:0x:a. 6:0x:a. 7:0x:a.");
	nack(s, 5);
	confirm(s, 4); /* before the nack: no reason to go on */
	nack(s, 6);
	confirm(s, 7);
	assert_sent(s, "");
	turn(s, 50 * MS);
	assert_sent(s, "5:0x:a.");
}

/* A new connection does not end a pause. */
static void test_pause_outlives_connections(void **state)
{
	struct stage *s = *state;

	window_up(s->w, s->now_us);
	put(s, "x", "a");
	put(s, "y", "b");
	nack(s, 1);
	sent_count(s);
	window_down(s->w);
	window_up(s->w, s->now_us);
	assert_sent(s, "2:0y:b.");
	put(s, "x", "c");
	assert_sent(s, "");
	turn(s, 50 * MS);
	assert_sent(s, "1:0x:a.");
	window_up(s->w, s->now_us); /* nor does one in the try: one goes, as before */
	assert_sent(s, "1:0x:a. 2:0y:b.");
}

/* The nacked one had gone twice, and the other copy was confirmed. */
static void test_pause_of_nothing(void **state)
{
	struct stage *s = *state;

	window_up(s->w, s->now_us);
	put(s, "x", "a");
	nack(s, 1);
	confirm(s, 1);
	assert_int_equal(window_next_us(s->w), LOOP_NEVER);
	turn(s, 50 * MS);
	assert_true(window_wants(s->w, COURIER_TASKS, "x"));
}

/* --- stalls --------------------------------------------------------------------------------- */

static void test_stall(void **state)
{
	struct stage *s = *state;

	window_up(s->w, s->now_us);
	turn(s, 10 * SECOND); /* nothing is owed */
	assert_int_equal(window_next_us(s->w), LOOP_NEVER);
	put(s, "x", "a");
	put(s, "x", "b");
	sent_count(s);
	turn(s, 1500 * MS);
	confirm(s, 1);
	turn(s, 1500 * MS);
	assert_int_equal(window_next_us(s->w), s->now_us + 500 * MS);
	assert_sent(s, "");
	turn(s, 500 * MS);
	assert_sent(s, "REOPEN");
	put(s, "x", "c");
	turn(s, 60 * SECOND);
	assert_sent(s, ""); /* asked once, and nothing goes before the answer */
	assert_int_equal(window_next_us(s->w), LOOP_NEVER);
	window_up(s->w, s->now_us);
	assert_sent(s, "2:0x:b. 3:0x:c.");
}

/* Nothing but nacks is no progress. */
static void test_only_nacks(void **state)
{
	struct stage *s = *state;
	int64_t from_us = s->now_us;
	struct queue_frame f = {0};

	window_up(s->w, s->now_us);
	put(s, "x", "a");
	for (;;) {
		queue_flush(s->ours);
		queue_read(s->courier);
		while (queue_next(s->courier, &f) && f.kind == COURIER_PUT)
			nack(s, 1);
		if (f.kind == COURIER_REOPEN)
			break;
		s->now_us = window_next_us(s->w);
		assert_true(s->now_us < from_us + 3 * SECOND);
		window_turn(s->w, s->now_us);
	}
	assert_int_equal(s->now_us, from_us + WINDOW_STALL_US);
}

static void test_blocked_is_no_stall(void **state)
{
	struct stage *s = *state;

	window_up(s->w, s->now_us);
	put(s, "x", "a");
	sent_count(s);
	window_block(s->w, true, s->now_us);
	put(s, "x", "b");
	turn(s, 60 * SECOND);
	assert_sent(s, "");
	assert_int_equal(window_next_us(s->w), LOOP_NEVER);
	window_block(s->w, false, s->now_us);
	assert_sent(s, "2:0x:b."); /* the first is there still */
	turn(s, 1999 * MS);
	assert_sent(s, "");
	turn(s, 1 * MS);
	assert_sent(s, "REOPEN");
}

/* Each REOPEN that does not help makes the next one wait twice as long, to a minute; quick confirms end that. */
static void test_reopens_become_rare(void **state)
{
	struct stage *s = *state;
	int64_t stall_us = WINDOW_STALL_US;

	for (int i = 0; i < 8; i++) {
		if (i == 0)
			put(s, "x", "a");
		window_up(s->w, s->now_us);
		sent_count(s);
		assert_int_equal(window_next_us(s->w), s->now_us + stall_us);
		turn(s, stall_us);
		assert_sent(s, "REOPEN");
		stall_us = stall_us * 2 < 60 * SECOND ? stall_us * 2 : 60 * SECOND;
	}
	window_up(s->w, s->now_us);
	put(s, "x", "b");
	s->now_us += 20 * SECOND;
	confirm(s, 1); /* slow: the line is, and it is no use to ask so soon again */
	assert_int_equal(window_next_us(s->w), s->now_us + 60 * SECOND);
	for (uint64_t id = 2; id < 7; id++) {
		put(s, "x", "b");
		confirm(s, id);
		stall_us = stall_us / 2 > WINDOW_STALL_US ? stall_us / 2 : WINDOW_STALL_US;
		assert_int_equal(window_next_us(s->w), s->now_us + stall_us);
	}
	assert_int_equal(stall_us, WINDOW_STALL_US);
}

/* Many keys, one after the other: they are forgotten. Valgrind and ASan see the rest. */
static void test_keys_are_forgotten(void **state)
{
	struct stage *s = *state;
	char key[16];

	window_up(s->w, s->now_us);
	for (unsigned i = 0; i < 1000; i++) {
		if (i == 15) /* the last that is new, and in use */
			put(s, "stays", "b");
		sent_count(s);
		snprintf(key, sizeof(key), "m%u", i);
		confirm(s, put_to(s, COURIER_RESULTS, key, "a"));
		assert_int_equal(sent_count(s), 1);
	}
	assert_in_range(window_keys(s->w), 1, 20);
	window_up(s->w, s->now_us);
	assert_sent(s, "16:0stays:b.");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_sent),
		TEST(test_lent),
		TEST(test_lent_fills),
		TEST(test_out_of_order),
		TEST(test_returned),
		TEST(test_all_goes_again),
		TEST(test_another_courier),
		TEST(test_full_by_count),
		TEST(test_full_by_octets),
		TEST(test_shares),
		TEST(test_pause_doubles),
		TEST(test_careful_after_a_nack),
		TEST(test_pause_outlives_connections),
		TEST(test_pause_of_nothing),
		TEST(test_stall),
		TEST(test_only_nacks),
		TEST(test_blocked_is_no_stall),
		TEST(test_reopens_become_rare),
		TEST(test_keys_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

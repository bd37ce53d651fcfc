/*
 * courier: its loop is stepped with a clock that jumps (tests/fuzz/double_loop), its broker is link_fake, its owner is the other end
 * of a socketpair, read as text. In the random walk the owner is a real window.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/double_loop.h"
#include "../fuzz/fuzz.h"
#include "base/wire.h"
#include "link/courier_internal.h"
#include "link/window.h"
#include "link_fake.h"
#include "pool/queue.h"

#define SECOND INT64_C(1000000)
#define MS     INT64_C(1000)

/* nothing of AMQP is wanted here */
const struct link_calls link_amqp;

void fuzz_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	abort();
}

#define SHARED 16 /* bodies that the owner may lend */

struct stage {
	int fd[2]; /* the owner's, the courier's */
	char shared[SHARED][8];
	struct queue *owner;
	struct broker broker;
	struct courier_config config;
	struct link_fake *f;
	struct courier c;
	char heard[8192];
};

static void quiet(void *arg)
{
	(void)arg;
}

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s->fd), 0);
	double_clock_start(quiet, NULL);
	s->owner = queue_new(s->fd[0]);
	s->f = fake_new();
	s->broker.nnodes = 1;
	s->config = (struct courier_config){.broker = &s->broker,
					    .name = "m1",
					    .shared = (const uint8_t *)s->shared,
					    .shared_len = sizeof(s->shared),
					    .calls = &link_fake,
					    .calls_arg = s->f};
	courier_open(&s->c, &s->config, s->fd[1]);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	courier_close(&s->c);
	queue_free(s->owner);
	if (s->fd[0] >= 0)
		close(s->fd[0]);
	close(s->fd[1]);
	fake_free(s->f);
	free(s);
	return 0;
}

/* The courier works for so long, or until it is done. */
static void run(struct stage *s, int64_t us)
{
	int64_t until_us = loop_clock_us() + us;
	int turns = 0;

	s->f->heartbeat_us = until_us;
	while (!s->c.done && loop_clock_us() < until_us) {
		courier_turn(&s->c);
		assert_true(++turns < 100000); /* it does not spin */
	}
	s->f->heartbeat_us = INT64_MAX;
}

/* --- frames as words --------------------------------------------------------------------------- */

static size_t number_text(const char *word, const struct queue_frame *f, char *out, size_t len)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	unsigned long long n = wire_get_u64(&r);

	return (size_t)snprintf(out, len, "%s%llu", word, n & 0xffffffff);
}

static size_t side_text(const char *word, const struct queue_frame *f, char *out, size_t len)
{
	if (f->kind != COURIER_DOWN)
		return (size_t)snprintf(out, len, "%s%u", word, f->data[0]);
	return (size_t)snprintf(out, len, "%s%u%s(%.*s)", word, f->data[0],
				f->data[1] ? "final" : "", (int)f->len - 2,
				(const char *)f->data + 2);
}

static size_t taken_text(const struct queue_frame *f, char *out, size_t len)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	unsigned long long tag = wire_get_u64(&r);
	unsigned from = wire_get_u8(&r), deliveries = wire_get_u32(&r);

	assert_false(r.bad);
	return (size_t)snprintf(out, len, "TAKEN%llu,%u,%u:%.*s", tag & 0xffffffff, from,
				deliveries, (int)(r.end - r.at), (const char *)r.at);
}

static size_t site_text(const struct queue_frame *f, char *out, size_t len)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint16_t n;
	const uint8_t *name = wire_get_str(&r, &n);
	unsigned known = wire_get_u8(&r), ready = wire_get_u32(&r), consumers = wire_get_u32(&r);

	assert_false(r.bad);
	return (size_t)snprintf(out, len, "SITE(%.*s,%u,%u,%u)", n, (const char *)name, known,
				ready, consumers);
}

static size_t frame_text(const struct queue_frame *f, char *out, size_t len)
{
	switch (f->kind) {
	case COURIER_UP:
		return side_text("UP", f, out, len);
	case COURIER_DOWN:
		return side_text("DOWN", f, out, len);
	case COURIER_BLOCKED:
		return side_text("BLOCKED", f, out, len);
	case COURIER_CONFIRMED:
		return number_text("C", f, out, len);
	case COURIER_NACKED:
		return number_text("N", f, out, len);
	case COURIER_RETURNED:
		return number_text("R", f, out, len);
	case COURIER_TAKEN:
		return taken_text(f, out, len);
	case COURIER_SITE_IS:
		return site_text(f, out, len);
	case COURIER_PONG:
		return (size_t)snprintf(out, len, "PONG");
	default:
		assert_int_equal(f->kind, COURIER_STOPPED);
		return (size_t)snprintf(out, len, "STOPPED");
	}
}

/* All that the owner has heard since the last time. */
static const char *heard(struct stage *s)
{
	struct queue_frame f;
	size_t at = 0;

	s->heard[0] = '\0';
	queue_read(s->owner);
	while (queue_next(s->owner, &f)) {
		assert_true(at + 200 < sizeof(s->heard));
		if (at > 0)
			s->heard[at++] = ' ';
		at += frame_text(&f, s->heard + at, sizeof(s->heard) - at);
	}
	return s->heard;
}

#define assert_heard(s, wanted) assert_string_equal(heard(s), wanted)

/* Runs for a moment; then the owner has heard this. */
#define assert_then(s, wanted)                         \
	do {                                           \
		run(s, 10 * MS);                       \
		assert_string_equal(heard(s), wanted); \
	} while (0)

static void up(struct stage *s)
{
	assert_then(s, "UP1 UP2");
}

/* --- what the owner says ------------------------------------------------------------------------- */

static void say(struct stage *s, uint8_t kind)
{
	queue_put(s->owner, kind, NULL, 0);
	assert_true(queue_flush(s->owner));
}

static void say_number(struct stage *s, uint8_t kind, uint64_t n)
{
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + 8};

	wire_put_u64(&w, n);
	queue_put(s->owner, kind, octets, 8);
	assert_true(queue_flush(s->owner));
}

static void say_put(struct stage *s, uint64_t id, enum courier_to to, const char *key,
		    const char *body)
{
	uint8_t octets[200];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_u64(&w, id);
	wire_put_u8(&w, (uint8_t)to);
	wire_put_str(&w, key, (uint16_t)strlen(key));
	wire_put_bytes(&w, body, strlen(body));
	queue_put(s->owner, COURIER_PUT, octets, (size_t)(w.at - octets));
	assert_true(queue_flush(s->owner));
}

/* Octets of `shared`. */
static void say_lent(struct stage *s, uint64_t id, uint32_t epoch, uint32_t at, uint32_t len)
{
	uint8_t octets[200];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_u64(&w, id);
	wire_put_u8(&w, COURIER_RESULTS);
	wire_put_str(&w, "m1", 2);
	wire_put_u32(&w, epoch);
	wire_put_u32(&w, at);
	wire_put_u32(&w, len);
	queue_put(s->owner, COURIER_PUT_LENT, octets, (size_t)(w.at - octets));
	assert_true(queue_flush(s->owner));
}

static void say_puts(struct stage *s, uint64_t from, uint64_t to)
{
	for (uint64_t id = from; id <= to; id++)
		say_put(s, id, COURIER_TASKS, "north", (char[]){(char)('a' + id), 0});
}

static void say_name(struct stage *s, enum courier_message kind, const char *site)
{
	uint8_t octets[80];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_str(&w, site, (uint16_t)strlen(site));
	queue_put(s->owner, (uint8_t)kind, octets, (size_t)(w.at - octets));
	assert_true(queue_flush(s->owner));
}

static void say_site(struct stage *s, const char *site)
{
	say_name(s, COURIER_SITE, site);
}

static void say_stop(struct stage *s, uint8_t forget)
{
	queue_put(s->owner, COURIER_STOP, &forget, 1);
	assert_true(queue_flush(s->owner));
}

/* --- puts --------------------------------------------------------------------------------------- */

static void test_up_and_ping(void **state)
{
	struct stage *s = *state;

	up(s);
	say(s, COURIER_PING);
	assert_then(s, "PONG");
	run(s, 3600 * SECOND);
	assert_heard(s, "");
	assert_int_equal(s->f->side[LINK_PUTS].opens, 1);
	assert_int_equal(s->f->side[LINK_TAKES].opens, 1);
}

static void test_put(void **state)
{
	struct stage *s = *state;
	static const char task[] = "M\1\1\0\0\0\0\0\0\0\xab\0\0\0\0\0\0\0\x0d"
				   "rest";
	uint8_t octets[100];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	up(s);
	say_put(s, 7, COURIER_RESULTS, "m1", "some body");
	assert_then(s, "C7");
	assert_string_equal(fake_last(s->f)->key, "m1");
	assert_string_equal(fake_last(s->f)->body, "some body");
	assert_string_equal(fake_last(s->f)->name, "");
	assert_int_equal(fake_last(s->f)->to, COURIER_RESULTS);
	say_put(s, 8, COURIER_CONTROL, "", "x");
	assert_then(s, "C8");
	wire_put_u64(&w, 9);
	wire_put_u8(&w, COURIER_TASKS);
	wire_put_str(&w, "north", 5);
	wire_put_bytes(&w, task, sizeof(task) - 1);
	queue_put(s->owner, COURIER_PUT, octets, (size_t)(w.at - octets));
	queue_flush(s->owner);
	assert_then(s, "C9");
	assert_string_equal(fake_last(s->f)->name, "00000000000000ab:13");
	say_put(s, 10, COURIER_TASKS, "x", "X\1\1 no task, but as long as one's head");
	assert_then(s, "C10");
	assert_string_equal(fake_last(s->f)->name, "");
	say_put(s, 11, COURIER_TASKS, "x", "M\1\2456789abcdefghijklmnop"); /* results */
	assert_then(s, "C11");
	assert_string_equal(fake_last(s->f)->name, "");
}

/* A body that lies in memory of the owner's: from there, once its frame is read; what waits for room is as it was then. */
static void test_put_lent(void **state)
{
	struct stage *s = *state;

	up(s);
	memcpy(s->shared[1], "abcdefgh", 8);
	say_lent(s, 7, 1, 9, 3);
	assert_then(s, "C7");
	assert_string_equal(fake_last(s->f)->body, "bcd");
	assert_string_equal(fake_last(s->f)->key, "m1");
	assert_int_equal(fake_last(s->f)->to, COURIER_RESULTS);
	say_lent(s, 8, 1, SHARED * 8 - 1, 1);
	say_lent(s, 9, 1, SHARED * 8, 0);
	assert_then(s, "C8 C9");
	s->f->room = 0;
	say_lent(s, 10, 1, 8, 8);
	assert_then(s, "");
	memcpy(s->shared[1], "another!", 8);
	s->f->room = -1;
	run(s, 1 * MS); /* at next_us() it is tried again */
	assert_then(s, "C10");
	assert_string_equal(fake_last(s->f)->body, "abcdefgh");
}

/* One that was sent before its owner had heard of the new channel: it comes again, and by then other octets may lie there. */
static void test_put_lent_of_an_older_epoch(void **state)
{
	struct stage *s = *state;

	up(s);
	say(s, COURIER_REOPEN);
	say_lent(s, 7, 1, 0, 8);
	assert_then(s, "UP1");
	assert_int_equal(s->f->nput, 0);
	assert_true(s->c.owed); /* who is told to stop waits for it */
	say_lent(s, 7, 3, 0, 8);
	assert_then(s, "");
	say_lent(s, 7, 2, 0, 8);
	assert_then(s, "C7");
	assert_false(s->c.owed);
	assert_int_equal(s->f->nput, 1);
}

/* An owner that puts on and on, whatever it hears. */
static void test_what_is_held_is_bounded(void **state)
{
	struct stage *s = *state;
	size_t len = 200000;
	uint8_t *octets = calloc(1, len);

	up(s);
	s->f->room = 0;
	octets[7] = 1;
	memcpy(octets + 8, "\0\0\1x", 4);
	for (int i = 0; i < 200; i++)
		queue_put(s->owner, COURIER_PUT, octets, len);
	for (int i = 0; i < 500; i++) {
		queue_flush(s->owner);
		run(s, 1 * MS);
	}
	assert_in_range(s->c.held_octets, 32 << 20, (32 << 20) + 3 * len);
	s->f->room = -1;
	for (int i = 0; i < 500 && s->f->nput < 200; i++) {
		queue_flush(s->owner);
		run(s, 1 * MS);
	}
	assert_int_equal(s->f->nput, 200);
	free(octets);
}

static void test_answers(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->confirms = FAKE_NACKS;
	say_puts(s, 1, 1);
	assert_then(s, "N1");
	s->f->confirms = FAKE_RETURNS;
	say_puts(s, 2, 2);
	assert_then(s, "R2");
	s->f->confirms = FAKE_LATER;
	say_puts(s, 3, 5);
	assert_then(s, "");
	fake_answer(s->f, 5, LINK_CONFIRMED);
	fake_answer(s->f, 3, LINK_NACKED);
	fake_answer(s->f, 4, LINK_CONFIRMED);
	assert_then(s, "C5 N3 C4");
}

/* What the broker does not take is held, in order; what stands behind it in the owner's queue goes on. */
static void test_no_room(void **state)
{
	struct stage *s = *state;
	uint64_t tag;

	up(s);
	tag = fake_give(s->f, COURIER_FROM_RESULTS, "r", 0);
	assert_then(s, "TAKEN1,1,0:r");
	s->f->room = 1;
	say_puts(s, 1, 4);
	say_number(s, COURIER_ACK, tag);
	say(s, COURIER_PING);
	assert_then(s, "PONG C1");
	assert_int_equal(s->f->nsettled, 1);
	run(s, 60 * SECOND);
	assert_heard(s, "");
	assert_true(s->c.held_octets > 0);
	s->f->room = 2;
	run(s, 1 * MS); /* at next_us() it is tried again */
	assert_then(s, "C2 C3");
	say_puts(s, 5, 5); /* not before what is held, though there is room again */
	s->f->room = -1;
	run(s, 1 * MS);
	assert_then(s, "C4 C5");
	assert_int_equal(s->c.held_octets, 0);
}

static void test_blocked(void **state)
{
	struct stage *s = *state;

	up(s);
	fake_say(s->f, LINK_PUTS, LINK_BLOCKED);
	assert_then(s, "BLOCKED1");
	say_puts(s, 1, 2);
	fake_give(s->f, COURIER_FROM_TASKS, "t", 3);
	assert_then(s, "TAKEN1,0,3:t");
	assert_int_equal(s->f->nput, 0);
	fake_say(s->f, LINK_PUTS, LINK_UNBLOCKED);
	assert_then(s, "BLOCKED0 C1 C2");
}

/* --- connections come and go ---------------------------------------------------------------------- */

static void test_puts_go(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->confirms = FAKE_LATER;
	s->f->room = 1;
	say_puts(s, 1, 3);
	assert_then(s, "");
	fake_hang_up(s->f, LINK_PUTS, false);
	assert_then(s, "DOWN1(it was pulled out)");
	assert_int_equal(s->c.held_octets, 0); /* their owner puts them again */
	assert_int_equal(s->c.unanswered, 0);
	say_puts(s, 4, 4); /* sent before the owner heard of it */
	s->f->room = -1;
	s->f->confirms = FAKE_AT_ONCE;
	run(s, 200 * MS);
	assert_heard(s, "UP1");
	assert_int_equal(s->f->nput, 1);
	say_puts(s, 1, 4);
	assert_then(s, "C1 C2 C3 C4");
	assert_int_equal(s->f->side[LINK_TAKES].opens, 1); /* the other side knew nothing of it */
	assert_int_equal(s->f->wrong, 0);
}

static void test_gone_at_put(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->gone_at = FAKE_PUT;
	say_puts(s, 1, 3);
	assert_then(s, "DOWN1(the connection is gone)");
	run(s, 200 * MS);
	assert_heard(s, "UP1");
	assert_int_equal(s->f->nput, 0);
	s->f->room = 0; /* the same for what is held */
	say_puts(s, 1, 3);
	assert_then(s, "");
	s->f->room = -1;
	s->f->gone_at = FAKE_PUT;
	assert_then(s, "DOWN1(the connection is gone)");
	assert_int_equal(s->c.held_octets, 0);
	assert_int_equal(s->f->wrong, 0);
}

static void test_gone_at_other_calls(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->gone_at = FAKE_SETTLE;
	say_number(s, COURIER_ACK, fake_give(s->f, COURIER_FROM_TASKS, "t", 0));
	say_number(s, COURIER_ACK, 1);
	assert_then(s, "DOWN2(the connection is gone)");
	run(s, 200 * MS);
	assert_heard(s, "UP2");
	s->f->gone_at = FAKE_FLUSH; /* what the link had gathered */
	say_number(s, COURIER_ACK, fake_give(s->f, COURIER_FROM_TASKS, "t", 0));
	run(s, 10 * MS);
	assert_int_equal(s->f->flushed, s->f->nsettled);
	assert_then(s, "TAKEN1,0,0:t DOWN2(the connection is gone)");
	run(s, 400 * MS);
	assert_heard(s, "UP2");
	assert_true(s->f->heard[LINK_TAKES] > 0); /* it was told of descriptors */
	s->f->gone_at = FAKE_SITE;
	say_site(s, "north");
	say_site(s, "south");
	assert_then(s, "DOWN2(the connection is gone)");
	run(s, 800 * MS);
	assert_heard(s, "UP2");
	s->f->gone_at = FAKE_REOPEN;
	say(s, COURIER_REOPEN);
	say(s, COURIER_REOPEN);
	assert_then(s, "DOWN1(the connection is gone)");
	run(s, 200 * MS);
	assert_heard(s, "UP1");
	s->f->gone_at = FAKE_LEAVE;
	say(s, COURIER_LEAVE);
	assert_then(s, "DOWN2(the connection is gone)");
	run(s, 2 * SECOND);
	assert_heard(s, "UP2");
	assert_int_equal(s->f->leaves, 2); /* the new connection was told too */
	assert_int_equal(s->f->wrong, 0);
}

/* Which of its tries came when: instants at which opens grew. */
static size_t tries(struct stage *s, enum link_side side, int64_t *at_us, size_t n)
{
	unsigned seen = s->f->side[side].opens;
	size_t got = 0;

	while (got < n) {
		run(s, 10 * MS);
		if (s->f->side[side].opens > seen)
			at_us[got++] = loop_clock_us();
		seen = s->f->side[side].opens;
	}
	return got;
}

static void test_pauses(void **state)
{
	struct stage *s = *state;
	int64_t at_us[12], pause_us = 100 * MS;
	int64_t least_us = INT64_MAX, most_us = 0;

	s->f->answer[LINK_PUTS] = LINK_FAILED;
	s->f->answers[LINK_PUTS] = 1000;
	assert_then(s, "DOWN1(it was pulled out) UP2");
	tries(s, LINK_PUTS, at_us, 12);
	for (size_t i = 1; i < 12; i++) {
		int64_t us = at_us[i] - at_us[i - 1];

		pause_us = pause_us * 2 < 5 * SECOND ? pause_us * 2 : 5 * SECOND;
		assert_in_range(us, pause_us * 3 / 4 - 10 * MS, pause_us * 9 / 8 + 20 * MS);
		least_us = i > 6 && us < least_us ? us : least_us;
		most_us = us > most_us ? us : most_us;
	}
	assert_true(most_us - least_us > 100 * MS); /* not all at once */
	assert_heard(s, "");                        /* nothing new to say */
	s->f->why = "another reason";
	run(s, 12 * SECOND);
	assert_heard(s, "DOWN1(another reason)");
	s->f->answers[LINK_PUTS] = 0;
	run(s, 12 * SECOND);
	assert_heard(s, "UP1");
	/* it has lasted: the first pause again */
	fake_hang_up(s->f, LINK_PUTS, false);
	run(s, 150 * MS);
	assert_heard(s, "DOWN1(another reason) UP1");
	/* it has not */
	fake_hang_up(s->f, LINK_PUTS, false);
	run(s, 140 * MS);
	assert_heard(s, "DOWN1(another reason)");
	run(s, 100 * MS);
	assert_heard(s, "UP1");
}

/* Of a cluster each node is tried before anything is told. */
static void test_nodes(void **state)
{
	struct stage *s = *state;

	s->broker.nnodes = 3;
	s->f->answer[LINK_PUTS] = s->f->answer[LINK_TAKES] = LINK_FAILED;
	s->f->answers[LINK_PUTS] = 2;
	run(s, 2 * SECOND);
	assert_heard(s, "UP2 UP1");
	s->f->answers[LINK_TAKES] = 3;
	fake_hang_up(s->f, LINK_TAKES, false);
	assert_then(s, "DOWN2(it was pulled out)"); /* what was there and goes is told at once */
	s->f->why = "another reason";
	run(s, 2 * SECOND);
	assert_heard(s, "DOWN2(another reason) UP2");
	s->f->answers[LINK_PUTS] = 1; /* the two before are forgotten */
	fake_hang_up(s->f, LINK_PUTS, false);
	assert_then(s, "DOWN1(another reason)");
	s->f->why = "a third one";
	run(s, 2 * SECOND);
	assert_heard(s, "UP1");
}

static void slowly(void)
{
	double_clock_step(9 * SECOND);
}

/* A connection that took nine seconds and died at once has not lasted. */
static void test_slow_connections(void **state)
{
	struct stage *s = *state;
	int64_t at_us[3];

	up(s);
	s->f->opening = slowly;
	for (int i = 0; i < 3; i++) {
		fake_hang_up(s->f, LINK_TAKES, false);
		tries(s, LINK_TAKES, &at_us[i], 1);
	}
	run(s, 10 * MS);
	assert_true(at_us[1] - at_us[0] > 9 * SECOND + 140 * MS);
	assert_true(at_us[2] - at_us[1] > 9 * SECOND + 290 * MS);
	assert_heard(s, "DOWN2(it was pulled out) UP2 DOWN2(it was pulled out) UP2 "
			"DOWN2(it was pulled out) UP2");
}

/* What the library still had when the connection went. */
static void test_late_events(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->late = true;
	s->f->confirms = FAKE_LATER;
	say_puts(s, 1, 1);
	run(s, 10 * MS);
	s->f->gone_at = FAKE_SETTLE;
	say_number(s, COURIER_ACK, 1);
	fake_give(s->f, COURIER_FROM_TASKS, "t", 0);
	fake_answer_all(s->f);
	fake_hang_up(s->f, LINK_TAKES, false); /* the reason, behind what came before */
	assert_then(s, "TAKEN1,0,0:t C1 DOWN2(it was pulled out)");
	s->f->gone_at = FAKE_PUT;
	say_puts(s, 2, 2);
	assert_then(s, "DOWN1(the connection is gone)");
	fake_give(s->f, COURIER_FROM_TASKS, "t", 0);
	fake_answer(s->f, 1, LINK_CONFIRMED);
	fake_hang_up(s->f, LINK_PUTS, true);
	run(s, 150 * MS);
	assert_true(strcmp(heard(s), "UP2 UP1") == 0 || strcmp(s->heard, "UP1 UP2") == 0);
}

static void test_final(void **state)
{
	struct stage *s = *state;

	s->broker.nnodes = 3;
	s->f->why = "no such user";
	s->f->answer[LINK_PUTS] = LINK_FINAL;
	s->f->answers[LINK_PUTS] = 1;
	assert_then(s, "DOWN1final(no such user) UP2");
	run(s, 2 * SECOND);
	assert_heard(s, "UP1"); /* somebody has mended it */
	s->f->why = "queue deleted";
	fake_hang_up(s->f, LINK_TAKES, true);
	assert_then(s, "DOWN2final(queue deleted)");
}

static void test_waits(void **state)
{
	struct stage *s = *state;

	s->f->why = "no queue yet";
	s->f->answer[LINK_TAKES] = LINK_WAITS;
	s->f->answers[LINK_TAKES] = 1;
	assert_then(s, "UP1 DOWN2(no queue yet)");
	run(s, 400 * SECOND);
	assert_heard(s, "");
	assert_int_equal(s->f->side[LINK_TAKES].opens, 1);
	say_number(s, COURIER_ACK, 1); /* of an older one */
	fake_say(s->f, LINK_TAKES, LINK_READY);
	assert_then(s, "UP2");
	fake_give(s->f, COURIER_FROM_TASKS, "t", 0);
	fake_say(s->f, LINK_TAKES, LINK_WAITING);
	assert_then(s, "TAKEN1,0,0:t DOWN2(no queue yet)");
	fake_give(s->f, COURIER_FROM_CONTROL, "c", 0);
	assert_then(s, "TAKEN0,2,0:c");
	fake_say(s->f, LINK_TAKES, LINK_READY);
	assert_then(s, "UP2");
	assert_int_equal(s->f->stale + s->f->nsettled, 0);
}

/* An acknowledgement of a connection that is gone reaches nobody. */
static void test_old_tags(void **state)
{
	struct stage *s = *state;
	uint64_t old, tag;

	up(s);
	old = fake_give(s->f, COURIER_FROM_TASKS, "t", 0);
	assert_then(s, "TAKEN1,0,0:t");
	fake_hang_up(s->f, LINK_TAKES, false);
	assert_then(s, "DOWN2(it was pulled out)");
	say_number(s, COURIER_ACK, old);
	run(s, 200 * MS);
	assert_heard(s, "UP2");
	assert_int_equal(s->f->wrong, 0);
	say_number(s, COURIER_REQUEUE, old);
	tag = fake_give(s->f, COURIER_FROM_TASKS, "t", 1);
	assert_then(s, "TAKEN1,0,1:t");
	assert_int_equal(s->f->nsettled, 0);
	assert_int_equal(s->f->stale, 1); /* and the backend knows it */
	say_number(s, COURIER_BURY, tag);
	assert_then(s, "");
	assert_int_equal(s->f->nsettled, 1);
	assert_int_equal(s->f->settled[0].tag, tag);
	assert_int_equal(s->f->settled[0].verdict, LINK_BURY);
}

static void test_verdicts(void **state)
{
	struct stage *s = *state;
	uint64_t tag[3];

	up(s);
	for (int i = 0; i < 3; i++)
		tag[i] = fake_give(s->f, COURIER_FROM_TASKS, "t", 0);
	say_number(s, COURIER_REQUEUE, tag[1]);
	say_number(s, COURIER_ACK, tag[0]);
	say_number(s, COURIER_BURY, tag[2]);
	run(s, 10 * MS);
	assert_int_equal(s->f->nsettled, 3);
	assert_int_equal(s->f->settled[0].verdict, LINK_REQUEUE);
	assert_int_equal(s->f->settled[1].verdict, LINK_ACK);
	assert_int_equal(s->f->settled[2].verdict, LINK_BURY);
}

static void test_reopen(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->confirms = FAKE_LATER;
	s->f->room = 2;
	say_puts(s, 1, 3);
	assert_then(s, "");
	fake_answer(s->f, 1, LINK_CONFIRMED); /* too late: the channel is another one first */
	say(s, COURIER_REOPEN);
	s->f->room = -1;
	run(s, 10 * MS);
	assert_true(strcmp(heard(s), "UP1") == 0 || strcmp(s->heard, "C1 UP1") == 0);
	assert_int_equal(s->f->reopens, 1);
	assert_int_equal(s->f->nput, 2); /* the third was dropped */
	say_puts(s, 2, 3);
	fake_answer_all(s->f);
	run(s, 10 * MS);
	fake_answer_all(s->f);
	assert_then(s, "C2 C3");
	assert_int_equal(s->f->side[LINK_PUTS].opens, 1);
}

static void test_site(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->site = (struct link_site){.known = true, .ready = 70000, .consumers = 2};
	say_site(s, "north");
	assert_then(s, "SITE(north,1,70000,2)");
	s->f->site_fails = true;
	say_site(s, "south");
	assert_then(s, "SITE(south,0,0,0)");
	fake_hang_up(s->f, LINK_TAKES, false);
	assert_then(s, "DOWN2(it was pulled out)");
	say_site(s, "north");
	assert_then(s, "");
	assert_int_equal(s->f->wrong, 0);
}

/* A queue is examined, then it is as if its owner had asked how it is; 2 says that it hangs and stays so. */
static void test_doubt(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->site = (struct link_site){.known = true, .ready = 0, .consumers = 1};
	s->f->why = "it was";
	for (enum link_health h = LINK_WELL; h <= LINK_HANGS; h++) {
		s->f->health = h;
		say_name(s, COURIER_DOUBT, "north");
		assert_then(s, h == LINK_HANGS ? "SITE(north,2,0,1)" : "SITE(north,1,0,1)");
		assert_string_equal(s->f->cured, "north");
		assert_int_equal(s->f->cures, h + 1);
	}
	say_site(s, "north");
	assert_then(s, "SITE(north,1,0,1)");
	assert_int_equal(s->f->cures, LINK_HANGS + 1);
	fake_hang_up(s->f, LINK_TAKES, false);
	assert_then(s, "DOWN2(it was)");
	say_name(s, COURIER_DOUBT, "north");
	assert_then(s, "");
	assert_int_equal(s->f->cures, LINK_HANGS + 1);
}

static void examination(void *arg)
{
	struct stage *s = arg;

	assert_heard(s, s->f->cures == 1 ? "" : "SITE(north,1,0,1)");
	double_clock_step(13 * SECOND);
}

/* Each examination takes long: what one has found is told before the next. */
static void test_doubts_together(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->site = (struct link_site){.known = true, .ready = 0, .consumers = 1};
	s->f->curing = examination;
	s->f->curing_arg = s;
	say_name(s, COURIER_DOUBT, "north");
	say_name(s, COURIER_DOUBT, "south");
	run(s, 60 * SECOND);
	assert_int_equal(s->f->cures, 2);
	assert_heard(s, "SITE(south,1,0,1)");
}

static void owner_dies(void *arg)
{
	struct stage *s = arg;

	close(s->fd[0]);
	s->fd[0] = -1;
}

/* Nobody waits for its words then, nor for what it was asked after them. */
static void test_owner_ends_in_an_examination(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->curing = owner_dies;
	s->f->curing_arg = s;
	say_name(s, COURIER_DOUBT, "north");
	say_name(s, COURIER_DOUBT, "south");
	run(s, 60 * SECOND);
	assert_true(s->c.done);
	assert_int_equal(s->f->cures, 1);
}

/* The library had read more than one message at a time: nothing is readable, but there is something. */
static void test_buffered(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->buffered = true;
	fake_give(s->f, COURIER_FROM_TASKS, "a", 0);
	fake_give(s->f, COURIER_FROM_CONTROL, "b", 0);
	s->f->heartbeat_us = loop_clock_us() + 5 * SECOND;
	courier_turn(&s->c);
	assert_true(loop_clock_us() < s->f->heartbeat_us);
	assert_heard(s, "TAKEN1,0,0:a TAKEN0,2,0:b");
}

/* --- an owner that is slow, silent, or mad ----------------------------------------------------------- */

static void test_slow_owner(void **state)
{
	struct stage *s = *state;
	size_t n;
	unsigned visits;

	up(s);
	for (int i = 0; i < 3900; i++)
		fake_give(s->f, COURIER_FROM_RESULTS, "", 0);
	for (size_t i = 0; i < s->f->nevents; i++)
		s->f->events[(s->f->first + i) % FAKE_MAX].event.len = 60;
	/* the kernel's buffer of the socketpair and ours are much smaller than all of it */
	setsockopt(s->fd[1], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
	s->c.backlog_max = 16384;
	run(s, 100 * MS);
	assert_in_range(queue_backlog(s->c.queue), 16384, 40000);
	n = s->f->nevents;
	assert_true(n > 1000);
	visits = s->f->visits;
	run(s, 1 * SECOND); /* no spinning: run() looks; and a visit at the heartbeat's time */
	assert_in_range(s->f->visits - visits, 1, 5);
	assert_in_range(n - s->f->nevents, 1, 5);
	s->f->buffered = true; /* nor where the library has something */
	visits = s->f->visits;
	run(s, 1 * SECOND);
	assert_in_range(s->f->visits - visits, 1, 5);
	s->f->buffered = false;
	close(s->f->side[LINK_TAKES]
		      .pipe[1]); /* an error is told by poll(2) each time: it is heard */
	s->f->side[LINK_TAKES].pipe[1] = open("/dev/null", O_WRONLY);
	n = s->f->nevents;
	run(s, 5 * MS);
	assert_true(n - s->f->nevents > 100);
	for (n = 0; n < 10000 && s->f->nevents > 0; n++) {
		struct queue_frame f;

		queue_read(s->owner);
		while (queue_next(s->owner, &f))
			assert_int_equal(f.kind, COURIER_TAKEN);
		run(s, 1 * MS);
	}
	assert_int_equal(s->f->nevents, 0);
}

static void test_owner_ends(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->confirms = FAKE_LATER;
	say_puts(s, 1, 2);
	run(s, 10 * MS);
	close(s->fd[0]);
	s->fd[0] = -1;
	run(s, 1 * SECOND);
	assert_true(s->c.done);
	assert_int_equal(s->c.exit_status, 0);
	assert_int_equal(s->f->closes, 0); /* no time for good order */
}

/* What was read before the courier's end is said, or the broker gives it to somebody once more. */
static void test_last_words(void **state)
{
	for (int gone = 0; gone <= 1; gone++) {
		struct stage *s = *state;
		uint64_t tag;

		up(s);
		tag = fake_give(s->f, COURIER_FROM_TASKS, "t", 0);
		assert_then(s, "TAKEN1,0,0:t");
		s->f->curing = owner_dies;
		s->f->curing_arg = s;
		say_number(s, COURIER_ACK, tag);
		if (gone)
			say_name(s, COURIER_DOUBT, "north");
		else
			say(s, COURIER_UP); /* which is not an owner's to say */
		run(s, 1 * SECOND);
		assert_true(s->c.done);
		assert_int_equal(s->f->nsettled, 1);
		assert_int_equal(s->f->flushed, 1);
		assert_int_equal(s->f->wrong, 0);
		tear_down(state);
		set_up(state);
	}
}

/* With takes down there is nobody to tell. */
static void test_owner_ends_while_down(void **state)
{
	struct stage *s = *state;

	up(s);
	fake_hang_up(s->f, LINK_TAKES, false);
	assert_then(s, "DOWN2(it was pulled out)");
	close(s->fd[0]);
	s->fd[0] = -1;
	run(s, 10 * MS);
	assert_true(s->c.done);
	assert_int_equal(s->f->wrong, 0);
}

static void test_mad_owner(void **state)
{
	static const struct {
		uint8_t kind;
		const char *octets;
		size_t len;
	} mad[] = {
		{0, "", 0},
		{COURIER_UP, "\1", 1},
		{99, "", 0},
		{COURIER_PING, "x", 1},
		{COURIER_REOPEN, "x", 1},
		{COURIER_LEAVE, "x", 1},
		{COURIER_ACK, "\0\0\0\0\0\0\0", 7},
		{COURIER_BURY, "\0\0\0\0\0\0\0\0\0", 9},
		{COURIER_STOP, "", 0},
		{COURIER_STOP, "\2", 1},
		{COURIER_STOP, "\0\0", 2},
		{COURIER_SITE, "\0\0", 2},
		{COURIER_SITE, "\0\2-x", 4},
		{COURIER_SITE, "\0\3a\0b", 5},
		{COURIER_SITE, "\0\1ab", 4},
		{COURIER_SITE, "\0\5ab", 4},
		{COURIER_PUT, "\0\0\0\0\0\0\0\1", 8},
		{COURIER_PUT, "\0\0\0\0\0\0\0\1\3\0\1x", 12},
		{COURIER_PUT, "\0\0\0\0\0\0\0\1\0\0\0", 11},
		{COURIER_PUT, "\0\0\0\0\0\0\0\1\2\0\1x", 12},
		{COURIER_PUT, "\0\0\0\0\0\0\0\1\0\0\11x", 12},
		{COURIER_PUT_LENT, "\0\0\0\0\0\0\0\1\1\0\1x\0\0\0\1\0\0\0\0\0\0\0", 23},
		{COURIER_PUT_LENT, "\0\0\0\0\0\0\0\1\1\0\1x\0\0\0\1\0\0\0\0\0\0\0\1y", 25},
		{COURIER_PUT_LENT, "\0\0\0\0\0\0\0\1\1\0\1x\0\0\0\1\0\0\0\201\0\0\0\0", 24},
		{COURIER_PUT_LENT, "\0\0\0\0\0\0\0\1\1\0\1x\0\0\0\1\0\0\0\0\0\0\0\201", 24},
		{COURIER_PUT_LENT, "\0\0\0\0\0\0\0\1\1\0\1x\0\0\0\1\0\0\0\170\0\0\0\11", 24},
		{COURIER_PUT_LENT, "\0\0\0\0\0\0\0\1\1\0\1x\0\0\0\1\0\0\0\1\377\377\377\377", 24},
	};

	for (size_t i = 0; i < sizeof(mad) / sizeof(*mad); i++) {
		tear_down(state);
		set_up(state);
		struct stage *s = *state;
		up(s);
		queue_put(s->owner, mad[i].kind, mad[i].octets, mad[i].len);
		queue_flush(s->owner);
		run(s, 10 * MS);
		if (!s->c.done || s->c.exit_status != 1)
			fail_msg("number %zu is taken", i);
		assert_int_equal(s->f->nput, 0);
	}
}

/* --- ends -------------------------------------------------------------------------------------------- */

static void test_leave(void **state)
{
	struct stage *s = *state;
	uint64_t tag;

	up(s);
	tag = fake_give(s->f, COURIER_FROM_TASKS, "t", 0);
	assert_then(s, "TAKEN1,0,0:t");
	say(s, COURIER_LEAVE);
	say(s, COURIER_LEAVE);
	say_puts(s, 1, 1);
	say_number(s, COURIER_ACK, tag);
	assert_then(s, "C1");
	assert_int_equal(s->f->nsettled, 1);
	assert_int_equal(s->f->leaves, 1);
}

static void test_leave_while_down(void **state)
{
	struct stage *s = *state;

	up(s);
	fake_hang_up(s->f, LINK_TAKES, false);
	assert_then(s, "DOWN2(it was pulled out)");
	say(s, COURIER_LEAVE);
	run(s, 10 * MS);
	assert_int_equal(s->f->leaves, 0);
	run(s, 1 * SECOND);
	assert_heard(s, "UP2");
	assert_int_equal(s->f->leaves, 1);
	assert_int_equal(s->f->wrong, 0);
}

static void test_stop(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->confirms = FAKE_LATER;
	s->f->room = 0;
	say_puts(s, 1, 2);
	say_stop(s, 1);
	assert_then(s, ""); /* nothing is out, but it is here */
	s->f->room = 1;
	assert_then(s, "");
	assert_int_equal(s->f->closes, 0);
	s->f->room = -1;
	fake_answer_all(s->f);
	run(s, 1 * SECOND);
	assert_false(s->c.done);
	fake_answer_all(s->f);
	assert_then(s, "C1 C2 STOPPED");
	assert_true(s->c.done);
	assert_int_equal(s->c.exit_status, 0);
	assert_int_equal(s->f->closes, 1);
	assert_true(s->f->forgot);
}

static void test_stop_at_once(void **state)
{
	struct stage *s = *state;

	up(s);
	say_stop(s, 0);
	assert_then(s, "STOPPED");
	assert_true(s->c.done);
	assert_false(s->f->forgot);
}

static void test_stop_does_not_wait_for_ever(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->confirms = FAKE_LATER;
	say_puts(s, 1, 1);
	say_stop(s, 0);
	run(s, 4 * SECOND);
	say_stop(s, 0); /* once more: it is not from here on */
	run(s, 990 * MS);
	assert_heard(s, "");
	int64_t now_us = loop_clock_us();
	run(s, 60 * SECOND);
	assert_heard(s, "STOPPED");
	assert_true(s->c.done);
	assert_in_range(loop_clock_us() - now_us, 5 * MS, 15 * MS);
}

/* What was put is lost with the connection: its owner puts it again when it is up. */
static void test_stop_while_down(void **state)
{
	struct stage *s = *state;

	up(s);
	s->f->confirms = FAKE_LATER;
	say_puts(s, 1, 1);
	assert_then(s, "");
	s->f->answer[LINK_PUTS] = LINK_FAILED;
	s->f->answers[LINK_PUTS] = 2;
	fake_hang_up(s->f, LINK_PUTS, false);
	say_stop(s, 0);
	run(s, 2 * SECOND);
	assert_heard(s, "DOWN1(it was pulled out) UP1");
	say_puts(s, 1, 1);
	assert_then(s, "");
	fake_answer_all(s->f);
	assert_then(s, "C1 STOPPED");
}

/* It had not heard yet that the connection is gone. */
static void test_stop_after_a_put_into_nothing(void **state)
{
	struct stage *s = *state;

	up(s);
	fake_hang_up(s->f, LINK_PUTS, false);
	assert_then(s, "DOWN1(it was pulled out)");
	say_puts(s, 1, 1);
	say_stop(s, 0);
	run(s, 1 * SECOND);
	assert_heard(s, "UP1");
	say_puts(s, 1, 1);
	assert_then(s, "C1 STOPPED");
}

static void test_start_fails(void **state)
{
	struct stage *s = *state;

	courier_close(&s->c);
	s->f->start_fails = true;
	s->f->why = "no such certificate";
	courier_open(&s->c, &s->config, s->fd[1]);
	assert_heard(s, "DOWN3final(no such certificate)");
	assert_true(s->c.done);
	assert_int_equal(s->c.exit_status, 1);
}

/* Five minutes in vain: addresses and certificates may be others by now, and only a new process can read them. */
static void hopeless(struct stage *s, enum link_side first, enum link_side second)
{
	up(s);
	s->f->answer[LINK_PUTS] = s->f->answer[LINK_TAKES] = LINK_FAILED;
	s->f->answers[LINK_PUTS] = s->f->answers[LINK_TAKES] = 10000;
	fake_hang_up(s->f, first, false);
	run(s, 600 * SECOND); /* one side works */
	assert_false(s->c.done);
	fake_hang_up(s->f, second, false);
	run(s, 290 * SECOND);
	assert_false(s->c.done);
	run(s, 20 * SECOND);
	assert_true(s->c.done);
	assert_int_equal(s->c.exit_status, 1);
}

static void test_hopeless(void **state)
{
	hopeless(*state, LINK_PUTS, LINK_TAKES);
	tear_down(state);
	set_up(state);
	hopeless(*state, LINK_TAKES, LINK_PUTS);
}

/* --- a random walk: a real window puts, faults come as the dice fall, and after them peace. Whatever came, an id is confirmed
 * only if the broker keeps it, every put is settled in the end, no tag is settled twice, and no call is made of a side
 * that is gone. */

#define PUTS_MAX 300

struct walk {
	uint64_t lent[SHARED]; /* whose message lies there; 0: nobody's */
	struct stage *s;
	struct window *w;
	uint64_t dice;
	uint64_t settled, put;
	uint64_t tags[64];
	size_t ntags;
	unsigned stops;
};

static unsigned roll(struct walk *k, unsigned n)
{
	k->dice = k->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(k->dice >> 33) % n;
}

static void walk_up_down(struct walk *k, const struct queue_frame *f)
{
	bool up = f->kind == COURIER_UP;

	if (f->data[0] & LINK_TAKES)
		k->ntags = 0;
	if (!(f->data[0] & LINK_PUTS))
		return;
	if (up)
		window_up(k->w, loop_clock_us());
	else
		window_down(k->w);
}

/* Its memory, if it had some, is another's from now on. */
static void walk_free(struct walk *k, uint64_t id)
{
	for (unsigned i = 0; i < SHARED; i++)
		if (k->lent[i] == id) {
			k->lent[i] = 0;
			memcpy(k->s->shared[i], "wrong", 6);
		}
}

/* As a body says whose it is. */
static void walk_name(uint64_t id, char name[8])
{
	snprintf(name, 8, "b%u", (unsigned)id);
}

static void walk_answer(struct walk *k, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint64_t id = wire_get_u64(&r), mark = 0;

	if (f->kind == COURIER_NACKED) {
		window_nacked(k->w, id, loop_clock_us());
		return;
	}
	assert_true(f->kind == COURIER_RETURNED || fake_keeps(k->s->f, id));
	walk_free(k, id);
	if (f->kind == COURIER_CONFIRMED ? window_confirmed(k->w, id, &mark, loop_clock_us())
					 : window_returned(k->w, id, &mark, loop_clock_us())) {
		assert_int_equal(mark, id + 7);
		k->settled++;
	}
}

/* The owner reads what is there. */
static void walk_hear(struct walk *k)
{
	struct queue_frame f;

	queue_read(k->s->owner);
	while (queue_next(k->s->owner, &f)) {
		struct wire_in r = {.at = f.data, .end = f.data + f.len};

		if (f.kind == COURIER_UP || f.kind == COURIER_DOWN)
			walk_up_down(k, &f);
		else if (f.kind == COURIER_BLOCKED)
			window_block(k->w, f.data[0], loop_clock_us());
		else if (f.kind == COURIER_TAKEN && k->ntags < 64)
			k->tags[k->ntags++] = wire_get_u64(&r);
		else if (f.kind == COURIER_CONFIRMED || f.kind == COURIER_NACKED ||
			 f.kind == COURIER_RETURNED)
			walk_answer(k, &f);
	}
}

static void walk_put(struct walk *k)
{
	static const char *const key[] = {"north", "south", "east"};
	struct window_to to = {.to = COURIER_TASKS, .key = key[roll(k, 3)], .mark = k->put + 8};
	unsigned slot = roll(k, SHARED);
	char name[8];
	struct queue_part part = {name, sizeof(name)};
	struct window_lent lent = {slot * 8, 8};

	if (k->put == PUTS_MAX || !window_wants(k->w, to.to, to.key))
		return;
	walk_name(++k->put, name);
	if (k->lent[slot] > 0) {
		assert_int_equal(window_put(k->w, &to, &part, 1, loop_clock_us()), k->put);
		return;
	}
	k->lent[slot] = k->put;
	memcpy(k->s->shared[slot], name, 8);
	assert_int_equal(window_put_lent(k->w, &to, &lent, loop_clock_us()), k->put);
}

/* Whatever was sent again, each said whose it was. */
static void walk_read(const struct link_fake *f)
{
	char name[8];

	for (size_t i = 0; i < f->nput; i++) {
		walk_name(f->put[i].id, name);
		assert_string_equal(f->put[i].body, name);
	}
}

static void walk_settle(struct walk *k)
{
	static const uint8_t verdict[] = {COURIER_ACK, COURIER_REQUEUE, COURIER_BURY};

	if (k->ntags > 0) /* once */
		say_number(k->s, verdict[roll(k, 3)], k->tags[--k->ntags]);
}

static void walk_fault(struct walk *k)
{
	struct link_fake *f = k->s->f;
	enum link_side side = 1 + roll(k, 2);

	switch (roll(k, 10)) {
	case 0:
		fake_hang_up(f, side, roll(k, 8) == 0);
		break;
	case 1:
		f->gone_at |= 1u << roll(k, 6);
		break;
	case 2:
		f->answer[side] = LINK_FAILED + roll(k, 2);
		f->answers[side] = roll(k, 4);
		break;
	case 3:
		fake_say(f, LINK_PUTS, f->blocked ? LINK_UNBLOCKED : LINK_BLOCKED);
		break;
	case 4:
		f->room = (int)roll(k, 5) - 1;
		break;
	case 5:
	case 6:
		f->confirms = roll(k, 4);
		break;
	case 7:
		fake_answer_all(f);
		break;
	case 8:
		f->buffered = !f->buffered;
		break;
	default:
		say(k->s, roll(k, 2) ? COURIER_REOPEN : COURIER_PING);
	}
}

static void walk_step(struct walk *k)
{
	for (unsigned n = roll(k, 4); n > 0; n--)
		walk_put(k);
	if (roll(k, 3) == 0 && k->s->f->side[LINK_TAKES].open)
		fake_give(k->s->f, COURIER_FROM_TASKS, "t", roll(k, 3));
	if (roll(k, 2))
		walk_settle(k);
	window_turn(k->w, loop_clock_us());
	queue_flush(k->s->owner);
	run(k->s, roll(k, 8) == 0 ? (int64_t)roll(k, 3000) * MS : 1 * MS);
	if (roll(k, 3))
		walk_hear(k); /* at times late */
}

static void walk(struct stage *s, uint64_t seed)
{
	struct walk k = {.s = s, .w = window_new(), .dice = seed};

	window_attach(k.w, s->owner);
	for (int i = 0; i < 400; i++) {
		if (roll(&k, 3) == 0)
			walk_fault(&k);
		walk_step(&k);
	}
	s->f->confirms = FAKE_AT_ONCE; /* peace */
	s->f->room = -1;
	s->f->gone_at = 0;
	s->f->answers[LINK_PUTS] = s->f->answers[LINK_TAKES] = 0;
	if (s->f->blocked)
		fake_say(s->f, LINK_PUTS, LINK_UNBLOCKED);
	for (int i = 0; i < 20000 && window_open(k.w) > 0; i++) {
		fake_answer_all(s->f);
		window_turn(k.w, loop_clock_us());
		queue_flush(s->owner);
		run(s, 20 * MS);
		walk_hear(&k);
	}
	assert_int_equal(window_open(k.w), 0);
	assert_int_equal(k.settled, k.put);
	assert_int_equal(window_settled(k.w), k.put);
	assert_int_equal(s->f->wrong + s->f->twice, 0);
	walk_read(s->f);
	assert_false(s->c.done);
	window_free(k.w);
}

static void test_random_walk(void **state)
{
	uint64_t puts = 0, stale = 0, settled = 0, opens = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		tear_down(state);
		set_up(state);
		struct stage *s = *state;
		walk(s, seed * 7919);
		puts += s->f->nput;
		stale += s->f->stale;
		settled += s->f->nsettled;
		opens += s->f->side[LINK_PUTS].opens + s->f->side[LINK_TAKES].opens;
	}
	print_message("%u puts, %u tags settled, %u of old epochs ignored, %u connections\n",
		      (unsigned)puts, (unsigned)settled, (unsigned)stale, (unsigned)opens);
	assert_true(puts > 1000 && settled > 500 && opens > 300);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_up_and_ping),
		TEST(test_put),
		TEST(test_put_lent),
		TEST(test_put_lent_of_an_older_epoch),
		TEST(test_what_is_held_is_bounded),
		TEST(test_answers),
		TEST(test_no_room),
		TEST(test_blocked),
		TEST(test_puts_go),
		TEST(test_gone_at_put),
		TEST(test_gone_at_other_calls),
		TEST(test_pauses),
		TEST(test_nodes),
		TEST(test_slow_connections),
		TEST(test_late_events),
		TEST(test_final),
		TEST(test_waits),
		TEST(test_old_tags),
		TEST(test_verdicts),
		TEST(test_reopen),
		TEST(test_site),
		TEST(test_doubt),
		TEST(test_doubts_together),
		TEST(test_owner_ends_in_an_examination),
		TEST(test_buffered),
		TEST(test_slow_owner),
		TEST(test_owner_ends),
		TEST(test_last_words),
		TEST(test_owner_ends_while_down),
		TEST(test_mad_owner),
		TEST(test_leave),
		TEST(test_leave_while_down),
		TEST(test_stop),
		TEST(test_stop_at_once),
		TEST(test_stop_does_not_wait_for_ever),
		TEST(test_stop_while_down),
		TEST(test_stop_after_a_put_into_nothing),
		TEST(test_start_fails),
		TEST(test_hopeless),
		TEST(test_random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The courier's two connections: opened, lost, opened again; and what the broker says over them.
 *
 * The pause before the next try is 100 ms, doubling to 5 s, and a bit more or less, so that a hundred agents do not all
 * come back at once to a broker that has just started. It is short again only after a connection that has lasted: one that is
 * taken and thrown out at once is a failure like others.
 *
 * DOWN is told when a side is lost, and for a first connection after each node of the cluster was tried once; then only where
 * there is something new to say. The owner has to be told before we try, since a try may take seconds.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/wire.h"
#include "link/courier_internal.h"
#include "pool/queue.h"

#define PAUSE_FIRST_US INT64_C(100000)
#define PAUSE_MAX_US   INT64_C(5000000)
#define LASTED_US      INT64_C(5000000) /* a connection that was one */
#define HOPELESS_US \
	INT64_C(300000000) /* certificates and addresses may be old: whoever forks us anew reads them */

void sides_start(struct courier *c)
{
	int64_t now_us = loop_now_us(c->loop);

	c->puts = (struct side){.courier = c, .side = LINK_PUTS, .fd = -1, .since_us = now_us};
	c->takes = (struct side){.courier = c, .side = LINK_TAKES, .fd = -1, .since_us = now_us};
}

static void side_state(struct side *s, enum side_state state)
{
	if (s->state != state)
		s->since_us = loop_now_us(s->courier->loop);
	s->state = state;
}

static void event_take(struct courier *c, const struct link_event *e);

/* --- what the owner hears of it ------------------------------------------------------------ */

static void side_tell_up(struct side *s)
{
	uint8_t what = (uint8_t)s->side;

	s->told[0] = '\0';
	courier_tell(s->courier, COURIER_UP, &what, 1);
}

static void side_tell_down(struct side *s, const char *why, bool final)
{
	uint8_t head[2] = {(uint8_t)s->side, final};
	struct queue_part parts[2] = {{head, 2}, {why, strlen(why)}};

	if (!final && strcmp(s->told, why) == 0)
		return;
	snprintf(s->told, sizeof(s->told), "%s", why);
	queue_put_parts(s->courier->queue, COURIER_DOWN, parts, 2);
}

/* --- opening --------------------------------------------------------------------------------- */

static uint64_t random_next(struct courier *c)
{
	c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return c->random >> 33;
}

static void side_pause(struct side *s)
{
	struct courier *c = s->courier;
	int64_t us;

	s->pause_us = s->pause_us == 0 ? PAUSE_FIRST_US : s->pause_us * 2;
	if (s->pause_us > PAUSE_MAX_US)
		s->pause_us = PAUSE_MAX_US;
	us = s->pause_us * 3 / 4;
	s->retry_us = loop_clock_us() + us + (int64_t)(random_next(c) % (uint64_t)(us / 2));
}

static void side_ready(void *arg, unsigned ready)
{
	struct side *s = arg;

	(void)ready; /* an error, too, is found by reading */
	s->courier->calls->heard(s->courier->link, s->side);
	s->courier->heard = true;
}

/* The loop watches the descriptor that the side has now. */
static void side_watch(struct side *s)
{
	struct courier *c = s->courier;
	int fd = s->state == SIDE_CLOSED ? -1 : c->calls->fd(c->link, s->side);

	if (fd == s->fd)
		return;
	if (s->fd >= 0)
		loop_forget(c->loop, s->fd);
	s->fd = fd;
	if (fd >= 0)
		loop_watch(c->loop, fd, LOOP_READ, side_ready, s);
}

void puts_up(struct courier *c)
{
	puts_drop(c);
	c->epoch++;
	side_tell_up(&c->puts);
}

static void side_up(struct side *s)
{
	struct courier *c = s->courier;

	side_state(s, SIDE_UP);
	s->failures = 0;
	if (s == &c->puts)
		puts_up(c);
	else
		side_tell_up(s);
}

static void side_lost(struct side *s, const char *why, bool final)
{
	struct courier *c = s->courier;

	if (s->state == SIDE_UP && loop_now_us(c->loop) - s->since_us >= LASTED_US)
		s->pause_us = 0;
	side_state(s, SIDE_CLOSED);
	side_watch(
		s); /* the descriptor is closed by now, or with the next open(), and its number used again */
	if (s == &c->puts)
		puts_drop(c);
	side_tell_down(s, why, final);
	side_pause(s);
}

void side_gone(struct side *s)
{
	struct courier *c = s->courier;
	struct link_event e;

	while (s->state != SIDE_CLOSED && c->calls->next(c->link, &e))
		event_take(c, &e);
	if (s->state != SIDE_CLOSED)
		side_lost(s, "the connection is gone", false);
}

/* A try has failed. Of a first connection nothing is told before each node had its turn. */
static void side_failed(struct side *s, const char *why, bool final)
{
	const struct broker *b = s->courier->config->broker;
	unsigned nodes = b && b->nnodes > 1 ? (unsigned)b->nnodes : 1;

	s->failures++;
	if (final || s->failures % nodes == 0)
		side_tell_down(s, why, final);
	side_pause(s);
}

static void side_open(struct side *s)
{
	struct courier *c = s->courier;
	char why[LINK_WHY_MAX] = "";
	enum link_state state = c->calls->open(c->link, s->side, why);

	loop_refresh(c->loop); /* seconds may have gone by */
	switch (state) {
	case LINK_FAILED:
	case LINK_FINAL:
		side_failed(s, why, state == LINK_FINAL);
		return;
	case LINK_WAITS:
		side_state(s, SIDE_WAITS);
		side_tell_down(s, why, false);
		break;
	case LINK_OPEN:
		side_up(s);
	}
	side_watch(s);
	if (s == &c->takes && c->leaving && !c->calls->leave(c->link))
		side_gone(s);
}

static bool side_due(const struct side *s)
{
	return s->state == SIDE_CLOSED && s->retry_us <= loop_now_us(s->courier->loop);
}

void sides_turn(struct courier *c)
{
	int64_t now_us = loop_now_us(c->loop);

	if (c->puts.state == SIDE_CLOSED && c->takes.state == SIDE_CLOSED &&
	    c->puts.since_us + HOPELESS_US <= now_us && c->takes.since_us + HOPELESS_US <= now_us)
		courier_leave(c, 1);
	else if (side_due(&c->puts))
		side_open(&c->puts);
	else if (side_due(&c->takes))
		side_open(&c->takes);
}

static int64_t side_next_us(const struct side *s)
{
	return s->state == SIDE_CLOSED ? s->retry_us : LOOP_NEVER;
}

int64_t sides_next_us(const struct courier *c)
{
	int64_t puts_us = side_next_us(&c->puts), takes_us = side_next_us(&c->takes);

	return puts_us < takes_us ? puts_us : takes_us;
}

/* --- events ---------------------------------------------------------------------------------- */

/* CONFIRMED, NACKED, RETURNED: the id. */
static void event_answer(struct courier *c, uint8_t kind, uint64_t id)
{
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	if (c->unanswered > 0)
		c->unanswered--;
	wire_put_u64(&w, id);
	courier_tell(c, kind, octets, sizeof(octets));
}

static void event_block(struct courier *c, bool blocked)
{
	uint8_t yes = blocked;

	courier_tell(c, COURIER_BLOCKED, &yes, 1);
}

static void event_taken(struct courier *c, const struct link_event *e)
{
	uint8_t head[8 + 1 + 4];
	struct wire_out w = {.at = head, .end = head + sizeof(head)};
	struct queue_part parts[1 + LINK_PIECES] = {{head, sizeof(head)}};

	if (e->len > QUEUE_PAYLOAD_MAX - sizeof(head)) { /* nobody of ours has sent that */
		log_warning("a message of %zu octets was thrown away: it is too long", e->len);
		if (e->from != COURIER_FROM_CONTROL && !c->calls->settle(c->link, e->id, LINK_ACK))
			side_gone(&c->takes);
		return;
	}
	wire_put_u64(&w, e->id);
	wire_put_u8(&w, e->from);
	wire_put_u32(&w, e->deliveries);
	for (size_t i = 0; i < e->npieces; i++)
		parts[1 + i] = (struct queue_part){e->body[i].at, e->body[i].len};
	queue_send_parts(c->queue, COURIER_TAKEN, parts, 1 + e->npieces);
}

static void event_puts(struct courier *c, const struct link_event *e)
{
	switch (e->kind) {
	case LINK_CONFIRMED:
		event_answer(c, COURIER_CONFIRMED, e->id);
		break;
	case LINK_NACKED:
		event_answer(c, COURIER_NACKED, e->id);
		break;
	case LINK_RETURNED:
		event_answer(c, COURIER_RETURNED, e->id);
		break;
	case LINK_BLOCKED:
	case LINK_UNBLOCKED:
		event_block(c, e->kind == LINK_BLOCKED);
		break;
	default:
		break;
	}
}

static void event_takes(struct side *s, const struct link_event *e)
{
	if (e->kind == LINK_TAKEN) { /* while it waits: of control */
		event_taken(s->courier, e);
	} else if (e->kind == LINK_WAITING) {
		side_state(s, SIDE_WAITS);
		side_tell_down(s, e->why, false);
	} else if (e->kind == LINK_READY) {
		side_up(s);
	}
}

static void event_take(struct courier *c, const struct link_event *e)
{
	struct side *s = e->side == LINK_PUTS ? &c->puts : &c->takes;

	if (s->state == SIDE_CLOSED)
		return; /* said before it went, and void with it */
	if (e->kind == LINK_GONE)
		side_lost(s, e->why ? e->why : "", e->final);
	else if (s == &c->puts)
		event_puts(c, e);
	else
		event_takes(s, e);
}

void sides_hear(struct courier *c)
{
	struct link_event e;

	c->heard = false;
	do {
		if (!c->calls->next(c->link, &e))
			break;
		event_take(c, &e);
	} while (queue_backlog(c->queue) < c->backlog_max);
	side_watch(&c->puts);
	side_watch(&c->takes);
}

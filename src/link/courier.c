/*
 * The link process: frames of its owner on one side, a broker on the other.
 *
 * The problem: a client library blocks, holds the network's octets, and may be wrong. The master must do none of that, and an
 * agent's supervisor has children to care for. So the library lives in a process of its own, in a sandbox; it may be killed
 * at any moment, since it keeps nothing that its owner does not keep too.
 *
 * It waits for frames, for the broker, and for its own deadlines: heartbeats (the backend says when), the next try of a
 * connection, the end of a STOP. It leaves when its owner's end of the queue closes, or after STOPPED.
 *
 * Back-pressure: while much waits for the owner nothing is taken from the broker but what a heartbeat's visit brings, and
 * prefetch bounds the rest. The other way courier_puts.c holds what the broker does not take.
 *
 * The trap: three kinds of old. What was put on a channel that is gone is put again by its owner, after UP. A tag of a connection that
 * is gone names a message that the broker gives to somebody anew: its acknowledgement must not reach the new connection,
 * where the number is another message's. The backend's tags say whose they are; here none passes while takes are down. And a PUT whose body
 * is lent, of before our last UP, comes again too, but is not taken: it may have been confirmed meanwhile, and other octets lie there.
 */
#include "link/courier.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/wire.h"
#include "link/courier_internal.h"
#include "pool/queue.h"
#include "pool/sandbox.h"

#define STOP_US     INT64_C(5000000)
#define BACKLOG_MAX ((size_t)1 << 20)
#define HELD_MAX    ((size_t)32 << 20) /* octets; more than a window holds: who sends on has none */

void courier_leave(struct courier *c, int exit_status)
{
	c->done = true;
	c->exit_status = exit_status;
}

void courier_tell(struct courier *c, uint8_t kind, const void *p, size_t len)
{
	queue_put(c->queue, kind, p, len);
}

/* --- what the owner wants --------------------------------------------------------------------- */

/* A name with its length before it. False: it is none. */
static bool name_take(struct wire_in *r, char name[BROKER_NAME_MAX + 1], bool wanted)
{
	uint16_t len;
	const uint8_t *p = wire_get_str(r, &len);

	if (r->bad || len > BROKER_NAME_MAX || (len > 0 && memchr(p, '\0', len)))
		return false;
	if (len > 0)
		memcpy(name, p, len);
	name[len] = '\0';
	return wanted ? broker_name_ok(name) : len == 0;
}

/* A lent body takes the place of what is left of its frame. False: it lies nowhere. */
static bool lent_find(const struct courier *c, struct wire_in *r, uint32_t *epoch)
{
	const struct courier_config *config = c->config;
	size_t at, len;

	*epoch = wire_get_u32(r);
	at = wire_get_u32(r);
	len = wire_get_u32(r);
	if (r->bad || r->at != r->end || config->shared == NULL || len > QUEUE_PAYLOAD_MAX ||
	    at > config->shared_len || len > config->shared_len - at)
		return false;
	r->at = config->shared + at;
	r->end = r->at + len;
	return true;
}

static bool put_take(struct courier *c, struct wire_in *r, bool lent)
{
	char key[BROKER_NAME_MAX + 1];
	struct link_message m = {.id = wire_get_u64(r), .to = wire_get_u8(r), .key = key};
	uint32_t epoch = c->epoch;

	if (m.to > COURIER_CONTROL || !name_take(r, key, m.to != COURIER_CONTROL))
		return false;
	if (lent && !lent_find(c, r, &epoch))
		return false;
	if (epoch != c->epoch) {
		c->owed = true;
		return true;
	}
	m.body = r->at;
	m.len = (size_t)(r->end - r->at);
	puts_take(c, &m);
	return true;
}

static bool verdict_take(struct courier *c, struct wire_in *r, enum link_verdict v)
{
	uint64_t tag = wire_get_u64(r);

	if (r->bad || r->at != r->end)
		return false;
	if (c->takes.state == SIDE_UP && !c->calls->settle(c->link, tag, v))
		side_gone(&c->takes);
	return true;
}

static void site_tell(struct courier *c, const char *site, const struct link_site *is)
{
	uint8_t octets[2 + BROKER_NAME_MAX + 1 + 4 + 4];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_str(&w, site, (uint16_t)strlen(site));
	wire_put_u8(&w, is->known && is->hangs ? 2 : is->known);
	wire_put_u32(&w, is->ready);
	wire_put_u32(&w, is->consumers);
	courier_tell(c, COURIER_SITE_IS, octets, (size_t)(w.at - octets));
}

/* Whether its queue hangs for ever; what hung and does no more is told. */
static bool site_cure(struct courier *c, const char *site)
{
	char why[LINK_WHY_MAX] = "";
	enum link_health health = c->calls->cure(c->link, site, why);

	loop_refresh(c->loop); /* seconds may have gone by */
	if (health != LINK_WELL)
		log_warning("site %s: %s", site, why);
	return health == LINK_HANGS;
}

static bool site_take(struct courier *c, struct wire_in *r, bool doubt)
{
	char site[BROKER_NAME_MAX + 1], why[LINK_WHY_MAX] = "";
	struct link_site is = {0};
	bool hangs;

	if (!name_take(r, site, true) || r->at != r->end)
		return false;
	if (c->takes.state == SIDE_CLOSED)
		return true; /* asked again after UP */
	hangs = doubt && site_cure(c, site);
	if (!c->calls->site(c->link, site, &is, why) && c->calls->fd(c->link, LINK_TAKES) < 0) {
		side_gone(&c->takes);
		return true;
	}
	if (why[0])
		log_warning("site %s: %s", site, why);
	is.hangs = hangs;
	site_tell(c, site, &is);
	if (doubt && !queue_flush(c->queue)) /* told before the next one, which takes as long */
		courier_leave(c, 0);
	return true;
}

static void reopen(struct courier *c)
{
	if (c->puts.state != SIDE_UP)
		return; /* UP comes anyway */
	if (c->calls->reopen(c->link))
		puts_up(c);
	else
		side_gone(&c->puts);
}

static void leave(struct courier *c)
{
	if (!c->leaving && c->takes.state != SIDE_CLOSED && !c->calls->leave(c->link))
		side_gone(&c->takes);
	c->leaving = true;
}

static bool stop_take(struct courier *c, struct wire_in *r)
{
	uint8_t forget = wire_get_u8(r);

	if (r->bad || r->at != r->end || forget > 1)
		return false;
	if (!c->stopping)
		c->stop_us = loop_now_us(c->loop) + STOP_US;
	c->stopping = true;
	c->forget = forget;
	return true;
}

/* Those without a word more. False: it is none of them. */
static bool bare_take(struct courier *c, uint8_t kind)
{
	if (kind == COURIER_PING)
		courier_tell(c, COURIER_PONG, NULL, 0);
	else if (kind == COURIER_REOPEN)
		reopen(c);
	else if (kind == COURIER_LEAVE)
		leave(c);
	else
		return false;
	return true;
}

/* False: our owner does not speak as we do. */
static bool frame_take(struct courier *c, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	switch (f->kind) {
	case COURIER_PUT:
	case COURIER_PUT_LENT:
		return put_take(c, &r, f->kind == COURIER_PUT_LENT);
	case COURIER_ACK:
		return verdict_take(c, &r, LINK_ACK);
	case COURIER_REQUEUE:
		return verdict_take(c, &r, LINK_REQUEUE);
	case COURIER_BURY:
		return verdict_take(c, &r, LINK_BURY);
	case COURIER_SITE:
	case COURIER_DOUBT:
		return site_take(c, &r, f->kind == COURIER_DOUBT);
	case COURIER_STOP:
		return stop_take(c, &r);
	default:
		return f->len == 0 && bare_take(c, f->kind);
	}
}

static void queue_ready(void *arg, unsigned ready)
{
	struct courier *c = arg;
	enum queue_state state = QUEUE_OPEN;
	struct queue_frame f;

	if (ready == 0) { /* an error, while nothing is read */
		courier_leave(c, 0);
		return;
	}
	if (ready & LOOP_READ)
		state = queue_read(c->queue);
	while (!c->done && queue_next(c->queue, &f))
		if (!frame_take(c, &f)) {
			log_error("courier: its owner sent what is no message for it (%u)", f.kind);
			courier_leave(c, 1);
		}
	if (!c->done && state != QUEUE_OPEN)
		courier_leave(c, state == QUEUE_END ? 0 : 1);
}

/* --- the process ------------------------------------------------------------------------------- */

/* Nothing is on its way any more, or it has taken too long. */
static bool stop_is_over(const struct courier *c)
{
	bool quiet = !c->held && c->unanswered == 0 && !c->owed;

	return c->stopping && (quiet || c->stop_us <= loop_now_us(c->loop));
}

static void stop_end(struct courier *c)
{
	c->calls->close(c->link, c->forget);
	courier_tell(c, COURIER_STOPPED, NULL, 0);
	c->stopping = false;
	for (int64_t until_us = loop_clock_us() + STOP_US; queue_backlog(c->queue) > 0;) {
		if (!queue_flush(c->queue) || loop_clock_us() >= until_us)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	courier_leave(c, 0);
}

static int64_t earliest(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

static bool owner_is_slow(const struct courier *c)
{
	return queue_backlog(c->queue) >= c->backlog_max;
}

/* Until when the loop may sleep; 0: not at all. */
static int64_t courier_next_us(const struct courier *c)
{
	int64_t next_us = earliest(c->calls->next_us(c->link), sides_next_us(c));

	if (!owner_is_slow(c) && c->calls->pending(c->link))
		return 0;
	return c->stopping ? earliest(next_us, c->stop_us) : next_us;
}

/* What was said of messages taken goes out before anybody sleeps, or leaves. */
static void words_flush(struct courier *c)
{
	if (c->takes.state == SIDE_UP && !c->calls->flush(c->link))
		side_gone(&c->takes);
}

static void side_want(struct courier *c, const struct side *s)
{
	if (s->fd >= 0)
		loop_want(c->loop, s->fd, owner_is_slow(c) ? 0 : LOOP_READ);
}

static void courier_wants(struct courier *c)
{
	bool reads = c->held_octets < HELD_MAX;

	loop_want(c->loop, queue_fd(c->queue),
		  (reads ? LOOP_READ : 0) | (queue_backlog(c->queue) > 0 ? LOOP_WRITE : 0));
	side_want(c, &c->puts);
	side_want(c, &c->takes);
}

void courier_turn(struct courier *c)
{
	if (!queue_flush(c->queue)) {
		courier_leave(c, 0);
		return;
	}
	courier_wants(c);
	loop_turn(c->loop, courier_next_us(c));
	if (c->done) {
		words_flush(c); /* those that were read before what ended it */
		return;
	}
	if (!owner_is_slow(c) || c->heard || c->calls->next_us(c->link) <= loop_now_us(c->loop))
		sides_hear(c);
	puts_turn(c);
	words_flush(c);
	if (!queue_flush(c->queue)) /* what is told is heard before a try that takes seconds */
		courier_leave(c, 0);
	else if (stop_is_over(c))
		stop_end(c);
	else
		sides_turn(c);
}

/* False: it was told why. */
static bool courier_start(struct courier *c)
{
	char why[LINK_WHY_MAX] = "";
	uint8_t head[2] = {LINK_PUTS | LINK_TAKES, true};
	struct queue_part parts[2] = {{head, 2}, {why, 0}};

	c->link = c->calls->start(c->config, why);
	if (c->link)
		return !c->config->sandbox || sandbox_enter(c->config->sandbox, SANDBOX_COURIER);
	parts[1].len = strlen(why);
	queue_put_parts(c->queue, COURIER_DOWN, parts, 2);
	queue_flush(c->queue);
	return false;
}

void courier_open(struct courier *c, const struct courier_config *config, int queue_fd)
{
	*c = (struct courier){.config = config,
			      .calls = config->calls ? config->calls : &link_amqp,
			      .loop = loop_new(),
			      .queue = queue_new(queue_fd),
			      .backlog_max = BACKLOG_MAX,
			      .random = (uint64_t)loop_clock_us() ^ (uint64_t)getpid() << 20};
	c->held_end = &c->held;
	sides_start(c);
	if (!courier_start(c))
		courier_leave(c, 1);
	loop_watch(c->loop, queue_fd, LOOP_READ, queue_ready, c);
}

int courier_close(struct courier *c)
{
	puts_drop(c);
	if (c->link)
		c->calls->free(c->link);
	queue_free(c->queue);
	loop_free(c->loop);
	return c->exit_status;
}

int courier_main(const struct courier_config *config, int queue_fd)
{
	struct courier c;

	courier_open(&c, config, queue_fd);
	while (!c.done)
		courier_turn(&c);
	return courier_close(&c);
}

/*
 * What a worker or the resolver may say: looked at before anything is done with it.
 *
 * The problem: these processes read what strangers send, and one of them may be somebody else's by now. It may
 * lie about the device that took it over, and about all others that it was given since; nobody can tell.
 * It must not reach further: not the records of other workers' targets, not the number of records, not the
 * sums, not the end of the run.
 *
 * The design: what is not exactly what a sound worker says, at a time when it may say it, is a lie, and one is
 * enough. So each kind of message costs something that the worker has not got for nothing: a PONG a PING, a
 * STATS a RECORD, a RECORD a lease, STOPPED the STOP; PARTs are the one thing without such an end, and they
 * have octets, which are counted elsewhere. Nothing that may be said for ever is left.
 *
 * Of a record's octets the master reads no more than where it ends: lines, and quotes where a format has
 * them. So one worker's record cannot run on into the next one's, and is one line where records are. Where
 * something stands around each row, that is bounded, and so is how many rows there are: a frame
 * of marks would become gigabytes of output, and nobody else's record would be read meanwhile.
 *
 * Rejected: comparing the host that a record names with the lease's. What follows it is the worker's, a second
 * "host" too, and the master would have to parse what it must not.
 *
 * The trap: what a sound worker never does must never be said to be a lie because the machine is slow. Times
 * are compared with what has passed since its birth, on the same clock, and nothing else.
 */
#include "pool/master_internal.h"

#include <stdlib.h>
#include <string.h>

#include "out/value.h"
#include "pool/message.h"

#define SLACK_US      1000000 /* a young one is not judged by the microsecond */
#define EVENTS_PER_US 10      /* of each counter: datagrams that no processor handles */
#define FRONT_MAX     16384   /* octets around each row: three times host, times, message */

enum { /* bits of trust.open: what has come of a record in PARTs */
	OPEN_SOME = 1,
	OPEN_LINE = 2,  /* the last octet is no newline */
	OPEN_QUOTE = 4, /* an odd number of quotes */
	OPEN_MARK = 8,  /* a row begins in it (layout.h) */
};

void trust_begin(struct child *c)
{
	struct trust *t = &c->trust;
	uint8_t *open = t->open;
	uint32_t cap = t->cap;

	if (cap > 0)
		memset(open, 0, cap);
	*t = (struct trust){.born_us = loop_now_us(c->master->loop), .open = open, .cap = cap};
}

void trust_free(struct child *c)
{
	free(c->trust.open);
}

/* By the clock itself: the turn's "now" is older than what it says by all that a disk or a stop has held us up. */
static int64_t age_us(const struct child *c)
{
	return loop_clock_us() - c->trust.born_us + SLACK_US;
}

/* --- counters ----------------------------------------------------------------------------- */

static bool stats_are_sound(struct child *c, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint64_t most = (uint64_t)age_us(c) * EVENTS_PER_US;
	struct trust *t = &c->trust;
	struct stats delta;

	if (t->counted || !stats_unpack(&delta, &r) || r.at < r.end)
		return false;
	t->counted = true;
	for (size_t i = 0; i < STATS_COUNT; i++) {
		if (delta.count[i] > most || t->sum.count[i] + delta.count[i] > most)
			return false;
		t->sum.count[i] += delta.count[i];
	}
	return true;
}

/* --- records ------------------------------------------------------------------------------ */

static bool quotes_are_odd(const uint8_t *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += p[i] == '"';
	return n % 2;
}

static uint8_t line_end(const struct master *m)
{
	return m->config->null_ends ? '\0' : '\n';
}

/* Some more octets of a record; what is known of it afterwards. */
unsigned trust_open(const struct master *m, unsigned open, const uint8_t *p, size_t len)
{
	if (len == 0)
		return open;
	if (m->config->even_quotes && quotes_are_odd(p, len))
		open ^= OPEN_QUOTE;
	if (m->config->layout.around && memchr(p, VALUE_MARK, len) != NULL)
		open |= OPEN_MARK;
	open |= OPEN_SOME | OPEN_LINE;
	return p[len - 1] == line_end(m) ? open & ~(unsigned)OPEN_LINE : open;
}

static bool has_newline(const struct master *m, const uint8_t *p, size_t len)
{
	return m->config->one_line && len > 0 && memchr(p, line_end(m), len) != NULL;
}

static bool has_too_many_rows(const struct master *m, const uint8_t *p, size_t len)
{
	size_t rows = 0;

	if (!m->config->layout.around)
		return false;
	for (size_t i = 0; i < len; i++)
		rows += p[i] == VALUE_MARK;
	return rows > len / VALUE_MARK_LEAST + 1;
}

static uint8_t *open_of(struct trust *t, uint32_t lease)
{
	uint32_t cap = (lease + 1) * 2; /* it is one, so in bounds */

	if (lease >= t->cap) {
		t->open = mem_resize(t->open, cap, 1);
		memset(t->open + t->cap, 0, cap - t->cap);
		t->cap = cap;
	}
	return &t->open[lease];
}

bool trust_part(const struct master *m, const uint8_t *p, size_t len)
{
	return len > 0 && !has_newline(m, p, len) && !has_too_many_rows(m, p, len);
}

static bool part_is_sound(struct child *c, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint32_t lease = wire_get_u32(&r);
	size_t len = (size_t)(r.end - r.at);
	uint8_t *open;

	if (r.bad || !dispatch_holds(c->master->dispatch, c->number, lease) ||
	    !trust_part(c->master, r.at, len))
		return false;
	open = open_of(&c->trust, lease);
	*open = (uint8_t)trust_open(c->master, *open, r.at, len);
	return true;
}

static bool head_is_sound(const struct child *c, const struct record_head *h)
{
	const struct dispatch_task *t;

	if (h->status == RECORD_RESOLVE || h->status == RECORD_CRASHED || h->status == RECORD_LOST)
		return false; /* the master's own */
	t = dispatch_find(c->master->dispatch, c->number, h->lease, h->seq);
	return h->rtt_us >= -1 && h->rtt_us <= age_us(c) && t != NULL &&
	       (!h->learns || recall_believes(c->master, t, &h->learnt));
}

/* What stands last in the output: the rows' last octet, or the front's, which may stand around each row. */
static unsigned open_last(unsigned front, unsigned rows)
{
	if (front & OPEN_MARK)
		return rows & OPEN_MARK ? front : rows;
	return rows & OPEN_SOME ? rows : front;
}

bool trust_octets(const struct master *m, unsigned parts, struct queue_part front,
		  struct queue_part rest)
{
	unsigned before = trust_open(m, 0, front.p, front.len);
	unsigned rows = trust_open(m, parts, rest.p, rest.len);

	if ((before | rows) & OPEN_QUOTE || open_last(before, rows) & OPEN_LINE)
		return false;
	if ((before & OPEN_MARK && front.len > FRONT_MAX) || has_too_many_rows(m, rest.p, rest.len))
		return false;
	return !m->config->one_line || (rest.len > 0 && !has_newline(m, front.p, front.len) &&
					!has_newline(m, rest.p, rest.len - 1));
}

/* A record's front, what came before by PARTs, and its last octets: it ends, and where it should. */
static bool ends_well(struct child *c, uint32_t lease, const struct wire_in *front,
		      const struct wire_in *rest)
{
	unsigned parts = lease < c->trust.cap ? c->trust.open[lease] : 0;

	if (lease < c->trust.cap)
		c->trust.open[lease] = 0;
	return trust_octets(c->master, parts,
			    (struct queue_part){front->at, (size_t)(front->end - front->at)},
			    (struct queue_part){rest->at, (size_t)(rest->end - rest->at)});
}

/* Of a record that nobody wants there is its head, and what came before that was known. */
static bool is_empty(struct child *c, uint32_t lease, const struct wire_in *front,
		     const struct wire_in *rest)
{
	if (lease < c->trust.cap)
		c->trust.open[lease] = 0;
	return front->at == front->end && rest->at == rest->end;
}

static bool record_is_sound(struct child *c, const struct queue_frame *f)
{
	struct wire_in rest = {.at = f->data, .end = f->data + f->len}, front;
	struct record_head head;
	uint32_t front_len;

	if (!record_head_unpack(&head, &rest) || !head_is_sound(c, &head))
		return false;
	front_len = wire_get_u32(&rest);
	front.at = wire_get_bytes(&rest, front_len);
	front.end = rest.bad ? front.at
			     : front.at + front_len; /* NULL when bad: nothing may be added */
	c->trust.counted = false;
	if (!rest.bad && !record_is_wanted(c->master, head.status))
		return is_empty(c, head.lease, &front, &rest);
	return !rest.bad && ends_well(c, head.lease, &front, &rest);
}

/* --- all ---------------------------------------------------------------------------------- */

static bool pong_is_sound(struct child *c, const struct queue_frame *f)
{
	if (f->len > 0 || c->trust.pings == 0)
		return false;
	c->trust.pings--;
	return true;
}

bool trust_frame(struct child *c, const struct queue_frame *f)
{
	bool resolver = child_is_resolver(c);

	if (c->trust.stopped)
		return false;
	switch (f->kind) {
	case MESSAGE_PONG:
		return pong_is_sound(c, f);
	case MESSAGE_STOPPED:
		c->trust.stopped = true;
		return f->len == 0 && c->stopping;
	case MESSAGE_STATS:
		return !resolver && stats_are_sound(c, f);
	case MESSAGE_PART:
		return !resolver && part_is_sound(c, f);
	case MESSAGE_RECORD:
		return !resolver && record_is_sound(c, f);
	default:
		return resolver && f->kind == MESSAGE_ADDRESSES;
	}
}

/*
 * Records on their way to the writer: what workers sent, large ones from the spool, our own.
 *
 * The problem: the writer may stop taking at any moment, and a record may be larger than all that we
 * want to hold. So a record counts as answered when its last frame is here, and a large one is
 * copied slice by slice as the writer takes it; until it is through, nobody's frames are read, for its
 * octets must stand together.
 *
 * What comes before that frame waits in one spool for all workers and all their leases, each with a run of
 * its own: a worker with several large walks under way brings their parts mixed. A worker can open a
 * run for each of its leases and no more, and none of them costs a descriptor. What a dead worker had brought
 * is dropped with it; its targets are asked again from the start.
 *
 * When there is no room for more, a record ends without its rows, and the run goes on: the one that holds
 * most, for it is the likeliest to be the reason, a device (or a worker that was taken over) that goes on for
 * ever, and what it gives back helps most. Rejected: whose octets find no room; that may be anybody's.
 * And ending the run, which lets one device have the records of all others.
 *
 * The trap: the rest of a large record is lent by its worker's queue and stays there only as long as
 * that queue is not read. And a worker's word is not to be believed: a part counts only for what is leased
 * to that worker, and no length that it names is used unchecked.
 */
#include "pool/master_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "out/spool.h"

#define SPOOL_MEMORY 16 /* blocks, 1 MiB: what is a little larger than a frame costs no file */
#define SLICE        65536
#define SLICES       64 /* in a turn: an output that does not fill up takes no longer than that */

static void record_count(struct master *m, const struct record *r)
{
	m->result->status[r->status]++;
	if (r->rtt_us >= 0)
		histogram_add(m->result->latency, r->rtt_us);
	watch_record(m, r);
}

bool record_is_wanted(const struct master *m, unsigned status)
{
	return !(m->config->unwanted >> status & 1);
}

/* To the layout; of what nobody wants the head alone, to who counts it. */
static bool record_goes_on(const struct master *m, unsigned status)
{
	return record_is_wanted(m, status) || m->config->layout.frames != NULL;
}

/* Whose it is, as we know it. */
static void record_name(struct record *r, const struct dispatch_task *t)
{
	r->host = t->host;
	r->addr = t->addr; /* of a name without addresses: family 0 */
	if (t->addrs != NULL) {
		r->addr = t->addrs[0];
		r->addr.port = t->port;
	}
}

static void record_own(struct master *m, const struct dispatch_task *t, struct record *r)
{
	record_name(r, t);
	record_count(m, r);
	if (!record_goes_on(m, r->status))
		return;
	r->time_ms = loop_wall_ms();
	m->scratch.len = 0;
	if (record_is_wanted(m, r->status))
		m->config->format(&m->scratch, r, m->config->format_options);
	if (!layout_begin(m->layout, t->seq, r, NULL, 0) ||
	    !layout_end(m->layout, m->scratch.data, m->scratch.len))
		output_failed(m);
}

/* A record without varbinds that no worker gives. */
void record_settle(struct master *m, const struct dispatch_task *t, enum record_status status,
		   const char *message)
{
	struct record r = {.status = status, .rtt_us = -1, .message = message};

	record_own(m, t, &r);
}

/* --- large records ------------------------------------------------------------------------ */

/* What is in it cannot be read: half a record is at the writer, and its other half is nowhere. */
static void spool_failed(struct master *m)
{
	log_error("cannot read what was kept of a large record in %s: %s", spool_folder(),
		  strerror(errno));
	output_lost(m, WRITER_FAILED);
}

/* What has come of this lease's record; NULL: nothing. */
static struct part *part_find(const struct master *m, uint32_t lease)
{
	return lease < m->parts.cap ? m->parts.open[lease] : NULL;
}

/* The lease (or an agent's slot) is one, so its number is in bounds. */
static struct part *part_new(struct master *m, uint32_t lease, unsigned child)
{
	struct parts *p = &m->parts;
	uint32_t cap = lease < p->cap ? p->cap : (lease + 1) * 2;

	if (p->spool == NULL)
		p->spool = spool_new(SPOOL_MEMORY);
	if (cap > p->cap) {
		p->open = mem_resize(p->open, cap, sizeof(struct part *));
		memset(p->open + p->cap, 0, (cap - p->cap) * sizeof(struct part *));
		p->cap = cap;
	}
	p->open[lease] = mem_zero(1, sizeof(*p->open[lease]));
	p->open[lease]->child = child;
	return p->open[lease];
}

void part_free(struct master *m, struct part *part)
{
	if (part == NULL)
		return;
	spool_drop(m->parts.spool, &part->run);
	free(part);
}

/* Whose record holds most of the spool; this one, if no other holds more. */
static struct part *part_largest(const struct master *m, struct part *part)
{
	for (uint32_t i = 0; i < m->parts.cap; i++) {
		struct part *other = m->parts.open[i];

		if (other != NULL && other->run.size > part->run.size)
			part = other;
	}
	return part;
}

static void part_give_up(struct master *m, struct part *part, int why)
{
	if (!m->parts.full) /* once a run: each record says it of itself */
		log_error("cannot keep large records in %s: %s (TMPDIR names another folder); the "
			  "largest end without their rows",
			  spool_folder(), strerror(why));
	m->parts.full = true;
	part->lost = why;
	spool_drop(m->parts.spool, &part->run);
}

/* Ends, for with each failure one that can be lost is lost. */
static void part_put(struct master *m, struct part *part, const uint8_t *p, size_t len)
{
	while (part->lost == 0 && !spool_put(m->parts.spool, &part->run, p, len)) {
		int why = errno;

		part_give_up(m, part_largest(m, part), why);
	}
}

void part_add(struct master *m, uint32_t slot, const uint8_t *p, size_t len)
{
	struct part *part = part_find(m, slot);

	part_put(m, part != NULL ? part : part_new(m, slot, 0), p, len);
}

struct part *part_leave(struct master *m, uint32_t slot)
{
	struct part *part = part_find(m, slot);

	if (part != NULL)
		m->parts.open[slot] = NULL;
	return part;
}

bool part_take(struct child *c, const struct queue_frame *f)
{
	struct master *m = c->master;
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint32_t lease = wire_get_u32(&r);
	struct part *part;

	if (r.bad || !dispatch_holds(m->dispatch, c->number, lease))
		return false;
	part = part_find(m, lease);
	if (part == NULL)
		part = part_new(m, lease, c->number);
	part_put(m, part, r.at, (size_t)(r.end - r.at));
	return true;
}

void parts_drop(struct child *c)
{
	struct parts *p = &c->master->parts;

	for (uint32_t i = 0; i < p->cap; i++) {
		if (p->open[i] == NULL || p->open[i]->child != c->number)
			continue;
		part_free(c->master, p->open[i]);
		p->open[i] = NULL;
	}
}

void parts_free(struct master *m)
{
	part_free(m, m->large.part);
	for (uint32_t i = 0; i < m->parts.cap; i++)
		part_free(m, m->parts.open[i]);
	free(m->parts.open);
	spool_free(m->parts.spool);
}

bool large_may_continue(const struct master *m)
{
	return m->large.open && !writer_full(m->writer);
}

/* A slice of it: from the spool, then of its last octets. 0: it is through, -1: it never will be. */
static ptrdiff_t large_slice(struct master *m)
{
	struct large *l = &m->large;
	uint8_t octets[SLICE];
	size_t portion = layout_portion(m->layout), most = portion < SLICE ? portion : SLICE;
	ptrdiff_t n = l->part ? spool_read(m->parts.spool, &l->part->run, octets, most) : 0;
	bool put;

	if (n < 0) {
		spool_failed(m);
		return -1;
	}
	if (n > 0) {
		put = layout_part(m->layout, octets, (size_t)n);
	} else if (l->rest_len > most) {
		n = (ptrdiff_t)most;
		put = layout_part(m->layout, l->rest, most);
		l->rest += most;
		l->rest_len -= most;
	} else {
		put = layout_end(m->layout, l->rest, l->rest_len);
	}
	if (!put)
		output_failed(m);
	return put ? n : -1;
}

void large_continue(struct master *m)
{
	ptrdiff_t n = 1;

	if (!m->large.open)
		return;
	for (int slices = 0; n > 0; slices++) {
		if (writer_full(m->writer) || slices == SLICES)
			return; /* to be continued, when the writer has room */
		n = large_slice(m);
	}
	part_free(m, m->large.part);
	m->large = (struct large){0};
}

/* The record's front and its last octets are here; what comes between them is in the spool, if
 * anything. Takes the part. */
static void record_write(struct master *m, const struct dispatch_task *t, const struct record *r,
			 struct part *part, const struct record_octets *octets)
{
	const struct queue_part front = octets->front, rest = octets->rest;
	const struct layout_piece whole = {.seq = t->seq,
					   .head = r->head,
					   .addr = &r->addr,
					   .front = front.p,
					   .front_len = front.len,
					   .octets = rest.p,
					   .len = rest.len};
	bool put;

	if (part == NULL && layout_pass(m->layout, &whole))
		return;
	put = layout_begin(m->layout, t->seq, r, front.p, front.len);
	if (put && part == NULL && rest.len <= layout_portion(m->layout)) {
		if (!layout_end(m->layout, rest.p, rest.len))
			output_failed(m);
		return;
	}
	if (!put)
		output_failed(m);
	m->large = (struct large){.open = true, .part = part, .rest = rest.p, .rest_len = rest.len};
	large_continue(m);
}

/* Rows of it were given up: it has no end that would make sense of the others. */
static void record_lost(struct master *m, struct part *part, const struct dispatch_task *t,
			const struct record_head *h)
{
	char words[200];
	struct record r = {.status = RECORD_CANCELLED,
			   .rtt_us = h->rtt_us,
			   .tries = h->tries,
			   .message = words};

	snprintf(words, sizeof(words),
		 "no room to keep so large a record until its end: %s (see TMPDIR)",
		 strerror(part->lost));
	record_own(m, t, &r);
	m->result->lost++;
	part_free(m, part);
}

/* Whose record it is, in *task; false: not this worker's. */
static bool record_answers(struct child *c, const struct record_head *h, struct dispatch_task *task)
{
	struct master *m = c->master;
	const struct dispatch_task *t = dispatch_find(m->dispatch, c->number, h->lease, h->seq);

	if (t == NULL)
		return false;
	if (h->engine_id_len > 0)
		engines_take(&m->engines, h, t->host);
	recall_take(m, t, h);
	*task = *t;
	return dispatch_answer(m->dispatch, c->number, h->lease, h->seq);
}

void record_come(struct master *m, const struct dispatch_task *t, const struct record_head *h,
		 struct part *part, const struct record_octets *octets)
{
	static const struct record nothing;
	struct record r = nothing; /* an initializer becomes `rep stos`, which takes longer */

	r.status = (enum record_status)h->status;
	r.rtt_us = h->rtt_us;
	r.tries = h->tries;
	r.head = h;
	refresh_doubt(m, t, h->status);
	if (!record_is_wanted(m, h->status)) {
		part_free(m, part);
		part = NULL;
	}
	if (part != NULL && part->lost != 0) {
		record_lost(m, part, t, h);
		return;
	}
	record_name(&r, t);
	record_count(m, &r);
	if (record_goes_on(m, h->status))
		record_write(m, t, &r, part, octets);
}

bool record_take(struct child *c, const struct queue_frame *f)
{
	struct master *m = c->master;
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct record_head head;
	struct dispatch_task task;
	struct record_octets octets;
	struct part *part;

	if (!record_head_unpack(&head, &r))
		return false;
	octets.front.len = wire_get_u32(&r);
	octets.front.p = wire_get_bytes(&r, octets.front.len);
	octets.rest = (struct queue_part){r.at, (size_t)(r.end - r.at)};
	if (r.bad || !record_answers(c, &head, &task))
		return false;
	c->delivered = true;
	m->barren[child_kind(c)] = 0;
	part = part_leave(m, head.lease);
	record_come(m, &task, &head, part, &octets);
	return true;
}

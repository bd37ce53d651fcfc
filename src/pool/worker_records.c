/*
 * A worker's records on their way to its done_queue.
 *
 * Records are formatted here, on every processor, so that the master only copies. A STATS frame is
 * reserved before the first record of a turn and filled in at its end: so the sum that belongs to the
 * records never comes after them, and a worker that is killed between two writes has told of every
 * packet behind the records that count.
 *
 * A record that is too large to be held goes ahead in parts while it is not over: its rows are formatted
 * as the engine gives them, and the master keeps them. Those of several targets may come mixed. Rejected:
 * one such target at a time, the rows of all others waiting; they would wait in this process's memory,
 * or their devices would, and one slow device would make all others wait.
 *
 * The trap: nothing here may grow with a record. What formatting needs is a piece's octets; what the queue
 * takes is bounded by the marks of worker.c, since the engine is held above them.
 */
#include "pool/worker_internal.h"

#include <string.h>

#include "base/stats.h"
#include "pool/message.h"

#define PART_MAX     (QUEUE_PAYLOAD_MAX - 4) /* octets of a record in a PART */
#define LAST_MAX     (QUEUE_PAYLOAD_MAX - RECORD_HEAD_PACKED_MAX - 4) /* and in a RECORD */
#define SCRATCH_KEEP ((size_t)1 << 20) /* octets of the formatting buffer that are not given back */

void stats_reserve(struct worker *w)
{
	if (w->stats_reserved)
		return;
	w->stats_place = queue_reserve(w->queue, MESSAGE_STATS, STATS_PACKED);
	w->stats_reserved = true;
}

void stats_fill(struct worker *w)
{
	uint8_t bytes[STATS_PACKED];
	struct wire_out out = {.at = bytes, .end = bytes + sizeof(bytes)};
	struct stats delta;

	if (!w->stats_reserved)
		return;
	engine_take_stats(w->engine, &delta);
	stats_pack(&delta, &out);
	queue_fill(w->queue, w->stats_place, bytes, sizeof(bytes));
	w->stats_reserved = false;
}

/* What of the scratch buffer stands from start to end goes ahead of the record. */
static void put_parts(struct worker *w, uint32_t lease, size_t start, size_t end)
{
	uint8_t head[4];
	struct wire_out out = {.at = head, .end = head + sizeof(head)};

	wire_put_u32(&out, lease);
	while (start < end) {
		size_t len = end - start < PART_MAX ? end - start : PART_MAX;
		struct queue_part parts[] = {{head, sizeof(head)}, {w->scratch.data + start, len}};

		queue_put_parts(w->queue, MESSAGE_PART, parts, 2);
		start += len;
	}
}

/* Its engine ID is the device's: one that the person has given says nothing before it has served. */
static bool is_learnt(const struct worker *w, const struct task *task, const struct record *r)
{
	bool given = w->config->profiles[task->profile].engine_id_len > 0;

	return r->engine_id_len > 0 && r->addr.family != 0 && r->rtt_us >= 0 &&
	       !(given && r->status == RECORD_AUTH);
}

static void head_fill(struct record_head *h, const struct worker *w, const struct task *task,
		      const struct record *r)
{
	*h = (struct record_head){.seq = task->seq,
				  .lease = task->lease,
				  .status = (uint8_t)r->status,
				  .tries = r->tries,
				  .rtt_us = r->rtt_us};
	h->learns = task->learns && r->learnt != NULL;
	if (h->learns)
		h->learnt = *r->learnt;
	if (!is_learnt(w, task, r))
		return;
	h->engine_id_len = r->engine_id_len; /* for the master to compare */
	memcpy(h->engine_id, r->engine_id, r->engine_id_len);
	h->addr = r->addr;
}

/* The scratch buffer is the record, or what is left of it; the first `front` octets stand before what
 * went ahead already. */
static void put_record(struct worker *w, const struct task *task, const struct record *r,
		       size_t front)
{
	struct record_head h;
	uint8_t head[RECORD_HEAD_PACKED_MAX + 4];
	struct wire_out out = {.at = head, .end = head + sizeof(head)};
	size_t last = w->scratch.len; /* where the last octets begin */

	if (last > LAST_MAX) { /* a front is never that long: host, address, times */
		last -= LAST_MAX - front;
		put_parts(w, task->lease, front, last);
	} else {
		last = front;
	}
	head_fill(&h, w, task, r);
	record_head_pack(&h, &out);
	wire_put_u32(&out, (uint32_t)front);
	struct queue_part parts[] = {{head, (size_t)(out.at - head)},
				     {w->scratch.data, front},
				     {w->scratch.data + last, w->scratch.len - last}};
	queue_put_parts(w->queue, MESSAGE_RECORD, parts, 3);
}

/* Formatting looks at what a device sent, so it too is charged to the target. Returns who was charged. */
static uint64_t formatting_begin(struct worker *w, const struct task *task)
{
	uint64_t before = atomic_load_explicit(w->at_work, memory_order_relaxed);

	atomic_store_explicit(w->at_work, task->seq + 1, memory_order_relaxed);
	w->scratch.len = 0;
	buf_room(&w->scratch, 1); /* there are octets, if none are put */
	return before;
}

static void formatting_end(struct worker *w, uint64_t before)
{
	if (w->scratch.cap > SCRATCH_KEEP)
		buf_free(&w->scratch);
	atomic_store_explicit(w->at_work, before, memory_order_relaxed);
}

static bool is_wanted(const struct worker *w, enum record_status status)
{
	return !(w->config->unwanted >> status & 1);
}

/* The engine's callback: rows of a record that is not over. It will be ok or partial, for it has some. */
void rows_ahead(void *arg, const struct task *task, const struct record *r)
{
	struct worker *w = arg;
	uint64_t before;

	if (!is_wanted(w, RECORD_OK) && !is_wanted(w, RECORD_PARTIAL))
		return;
	before = formatting_begin(w, task);
	w->config->format->rows(&w->scratch, r, w->config->format_options);
	put_parts(w, task->lease, 0, w->scratch.len);
	formatting_end(w, before);
}

/* The engine's callback. */
void record_done(void *arg, const struct task *task, const struct record *r)
{
	struct worker *w = arg;
	const struct format *f = w->config->format;
	const struct format_options *o = w->config->format_options;
	uint64_t before = formatting_begin(w, task);
	size_t front = 0;

	stats_reserve(w);
	if (is_wanted(w, r->status) && r->ahead == 0) {
		f->record(&w->scratch, r, o);
	} else if (is_wanted(w, r->status)) {
		if (f->front != NULL)
			f->front(&w->scratch, r, o);
		front = w->scratch.len;
		f->rows(&w->scratch, r, o);
		f->rest(&w->scratch, r, o);
	}
	put_record(w, task, r, front);
	formatting_end(w, before);
}

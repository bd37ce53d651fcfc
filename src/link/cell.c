/*
 * The cell's side of its queue: tasks become targets of the plan, records become results.
 *
 * What it reads is the agent's word, which has checked what came from a broker; bounds are kept all the same, for the text
 * of a target is still another machine's.
 *
 * What is known of hosts waits here by the slot of the local number, until the slot has another task: the ledger leases a target
 * again after a worker's death, so it is not gone with the first lease.
 *
 * Rejected: the local number as an index that grows for ever; a cell lives for weeks.
 *
 * The trap: the queue's descriptor is read here and written by the master's writer, on a duplicate of it, for a loop has one entry
 * for a descriptor. Both are the same open file, so it is non-blocking for both, which the writer of streams expects.
 */
#include "link/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/task.h"
#include "link/batch.h"
#include "plan/fed.h"
#include "plan/plan.h"
#include "pool/queue.h"

#define RATE_UNIT 1000 /* CELL_RATE counts packets per so many seconds */
#define WORDS_MAX 400

struct known {
	bool learns;
	struct learnt learnt;
};

struct cell {
	struct plan *plan;
	const char *who;
	unsigned sessions;
	struct queue *queue;
	struct known *known; /* by slot */
	uint32_t nknown;
	bool stopped;
	char words[WORDS_MAX];
};

struct cell *cell_new(struct plan *plan, const char *who, unsigned sessions, int queue_fd)
{
	struct cell *c = mem_zero(1, sizeof(*c));

	c->plan = plan;
	c->who = who;
	c->sessions = sessions;
	c->queue = queue_new(queue_fd);
	return c;
}

void cell_free(struct cell *c)
{
	queue_free(c->queue);
	free(c->known);
	free(c);
}

bool cell_stopped(const struct cell *c)
{
	return c->stopped;
}

/* --- tasks -------------------------------------------------------------------------------- */

static void keep(struct cell *c, uint64_t seq, const struct known *k)
{
	uint32_t slot = CELL_SLOT(seq);

	if (slot >= c->nknown) {
		c->known = mem_resize(c->known, (size_t)slot * 2 + 64, sizeof(*c->known));
		memset(c->known + c->nknown, 0,
		       ((size_t)slot * 2 + 64 - c->nknown) * sizeof(*c->known));
		c->nknown = slot * 2 + 64;
	}
	c->known[slot] = *k;
}

/* A target that nobody here could lease gets a profile that nobody has, which is a fault. */
static void refuse_kind(const struct cell *c, struct plan_target *t)
{
	if (t->transport == TRANSPORT_UDP || c->sessions > 0)
		return;
	t->transport = TRANSPORT_UDP;
	t->profile = UINT32_MAX;
}

static bool tasks_take(struct cell *c, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	while (r.at < r.end) {
		struct batch_store store;
		struct plan_target t;
		struct known k;

		if (!batch_target_unpack(&t, &store, &k.learns, &k.learnt, &r))
			return false;
		refuse_kind(c, &t);
		keep(c, t.seq, &k);
		plan_feed(c->plan, &t);
	}
	return true;
}

static bool rate_take(const struct queue_frame *f, struct master_orders *orders)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	orders->rate_pps = (double)wire_get_u32(&r) / RATE_UNIT;
	return !r.bad;
}

/* False: the agent may not say that, or has gone. */
static bool frame_take(struct cell *c, const struct queue_frame *f, struct master_orders *orders)
{
	switch (f->kind) {
	case CELL_TASKS:
		return tasks_take(c, f);
	case CELL_RATE:
		return rate_take(f, orders);
	case CELL_STOP:
		c->stopped = true;
		plan_feed_close(c->plan);
		return true;
	case CELL_PING:
		orders->asked = true;
		return true;
	case CELL_CANCEL:
		orders->cancel = "cancelled by who asked for it";
		return true;
	default:
		return false;
	}
}

static void cell_ready(void *arg, struct master_orders *orders)
{
	struct cell *c = arg;
	enum queue_state state = queue_read(c->queue);
	struct queue_frame f;
	bool good = true;

	while (good && queue_next(c->queue, &f))
		good = frame_take(c, &f, orders);
	if (good && state == QUEUE_OPEN)
		return;
	orders->ended = true; /* nobody is there for whom to ask */
	orders->cancel = "the agent has gone";
	plan_feed_close(c->plan);
}

static bool cell_known(void *arg, uint64_t seq, struct learnt *l)
{
	const struct cell *c = arg;
	uint32_t slot = CELL_SLOT(seq);

	if (slot >= c->nknown || !c->known[slot].learns)
		return false;
	*l = c->known[slot].learnt;
	return true;
}

static const char *cell_fault(void *arg, uint32_t profile)
{
	struct cell *c = arg;
	const char *why;
	size_t count;

	plan_profiles(c->plan, &count);
	why = profile < count ? plan_fault(c->plan, profile) : "was not told what to ask";
	if (why == NULL)
		return NULL;
	snprintf(c->words, sizeof(c->words), "%s %s", c->who, why);
	return c->words;
}

struct master_feed cell_feed(struct cell *c)
{
	return (struct master_feed){.arg = c,
				    .fd = queue_fd(c->queue),
				    .sessions = c->sessions,
				    .ready = cell_ready,
				    .fault = cell_fault,
				    .known = cell_known};
}

/* --- records ------------------------------------------------------------------------------ */

/* A frame as pool/queue has them, len octets of which are filled in by the caller. */
static struct wire_out frame_begin(struct buf *out, size_t max)
{
	uint8_t *at = buf_room(out, max + 5);

	return (struct wire_out){.at = at + 5, .end = at + 5 + max};
}

static void frame_end(struct buf *out, enum cell_message kind, const struct wire_out *w)
{
	uint8_t *at = out->data + out->len;
	size_t len = (size_t)(w->at - at) - 4; /* of the kind and what follows it */
	struct wire_out head = {.at = at, .end = at + 5};

	wire_put_u32(&head, (uint32_t)len);
	wire_put_u8(&head, (uint8_t)kind);
	out->len += len + 4;
}

static void result_put(struct buf *out, const struct layout_piece *p)
{
	struct batch_result r = {.seq = p->seq,
				 .attempt = 1,
				 .before = (uint32_t)p->before,
				 .last = p->head != NULL,
				 .addr = p->addr,
				 .front = p->front,
				 .front_len = (uint32_t)p->front_len,
				 .octets = p->octets,
				 .len = (uint32_t)p->len};
	struct wire_out w = frame_begin(out, BATCH_RESULT_MAX + p->front_len + p->len);

	if (p->head != NULL)
		r.head = *p->head;
	batch_result_pack(&r, &w);
	frame_end(out, CELL_RESULT, &w);
}

static void stats_put(struct buf *out, const struct stats *delta)
{
	struct wire_out w = frame_begin(out, STATS_PACKED);

	stats_pack(delta, &w);
	frame_end(out, CELL_STATS, &w);
}

const struct layout_frames cell_frames = {
	.piece = CELL_PIECE, .put = result_put, .count = stats_put};

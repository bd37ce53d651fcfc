/*
 * The cell's side of its queue: tasks become targets of the plan, records become rows of messages to the master.
 *
 * The agent has looked at the targets' lengths and no further, so what is read here is another machine's word. A batch of which one target
 * makes no sense is not polled at all, and goes to the dead letters: half of it would be answered, and the rest asked for
 * ever. Each is fed as it is read, and taken back if another one is wrong: to read all of them twice would cost what that saves.
 *
 * Results wait for company: as many as fit one message, or what has come in GATHER_US, sooner when no task is open, since a list's last
 * records should not wait; those of dangerous tasks never do. What dies with us is asked again, so nothing is lost that was not put.
 *
 * The trap: the queue's descriptor is read here and written by the master's writer, on a duplicate of it, for a loop has one entry
 * for a descriptor. Both are the same open file, so it is non-blocking for both, which the writer of streams expects.
 */
#include "link/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/task.h"
#include "link/batch.h"
#include "link/cell_tasks.h"
#include "link/gather.h"
#include "link/slots.h"
#include "out/writer.h"
#include "plan/fed.h"
#include "plan/plan.h"
#include "pool/queue.h"

#define RATE_UNIT 1000 /* CELL_RATE counts packets per so many seconds */
#define WORDS_MAX 400
#define GATHER_US 200000
#define FRAME     5 /* octets of a queue's frame before its payload */

_Static_assert(GATHER_MAX + GATHER_LISTS <= QUEUE_PAYLOAD_MAX, "what is gathered fits a frame");
_Static_assert(BATCH_RESULT_MAX + (size_t)2 * CELL_PIECE <= GATHER_MAX,
	       "any result fits a message");

_Static_assert(GATHER_HEADS + GATHER_MAX <= SLOT_OCTETS, "and a slot, with heads before it");
_Static_assert(SLOTS_EACH < GATHER_INLINE, "no slot is called as what is none");

struct cell {
	struct cell_config config;
	struct queue *queue;
	struct cell_tasks tasks;
	char words[WORDS_MAX];
	/* on their way to the agent */
	struct gather gather;
	uint8_t slot;                    /* where that goes */
	uint8_t *own;                    /* and where no slot is free; NULL until then */
	uint8_t lent[SLOTS_EACH], nlent; /* slots to be filled */
	struct stats stats;
	bool counted;   /* there are some */
	int64_t due_us; /* when it is sent, however little it is; LOOP_NEVER: there is nothing */
	struct buf refusals; /* frames CELL_UNREADABLE */
};

struct cell *cell_new(const struct cell_config *config)
{
	struct cell *c = mem_zero(1, sizeof(*c));

	c->config = *config;
	c->queue = queue_new(config->queue_fd);
	c->due_us = LOOP_NEVER;
	return c;
}

void cell_free(struct cell *c)
{
	queue_free(c->queue);
	cell_tasks_free(&c->tasks);
	gather_free(&c->gather);
	free(c->own);
	buf_free(&c->refusals);
	free(c);
}

/* --- tasks -------------------------------------------------------------------------------- */

/* A target that nobody here could lease gets a profile that nobody has, which is a fault. */
static void refuse_kind(const struct cell *c, struct plan_target *t)
{
	if (t->transport == TRANSPORT_UDP || c->config.sessions > 0)
		return;
	t->transport = TRANSPORT_UDP;
	t->profile = UINT32_MAX;
}

static bool task_take(struct cell *c, struct cell_batch *b, struct wire_in *r)
{
	struct batch_store store;
	struct plan_target t;
	struct cell_task task;
	struct learnt learnt;

	if (!batch_target_unpack(&t, &store, &task.learns, &learnt, r))
		return false;
	task.seq = t.seq;
	task.named = t.name != NULL;
	t.seq = cell_task_open(&c->tasks, b, &task, &learnt);
	refuse_kind(c, &t);
	plan_feed(c->config.plan, &t);
	return true;
}

static void batch_refuse(struct cell *c, uint32_t batch)
{
	struct wire_out w = {.at = buf_room(&c->refusals, FRAME + 4)};

	w.end = w.at + FRAME + 4;
	wire_put_u32(&w, 4 + 1);
	wire_put_u8(&w, CELL_UNREADABLE);
	wire_put_u32(&w, batch);
	c->refusals.len += FRAME + 4;
}

static bool tasks_take(struct cell *c, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct cell_batch head = {.number = wire_get_u32(&r)}, *b;
	bool sound = true;

	head.poll = wire_get_u32(&r);
	head.attempt = wire_get_u8(&r);
	head.count = wire_get_u16(&r);
	if (r.bad || head.count < 1)
		return false;
	b = cell_batch_open(&c->tasks, &head);
	plan_feed_begin(c->config.plan);
	for (unsigned n = 0; n < head.count && sound; n++)
		sound = task_take(c, b, &r);
	if (sound && r.at == r.end)
		return true;
	plan_feed_undo(c->config.plan);
	cell_batch_drop(&c->tasks, b);
	batch_refuse(c, head.number);
	return true;
}

static bool rate_take(const struct queue_frame *f, struct master_orders *orders)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	orders->rate_pps = (double)wire_get_u32(&r) / RATE_UNIT;
	return !r.bad;
}

/* The last one is filled first. Who has no memory is lent some all the same. */
static bool slot_receive(struct cell *c, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint8_t slot = wire_get_u8(&r);

	if (r.bad || slot >= SLOTS_EACH || c->nlent == SLOTS_EACH)
		return false;
	if (c->config.slots != NULL)
		c->lent[c->nlent++] = slot;
	return true;
}

/* False: the agent may not say that, or has gone. */
static bool frame_take(struct cell *c, const struct queue_frame *f, struct master_orders *orders)
{
	switch (f->kind) {
	case CELL_TASKS:
		return tasks_take(c, f);
	case CELL_RATE:
		return rate_take(f, orders);
	case CELL_SLOT:
		return slot_receive(c, f);
	case CELL_STOP:
		plan_feed_close(c->config.plan);
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
	plan_feed_close(c->config.plan);
}

static bool cell_known(void *arg, uint64_t local, struct learnt *l)
{
	const struct cell *c = arg;

	return cell_task_known(&c->tasks, local, l);
}

static const char *cell_fault(void *arg, uint32_t profile)
{
	struct cell *c = arg;
	const char *why = plan_fault(c->config.plan, profile);

	if (why == NULL)
		return NULL;
	snprintf(c->words, sizeof(c->words), "%s %s", c->config.who, why);
	return c->words;
}

struct master_feed cell_feed(struct cell *c)
{
	return (struct master_feed){.arg = c,
				    .fd = queue_fd(c->queue),
				    .sessions = c->config.sessions,
				    .ready = cell_ready,
				    .fault = cell_fault,
				    .known = cell_known};
}

/* --- records ------------------------------------------------------------------------------ */

static void stats_put(struct cell *c, struct writer *w)
{
	uint8_t octets[FRAME + STATS_PACKED];
	struct wire_out out = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_u32(&out, STATS_PACKED + 1);
	wire_put_u8(&out, CELL_STATS);
	stats_pack(&c->stats, &out);
	writer_put(w, octets, sizeof(octets));
	c->stats = (struct stats){{0}};
	c->counted = false;
}

static void results_begin(struct cell *c)
{
	uint8_t *room;

	if (c->nlent > 0) {
		c->slot = c->lent[--c->nlent];
		room = c->config.slots + (size_t)c->slot * SLOT_OCTETS + GATHER_HEADS;
	} else {
		c->slot = GATHER_INLINE;
		if (c->own == NULL)
			c->own = mem_alloc(GATHER_MAX);
		room = c->own;
	}
	gather_begin(&c->gather, room);
}

static void results_put(struct cell *c, struct writer *w)
{
	struct gather_frame frame;

	if (c->counted)
		stats_put(c, w);
	c->due_us = LOOP_NEVER;
	if (c->gather.rows == 0)
		return;
	frame = gather_close(&c->gather, CELL_RESULTS, c->slot);
	writer_put(w, frame.lists.p, frame.lists.len);
	if (frame.rows.len > 0)
		writer_give(w, frame.rows.p, frame.rows.len);
}

/* An address that the task came with goes back to nobody. */
static void row_add(struct cell *c, const struct cell_batch *b, const struct cell_task *t,
		    const struct layout_piece *p)
{
	struct batch_result row = {.seq = t->seq,
				   .poll = b->poll + (uint32_t)(t - b->task),
				   .before = (uint32_t)p->before,
				   .attempt = b->attempt,
				   .head = p->head,
				   .front = p->front,
				   .front_len = (uint32_t)p->front_len,
				   .octets = p->octets,
				   .len = (uint32_t)p->len};

	if (t->named)
		row.addr = *p->addr;
	gather_add(&c->gather, b->number, &row);
}

static void piece_take(void *arg, const struct layout_piece *p, struct writer *w)
{
	struct cell *c = arg;
	struct cell_batch *b;
	struct cell_task *t = cell_task_find(&c->tasks, p->seq, &b);

	if (t == NULL)
		return; /* a master has one record of a task */
	if (!gather_fits(&c->gather, p->front_len + p->len))
		results_put(c, w);
	if (c->gather.rows == 0)
		results_begin(c);
	row_add(c, b, t, p);
	if (p->head != NULL)
		cell_task_close(&c->tasks, b, t);
}

static void count_take(void *arg, const struct stats *delta, struct writer *w)
{
	struct cell *c = arg;

	(void)w;
	stats_add(&c->stats, delta);
	c->counted = true;
}

static int64_t cell_turn(void *arg, int64_t now_us, struct writer *w)
{
	struct cell *c = arg;

	if (c->refusals.len > 0)
		writer_put(w, c->refusals.data, c->refusals.len);
	c->refusals.len = 0;
	if (c->gather.rows == 0 && !c->counted)
		return LOOP_NEVER;
	if (c->due_us == LOOP_NEVER)
		c->due_us = now_us + GATHER_US;
	if (c->config.alone || c->tasks.open == 0 || c->due_us <= now_us ||
	    !gather_fits(&c->gather, 0))
		results_put(c, w);
	return c->due_us;
}

struct layout_frames cell_frames(struct cell *c)
{
	return (struct layout_frames){.arg = c,
				      .piece = CELL_PIECE,
				      .put = piece_take,
				      .count = count_take,
				      .turn = cell_turn};
}

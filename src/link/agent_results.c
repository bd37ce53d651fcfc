/*
 * Records on their way from cells to the broker.
 *
 * A cell gives whole messages' rows, which are not opened here: the message's head is put before them, their batches owe that many
 * records less, and what came of each task is counted. Mostly they lie in a slot (link/slots.h), where they stay.
 *
 * What the window does not want stays here: then the cell is not read, its writer's buffer fills up, its workers keep their
 * answers and stop asking. So a broker that is gone for an hour costs as much memory as one that is gone for a minute.
 *
 * What a cell was told to cancel nobody wants: its batches went to others or were acknowledged, so its records, most of them
 * of status "cancelled", are dropped. Of no other living cell do batches leave while they owe anything.
 *
 * The trap: counters belong to what was counted, not to a record; they go with the next message, whatever is in it. And a cell may
 * be wrong: nothing of what it says is done before all of it was looked at.
 */
#include "link/agent_internal.h"

#include <stdio.h>
#include <string.h>

#include "link/gather.h"

#define SLOTS_LOW \
	3 /* a cell that has so many waits for no more; who woke it for each one would double its wakes */
#define HEADS_MAX \
	(BATCH_HEAD_PACKED + 2 * (BROKER_NAME_MAX + 2) + 8 + 8 + STATS_PACKED + 2) /* octets */
#define ROWS_MAX (BATCH_BODY_MAX - HEADS_MAX) /* who takes a longer body throws it away */

_Static_assert(GATHER_MAX <= ROWS_MAX, "what a cell gathers fits a body with its heads");
_Static_assert(HEADS_MAX <= GATHER_HEADS, "for which there is room before rows in a slot");
_Static_assert(BATCH_BODY_MAX <= WINDOW_BODY_MAX, "which fits a message");

/* --- slots -------------------------------------------------------------------------------- */

unsigned cell_part(const struct agent_cell *c)
{
	return (unsigned)(c - c->agent->cells);
}

void cell_lend(struct agent_cell *c)
{
	uint8_t slot;

	while (slot_lend(c->agent->slots, cell_part(c), &slot))
		queue_put(c->queue, CELL_SLOT, &slot, 1);
}

void cell_slot_settle(struct agent *a, uint64_t id)
{
	unsigned part;

	if (slot_settle(a->slots, id, &part) && a->cells[part].queue != NULL &&
	    slots_lent(a->slots, part) < SLOTS_LOW)
		cell_lend(&a->cells[part]);
}

/* --- messages ----------------------------------------------------------------------------- */

/* Heads go before the rows where these lie. */
static uint64_t results_lend(struct agent_cell *c, const struct gathered *g,
			     const struct queue_part *heads, const struct window_to *to)
{
	struct agent *a = c->agent;
	unsigned part = cell_part(c);
	size_t before = GATHER_HEADS - heads->len;
	struct window_lent body = {slot_place(part, g->slot) + before, heads->len + g->len};
	uint64_t id;

	memcpy(slot_octets(a->slots, part, g->slot) + before, heads->p, heads->len);
	id = window_put_lent(a->window, to, &body, loop_now_us(a->loop));
	slot_fill(a->slots, part, g->slot, id);
	return id;
}

/* Rows become a message; its id. */
static uint64_t results_send(struct agent_cell *c, const struct gathered *g)
{
	struct agent *a = c->agent;
	uint8_t octets[HEADS_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct batch_head head = {.kind = BATCH_OF_RESULTS, .run = c->run};
	struct batch_results results = {.incarnation = a->incarnation,
					.number = ++a->messages,
					.stats = c->stats,
					.count = g->rows};
	struct window_to to = {.to = COURIER_RESULTS, .key = c->master};

	snprintf(results.agent, sizeof(results.agent), "%s", a->config->name);
	snprintf(results.site, sizeof(results.site), "%s", a->config->site);
	batch_head_pack(&head, &w);
	batch_results_pack(&results, &w);
	c->stats = (struct stats){{0}};
	struct queue_part parts[] = {{octets, (size_t)(w.at - octets)}, {g->octets, g->len}};
	if (g->octets == NULL)
		return results_lend(c, g, &parts[0], &to);
	return window_put(a->window, &to, parts, 2, loop_now_us(a->loop));
}

bool results_must_wait(const struct agent_cell *c, const struct queue_frame *f)
{
	return f->kind == CELL_RESULTS && !c->cancelled &&
	       !window_wants(c->agent->window, COURIER_RESULTS, c->master);
}

/* --- what a cell says ----------------------------------------------------------------------- */

static void watchers_tell(struct agent *a, const struct record *r)
{
	for (size_t i = 0; i < a->config->nwatchers; i++)
		if (a->config->watchers[i].record != NULL)
			a->config->watchers[i].record(a->config->watchers[i].arg, r);
}

/* r: of all ends of a message, so that it is cleared once; each has the same three fields. */
static void count_end(struct agent *a, const struct gather_end *e, struct record *r)
{
	struct master_result *sum = &a->result->sum;

	sum->status[e->status]++;
	sum->targets++;
	if (e->rtt_us >= 0)
		histogram_add(sum->latency, e->rtt_us);
	r->status = (enum record_status)e->status;
	r->rtt_us = e->rtt_us;
	r->tries = e->tries;
	watchers_tell(a, r);
}

/* Batches of that cell have so many tasks in hand, and ends are what ends are. */
static bool is_sound(const struct agent_cell *c, struct gathered g)
{
	unsigned ended = 0;

	for (unsigned i = 0; i < g.nbatches; i++) {
		struct gather_batch of = gathered_batch(&g);
		struct batch *b = batch_find(c, of.number);

		if (b == NULL || of.ended > batch_in_hand(b) - b->ending)
			return false;
		b->ending += of.ended;
		ended += of.ended;
	}
	for (unsigned i = 0; i < g.nended; i++) {
		struct gather_end end;

		if (!gathered_end(&g, &end))
			return false;
	}
	if (g.octets == NULL &&
	    !(slot_is_lent(c->agent->slots, cell_part(c), g.slot) && g.len <= GATHER_MAX))
		return false;
	return ended == g.nended && g.len <= ROWS_MAX;
}

static void batches_end(struct agent_cell *c, struct gathered *g, uint64_t id)
{
	struct record r = {.host = NULL};

	for (unsigned i = 0; i < g->nbatches; i++) {
		struct gather_batch of = gathered_batch(g);
		struct batch *b = batch_find(c, of.number);

		b->owed -= of.ended;
		b->ending = 0;
		b->first_id = b->first_id > 0 ? b->first_id : id;
		b->last_id = id;
	}
	for (unsigned i = 0; i < g->nended; i++) {
		struct gather_end end;

		gathered_end(g, &end);
		count_end(c->agent, &end, &r);
	}
	c->open -= g->nended;
	if (g->nended > 0)
		c->idle_us = loop_now_us(c->agent->loop);
}

static bool results_take(struct agent_cell *c, const struct queue_frame *f)
{
	struct gathered g;

	if (!gathered_unpack(&g, (struct wire_in){.at = f->data, .end = f->data + f->len}))
		return false;
	if (c->cancelled)
		return true;
	if (!is_sound(c, g))
		return false;
	c->delivered = true;
	c->agent->barren = 0;
	batches_end(c, &g, results_send(c, &g));
	return true;
}

static bool stats_take(struct agent_cell *c, const struct queue_frame *f)
{
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	struct stats delta;

	if (!stats_unpack(&delta, &in) || in.at != in.end)
		return false;
	stats_add(&c->stats, &delta);
	stats_add(&c->agent->result->sum.stats, &delta);
	return true;
}

static bool refusal_take(struct agent_cell *c, const struct queue_frame *f)
{
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	uint32_t number = wire_get_u32(&in);

	if (in.bad || in.at != in.end)
		return false;
	return c->cancelled || batch_refused(c, number);
}

bool result_take(struct agent_cell *c, const struct queue_frame *f)
{
	switch (f->kind) {
	case CELL_RESULTS:
		return results_take(c, f);
	case CELL_STATS:
		return stats_take(c, f);
	case CELL_UNREADABLE:
		return refusal_take(c, f);
	default:
		return false;
	}
}

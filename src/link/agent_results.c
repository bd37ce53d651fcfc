/*
 * Records on their way from cells to the broker.
 *
 * Up to 256 of them, or what has come in 200 ms, travel in one message; sooner when nothing more is to be expected, since a
 * list's last records should not wait. Those of dangerous tasks go one by one, before the next one is asked.
 *
 * What the window does not want stays here: then the cell is not read, its writer's buffer fills up, its workers keep their
 * answers and stop asking. So a broker that is gone for an hour costs as much memory as one that is gone for a minute.
 *
 * The trap: counters belong to what was counted, not to a record; they go with the next message, whatever is in it.
 */
#include "link/agent_internal.h"

#include <stdio.h>
#include <string.h>

#define GATHER_US 200000
#define HEADS_MAX \
	(BATCH_HEAD_PACKED + 2 * (BROKER_NAME_MAX + 2) + 8 + 8 + STATS_PACKED + 2) /* octets */
#define ROWS_MAX (BATCH_BODY_MAX - HEADS_MAX)

_Static_assert(ROWS_MAX + BATCH_RESULT_MAX + (size_t)2 * CELL_PIECE < WINDOW_BODY_MAX,
	       "one result too many fits");

/* What is gathered becomes a message. */
static void results_send(struct agent_cell *c)
{
	struct agent *a = c->agent;
	uint8_t octets[HEADS_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct batch_head head = {.kind = BATCH_OF_RESULTS, .run = c->run};
	struct batch_results results = {.incarnation = a->incarnation,
					.number = ++a->messages,
					.stats = c->stats,
					.count = (uint16_t)c->count};
	struct window_to to = {.to = COURIER_RESULTS, .key = c->master};
	uint64_t id;

	snprintf(results.agent, sizeof(results.agent), "%s", a->config->name);
	snprintf(results.site, sizeof(results.site), "%s", a->config->site);
	batch_head_pack(&head, &w);
	batch_results_pack(&results, &w);
	struct queue_part parts[] = {{octets, (size_t)(w.at - octets)},
				     {c->rows.data, c->rows.len}};
	id = window_put(a->window, &to, parts, 2, loop_now_us(a->loop));
	for (unsigned i = 0; i < c->count; i++)
		if (c->of[i] != NULL) {
			c->of[i]->last_id = id;
			c->of[i]->gathered = false;
		}
	c->rows.len = c->count = 0;
	c->stats = (struct stats){{0}};
	c->due_us = LOOP_NEVER;
}

/* False: the window does not want it now. */
static bool results_put(struct agent_cell *c)
{
	if (!window_wants(c->agent->window, COURIER_RESULTS, c->master))
		return false;
	results_send(c);
	return true;
}

static bool is_full(const struct agent_cell *c)
{
	return c->count == BATCH_TASKS || c->rows.len >= ROWS_MAX;
}

bool results_full(struct agent_cell *c)
{
	return is_full(c) && !results_put(c);
}

/* --- what a cell says ----------------------------------------------------------------------- */

static void count_record(struct agent *a, const struct record_head *h)
{
	struct master_result *sum = &a->result->sum;
	struct record r = {.status = (enum record_status)h->status,
			   .rtt_us = h->rtt_us,
			   .tries = h->tries,
			   .head = h};

	sum->status[h->status]++;
	sum->targets++;
	if (h->rtt_us >= 0)
		histogram_add(sum->latency, h->rtt_us);
	for (size_t i = 0; i < a->config->nwatchers; i++)
		if (a->config->watchers[i].record != NULL)
			a->config->watchers[i].record(a->config->watchers[i].arg, &r);
}

static void row_add(struct agent_cell *c, struct batch_result *r, struct batch *b)
{
	size_t max = BATCH_RESULT_MAX + r->front_len + r->len;
	struct wire_out w;

	if (c->count > 0 && (strcmp(c->master, b->head.master) != 0))
		results_send(c); /* of a master that goes by another name since */
	else if (c->count > 0 && c->rows.len + max > ROWS_MAX)
		results_put(c);
	memcpy(c->master, b->head.master, sizeof(c->master));
	w.at = buf_room(&c->rows, max);
	w.end = w.at + max;
	w.full = false;
	batch_result_pack(r, &w);
	c->rows.len = (size_t)(w.at - c->rows.data);
	c->of[c->count++] = b;
	b->gathered = true;
	if (c->due_us == LOOP_NEVER)
		c->due_us = loop_now_us(c->agent->loop) + GATHER_US;
}

static bool record_take(struct agent_cell *c, const struct queue_frame *f)
{
	struct agent *a = c->agent;
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	struct batch_result r;
	struct agent_task *t;
	struct batch *b;

	if (!batch_result_unpack(&r, &in) || in.at != in.end)
		return false;
	t = task_find(a, c, r.seq);
	if (t == NULL)
		return false;
	b = t->batch;
	c->delivered = true;
	a->barren = 0;
	if (b != NULL) {
		r.seq = t->seq;
		r.poll = t->poll;
		r.attempt = b->head.attempt;
		row_add(c, &r, b);
	}
	if (!r.last)
		return true;
	task_close(a, t);
	c->idle_us = loop_now_us(a->loop);
	if (b == NULL)
		return true;
	b->owed--;
	count_record(a, &r.head);
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

bool result_take(struct agent_cell *c, const struct queue_frame *f)
{
	switch (f->kind) {
	case CELL_RESULT:
		return record_take(c, f);
	case CELL_STATS:
		return stats_take(c, f);
	default:
		return false;
	}
}

/* --- when ------------------------------------------------------------------------------------ */

/* Nothing more is to be expected soon, or it has waited long enough. */
static bool is_due(const struct agent_cell *c)
{
	if (c->count == 0)
		return false;
	return c->open == 0 || c->alone || is_full(c) || c->due_us <= loop_now_us(c->agent->loop);
}

void results_turn(struct agent *a)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (is_due(&a->cells[i]))
			results_put(&a->cells[i]);
}

bool results_left(const struct agent *a)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (a->cells[i].count > 0)
			return true;
	return false;
}

/* What the window does not want waits for the window. */
int64_t results_next_us(const struct agent *a)
{
	int64_t next_us = LOOP_NEVER;

	for (unsigned i = 0; i < AGENT_CELLS; i++) {
		const struct agent_cell *c = &a->cells[i];

		if (c->count > 0 && c->due_us < next_us &&
		    window_wants(a->window, COURIER_RESULTS, c->master))
			next_us = c->due_us;
	}
	return next_us;
}

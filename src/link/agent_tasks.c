/*
 * Tasks on their way into the cells' hands, and their local numbers there.
 *
 * The number on the wire is not used in a cell: the same task may be in hand twice, when a broker gives a batch again while the
 * first one is still polled. A local number is a slot, and above it a count that makes it another one each time, so that
 * a ledger never takes a task for the one that had the slot before.
 *
 * Of a dangerous batch (agent_batches.c) a cell has few at a time: what kills it, kills only these.
 */
#include "link/agent_internal.h"

#include <stdlib.h>

#define NONE        UINT32_MAX
#define FIRST_CAP   1024
#define STEP        7 /* dangerous tasks begin so many further each time */
#define ROUNDS      64u
#define SINGLY_FROM 4 /* deliveries before this one */

static void grow(struct agent *a)
{
	uint32_t n = a->ntasks > 0 ? a->ntasks * 2 : FIRST_CAP;

	a->tasks = mem_resize(a->tasks, n, sizeof(*a->tasks));
	for (uint32_t i = n; i-- > a->ntasks;) {
		a->tasks[i] = (struct agent_task){
			.next = a->ntasks == 0 && i == n - 1 ? NONE : a->free_task};
		a->free_task = i;
	}
	a->ntasks = n;
}

uint64_t task_open(struct agent *a, struct batch *b, uint64_t seq)
{
	uint32_t slot;
	struct agent_task *t;

	if (a->ntasks == 0 || a->free_task == NONE)
		grow(a);
	slot = a->free_task;
	t = &a->tasks[slot];
	a->free_task = t->next;
	*t = (struct agent_task){.batch = b, .cell = b->cell, .seq = seq, .poll = ++a->polls};
	b->cell->open++;
	return (uint64_t)t->poll << CELL_TASK_BITS | slot;
}

struct agent_task *task_find(struct agent *a, const struct agent_cell *c, uint64_t local)
{
	uint32_t slot = CELL_SLOT(local);
	struct agent_task *t = slot < a->ntasks ? &a->tasks[slot] : NULL;

	return t != NULL && t->cell == c && t->poll == local >> CELL_TASK_BITS ? t : NULL;
}

void task_close(struct agent *a, struct agent_task *t)
{
	t->cell->open--;
	*t = (struct agent_task){.next = a->free_task};
	a->free_task = (uint32_t)(t - a->tasks);
}

void tasks_forget(struct agent *a, const struct batch *b)
{
	for (uint32_t i = 0; i < a->ntasks; i++)
		if (a->tasks[i].cell != NULL && a->tasks[i].batch == b)
			a->tasks[i].batch = NULL;
}

void tasks_drop(struct agent *a, struct agent_cell *c)
{
	for (uint32_t i = 0; c->open > 0 && i < a->ntasks; i++)
		if (a->tasks[i].cell == c)
			task_close(a, &a->tasks[i]);
}

/* --- to a cell ------------------------------------------------------------------------------ */

/* Which of a dangerous batch's tasks is the n-th: another order each time. */
static unsigned turn_of(const struct batch *b, unsigned n)
{
	unsigned at = (b->deliveries * STEP + n) % b->head.count;

	return b->deliveries % 2 ? b->head.count - 1 - at : at;
}

/* How many at a time. 256 silent hosts one by one would take longer than a broker leaves a message unacknowledged; so it
 * begins with ROUNDS groups, and only who kills in these too is looked for one by one. */
static unsigned group_of(const struct batch *b)
{
	unsigned left = b->head.count - b->given;
	unsigned group = b->deliveries < SINGLY_FROM ? (b->head.count + ROUNDS - 1u) / ROUNDS : 1;

	return !b->alone || group > left ? left : group;
}

static bool is_wanted(const struct batch *b, unsigned i, unsigned group)
{
	bool wanted = !b->alone;

	for (unsigned n = 0; n < group && !wanted; n++)
		wanted = turn_of(b, b->given + n) == i;
	return wanted;
}

/* The targets were found sound when they were taken, in a frame of this size; here only their numbers change. */
void cell_give(struct agent_cell *c, struct batch *b)
{
	struct wire_in r = {.at = b->targets, .end = b->targets + b->len};
	uint8_t *octets = mem_alloc(b->len);
	struct wire_out w = {.at = octets, .end = octets + b->len};
	unsigned group = group_of(b);

	if (c->open == 0)
		cell_heard(c);
	for (unsigned i = 0; i < b->head.count; i++)
		if (is_wanted(b, i, group))
			batch_target_pass(&r, task_open(c->agent, b, batch_target_seq(r)), &w);
		else
			batch_target_pass(&r, 0, NULL);
	b->given += group;
	queue_put(c->queue, CELL_TASKS, octets, (size_t)(w.at - octets));
	free(octets);
}

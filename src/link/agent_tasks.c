/*
 * Local numbers of tasks in the cells' hands.
 *
 * The number on the wire is not used in a cell: the same task may be in hand twice, when a broker gives a batch again while the
 * first one is still polled. A local number is a slot, and above it a count that makes it another one each time, so that
 * a ledger never takes a task for the one that had the slot before.
 */
#include "link/agent_internal.h"

#include <stdlib.h>

#define NONE      UINT32_MAX
#define FIRST_CAP 1024

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

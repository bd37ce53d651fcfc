/*
 * Local numbers of a cell's tasks.
 *
 * The number on the wire is not used in a cell: the same task may be in hand twice, when a broker gives a batch again while the
 * first one is still polled. A local number is a slot, and above it the number of the poll, which makes it another one each time,
 * so that a ledger never takes a task for the one that had the slot before.
 *
 * What is known of a host waits here until its task has ended: the ledger leases a target again after a worker's death,
 * so it is not gone with the first lease. It lies beside the slots, which are small: tens of thousands are open, and each is
 * looked at when nothing of it is in the processor's caches any more. Most runs learn nothing, and have none of it.
 *
 * Rejected: the local number as an index that grows for ever; a cell lives for weeks.
 */
#include "link/cell_tasks.h"

#include <stdlib.h>

#include "base/mem.h"

#define SLOT_BITS 20
#define SLOTS_MAX (1u << SLOT_BITS) /* the agent gives far less */
#define FIRST_CAP 1024

void cell_tasks_free(struct cell_tasks *t)
{
	free(t->slot);
	free(t->learnt);
	*t = (struct cell_tasks){0};
}

static void grow(struct cell_tasks *t)
{
	uint32_t cap = t->cap > 0 ? t->cap * 2 : FIRST_CAP;

	t->slot = mem_resize(t->slot, cap, sizeof(*t->slot));
	for (uint32_t i = cap; i-- > t->cap;) {
		t->slot[i] = (struct cell_task){.next = t->free};
		t->free = i + 1;
	}
	t->cap = cap;
	if (t->learnt != NULL)
		t->learnt = mem_resize(t->learnt, cap, sizeof(*t->learnt));
}

static void learnt_keep(struct cell_tasks *t, uint32_t slot, const struct learnt *learnt)
{
	if (t->learnt == NULL)
		t->learnt = mem_resize(NULL, t->cap, sizeof(*t->learnt));
	t->learnt[slot] = *learnt;
	t->learning++;
}

uint64_t cell_task_open(struct cell_tasks *t, const struct cell_task *task,
			const struct learnt *learnt)
{
	uint32_t slot;

	if (t->free == 0)
		grow(t);
	slot = t->free - 1;
	t->free = t->slot[slot].next;
	t->slot[slot] = *task;
	t->slot[slot].open = true;
	t->open++;
	if (task->learns)
		learnt_keep(t, slot, learnt);
	return (uint64_t)task->poll << SLOT_BITS | slot;
}

struct cell_task *cell_task_find(const struct cell_tasks *t, uint64_t local)
{
	uint32_t slot = (uint32_t)(local & (SLOTS_MAX - 1));
	struct cell_task *task = slot < t->cap ? &t->slot[slot] : NULL;

	return task != NULL && task->open && task->poll == local >> SLOT_BITS ? task : NULL;
}

bool cell_task_known(const struct cell_tasks *t, uint64_t local, struct learnt *learnt)
{
	const struct cell_task *task = t->learning > 0 ? cell_task_find(t, local) : NULL;

	if (task == NULL || !task->learns)
		return false;
	*learnt = t->learnt[task - t->slot];
	return true;
}

void cell_task_close(struct cell_tasks *t, struct cell_task *task)
{
	t->learning -= task->learns;
	*task = (struct cell_task){.next = t->free};
	t->free = (uint32_t)(task - t->slot) + 1;
	t->open--;
}

/*
 * Local numbers of a cell's tasks.
 *
 * The number on the wire is not used in a cell: the same task may be in hand twice, when a broker gives a batch again while the
 * first one is still polled. A local number is its batch's place, and above it the number of the poll, which makes it another one
 * each time, so that a ledger never takes a task for one of a batch that had the place before.
 *
 * What a batch's tasks have in common stands once, and these side by side. Tens of thousands are open, and each is looked
 * at when nothing of it is in the processor's caches any more; but records come about as tasks went, and who comes next finds its
 * neighbour's line. A batch goes with its last task: the agent has not acknowledged it until then, so there are not many.
 *
 * What is known of a host waits here until its task has ended: the ledger leases a target again after a worker's death,
 * so it is not gone with the first lease. Most runs learn nothing, and have none of it.
 *
 * Rejected: the local number as an index that grows for ever; a cell lives for weeks. A free list of slots for tasks of all
 * batches: each look-up was a miss.
 */
#include "link/cell_tasks.h"

#include <stdlib.h>

#include "base/mem.h"

#define PLACE_BITS 20
#define PLACES_MAX (1u << PLACE_BITS) /* the agent gives far less */
#define FIRST_CAP  16

static void batch_free(struct cell_batch *b)
{
	if (b == NULL)
		return;
	free(b->learnt);
	free(b);
}

void cell_tasks_free(struct cell_tasks *t)
{
	for (uint32_t i = 0; i < t->cap; i++)
		batch_free(t->batch[i]);
	free(t->batch);
	*t = (struct cell_tasks){0};
}

/* The first that is free: there are few. */
static uint32_t place_find(struct cell_tasks *t)
{
	uint32_t at = 0, cap = t->cap;

	while (at < cap && t->batch[at] != NULL)
		at++;
	if (at < cap)
		return at;
	t->cap = cap > 0 ? cap * 2 : FIRST_CAP;
	t->batch = mem_resize(t->batch, t->cap, sizeof(struct cell_batch *));
	for (uint32_t i = cap; i < t->cap; i++)
		t->batch[i] = NULL;
	return at;
}

struct cell_batch *cell_batch_open(struct cell_tasks *t, const struct cell_batch *head)
{
	struct cell_batch *b = mem_alloc(sizeof(*b) + head->count * sizeof(b->task[0]));

	*b = *head;
	b->place = place_find(t);
	b->open = 0;
	b->learnt = NULL;
	return t->batch[b->place] = b;
}

uint64_t cell_task_open(struct cell_tasks *t, struct cell_batch *b, const struct cell_task *task,
			const struct learnt *learnt)
{
	uint32_t at = b->open++;

	t->open++;
	b->task[at] = *task;
	b->task[at].open = true;
	if (task->learns) {
		if (b->learnt == NULL)
			b->learnt = mem_resize(NULL, b->count, sizeof(*b->learnt));
		b->learnt[at] = *learnt;
	}
	return (uint64_t)(uint32_t)(b->poll + at) << PLACE_BITS | b->place;
}

void cell_batch_drop(struct cell_tasks *t, struct cell_batch *b)
{
	t->open -= b->open;
	t->batch[b->place] = NULL;
	batch_free(b);
}

/* The batch in that place, if that is still the same one; and which of its tasks it is. */
static struct cell_batch *batch_find(const struct cell_tasks *t, uint64_t local, uint32_t *at)
{
	uint32_t place = (uint32_t)(local & (PLACES_MAX - 1));
	struct cell_batch *b = place < t->cap ? t->batch[place] : NULL;

	if (b == NULL)
		return NULL;
	*at = (uint32_t)(local >> PLACE_BITS) - b->poll;
	return *at < b->count ? b : NULL;
}

struct cell_task *cell_task_find(const struct cell_tasks *t, uint64_t local, struct cell_batch **b)
{
	uint32_t at;

	*b = batch_find(t, local, &at);
	return *b != NULL && (*b)->task[at].open ? &(*b)->task[at] : NULL;
}

bool cell_task_known(const struct cell_tasks *t, uint64_t local, struct learnt *learnt)
{
	uint32_t at;
	const struct cell_batch *b = batch_find(t, local, &at);

	if (b == NULL || b->learnt == NULL || !b->task[at].open || !b->task[at].learns)
		return false;
	*learnt = b->learnt[at];
	return true;
}

void cell_task_close(struct cell_tasks *t, struct cell_batch *b, struct cell_task *task)
{
	task->open = false;
	t->open--;
	if (--b->open == 0)
		cell_batch_drop(t, b);
}

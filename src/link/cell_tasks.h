/*
 * cell_tasks - tasks in hand of a cell, by batch and by local numbers; private to it.
 */
#ifndef LINK_CELL_TASKS_H
#define LINK_CELL_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/learnt.h"

struct cell_task {
	uint64_t seq; /* on the wire */
	bool learns;
	bool named; /* given by name, not by address or path: its record says which address it came to */
	bool open;
};

struct cell_batch {
	uint32_t number; /* by which the agent knows it */
	uint32_t poll;   /* of its first task; the others have those that follow */
	uint8_t attempt;
	uint16_t count; /* tasks, at least 1 */
	uint16_t open;  /* of them, not ended */
	uint32_t place;
	struct learnt *learnt; /* by task, of those that learn; NULL: none does */
	struct cell_task task[];
};

/* {0}: there are none. */
struct cell_tasks {
	struct cell_batch **batch; /* by place; NULL: it is free */
	uint32_t cap;
	uint32_t open; /* tasks of all of them */
};

void cell_tasks_free(struct cell_tasks *t);

/* With the number, poll, attempt and count of head, whose polls are others each time; its tasks are to be opened. */
struct cell_batch *cell_batch_open(struct cell_tasks *t, const struct cell_batch *head);
/* The next of its count. Copied; returns its local number. learnt counts if it learns. */
uint64_t cell_task_open(struct cell_tasks *t, struct cell_batch *b, const struct cell_task *task,
			const struct learnt *learnt);
void cell_batch_drop(struct cell_tasks *t, struct cell_batch *b); /* with all its tasks */

/* Of an open task, with its batch. NULL: it has ended. */
struct cell_task *cell_task_find(const struct cell_tasks *t, uint64_t local, struct cell_batch **b);
bool cell_task_known(const struct cell_tasks *t, uint64_t local, struct learnt *learnt);
/* The last one takes its batch along. */
void cell_task_close(struct cell_tasks *t, struct cell_batch *b, struct cell_task *task);

#endif

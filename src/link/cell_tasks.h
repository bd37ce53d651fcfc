/*
 * cell_tasks - tasks in hand of a cell, by local numbers; private to it.
 */
#ifndef LINK_CELL_TASKS_H
#define LINK_CELL_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/learnt.h"

struct cell_task {
	uint64_t seq; /* on the wire */
	uint32_t poll;
	union {
		uint32_t batch;
		uint32_t next; /* of the free slots, if it is one */
	};
	uint8_t attempt;
	bool open; /* false: the slot is free */
	bool learns;
	bool named; /* given by name, not by address or path: its record says which address it came to */
};

/* {0}: there are none. */
struct cell_tasks {
	struct cell_task *slot;
	struct learnt *learnt; /* of slots whose tasks learn; NULL: there was none */
	uint32_t cap, open;
	uint32_t learning; /* of the open ones */
	uint32_t free;     /* the first one, plus 1; 0: none */
};

void cell_tasks_free(struct cell_tasks *t);
/* Copied; returns its local number. task->poll is another one each time. learnt counts if it learns. */
uint64_t cell_task_open(struct cell_tasks *t, const struct cell_task *task,
			const struct learnt *learnt);
/* NULL: it has ended. */
struct cell_task *cell_task_find(const struct cell_tasks *t, uint64_t local);
bool cell_task_known(const struct cell_tasks *t, uint64_t local, struct learnt *learnt);
void cell_task_close(struct cell_tasks *t, struct cell_task *task);

#endif

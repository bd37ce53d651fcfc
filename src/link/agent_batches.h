/*
 * agent_batches - batches that were taken, and the local numbers of their tasks; private to the agent.
 */
#ifndef LINK_AGENT_BATCHES_H
#define LINK_AGENT_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/batch.h"

struct agent;
struct agent_cell;

struct batch { /* taken, and not acknowledged */
	uint64_t tag;
	bool tagged;   /* its tag is good; else the broker has given it to somebody else, or will */
	bool gathered; /* records of it are in a message that was not put yet */
	bool alone;
	bool unheard; /* its master has no queue: the last question about its run came back */
	struct batch_tasks head;
	uint64_t run;
	uint32_t deliveries;     /* before this one */
	struct agent_cell *cell; /* that has it; NULL: it waits */
	unsigned given, owed;    /* tasks that its cell got; those without a record */
	uint64_t last_id;        /* the window's, of the last message with records of it; 0: none */
	int64_t taken_us, needed_us; /* when its run was asked for last; 0: it was not */
	uint8_t *targets;
	size_t len;
};

struct agent_task {              /* in hand of a cell */
	struct batch *batch;     /* NULL: nobody wants its record any more */
	struct agent_cell *cell; /* NULL: the slot is free */
	uint64_t seq;            /* on the wire */
	uint32_t poll;
	uint32_t next; /* of the free slots */
};

/* batches */
struct taken {
	uint64_t tag;
	uint32_t deliveries;
	const uint8_t *body;
	size_t len;
};
void batch_take(struct agent *a, const struct taken *t);
void batches_turn(struct agent *a); /* to cells, back, or acknowledged, what may be */
int64_t batches_next_us(const struct agent *a);
void batches_void(struct agent *a); /* tags are */
void batches_return(struct agent *a,
		    const struct agent_cell *c);               /* all of a cell; NULL: that wait */
void batches_drop(struct agent *a, uint64_t run, uint64_t to); /* nobody wants them: acknowledged */
void batches_free(struct agent *a);

/* tasks */
uint64_t task_open(struct agent *a, struct batch *b, uint64_t seq); /* its local number */
struct agent_task *task_find(struct agent *a, const struct agent_cell *c, uint64_t local);
void task_close(struct agent *a, struct agent_task *t);
void tasks_forget(struct agent *a, const struct batch *b); /* their records are dropped */
void tasks_drop(struct agent *a, struct agent_cell *c);    /* it has died */

#endif

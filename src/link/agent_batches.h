/*
 * agent_batches - batches that were taken; private to the agent.
 */
#ifndef LINK_AGENT_BATCHES_H
#define LINK_AGENT_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/batch.h"

struct agent;
struct agent_cell;

struct batch {           /* taken, and not acknowledged */
	uint32_t number; /* by which cells know it */
	uint64_t tag;
	bool tagged; /* its tag is good; else the broker has given it to somebody else, or will */
	bool alone;
	bool unheard; /* its master has no queue: the last question about its run came back */
	bool unread;  /* nor had it one for records: a message that may have some of it came back */
	struct batch_tasks head;
	uint64_t run;
	uint32_t deliveries;     /* before this one */
	struct agent_cell *cell; /* that has it; NULL: it waits */
	unsigned given, owed;    /* tasks that its cell got; those whose records were not put */
	unsigned ending;         /* of these, in the message that is looked at */
	/* The window's, of the first and of the last message with records of it; 0: none */
	uint64_t first_id, last_id;
	int64_t taken_us, needed_us; /* when its run was asked for last; 0: it was not */
	uint8_t *targets;            /* NULL: its cell has them all */
	size_t len;
};

/* Those that ended last, whose acknowledgements may have been lost. */
#define BATCHES_ENDED_MAX 256
struct batches_ended {
	struct batch_name {
		uint64_t run, number;
		uint8_t attempt;
	} last[BATCHES_ENDED_MAX];
	size_t count; /* so far */
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
/* All of a cell, or that wait (NULL), go back; what nobody wants any more is acknowledged. */
void batches_return(struct agent *a, const struct agent_cell *c);
void batches_drop(struct agent *a, uint64_t run, uint64_t to); /* nobody wants them: acknowledged */
void batches_free(struct agent *a);

/* what comes again */
struct batch *batch_again(struct agent *a, const struct batch *b); /* in hand, its tag has died */
void batch_ended(struct agent *a, const struct batch *b); /* all its messages are answered */
void batches_unread(struct agent *a, uint64_t id);        /* this message of results came back */
bool batch_has_ended(const struct agent *a, const struct batch *b);

/* for a cell's words */
struct batch *batch_find(const struct agent_cell *c, uint32_t number); /* NULL: it has none such */
unsigned batch_in_hand(const struct batch *b); /* tasks of it, of its cell */
/* A target of it makes no sense: it is buried. False: that cell may not say so. */
bool batch_refused(struct agent_cell *c, uint32_t number);

#endif

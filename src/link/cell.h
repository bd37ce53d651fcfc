/*
 * cell - the process of an agent that polls for one run: a master whose plan is fed by the agent, and whose records go back
 * to it.
 *
 * It is given tasks as they came, and gives back messages as they are to go: the agent opens neither.
 */
#ifndef LINK_CELL_H
#define LINK_CELL_H

#include <stdbool.h>

#include "out/layout.h"
#include "pool/feed.h"

struct plan;

enum cell_message {
	/* to the cell */
	/* u32 batch, u32 poll (of the first task; the others have those that follow), u8 attempt, u16 count, and as many
	 * batch_target_pack() as they came, but for their lengths unread */
	CELL_TASKS = 1,
	CELL_RATE,   /* u32 packets per 1,000 s that the cell may send; 0: no limit */
	CELL_STOP,   /* no task follows: finish what is in hand, and end. Empty */
	CELL_PING,   /* are you there? CELL_STATS follows, be there nothing to count. Empty */
	CELL_CANCEL, /* nothing more is asked; what is in hand ends as cancelled. Empty */
	CELL_SLOT,   /* u8 slot of its part: lent to it, until CELL_RESULTS names it */

	/* from the cell; end of file after CELL_STOP is its end, before it its death */
	CELL_RESULTS = 32, /* rows of one message to the master: gather.h */
	CELL_STATS, /* stats_pack(): counted since the last one; before the records that it belongs to */
	CELL_UNREADABLE /* u32 batch: a target of it makes no sense. None of them is asked */
};

#define CELL_TASKS_HEAD 11    /* octets */
#define CELL_PIECE      60000 /* octets of a record in a result, and of a front */

struct cell;

struct cell_config {       /* all is lent */
	struct plan *plan; /* fed (plan/fed.h) */
	const char *who;   /* "the agent NAME of site SITE" */
	unsigned sessions;
	bool alone;     /* of dangerous tasks */
	uint8_t *slots; /* its part of them (link/slots.h); NULL: none */
	int queue_fd;   /* not owned */
};
struct cell *cell_new(const struct cell_config *config);
void cell_free(struct cell *c);
struct master_feed cell_feed(struct cell *c); /* lends c */

struct layout_frames cell_frames(struct cell *c); /* records on their way to the agent; lends c */

#endif

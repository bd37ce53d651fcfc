/*
 * cell - the process of an agent that polls for one run: a master whose plan is fed by the agent, and whose records go back
 * to it.
 *
 * Its tasks have local numbers, given by the agent: the same target of a run may be in hand twice.
 */
#ifndef LINK_CELL_H
#define LINK_CELL_H

#include <stdbool.h>

#include "out/layout.h"
#include "pool/feed.h"

struct plan;

enum cell_message {
	/* to the cell */
	CELL_TASKS = 1, /* batch_target_pack() each, back to back; seq is the local number */
	CELL_RATE,      /* u32 packets per 1,000 s that the cell may send; 0: no limit */
	CELL_STOP,      /* no task follows: finish what is in hand, and end. Empty */
	CELL_PING,      /* are you there? CELL_STATS follows, be there nothing to count. Empty */
	CELL_CANCEL,    /* nothing more is asked; what is in hand ends as cancelled. Empty */

	/* from the cell; end of file after CELL_STOP is its end, before it its death */
	CELL_RESULT = 32, /* batch_result_pack(): seq is the local number, attempt 1, poll 0 */
	CELL_STATS /* stats_pack(): counted since the last one; before the records that it belongs to */
};

#define CELL_TASK_BITS 20
#define CELL_TASKS_MAX (1u << CELL_TASK_BITS) /* in hand */
#define CELL_SLOT(seq) \
	((uint32_t)((seq) & (CELL_TASKS_MAX - 1))) /* of a local number: free again afterwards */
#define CELL_PIECE 60000 /* octets of a record in a result, and of a front */

struct cell;

/* plan is fed (plan/fed.h) and lent, as who: "the agent NAME of site SITE". queue_fd is not owned. */
struct cell *cell_new(struct plan *plan, const char *who, unsigned sessions, int queue_fd);
void cell_free(struct cell *c);
struct master_feed cell_feed(struct cell *c); /* lends c */
bool cell_stopped(const struct cell *c);      /* CELL_STOP has come: an end now is a good one */

extern const struct layout_frames cell_frames; /* records on their way to the agent */

#endif

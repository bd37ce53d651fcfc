/*
 * agent_cells - who polls, and records on their way back; private to the agent.
 */
#ifndef LINK_AGENT_CELLS_H
#define LINK_AGENT_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stats.h"
#include "link/batch.h"
#include "link/cell.h"
#include "pool/proc.h"
#include "pool/queue.h"

struct agent;
struct batch;

struct agent_cell {
	struct agent *agent;
	struct proc proc;
	struct queue *queue; /* NULL: it does not live */
	enum queue_state state;
	uint64_t run;
	char master[BROKER_NAME_MAX + 1]; /* whose it is */
	bool alone, watched, stopping, cancelled, unread, delivered, pinged;
	bool held; /* frame was read and not taken: the window does not want it */
	struct queue_frame frame;
	unsigned open;      /* tasks in hand */
	int64_t idle_us;    /* since when it has none */
	int64_t heard_us;   /* its last word, our question, or the first task after it had none */
	uint32_t rate;      /* that it was told, per 1,000 s; 0: no limit */
	struct stats stats; /* that go with its next message */
};

/* cells */
struct agent_cell *cell_for(struct agent *a,
			    const struct batch *b); /* NULL: there is no room now */
void cell_give(struct agent_cell *c, struct batch *b);
void cell_tell(struct agent_cell *c, enum cell_message kind);
void cell_cancel(struct agent_cell *c);
void agent_cells_rate(struct agent *a);
void agent_cells_stop(struct agent *a, bool cancel); /* that have no more to come */
bool agent_cells_live(const struct agent *a);
bool agent_cells_serve(struct agent *a); /* that were not read to the end; true: there was one */
void agent_cells_watch(struct agent *a);
void agent_cells_times(struct agent *a);
int64_t agent_cells_next_us(const struct agent *a);
void agent_cells_free(struct agent *a);

/* hangs */
void cell_heard(struct agent_cell *c);
void cells_hang_times(struct agent *a);
int64_t cells_hang_next_us(const struct agent *a);

/* results */
bool result_take(struct agent_cell *c,
		 const struct queue_frame *f);  /* false: it may not say that */
unsigned cell_part(const struct agent_cell *c); /* of the slots */
void cell_lend(struct agent_cell *c);           /* all that are free of its part */
void cell_slot_settle(struct agent *a,
		      uint64_t id); /* a message has left: its slot is lent again */
bool results_must_wait(const struct agent_cell *c,
		       const struct queue_frame *f); /* the window does not want this one now */

#endif

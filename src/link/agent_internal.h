/*
 * agent_internal - what the files of the agent share; private to it.
 *
 * agent.c: the loop, the end. courier: the process to the broker. runs: what is known of them. batches: what was taken, and
 * what becomes of it. again: of what comes again. tasks: how they go to a cell. cells: who polls. hangs: who does not. results:
 * records on their way back.
 */
#ifndef LINK_AGENT_INTERNAL_H
#define LINK_AGENT_INTERNAL_H

#include "base/loop.h"
#include "base/mem.h"
#include "link/agent.h"
#include "link/agent_batches.h"
#include "link/agent_cells.h"
#include "link/agent_courier.h"
#include "link/agent_runs.h"
#include "link/slots.h"
#include "link/window.h"
#include "pool/proc.h"
#include "pool/queue.h"
#include "pool/signals.h"

#define AGENT_CELLS   9 /* of eight runs, and one for what is dangerous; each is some processes */
#define AGENT_WHY_MAX 300
#define AGENT_RUNS    64 /* that are known, or known to be over */

struct agent {
	const struct agent_config *config;
	struct agent_result *result;
	struct loop *loop;
	struct signals *signals;
	struct window *window;
	struct slots *slots; /* a part for each place of a cell */

	struct proc courier;
	struct queue *queue; /* to it; NULL: it does not live */
	enum queue_state state;
	bool puts, takes, was_up, pinged, left, courier_stopped;
	int64_t heard_us, respawn_us, pause_us;
	unsigned unborn;         /* its deaths in a row without UP or DOWN */
	char why[AGENT_WHY_MAX]; /* it is down, as was told */

	struct known_run runs[AGENT_RUNS];
	struct batch **batches; /* in the order in which they came */
	size_t nbatches, cap_batches;
	struct batches_ended ended;
	uint32_t numbers, polls;              /* given to batches; to polls of tasks */
	struct agent_cell cells[AGENT_CELLS]; /* the last one is for what is dangerous */
	int64_t spawn_us, spawn_pause_us;     /* no cell is born earlier */
	unsigned barren;                      /* deaths of cells without a record, in a row */

	uint64_t incarnation, messages;
	int64_t moan_us; /* of wrong batches nothing more is told before */
	int64_t *watch_us;
	int64_t start_us, drain_us; /* when what is in hand is given up; LOOP_NEVER: no drain */
	bool draining, told, over;  /* told: watchers know of it */
	bool told_other;            /* of another version of messages */
	enum agent_end end;
};

/* agent.c */
void agent_drain(struct agent *a, enum agent_end end, const char *why);
void agent_end_now(struct agent *a, enum agent_end end);

#endif

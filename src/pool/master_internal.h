/*
 * master_internal - what the files of the master share; private to it.
 *
 * master.c: the loop and the run's life. local: the work is done by children; children, care: their lives. trust: what
 * those may say. cells: what they share with us. engines: who has which engine ID. leases: targets to workers. names: names to addresses. recall: what is
 * known of targets from rounds before. records: records to the writer. rounds: when all begins anew. spread: when in a
 * round whose turn it is. feed: targets from outside. output: the writer's side. watch: how far it is, to who wants to
 * know.
 */
#ifndef POOL_MASTER_INTERNAL_H
#define POOL_MASTER_INTERNAL_H

#include "base/loop.h"
#include "base/task.h"
#include "pool/dispatch.h"
#include "pool/master.h"
#include "pool/master_cells.h"
#include "pool/master_child.h"
#include "pool/master_engines.h"
#include "pool/master_feed.h"
#include "pool/master_hands.h"
#include "pool/master_names.h"
#include "pool/master_output.h"
#include "pool/master_parts.h"
#include "pool/master_recall.h"
#include "pool/master_remote.h"
#include "pool/master_rounds.h"
#include "pool/signals.h"

#define MASTER_BATCH 64 /* tasks in a frame; a worker is topped up when so many leases are free */
#define MASTER_FRAME ((size_t)MASTER_BATCH * TASK_PACKED_MAX)

struct master {
	const struct master_config *config;
	struct master_result *result;
	const struct hands *hands;
	struct loop *loop;
	struct dispatch *dispatch;
	struct writer *writer; /* of the run, or of its round */
	struct layout *layout;
	struct cell *cells;           /* of the workers, see cell_of() */
	struct child *children;       /* the workers, kind after kind, then the resolver */
	unsigned workers[PLAN_KINDS]; /* of each kind */
	unsigned nworkers;
	struct child *resolver;
	struct names names;
	struct remote *remote;   /* agents beyond a broker; NULL: children work */
	struct spread *spread;   /* NULL: all targets as soon as may be */
	struct engines *engines; /* NULL: none was learnt yet */
	struct signals *signals;
	struct master_orders orders; /* the rate that holds; all else of a feed */
	int64_t *watch_us;           /* when each watcher wants to be called */
	int watch_signal;            /* of which they know */
	uint64_t watch_round;        /* likewise */
	unsigned
		rest_deaths; /* the result's when the round was over: what is above is of the rest */
	uint8_t *frame;      /* MASTER_FRAME octets: tasks on their way to a queue */
	unsigned turns;      /* of leases_fill(): each time another worker comes first */
	unsigned batch;      /* tasks in a frame: MASTER_BATCH, or an equal share of a short list */
	struct buf scratch;  /* the master's own records */
	struct parts parts;
	struct large large;
	const char
		*cancelled; /* words for the records of what is not asked any more; NULL: all are */
	bool plan_done[PLAN_KINDS], through[PLAN_KINDS]; /* all handed out; all have records */
	bool busy;    /* there is more to do than one turn, or the output, may take */
	bool blocked; /* the output took no records at the end of the last turn */
	bool unread;  /* frames, or an end, were left in the queues when it became so */
	bool drained; /* all of this run, or its round, have records */
	bool resting; /* no round is under way */
	bool last, reload, polled; /* no other one begins; none of this plan; one of it has begun */
	bool stopping;             /* STOP was sent to all */
	bool laid_out;             /* the layout has given all that it kept to the writer */
	bool over;                 /* leave the loop as things stand */
	bool output_watched;
	unsigned barren[PLAN_KINDS]; /* deaths in a row without a record or a target to charge */
	int64_t start_us;
	int64_t drain_us;     /* when what is in flight is to be cancelled, too; LOOP_NEVER */
	int64_t cancelled_us; /* when that was done; LOOP_NEVER: it was not */
	int64_t flush_us;  /* when what is buffered is to be written, however little; LOOP_NEVER */
	int64_t layout_us; /* when what the layout keeps is to go to the writer; LOOP_NEVER */
};

/* leases */
void leases_fill(struct master *m);
void leases_cancel(struct master *m); /* all that is not leased, as the writer takes it */
bool leases_left(struct master *m);   /* not all have records; who has gives up its rate */

void master_cancel(struct master *m, const char *words);
/* Nothing new is leased, all else that is not yet is cancelled. */
void master_close_leases(struct master *m, const char *words);

#endif

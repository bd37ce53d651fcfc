/*
 * master_remote - agents beyond a broker as the master sees them; private to the master.
 *
 * master_remote.c: the table of hands. link: the child that holds it. sites, silence: what goes to whom, and when again.
 * results, pieces: what comes back. control: what all agents are told. leave: the end of it. All hangs on master.remote.
 */
#ifndef POOL_MASTER_REMOTE_H
#define POOL_MASTER_REMOTE_H

#include "link/ledger.h"
#include "link/window.h"
#include "pool/acks.h"
#include "pool/master_remote_link.h"
#include "pool/master_remote_results.h"
#include "pool/master_remote_sites.h"
#include "pool/remote.h"

struct remote {
	const struct remote_config *config;
	struct remote_link link;
	struct window *window;
	struct acks *acks;
	uint64_t tasks, round; /* of a round; of the run, from 0 */
	struct ledger *ledger; /* has a record */
	struct ledger *later;  /* waits, for its site paused; NULL: none ever did */
	struct ledger *died;   /* was in a batch that was given up, and went out again; likewise */
	struct site *sites;
	size_t nsites;
	const struct site *examined; /* its answer is awaited; NULL: none is examined */
	uint32_t *site_of;           /* by profile */
	struct agent *agents;
	unsigned nagents, seen; /* kept there; in all */
	uint64_t batch;         /* the number of the last one */
	uint64_t cancel;        /* how far the ledger was gone through for `cancelled` */
	struct taken taken;
	bool slow; /* a large record is being copied; of: */
	uint64_t slow_seq;
	enum record_status slow_status;
	struct piece *pieces; /* by slot of parts.open */
	uint32_t npieces;
	uint64_t piece_age;
	struct buf words; /* the run's description on its way out; empty: none is */
	size_t words_at;
	bool announce;        /* it is to be told (again) */
	int64_t announced_us; /* when it last was; 0: never */
	uint32_t rate;        /* as told */
	bool over;            /* BATCH_OVER was put */
	bool begun;           /* a round has */
	bool blocked;         /* an alarm of the broker: it takes nothing */
	bool warned_other, warned_bad;
};

/* The end of the link. */
void leave_turn(struct master *m); /* step by step; each waits for the one before */
void remote_abandon(
	struct master *m); /* the output has failed, the loop is over: see hands.abandon */

/* What all agents are told. */
void control_turn(struct master *m); /* puts what is to be told, as the window takes it */
void control_need(struct master *m);
void control_rate(struct master *m);
void control_cancel(struct master *m, uint64_t last);
bool control_over(struct master *m); /* false: not yet */
int64_t control_next_us(const struct master *m);

#endif

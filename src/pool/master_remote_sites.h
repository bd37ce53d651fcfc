/*
 * master_remote_sites - what goes to whose queue, and when again; private to the master.
 *
 * sites: handing out. silence: when a site has been silent for too long.
 */
#ifndef POOL_MASTER_REMOTE_SITES_H
#define POOL_MASTER_REMOTE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "plan/plan.h"

struct master;

#define REMOTE_ASK_US 5000000 /* a silent site is asked about so often */

struct site {
	const char *name; /* the plan's */
	uint64_t left;    /* its tasks without a record */
	unsigned share;   /* tasks in a batch */
	struct buf batch; /* packed targets, being filled */
	unsigned count;   /* of them */
	size_t open;      /* batches that the broker has not confirmed */
	unsigned attempt; /* from 1 */
	uint64_t since;   /* batches up to this number are older than what is asked now */
	uint64_t skipped; /* tasks in remote.later */
	bool again;       /* its tasks without a record go out again, or are lost: from cursor on */
	bool losing;      /* the latter */
	uint64_t cursor;  /* of `again`, else of `later` */
	int64_t patience_us;
	int64_t heard_us; /* when something came of it, or went to it */
	int64_t ask_us;   /* when to ask the broker about it */
	bool answered;    /* the broker was asked about it since the link is up, and said: */
	bool known;       /* its queue is there, with */
	uint32_t ready, consumers;
	int64_t stuck_us; /* since when none of those that are open was confirmed */
	unsigned doubts;  /* that the broker was told about that */
	bool hangs;       /* its queue does, and nobody mends it */
	bool doubted;     /* its last answer was nothing and nobody, which may be none */
	bool told;        /* that no agent is connected */
	bool returned;    /* a batch came back: there was no queue */
};

void sites_open(struct master *m);
void sites_free(struct master *m);
void sites_begin(struct master *m);          /* a round */
void sites_ask(struct master *m, bool anew); /* all of them; anew: no answer before counts */
void sites_renew(struct master *m);          /* the link is up (again): no silence before counts */
void site_heard(const struct master *m, struct site *s); /* something came of it, or went to it */
void sites_hand_out(struct master *m);
void site_lose(struct master *m, const struct site *s, uint64_t seq); /* a task, without hope */
void sites_flush(struct master *m); /* batches that are not full */
void sites_take_back(struct master *m);
void sites_times(struct master *m);
int64_t sites_next_us(const struct master *m);
bool sites_take(struct master *m, struct wire_in *r); /* SITE_IS; false: it is none */
struct site *site_of(const struct master *m, uint32_t profile);
void site_put(const struct master *m, struct site *s);             /* a batch of it was */
void site_settled(struct master *m, uint64_t mark, bool returned); /* of window_confirmed() */

#endif

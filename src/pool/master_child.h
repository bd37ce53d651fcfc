/*
 * master_child - workers and the resolver as the master sees them; private to it.
 */
#ifndef POOL_MASTER_CHILD_H
#define POOL_MASTER_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stats.h"
#include "plan/plan.h"
#include "pool/proc.h"
#include "pool/queue.h"

struct master;

struct trust { /* what it has said since its birth, as far as that bears on what it may say */
	int64_t born_us;
	unsigned pings;   /* that it has not answered yet */
	bool stopped;     /* STOPPED came: nothing may follow */
	bool counted;     /* STATS came, and no record since */
	struct stats sum; /* of all STATS */
	uint8_t *open;    /* by lease: how its PARTs end so far (master_trust.c) */
	uint32_t cap;     /* of open */
};

struct child {
	struct master *master;
	unsigned number; /* of a worker; the resolver's is the number of workers */
	bool session;    /* a worker for PLAN_SESSIONS */
	struct proc proc;
	struct queue *queue;    /* NULL: it does not live */
	enum queue_state state; /* of the last read */
	bool watched;           /* its queue is in the loop */
	bool delivered;         /* since its birth a record, or the resolver's answer, has come */
	bool pinged;
	bool stopping; /* STOP was sent: its end is not a death */
	bool killed;   /* its end of file is on the way */
	int64_t born_us;
	int64_t heard_us;   /* when it last said something, or came to owe us a word */
	int64_t respawn_us; /* when to fork it (again); LOOP_NEVER: not */
	int64_t pause_us;   /* before the next respawn */
	struct trust trust;

	/* how it gets on, whatever it says */
	uint64_t first_seq;  /* of its leases, the oldest */
	int64_t first_us;    /* when that became so; the resolver: when it answered, or was asked */
	int64_t patience_us; /* so long that may last */
	int64_t delivered_us; /* when its last record came */
	bool stuck;           /* it was killed for that: its first lease is to be charged */

	/* of a session at work: it blocks, so it may be silent for good reason, but not for ever */
	int64_t leased_us; /* when it got its target */
	int64_t blocks_us; /* so long it may block */
	int64_t limit_us;  /* the host's own limit, after leased_us; 0: none is set */
	bool expired;      /* it was killed when its target's time was over: no crash */
};

/* master_children.c: birth, word, death */
void children_start(struct master *m);
void children_free(struct master *m); /* kills those that live */
bool children_live(const struct master *m);
void child_birth(struct child *c);
void child_death(struct child *c);
void children_serve(struct master *m); /* what was read before the output was blocked */
void child_ready(void *arg, unsigned ready);
bool child_is_resolver(const struct child *c);
enum plan_kind child_kind(const struct child *c); /* of a worker */
const char *child_noun(const struct child *c);

/* master_trust.c: what they may say */
bool trust_frame(struct child *c, const struct queue_frame *f); /* false: not that, or not now */
void trust_begin(struct child *c);                              /* at its birth */
void trust_free(struct child *c);

/* Of octets alone. How a record ends so far, after some more of it; whether a piece is one; whether front and rest, behind
 * pieces that ended so, end it well. */
unsigned trust_open(const struct master *m, unsigned open, const uint8_t *p, size_t len);
bool trust_part(const struct master *m, const uint8_t *p, size_t len);
bool trust_octets(const struct master *m, unsigned parts, struct queue_part front,
		  struct queue_part rest);

/* master_care.c: what is sent to them, and when something is due */
bool child_owes(const struct child *c); /* it has work in hand, so a word is due some time */
void child_begins(struct child *c);     /* from now on it owes us a word */
void child_advance(struct child *c);    /* a record, or an answer, has come */
void child_leased(struct child *c, uint32_t profile); /* a session has got a target */
void children_watch(struct master *m); /* sends what is queued, sets what the loop looks for */
void children_rate(struct master *m);
void children_stop(struct master *m);
void children_cancel(struct master *m);
void children_drain(struct master *m); /* workers begin nothing more */
void resolver_leave(struct master *m); /* no name is asked any more */
/* A round begins: those that died meanwhile are born; cancelled: the others were told to, and no longer. */
void children_resume(struct master *m, bool cancelled);
void children_renew(struct master *m); /* all periods of silence begin anew */
void children_times(struct master *m); /* does what is due: pings, kills, respawns */
int64_t children_next_us(const struct master *m);

#endif

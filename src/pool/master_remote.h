/*
 * master_remote - agents beyond a broker as the master sees them; private to the master.
 *
 * master_remote.c: the table of hands. link: the child that holds it. sites: what goes to whom, and when again.
 * results: what comes back. pieces: of large records. control: what all agents are told. All hangs on master.remote.
 */
#ifndef POOL_MASTER_REMOTE_H
#define POOL_MASTER_REMOTE_H

#include "link/batch.h"
#include "link/ledger.h"
#include "link/window.h"
#include "pool/acks.h"
#include "pool/proc.h"
#include "pool/queue.h"

struct dispatch_task;
struct master;

#define REMOTE_AGENTS_MAX 1024    /* told apart; who comes later is counted and not remembered */
#define REMOTE_ASK_US     5000000 /* a silent site is asked about so often */

struct courier {
	struct proc proc;
	struct queue *queue; /* NULL: it does not live */
	enum queue_state state;
	bool watched, pinged, killed;
	bool puts, takes;   /* the side is up */
	bool was_up;        /* both have been, once */
	unsigned barren;    /* deaths in a row without an UP */
	int64_t heard_us;   /* its last word, or when it came to owe us one */
	int64_t respawn_us; /* LOOP_NEVER */
	int64_t pause_us;   /* before the next one */
	bool leaving, left; /* STOP was sent, STOPPED came */
	int64_t leave_us;   /* STOP was wanted then; LOOP_NEVER */
};

struct site {
	const char *name; /* the plan's */
	uint64_t left;    /* its tasks without a record */
	unsigned share;   /* tasks in a batch */
	struct buf batch; /* packed targets, being filled */
	unsigned count;   /* of them */
	size_t open;      /* batches that the broker has not confirmed */
	unsigned attempt; /* from 1 */
	uint64_t skipped; /* tasks in remote.later */
	bool again;       /* its tasks without a record go out again, or are lost: from cursor on */
	bool losing;      /* the latter */
	uint64_t cursor;  /* of `again`, else of `later` */
	int64_t patience_us;
	int64_t heard_us; /* when something came of it, or went to it */
	int64_t ask_us;   /* when to ask the broker about it */
	bool known;       /* it was asked since the link is up; then: */
	uint32_t ready, consumers;
	bool told;     /* that no agent is connected */
	bool returned; /* a batch came back: there was no queue */
};

struct agent {
	uint64_t incarnation, number; /* of the last body of it */
};

struct taken { /* a message whose results are gone through, lent by the courier's queue */
	bool open;
	uint64_t tag;
	uint16_t count; /* results left */
	bool dead;      /* tasks that were given up, not results */
	uint64_t incarnation;
	struct wire_in in;
};

struct remote {
	const struct remote_config *config;
	struct courier courier;
	struct window *window;
	struct acks *acks;
	uint64_t tasks, round; /* of a round; of the run, from 0 */
	struct ledger *ledger,
		*later; /* has a record; waits because its site paused. later may be NULL */
	struct site *sites;
	size_t nsites;
	uint32_t *site_of; /* by profile */
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

/* link */
void remote_link_start(struct master *m);
void remote_link_free(struct master *m);
void remote_link_times(struct master *m);
void remote_link_watch(struct master *m);
void remote_link_serve(struct master *m);
void remote_link_renew(struct master *m);
int64_t remote_link_next_us(const struct master *m);
void remote_link_site(struct master *m,
		      const struct site *s); /* declares its queue, asks how it is */
void remote_link_ack(void *master, uint64_t tag);

/* sites */
void sites_open(struct master *m);
void sites_free(struct master *m);
void sites_begin(struct master *m); /* a round */
void sites_renew(struct master *m); /* the link is up (again): no silence before counts */
void sites_hand_out(struct master *m);
void sites_flush(struct master *m); /* batches that are not full */
void sites_take_back(struct master *m);
void sites_times(struct master *m);
int64_t sites_next_us(const struct master *m);
void site_is(struct master *m, struct site *s, bool known, uint32_t ready, uint32_t consumers);
struct site *site_of(const struct master *m, uint32_t profile);
void site_settled(struct master *m, uint64_t mark, bool returned); /* of window_confirmed() */

/* results */
bool results_take(struct master *m, const struct queue_frame *f); /* false: no such frame */
void results_continue(struct master *m);
bool remote_settle(struct master *m, uint64_t seq, enum record_status status, const char *words);

/* pieces */
struct part *piece_end(struct master *m, uint64_t incarnation, const struct batch_result *b,
		       bool *whole);
void piece_take(struct master *m, uint64_t incarnation, const struct batch_result *b);
void pieces_drop(struct master *m, uint64_t seq); /* of all polls of it */
void pieces_clear(struct master *m);

/* control */
void control_turn(struct master *m); /* puts what is to be told, as the window takes it */
void control_need(struct master *m);
void control_rate(struct master *m);
void control_cancel(struct master *m, uint64_t last);
bool control_over(struct master *m); /* false: not yet */
int64_t control_next_us(const struct master *m);

#endif

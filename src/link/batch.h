/*
 * batch - the bodies of messages between masters and agents.
 *
 * Each begins with 'M', the version of this form (link/form.h), a kind and the number of the run (batch_head_*). All of it may come from
 * another machine, of another version, or from who has stolen a certificate: every length is checked.
 * No body holds a secret: a profile names its credential. Instants are UTC in microseconds.
 */
#ifndef LINK_BATCH_H
#define LINK_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/learnt.h"
#include "base/record.h"
#include "base/stats.h"
#include "base/wire.h"
#include "link/broker.h"
#include "plan/plan.h"

#define BATCH_TASKS 512 /* and records, in a body */
/* Octets of a body at most: two frames of AMQP, and what half of a socket's buffer holds (amqp_room_linux.c). */
#define BATCH_BODY_MAX 196608

enum batch_kind {
	BATCH_OF_TASKS = 1, /* master to a site */
	BATCH_OF_RESULTS,   /* agent to a master */
	BATCH_RUN,          /* control: a piece of a run's description (link/run.h) */
	BATCH_NEED, /* agent to a master: tasks of a run that I do not know. str agent, str site */
	BATCH_OVER, /* control: the run is over, nothing of it need be kept */
	BATCH_CANCEL, /* control: nothing more of it is asked; what waits of it may be thrown away */
	BATCH_RATE, /* control: u32 packets per 1,000 s that each agent may send for it; 0: no limit */
	BATCH_DRAIN, /* control, run 0: str agent: finish and end */
};
struct batch_head {
	uint8_t kind; /* enum batch_kind */
	uint64_t run;
};
#define BATCH_HEAD_PACKED 11 /* octets */
void batch_head_pack(const struct batch_head *h, struct wire_out *w);
/* False: not ours, another version (then *other is set), or an unknown kind. */
bool batch_head_unpack(struct batch_head *h, struct wire_in *r, bool *other);

/* --- tasks: after the head, a batch_tasks, then `count` times a target */
unsigned batch_share(uint64_t tasks); /* so many in a batch of a site that has so many in all */
struct batch_tasks {
	uint64_t number;                  /* of the batch in its run */
	uint8_t attempt;                  /* from 1 */
	int64_t until_us;                 /* UTC; nothing is asked after it; 0: no end */
	char master[BROKER_NAME_MAX + 1]; /* where results go */
	uint16_t count;
};
void batch_tasks_pack(const struct batch_tasks *t, struct wire_out *w);
bool batch_tasks_unpack(struct batch_tasks *t, struct wire_in *r);
#define BATCH_TARGET_MAX 2048 /* octets of a packed target with its length */
/* The u16 length, then seq, profile, what the plan says, and what is known of it (NULL: nothing is to be
 * learnt). stamp_us goes over the wire as an age. */
void batch_target_pack(const struct plan_target *t, const struct learnt *known, struct wire_out *w);
/* Texts are lent from r, not NUL-terminated there: copied into store. *learns: it was packed with `known`, which is set. */
struct batch_store {
	char host[512 + 1], name[512 + 1], path[128];
};
bool batch_target_unpack(struct plan_target *t, struct batch_store *store, bool *learns,
			 struct learnt *known, struct wire_in *r);
bool batch_target_skip(struct wire_in *r); /* goes past the next one, unread; false: it is cut */

/* --- results: after the head, a batch_results, then `count` times a result */
struct batch_results {
	char agent[BROKER_NAME_MAX + 1];
	char site[BROKER_NAME_MAX + 1];
	uint64_t incarnation; /* of the agent's process: random */
	uint64_t number;      /* of this body, from 1, growing: one that came before is a repeat */
	struct stats stats;   /* counted since the one before */
	uint16_t count;
};
void batch_results_pack(const struct batch_results *b, struct wire_out *w);
bool batch_results_unpack(struct batch_results *b, struct wire_in *r);

/* A record, or a piece of one: those of one record come in order from one incarnation, with others between them; the
 * last one has the head. A record that fits is one last piece. */
struct batch_result {
	uint64_t seq;
	uint32_t poll;   /* the incarnation's; the same in all pieces of one record */
	uint32_t before; /* octets of the record in pieces before this one */
	uint8_t attempt; /* of the task batch that it answers */
	/* NULL: more follow; the four below are nothing. Its own numbers do not travel; learnt.stamp_us is of this machine */
	const struct record_head *head;
	struct addr addr;     /* that a name came to; family 0: none, or the task's own */
	const uint8_t *front; /* lent */
	uint32_t front_len;
	const uint8_t *octets; /* lent */
	uint32_t len;
};
#define BATCH_RESULT_MAX \
	(8 + 4 + 1 + 1 + 4 + RECORD_OUTCOME_PACKED_MAX + ADDR_PACKED + 4 + 4) /* and its octets */
void batch_result_pack(const struct batch_result *b, struct wire_out *w);
/* b->head is head, where it has one: seq as b's, lease 0. */
bool batch_result_unpack(struct batch_result *b, struct record_head *head, struct wire_in *r);

#endif

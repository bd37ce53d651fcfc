/*
 * master_remote_results - what comes back from agents; private to the master.
 *
 * results: bodies. pieces: of records that are larger than a message.
 */
#ifndef POOL_MASTER_REMOTE_RESULTS_H
#define POOL_MASTER_REMOTE_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "link/batch.h"
#include "pool/queue.h"

struct master;
struct part;
struct site;

#define REMOTE_AGENTS_MAX 1024 /* told apart; who comes later is counted and not remembered */

struct agent {
	uint64_t incarnation;
	uint64_t number; /* the highest of its bodies */
	uint64_t seen;   /* of those before, a bit each: they may come again, or late */
};

struct taken { /* a message whose results are gone through, lent by the courier's queue */
	bool open;
	uint64_t tag;
	uint16_t count;  /* results left */
	bool dead;       /* tasks that were given up, not results */
	uint64_t number; /* of this body, or of that batch */
	bool known,
		fresh; /* it has records that stood there before this run was taken up; others */
	struct agent *agent; /* whose it is; NULL: nobody of whom we know */
	struct stats stats;
	uint64_t incarnation;
	struct site *heard; /* whose record was the last one in this turn; NULL: none was yet */
	struct wire_in in;
};

bool results_take(struct master *m, const struct queue_frame *f); /* false: no such frame */
void results_continue(struct master *m);
bool remote_settle(struct master *m, uint64_t seq, enum record_status status, const char *words);
void dead_settle(struct master *m, uint64_t seq); /* as a task of a batch that was given up */

struct part *piece_end(struct master *m, uint64_t incarnation, const struct batch_result *b,
		       bool *whole);
void piece_take(struct master *m, uint64_t incarnation, const struct batch_result *b);
void pieces_drop(struct master *m, uint64_t seq); /* of all polls of it */
void pieces_clear(struct master *m);

#endif

/*
 * master_parts - records larger than a frame, while they wait and while they are copied; private to the
 * master.
 */
#ifndef POOL_MASTER_PARTS_H
#define POOL_MASTER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "out/spool.h"
#include "pool/queue.h"

struct child;
struct dispatch_task;
struct master;

struct part { /* what came so far of a record larger than a frame */
	struct spool_run run;
	unsigned child; /* the worker's number */
	int lost;       /* errno for which it was given up: it is empty, and stays so; 0 */
};

struct parts {               /* of all workers */
	struct spool *spool; /* where their octets wait; NULL: none has come yet */
	struct part **open;  /* by lease; NULL: none has come of its record */
	uint32_t cap;        /* of open */
	bool full;           /* some record was given up for want of room */
};

struct record_octets { /* of a RECORD message: what comes first and last of it. Lent */
	struct queue_part front, rest;
};

struct large {               /* a record that is being copied to the writer */
	bool open;           /* there is one */
	struct part *part;   /* what the spool has of it; NULL: nothing */
	const uint8_t *rest; /* its last octets, in the frame of its worker's queue */
	size_t rest_len;
};

bool record_is_wanted(const struct master *m, unsigned status); /* to be written, too */
bool record_take(struct child *c, const struct queue_frame *f); /* false: the worker lies */
bool part_take(struct child *c, const struct queue_frame *f);
void parts_drop(struct child *c); /* of a worker that has died */
void parts_free(struct master *m);
void record_settle(struct master *m, const struct dispatch_task *t, enum record_status status,
		   const char *message);
/* All of a record is here; part, which it takes, is what came before the octets; NULL: nothing. */
void record_come(struct master *m, const struct dispatch_task *t, const struct record_head *h,
		 struct part *part, const struct record_octets *octets);
/* Of agents, by a slot of theirs. */
void part_add(struct master *m, uint32_t slot, const uint8_t *p, size_t len);
struct part *part_leave(struct master *m, uint32_t slot); /* is the caller's; NULL: there is none */
void part_free(struct master *m, struct part *part);      /* NULL is nothing */
void large_continue(struct master *m);
bool large_may_continue(const struct master *m);

#endif

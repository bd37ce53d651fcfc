/*
 * gather - results of a cell, gathered until they are the rows of one message to a master.
 */
#ifndef LINK_GATHER_H
#define LINK_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "link/batch.h"
#include "pool/queue.h"

#define GATHER_HEADS 2048 /* octets of a message that stand before its rows, at most */
#define GATHER_MAX   (BATCH_BODY_MAX - GATHER_HEADS) /* octets of rows */

#define GATHER_BATCH_PACKED 6  /* octets of a gather_batch */
#define GATHER_END_PACKED   13 /* and of a gather_end */
/* Octets of a frame beside its rows */
#define GATHER_LISTS ((size_t)20 + (size_t)BATCH_TASKS * (GATHER_BATCH_PACKED + GATHER_END_PACKED))

/* What came of a task, for who counts. */
struct gather_end {
	uint8_t status;
	uint32_t tries;
	int64_t rtt_us;
};

/* {0}: nothing is gathered. */
struct gather {
	struct buf out; /* the frame as it is going to be */
	unsigned rows, nbatches, nended;
	struct gather_batch {
		uint32_t number;
		uint16_t ended; /* tasks of it */
	} batch[BATCH_TASKS];
	struct gather_end end[BATCH_TASKS];
};

/* A row of so many octets of front and record finds room. There is always some for the first. */
bool gather_fits(const struct gather *g, size_t octets);
void gather_add(struct gather *g, uint32_t batch, const struct batch_result *r);
/* All of it as a frame of pool/queue, lent until the next gather_add(). Nothing is gathered then. */
struct queue_part gather_close(struct gather *g, uint8_t kind);
void gather_free(struct gather *g);

/* Counterpart: such a frame's payload, lent. */
struct gathered {
	uint16_t rows, nbatches, nended; /* rows is at least 1 */
	const uint8_t *octets; /* of the rows: what follows batch_results_pack() in a message */
	uint32_t len;
	struct wire_in batches, ends; /* of which there are as many */
};
bool gathered_unpack(struct gathered *g, struct wire_in r);    /* false: it is not sound */
struct gather_batch gathered_batch(struct gathered *g);        /* the next one */
bool gathered_end(struct gathered *g, struct gather_end *end); /* likewise; false: out of bounds */

#endif

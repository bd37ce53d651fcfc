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

#define GATHER_INLINE UINT8_MAX /* no slot: the rows stand in the frame, behind all else */

/* What came of a task, for who counts. */
struct gather_end {
	uint8_t status;
	uint32_t tries;
	int64_t rtt_us;
};

/* {0}: nothing is gathered. */
struct gather {
	uint8_t *room; /* the caller's, where rows go */
	size_t len;    /* of these */
	unsigned rows, nbatches, nended;
	struct buf lists; /* and the frame around them */
	struct gather_batch {
		uint32_t number;
		uint16_t ended; /* tasks of it */
	} batch[BATCH_TASKS];
	struct gather_end end[BATCH_TASKS];
};

/* Rows go to `room`, of GATHER_MAX octets, until gather_close(). */
void gather_begin(struct gather *g, uint8_t *room);
/* A row of so many octets of front and record finds room. There is always some for the first. */
bool gather_fits(const struct gather *g, size_t octets);
void gather_add(struct gather *g, uint32_t batch, const struct batch_result *r);
/* All of it as a frame of pool/queue, lent until the next gather_begin(): what is not in that slot. Nothing is gathered then. */
struct gather_frame {
	struct queue_part lists, rows; /* rows: none where they have a slot */
};
struct gather_frame gather_close(struct gather *g, uint8_t kind, uint8_t slot);
void gather_free(struct gather *g);

/* Counterpart: such a frame's payload, lent. */
struct gathered {
	uint16_t rows, nbatches, nended; /* rows is at least 1 */
	uint8_t slot;                    /* that the rows are in, unchecked; GATHER_INLINE */
	const uint8_t *
		octets; /* of the rows: what follows batch_results_pack() in a message; NULL: they have a slot */
	uint32_t len;
	struct wire_in batches, ends; /* of which there are as many */
};
bool gathered_unpack(struct gathered *g, struct wire_in r);    /* false: it is not sound */
struct gather_batch gathered_batch(struct gathered *g);        /* the next one */
bool gathered_end(struct gathered *g, struct gather_end *end); /* likewise; false: out of bounds */

#endif

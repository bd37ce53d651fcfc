/*
 * run - what an agent must know of a run to poll its tasks: profiles by value, credentials by name, the format.
 *
 * Told to all agents once, and to who asks for it. It may be larger than a message: it travels in pieces.
 */
#ifndef LINK_RUN_H
#define LINK_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "link/broker.h"
#include "base/wire.h"

#define RUN_OCTETS_MAX (64u << 20)

struct run {
	uint64_t number;                  /* random */
	char master[BROKER_NAME_MAX + 1]; /* its results queue */
	const char *format;               /* --format; lent */
	const char *fields;               /* --fields, as written; NULL: the format's own. Lent */
	bool null_ends;                   /* --null */
	uint32_t unwanted; /* a bit for each status of whose records only the heads are sent */
	uint32_t sessions; /* targets of transports other than UDP: how many, or at least 1 */
	uint32_t rate;     /* packets per 1,000 s for each agent; 0: no limit */
	const uint8_t *profiles; /* plan_pack_profiles(). Lent */
	size_t profiles_len;
};
void run_pack(const struct run *r, struct buf *out);
/* Lends from p. False: error text. */
bool run_unpack(struct run *r, const uint8_t *p, size_t len, const char **error);

/* Pieces: the body of a BATCH_RUN after its head is u32 length of all, u32 offset, octets. */
struct run_pieces; /* of one run, on their way in */
struct run_pieces *run_pieces_new(void);
void run_pieces_free(struct run_pieces *p);
size_t run_pieces_octets(const struct run_pieces *p); /* so far; NULL: 0 */
/* Takes one, in order. False: not a piece of this, start anew. *whole is set, with its length, when it was the last. */
bool run_pieces_take(struct run_pieces *p, struct wire_in *r, const uint8_t **whole, size_t *len);
/* Appends the next piece's body (after the head) from *offset on; false: there was none left. */
bool run_piece_put(const struct buf *whole, size_t *offset, struct buf *out);

#endif

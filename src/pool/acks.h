/*
 * acks - which messages of results may be acknowledged: those whose records are safe.
 *
 * It keeps what was handed to the layout until the writer has it, and for a file until the disk and the journal have it.
 */
#ifndef POOL_ACKS_H
#define POOL_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"
#include "base/stats.h"
#include "link/journal.h"
#include "out/writer.h"

#define ACKS_GROUP \
	16 /* messages, from which a sync is worth it: half of what a master takes (prefetch), so that the others come meanwhile */
#define ACKS_GROUP_US    200000 /* none waits longer */
#define ACKS_RECORDS_MAX 65536  /* nor do more records, whatever messages they come in */

struct acks_config {
	struct journal *journal;          /* lent; NULL: none is kept */
	const struct journal_sums *begun; /* of the run that is taken up; NULL: it begins */
	const struct stats *stats; /* lent: what was counted so far, to be kept in the journal */
	void (*send)(void *arg, uint64_t tag); /* acknowledges */
	void *arg;
};

struct acks;
struct acks *acks_new(const struct acks_config *c); /* c is copied; its pointers lent */
void acks_free(struct acks *a);                     /* NULL is nothing */

/* Where records go from now on, lent. NULL: nowhere, they are as good as written (an output that failed while others
 * follow); then what is owed may be acknowledged, too. spooled: they come into the output when all are there, so there is
 * nothing to wait for. What failed with the output before is over. */
void acks_output(struct acks *a, struct writer *w, bool spooled);

/* All octets of this task's record were put (or it has none). */
void acks_seq(struct acks *a, uint64_t seq, enum record_status status);
/* All records of this message were. */
void acks_tag(struct acks *a, uint64_t tag, int64_t now_us);
/* No tag counts any more: the messages come again. What was written is kept in the journal all the same. */
void acks_void(struct acks *a);

/* Acknowledges what may be, after writer_flush(). `all`: without waiting for more. What is not WRITER_OK is final: nothing is
 * acknowledged any more; it was told if the writer has no words for it. Waits for the disk. */
enum writer_result acks_turn(struct acks *a, bool all, int64_t now_us);
int64_t acks_next_us(const struct acks *a); /* when acks_turn() has something to do; INT64_MAX */
bool acks_owes(const struct acks *a);       /* there is something left */

#endif

/*
 * journal - how far a run over a broker that writes a file has come, beside its temporary file: for --resume.
 *
 * .NAME.multisnmp.run: a head (what run, of what plan and options), then an entry for each group of records whose octets
 * are on disk: the temporary file's length, the sums so far and the tasks' numbers, with a checksum. What is behind the last
 * whole entry is cut off. Whoever opens it holds the temporary file's lock, which is the lock of both (out/writer.h).
 */
#ifndef LINK_JOURNAL_H
#define LINK_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "base/stats.h"
#include "link/broker.h"

struct journal_head {
	uint64_t run;
	char master[BROKER_NAME_MAX + 1];
	uint64_t what; /* a hash of plan and options: another one is another run */
	uint64_t tasks;
};

/* What came of the run so far. */
struct journal_sums {
	uint64_t
		length; /* octets of the temporary file that are on disk, and good; never less than before */
	uint64_t status[RECORD_STATUS_COUNT];
	struct stats stats;
};

struct journal;
#define JOURNAL_ERROR_MAX 400
/* Makes it, anew. NULL: error. */
struct journal *journal_new(const char *path, const struct journal_head *h,
			    char error[JOURNAL_ERROR_MAX]);

/* Who is told of a dead run's tasks that have records: each seq (< tasks) once in an entry. */
struct journal_reader {
	void (*taken)(void *arg, uint64_t seq);
	void *arg;
};
/* Reads what there is. h->what and h->tasks are what the caller is about to do; run and master come from the dead one. NULL:
 * error: there is none, it is of another list or other options, or of another version. *sums is of its last whole entry. */
struct journal *journal_resume(const char *path, struct journal_head *h, struct journal_sums *sums,
			       const struct journal_reader *r, char error[JOURNAL_ERROR_MAX]);

/* These tasks' records are on disk, and what came of all so far. False: errno; nothing may be acknowledged, and no other entry
 * follows. Is on disk itself then. Waits for the disk. */
bool journal_put(struct journal *j, const struct journal_sums *sums, const uint64_t *seqs,
		 size_t n);
uint64_t journal_size(const struct journal *j); /* octets on disk */
void journal_end(struct journal *j);  /* the run is over: it goes from disk, and is freed */
void journal_free(struct journal *j); /* it stays; NULL is nothing */

#endif

/*
 * journal - how far a run over a broker that writes a file has come, beside its temporary file: for --resume.
 *
 * .NAME.multisnmp.run: a head (what run, of what plan and options), then an entry for each group of records whose octets
 * are on disk: the temporary file's length and the tasks' numbers, with a checksum. What is behind the last whole entry is cut off.
 */
#ifndef LINK_JOURNAL_H
#define LINK_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/broker.h"

struct journal_head {
	uint64_t run;
	char master[BROKER_NAME_MAX + 1];
	uint64_t what; /* a hash of plan and options: another one is another run */
	uint64_t tasks;
};

struct journal;
#define JOURNAL_ERROR_MAX 300
/* Makes it, anew. NULL: error. */
struct journal *journal_new(const char *path, const struct journal_head *h,
			    char error[JOURNAL_ERROR_MAX]);
/* Reads what there is: calls taken() for each number, gives the head and the length of the temporary file's good part. NULL:
 * error, that there is none among them. */
struct journal *journal_resume(const char *path, struct journal_head *h, uint64_t *length,
			       void (*taken)(void *arg, uint64_t seq), void *arg,
			       char error[JOURNAL_ERROR_MAX]);
/* These records' octets are on disk, up to that length of the file. False: errno. Is on disk itself then. */
bool journal_put(struct journal *j, uint64_t length, const uint64_t *seqs, size_t n);
void journal_end(struct journal *j);  /* the run is over: it goes from disk */
void journal_free(struct journal *j); /* it stays */

#endif

/*
 * journal_internal - what the files of the journal share; private to it and its test.
 */
#ifndef LINK_JOURNAL_INTERNAL_H
#define LINK_JOURNAL_INTERNAL_H

#include <sys/types.h>

#include "base/mem.h"
#include "link/journal.h"

/* The system calls that fail on full and broken disks. */
struct journal_system {
	ssize_t (*write)(int fd, const void *p, size_t len);
	int (*fsync)(int fd);
};
struct journal *journal_new_with(const char *path, const struct journal_head *h,
				 const struct journal_system *sys, char error[JOURNAL_ERROR_MAX]);

#define JOURNAL_FRAME 12    /* octets before each entry: u32 length, u64 checksum */
#define JOURNAL_SEQS  32768 /* in an entry; of a larger group there are several */
#define JOURNAL_ENTRY_MAX    \
	(JOURNAL_SEQS * 20 + \
	 (2 + RECORD_STATUS_COUNT + STATS_COUNT) * 10) /* octets behind the frame */

/* Each entry's checksum begins with that of the one before: none counts anywhere but in its place. */
#define JOURNAL_SEED UINT64_C(0xcbf29ce484222325)
uint64_t journal_checksum(uint64_t before, const uint8_t *p, size_t len);

void journal_head_pack(const struct journal_head *h, struct buf *out);
/* False: error. h: as journal_resume(). */
bool journal_head_take(struct journal_head *h, const uint8_t *p, size_t len,
		       char error[JOURNAL_ERROR_MAX]);
/* Where they stand in order then: in room, of twice as many, or where they stood if they did so in order. */
const uint64_t *journal_sort(const uint64_t *seqs, size_t n, uint64_t *room);
/* seqs are sorted. */
void journal_entry_pack(const struct journal_sums *sums, const uint64_t *seqs, size_t n,
			struct buf *out);
/* False: it is none, or not one that could follow: then nobody was told of anything. */
bool journal_entry_take(const uint8_t *p, size_t len, uint64_t tasks, struct journal_sums *sums,
			const struct journal_reader *r);

#endif

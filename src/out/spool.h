/*
 * spool - octets that have to wait: many runs of them, in memory up to a bound that they share, then in
 * one unlinked temporary file.
 */
#ifndef OUT_SPOOL_H
#define OUT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_BLOCK 65536 /* octets: a run takes whole blocks */

struct spool;

/* Octets that belong together; {0} is an empty one. Its owner copies it as he likes, to one place. */
struct spool_run {
	uint64_t size;        /* octets put, read or not */
	uint64_t read;        /* octets handed out */
	uint32_t first, last; /* private: its blocks; 0: none */
	uint32_t at;          /* private: the block of the last octet handed out */
};

/* memory_blocks: how many may be held in memory before the file is made, in TMPDIR or /tmp. Nothing is
 * taken before the first put. */
struct spool *spool_new(uint32_t memory_blocks);
void spool_free(struct spool *s); /* the runs with it */
const char *spool_folder(void);   /* in which the file is made, for messages */
/* False: errno says why (disk full, no TMPDIR); nothing of p was taken, what was put before stays. */
bool spool_put(struct spool *s, struct spool_run *run, const void *p, size_t len);
/* Reads on from the start, `len` octets at most into p; 0: the end, for now; -1: errno. */
ptrdiff_t spool_read(struct spool *s, struct spool_run *run, void *p, size_t len);
/* Gives back what the run holds; it is empty then, and may be used again. */
void spool_drop(struct spool *s, struct spool_run *run);

#endif

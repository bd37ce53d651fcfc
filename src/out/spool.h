/*
 * spool - octets that have to wait: many runs of them, in memory up to a bound that they share, then in
 * one unlinked temporary file; and items that come out sorted, however many.
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

/* --- sorted ------------------------------------------------------------------------------- */

#define SPOOL_ITEM_MAX 1048576 /* octets of key and value together */

struct spool_item {
	const uint8_t *key; /* compared as octets; a shorter one comes before what it begins */
	size_t key_len;
	const uint8_t *p; /* carried along */
	size_t len;
};

enum spool_state {
	SPOOL_ITEM,
	SPOOL_END,
	SPOOL_LATER, /* nothing yet, after a while of work: ask again */
	SPOOL_FAILED /* errno */
};

struct spool_sort;

/* memory: octets that are held before a file is made. */
struct spool_sort *spool_sort_new(size_t memory);
void spool_sort_free(struct spool_sort *s);
/* Copies an item. False: errno says why (disk full; EMSGSIZE: longer than SPOOL_ITEM_MAX). */
bool spool_sort_put(struct spool_sort *s, const struct spool_item *item);
/* The next item, by key; those with the same key as they were put. Lent until the next call. Nothing may be
 * put any more after the first. */
enum spool_state spool_sort_next(struct spool_sort *s, struct spool_item *item);

#endif

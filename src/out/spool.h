/*
 * spool - octets that have to wait: in memory up to a bound, then in an unlinked temporary file.
 */
#ifndef OUT_SPOOL_H
#define OUT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

struct spool *spool_new(
	size_t memory_max); /* octets held in memory before the file is made, in TMPDIR or /tmp */
void spool_free(struct spool *s);
/* False: errno says why (disk full, no TMPDIR); nothing of p was taken, what was put before stays. */
bool spool_put(struct spool *s, const void *p, size_t len);
uint64_t spool_size(const struct spool *s); /* octets put, read or not */
/* Reads on from the start, `len` octets at most into p; 0: the end, for now; -1: errno. */
ptrdiff_t spool_read(struct spool *s, void *p, size_t len);

#endif

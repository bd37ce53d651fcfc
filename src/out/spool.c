/*
 * Octets that have to wait.
 *
 * The problem: a walk of a million rows is one record, it arrives in frames, and it may be written only as a
 * whole, since the worker that sends it may die in the middle. A worker has hundreds of targets in
 * hand, and the frames of several such walks come mixed. All of that must wait somewhere while the
 * master's memory (DESIGN.md, invariant 2) and its descriptors stay bounded: it works under
 * `ulimit -n 64`, and a worker that was taken over may open a record for each of its leases.
 *
 * The design: one store for all runs of the process, cut into blocks. The first blocks lie in memory, the
 * others in one file without a name; a run is a chain of them. The chains are a table of four octets a
 * block, so a store of 1 GB costs 64 KiB of memory. What a run gives back is used by the next one,
 * memory first, and when nobody holds a block any more the file is cut to nothing. Most records never come to
 * the file and cost no system call.
 *
 * Rejected: a file for each run, which is a descriptor for each lease. One run at a time for each worker: the
 * rows of all others would have to wait in the worker's memory, or their devices.
 *
 * The trap: a disk that is full in the middle of a write. A run counts an octet only when all of its
 * put is there; a failed put gives back the blocks that it took, and may be tried again.
 */
#include "out/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Blocks are numbered from 1; the first memory_blocks of them lie in memory. */
struct spool {
	uint8_t *memory; /* NULL: nothing was put yet */
	uint32_t memory_blocks;
	int fd;               /* -1: no file yet */
	uint32_t *next;       /* of a block: the next of its run, or of its free list; 0: none */
	uint32_t cap;         /* of next */
	uint32_t count;       /* blocks that were ever in use */
	uint32_t used;        /* that belong to a run */
	uint32_t free_memory; /* the first of those given back, by where they lie; 0: none */
	uint32_t free_file;
};

struct spool *spool_new(uint32_t memory_blocks)
{
	struct spool *s = mem_zero(1, sizeof(*s));

	s->memory_blocks = memory_blocks;
	s->fd = -1;
	return s;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->memory);
	free(s->next);
	free(s);
}

/* --- blocks ------------------------------------------------------------------------------- */

static uint32_t block_fresh(struct spool *s)
{
	if (s->count + 1 >= s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->next = mem_resize(s->next, s->cap, sizeof(*s->next));
	}
	return ++s->count;
}

static uint32_t block_take(struct spool *s)
{
	uint32_t *list = s->free_memory || s->count < s->memory_blocks ? &s->free_memory
								       : &s->free_file;
	uint32_t b = *list;

	if (b)
		*list = s->next[b];
	else
		b = block_fresh(s);
	s->next[b] = 0;
	s->used++;
	return b;
}

/* Whoever held the last one leaves the store as it was in the beginning. */
static void store_empty(struct spool *s)
{
	s->count = s->free_memory = s->free_file = 0;
	if (s->fd >= 0 && ftruncate(s->fd, 0) < 0) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Gives back b and all behind it. The newest block is forgotten, not kept for the next: if the disk had no room for it,
 * it is no block to be had. */
static void chain_drop(struct spool *s, uint32_t b)
{
	while (b) {
		uint32_t *list = b <= s->memory_blocks ? &s->free_memory : &s->free_file;
		uint32_t next = s->next[b];

		if (b == s->count) {
			s->count--;
		} else {
			s->next[b] = *list;
			*list = b;
		}
		s->used--;
		b = next;
	}
	if (s->used == 0)
		store_empty(s);
}

const char *spool_folder(void)
{
	const char *folder = getenv("TMPDIR");

	return folder && *folder ? folder : "/tmp";
}

/* A file without a name, from the moment on that it is made; -1: errno. */
static int open_nameless(void)
{
	struct buf path = {0};
	int fd, saved;

	buf_puts(&path, spool_folder());
	buf_put(&path, "/multisnmp-XXXXXX", sizeof("/multisnmp-XXXXXX")); /* and its NUL */
	fd = mkstemp((char *)path.data);
	saved = errno;
	if (fd >= 0) {
		unlink((char *)path.data);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	buf_free(&path);
	errno = saved;
	return fd;
}

/* Where octet `at` of a block that does not lie in memory stands in the file. */
static off_t place_of(const struct spool *s, uint32_t b, size_t at)
{
	return (off_t)(b - 1 - s->memory_blocks) * SPOOL_BLOCK + (off_t)at;
}

static uint8_t *memory_of(struct spool *s, uint32_t b)
{
	if (!s->memory)
		s->memory = mem_alloc((size_t)s->memory_blocks * SPOOL_BLOCK);
	return s->memory + (size_t)(b - 1) * SPOOL_BLOCK;
}

static bool block_write(struct spool *s, uint32_t b, size_t at, const uint8_t *p, size_t len)
{
	if (b <= s->memory_blocks) {
		memcpy(memory_of(s, b) + at, p, len);
		return true;
	}
	if (s->fd < 0)
		s->fd = open_nameless();
	if (s->fd < 0)
		return false;
	while (len) {
		ssize_t n = pwrite(s->fd, p, len, place_of(s, b, at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return true;
}

static ptrdiff_t block_read(struct spool *s, uint32_t b, size_t at, void *p, size_t len)
{
	ssize_t n;

	if (b <= s->memory_blocks) {
		memcpy(p, memory_of(s, b) + at, len);
		return (ptrdiff_t)len;
	}
	do {
		n = pread(s->fd, p, len, place_of(s, b, at));
	} while (n < 0 && errno == EINTR);
	if (n == 0) { /* somebody has cut it: never an end, which would make half a record whole */
		errno = EIO;
		return -1;
	}
	return n;
}

/* --- runs --------------------------------------------------------------------------------- */

static void run_extend(struct spool *s, struct spool_run *run)
{
	uint32_t b = block_take(s);

	if (run->last)
		s->next[run->last] = b;
	else
		run->first = b;
	run->last = b;
}

/* The blocks that `grown` has beyond `run`, which stays as it is. */
static void run_undo(struct spool *s, const struct spool_run *run, const struct spool_run *grown)
{
	uint32_t more = run->last ? s->next[run->last] : grown->first;
	int why = errno;

	if (run->last)
		s->next[run->last] = 0;
	chain_drop(s, more);
	errno = why;
}

/* The rest of a new block, so that the disk gives all of it now: a run that has a block can fill it, however full
 * the disk has become, and what is given back serves whoever takes it next. */
static bool block_reserve(struct spool *s, uint32_t b, size_t from)
{
	static const uint8_t zeros[SPOOL_BLOCK];

	return b <= s->memory_blocks || block_write(s, b, from, zeros, SPOOL_BLOCK - from);
}

bool spool_put(struct spool *s, struct spool_run *run, const void *p, size_t len)
{
	struct spool_run grown = *run;
	const uint8_t *octets = p;

	while (len) {
		size_t at = grown.size % SPOOL_BLOCK;
		size_t n = len < SPOOL_BLOCK - at ? len : SPOOL_BLOCK - at;

		if (at == 0)
			run_extend(s, &grown);
		if (!block_write(s, grown.last, at, octets, n) ||
		    (at == 0 && !block_reserve(s, grown.last, n))) {
			run_undo(s, run, &grown);
			return false;
		}
		octets += n;
		grown.size += n;
		len -= n;
	}
	*run = grown;
	return true;
}

ptrdiff_t spool_read(struct spool *s, struct spool_run *run, void *p, size_t len)
{
	size_t at = run->read % SPOOL_BLOCK;
	uint64_t left = run->size - run->read;
	uint32_t b = run->at;
	ptrdiff_t n;

	if (len > SPOOL_BLOCK - at)
		len = SPOOL_BLOCK - at;
	if (len > left)
		len = (size_t)left;
	if (len == 0)
		return 0;
	if (at == 0)
		b = b ? s->next[b] : run->first;
	n = block_read(s, b, at, p, len);
	if (n > 0) {
		run->at = b;
		run->read += (uint64_t)n;
	}
	return n;
}

void spool_drop(struct spool *s, struct spool_run *run)
{
	if (run->first)
		chain_drop(s, run->first);
	*run = (struct spool_run){0};
}

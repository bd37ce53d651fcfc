/*
 * Items that come out sorted, however many went in.
 *
 * The problem: a format that groups, or a person who wants order, needs all records before the first can be
 * written, and ten million of them are gigabytes. The master's memory stays what it is.
 *
 * The design: the textbook's external merge. Items are copied into an arena; when it is full it is sorted
 * and becomes a run of the spool. In the end runs are merged, FAN of them at a time, until FAN are left; the
 * last merge is what the caller reads. Neighbours are merged and stand where they stood, and of equal keys
 * the earlier run's goes first: so the order is stable. What fits the arena never comes to a file.
 *
 * A merge of everything would keep the master from its children for minutes, so it is done by the caller's
 * calls, STEP octets at a time.
 *
 * The trap: an item longer than a read. A reader's buffer grows to the longest item that it meets, so
 * FAN times SPOOL_ITEM_MAX is the bound of memory, not FAN times a block.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "out/spool.h"

#define FAN  16      /* runs merged at a time */
#define STEP 1048576 /* octets moved in a call */
#define HEAD 8       /* octets of an item before its own: two lengths */

/* An item in the arena, in a run and in a reader's buffer: lengths as the machine has them, key, value. */
struct lengths {
	uint32_t key, value;
};

struct reader {
	struct spool_run *run; /* NULL: read to its end */
	struct buf octets;
	size_t at; /* of the item that is next */
};

struct spool_sort {
	struct spool *spool; /* NULL: nothing went beyond the arena */
	size_t memory;
	uint8_t *arena;
	size_t used;
	uint8_t **items; /* in the arena, in the order in which they came, then sorted */
	size_t count, cap;
	size_t next; /* item to be read: all of them are in the arena */
	bool reading;

	struct spool_run *runs;
	size_t nruns;
	size_t merged, kept; /* runs of this pass that are merged, into so many */
	struct reader readers[FAN];
	size_t nreaders;
	struct reader *last;   /* whose item is lent */
	struct spool_run into; /* that is being written */
	struct buf out;        /* what is not in it yet */
	bool final;            /* this merge is the last */
};

struct spool_sort *spool_sort_new(size_t memory)
{
	struct spool_sort *s = mem_zero(1, sizeof(*s));

	s->memory = memory;
	return s;
}

static void arena_free(struct spool_sort *s)
{
	free(s->arena);
	free(s->items);
	s->arena = NULL;
	s->items = NULL;
	s->count = s->cap = s->used = 0;
}

void spool_sort_free(struct spool_sort *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < FAN; i++)
		buf_free(&s->readers[i].octets);
	arena_free(s);
	spool_free(s->spool);
	free(s->runs);
	buf_free(&s->out);
	free(s);
}

/* --- items -------------------------------------------------------------------------------- */

static struct lengths lengths_of(const uint8_t *item)
{
	struct lengths l;

	memcpy(&l, item, sizeof(l));
	return l;
}

static size_t size_of(const uint8_t *item)
{
	struct lengths l = lengths_of(item);

	return HEAD + (size_t)l.key + l.value;
}

static int compare(const uint8_t *a, const uint8_t *b)
{
	size_t na = lengths_of(a).key, nb = lengths_of(b).key;
	int order = memcmp(a + HEAD, b + HEAD, na < nb ? na : nb);

	return order ? order : (na > nb) - (na < nb);
}

/* For qsort(3), which is not stable: what came first stands first in the arena. */
static int compare_items(const void *a, const void *b)
{
	const uint8_t *const *x = a;
	const uint8_t *const *y = b;
	int order = compare(*x, *y);

	return order ? order : (*x > *y) - (*x < *y);
}

static void item_lend(const uint8_t *at, struct spool_item *item)
{
	struct lengths l = lengths_of(at);

	*item = (struct spool_item){at + HEAD, l.key, at + HEAD + l.key, l.value};
}

/* --- in ----------------------------------------------------------------------------------- */

static void arena_sort(struct spool_sort *s)
{
	if (s->count)
		qsort(s->items, s->count, sizeof(*s->items), compare_items);
}

static bool out_flush(struct spool_sort *s, struct spool_run *run)
{
	bool put = spool_put(s->spool, run, s->out.data, s->out.len);

	s->out.len = 0;
	return put;
}

/* Appends an item to a run, which is whole only after out_flush(). */
static bool out_put(struct spool_sort *s, struct spool_run *run, const uint8_t *item)
{
	buf_put(&s->out, item, size_of(item));
	return s->out.len < SPOOL_BLOCK || out_flush(s, run);
}

/* The arena becomes a run. */
static bool arena_spill(struct spool_sort *s)
{
	struct spool_run run = {0};
	bool put = true;

	if (!s->spool)
		s->spool = spool_new(0);
	arena_sort(s);
	for (size_t i = 0; i < s->count && put; i++)
		put = out_put(s, &run, s->items[i]);
	if (!put || !out_flush(s, &run)) {
		int why = errno;

		spool_drop(s->spool, &run);
		errno = why;
		return false;
	}
	s->runs = mem_resize(s->runs, s->nruns + 1, sizeof(*s->runs));
	s->runs[s->nruns++] = run;
	s->count = s->used = 0;
	return true;
}

/* Room for size octets in the arena, which takes the items' pointers into account; false: none. */
static bool arena_has(const struct spool_sort *s, size_t size)
{
	return s->used + size + (s->count + 1) * sizeof(*s->items) <= s->memory;
}

static void arena_put(struct spool_sort *s, const struct spool_item *item, size_t size)
{
	struct lengths l = {(uint32_t)item->key_len, (uint32_t)item->len};
	uint8_t *at = s->arena + s->used;

	if (s->count == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->items = mem_resize(s->items, s->cap, sizeof(*s->items));
	}
	memcpy(at, &l, sizeof(l));
	if (item->key_len)
		memcpy(at + HEAD, item->key, item->key_len);
	if (item->len)
		memcpy(at + HEAD + item->key_len, item->p, item->len);
	s->items[s->count++] = at;
	s->used += size;
}

bool spool_sort_put(struct spool_sort *s, const struct spool_item *item)
{
	size_t size = HEAD + item->key_len + item->len;

	if (item->key_len > SPOOL_ITEM_MAX || item->len > SPOOL_ITEM_MAX - item->key_len) {
		errno = EMSGSIZE;
		return false;
	}
	if (!arena_has(s, size) && s->count && !arena_spill(s))
		return false;
	if (!s->arena) /* one item has room, always */
		s->arena = mem_alloc(s->memory + HEAD + SPOOL_ITEM_MAX);
	arena_put(s, item, size);
	return true;
}

/* --- out ---------------------------------------------------------------------------------- */

/* The item that is next is whole in the buffer; reads what is missing. False: errno. */
static bool reader_fill(struct spool_sort *s, struct reader *r)
{
	while (r->run) {
		size_t left = r->octets.len - r->at;
		ptrdiff_t n;

		if (left >= HEAD && left >= size_of(r->octets.data + r->at))
			return true;
		buf_consume(&r->octets, r->at);
		r->at = 0;
		n = spool_read(s->spool, r->run, buf_room(&r->octets, SPOOL_BLOCK), SPOOL_BLOCK);
		if (n < 0)
			return false;
		r->octets.len += (size_t)n;
		if (n == 0) {
			spool_drop(s->spool, r->run);
			r->run = NULL;
		}
	}
	return true;
}

/* Opens the next FAN runs, or what is left of them. */
static bool merge_begin(struct spool_sort *s)
{
	s->nreaders = 0;
	while (s->nreaders < FAN && s->merged + s->nreaders < s->nruns) {
		struct reader *r = &s->readers[s->nreaders];

		r->run = &s->runs[s->merged + s->nreaders];
		r->octets.len = r->at = 0;
		s->nreaders++;
		if (!reader_fill(s, r))
			return false;
	}
	return true;
}

/* The item that comes first, and moves on from the last one; NULL: there is none, or *failed. */
static const uint8_t *merge_next(struct spool_sort *s, bool *failed)
{
	struct reader *first = NULL;

	if (s->last) {
		s->last->at += size_of(s->last->octets.data + s->last->at);
		*failed = !reader_fill(s, s->last);
	}
	for (size_t i = 0; i < s->nreaders && !*failed; i++) {
		struct reader *r = &s->readers[i];

		if (r->run &&
		    (!first || compare(r->octets.data + r->at, first->octets.data + first->at) < 0))
			first = r;
	}
	s->last = first;
	return first ? first->octets.data + first->at : NULL;
}

/* The group that was merged becomes a run, in the place of its first. */
static void merge_end(struct spool_sort *s, const struct spool_run *run)
{
	s->merged += s->nreaders;
	s->nreaders = 0;
	s->runs[s->kept++] = *run;
	if (s->merged < s->nruns)
		return;
	s->nruns = s->kept;
	s->merged = s->kept = 0;
}

/* Moves a while's worth of items into the run of this group. */
static enum spool_state merge_step(struct spool_sort *s)
{
	bool failed = false;
	const uint8_t *item;

	if (s->nreaders == 0 && !merge_begin(s))
		return SPOOL_FAILED;
	for (size_t moved = 0; moved < STEP; moved += size_of(item)) {
		item = merge_next(s, &failed);
		if (failed || (item ? !out_put(s, &s->into, item) : !out_flush(s, &s->into)))
			return SPOOL_FAILED;
		if (item)
			continue;
		merge_end(s, &s->into);
		s->into = (struct spool_run){0};
		break;
	}
	return SPOOL_LATER;
}

static enum spool_state arena_next(struct spool_sort *s, struct spool_item *item)
{
	if (!s->items || s->next == s->count)
		return SPOOL_END;
	item_lend(s->items[s->next++], item);
	return SPOOL_ITEM;
}

static enum spool_state final_next(struct spool_sort *s, struct spool_item *item)
{
	bool failed = !s->final && !merge_begin(s);
	const uint8_t *at = failed ? NULL : merge_next(s, &failed);

	s->final = true;
	if (failed)
		return SPOOL_FAILED;
	if (!at)
		return SPOOL_END;
	item_lend(at, item);
	return SPOOL_ITEM;
}

/* What is in the arena is the last run, or all there is. */
static bool reading_begin(struct spool_sort *s)
{
	s->reading = true;
	if (!s->spool) {
		arena_sort(s);
		return true;
	}
	if (s->count && !arena_spill(s))
		return false;
	arena_free(s);
	return true;
}

enum spool_state spool_sort_next(struct spool_sort *s, struct spool_item *item)
{
	if (!s->reading && !reading_begin(s))
		return SPOOL_FAILED;
	if (!s->spool)
		return arena_next(s, item);
	return s->nruns > FAN ? merge_step(s) : final_next(s, item);
}

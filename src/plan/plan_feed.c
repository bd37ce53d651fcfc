/*
 * A plan whose targets come from elsewhere: an agent's, of tasks that a master has sent.
 *
 * The problem: a master that polls for another one knows profiles, and no list. Its targets come in batches, for
 * minutes or for weeks, and all that hands out targets (leases, names, ledger) is to be as it is.
 *
 * The design: targets wait here, kind by kind, until plan_next() takes them; while the plan is open, "there is none" means
 * "not yet". What a target borrows must live as long as the plan, as with any other; so each string is kept
 * once, however often it comes. The same targets come round after round, so that is bounded by how many there are; who
 * feeds bounds how many wait.
 *
 * Rejected: to hand strings back when a record is through. The ledger, the names' table and its waiters all borrow
 * them, each with an end of its own, to save what a round of the same hosts brings back at once.
 *
 * The trap: profile numbers are the sender's word. plan_feed() takes any; who leases asks plan_fault() first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/task.h"
#include "plan/fed.h"
#include "plan/plan_internal.h"

struct feed_row { /* targets that wait; a ring */
	struct plan_target *target;
	size_t first, count, cap; /* cap: a power of two, or 0 */
	size_t before;            /* count when plan_feed_begin() was called */
};

struct plan_feed {
	struct feed_row row[PLAN_KINDS];
	uint64_t fed; /* so far, of all kinds */
	bool open;
	char **strings;
	size_t nstrings, cap_strings;
	struct plan_index by_text;
};

void plan_feed_open(struct plan *p)
{
	p->remote.feed = mem_zero(1, sizeof(*p->remote.feed));
	p->remote.feed->open = true;
}

void plan_feed_close(struct plan *p)
{
	p->remote.feed->open = false;
}

bool plan_is_open(const struct plan *p)
{
	return p->remote.feed && p->remote.feed->open;
}

static bool same_string(const void *array, uint32_t number, const void *wanted)
{
	return strcmp(((char *const *)array)[number], wanted) == 0;
}

/* The one copy of a text; NULL: of none. */
static const char *keep(struct plan_feed *f, const char *text)
{
	uint64_t hash;
	uint32_t number;

	if (!text)
		return NULL;
	hash = plan_hash(0, text, strlen(text));
	number = plan_index_get(&f->by_text, hash, same_string, f->strings, text);
	if (number != PLAN_INDEX_NONE)
		return f->strings[number];
	f->strings = plan_grow(f->strings, f->nstrings, &f->cap_strings, sizeof(*f->strings));
	f->strings[f->nstrings] = mem_strdup(text);
	plan_index_put(&f->by_text, hash, (uint32_t)f->nstrings);
	return f->strings[f->nstrings++];
}

/* The i-th of those that wait, or the place behind them. */
static struct plan_target *row_at(const struct feed_row *r, size_t i)
{
	return &r->target[(r->first + i) & (r->cap - 1)];
}

static void row_grow(struct feed_row *r)
{
	size_t cap = r->cap ? r->cap * 2 : 64;
	struct plan_target *target = mem_alloc(cap * sizeof(*target));

	for (size_t i = 0; i < r->count; i++)
		target[i] = *row_at(r, i);
	free(r->target);
	*r = (struct feed_row){
		.target = target, .count = r->count, .cap = cap, .before = r->before};
}

void plan_feed(struct plan *p, const struct plan_target *t)
{
	struct plan_feed *f = p->remote.feed;
	struct feed_row *r =
		&f->row[t->transport == TRANSPORT_UDP ? PLAN_DATAGRAMS : PLAN_SESSIONS];
	struct plan_target *own;

	if (r->count == r->cap)
		row_grow(r);
	own = row_at(r, r->count++);
	*own = *t;
	own->host = keep(f, t->host);
	own->name = keep(f, t->name);
	own->path = keep(f, t->path);
	f->fed++;
}

void plan_feed_begin(struct plan *p)
{
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		p->remote.feed->row[kind].before = p->remote.feed->row[kind].count;
}

void plan_feed_undo(struct plan *p)
{
	struct plan_feed *f = p->remote.feed;

	for (unsigned kind = 0; kind < PLAN_KINDS; kind++) {
		f->fed -= f->row[kind].count - f->row[kind].before;
		f->row[kind].count = f->row[kind].before;
	}
}

bool plan_feed_next(struct plan *p, enum plan_kind kind, struct plan_target *out)
{
	struct feed_row *r = &p->remote.feed->row[kind];

	if (r->count == 0)
		return false;
	*out = *row_at(r, 0);
	r->first = (r->first + 1) & (r->cap - 1);
	r->count--;
	return true;
}

uint64_t plan_feed_count(const struct plan *p)
{
	return p->remote.feed->fed;
}

void plan_feed_free(struct plan *p)
{
	struct plan_feed *f = p->remote.feed;

	if (!f)
		return;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		free(f->row[kind].target);
	for (size_t i = 0; i < f->nstrings; i++)
		free(f->strings[i]);
	free(f->strings);
	plan_index_free(&f->by_text);
	free(f);
	p->remote.feed = NULL;
}

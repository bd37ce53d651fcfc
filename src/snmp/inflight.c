/*
 * Which request a datagram answers.
 *
 * The problem: a reply names its request by 31 bits and nothing else that can be trusted, and it must
 * be found, or not found, before any of its content is looked at. The reply to the first try may
 * come after the second was sent (net-snmp#194: thrown away, for ever), so every try has an id of its
 * own and all of them stay valid until the request ends.
 *
 * The design: ids are random, so their low bits are the hash: an open-addressing table with linear
 * probing, at most half full, that grows by rehashing. Deleting shifts back what follows, which leaves
 * no tombstones: a table that turns over a hundred thousand times a second would drown in them. The
 * tries of a slot are chained through the table by id, newest first. Slots are handed out first in,
 * first out, so that a slot rests as long as possible; each entry carries its slot's generation,
 * and one that outlived its request ends the process.
 *
 * Rejected: counting ids upwards, with the slot number inside. It needs no table, and whoever sees one
 * request can answer the next thousand.
 *
 * The trap: backward-shift deletion moves other entries, so nothing may keep a place in the table
 * across a deletion; everything here goes by id.
 */
#include "snmp/inflight.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/quit.h"

#define TABLE_FIRST  64  /* entries; a power of two */
#define POOL_IDS     64  /* ids drawn at once: getentropy(3) gives at most 256 octets */
#define RECENT_LEAST 256 /* completed ids remembered; a power of two */

struct entry {
	int64_t sent_us;
	uint32_t id;    /* 0: free */
	uint32_t older; /* id of the slot's previous try, 0: none */
	uint32_t slot;
	uint32_t generation; /* of the slot when this was added */
};

struct slot {
	uint32_t newest; /* id, 0: no try yet */
	uint32_t tries;
	uint32_t generation; /* odd while taken */
	uint32_t next;       /* in the free list */
};

struct inflight {
	struct slot *slots;
	uint32_t nslots;
	uint32_t free_head, free_tail; /* INFLIGHT_NONE: the list is empty */
	struct entry *table;
	uint32_t mask; /* entries of the table - 1 */
	uint32_t used;
	uint32_t *recent; /* completed ids, direct-mapped by their low bits */
	uint32_t recent_mask;
	inflight_random_fn random;
	uint32_t pool[POOL_IDS];
	uint32_t pool_left;
};

void inflight_system_random(void *p, size_t len)
{
	if (getentropy(p, len) != 0) {
		log_error("the system gives no random numbers");
		quit_now(MEM_EXIT);
	}
}

struct inflight *inflight_new(uint32_t slots, inflight_random_fn random)
{
	struct inflight *f = mem_zero(1, sizeof(*f));
	uint32_t remembered = RECENT_LEAST;

	while (remembered < slots)
		remembered *= 2;
	f->recent = mem_zero(remembered, sizeof(*f->recent));
	f->recent_mask = remembered - 1;
	f->table = mem_zero(TABLE_FIRST, sizeof(*f->table));
	f->mask = TABLE_FIRST - 1;
	f->random = random;
	f->nslots = slots;
	f->slots = mem_zero(slots, sizeof(*f->slots));
	for (uint32_t i = 0; i < slots; i++)
		f->slots[i].next = i + 1 < slots ? i + 1 : INFLIGHT_NONE;
	f->free_head = slots ? 0 : INFLIGHT_NONE;
	f->free_tail = slots - 1;
	return f;
}

void inflight_free(struct inflight *f)
{
	free(f->slots);
	free(f->table);
	free(f->recent);
	free(f);
}

uint32_t inflight_take(struct inflight *f)
{
	uint32_t number = f->free_head;
	struct slot *s;

	if (number == INFLIGHT_NONE)
		return INFLIGHT_NONE;
	s = &f->slots[number];
	f->free_head = s->next;
	s->newest = 0;
	s->tries = 0;
	s->generation++;
	return number;
}

static _Noreturn void broken(const char *what)
{
	log_error("requests in flight: %s", what);
	abort();
}

static struct slot *taken(const struct inflight *f, uint32_t number)
{
	struct slot *s;

	if (number >= f->nslots)
		broken("no such slot");
	s = &f->slots[number];
	if (!(s->generation & 1))
		broken("the slot is free");
	return s;
}

/* Where id is, or the free place where it would stand. */
static uint32_t place_of(const struct inflight *f, uint32_t id)
{
	uint32_t i = id & f->mask;

	while (f->table[i].id != 0 && f->table[i].id != id)
		i = (i + 1) & f->mask;
	return i;
}

static void grow(struct inflight *f)
{
	struct entry *old = f->table;
	uint32_t count = f->mask + 1;

	f->table = mem_zero((size_t)count * 2, sizeof(*f->table));
	f->mask = count * 2 - 1;
	for (uint32_t i = 0; i < count; i++) {
		if (old[i].id)
			f->table[place_of(f, old[i].id)] = old[i];
	}
	free(old);
}

/* Closes the hole at i: whatever probed past it moves up, until a free place ends the run. */
static void delete_at(struct inflight *f, uint32_t i)
{
	for (uint32_t next = (i + 1) & f->mask; f->table[next].id; next = (next + 1) & f->mask) {
		uint32_t home = f->table[next].id & f->mask;

		if (((next - home) & f->mask) >= ((next - i) & f->mask)) {
			f->table[i] = f->table[next];
			i = next;
		}
	}
	f->table[i].id = 0;
	f->used--;
}

/* Takes the newest try out of the table; returns its id. */
static uint32_t forget_newest(struct inflight *f, struct slot *s)
{
	uint32_t id = s->newest, i = place_of(f, id);

	if (!f->table[i].id)
		broken("a try is not in the table");
	s->newest = f->table[i].older;
	s->tries--;
	delete_at(f, i);
	return id;
}

void inflight_release(struct inflight *f, uint32_t number, bool completed)
{
	struct slot *s = taken(f, number);

	while (s->newest) {
		uint32_t id = forget_newest(f, s);

		if (completed)
			f->recent[id & f->recent_mask] = id;
	}
	s->generation++;
	s->next = INFLIGHT_NONE;
	if (f->free_head == INFLIGHT_NONE)
		f->free_head = number;
	else
		f->slots[f->free_tail].next = number;
	f->free_tail = number;
}

static uint32_t draw(struct inflight *f)
{
	if (!f->pool_left) {
		f->random(f->pool, sizeof(f->pool));
		f->pool_left = POOL_IDS;
	}
	return f->pool[--f->pool_left] & (INFLIGHT_ID_END - 1);
}

uint32_t inflight_add(struct inflight *f, uint32_t number, int64_t sent_us)
{
	struct slot *s = taken(f, number);
	uint32_t id, i;

	if (f->used * 2 > f->mask)
		grow(f);
	do {
		id = draw(f);
		i = place_of(f, id);
	} while (id < INFLIGHT_ID_MIN || f->table[i].id);
	f->table[i] = (struct entry){
		.sent_us = sent_us,
		.id = id,
		.older = s->newest,
		.slot = number,
		.generation = s->generation,
	};
	f->used++;
	s->newest = id;
	s->tries++;
	return id;
}

void inflight_drop(struct inflight *f, uint32_t number)
{
	forget_newest(f, taken(f, number));
}

uint32_t inflight_tries(const struct inflight *f, uint32_t number)
{
	return taken(f, number)->tries;
}

bool inflight_find(const struct inflight *f, uint32_t id, struct inflight_hit *hit)
{
	const struct entry *e = &f->table[place_of(f, id)];

	if (!id || !e->id)
		return false;
	if (f->slots[e->slot].generation != e->generation)
		broken("a try outlived its request");
	hit->slot = e->slot;
	hit->newest = f->slots[e->slot].newest == id;
	hit->sent_us = e->sent_us;
	return true;
}

bool inflight_completed(const struct inflight *f, uint32_t id)
{
	return id && f->recent[id & f->recent_mask] == id;
}

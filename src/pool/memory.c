/*
 * What was learnt of hosts, from round to round.
 *
 * The problem: a hundred thousand hosts, asked every minute for months. What is kept of each must be small, found at
 * once, and go when the host goes; and nothing of it may hold up the master's loop, not even for the time that it takes to
 * look through all of them.
 *
 * The design: the hosts lie densely in slabs that never move; a table of their numbers, by hash, finds them (open
 * addressing, linear, at most two thirds full; a number is 4 octets, so its empty places cost little). A host that is
 * removed leaves no hole: the last one takes its place. A hand goes round all hosts, two steps for each record that is kept
 * and some more for each round, and removes who was not asked for two rounds; so all of them are looked at in a round.
 *
 * Rejected: a slot per target of the plan. A reload makes other targets, and blocks of ten million would have ten million
 * slots though few answer. And the struct as it travels: it is larger by a third, for room that the wire form needs.
 *
 * The trap: removing from a table with linear probing. A place that is simply emptied cuts off who was pushed on beyond it, so
 * those are moved up.
 */
#include "pool/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SLAB        1024u /* hosts */
#define PLACES_MIN  1024u
#define ROUNDS_KEPT 2    /* without being asked */
#define ROUND_STEPS 4096 /* of the hand, at the begin of a round: some ten microseconds */
#define KEEP_STEPS  2    /* and for each record */

enum { /* bits of host.has */
	HAS_TIMES = 1,
	HAS_CLOCK = 2,
};

struct host {
	uint64_t name;
	int64_t stamp_us;
	uint32_t boots, time_s, srtt_us, rttvar_us;
	uint32_t where;
	uint32_t round; /* in which it was asked last */
	uint8_t silent;
	uint8_t counted; /* the last round that was, its lowest bits */
	uint8_t has;
	uint8_t engine_id_len;
	uint8_t engine_id[ENGINE_ID_MAX];
};

struct memory {
	struct host **slabs;
	uint32_t nslabs;
	uint32_t count;  /* hosts */
	uint32_t *place; /* number of the host and 1; 0: free */
	uint32_t places; /* a power of two */
	uint32_t hand;   /* number of the host that is looked at next */
	uint32_t round;
};

struct memory *memory_new(void)
{
	struct memory *m = mem_zero(1, sizeof(*m));

	m->places = PLACES_MIN;
	m->place = mem_zero(m->places, sizeof(*m->place));
	return m;
}

void memory_free(struct memory *m)
{
	if (m == NULL)
		return;
	for (uint32_t i = 0; i < m->nslabs; i++)
		free(m->slabs[i]);
	free(m->slabs);
	free(m->place);
	free(m);
}

size_t memory_hosts(const struct memory *m)
{
	return m->count;
}

size_t memory_octets(const struct memory *m)
{
	return (size_t)m->nslabs * (SLAB * sizeof(struct host) + sizeof(struct host *)) +
	       m->places * sizeof(*m->place);
}

/* ---- the table */

static struct host *host_at(const struct memory *m, uint32_t number)
{
	return &m->slabs[number / SLAB][number % SLAB];
}

/* Where the search for a name begins; whatever hash it is, all of its bits count. */
static uint32_t home_of(const struct memory *m, uint64_t name)
{
	return (uint32_t)((name * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (m->places - 1);
}

/* Its place, or the free one that ends the search. */
static uint32_t *place_of(const struct memory *m, uint64_t name)
{
	uint32_t at = home_of(m, name);

	while (m->place[at] != 0 && host_at(m, m->place[at] - 1)->name != name)
		at = (at + 1) & (m->places - 1);
	return &m->place[at];
}

static void rebuild(struct memory *m, uint32_t places)
{
	free(m->place);
	m->places = places;
	m->place = mem_zero(places, sizeof(*m->place));
	for (uint32_t i = 0; i < m->count; i++)
		*place_of(m, host_at(m, i)->name) = i + 1;
}

/* Frees a place; who was pushed on beyond it moves up. */
static void place_free(struct memory *m, uint32_t at)
{
	uint32_t mask = m->places - 1;

	for (uint32_t next = (at + 1) & mask; m->place[next] != 0; next = (next + 1) & mask) {
		uint32_t home = home_of(m, host_at(m, m->place[next] - 1)->name);

		if (((next - home) & mask) < ((next - at) & mask))
			continue; /* its search begins behind the free place */
		m->place[at] = m->place[next];
		at = next;
	}
	m->place[at] = 0;
}

/* ---- hosts */

/* NULL: no more are remembered. */
static struct host *host_add(struct memory *m, uint64_t name)
{
	struct host *h;

	if (m->count == MEMORY_HOSTS_MAX)
		return NULL;
	if (m->count == m->nslabs * SLAB) {
		m->slabs = mem_resize(m->slabs, m->nslabs + (size_t)1, sizeof(struct host *));
		m->slabs[m->nslabs++] = mem_alloc(SLAB * sizeof(struct host));
	}
	if (m->count >= m->places / 3 * 2)
		rebuild(m, m->places * 2);
	*place_of(m, name) = m->count + 1;
	h = host_at(m, m->count++);
	*h = (struct host){.name = name, .round = m->round};
	return h;
}

static void host_remove(struct memory *m, uint32_t number)
{
	uint32_t last = m->count - 1;

	place_free(m, (uint32_t)(place_of(m, host_at(m, number)->name) - m->place));
	if (number != last) {
		*place_of(m, host_at(m, last)->name) = number + 1;
		*host_at(m, number) = *host_at(m, last);
	}
	m->count--;
	if (m->nslabs - m->count / SLAB >
	    2) /* one is kept, or a host that comes and goes costs two calls */
		free(m->slabs[--m->nslabs]);
	if (m->places > PLACES_MIN && m->count < m->places / 8)
		rebuild(m, m->places / 2);
}

/* Some steps of the hand. */
static void forget(struct memory *m, unsigned steps)
{
	if (steps > m->count)
		steps = m->count;
	while (steps-- > 0 && m->count > 0) {
		if (m->hand >= m->count)
			m->hand = 0;
		if (m->round - host_at(m, m->hand)->round > ROUNDS_KEPT)
			host_remove(m, m->hand); /* another one stands there now */
		else
			m->hand++;
	}
}

void memory_round(struct memory *m)
{
	m->round++;
	forget(m, ROUND_STEPS);
}

bool memory_find(struct memory *m, uint64_t host, struct learnt *l, uint32_t *where)
{
	uint32_t number = *place_of(m, host);
	struct host *h;

	*l = (struct learnt){0};
	if (number == 0)
		return false;
	h = host_at(m, number - 1);
	h->round = m->round;
	*where = h->where;
	*l = (struct learnt){.stamp_us = h->stamp_us,
			     .boots = h->boots,
			     .time_s = h->time_s,
			     .srtt_us = h->srtt_us,
			     .rttvar_us = h->rttvar_us,
			     .engine_id_len = h->engine_id_len,
			     .silent = h->silent,
			     .clocked = h->has & HAS_CLOCK,
			     .timed = h->has & HAS_TIMES};
	memcpy(l->engine_id, h->engine_id, h->engine_id_len);
	return true;
}

static void count_silence(const struct memory *m, struct host *h, uint8_t silent)
{
	if (silent == 0) {
		h->silent = 0;
		return;
	}
	if (silent <= h->silent || h->counted == (uint8_t)m->round)
		return;
	h->silent++;
	h->counted = (uint8_t)m->round;
}

void memory_keep(struct memory *m, uint64_t host, const struct learnt *l, uint32_t where)
{
	uint32_t number = *place_of(m, host);
	struct host *h = number > 0 ? host_at(m, number - 1) : host_add(m, host);

	if (h == NULL)
		return;
	if (number == 0)
		h->counted = (uint8_t)(m->round - 1);
	count_silence(m, h, l->silent);
	h->round = m->round;
	h->where = where;
	h->stamp_us = l->stamp_us;
	h->boots = l->boots;
	h->time_s = l->time_s;
	h->srtt_us = l->srtt_us;
	h->rttvar_us = l->rttvar_us;
	h->has = (uint8_t)((l->timed ? HAS_TIMES : 0) | (l->clocked ? HAS_CLOCK : 0));
	h->engine_id_len = l->engine_id_len;
	memcpy(h->engine_id, l->engine_id, sizeof(h->engine_id));
	forget(m, KEEP_STEPS);
}

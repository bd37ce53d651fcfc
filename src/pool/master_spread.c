/*
 * Each target at its own instant of the round.
 *
 * The problem: a thousand hosts asked in the same second, each minute, are a thousand answers in the same second: a
 * full receive buffer, a busy router, a load that comes and goes; and a device that is asked a little earlier or later
 * each time makes rates that are wrong by as much. So the instant of a target is a hash of what it is called, and the
 * same in every round and every run, whoever else is in the list.
 *
 * The design: one number of 64 bits for each target, its instant and its number in the plan, sorted once. A list
 * above SPREAD_MAX is too long for that; it is paced in its own order, at equal distances, which needs no memory. All
 * that is due within GRAIN_US is handed out together: a hundred thousand targets a minute do not wake us a hundred
 * thousand times.
 *
 * The instants fill a window that ends early enough for a silent host to end before the next round, if that leaves
 * half of the interval at least. They are turned so that the first one is at the very begin: who polls one host gets
 * an answer at once. By how much is kept over reloads.
 *
 * Rejected: a random instant (another one after each restart), and asking in the list's order at equal distances
 * for all (one host more, and all behind it move).
 *
 * The trap: what is due and finds no worker with room must not be a deadline in the past, or the loop would spin.
 */
#include "pool/master_internal.h"

#include <stdlib.h>
#include <string.h>

#include "plan/fed.h"

#define SPREAD_MAX  (UINT64_C(1) << 22) /* targets: 32 MiB */
#define NUMBER_BITS 24
#define NUMBER_MASK ((UINT64_C(1) << NUMBER_BITS) - 1)
#define INSTANTS    1099511627776.0 /* 2^40, what is left for an instant */
#define GRAIN_US    10000
#define HASH_BASE   UINT64_C(14695981039346656037)
#define HASH_PRIME  UINT64_C(1099511628211)

struct spread_list {      /* of a kind */
	uint64_t *sorted; /* instant and number of each; NULL: paced */
	uint64_t count;
	uint64_t next; /* to be handed out */
};

struct spread {
	struct spread_list list[PLAN_KINDS];
	int64_t base_us;   /* when the round begins */
	int64_t window_us; /* from there to the last instant */
};

/* --- instants ----------------------------------------------------------------------------- */

static uint64_t hash_add(uint64_t hash, const void *octets, size_t len)
{
	const uint8_t *p = octets;

	while (len-- > 0)
		hash = (hash ^ *p++) * HASH_PRIME;
	return hash;
}

/* FNV-1a of what the target is called, its bits mixed: names that differ in the last digit only stand next to each
 * other otherwise (the last step is MurmurHash3's). */
static uint64_t hash_of(const struct plan_target *t)
{
	uint64_t h = HASH_BASE;

	if (t->path != NULL)
		h = hash_add(h, t->path, strlen(t->path));
	else if (t->name != NULL)
		h = hash_add(h, t->name, strlen(t->name));
	else
		h = hash_add(h, t->addr.ip, sizeof(t->addr.ip));
	h = hash_add(h, (uint8_t[]){(uint8_t)(t->port >> 8), (uint8_t)t->port}, 2);
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

static int by_instant(const void *a, const void *b)
{
	uint64_t one, other;

	memcpy(&one, a, sizeof(one));
	memcpy(&other, b, sizeof(other));
	return one < other ? -1 : one > other;
}

static void list_read(struct spread_list *l, struct plan *plan, enum plan_kind kind)
{
	struct plan_target t;

	l->sorted = mem_alloc(l->count * sizeof(*l->sorted));
	plan_rewind(plan);
	for (uint64_t i = 0; i < l->count && plan_next(plan, kind, &t); i++)
		l->sorted[i] = (hash_of(&t) & ~NUMBER_MASK) | t.seq;
}

/* The first of all targets is to be at the begin; once, then it stays. */
static void turn_choose(struct master_schedule *schedule, const struct spread *s)
{
	uint64_t first = UINT64_MAX;

	if (schedule->turned)
		return;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		for (uint64_t i = 0; s->list[kind].sorted != NULL && i < s->list[kind].count; i++)
			if (s->list[kind].sorted[i] < first)
				first = s->list[kind].sorted[i];
	schedule->turned = first != UINT64_MAX;
	schedule->turn = schedule->turned ? first & ~NUMBER_MASK : 0;
}

/* The last instant: a host that is silent from then on is over before the next round. */
static int64_t window_of(const struct master *m)
{
	int64_t round_us = m->config->rounds->interval_us, worst_us = 0;
	const struct profile *profiles;
	size_t count;

	if (m->config->deadline_us > 0 && m->config->deadline_us < round_us)
		round_us = m->config->deadline_us;
	profiles = plan_profiles(m->config->plan, &count);
	for (size_t i = 0; i < count; i++)
		if (profile_worst_us(&profiles[i], 1) > worst_us)
			worst_us = profile_worst_us(&profiles[i], 1);
	return round_us - worst_us > round_us / 2 ? round_us - worst_us : round_us / 2;
}

void spread_open(struct master *m)
{
	struct plan *plan = m->config->plan;
	struct spread *s;

	if (m->config->rounds == NULL || !m->config->rounds->spread)
		return;
	s = m->spread = mem_zero(1, sizeof(*s));
	s->window_us = window_of(m);
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		s->list[kind].count = plan_count(plan, (enum plan_kind)kind);
	if (plan_total(plan) > SPREAD_MAX)
		return;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		list_read(&s->list[kind], plan, (enum plan_kind)kind);
	turn_choose(m->config->rounds->schedule, s);
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++) {
		struct spread_list *l = &s->list[kind];

		for (uint64_t i = 0; i < l->count; i++)
			l->sorted[i] -= m->config->rounds->schedule->turn;
		qsort(l->sorted, l->count, sizeof(*l->sorted), by_instant);
	}
}

void spread_close(struct master *m)
{
	if (m->spread == NULL)
		return;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		free(m->spread->list[kind].sorted);
	free(m->spread);
}

/* --- a round ------------------------------------------------------------------------------ */

void spread_begin(struct master *m, int64_t due_us)
{
	if (m->spread == NULL)
		return;
	m->spread->base_us = due_us;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		m->spread->list[kind].next = 0;
}

/* We were stopped: what is due meanwhile would come at once. */
void spread_renew(struct master *m, int64_t late_us)
{
	if (m->spread != NULL)
		m->spread->base_us += late_us;
}

/* When the next target of a kind is to be asked; 0: there is none. */
static int64_t list_due_us(const struct spread *s, const struct spread_list *l)
{
	double part;
	int64_t offset_us;

	if (l->next == l->count)
		return 0;
	part = l->sorted != NULL ? (double)(l->sorted[l->next] >> NUMBER_BITS) / INSTANTS
				 : (double)l->next / (double)l->count;
	offset_us = (int64_t)(part * (double)s->window_us);
	return s->base_us + (offset_us + GRAIN_US - 1) / GRAIN_US * GRAIN_US;
}

bool spread_next(struct master *m, enum plan_kind kind, struct plan_target *out, bool *later)
{
	struct spread_list *l;

	if (m->spread == NULL) {
		if (plan_next(m->config->plan, kind, out))
			return true;
		*later = m->config->feed != NULL && plan_is_open(m->config->plan);
		return false;
	}
	l = &m->spread->list[kind];
	*later = m->cancelled == NULL && list_due_us(m->spread, l) > loop_now_us(m->loop);
	if (*later || l->next == l->count)
		return false;
	if (l->sorted == NULL) {
		l->next++;
		return plan_next(m->config->plan, kind, out);
	}
	plan_at(m->config->plan, l->sorted[l->next++] & NUMBER_MASK, out);
	return true;
}

int64_t spread_next_us(const struct master *m)
{
	int64_t next_us = LOOP_NEVER;

	if (m->spread == NULL || m->cancelled != NULL)
		return LOOP_NEVER;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++) {
		int64_t due_us = list_due_us(m->spread, &m->spread->list[kind]);

		if (due_us > loop_now_us(m->loop) && due_us < next_us)
			next_us = due_us;
	}
	return next_us;
}

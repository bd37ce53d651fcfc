/*
 * The ledger: which target is leased to which worker, who waits again, who owes what.
 *
 * The problem: one record per target, whatever dies (DESIGN.md, invariant 1). A worker may be killed
 * with thousands of targets in hand; they must all be asked again, and one that kills every worker
 * that touches it must not kill them for ever. And a worker may lie: it faces the network.
 *
 * The design: an array of slots as large as all leases together can be; a slot is free, leased to
 * one worker, or waits again, and stands in exactly one list accordingly. A lease is the slot's number
 * and counts only together with the target's number and the worker that holds it. A target enters
 * with its first lease, moves only forwards, and back to waiting only by its worker's death. New targets
 * enter only while nobody of their kind waits, so the slots suffice without a look.
 *
 * Workers are of kinds: what one of a kind had in hand waits for another of that kind, and nobody waits
 * behind a target of the other kind.
 *
 * Rejected: a table of all targets with a state each: ten million targets, ten megabytes and
 * more, though a few thousand are under way.
 *
 * The trap: a death is charged to the target named by the shared page and to none of the thousands
 * that merely were in hand, or a poisonous device would take innocent ones with it; and only if that
 * target is still owed, for the page may name one whose record has just been read.
 */
#include "pool/dispatch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

#define NONE UINT32_MAX

enum state {
	FREE,
	LEASED,
	WAITING
};

/* What an answer looks at stands together: with some thousands of them none is in the nearest cache. */
struct slot {
	uint32_t prev; /* in its list; NONE */
	uint32_t next;
	uint16_t worker;           /* when leased */
	uint8_t state;             /* enum state */
	struct dispatch_task task; /* its seq first */
};

struct list {
	uint32_t first; /* NONE: empty */
	uint32_t last;
	uint32_t count;
};

struct dispatch {
	struct slot *slots;
	uint32_t nslots;
	uint32_t nused; /* were ever leased; those behind are free, in no list, and no memory yet */
	struct list free; /* taken from its front, given back to its end: a number rests longest */
	struct list waiting[DISPATCH_KINDS_MAX];
	struct list *leased; /* of each worker, in the order of leasing */
	unsigned workers;    /* of all kinds */
	struct dispatch_kind kinds[DISPATCH_KINDS_MAX];
	uint64_t targets;
	uint64_t answered;
};

/* --- lists -------------------------------------------------------------------------------- */

static const struct list empty = {.first = NONE, .last = NONE};

static void list_add(struct dispatch *d, struct list *l, uint32_t at)
{
	struct slot *s = &d->slots[at];

	s->prev = l->last;
	s->next = NONE;
	if (l->last == NONE)
		l->first = at;
	else
		d->slots[l->last].next = at;
	l->last = at;
	l->count++;
}

static void list_remove(struct dispatch *d, struct list *l, uint32_t at)
{
	const struct slot *s = &d->slots[at];

	if (s->prev == NONE)
		l->first = s->next;
	else
		d->slots[s->prev].next = s->next;
	if (s->next == NONE)
		l->last = s->prev;
	else
		d->slots[s->next].prev = s->prev;
	l->count--;
}

/* Puts all of `front` before what is in l; front is empty then. */
static void list_put_before(struct dispatch *d, struct list *l, struct list *front)
{
	if (front->count == 0)
		return;
	if (l->count == 0) {
		*l = *front;
	} else {
		d->slots[front->last].next = l->first;
		d->slots[l->first].prev = front->last;
		l->first = front->first;
		l->count += front->count;
	}
	*front = empty;
}

/* --- the ledger --------------------------------------------------------------------------- */

struct dispatch *dispatch_new(const struct dispatch_kind *kinds, unsigned nkinds)
{
	struct dispatch *d = mem_zero(1, sizeof(*d));

	assert(nkinds <= DISPATCH_KINDS_MAX);
	for (unsigned i = 0; i < nkinds; i++) {
		assert(!kinds[i].workers || kinds[i].lease_max < NONE / 2 / kinds[i].workers);
		d->kinds[i] = kinds[i];
		d->workers += kinds[i].workers;
		d->nslots += kinds[i].workers * kinds[i].lease_max;
	}
	assert(d->workers > 0 && d->workers <= UINT16_MAX);
	d->slots = mem_zero(d->nslots, sizeof(*d->slots));
	d->leased = mem_alloc(d->workers * sizeof(*d->leased));
	d->free = d->waiting[0] = d->waiting[1] = empty;
	for (unsigned i = 0; i < d->workers; i++)
		d->leased[i] = empty;
	return d;
}

static unsigned kind_of(const struct dispatch *d, unsigned worker)
{
	return worker < d->kinds[0].workers ? 0 : 1;
}

static unsigned lease_max(const struct dispatch *d, unsigned worker)
{
	return d->kinds[kind_of(d, worker)].lease_max;
}

void dispatch_free(struct dispatch *d)
{
	if (!d)
		return;
	free(d->slots);
	free(d->leased);
	free(d);
}

unsigned dispatch_room(const struct dispatch *d, unsigned worker)
{
	return lease_max(d, worker) - d->leased[worker].count;
}

unsigned dispatch_leased(const struct dispatch *d, unsigned worker)
{
	return d->leased[worker].count;
}

uint64_t dispatch_waiting(const struct dispatch *d)
{
	return (uint64_t)d->waiting[0].count + d->waiting[1].count;
}

uint64_t dispatch_owes(const struct dispatch *d)
{
	return d->nused - d->free.count;
}

uint64_t dispatch_targets(const struct dispatch *d)
{
	return d->targets;
}

uint64_t dispatch_answered(const struct dispatch *d)
{
	return d->answered;
}

/* A slot that is in no list becomes one of the worker's leases. */
static void lease_to(struct dispatch *d, uint32_t at, unsigned worker)
{
	struct slot *s = &d->slots[at];

	assert(worker < d->workers && d->leased[worker].count < lease_max(d, worker));
	list_add(d, &d->leased[worker], at);
	s->state = LEASED;
	s->worker = (uint16_t)worker;
}

/* Never used ones first: they have rested longest. */
static uint32_t slot_take(struct dispatch *d)
{
	uint32_t at = d->free.first;

	if (d->nused < d->nslots)
		return d->nused++;
	assert(at != NONE);
	list_remove(d, &d->free, at);
	return at;
}

uint32_t dispatch_lease(struct dispatch *d, unsigned worker, const struct dispatch_task *t)
{
	uint32_t at = slot_take(d);

	assert(d->waiting[kind_of(d, worker)].count == 0);
	lease_to(d, at, worker);
	d->slots[at].task = *t;
	d->targets++;
	return at;
}

const struct dispatch_task *dispatch_lease_again(struct dispatch *d, unsigned worker,
						 uint32_t *lease)
{
	struct list *waiting = &d->waiting[kind_of(d, worker)];
	uint32_t at = waiting->first;

	if (at == NONE)
		return NULL;
	list_remove(d, waiting, at);
	lease_to(d, at, worker);
	*lease = at;
	return &d->slots[at].task;
}

bool dispatch_holds(const struct dispatch *d, unsigned worker, uint32_t lease)
{
	return lease < d->nslots && d->slots[lease].state == LEASED &&
	       d->slots[lease].worker == worker;
}

const struct dispatch_task *dispatch_find(const struct dispatch *d, unsigned worker, uint32_t lease,
					  uint64_t seq)
{
	if (!dispatch_holds(d, worker, lease) || d->slots[lease].task.seq != seq)
		return NULL;
	return &d->slots[lease].task;
}

const struct dispatch_task *dispatch_first(const struct dispatch *d, unsigned worker)
{
	uint32_t at = d->leased[worker].first;

	return at == NONE ? NULL : &d->slots[at].task;
}

/* The target has its record: its slot is free. */
static void settle(struct dispatch *d, struct list *from, uint32_t at)
{
	list_remove(d, from, at);
	list_add(d, &d->free, at);
	d->slots[at].state = FREE;
	d->answered++;
}

bool dispatch_answer(struct dispatch *d, unsigned worker, uint32_t lease, uint64_t seq)
{
	if (dispatch_find(d, worker, lease, seq) == NULL)
		return false;
	settle(d, &d->leased[worker], lease);
	return true;
}

static uint32_t find_seq(const struct dispatch *d, const struct list *l, uint64_t seq)
{
	uint32_t at = l->first;

	while (at != NONE && d->slots[at].task.seq != seq)
		at = d->slots[at].next;
	return at;
}

enum dispatch_charge dispatch_death(struct dispatch *d, unsigned worker, uint64_t at_work,
				    struct dispatch_task *out)
{
	struct list *owed = &d->leased[worker];
	uint32_t charged = at_work == 0 ? NONE : find_seq(d, owed, at_work - 1);
	enum dispatch_charge charge = DISPATCH_NOBODY;

	if (charged != NONE) {
		charge = DISPATCH_CHARGED;
		d->slots[charged].task.charges++;
		*out = d->slots[charged].task;
		if (out->charges == DISPATCH_CHARGES_MAX) {
			charge = DISPATCH_CRASHED;
			settle(d, owed, charged);
		}
	}
	for (uint32_t at = owed->first; at != NONE; at = d->slots[at].next)
		d->slots[at].state = WAITING;
	list_put_before(d, &d->waiting[kind_of(d, worker)], owed);
	return charge;
}

static bool withdraw(struct dispatch *d, struct list *from, struct dispatch_task *out)
{
	uint32_t at = from->first;

	if (at == NONE)
		return false;
	*out = d->slots[at].task;
	settle(d, from, at);
	return true;
}

bool dispatch_withdraw(struct dispatch *d, struct dispatch_task *out)
{
	return withdraw(d, &d->waiting[0], out) || withdraw(d, &d->waiting[1], out);
}

bool dispatch_withdraw_from(struct dispatch *d, unsigned worker, struct dispatch_task *out)
{
	return withdraw(d, &d->leased[worker], out);
}

/*
 * Memory that an agent shares with its children.
 *
 * The problem: a message of results has 150 KB. From the cell to the agent, into the agent's window, since it may have to go again, and
 * from there to the process that speaks to the broker: that was five copies, a twentieth of what a poll costs.
 *
 * The design: the memory is mapped before the first fork, so whoever is to have it has it at the same place and no descriptor is passed.
 * The cell makes a message where it is read in the end. Between them go its number and its length; and the agent, which has the only
 * word on whose a slot is, frees it when the broker has confirmed.
 *
 * A place has one cell after the other, of other masters. What one has found is not for the next: a part is emptied in between, which also gives
 * the memory back; while a message of the old cell waits there still, a new one has no slots, and writes into its queue.
 *
 * Rejected: flags in the memory itself instead of messages: who has gone wrong could free what is another's. One list of slots for
 * all cells: a cell would see the records of other masters.
 *
 * The trap: a cell forks the workers, which meet the network. A worker that was taken over must not write into what others have found;
 * so the mapping is one that forks do not pass on, and where the system has no such thing, there is none.
 */
#include "link/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/mem.h"
#include "link/slots_internal.h"

#define PART ((size_t)SLOTS_EACH * SLOT_OCTETS)

#define FREE 0u
#define LENT UINT64_MAX /* else the id of the message that is in it */

struct part {
	bool shut; /* its place has no cell, or one without slots */
	bool used; /* something may stand in it */
	uint64_t whose[SLOTS_EACH];
};

struct slots {
	uint8_t *octets; /* NULL: none */
	unsigned parts;
	struct part part[];
};

struct slots *slots_new(unsigned parts)
{
	struct slots *s = mem_zero(1, sizeof(*s) + parts * sizeof(s->part[0]));

	s->parts = parts;
	for (unsigned part = 0; part < parts; part++)
		s->part[part].shut = true;
	s->octets = shared_map(parts * PART);
	if (s->octets == NULL)
		log_debug("no memory is shared: results go through the agent");
	return s;
}

void slots_free(struct slots *s)
{
	if (s != NULL && s->octets != NULL)
		munmap(s->octets, s->parts * PART);
	free(s);
}

/* --- the agent's -------------------------------------------------------------------------- */

static unsigned count_of(const struct part *p, uint64_t whose)
{
	unsigned n = 0;

	for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
		n += p->whose[slot] == whose;
	return n;
}

bool slots_are_free(const struct slots *s, unsigned part)
{
	return count_of(&s->part[part], FREE) == SLOTS_EACH;
}

/* Once nothing in it is anybody's. */
static void part_empty(struct slots *s, unsigned part)
{
	struct part *p = &s->part[part];

	if (p->used && slots_are_free(s, part) && shared_empty(slot_octets(s, part, 0), PART))
		p->used = false;
}

void slots_begin(struct slots *s, unsigned part)
{
	part_empty(s, part);
	s->part[part].shut = s->octets == NULL || s->part[part].used;
}

bool slot_lend(struct slots *s, unsigned part, uint8_t *slot)
{
	struct part *p = &s->part[part];
	uint8_t at = 0;

	while (at < SLOTS_EACH && p->whose[at] != FREE)
		at++;
	if (at == SLOTS_EACH || p->shut)
		return false;
	p->whose[at] = LENT;
	p->used = true;
	*slot = at;
	return true;
}

bool slot_is_lent(const struct slots *s, unsigned part, uint8_t slot)
{
	return slot < SLOTS_EACH && s->part[part].whose[slot] == LENT;
}

unsigned slots_lent(const struct slots *s, unsigned part)
{
	return count_of(&s->part[part], LENT);
}

size_t slot_place(unsigned part, uint8_t slot)
{
	return part * PART + (size_t)slot * SLOT_OCTETS;
}

uint8_t *slot_octets(const struct slots *s, unsigned part, uint8_t slot)
{
	return s->octets + slot_place(part, slot);
}

void slot_fill(struct slots *s, unsigned part, uint8_t slot, uint64_t id)
{
	assert(slot_is_lent(s, part, slot) && id != FREE && id != LENT);
	s->part[part].whose[slot] = id;
}

bool slot_settle(struct slots *s, uint64_t id, unsigned *part)
{
	for (unsigned i = 0; i < s->parts && id != FREE && id != LENT; i++)
		for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
			if (s->part[i].whose[slot] == id) {
				s->part[i].whose[slot] = FREE;
				if (s->part[i].shut)
					part_empty(s, i);
				*part = i;
				return true;
			}
	return false;
}

void slots_end(struct slots *s, unsigned part)
{
	struct part *p = &s->part[part];

	for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
		if (p->whose[slot] == LENT)
			p->whose[slot] = FREE;
	p->shut = true;
	part_empty(s, part);
}

/* --- its children's ----------------------------------------------------------------------- */

static bool give_up(uint8_t *p, size_t len)
{
	return len == 0 || munmap(p, len) == 0;
}

uint8_t *slots_of_cell(const struct slots *s, unsigned part)
{
	size_t len = s->parts * PART, before = part * PART, behind = len - before - PART;
	uint8_t *own;

	if (s->octets == NULL)
		return NULL;
	own = s->octets + before;
	if (!s->part[part].shut && shared_hide(s->octets, len) && give_up(own + PART, behind) &&
	    give_up(s->octets, before))
		return own;
	munmap(s->octets, len);
	return NULL;
}

bool slots_of_courier(const struct slots *s, const uint8_t **all, size_t *len)
{
	*all = s->octets;
	*len = s->octets != NULL ? s->parts * PART : 0;
	return s->octets == NULL || mprotect(s->octets, *len, PROT_READ) == 0;
}

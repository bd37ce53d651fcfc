/*
 * Memory that an agent shares with its children.
 *
 * The problem: a message of results has 150 KB. From the cell to the agent, from there to the process that speaks to the broker, and
 * into the agent's window, since it may have to go again: that was five copies, and a seventh of what the whole costs beside the poll
 * itself.
 *
 * The design: the memory is mapped before the first fork, so whoever is to have it has it at the same place and no descriptor is passed.
 * The cell makes a message where it is read in the end. Between them go its number and its length; and the agent, which has the only
 * word on whose a slot is, frees it when the broker has confirmed. So neither a dead cell nor a dead courier leaves anything to be cleaned
 * up but what slots_lost() does. The lowest free one is lent first: it is warm, and pages that nobody needed were never touched.
 *
 * Rejected: flags in the memory itself instead of messages: who has gone wrong could free what is another's. One list of slots for
 * all cells: a cell would see the records of other masters.
 *
 * The trap: a cell forks the workers, which meet the network. A worker that was taken over must not write into what others have found;
 * so the mapping is one that forks do not pass on, and where the system has no such thing, the cell has none.
 */
#include "link/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

#define PART ((size_t)SLOTS_EACH * SLOT_OCTETS)

#define FREE 0u
#define LENT UINT64_MAX /* else the id of the message that is in it */

struct slots {
	uint8_t *octets; /* NULL: none */
	unsigned parts;
	uint64_t whose[]; /* of all parts */
};

struct slots *slots_new(unsigned parts)
{
	struct slots *s = mem_zero(1,
				   sizeof(*s) + (size_t)parts * SLOTS_EACH * sizeof(s->whose[0]));
	void *p = mmap(NULL, parts * PART, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	s->parts = parts;
	s->octets = p != MAP_FAILED ? p : NULL;
	return s;
}

void slots_free(struct slots *s)
{
	if (s != NULL && s->octets != NULL)
		munmap(s->octets, s->parts * PART);
	free(s);
}

/* --- the agent's -------------------------------------------------------------------------- */

static size_t index_of(unsigned part, uint8_t slot)
{
	return (size_t)part * SLOTS_EACH + slot;
}

bool slot_lend(struct slots *s, unsigned part, uint8_t *slot)
{
	uint64_t *whose = s->whose + index_of(part, 0);
	uint8_t at = 0;

	while (at < SLOTS_EACH && whose[at] != FREE)
		at++;
	if (at == SLOTS_EACH || s->octets == NULL)
		return false;
	whose[at] = LENT;
	*slot = at;
	return true;
}

bool slot_is_lent(const struct slots *s, unsigned part, uint8_t slot)
{
	return slot < SLOTS_EACH && s->whose[index_of(part, slot)] == LENT;
}

unsigned slots_lent(const struct slots *s, unsigned part)
{
	unsigned n = 0;

	for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
		n += slot_is_lent(s, part, slot);
	return n;
}

size_t slot_place(unsigned part, uint8_t slot)
{
	return index_of(part, slot) * SLOT_OCTETS;
}

uint8_t *slot_octets(const struct slots *s, unsigned part, uint8_t slot)
{
	return s->octets + slot_place(part, slot);
}

void slot_fill(struct slots *s, unsigned part, uint8_t slot, uint64_t id)
{
	assert(slot_is_lent(s, part, slot) && id != FREE && id != LENT);
	s->whose[index_of(part, slot)] = id;
}

bool slot_settle(struct slots *s, uint64_t id, unsigned *part)
{
	size_t at = 0, all = (size_t)s->parts * SLOTS_EACH;

	while (at < all && s->whose[at] != id)
		at++;
	if (at == all || id == FREE || id == LENT)
		return false;
	s->whose[at] = FREE;
	*part = (unsigned)(at / SLOTS_EACH);
	return true;
}

void slots_lost(struct slots *s, unsigned part)
{
	for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
		if (slot_is_lent(s, part, slot))
			s->whose[index_of(part, slot)] = FREE;
}

/* --- its children's ----------------------------------------------------------------------- */

/* Forks from here on leave it out. False: this system cannot, or will not. */
static bool keep_from_children(uint8_t *p, size_t len)
{
#if defined(MADV_DONTFORK)
	return madvise(p, len, MADV_DONTFORK) == 0;
#elif defined(INHERIT_NONE)
	return minherit(p, len, INHERIT_NONE) == 0;
#elif defined(VM_INHERIT_NONE)
	return minherit(p, len, VM_INHERIT_NONE) == 0;
#elif defined(MAP_INHERIT_NONE)
	return minherit(p, len, MAP_INHERIT_NONE) == 0;
#else
	(void)p;
	(void)len;
	return false;
#endif
}

uint8_t *slots_of_cell(const struct slots *s, unsigned part)
{
	uint8_t *own = s->octets != NULL ? s->octets + part * PART : NULL,
		*end = s->octets + s->parts * PART;

	if (own == NULL)
		return NULL;
	if (own > s->octets)
		munmap(s->octets, (size_t)(own - s->octets));
	if (own + PART < end)
		munmap(own + PART, (size_t)(end - own) - PART);
	if (keep_from_children(own, PART))
		return own;
	munmap(own, PART);
	return NULL;
}

const uint8_t *slots_of_courier(const struct slots *s, size_t *len)
{
	*len = s->octets != NULL ? s->parts * PART : 0;
	if (s->octets != NULL)
		mprotect(s->octets, *len, PROT_READ);
	return s->octets;
}

/*
 * OIDs that a walk has seen already, where they need not increase.
 *
 * The problem: with `nonincreasing: allow` the only thing that tells a device which jumps about from
 * one which runs in a circle is whether an OID came before, and that needs a memory of every row.
 *
 * The design: a set of 64-bit hashes, open addressing, at most half full, doubling. 16 to 32 octets a
 * row; the rows of a record are bounded by max_vars, and so is this. Two OIDs of a million that share a
 * hash (once in 30 million such walks) end the walk as if the device had repeated itself.
 *
 * Rejected: the OIDs themselves (ten times the memory); a cycle finder of constant memory (Brent), which
 * finds that a walk goes round, but only after rows were shown twice.
 *
 * The trap: a device may choose its OIDs so that all fall into one place of the table, and a worker that
 * probes a million entries for each row serves nobody else. The hash begins with a secret.
 */
#include "snmp/walk_internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define SEEN_FIRST 256                          /* entries; a power of two */
#define MIX        UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */

struct walk_seen {
	uint64_t *table; /* 0: free */
	size_t mask;     /* entries - 1 */
	size_t used;
	uint64_t secret;
};

struct walk_seen *walk_seen_new(void)
{
	struct walk_seen *s = mem_zero(1, sizeof(*s));

	s->table = mem_zero(SEEN_FIRST, sizeof(*s->table));
	s->mask = SEEN_FIRST - 1;
	if (getentropy(&s->secret, sizeof(s->secret)) != 0)
		s->secret = (uintptr_t)s->table; /* better than none */
	return s;
}

void walk_seen_free(struct walk_seen *s)
{
	if (!s)
		return;
	free(s->table);
	free(s);
}

static uint64_t hash(const struct walk_seen *s, const uint32_t *id, size_t len)
{
	uint64_t h = s->secret + len;

	for (size_t i = 0; i < len; i++) {
		h = (h ^ id[i]) * MIX;
		h ^= h >> 32;
	}
	h *= MIX;
	h ^= h >> 29;
	return h ? h : 1;
}

/* Where h is, or may be put. */
static uint64_t *place(const struct walk_seen *s, uint64_t h)
{
	size_t i = h & s->mask;

	while (s->table[i] && s->table[i] != h)
		i = (i + 1) & s->mask;
	return &s->table[i];
}

static void grow(struct walk_seen *s)
{
	uint64_t *old = s->table;
	size_t entries = s->mask + 1;

	s->table = mem_zero(entries * 2, sizeof(*s->table));
	s->mask = entries * 2 - 1;
	for (size_t i = 0; i < entries; i++) {
		if (old[i])
			*place(s, old[i]) = old[i];
	}
	free(old);
}

bool walk_seen_add(struct walk_seen *s, const uint32_t *id, size_t len)
{
	uint64_t h = hash(s, id, len), *at = place(s, h);

	if (*at)
		return false;
	*at = h;
	if (++s->used * 2 > s->mask)
		grow(s);
	return true;
}

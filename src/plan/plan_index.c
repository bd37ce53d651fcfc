/*
 * A hash table from content to number.
 *
 * A hundred thousand hosts, each with a community of its own, are a hundred thousand profiles, and
 * each must be compared to all others; a list would take minutes. The table holds hash and number;
 * what is behind a number stays in the array of whoever asks, so that it can be moved and grow.
 *
 * The hash is FNV-1a. Who writes the configuration may make it slow, and gains nothing by that.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "plan/plan_internal.h"

#define CAP_MIN 64

struct plan_index_slot {
	uint32_t hash;
	uint32_t number_1; /* number + 1; 0: empty */
};

uint64_t plan_hash(uint64_t hash, const void *p, size_t len)
{
	const uint8_t *octets = p;

	hash ^= UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ octets[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

uint32_t plan_index_get(const struct plan_index *x, uint64_t hash, plan_same_fn same,
			const void *array, const void *wanted)
{
	if (!x->cap)
		return PLAN_INDEX_NONE;
	for (size_t i = (uint32_t)hash & (x->cap - 1);; i = (i + 1) & (x->cap - 1)) {
		const struct plan_index_slot *slot = &x->slots[i];

		if (!slot->number_1)
			return PLAN_INDEX_NONE;
		if (slot->hash == (uint32_t)hash && same(array, slot->number_1 - 1, wanted))
			return slot->number_1 - 1;
	}
}

static void put_slot(struct plan_index *x, struct plan_index_slot slot)
{
	size_t i = slot.hash & (x->cap - 1);

	while (x->slots[i].number_1)
		i = (i + 1) & (x->cap - 1);
	x->slots[i] = slot;
	x->count++;
}

void plan_index_put(struct plan_index *x, uint64_t hash, uint32_t number)
{
	if (x->count >= x->cap / 2) {
		struct plan_index old = *x;

		x->cap = old.cap ? old.cap * 2 : CAP_MIN;
		x->slots = mem_zero(x->cap, sizeof(*x->slots));
		x->count = 0;
		for (size_t i = 0; i < old.cap; i++) {
			if (old.slots[i].number_1)
				put_slot(x, old.slots[i]);
		}
		free(old.slots);
	}
	put_slot(x, (struct plan_index_slot){(uint32_t)hash, number + 1});
}

void plan_index_free(struct plan_index *x)
{
	free(x->slots);
	*x = (struct plan_index){0};
}

void *plan_grow(void *array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 8;
	return mem_resize(array, *cap, size);
}

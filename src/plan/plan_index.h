/*
 * plan_index - a hash table from content to number, and arrays that grow.
 */
#ifndef PLAN_PLAN_INDEX_H
#define PLAN_PLAN_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A table from things that lie in an array of the caller's to their numbers in it. {0} is empty. */
struct plan_index {
	struct plan_index_slot *slots;
	size_t cap; /* a power of two */
	size_t count;
};
#define PLAN_INDEX_NONE UINT32_MAX
/* Whether the thing number `number` of array is the one looked for. */
typedef bool (*plan_same_fn)(const void *array, uint32_t number, const void *wanted);
uint32_t plan_index_get(const struct plan_index *x, uint64_t hash, plan_same_fn same,
			const void *array, const void *wanted);
void plan_index_put(struct plan_index *x, uint64_t hash, uint32_t number); /* is not there yet */
void plan_index_free(struct plan_index *x);
uint64_t plan_hash(uint64_t hash, const void *p, size_t len); /* begins with 0 */

void *plan_grow(void *array, size_t count, size_t *cap, size_t size); /* room for one more */

#endif

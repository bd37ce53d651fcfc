/*
 * conf_store - memory that is given back all at once, and a table from words to numbers.
 */
#ifndef PLAN_CONF_STORE_H
#define PLAN_CONF_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena { /* {0} is an empty one */
	struct arena_chunk *chunks;
};
void *arena_take(struct arena *a, size_t size); /* aligned for every type; not zeroed */
char *arena_text(struct arena *a, const char *text, size_t len); /* copies, adds a NUL */
void arena_wipe(struct arena *a); /* all that was taken is zero; it stays taken */
void arena_free(struct arena *a); /* wipes */

#define TABLE_NONE UINT32_MAX

struct table { /* {0} is an empty one; words are lent to it */
	struct table_slot *slots;
	size_t cap; /* a power of two */
	size_t count;
};
void table_put(struct table *t, const char *word, uint32_t value); /* the first of equals stays */
uint32_t table_get(const struct table *t, const char *word);       /* TABLE_NONE: is not there */
void table_free(struct table *t);

#endif

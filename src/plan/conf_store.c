/*
 * Memory of a configuration.
 *
 * The problem: a million entries are a million small strings. With malloc(3) each costs 16 octets and
 * more beside its text, and freeing them takes longer than reading them. Here text is laid end to
 * end into large chunks, and all of it lives until the configuration goes.
 *
 * One of them holds communities and passphrases: it is overwritten when it has served, and every one
 * before it is given back.
 *
 * The table is open addressing with linear probing, at most half full, and never forgets a word.
 */
#include "plan/conf_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK       ((size_t)256 * 1024) /* octets: a few hundred chunks for a million entries */
#define ARENA_ALIGN 8                    /* of all that is kept but text */

struct arena_chunk {
	struct arena_chunk *next;
	size_t used; /* octets of data */
	size_t cap;
	_Alignas(max_align_t) char data[];
};

static void *take(struct arena *a, size_t size, size_t align)
{
	struct arena_chunk *chunk = a->chunks;
	size_t at = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;

	if (!chunk || size > chunk->cap || at > chunk->cap - size) {
		size_t cap = size > CHUNK ? size : CHUNK;

		chunk = mem_alloc(sizeof(*chunk) + cap);
		chunk->next = a->chunks;
		chunk->cap = cap;
		a->chunks = chunk;
		at = 0;
	}
	chunk->used = at + size;
	return chunk->data + at;
}

void *arena_take(struct arena *a, size_t size)
{
	_Static_assert(_Alignof(void *) <= ARENA_ALIGN, "pointers are kept, too");
	return take(a, size, ARENA_ALIGN);
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
	char *copy = take(a, len + 1, 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void arena_wipe(struct arena *a)
{
	for (struct arena_chunk *chunk = a->chunks; chunk; chunk = chunk->next)
		mem_wipe(chunk->data, chunk->used);
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		mem_wipe(a->chunks->data, a->chunks->used);
		free(a->chunks);
		a->chunks = next;
	}
}

struct table_slot {
	const char *word; /* NULL: free */
	uint32_t value;
};

static uint64_t hash(const char *word) /* FNV-1a, 64 bits */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *word; word++)
		h = (h ^ (unsigned char)*word) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

/* The slot of the word, or the free one where it would go. */
static struct table_slot *find(const struct table *t, const char *word)
{
	size_t at = (size_t)hash(word) & (t->cap - 1);

	while (t->slots[at].word && strcmp(t->slots[at].word, word) != 0)
		at = (at + 1) & (t->cap - 1);
	return &t->slots[at];
}

static void enlarge(struct table *t)
{
	struct table old = *t;

	t->cap = old.cap ? old.cap * 2 : 16;
	t->slots = mem_zero(t->cap, sizeof(*t->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].word)
			*find(t, old.slots[i].word) = old.slots[i];
	free(old.slots);
}

void table_put(struct table *t, const char *word, uint32_t value)
{
	struct table_slot *slot;

	if (t->count >= t->cap / 2)
		enlarge(t);
	slot = find(t, word);
	if (slot->word)
		return;
	slot->word = word;
	slot->value = value;
	t->count++;
}

uint32_t table_get(const struct table *t, const char *word)
{
	const struct table_slot *slot = t->count ? find(t, word) : NULL;

	return slot && slot->word ? slot->value : TABLE_NONE;
}

void table_free(struct table *t)
{
	free(t->slots);
	*t = (struct table){0};
}

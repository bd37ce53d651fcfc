/*
 * Where messages of a window go: a site's queue, a master's, everybody.
 *
 * Each has its own pause and its own share, so that one queue that is full holds up no other.
 */
#include "link/window_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAUSE_FIRST_US INT64_C(50000)
#define PAUSE_MAX_US   INT64_C(2000000)
#define KEYS_KEPT \
	16 /* without a message, so that one message at a time is no allocation of a key each */

struct key *key_find(const struct window *w, enum courier_to to, const char *name)
{
	struct key *k = w->keys;

	while (k && (k->to != to || strcmp(k->name, name) != 0))
		k = k->next;
	return k;
}

/* One without messages, if enough are kept; else a new one. */
static struct key *key_new(struct window *w)
{
	struct key *k = w->nkeys < KEYS_KEPT ? NULL : w->keys;

	while (k && k->open > 0)
		k = k->next;
	if (k)
		return k;
	k = mem_zero(1, sizeof(*k));
	k->next = w->keys;
	w->keys = k;
	w->nkeys++;
	return k;
}

struct key *key_get(struct window *w, enum courier_to to, const char *name)
{
	struct key *k = key_find(w, to, name);

	if (k)
		return k;
	assert(strlen(name) <= BROKER_NAME_MAX);
	k = key_new(w);
	*k = (struct key){.next = k->next, .to = to, .allow = WINDOW_MAX};
	memcpy(k->name, name, strlen(name) + 1);
	return k;
}

bool key_may(const struct key *k)
{
	return k->until_us == 0 && (k->allow == WINDOW_MAX || k->out < k->allow);
}

void key_pause(struct key *k, int64_t now_us)
{
	if (k->until_us > 0)
		return; /* this one was under way already */
	k->pause_us = k->pause_us == 0 ? PAUSE_FIRST_US : k->pause_us * 2;
	if (k->pause_us > PAUSE_MAX_US)
		k->pause_us = PAUSE_MAX_US;
	k->until_us = now_us + k->pause_us;
	k->allow = 1;
}

/* One of its messages was confirmed: in a pause, one that went before it, which says nothing of the queue as it is now. */
void key_confirmed(struct key *k)
{
	if (k->until_us > 0)
		return;
	k->pause_us = 0;
	if (k->allow < WINDOW_MAX)
		k->allow++;
}

void keys_free(struct window *w)
{
	for (struct key *k = w->keys, *next; k; k = next) {
		next = k->next;
		free(k);
	}
}

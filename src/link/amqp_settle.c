/*
 * Words about messages that were taken, as few as will do.
 *
 * The problem: an owner acknowledges messages one by one, and each word of ours is a segment of TCP that wakes the broker up: more work
 * than to write a record.
 *
 * The design: acknowledgements of a turn wait for its end (link.h's flush). The broker numbers what it delivers, and understands "all
 * up to this one"; that may be said if each number below is settled, or about to be. So the numbers that are not settled are kept, in
 * order: no more than the prefetch. What waits above the lowest of them is said one by one.
 *
 * The trap: a number that is not there any more (settled twice by its owner) closes the channel, and with it all that is
 * under way; so it is said no more.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdlib.h>
#include <string.h>

void rabbit_tags_clear(struct rabbit_tags *t)
{
	free(t->open);
	free(t->done);
	*t = (struct rabbit_tags){0};
}

static void tag_add(uint64_t **list, size_t *n, size_t *cap, uint64_t number)
{
	if (*n == *cap) {
		*cap = *cap > 0 ? *cap * 2 : 64;
		*list = mem_resize(*list, *cap, sizeof(**list));
	}
	(*list)[(*n)++] = number;
}

void rabbit_tags_taken(struct rabbit_tags *t, uint64_t number)
{
	tag_add(&t->open, &t->nopen, &t->open_cap, number);
}

bool rabbit_tags_settle(struct rabbit_tags *t, uint64_t number)
{
	size_t i = 0;

	while (i < t->nopen && t->open[i] < number)
		i++;
	if (i == t->nopen || t->open[i] != number)
		return false;
	t->nopen--;
	memmove(t->open + i, t->open + i + 1, (t->nopen - i) * sizeof(*t->open));
	return true;
}

void rabbit_tags_ack(struct rabbit_tags *t, uint64_t number)
{
	if (rabbit_tags_settle(t, number))
		tag_add(&t->done, &t->ndone, &t->done_cap, number);
}

/* Those that one word is about: below all that are open. The highest; 0: there is none. How many. */
static uint64_t tags_below(const struct rabbit_tags *t, size_t *n)
{
	uint64_t top = 0;

	*n = 0;
	for (size_t i = 0; i < t->ndone; i++) {
		if (t->nopen > 0 && t->done[i] > t->open[0])
			continue;
		++*n;
		top = t->done[i] > top ? t->done[i] : top;
	}
	return top;
}

/* Drops what is up to that one. */
static void tags_said(struct rabbit_tags *t, uint64_t top)
{
	size_t left = 0;

	for (size_t i = 0; i < t->ndone; i++)
		if (t->done[i] > top)
			t->done[left++] = t->done[i];
	t->ndone = left;
}

uint64_t rabbit_tags_next(struct rabbit_tags *t, bool *multiple)
{
	size_t n;
	uint64_t top = tags_below(t, &n);

	*multiple = n > 1;
	if (n > 0)
		tags_said(t, top);
	else if (t->ndone > 0)
		top = t->done[--t->ndone];
	return top;
}

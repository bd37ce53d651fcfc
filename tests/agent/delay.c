/*
 * 50 ms of latency at 300,000 answers a second are 15,000 answers waiting, a device park with seconds of it 200,000. A
 * place holds the octets of an ordinary answer itself, so that nothing is allocated for it; the few that are longer
 * (GETBULK) are allocated. Places are touched only when used: the size of the table costs nothing.
 *
 * A timing wheel would be a little cheaper than the heap, but wakes up to find nothing due, or is late by a tick.
 */
#include "delay.h"

#include <stdlib.h>
#include <string.h>

enum {
	INLINE_LEN = 176
};

struct place {
	union peer peer;
	struct in6_addr local;
	int fd;
	uint32_t len;
	uint8_t *longer; /* owned; used when len > INLINE_LEN */
	uint8_t bytes[INLINE_LEN];
};

struct entry {
	uint64_t due_us;
	uint64_t order;
	uint32_t place;
};

struct delay {
	uint32_t capacity, n;
	uint64_t order;
	struct place *places;
	struct entry *heap;
	uint32_t *unused; /* the first capacity - n are places not in use */
};

struct delay *delay_new(uint32_t capacity)
{
	struct delay *delay = calloc(1, sizeof *delay);

	if (!delay)
		return NULL;
	delay->capacity = capacity;
	delay->places = malloc(capacity * sizeof *delay->places);
	delay->heap = malloc(capacity * sizeof *delay->heap);
	delay->unused = malloc(capacity * sizeof *delay->unused);
	if (!delay->places || !delay->heap || !delay->unused) {
		delay_free(delay);
		return NULL;
	}
	for (uint32_t i = 0; i < capacity; i++)
		delay->unused[i] = capacity - 1 - i;
	return delay;
}

static void place_release(struct place *place)
{
	if (place->len > INLINE_LEN)
		free(place->longer);
}

void delay_free(struct delay *delay)
{
	for (uint32_t i = 0; i < delay->n; i++)
		place_release(&delay->places[delay->heap[i].place]);
	free(delay->places);
	free(delay->heap);
	free(delay->unused);
	free(delay);
}

static bool before(const struct entry *a, const struct entry *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void sift_up(struct entry *heap, uint32_t at)
{
	struct entry entry = heap[at];

	for (uint32_t parent; at > 0 && before(&entry, &heap[parent = (at - 1) / 2]); at = parent)
		heap[at] = heap[parent];
	heap[at] = entry;
}

static void sift_down(struct entry *heap, uint32_t n)
{
	struct entry entry = heap[0];
	uint32_t at = 0;

	for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &entry))
			break;
		heap[at] = heap[child];
	}
	heap[at] = entry;
}

static bool place_fill(struct place *place, const struct datagram *d)
{
	uint8_t *bytes = place->bytes;

	if (d->len > INLINE_LEN) {
		bytes = place->longer = malloc(d->len);
		if (!bytes)
			return false;
	}
	memcpy(bytes, d->bytes, d->len);
	place->peer = d->peer;
	place->local = d->local;
	place->fd = d->fd;
	place->len = (uint32_t)d->len;
	return true;
}

bool delay_put(struct delay *delay, const struct datagram *d, uint64_t due_us)
{
	if (delay->n == delay->capacity)
		return false;
	uint32_t place = delay->unused[delay->capacity - delay->n - 1];
	if (!place_fill(&delay->places[place], d))
		return false;
	delay->heap[delay->n] = (struct entry){due_us, delay->order++, place};
	sift_up(delay->heap, delay->n++);
	return true;
}

bool delay_take(struct delay *delay, uint64_t now_us, struct datagram *d)
{
	if (delay_next(delay) > now_us)
		return false;
	uint32_t index = delay->heap[0].place;
	struct place *place = &delay->places[index];
	d->peer = place->peer;
	d->local = place->local;
	d->fd = place->fd;
	d->len = place->len;
	memcpy(d->bytes, place->len > INLINE_LEN ? place->longer : place->bytes, place->len);
	place_release(place);
	delay->heap[0] = delay->heap[--delay->n];
	sift_down(delay->heap, delay->n);
	delay->unused[delay->capacity - delay->n - 1] = index;
	return true;
}

uint64_t delay_next(const struct delay *delay)
{
	return delay->n > 0 ? delay->heap[0].due_us : UINT64_MAX;
}

uint32_t delay_waiting(const struct delay *delay)
{
	return delay->n;
}

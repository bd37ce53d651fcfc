#include "outbox.h"

#include <stdlib.h>

/* Small, to stay in the cache: 64 usual answers are 5 KiB; a full-sized one forces the others out first. */
enum {
	ARENA = 3 * DATAGRAM_MAX,
	DUPLICATES_MAX = 2
};

struct outbox {
	struct batch *batch;
	uint64_t sent, refused;
	size_t n, used;
	struct datagram items[BATCH_MAX];
	uint8_t arena[ARENA];
};

struct outbox *outbox_new(struct batch *batch)
{
	struct outbox *outbox = calloc(1, sizeof *outbox);

	if (outbox)
		outbox->batch = batch;
	return outbox;
}

void outbox_free(struct outbox *outbox)
{
	free(outbox);
}

uint8_t *outbox_room(struct outbox *outbox)
{
	if (outbox->n + DUPLICATES_MAX > BATCH_MAX || outbox->used + DATAGRAM_MAX > ARENA)
		outbox_send(outbox);
	return outbox->arena + outbox->used;
}

void outbox_add(struct outbox *outbox, const struct datagram *d, unsigned times)
{
	while (times-- > 0)
		outbox->items[outbox->n++] = *d;
	outbox->used += d->len;
}

void outbox_send(struct outbox *outbox)
{
	for (size_t at = 0, run; at < outbox->n; at += run) {
		for (run = 1;
		     at + run < outbox->n && outbox->items[at + run].fd == outbox->items[at].fd;
		     run++)
			;
		size_t sent = batch_send(outbox->batch, &outbox->items[at], run);
		outbox->sent += sent;
		outbox->refused += run - sent;
	}
	outbox->n = 0;
	outbox->used = 0;
}

uint64_t outbox_sent(const struct outbox *outbox)
{
	return outbox->sent;
}

uint64_t outbox_refused(const struct outbox *outbox)
{
	return outbox->refused;
}

/*
 * Records of agents that are larger than a message, while they come.
 *
 * Their octets wait in the same spool as those of large records of workers, in a run of their own for each poll: an
 * incarnation of an agent and its number of the poll. Each piece says how many octets came before it. So one that comes
 * again (its message was not acknowledged when a connection was lost) is known, and so is a gap: then what there is of it is
 * dropped, the task stays without a record, and is published again.
 *
 * Their messages are acknowledged when they are in the spool, and not with the record: that may be a thousand messages, and
 * the broker gives no more than a few without one. If we die, what is in the spool is gone, and its last piece finds
 * a gap.
 *
 * Bounded: PIECES_MAX polls; the oldest makes room.
 */
#include "pool/master_internal.h"

#include <stdlib.h>
#include <string.h>

#define PIECES_MAX 4096

struct piece { /* what is known of parts.open[slot] */
	bool open;
	uint64_t incarnation, seq, age;
	uint32_t poll;
	uint64_t octets; /* so far */
	unsigned ends;   /* how it ends so far (trust_open()) */
};

static struct piece *piece_find(const struct master *m, uint64_t incarnation,
				const struct batch_result *b)
{
	const struct remote *r = m->remote;

	for (uint32_t i = 0; i < r->npieces; i++) {
		struct piece *p = &r->pieces[i];

		if (p->open && p->incarnation == incarnation && p->poll == b->poll &&
		    p->seq == b->seq)
			return p;
	}
	return NULL;
}

static uint32_t slot_of(const struct master *m, const struct piece *p)
{
	return (uint32_t)(p - m->remote->pieces);
}

/* Out of the list; its part, which is the caller's now. */
static struct part *piece_close(struct master *m, struct piece *p)
{
	p->open = false;
	return part_leave(m, slot_of(m, p));
}

static void piece_drop(struct master *m, struct piece *p)
{
	part_free(m, piece_close(m, p));
}

/* A free slot, or the oldest one's. */
static struct piece *piece_room(struct master *m)
{
	struct remote *r = m->remote;
	struct piece *oldest = NULL;

	for (uint32_t i = 0; i < r->npieces; i++) {
		if (!r->pieces[i].open)
			return &r->pieces[i];
		if (oldest == NULL || r->pieces[i].age < oldest->age)
			oldest = &r->pieces[i];
	}
	if (r->npieces == PIECES_MAX) {
		piece_drop(m, oldest);
		return oldest;
	}
	r->pieces = mem_resize(r->pieces, r->npieces + 1, sizeof(*r->pieces));
	return &r->pieces[r->npieces++];
}

void piece_take(struct master *m, uint64_t incarnation, const struct batch_result *b)
{
	struct piece *p = piece_find(m, incarnation, b);

	if (p == NULL) {
		if (b->before > 0)
			return; /* its begin is not here */
		p = piece_room(m);
		*p = (struct piece){.open = true,
				    .incarnation = incarnation,
				    .seq = b->seq,
				    .poll = b->poll,
				    .age = ++m->remote->piece_age};
	}
	if (b->before > p->octets || !trust_part(m, b->octets, b->len)) {
		piece_drop(m, p);
		return;
	}
	if (b->before < p->octets)
		return; /* it came before */
	p->octets += b->len;
	p->ends = trust_open(m, p->ends, b->octets, b->len);
	part_add(m, slot_of(m, p), b->octets, b->len);
}

struct part *piece_end(struct master *m, uint64_t incarnation, const struct batch_result *b,
		       bool *whole)
{
	struct piece *p = piece_find(m, incarnation, b);

	*whole = p != NULL && p->octets == b->before &&
		 (!record_is_wanted(m, b->head->status) ||
		  trust_octets(m, p->ends, (struct queue_part){b->front, b->front_len},
			       (struct queue_part){b->octets, b->len}));
	if (*whole)
		return piece_close(m, p);
	if (p != NULL)
		piece_drop(m, p);
	return NULL;
}

void pieces_drop(struct master *m, uint64_t seq)
{
	struct remote *r = m->remote;

	for (uint32_t i = 0; i < r->npieces; i++)
		if (r->pieces[i].open && r->pieces[i].seq % r->tasks == seq)
			piece_drop(m, &r->pieces[i]);
}

void pieces_clear(struct master *m)
{
	for (uint32_t i = 0; i < m->remote->npieces; i++)
		if (m->remote->pieces[i].open)
			piece_drop(m, &m->remote->pieces[i]);
}

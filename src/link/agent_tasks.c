/*
 * Tasks on their way into the cells' hands.
 *
 * They go as they came, unread; a cell is told the batch's number, by which it speaks of them, and the numbers of their polls.
 * The same task may be in hand twice, when a broker gives a batch again while the first one is still polled: these are two polls,
 * and a master that puts the pieces of a record together knows one from the other.
 *
 * Of a dangerous batch (agent_batches.c) a cell has few at a time: what kills it, kills only these. In what order they go is
 * another each time: upwards from some place, the next time downwards from the one below it; so two deliveries together reach
 * all but what kills and its neighbours. The next two begin elsewhere, and most pairs are parted otherwise.
 */
#include "link/agent_internal.h"

#include <stdlib.h>

#define GROUPED_TO  4    /* deliveries before this one; until then groups are large */
#define ROUNDS      64u  /* that a batch takes at most till then, */
#define ROUNDS_LAST 256u /* and from then on: single tasks, or pairs of a batch that has more */
#define SILENT_S    7    /* by default what does not answer is given up after so long */
#define BROKER_S \
	1800 /* for so long RabbitMQ leaves a message unacknowledged: its consumer_timeout */
#define GROUP_MAX ((BATCH_TASKS + ROUNDS - 1u) / ROUNDS)

_Static_assert(BROKER_S / SILENT_S > ROUNDS_LAST,
	       "a batch of silent hosts that waits for no other ends in time");
_Static_assert(BATCH_TASKS <= 2 * ROUNDS_LAST,
	       "pairs are parted otherwise; larger groups may not be");
_Static_assert(CELL_TASKS_HEAD <= BATCH_HEAD_PACKED, "a batch that came in a frame fits another");

/* Which of a dangerous batch's tasks is the n-th: another order each time. Each second delivery begins an odd number of places
 * further, so that what was the second of a pair is the first of one. */
static unsigned turn_of(const struct batch *b, unsigned n)
{
	unsigned count = b->head.count, step = (count * 3u / 8u) | 1u;
	unsigned first = (unsigned)((uint64_t)(b->deliveries / 2) * step % count);

	return b->deliveries % 2 ? (first + count - 1 - n) % count : (first + n) % count;
}

/* How many at a time. 512 silent hosts one by one would take longer than a broker leaves a message unacknowledged; so it
 * begins with ROUNDS groups, and only who kills in these too is looked for one by one, or two by two among many. */
static unsigned group_of(const struct batch *b)
{
	unsigned left = b->head.count - b->given;
	unsigned rounds = b->deliveries < GROUPED_TO ? ROUNDS : ROUNDS_LAST;
	unsigned group = (b->head.count + rounds - 1) / rounds;

	return !b->alone || group > left ? left : group;
}

/* The octets of the target that stands in that place. Their lengths were found sound when they were taken. */
static struct queue_part target_at(const struct batch *b, unsigned place)
{
	struct wire_in r = {.at = b->targets, .end = b->targets + b->len};
	const uint8_t *begin;

	for (unsigned i = 0; i < place; i++)
		batch_target_skip(&r);
	begin = r.at;
	batch_target_skip(&r);
	return (struct queue_part){begin, (size_t)(r.at - begin)};
}

/* Each poll has a number of its own, whoever polls. */
void cell_give(struct agent_cell *c, struct batch *b)
{
	unsigned group = group_of(b), n = 1;
	uint8_t head[CELL_TASKS_HEAD];
	struct wire_out w = {.at = head, .end = head + sizeof(head)};
	struct queue_part parts[1 + GROUP_MAX] = {{head, sizeof(head)}};

	wire_put_u32(&w, b->number);
	wire_put_u32(&w, c->agent->polls);
	wire_put_u8(&w, b->head.attempt);
	wire_put_u16(&w, (uint16_t)group);
	if (!b->alone)
		parts[n++] = (struct queue_part){b->targets, b->len};
	for (; b->alone && n <= group; n++)
		parts[n] = target_at(b, turn_of(b, b->given + n - 1));
	queue_put_parts(c->queue, CELL_TASKS, parts, n);
	if (c->open == 0)
		cell_heard(c);
	c->agent->polls += group;
	c->open += group;
	b->given += group;
	if (b->alone)
		return;
	free(b->targets);
	b->targets = NULL;
}

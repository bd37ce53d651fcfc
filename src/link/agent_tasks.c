/*
 * Tasks on their way into the cells' hands.
 *
 * They go as they came, unread; a cell is told the batch's number, by which it speaks of them, and the numbers of their polls.
 * The same task may be in hand twice, when a broker gives a batch again while the first one is still polled: these are two polls,
 * and a master that puts the pieces of a record together knows one from the other.
 *
 * Of a dangerous batch (agent_batches.c) a cell has few at a time: what kills it, kills only these.
 */
#include "link/agent_internal.h"

#include <stdlib.h>

#define STEP        7 /* dangerous tasks begin so many further each time */
#define ROUNDS      64u
#define GROUP_MAX   ((BATCH_TASKS + ROUNDS - 1u) / ROUNDS)
#define SINGLY_FROM 4 /* deliveries before this one */

_Static_assert(CELL_TASKS_HEAD <= BATCH_HEAD_PACKED, "a batch that came in a frame fits another");

/* Which of a dangerous batch's tasks is the n-th: another order each time. */
static unsigned turn_of(const struct batch *b, unsigned n)
{
	unsigned at = (b->deliveries * STEP + n) % b->head.count;

	return b->deliveries % 2 ? b->head.count - 1 - at : at;
}

/* How many at a time. 512 silent hosts one by one would take longer than a broker leaves a message unacknowledged; so it
 * begins with ROUNDS groups, and only who kills in these too is looked for one by one. */
static unsigned group_of(const struct batch *b)
{
	unsigned left = b->head.count - b->given;
	unsigned group = b->deliveries < SINGLY_FROM ? (b->head.count + ROUNDS - 1u) / ROUNDS : 1;

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

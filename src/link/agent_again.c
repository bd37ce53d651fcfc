/*
 * Batches that come again: those that are still in hand, and those that have ended.
 *
 * The problem: a tag dies with its connection, and an acknowledgement is answered by nobody. So a batch comes again that is still polled,
 * and so does one whose acknowledgement was lost on the way, though each of its tasks has a record that the broker has
 * confirmed: devices would be asked twice.
 *
 * The design: what is in hand gets the new tag. Of what has ended the names of the last ones are remembered; who comes by one of these
 * is acknowledged at once. A master that misses records nevertheless publishes them as another attempt, or, when it was
 * resumed, under another number. Only what was delivered before is looked for, so that no other batch pays for it.
 *
 * The trap: records that the broker sent back, for their master had no queue, are gone. Their batch is acknowledged, since
 * nobody waits for it; but when it comes again, there may be a queue again. So it is polled as if it had never been here.
 *
 * Rejected: all names of a run. Acknowledgements that are on their way are few; an agent works for days.
 */
#include "link/agent_internal.h"

static bool is_same(const struct batch_name *n, const struct batch *b)
{
	return n->run == b->run && n->number == b->head.number && n->attempt == b->head.attempt;
}

static struct batch_name name_of(const struct batch *b)
{
	return (struct batch_name){b->run, b->head.number, b->head.attempt};
}

struct batch *batch_again(struct agent *a, const struct batch *b)
{
	for (size_t i = 0; i < a->nbatches; i++) {
		struct batch_name old = name_of(a->batches[i]);

		if (!a->batches[i]->tagged && !a->batches[i]->unread && is_same(&old, b))
			return a->batches[i];
	}
	return NULL;
}

void batch_ended(struct agent *a, const struct batch *b)
{
	if (!b->unread)
		a->ended.last[a->ended.count++ % BATCHES_ENDED_MAX] = name_of(b);
}

void batches_unread(struct agent *a, uint64_t id)
{
	for (size_t i = 0; i < a->nbatches; i++) {
		struct batch *b = a->batches[i];

		b->unread |= b->first_id <= id && id <= b->last_id;
	}
}

bool batch_has_ended(const struct agent *a, const struct batch *b)
{
	const struct batches_ended *e = &a->ended;

	if (b->deliveries == 0)
		return false;
	for (size_t i = 0; i < BATCHES_ENDED_MAX && i < e->count; i++)
		if (is_same(&e->last[i], b))
			return true;
	return false;
}

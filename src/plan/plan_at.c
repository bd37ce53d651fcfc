/*
 * A target by its number, whatever was handed out before.
 *
 * The problem: what comes back over a broker names a target by its number alone, in any order, and the plan keeps nothing of
 * ten million of them. So the items' first numbers are an index, made when somebody asks, and an item is found in it by
 * halves.
 *
 * But those who answer were asked one after the other, and most are of one block: so the block that was asked for last is
 * kept with the numbers that are its own, and neither looked for nor read again for the next of them.
 *
 * The trap: an item may have no target left, if all are excluded, and then begins where the next one does.
 */
#include "plan/plan_internal.h"

static void count_items(struct plan *p)
{
	uint64_t first = 0;

	p->firsts = mem_alloc(p->nitems * sizeof(*p->firsts));
	for (size_t i = 0; i < p->nitems; i++) {
		struct target t = plan_parse(p, i);

		p->firsts[i] = first;
		first += t.count - target_set_count(p->excluded, &t);
	}
}

/* Whose target number seq is: of items without a target the last one, which has some, is found. */
static size_t item_at(struct plan *p, uint64_t seq)
{
	size_t low = 0, high = p->nitems; /* it is in low to high - 1 */

	if (!p->firsts)
		count_items(p);
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (p->firsts[middle] <= seq)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Its targets are mostly asked for one after the other: a block is looked for and parsed once for them. It lends no text. */
static void block_keep(struct plan *p, size_t item, const struct target *t)
{
	p->block = *t;
	p->block_item = item;
	p->block_first = p->firsts[item];
	p->block_end = item + 1 < p->nitems ? p->firsts[item + 1] : p->total;
}

static bool block_has(const struct plan *p, uint64_t seq)
{
	return seq >= p->block_first && seq < p->block_end;
}

void plan_at(struct plan *p, uint64_t seq, struct plan_target *out)
{
	const struct target *t = &p->block;
	size_t item = p->block_item;
	struct target parsed;

	if (!block_has(p, seq)) {
		item = item_at(p, seq);
		parsed = plan_parse(p, item);
		t = &parsed;
		if (parsed.kind == TARGET_BLOCK)
			block_keep(p, item, t);
	}
	plan_fill(p, item, t, target_set_at(p->excluded, t, seq - p->firsts[item]), out);
	out->seq = seq;
}

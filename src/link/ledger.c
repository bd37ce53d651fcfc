/*
 * A bit per task of a run: whether its record was written.
 *
 * The problem: over a broker everything may come twice: a batch that an agent had and another one has again, a result that
 * was put and not confirmed. And the master of a million tasks shall cost hardly more than that of ten thousand.
 *
 * The design: no state per task that is out, but a bit for each that is answered. The first record of a task takes the bit;
 * what comes later finds it taken. What is still missing is found by looking for zeros, a word of 64 at a time.
 *
 * Rejected: a table of what is out, as pool/dispatch has for workers. A broker's queue is made to hold all of a run.
 */
#include "link/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct ledger {
	uint64_t tasks, count;
	uint64_t *words; /* bits beyond `tasks` are never looked at */
};

static size_t words_of(uint64_t tasks)
{
	return (size_t)((tasks + 63) / 64);
}

struct ledger *ledger_new(uint64_t tasks)
{
	struct ledger *l = mem_zero(1, sizeof(*l));

	l->tasks = tasks;
	l->words = mem_zero(words_of(tasks) + 1, sizeof(*l->words));
	return l;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	free(l->words);
	free(l);
}

void ledger_clear(struct ledger *l)
{
	memset(l->words, 0, words_of(l->tasks) * sizeof(*l->words));
	l->count = 0;
}

bool ledger_has(const struct ledger *l, uint64_t seq)
{
	return l->words[seq / 64] >> seq % 64 & 1;
}

bool ledger_take(struct ledger *l, uint64_t seq)
{
	if (ledger_has(l, seq))
		return false;
	l->words[seq / 64] |= UINT64_C(1) << seq % 64;
	l->count++;
	return true;
}

uint64_t ledger_count(const struct ledger *l)
{
	return l->count;
}

bool ledger_give(struct ledger *l, uint64_t seq)
{
	if (!ledger_has(l, seq))
		return false;
	l->words[seq / 64] &= ~(UINT64_C(1) << seq % 64);
	l->count--;
	return true;
}

/* The first bit from seq on that differs from those of `other`, a word of them. */
static bool first_unlike(const struct ledger *l, uint64_t other, uint64_t seq, uint64_t *out)
{
	while (seq < l->tasks) {
		uint64_t unlike = (l->words[seq / 64] ^ other) >> seq % 64;

		if (unlike) {
			*out = seq + (uint64_t)__builtin_ctzll(unlike);
			return *out < l->tasks;
		}
		seq = (seq / 64 + 1) * 64;
	}
	return false;
}

bool ledger_missing(const struct ledger *l, uint64_t seq, uint64_t *out)
{
	return first_unlike(l, UINT64_MAX, seq, out);
}

bool ledger_next(const struct ledger *l, uint64_t seq, uint64_t *out)
{
	return first_unlike(l, 0, seq, out);
}

/*
 * What is counted, and the latency histogram.
 *
 * The problem: p99 over millions of answers, from microseconds on loopback to minutes over a satellite, in
 * fixed memory. Keeping samples costs memory per host; buckets of equal width are too coarse at one
 * end or too many.
 *
 * The design: log-linear buckets. Values below 64 have a bucket each; above, each power of two is cut
 * into 64 equal parts, so a bucket is never wider than 1/64 of what is in it. The index is a shift and
 * an addition, and the whole is 16 KiB. The maximum is kept beside, exactly.
 *
 * The trap: a quantile that is a bucket's upper edge can lie above everything that was measured; it is
 * held down to the maximum, so that p99 <= max in what people read.
 */
#include "base/stats.h"

#include <stdlib.h>

#include "base/mem.h"

#define PART_BITS 6 /* 2^6 parts in each power of two: relative error 1/64 */
#define PARTS     (1 << PART_BITS)
#define VALUE_MAX (INT64_C(1) << 36) /* about 19 hours in us; what is above counts as this */
#define BUCKETS   ((36 - PART_BITS + 1) * PARTS + 1)

struct histogram {
	uint64_t count;
	int64_t max_us;
	uint64_t buckets[BUCKETS];
};

static const char *const names[STATS_COUNT] = {
	[STATS_SENT] = "sent",
	[STATS_RETRIES] = "retries",
	[STATS_RECEIVED] = "received",
	[STATS_ANSWERED] = "answered",
	[STATS_REFUSED] = "refused",
	[STATS_SUPERSEDED] = "superseded",
	[STATS_UNANSWERED] = "unanswered",
	[STATS_LATE] = "late",
	[STATS_DUPLICATE] = "duplicate",
	[STATS_FOREIGN] = "foreign",
	[STATS_MALFORMED] = "malformed",
	[STATS_DROPPED] = "dropped",
};

const char *stats_name(enum stats_counter c)
{
	return names[c];
}

void stats_add(struct stats *sum, const struct stats *delta)
{
	for (size_t i = 0; i < STATS_COUNT; i++)
		sum->count[i] += delta->count[i];
}

bool stats_is_zero(const struct stats *s)
{
	for (size_t i = 0; i < STATS_COUNT; i++) {
		if (s->count[i])
			return false;
	}
	return true;
}

/* Counterpart: stats_unpack. */
void stats_pack(const struct stats *s, struct wire_out *w)
{
	for (size_t i = 0; i < STATS_COUNT; i++)
		wire_put_u64(w, s->count[i]);
}

/* Counterpart: stats_pack. */
bool stats_unpack(struct stats *s, struct wire_in *r)
{
	for (size_t i = 0; i < STATS_COUNT; i++)
		s->count[i] = wire_get_u64(r);
	return !r->bad;
}

struct histogram *histogram_new(void)
{
	return mem_zero(1, sizeof(struct histogram));
}

void histogram_free(struct histogram *h)
{
	free(h);
}

static size_t bucket_of(int64_t us)
{
	uint64_t v = (uint64_t)(us < VALUE_MAX ? us : VALUE_MAX);
	unsigned top = 63 -
		       (unsigned)__builtin_clzll(v | PARTS); /* its highest bit, or PART_BITS */
	unsigned shift = top - PART_BITS; /* bits that the bucket does not tell */

	return ((size_t)shift << PART_BITS) + (v >> shift);
}

/* The greatest value that falls into bucket i. */
static int64_t upper_edge(size_t i)
{
	size_t power = i >> PART_BITS;
	uint64_t part = i & (PARTS - 1);

	if (power == 0)
		return (int64_t)part;
	return (int64_t)(((part + PARTS + 1) << (power - 1)) - 1);
}

void histogram_add(struct histogram *h, int64_t us)
{
	if (us < 0)
		us = 0;
	if (us > h->max_us)
		h->max_us = us;
	h->buckets[bucket_of(us)]++;
	h->count++;
}

uint64_t histogram_count(const struct histogram *h)
{
	return h->count;
}

int64_t histogram_max(const struct histogram *h)
{
	return h->max_us;
}

uint64_t histogram_at_most(const struct histogram *h, int64_t us)
{
	uint64_t n = 0;

	for (size_t i = 0; i < BUCKETS - 1 && upper_edge(i) <= us; i++)
		n += h->buckets[i];
	return us >= h->max_us ? h->count : n;
}

/* How many values, the smallest first, make up the share q: 1 to all of them. */
static uint64_t rank_of(const struct histogram *h, double q)
{
	double exact = q * (double)h->count;
	uint64_t rank = exact > 0 ? (uint64_t)exact : 0;

	if ((double)rank < exact)
		rank++;
	if (rank < 1)
		rank = 1;
	return rank < h->count ? rank : h->count;
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	uint64_t rank = rank_of(h, q), seen = 0;

	for (size_t i = 0; i < BUCKETS - 1; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			return upper_edge(i) < h->max_us ? upper_edge(i) : h->max_us;
	}
	return h->max_us;
}

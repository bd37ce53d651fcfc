/*
 * stats - what is counted, and the latency histogram.
 *
 * A packet sent ends in exactly one of answered, refused, superseded, unanswered (when no worker
 * died); late, duplicate, foreign and malformed stand beside. Workers send deltas with their
 * records, so that a killed worker's are not lost; the master adds them up.
 */
#ifndef BASE_STATS_H
#define BASE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

enum stats_counter {
	STATS_SENT,       /* datagrams given to the kernel */
	STATS_RETRIES,    /* of these, second and later tries of a request */
	STATS_RECEIVED,   /* datagrams taken from the kernel, whatever they were */
	STATS_ANSWERED,   /* sends whose own reply completed a request */
	STATS_REFUSED,    /* sends ended by ICMP or by the kernel */
	STATS_SUPERSEDED, /* sends of a request that another of its tries completed */
	STATS_UNANSWERED, /* sends of requests that ended without a reply */
	STATS_LATE,       /* replies to a try other than the newest (they count as answers) */
	STATS_DUPLICATE,  /* readable replies to a request just completed */
	STATS_FOREIGN, /* replies with no request of ours, or from another address, community, version */
	STATS_MALFORMED, /* datagrams that do not decode or break the rules */
	STATS_DROPPED,   /* lost in our own receive buffer (SO_RXQ_OVFL) */
	STATS_COUNT
};

struct stats {
	uint64_t count[STATS_COUNT];
};

const char *stats_name(enum stats_counter c); /* "sent", "retries" … */
void stats_add(struct stats *sum, const struct stats *delta);
bool stats_is_zero(const struct stats *s);
void stats_pack(const struct stats *s, struct wire_out *w); /* counterpart: stats_unpack */
bool stats_unpack(struct stats *s, struct wire_in *r);
#define STATS_PACKED ((size_t)STATS_COUNT * 8)

/* Latencies in microseconds in log-linear buckets: relative error at most 1/64, 0 to 2^36 us. */
struct histogram;
struct histogram *histogram_new(void);
void histogram_free(struct histogram *h);
void histogram_add(struct histogram *h, int64_t us);
uint64_t histogram_count(const struct histogram *h);
int64_t histogram_max(const struct histogram *h);                  /* exact; 0 when empty */
uint64_t histogram_at_most(const struct histogram *h, int64_t us); /* values, to within a bucket */
int64_t histogram_quantile(
	const struct histogram *h,
	double q); /* upper edge of the bucket, at most the maximum; 0 when empty */

#endif

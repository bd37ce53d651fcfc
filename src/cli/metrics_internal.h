/*
 * metrics_internal - what is counted, between the files of metrics; private to it.
 */
#ifndef CLI_METRICS_INTERNAL_H
#define CLI_METRICS_INTERNAL_H

#include <stddef.h>

#include "base/mem.h"
#include "base/record.h"
#include "base/stats.h"
#include "cli/metrics.h"
#include "pool/master.h"

#define METRICS_BUCKETS 10

/* Upper edges of the buckets of a round's duration, in seconds; what is longer is in +Inf alone. */
extern const double metrics_edges[METRICS_BUCKETS];

/* Since the start, unless they say other. */
struct metrics {
	char *path;
	int64_t interval_us; /* 0: there are no rounds */
	int64_t start_ms;    /* Unix time */
	uint64_t rounds;
	uint64_t unwritten; /* of these, without their output */
	uint64_t duration_us;
	uint64_t bucket[METRICS_BUCKETS]; /* each with those below it */
	uint64_t status[RECORD_STATUS_COUNT];
	struct stats stats;
	uint64_t deaths;
	struct remote_result remote; /* its sums; no sites: there is no broker */
	uint64_t lost;               /* records without their rows */
	uint64_t answered;
	uint64_t answered_us; /* sum of their times */
	uint64_t reloads, failed_reloads;
	int64_t reloaded_ms; /* the last good one, or the start */
	bool reload_failed;  /* the last one */
	bool told;           /* that the file cannot be written */
};

/* The whole file. r is of the last round. */
void metrics_put(struct buf *out, const struct metrics *m, const struct master_result *r,
		 int64_t now_ms);

#endif

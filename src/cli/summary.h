/*
 * summary - the run in a few lines for stderr (-s).
 *
 * First what scripts look for. Each line begins with a word and a colon, every number stands before what it counts,
 * and all lines and counters down to the latency are always there, so that grep and awk find them:
 *
 *   targets: 10000 in 12.310 s, 812 per second
 *   status: 9000 ok, 1000 timeout                      (others only where there are any)
 *   packets: 11000 sent, 1000 retries, 9003 received
 *   sends: 9000 answered, 0 refused, 0 superseded, 2000 unanswered
 *   replies: 1 late, 2 duplicate, 0 foreign, 1 malformed, 0 dropped
 *   latency: p50 0.412 ms, p90 0.900 ms, p99 2.001 ms, max 10.345 ms   ("none" without an answer)
 *   broker: 157 messages, 0 duplicates, 0 late, 0 republished, 0 dead, 2 agents, 2 sites
 *                                                      (only with --broker: messages of results that were taken; records
 *                                                      that came twice, or for a round that is over; targets published
 *                                                      again, and given up; who answered, and where targets are)
 *   resumed: 4000 records were there; …                (only with --resume)
 *   missing: 3 targets have no record                  (only then)
 *   deaths: 1 process died and was replaced            (only then)
 *   hint: …                                            (only where packets were dropped)
 *
 * Then what a person reads, all of it indented: a table of statuses, latencies drawn, the slowest ten hosts, the
 * first ten that fail; and at the very end
 *
 *   hint: multisnmp --explain HOST …                   (only where a host fails)
 */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include <stdbool.h>

#include "base/mem.h"
#include "cli/notable.h"
#include "pool/master.h"

struct summary_look { /* of who reads */
	bool colour;
	bool blocks;      /* has Unicode's block characters */
	unsigned columns; /* of a line */
};

/* Both append whole lines. */
void summary_put(struct buf *out, const struct master_result *r);
void summary_put_tables(struct buf *out, const struct master_result *r, const struct notable *n,
			const struct summary_look *look);

#endif

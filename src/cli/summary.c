/*
 * The run in a few lines.
 *
 * The problem: these lines are read by a person first and grepped by a script a week later. So they
 * are sentences, but their words and places are fixed, and a counter that is zero is printed all the
 * same: its absence would be one more thing to tell from "the program is older than the counter". Rejected:
 * a table, which moves when a number gets wider.
 *
 * What a person can do something about is said with the number: replies that our own receive buffer
 * had no room for look like silent devices otherwise.
 */
#include "cli/summary.h"

#include <inttypes.h>

static double seconds(int64_t us)
{
	return (double)us / 1e6;
}

static void put_targets(struct buf *out, const struct master_result *r)
{
	double elapsed = seconds(r->elapsed_us);
	/* where it could not even begin there are more of the others */
	uint64_t targets = r->targets > r->remote.resumed ? r->targets - r->remote.resumed : 0;
	double rate = elapsed > 0 ? (double)targets / elapsed : 0;

	buf_printf(out, "targets: %" PRIu64 " in %.3f s, %.0f per second\n", r->targets, elapsed,
		   rate);
}

/* Returns how many records there were. */
static uint64_t put_status(struct buf *out, const struct master_result *r)
{
	uint64_t records = r->status[RECORD_OK];

	buf_printf(out, "status: %" PRIu64 " ok", r->status[RECORD_OK]);
	for (int s = RECORD_OK + 1; s < RECORD_STATUS_COUNT; s++) {
		records += r->status[s];
		if (r->status[s])
			buf_printf(out, ", %" PRIu64 " %s", r->status[s],
				   record_status_name((enum record_status)s));
	}
	buf_putc(out, '\n');
	return records;
}

/* " 1 first, 2 next, …" of a run of counters, to the end of the line. */
static void put_counters(struct buf *out, const struct stats *stats, enum stats_counter first,
			 enum stats_counter last)
{
	for (unsigned c = first; c <= last; c++)
		buf_printf(out, "%s %" PRIu64 " %s", c == first ? "" : ",", stats->count[c],
			   stats_name((enum stats_counter)c));
	buf_putc(out, '\n');
}

static void put_latency(struct buf *out, const struct histogram *h)
{
	if (!h || !histogram_count(h)) {
		buf_puts(out, "latency: none\n");
		return;
	}
	buf_printf(out, "latency: p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, max %.3f ms\n",
		   (double)histogram_quantile(h, 0.5) / 1e3,
		   (double)histogram_quantile(h, 0.9) / 1e3,
		   (double)histogram_quantile(h, 0.99) / 1e3, (double)histogram_max(h) / 1e3);
}

/* Only what was done over a broker has a site. */
static void put_broker(struct buf *out, const struct master_result *r)
{
	const struct remote_result *b = &r->remote;

	if (b->sites == 0)
		return;
	buf_printf(out,
		   "broker: %" PRIu64 " messages, %" PRIu64 " duplicates, %" PRIu64
		   " late, %" PRIu64 " republished, %" PRIu64 " dead, %u agents, %u sites\n",
		   b->messages, b->duplicates, b->late, b->republished, b->dead, b->agents,
		   b->sites);
	if (b->resumed > 0)
		buf_printf(out,
			   "resumed: %" PRIu64
			   " records were there; times and latencies are of the others\n",
			   b->resumed);
}

static void put_troubles(struct buf *out, const struct master_result *r, uint64_t records)
{
	if (records < r->targets)
		buf_printf(out, "missing: %" PRIu64 " targets have no record\n",
			   r->targets - records);
	if (r->deaths)
		buf_printf(out, "deaths: %u %s died and %s replaced\n", r->deaths,
			   r->deaths == 1 ? "process" : "processes",
			   r->deaths == 1 ? "was" : "were");
	if (r->lost)
		buf_printf(out,
			   "lost: %" PRIu64 " %s without the rows, for want of room in TMPDIR\n",
			   r->lost, r->lost == 1 ? "record" : "records");
	if (r->stats.count[STATS_DROPPED])
		buf_printf(out,
			   "hint: packets were dropped by %s, not by the devices; raise the "
			   "system's limit for it or lower --window\n",
			   r->remote.sites > 0 ? "the receive buffer of an agent's machine"
					       : "our own receive buffer");
}

void summary_put(struct buf *out, const struct master_result *r)
{
	uint64_t records;

	put_targets(out, r);
	records = put_status(out, r);
	buf_puts(out, "packets:");
	put_counters(out, &r->stats, STATS_SENT, STATS_RECEIVED);
	buf_puts(out, "sends:");
	put_counters(out, &r->stats, STATS_ANSWERED, STATS_UNANSWERED);
	buf_puts(out, "replies:");
	put_counters(out, &r->stats, STATS_LATE, STATS_DROPPED);
	put_latency(out, r->latency);
	put_broker(out, r);
	put_troubles(out, r, records);
}

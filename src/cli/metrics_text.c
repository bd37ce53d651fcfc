/*
 * The file: one function a family, in the order in which a person would ask.
 *
 * Names are as Prometheus's own rules have them: base units, _total for counters, one unit and one meaning a family. A
 * counter that is zero is there all the same: absent() is for what is broken. Rejected: one family of packets with a
 * label for what became of them. Its sum would count most packets twice.
 *
 * `promtool check metrics` has no word to say about it; a test sees to that.
 */
#include "config.h"

#include "cli/metrics_internal.h"

#include <inttypes.h>
#include <unistd.h>

#include "pool/proc.h"

#define NAME "multisnmp_"

static void put_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP " NAME "%s %s\n# TYPE " NAME "%s %s\n", name, help, name, type);
}

static void put_u64(struct buf *out, const char *name, const char *type, const char *help,
		    uint64_t value)
{
	put_family(out, name, type, help);
	buf_printf(out, NAME "%s %" PRIu64 "\n", name, value);
}

static void put_counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	put_u64(out, name, "counter", help, value);
}

/* Microseconds as seconds, exactly. */
static void put_seconds(struct buf *out, uint64_t us)
{
	buf_printf(out, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
}

static void put_time(struct buf *out, const char *name, const char *help, uint64_t us)
{
	put_family(out, name, "gauge", help);
	buf_printf(out, NAME "%s ", name);
	put_seconds(out, us);
}

/* --- rounds -------------------------------------------------------------------------------- */

static void put_durations(struct buf *out, const struct metrics *m)
{
	static const char name[] = "round_duration_seconds";

	put_family(out, name, "histogram", "How long rounds took, until their output was written.");
	for (size_t i = 0; i < METRICS_BUCKETS; i++)
		buf_printf(out, NAME "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, metrics_edges[i],
			   m->bucket[i]);
	buf_printf(out, NAME "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, m->rounds);
	buf_printf(out, NAME "%s_sum ", name);
	put_seconds(out, m->duration_us);
	buf_printf(out, NAME "%s_count %" PRIu64 "\n", name, m->rounds);
}

static void put_rounds(struct buf *out, const struct metrics *m, const struct master_result *r,
		       int64_t now_ms)
{
	put_counter(out, "rounds_total", "Rounds that are over; a run without --interval is one.",
		    m->rounds);
	put_counter(out, "rounds_skipped_total",
		    "Rounds left out, because one before them took too long or had no output.",
		    r->skipped);
	put_counter(out, "rounds_unwritten_total", "Rounds whose output could not be written.",
		    m->unwritten);
	if (m->interval_us > 0)
		put_time(out, "interval_seconds", "From the begin of a round to that of the next.",
			 (uint64_t)m->interval_us);
	put_durations(out, m);
	put_time(out, "last_round_duration_seconds", "How long the last round took.",
		 (uint64_t)r->elapsed_us);
	put_time(out, "last_round_end_timestamp_seconds", "When the last round was over.",
		 (uint64_t)now_ms * 1000);
	put_u64(out, "last_round_written", "gauge",
		"Whether the output of the last round was written: 1 or 0.",
		r->written == WRITER_OK);
}

/* --- records ------------------------------------------------------------------------------- */

static void put_statuses(struct buf *out, const char *name, const uint64_t *status)
{
	for (int s = 0; s < RECORD_STATUS_COUNT; s++)
		buf_printf(out, NAME "%s{status=\"%s\"} %" PRIu64 "\n", name,
			   record_status_name((enum record_status)s), status[s]);
}

static void put_records(struct buf *out, const struct metrics *m, const struct master_result *r)
{
	put_u64(out, "targets", "gauge", "Targets of the last round.", r->targets);
	put_family(out, "last_round_records", "gauge", "Records of the last round, by status.");
	put_statuses(out, "last_round_records", r->status);
	put_family(out, "records_total", "counter", "Records, by status.");
	put_statuses(out, "records_total", m->status);
	put_counter(out, "records_without_rows_total",
		    "Records whose rows found no room in TMPDIR.", m->lost);
}

static void put_latency(struct buf *out, const struct metrics *m, const struct master_result *r)
{
	static const char *const quantiles[] = {"0.5", "0.9", "0.99", "1"};
	static const double q[] = {0.5, 0.9, 0.99, 1};
	static const char name[] = "latency_seconds";

	put_family(out, name, "summary",
		   "Time to the first answer of a target, from that try's send; quantiles are the "
		   "last "
		   "round's.");
	for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
		buf_printf(out, NAME "%s{quantile=\"%s\"} ", name, quantiles[i]);
		if (r->latency == NULL || histogram_count(r->latency) == 0)
			buf_puts(out, "NaN\n");
		else
			put_seconds(out, (uint64_t)histogram_quantile(r->latency, q[i]));
	}
	buf_printf(out, NAME "%s_sum ", name);
	put_seconds(out, m->answered_us);
	buf_printf(out, NAME "%s_count %" PRIu64 "\n", name, m->answered);
}

/* --- packets ------------------------------------------------------------------------------- */

static void put_packets(struct buf *out, const struct metrics *m)
{
	static const char *const rows[STATS_COUNT][2] = {
		[STATS_SENT] = {"packets_sent_total", "Datagrams given to the kernel."},
		[STATS_RETRIES] = {"retries_total",
				   "Of the packets sent, second and later tries of a request."},
		[STATS_RECEIVED] = {"packets_received_total",
				    "Datagrams taken from the kernel, whatever they were."},
		[STATS_ANSWERED] = {"packets_answered_total",
				    "Packets sent whose own reply completed a request."},
		[STATS_REFUSED] = {"packets_refused_total",
				   "Packets sent that ICMP or the kernel refused."},
		[STATS_SUPERSEDED] = {"packets_superseded_total",
				      "Packets sent for a request that another try completed."},
		[STATS_UNANSWERED] = {"packets_unanswered_total",
				      "Packets sent for a request that ended without a reply."},
		[STATS_LATE] = {"replies_late_total", "Replies to a try other than the newest."},
		[STATS_DUPLICATE] = {"replies_duplicate_total",
				     "Replies to a request that was complete."},
		[STATS_FOREIGN] =
			{"replies_foreign_total",
			 "Datagrams that answer no request of ours, or come from elsewhere."},
		[STATS_MALFORMED] = {"replies_malformed_total",
				     "Datagrams that do not decode, or break the rules."},
		[STATS_DROPPED] = {"replies_dropped_total",
				   "Datagrams for which our own receive buffer had no room."},
	};

	for (int c = 0; c < STATS_COUNT; c++)
		put_counter(out, rows[c][0], rows[c][1], m->stats.count[c]);
}

static void put_broker(struct buf *out, const struct metrics *m)
{
	const struct remote_result *b = &m->remote;

	if (b->sites == 0)
		return;
	put_counter(out, "broker_messages_total", "Messages of results that were taken.",
		    b->messages);
	put_counter(out, "broker_duplicates_total",
		    "Records that came over the broker a second time, and were left out.",
		    b->duplicates);
	put_counter(out, "broker_late_total", "Records that came for a round that was over.",
		    b->late);
	put_counter(out, "broker_republished_total", "Targets that were published again.",
		    b->republished);
	put_counter(out, "broker_dead_total", "Targets that the broker gave up.", b->dead);
	put_u64(out, "broker_agents", "gauge", "Agents that brought results of the last round.",
		b->agents);
	put_u64(out, "broker_sites", "gauge", "Sites of the targets.", b->sites);
}

/* --- the program --------------------------------------------------------------------------- */

static void put_memory(struct buf *out, const struct master_result *r)
{
	uint64_t master = proc_memory(getpid());

	if (master == 0)
		return;
	put_family(out, "resident_memory_bytes", "gauge",
		   "Resident memory of the master, and of all workers together as far as it can be "
		   "seen.");
	buf_printf(out, NAME "resident_memory_bytes{process=\"master\"} %" PRIu64 "\n", master);
	if (r->workers_memory > 0)
		buf_printf(out, NAME "resident_memory_bytes{process=\"workers\"} %" PRIu64 "\n",
			   r->workers_memory);
}

static void put_program(struct buf *out, const struct metrics *m, const struct master_result *r)
{
	put_counter(out, "worker_restarts_total",
		    "Workers and resolvers that died and were replaced.", m->deaths);
	put_memory(out, r);
	put_family(out, "config_reloads_total", "counter", "Reloads of the configuration.");
	buf_printf(out, NAME "config_reloads_total{result=\"ok\"} %" PRIu64 "\n", m->reloads);
	buf_printf(out, NAME "config_reloads_total{result=\"failed\"} %" PRIu64 "\n",
		   m->failed_reloads);
	put_u64(out, "config_last_reload_successful", "gauge",
		"Whether the last reload was good: 1 or 0.", !m->reload_failed);
	put_time(out, "config_last_reload_success_timestamp_seconds",
		 "When the configuration in use was read.", (uint64_t)m->reloaded_ms * 1000);
	put_time(out, "start_time_seconds", "When the program was started.",
		 (uint64_t)m->start_ms * 1000);
	put_family(out, "build_info", "gauge", "1, with the version.");
	buf_puts(out, NAME "build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
}

void metrics_put(struct buf *out, const struct metrics *m, const struct master_result *r,
		 int64_t now_ms)
{
	put_rounds(out, m, r, now_ms);
	put_records(out, m, r);
	put_latency(out, m, r);
	put_packets(out, m);
	put_broker(out, m);
	put_program(out, m, r);
}

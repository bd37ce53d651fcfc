/*
 * The counters, and their way into the file.
 *
 * The problem: a poller that has been failing silently for a week is found by a graph or not at all. Counters
 * belong to the process and only grow, which is what rate() wants; what is of the last round says so in its name.
 *
 * The file goes through `writer`: whoever reads it finds a whole one, the old or the new. It is written when a round's
 * own output is committed or has failed, so it tells of that too. What cannot be written then is no reason to
 * stop polling: it is told when it begins, and the file's age tells the rest.
 *
 * The trap: fcntl(2) locks are the process's. If this were the file of -o, the end of our writing would drop the lock of
 * the output; options.c refuses that, and the first look is taken before the output is opened.
 */
#include "cli/metrics_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/loop.h"

const double metrics_edges[METRICS_BUCKETS] = {0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600};

/* --- the file ------------------------------------------------------------------------------ */

/* What a collector shall read is a file; a stream would be waited for. */
static bool is_writable_kind(const char *path)
{
	struct stat st;

	return strcmp(path, "/dev/stdout") != 0 && /* which the writer takes as a stream */
	       (stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* Opens it; with text, replaces it by that. */
static enum writer_result file_write(struct metrics *m, const struct buf *text)
{
	struct writer_options options = {.path = m->path, .whole = true};
	enum writer_result result;
	struct writer *w;

	if (!is_writable_kind(m->path)) {
		if (!m->told)
			log_error("--stats-file: '%s' is no regular file", m->path);
		m->told = true;
		return WRITER_FAILED;
	}
	w = writer_open(&options, &result);
	if (result == WRITER_OK && text != NULL) {
		writer_put(w, text->data, text->len);
		result = writer_flush(w, true);
		if (result == WRITER_OK)
			result = writer_commit(w);
	}
	if (result != WRITER_OK && !m->told)
		log_error("--stats-file: %s", writer_error(w));
	m->told = result != WRITER_OK;
	writer_free(w);
	return result;
}

struct metrics *metrics_open(const char *path, int64_t interval_us, enum writer_result *result)
{
	struct metrics *m = mem_zero(1, sizeof(*m));

	m->path = mem_strdup(path);
	m->interval_us = interval_us;
	m->start_ms = m->reloaded_ms = loop_wall_ms();
	*result = file_write(m, NULL);
	if (*result == WRITER_OK)
		return m;
	metrics_free(m);
	return NULL;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	free(m->path);
	free(m);
}

/* --- the watcher --------------------------------------------------------------------------- */

static void metrics_record(void *arg, const struct record *r)
{
	struct metrics *m = arg;

	if (r->rtt_us < 0)
		return;
	m->answered++;
	m->answered_us += (uint64_t)r->rtt_us;
}

static void count_remote(struct remote_result *sum, const struct remote_result *r)
{
	sum->messages += r->messages;
	sum->duplicates += r->duplicates;
	sum->late += r->late;
	sum->republished += r->republished;
	sum->dead += r->dead;
	sum->agents = r->agents;
	sum->sites = r->sites;
}

static void count_round(struct metrics *m, const struct master_result *r)
{
	m->rounds++;
	m->unwritten += r->written != WRITER_OK;
	m->duration_us += (uint64_t)r->elapsed_us;
	for (size_t i = 0; i < METRICS_BUCKETS; i++)
		m->bucket[i] += (double)r->elapsed_us / 1e6 <= metrics_edges[i];
	for (int s = 0; s < RECORD_STATUS_COUNT; s++)
		m->status[s] += r->status[s];
	stats_add(&m->stats, &r->stats);
	count_remote(&m->remote, &r->remote);
	m->deaths += r->deaths;
	m->lost += r->lost;
}

static void metrics_ended(void *arg, const struct master_result *r)
{
	struct metrics *m = arg;
	struct buf text = {0};

	count_round(m, r);
	metrics_put(&text, m, r, loop_wall_ms());
	file_write(m, &text);
	buf_free(&text);
}

struct watcher metrics_watcher(struct metrics *m)
{
	return (struct watcher){.arg = m, .record = metrics_record, .ended = metrics_ended};
}

void metrics_reloaded(struct metrics *m, bool good)
{
	m->reload_failed = !good;
	if (!good) {
		m->failed_reloads++;
		return;
	}
	m->reloads++;
	m->reloaded_ms = loop_wall_ms();
}

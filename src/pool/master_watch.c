/*
 * Who follows the run is told how far it is.
 *
 * Each watcher names the time when it wants to be called next, so that a run that nobody watches has no
 * tick. What it gets is copied together for the call: the master's own state is nobody's business.
 */
#include "pool/master_internal.h"

#include <stdlib.h>

#include "pool/proc.h"
#include "pool/watcher.h"

static uint64_t round_of(const struct master *m)
{
	return m->config->rounds ? m->config->rounds->schedule->rounds : 0;
}

static struct watcher_view view_of(const struct master *m)
{
	const struct master_result *r = m->result;
	struct watcher_view v = {.round = round_of(m),
				 .targets = plan_total(m->config->plan),
				 .in_flight = m->hands->in_flight(m),
				 .stats = &r->stats,
				 .elapsed_us = loop_now_us(m->loop) - m->start_us,
				 .deaths = r->deaths,
				 .ending = m->cancelled != NULL || m->last,
				 .signal = r->signal};

	for (int s = 0; s < RECORD_STATUS_COUNT; s++)
		v.status[s] = r->status[s];
	return v;
}

void watch_open(struct master *m)
{
	m->watch_us = mem_zero(m->config->nwatchers, sizeof(*m->watch_us));
	for (size_t i = 0; i < m->config->nwatchers; i++)
		m->watch_us[i] = m->config->watchers[i].tick != NULL ? m->start_us : LOOP_NEVER;
}

void watch_close(struct master *m)
{
	free(m->watch_us);
	m->watch_us = NULL;
}

/* Something came between of which no watcher's time knew. */
static bool has_news(const struct master *m)
{
	return m->result->signal != m->watch_signal || round_of(m) != m->watch_round;
}

int64_t watch_next_us(const struct master *m)
{
	int64_t next_us = LOOP_NEVER;

	if (has_news(m))
		return loop_now_us(m->loop);

	for (size_t i = 0; i < m->config->nwatchers; i++)
		if (m->watch_us[i] < next_us)
			next_us = m->watch_us[i];
	return next_us;
}

void watch_tick(struct master *m)
{
	int64_t now_us = loop_now_us(m->loop);
	bool news = has_news(m);

	m->watch_signal = m->result->signal;
	m->watch_round = round_of(m);
	for (size_t i = 0; i < m->config->nwatchers; i++) {
		const struct watcher *w = &m->config->watchers[i];
		struct watcher_view v;

		if (w->tick == NULL || (m->watch_us[i] > now_us && !news))
			continue;
		v = view_of(m);
		m->watch_us[i] = w->tick(w->arg, &v, now_us);
	}
}

void watch_asked(struct master *m)
{
	struct watcher_view v = view_of(m);

	for (size_t i = 0; i < m->config->nwatchers; i++)
		if (m->config->watchers[i].asked != NULL)
			m->config->watchers[i].asked(m->config->watchers[i].arg, &v);
}

void watch_record(const struct master *m, const struct record *r)
{
	for (size_t i = 0; i < m->config->nwatchers; i++)
		if (m->config->watchers[i].record != NULL)
			m->config->watchers[i].record(m->config->watchers[i].arg, r);
}

void watch_weigh(struct master *m)
{
	uint64_t octets = 0;

	for (unsigned i = 0; m->config->weigh && i < m->nworkers; i++)
		octets += m->children[i].proc.pid > 0 ? proc_memory(m->children[i].proc.pid) : 0;
	m->result->workers_memory = octets;
}

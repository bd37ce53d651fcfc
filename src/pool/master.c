/*
 * The master: owns the ledger, the children and the output; never parses a byte of the network.
 *
 * Waits for: records and counters of the workers, answers of the resolver, signals, the writer's
 * descriptor while something is buffered, and the nearest of: a child's silence, a respawn, the run's
 * deadline, the flush of a record that has waited long enough. Ends when every target has its record,
 * every child has stopped and everything is written; at once after a second signal or when the
 * output fails.
 *
 * A turn: sleep, serve what is ready, then what is due, then hand out what may be handed out, then
 * write and send. All bounds hang together here: a slow reader blocks the output, a blocked output is
 * no longer fed, workers that nobody reads keep their answers and then stop asking. Nothing is
 * dropped and nothing grows.
 *
 * The trap: an end that is noticed instead of counted. The run ends when the ledger owes nothing, the
 * plan is through and no name is open; then STOP goes out, and never earlier, for a late death needs
 * somebody who takes its targets.
 */
#include "pool/master_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Workers for PLAN_SESSIONS: each has one host at a time and is held by it for all its waits, if it is silent;
 * each is a process of some megabytes, on machines that have little else to do. */
#define SESSIONS_MAX 16
#define LEASE_SPARE  256 /* leases beyond the window: on their way, or waiting in the worker */

void master_close_leases(struct master *m, const char *words)
{
	if (m->cancelled != NULL)
		return;
	m->cancelled = words;
	names_release(m);
	resolver_leave(m);
}

/* Nothing new is asked, what is open ends as cancelled. */
void master_cancel(struct master *m, const char *words)
{
	master_close_leases(m, words);
	if (m->cancelled_us == LOOP_NEVER)
		children_cancel(m);
}

/* The first asks for a good end, the second for an end. */
static void signal_ready(void *arg, unsigned ready)
{
	struct master *m = arg;
	bool reload = false; /* once for all that came: files may be read no faster than that */
	int signal;

	(void)ready;
	while ((signal = signals_take(m->signals)) != 0) {
		if (m->config->feed != NULL)
			continue; /* they are for who feeds us */
		if (signals_asks(signal)) {
			watch_asked(m);
			continue;
		}
		if (rounds_hear(m, signal)) {
			reload = true;
			continue;
		}
		if (m->result->signal != 0)
			m->result->aborted = m->over = true;
		else
			m->result->signal = signal;
		if (m->config->rounds != NULL)
			rounds_signal(m);
		else
			master_cancel(m, "stopped by a signal");
	}
	if (reload)
		rounds_reload(m);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When what is open is to be cancelled; a signal that asks for a good end does not put it off. */
static int64_t deadline_us(const struct master *m)
{
	if (m->cancelled_us != LOOP_NEVER)
		return LOOP_NEVER;
	if (m->config->deadline_us == 0)
		return m->drain_us;
	return least(m->drain_us, m->start_us + m->config->deadline_us);
}

static int64_t master_next_us(const struct master *m)
{
	int64_t writer_us;

	if (m->resting)
		return least(least(children_next_us(m), watch_next_us(m)), rounds_next_us(m));
	writer_us = writer_next_us(m->writer); /* it waits for a lock until then */
	if (((m->busy || m->unread) && !m->blocked) || large_may_continue(m) ||
	    output_may_finish(m))
		return loop_now_us(m->loop);
	return least(least(least(children_next_us(m), deadline_us(m)),
			   least(watch_next_us(m), spread_next_us(m))),
		     writer_us == INT64_MAX ? m->flush_us : writer_us);
}

/* Hands out what may be handed out, takes back what nobody shall be asked. */
static void master_advance(struct master *m)
{
	if (deadline_us(m) <= loop_now_us(m->loop))
		master_cancel(m, "the deadline of the run came first");
	if (m->cancelled != NULL)
		leases_cancel(m);
	else
		leases_fill(m);
	names_ask(m);
	if (m->drained || leases_left(m))
		return;
	m->drained = true;
	watch_weigh(m);
	if (m->config->rounds == NULL)
		children_stop(m);
}

/* The output comes last of what may fill it: so whether it is blocked is true for the whole sleep. */
static void master_turn(struct master *m)
{
	int64_t late_us = loop_turn(m->loop, master_next_us(m));
	bool was_blocked = m->blocked;

	if (late_us > 0) { /* the others were stopped too */
		children_renew(m);
		spread_renew(m, late_us);
	}
	if (m->unread && !m->blocked)
		children_serve(m);
	children_times(m);
	if (m->resting) {
		refresh_ask(m);
	} else {
		master_advance(m);
		large_continue(m);
		output_turn(m);
	}
	rounds_turn(m);
	m->blocked = output_blocked(m);
	watch_tick(m);
	if (was_blocked && !m->blocked) /* whom we did not hear was not silent */
		children_renew(m);
	children_watch(m);
}

static bool is_done(const struct master *m)
{
	if (m->over)
		return true;
	if (m->config->rounds != NULL)
		return m->resting && m->stopping && !children_live(m);
	return m->laid_out && !children_live(m) && !writer_pending(m->writer);
}

/* A short list goes to all workers, or one would have it all and the others its share of the rate. What is fed comes
 * MASTER_BATCH at a time, or so. */
static unsigned batch_of(const struct master_config *c)
{
	uint64_t targets = c->feed != NULL ? MASTER_BATCH : plan_count(c->plan, PLAN_DATAGRAMS);
	uint64_t share = (targets + c->workers - 1) / c->workers;

	return share < 1 ? 1 : share < MASTER_BATCH ? (unsigned)share : MASTER_BATCH;
}

/* How many workers of which kind there are. A kind without targets has none, or its share of the rate would
 * be nobody's; an empty list still has workers that find nothing to do. */
static void count_workers(struct master *m)
{
	const struct plan *plan = m->config->plan;
	const struct master_feed *feed = m->config->feed;
	uint64_t sessions = feed != NULL ? feed->sessions : plan_count(plan, PLAN_SESSIONS);

	m->workers[PLAN_SESSIONS] = sessions < SESSIONS_MAX ? (unsigned)sessions : SESSIONS_MAX;
	if (sessions == 0 || feed != NULL || plan_count(plan, PLAN_DATAGRAMS) > 0)
		m->workers[PLAN_DATAGRAMS] = m->config->workers;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		m->nworkers += m->workers[kind];
}

static struct dispatch *ledger_of(const struct master *m)
{
	struct dispatch_kind kinds[PLAN_KINDS] = {
		[PLAN_DATAGRAMS] = {m->workers[PLAN_DATAGRAMS], m->config->window + LEASE_SPARE},
		[PLAN_SESSIONS] = {m->workers[PLAN_SESSIONS], 1},
	};

	return dispatch_new(kinds, PLAN_KINDS);
}

static bool master_open(struct master *m)
{
	count_workers(m);
	m->loop = loop_new();
	m->start_us = loop_now_us(m->loop);
	m->frame = mem_alloc(MASTER_FRAME);
	m->batch = batch_of(m->config);
	watch_open(m);
	m->cells = cells_new(m->nworkers);
	m->signals = signals_open();
	if (m->cells == NULL || m->signals == NULL) {
		log_error("cannot start: no memory or no descriptor for the run itself");
		return false;
	}
	m->dispatch = ledger_of(m);
	spread_open(m);
	loop_refresh(m->loop); /* no round is late because a long list was sorted */
	if (m->config->rounds != NULL)
		rounds_open(m);
	else
		round_begin(m);
	loop_watch(m->loop, signals_fd(m->signals), LOOP_READ, signal_ready, m);
	feed_open(m);
	children_start(m);
	children_watch(m);
	return true;
}

static void master_close(struct master *m)
{
	if (m->children != NULL)
		children_free(m);
	names_free(m);
	spread_close(m);
	parts_free(m);
	engines_free(m->engines);
	dispatch_free(m->dispatch);
	layout_free(m->layout);
	signals_close(m->signals, m->result->reload);
	watch_close(m);
	cells_free(m->cells, m->nworkers);
	buf_free(&m->scratch);
	free(m->frame);
	loop_free(m->loop);
}

void master_run(const struct master_config *config, struct master_result *result)
{
	struct master m = {.config = config,
			   .result = result,
			   .writer = config->writer,
			   .cancelled_us = LOOP_NEVER,
			   .drain_us = LOOP_NEVER,
			   .flush_us = LOOP_NEVER};

	*result = (struct master_result){.latency = histogram_new(), .written = WRITER_OK};
	if (master_open(&m))
		while (!is_done(&m))
			master_turn(&m);
	else
		result->failed = result->aborted = true;
	if (!m.resting)
		result->elapsed_us = loop_clock_us() - m.start_us;
	master_close(&m);
}

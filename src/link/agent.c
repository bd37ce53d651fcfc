/*
 * The agent: takes tasks of its site from a broker, gives them to cells, sends records back, acknowledges what is confirmed.
 *
 * Waits for: the process that speaks to the broker, cells, signals, and the nearest of: a child that says nothing or has
 * nothing to do, a window that pauses, a run that nobody explains, an end. It forks its children before anything comes from
 * elsewhere, and parses no byte of a device; what masters say is checked in batch.c.
 *
 * A drain (SIGTERM, or a control message): nothing more is taken; what waits goes back; cells finish what they have for DRAIN_US
 * and no longer; what they found is put, confirmed and acknowledged, the rest goes back; then the process to the broker is stopped.
 * At no time is a task in nobody's hands. A second signal ends it at once: the broker sees the connection close, and gives all that
 * was not acknowledged to others.
 *
 * Rejected: no supervisor but a master that speaks to the broker: two runs have two formats, and a worker formats what it
 * was forked with.
 *
 * The trap: the broker may be gone while we drain. Nobody knows when it comes back, so CONFIRM_US after the last cell the end comes
 * without it: what was not confirmed is polled again by others.
 */
#include "link/agent_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

#define DRAIN_US   30000000 /* default */
#define CONFIRM_US 10000000
#define STOP_US    5000000 /* the courier's, to close */

/* --- the end ---------------------------------------------------------------------------------- */

void agent_end_now(struct agent *a, enum agent_end end)
{
	a->end = end;
	a->over = true;
}

static int64_t drain_time_us(const struct agent *a)
{
	return a->config->drain_us > 0 ? a->config->drain_us : DRAIN_US;
}

void agent_drain(struct agent *a, enum agent_end end, const char *why)
{
	if (a->draining)
		return;
	log_info("%s: no more tasks are taken; what is in hand is finished", why);
	a->draining = a->left = true;
	a->end = end;
	a->drain_us = loop_now_us(a->loop) + drain_time_us(a);
	if (a->queue != NULL)
		queue_put(a->queue, COURIER_LEAVE, NULL, 0);
	batches_return(a, NULL);
	agent_cells_stop(a, false);
}

enum drain { /* what is waited for, one after the other */
	DRAIN_CELLS,
	DRAIN_CONFIRMS,
	DRAIN_COURIER,
	DRAIN_OVER
};

static enum drain drain_state(const struct agent *a)
{
	if (agent_cells_live(a))
		return DRAIN_CELLS;
	if (a->nbatches > 0 || window_open(a->window) > 0)
		return DRAIN_CONFIRMS;
	if (a->courier_stopped) /* until it has ended: agent_close() would kill it */
		return a->queue != NULL ? DRAIN_COURIER : DRAIN_OVER;
	return a->puts || a->takes ? DRAIN_COURIER : DRAIN_OVER;
}

/* Its time is over: goes on without. */
static void drain_expire(struct agent *a, enum drain state)
{
	if (state == DRAIN_CELLS) {
		log_info("what is still in hand goes back");
		agent_cells_stop(a, true);
		for (unsigned i = 0; i < AGENT_CELLS; i++)
			batches_return(a, &a->cells[i]);
		a->drain_us = loop_now_us(a->loop) + CONFIRM_US;
	} else {
		if (state == DRAIN_CONFIRMS)
			log_warning("the broker does not confirm; what was not is polled again by "
				    "others");
		a->over = true;
	}
}

/* The courier is told once: then it has STOP_US. */
static void drain_turn(struct agent *a, enum drain *was)
{
	enum drain state = drain_state(a);

	if (state == DRAIN_CONFIRMS && *was == DRAIN_CELLS)
		a->drain_us = loop_now_us(a->loop) + CONFIRM_US;
	if (state == DRAIN_COURIER && *was != DRAIN_COURIER) {
		queue_put(a->queue, COURIER_STOP, &(uint8_t){0}, 1);
		a->drain_us = loop_now_us(a->loop) + STOP_US;
	}
	*was = state;
	if (state == DRAIN_OVER)
		a->over = true;
	else if (a->drain_us <= loop_now_us(a->loop))
		drain_expire(a, state);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* How far it is: what watchers are told. */
static struct watcher_view view_of(const struct agent *a)
{
	const struct agent_result *r = a->result;
	struct watcher_view v = {.targets = r->tasks,
				 .stats = &r->sum.stats,
				 .elapsed_us = loop_now_us(a->loop) - a->start_us,
				 .ending = a->draining,
				 .waits = a->why[0] != '\0' ? a->why : NULL,
				 .signal = a->draining && r->signal == 0 ? SIGTERM : r->signal};

	for (unsigned i = 0; i < AGENT_CELLS; i++)
		v.in_flight += a->cells[i].open;
	for (int s = 0; s < RECORD_STATUS_COUNT; s++)
		v.status[s] = r->sum.status[s];
	return v;
}

static void reload(struct agent *a)
{
	if (a->draining || !a->config->reload(a->config->reload_arg))
		return;
	log_info("reloaded: what is taken from now on is polled by the new configuration");
	agent_cells_stop(a, false);
}

static void hear(struct agent *a, int signal)
{
	struct watcher_view v = view_of(a);

	if (signals_asks(signal)) {
		for (size_t i = 0; i < a->config->nwatchers; i++)
			if (a->config->watchers[i].asked != NULL)
				a->config->watchers[i].asked(a->config->watchers[i].arg, &v);
	} else if (signal == SIGHUP && a->config->reload != NULL) {
		reload(a);
	} else if (a->result->signal != 0) {
		a->result->signal = signal;
		agent_end_now(a, AGENT_HURRIED);
	} else {
		a->result->signal = signal;
		agent_drain(a, AGENT_DRAINED, "stopped by a signal");
	}
}

static void signal_ready(void *arg, unsigned ready)
{
	struct agent *a = arg;
	int signal;

	(void)ready;
	while ((signal = signals_take(a->signals)) != 0)
		hear(a, signal);
}

/* --- watchers --------------------------------------------------------------------------------- */

/* From the first turn: a manager is told that we serve, though we may wait for the broker, and that we live. */
static void watch_turn(struct agent *a)
{
	struct watcher_view v = view_of(a);
	int64_t now_us = loop_now_us(a->loop);

	for (size_t i = 0; i < a->config->nwatchers; i++) {
		const struct watcher *w = &a->config->watchers[i];

		if (w->tick != NULL && (a->watch_us[i] <= now_us || (a->draining && !a->told)))
			a->watch_us[i] = w->tick(w->arg, &v, now_us);
	}
	a->told = a->draining;
}

static int64_t watch_next_us(const struct agent *a)
{
	int64_t next_us = LOOP_NEVER;

	for (size_t i = 0; i < a->config->nwatchers; i++)
		if (a->config->watchers[i].tick != NULL && a->watch_us[i] < next_us)
			next_us = a->watch_us[i];
	return next_us;
}

/* --- the loop --------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t agent_next_us(const struct agent *a)
{
	int64_t next_us = least(courier_next_us(a), window_next_us(a->window));

	next_us = least(least(next_us, batches_next_us(a)), agent_cells_next_us(a));
	next_us = least(next_us, cells_hang_next_us(a));
	return least(least(next_us, watch_next_us(a)), a->drain_us);
}

static void agent_turn(struct agent *a, enum drain *drain)
{
	loop_turn(a->loop, agent_next_us(a));
	window_turn(a->window, loop_now_us(a->loop));
	courier_times(a);
	batches_turn(a);
	if (agent_cells_serve(a))
		batches_turn(a); /* what is put now lets the next dangerous one go */
	agent_cells_times(a);
	cells_hang_times(a);
	if (a->draining && !a->over)
		drain_turn(a, drain);
	watch_turn(a);
	agent_cells_watch(a);
	courier_watch(a);
}

static bool agent_open(struct agent *a)
{
	a->loop = loop_new();
	a->start_us = loop_now_us(a->loop);
	a->signals = signals_open();
	if (a->signals == NULL || getentropy(&a->incarnation, sizeof(a->incarnation)) != 0) {
		log_error("cannot start: no descriptor or no randomness for the agent itself");
		return false;
	}
	a->window = window_new();
	a->slots = slots_new(AGENT_CELLS);
	a->watch_us = mem_zero(a->config->nwatchers, sizeof(*a->watch_us));
	loop_watch(a->loop, signals_fd(a->signals), LOOP_READ, signal_ready, a);
	courier_birth(a);
	return true;
}

static void agent_close(struct agent *a)
{
	agent_cells_free(a);
	courier_free(a);
	batches_free(a);
	runs_free(a);
	free(a->watch_us);
	if (a->window != NULL)
		window_free(a->window);
	slots_free(a->slots);
	signals_close(a->signals, false);
	loop_free(a->loop);
}

enum agent_end agent_run(const struct agent_config *config, struct agent_result *result)
{
	struct agent a = {.config = config,
			  .result = result,
			  .courier = {.fd = -1},
			  .respawn_us = LOOP_NEVER,
			  .pause_us = 100000,
			  .spawn_pause_us = 100000,
			  .drain_us = LOOP_NEVER};
	enum drain drain = DRAIN_CELLS;

	for (unsigned i = 0; i < AGENT_CELLS; i++)
		a.cells[i] = (struct agent_cell){.agent = &a, .proc = {.fd = -1}};
	*result = (struct agent_result){.sum = {.latency = histogram_new()}};
	if (agent_open(&a))
		while (!a.over)
			agent_turn(&a, &drain);
	else
		a.end = AGENT_FAILED;
	result->sum.elapsed_us = loop_clock_us() - a.start_us;
	agent_close(&a);
	return a.end;
}

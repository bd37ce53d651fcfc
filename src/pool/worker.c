/*
 * A worker's life: tasks from its task_queue, an engine, records to its done_queue.
 *
 * Waits for: its queue, the engine's sockets, the engine's next deadline. Answers: a STATS and the
 * RECORDs of each turn, PONG, and STOPPED when all that it had in hand before STOP is answered. Exits: 0
 * after STOPPED or at end of file, which means that the master is gone and nobody wants to know;
 * other than 0 when it cannot do its work.
 *
 * The design: one turn collects, then one write carries all. worker_records.c puts what it collects.
 *
 * Back-pressure: when the master does not read (its own reader is slow), the backlog grows by what
 * the engine still completes; above one mark nothing new is started, above a second the engine
 * is held. Nothing is dropped, and the memory is bounded by the marks and one turn's records.
 *
 * The trap: tasks may come faster than the engine takes them, and what they borrow lies in the queue's
 * buffer. They wait packed, as they came, and are unpacked when there is room.
 */
#include "pool/worker_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pool/message.h"
#include "snmp/trace.h"

#define BACKLOG_LOW  ((size_t)256 << 10) /* octets: below, new tasks are started */
#define BACKLOG_HIGH ((size_t)4 << 20)   /* octets: above, the engine is held */

enum exit_status {
	EXIT_GOOD,
	EXIT_PROTOCOL,
	EXIT_NO_ENGINE,
	EXIT_NO_SANDBOX
};

static void leave(struct worker *w, enum exit_status status)
{
	w->leaving = true;
	w->exit_status = (int)status;
}

/* A task that the engine never saw. */
static void record_cancelled(struct worker *w, const struct task *task)
{
	struct record r = {.host = task->host,
			   .time_ms = loop_wall_ms(),
			   .status = RECORD_CANCELLED,
			   .rtt_us = -1,
			   .message = "stopped before it was asked"};

	if (task->naddrs > 0)
		r.addr = task->addrs[0];
	record_done(w, task, &r);
}

/* --- tasks -------------------------------------------------------------------------------- */

static bool may_start(const struct worker *w)
{
	return w->cancelled || w->closed ||
	       (engine_room(w->engine) > 0 && queue_backlog(w->queue) < BACKLOG_LOW);
}

static void task_start(struct worker *w, const struct task *task)
{
	if (w->session != NULL)
		sessions_start(w, task);
	engine_start(w->engine, task);
}

/* Starts tasks from r as long as there is room. False: they are not what task_pack() makes. */
static bool tasks_start(struct worker *w, struct wire_in *r)
{
	struct task_store store;
	struct task task;

	while (r->at < r->end && may_start(w)) {
		if (!task_unpack(&task, &store, r) || task.profile >= w->config->nprofiles)
			return false;
		if (w->cancelled || w->closed)
			record_cancelled(w, &task);
		else
			task_start(w, &task);
	}
	return true;
}

static bool tasks_take(struct worker *w, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	if (w->waiting.len == 0 && !tasks_start(w, &r))
		return false;
	if (r.at < r.end)
		buf_put(&w->waiting, r.at, (size_t)(r.end - r.at));
	return true;
}

static bool waiting_start(struct worker *w)
{
	struct wire_in r;

	if (w->waiting.len == 0)
		return true;
	r = (struct wire_in){.at = w->waiting.data + w->waiting_start,
			     .end = w->waiting.data + w->waiting.len};
	if (!tasks_start(w, &r))
		return false;
	w->waiting_start = (size_t)(r.at - w->waiting.data);
	if (w->waiting_start * 2 >= w->waiting.len) { /* moving costs less than has been started */
		buf_consume(&w->waiting, w->waiting_start);
		w->waiting_start = 0;
	}
	return true;
}

/* --- the queue ---------------------------------------------------------------------------- */

static bool rate_take(struct worker *w, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint32_t per_1000_s = wire_get_u32(&r);

	if (r.bad)
		return false;
	engine_set_rate(w->engine, per_1000_s / 1000.0);
	return true;
}

static bool frame_take(struct worker *w, const struct queue_frame *f)
{
	switch (f->kind) {
	case MESSAGE_TASKS:
		return tasks_take(w, f);
	case MESSAGE_RATE:
		return rate_take(w, f);
	case MESSAGE_PING:
		queue_put(w->queue, MESSAGE_PONG, NULL, 0);
		return true;
	case MESSAGE_CANCEL:
		w->cancelled = true;
		engine_cancel(w->engine);
		return true;
	case MESSAGE_DRAIN:
		w->closed = true;
		engine_drain(w->engine);
		return true;
	case MESSAGE_RESUME:
		w->cancelled = w->closed = false;
		engine_resume(w->engine);
		return true;
	case MESSAGE_STOP:
		w->stopping = true;
		return true;
	default:
		return false;
	}
}

static void queue_ready(void *arg, unsigned ready)
{
	struct worker *w = arg;
	enum queue_state state;
	struct queue_frame f;

	if (!(ready & LOOP_READ))
		return; /* it takes octets again: the turn's end flushes */
	state = queue_read(w->queue);
	while (queue_next(w->queue, &f))
		if (!frame_take(w, &f)) {
			log_error("worker: the master sent what is not a message for it");
			leave(w, EXIT_PROTOCOL);
			return;
		}
	if (state != QUEUE_OPEN)
		leave(w, state == QUEUE_END ? EXIT_GOOD : EXIT_PROTOCOL);
}

/* --- the process -------------------------------------------------------------------------- */

static bool has_tasks(const struct worker *w)
{
	return w->waiting.len > 0 || engine_tasks(w->engine) > 0;
}

/* After STOP: the last counters, and that this was all. */
static void stop_if_done(struct worker *w)
{
	if (!w->stopping || w->stopped || has_tasks(w))
		return;
	stats_reserve(w);
	stats_fill(w);
	queue_put(w->queue, MESSAGE_STOPPED, NULL, 0);
	w->stopped = true;
}

/* Writes what goes and draws the consequences of what stays. */
static void turn_end(struct worker *w)
{
	size_t backlog;

	stats_fill(w);
	stop_if_done(w);
	if (!queue_flush(w->queue)) {
		leave(w, EXIT_GOOD);
		return;
	}
	backlog = queue_backlog(w->queue);
	if (backlog > BACKLOG_HIGH)
		engine_hold(w->engine, true);
	else if (backlog < BACKLOG_LOW)
		engine_hold(w->engine, false);
	loop_want(w->loop, queue_fd(w->queue), LOOP_READ | (backlog > 0 ? LOOP_WRITE : 0));
	if (w->stopped && backlog == 0)
		leave(w, EXIT_GOOD);
}

/* Tasks wait, and nothing that the loop would wake up for keeps them from being started. */
static int64_t next_us(const struct worker *w)
{
	if (w->waiting.len > 0 && may_start(w))
		return loop_now_us(w->loop);
	return engine_next_us(w->engine);
}

static void worker_turn(struct worker *w)
{
	int64_t late_us = loop_turn(w->loop, next_us(w));

	if (w->leaving)
		return;
	if (w->session != NULL)
		late_us = sessions_late_us(w, late_us);
	if (late_us > 0)
		engine_renew(w->engine, late_us);
	if (!waiting_start(w)) {
		log_error("worker: the master sent a task that is none");
		leave(w, EXIT_PROTOCOL);
		return;
	}
	engine_work(w->engine);
	turn_end(w);
}

static bool engine_open(struct worker *w)
{
	struct engine_config config = {
		.profiles = w->config->profiles,
		.nprofiles = w->config->nprofiles,
		.window = w->config->window,
		.source4 = w->config->source4,
		.source6 = w->config->source6,
		.at_work = w->at_work,
		.done = record_done,
		.rows = rows_ahead,
		.arg = w,
	};
	char error[256];

	w->trace = w->config->debug ? trace_new() : NULL;
	config.trace = w->trace;
	if (w->config->sessions && !sessions_open(w, &config))
		return false;
	w->engine = engine_new(&config, error, sizeof(error));
	if (w->engine == NULL) {
		log_error("worker: %s", error);
		return false;
	}
	engine_attach(w->engine, w->loop);
	return true;
}

/* Not before all that takes rights is open, and not after the first packet. */
static bool enter_sandbox(const struct worker *w)
{
	const struct worker_config *c = w->config;

	return c->sandbox == NULL ||
	       sandbox_enter(c->sandbox, c->sessions ? SANDBOX_SESSION : SANDBOX_WORKER);
}

int worker_main(const struct worker_config *config, int fd, _Atomic uint64_t *at_work)
{
	struct worker w = {
		.config = config,
		.at_work = at_work,
		.loop = loop_new(),
		.queue = queue_new(fd),
	};

	if (!engine_open(&w))
		leave(&w, EXIT_NO_ENGINE);
	else if (!enter_sandbox(&w))
		leave(&w, EXIT_NO_SANDBOX);
	else
		loop_watch(w.loop, fd, LOOP_READ, queue_ready, &w);
	while (!w.leaving)
		worker_turn(&w);
	if (w.engine != NULL)
		engine_free(w.engine);
	session_free(w.session);
	trace_free(w.trace);
	queue_free(w.queue);
	loop_free(w.loop);
	buf_free(&w.waiting);
	buf_free(&w.scratch);
	return w.exit_status;
}

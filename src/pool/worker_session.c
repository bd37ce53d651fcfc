/*
 * What is different in a worker of the second kind, which asks one host at a time, over a stream.
 *
 * The same loop, queue and engine; only what carries the messages is a session. Connecting blocks all of
 * it, for as long as the host may be silent: the master knows, and looks after its time.
 *
 * One host at a time makes two things simple. Whatever the process dies of is to be charged to that
 * host, the library's part in it too, so it is at work from its start to its record. And the end of
 * a record is the end of the connection.
 *
 * The trap: the loop takes a long stretch between two turns for a stop of the whole machine, and has all
 * waits renewed. The stretch in which we blocked is none.
 */
#include "pool/worker_internal.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

static void session_done(void *arg, const struct task *task, const struct record *r)
{
	struct worker *w = arg;

	record_done(w, task, r);
	session_end(w->session);
	atomic_store_explicit(w->at_work, 0, memory_order_relaxed);
}

bool sessions_open(struct worker *w, struct engine_config *engine)
{
	w->session = session_new(&w->config->source4, &w->config->source6);
	if (w->session == NULL) {
		log_error("worker: no descriptor for sessions: %s", strerror(errno));
		return false;
	}
	engine->carrier = &carrier_session;
	engine->carried = w->session;
	engine->at_work = &w->unwatched;
	engine->done = session_done;
	return true;
}

void sessions_start(struct worker *w, const struct task *task)
{
	atomic_store_explicit(w->at_work, task->seq + 1, memory_order_relaxed);
	session_begin(w->session, task, &w->config->profiles[task->profile]);
}

int64_t sessions_late_us(struct worker *w, int64_t late_us)
{
	late_us -= session_blocked_us(w->session);
	return late_us > LOOP_LATE_US ? late_us : 0;
}

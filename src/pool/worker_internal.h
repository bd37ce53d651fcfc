/*
 * worker_internal - what the files of the worker share; private to it.
 */
#ifndef POOL_WORKER_INTERNAL_H
#define POOL_WORKER_INTERNAL_H

#include <stdbool.h>

#include "base/loop.h"
#include "base/mem.h"
#include "pool/queue.h"
#include "pool/worker.h"
#include "snmp/engine.h"
#include "snmp/session.h"

struct worker {
	struct trace *trace; /* --debug; else NULL */
	const struct worker_config *config;
	_Atomic uint64_t *at_work;
	struct loop *loop;
	struct queue *queue; /* read: the task_queue; put: the done_queue */
	struct engine *engine;
	struct session *session; /* NULL: the engine has UDP sockets of its own */
	_Atomic uint64_t
		unwatched;    /* what the engine is at work on: with sessions that is no news */
	struct buf waiting;   /* tasks without room, packed */
	size_t waiting_start; /* octets of it that are started */
	struct buf scratch;   /* a record's octets */
	size_t stats_place;   /* of this turn's STATS frame */
	bool stats_reserved;
	bool cancelled; /* CANCEL was read */
	bool closed;    /* tasks that were not begun are not */
	bool stopping;  /* STOP was read */
	bool stopped;   /* STOPPED is in the queue */
	bool leaving;
	int exit_status;
};

void stats_reserve(struct worker *w); /* before the first record of a turn, and at the end */
void stats_fill(struct worker *w);    /* at the turn's end, before the queue is flushed */

/* What the engine calls; arg is the worker. */
void rows_ahead(void *arg, const struct task *task, const struct record *r);
void record_done(void *arg, const struct task *task, const struct record *r);

/* worker_session.c: what is different in a worker of the second kind */
bool sessions_open(struct worker *w, struct engine_config *engine); /* false: was told to the log */
void sessions_start(struct worker *w, const struct task *task);     /* before engine_start() */
int64_t sessions_late_us(struct worker *w, int64_t late_us); /* less what we blocked ourselves */

#endif

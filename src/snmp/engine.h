/*
 * engine - tasks in, records out: every exchange with a device happens in here.
 *
 * One engine a worker. It owns the UDP sockets, knows no queue, no process, no plan and no
 * configuration, and never waits: the worker's loop calls it. Callbacks never run inside the call
 * that started the work: a task given to engine_start() ends in a later engine_work() or in a
 * socket callback of the loop.
 */
#ifndef SNMP_ENGINE_H
#define SNMP_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/record.h"
#include "base/stats.h"
#include "base/profile.h"
#include "base/task.h"

/* task and record are lent for the time of the call. Exactly one call for each task started. */
typedef void (*engine_done_fn)(void *arg, const struct task *task, const struct record *record);

/* Rows of a record so far, which is not over: what goes ahead is not in the record handed to done, whose
 * `ahead` counts it. r has host, addr, vars and ahead (the rows given before these); the rest is not known
 * yet. Lent for the time of the call. */
typedef void (*engine_rows_fn)(void *arg, const struct task *task, const struct record *r);

struct engine_config {
	const struct profile *profiles; /* lent for the engine's life */
	size_t nprofiles;
	unsigned window;     /* requests in flight, 1 to ENGINE_WINDOW_MAX */
	struct addr source4; /* address to send from; family 0: any */
	struct addr source6;
	const struct carrier *carrier; /* what carries the messages; NULL: UDP sockets of its own */
	void *carried;                 /* its first argument; lent */
	_Atomic uint64_t
		*at_work; /* seq + 1 of the target at work, 0 between; shared with the master */
	engine_done_fn done;
	engine_rows_fn rows; /* called when a record has become large */
	void *arg;
	struct trace *trace; /* --debug: each datagram in words; NULL: none. Lent */
	uint64_t octets_max; /* of the answers of a record; 0: ENGINE_OCTETS_MAX */
};
#define ENGINE_WINDOW_MAX 65536
/* Whoever keeps a record until it is over needs room for about twice that, or tenfold where rows are tiny.
 * max_vars alone would let a device of long values fill any disk; ten million ordinary rows have less. */
#define ENGINE_OCTETS_MAX ((uint64_t)1 << 30)

struct engine;

/* Opens the sockets and builds the request templates. NULL: error holds why (no socket at all). */
struct engine *engine_new(const struct engine_config *config, char *error, size_t len);
void engine_free(struct engine *e); /* tasks still in hand are dropped without a record */
void engine_attach(struct engine *e, struct loop *loop); /* its sockets join the loop */

unsigned engine_room(const struct engine *e);  /* how many more tasks it takes at this moment */
unsigned engine_tasks(const struct engine *e); /* tasks in hand: started and without a record */
void engine_start(struct engine *e, const struct task *task); /* copies; there must be room */

/* Fires what is due and sends what may be sent. Call once a turn, after the loop's callbacks. */
void engine_work(struct engine *e);
int64_t engine_next_us(const struct engine *e); /* when engine_work() is wanted next; LOOP_NEVER */
void engine_renew(struct engine *e, int64_t late_us); /* after a late turn, before engine_work() */

/* Requests per second that this engine may send, retries included; 0: no limit. */
void engine_set_rate(struct engine *e, double pps);
/* Back-pressure: while held nothing new is sent, nothing is received and no timer fires; what was
 * held is added to all deadlines at release. */
void engine_hold(struct engine *e, bool hold);
/* Nothing is sent any more; all in hand ends as cancelled in the next engine_work(), held or not. */
void engine_cancel(struct engine *e);
void engine_drain(struct engine *e);  /* only what nobody was asked for yet does */
void engine_resume(struct engine *e); /* once that is done: what comes now is asked again */

void engine_take_stats(struct engine *e, struct stats *delta); /* since the last call */

#endif

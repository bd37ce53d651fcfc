/*
 * timer - deadlines that sit inside the things that they time (an intrusive 4-ary heap).
 *
 * Equal deadlines fire in the order in which they were started. Due timers are all moved to a list
 * before any is handed out, so that a timer started while serving cannot fire in the same round.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} is one that is not running. It must be stopped before its memory goes away. */
struct timer {
	int64_t due_us; /* less the set's shift; private */
	uint64_t order; /* start order; private */
	size_t at;      /* its place + 1 in the heap or in the due list, 0 = not running; private */
	bool due;       /* it is in the due list; private */
};

struct timers; /* the set */

struct timers *timers_new(void);
void timers_free(struct timers *ts); /* the timers themselves are their owners' */

/* Restarts a running one. One that shall never fire is not started: INT64_MAX is no due_us. */
void timer_start(struct timers *ts, struct timer *t, int64_t due_us);
void timer_stop(struct timers *ts, struct timer *t); /* harmless when not running; also while due */
bool timer_running(const struct timer *t); /* started, and neither stopped nor handed out */

/* INT64_MAX when there is none; 0, long past, while due ones wait to be handed out. */
int64_t timers_next_us(const struct timers *ts);

/* Collect what is due at now, then hand out one after the other until NULL. Every one handed out is
 * stopped already. */
void timers_collect(struct timers *ts, int64_t now_us);
struct timer *timers_pop_due(struct timers *ts);

/* All running deadlines move by late_us >= 0 (a late turn, DESIGN.md invariant 6), in constant time.
 * What was collected before stays due: so renew first, then collect. */
void timers_renew(struct timers *ts, int64_t late_us);

#endif

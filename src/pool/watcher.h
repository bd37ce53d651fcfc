/*
 * watcher - who follows a run without being part of it: the progress line, the summary, a service manager,
 * metrics of our own. main gives the master a list of them; the master knows none of them by name.
 *
 * All is called from the master's loop: it must neither block nor fail.
 */
#ifndef POOL_WATCHER_H
#define POOL_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/record.h"
#include "base/stats.h"

struct master_result;

/* How far a run is, or with --interval its round. */
struct watcher_view {
	uint64_t round;                       /* from 1; 0: there are no rounds */
	uint64_t targets;                     /* all of them, records or not */
	uint64_t status[RECORD_STATUS_COUNT]; /* records so far; their sum grows to targets */
	uint64_t in_flight;                   /* targets with workers now */
	const struct stats *stats;            /* so far */
	int64_t elapsed_us;                   /* since it began */
	unsigned deaths;                      /* of workers and resolvers so far */
	bool ending;       /* by a signal or the deadline: nothing new is asked */
	int signal;        /* that ends the run; 0 */
	const char *waits; /* an agent's, for its broker: why; NULL: it does not */
};

/* Each function may be NULL. */
struct watcher {
	void *arg;
	/* When its time has come; now_us is the loop's. Returns when to be called next, LOOP_NEVER: not for the time's
	 * sake. Besides, when the run or a round begins and when a signal ends it. */
	int64_t (*tick)(void *arg, const struct watcher_view *v, int64_t now_us);
	/* A person wants to know now: SIGUSR1, and SIGINFO where there is one. */
	void (*asked)(void *arg, const struct watcher_view *v);
	/* A record was counted. Of r there are host (NULL: the address), addr, status, rtt_us, tries, and
	 * message where the master itself made the record; lent for the call. */
	void (*record)(void *arg, const struct record *r);
	/* The run, or a round, is over and its output is committed, or could not be. */
	void (*ended)(void *arg, const struct master_result *r);
};

#endif

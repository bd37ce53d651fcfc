/*
 * rounds - polling in rounds, as main tells the master of it.
 */
#ifndef POOL_ROUNDS_H
#define POOL_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct master_result;
struct writer;

/* Where in time the rounds are. Lent by main, so that it holds over several master_run()s; {0} before the first. */
struct master_schedule {
	int64_t start_us; /* of the first round, CLOCK_MONOTONIC */
	uint64_t next;    /* the next round begins so many intervals later */
	uint64_t rounds;  /* begun so far */
	int64_t begun_us; /* when one last began, or might have; before: when all began */
	uint64_t turn;    /* by which the instants of targets are turned, once one was */
	bool turned;
};

/* Polling in rounds, at a fixed rate; none begins before the one before is over. */
struct master_rounds {
	int64_t interval_us; /* from begin to begin */
	bool spread;         /* each target at its own instant of it; else all at the begin */
	struct master_schedule *schedule;
	void *arg;
	/* A round begins: its output, opened, lent until end(). NULL: there is none, which was told; then the round
	 * is left out. */
	struct writer *(*begin)(void *arg);
	/* It is over, and all of its output was flushed or has failed (r->written): to be committed. False: there
	 * can be no other. */
	bool (*end)(void *arg, const struct master_result *r);
	/* SIGHUP. True: what is polled is to be another plan: master_run() returns when the round is over, with
	 * r->reload, to be called with that. NULL: it ends the run like SIGTERM. */
	bool (*reload)(void *arg);
};

#endif

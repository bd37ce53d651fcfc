/*
 * agent_runs - what is known of runs; private to the agent.
 */
#ifndef LINK_AGENT_RUNS_H
#define LINK_AGENT_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/run.h"

struct agent;
struct batch;

struct known_run {
	uint64_t number; /* 0: the place is free */
	struct run_pieces *pieces;
	struct run run; /* lends from pieces; only if known */
	bool known, over;
	bool refused; /* no cell can make sense of it */
	bool waits;   /* for a cell, which was told */
	bool some_cancelled;
	uint64_t cancelled; /* batches up to this one are, if some are */
	int64_t used_us;
};

struct known_run *run_find(struct agent *a, uint64_t number); /* NULL */
struct known_run *run_get(struct agent *a, uint64_t number);
void run_control(struct agent *a, const uint8_t *p, size_t len); /* a body from all masters */
void run_need(struct agent *a, struct batch *b);
/* A question about it lies in its master's queue; or there is none. */
void run_asked(struct agent *a, uint64_t number, bool heard);
bool run_is_wanted(struct agent *a, const struct batch *b); /* not over, cancelled or too late */
void runs_free(struct agent *a);

#endif

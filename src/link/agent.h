/*
 * agent - takes tasks of its site from a broker, has them polled by cells, one for each run, and sends their records back.
 *
 * Its order is: polled, put, confirmed, and then the tasks are acknowledged. Any death gives a repeat, never a loss.
 */
#ifndef LINK_AGENT_H
#define LINK_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stats.h"
#include "link/run.h"
#include "pool/master.h"

#define AGENT_CELL_WRONG 2 /* a cell's exit status: the run's description makes no sense here */

struct agent_config { /* all is lent */
	const char *name, *site;
	const char *where; /* the broker, for a person */
	/* What children do (courier_main(), and a master_run() with link/cell.h); their exit status. A cell of a run's
	 * dangerous tasks (`alone`) has few at a time. What is shared (link/slots.h) goes into their configs. */
	int (*courier)(const void *arg, const uint8_t *shared, size_t shared_len, int queue_fd);
	const void *courier_arg;
	int (*cell)(const void *arg, const struct run *run, bool alone, uint8_t *slots,
		    int queue_fd);
	const void *cell_arg;
	/* SIGHUP: reads again what cells inherit. False: it is wrong, which was told. NULL: ends like SIGTERM */
	bool (*reload)(void *arg);
	void *reload_arg;
	double rate_pps; /* the agent's own limit, over all runs; 0: none */
	const struct watcher *watchers;
	size_t nwatchers;
	/* For tests; 0: as here */
	int64_t drain_us; /* what is in hand may take so long at the end: 30 s */
	int64_t need_us;  /* until a batch of an unknown run goes back: 10 s */
	int64_t idle_us;  /* until a cell without tasks ends: 5 min */
	int64_t silence_us; /* until the courier, or a cell, is asked, and again until it is killed: 15 s */
	size_t runs_max; /* octets of all runs' descriptions: 128 MiB */
};

enum agent_end {
	AGENT_DRAINED,
	AGENT_HURRIED,   /* by a second signal: what was in hand goes to others */
	AGENT_NO_BROKER, /* it will not have us, which was told */
	AGENT_FAILED     /* no child can live, or no process, socket or memory; was told */
};

struct agent_result {
	uint64_t batches, tasks;  /* taken */
	uint64_t returned;        /* batches that went back */
	uint64_t dropped;         /* tasks that were too late, or that nobody wanted any more */
	uint64_t unheard;         /* messages of results for whom there was no queue */
	struct master_result sum; /* of all cells, as far as it goes; the caller frees latency */
	int signal;
};

enum agent_end agent_run(const struct agent_config *config, struct agent_result *result);

#endif

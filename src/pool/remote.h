/*
 * remote - polling by agents beyond a broker, as main tells the master of it, and what came of it besides records.
 */
#ifndef POOL_REMOTE_H
#define POOL_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/journal.h"
#include "link/ledger.h"
#include "link/run.h"

/* All is lent. */
struct remote_config {
	/* What the courier does after the fork (link/courier.h), with its argument. */
	int (*courier)(const void *arg, int queue_fd);
	const void *courier_arg;
	const struct run *run; /* as all agents are told; rate is ours to set */
	unsigned attempts;     /* how often a task is published at most; 0: 3 */
	/* So long nothing may come of a site that has tasks in hand, before they are published again; twice as long each
	 * time after that. 0: what its slowest host can take, and 5 s; at least 10 s */
	int64_t patience_us;
	int64_t silence_us; /* of the courier, before it is asked; 0: 15 s */
	int64_t ttl_us;     /* of task messages; 0: none. As the courier has it */
	/* --resume: tasks whose records stand in the output already; NULL: none */
	const struct ledger *taken;
	const struct journal_sums *begun; /* and what came of them; NULL as above */
	struct journal *journal;          /* of what is on disk; NULL: nobody keeps one */
};

struct remote_result {
	uint64_t messages;    /* of results, that were taken */
	uint64_t duplicates;  /* records of tasks that had one */
	uint64_t late;        /* of rounds that are over */
	uint64_t republished; /* tasks, each time */
	uint64_t dead;        /* given up by the broker, one `crashed` record each */
	uint64_t resumed;     /* records that stood there before */
	unsigned agents;      /* that brought results */
	unsigned sites;       /* of the plan */
};

#endif

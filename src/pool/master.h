/*
 * master - owns the ledger, the children and the output; never parses a byte of the network.
 */
#ifndef POOL_MASTER_H
#define POOL_MASTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/record.h"
#include "base/stats.h"
#include "out/layout.h"
#include "out/writer.h"
#include "plan/plan.h"
#include "pool/feed.h"
#include "pool/memory.h"
#include "pool/remote.h"
#include "pool/rounds.h"
#include "pool/watcher.h"

struct format_options;

struct master_config {
	struct plan *plan;     /* lent */
	struct writer *writer; /* lent, opened; of rounds each has its own, see there */
	const struct master_rounds *rounds; /* lent; NULL: one run and its end */
	const struct master_feed *feed; /* lent: the plan is fed from there; NULL: it is as it is */
	struct memory *memory; /* lent: of hosts, from round to round; NULL: nothing is kept */
	/* Lent. Agents poll: there are no workers and no resolver of ours. NULL: there are. */
	const struct remote_config *remote;
	/* What a child does after the fork; its value is its exit status (worker_main and
	 * resolver_main, which stand in the master's own layer and so come from main). */
	int (*worker)(const void *arg, int queue_fd, _Atomic uint64_t *at_work);
	const void *worker_arg;
	const void *session_arg; /* of the workers for PLAN_SESSIONS */
	int (*resolver)(const void *arg, int queue_fd);
	const void *resolver_arg;
	unsigned window;    /* of each worker: bounds what may be leased to it */
	unsigned workers;   /* how many to keep; those for PLAN_SESSIONS come on top */
	double rate_pps;    /* all workers together; 0: no limit */
	int64_t silence_us; /* until who owes a word is asked, and again until it is killed; 0: 5 s */
	int64_t deadline_us; /* the run's, or each round's, from its start; 0: none */
	/* So long a worker may keep its first target beyond what any host can take, and the resolver may
	 * answer nothing, whatever they say meanwhile; 0: 10 min */
	int64_t patience_us;
	int64_t names_us;  /* so old addresses may be in a round; 0: 5 min */
	bool one_line;     /* a record is one line, always */
	bool null_ends;    /* lines end with a NUL */
	bool even_quotes;  /* a '"' in a record opens what another one closes */
	bool weigh;        /* how much memory workers have is wanted */
	uint32_t unwanted; /* a bit for each status whose records are counted, and not written */
	/* A record without varbinds (crashed, cancelled, resolve) as bytes. */
	void (*format)(struct buf *out, const struct record *r, const struct format_options *o);
	const struct format_options *format_options; /* lent, to it */
	struct layout_config layout;                 /* how records stand in the output */
	const struct watcher *watchers;              /* lent, as their arguments */
	size_t nwatchers;
};

struct master_result {                        /* what the run came to */
	uint64_t targets;                     /* handed out by the plan */
	uint64_t status[RECORD_STATUS_COUNT]; /* their sum is targets, or exit_status says so */
	struct stats stats;
	struct histogram *latency; /* of the first request answered; the caller frees it */
	int64_t elapsed_us;
	uint64_t round, skipped; /* from 1, or 0: no rounds; those that fell out since the first */
	int64_t next_round_us;   /* when the next one begins; LOOP_NEVER: there is none */
	uint64_t workers_memory; /* octets, at the end; 0: nobody knows, or nobody wanted to */
	unsigned deaths;         /* of workers and resolvers */
	uint64_t lost;           /* records without the rows that were there: no room (exit 3) */
	struct remote_result remote;
	enum writer_result written;
	int signal;   /* that ended the run early; 0 */
	bool reload;  /* ended for another plan to be polled, with no word of an end */
	bool aborted; /* not begun, or a second signal: nothing may be committed */
	bool failed;  /* no worker could live, or no process, socket or memory (exit 4) */
};

/* The whole run: the output is flushed but not committed. With rounds: all of them, until a signal or their output
 * ends them; the result is the last one's. */
void master_run(const struct master_config *config, struct master_result *result);

#endif

/*
 * worker - a forked process: tasks from its task_queue, an engine, records to its done_queue.
 */
#ifndef POOL_WORKER_H
#define POOL_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/profile.h"
#include "out/format.h"
#include "pool/sandbox.h"

struct worker_config {
	const struct profile *profiles; /* inherited through the fork */
	size_t nprofiles;
	unsigned window;
	struct addr source4, source6;
	const struct format *format;
	const struct format_options *format_options; /* lent */
	uint32_t unwanted; /* a bit for each status of whose records only the heads are sent */
	const struct sandbox *sandbox; /* entered before the first packet; NULL: none */
	bool debug;                    /* each datagram on stderr */
	bool sessions; /* of the second kind: one task at a time, of a transport other than UDP */
};

/* The worker's whole life: takes tasks as the engine has room, puts records in the order in which
 * they arise, answers STOP with STOPPED after draining, leaves at end of file. at_work is its cell
 * of the page shared with the master. Returns the exit status of the process. */
int worker_main(const struct worker_config *config, int queue_fd, _Atomic uint64_t *at_work);

#endif

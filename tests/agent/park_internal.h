/* Between park.c (a datagram from its arrival to its answer), park_open.c and park_counters.c. */
#ifndef AGENT_PARK_INTERNAL_H
#define AGENT_PARK_INTERNAL_H

#include "answer.h"
#include "delay.h"
#include "outbox.h"
#include "park.h"
#include "v3.h"
#include "visits.h"

#include <stdio.h>

enum {
	SLOT = DATAGRAM_MAX +
	       192, /* not a power of two: the heads of all slots would share cache lines */
	FAMILIES = 2
};

struct park_counters {
	uint64_t received, bad_community, version_3, malformed, unanswerable, dropped, duplicated,
		overflowed;
	uint32_t max_pending;
};

struct park {
	const struct options *options;
	int fds[FAMILIES];       /* the first n_fds are open */
	int other_fds[FAMILIES]; /* for other-port: opened when first needed, -1 before */
	size_t n_fds;
	struct mib mib;
	struct answerer answerer;
	struct batch *batch;
	struct outbox *outbox;
	struct delay *delay;
	struct visits *visits;
	struct park_counters counters;
	uint64_t random, now_us;
	bool hold_next; /* reorder: every other answer waits */
	size_t community_len;
	FILE *log;
	struct v3 *v3;    /* NULL: the agents know no user, and do not speak it */
	uint8_t *buffers; /* BATCH_MAX slots */
};

/* The unspecified address. */
union peer park_any_address(sa_family_t family, uint32_t port);

#endif

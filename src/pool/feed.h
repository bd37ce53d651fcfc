/*
 * feed - targets from outside, as main tells the master of it: a run without a list, whose plan is fed (plan/fed.h).
 *
 * Such a run ends when its plan was closed and all that was fed has records. Signals of persons are not for it, but for who
 * feeds it.
 */
#ifndef POOL_FEED_H
#define POOL_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/learnt.h"

/* What is wanted of the run from now on; the master's own, {0} but for the rate when it begins. */
struct master_orders {
	const char *cancel; /* nothing more is asked, in these words (a constant); NULL: go on */
	double rate_pps;    /* all workers together; 0: no limit */
	bool asked;         /* a word of us is wanted: counters, be there nothing to count */
	bool ended;         /* fd is not to be watched any more */
};

struct master_feed {
	void *arg;
	int fd; /* watched; what is written elsewhere needs another descriptor, for one has one entry in a loop */
	unsigned sessions; /* targets of transports other than UDP, about; 0: there are none */
	/* It is readable: feeds the plan, or closes it, without waiting. */
	void (*ready)(void *arg, struct master_orders *orders);
	/* Why targets of that profile cannot be asked, for their records, lent until the next call; NULL: they can. The
	 * number is as it was fed. */
	const char *(*fault)(void *arg, uint32_t profile);
	/* What is known of target number seq, until its record has come. False: nothing is to be learnt of it, either. */
	bool (*known)(void *arg, uint64_t seq, struct learnt *l);
};

#endif

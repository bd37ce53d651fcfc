/*
 * master_hands - who does the work: children of ours that ask devices (master_local.c), or agents beyond a broker
 * (master_remote.c); private to the master.
 *
 * The rest of the master (rounds, spread, output, signals, watchers) knows these functions and not which of the two it has.
 */
#ifndef POOL_MASTER_HANDS_H
#define POOL_MASTER_HANDS_H

#include <stdbool.h>
#include <stdint.h>

struct master;

struct hands {
	bool (*open)(struct master *m); /* what it needs of memory; false: there is none, told */
	void (*start)(struct master *m);
	void (*free)(struct master *m); /* of what open() and start() made, as far as they came */
	bool (*live)(const struct master *m);

	/* a turn of the loop */
	int64_t (*next_us)(const struct master *m);
	void (*times)(struct master *m); /* does what is due */
	void (*serve)(struct master *m); /* what was read before the output was blocked */
	void (*watch)(struct master *m); /* sends what is queued, sets what the loop looks for */
	void (*renew)(struct master *m); /* all periods of silence begin anew */
	void (*rest)(struct master *m);  /* instead of the following ones between rounds */

	/* targets. m->busy says whether there is more to do than a turn may take */
	void (*hand_out)(struct master *m);
	void (*take_back)(struct master *m); /* what nobody shall be asked becomes `cancelled` */
	bool (*left)(struct master *m);      /* not all have records */
	uint64_t (*in_flight)(const struct master *m);

	/* ends, and what comes after */
	void (*release)(struct master *m); /* nothing new is handed out: nobody waits for more */
	void (*drain)(struct master *m);   /* nothing new is begun, what is in flight may finish */
	void (*cancel)(struct master *m);  /* all ends; sets m->cancelled_us */
	void (*stop)(struct master *m);    /* they end; sets m->stopping */
	/* After the loop, whose output has failed: who works elsewhere is told, which may take 2 s. NULL: nobody does */
	void (*abandon)(struct master *m);
	bool (*settled)(struct master *m); /* who sent what is written knows; false: not yet */
	void (*begin)(struct master *m);   /* a round, before anything of it is set up */
	void (*resume)(struct master *m, bool cancelled); /* and after that */
};

extern const struct hands hands_local, hands_remote;

#endif

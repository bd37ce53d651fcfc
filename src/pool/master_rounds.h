/*
 * master_rounds - begin and end of rounds; private to the master.
 */
#ifndef POOL_MASTER_ROUNDS_H
#define POOL_MASTER_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

struct master;

void round_begin(struct master *m); /* of a run without rounds, the one */
void rounds_open(struct master *m);
void rounds_turn(struct master *m);             /* what is due of begins and ends */
int64_t rounds_next_us(const struct master *m); /* while resting */
void rounds_signal(struct master *m);           /* asks for a good end */
bool rounds_hear(const struct master *m,
		 int signal);         /* SIGHUP: no end, but asks for another plan */
void rounds_reload(struct master *m); /* looks for it */

/* spread: the functions do nothing, or what they would without, where there is none */
void spread_open(struct master *m);
void spread_close(struct master *m);
void spread_begin(struct master *m, int64_t due_us); /* a round, due then */
void spread_renew(struct master *m, int64_t late_us);
/* The next target of a kind. False: that was all; or, *later, which is set only then: not yet, see spread_next_us(). */
bool spread_next(struct master *m, enum plan_kind kind, struct plan_target *out, bool *later);
int64_t spread_next_us(
	const struct master *m); /* LOOP_NEVER: what is due now waits for something else */

#endif

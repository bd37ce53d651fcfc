/*
 * master_rounds - begin and end of rounds; private to the master.
 */
#ifndef POOL_MASTER_ROUNDS_H
#define POOL_MASTER_ROUNDS_H

#include <stdint.h>

struct master;

void round_begin(struct master *m); /* of a run without rounds, the one */
void rounds_open(struct master *m);
void rounds_turn(struct master *m);             /* what is due of begins and ends */
int64_t rounds_next_us(const struct master *m); /* while resting */
void rounds_signal(struct master *m);           /* asks for a good end */

#endif

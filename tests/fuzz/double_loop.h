/*
 * double_loop - loop.h with a clock that moves only as it is told, or to the deadline that is slept for.
 */
#ifndef FUZZ_DOUBLE_LOOP_H
#define FUZZ_DOUBLE_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

#define DOUBLE_FD_MIN \
	1000000 /* descriptors from here on are none: only double_ready() wakes them */

/* The clock starts anew; turn is called at the start of each loop_turn(), for the others to act. NULL: nobody. */
void double_clock_start(void (*turn)(void *arg), void *arg);
void double_clock_step(int64_t us);
void double_late(int64_t us); /* what the next loop_turn() says that it is late by */
void double_ready(struct loop *l, int fd, unsigned ready); /* in the next turn */
unsigned long double_turns(void);                          /* since the start */

#endif

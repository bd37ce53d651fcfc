/*
 * loop - wait on descriptors until the next deadline, once a turn (poll(2), never fd_set).
 *
 * Every process of ours is: ask all rooms for their next deadline, take the least, sleep once,
 * serve the sockets that are ready, then the timers. "Now" is read once a turn.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_NEVER   INT64_MAX /* no deadline */
#define LOOP_READ    1u
#define LOOP_WRITE   2u
#define LOOP_LATE_US 1000000 /* a turn later than this was a suspend or Ctrl-Z, not load */

struct loop;

/* Called with the LOOP_ bits that are ready. An error or hang-up shows as all bits asked for. */
typedef void (*loop_fn)(void *arg, unsigned ready);

int64_t loop_clock_us(void); /* CLOCK_MONOTONIC */
int64_t loop_wall_ms(void);  /* CLOCK_REALTIME, since 1970-01-01 UTC */

struct loop *loop_new(void);
void loop_free(struct loop *l);
int64_t loop_now_us(const struct loop *l); /* of this turn */
void loop_refresh(struct loop *l); /* reads the clock again, within a turn: rare, deliberate */

/* Keeps fd (does not own it). One entry a descriptor, so not for one that is watched already; want
 * may be 0 (then only errors are told, with no bit, and again each turn until it is forgotten). */
void loop_watch(struct loop *l, int fd, unsigned want, loop_fn fn, void *arg);
void loop_want(struct loop *l, int fd, unsigned want);
void loop_forget(struct loop *l,
		 int fd); /* harmless when not watched. All three are allowed in callbacks */

/* Sleeps until something is ready or deadline_us (LOOP_NEVER: as long as it takes), then calls the
 * callbacks of what is ready, in the order in which they were added. A signal ends the sleep.
 * Returns 0, or by how many us this turn came late when that is above LOOP_LATE_US: the caller
 * then renews its periods by that much before it fires any timer. A stop counts where it delayed
 * something: the whole of a sleep that went so far beyond the deadline, and of a time between two. */
int64_t loop_turn(struct loop *l, int64_t deadline_us);

#endif

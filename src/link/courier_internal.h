/*
 * courier_internal - the two sides of a courier, each a connection of its own to the broker.
 */
#ifndef LINK_COURIER_INTERNAL_H
#define LINK_COURIER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/courier.h"
#include "link/link.h"

struct loop;
struct queue;

enum side_state {
	SIDE_CLOSED, /* tried again at retry_us */
	SIDE_WAITS,  /* connected, but its queue is not there */
	SIDE_UP
};

struct side {
	struct courier *courier;
	enum link_side side;
	enum side_state state;
	int fd; /* in the loop; -1: none */
	int64_t retry_us, pause_us;
	int64_t since_us;        /* in this state */
	unsigned failures;       /* opens in a row that failed */
	char told[LINK_WHY_MAX]; /* the reason of the last DOWN; "": none since the last UP */
};

struct held { /* a PUT that waits for room */
	struct held *next;
	struct link_message message; /* key, name, body: behind this */
};

struct courier {
	const struct courier_config *config;
	const struct link_calls *calls;
	void *link;
	struct loop *loop;
	struct queue *queue; /* to the owner */
	struct side puts, takes;
	struct held *held, **held_end;
	size_t held_octets;
	size_t unanswered; /* PUTs written, of this channel */
	uint32_t epoch;    /* UPs of puts that were told */
	bool owed; /* PUTs were lost with a connection, and their owner has not put them again */
	size_t backlog_max; /* octets that wait for the owner: no more is taken from the broker then */
	bool heard;         /* a descriptor of a side was ready */
	bool leaving;       /* LEAVE was read */
	bool stopping, forget;
	int64_t stop_us; /* when stopping: not later */
	uint64_t random;
	bool done;
	int exit_status;
};

/* courier_main() in its parts, for who has a loop of his own: tests. */
void courier_open(struct courier *c, const struct courier_config *config, int queue_fd);
void courier_turn(struct courier *c); /* until c->done */
int courier_close(struct courier *c); /* the exit status */

void courier_leave(struct courier *c, int exit_status); /* the loop */
void courier_tell(struct courier *c, uint8_t kind, const void *p, size_t len);

/* --- courier_sides.c */

void sides_start(struct courier *c);
void side_gone(struct side *s);  /* a call has found it gone: asks why, tells, tries again later */
void puts_up(struct courier *c); /* another channel: tells, what was there is void */
void sides_turn(struct courier *c); /* opens what is due, at most one */
int64_t sides_next_us(const struct courier *c);
void sides_hear(struct courier *c); /* what the broker says; while the owner is slow: one event */

/* --- courier_puts.c */

void puts_take(struct courier *c, const struct link_message *m); /* writes it, or holds it */
void puts_turn(struct courier *c); /* what is held, if there is room */
void puts_drop(struct courier *c); /* what is held, and what is out */
/* "RUN:BATCH" of a body of tasks. False: it is none. */
#define PUTS_NAME_MAX 48
bool puts_name(const void *body, size_t len, char out[PUTS_NAME_MAX]);

#endif

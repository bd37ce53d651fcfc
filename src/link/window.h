/*
 * window - messages for a broker, each kept until that has confirmed it.
 *
 * The owner's side of the courier's PUTs: the master's tasks, an agent's results. It survives couriers and connections: what is
 * not confirmed goes out again with each UP. NACKs make a key pause, 50 ms doubling to 2 s; no confirm at all for 2 s while
 * something is owed asks for another channel (RabbitMQ 3.10.8 nacks for ever on a channel opened during a leader's election).
 * What the courier's queue does not take at once lies there until its owner calls queue_flush().
 * A body may lie in memory that the courier sees too: then only its place goes out, and its owner leaves it as it is until the message
 * has left.
 */
#ifndef LINK_WINDOW_H
#define LINK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/courier.h"
#include "pool/queue.h"

#define WINDOW_MAX \
	64 /* messages of up to 512 tasks or records: 32 to one queue are 16,384, and 640 KB of tasks */
/* Of all bodies: some 55 messages of 150 KB, as results mostly have them; half of it is for one key. Below it one more message is
 * always taken. */
#define WINDOW_OCTETS   (8u << 20)
#define WINDOW_STALL_US INT64_C(2000000)
#define WINDOW_BODY_MAX (QUEUE_PAYLOAD_MAX - 100) /* octets of a message */

struct window;

struct window *window_new(void);
void window_free(struct window *w);

/* The queue to the courier that lives now; NULL: none does. Nothing is sent before window_up(). */
void window_attach(struct window *w, struct queue *q);
void window_up(struct window *w, int64_t now_us); /* the courier's UP of puts: all goes again */
void window_down(struct window *w);               /* its DOWN, or its death */
/* BLOCKED: nothing is sent, and no progress is no stall. */
void window_block(struct window *w, bool blocked, int64_t now_us);

bool window_full(const struct window *w);
/* False: no more for this key now. It pauses, or has its share of the window, or the window is full. */
bool window_wants(const struct window *w, enum courier_to to, const char *key);

struct window_to {
	enum courier_to to;
	const char *key; /* as with COURIER_PUT; "" for control. Lent */
	uint64_t mark;   /* the owner's, comes back */
};
/* Copies the body, of WINDOW_BODY_MAX octets at most. Returns its id: from 1, in order. What cannot wait (control) may be
 * put though the window does not want it; all else asks first. */
uint64_t window_put(struct window *w, const struct window_to *to, const struct queue_part *parts,
		    size_t n, int64_t now_us);
/* Likewise, but the body stays where it lies. */
struct window_lent {
	size_t at, len; /* octets of the courier's `shared` (link/courier.h) */
};
uint64_t window_put_lent(struct window *w, const struct window_to *to,
			 const struct window_lent *body, int64_t now_us);
/* Answers of the courier. False: none of this id is open (it was sent twice). A nacked one stays. */
bool window_confirmed(struct window *w, uint64_t id, uint64_t *mark, int64_t now_us);
bool window_returned(struct window *w, uint64_t id, uint64_t *mark, int64_t now_us);
bool window_nacked(struct window *w, uint64_t id, int64_t now_us);

size_t window_open(const struct window *w); /* messages not confirmed */
size_t window_keys(const struct window *w); /* that it remembers: for tests */
uint64_t window_settled(
	const struct window *w); /* all ids up to this one are confirmed, or have left */
int64_t window_next_us(const struct window *w);     /* LOOP_NEVER */
void window_turn(struct window *w, int64_t now_us); /* what is due: pauses that end, REOPEN */

#endif

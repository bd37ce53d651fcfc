/*
 * window - messages for a broker, each kept until that has confirmed it.
 *
 * The owner's side of the courier's PUTs: the master's tasks, an agent's results. It survives couriers and connections: what is
 * not confirmed goes out again with each UP. NACKs make a key pause, 50 ms doubling to 2 s; no progress at all for 2 s while
 * something is owed asks for another channel (RabbitMQ 3.10.8 nacks for ever on a channel opened during a leader's election).
 */
#ifndef LINK_WINDOW_H
#define LINK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/courier.h"
#include "pool/queue.h"

#define WINDOW_MAX      256         /* messages */
#define WINDOW_OCTETS   (16u << 20) /* of all bodies; one more message is always taken below it */
#define WINDOW_STALL_US INT64_C(2000000)

struct window;

struct window *window_new(void);
void window_free(struct window *w);

/* The queue to the courier that lives now; NULL: none does. Nothing is sent before window_up(). */
void window_attach(struct window *w, struct queue *q);
void window_up(struct window *w, int64_t now_us);  /* the courier's UP of puts: all goes again */
void window_down(struct window *w);                /* its DOWN, or its death */
void window_block(struct window *w, bool blocked); /* BLOCKED: no progress is no stall then */

bool window_full(const struct window *w);
/* No more for this key now: it pauses, or window_full(). */
bool window_wants(const struct window *w, enum courier_to to, const char *key);
/* Copies the body (at most QUEUE_PAYLOAD_MAX less 100 octets). Returns its id: from 1, in order. `mark` comes back. */
uint64_t window_put(struct window *w, enum courier_to to, const char *key,
		    const struct queue_part *parts, size_t n, uint64_t mark, int64_t now_us);
/* Answers of the courier. The mark of the message; false: none of this id is open. */
bool window_confirmed(struct window *w, uint64_t id, uint64_t *mark, int64_t now_us);
bool window_nacked(struct window *w, uint64_t id, int64_t now_us);
bool window_returned(struct window *w, uint64_t id, uint64_t *mark,
		     int64_t now_us); /* leaves the window */

size_t window_open(const struct window *w); /* messages not confirmed */
uint64_t window_settled(
	const struct window *w); /* all ids up to this one are confirmed, or have left */
int64_t window_next_us(const struct window *w);     /* LOOP_NEVER */
void window_turn(struct window *w, int64_t now_us); /* what is due: pauses that end, REOPEN */

#endif

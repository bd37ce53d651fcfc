/*
 * queue - frames of a kind and octets, both ways on a non-blocking stream socket.
 *
 * On the wire: u32 length of what follows it, big-endian; u8 kind; the payload. A queue knows frames
 * and bounds, never messages.
 */
#ifndef POOL_QUEUE_H
#define POOL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_FRAME_MAX   262144                /* octets of kind and payload */
#define QUEUE_PAYLOAD_MAX (QUEUE_FRAME_MAX - 1) /* what one frame carries */

struct queue;

/* Keeps fd, which it does not own, and makes it non-blocking. */
struct queue *queue_new(int fd);
void queue_free(struct queue *q);
int queue_fd(const struct queue *q);

/* --- towards the other end: nothing but queue_send_parts() sends before queue_flush() ------ */

struct queue_part {
	const void *p;
	size_t len;
};

/* One frame, copied; at most QUEUE_PAYLOAD_MAX octets. The caller bounds queue_backlog(). */
void queue_put(struct queue *q, uint8_t kind, const void *p, size_t len);
void queue_put_parts(struct queue *q, uint8_t kind, const struct queue_part *parts, size_t n);

/* As queue_put_parts(), but a large frame goes at once, with all that was put before it, as far as the kernel takes it without
 * waiting: from where it lies, and only the rest is copied. An error is told by the next queue_flush(). */
void queue_send_parts(struct queue *q, uint8_t kind, const struct queue_part *parts, size_t n);

/* A frame whose payload of len octets is filled in later, but before the next queue_flush() or queue_send_parts(): what
 * stands in front of that which it sums up. Returns its place for queue_fill(). */
size_t queue_reserve(struct queue *q, uint8_t kind, size_t len);
void queue_fill(struct queue *q, size_t place, const void *p, size_t len);

size_t queue_backlog(const struct queue *q); /* octets put and not taken by the kernel yet */
/* Writes what goes without waiting. False: the other end is gone, nothing will ever go again. */
bool queue_flush(struct queue *q);

/* --- from the other end ------------------------------------------------------------------- */

enum queue_state {
	QUEUE_OPEN,
	QUEUE_END,   /* end of file; a frame cut off by it is dropped */
	QUEUE_BROKEN /* a length out of bounds: not our protocol */
};

/* One large read without waiting. What the last one brought may still be handed out, also after
 * QUEUE_END and QUEUE_BROKEN: all frames that stand before. */
enum queue_state queue_read(struct queue *q);

struct queue_frame {
	uint8_t kind;
	const uint8_t *data; /* lent until the next queue_read() */
	size_t len;
};
bool queue_next(struct queue *q, struct queue_frame *out); /* false: no whole frame is here */

#endif

/*
 * frames - the fuzzer's end of a queue (pool/queue.h says what a frame is): the same form, written by somebody else,
 * and without the queue's large buffers, which take longer to be had than all else that an input does.
 */
#ifndef FUZZ_FRAMES_H
#define FUZZ_FRAMES_H

#include <stdbool.h>

#include "base/mem.h"
#include "pool/queue.h"

struct frames { /* {.fd = …} is one that has seen nothing yet */
	int fd;
	bool ended; /* the other end has gone */
	struct buf in;
	size_t taken;   /* octets of `in` handed out */
	struct buf out; /* what the kernel did not take yet */
};
void frames_drop(struct frames *f); /* and closes it */
/* The next frame, lent until the next call. False: there is none now. A length out of bounds fails. */
bool frames_next(struct frames *f, struct queue_frame *out);
void frames_put(struct frames *f, uint8_t kind, const void *p, size_t len);
void frames_put_raw(struct frames *f, const void *p, size_t len);
void frames_flush(struct frames *f);

#endif

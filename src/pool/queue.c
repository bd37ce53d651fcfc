/*
 * Frames of a kind and octets, both ways on a non-blocking stream socket.
 *
 * The problem: a record costs a few microseconds in all, so it cannot have a system call, an
 * allocation or a second copy of its own on the way from a worker to the master.
 *
 * The design: putting copies a frame behind the others in one growing buffer, and a flush hands all of them
 * to the kernel in one call; reading takes what is there in one call, and frames are lent where
 * they lie. Both buffers keep their memory while it is small. A large frame is worth a call of its own: it is sent from where
 * it lies, behind what waits; where the kernel was found full, it is copied like others until the next flush.
 *
 * Rejected: SOCK_SEQPACKET, which would frame for us, but one system call a record, and macOS has
 * none for AF_UNIX.
 *
 * The trap: the length is the other end's word, and that end may have been taken over by a device.
 * It is checked as soon as its four octets are here, before anything is allocated or waited for;
 * so a broken length is told by the read that brings it, not by a wait for octets that never come.
 */
#include "pool/queue.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "base/wire.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* then SIGPIPE must be ignored, which all our processes do */
#endif

#define HEADER    5                 /* octets of length and kind */
#define LENGTH    4                 /* octets of length */
#define READ_SIZE QUEUE_FRAME_MAX   /* octets asked for at least */
#define KEEP      ((size_t)1 << 20) /* octets of an empty buffer that are not given back */
#define LARGE     16384             /* octets that cost more to copy than to send alone */
#define PARTS_MAX 6                 /* of a frame that is sent from where it lies */

struct bytes { /* a buffer with a front that moves */
	uint8_t *data;
	size_t start; /* of what is in use */
	size_t len;   /* where it ends, >= start */
	size_t cap;
};

struct queue {
	int fd;
	struct bytes out;
	struct bytes in;
	size_t checked; /* of the input, from its front: frames that begin before have a sound length */
	enum queue_state state;
};

/* At least `more` octets writable at the end; what is in use may move. */
static uint8_t *bytes_room(struct bytes *b, size_t more)
{
	if (b->cap - b->len >= more)
		return b->data + b->len;
	if (b->start > 0 && b->start >= b->len - b->start) { /* else moving costs too much */
		memmove(b->data, b->data + b->start, b->len - b->start);
		b->len -= b->start;
		b->start = 0;
	}
	if (b->cap - b->len < more) {
		size_t cap = b->cap * 2 > b->len + more ? b->cap * 2 : b->len + more;
		b->data = mem_resize(b->data, cap, 1);
		b->cap = cap;
	}
	return b->data + b->len;
}

/* Drops octets from the front. */
static void bytes_drop(struct bytes *b, size_t n)
{
	b->start += n;
	if (b->start < b->len || b->len == 0)
		return;
	b->start = b->len = 0;
	if (b->cap > KEEP) {
		free(b->data);
		*b = (struct bytes){0};
	}
}

struct queue *queue_new(int fd)
{
	struct queue *q = mem_zero(1, sizeof(*q));
	int flags = fcntl(fd, F_GETFL);

	q->fd = fd;
	q->state = QUEUE_OPEN;
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	free(q->out.data);
	free(q->in.data);
	free(q);
}

int queue_fd(const struct queue *q)
{
	return q->fd;
}

/* --- towards the other end ---------------------------------------------------------------- */

static void header_fill(uint8_t header[HEADER], uint8_t kind, size_t len)
{
	struct wire_out w = {.at = header, .end = header + HEADER};

	assert(len <= QUEUE_PAYLOAD_MAX);
	wire_put_u32(&w, (uint32_t)(len + 1));
	wire_put_u8(&w, kind);
}

/* A frame's header; returns where its payload of len octets goes. */
static uint8_t *frame_begin(struct queue *q, uint8_t kind, size_t len)
{
	uint8_t *at = bytes_room(&q->out, HEADER + len);

	header_fill(at, kind, len);
	q->out.len += HEADER + len;
	return at + HEADER;
}

static size_t parts_len(const struct queue_part *parts, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += parts[i].len;
	return len;
}

void queue_put_parts(struct queue *q, uint8_t kind, const struct queue_part *parts, size_t n)
{
	uint8_t *at = frame_begin(q, kind, parts_len(parts, n));

	for (size_t i = 0; i < n; i++) {
		if (parts[i].len > 0)
			memcpy(at, parts[i].p, parts[i].len);
		at += parts[i].len;
	}
}

void queue_put(struct queue *q, uint8_t kind, const void *p, size_t len)
{
	queue_put_parts(q, kind, &(struct queue_part){.p = p, .len = len}, 1);
}

/* Places count from the front of what is queued, which stays where it is until queue_flush() or queue_send_parts(). */
size_t queue_reserve(struct queue *q, uint8_t kind, size_t len)
{
	memset(frame_begin(q, kind, len), 0, len);
	return q->out.len - len - q->out.start;
}

void queue_fill(struct queue *q, size_t place, const void *p, size_t len)
{
	assert(q->out.start + place + len <= q->out.len);
	memcpy(q->out.data + q->out.start + place, p, len);
}

size_t queue_backlog(const struct queue *q)
{
	return q->out.len - q->out.start;
}

/* What stands in io behind its first `sent` octets waits for the next flush. */
static void rest_keep(struct queue *q, const struct iovec *io, size_t n, size_t sent)
{
	for (size_t i = 0; i < n; i++) {
		size_t skip = sent < io[i].iov_len ? sent : io[i].iov_len,
		       len = io[i].iov_len - skip;

		sent -= skip;
		if (len == 0)
			continue;
		memcpy(bytes_room(&q->out, len), (const uint8_t *)io[i].iov_base + skip, len);
		q->out.len += len;
	}
}

void queue_send_parts(struct queue *q, uint8_t kind, const struct queue_part *parts, size_t n)
{
	size_t len = parts_len(parts, n), waits = queue_backlog(q), sent;
	uint8_t header[HEADER];
	struct iovec io[2 + PARTS_MAX] = {{waits > 0 ? q->out.data + q->out.start : NULL, waits},
					  {header, HEADER}};
	struct msghdr message = {.msg_iov = io, .msg_iovlen = 2 + PARTS_MAX}; /* behind n: empty */
	ssize_t went;

	if (len < LARGE || waits >= LARGE || n > PARTS_MAX) {
		queue_put_parts(q, kind, parts, n);
		return;
	}
	header_fill(header, kind, len);
	for (size_t i = 0; i < n; i++)
		io[2 + i] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].len};
	do {
		went = sendmsg(q->fd, &message, MSG_NOSIGNAL);
	} while (went < 0 && errno == EINTR);
	sent = went > 0 ? (size_t)went : 0;
	bytes_drop(&q->out, sent < waits ? sent : waits);
	rest_keep(q, io + 1, 1 + n, sent < waits ? 0 : sent - waits);
}

bool queue_flush(struct queue *q)
{
	while (queue_backlog(q) > 0) {
		ssize_t n = send(q->fd, q->out.data + q->out.start, queue_backlog(q), MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) /* ENOBUFS: macOS, for the moment */
			return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
		bytes_drop(&q->out, (size_t)n);
	}
	return true;
}

/* --- from the other end ------------------------------------------------------------------- */

/* The length that stands `at` octets behind the front of the input. */
static size_t length_at(const struct queue *q, size_t at)
{
	const uint8_t *p = q->in.data + q->in.start + at;
	struct wire_in r = {.at = p, .end = p + LENGTH};

	return wire_get_u32(&r);
}

/* Looks at the lengths that have come since the last time. False: one is broken; frames before it
 * are handed out, nothing behind it is. */
static bool lengths_check(struct queue *q)
{
	size_t here = q->in.len - q->in.start;

	while (q->checked + LENGTH <= here) {
		size_t len = length_at(q, q->checked);
		if (len == 0 || len > QUEUE_FRAME_MAX) {
			q->in.len = q->in.start + q->checked;
			return false;
		}
		q->checked += LENGTH + len;
	}
	return true;
}

enum queue_state queue_read(struct queue *q)
{
	uint8_t *room;
	ssize_t n;

	if (q->state != QUEUE_OPEN)
		return q->state;
	bytes_drop(&q->in, 0);
	room = bytes_room(&q->in, READ_SIZE);
	do {
		n = recv(q->fd, room, q->in.cap - q->in.len, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return QUEUE_OPEN;
	if (n <= 0) { /* an error is a reset: the other end died with octets of ours unread */
		q->state = QUEUE_END;
		return q->state;
	}
	q->in.len += (size_t)n;
	if (!lengths_check(q))
		q->state = QUEUE_BROKEN;
	return q->state;
}

bool queue_next(struct queue *q, struct queue_frame *out)
{
	size_t here = q->in.len - q->in.start, len;

	if (here < HEADER)
		return false;
	len = length_at(q, 0);
	if (here < LENGTH + len)
		return false;
	*out = (struct queue_frame){.kind = q->in.data[q->in.start + LENGTH],
				    .data = q->in.data + q->in.start + HEADER,
				    .len = len - 1};
	q->in.start += LENGTH + len;
	q->checked -= LENGTH + len;
	return true;
}

/*
 * Reads and writes without waiting: both ends are in one process.
 */
#include "frames.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#define HEADER 5
#define PIECE  4096

void frames_drop(struct frames *f)
{
	close(f->fd);
	buf_free(&f->in);
	buf_free(&f->out);
	*f = (struct frames){.fd = -1};
}

static void receive(struct frames *f)
{
	ssize_t n;

	buf_consume(&f->in, f->taken);
	f->taken = 0;
	do {
		n = recv(f->fd, buf_room(&f->in, PIECE), PIECE, MSG_DONTWAIT);
		if (n > 0)
			f->in.len += (size_t)n;
	} while (n == PIECE);
	f->ended |= n == 0;
}

static bool cut(struct frames *f, struct queue_frame *out)
{
	size_t left = f->in.len - f->taken, len;
	const uint8_t *p;

	if (left < HEADER)
		return false;
	p = f->in.data + f->taken;
	len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	FUZZ_CHECK(len >= 1 && len <= QUEUE_FRAME_MAX);
	if (left < HEADER - 1 + len)
		return false;
	*out = (struct queue_frame){.kind = p[4], .data = p + HEADER, .len = len - 1};
	f->taken += HEADER - 1 + len;
	return true;
}

bool frames_next(struct frames *f, struct queue_frame *out)
{
	if (cut(f, out))
		return true;
	receive(f);
	return cut(f, out);
}

void frames_flush(struct frames *f)
{
	ssize_t n = 1;

	while (f->out.len > 0 && n > 0) {
		n = send(f->fd, f->out.data, f->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			buf_consume(&f->out, (size_t)n);
	}
}

void frames_put_raw(struct frames *f, const void *p, size_t len)
{
	buf_put(&f->out, p, len);
	frames_flush(f);
}

void frames_put(struct frames *f, uint8_t kind, const void *p, size_t len)
{
	uint32_t all = (uint32_t)len + 1;
	uint8_t head[HEADER] = {(uint8_t)(all >> 24), (uint8_t)(all >> 16), (uint8_t)(all >> 8),
				(uint8_t)all, kind};

	buf_put(&f->out, head, sizeof(head));
	if (len > 0)
		buf_put(&f->out, p, len);
	frames_flush(f);
}

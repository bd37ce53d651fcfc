/*
 * A message to the broker, in one call.
 *
 * The problem: the library writes a message frame by frame, each with a call of its own, and copies each frame of its body before.
 * Of messages of 150,000 octets that is a seventh of all that an agent's courier does.
 *
 * The design: the library encodes what stands in front of a body; all frames go out by one sendmsg(2), the body from where
 * it lies. There was room for it when it was asked (amqp_room_*.c), so that more than one call is rare; a peer that has not
 * taken all of a message in time (limit_us), were it only drops short, is gone, for the rest cannot wait here while others
 * go.
 *
 * Rejected: the same behind TLS, where the library has the connection, and a broker whose frames are so small that a body needs
 * more than a few of them: the library writes these.
 *
 * The trap: the library does not know that something was sent, so it sends a heartbeat more than it would.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/loop.h"
#include "base/wire.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored */
#endif

#define BODIES_MAX 4
#define FRONT_MAX  2048 /* octets of the frames in front of a body */
#define HEAD       7    /* octets of a frame before what it carries */
#define TAIL       1    /* behind it */

struct outbound {
	uint8_t front[FRONT_MAX];
	uint8_t between[BODIES_MAX][TAIL + HEAD];
	struct iovec io[1 + 2 * BODIES_MAX];
	int n;
};

static void head_put(struct wire_out *w, uint8_t type, amqp_channel_t channel, size_t len)
{
	wire_put_u8(w, type);
	wire_put_u16(w, channel);
	wire_put_u32(w, (uint32_t)len);
}

static amqp_bytes_t room_of(const struct wire_out *w)
{
	return (amqp_bytes_t){(size_t)(w->end - w->at), w->at};
}

/* Behind `head` stands what we wrote of a frame, and behind that what the library has encoded: so many octets, or an error. */
static bool frame_end(struct wire_out *w, struct wire_out head, uint8_t type,
		      amqp_channel_t channel, int encoded)
{
	if (w->full || encoded < 0)
		return false;
	w->at += encoded;
	head_put(&head, type, channel, (size_t)(w->at - head.at) - HEAD);
	wire_put_u8(w, AMQP_FRAME_END);
	return !w->full;
}

static bool front_put(struct wire_out *w, const struct rabbit_publish *p)
{
	amqp_basic_publish_t method = {
		.exchange = p->exchange, .routing_key = p->key, .mandatory = 1};
	struct wire_out head = *w;

	head_put(w, AMQP_FRAME_METHOD, p->channel, 0);
	wire_put_u32(w, AMQP_BASIC_PUBLISH_METHOD);
	if (!frame_end(w, head, AMQP_FRAME_METHOD, p->channel,
		       amqp_encode_method(AMQP_BASIC_PUBLISH_METHOD, &method, room_of(w))))
		return false;
	head = *w;
	head_put(w, AMQP_FRAME_HEADER, p->channel, 0);
	wire_put_u16(w, AMQP_BASIC_CLASS);
	wire_put_u16(w, 0); /* weight: not used */
	wire_put_u64(w, p->body.len);
	return frame_end(w, head, AMQP_FRAME_HEADER, p->channel,
			 amqp_encode_properties(AMQP_BASIC_CLASS, p->properties, room_of(w)));
}

static void io_add(struct outbound *o, const void *at, size_t len)
{
	o->io[o->n++] = (struct iovec){(void *)(uintptr_t)at, len};
}

/* False: the library has to write it. */
static bool compose(struct outbound *o, const struct rabbit_publish *p, size_t frame_max)
{
	struct wire_out w = {.at = o->front, .end = o->front + sizeof(o->front)};
	size_t most = frame_max > HEAD + TAIL ? frame_max - HEAD - TAIL : 0, left = p->body.len;
	const uint8_t *at = p->body.bytes;

	if (left > BODIES_MAX * most || !front_put(&w, p))
		return false;
	if (left > 0)
		head_put(&w, AMQP_FRAME_BODY, p->channel, left < most ? left : most);
	if (w.full)
		return false;
	io_add(o, o->front, (size_t)(w.at - o->front));
	for (int i = 0; left > 0; i++) {
		size_t len = left < most ? left : most;

		io_add(o, at, len);
		at += len;
		left -= len;
		w = (struct wire_out){.at = o->between[i], .end = o->between[i] + TAIL + HEAD};
		wire_put_u8(&w, AMQP_FRAME_END);
		if (left > 0)
			head_put(&w, AMQP_FRAME_BODY, p->channel, left < most ? left : most);
		io_add(o, o->between[i], (size_t)(w.at - o->between[i]));
	}
	return true;
}

/* ---- out */

static bool wait_for_room(int fd, int64_t until_us)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int ready;

	do {
		int64_t left_us = until_us - loop_clock_us();

		ready = left_us > 0 ? poll(&p, 1, (int)((left_us + 999) / 1000)) : 0;
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* What has gone is not sent again. */
static void io_drop(struct msghdr *m, size_t went)
{
	while (m->msg_iovlen > 0 && went >= m->msg_iov->iov_len) {
		went -= m->msg_iov->iov_len;
		m->msg_iov++;
		m->msg_iovlen--;
	}
	if (m->msg_iovlen > 0) {
		m->msg_iov->iov_base = (uint8_t *)m->msg_iov->iov_base + went;
		m->msg_iov->iov_len -= went;
	}
}

static int send_all(int fd, struct outbound *o, int64_t until_us)
{
	struct msghdr m = {.msg_iov = o->io};

	m.msg_iovlen = (__typeof__(m.msg_iovlen))o->n; /* its type is the system's */
	while (m.msg_iovlen > 0) {
		ssize_t went = sendmsg(fd, &m, MSG_NOSIGNAL);

		if (went >= 0)
			io_drop(&m, (size_t)went);
		else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (!wait_for_room(fd, until_us))
				return AMQP_STATUS_TIMEOUT;
		} else if (errno != EINTR)
			return AMQP_STATUS_SOCKET_ERROR;
	}
	return AMQP_STATUS_OK;
}

bool rabbit_write(int fd, size_t frame_max, const struct rabbit_publish *p, int *status)
{
	struct outbound o;

	o.n = 0; /* the rest is written before it is read */
	if (!compose(&o, p, frame_max))
		return false;
	*status = send_all(fd, &o, loop_clock_us() + p->limit_us);
	return true;
}

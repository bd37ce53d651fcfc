/*
 * A carrier over a stream, for the engine that thinks in datagrams.
 *
 * The problem: agents that are asked over TCP or a socket in the file system are to be asked by the same
 * engine, with the same tries, waits, verdicts and records. A stream has no datagrams, its beginning
 * takes time, and it ends.
 *
 * The design: sending a message connects first if there is no connection to that address. The time that
 * this may take is what a silent host takes over UDP: all waits together, the host's deadline at most;
 * not within it is ETIMEDOUT. The engine takes the time from before, so what was spent on connecting is
 * not spent again on waiting. Tries are repeated over the connection as datagrams would be: TCP needs no
 * repetition (RFC 3430 §2.2), but an agent that lost a request inside may answer the next one, and
 * whoever wants none says `retries: 0`.
 *
 * A message that the kernel does not take whole is kept and goes first; one that comes while there is such a
 * rest is lost like a datagram, and its try runs out. So nothing here ever waits but connect(2).
 *
 * What is received is cut into messages. Octets that are none are handed up as they are: the engine takes
 * notice of what cannot be read; then the connection is closed, for the next message cannot be found.
 *
 * An agent may close a connection whenever it likes. If it has answered over it, that is no news, and the
 * next try connects again; if it has not, it does not want us, which is a refusal.
 *
 * The trap: a connection that is made again was possible a moment ago. It gets the first try's wait, or an agent
 * that accepts and closes in turns would keep us for all waits each time.
 */
#include "snmp/session_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"

#define BURST_MAX 65536 /* a stream holds back what we do not read: none is lost */

struct session *session_new(const struct addr *source4, const struct addr *source6)
{
	struct session *s = mem_zero(1, sizeof(*s));

	s->source4 = *source4;
	s->source6 = *source6;
	if (pipe(s->nobody) < 0) {
		free(s);
		return NULL;
	}
	s->fd = dup(s->nobody[0]);
	if (s->fd < 0) {
		close(s->nobody[0]);
		close(s->nobody[1]);
		free(s);
		return NULL;
	}
	s->in = mem_alloc(SESSION_MESSAGE_MAX);
	session_catch_alarm();
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	session_close(s);
	close(s->fd);
	close(s->nobody[0]);
	close(s->nobody[1]);
	buf_free(&s->out);
	free(s->in);
	free(s);
}

void session_begin(struct session *s, const struct task *task, const struct profile *profile)
{
	s->kind = task->transport;
	snprintf(s->path, sizeof(s->path), "%s", task->path ? task->path : "");
	s->profile = profile;
	s->to = (struct addr){0};
	s->reached = s->refused = false;
	s->began_us = 0;
}

void session_end(struct session *s)
{
	session_close(s);
	s->refused = false;
	s->in_len = s->in_taken = 0;
}

int64_t session_blocked_us(struct session *s)
{
	int64_t us = s->blocked_us;

	s->blocked_us = 0;
	return us;
}

/* --- the connection ----------------------------------------------------------------------- */

static int64_t connect_limit_us(const struct session *s, int64_t now_us)
{
	int64_t limit_us = s->reached ? profile_wait_us(s->profile, 0)
				      : profile_worst_us(s->profile, 1);
	int64_t left_us;

	if (!s->profile->deadline_us)
		return limit_us;
	left_us = s->began_us + s->profile->deadline_us - now_us;
	return left_us < limit_us ? left_us : limit_us;
}

/* 0: there is a connection to this address. */
static int connect_to(struct session *s, const struct addr *to)
{
	int64_t now_us = loop_clock_us();
	int error;

	if (s->transport && addr_equal(&s->to, to))
		return 0;
	session_close(s);
	if (!addr_equal(&s->to, to))
		s->reached = false;
	if (!s->began_us)
		s->began_us = now_us;
	s->to = *to;
	s->answered = false;
	s->in_len = s->in_taken = 0;
	error = session_open(s, connect_limit_us(s, now_us));
	s->blocked_us += loop_clock_us() - now_us;
	s->reached = s->reached || !error;
	/* out of ports (Linux): it would be tried again and again, for as long as others hold them */
	return error == EAGAIN ? EADDRNOTAVAIL : error;
}

/* It has ended, or is of no use any more. error 0: that is no refusal, whatever came before. */
static void hang_up(struct session *s, int error)
{
	if (error && !s->answered) {
		s->refusal = (struct udp_refusal){.to = s->to, .error = error};
		s->refused = true;
	}
	session_close(s);
}

/* --- sending ------------------------------------------------------------------------------ */

static bool is_full(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS;
}

/* Writes what goes and keeps the rest. 0, or why the connection is over. */
static int write_out(struct session *s)
{
	while (s->out.len > 0) {
		ptrdiff_t n = session_write(s, s->out.data, s->out.len);

		if (n < 0)
			return is_full(errno) ? 0 : errno;
		buf_consume(&s->out, (size_t)n);
	}
	return 0;
}

static int send_message(struct session *s, const struct udp_out *m)
{
	bool fresh = !s->transport || !addr_equal(&s->to, &m->to);
	int error = connect_to(s, &m->to);

	if (!error)
		error = write_out(s);
	if (!error && s->out.len == 0) {
		buf_put(&s->out, m->data, m->len);
		error = write_out(s);
	}
	if (!error || fresh)
		return error;
	session_close(s); /* it had ended without our having read so: once more */
	return send_message(s, m);
}

static size_t session_send(void *c, unsigned lane, const struct udp_out *list, size_t n, int *error)
{
	struct session *s = c;
	size_t sent = 0;

	(void)lane;
	*error = 0;
	while (sent < n && !*error) {
		*error = send_message(s, &list[sent]);
		sent += *error == 0;
	}
	return sent;
}

/* --- receiving ---------------------------------------------------------------------------- */

static void take_message(struct session *s, size_t *n, size_t len)
{
	s->messages[(*n)++] = (struct udp_in){
		.from = s->to, .data = s->in + s->in_taken, .len = len};
	s->in_taken += len;
}

/* Cuts what is there into messages. Returns how many. */
static size_t cut_messages(struct session *s)
{
	size_t n = 0;

	while (n < UDP_BATCH && s->in_taken < s->in_len) {
		size_t left = s->in_len - s->in_taken;
		ptrdiff_t len = session_frame(s->in + s->in_taken, left);

		if (len < 0) {
			take_message(s, &n, left);
			hang_up(s, 0);
		} else if (len == 0 || (size_t)len > left) {
			break;
		} else {
			take_message(s, &n, (size_t)len);
			s->answered = true;
		}
	}
	return n;
}

/* Reads once, as the loop has said that there is something. */
static void read_in(struct session *s)
{
	ptrdiff_t n = session_read(s, s->in + s->in_len, SESSION_MESSAGE_MAX - s->in_len);

	if (n > 0)
		s->in_len += (size_t)n;
	else if (n == 0)
		hang_up(s, s->in_len > 0 ? EBADMSG : EPIPE);
	else if (!is_full(errno))
		hang_up(s, errno);
}

static size_t session_receive(void *c, unsigned lane, struct udp_in **list, bool *more)
{
	struct session *s = c;
	size_t n;

	(void)lane;
	if (s->in_taken > 0) {
		s->in_len -= s->in_taken;
		memmove(s->in, s->in + s->in_taken, s->in_len);
		s->in_taken = 0;
	}
	*list = s->messages;
	n = cut_messages(s);
	if (n == 0 && s->transport &&
	    (!s->more || session_pending(s))) { /* then it is the loop that has called us */
		read_in(s);
		n = cut_messages(s);
	}
	*more = s->more = n == UDP_BATCH || session_pending(s);
	return n;
}

/* --- what a carrier is asked besides ------------------------------------------------------- */

static size_t session_refusals(void *c, const struct udp_refusal **list)
{
	struct session *s = c;
	size_t n = s->refused;

	s->refused = false;
	*list = &s->refusal;
	return n;
}

static unsigned session_lanes(const void *c)
{
	(void)c;
	return 1;
}

static int session_fd(const void *c, unsigned lane)
{
	const struct session *s = c;

	(void)lane;
	return s->fd;
}

static uint8_t session_family(const void *c, unsigned lane)
{
	(void)c;
	(void)lane;
	return 0;
}

static unsigned session_burst(const void *c, unsigned lane)
{
	(void)c;
	(void)lane;
	return BURST_MAX;
}

static uint64_t session_dropped(void *c)
{
	(void)c;
	return 0;
}

const struct carrier carrier_session = {
	.lanes = session_lanes,
	.fd = session_fd,
	.family = session_family,
	.burst = session_burst,
	.send = session_send,
	.receive = session_receive,
	.refusals = session_refusals,
	.dropped = session_dropped,
};

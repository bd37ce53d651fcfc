/*
 * Stands for session_open.c. One connection at a time, as there is one in a worker.
 */
#include "double_session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "double_loop.h"
#include "fuzz.h"

static struct double_stream the_stream;
static struct session *open_session; /* whose connection it is; NULL: there is none */
static bool woken;                   /* an octet is in its pipe, to wake who polls it */
static char token;                   /* what a connection that stands points to */

struct double_stream *double_stream(void)
{
	return &the_stream;
}

void double_stream_start(void)
{
	double_stream_free();
}

void double_stream_free(void)
{
	buf_free(&the_stream.in);
	buf_free(&the_stream.out);
	the_stream = (struct double_stream){0};
	open_session = NULL;
	woken = false;
}

static void calm(void)
{
	char octet;

	if (woken && open_session)
		FUZZ_CHECK(read(open_session->nobody[0], &octet, 1) == 1);
	woken = false;
}

void double_stream_wake(void)
{
	bool something = the_stream.in.len > 0 || the_stream.end;

	if (!open_session || woken == something)
		return;
	if (something)
		FUZZ_CHECK(write(open_session->nobody[1], "", 1) == 1);
	else
		calm();
	woken = something;
}

void session_catch_alarm(void)
{
}

int session_open(struct session *s, int64_t limit_us)
{
	if (the_stream.open_error == ETIMEDOUT && limit_us > 0)
		double_clock_step(limit_us);
	if (limit_us <= 0)
		return ETIMEDOUT;
	if (the_stream.open_error)
		return the_stream.open_error;
	s->transport = (struct netsnmp_transport_s *)(void *)&token;
	open_session = s;
	the_stream.opened++;
	the_stream.in.len = the_stream.out.len = 0;
	the_stream.end = false;
	return 0;
}

void session_close(struct session *s)
{
	if (!s->transport)
		return;
	calm();
	open_session = NULL;
	s->transport = NULL;
	s->out.len = 0;
}

ptrdiff_t session_write(struct session *s, const uint8_t *data, size_t len)
{
	(void)s;
	if (the_stream.end && the_stream.error) {
		errno = the_stream.error;
		return -1;
	}
	if (the_stream.full && len > the_stream.full) { /* so many, then nothing for once */
		len = the_stream.full;
		the_stream.full = 0;
	}
	buf_put(&the_stream.out, data, len);
	return (ptrdiff_t)len;
}

ptrdiff_t session_read(struct session *s, uint8_t *data, size_t len)
{
	struct double_stream *t = &the_stream;

	(void)s;
	if (t->in.len == 0) {
		errno = t->end && t->error ? t->error : EAGAIN;
		return t->end && !t->error ? 0 : -1;
	}
	if (len > t->in.len)
		len = t->in.len;
	if (t->piece && len > t->piece)
		len = t->piece;
	memcpy(data, t->in.data, len);
	buf_consume(&t->in, len);
	return (ptrdiff_t)len;
}

bool session_pending(const struct session *s)
{
	bool pending = the_stream.pending && s->transport && the_stream.in.len > 0;

	the_stream.pending = false;
	return pending;
}

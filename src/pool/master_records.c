/*
 * Records on their way to the writer: what workers sent, large ones from their spools, our own.
 *
 * The problem: the writer may stop taking at any moment, and a record may be larger than all that we
 * want to hold. So a record counts as answered when its last frame is here, and a large one is
 * copied slice by slice as the writer takes it; until it is through, nobody's frames are read, for its
 * octets must stand together.
 *
 * The trap: the rest of a large record is lent by its worker's queue and stays there only as long as
 * that queue is not read.
 */
#include "pool/master_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "out/spool.h"

#define SPOOL_MEMORY QUEUE_FRAME_MAX /* of a spool: one frame costs no file */
#define SLICE        65536
#define FLUSH_US     20000 /* a record waits no longer for others to be written with it */

static void record_count(struct master *m, enum record_status status, int64_t rtt_us)
{
	m->result->status[status]++;
	if (rtt_us >= 0)
		histogram_add(m->result->latency, rtt_us);
}

/* A record without varbinds that no worker gives. */
void record_settle(struct master *m, const struct dispatch_task *t, enum record_status status,
		   const char *message)
{
	struct record r = {.host = t->host,
			   .addr = t->addr, /* of a name without addresses: family 0 */
			   .time_ms = loop_wall_ms(),
			   .status = status,
			   .rtt_us = -1,
			   .message = message};

	if (t->addrs != NULL) {
		r.addr = t->addrs[0];
		r.addr.port = t->port;
	}
	m->scratch.len = 0;
	m->config->format(&m->scratch, &r);
	writer_put(m->config->writer, m->scratch.data, m->scratch.len);
	record_count(m, status, r.rtt_us);
}

/* --- large records ------------------------------------------------------------------------ */

static void spool_failed(struct master *m)
{
	log_error("cannot keep a large record in %s: %s (TMPDIR names another folder)",
		  getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", strerror(errno));
	m->result->written = WRITER_FAILED;
	m->over = true;
}

/* A part of another record, or its end, while one is open: no worker says that. */
static bool is_interleaved(const struct child *c, uint32_t lease)
{
	return c->part.spool != NULL && c->part.lease != lease;
}

bool part_take(struct child *c, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint32_t lease = wire_get_u32(&r);

	if (r.bad || !dispatch_holds(c->master->dispatch, c->number, lease) ||
	    is_interleaved(c, lease))
		return false;
	if (c->part.spool == NULL)
		c->part = (struct part){.lease = lease, .spool = spool_new(SPOOL_MEMORY)};
	if (!spool_put(c->part.spool, r.at, (size_t)(r.end - r.at)))
		spool_failed(c->master);
	return true;
}

void part_free(struct child *c)
{
	spool_free(c->part.spool);
	c->part.spool = NULL;
}

/* The record's last octets are here; what came before them is in the spool. */
static void large_begin(struct child *c, struct queue_frame rest)
{
	c->master->large = (struct large){.child = c, .spool = c->part.spool, .rest = rest};
	c->part.spool = NULL;
	large_continue(c->master);
}

bool large_may_continue(const struct master *m)
{
	return m->large.child != NULL && !writer_full(m->config->writer);
}

void large_continue(struct master *m)
{
	struct large *l = &m->large;
	uint8_t octets[SLICE];
	ptrdiff_t n = 1;

	if (l->child == NULL)
		return;
	while (n > 0 && !writer_full(m->config->writer)) {
		n = spool_read(l->spool, octets, sizeof(octets));
		if (n < 0)
			spool_failed(m);
		if (n == 0)
			writer_put(m->config->writer, l->rest.data, l->rest.len);
		if (n > 0)
			writer_put_part(m->config->writer, octets, (size_t)n);
	}
	if (n > 0)
		return; /* to be continued when the writer has room */
	spool_free(l->spool);
	*l = (struct large){0};
}

bool record_take(struct child *c, const struct queue_frame *f)
{
	struct master *m = c->master;
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct record_head head;

	if (!record_head_unpack(&head, &r) || is_interleaved(c, head.lease) ||
	    !dispatch_answer(m->dispatch, c->number, head.lease, head.seq))
		return false;
	record_count(m, head.status, head.rtt_us);
	c->delivered = true;
	m->barren = 0;
	if (c->part.spool == NULL)
		writer_put(m->config->writer, r.at, (size_t)(r.end - r.at));
	else
		large_begin(c, (struct queue_frame){.data = r.at, .len = (size_t)(r.end - r.at)});
	return true;
}

/* --- the writer --------------------------------------------------------------------------- */

bool output_blocked(const struct master *m)
{
	return writer_full(m->config->writer) || m->large.child != NULL;
}

static void output_ready(void *arg, unsigned ready)
{
	(void)arg; /* the turn's end writes */
	(void)ready;
}

/* Watches the writer's descriptor while something waits for it. */
static void output_watch(struct master *m, bool pending)
{
	int fd = writer_fd(m->config->writer);

	if (fd < 0 || pending == m->output_watched)
		return;
	if (pending)
		loop_watch(m->loop, fd, LOOP_WRITE, output_ready, m);
	else
		loop_forget(m->loop, fd);
	m->output_watched = pending;
}

void output_turn(struct master *m)
{
	struct writer *w = m->config->writer;
	int fd = writer_fd(w);
	int64_t now_us = loop_now_us(m->loop);
	enum writer_result result;

	if (!writer_pending(w))
		m->flush_us = LOOP_NEVER;
	else if (m->flush_us == LOOP_NEVER)
		m->flush_us = now_us + FLUSH_US;
	result = writer_flush(w, m->stopping || now_us >= m->flush_us);
	if (result != WRITER_OK) {
		if (m->output_watched)
			loop_forget(m->loop, fd);
		m->result->written = result;
		m->over = true;
		return;
	}
	if (!writer_pending(w) || fd >= 0)
		m->flush_us = LOOP_NEVER; /* written, or the descriptor tells when it takes more */
	output_watch(m, writer_pending(w));
}

/*
 * The output's side of the loop: when what is buffered goes to the writer's descriptor, whether more may be
 * put, and what could not be written before all records were there.
 *
 * An output that fails ends a run; of rounds it ends nothing but itself: the disk may have room again by the
 * next one. What is left of the round goes to a writer that drops it, for workers have targets in hand, and each has
 * its end. A reader that has gone does not come back, so that ends all of it.
 *
 * The trap: a record that is through may lie in the writer's buffer while nothing else comes. So it waits FLUSH_US
 * for company and then goes alone.
 */
#include "pool/master_internal.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "out/spool.h"

#define FLUSH_US 20000 /* a record waits no longer for others to be written with it */

void output_lost(struct master *m, enum writer_result why)
{
	static const struct layout_config plain;

	m->result->written = why;
	if (m->config->rounds == NULL || why == WRITER_CLOSED) {
		m->over = true;
		return;
	}
	writer_abort(m->writer);
	layout_free(m->layout);
	m->layout = layout_new(&plain, m->writer);
}

void output_failed(struct master *m)
{
	log_error("cannot keep records in %s until they can be sorted: %s (TMPDIR names another "
		  "folder)",
		  spool_folder(), strerror(errno));
	output_lost(m, WRITER_FAILED);
}

bool output_blocked(const struct master *m)
{
	return !m->resting && (writer_full(m->writer) || m->large.open);
}

static void output_ready(void *arg, unsigned ready)
{
	(void)arg; /* the turn's end writes */
	(void)ready;
}

/* Watches the writer's descriptor while something waits for it. */
static void output_watch(struct master *m, bool pending)
{
	int fd = writer_fd(m->writer);

	if (fd < 0 || pending == m->output_watched)
		return;
	if (pending)
		loop_watch(m->loop, fd, LOOP_WRITE, output_ready, m);
	else
		loop_forget(m->loop, fd);
	m->output_watched = pending;
}

/* What could not be written before all records were there. */
static void output_finish(struct master *m)
{
	enum layout_state state;

	if (m->laid_out || !m->drained || m->large.open || m->hands->in_flight(m) > 0)
		return;
	state = layout_finish(m->layout);
	m->laid_out = state == LAYOUT_DONE;
	if (state == LAYOUT_FAILED)
		output_failed(m);
}

bool output_may_finish(const struct master *m)
{
	return m->drained && !m->laid_out && !writer_full(m->writer);
}

void output_turn(struct master *m)
{
	struct writer *w = m->writer;
	int fd = writer_fd(w);
	int64_t now_us = loop_now_us(m->loop);
	enum writer_result result;

	output_finish(m);
	m->layout_us = layout_turn(m->layout, now_us);
	if (!writer_pending(w))
		m->flush_us = LOOP_NEVER;
	else if (m->flush_us == LOOP_NEVER)
		m->flush_us = now_us + FLUSH_US;
	result = writer_flush(w, m->drained || now_us >= m->flush_us);
	if (result != WRITER_OK) {
		if (m->output_watched)
			loop_forget(m->loop, fd);
		m->output_watched = false;
		output_lost(m, result);
		return;
	}
	if (!writer_pending(w) || fd >= 0)
		m->flush_us = LOOP_NEVER; /* written, or the descriptor tells when it takes more */
	output_watch(m, writer_pending(w));
}

void output_forget(struct master *m)
{
	output_watch(m, false);
	m->flush_us = LOOP_NEVER;
}

/*
 * Rounds: all targets, again and again, at a fixed rate; a run without --interval is one round and its end.
 *
 * Round k is due at T0 + k intervals on the monotonic clock, whatever the rounds before took; so a graph's points
 * stand where they should, and a clock that is set moves nothing. No round begins before the one before is over: two
 * of them would ask the same device twice at a time, and an output that is replaced would be two outputs. One that
 * is still under way when the next is due makes that one fall out, which is said once. Rejected: to begin late, as
 * soon as may be; then the rate is nobody's, and a system that is too slow for its work is never idle.
 *
 * Between rounds there is nothing to do and no tick: workers and resolver live on, sleeping, with what they know.
 *
 * A signal asks for the end: nothing is begun any more, what is in flight may finish for DRAIN_US; then the rest is
 * cancelled, the round has all its records and is written like any other.
 *
 * Another plan takes over between two rounds, never within one: the old children are stopped first, so that no target
 * is asked by both, and no limit counts twice; the schedule goes on as if nothing had been.
 *
 * The trap: a process that was stopped (Ctrl-Z, a frozen group) wakes up when rounds are long due. They are not made up
 * for: each would be a burst, and its answers of a time that nobody asked about.
 */
#include "pool/master_internal.h"

#include <inttypes.h>
#include <signal.h>

#include "base/log.h"

#define DRAIN_US 5000000 /* DESIGN.md: "may finish for 5 s" */
#define STARVED  2       /* intervals without a round, for reloads alone */

static struct master_schedule *schedule(const struct master *m)
{
	return m->config->rounds->schedule;
}

static int64_t due_us(const struct master *m)
{
	const struct master_schedule *s = schedule(m);

	return s->start_us + (int64_t)s->next * m->config->rounds->interval_us;
}

/* Another plan takes over, now that we rest. One that has polled nothing yet gives way too, but not for ever: who
 * reads the files again faster than children start would see no round. */
static bool may_hand_over(const struct master *m)
{
	int64_t idle_us = loop_now_us(m->loop) - schedule(m)->begun_us;

	return m->reload &&
	       (m->stopping || m->polled || idle_us < STARVED * m->config->rounds->interval_us);
}

int64_t rounds_next_us(const struct master *m)
{
	return m->last || may_hand_over(m) ? LOOP_NEVER : due_us(m);
}

/* --- begin -------------------------------------------------------------------------------- */

/* All that a round has of its own. */
void round_begin(struct master *m)
{
	struct histogram *latency = m->result->latency;
	int signal = m->result->signal;
	unsigned deaths = m->result->deaths - m->rest_deaths; /* between rounds */

	histogram_free(latency);
	*m->result = (struct master_result){.latency = histogram_new(),
					    .written = WRITER_OK,
					    .next_round_us = LOOP_NEVER,
					    .deaths = deaths,
					    .signal = signal};
	m->rest_deaths = 0;
	m->layout = layout_new(&m->config->layout, m->writer);
	m->start_us = loop_now_us(m->loop);
	m->parts.full = false;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++) {
		m->plan_done[kind] = m->remote == NULL && m->workers[kind] == 0;
		m->through[kind] = false;
	}
	m->cancelled = NULL;
	m->cancelled_us = m->drain_us = m->flush_us = LOOP_NEVER;
	m->busy = true;
	m->drained = m->laid_out = m->resting = false;
}

/* Due for so long that we cannot have been awake: stopped, and all with us that was due meanwhile. */
static bool was_missed(struct master *m)
{
	int64_t late_us = loop_now_us(m->loop) - due_us(m);
	uint64_t missed;

	if (late_us <= LOOP_LATE_US)
		return false;
	missed = (uint64_t)(late_us / m->config->rounds->interval_us) + 1;
	schedule(m)->next += missed;
	log_warning("stopped, or without a processor, for %.1f s: %" PRIu64 " round%s left out",
		    (double)late_us / 1e6, missed, missed == 1 ? " is" : "s are");
	return true;
}

static void begin_next(struct master *m)
{
	bool cancelled = m->cancelled_us != LOOP_NEVER;
	int64_t begin_us = due_us(m);

	if (was_missed(m))
		return;
	schedule(m)->next++;
	schedule(m)->begun_us = loop_now_us(m->loop);
	m->polled = true;
	m->writer = m->config->rounds->begin(m->config->rounds->arg);
	if (m->writer == NULL)
		return;
	schedule(m)->rounds++;
	plan_rewind(m->config->plan);
	if (m->config->memory != NULL)
		memory_round(m->config->memory);
	m->hands->begin(m);
	spread_begin(m, begin_us);
	round_begin(m);
	m->hands->resume(m, cancelled);
}

void rounds_open(struct master *m)
{
	m->resting = true;
	if (schedule(m)->rounds == 0)
		*schedule(m) = (struct master_schedule){.start_us = loop_now_us(m->loop),
							.begun_us = schedule(m)->begun_us};
	if (schedule(m)->begun_us == 0)
		schedule(m)->begun_us = schedule(m)->start_us;
}

/* --- end ---------------------------------------------------------------------------------- */

/* What was due while it was under way falls out. */
static void leave_out(struct master *m)
{
	int64_t late_us = loop_clock_us() - due_us(m), interval_us = m->config->rounds->interval_us;
	uint64_t late;

	if (late_us < 0 || m->last)
		return;
	late = (uint64_t)(late_us / interval_us) + 1;
	schedule(m)->next += late;
	log_warning("round %" PRIu64 " took %.1f s, and one is due every %.1f s: %" PRIu64
		    " %s left out",
		    schedule(m)->rounds, (double)m->result->elapsed_us / 1e6,
		    (double)interval_us / 1e6, late, late == 1 ? "is" : "are");
}

static bool is_over(struct master *m)
{
	return m->laid_out && !m->large.open && !writer_pending(m->writer) && m->hands->settled(m);
}

static void round_end(struct master *m)
{
	output_forget(m);
	layout_free(m->layout);
	m->layout = NULL;
	m->result->elapsed_us = loop_clock_us() - m->start_us;
	m->rest_deaths = m->result->deaths;
	leave_out(m);
	m->result->round = schedule(m)->rounds;
	m->result->skipped = schedule(m)->next - schedule(m)->rounds;
	m->result->next_round_us = rounds_next_us(m);
	if (!m->config->rounds->end(m->config->rounds->arg, m->result) || m->result->failed)
		m->last = true;
	m->writer = NULL;
	m->resting = true;
	leave_out(m); /* a disk may be slow, too */
}

void rounds_turn(struct master *m)
{
	if (m->config->rounds == NULL || m->over)
		return;
	if (!m->resting && is_over(m))
		round_end(m);
	if (m->resting && (m->last || may_hand_over(m)) && !m->stopping)
		m->hands->stop(m);
	m->result->reload = m->resting && m->stopping && m->reload && !m->last;
	if (m->resting && rounds_next_us(m) <= loop_now_us(m->loop))
		begin_next(m);
}

bool rounds_hear(const struct master *m, int signal)
{
	return signal == SIGHUP && m->config->rounds != NULL && m->config->rounds->reload != NULL;
}

void rounds_reload(struct master *m)
{
	if (!m->last && m->config->rounds->reload(m->config->rounds->arg))
		m->reload = true;
}

void rounds_signal(struct master *m)
{
	m->last = true;
	m->result->reload = false;
	if (m->resting || m->cancelled != NULL)
		return;
	master_close_leases(m, "stopped by a signal");
	m->hands->drain(m);
	m->drain_us = loop_now_us(m->loop) + DRAIN_US;
}

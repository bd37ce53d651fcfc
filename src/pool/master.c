/*
 * The master: owns the ledger, the children and the output; never parses a byte of the network.
 *
 * Waits for: records and counters of the workers, answers of the resolver, signals, the writer's
 * descriptor while something is buffered, and the nearest of: a child's silence, a respawn, the run's
 * deadline, the flush of a record that has waited long enough. Ends when every target has its record,
 * every child has stopped and everything is written; at once after a second signal or when the
 * output fails.
 *
 * A turn: sleep, serve what is ready, then what is due, then hand out what may be handed out, then
 * write and send. All bounds hang together here: a slow reader blocks the output, a blocked output is
 * no longer fed, workers that nobody reads keep their answers and then stop asking. Nothing is
 * dropped and nothing grows.
 *
 * The trap: an end that is noticed instead of counted. The run ends when the ledger owes nothing, the
 * plan is through and no name is open; then STOP goes out, and never earlier, for a late death needs
 * somebody who takes its targets.
 */
#include "pool/master_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void master_close_leases(struct master *m, const char *words)
{
	if (m->cancelled != NULL)
		return;
	m->cancelled = words;
	m->hands->release(m);
}

/* Nothing new is asked, what is open ends as cancelled. */
void master_cancel(struct master *m, const char *words)
{
	master_close_leases(m, words);
	if (m->cancelled_us == LOOP_NEVER)
		m->hands->cancel(m);
}

/* The first asks for a good end, the second for an end. */
static void signal_ready(void *arg, unsigned ready)
{
	struct master *m = arg;
	bool reload = false; /* once for all that came: files may be read no faster than that */
	int signal;

	(void)ready;
	while ((signal = signals_take(m->signals)) != 0) {
		if (m->config->feed != NULL)
			continue; /* they are for who feeds us */
		if (signals_asks(signal)) {
			watch_asked(m);
			continue;
		}
		if (rounds_hear(m, signal)) {
			reload = true;
			continue;
		}
		if (m->result->signal != 0)
			m->result->aborted = m->over = true;
		else
			m->result->signal = signal;
		if (m->config->rounds != NULL)
			rounds_signal(m);
		else
			master_cancel(m, "stopped by a signal");
	}
	if (reload)
		rounds_reload(m);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When what is open is to be cancelled; a signal that asks for a good end does not put it off. */
static int64_t deadline_us(const struct master *m)
{
	if (m->cancelled_us != LOOP_NEVER)
		return LOOP_NEVER;
	if (m->config->deadline_us == 0)
		return m->drain_us;
	return least(m->drain_us, m->start_us + m->config->deadline_us);
}

static int64_t master_next_us(const struct master *m)
{
	int64_t writer_us;

	if (m->resting)
		return least(least(m->hands->next_us(m), watch_next_us(m)), rounds_next_us(m));
	writer_us = writer_next_us(m->writer); /* it waits for a lock until then */
	if (((m->busy || m->unread) && !m->blocked) || large_may_continue(m) ||
	    output_may_finish(m))
		return loop_now_us(m->loop);
	return least(least(least(m->hands->next_us(m), deadline_us(m)),
			   least(watch_next_us(m), spread_next_us(m))),
		     least(m->layout_us, writer_us == INT64_MAX ? m->flush_us : writer_us));
}

/* Hands out what may be handed out, takes back what nobody shall be asked. */
static void master_advance(struct master *m)
{
	if (deadline_us(m) <= loop_now_us(m->loop))
		master_cancel(m, "the deadline of the run came first");
	if (m->cancelled != NULL)
		m->hands->take_back(m);
	else
		m->hands->hand_out(m);
	if (m->drained || m->hands->left(m))
		return;
	m->drained = true;
	watch_weigh(m);
	if (m->config->rounds == NULL)
		m->hands->stop(m);
}

/* The output comes last of what may fill it: so whether it is blocked is true for the whole sleep. */
static void master_turn(struct master *m)
{
	int64_t late_us = loop_turn(m->loop, master_next_us(m));
	bool was_blocked = m->blocked;

	if (late_us > 0) { /* the others were stopped too */
		m->hands->renew(m);
		spread_renew(m, late_us);
	}
	if (m->unread && !m->blocked)
		m->hands->serve(m);
	m->hands->times(m);
	if (m->resting) {
		m->hands->rest(m);
	} else {
		master_advance(m);
		large_continue(m);
		output_turn(m);
	}
	rounds_turn(m);
	m->blocked = output_blocked(m);
	watch_tick(m);
	if (was_blocked && !m->blocked) /* whom we did not hear was not silent */
		m->hands->renew(m);
	m->hands->watch(m);
}

static bool is_done(const struct master *m)
{
	if (m->over)
		return true;
	if (m->config->rounds != NULL)
		return m->resting && m->stopping && !m->hands->live(m);
	return m->laid_out && !m->hands->live(m) && !writer_pending(m->writer);
}

static bool master_open(struct master *m)
{
	m->loop = loop_new();
	m->start_us = loop_now_us(m->loop);
	watch_open(m);
	m->signals = signals_open();
	if (m->signals == NULL || !m->hands->open(m)) {
		log_error("cannot start: no memory or no descriptor for the run itself");
		return false;
	}
	spread_open(m);
	loop_refresh(m->loop); /* no round is late because a long list was sorted */
	if (m->config->rounds != NULL)
		rounds_open(m);
	else
		round_begin(m);
	loop_watch(m->loop, signals_fd(m->signals), LOOP_READ, signal_ready, m);
	feed_open(m);
	m->hands->start(m);
	m->hands->watch(m);
	return true;
}

static void master_close(struct master *m)
{
	m->hands->free(m);
	spread_close(m);
	parts_free(m);
	engines_free(m->engines);
	layout_free(m->layout);
	signals_close(m->signals, m->result->reload);
	watch_close(m);
	buf_free(&m->scratch);
	loop_free(m->loop);
}

void master_run(const struct master_config *config, struct master_result *result)
{
	struct master m = {.config = config,
			   .result = result,
			   .hands = config->remote != NULL ? &hands_remote : &hands_local,
			   .writer = config->writer,
			   .cancelled_us = LOOP_NEVER,
			   .drain_us = LOOP_NEVER,
			   .flush_us = LOOP_NEVER,
			   .layout_us = LOOP_NEVER};

	*result = (struct master_result){.latency = histogram_new(), .written = WRITER_OK};
	if (master_open(&m))
		while (!is_done(&m))
			master_turn(&m);
	else
		result->failed = result->aborted = true;
	if (!m.resting)
		result->elapsed_us = loop_clock_us() - m.start_us;
	if (result->written != WRITER_OK && !result->aborted && m.hands->abandon != NULL)
		m.hands->abandon(&m);
	master_close(&m);
}

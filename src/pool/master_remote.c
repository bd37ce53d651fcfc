/*
 * The work is done by agents of sites, beyond a broker: no workers, no resolver, no lease; one child that holds the link.
 *
 * The problem: whatever is between us and an agent may go, come back, or bring the same thing twice; and the master of a
 * million tasks shall cost hardly more than that of ten thousand. So nothing is kept per task that is out: a bit says whether
 * it has its record (link/ledger.h), messages are kept until the broker has them (link/window.h), and what comes back is not
 * acknowledged before it is safe (pool/acks.h). All that can be lost is found missing in the end, and asked again.
 *
 * The rest of the master (rounds, spread, output, signals, watchers) is as with children of our own; this is the table
 * by which it reaches the rooms here.
 *
 * Numbers on the wire are unique over rounds: round times the number of tasks, and the task's own. So a record that is
 * late for its round is known as such.
 */
#include "pool/master_internal.h"

#include <stdlib.h>

#include "base/log.h"

static bool remote_open(struct master *m)
{
	struct remote *r = mem_zero(1, sizeof(*r));
	struct acks_config acks = {.journal = m->config->remote->journal,
				   .begun = m->config->remote->begun,
				   .stats = &m->result->stats,
				   .send = remote_link_ack,
				   .arg = m};

	m->remote = r;
	r->config = m->config->remote;
	r->link = (struct remote_link){.proc = {.fd = -1}, .respawn_us = LOOP_NEVER};
	r->window = window_new();
	r->acks = acks_new(&acks);
	r->tasks = plan_total(m->config->plan);
	r->ledger = ledger_new(r->tasks);
	r->agents = mem_zero(REMOTE_AGENTS_MAX, sizeof(*r->agents));
	r->announce = true;
	r->batch = (uint64_t)loop_wall_ms() * 1000; /* above all of a run that is taken up */
	sites_open(m);
	return true;
}

static void remote_free(struct master *m)
{
	struct remote *r = m->remote;

	if (r == NULL)
		return;
	remote_link_free(m);
	pieces_clear(m);
	sites_free(m);
	window_free(r->window);
	acks_free(r->acks);
	ledger_free(r->ledger);
	ledger_free(r->later);
	ledger_free(r->died);
	buf_free(&r->words);
	free(r->agents);
	free(r->pieces);
	free(r);
	m->remote = NULL;
}

static bool remote_live(const struct master *m)
{
	return m->remote->link.queue != NULL;
}

/* --- the end ------------------------------------------------------------------------------ */

static void remote_stop(struct master *m)
{
	m->stopping = true;
}

/* --- a turn ------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t remote_next_us(const struct master *m)
{
	const struct remote *r = m->remote;
	int64_t next_us = least(remote_link_next_us(m), sites_next_us(m));

	if (m->stopping && r->link.queue != NULL && !r->link.killed)
		next_us = least(next_us, r->link.leave_us);
	if (!output_blocked(m))
		next_us = least(next_us, window_next_us(r->window));
	return least(next_us, least(control_next_us(m), acks_next_us(r->acks)));
}

static void remote_times(struct master *m)
{
	remote_link_times(m);
	sites_times(m);
	if (!output_blocked(m)) /* or confirms wait unread */
		window_turn(m->remote->window, loop_now_us(m->loop));
	control_turn(m);
}

/* What was written is acknowledged; of a round whose output has failed also what is dropped: else no more would come. */
static void acks_serve(struct master *m)
{
	struct acks *a = m->remote->acks;
	int64_t now_us = loop_now_us(m->loop);
	enum writer_result result = acks_turn(a, m->resting || m->laid_out, now_us);

	if (result == WRITER_OK)
		return;
	if (m->result->written == WRITER_OK)
		output_lost(m, result);
	if (m->over)
		return;
	acks_output(a, NULL, true);
	acks_turn(a, true, now_us);
}

/* The end of a turn: what was written is acknowledged, what is queued is sent. */
static void remote_watch(struct master *m)
{
	if (!m->over)
		acks_serve(m);
	leave_turn(m);
	remote_link_watch(m);
}

static void remote_renew(struct master *m)
{
	remote_link_renew(m);
	sites_renew(m);
	/* confirms lay unread meanwhile: that was no stall */
	window_block(m->remote->window, m->remote->blocked, loop_now_us(m->loop));
}

static void remote_rest(struct master *m)
{
	(void)m;
}

/* --- targets ------------------------------------------------------------------------------ */

static bool remote_left(struct master *m)
{
	const struct remote *r = m->remote;

	return ledger_count(r->ledger) < r->tasks || m->result->targets < r->tasks;
}

static uint64_t remote_in_flight(const struct master *m)
{
	uint64_t answered = ledger_count(m->remote->ledger);

	return m->result->targets > answered ? m->result->targets - answered : 0;
}

static void remote_release(struct master *m)
{
	sites_flush(m);
}

static void remote_drain(struct master *m)
{
	(void)m; /* what was handed out may finish; nothing more is */
}

static void remote_cancel(struct master *m)
{
	m->cancelled_us = loop_now_us(m->loop);
	m->remote->cancel = 0;
	control_cancel(m, m->remote->batch);
}

/* --- rounds ------------------------------------------------------------------------------- */

static void round_open(struct master *m)
{
	const struct layout_config *l = &m->config->layout;

	sites_begin(m);
	acks_output(m->remote->acks, m->writer,
		    l->sorted != NULL || l->order != LAYOUT_AS_THEY_COME);
}

/* What a run that is taken up had counted. */
static void take_up(struct master *m)
{
	const struct journal_sums *begun = m->config->remote->begun;

	if (begun == NULL)
		return;
	for (unsigned i = 0; i < RECORD_STATUS_COUNT; i++)
		m->result->status[i] += begun->status[i];
	stats_add(&m->result->stats, &begun->stats);
}

static void remote_start(struct master *m)
{
	if (m->config->rounds == NULL) {
		round_open(m);
		take_up(m);
	}
	remote_link_start(m);
}

/* All that was written is acknowledged; then the writer may go. */
static bool remote_settled(struct master *m)
{
	struct acks *a = m->remote->acks;

	if (m->remote->taken.open)
		return false;
	acks_turn(a, true, loop_now_us(m->loop));
	if (acks_owes(a) && m->result->written == WRITER_OK)
		return false;
	acks_output(a, NULL, true);
	return true;
}

static void remote_begin(struct master *m)
{
	struct remote *r = m->remote;

	pieces_clear(m);
	ledger_clear(r->ledger);
	if (r->later != NULL)
		ledger_clear(r->later);
	if (r->died != NULL)
		ledger_clear(r->died);
	r->round += r->begun;
	r->begun = true;
}

static void remote_resume(struct master *m, bool cancelled)
{
	(void)cancelled;
	round_open(m);
}

const struct hands hands_remote = {
	.open = remote_open,
	.start = remote_start,
	.free = remote_free,
	.live = remote_live,
	.next_us = remote_next_us,
	.times = remote_times,
	.serve = remote_link_serve,
	.watch = remote_watch,
	.renew = remote_renew,
	.rest = remote_rest,
	.hand_out = sites_hand_out,
	.take_back = sites_take_back,
	.left = remote_left,
	.in_flight = remote_in_flight,
	.release = remote_release,
	.drain = remote_drain,
	.cancel = remote_cancel,
	.stop = remote_stop,
	.abandon = remote_abandon,
	.settled = remote_settled,
	.begin = remote_begin,
	.resume = remote_resume,
};

/*
 * How the link ends: in good order, or with a word to agents at least.
 *
 * When all targets have records and these are with the writer, agents are told that the run is over, what they sent is
 * acknowledged, the results queue is deleted, and then the link ends. All of that spares others work, and none of it a record: a
 * broker that does not confirm it is not waited for longer than LEAVE_US, which is a leader's election; one that is gone,
 * or takes nothing (an alarm), not longer than GONE_US. Its queues expire, and agents' cells end when they are idle.
 *
 * An output that fails (a full disk, a reader that has gone) ends the loop where it stands. Agents know nothing of that:
 * they would ask devices until the time of the messages is over, a day perhaps, for nobody. So they are told after the
 * loop, and the courier has ABANDON_US to bring it to the broker. What is left of a run that may be taken up stays:
 * its results queue, and that the run is not over; tasks that were not polled yet go out again then.
 *
 * Rejected: the loop goes on until that is done. All of it would have to know that there is no output any more.
 *
 * The trap: a courier whose words nobody reads takes none of ours. So they are read here too, and dropped.
 */
#include "pool/master_internal.h"

#include <poll.h>
#include <signal.h>

#include "base/log.h"

#define LEAVE_US   10000000
#define GONE_US    2000000
#define ABANDON_US 2000000

/* What is not acknowledged is wanted again, when the run is taken up. */
static bool may_forget(const struct master *m)
{
	return m->config->remote->journal == NULL || m->result->written == WRITER_OK;
}

static bool is_written(const struct master *m)
{
	return m->resting || (m->laid_out && !writer_pending(m->writer));
}

/* Not longer than this from now on. */
static int64_t patience_us(const struct master *m)
{
	const struct remote_link *c = &m->remote->link;

	return c->puts && c->takes && !m->remote->blocked ? LEAVE_US : GONE_US;
}

/* Step by step; each waits for the one before. */
void leave_turn(struct master *m)
{
	struct remote *r = m->remote;
	struct remote_link *c = &r->link;
	int64_t now_us = loop_now_us(m->loop);
	uint8_t forget = may_forget(m);

	if (!m->stopping || c->queue == NULL || c->killed || !is_written(m))
		return;
	if (c->leave_us - now_us > patience_us(m)) /* also when it goes meanwhile */
		c->leave_us = now_us + patience_us(m);
	if (now_us >= c->leave_us) {
		if (c->was_up)
			log_warning("the broker takes no farewell; its queues of this run expire");
		kill(c->proc.pid, SIGKILL);
		c->killed = true;
		return;
	}
	if (c->leaving || (forget && !control_over(m)) || acks_owes(r->acks) ||
	    (forget && c->was_up && window_open(r->window) > 0))
		return;
	queue_put(c->queue, COURIER_STOP, &forget, sizeof(forget));
	c->leaving = true;
}

/* --- without an output -------------------------------------------------------------------- */

/* STOPPED: that is `left`; or its death. */
static bool link_has_ended(struct remote_link *c)
{
	enum queue_state state = queue_read(c->queue);
	struct queue_frame f;

	while (queue_next(c->queue, &f))
		if (f.kind == COURIER_STOPPED)
			return c->left = true;
	return state != QUEUE_OPEN || !queue_flush(c->queue);
}

/* Until the link has ended, or a signal comes, or it has taken too long. False: it did not end in good order. */
static bool link_await(struct remote_link *c, int signals)
{
	int64_t until_us = loop_clock_us() + ABANDON_US, left_us;

	while (!link_has_ended(c)) {
		short want = queue_backlog(c->queue) > 0 ? POLLIN | POLLOUT : POLLIN;
		struct pollfd p[] = {{.fd = c->proc.fd, .events = want},
				     {.fd = signals, .events = POLLIN}};

		left_us = until_us - loop_clock_us();
		if (left_us <= 0)
			return false;
		poll(p, 2, (int)(left_us / 1000) + 1);
		if (p[1].revents != 0)
			return false;
	}
	return c->left;
}

/* False: what agents should hear has not reached the broker. */
static bool agents_tell(struct master *m)
{
	struct remote_link *c = &m->remote->link;
	uint8_t forget = may_forget(m);
	bool goes_out = c->puts && !m->remote->blocked; /* or it stays in the window */

	if (c->queue == NULL || c->killed)
		return false;
	m->remote->taken.open = false; /* it is read on */
	control_cancel(m, m->remote->batch);
	if (forget)
		control_over(m);
	queue_put(c->queue, COURIER_STOP, &forget, sizeof(forget));
	return link_await(c, signals_fd(m->signals)) && goes_out;
}

void remote_abandon(struct master *m)
{
	const struct remote_link *c = &m->remote->link;

	if (c->leaving || !c->was_up)
		return;
	if (m->stopping && (c->queue == NULL || c->killed))
		return; /* while it was leaving: no task is out then */
	if (!agents_tell(m) && m->result->written != WRITER_CLOSED)
		log_warning("agents could not be told that the run has ended; they poll until the "
			    "time of its tasks is over");
}

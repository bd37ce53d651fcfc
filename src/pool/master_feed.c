/*
 * A run whose targets come from outside, for as long as somebody has some: an agent's.
 *
 * The plan is as any other, but that "there is none" means "not yet" while it is open. So the end is counted as ever: the
 * plan is through once it was closed, and STOP goes out when the ledger owes nothing. Between two batches there is nothing to
 * do and no tick; the feed's descriptor wakes us.
 *
 * The run may last for weeks, and its master sends rounds. It knows of none of them, but sees a pause: nothing is owed and
 * nobody waits. What rounds do for names is done then (master_rounds.c): addresses that were asked again hold from now on, since no
 * lease points to the old ones, and what had no address has another chance. At most every PAUSE_US: a list that trickles in is
 * no row of rounds.
 *
 * No worker can live: where a person waits all that is open ends as cancelled, and the exit status says why. Here
 * somebody else may be able to ask it, so it ends without a record, and what is owed is owed still.
 */
#include "pool/master_internal.h"

#define PAUSE_US INT64_C(5000000)

static bool pauses(const struct master *m)
{
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		if (m->names.ready[kind].first != NULL)
			return false;
	return dispatch_owes(m->dispatch) == 0 && m->names.asked == 0;
}

static void renew_names(struct master *m)
{
	int64_t now_us = loop_now_us(m->loop);

	if (m->names.count == 0 || now_us - m->names.begun_us < PAUSE_US || !pauses(m))
		return;
	m->names.begun_us = now_us;
	refresh_renew(m);
	names_begin(m);
}

static void feed_ready(void *arg, unsigned ready)
{
	struct master *m = arg;
	const struct master_feed *feed = m->config->feed;
	double rate_pps = m->orders.rate_pps;

	(void)ready;
	renew_names(m);
	feed->ready(feed->arg, &m->orders);
	if (m->orders.rate_pps < rate_pps || m->orders.rate_pps > rate_pps)
		children_rate(m);
	if (m->orders.cancel != NULL)
		master_cancel(m, m->orders.cancel);
	if (m->orders.asked && m->layout != NULL)
		layout_count(m->layout, &(struct stats){{0}});
	m->orders.asked = false;
	if (m->orders.ended)
		loop_forget(m->loop, feed->fd);
}

void feed_open(struct master *m)
{
	m->orders.rate_pps = m->config->rate_pps;
	if (m->config->feed != NULL)
		loop_watch(m->loop, m->config->feed->fd, LOOP_READ, feed_ready, m);
}

const char *feed_fault(const struct master *m, uint32_t profile)
{
	const struct master_feed *feed = m->config->feed;

	return feed != NULL ? feed->fault(feed->arg, profile) : NULL;
}

void feed_give_up(struct master *m)
{
	m->over = true;
}

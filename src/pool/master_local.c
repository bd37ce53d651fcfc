/*
 * The work is done by children of ours: workers, which ask devices, and a resolver.
 *
 * How many workers of which kind there are, what they share with us, and the table by which the rest of the master
 * reaches them. Their lives are in master_children.c, the care for them in master_care.c, their targets in master_leases.c.
 */
#include "pool/master_internal.h"

#include <stdlib.h>

#include "base/log.h"

/* Workers for PLAN_SESSIONS: each has one host at a time and is held by it for all its waits, if it is silent;
 * each is a process of some megabytes, on machines that have little else to do. */
#define SESSIONS_MAX 16
#define LEASE_SPARE  256 /* leases beyond the window: on their way, or waiting in the worker */

/* A short list goes to all workers, or one would have it all and the others its share of the rate. What is fed comes
 * MASTER_BATCH at a time, or so. */
static unsigned batch_of(const struct master_config *c)
{
	uint64_t targets = c->feed != NULL ? MASTER_BATCH : plan_count(c->plan, PLAN_DATAGRAMS);
	uint64_t share = (targets + c->workers - 1) / c->workers;

	return share < 1 ? 1 : share < MASTER_BATCH ? (unsigned)share : MASTER_BATCH;
}

/* How many workers of which kind there are. A kind without targets has none, or its share of the rate would
 * be nobody's; an empty list still has workers that find nothing to do. */
static void count_workers(struct master *m)
{
	const struct plan *plan = m->config->plan;
	const struct master_feed *feed = m->config->feed;
	uint64_t sessions = feed != NULL ? feed->sessions : plan_count(plan, PLAN_SESSIONS);

	m->workers[PLAN_SESSIONS] = sessions < SESSIONS_MAX ? (unsigned)sessions : SESSIONS_MAX;
	if (sessions == 0 || feed != NULL || plan_count(plan, PLAN_DATAGRAMS) > 0)
		m->workers[PLAN_DATAGRAMS] = m->config->workers;
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		m->nworkers += m->workers[kind];
}

static struct dispatch *ledger_of(const struct master *m)
{
	struct dispatch_kind kinds[PLAN_KINDS] = {
		[PLAN_DATAGRAMS] = {m->workers[PLAN_DATAGRAMS], m->config->window + LEASE_SPARE},
		[PLAN_SESSIONS] = {m->workers[PLAN_SESSIONS], 1},
	};

	return dispatch_new(kinds, PLAN_KINDS);
}

static bool local_open(struct master *m)
{
	count_workers(m);
	m->frame = mem_alloc(MASTER_FRAME);
	m->batch = batch_of(m->config);
	m->cells = cells_new(m->nworkers);
	if (m->cells == NULL)
		return false;
	m->dispatch = ledger_of(m);
	return true;
}

static void local_free(struct master *m)
{
	if (m->children != NULL)
		children_free(m);
	names_free(m);
	dispatch_free(m->dispatch);
	cells_free(m->cells, m->nworkers);
	free(m->frame);
}

static void local_hand_out(struct master *m)
{
	leases_fill(m);
	names_ask(m);
}

static uint64_t local_in_flight(const struct master *m)
{
	return dispatch_owes(m->dispatch) - dispatch_waiting(m->dispatch);
}

static void local_release(struct master *m)
{
	names_release(m);
	resolver_leave(m);
}

static bool local_settled(struct master *m)
{
	(void)m; /* workers do not ask */
	return true;
}

static void local_begin(struct master *m)
{
	refresh_renew(m);
	names_begin(m);
}

const struct hands hands_local = {
	.open = local_open,
	.start = children_start,
	.free = local_free,
	.live = children_live,
	.next_us = children_next_us,
	.times = children_times,
	.serve = children_serve,
	.watch = children_watch,
	.renew = children_renew,
	.rest = refresh_ask,
	.hand_out = local_hand_out,
	.take_back = leases_cancel,
	.left = leases_left,
	.in_flight = local_in_flight,
	.release = local_release,
	.drain = children_drain,
	.cancel = children_cancel,
	.stop = children_stop,
	.settled = local_settled,
	.begin = local_begin,
	.resume = children_resume,
};

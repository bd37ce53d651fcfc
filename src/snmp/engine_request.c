/*
 * A question under way: its tries, its timer, and what became of each datagram sent.
 *
 * The problem: a hundred thousand requests a second start a timer of a second each, and nearly none of
 * those timers is ever needed. Starting and stopping costs a tenth of a microsecond per exchange, which
 * is a tenth of what the engine may cost.
 *
 * The design: the timer belongs to the slot and is left alone when its request ends. The request that takes
 * the slot next is due later than the timer fires; when it does, it is moved to where it should be, or
 * left off when the slot is free. So a slot's timer is touched once per wait instead of twice per
 * exchange. Only a deadline that comes before the timer's moves it at once.
 *
 * Counting: a request ends in one way, and all its sends are counted then: one was answered or refused,
 * the others superseded or left without an answer. So sent = answered + refused + superseded + unanswered
 * holds whenever nothing is in flight, whatever happened.
 */
#include "snmp/engine_internal.h"
#include "snmp/engine_known.h"

#include <assert.h>

static void arm(struct engine *e, struct request *r, int64_t due_us)
{
	r->due_us = due_us;
	if (due_us == INT64_MAX || (timer_running(&r->timer) && r->armed_us <= due_us))
		return;
	r->armed_us = due_us;
	timer_start(e->timers, &r->timer, due_us);
}

void request_start(struct engine *e, struct job *job, const struct asked *asked)
{
	uint32_t slot = inflight_take(e->inflight);
	struct request *r = &e->requests[slot];

	assert(!job->nrequests || job->nrequests < job->profile->per_host);
	r->slot = slot;
	r->serial = ++e->serial;
	r->job = job;
	r->again = job->carried > 0; /* in another size, or of another address */
	job->nagain += r->again;
	r->asked = *asked;
	r->asked.sends = job->carried;
	r->asked.before = job->before;
	job->carried = job->before = 0;
	if (asked->strand)
		asked->strand->requests++;
	if (job->nrequests++)
		e->extra++;
	LIST_INSERT_HEAD(&job->requests, r, in_job);
	arm(e, r, job->deadline_us);
	engine_ready(e, r);
}

void request_sent(struct engine *e, struct request *r)
{
	struct job *job = r->job;
	uint32_t tries = inflight_tries(e->inflight, r->slot);
	int64_t wait_us = known_wait_us(job, r, tries - 1), due_us;

	e->stats.count[STATS_SENT]++;
	if (tries > 1)
		e->stats.count[STATS_RETRIES]++;
	if (++r->asked.sends > job->tries)
		job->tries = r->asked.sends;
	if (job->deadline_us == INT64_MAX && job->profile->deadline_us)
		job->deadline_us = e->now_us + job->profile->deadline_us;
	if (__builtin_add_overflow(e->now_us, wait_us, &due_us))
		due_us = INT64_MAX;
	r->sent_us = e->now_us;
	arm(e, r, due_us < job->deadline_us ? due_us : job->deadline_us);
}

void request_due(struct engine *e, struct request *r)
{
	struct job *job = r->job;
	uint32_t tries;

	if (!job)
		return;
	if (r->due_us > e->now_us) {
		arm(e, r, r->due_us);
		return;
	}
	if (job->deadline_us <= e->now_us) {
		job->cause = (struct cause){.kind = CAUSE_DEADLINE};
		job_cancelled(e, job, "the deadline of the host came first");
		return;
	}
	tries = inflight_tries(e->inflight, r->slot);
	if (tries > known_retries(job)) {
		struct asked asked = r->asked;

		request_end(e, r, ENDED_UNANSWERED, false);
		job_unanswered(e, job, &asked);
		return;
	}
	job->nagain += !r->again;
	r->again = true;
	engine_leave_burst(e, r); /* it must not stand in its own way */
	arm(e, r, job->deadline_us);
	engine_ready(e, r);
}

void request_end(struct engine *e, struct request *r, enum ending ending, bool late)
{
	uint32_t sends = inflight_tries(e->inflight, r->slot);
	struct job *job = r->job;

	if (ending == ENDED_ANSWERED) {
		e->stats.count[STATS_ANSWERED]++;
		e->stats.count[STATS_SUPERSEDED] += sends - 1;
		e->stats.count[STATS_LATE] += late;
	} else if (ending == ENDED_REFUSED) {
		e->stats.count[STATS_REFUSED]++;
		e->stats.count[STATS_UNANSWERED] += sends - 1;
	} else {
		e->stats.count[STATS_UNANSWERED] += sends;
	}
	engine_unready(e, r);
	engine_leave_burst(e, r);
	inflight_release(e->inflight, r->slot, ending == ENDED_ANSWERED);
	LIST_REMOVE(r, in_job);
	if (r->asked.strand)
		r->asked.strand->requests--;
	job->nagain -= r->again;
	if (--job->nrequests)
		e->extra--;
	r->job = NULL;
}

void request_drop(struct engine *e, struct request *r)
{
	walk_round_free(e, r->asked.walk);
	request_end(e, r, ENDED_UNANSWERED, false);
}

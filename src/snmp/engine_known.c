/*
 * What was learnt of a host in rounds before: who is asked first, how often, how long is waited.
 *
 * The design: the task's `struct learnt` is the job's working copy. Everything that is answered teaches it a
 * round-trip time, so that a walk, whose answers take longer than a GET's, lengthens the waits of its own later questions.
 * At the end it goes back with the record. Without a master that keeps it (one-shot runs) nothing here does anything.
 *
 * The first wait is what RFC 6298 makes of the times, the second one longer by what the first was shorter: so the
 * second try comes early, and all that follows happens when it would have happened (base/learnt.c says why). Only
 * datagrams are sent again to any use, so waits on connections stay as configured.
 *
 * A host that was silent for `silent_after` rounds is asked with one packet, until anything comes; then it has all its
 * tries. Of several addresses each has its turn, a round each.
 *
 * The trap: an interrupted poll has learnt nothing of silence. Only what ended for want of an answer counts: no answer
 * to all tries, or the host's own deadline, or the network's word.
 */
#include "snmp/engine_internal.h"
#include "snmp/engine_known.h"

#include <string.h>

/* The one that is to be asked first goes to the front. */
static void order_addresses(struct job *job)
{
	struct addr first = job->addrs[job->first];

	memmove(job->addrs + 1, job->addrs, job->first * sizeof(first));
	job->addrs[0] = first;
}

void known_begin(struct job *job, const struct profile *p)
{
	const struct learnt *l = &job->task.learnt;
	uint8_t naddrs = job->task.naddrs;

	job->adaptive = job->sparing = false;
	job->first = 0;
	if (!job->task.learns)
		return;
	job->adaptive = p->adaptive && l->timed && job->task.transport == TRANSPORT_UDP;
	job->sparing = p->silent_after && l->silent >= p->silent_after;
	if (l->address < naddrs)
		job->first = l->address;
	if (job->sparing && naddrs)
		job->first = (uint8_t)((job->first + 1) % naddrs);
	order_addresses(job);
}

void known_leave(struct job *job)
{
	struct learnt *l = &job->task.learnt;

	l->timed = l->clocked = job->adaptive = false;
	l->engine_id_len = 0;
	l->srtt_us = l->rttvar_us = 0;
}

unsigned known_retries(const struct job *job)
{
	return job->sparing && job->rtt_us < 0 ? 0 : job->profile->retries;
}

int64_t known_wait_us(const struct job *job, struct request *r, unsigned sends)
{
	int64_t wait_us = profile_wait_us(job->profile, sends);

	if (sends == 0) {
		r->saved_us = 0;
		if (job->adaptive && known_retries(job))
			r->saved_us = wait_us - learnt_wait_us(&job->task.learnt, wait_us);
		return wait_us - r->saved_us;
	}
	if (sends == 1 && __builtin_add_overflow(wait_us, r->saved_us, &wait_us))
		wait_us = INT64_MAX;
	return wait_us;
}

void known_answered(struct job *job, int64_t rtt_us)
{
	if (job->task.learns)
		learnt_rtt(&job->task.learnt, rtt_us);
}

/* In the task's order. */
static uint8_t answering_address(const struct job *job)
{
	if (job->address == 0)
		return job->first;
	return job->address <= job->first ? (uint8_t)(job->address - 1) : job->address;
}

static bool was_silent(const struct engine *e, const struct job *job, enum record_status status)
{
	bool late = job->tries > 0 && job->deadline_us <= e->now_us;

	return status == RECORD_TIMEOUT || status == RECORD_UNREACHABLE ||
	       (status == RECORD_CANCELLED && late);
}

void known_tell(const struct engine *e, struct job *job, struct record *record,
		enum record_status status)
{
	struct learnt *l = &job->task.learnt;

	if (!job->task.learns)
		return;
	record->learnt = l;
	if (job->rtt_us >= 0) {
		l->silent = 0;
		l->address = answering_address(job);
		if (job->profile->version == SNMP_V3)
			v3_learn(job, l);
	} else if (was_silent(e, job, status)) {
		learnt_silence(l);
		l->address = job->first;
	} else if (status == RECORD_MALFORMED) {
		l->silent = 0; /* what came was nothing to learn from, but it came */
	}
}

/*
 * A target being worked on: from its task to its record.
 *
 * What is asked next is for the strands to say (engine_strand.c), what an answer means for the GETs and the
 * walks (engine_answer.c, engine_walk.c). Here is what happens to the whole of it: the beginning, the
 * next address, and every end.
 *
 * Every way ends in job_end() exactly once, and every step makes a question smaller, moves it forward or
 * ends: no answer, however wrong, can keep a job going for ever.
 *
 * The next address of a name is tried while nothing was answered; after that the other address might be
 * another device, and half of each would be a record of neither. Until then there is only one request, so
 * nothing else is under way at the old address.
 *
 * What ends the whole job outranks what ended a strand of it before; the message has both.
 */
#include "snmp/engine_internal.h"
#include "snmp/engine_known.h"
#include "snmp/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void keep_host(struct job *job, const char *host)
{
	size_t len = host ? strlen(host) + 1 : 0;

	job->task.host = NULL;
	if (!host)
		return;
	if (len > job->host_cap) {
		job->host_cap = len;
		job->host = mem_resize(job->host, len, 1);
	}
	memcpy(job->host, host, len);
	job->task.host = job->host;
}

static struct job *take_job(struct engine *e)
{
	struct job *job = e->free_jobs;

	e->njobs++;
	if (!job)
		return &e->jobs[e->fresh_jobs++];
	e->free_jobs = job->next_free;
	return job;
}

static void start_profile(struct job *job, const struct profile *p)
{
	job->profile = p;
	job->span_max = SIZE_MAX;
	job->next_strand = 0;
	job->buffered = job->octets = 0;
	job->ahead = job->octets_ahead = 0;
	job->most = 0;
	TAILQ_INIT(&job->strands);
	LIST_INIT(&job->requests);
	if (p->nwalk || p->ntable)
		pace_start(&job->pace, p->max_repetitions);
	if (p->version == SNMP_V3)
		v3_start(job);
}

void job_start(struct engine *e, const struct task *task)
{
	struct job *job = take_job(e);

	job->task = *task;
	job->task.addrs = job->addrs;
	job->addrs[0] = (struct addr){0};
	if (task->naddrs)
		memcpy(job->addrs, task->addrs, task->naddrs * sizeof(*task->addrs));
	keep_host(job, task->host);
	known_begin(job, &e->config.profiles[task->profile]);
	job->at_work = true;
	job->spoke = false;
	job->address = 0;
	job->carried = job->before = job->tries = 0;
	job->rtt_us = -1;
	job->time_ms = 0;
	job->deadline_us = INT64_MAX;
	job->notice = NOTICE_NONE;
	job->cause = (struct cause){0};
	start_profile(job, &e->config.profiles[task->profile]);
	job_go_on(e, job);
}

static void end_job(struct engine *e, struct job *job)
{
	vars_free(&job->rows);
	free(job->gone);
	job->gone = NULL;
	free(job->fault);
	job->fault = NULL;
	if (job->profile->version == SNMP_V3)
		v3_end(job);
	job->at_work = false;
	job->next_free = e->free_jobs;
	e->free_jobs = job;
	e->njobs--;
}

static void drop_requests(struct engine *e, struct job *job)
{
	struct request *r;

	while ((r = LIST_FIRST(&job->requests)))
		request_drop(e, r);
}

void job_drop(struct engine *e, struct job *job)
{
	drop_requests(e, job);
	strands_drop(job);
	end_job(e, job);
}

void job_free(struct job *job)
{
	free(job->host);
	free(job->v3); /* wiped when its last job ended */
}

bool job_has_rows(const struct job *job)
{
	return job->rows.count || job->ahead;
}

/* What is left becomes the job's rows, as many as a record may have. */
static void gather(struct engine *e, struct job *job)
{
	strands_close(e, job);
	if (job->rows.count > job->profile->max_vars - job->ahead)
		job->rows.count = (size_t)(job->profile->max_vars - job->ahead);
}

void job_end(struct engine *e, struct job *job, enum record_status status, const struct vars *only)
{
	struct record record = {
		.host = job->task.host,
		.addr = job->addrs[job->address],
		.time_ms = job->time_ms ? job->time_ms : loop_wall_ms(),
		.status = status,
		.rtt_us = job->rtt_us,
		.tries = job->tries,
		.ahead = job->ahead,
		.cause = &job->cause,
		.addrs = job->addrs,
		.verdicts = job->verdicts,
		.naddrs = job->task.naddrs,
		.asked = (uint8_t)(job->address + 1),
	};

	engine_at_work(e, job);
	drop_requests(e, job);
	if (only)
		strands_drop(job);
	else
		gather(e, job);
	record.vars = only ? only->list : job->rows.list;
	record.nvars = only ? only->count : job->rows.count;
	if (status != RECORD_OK) {
		record.status = job_has_rows(job) ? RECORD_PARTIAL : status;
		record.message = job_message(e, job, status);
	}
	if (job->profile->version == SNMP_V3)
		v3_tell(job, &record);
	known_tell(e, job, &record, status);
	e->config.done(e->config.arg, &job->task, &record);
	engine_at_work(e, NULL);
	end_job(e, job);
}

/* False: there is no other address, or the device at this one has answered. */
static bool next_address(struct engine *e, struct job *job, const struct asked *asked,
			 enum record_status status)
{
	if (job->spoke || job->sparing || job->address + 1 >= job->task.naddrs)
		return false;
	job->verdicts[job->address++] = (uint8_t)status;
	job->notice = NOTICE_NONE;
	known_leave(job);
	job->carried = job->before = asked->sends;
	strand_again(e, asked);
	if (job->profile->version == SNMP_V3)
		v3_start(job); /* an engine of its own, for all we know */
	job_go_on(e, job);
	return true;
}

/* Of what was noticed while nothing that could be taken for an answer came. */
static struct cause cause_of_silence(const struct job *job)
{
	static const enum cause_kind kinds[] = {[NOTICE_NONE] = CAUSE_SILENCE,
						[NOTICE_ADDRESS] = CAUSE_ADDRESS,
						[NOTICE_COMMUNITY] = CAUSE_COMMUNITY,
						[NOTICE_VERSION] = CAUSE_VERSION,
						[NOTICE_TYPE] = CAUSE_TYPE,
						[NOTICE_REFUSED] = CAUSE_DISBELIEVED,
						[NOTICE_UNREADABLE] = CAUSE_UNREADABLE};
	struct cause cause = {.kind = kinds[job->notice]};

	if (cause.kind == CAUSE_SILENCE && job->profile->version == SNMP_V3 && v3_has_met(job))
		cause.kind = CAUSE_DISCOVERED;
	if (cause.kind == CAUSE_ADDRESS)
		cause.from = job->notice_from;
	if (cause.kind == CAUSE_VERSION || cause.kind == CAUSE_TYPE)
		cause.number = job->notice_number;
	return cause;
}

void job_unanswered(struct engine *e, struct job *job, const struct asked *asked)
{
	uint32_t tries = asked->sends - asked->before;
	bool unreadable = job->notice == NOTICE_UNREADABLE;
	enum record_status status = unreadable ? RECORD_MALFORMED : RECORD_TIMEOUT;
	struct buf *text;

	if (asked->walk && walk_unanswered(e, job, asked))
		return;
	if (next_address(e, job, asked, status))
		return;
	job->cause = cause_of_silence(job);
	text = job_say(e);
	buf_printf(text, "no answer after %u %s", tries, tries == 1 ? "try" : "tries");
	if (job->spoke)
		say_where(text, asked);
	say_notice(text, job);
	walk_round_free(e, asked->walk);
	job_end(e, job, status, NULL);
}

void job_refused(struct engine *e, struct job *job, const struct asked *asked, int error)
{
	/* only a carrier that connects says the first two */
	enum record_status status = error == ETIMEDOUT ? RECORD_TIMEOUT
				    : error == TLS_WRONG_PEER || error == TLS_REFUSED_US
					    ? RECORD_AUTH
					    : RECORD_UNREACHABLE;
	struct buf *text;

	if (next_address(e, job, asked, status))
		return;
	job->cause = (struct cause){.kind = CAUSE_REFUSED, .number = error};
	text = job_say(e);
	say_refusal(text, job, error);
	if (job->spoke)
		say_where(text, asked);
	walk_round_free(e, asked->walk);
	job_end(e, job, status, NULL);
}

void job_error(struct job *job, const struct pdu_answer *a)
{
	if (!job->fault)
		job->cause = (struct cause){.kind = CAUSE_STATUS, .number = a->error_status};
}

void job_cancelled(struct engine *e, struct job *job, const char *words)
{
	const struct request *r = LIST_FIRST(&job->requests);
	struct buf *text = job_say(e);

	buf_puts(text, words);
	if (r && r->asked.walk && job->spoke)
		say_where(text, &r->asked);
	job_end(e, job, RECORD_CANCELLED, NULL);
}

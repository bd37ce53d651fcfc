/*
 * What a job asks next, and in which order its rows go out.
 *
 * The problem: with `per_host` above 1 the walks of a device go on side by side, and a record's rows still
 * stand in the order in which they were asked for, and a walk may have a million of them.
 *
 * The design: the job is cut into strands. The first one that is not over writes its rows to where the
 * record is made, and from there they go out; those behind it keep their own until it is their turn, and
 * when all of them together have BUFFERED_MAX they ask no further. So what a job holds is bounded by ROWS_AHEAD, BUFFERED_MAX and
 * the answers under way, however much the device has to tell, and with one request at a time nothing
 * is ever kept twice.
 *
 * A device that has not answered yet gets one request, whatever `per_host` says; and while one is being tried
 * again, no other is begun: a device that is dead, or drowning, is not asked more for it.
 *
 * A strand that goes wrong ends alone: half of what a device knows is worth having. What concerns the whole
 * device (silence, refusal, the deadline) ends the job, elsewhere.
 *
 * The trap: handing rows out calls somebody who may hold or cancel the engine. Nothing here
 * looks at either; both work between steps.
 */
#include "snmp/engine_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A record's rows go out when there are so many, or when they came in so many octets. Formatted they are
 * then about the size of a frame to the master (256 KiB), below which going out early gains nothing. */
#define ROWS_AHEAD   4000
#define OCTETS_AHEAD ((size_t)128 << 10)
/* The same of all jobs together, or thousands of middling walks at once would hold what a few large ones may
 * not: 4,096 devices of 48 interfaces came to 600 MB, and with this to 70. */
#define HELD_MAX ((size_t)4 << 20)
/* Octets of answers that wait for an earlier strand: enough for the round trip in which it ends. A row takes up to ten
 * times as much here as on the wire. */
#define BUFFERED_MAX ((size_t)64 << 10)

static size_t chunks_of(const struct engine *e, const struct job *job)
{
	return e->profile_chunks[job->task.profile + 1] - e->profile_chunks[job->task.profile];
}

static size_t strands_of(const struct engine *e, const struct job *job)
{
	return chunks_of(e, job) + job->profile->nwalk + (job->profile->ntable > 0);
}

static struct strand *take_strand(struct job *job)
{
	struct strand *s = &job->own;

	if (job->own_taken)
		return mem_zero(1, sizeof(*s));
	job->own_taken = true;
	s->requests = 0; /* the rest is as it was after the last one: see free_strand() */
	s->over = false;
	s->octets = 0;
	return s;
}

static void free_strand(struct job *job, struct strand *s)
{
	if (s->walk)
		walk_free(s->walk);
	vars_free(&s->rows);
	if (s != &job->own) {
		free(s);
		return;
	}
	s->walk = NULL;
	job->own_taken = false;
}

static struct strand *begin(struct engine *e, struct job *job)
{
	uint32_t number = job->next_strand++, gets = (uint32_t)chunks_of(e, job);
	struct strand *s = take_strand(job);

	s->number = number;
	TAILQ_INSERT_TAIL(&job->strands, s, in_job);
	if (number < gets)
		get_begin(e, job, s);
	else
		walk_strand_begin(job, s, number - gets);
	return s;
}

struct vars *strand_rows(struct job *job, struct strand *s)
{
	return s == TAILQ_FIRST(&job->strands) ? &job->rows : &s->rows;
}

void strand_came(struct job *job, struct strand *s, size_t octets)
{
	if (s == TAILQ_FIRST(&job->strands)) {
		job->octets += octets;
	} else {
		s->octets += octets;
		job->buffered += octets;
	}
}

void strand_end(struct engine *e, struct job *job, struct strand *s)
{
	struct request *r = LIST_FIRST(&job->requests);

	while (r && s->requests) {
		struct request *next = LIST_NEXT(r, in_job);

		if (r->asked.strand == s)
			request_drop(e, r);
		r = next;
	}
	if (s->walk)
		walk_flush(s->walk, strand_rows(job, s));
	s->over = true;
}

void strand_fault(struct engine *e, struct job *job, struct strand *s, enum record_status status)
{
	uint32_t gets = (uint32_t)chunks_of(e, job);

	if (!job->fault) {
		if (status == RECORD_MALFORMED)
			job->cause = (struct cause){.kind = CAUSE_MALFORMED};
		job->fault = mem_strndup((const char *)e->text.data, e->text.len);
		job->fault_status = (uint8_t)status;
	}
	if (s->number < gets && job->next_strand < gets)
		job->next_strand = gets; /* the GETs are one list: it ends here */
	strand_end(e, job, s);
}

void strand_again(struct engine *e, const struct asked *asked)
{
	if (asked->walk) /* a span is where it was */
		walk_again(asked->strand->walk, &asked->walk->q);
	walk_round_free(e, asked->walk);
}

/* The rows that s has kept are the job's: it is its turn. */
static void take_turn(struct job *job, struct strand *s)
{
	if (job->rows.count) {
		vars_append(&job->rows, &s->rows);
	} else if (s->rows.count) {
		struct vars rows = job->rows;

		job->rows = s->rows;
		s->rows = rows;
	}
	vars_free(&s->rows);
	job->octets += s->octets;
	job->buffered -= s->octets;
	s->octets = 0;
}

static void pass_turn(struct job *job)
{
	struct strand *s = TAILQ_FIRST(&job->strands), *next = TAILQ_NEXT(s, in_job);

	TAILQ_REMOVE(&job->strands, s, in_job);
	assert(TAILQ_FIRST(&job->strands) != s); /* an analyser does not believe it */
	free_strand(job, s);
	if (next)
		take_turn(job, next);
}

void strands_close(struct engine *e, struct job *job)
{
	struct strand *s;

	while ((s = TAILQ_FIRST(&job->strands))) {
		if (!s->over)
			strand_end(e, job, s);
		pass_turn(job);
	}
}

void strands_drop(struct job *job)
{
	struct strand *s, *next;

	for (s = TAILQ_FIRST(&job->strands); s; s = next) {
		next = TAILQ_NEXT(s, in_job);
		TAILQ_REMOVE(&job->strands, s, in_job);
		free_strand(job, s);
	}
}

/* More rows than a record may have: it gets as many as it may, and no more. */
static void end_at_cap(struct engine *e, struct job *job)
{
	const struct strand *s = TAILQ_FIRST(&job->strands);
	size_t room = (size_t)(job->profile->max_vars - job->ahead);
	const struct varbind *beyond = &job->rows.list[room];
	struct buf *text = job_say(e);
	char name[OID_TEXT_MAX];

	oid_text(beyond->oid, beyond->noid, name);
	buf_printf(text, "more than %llu rows (max_vars), the next is %s",
		   (unsigned long long)job->profile->max_vars, name);
	if (s && s->walk)
		say_walk(text, s);
	job->rows.count = room;
	job->cause = (struct cause){.kind = CAUSE_ROWS};
	job_end(e, job, RECORD_CANCELLED, NULL);
}

/* As many octets as a record may have been made of. False: they were too many, the job has ended. */
static bool octets_pass(struct engine *e, struct job *job)
{
	uint64_t most = e->config.octets_max ? e->config.octets_max : ENGINE_OCTETS_MAX;

	if (job->octets_ahead < most)
		return true;
	buf_printf(job_say(e), "more than %llu MiB of answers for one record",
		   (unsigned long long)(most >> 20));
	job->cause = (struct cause){.kind = CAUSE_ROWS};
	job_end(e, job, RECORD_CANCELLED, NULL);
	return false;
}

static void hand_out(struct engine *e, struct job *job)
{
	struct record record = {
		.host = job->task.host,
		.addr = job->addrs[job->address],
		.time_ms = job->time_ms,
		.rtt_us = job->rtt_us,
		.tries = job->tries,
		.vars = job->rows.list,
		.nvars = job->rows.count,
		.ahead = job->ahead,
	};

	engine_at_work(e, job);
	e->config.rows(e->config.arg, &job->task, &record);
	engine_at_work(e, NULL);
	job->ahead += job->rows.count;
	job->octets_ahead += job->octets;
	vars_reset(&job->rows);
	job->octets = 0;
}

/* From so many octets on a job's rows go out: its share of what all jobs may hold, if that is less. */
static size_t octets_ahead(const struct engine *e)
{
	size_t share = HELD_MAX / engine_tasks(e);

	return share < OCTETS_AHEAD ? share : OCTETS_AHEAD;
}

/* Rows that are in order go out when they are many. False: they were too many, the job has ended. */
static bool rows_pass(struct engine *e, struct job *job)
{
	if (!job->rows.count)
		return true;
	if (job->rows.count > job->profile->max_vars - job->ahead) {
		end_at_cap(e, job);
		return false;
	}
	if (e->config.rows && (job->rows.count >= ROWS_AHEAD || job->octets >= octets_ahead(e)))
		hand_out(e, job);
	return octets_pass(e, job);
}

static bool may_ask(const struct engine *e, const struct job *job)
{
	if (!job->nrequests)
		return true; /* its slot is kept for it */
	return job->spoke && !job->nagain && job->nrequests < job->profile->per_host &&
	       engine_room(e) > 0;
}

/* One question of this strand, or the strand is over. False: neither. */
static bool strand_step(struct engine *e, struct job *job, struct strand *s)
{
	if (s->over || (s != TAILQ_FIRST(&job->strands) && job->buffered >= BUFFERED_MAX))
		return false;
	if (s->walk ? walk_strand_ask(e, job, s) : get_ask(e, job, s))
		return true;
	if (s->requests)
		return false;
	strand_end(e, job, s);
	return true;
}

/* One step of any strand, in their order. False: nothing is to be done before an answer comes. */
static bool step(struct engine *e, struct job *job)
{
	struct strand *s;

	if (v3_must_discover(job)) {
		if (!job->nrequests)
			request_start(e, job, &(struct asked){0});
		return false;
	}
	TAILQ_FOREACH(s, &job->strands, in_job)
	{
		if (strand_step(e, job, s))
			return true;
	}
	if (job->next_strand == strands_of(e, job))
		return false;
	strand_step(e, job, begin(e, job));
	return true;
}

/* Nothing is left to ask, nothing under way. */
static void finish(struct engine *e, struct job *job)
{
	if (!job->fault) {
		job_end(e, job, RECORD_OK, NULL);
		return;
	}
	buf_puts(job_say(e), job->fault);
	free(job->fault);
	job->fault = NULL;
	job_end(e, job, (enum record_status)job->fault_status, NULL);
}

void job_go_on(struct engine *e, struct job *job)
{
	for (;;) {
		const struct strand *s = TAILQ_FIRST(&job->strands);

		if (!rows_pass(e, job))
			return;
		if (s && s->over)
			pass_turn(job);
		else if (!may_ask(e, job) || !step(e, job))
			break;
	}
	if (!job->nrequests)
		finish(e, job);
}

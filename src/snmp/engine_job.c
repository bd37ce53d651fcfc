/*
 * A target being worked on: what to ask next, what an answer means, when that was all.
 *
 * A job asks its profile's objects in order, a question (a span of them) at a time. Spans are the
 * templates' chunks until a device says that its answer would be too big; then they are halved, and stay
 * small. What v1 calls noSuchName takes one object out of the span, and the rest is asked again. Rows
 * are kept in the order asked, whatever it took to get them.
 *
 * noSuchName becomes a row of type noSuchInstance, not noSuchObject: v1 only says that this very variable
 * cannot be read (RFC 1157 §4.1.2), and that is what noSuchInstance claims. SNMPv2c agents that answer
 * with noSuchName, which they must not, are understood the same way.
 *
 * Every way through here ends in job_end() exactly once, and every step makes the question smaller,
 * moves it forward or ends: no answer, however wrong, can keep a job going for ever.
 *
 * The next address of a name is tried while there are no rows; with rows, the other address might be
 * another device, and half of each would be a record of neither.
 */
#include "snmp/engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct chunk *job_template(const struct engine *e, const struct job *job)
{
	const struct pdu_question *q = &job->question;
	const struct chunk *c = &e->chunks[job->chunk];

	return !q->gone && q->first == c->first && q->count == c->count ? c : NULL;
}

size_t job_asked(const struct pdu_question *q)
{
	size_t n = q->count;

	for (size_t i = q->first; q->gone && i < q->first + q->count; i++)
		n -= q->gone[i];
	return n;
}

/* Sets the question that starts at q->first: the rest of its chunk, or as much as the device can answer. */
static void set_span(struct engine *e, struct job *job)
{
	struct pdu_question *q = &job->question;
	const struct chunk *c = &e->chunks[job->chunk];

	q->count = c->first + c->count - q->first;
	if (q->count > job->span_max)
		q->count = job->span_max;
	q->gone = job->gone;
	if (job_asked(q) == q->count)
		q->gone = NULL;
}

bool job_advance(struct engine *e, struct job *job)
{
	struct pdu_question *q = &job->question;
	const struct chunk *c = &e->chunks[job->chunk];

	q->first += q->count;
	if (q->first >= job->profile->nget)
		return false;
	if (q->first == c->first + c->count)
		job->chunk++;
	set_span(e, job);
	return true;
}

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

void job_start(struct engine *e, const struct task *task)
{
	struct job *job = take_job(e);

	job->profile = &e->config.profiles[task->profile];
	job->task = *task;
	job->task.addrs = job->addrs;
	memcpy(job->addrs, task->addrs, task->naddrs * sizeof(*task->addrs));
	keep_host(job, task->host);
	job->at_work = true;
	job->address = 0;
	job->chunk = (uint32_t)e->profile_chunks[task->profile];
	job->question = (struct pdu_question){.profile = job->profile};
	job->span_max = SIZE_MAX;
	job->sends = job->tries = 0;
	job->rtt_us = -1;
	job->time_ms = 0;
	job->deadline_us = INT64_MAX;
	job->notice = NOTICE_NONE;
	set_span(e, job);
	request_start(e, job);
}

static void free_job(struct engine *e, struct job *job)
{
	vars_free(&job->rows);
	free(job->gone);
	job->gone = NULL;
	job->at_work = false;
	job->next_free = e->free_jobs;
	e->free_jobs = job;
	e->njobs--;
}

void job_drop(struct engine *e, struct job *job)
{
	if (job->request)
		request_end(e, job->request, ENDED_UNANSWERED, false);
	free_job(e, job);
}

struct buf *job_say(struct engine *e, const struct job *job, enum record_status status)
{
	e->text.len = 0;
	if (job->rows.count)
		buf_printf(&e->text, "%s: ", record_status_name(status));
	return &e->text;
}

static void say_earlier_verdicts(struct buf *text, const struct job *job)
{
	char address[ADDR_TEXT_MAX];

	for (unsigned i = 0; i < job->address; i++) {
		addr_text_port(&job->addrs[i], address);
		buf_printf(text, "%s%s %s", i ? ", " : " (before: ", address,
			   record_status_name((enum record_status)job->verdicts[i]));
	}
	if (job->address)
		buf_puts(text, ")");
}

void job_end(struct engine *e, struct job *job, enum record_status status)
{
	/* the only answer is not copied */
	const struct vars *rows = status == RECORD_OK && !job->rows.count ? &e->scratch
									  : &job->rows;
	struct record record = {
		.host = job->task.host,
		.addr = job->addrs[job->address],
		.time_ms = job->time_ms ? job->time_ms : loop_wall_ms(),
		.status = status != RECORD_OK && rows->count ? RECORD_PARTIAL : status,
		.rtt_us = job->rtt_us,
		.tries = job->tries,
		.vars = rows->list,
		.nvars = rows->count,
	};

	if (status != RECORD_OK) {
		say_earlier_verdicts(&e->text, job);
		buf_putc(&e->text, '\0');
		record.message = (const char *)e->text.data;
	}
	engine_at_work(e, job);
	e->config.done(e->config.arg, &job->task, &record);
	engine_at_work(e, NULL);
	free_job(e, job);
}

/* False: there is no other address, or there are rows of this one. */
static bool next_address(struct engine *e, struct job *job, enum record_status status)
{
	if (job->rows.count || job->address + 1 >= job->task.naddrs)
		return false;
	job->verdicts[job->address++] = (uint8_t)status;
	job->notice = NOTICE_NONE;
	request_start(e, job);
	return true;
}

static const char *version_name(int64_t version)
{
	return version == SNMP_V1 ? "SNMPv1" : version == SNMP_V2C ? "SNMPv2c" : "another version";
}

/* What a person can do about a timeout. */
static void say_notice(struct buf *text, const struct job *job)
{
	char from[ADDR_TEXT_MAX];

	switch (job->notice) {
	case NOTICE_NONE:
		buf_printf(text, " (is UDP %u open, is the community right?)",
			   job->addrs[job->address].port);
		break;
	case NOTICE_ADDRESS:
		addr_text_port(&job->notice_from, from);
		buf_printf(text, "; %s answered instead; any_source: true accepts it", from);
		break;
	case NOTICE_COMMUNITY:
		buf_puts(text, "; an answer came with another community");
		break;
	case NOTICE_VERSION:
		buf_printf(text, "; an answer came in %s", version_name(job->notice_number));
		break;
	case NOTICE_TYPE:
		buf_printf(text, "; a PDU of type 0x%02x came instead of a RESPONSE",
			   (unsigned)job->notice_number);
		break;
	case NOTICE_UNREADABLE:
		buf_printf(text, ", but an unreadable datagram: %s", job->notice_words);
		break;
	}
}

void job_unanswered(struct engine *e, struct job *job, uint32_t tries)
{
	bool unreadable = job->notice == NOTICE_UNREADABLE;
	enum record_status status = unreadable ? RECORD_MALFORMED : RECORD_TIMEOUT;
	struct buf *text;

	if (next_address(e, job, status))
		return;
	text = job_say(e, job, status);
	buf_printf(text, "no answer after %u %s", tries, tries == 1 ? "try" : "tries");
	say_notice(text, job);
	job_end(e, job, status);
}

static const char *refusal_words(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "nothing listens on the port (ICMP port unreachable)";
	case EACCES:
		return "a broadcast address, or sending there is not allowed";
	case EAFNOSUPPORT:
		return "this system has no sockets of the address's family";
	default:
		return strerror(error);
	}
}

void job_refused(struct engine *e, struct job *job, int error)
{
	if (next_address(e, job, RECORD_UNREACHABLE))
		return;
	buf_puts(job_say(e, job, RECORD_UNREACHABLE), refusal_words(error));
	job_end(e, job, RECORD_UNREACHABLE);
}

void job_cancelled(struct engine *e, struct job *job, const char *words)
{
	if (job->request)
		request_end(e, job->request, ENDED_UNANSWERED, false);
	buf_puts(job_say(e, job, RECORD_CANCELLED), words);
	job_end(e, job, RECORD_CANCELLED);
}

void job_malformed(struct engine *e, struct job *job, const char *words)
{
	e->stats.count[STATS_MALFORMED]++;
	buf_puts(job_say(e, job, RECORD_MALFORMED), words);
	job_end(e, job, RECORD_MALFORMED);
}

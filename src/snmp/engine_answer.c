/*
 * What an answer means, and what a GET makes of it: rows, a smaller question, or the end of its strand.
 *
 * A GET's strand is a chunk of the profile's objects, for which a template was built. Its span is the
 * chunk until a device says that its answer would be too big; then spans are halved, and stay
 * small. What v1 calls noSuchName takes one object out of the span, and the rest is asked again. Rows
 * are kept in the order asked, whatever it took to get them.
 *
 * A device answers a GET with exactly the objects asked for, in their order (RFC 3416 §4.2.1). Some
 * leave varbinds out, add some or name others; a row must never be shown under a name that was not asked
 * for, so every name is compared.
 *
 * tooBig (with or without varbinds, net-snmp#212) halves the span; at one object it is the verdict.
 * noSuchName takes out the object that error-index names. An error-index that names none of several ends
 * the strand: guessing would ask a broken device many times over.
 *
 * noSuchName becomes a row of type noSuchInstance, not noSuchObject: v1 only says that this very variable
 * cannot be read (RFC 1157 §4.1.2), and that is what noSuchInstance claims. SNMPv2c agents that answer
 * with noSuchName, which they must not, are understood the same way.
 */
#include "snmp/engine_internal.h"

#include <stdio.h>

static const struct chunk *chunk_of(const struct engine *e, const struct job *job,
				    const struct strand *s)
{
	return &e->chunks[e->profile_chunks[job->task.profile] + s->number];
}

const struct chunk *get_template(const struct engine *e, const struct request *r)
{
	const struct span *q;
	const struct chunk *c;

	if (!r->asked.strand || r->asked.walk)
		return NULL;
	q = &r->asked.strand->span;
	c = chunk_of(e, r->job, r->asked.strand);
	return c->len && !q->gone && q->first == c->first && q->count == c->count ? c : NULL;
}

size_t get_asked(const struct span *q)
{
	size_t n = q->count;

	for (size_t i = q->first; q->gone && i < q->first + q->count; i++)
		n -= q->gone[i];
	return n;
}

size_t get_names(const struct span *q, const struct oid **names)
{
	size_t n = 0;

	for (size_t i = q->first; i < q->first + q->count; i++) {
		if (!q->gone || !q->gone[i])
			names[n++] = &q->profile->get[i];
	}
	return n;
}

/* The span that starts at its first: the rest of its chunk, or as much as the device can answer. */
static void set_span(struct engine *e, struct job *job, struct strand *s)
{
	struct span *q = &s->span;
	const struct chunk *c = chunk_of(e, job, s);

	q->count = c->first + c->count - q->first;
	if (q->count > job->span_max)
		q->count = job->span_max;
	q->gone = job->gone;
	if (get_asked(q) == q->count)
		q->gone = NULL;
}

void get_begin(struct engine *e, struct job *job, struct strand *s)
{
	s->span = (struct span){.profile = job->profile, .first = chunk_of(e, job, s)->first};
	set_span(e, job, s);
}

/* To the next span. */
static void advance(struct engine *e, struct job *job, struct strand *s)
{
	const struct chunk *c = chunk_of(e, job, s);

	s->span.first += s->span.count;
	s->span.count = 0;
	if (s->span.first == c->first + c->count)
		s->over = true;
	else
		set_span(e, job, s);
}

/* The object that the index-th varbind (from 1) of the request asked for; index <= get_asked(). */
static size_t object_at(const struct span *q, size_t index)
{
	size_t i = q->first;

	for (;; i++) {
		if (!q->gone || !q->gone[i])
			index--;
		if (!index)
			return i;
	}
}

static bool check_row(const struct varbind *v, const struct oid *o, size_t number,
		      struct buf *words)
{
	char came[OID_TEXT_MAX], wanted[OID_TEXT_MAX];

	if (oid_compare(v->oid, v->noid, o->id, o->len) == 0 && v->type != VAR_END_OF_MIB_VIEW)
		return true;
	oid_text(o->id, o->len, wanted);
	oid_text(v->oid, v->noid, came);
	if (v->type == VAR_END_OF_MIB_VIEW)
		buf_printf(words, "endOfMibView in the answer to a GET of %s", wanted);
	else
		buf_printf(words, "varbind %zu is %s, but %s was asked for", number, came, wanted);
	return false;
}

/* The answer carries what was asked for. Else words say what it carries. */
static bool check_rows(const struct span *q, const struct vars *rows, struct buf *words)
{
	size_t n = get_asked(q), object = q->first;

	if (rows->count != n) {
		buf_printf(words, "the answer has %zu varbinds for %zu objects", rows->count, n);
		return false;
	}
	for (size_t i = 0; i < n; i++, object++) {
		while (q->gone && q->gone[object])
			object++;
		if (!check_row(&rows->list[i], &q->profile->get[object], i + 1, words))
			return false;
	}
	return true;
}

/* Appends the span's rows: those of the answer, and noSuchInstance for what is gone (all of it, where there was
 * nothing left to ask: `answer` is empty then). */
static void keep_rows(struct vars *rows, const struct span *q, const struct vars *answer)
{
	size_t next = 0;

	for (size_t i = q->first; i < q->first + q->count; i++) {
		const struct oid *o = &q->profile->get[i];
		struct varbind none = {.oid = o->id, .noid = o->len, .type = VAR_NO_SUCH_INSTANCE};

		bool gone = (q->gone && q->gone[i]) || next == answer->count;

		vars_add(rows, gone ? &none : &answer->list[next++]);
	}
}

bool get_ask(struct engine *e, struct job *job, struct strand *s)
{
	if (s->requests)
		return false;
	while (!s->over && s->span.profile->nget && get_asked(&s->span) == 0) {
		keep_rows(strand_rows(job, s), &s->span, &(struct vars){0});
		advance(e, job, s);
	}
	if (s->over)
		return false;
	request_start(e, job, &(struct asked){.strand = s});
	return true;
}

/* The answer is all that the job asks for: its rows go out from where they are. */
static bool is_all(const struct job *job, const struct span *q)
{
	const struct profile *p = job->profile;

	return q->first == 0 && q->count == p->nget && !q->gone && !p->nwalk && !p->ntable &&
	       p->nget <= p->max_vars;
}

static void rows(struct engine *e, struct job *job, const struct reply *reply)
{
	struct strand *s = reply->asked.strand;
	struct buf *words = job_say(e);

	if (!check_rows(&s->span, &e->scratch, words)) {
		e->stats.count[STATS_MALFORMED]++;
		strand_fault(e, job, s, RECORD_MALFORMED);
	} else if (is_all(job, &s->span)) {
		job_end(e, job, RECORD_OK, &e->scratch);
		return;
	} else {
		keep_rows(strand_rows(job, s), &s->span, &e->scratch);
		strand_came(job, s, reply->octets);
		advance(e, job, s);
	}
	job_go_on(e, job);
}

void say_error(struct buf *text, const struct pdu_answer *a)
{
	const char *name = pdu_error_name(a->error_status);

	if (name)
		buf_puts(text, name);
	else
		buf_printf(text, "error-status %lld", (long long)a->error_status);
}

void say_error_remedy(struct buf *text, const struct pdu_answer *a)
{
	switch (a->error_status) {
	case PDU_TOO_BIG:
		buf_puts(text, ": no answer that the agent can send has room for it");
		break;
	case PDU_GEN_ERR:
		buf_puts(text, ": the agent could not read it; its own log may say why");
		break;
	case PDU_NO_ACCESS:
	case PDU_AUTHORIZATION:
		buf_puts(text, ": the agent knows who asks, and its access control does not let "
			       "them (view, security level)");
		break;
	case PDU_RESOURCES:
		buf_puts(text, ": the agent is short of memory or time for it");
		break;
	default:
		break;
	}
}

/* An error-status that ends the GETs: its name, the object if one is named, what can be done. */
static void error(struct engine *e, struct job *job, const struct reply *reply)
{
	const struct span *q = &reply->asked.strand->span;
	int64_t index = reply->answer->error_index;
	struct buf *text = job_say(e);
	char object[OID_TEXT_MAX];

	job_error(job, reply->answer);
	say_error(text, reply->answer);
	if (index >= 1 && (uint64_t)index <= get_asked(q)) {
		const struct oid *o = &q->profile->get[object_at(q, (size_t)index)];

		oid_text(o->id, o->len, object);
		buf_printf(text, " at %s", object);
	}
	say_error_remedy(text, reply->answer);
	strand_fault(e, job, reply->asked.strand, RECORD_ERROR);
	job_go_on(e, job);
}

static void too_big(struct engine *e, struct job *job, const struct reply *reply)
{
	struct span *q = &reply->asked.strand->span;

	if (get_asked(q) < 2) {
		error(e, job, reply);
		return;
	}
	job->span_max = q->count / 2;
	q->count = job->span_max;
	job_go_on(e, job);
}

static void no_such_name(struct engine *e, struct job *job, const struct reply *reply)
{
	struct span *q = &reply->asked.strand->span;
	size_t n = get_asked(q), index = (size_t)reply->answer->error_index;

	if (n == 1)
		index = 1; /* it can be no other */
	if (index < 1 || index > n) {
		buf_printf(job_say(e), "noSuchName with error-index %lld of %zu varbinds",
			   (long long)reply->answer->error_index, n);
		e->stats.count[STATS_MALFORMED]++;
		strand_fault(e, job, reply->asked.strand, RECORD_MALFORMED);
	} else {
		if (!job->gone)
			job->gone = mem_zero(job->profile->nget, sizeof(*job->gone));
		q->gone = job->gone;
		job->gone[object_at(q, index)] = true;
	}
	job_go_on(e, job);
}

static void get_answered(struct engine *e, struct job *job, const struct reply *reply)
{
	switch (reply->answer->error_status) {
	case PDU_NO_ERROR:
		rows(e, job, reply);
		break;
	case PDU_TOO_BIG:
		too_big(e, job, reply);
		break;
	case PDU_NO_SUCH_NAME:
		no_such_name(e, job, reply);
		break;
	default:
		error(e, job, reply);
	}
}

void job_answered(struct engine *e, struct job *job, const struct reply *reply)
{
	if (job->profile->version == SNMP_V3 && v3_report(e, job, reply))
		return;
	job->spoke = true;
	if (reply->asked.walk)
		walk_answered(e, job, reply);
	else
		get_answered(e, job, reply);
}

void job_malformed(struct engine *e, struct job *job, const struct asked *asked, const char *words)
{
	struct buf *text = job_say(e);

	buf_printf(text, "the answer does not decode: %s", words);
	if (asked->walk)
		say_where(text, asked);
	e->stats.count[STATS_MALFORMED]++;
	walk_round_free(e, asked->walk);
	if (!asked->strand) {
		job->cause = (struct cause){.kind = CAUSE_MALFORMED};
		job_end(e, job, RECORD_MALFORMED, NULL);
		return;
	}
	strand_fault(e, job, asked->strand, RECORD_MALFORMED);
	job_go_on(e, job);
}

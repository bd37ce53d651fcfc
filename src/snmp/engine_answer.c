/*
 * What an answer means for its job: rows, a smaller question, or the end.
 *
 * A device answers a GET with exactly the objects asked for, in their order (RFC 3416 §4.2.1). Some
 * leave varbinds out, add some or name others; a row must never be shown under a name that was not asked
 * for, so every name is compared.
 *
 * tooBig (with or without varbinds, net-snmp#212) halves the question; at one object it is the verdict.
 * noSuchName takes out the object that error-index names. An error-index that names none of several ends
 * the job: guessing would ask a broken device many times over.
 */
#include "snmp/engine_internal.h"

#include <stdio.h>

/* The object that the index-th varbind (from 1) of the request asked for; index <= job_asked(). */
static size_t object_at(const struct pdu_question *q, size_t index)
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
static bool check_rows(const struct pdu_question *q, const struct vars *rows, struct buf *words)
{
	size_t n = job_asked(q), object = q->first;

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

/* Appends the question's rows to the job's: those of the answer, and noSuchInstance for what is gone. */
static void keep_rows(struct job *job, const struct vars *answer)
{
	const struct pdu_question *q = &job->question;
	size_t next = 0;

	for (size_t i = q->first; i < q->first + q->count; i++) {
		const struct oid *o = &q->profile->get[i];
		struct varbind none = {.oid = o->id, .noid = o->len, .type = VAR_NO_SUCH_INSTANCE};

		vars_add(&job->rows, q->gone && q->gone[i] ? &none : &answer->list[next++]);
	}
}

static bool is_all(const struct pdu_question *q)
{
	return q->first == 0 && q->count == q->profile->nget && !q->gone;
}

/* Asks what is left of the question; when nothing is, goes on to the next one. */
static void ask(struct engine *e, struct job *job)
{
	while (job_asked(&job->question) == 0) {
		vars_reset(&e->scratch);
		keep_rows(job, &e->scratch);
		if (!job_advance(e, job)) {
			job_end(e, job, RECORD_OK);
			return;
		}
	}
	request_start(e, job);
}

/* The question is answered, by the varbinds in e->scratch. */
static void accept_rows(struct engine *e, struct job *job)
{
	if (!is_all(&job->question)) /* else they go out from where they are */
		keep_rows(job, &e->scratch);
	if (job_advance(e, job))
		ask(e, job);
	else
		job_end(e, job, RECORD_OK);
}

static void rows(struct engine *e, struct job *job)
{
	struct buf words = {0};

	if (check_rows(&job->question, &e->scratch, &words)) {
		accept_rows(e, job);
		return;
	}
	buf_putc(&words, '\0');
	job_malformed(e, job, (const char *)words.data);
	buf_free(&words);
}

/* Words for an error-status that ends the job: its name, and the object if one is named. */
static void error(struct engine *e, struct job *job, const struct pdu_answer *a)
{
	const struct pdu_question *q = &job->question;
	const char *name = pdu_error_name(a->error_status);
	struct buf *text = job_say(e, job, RECORD_ERROR);
	char object[OID_TEXT_MAX];

	if (name)
		buf_puts(text, name);
	else
		buf_printf(text, "error-status %lld", (long long)a->error_status);
	if (a->error_index >= 1 && (uint64_t)a->error_index <= job_asked(q)) {
		const struct oid *o = &q->profile->get[object_at(q, (size_t)a->error_index)];

		oid_text(o->id, o->len, object);
		buf_printf(text, " at %s", object);
	}
	job_end(e, job, RECORD_ERROR);
}

static void too_big(struct engine *e, struct job *job, const struct pdu_answer *a)
{
	if (job_asked(&job->question) < 2) {
		error(e, job, a);
		return;
	}
	job->span_max = job->question.count / 2;
	job->question.count = job->span_max;
	ask(e, job);
}

static void no_such_name(struct engine *e, struct job *job, const struct pdu_answer *a)
{
	struct pdu_question *q = &job->question;
	size_t n = job_asked(q), index = (size_t)a->error_index;
	char words[PDU_WORDS_MAX];

	if (n == 1)
		index = 1; /* it can be no other */
	if (index < 1 || index > n) {
		snprintf(words, sizeof(words), "noSuchName with error-index %lld of %zu varbinds",
			 (long long)a->error_index, n);
		job_malformed(e, job, words);
		return;
	}
	if (!job->gone)
		job->gone = mem_zero(job->profile->nget, sizeof(*job->gone));
	q->gone = job->gone;
	job->gone[object_at(q, index)] = true;
	ask(e, job);
}

void job_answered(struct engine *e, struct job *job, const struct pdu_answer *a)
{
	job->sends = 0;
	switch (a->error_status) {
	case PDU_NO_ERROR:
		rows(e, job);
		break;
	case PDU_TOO_BIG:
		too_big(e, job, a);
		break;
	case PDU_NO_SUCH_NAME:
		no_such_name(e, job, a);
		break;
	default:
		error(e, job, a);
	}
}

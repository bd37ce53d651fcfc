/*
 * An answer is written in one pass: the head with error-status 0, then varbind by varbind. When one of them turns out to be
 * an error, what was written is thrown away and the error is written instead: a second pass is needed only where
 * something is wrong, and the usual answer costs no look ahead.
 *
 * A GETBULK that does not fit is cut at a whole varbind (RFC 3416 §4.2.3); all others become tooBig.
 */
#include "answer.h"

#include <string.h>

enum error_status {
	NO_ERROR = 0,
	TOO_BIG = 1,
	NO_SUCH_NAME = 2,
	READ_ONLY = 4,
	GEN_ERR = 5,
	NOT_WRITABLE = 17
};

enum {
	VALUE_MAX = 60000, /* octets of the longest value told */
	HEAD_LEN = 3
};

/* One answer being written. */
struct job {
	struct answerer *a;
	const struct mib_view *view;
	const struct message *request;
	const struct behaviour *behaviour;
	struct ber_out out;
	size_t opened[HEAD_LEN]; /* message, PDU, list of varbinds */
	int32_t status, index;
};

static void write_octets(struct ber_out *out, const struct ber_in *octets)
{
	ber_put_octets(out, BER_OCTETS, octets->at, (size_t)(octets->end - octets->at));
}

/* Of SNMPv3 what a ScopedPDU begins with, of the others what a message does. */
static void write_start(struct job *job)
{
	const struct behaviour *b = job->behaviour;
	const struct message *request = job->request;
	struct ber_out *out = &job->out;
	bool v3 = request->version == VERSION_3;

	if (!v3)
		ber_put_signed(out, BER_INTEGER, request->version ^ (b->wrong_version ? 1 : 0));
	else if (b->wrong_context_engine)
		ber_put_octets(out, BER_OCTETS, "wrong", 5);
	else
		write_octets(out, &request->context_engine);
	if (v3 ? b->wrong_context : b->wrong_community)
		ber_put_octets(out, BER_OCTETS, "wrong", 5);
	else
		write_octets(out, &request->community);
}

static void write_head(struct job *job)
{
	const struct behaviour *b = job->behaviour;
	struct ber_out *out = &job->out;
	int32_t id = job->request->request_id ^ (b->wrong_id ? 0x155 : 0);

	out->at = out->start;
	out->full = false;
	job->opened[0] = ber_open(out, BER_SEQUENCE);
	write_start(job);
	job->opened[1] = ber_open(out, b->wrong_pdu ? (uint8_t)b->wrong_pdu : BER_RESPONSE);
	ber_put_signed(out, BER_INTEGER, id);
	ber_put_signed(out, BER_INTEGER, job->status);
	ber_put_signed(out, BER_INTEGER, job->index);
	job->opened[2] = ber_open(out, BER_SEQUENCE);
}

static size_t write_tail(struct job *job)
{
	for (size_t i = HEAD_LEN; i-- > 0;)
		ber_close(&job->out, job->opened[i]);
	return (size_t)(job->out.at - job->out.start);
}

/*
 * The request's varbinds come back with an error, if they fit; tooBig of SNMPv2 has none (RFC 3416
 * §4.2.1).
 */
static size_t write_error(struct job *job)
{
	const struct ber_in *asked = &job->request->varbinds;
	bool none = job->status == TOO_BIG &&
		    (job->behaviour->too_big_empty ||
		     (job->request->version != VERSION_1 && !job->behaviour->too_big));

	write_head(job);
	if (!none)
		ber_put_raw(&job->out, asked->at, (size_t)(asked->end - asked->at));
	if (job->out.full)
		write_head(job);
	return write_tail(job);
}

/* An OCTET STRING of len octets: text, and x behind it. */
static void write_long(struct ber_out *out, const struct mib_value *text, size_t len)
{
	static const uint8_t octets[VALUE_MAX];
	size_t opened = ber_open(out, BER_OCTETS);
	uint8_t *at = out->at;
	size_t copied = text->len < len ? text->len : len;

	ber_put_raw(out, octets, len);
	if (!out->full) {
		memcpy(at, text->bytes, copied);
		memset(at + copied, 'x', len - copied);
	}
	ber_close(out, opened);
}

static void write_lying_value(struct job *job, const struct oid *name,
			      const struct mib_value *value)
{
	static const uint8_t long_int[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const uint32_t sys_descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};
	static const struct mib_value nothing = {.bytes = long_int};
	const struct behaviour *b = job->behaviour;

	if (b->bad_int)
		ber_put_octets(&job->out, BER_INTEGER, NULL, 0);
	else if (b->long_int)
		ber_put_octets(&job->out, BER_INTEGER, long_int, sizeof long_int);
	else if (b->huge && name->len == 9 && memcmp(name->sub, sys_descr, sizeof sys_descr) == 0)
		write_long(&job->out, &nothing, VALUE_MAX);
	else if (b->long_values && value->tag == BER_OCTETS)
		write_long(&job->out, value, b->long_values);
	else
		mib_put_value(&job->out, value);
}

static void write_varbind(struct job *job, const struct oid *name, const struct mib_value *value)
{
	struct ber_out *out = &job->out;
	size_t opened = ber_open(out, BER_SEQUENCE);

	if (job->behaviour->other_oid) {
		struct oid other = *name;
		other.sub[other.len - 1]++;
		ber_put_oid(out, &other);
	} else {
		ber_put_oid(out, name);
	}
	write_lying_value(job, name, value);
	ber_close(out, opened);
}

static bool hides(const struct job *job, const struct oid *name)
{
	static const uint32_t sys_contact[] = {1, 3, 6, 1, 2, 1, 1, 4, 0};

	return (job->behaviour->no_such_name || job->behaviour->no_such_name_v2) &&
	       name->len == 9 && memcmp(name->sub, sys_contact, sizeof sys_contact) == 0;
}

static bool exists(uint8_t tag)
{
	return tag < BER_NO_SUCH_OBJECT;
}

static void look_up(struct job *job, struct oid *name, struct mib_value *value)
{
	if (job->request->pdu != BER_GET) {
		do
			mib_next(job->view, name, value);
		while (exists(value->tag) && hides(job, name));
		return;
	}
	mib_get(job->view, name, value);
	if (hides(job, name)) {
		value->tag = BER_NO_SUCH_INSTANCE;
		value->len = 0;
	}
}

/* A step that a broken agent takes: from an instance back to itself, or to the first row of its object. */
static bool step_back(struct job *job, struct oid *name, struct mib_value *value)
{
	const struct behaviour *b = job->behaviour;
	uint32_t last = b->decreasing ? 2 : b->loop_after;

	if (!b->nonincreasing && !last)
		return false;
	mib_get(job->view, name, value);
	if (!exists(value->tag))
		return false;
	if (b->nonincreasing)
		return true;
	if (name->sub[name->len - 1] < last)
		return false;
	name->sub[name->len - 1] = 1;
	mib_get(job->view, name, value);
	return exists(value->tag);
}

/* What an agent says instead of this value; 0: it is said. */
static int32_t error_instead(const struct job *job, const struct oid *name, uint8_t tag)
{
	const struct behaviour *b = job->behaviour;

	if (exists(tag))
		return b->gen_err_row && name->sub[name->len - 1] == b->gen_err_row ? GEN_ERR : 0;
	if (b->end_gen_err && tag == BER_END_OF_MIB_VIEW)
		return GEN_ERR;
	if (job->request->version == VERSION_1 ||
	    (b->no_such_name_v2 && job->request->pdu != BER_GETBULK) ||
	    (b->end_no_such_name && tag == BER_END_OF_MIB_VIEW))
		return NO_SUCH_NAME;
	return 0;
}

/* Sets the job's status when this varbind is an error. */
static void answer_varbind(struct job *job, struct oid *name, int32_t index)
{
	struct mib_value value;

	if (job->request->pdu == BER_GET || !step_back(job, name, &value))
		look_up(job, name, &value);
	job->status = error_instead(job, name, value.tag);
	if (job->status) {
		job->index = index;
		return;
	}
	write_varbind(job, name, &value);
	if (job->out.full)
		job->status = TOO_BIG;
}

static uint32_t varbinds_wanted(const struct job *job)
{
	uint32_t n = job->request->n_varbinds;

	if (job->behaviour->empty_varbinds)
		return 0;
	return job->behaviour->fewer_varbinds && n > 0 ? n - 1 : n;
}

static void answer_each(struct job *job)
{
	struct ber_in list = job->request->varbinds, value;
	uint32_t wanted = varbinds_wanted(job);
	struct oid name;

	for (uint32_t i = 0; i < wanted && !job->status; i++) {
		message_varbind(&list, &name, &value);
		answer_varbind(job, &name, (int32_t)i + 1);
	}
}

/* One varbind of a GETBULK, asked for at index; false when it did not fit, and is taken back, or is an error. */
static bool bulk_varbind(struct job *job, struct oid *name, int32_t index, bool *ended)
{
	uint8_t *before = job->out.at;
	struct mib_value value;

	if (!step_back(job, name, &value))
		look_up(job, name, &value);
	*ended = !exists(value.tag);
	job->status = error_instead(job, name, value.tag);
	if (job->status) {
		job->index = index;
		return false;
	}
	write_varbind(job, name, &value);
	if (!job->out.full)
		return true;
	job->out.full = false;
	job->out.at = before;
	return false;
}

static void repeat(struct job *job, uint32_t repeaters, int32_t repetitions)
{
	int32_t first = (int32_t)(job->request->n_varbinds - repeaters) + 1;
	struct answerer *a = job->a;
	uint32_t ended = 0;

	for (int32_t r = 0; r < repetitions && ended < repeaters; r++) {
		ended = 0;
		for (uint32_t i = 0; i < repeaters; i++) {
			if (!bulk_varbind(job, &a->columns[i], first + (int32_t)i, &a->ended[i]))
				return;
			ended += a->ended[i];
		}
	}
}

static void answer_bulk(struct job *job)
{
	const struct behaviour *b = job->behaviour;
	struct ber_in list = job->request->varbinds, value;
	int32_t repetitions = job->request->error_index;
	uint32_t wanted = varbinds_wanted(job), repeaters = 0;
	struct oid name;
	bool ended;

	for (uint32_t i = 0; i < wanted; i++) {
		message_varbind(&list, &name, &value);
		if ((int32_t)i < job->request->error_status) {
			if (!bulk_varbind(job, &name, (int32_t)i + 1, &ended))
				return;
		} else if (repeaters == REPEATERS_MAX) {
			job->status = TOO_BIG;
			return;
		} else {
			job->a->columns[repeaters++] = name;
		}
	}
	if (b->few_repetitions && repetitions > (int32_t)b->few_repetitions)
		repetitions = (int32_t)b->few_repetitions;
	repeat(job, repeaters, repetitions + (int32_t)b->more_repetitions);
}

/* How many varbinds the answer would have. */
static uint64_t varbinds_due(const struct message *request)
{
	uint32_t n = request->n_varbinds;
	uint32_t once = request->error_status > 0 ? (uint32_t)request->error_status : 0;

	if (request->pdu != BER_GETBULK || once >= n)
		return n;
	return once + (uint64_t)(n - once) *
			      (request->error_index > 0 ? (uint32_t)request->error_index : 0);
}

static void refuse_set(struct job *job)
{
	struct ber_in list = job->request->varbinds, asked;
	struct mib_value value;
	struct oid name;

	job->index = 1;
	job->status = NOT_WRITABLE;
	if (job->request->version != VERSION_1 || !message_varbind(&list, &name, &asked))
		return;
	mib_get(job->view, &name, &value);
	job->status = exists(value.tag) ? READ_ONLY : NO_SUCH_NAME;
}

/* Errors that are known before any varbind is looked at. */
static void plan_error(struct job *job)
{
	const struct behaviour *b = job->behaviour;
	uint32_t limit = b->too_big ? b->too_big : b->too_big_empty;

	if (job->request->pdu == BER_SET)
		refuse_set(job);
	if (limit && varbinds_due(job->request) > limit)
		job->status = TOO_BIG;
	if (b->error || b->error_index) {
		job->status = b->error ? (int32_t)b->error : GEN_ERR;
		job->index = b->error_index ? (int32_t)b->error_index - 1 : 1;
	}
	if (job->request->refused) {
		job->status = job->request->refused;
		job->index = 0;
	}
}

static bool answerable(const struct message *request)
{
	if (request->pdu == BER_GETBULK)
		return request->version != VERSION_1;
	return request->pdu == BER_GET || request->pdu == BER_GETNEXT || request->pdu == BER_SET;
}

size_t answer_write(struct answerer *a, const struct mib_view *view, const struct message *request,
		    const struct behaviour *behaviour, uint8_t *bytes)
{
	struct job job = {.a = a, .view = view, .request = request, .behaviour = behaviour};

	if (!answerable(request))
		return 0;
	job.out.start = bytes;
	job.out.end = bytes + request->max_size - BER_SPARE;
	plan_error(&job);
	if (job.status)
		return write_error(&job);
	write_head(&job);
	if (request->pdu == BER_GETBULK)
		answer_bulk(&job);
	else
		answer_each(&job);
	return job.status ? write_error(&job) : write_tail(&job);
}

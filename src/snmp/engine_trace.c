/*
 * Whose datagram is it, and with whose keys is it read: what the trace must be told.
 *
 * A datagram names its request by an id that was drawn for it. So its host and keys are found through the table of
 * requests, as for an answer, without believing anything of it.
 */
#include "snmp/engine_internal.h"

#include <string.h>

#include "snmp/engine_trace.h"
#include "snmp/peek.h"

static bool id_of(const uint8_t *data, size_t len, uint32_t *id)
{
	struct peek head;
	struct peek_v3 head_v3;
	const char *words;

	if (peek_message(data, len, &head, &words)) {
		*id = head.request_id;
		return true;
	}
	if (head.version != SNMP_V3 || !peek_v3(data, len, &head_v3, &words))
		return false;
	*id = head_v3.msg_id;
	return true;
}

static const struct job *job_of(struct engine *e, const uint8_t *data, size_t len)
{
	struct inflight_hit hit;
	uint32_t id;

	if (!id_of(data, len, &id) || !inflight_find(e->inflight, id, &hit))
		return NULL;
	return e->requests[hit.slot].job;
}

static void begin(struct engine *e, struct trace_datagram *d)
{
	const struct job *job = job_of(e, d->data, d->len);

	if (job) {
		d->host = job->task.host;
		d->credential = job->profile->credential;
		d->keys = job->profile->version == SNMP_V3 ? v3_keys(job) : NULL;
	}
	trace_begin(e->config.trace, d);
}

void engine_trace_sent(struct engine *e, const struct udp_out *list, size_t n, int error)
{
	for (size_t i = 0; i < n + (error != 0); i++) {
		struct trace_datagram d = {.way = TRACE_SENT,
					   .peer = &list[i].to,
					   .data = list[i].data,
					   .len = list[i].len};

		begin(e, &d);
		if (i == n)
			trace_fate(e->config.trace, "not sent", strerror(error));
		trace_end(e->config.trace);
	}
}

void engine_trace_received(struct engine *e, const struct udp_in *in)
{
	struct trace_datagram d = {
		.way = TRACE_RECEIVED, .peer = &in->from, .data = in->data, .len = in->len};

	begin(e, &d);
}

void engine_trace_taken(struct engine *e)
{
	trace_end(e->config.trace);
}

void engine_trace_refusal(struct engine *e, const struct udp_refusal *refusal)
{
	struct trace_datagram d = {.way = TRACE_REFUSED,
				   .peer = &refusal->to,
				   .data = refusal->quoted,
				   .len = refusal->size};

	begin(e, &d);
	trace_fate(e->config.trace, "refused by the network or the kernel",
		   strerror(refusal->error));
	trace_end(e->config.trace);
}

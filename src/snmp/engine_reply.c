/*
 * Datagrams: whose is it, is it to be believed, and what does it end?
 *
 * The problem: anybody can send to our sockets. A datagram counts as an answer only when it names one of
 * the request-ids that are out (31 random bits), comes from the address and port that were asked (unless
 * any_source), and carries the version, the community and the PDU type of an answer. All of that is
 * read by peek_message(), our own bounded code; the codec sees nothing else (DESIGN.md, invariant 4).
 *
 * An SNMPv3 message names its request by its msgID, and proves itself by its digest, which the codec
 * checks: then the address says nothing (FIELD.md: routers answer from another one). Without a
 * digest, as a Report of the discovery has none, the address is asked for as above.
 *
 * What fails is counted under its own name and dropped; but where the id was right, the job takes notice:
 * "192.0.2.9:161 answered instead" is worth more to who reads the timeout than the timeout. A
 * datagram that cannot be read at all, from an address that is being asked, is remembered as well: it
 * makes the timeout `malformed`.
 *
 * What the network refuses (udp_refusals) quotes our datagram, often with its request-id. Routers that
 * quote eight octets only leave the address and port.
 *
 * The trap: looking for a request by its address is a walk over all slots. It is rare, but a liar can make
 * it frequent; so a turn looks at LOOKS_MAX requests and no more.
 */
#include "snmp/engine_internal.h"
#include "snmp/engine_known.h"

#include <stdio.h>
#include <string.h>

#include "snmp/engine_trace.h"
#include "snmp/peek.h"

#define TURN_BATCHES 16 /* received from a lane in a turn; then timers and sends have their turn */
#define LOOKS_MAX    (1u << 18) /* about a millisecond */

/* A request that is out and was sent to this address; NULL: none, or too many were looked for. */
static struct request *find_by_address(struct engine *e, const struct addr *a)
{
	for (unsigned i = 0; i < e->config.window && e->looked_at < LOOKS_MAX; i++) {
		struct request *r = &e->requests[i];

		e->looked_at++;
		if (r->job && inflight_tries(e->inflight, r->slot) &&
		    addr_equal(&r->job->addrs[r->job->address], a))
			return r;
	}
	return NULL;
}

/* For --debug: why a datagram counts for nothing. */
static void dropped(struct engine *e, const char *what, const char *words)
{
	if (e->config.trace)
		trace_fate(e->config.trace, what, words);
}

static void take_notice(struct job *job, enum notice notice, int64_t number)
{
	if (job->notice != NOTICE_NONE)
		return;
	job->notice = notice;
	job->notice_number = number;
}

/* It names no request. Who is asked there, if anybody, is told; an SNMPv3 message is nothing to who
 * asks in another version. */
static void unreadable(struct engine *e, const struct udp_in *in, bool v3, const char *words)
{
	struct request *r = find_by_address(e, &in->from);

	dropped(e, "dropped", words);
	if (v3 && (!r || r->job->profile->version != SNMP_V3)) {
		e->stats.count[STATS_FOREIGN]++;
		return;
	}
	e->stats.count[STATS_MALFORMED]++;
	if (!r)
		return;
	r->job->notice = NOTICE_UNREADABLE;
	r->job->notice_words = words;
}

static bool same_community(const struct peek *head, const struct profile *p)
{
	return strlen(p->community) == head->community_len &&
	       memcmp(p->community, head->community, head->community_len) == 0;
}

/* It comes from who was asked, or from anywhere if that is good enough. */
static bool same_address(struct job *job, const struct udp_in *in)
{
	if (job->profile->any_source || addr_equal(&in->from, &job->addrs[job->address]))
		return true;
	if (job->notice == NOTICE_NONE)
		job->notice_from = in->from;
	take_notice(job, NOTICE_ADDRESS, 0);
	return false;
}

/* The id is right; is the rest? NULL: yes. Else what is not, of which the job takes notice when it is the first. */
static const char *no_answer(struct job *job, const struct peek *head, const struct udp_in *in)
{
	const struct profile *p = job->profile;

	if (!same_address(job, in))
		return "it comes from another address";
	if (head->version != (int64_t)p->version) {
		take_notice(job, NOTICE_VERSION, head->version);
		return "it is of another version";
	}
	if (!same_community(head, p)) {
		take_notice(job, NOTICE_COMMUNITY, 0);
		return "it has another community";
	}
	if (head->type != PDU_RESPONSE) {
		take_notice(job, NOTICE_TYPE, head->type);
		return "it is no RESPONSE";
	}
	return NULL;
}

/* The same of an SNMPv3 message. Who sent it is asked only where no digest will tell. */
static const char *no_answer_v3(struct job *job, const struct peek_v3 *head,
				const struct udp_in *in)
{
	if (job->profile->version != SNMP_V3) {
		if (same_address(job, in))
			take_notice(job, NOTICE_VERSION, SNMP_V3);
		return "it is of another version";
	}
	if ((head->whole && head->flags & PEEK_AUTH) || v3_proves_itself(job) ||
	    same_address(job, in))
		return NULL;
	return "it comes from another address";
}

/* The request is answered: a tells what, or, when it is not decoded, why not. */
static void end_answered(struct engine *e, const struct inflight_hit *hit, const struct udp_in *in,
			 const struct pdu_answer *a, bool decoded)
{
	struct request *r = &e->requests[hit->slot];
	struct job *job = r->job;
	int64_t rtt_us = e->received_us - hit->sent_us;
	struct reply reply = {
		.asked = r->asked,
		.answer = a,
		.octets = in->len,
		.epoch = r->epoch,
		.newest = hit->newest,
	};

	if (job->rtt_us < 0)
		job->rtt_us = rtt_us > 0 ? rtt_us : 0;
	known_answered(job, rtt_us);
	job->time_ms = e->received_ms;
	request_end(e, r, ENDED_ANSWERED, !hit->newest);
	if (!decoded)
		dropped(e, "malformed", a->words);
	if (decoded)
		job_answered(e, job, &reply);
	else
		job_malformed(e, job, &reply.asked, a->words);
}

static void answer(struct engine *e, const struct inflight_hit *hit, const struct udp_in *in)
{
	struct pdu_answer a; /* large: not cleared for nothing */
	bool decoded;

	engine_at_work(e, e->requests[hit->slot].job);
	vars_reset(&e->scratch);
	decoded = pdu_decode(e->codec, in->data, in->len, &a, &e->scratch);
	end_answered(e, hit, in, &a, decoded);
	engine_at_work(e, NULL);
}

/* Not whole: words say why. */
static void answer_v3(struct engine *e, const struct inflight_hit *hit, const struct peek_v3 *head,
		      const struct udp_in *in, const char *words)
{
	struct job *job = e->requests[hit->slot].job;
	struct pdu_answer a = {0};
	enum pdu_verdict verdict = PDU_MALFORMED;

	engine_at_work(e, job);
	vars_reset(&e->scratch);
	if (head->whole)
		verdict = v3_decode(e, &e->requests[hit->slot], head->msg_id, in, &a);
	else
		snprintf(a.words, sizeof(a.words), "%s", words);
	if (verdict == PDU_REFUSED) {
		e->stats.count[STATS_FOREIGN]++;
		dropped(e, "not believed", a.words);
	} else {
		end_answered(e, hit, in, &a, verdict == PDU_ACCEPTED);
	}
	engine_at_work(e, NULL);
}

static void datagram_v3(struct engine *e, const struct udp_in *in)
{
	struct inflight_hit hit;
	struct peek_v3 head;
	const char *words, *why;

	if (!peek_v3(in->data, in->len, &head, &words)) {
		unreadable(e, in, true, words);
	} else if (!inflight_find(e->inflight, head.msg_id, &hit)) {
		bool again = inflight_completed(e->inflight, head.msg_id);

		e->stats.count[again ? STATS_DUPLICATE : STATS_FOREIGN]++;
		dropped(e, "dropped",
			again ? "its request is over" : "its id is of no request of ours");
	} else if ((why = no_answer_v3(e->requests[hit.slot].job, &head, in))) {
		e->stats.count[STATS_FOREIGN]++;
		dropped(e, "dropped", why);
	} else {
		answer_v3(e, &hit, &head, in, words);
	}
}

static void datagram(struct engine *e, const struct udp_in *in)
{
	struct inflight_hit hit;
	struct peek head;
	const char *words, *why;

	e->stats.count[STATS_RECEIVED]++;
	if (!peek_message(in->data, in->len, &head, &words)) {
		if (head.version == SNMP_V3)
			datagram_v3(e, in);
		else
			unreadable(e, in, false, words);
	} else if (!inflight_find(e->inflight, head.request_id, &hit)) {
		bool again = inflight_completed(e->inflight, head.request_id);

		e->stats.count[again ? STATS_DUPLICATE : STATS_FOREIGN]++;
		dropped(e, "dropped",
			again ? "its request is over" : "its id is of no request of ours");
	} else if ((why = no_answer(e->requests[hit.slot].job, &head, in))) {
		e->stats.count[STATS_FOREIGN]++;
		dropped(e, "dropped", why);
	} else {
		answer(e, &hit, in);
	}
}

void engine_receive(struct engine *e, unsigned lane)
{
	struct udp_in *list;
	bool more = true;

	for (int i = 0; i < TURN_BATCHES && more && !e->held; i++) {
		size_t n = e->carrier->receive(e->carried, lane, &list, &more);

		e->received_us = engine_stamp_us(e);
		e->received_ms = loop_wall_ms();
		for (size_t k = 0; k < n; k++) {
			if (e->config.trace)
				engine_trace_received(e, &list[k]);
			datagram(e, &list[k]);
			if (e->config.trace)
				engine_trace_taken(e);
		}
	}
	engine_take_refusals(e);
}

/* The id of a datagram that was ours, as far as it is quoted. */
static bool quoted_id(const struct udp_refusal *refusal, uint32_t *id)
{
	struct peek head;
	struct peek_v3 head_v3;
	const char *words;

	if (peek_message(refusal->quoted, refusal->size, &head, &words)) {
		*id = head.request_id;
		return true;
	}
	if (head.version != SNMP_V3 || !peek_v3(refusal->quoted, refusal->size, &head_v3, &words))
		return false;
	*id = head_v3.msg_id;
	return true;
}

/* The request that a refused datagram belonged to; NULL: it is over. */
static struct request *find_refused(struct engine *e, const struct udp_refusal *refusal)
{
	struct inflight_hit hit;
	struct request *r;
	uint32_t id;

	if (!quoted_id(refusal, &id))
		return find_by_address(e, &refusal->to);
	if (!inflight_find(e->inflight, id, &hit))
		return NULL;
	r = &e->requests[hit.slot];
	return addr_equal(&r->job->addrs[r->job->address], &refusal->to) ? r : NULL;
}

void engine_take_refusals(struct engine *e)
{
	const struct udp_refusal *list;
	size_t n = e->carrier->refusals(e->carried, &list);

	for (size_t i = 0; i < n; i++) {
		struct request *r = find_refused(e, &list[i]);

		if (e->config.trace)
			engine_trace_refusal(e, &list[i]);
		if (r) {
			struct job *job = r->job;
			struct asked asked = r->asked;

			request_end(e, r, ENDED_REFUSED, false);
			job_refused(e, job, &asked, list[i].error);
		}
	}
}

/*
 * What may be sent, sent: in batches, within the burst and the rate.
 *
 * The problem: replies arrive faster than they are read, and those that do not fit the receive buffer
 * are lost. Bounding the requests in flight by the buffer would be safe and slow: ten silent hosts
 * in a hundred would fill the window within the second, and they never send a reply.
 *
 * The design: two bounds. Slots bound what is in flight; the burst bounds what was sent in the last
 * BURST_US and is unanswered, per lane, by the buffer that the lane was granted. A list in the order
 * of sending is all it takes: an answer takes its request out, age takes it out at the front. One lane
 * is filled before the next is used, so that batches stay large.
 *
 * The rate is a bucket of tokens that holds RATE_BURST_S of them: enough that a loop which wakes every
 * millisecond loses none, too little for a burst that a device would notice.
 *
 * The trap: sendmmsg(2) stops at the first datagram that it cannot send. What is in the way of all (no
 * buffer) puts the rest back, in order and without counting a try; what is wrong with this one (no route,
 * a broadcast address) ends this one, and the rest goes on. What is in the way for STUCK_US is no passing thing:
 * then it ends this one, too, or the run would never end.
 */
#include "snmp/engine_internal.h"
#include "snmp/engine_trace.h"

#include <errno.h>

#define BURST_US     100000 /* a reply later than this does not come with the others */
#define TURN_BATCHES 16     /* sent in a turn: then the sockets are read again */
#define PAUSE_US     2000 /* the kernel's queue drains about 250 datagrams of a 1 Gb/s link in that */
#define RATE_BURST_S 0.02
#define STUCK_PART   16       /* the longer it lasts, the longer the pauses: by this part of it */
#define STUCK_US     30000000 /* of a kernel that takes nothing: longer than any full queue lasts */
#define STUCK_GAP_US 10000000 /* not tried for so long: nobody knows; no pause is as long */

struct batch {
	struct request *requests[UDP_BATCH];
	uint64_t serials[UDP_BATCH]; /* of the requests: a job's end takes several */
	int errors[UDP_BATCH];       /* of those that the kernel refused; 0: sent, or put back */
	struct udp_out out[UDP_BATCH];
	size_t n, nerrors;
	struct request *unbuilt;   /* one that the codec could not build, which ended the batch */
	char words[PDU_WORDS_MAX]; /* and why */
};

void engine_send_init(struct engine *e)
{
	e->nlanes = e->carrier->lanes(e->carried);
	for (unsigned i = 0; i < e->nlanes; i++) {
		struct lane *l = &e->lanes[i];

		*l = (struct lane){
			.engine = e, .number = i, .family = e->carrier->family(e->carried, i)};
		l->burst_max = e->carrier->burst(e->carried, i);
		TAILQ_INIT(&l->burst);
	}
	for (int i = 0; i < FAMILIES; i++)
		TAILQ_INIT(&e->ready[i]);
}

static struct request_list *ready_list(struct engine *e, const struct request *r)
{
	const struct job *job = r->job;

	return &e->ready[job->addrs[job->address].family == 4 ? FAMILY_V4 : FAMILY_V6];
}

void engine_ready(struct engine *e, struct request *r)
{
	TAILQ_INSERT_TAIL(ready_list(e, r), r, in_ready);
	r->ready = true;
}

void engine_unready(struct engine *e, struct request *r)
{
	if (r->ready)
		TAILQ_REMOVE(ready_list(e, r), r, in_ready);
	r->ready = false;
}

static void enter_burst(struct request *r, struct lane *l)
{
	TAILQ_INSERT_TAIL(&l->burst, r, in_burst);
	l->burst_count++;
	r->lane = (uint8_t)l->number;
	r->burst = true;
}

void engine_leave_burst(struct engine *e, struct request *r)
{
	struct lane *l = &e->lanes[r->lane];

	if (!r->burst)
		return;
	TAILQ_REMOVE(&l->burst, r, in_burst);
	l->burst_count--;
	r->burst = false;
}

static void expire_bursts(struct engine *e)
{
	for (unsigned i = 0; i < e->nlanes; i++) {
		struct request *r;

		while ((r = TAILQ_FIRST(&e->lanes[i].burst)) && r->sent_us + BURST_US <= e->now_us)
			engine_leave_burst(e, r);
	}
}

static bool lane_carries(const struct lane *l, uint8_t family)
{
	return l->family == family || !l->family;
}

/* The first lane of the family with room; *exists: there is one at all. */
static struct lane *lane_with_room(struct engine *e, uint8_t family, bool *exists)
{
	*exists = false;
	for (unsigned i = 0; i < e->nlanes; i++) {
		struct lane *l = &e->lanes[i];

		if (!lane_carries(l, family))
			continue;
		*exists = true;
		if (l->burst_count < l->burst_max)
			return l;
	}
	return NULL;
}

void engine_set_rate(struct engine *e, double pps)
{
	e->rate = pps;
	e->tokens = 0;
	e->tokens_us = e->now_us;
}

/* How many sends the rate allows now. */
static size_t rate_room(struct engine *e)
{
	double most = e->rate * RATE_BURST_S;

	if (e->rate <= 0)
		return UDP_BATCH;
	e->tokens += (double)(e->now_us - e->tokens_us) * e->rate / 1e6;
	e->tokens_us = e->now_us;
	if (most < 1)
		most = 1;
	if (e->tokens > most)
		e->tokens = most;
	return e->tokens < UDP_BATCH ? (size_t)e->tokens : UDP_BATCH;
}

/* What a request without a template asks: a GET's objects, a walk's question, or nothing: SNMPv3's discovery. */
static void ask_for(struct engine *e, struct request *r, struct pdu_ask *ask)
{
	*ask = (struct pdu_ask){.type = PDU_GET, .names = e->names};
	if (r->asked.walk)
		walk_build(e, r, ask);
	else if (r->asked.strand)
		ask->count = get_names(&r->asked.strand->span, e->names);
}

/* Appends the datagram with this id, built by the codec. False: it cannot be. */
static bool build(struct engine *e, struct request *r, uint32_t id, char words[PDU_WORDS_MAX])
{
	const struct profile *p = r->job->profile;
	struct pdu_ask ask;
	size_t id_at;

	ask_for(e, r, &ask);
	if (p->version == SNMP_V3)
		return v3_build(e, r, &ask, id, words);
	id_at = pdu_build(e->codec, p, &ask, &e->octets);
	pdu_patch_id(e->octets.data + id_at, id);
	return true;
}

static bool put_datagram(struct engine *e, struct request *r, uint32_t id,
			 char words[PDU_WORDS_MAX])
{
	const struct chunk *t = get_template(e, r);
	bool built;

	if (t) {
		size_t id_at = e->octets.len + t->id_at;

		buf_put(&e->octets, e->template_octets.data + t->at, t->len);
		pdu_patch_id(e->octets.data + id_at, id);
		return true;
	}
	engine_at_work(e, r->job);
	built = build(e, r, id, words);
	engine_at_work(e, NULL);
	return built;
}

static void fill(struct engine *e, struct request_list *ready, size_t most, struct batch *b)
{
	int64_t stamp_us = engine_stamp_us(e);
	struct request *r;
	size_t at = 0;

	b->n = b->nerrors = 0;
	b->unbuilt = NULL;
	e->octets.len = 0;
	while (b->n < most && (r = TAILQ_FIRST(ready))) {
		engine_unready(e, r);
		at = e->octets.len;
		b->serials[b->n] = r->serial;
		if (!put_datagram(e, r, inflight_add(e->inflight, r->slot, stamp_us), b->words)) {
			inflight_drop(e->inflight, r->slot);
			b->unbuilt = r;
			break;
		}
		b->errors[b->n] = 0;
		b->out[b->n].to = r->job->addrs[r->job->address];
		b->out[b->n].len = e->octets.len - at;
		b->requests[b->n++] = r;
	}
	at = 0;
	for (size_t i = 0; i < b->n; i++) { /* the octets have stopped moving */
		b->out[i].data = e->octets.data + at;
		at += b->out[i].len;
	}
}

static void refuse(struct engine *e, struct request *r, enum ending ending, int error)
{
	struct job *job = r->job;
	struct asked asked = r->asked;

	request_end(e, r, ending, false);
	job_refused(e, job, &asked, error);
}

static void put_back(struct engine *e, struct request_list *ready, struct batch *b, size_t from)
{
	for (size_t i = b->n; i > from; i--) {
		struct request *r = b->requests[i - 1];

		inflight_drop(e->inflight, r->slot);
		TAILQ_INSERT_HEAD(ready, r, in_ready);
		r->ready = true;
	}
	e->tokens += (double)(b->n - from);
}

/* Whether an error, which may pass, has lasted too long. What was to be sent may have ended meanwhile, then an
 * old error says nothing of a new one. */
static bool is_stuck(struct lane *l, int64_t now_us)
{
	if (!l->stuck_since_us || now_us - l->stuck_us > STUCK_GAP_US)
		l->stuck_since_us = now_us;
	l->stuck_us = now_us;
	return now_us - l->stuck_since_us >= STUCK_US;
}

/* False: the kernel takes no more for now. */
static bool send_batch(struct engine *e, struct request_list *ready, struct lane *l,
		       struct batch *b)
{
	size_t at = 0;
	int error;

	while (at < b->n) {
		size_t end = at + e->carrier->send(e->carried, l->number, b->out + at, b->n - at,
						   &error);
		if (e->config.trace)
			engine_trace_sent(e, b->out + at, end - at, error);
		for (; at < end; at++) {
			request_sent(e, b->requests[at]);
			enter_burst(b->requests[at], l);
			l->stuck_since_us = 0;
		}
		if (error && udp_is_passing(error) && !is_stuck(l, e->now_us)) {
			put_back(e, ready, b, at);
			e->pause_until_us = e->now_us + PAUSE_US +
					    (e->now_us - l->stuck_since_us) / STUCK_PART;
			return false;
		}
		if (error) {
			request_sent(e, b->requests[at]);
			b->errors[at++] = error;
			b->nerrors++;
		}
	}
	return true;
}

/* What could not be sent ends now that the batch is over: the end of a job takes its other requests
 * with it, which may be in the batch too. */
static void end_refused(struct engine *e, const struct batch *b)
{
	for (size_t i = 0; b->nerrors && i < b->n; i++) {
		struct request *r = b->requests[i];

		if (b->errors[i] && r->job && r->serial == b->serials[i])
			refuse(e, r, ENDED_REFUSED, b->errors[i]);
	}
}

/* No socket of this family could be opened: what waits for one is told so. */
static void refuse_all(struct engine *e, struct request_list *ready)
{
	struct request *r;

	while (!e->held && (r = TAILQ_FIRST(ready)))
		refuse(e, r, ENDED_UNANSWERED, EAFNOSUPPORT);
}

/* Nothing of it was sent. That is the library's or the profile's doing, not the network's. */
static void end_unbuilt(struct engine *e, const struct batch *b)
{
	struct request *r = b->unbuilt;

	if (!r->job || r->serial != b->serials[b->n]) /* it went with its job, which was refused */
		return;
	buf_puts(job_say(e), b->words);
	job_end(e, r->job, RECORD_AUTH, NULL);
}

/* One batch of the family, if anything may be sent. False: not now. */
static bool send_family(struct engine *e, int family)
{
	struct request_list *ready = &e->ready[family];
	struct batch b;
	struct lane *l;
	size_t most, room;
	bool exists, going;

	if (TAILQ_EMPTY(ready) || e->held || e->pause_until_us > e->now_us)
		return false;
	l = lane_with_room(e, family == FAMILY_V4 ? 4 : 6, &exists);
	if (!exists)
		refuse_all(e, ready);
	if (!l)
		return false;
	most = rate_room(e);
	room = l->burst_max - l->burst_count;
	if (most > room)
		most = room;
	fill(e, ready, most, &b);
	if (e->rate > 0)
		e->tokens -= (double)b.n;
	going = send_batch(e, ready, l, &b);
	end_refused(e, &b);
	if (b.unbuilt)
		end_unbuilt(e, &b);
	return going && b.n;
}

void engine_send(struct engine *e)
{
	bool going = true;

	expire_bursts(e);
	for (int i = 0; i < TURN_BATCHES && going; i++) {
		going = send_family(e, FAMILY_V4);
		going = send_family(e, FAMILY_V6) || going;
	}
}

/* When one of the family's lanes has room. */
static int64_t room_us(const struct engine *e, uint8_t family)
{
	int64_t at_us = INT64_MAX;

	for (unsigned i = 0; i < e->nlanes; i++) {
		const struct lane *l = &e->lanes[i];

		if (!lane_carries(l, family))
			continue;
		if (l->burst_count < l->burst_max)
			return e->now_us;
		if (TAILQ_FIRST(&l->burst)->sent_us + BURST_US < at_us)
			at_us = TAILQ_FIRST(&l->burst)->sent_us + BURST_US;
	}
	return at_us == INT64_MAX ? e->now_us : at_us; /* no lane: to be refused at once */
}

int64_t engine_send_next_us(const struct engine *e)
{
	int64_t at_us = INT64_MAX, token_us;

	for (int i = 0; i < FAMILIES; i++) {
		if (!TAILQ_EMPTY(&e->ready[i])) {
			int64_t family_us = room_us(e, i == FAMILY_V4 ? 4 : 6);

			at_us = family_us < at_us ? family_us : at_us;
		}
	}
	if (at_us == INT64_MAX)
		return at_us;
	if (e->pause_until_us > at_us)
		at_us = e->pause_until_us;
	if (e->rate > 0 && e->tokens < 1) {
		token_us = e->tokens_us + (int64_t)((1 - e->tokens) * 1e6 / e->rate) + 1;
		at_us = token_us > at_us ? token_us : at_us;
	}
	return at_us;
}

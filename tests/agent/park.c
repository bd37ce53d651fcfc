#include "park_internal.h"

#include "lie.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
	BATCHES_PER_TURN = 8, /* then what is due is looked at again */
	REORDER_US = 10000
};

uint64_t park_clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void log_line(struct park *park, const struct datagram *in)
{
	bool v4 = datagram_is_v4(&in->local);
	char text[INET6_ADDRSTRLEN];

	if (v4)
		inet_ntop(AF_INET, in->local.s6_addr + 12, text, sizeof text);
	else
		inet_ntop(AF_INET6, &in->local, text, sizeof text);
	fprintf(park->log, "%.3f %s %u ", (double)park->now_us / 1000, text,
		ntohs(v4 ? in->peer.in.sin_port : in->peer.in6.sin6_port));
}

static void log_request(struct park *park, const struct datagram *in, const struct message *m)
{
	log_line(park, in);
	fprintf(park->log, "%s %" PRId32 " %" PRIu32 "\n", message_pdu_name(m->pdu), m->request_id,
		m->n_varbinds);
}

/* What can be seen from without: msgID, flags, msgPrivacyParameters. */
static void log_v3(struct park *park, const struct datagram *in, const struct v3_message *m)
{
	log_line(park, in);
	fprintf(park->log, "%s %" PRId32 " %u ",
		m->engine_id.at == m->engine_id.end ? "discovery" : "v3", m->id, m->flags);
	for (const uint8_t *at = m->salt.at; at < m->salt.end; at++)
		fprintf(park->log, "%02x", *at);
	fprintf(park->log, "%s\n", m->salt.at == m->salt.end ? "-" : "");
}

/* A request of either kind. */
struct arrival {
	const struct datagram *in;
	bool is_v3;
	struct message m;
	struct v3_message v3;
};

static bool is_ours_v3(struct park *park, struct arrival *a)
{
	const struct datagram *in = a->in;

	park->counters.version_3++;
	if (!park->v3)
		return false;
	if (!v3_message_read(&a->v3, in->bytes, in->len)) {
		park->counters.malformed++;
		return false;
	}
	if (park->log)
		log_v3(park, in, &a->v3);
	return true;
}

static bool is_ours(struct park *park, struct arrival *a)
{
	struct message *m = &a->m;
	enum message_kind kind = message_read(m, a->in->bytes, a->in->len);

	park->counters.received++;
	park->counters.malformed += kind == MESSAGE_BAD;
	a->is_v3 = kind == MESSAGE_V3;
	if (a->is_v3)
		return is_ours_v3(park, a);
	if (kind != MESSAGE_GOOD)
		return false;
	if (park->log)
		log_request(park, a->in, m);
	m->max_size = park->options->max_size;
	m->refused = 0;
	size_t len = (size_t)(m->community.end - m->community.at);
	if (len == park->community_len &&
	    memcmp(m->community.at, park->options->community, len) == 0)
		return true;
	park->counters.bad_community++;
	return false;
}

static int other_socket(struct park *park, const struct datagram *d)
{
	sa_family_t family = d->peer.sa.sa_family;
	int *fd = &park->other_fds[family == AF_INET6];

	if (*fd == -1) {
		union peer bind_to = park_any_address(family, 0);
		*fd = datagram_socket(&bind_to);
	}
	return *fd;
}

static uint64_t wait_us(struct park *park, const struct behaviour *b, uint32_t visit)
{
	const struct options *options = park->options;
	uint64_t wait = (uint64_t)options->latency_us + b->late + (visit == 0 ? b->late_first : 0);

	if (options->jitter_us)
		wait += lie_random(&park->random) % (options->jitter_us + 1);
	if (b->reorder) {
		park->hold_next = !park->hold_next;
		wait += park->hold_next ? REORDER_US : 0;
	}
	return wait;
}

static void dispatch(struct park *park, const struct datagram *d, uint64_t wait, unsigned times)
{
	park->counters.duplicated += times - 1;
	if (wait == 0) {
		outbox_add(park->outbox, d, times);
		return;
	}
	while (times-- > 0)
		park->counters.overflowed += !delay_put(park->delay, d, park->now_us + wait);
	uint32_t waiting = delay_waiting(park->delay);
	if (waiting > park->counters.max_pending)
		park->counters.max_pending = waiting;
}

static size_t write_answer(struct park *park, const struct arrival *a, const struct behaviour *b,
			   uint8_t *bytes)
{
	struct mib_view view = {.mib = &park->mib,
				.addr = &a->in->local,
				.now_us = park->now_us,
				.interfaces = b->rows ? b->rows : park->options->interfaces,
				.v1 = !a->is_v3 && a->m.version == VERSION_1,
				.sparse = b->sparse,
				.types = b->types};

	if (!a->is_v3)
		return answer_write(&park->answerer, &view, &a->m, b, bytes);
	const struct v3_request request = {a->in, &a->v3, b, &view};
	return v3_answer(park->v3, &park->answerer, &request, park->options->max_size, bytes);
}

static void reply(struct park *park, const struct arrival *a, const struct behaviour *b,
		  uint32_t visit)
{
	struct datagram out = *a->in;

	out.bytes = outbox_room(park->outbox);
	out.len = write_answer(park, a, b, out.bytes);
	if (out.len == 0) {
		park->counters.unanswerable++;
		return;
	}
	if (b->drop_over && out.len > b->drop_over) {
		park->counters.dropped++;
		return;
	}
	lie_apply(b, &out, &park->random);
	if (b->other_port)
		out.fd = other_socket(park, a->in);
	dispatch(park, &out, wait_us(park, b, visit), b->duplicate ? 2 : 1);
}

static bool is_discovery(const struct arrival *a)
{
	return a->is_v3 && a->v3.engine_id.at == a->v3.engine_id.end;
}

static void serve(struct park *park, const struct datagram *in)
{
	static const struct behaviour good = {0};
	struct arrival a;
	struct behaviour truth;
	uint32_t visit = 0;

	a.in = in;
	if (!is_ours(park, &a))
		return;
	const struct behaviour *b = rules_find(&park->options->rules, &in->local);
	if (!b)
		b = &good;
	if (b->after_discovery && is_discovery(&a)) {
		truth = lie_none(b);
		b = &truth;
	}
	if (b->lose_first || b->late_first || b->only_first)
		visit = visits_count(park->visits, &in->local);
	if (b->silent || visit < b->lose_first || (b->only_first && visit >= b->only_first) ||
	    (b->lose && lie_random(&park->random) % 1000 < b->lose)) {
		park->counters.dropped++;
		return;
	}
	reply(park, &a, b, visit);
	if (b->then_good) {
		truth = lie_none(b);
		reply(park, &a, &truth, visit);
	}
}

static void receive(struct park *park, int fd)
{
	struct datagram in[BATCH_MAX];
	size_t got = BATCH_MAX;

	for (unsigned i = 0; i < BATCH_MAX; i++)
		in[i].bytes = park->buffers + (size_t)i * SLOT;
	for (unsigned turn = 0; turn < BATCHES_PER_TURN && got == BATCH_MAX; turn++) {
		got = batch_receive(park->batch, fd, in, BATCH_MAX);
		park->now_us = park_clock_us();
		for (size_t i = 0; i < got; i++)
			serve(park, &in[i]);
		outbox_send(park->outbox);
	}
}

static void send_due(struct park *park)
{
	struct datagram d;

	while (delay_next(park->delay) <= park->now_us) {
		d.bytes = outbox_room(park->outbox);
		delay_take(park->delay, park->now_us, &d);
		outbox_add(park->outbox, &d, 1);
	}
	outbox_send(park->outbox);
}

void park_turn(struct park *park, uint64_t until_us, const sigset_t *mask)
{
	uint64_t next = delay_next(park->delay) < until_us ? delay_next(park->delay) : until_us;
	uint64_t now = park_clock_us();
	bool readable[FAMILIES];

	batch_wait(park->fds, readable, park->n_fds, next > now ? (int64_t)(next - now) : 0, mask);
	for (size_t i = 0; i < park->n_fds; i++)
		if (readable[i])
			receive(park, park->fds[i]);
	park->now_us = park_clock_us();
	send_due(park);
}

#include "park.h"

#include "answer.h"
#include "delay.h"
#include "lie.h"
#include "outbox.h"
#include "visits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PENDING_MAX = 1 << 18,
	BATCHES_PER_TURN = 8, /* then what is due is looked at again */
	SLOT = DATAGRAM_MAX +
	       192, /* not a power of two: the heads of all slots would share cache lines */
	PORT_TRIES = 50,
	REORDER_US = 10000,
	FAMILIES = 2
};

struct counters {
	uint64_t received, bad_community, version_3, malformed, unanswerable, dropped, duplicated,
		overflowed;
	uint32_t max_pending;
};

struct park {
	const struct options *options;
	int fds[FAMILIES];       /* the first n_fds are open */
	int other_fds[FAMILIES]; /* for other-port: opened when first needed, -1 before */
	size_t n_fds;
	struct mib mib;
	struct answerer answerer;
	struct batch *batch;
	struct outbox *outbox;
	struct delay *delay;
	struct visits *visits;
	struct counters counters;
	uint64_t random, now_us;
	bool hold_next; /* reorder: every other answer waits */
	size_t community_len;
	FILE *log;
	uint8_t *buffers; /* BATCH_MAX slots */
};

uint64_t park_clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static union peer any_address(sa_family_t family, uint32_t port)
{
	union peer peer = {0};

	peer.sa.sa_family = family;
	if (family == AF_INET)
		peer.in.sin_port = htons((uint16_t)port);
	else
		peer.in6.sin6_port = htons((uint16_t)port);
	return peer;
}

static bool parse_bind(const char *text, uint32_t port, union peer *peer)
{
	*peer = any_address(strchr(text, ':') ? AF_INET6 : AF_INET, port);
	if (peer->sa.sa_family == AF_INET)
		return inet_pton(AF_INET, text, &peer->in.sin_addr) == 1;
	return inet_pton(AF_INET6, text, &peer->in6.sin6_addr) == 1;
}

static bool add_socket(struct park *park, const union peer *bind_to)
{
	int fd = datagram_socket(bind_to);

	if (fd == -1)
		return false;
	batch_set_buffer(fd, (int)park->options->receive_buffer);
	park->fds[park->n_fds++] = fd;
	return true;
}

/* The same port in both families; a machine without IPv6 is served in IPv4 alone. */
static bool open_both(struct park *park, uint32_t port)
{
	for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
		union peer v4 = any_address(AF_INET, port);
		if (!add_socket(park, &v4))
			return false;
		union peer v6 = any_address(AF_INET6, park_port(park));
		if (add_socket(park, &v6) || errno != EADDRINUSE)
			return true;
		close(park->fds[--park->n_fds]);
		if (port != 0)
			return false;
	}
	return false;
}

static bool open_sockets(struct park *park)
{
	const struct options *options = park->options;
	union peer bind_to;

	if (!options->bind) {
		if (open_both(park, options->port))
			return true;
		fprintf(stderr, "snmp-agents: port %" PRIu32 ": %s\n", options->port,
			strerror(errno));
		return false;
	}
	if (!parse_bind(options->bind, options->port, &bind_to)) {
		fprintf(stderr, "snmp-agents: '%s' is no address\n", options->bind);
		return false;
	}
	if (add_socket(park, &bind_to))
		return true;
	fprintf(stderr, "snmp-agents: %s: %s\n", options->bind, strerror(errno));
	return false;
}

static bool open_memory(struct park *park)
{
	park->batch = batch_new();
	park->outbox = park->batch ? outbox_new(park->batch) : NULL;
	park->delay = delay_new(PENDING_MAX);
	park->visits = visits_new();
	park->buffers = malloc((size_t)BATCH_MAX * SLOT);
	return park->outbox && park->delay && park->visits && park->buffers &&
	       mib_init(&park->mib, park_clock_us());
}

/* By lines: who has an answer finds its request in the log. */
static bool open_log(struct park *park)
{
	if (!park->options->log)
		return true;
	park->log = fopen(park->options->log, "w");
	if (park->log)
		return setvbuf(park->log, NULL, _IOLBF, BUFSIZ) == 0;
	fprintf(stderr, "snmp-agents: %s: %s\n", park->options->log, strerror(errno));
	return false;
}

struct park *park_open(const struct options *options)
{
	struct park *park = calloc(1, sizeof *park);

	if (!park)
		return NULL;
	park->options = options;
	park->other_fds[0] = park->other_fds[1] = -1;
	park->answerer.max_size = options->max_size;
	park->random = options->seed;
	park->community_len = strlen(options->community);
	if (!open_memory(park)) {
		fprintf(stderr, "snmp-agents: out of memory\n");
		park_close(park);
		return NULL;
	}
	if (!open_log(park) || !open_sockets(park)) {
		park_close(park);
		return NULL;
	}
	return park;
}

void park_close(struct park *park)
{
	for (size_t i = 0; i < park->n_fds; i++)
		close(park->fds[i]);
	for (size_t i = 0; i < FAMILIES; i++)
		if (park->other_fds[i] != -1)
			close(park->other_fds[i]);
	if (park->log)
		fclose(park->log);
	if (park->delay)
		delay_free(park->delay);
	visits_free(park->visits);
	outbox_free(park->outbox);
	batch_free(park->batch);
	mib_free(&park->mib);
	free(park->buffers);
	free(park);
}

uint16_t park_port(const struct park *park)
{
	return datagram_port(park->fds[0]);
}

static void log_request(struct park *park, const struct datagram *in, const struct message *m)
{
	bool v4 = datagram_is_v4(&in->local);
	char text[INET6_ADDRSTRLEN];

	if (v4)
		inet_ntop(AF_INET, in->local.s6_addr + 12, text, sizeof text);
	else
		inet_ntop(AF_INET6, &in->local, text, sizeof text);
	fprintf(park->log, "%.3f %s %u %s %" PRId32 " %" PRIu32 "\n", (double)park->now_us / 1000,
		text, ntohs(v4 ? in->peer.in.sin_port : in->peer.in6.sin6_port),
		message_pdu_name(m->pdu), m->request_id, m->n_varbinds);
}

static bool is_ours(struct park *park, const struct datagram *in, struct message *m)
{
	enum message_kind kind = message_read(m, in->bytes, in->len);

	park->counters.received++;
	park->counters.malformed += kind == MESSAGE_BAD;
	park->counters.version_3 += kind == MESSAGE_V3;
	if (kind != MESSAGE_GOOD)
		return false;
	if (park->log)
		log_request(park, in, m);
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
		union peer bind_to = any_address(family, 0);
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

static void reply(struct park *park, const struct datagram *in, const struct message *m,
		  const struct behaviour *b, uint32_t visit)
{
	struct datagram out = *in;
	struct mib_view view = {.mib = &park->mib,
				.addr = &in->local,
				.now_us = park->now_us,
				.interfaces = b->rows ? b->rows : park->options->interfaces,
				.v1 = m->version == VERSION_1,
				.sparse = b->sparse,
				.types = b->types};

	out.bytes = outbox_room(park->outbox);
	out.len = answer_write(&park->answerer, &view, m, b, out.bytes);
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
		out.fd = other_socket(park, in);
	dispatch(park, &out, wait_us(park, b, visit), b->duplicate ? 2 : 1);
}

static void serve(struct park *park, const struct datagram *in)
{
	static const struct behaviour good = {0};
	struct message m;
	uint32_t visit = 0;

	if (!is_ours(park, in, &m))
		return;
	const struct behaviour *b = rules_find(&park->options->rules, &in->local);
	if (!b)
		b = &good;
	if (b->lose_first || b->late_first || b->only_first)
		visit = visits_count(park->visits, &in->local);
	if (b->silent || visit < b->lose_first || (b->only_first && visit >= b->only_first) ||
	    (b->lose && lie_random(&park->random) % 1000 < b->lose)) {
		park->counters.dropped++;
		return;
	}
	reply(park, in, &m, b, visit);
	if (b->then_good) {
		struct behaviour truth = lie_none(b);
		reply(park, in, &m, &truth, visit);
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

static int64_t overrun(const struct park *park)
{
	int64_t sum = 0;

	for (size_t i = 0; i < park->n_fds; i++) {
		int64_t n = batch_overrun(park->fds[i]);
		if (n < 0)
			return -1;
		sum += n;
	}
	return sum;
}

void park_print_counters(const struct park *park)
{
	const struct counters *c = &park->counters;

	printf("{\"received\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"dropped\": %" PRIu64
	       ", \"duplicated\": %" PRIu64 ", \"bad_community\": %" PRIu64
	       ", \"version_3\": %" PRIu64 ", \"malformed\": %" PRIu64
	       ", \"unanswerable\": %" PRIu64 ", \"send_errors\": %" PRIu64
	       ", \"overflowed\": %" PRIu64 ", \"max_pending\": %" PRIu32,
	       c->received, outbox_sent(park->outbox), c->dropped, c->duplicated, c->bad_community,
	       c->version_3, c->malformed, c->unanswerable, outbox_refused(park->outbox),
	       c->overflowed, c->max_pending);
	int64_t lost = overrun(park);
	if (lost < 0)
		printf(", \"overrun\": null}\n");
	else
		printf(", \"overrun\": %" PRId64 "}\n", lost);
	fflush(stdout);
}

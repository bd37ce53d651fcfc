/*
 * engine, its sending: burst, lanes, rate, and a kernel that will not take a datagram.
 *
 * The sockets are a dummy: this program has its own udp, which logs what is sent, fails where it
 * is told to, and hands out what it is given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "snmp/engine_internal.h"
#include "snmp/peek.h"

#define LOG_MAX   8192
#define INBOX_MAX 2000

struct sent {
	unsigned lane;
	unsigned call; /* number of the udp_send() */
	struct addr to;
	uint8_t data[64];
	size_t len;
};

struct udp {
	unsigned nlanes;
	uint8_t families[4];
	unsigned bursts[4];
	int pipes[4][2]; /* something to poll that is never ready */
	struct sent *log;
	size_t nlog;
	unsigned calls;
	size_t fail_at; /* place in the log that cannot be sent, `fails` times */
	int error;
	unsigned fails;
	struct udp_refusal refusals[4];
	size_t nrefusals;
	uint8_t (*inbox)[64];
	struct udp_in in[UDP_BATCH];
	size_t lens[INBOX_MAX];
	struct addr from[INBOX_MAX];
	size_t ninbox, handed;
	uint8_t *untouchable; /* handed out instead */
};

static struct udp sockets;

struct udp *udp_open(const struct udp_config *config, char *error, size_t len)
{
	(void)config;
	(void)error;
	(void)len;
	for (unsigned i = 0; i < sockets.nlanes; i++)
		assert_int_equal(pipe(sockets.pipes[i]), 0);
	return &sockets;
}

void udp_close(struct udp *u)
{
	for (unsigned i = 0; i < u->nlanes; i++) {
		close(u->pipes[i][0]);
		close(u->pipes[i][1]);
	}
	free(u->log);
	free(u->inbox);
	*u = (struct udp){0};
}

unsigned udp_lanes(const struct udp *u)
{
	return u->nlanes;
}

int udp_fd(const struct udp *u, unsigned lane)
{
	return u->pipes[lane][0];
}

uint8_t udp_family(const struct udp *u, unsigned lane)
{
	return u->families[lane];
}

unsigned udp_burst(const struct udp *u, unsigned lane)
{
	return u->bursts[lane];
}

bool udp_is_passing(int error)
{
	return error == ENOBUFS;
}

size_t udp_send(struct udp *u, unsigned lane, const struct udp_out *list, size_t n, int *error)
{
	*error = 0;
	u->calls++;
	for (size_t i = 0; i < n; i++) {
		struct sent *s = &u->log[u->nlog];

		if (u->fails && u->nlog == u->fail_at) {
			u->fails--;
			*error = u->error;
			return i;
		}
		assert_true(u->nlog < LOG_MAX && list[i].len <= sizeof(s->data));
		*s = (struct sent){.lane = lane, .call = u->calls, .to = list[i].to};
		s->len = list[i].len;
		memcpy(s->data, list[i].data, s->len);
		u->nlog++;
	}
	return n;
}

size_t udp_receive(struct udp *u, unsigned lane, struct udp_in **list, bool *more)
{
	size_t n = 0;

	(void)lane;
	for (; n < UDP_BATCH && u->handed < u->ninbox; n++, u->handed++) {
		u->in[n] = (struct udp_in){.from = u->from[u->handed], .len = u->lens[u->handed]};
		u->in[n].data = u->untouchable ? u->untouchable : u->inbox[u->handed];
	}
	*list = u->in;
	*more = n == UDP_BATCH;
	return n;
}

size_t udp_refusals(struct udp *u, const struct udp_refusal **list)
{
	size_t n = u->nrefusals;

	u->nrefusals = 0;
	*list = u->refusals;
	return n;
}

uint64_t udp_dropped(struct udp *u)
{
	(void)u;
	return 0;
}

/* ---- an engine on it */

struct lab {
	struct loop *loop;
	struct engine *engine;
	struct profile profile;
	struct oid object;
	_Atomic uint64_t at_work;
	unsigned n;
	uint64_t seqs[LOG_MAX];
	enum record_status statuses[LOG_MAX];
	uint32_t tries[LOG_MAX];
	char message[200]; /* of the last record */
	bool hold_at_record;
	unsigned start_at_record; /* so many tasks */
};

static void start(struct lab *lab, uint8_t family, uint32_t i);

static void on_record(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;

	lab->seqs[lab->n] = task->seq;
	lab->statuses[lab->n] = r->status;
	lab->tries[lab->n++] = r->tries;
	lab->message[0] = '\0';
	if (r->message)
		strncpy(lab->message, r->message, sizeof(lab->message) - 1);
	if (lab->hold_at_record)
		engine_hold(lab->engine, true);
	for (; lab->start_at_record; lab->start_at_record--)
		start(lab, 4, 100 + lab->start_at_record);
}

static void add_lane(uint8_t family, unsigned burst)
{
	sockets.families[sockets.nlanes] = family;
	sockets.bursts[sockets.nlanes++] = burst;
}

static struct lab *open_lab_on(unsigned window, const struct carrier *carrier, void *carried)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct engine_config config = {
		.profiles = &lab->profile,
		.nprofiles = 1,
		.window = window,
		.carrier = carrier,
		.carried = carried,
		.at_work = &lab->at_work,
		.done = on_record,
		.arg = lab,
	};
	char error[100];

	sockets.log = calloc(LOG_MAX, sizeof(*sockets.log));
	sockets.inbox = calloc(INBOX_MAX, sizeof(*sockets.inbox));
	assert_true(oid_parse("1.3.6.1.2.1.1.1.0", 17, &lab->object));
	lab->profile = (struct profile){
		.version = SNMP_V2C,
		.community = (char *)(uintptr_t) "public",
		.get = &lab->object,
		.nget = 1,
		.per_host = 1,
		.max_vars = 1000,
		.timeout_us = 60000000,
	};
	lab->loop = loop_new();
	lab->engine = engine_new(&config, error, sizeof(error));
	engine_attach(lab->engine, lab->loop);
	return lab;
}

static struct lab *open_lab(unsigned window)
{
	return open_lab_on(window, NULL, NULL);
}

static void close_lab(struct lab *lab)
{
	engine_free(lab->engine);
	loop_free(lab->loop);
	free(lab);
}

static struct addr address(uint8_t family, uint32_t i)
{
	struct addr a = {.family = family, .port = 161, .ip = {127, (uint8_t)(i >> 16)}};

	a.ip[2] = (uint8_t)(i >> 8);
	a.ip[3] = (uint8_t)i;
	return a;
}

static void start(struct lab *lab, uint8_t family, uint32_t i)
{
	struct addr a = address(family, i);

	engine_start(lab->engine, &(struct task){.seq = i, .addrs = &a, .naddrs = 1});
}

static void start_many(struct lab *lab, uint8_t family, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		start(lab, family, from);
}

static void work(struct lab *lab)
{
	loop_refresh(lab->loop);
	engine_work(lab->engine);
}

static int64_t next_in_us(struct lab *lab)
{
	return engine_next_us(lab->engine) - loop_now_us(lab->loop);
}

static uint64_t seq_of(const struct sent *s)
{
	return (uint64_t)s->to.ip[1] << 16 | (uint64_t)s->to.ip[2] << 8 | s->to.ip[3];
}

/* Puts the answer to the i-th datagram sent into the inbox. */
static void answer(size_t i)
{
	const struct sent *s = &sockets.log[i];
	uint8_t *data = sockets.inbox[sockets.ninbox];

	memcpy(data, s->data, s->len);
	data[13] = PDU_RESPONSE;
	sockets.from[sockets.ninbox] = s->to;
	sockets.lens[sockets.ninbox++] = s->len;
}

static void receive(struct lab *lab)
{
	lab->engine->now_us = loop_now_us(lab->loop);
	engine_receive(lab->engine, 0);
}

static uint64_t counted(struct lab *lab, enum stats_counter c)
{
	return lab->engine->stats.count[c];
}

/* ---- */

static void test_burst(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 5);
	lab = open_lab(100);
	start_many(lab, 4, 0, 20);
	assert_true(next_in_us(lab) <= 0);
	work(lab);
	assert_int_equal(sockets.nlog, 5);
	assert_in_range(next_in_us(lab), 90000, 100000); /* when the oldest is 100 ms old */
	work(lab);
	assert_int_equal(sockets.nlog, 5);
	answer(0);
	answer(3);
	receive(lab);
	assert_int_equal(lab->n, 2);
	work(lab); /* two have room now */
	assert_int_equal(sockets.nlog, 7);
	usleep(101000);
	work(lab); /* the silent ones use slots only */
	assert_int_equal(sockets.nlog, 12);
	usleep(101000);
	work(lab);
	assert_int_equal(sockets.nlog, 17);
	for (size_t i = 0; i < 17; i++)
		assert_int_equal(seq_of(&sockets.log[i]), i);
	close_lab(lab);
}

static void test_one_lane_after_the_other(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 70);
	add_lane(6, 70);
	add_lane(4, 70);
	lab = open_lab(1000);
	start_many(lab, 4, 0, 200);
	work(lab);
	assert_int_equal(sockets.nlog, 140);
	for (size_t i = 0; i < 140; i++)
		assert_int_equal(sockets.log[i].lane, i < 70 ? 0 : 2);
	assert_int_equal(sockets.calls, 4); /* 64, 6, 64, 6 */
	answer(100);                        /* of the other lane: that is the one with room */
	receive(lab);
	work(lab);
	assert_int_equal(sockets.nlog, 141);
	assert_int_equal(sockets.log[140].lane, 2);
	close_lab(lab);
}

static void test_families_do_not_wait_for_each_other(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 3);
	add_lane(6, 3);
	lab = open_lab(100);
	start_many(lab, 4, 0, 10);
	start_many(lab, 6, 10, 12);
	work(lab);
	assert_int_equal(sockets.nlog, 5);
	assert_int_equal(sockets.log[3].lane, 1);
	close_lab(lab);

	add_lane(4, 5000);
	add_lane(6, 5000);
	lab = open_lab(5000);
	start_many(lab, 4, 0, 3000); /* more than a turn sends */
	start(lab, 6, 3000);
	work(lab);
	assert_int_equal(sockets.log[UDP_BATCH].lane, 1);
	close_lab(lab);
}

static void test_turns_are_bounded(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 5000);
	lab = open_lab(5000);
	start_many(lab, 4, 0, 3000);
	work(lab);
	assert_int_equal(sockets.nlog, 16 * UDP_BATCH);
	assert_int_equal(sockets.calls, 16);
	assert_true(next_in_us(lab) <= 0); /* the sockets are read in between */
	work(lab);
	work(lab);
	assert_int_equal(sockets.nlog, 3000);
	assert_true(next_in_us(lab) > 50000000);
	close_lab(lab);
}

static void test_ids(void **state)
{
	struct lab *lab;
	struct peek a, b;
	const char *words;

	(void)state;
	add_lane(4, 500);
	lab = open_lab(500);
	start_many(lab, 4, 0, 300);
	work(lab);
	for (size_t i = 0; i < 300; i++) {
		assert_true(peek_message(sockets.log[i].data, sockets.log[i].len, &a, &words));
		assert_int_equal(a.request_id_at, 17);
		for (size_t k = 0; k < i; k++) {
			peek_message(sockets.log[k].data, sockets.log[k].len, &b, &words);
			assert_int_not_equal(a.request_id, b.request_id);
		}
	}
	close_lab(lab);
}

/* The kernel is full: no try is counted, nothing changes its order, and there is a pause. */
static void test_no_buffer(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	sockets.fail_at = 2;
	sockets.error = ENOBUFS;
	sockets.fails = 3;
	start_many(lab, 4, 0, 80); /* more than a batch */
	work(lab);
	assert_int_equal(sockets.nlog, 2);
	assert_int_equal(sockets.calls, 1);
	assert_in_range(next_in_us(lab), 500, 5000);
	work(lab);
	assert_int_equal(sockets.calls, 1); /* not before the pause is over */
	for (int i = 0; i < 3; i++) {
		usleep(3000);
		work(lab);
	}
	assert_int_equal(sockets.calls, 3 + 2);
	assert_int_equal(sockets.nlog, 80);
	for (size_t i = 0; i < 80; i++) {
		assert_int_equal(seq_of(&sockets.log[i]), i);
		answer(i);
	}
	receive(lab);
	assert_int_equal(lab->n, 80);
	for (unsigned i = 0; i < 80; i++)
		assert_int_equal(lab->tries[i], 1);
	assert_int_equal(counted(lab, STATS_SENT), 80);
	assert_int_equal(counted(lab, STATS_ANSWERED), 80);
	assert_int_equal(counted(lab, STATS_SUPERSEDED), 0);
	close_lab(lab);
}

/* Half a minute of it is no passing thing: then it is an error like any other. Pauses grow with it. */
static void test_no_buffer_for_ever(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	sockets.error = ENOBUFS;
	sockets.fails = 1000;
	start_many(lab, 4, 0, 3);
	work(lab);
	assert_int_equal(lab->n, 0);
	lab->engine->lanes[0].stuck_since_us -= 20000000;
	usleep(3000);
	work(lab);
	assert_int_equal(lab->n, 0);
	assert_in_range(next_in_us(lab), 1000000, 1500000);
	lab->engine->lanes[0].stuck_since_us -= 20000000;
	lab->engine->pause_until_us = 0;
	work(lab);
	work(lab);
	assert_int_equal(lab->n, 3);
	close_lab(lab);
}

/* Who met the full kernel has ended since, and nobody tried for long: the next error is a new one. */
static void test_no_buffer_twice(void **state)
{
	struct lab *lab;
	struct lane *lane;

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	lane = &lab->engine->lanes[0];
	sockets.error = ENOBUFS;
	sockets.fails = 2;
	start_many(lab, 4, 0, 1);
	work(lab);
	lane->stuck_since_us -= 40000000;
	lane->stuck_us -= 35000000;
	lab->engine->pause_until_us = 0;
	work(lab);
	assert_int_equal(lab->n, 0);
	usleep(3000);
	work(lab);
	assert_int_equal(sockets.nlog, 1);
	answer(0);
	receive(lab);
	assert_int_equal(lab->statuses[0], RECORD_OK);
	close_lab(lab);
}

/* A rate that comes while it is held is dated by the clock that stands still. */
static void test_rate_while_held(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	work(lab);
	engine_hold(lab->engine, true);
	usleep(100000);
	work(lab);
	engine_set_rate(lab->engine, 100);
	engine_hold(lab->engine, false);
	start_many(lab, 4, 0, 80);
	work(lab);
	assert_true(lab->engine->tokens >= 0);
	assert_true(sockets.nlog <= 5);
	close_lab(lab);
}

static void test_one_bad_datagram(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	sockets.fail_at = 2;
	sockets.error = ENETUNREACH;
	sockets.fails = 1;
	start_many(lab, 4, 0, 6);
	work(lab);
	assert_int_equal(sockets.nlog, 5);
	assert_int_equal(sockets.calls, 2);
	assert_int_equal(lab->n, 1);
	assert_int_equal(lab->seqs[0], 2);
	assert_int_equal(lab->statuses[0], RECORD_UNREACHABLE);
	assert_int_equal(lab->tries[0], 1);
	assert_string_equal(lab->message,
			    "no way to its network, from here or from a router on the way");
	assert_int_equal(counted(lab, STATS_SENT), 6);
	assert_int_equal(counted(lab, STATS_REFUSED), 1);
	close_lab(lab);
}

static void test_no_socket_of_the_family(void **state)
{
	struct lab *lab;
	struct addr both[2] = {address(6, 1), address(4, 7)};

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	start(lab, 6, 0);
	engine_start(lab->engine, &(struct task){.seq = 1, .addrs = both, .naddrs = 2});
	assert_int_equal(lab->n, 0); /* never inside the call that started it */
	assert_true(next_in_us(lab) <= 0);
	work(lab);
	assert_int_equal(lab->n, 1);
	assert_int_equal(lab->statuses[0], RECORD_UNREACHABLE);
	assert_string_equal(lab->message, "this system has no sockets of the address's family");
	assert_int_equal(lab->tries[0], 0);
	work(lab);
	assert_int_equal(sockets.nlog, 1); /* the other one has another address */
	assert_int_equal(sockets.log[0].to.family, 4);
	close_lab(lab);
}

static void refuse(const struct sent *s, size_t quoted)
{
	struct udp_refusal *r = &sockets.refusals[sockets.nrefusals++];

	*r = (struct udp_refusal){.to = s->to, .error = EHOSTUNREACH, .size = (uint16_t)quoted};
	memcpy(r->quoted, s->data, quoted);
}

static void test_refusals(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	start_many(lab, 4, 0, 4);
	work(lab);
	assert_int_equal(sockets.nlog, 4);
	refuse(&sockets.log[2], sockets.log[2].len); /* by its request-id */
	refuse(&sockets.log[1], 8);                  /* by its address only */
	refuse(&sockets.log[0], sockets.log[0].len);
	sockets.refusals[2].to = address(4, 3); /* an id and an address that do not fit */
	receive(lab);
	assert_int_equal(lab->n, 2);
	assert_int_equal(lab->seqs[0], 2);
	assert_int_equal(lab->seqs[1], 1);
	assert_int_equal(lab->statuses[0], RECORD_UNREACHABLE);
	assert_string_equal(lab->message,
			    "no way to the host: it is down, or a router or filter before "
			    "it says so (ICMP host unreachable)");
	refuse(&sockets.log[2], sockets.log[2].len); /* it is over */
	start(lab, 4, 2);
	refuse(&sockets.log[2], 8); /* nothing was sent there yet, this time */
	receive(lab);
	assert_int_equal(lab->n, 2);
	assert_int_equal(counted(lab, STATS_REFUSED), 2);
	close_lab(lab);
}

/* The first try is refused when the second is out: each is counted as what it became. */
static void test_refusal_of_an_earlier_try(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 100);
	lab = open_lab(100);
	lab->profile.timeout_us = 1000;
	lab->profile.retries = 1;
	start(lab, 4, 0);
	work(lab);
	usleep(3000);
	work(lab);
	assert_int_equal(sockets.nlog, 2);
	refuse(&sockets.log[0], sockets.log[0].len);
	receive(lab);
	assert_int_equal(lab->n, 1);
	assert_int_equal(lab->tries[0], 2);
	assert_int_equal(counted(lab, STATS_SENT), 2);
	assert_int_equal(counted(lab, STATS_REFUSED), 1);
	assert_int_equal(counted(lab, STATS_UNANSWERED), 1);
	close_lab(lab);
}

/* Another request holds a try back, for the same address or the next; the host's deadline does not
 * wait. */
static void check_deadline_while_held_back(unsigned retries, uint8_t naddrs)
{
	struct addr addrs[2] = {address(4, 1), address(4, 2)};
	struct lab *lab;

	add_lane(4, 1);
	lab = open_lab(100);
	lab->profile.timeout_us = 40000;
	lab->profile.retries = retries;
	lab->profile.deadline_us = 60000;
	engine_start(lab->engine, &(struct task){.seq = 1, .addrs = addrs, .naddrs = naddrs});
	start(lab, 4, 7);
	work(lab);
	while (!lab->n) {
		loop_turn(lab->loop, engine_next_us(lab->engine));
		engine_work(lab->engine);
	}
	assert_int_equal(lab->seqs[0], 1);
	assert_int_equal(lab->statuses[0], RECORD_CANCELLED);
	assert_int_equal(lab->tries[0], 1);
	assert_int_equal(sockets.nlog, 2); /* one each */
	close_lab(lab);
}

static void test_deadline_while_held_back(void **state)
{
	(void)state;
	check_deadline_while_held_back(3, 1);
	check_deadline_while_held_back(0, 2);
}

static void test_a_retry_is_not_in_its_own_way(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 1);
	lab = open_lab(100);
	lab->profile.timeout_us = 1000;
	lab->profile.retries = 1;
	start(lab, 4, 0);
	work(lab);
	usleep(3000);
	work(lab);
	assert_int_equal(sockets.nlog, 2);
	close_lab(lab);
}

/* 200 a second for a quarter of a second; what a full kernel gave back is not lost. */
static void test_rate(void **state)
{
	struct lab *lab;
	int64_t end_us;
	unsigned turns = 0;

	(void)state;
	add_lane(4, 1000);
	lab = open_lab(1000);
	work(lab);
	engine_set_rate(lab->engine, 200);
	usleep(100000); /* what was not used is not saved up */
	start_many(lab, 4, 0, 1000);
	work(lab);
	assert_int_equal(sockets.nlog, 4);
	end_us = loop_clock_us() + 250000;
	while (loop_clock_us() < end_us) {
		int64_t next_us = engine_next_us(lab->engine);

		loop_turn(lab->loop, next_us < end_us ? next_us : end_us);
		engine_work(lab->engine);
		turns++;
	}
	assert_in_range(sockets.nlog, 20, 58);
	assert_in_range(turns, 10, 80); /* it sleeps in between */

	sockets.fail_at = sockets.nlog;
	sockets.error = ENOBUFS;
	sockets.fails = 1;
	usleep(20000);
	work(lab);
	assert_int_equal(sockets.nlog, sockets.fail_at);
	usleep(3000);
	work(lab);
	assert_true(sockets.nlog >= sockets.fail_at + 4);
	close_lab(lab);
}

/* Unreadable datagrams make the engine look through its slots, but not without end. */
static void test_looking_is_bounded(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 5000);
	lab = open_lab(4096);
	start_many(lab, 4, 0, 3000);
	for (int i = 0; i < 3; i++)
		work(lab);
	for (int i = 0; i < 900; i++) {
		memcpy(sockets.inbox[sockets.ninbox], "junk", 4);
		sockets.from[sockets.ninbox] = address(4, 70000);
		sockets.lens[sockets.ninbox++] = 4;
	}
	receive(lab);
	assert_int_equal(counted(lab, STATS_MALFORMED), 900);
	assert_in_range(lab->engine->looked_at, 100000, 1 << 18);
	work(lab);
	assert_int_equal(lab->engine->looked_at, 0);
	close_lab(lab);
}

/* A reader that is full takes what was received already, and no more. */
static void test_hold_while_receiving(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 500);
	lab = open_lab(500);
	lab->hold_at_record = true;
	start_many(lab, 4, 0, 200);
	work(lab);
	for (size_t i = 0; i < 200; i++)
		answer(i);
	receive(lab);
	assert_int_equal(lab->n, UDP_BATCH);
	engine_hold(lab->engine, false);
	receive(lab);
	assert_int_equal(lab->n, 2 * UDP_BATCH);
	close_lab(lab);
}

static void test_hold_while_sending(void **state)
{
	struct lab *lab;

	(void)state;
	add_lane(4, 500);
	lab = open_lab(500);
	lab->hold_at_record = true;
	sockets.fail_at = 2;
	sockets.error = EACCES;
	sockets.fails = 1;
	start_many(lab, 4, 0, 200);
	work(lab);
	assert_int_equal(lab->n, 1);
	assert_int_equal(sockets.nlog, UDP_BATCH - 1); /* the batch at hand, no other */
	close_lab(lab);

	add_lane(4, 500);
	lab = open_lab(500);
	lab->hold_at_record = true;
	start_many(lab, 6, 0, 3); /* no socket for these */
	work(lab);
	assert_int_equal(lab->n, 1);
	close_lab(lab);
}

static _Atomic uint64_t *watched;

static void on_touch(int signal)
{
	(void)signal;
	_exit((int)*watched);
}

/* In a process of its own: the answer lies before a page that kills who reads on, just behind what
 * tells whose it is. */
static void die_in_the_codec(struct lab *lab)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), known = 21; /* up to the request-id */
	uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	struct sigaction action = {.sa_handler = on_touch};

	answer(1);
	sockets.untouchable = pages + page - known;
	memcpy(sockets.untouchable, sockets.inbox[0], known);
	mprotect(pages + page, page, PROT_NONE);
	watched = &lab->at_work;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	receive(lab);
	_exit(0);
}

static void test_a_death_in_the_codec_has_a_name(void **state)
{
	struct lab *lab;
	int status;
	pid_t pid;

	(void)state;
	add_lane(4, 10);
	lab = open_lab(10);
	start_many(lab, 4, 40, 43);
	work(lab);
	pid = fork();
	if (pid == 0)
		die_in_the_codec(lab);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 41 + 1);
	assert_int_equal(lab->at_work, 0);
	close_lab(lab);
}

/* ---- several requests of a job in one batch */

/* The kernel refuses all of them: the first refusal ends the job, which takes the other requests with it, and whose
 * record makes room for other jobs, in the same slots. */
static void test_refusals_of_one_job(void **state)
{
	struct oid walks[3];
	struct lab *lab;

	(void)state;
	add_lane(4, 50);
	lab = open_lab(3);
	walks[0] = walks[1] = walks[2] = lab->object;
	lab->profile.walk = walks;
	lab->profile.nwalk = 3;
	lab->profile.per_host = 3;
	start(lab, 4, 7);
	work(lab);
	answer(0);
	receive(lab);
	sockets.fail_at = 1;
	sockets.fails = 3;
	sockets.error = EACCES;
	lab->start_at_record = 2;
	work(lab); /* the walks: all in a batch */
	assert_int_equal(lab->n, 1);
	assert_int_equal(lab->statuses[0], RECORD_PARTIAL);
	assert_int_equal(counted(lab, STATS_REFUSED), 1);
	assert_int_equal(counted(lab, STATS_UNANSWERED), 2); /* nobody wanted to know any more */
	assert_int_equal(engine_tasks(lab->engine), 2);
	assert_int_equal(engine_room(lab->engine), 1);
	work(lab);
	assert_int_equal(lab->n, 1); /* those two were not meant */
	assert_int_equal(sockets.nlog, 3);
	close_lab(lab);
}

/* A slot that no job needs is taken by the one that can use it; not the last one of a job to come. */
static void test_spare_slots(void **state)
{
	struct oid walks[5];
	struct lab *lab;

	(void)state;
	add_lane(4, 50);
	lab = open_lab(4);
	for (int i = 0; i < 5; i++)
		walks[i] = lab->object;
	lab->profile.walk = walks;
	lab->profile.nwalk = 5;
	lab->profile.per_host = 5;
	start(lab, 4, 7);
	start(lab, 4, 8);
	work(lab);
	assert_int_equal(engine_room(lab->engine), 2);
	answer(0);
	receive(lab);
	work(lab);
	assert_int_equal(sockets.nlog, 2 + 3); /* its own slot, and two spare ones */
	assert_int_equal(engine_room(lab->engine), 0);
	answer(1);
	receive(lab);
	work(lab);
	assert_int_equal(sockets.nlog, 5 + 1); /* no more than its own is there */
	close_lab(lab);
}

/* ---- what else may carry the messages */

static unsigned one_lane(const void *c)
{
	(void)c;
	return 1;
}

static uint8_t any_family(const void *c, unsigned lane)
{
	(void)c;
	(void)lane;
	return 0;
}

static int its_fd(const void *c, unsigned lane)
{
	return udp_fd(c, lane);
}

static unsigned its_burst(const void *c, unsigned lane)
{
	(void)c;
	(void)lane;
	return 1;
}

static size_t its_send(void *c, unsigned lane, const struct udp_out *list, size_t n, int *error)
{
	return udp_send(c, lane, list, n, error);
}

static size_t its_receive(void *c, unsigned lane, struct udp_in **list, bool *more)
{
	return udp_receive(c, lane, list, more);
}

static size_t its_refusals(void *c, const struct udp_refusal **list)
{
	return udp_refusals(c, list);
}

static uint64_t its_dropped(void *c)
{
	(void)c;
	return 3;
}

/* A session needs no address: one family carries all, and a task may have none. */
static void test_another_carrier(void **state)
{
	static const struct carrier session = {
		.lanes = one_lane,
		.fd = its_fd,
		.family = any_family,
		.burst = its_burst,
		.send = its_send,
		.receive = its_receive,
		.refusals = its_refusals,
		.dropped = its_dropped,
	};
	struct stats stats;
	struct lab *lab;

	(void)state;
	sockets.nlanes = 1;
	assert_int_equal(pipe(sockets.pipes[0]), 0);
	lab = open_lab_on(10, &session, &sockets);
	engine_start(lab->engine, &(struct task){.seq = 7, .transport = TRANSPORT_UNIX});
	start(lab, 4, 1);
	start(lab, 6, 2);
	for (size_t i = 0; i < 3; i++) {
		work(lab);
		assert_int_equal(sockets.nlog, i + 1); /* one at a time: its burst */
		answer(i);
		receive(lab);
		assert_int_equal(lab->n, i + 1);
		assert_int_equal(lab->statuses[i], RECORD_OK);
	}
	engine_take_stats(lab->engine, &stats);
	assert_int_equal(stats.count[STATS_DROPPED], 3);
	close_lab(lab);
	udp_close(&sockets); /* the engine did not: it was lent */
}

static int start_library(void **state)
{
	(void)state;
	pdu_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_one_lane_after_the_other),
		cmocka_unit_test(test_families_do_not_wait_for_each_other),
		cmocka_unit_test(test_turns_are_bounded),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_no_buffer),
		cmocka_unit_test(test_no_buffer_for_ever),
		cmocka_unit_test(test_no_buffer_twice),
		cmocka_unit_test(test_rate_while_held),
		cmocka_unit_test(test_one_bad_datagram),
		cmocka_unit_test(test_no_socket_of_the_family),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_refusal_of_an_earlier_try),
		cmocka_unit_test(test_a_retry_is_not_in_its_own_way),
		cmocka_unit_test(test_deadline_while_held_back),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_looking_is_bounded),
		cmocka_unit_test(test_hold_while_receiving),
		cmocka_unit_test(test_hold_while_sending),
		cmocka_unit_test(test_a_death_in_the_codec_has_a_name),
		cmocka_unit_test(test_refusals_of_one_job),
		cmocka_unit_test(test_spare_slots),
		cmocka_unit_test(test_another_carrier),
	};

	return cmocka_run_group_tests(tests, start_library, NULL);
}

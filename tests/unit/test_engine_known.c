/*
 * engine_known: what was learnt in rounds before, put to use. The device is a script of what happens to the packets of a
 * round; when each came is what is looked at. Bounds from above allow for a busy machine; those from below are exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "snmp/engine.h"
#include "snmp/peek.h"

#define DEVICES     3
#define REQUESTS    40
#define WAIT_US     20000000 /* that nothing here takes, unless it hangs */
#define MS          INT64_C(1000)
#define SLOW_FACTOR 5 /* of a busy machine */

struct lab;

struct device {
	struct lab *lab;
	int fd;
	struct addr addr;
	bool garbled;            /* what it answers is no message */
	unsigned deaf;           /* packets of the round that are lost, from its first */
	int64_t late_us;         /* it thinks so long */
	unsigned requests;       /* of the round … */
	int64_t at_us[REQUESTS]; /* … and when they came */
	uint8_t kept[500];
	size_t kept_len;
	int64_t due_us; /* when kept goes out; 0: nothing is kept */
	struct sockaddr_storage to;
	socklen_t to_len;
};

struct lab {
	struct loop *loop;
	struct engine *engine;
	struct profile profile;
	struct oid object;
	struct device devices[DEVICES];
	_Atomic uint64_t at_work;
	struct addr addrs[DEVICES]; /* of the task */
	unsigned naddrs;
	struct learnt learnt;
	bool forgetful;    /* nobody keeps what is learnt */
	uint8_t transport; /* of the task; datagrams carry it all the same */
	/* the record */
	bool done;
	enum record_status status;
	uint32_t tries;
	int64_t rtt_us, start_us, end_us;
	struct addr answered;
};

static void send_kept(struct device *d)
{
	if (d->due_us == 0 || d->due_us > loop_clock_us())
		return;
	sendto(d->fd, d->kept, d->kept_len, 0, (struct sockaddr *)&d->to, d->to_len);
	d->due_us = 0;
}

/* The request becomes its own answer: values are NULL. */
static void serve(struct device *d, uint8_t *data, size_t len)
{
	struct peek head;
	const char *words;

	assert_true(d->requests < REQUESTS);
	d->at_us[d->requests++] = loop_clock_us();
	if (d->requests <= d->deaf || d->due_us)
		return;
	assert_true(peek_message(data, len, &head, &words));
	data[(size_t)(head.community - data) + head.community_len] = 0xa2; /* a RESPONSE */
	if (d->garbled)
		memset(data, 0xff, len);
	memcpy(d->kept, data, len);
	d->kept_len = len;
	d->due_us = loop_clock_us() + d->late_us;
	send_kept(d);
}

static void on_request(void *arg, unsigned ready)
{
	struct device *d = arg;
	uint8_t data[500];
	ssize_t len;

	(void)ready;
	d->to_len = sizeof(d->to);
	while ((len = recvfrom(d->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&d->to,
			       &d->to_len)) >= 0)
		serve(d, data, (size_t)len);
}

static void start_device(struct lab *lab, struct device *d)
{
	struct sockaddr_storage sa;
	struct addr any_port = {.family = 4, .ip = {127, 0, 0, 1}};
	socklen_t len = addr_to_sockaddr(&any_port, &sa);

	d->lab = lab;
	d->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(d->fd, (struct sockaddr *)&sa, len), 0);
	len = sizeof(sa);
	getsockname(d->fd, (struct sockaddr *)&sa, &len);
	addr_from_sockaddr((struct sockaddr *)&sa, &d->addr);
	loop_watch(lab->loop, d->fd, LOOP_READ, on_request, d);
}

static void on_record(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;

	(void)task;
	assert_int_equal(r->learnt != NULL, !lab->forgetful);
	if (r->learnt)
		lab->learnt = *r->learnt;
	lab->done = true;
	lab->status = r->status;
	lab->tries = r->tries;
	lab->rtt_us = r->rtt_us;
	lab->answered = r->addr;
	lab->end_us = loop_clock_us();
}

static struct lab *open_lab(int64_t timeout_us, unsigned retries)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct engine_config config = {
		.profiles = &lab->profile,
		.nprofiles = 1,
		.window = 4,
		.at_work = &lab->at_work,
		.done = on_record,
		.arg = lab,
	};
	char error[200];

	lab->loop = loop_new();
	for (int i = 0; i < DEVICES; i++) {
		start_device(lab, &lab->devices[i]);
		lab->addrs[i] = lab->devices[i].addr;
	}
	lab->naddrs = 1;
	assert_true(oid_parse("1.3.6.1.2.1.1.5.0", 17, &lab->object));
	lab->profile = (struct profile){
		.version = SNMP_V2C,
		.community = (char *)(uintptr_t) "public",
		.get = &lab->object,
		.nget = 1,
		.per_host = 1,
		.max_vars = 1000,
		.timeout_us = timeout_us,
		.retries = retries,
		.adaptive = true,
		.silent_after = 3,
	};
	lab->engine = engine_new(&config, error, sizeof(error));
	assert_non_null(lab->engine);
	engine_attach(lab->engine, lab->loop);
	return lab;
}

static void close_lab(struct lab *lab)
{
	engine_free(lab->engine);
	for (int i = 0; i < DEVICES; i++)
		close(lab->devices[i].fd);
	loop_free(lab->loop);
	free(lab);
}

static int64_t next_us(const struct lab *lab)
{
	int64_t at_us = engine_next_us(lab->engine);

	for (int i = 0; i < DEVICES; i++) {
		const struct device *d = &lab->devices[i];

		if (d->due_us && d->due_us < at_us)
			at_us = d->due_us;
	}
	return at_us;
}

static void round_of(struct lab *lab)
{
	int64_t until_us = loop_clock_us() + WAIT_US;

	for (int i = 0; i < DEVICES; i++)
		lab->devices[i].requests = 0;
	lab->done = false;
	lab->start_us = loop_clock_us();
	engine_start(lab->engine, &(struct task){.addrs = lab->addrs,
						 .naddrs = (uint8_t)lab->naddrs,
						 .transport = lab->transport,
						 .learns = !lab->forgetful,
						 .learnt = lab->learnt});
	while (!lab->done) {
		assert_true(loop_clock_us() < until_us);
		loop_turn(lab->loop, next_us(lab));
		for (int i = 0; i < DEVICES; i++)
			send_kept(&lab->devices[i]);
		engine_work(lab->engine);
	}
	assert_int_equal(lab->at_work, 0);
}

/* Between the packets i and i + 1 of the round to the last address. */
static int64_t gap_us(const struct lab *lab, unsigned i)
{
	const struct device *d = &lab->devices[lab->naddrs - 1];

	assert_true(i + 1 < d->requests);
	return d->at_us[i + 1] - d->at_us[i];
}

#define assert_about(us, least_us) assert_in_range(us, (least_us)-2 * MS, SLOW_FACTOR * (least_us))

/* A lost packet costs the timeout in the first round, and the floor afterwards; of a host that is not fast, more. */
static void test_lost_packets(void **state)
{
	struct lab *lab = open_lab(1500 * MS, 2);

	(void)state;
	lab->devices[0].deaf = 1;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_true(lab->learnt.timed);
	assert_true(gap_us(lab, 0) >= 1498 * MS);
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->tries, 2);
	assert_about(gap_us(lab, 0), LEARNT_FLOOR_US);
	lab->learnt.srtt_us = 300 * MS;
	lab->learnt.rttvar_us = 25 * MS;
	round_of(lab);
	assert_in_range(gap_us(lab, 0), 398 * MS, 1400 * MS);
	lab->profile.adaptive = false;
	round_of(lab);
	assert_true(gap_us(lab, 0) >= 1498 * MS);
	close_lab(lab);
}

/* Only the second packet is earlier: the third comes when it would have, and the end as well. */
static void test_all_else_stays(void **state)
{
	struct lab *lab = open_lab(300 * MS, 2);
	const struct device *d = &lab->devices[0];

	(void)state;
	round_of(lab);
	lab->devices[0].deaf = REQUESTS;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_TIMEOUT);
	assert_int_equal(d->requests, 3);
	assert_in_range(gap_us(lab, 0), 198 * MS, 290 * MS * SLOW_FACTOR);
	assert_true(d->at_us[2] - lab->start_us >= 898 * MS);
	assert_true(lab->end_us - lab->start_us >= 2098 * MS);
	assert_true(lab->end_us - lab->start_us < 2100 * MS * SLOW_FACTOR);
	assert_false(lab->learnt.timed); /* what it was is over */
	close_lab(lab);
}

/* A host that has become slow answers the first try long after the second: as good, and the time is that try's. */
static void test_slower_than_ever(void **state)
{
	struct lab *lab = open_lab(400 * MS, 1);

	(void)state;
	round_of(lab);
	lab->devices[0].late_us = 1000 * MS; /* 400 and 800 are waited for */
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->tries, 2);
	assert_true(lab->rtt_us >= 998 * MS);
	assert_true(lab->learnt.rttvar_us > 100 * MS);
	round_of(lab); /* it is not asked twice too early any more */
	assert_int_equal(lab->status, RECORD_OK);
	assert_true(gap_us(lab, 0) >= 398 * MS);
	close_lab(lab);
}

/* On a connection nothing is lost, and nothing gained by saying it again sooner. */
static void test_connections_wait_as_configured(void **state)
{
	struct lab *lab = open_lab(600 * MS, 1);

	(void)state;
	lab->transport = TRANSPORT_TCP;
	round_of(lab);
	assert_true(lab->learnt.timed);
	lab->devices[0].deaf = 1;
	round_of(lab);
	assert_true(gap_us(lab, 0) >= 598 * MS);
	close_lab(lab);
}

/* The times are those of the address that answered. */
static void test_times_of_another_address(void **state)
{
	struct lab *lab = open_lab(600 * MS, 1);

	(void)state;
	round_of(lab);
	lab->naddrs = 2;
	lab->devices[0].deaf = REQUESTS;
	lab->devices[1].deaf = 1;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->learnt.address, 1);
	assert_true(gap_us(lab, 0) >= 598 * MS);
	assert_true(lab->learnt.srtt_us < 600 * MS);
	close_lab(lab);
}

/* What comes is no answer, but it comes. */
static void test_garbled_is_not_silent(void **state)
{
	struct lab *lab = open_lab(20 * MS, 1);

	(void)state;
	lab->learnt.silent = 2;
	lab->devices[0].garbled = true;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_MALFORMED);
	assert_int_equal(lab->learnt.silent, 0);
	close_lab(lab);
}

static void test_without_retries(void **state)
{
	struct lab *lab = open_lab(500 * MS, 0);

	(void)state;
	round_of(lab);
	lab->devices[0].late_us = 350 * MS;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->devices[0].requests, 1);
	close_lab(lab);
}

static void test_one_shot_runs_learn_nothing(void **state)
{
	struct lab *lab = open_lab(600 * MS, 1);

	(void)state;
	lab->forgetful = true;
	lab->learnt = (struct learnt){.timed = true, .silent = 200, .address = 1};
	lab->devices[0].deaf = 1;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_true(gap_us(lab, 0) >= 598 * MS);
	close_lab(lab);
}

static void test_one_packet_for_the_silent(void **state)
{
	struct lab *lab = open_lab(20 * MS, 2);
	struct device *d = &lab->devices[0];

	(void)state;
	round_of(lab);
	d->deaf = REQUESTS;
	for (unsigned i = 1; i <= 3; i++) {
		round_of(lab);
		assert_int_equal(lab->status, RECORD_TIMEOUT);
		assert_int_equal(d->requests, 3);
		assert_int_equal(lab->learnt.silent, i);
	}
	for (unsigned i = 4; i <= 6; i++) {
		round_of(lab);
		assert_int_equal(lab->status, RECORD_TIMEOUT);
		assert_int_equal(lab->tries, 1);
		assert_int_equal(d->requests, 1);
		assert_int_equal(lab->learnt.silent, i);
	}
	lab->profile.timeout_us = 3000 * MS; /* one whole wait of what is configured */
	d->deaf = 0;
	d->late_us = 300 * MS;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(d->requests, 1);
	assert_int_equal(lab->learnt.silent, 0);
	lab->profile.timeout_us = 20 * MS;
	d->late_us = 0;
	d->deaf = 2;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(d->requests, 3);
	lab->profile.silent_after = 0; /* never */
	lab->learnt.silent = 255;
	d->deaf = REQUESTS;
	round_of(lab);
	assert_int_equal(d->requests, 3);
	assert_int_equal(lab->learnt.silent, 255);
	close_lab(lab);
}

/* The host's own deadline comes before all tries are used up: silent all the same. */
static void test_silent_until_the_deadline(void **state)
{
	struct lab *lab = open_lab(500 * MS, 3);

	(void)state;
	lab->profile.deadline_us = 30 * MS;
	lab->devices[0].deaf = REQUESTS;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_CANCELLED);
	assert_int_equal(lab->learnt.silent, 1);
	close_lab(lab);
}

/* The run was ended, or the round: nobody knows whether it would have answered. */
static void test_cancelled_says_nothing(void **state)
{
	struct lab *lab = open_lab(500 * MS, 3);

	(void)state;
	lab->learnt = (struct learnt){.silent = 2, .timed = true, .srtt_us = 5, .address = 0};
	lab->devices[0].deaf = REQUESTS;
	engine_cancel(lab->engine);
	round_of(lab);
	assert_int_equal(lab->status, RECORD_CANCELLED);
	assert_int_equal(lab->learnt.silent, 2);
	assert_true(lab->learnt.timed);
	close_lab(lab);
}

static void test_unreachable_is_silent(void **state)
{
	struct lab *lab = open_lab(500 * MS, 3);

	(void)state;
	lab->addrs[0] = (struct addr){.family = 4, .ip = {255, 255, 255, 255}, .port = 161};
	round_of(lab);
	assert_int_equal(lab->status, RECORD_UNREACHABLE);
	assert_int_equal(lab->learnt.silent, 1);
	close_lab(lab);
}

/* Who answered last is asked first, and the others after it, each once. */
static void test_the_address_that_answered(void **state)
{
	struct lab *lab = open_lab(20 * MS, 0);
	struct device *d = lab->devices;

	(void)state;
	lab->naddrs = 3;
	d[0].deaf = d[1].deaf = REQUESTS;
	round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->learnt.address, 2);
	round_of(lab);
	assert_int_equal(d[0].requests + d[1].requests, 0);
	assert_int_equal(d[2].requests, 1);
	assert_true(addr_equal(&lab->answered, &d[2].addr));
	assert_int_equal(lab->learnt.address, 2);
	d[2].deaf = REQUESTS;
	d[1].deaf = 0;
	round_of(lab); /* 2, 0, 1 */
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(d[0].requests + d[1].requests + d[2].requests, 3);
	assert_true(d[2].at_us[0] < d[0].at_us[0] && d[0].at_us[0] < d[1].at_us[0]);
	assert_int_equal(lab->learnt.address, 1);
	d[1].deaf = REQUESTS;
	d[0].deaf = 0;
	round_of(lab); /* 1, 0 */
	assert_int_equal(lab->learnt.address, 0);
	assert_int_equal(d[2].requests, 0);
	close_lab(lab);
}

/* One packet a round, and each address in its turn: the one that comes to life is found. */
static void test_silent_addresses_in_turn(void **state)
{
	struct lab *lab = open_lab(20 * MS, 1);
	struct device *d = lab->devices;
	unsigned asked[DEVICES] = {0};

	(void)state;
	lab->naddrs = 3;
	lab->learnt.silent = 3;
	for (int i = 0; i < DEVICES; i++)
		d[i].deaf = REQUESTS;
	for (int round = 0; round < 6; round++) {
		round_of(lab);
		assert_int_equal(d[0].requests + d[1].requests + d[2].requests, 1);
		for (int i = 0; i < DEVICES; i++)
			asked[i] += d[i].requests;
	}
	for (int i = 0; i < DEVICES; i++)
		assert_int_equal(asked[i], 2);
	d[1].deaf = 0;
	for (int round = 0; round < 3 && lab->learnt.silent; round++)
		round_of(lab);
	assert_int_equal(lab->status, RECORD_OK);
	assert_int_equal(lab->learnt.address, 1);
	close_lab(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_packets),
		cmocka_unit_test(test_all_else_stays),
		cmocka_unit_test(test_slower_than_ever),
		cmocka_unit_test(test_connections_wait_as_configured),
		cmocka_unit_test(test_times_of_another_address),
		cmocka_unit_test(test_garbled_is_not_silent),
		cmocka_unit_test(test_without_retries),
		cmocka_unit_test(test_one_shot_runs_learn_nothing),
		cmocka_unit_test(test_one_packet_for_the_silent),
		cmocka_unit_test(test_silent_until_the_deadline),
		cmocka_unit_test(test_cancelled_says_nothing),
		cmocka_unit_test(test_unreachable_is_silent),
		cmocka_unit_test(test_the_address_that_answered),
		cmocka_unit_test(test_silent_addresses_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

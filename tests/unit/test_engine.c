/* engine: devices that answer, lie and die, on real sockets of this process. */
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
#include "base/mem.h"
#include "snmp/engine_internal.h"
#include "snmp/peek.h"

#define DEVICES 3
#define RECORDS 600
#define OBJECTS 200
#define WAIT_MS 5000 /* that nothing here takes, unless it hangs */

struct lab;

/* A device looks at a request and turns it, in place, into what it sends; 0: nothing. */
struct device {
	struct lab *lab;
	int fd;
	struct addr addr;
	size_t (*behave)(struct device *d, uint8_t *data, size_t len);
	unsigned requests;
	size_t longest;
	unsigned limit;         /* of what it can do; means what behave makes of it */
	bool answer_from_other; /* through the next device's socket */
	int copies;
	uint8_t kept[2048]; /* a request to be answered later */
	size_t kept_len;
	struct sockaddr_storage from;
	socklen_t from_len;
};

struct got {
	enum cause_kind cause;
	uint64_t seq;
	char host[64];
	struct addr addr;
	enum record_status status;
	int64_t rtt_us, time_ms, at_us;
	uint32_t tries;
	size_t nvars;
	uint32_t last[OBJECTS]; /* sub-identifier of each row */
	uint8_t types[OBJECTS];
	char message[512];
	uint64_t at_work;
};

struct lab {
	struct loop *loop;
	struct engine *engine;
	struct profile profile;
	struct oid objects[OBJECTS];
	struct device devices[DEVICES];
	struct got got[RECORDS];
	unsigned n;
	_Atomic uint64_t at_work;
	bool in_start;
	bool hold_at_record;
	struct stats stats;
};

/* ---- devices: a GET becomes its RESPONSE by changing an octet; its values are NULL */

static size_t tag_at(const uint8_t *data, size_t len)
{
	struct peek head;
	const char *words;

	assert_true(peek_message(data, len, &head, &words));
	return (size_t)(head.community - data) + head.community_len;
}

static size_t id_at(const uint8_t *data, size_t len)
{
	struct peek head;
	const char *words;

	assert_true(peek_message(data, len, &head, &words));
	return head.request_id_at;
}

static size_t answer(struct device *d, uint8_t *data, size_t len)
{
	(void)d;
	data[tag_at(data, len)] = PDU_RESPONSE;
	return len;
}

static size_t silent(struct device *d, uint8_t *data, size_t len)
{
	(void)d;
	(void)data;
	(void)len;
	return 0;
}

static size_t with_error(uint8_t *data, size_t len, uint8_t status, uint8_t index)
{
	data[tag_at(data, len)] = PDU_RESPONSE;
	data[id_at(data, len) + 6] = status;
	data[id_at(data, len) + 9] = index;
	return len;
}

static size_t count_objects(const uint8_t *data, size_t len)
{
	struct pdu_codec *c = pdu_codec_new();
	struct pdu_answer a;
	struct vars vars = {0};
	uint8_t copy[2048];
	size_t n;

	memcpy(copy, data, len);
	copy[tag_at(copy, len)] = PDU_RESPONSE;
	assert_true(pdu_decode(c, copy, len, &a, &vars));
	n = vars.count;
	vars_free(&vars);
	pdu_codec_free(c);
	return n;
}

static void on_request(void *arg, unsigned ready)
{
	struct device *d = arg;
	uint8_t data[2048];
	ssize_t len;

	(void)ready;
	d->from_len = sizeof(d->from);
	while ((len = recvfrom(d->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&d->from,
			       &d->from_len)) >= 0) {
		const struct device *through = d->answer_from_other ? d + 1 : d;
		size_t n;

		d->requests++;
		d->longest = (size_t)len > d->longest ? (size_t)len : d->longest;
		n = d->behave(d, data, (size_t)len);
		for (int i = 0; n && i < d->copies; i++)
			sendto(through->fd, data, n == SIZE_MAX ? 0 : n, 0,
			       (struct sockaddr *)&d->from, d->from_len);
	}
}

static void start_device(struct lab *lab, struct device *d)
{
	struct sockaddr_storage sa;
	struct addr any_port = {.family = 4, .ip = {127, 0, 0, 1}};
	socklen_t len = addr_to_sockaddr(&any_port, &sa);

	d->lab = lab;
	d->behave = answer;
	d->copies = 1;
	d->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(d->fd, (struct sockaddr *)&sa, len), 0);
	len = sizeof(sa);
	getsockname(d->fd, (struct sockaddr *)&sa, &len);
	addr_from_sockaddr((struct sockaddr *)&sa, &d->addr);
	loop_watch(lab->loop, d->fd, LOOP_READ, on_request, d);
}

/* ---- the engine's side */

static void on_record(void *arg, const struct task *task, const struct record *r)
{
	struct lab *lab = arg;
	struct got *g = &lab->got[lab->n++];

	assert_false(lab->in_start);
	assert_true(lab->n <= RECORDS);
	*g = (struct got){.seq = task->seq, .addr = r->addr, .status = r->status};
	snprintf(g->host, sizeof(g->host), "%s", r->host ? r->host : "-");
	g->rtt_us = r->rtt_us;
	g->time_ms = r->time_ms;
	g->at_us = loop_clock_us();
	g->tries = r->tries;
	g->cause = r->cause->kind;
	assert_int_equal(r->asked <= r->naddrs || r->naddrs == 0, 1);
	g->nvars = r->nvars;
	for (size_t i = 0; i < r->nvars; i++) {
		g->last[i] = r->vars[i].oid[r->vars[i].noid - 1];
		g->types[i] = r->vars[i].type;
	}
	assert_int_equal(r->message == NULL, r->status == RECORD_OK);
	snprintf(g->message, sizeof(g->message), "%s", r->message ? r->message : "");
	g->at_work = lab->at_work;
	if (lab->hold_at_record)
		engine_hold(lab->engine, true);
}

/* A lab whose devices all answer, and a profile that asks for .1 to .n. */
static struct lab *open_lab(size_t nobjects)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	lab->loop = loop_new();
	for (int i = 0; i < DEVICES; i++)
		start_device(lab, &lab->devices[i]);
	for (size_t i = 0; i < nobjects; i++) {
		char text[64];

		snprintf(text, sizeof(text), "1.3.6.1.2.1.31.1.1.1.10.%zu", i + 1);
		assert_true(oid_parse(text, strlen(text), &lab->objects[i]));
	}
	lab->profile = (struct profile){
		.version = SNMP_V2C,
		.community = (char *)(uintptr_t) "public",
		.get = lab->objects,
		.nget = nobjects,
		.per_host = 1,
		.max_vars = 1000,
		.timeout_us = 200000,
		.retries = 1,
	};
	return lab;
}

static void open_engine(struct lab *lab, unsigned window)
{
	struct engine_config config = {
		.profiles = &lab->profile,
		.nprofiles = 1,
		.window = window,
		.at_work = &lab->at_work,
		.done = on_record,
		.arg = lab,
	};
	char error[200];

	lab->engine = engine_new(&config, error, sizeof(error));
	assert_non_null(lab->engine);
	engine_attach(lab->engine, lab->loop);
}

static void take_stats(struct lab *lab)
{
	struct stats delta;

	engine_take_stats(lab->engine, &delta);
	stats_add(&lab->stats, &delta);
}

static uint64_t counted(struct lab *lab, enum stats_counter c)
{
	take_stats(lab);
	return lab->stats.count[c];
}

/* Nothing in flight: every packet sent has become one thing. */
static void assert_balanced(struct lab *lab)
{
	const uint64_t *n = lab->stats.count;

	take_stats(lab);
	assert_int_equal(engine_tasks(lab->engine), 0);
	assert_int_equal(n[STATS_SENT], n[STATS_ANSWERED] + n[STATS_REFUSED] + n[STATS_SUPERSEDED] +
						n[STATS_UNANSWERED]);
}

static void close_lab(struct lab *lab)
{
	assert_int_equal(lab->at_work, 0);
	engine_free(lab->engine);
	for (int i = 0; i < DEVICES; i++)
		close(lab->devices[i].fd);
	loop_free(lab->loop);
	free(lab);
}

static void start_at(struct lab *lab, uint64_t seq, const struct addr *addrs, size_t n)
{
	char host[32];
	struct task task = {.seq = seq, .host = host, .addrs = addrs, .naddrs = (uint8_t)n};

	snprintf(host, sizeof(host), "host %d", (int)seq);
	lab->in_start = true;
	engine_start(lab->engine, &task);
	lab->in_start = false;
	memset(host, 'x', sizeof(host)); /* it was lent */
}

static void start(struct lab *lab, uint64_t seq, const struct device *d)
{
	start_at(lab, seq, &d->addr, 1);
}

static void turn(struct lab *lab, int64_t until_us)
{
	int64_t next_us = engine_next_us(lab->engine);
	int64_t late_us = loop_turn(lab->loop, next_us < until_us ? next_us : until_us);

	if (late_us)
		engine_renew(lab->engine, late_us);
	engine_work(lab->engine);
}

static void run_ms(struct lab *lab, int64_t ms)
{
	int64_t until_us = loop_clock_us() + ms * 1000;

	while (loop_clock_us() < until_us)
		turn(lab, until_us);
}

/* Until there are n records in all. */
static void run(struct lab *lab, unsigned n)
{
	int64_t until_us = loop_clock_us() + WAIT_MS * 1000;

	while (lab->n < n) {
		assert_true(loop_clock_us() < until_us);
		turn(lab, until_us);
	}
}

static const struct got *only_record(struct lab *lab)
{
	run(lab, 1);
	assert_int_equal(lab->n, 1);
	assert_balanced(lab);
	return &lab->got[0];
}

/* One target, the first device: its record. */
static const struct got *ask_first(struct lab *lab)
{
	open_engine(lab, 8);
	start(lab, 41, &lab->devices[0]);
	return only_record(lab);
}

/* ---- answers */

static void test_an_answer(void **state)
{
	struct lab *lab = open_lab(2);
	int64_t before_ms = loop_wall_ms();
	const struct got *g = ask_first(lab);

	(void)state;
	assert_int_equal(g->seq, 41);
	assert_string_equal(g->host, "host 41");
	assert_true(addr_equal(&g->addr, &lab->devices[0].addr));
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->cause, CAUSE_NONE);
	assert_in_range(g->rtt_us, 0, 200000);
	assert_in_range(g->time_ms, before_ms, loop_wall_ms());
	assert_int_equal(g->tries, 1);
	assert_int_equal(g->nvars, 2);
	assert_int_equal(g->last[0], 1);
	assert_int_equal(g->last[1], 2);
	assert_int_equal(g->at_work, 42);
	assert_int_equal(counted(lab, STATS_RECEIVED), 1);
	assert_int_equal(counted(lab, STATS_ANSWERED), 1);
	assert_true(engine_next_us(lab->engine) == LOOP_NEVER);
	close_lab(lab);
}

static void test_room(void **state)
{
	struct lab *lab = open_lab(1);

	(void)state;
	open_engine(lab, 3);
	assert_int_equal(engine_room(lab->engine), 3);
	for (uint64_t i = 0; i < 3; i++)
		start(lab, i, &lab->devices[0]);
	assert_int_equal(engine_room(lab->engine), 0);
	assert_int_equal(engine_tasks(lab->engine), 3);
	run(lab, 3);
	assert_int_equal(engine_room(lab->engine), 3);
	for (unsigned round = 0; round < 20; round++) { /* slots and jobs are used again */
		start(lab, round, &lab->devices[round % 2]);
		run(lab, 4 + round);
	}
	assert_balanced(lab);
	close_lab(lab);
}

static void test_chunks(void **state)
{
	struct lab *lab = open_lab(OBJECTS);
	const struct got *g = ask_first(lab);

	(void)state;
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, OBJECTS);
	for (uint32_t i = 0; i < OBJECTS; i++)
		assert_int_equal(g->last[i], i + 1);
	assert_true(lab->devices[0].requests > 2);
	assert_in_range(lab->devices[0].longest, 1000, PDU_OCTETS_MAX);
	assert_int_equal(g->tries, 1);
	close_lab(lab);
}

static size_t slow_later(struct device *d, uint8_t *data, size_t len)
{
	if (d->requests > 1)
		usleep(100000);
	return answer(d, data, len);
}

static void test_rtt_is_the_first_answers(void **state)
{
	struct lab *lab = open_lab(OBJECTS);

	(void)state;
	lab->devices[0].behave = slow_later;
	assert_in_range(ask_first(lab)->rtt_us, 0, 90000);
	close_lab(lab);
}

static size_t only_so_many(struct device *d, uint8_t *data, size_t len)
{
	return count_objects(data, len) > d->limit ? with_error(data, len, 1, 0)
						   : answer(d, data, len);
}

static void test_too_big(void **state)
{
	struct lab *lab = open_lab(20);
	const struct got *g;

	(void)state;
	lab->devices[0].behave = only_so_many;
	lab->devices[0].limit = 6;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 20);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(g->last[i], i + 1);
	assert_int_equal(lab->devices[0].requests, 2 + 4); /* 20, 10, then 5 at a time */
	close_lab(lab);
}

static void test_too_big_for_one(void **state)
{
	struct lab *lab = open_lab(2);
	const struct got *g;

	(void)state;
	lab->devices[0].behave = only_so_many;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_ERROR);
	assert_int_equal(g->cause, CAUSE_STATUS);
	assert_string_equal(g->message,
			    "tooBig: no answer that the agent can send has room for it");
	assert_int_equal(lab->devices[0].requests, 2);
	close_lab(lab);
}

/* noSuchName for objects whose number is a multiple of `limit`, as v1 has it: the first one. */
static size_t some_names(struct device *d, uint8_t *data, size_t len)
{
	struct pdu_codec *c = pdu_codec_new();
	struct pdu_answer a;
	struct vars vars = {0};
	uint8_t copy[2048], index = 0;

	memcpy(copy, data, len);
	copy[tag_at(copy, len)] = PDU_RESPONSE;
	assert_true(pdu_decode(c, copy, len, &a, &vars));
	for (uint8_t i = 0; i < vars.count && !index; i++) {
		if (vars.list[i].oid[vars.list[i].noid - 1] % d->limit == 0)
			index = (uint8_t)(i + 1);
	}
	vars_free(&vars);
	pdu_codec_free(c);
	return index ? with_error(data, len, 2, index) : answer(d, data, len);
}

static void check_no_such_name(unsigned limit, size_t objects)
{
	struct lab *lab = open_lab(objects);
	const struct got *g;

	lab->profile.version = SNMP_V1;
	lab->devices[0].behave = some_names;
	lab->devices[0].limit = limit;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, objects);
	for (uint32_t i = 0; i < objects; i++) {
		assert_int_equal(g->last[i], i + 1);
		assert_int_equal(g->types[i], (i + 1) % limit ? VAR_NULL : VAR_NO_SUCH_INSTANCE);
	}
	assert_int_equal(g->tries, 1);
	close_lab(lab);
}

static void test_no_such_name(void **state)
{
	(void)state;
	check_no_such_name(3, 7);
	check_no_such_name(1, 3); /* all of them */
	check_no_such_name(1, 1);
	check_no_such_name(20, OBJECTS); /* in several chunks */
}

static size_t picky_then_small(struct device *d, uint8_t *data, size_t len)
{
	uint8_t copy[2048];

	memcpy(copy, data, len);
	some_names(d, copy, len);
	if (copy[id_at(copy, len) + 6] == 2)
		return some_names(d, data, len);
	return count_objects(data, len) > 4 ? with_error(data, len, 1, 0) : answer(d, data, len);
}

/* What is known to be gone is not asked for again in smaller questions. */
static void test_too_big_after_no_such_name(void **state)
{
	struct lab *lab = open_lab(30);
	const struct got *g;

	(void)state;
	lab->devices[0].behave = picky_then_small;
	lab->devices[0].limit = 2;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_OK);
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(g->types[i], i % 2 ? VAR_NO_SUCH_INSTANCE : VAR_NULL);
	/* 15 are gone; 30 and 15 are too many; then 7 at a time */
	assert_int_equal(lab->devices[0].requests, 15 + 2 + 5);
	close_lab(lab);
}

static size_t picky_and_small(struct device *d, uint8_t *data, size_t len)
{
	return count_objects(data, len) > 4 ? with_error(data, len, 1, 0)
					    : some_names(d, data, len);
}

static void test_no_such_name_and_too_big(void **state)
{
	struct lab *lab = open_lab(30);
	const struct got *g;

	(void)state;
	lab->devices[0].behave = picky_and_small;
	lab->devices[0].limit = 2;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_int_equal(g->nvars, 30);
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(g->types[i], i % 2 ? VAR_NO_SUCH_INSTANCE : VAR_NULL);
	close_lab(lab);
}

static size_t names_nobody(struct device *d, uint8_t *data, size_t len)
{
	return with_error(data, len, 2, (uint8_t)d->limit);
}

static void check_index(size_t objects, unsigned index, enum record_status status,
			const char *message)
{
	struct lab *lab = open_lab(objects);
	const struct got *g;

	lab->devices[0].behave = names_nobody;
	lab->devices[0].limit = index;
	g = ask_first(lab);
	assert_int_equal(g->status, status);
	assert_string_equal(g->message, message);
	assert_int_equal(lab->devices[0].requests, 1);
	close_lab(lab);
}

static void test_no_such_name_without_index(void **state)
{
	(void)state;
	check_index(3, 0, RECORD_MALFORMED, "noSuchName with error-index 0 of 3 varbinds");
	check_index(3, 4, RECORD_MALFORMED, "noSuchName with error-index 4 of 3 varbinds");
	check_index(3, 255, RECORD_MALFORMED, "noSuchName with error-index -1 of 3 varbinds");
	check_index(1, 0, RECORD_OK, ""); /* there is only one it can mean */
}

static size_t second_chunk_fails(struct device *d, uint8_t *data, size_t len)
{
	return d->requests == 1 ? answer(d, data, len)
	       : d->limit       ? with_error(data, len, (uint8_t)d->limit, 2)
				: 0;
}

static void test_error_status(void **state)
{
	struct lab *lab = open_lab(OBJECTS);
	const struct got *g;
	uint32_t rows;

	(void)state;
	lab->devices[0].behave = second_chunk_fails;
	lab->devices[0].limit = 5;
	g = ask_first(lab);
	rows = (uint32_t)g->nvars;
	assert_int_equal(g->status, RECORD_PARTIAL);
	assert_in_range(rows, 30, OBJECTS - 2);
	assert_int_equal(g->last[rows - 1], rows);
	assert_int_equal(lab->devices[0].requests, 2); /* the third chunk is not asked for */
	{
		char words[160];

		snprintf(words, sizeof(words),
			 "error: genErr at 1.3.6.1.2.1.31.1.1.1.10.%u: the agent could not read "
			 "it; its "
			 "own log may say why",
			 rows + 2);
		assert_string_equal(g->message, words);
	}
	close_lab(lab);
}

static void test_unknown_error_status(void **state)
{
	struct lab *lab = open_lab(1);
	const struct got *g;

	(void)state;
	lab->devices[0].behave = second_chunk_fails;
	lab->devices[0].requests = 1; /* the first it sees is its second */
	lab->devices[0].limit = 99;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_ERROR);
	assert_string_equal(g->message, "error-status 99");
	close_lab(lab);
}

static void test_partial_timeout(void **state)
{
	struct lab *lab = open_lab(OBJECTS);
	struct addr addrs[2];
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->devices[0].behave = second_chunk_fails;
	addrs[0] = lab->devices[0].addr;
	addrs[1] = lab->devices[1].addr;
	open_engine(lab, 8);
	start_at(lab, 0, addrs, 2);
	g = only_record(lab);
	assert_int_equal(g->status, RECORD_PARTIAL);
	assert_memory_equal(g->message, "timeout: no answer after 2 tries", 32);
	assert_in_range(g->nvars, 30, OBJECTS - 1);
	assert_int_equal(g->tries, 2);
	assert_true(g->rtt_us >= 0);
	assert_int_equal(lab->devices[1].requests, 0); /* its rows would be another device's */
	close_lab(lab);
}

/* ---- answers that are none */

static size_t other_object(struct device *d, uint8_t *data, size_t len)
{
	data[len - 3]++; /* last sub-identifier of the last name */
	return answer(d, data, len);
}

/* Shortens the list by its last varbind, of 16 octets; all lengths are of one octet. */
static size_t one_less(struct device *d, uint8_t *data, size_t len)
{
	size_t tag = tag_at(data, len), cut = 17;

	data[1] = (uint8_t)(data[1] - cut);
	data[tag + 1] = (uint8_t)(data[tag + 1] - cut);
	data[id_at(data, len) + 11] = (uint8_t)(data[id_at(data, len) + 11] - cut);
	return answer(d, data, len - cut);
}

static size_t end_of_view(struct device *d, uint8_t *data, size_t len)
{
	data[len - 2] = 0x82;
	return answer(d, data, len);
}

static size_t cut_short(struct device *d, uint8_t *data, size_t len)
{
	return answer(d, data, len) - 3;
}

static void check_malformed(size_t (*behave)(struct device *, uint8_t *, size_t),
			    const char *message)
{
	struct lab *lab = open_lab(2);
	const struct got *g;

	lab->devices[0].behave = behave;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_MALFORMED);
	assert_string_equal(g->message, message);
	assert_int_equal(lab->devices[0].requests, 1); /* at once */
	assert_int_equal(counted(lab, STATS_MALFORMED), 1);
	close_lab(lab);
}

static void test_malformed_at_once(void **state)
{
	(void)state;
	check_malformed(other_object, "varbind 2 is 1.3.6.1.2.1.31.1.1.1.10.3, but "
				      "1.3.6.1.2.1.31.1.1.1.10.2 was asked for");
	check_malformed(one_less, "the answer has 1 varbinds for 2 objects");
	check_malformed(end_of_view, "endOfMibView in the answer to a GET of "
				     "1.3.6.1.2.1.31.1.1.1.10.2");
	check_malformed(cut_short,
			"the answer does not decode: it is cut off, or a length is wrong");
}

static size_t other_community(struct device *d, uint8_t *data, size_t len)
{
	data[tag_at(data, len) - 1] = 'X';
	return answer(d, data, len);
}

static size_t other_version(struct device *d, uint8_t *data, size_t len)
{
	data[4] = 0;
	return answer(d, data, len);
}

static size_t echo(struct device *d, uint8_t *data, size_t len)
{
	(void)d;
	(void)data;
	return len;
}

static size_t other_id(struct device *d, uint8_t *data, size_t len)
{
	data[id_at(data, len) + 3] ^= 1;
	return answer(d, data, len);
}

static size_t of_version_3(struct device *d, uint8_t *data, size_t len)
{
	answer(d, data, len);
	data[4] = 3;
	return len;
}

/* An SNMPv3 message whose msgID is the request-id. */
static size_t with_msg_id(struct device *d, uint8_t *data, size_t len)
{
	uint8_t message[] = {0x30, 11, 2, 1, 3, 0x30, 6, 2, 4, 0, 0, 0, 0};

	(void)d;
	memcpy(message + 9, data + id_at(data, len), 4);
	memcpy(data, message, sizeof(message));
	return sizeof(message);
}

static size_t garbage(struct device *d, uint8_t *data, size_t len)
{
	(void)d;
	(void)len;
	memcpy(data, "HTTP/1.1", 8);
	return 8;
}

static size_t nothing_in_it(struct device *d, uint8_t *data, size_t len)
{
	(void)d;
	(void)data;
	(void)len;
	return SIZE_MAX;
}

/* Not believed; the device is asked again, and the message tells. */
static void check_foreign(size_t (*behave)(struct device *, uint8_t *, size_t), const char *message,
			  enum cause_kind cause)
{
	struct lab *lab = open_lab(1);
	const struct got *g;

	lab->profile.timeout_us = 20000;
	lab->devices[0].behave = behave;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	assert_int_equal(g->cause, cause);
	assert_non_null(strstr(g->message, "no answer after 2 tries"));
	assert_non_null(strstr(g->message, message));
	assert_int_equal(lab->devices[0].requests, 2);
	assert_int_equal(counted(lab, STATS_FOREIGN), 2);
	assert_int_equal(counted(lab, STATS_UNANSWERED), 2);
	assert_true(g->rtt_us == -1 && g->nvars == 0);
	close_lab(lab);
}

static void test_foreign(void **state)
{
	(void)state;
	check_foreign(other_community, "; an answer came with another community", CAUSE_COMMUNITY);
	check_foreign(other_version, "; an answer came in SNMPv1", CAUSE_VERSION);
	check_foreign(echo, "; a PDU of type 0xa0 came instead of a RESPONSE", CAUSE_TYPE);
	check_foreign(other_id, " open, is the community right?)", CAUSE_SILENCE);
	check_foreign(with_msg_id, "; an answer came in SNMPv3", CAUSE_VERSION);
	check_foreign(of_version_3, " open, is the community right?)", CAUSE_SILENCE);
}

static void check_unreadable(size_t (*behave)(struct device *, uint8_t *, size_t),
			     const char *words)
{
	struct lab *lab = open_lab(1);
	const struct got *g;

	lab->profile.timeout_us = 20000;
	lab->devices[0].behave = behave;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_MALFORMED);
	assert_int_equal(g->cause, CAUSE_UNREADABLE);
	assert_string_equal(g->message, words);
	assert_int_equal(g->tries, 2); /* only when the tries run out */
	assert_int_equal(counted(lab, STATS_MALFORMED), 2);
	close_lab(lab);
}

static void test_unreadable(void **state)
{
	(void)state;
	check_unreadable(garbage, "no answer after 2 tries, but an unreadable datagram: "
				  "it does not start with a SEQUENCE");
	check_unreadable(nothing_in_it,
			 "no answer after 2 tries, but an unreadable datagram: it is empty");
}

static void test_another_address(void **state)
{
	struct lab *lab = open_lab(1);
	char words[200], from[ADDR_TEXT_MAX];
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->devices[0].answer_from_other = true;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	assert_int_equal(g->cause, CAUSE_ADDRESS);
	addr_text_port(&lab->devices[1].addr, from);
	snprintf(words, sizeof(words),
		 "no answer after 2 tries; %s answered instead; any_source: true accepts it", from);
	assert_string_equal(g->message, words);
	assert_int_equal(counted(lab, STATS_FOREIGN), 2);
	close_lab(lab);
}

static void test_any_source(void **state)
{
	struct lab *lab = open_lab(1);
	const struct got *g;

	(void)state;
	lab->profile.any_source = true;
	lab->devices[0].answer_from_other = true;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_true(addr_equal(&g->addr, &lab->devices[0].addr));
	close_lab(lab);
}

static void test_duplicates(void **state)
{
	struct lab *lab = open_lab(1);

	(void)state;
	lab->devices[0].copies = 3;
	ask_first(lab);
	run_ms(lab, 5);
	assert_int_equal(lab->n, 1);
	assert_int_equal(counted(lab, STATS_DUPLICATE), 2);
	assert_int_equal(counted(lab, STATS_FOREIGN), 0);
	close_lab(lab);
}

/* ---- time */

static void test_silence(void **state)
{
	struct lab *lab = open_lab(1);
	int64_t begin_us;
	const struct got *g;
	char words[100];

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->profile.retries = 2;
	lab->devices[0].behave = silent;
	begin_us = loop_clock_us();
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	snprintf(words, sizeof(words),
		 "no answer after 3 tries (is UDP %u open, is the community right?)",
		 lab->devices[0].addr.port);
	assert_string_equal(g->message, words);
	assert_true(g->at_us - begin_us >= 20000 + 40000 + 80000); /* waits double */
	assert_int_equal(g->tries, 3);
	assert_true(g->time_ms > 0);
	assert_int_equal(g->at_work, 42);
	assert_int_equal(counted(lab, STATS_SENT), 3);
	assert_int_equal(counted(lab, STATS_RETRIES), 2);
	close_lab(lab);
}

/* The first try is answered when the second one is out. */
static size_t answer_the_first(struct device *d, uint8_t *data, size_t len)
{
	if (!d->kept_len) {
		memcpy(d->kept, data, len);
		d->kept_len = len;
		return 0;
	}
	memcpy(data, d->kept, d->kept_len);
	return answer(d, data, d->kept_len);
}

static void test_late_answer(void **state)
{
	struct lab *lab = open_lab(1);
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 50000;
	lab->devices[0].behave = answer_the_first;
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_true(g->rtt_us >= 50000); /* since that try's send */
	assert_int_equal(g->tries, 2);
	assert_int_equal(counted(lab, STATS_LATE), 1);
	assert_int_equal(counted(lab, STATS_SUPERSEDED), 1);
	close_lab(lab);
}

static void test_deadline_of_the_host(void **state)
{
	struct lab *lab = open_lab(1);
	int64_t begin_us;
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 40000;
	lab->profile.retries = 5;
	lab->profile.deadline_us = 60000;
	lab->devices[0].behave = silent;
	begin_us = loop_clock_us();
	g = ask_first(lab);
	assert_int_equal(g->status, RECORD_CANCELLED);
	assert_string_equal(g->message, "the deadline of the host came first");
	assert_in_range(g->at_us - begin_us, 60000, 110000);
	assert_int_equal(g->tries, 2);
	close_lab(lab);
}

/* Tries, a second address, a second chunk: the deadline holds for all of it. */
static void test_deadline_over_addresses(void **state)
{
	struct lab *lab = open_lab(1);
	struct addr addrs[3];
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 40000;
	lab->profile.retries = 0;
	lab->profile.deadline_us = 60000;
	for (int i = 0; i < 3; i++) {
		lab->devices[i].behave = silent;
		addrs[i] = lab->devices[i].addr;
	}
	open_engine(lab, 4);
	start_at(lab, 0, addrs, 3);
	g = only_record(lab);
	assert_int_equal(g->status, RECORD_CANCELLED);
	assert_true(addr_equal(&g->addr, &addrs[1]));
	assert_int_equal(lab->devices[2].requests, 0);
	close_lab(lab);
}

/* While nothing is due the loop sleeps: turns are counted, not time. */
static void test_waiting_takes_no_turns(void **state)
{
	struct lab *lab = open_lab(1);
	int64_t until_us;
	unsigned turns = 0;

	(void)state;
	lab->profile.timeout_us = 100000;
	lab->profile.retries = 1;
	lab->devices[0].behave = silent;
	open_engine(lab, 64);
	for (uint64_t i = 0; i < 60; i++)
		start(lab, i, &lab->devices[0]);
	until_us = loop_clock_us() + WAIT_MS * 1000;
	while (lab->n < 60 && loop_clock_us() < until_us) {
		turn(lab, until_us);
		turns++;
	}
	assert_int_equal(lab->n, 60);
	assert_in_range(turns, 2, 20);
	close_lab(lab);
}

static size_t answer_the_second(struct device *d, uint8_t *data, size_t len)
{
	return d->requests == 2 ? answer(d, data, len) : 0;
}

/* A slot's timer still runs for its last request, for longer than the next one may wait. */
static void test_timer_of_the_last_request(void **state)
{
	struct lab *lab = open_lab(1);
	int64_t begin_us;

	(void)state;
	lab->profile.timeout_us = 100000;
	lab->devices[0].behave = answer_the_second; /* its second wait would end at 300 ms */
	lab->devices[1].behave = silent;
	open_engine(lab, 1);
	start(lab, 0, &lab->devices[0]);
	run(lab, 1);
	assert_int_equal(lab->got[0].status, RECORD_OK);
	begin_us = loop_clock_us();
	start(lab, 1, &lab->devices[1]);
	run(lab, 2);
	assert_in_range(lab->got[1].at_us - begin_us, 300000, 370000);
	close_lab(lab);
}

static void test_renewal(void **state)
{
	struct lab *lab = open_lab(1);
	int64_t begin_us;

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->profile.retries = 0;
	lab->devices[0].behave = silent;
	begin_us = loop_clock_us();
	open_engine(lab, 4);
	start(lab, 0, &lab->devices[0]);
	turn(lab, begin_us);
	engine_renew(lab->engine, 100000); /* as if the process had been stopped */
	assert_true(only_record(lab)->at_us - begin_us >= 120000);
	close_lab(lab);
}

static void test_hold(void **state)
{
	struct lab *lab = open_lab(1);
	int64_t begin_us = loop_clock_us();

	(void)state;
	lab->profile.timeout_us = 60000;
	lab->profile.retries = 0;
	open_engine(lab, 8);
	lab->devices[1].behave = silent;
	start(lab, 0, &lab->devices[1]);
	start(lab, 1, &lab->devices[0]);
	turn(lab, begin_us); /* both are sent, the answer waits */
	engine_hold(lab->engine, true);
	start(lab, 2, &lab->devices[0]);
	run_ms(lab, 150);
	assert_int_equal(lab->n, 0);                   /* nothing received, nothing timed out */
	assert_int_equal(lab->devices[0].requests, 1); /* nothing sent */
	assert_true(engine_next_us(lab->engine) == LOOP_NEVER);
	engine_hold(lab->engine, false);
	run(lab, 3);
	assert_int_equal(lab->got[0].seq, 1);
	assert_true(lab->got[0].rtt_us < 100000); /* less the time held */
	assert_int_equal(lab->got[1].seq, 2);
	assert_int_equal(lab->got[2].status, RECORD_TIMEOUT);
	assert_true(lab->got[2].at_us - begin_us >= 60000 + 150000);
	assert_balanced(lab);
	close_lab(lab);
}

/* The process was stopped while it was held back: that time stands still once, not twice. */
static void test_renewal_while_held(void **state)
{
	struct lab *lab = open_lab(1);
	int64_t begin_us = loop_clock_us();

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->profile.retries = 0;
	lab->devices[0].behave = silent;
	open_engine(lab, 4);
	start(lab, 0, &lab->devices[0]);
	turn(lab, begin_us);
	engine_hold(lab->engine, true);
	run_ms(lab, 600);
	engine_renew(lab->engine, 500000); /* as if it had been stopped for most of it */
	engine_hold(lab->engine, false);
	assert_in_range(only_record(lab)->at_us - begin_us, 620000, 1000000);
	close_lab(lab);
}

/* The reader is full after one record: no other verdict is made before it is released. */
static void test_hold_by_a_record(void **state)
{
	struct lab *lab = open_lab(1);

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->profile.retries = 0;
	lab->devices[0].behave = silent;
	lab->hold_at_record = true;
	open_engine(lab, 8);
	for (uint64_t i = 0; i < 5; i++)
		start(lab, i, &lab->devices[0]);
	for (unsigned n = 1; n <= 5; n++) {
		run(lab, n);
		run_ms(lab, 5);
		assert_int_equal(lab->n, n);
		engine_hold(lab->engine, false);
	}
	assert_balanced(lab);
	close_lab(lab);
}

static void test_cancel(void **state)
{
	struct lab *lab = open_lab(OBJECTS);

	(void)state;
	lab->profile.retries = 0;
	lab->devices[0].behave = silent;
	lab->devices[1].behave = second_chunk_fails; /* one chunk, then silence */
	open_engine(lab, 8);
	for (uint64_t i = 0; i < 2; i++)
		start(lab, i, &lab->devices[i]);
	run_ms(lab, 20);
	start(lab, 2, &lab->devices[2]);
	engine_cancel(lab->engine);
	assert_int_equal(lab->n, 0);
	assert_true(engine_next_us(lab->engine) <= loop_now_us(lab->loop));
	engine_work(lab->engine);
	assert_int_equal(lab->n, 3);
	assert_int_equal(lab->got[0].status, RECORD_CANCELLED);
	assert_string_equal(lab->got[0].message, "stopped before there was an answer");
	assert_int_equal(lab->got[1].status, RECORD_PARTIAL);
	assert_string_equal(lab->got[1].message, "cancelled: stopped before there was an answer");
	assert_int_equal(lab->got[2].tries, 0);
	assert_int_equal(lab->devices[2].requests, 0);
	assert_true(engine_next_us(lab->engine) == LOOP_NEVER);
	start(lab, 3, &lab->devices[2]); /* too late */
	run(lab, 4);
	assert_int_equal(lab->got[3].status, RECORD_CANCELLED);
	assert_int_equal(lab->devices[2].requests, 0);
	assert_balanced(lab);
	close_lab(lab);
}

/* Who was asked may still answer, or be asked again; who was not is never asked, and the next round's targets are. */
static void test_drain(void **state)
{
	struct lab *lab = open_lab(OBJECTS);

	(void)state;
	lab->profile.timeout_us = 150000;
	lab->profile.retries = 1;
	lab->devices[0].behave = silent;
	open_engine(lab, 8);
	start(lab, 0, &lab->devices[0]);
	run_ms(lab, 20);
	assert_int_equal(lab->devices[0].requests, 1);
	engine_set_rate(lab->engine, 0.01); /* its turn is long to come */
	start(lab, 1, &lab->devices[1]);
	engine_work(lab->engine);
	assert_true(engine_next_us(lab->engine) > loop_now_us(lab->loop));
	engine_drain(lab->engine);
	assert_int_equal(lab->n, 0);
	assert_true(engine_next_us(lab->engine) <= loop_now_us(lab->loop));
	engine_work(lab->engine);
	assert_int_equal(lab->n, 1);
	assert_int_equal(lab->got[0].seq, 1);
	assert_int_equal(lab->got[0].status, RECORD_CANCELLED);
	assert_string_equal(lab->got[0].message, "stopped before it was asked");
	assert_int_equal(lab->got[0].tries, 0);
	engine_set_rate(lab->engine, 0);
	start(lab, 2, &lab->devices[1]);
	run(lab, 3);
	assert_int_equal(lab->got[1].status, RECORD_OK);
	assert_int_equal(lab->got[2].seq, 0);
	assert_int_equal(lab->got[2].status, RECORD_TIMEOUT);
	assert_int_equal(lab->got[2].tries, 2);
	assert_int_equal(lab->devices[0].requests, 2);
	assert_balanced(lab);
	close_lab(lab);
}

/* A round was cancelled; the next one is polled as ever. */
static void test_resume(void **state)
{
	struct lab *lab = open_lab(1);

	(void)state;
	lab->devices[0].behave = silent;
	open_engine(lab, 8);
	start(lab, 0, &lab->devices[0]);
	run_ms(lab, 20);
	engine_cancel(lab->engine);
	engine_work(lab->engine);
	assert_int_equal(lab->n, 1);
	engine_resume(lab->engine);
	start(lab, 1, &lab->devices[1]);
	run(lab, 2);
	assert_int_equal(lab->got[1].status, RECORD_OK);
	assert_balanced(lab);
	close_lab(lab);
}

static void test_freed_with_tasks_in_hand(void **state)
{
	struct lab *lab = open_lab(OBJECTS);

	(void)state;
	lab->devices[0].behave = second_chunk_fails;
	open_engine(lab, 8);
	start(lab, 0, &lab->devices[0]);
	start(lab, 1, &lab->devices[1]);
	run_ms(lab, 5);
	start(lab, 2, &lab->devices[0]);
	close_lab(lab); /* no record, no leak */
}

/* ---- the network */

static bool has_error_queue(void)
{
	const char *extras = getenv("WITH_LINUX_EXTRAS"); /* set by make check */

	return !extras || strcmp(extras, "no") != 0;
}

static void stop_device(struct lab *lab, struct device *d)
{
	loop_forget(lab->loop, d->fd);
	close(d->fd);
	d->fd = -1;
}

static void test_unreachable(void **state)
{
	struct lab *lab = open_lab(1);
	const struct got *g;
	char words[120];

	(void)state;
	lab->profile.timeout_us = 10000000;
	lab->profile.retries = has_error_queue() ? 5 : 0;
	lab->profile.timeout_us = has_error_queue() ? 1000000 : 20000;
	stop_device(lab, &lab->devices[0]);
	g = ask_first(lab);
	if (has_error_queue()) {
		assert_int_equal(g->status, RECORD_UNREACHABLE);
		snprintf(words, sizeof(words),
			 "nothing listens on UDP port %u there (ICMP port unreachable): is the "
			 "agent "
			 "running?",
			 lab->devices[0].addr.port);
		assert_string_equal(g->message, words);
		assert_int_equal(counted(lab, STATS_REFUSED), 1);
	} else {
		assert_int_equal(g->status, RECORD_TIMEOUT);
	}
	assert_int_equal(g->tries, 1);
	assert_int_equal(lab->devices[0].requests, 0);
	close_lab(lab);
}

/* 100 dead ports between live devices cost the live ones nothing. */
static void test_refusals_among_answers(void **state)
{
	struct lab *lab = open_lab(1);
	unsigned ok = 0;

	(void)state;
	lab->profile.timeout_us = 100000;
	lab->profile.retries = 0;
	stop_device(lab, &lab->devices[2]);
	open_engine(lab, 256);
	for (uint64_t i = 0; i < 200; i++)
		start(lab, i, &lab->devices[i % 2 ? 2 : 0]);
	run(lab, 200);
	for (unsigned i = 0; i < 200; i++) {
		if (lab->got[i].seq % 2 == 0)
			ok += lab->got[i].status == RECORD_OK;
		else
			assert_int_equal(lab->got[i].status,
					 has_error_queue() ? RECORD_UNREACHABLE : RECORD_TIMEOUT);
	}
	assert_int_equal(ok, 100);
	assert_balanced(lab);
	close_lab(lab);
}

static void test_send_error(void **state)
{
	struct lab *lab = open_lab(1);
	struct addr broadcast = {.family = 4, .ip = {127, 255, 255, 255}, .port = 161};

	(void)state;
	open_engine(lab, 8);
	start(lab, 0, &lab->devices[0]);
	start_at(lab, 1, &broadcast, 1);
	start(lab, 2, &lab->devices[0]);
	run(lab, 3);
	assert_int_equal(lab->got[0].seq, 1);
	assert_int_equal(lab->got[0].status, RECORD_UNREACHABLE);
	assert_string_equal(lab->got[0].message, "a filter forbids it (ICMP administratively "
						 "prohibited), or it is a broadcast address");
	assert_int_equal(lab->got[1].status, RECORD_OK);
	assert_int_equal(lab->got[2].status, RECORD_OK);
	assert_balanced(lab);
	close_lab(lab);
}

static void test_next_address(void **state)
{
	struct lab *lab = open_lab(1);
	struct addr addrs[3] = {{.family = 4, .ip = {127, 255, 255, 255}, .port = 161}};
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->devices[1].behave = silent;
	addrs[1] = lab->devices[1].addr;
	addrs[2] = lab->devices[0].addr;
	open_engine(lab, 8);
	start_at(lab, 7, addrs, 3);
	g = only_record(lab);
	assert_int_equal(g->status, RECORD_OK);
	assert_true(addr_equal(&g->addr, &addrs[2]));
	assert_int_equal(g->tries, 1 + 2 + 1);
	assert_int_equal(counted(lab, STATS_REFUSED), 1);
	assert_int_equal(counted(lab, STATS_UNANSWERED), 2);
	close_lab(lab);
}

static void test_last_address(void **state)
{
	struct lab *lab = open_lab(1);
	struct addr addrs[2] = {{.family = 4, .ip = {127, 255, 255, 255}, .port = 161}};
	const struct got *g;

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->profile.retries = 0;
	lab->devices[1].behave = silent;
	addrs[1] = lab->devices[1].addr;
	open_engine(lab, 8);
	start_at(lab, 7, addrs, 2);
	g = only_record(lab);
	assert_int_equal(g->status, RECORD_TIMEOUT);
	assert_memory_equal(g->message, "no answer after 1 try (is UDP ", 30);
	assert_non_null(strstr(g->message, "right?) (before: 127.255.255.255:161 unreachable)"));
	close_lab(lab);
}

/* What was noticed of one address is not said of another. */
static void test_notice_of_another_address(void **state)
{
	struct lab *lab = open_lab(1);
	struct addr addrs[2];

	(void)state;
	lab->profile.timeout_us = 20000;
	lab->profile.retries = 0;
	lab->devices[0].behave = other_community;
	lab->devices[1].behave = silent;
	addrs[0] = lab->devices[0].addr;
	addrs[1] = lab->devices[1].addr;
	open_engine(lab, 8);
	start_at(lab, 7, addrs, 2);
	assert_non_null(strstr(only_record(lab)->message, "right?) (before: 127.0.0.1:"));
	close_lab(lab);
}

/* ---- everything at once */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static uint32_t mood = 11;

static size_t moody(struct device *d, uint8_t *data, size_t len)
{
	static size_t (*const ways[])(struct device *, uint8_t *, size_t) = {
		answer,          answer,       answer,     answer,       silent,
		silent,          only_so_many, some_names, echo,         other_id,
		other_community, garbage,      cut_short,  names_nobody, answer_the_first,
	};

	d->limit = next_random(&mood) % 20 + 1;
	d->copies = next_random(&mood) % 8 ? 1 : 2;
	return ways[next_random(&mood) % (sizeof(ways) / sizeof(ways[0]))](d, data, len);
}

static void test_any_mix_is_counted_to_the_packet(void **state)
{
	struct lab *lab = open_lab(70);
	struct addr broadcast = {.family = 4, .ip = {127, 255, 255, 255}, .port = 161};
	bool seen[RECORDS - 100] = {false};
	unsigned started = 0, requests = 0;
	uint32_t seed = 3;

	(void)state;
	lab->profile.timeout_us = 3000;
	lab->profile.retries = 2;
	lab->profile.deadline_us = 60000;
	for (int i = 0; i < DEVICES; i++)
		lab->devices[i].behave = moody;
	open_engine(lab, 32);
	while (lab->n < RECORDS - 100) {
		while (started < RECORDS - 100 && engine_room(lab->engine) &&
		       next_random(&seed) % 8) {
			struct addr addrs[3];
			size_t n = next_random(&seed) % 3 + 1;

			for (size_t i = 0; i < n; i++)
				addrs[i] = next_random(&seed) % 10
						   ? lab->devices[next_random(&seed) % 3].addr
						   : broadcast;
			start_at(lab, started++, addrs, n);
		}
		turn(lab, loop_clock_us() + 1000);
		if (lab->n == RECORDS - 200)
			engine_cancel(lab->engine);
	}
	for (unsigned i = 0; i < lab->n; i++) {
		assert_false(seen[lab->got[i].seq]);
		seen[lab->got[i].seq] = true;
	}
	assert_balanced(lab);
	run_ms(lab, 10); /* the devices read what is left */
	for (int i = 0; i < DEVICES; i++)
		requests += lab->devices[i].requests;
	assert_in_range(requests, 500, lab->stats.count[STATS_SENT]);
	assert_true(lab->stats.count[STATS_SENT] <= requests + lab->stats.count[STATS_REFUSED]);
	close_lab(lab);
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
		cmocka_unit_test(test_an_answer),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_rtt_is_the_first_answers),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_too_big_for_one),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_no_such_name_and_too_big),
		cmocka_unit_test(test_too_big_after_no_such_name),
		cmocka_unit_test(test_no_such_name_without_index),
		cmocka_unit_test(test_error_status),
		cmocka_unit_test(test_unknown_error_status),
		cmocka_unit_test(test_partial_timeout),
		cmocka_unit_test(test_malformed_at_once),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_another_address),
		cmocka_unit_test(test_any_source),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_deadline_of_the_host),
		cmocka_unit_test(test_deadline_over_addresses),
		cmocka_unit_test(test_waiting_takes_no_turns),
		cmocka_unit_test(test_timer_of_the_last_request),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_renewal_while_held),
		cmocka_unit_test(test_hold_by_a_record),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_freed_with_tasks_in_hand),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_refusals_among_answers),
		cmocka_unit_test(test_send_error),
		cmocka_unit_test(test_next_address),
		cmocka_unit_test(test_last_address),
		cmocka_unit_test(test_notice_of_another_address),
		cmocka_unit_test(test_any_mix_is_counted_to_the_packet),
	};

	return cmocka_run_group_tests(tests, start_library, NULL);
}

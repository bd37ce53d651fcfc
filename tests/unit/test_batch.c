/* batch: bodies there and back, cut, out of bounds, and random octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/task.h"
#include "link/batch.h"

struct body {
	uint8_t octets[BATCH_BODY_MAX];
	struct wire_out w;
};

static struct body *body_new(void)
{
	struct body *b = malloc(sizeof(*b));

	assert_non_null(b);
	b->w = (struct wire_out){.at = b->octets, .end = b->octets + sizeof(b->octets)};
	return b;
}

static struct wire_in body_in(const struct body *b)
{
	return (struct wire_in){.at = b->octets, .end = b->w.at};
}

/* ---- heads */

static void test_head(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		uint8_t octets[BATCH_HEAD_PACKED];
		struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
		struct batch_head h = {.kind = (uint8_t)kind, .run = 0x0102030405060708}, back;
		struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};
		bool other, ok = kind >= BATCH_OF_TASKS && kind <= BATCH_DRAIN;

		batch_head_pack(&h, &w);
		assert_false(w.full);
		assert_ptr_equal(w.at, w.end);
		assert_int_equal(batch_head_unpack(&back, &r, &other), ok);
		assert_false(other);
		assert_int_equal(back.kind, kind);
		assert_true(back.run == h.run);
	}
}

static void test_head_of_others(void **state)
{
	uint8_t octets[BATCH_HEAD_PACKED];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct batch_head h = {.kind = BATCH_OVER};
	bool other;

	(void)state;
	batch_head_pack(&h, &w);
	for (size_t have = 0; have < sizeof(octets); have++) {
		struct wire_in r = {.at = octets, .end = octets + have};

		assert_false(batch_head_unpack(&h, &r, &other));
		assert_false(other);
	}
	octets[1]++;
	assert_false(batch_head_unpack(
		&h, &(struct wire_in){.at = octets, .end = octets + sizeof(octets)}, &other));
	assert_true(other);
	octets[0]++;
	assert_false(batch_head_unpack(
		&h, &(struct wire_in){.at = octets, .end = octets + sizeof(octets)}, &other));
	assert_false(other);
}

/* ---- tasks */

static struct batch_tasks some_tasks(void)
{
	struct batch_tasks t = {
		.number = 77, .attempt = 2, .until_us = INT64_C(1700000000000000), .count = 64};

	strcpy(t.master, "multisnmp-noc.example-4711");
	return t;
}

static bool tasks_taken(const struct batch_tasks *t, struct batch_tasks *back)
{
	struct body *b = body_new();
	struct wire_in r;
	bool ok;

	batch_tasks_pack(t, &b->w);
	r = body_in(b);
	ok = batch_tasks_unpack(back, &r);
	assert_true(!ok || r.at == r.end);
	for (const uint8_t *end = b->octets; end < b->w.at; end++) {
		struct wire_in cut = {.at = b->octets, .end = end};
		struct batch_tasks none;

		assert_false(batch_tasks_unpack(&none, &cut));
	}
	free(b);
	return ok;
}

static void test_tasks(void **state)
{
	struct batch_tasks t = some_tasks(), back;

	(void)state;
	assert_true(tasks_taken(&t, &back));
	assert_true(back.number == t.number && back.until_us == t.until_us);
	assert_int_equal(back.attempt, t.attempt);
	assert_int_equal(back.count, t.count);
	assert_string_equal(back.master, t.master);
}

static void test_tasks_out_of_bounds(void **state)
{
	struct batch_tasks t = some_tasks(), back;

	(void)state;
	t.attempt = 0;
	assert_false(tasks_taken(&t, &back));
	t = some_tasks();
	t.count = 0;
	assert_false(tasks_taken(&t, &back));
	t.count = BATCH_TASKS + 1;
	assert_false(tasks_taken(&t, &back));
	t = some_tasks();
	t.until_us = -1;
	assert_false(tasks_taken(&t, &back));
	t.until_us = 0;
	assert_true(tasks_taken(&t, &back));
	strcpy(t.master, "");
	assert_false(tasks_taken(&t, &back));
	strcpy(t.master, "no#wildcards");
	assert_false(tasks_taken(&t, &back));
	strcpy(t.master, "-o");
	assert_false(tasks_taken(&t, &back));
}

/* ---- targets */

static struct learnt much_learnt(void)
{
	return (struct learnt){.clocked = true,
			       .timed = true,
			       .silent = 9,
			       .address = TASK_ADDRS_MAX - 1,
			       .engine_id_len = ENGINE_ID_MAX,
			       .engine_id = {7, [ENGINE_ID_MAX - 1] = 9},
			       .boots = 3,
			       .time_s = 4,
			       .srtt_us = 5,
			       .rttvar_us = 6,
			       .stamp_us = loop_clock_us() - 5000000};
}

/* The longest of all: host and name, all that can be learnt. */
static struct plan_target largest(char host[TASK_HOST_MAX + 1])
{
	memset(host, 'h', TASK_HOST_MAX);
	host[TASK_HOST_MAX] = '\0';
	return (struct plan_target){.seq = UINT64_C(0x0102030405060708),
				    .profile = 7,
				    .host = host,
				    .name = host,
				    .port = 1161,
				    .family = 6,
				    .transport = TRANSPORT_TLSTCP};
}

static struct plan_target plain(void)
{
	return (struct plan_target){.seq = 1,
				    .addr = {.family = 4, .ip = {192, 0, 2, 1}, .port = 161}};
}

static void assert_same_text(const char *a, const char *b)
{
	if (a)
		assert_string_equal(a, b);
	else
		assert_null(b);
}

static void assert_same_target(const struct plan_target *a, const struct plan_target *b)
{
	assert_true(a->seq == b->seq);
	assert_int_equal(a->profile, b->profile);
	assert_same_text(a->host, b->host);
	assert_same_text(a->name, b->name);
	assert_same_text(a->path, b->path);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->family, b->family);
	assert_int_equal(a->transport, b->transport);
	if (!a->name && !a->path)
		assert_true(addr_equal(&a->addr, &b->addr));
}

struct unpacked {
	struct plan_target target;
	struct batch_store store;
	bool learns;
	struct learnt known;
};

static bool target_taken(const struct plan_target *t, const struct learnt *known,
			 struct unpacked *u)
{
	struct body *b = body_new();
	struct wire_in r;
	bool ok;

	batch_target_pack(t, known, &b->w);
	assert_false(b->w.full);
	assert_true(b->w.at - b->octets <= BATCH_TARGET_MAX);
	r = body_in(b);
	ok = batch_target_unpack(&u->target, &u->store, &u->learns, &u->known, &r);
	assert_true(!ok || r.at == r.end);
	for (const uint8_t *end = b->octets; end < b->w.at; end++) {
		struct wire_in cut = {.at = b->octets, .end = end};
		struct unpacked none;

		assert_false(batch_target_unpack(&none.target, &none.store, &none.learns,
						 &none.known, &cut));
	}
	free(b);
	return ok;
}

static void test_targets(void **state)
{
	char host[TASK_HOST_MAX + 1], path[TASK_PATH_MAX + 1];
	struct plan_target t = largest(host);
	struct learnt known = much_learnt();
	struct unpacked u;

	(void)state;
	assert_true(target_taken(&t, &known, &u));
	assert_same_target(&t, &u.target);
	assert_true(u.learns);
	/* 5 s old there, and a bit more here */
	assert_true(u.known.stamp_us >= known.stamp_us);
	assert_true(u.known.stamp_us < known.stamp_us + 60000000);
	known.stamp_us = u.known.stamp_us = 0;
	assert_int_equal(u.known.srtt_us, known.srtt_us);
	assert_int_equal(u.known.boots, known.boots);
	assert_int_equal(u.known.silent, known.silent);
	assert_memory_equal(u.known.engine_id, known.engine_id, ENGINE_ID_MAX);

	t = plain();
	assert_true(target_taken(&t, NULL, &u));
	assert_same_target(&t, &u.target);
	assert_false(u.learns);

	memset(path, 'p', TASK_PATH_MAX);
	path[TASK_PATH_MAX] = '\0';
	t = (struct plan_target){.host = "unix:...", .path = path, .transport = TRANSPORT_UNIX};
	assert_true(target_taken(&t, &(struct learnt){0}, &u));
	assert_same_target(&t, &u.target);
	assert_true(u.learns);
	assert_false(u.known.clocked);
}

/* Another number, and nothing else; then the next one's turn. */
/* Past a target that nobody reads, and never past the end. */
static void test_targets_skip(void **state)
{
	struct plan_target a = {.seq = 7, .host = "a", .name = "a.example", .port = 161};
	struct body *in = body_new();
	struct learnt known = {.address = 1};
	struct wire_in r;

	(void)state;
	batch_target_pack(&a, &known, &in->w);
	batch_target_pack(&a, NULL, &in->w);
	r = body_in(in);
	assert_true(batch_target_skip(&r));
	assert_true(r.at > in->octets && r.at < r.end);
	assert_true(batch_target_skip(&r));
	assert_ptr_equal(r.at, r.end);
	assert_false(batch_target_skip(&r));
	r = body_in(in);
	r.end--;
	assert_true(batch_target_skip(&r));
	assert_false(batch_target_skip(&r));
	free(in);
}

/* Where not all of it has room this is said, and nothing is written behind. */
static void test_targets_no_room(void **state)
{
	struct plan_target t = plain();
	struct learnt known = {.silent = 1};
	uint8_t octets[BATCH_TARGET_MAX + 1];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	size_t len;

	(void)state;
	batch_target_pack(&t, &known, &w);
	assert_false(w.full);
	len = (size_t)(w.at - octets);
	for (size_t room = 0; room < len; room++) {
		memset(octets, 0xee, sizeof(octets));
		w = (struct wire_out){.at = octets, .end = octets + room};
		batch_target_pack(&t, &known, &w);
		assert_true(w.full);
		for (size_t i = room; i <= len; i++)
			assert_int_equal(octets[i], 0xee);
	}
}

static void test_targets_out_of_bounds(void **state)
{
	struct plan_target t;
	struct unpacked u;
	struct learnt known = {0};

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		t = (struct plan_target){.name = "n", .family = (uint8_t)i};
		assert_int_equal(target_taken(&t, NULL, &u), i == 0 || i == 4 || i == 6);
		t = plain();
		t.transport = (uint8_t)i;
		assert_int_equal(target_taken(&t, NULL, &u),
				 i < TRANSPORT_COUNT && i != TRANSPORT_UNIX);
		t = plain();
		t.addr.family = (uint8_t)i;
		assert_int_equal(target_taken(&t, NULL, &u), i == 4 || i == 6);
		known.address = (uint8_t)i;
		t = plain();
		assert_int_equal(target_taken(&t, &known, &u), i < TASK_ADDRS_MAX);
	}
	t = plain();
	t.path = "/run/snmp"; /* a path of UDP */
	assert_false(target_taken(&t, NULL, &u));
	t.transport = TRANSPORT_UNIX;
	assert_true(target_taken(&t, NULL, &u));
	t.name = "both"; /* and a name */
	assert_false(target_taken(&t, NULL, &u));
}

/* A host longer than a record may show is cut when it is packed: nobody makes a bad message. */
static void test_host_too_long(void **state)
{
	char host[70000];
	struct plan_target t = plain();
	struct unpacked u;

	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	t.host = host;
	assert_true(target_taken(&t, NULL, &u));
	assert_int_equal(strlen(u.target.host), TASK_HOST_MAX);
}

/* What most targets have not takes no room: a block's are 39 octets each. An empty host is none. */
static void test_target_is_small(void **state)
{
	struct body *b = body_new();
	struct plan_target t = plain();
	struct unpacked u;

	(void)state;
	t.host = "";
	batch_target_pack(&t, NULL, &b->w);
	assert_int_equal(b->w.at - b->octets, 39);
	assert_true(target_taken(&t, NULL, &u));
	assert_null(u.target.host);
	free(b);
}

/* A bit that there is not, both a name and a path, an address that is not there. */
static void test_target_has_what_there_is(void **state)
{
	struct body *b = body_new();

	(void)state;
	batch_target_pack(&(struct plan_target){.seq = 5, .addr = {.family = 4}}, NULL, &b->w);
	for (unsigned has = 0; has < 256; has++) {
		struct wire_in r = body_in(b);
		struct unpacked u;

		b->octets[2] = (uint8_t)has;
		assert_int_equal(batch_target_unpack(&u.target, &u.store, &u.learns, &u.known, &r),
				 has == 0);
	}
	free(b);
}

/* By hand: a text of that length with that octet in it; a tail of the target's that is not filled. */
static bool text_taken(uint16_t len, uint8_t octet, size_t more)
{
	static uint8_t octets[70000], inner[70000], text[UINT16_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_out in = {.at = inner, .end = inner + sizeof(inner)};
	struct addr a = {.family = 4};
	struct wire_in r = {.at = octets};
	struct unpacked u = {0};

	memset(text, octet, sizeof(text));
	wire_put_u8(&in, 1); /* it has a host */
	wire_put_u64(&in, 1);
	wire_put_u32(&in, 0);
	wire_put_u8(&in, TRANSPORT_UDP);
	wire_put_str(&in, text, len);
	addr_pack(&a, &in);
	wire_put_bytes(&in, text, more);
	wire_put_str(&w, inner, (uint16_t)(in.at - inner));
	r.end = w.at;
	return batch_target_unpack(&u.target, &u.store, &u.learns, &u.known, &r);
}

static void test_text_out_of_bounds(void **state)
{
	(void)state;
	assert_true(text_taken(TASK_HOST_MAX, 'h', 0));
	assert_false(text_taken(TASK_HOST_MAX + 1, 'h', 0));
	assert_false(text_taken(60000, 'h', 0));
	assert_true(text_taken(1, 'h', 0));
	assert_false(text_taken(0, 'h', 0));
	assert_false(text_taken(1, '\0', 0));
	assert_false(text_taken(1, 'h', 1));
	assert_false(text_taken(1, 'h', BATCH_TARGET_MAX));
}

/* An engine's clock that was set before this machine started cannot be told here: it is not known then. */
static void test_older_than_this_machine(void **state)
{
	struct learnt known = much_learnt();
	struct plan_target t = plain();
	struct body *b = body_new();
	struct unpacked u;
	struct wire_in r;

	(void)state;
	batch_target_pack(&t, &known, &b->w);
	for (uint8_t *p = b->w.at - 8; p < b->w.at; p++) /* the stamp comes last */
		*p = p == b->w.at - 8 ? 0x7f : 0xff;
	r = body_in(b);
	assert_true(batch_target_unpack(&u.target, &u.store, &u.learns, &u.known, &r));
	assert_true(u.learns);
	assert_false(u.known.clocked);
	assert_int_equal(u.known.srtt_us, known.srtt_us);
	free(b);
}

/* ---- results */

static struct batch_results some_results(void)
{
	struct batch_results b = {.incarnation = UINT64_MAX, .number = 3, .count = 2};

	strcpy(b.agent, "agent-1");
	strcpy(b.site, "north");
	for (size_t i = 0; i < STATS_COUNT; i++)
		b.stats.count[i] = i + 1;
	return b;
}

static bool results_taken(const struct batch_results *b, struct batch_results *back)
{
	struct body *body = body_new();
	struct wire_in r;
	bool ok;

	batch_results_pack(b, &body->w);
	r = body_in(body);
	ok = batch_results_unpack(back, &r);
	assert_true(!ok || r.at == r.end);
	for (const uint8_t *end = body->octets; end < body->w.at; end++) {
		struct wire_in cut = {.at = body->octets, .end = end};
		struct batch_results none;

		assert_false(batch_results_unpack(&none, &cut));
	}
	free(body);
	return ok;
}

static void test_results(void **state)
{
	struct batch_results b = some_results(), back;

	(void)state;
	assert_true(results_taken(&b, &back));
	assert_string_equal(back.agent, b.agent);
	assert_string_equal(back.site, b.site);
	assert_true(back.incarnation == b.incarnation && back.number == b.number);
	assert_memory_equal(&back.stats, &b.stats, sizeof(b.stats));
	assert_int_equal(back.count, b.count);
	b.number = 0;
	assert_false(results_taken(&b, &back));
	b = some_results();
	strcpy(b.agent, "");
	assert_false(results_taken(&b, &back));
	b = some_results();
	strcpy(b.site, "a b");
	assert_false(results_taken(&b, &back));
}

static struct batch_result last_piece(struct record_head *head)
{
	*head = (struct record_head){
		.seq = 99, /* these two mean nothing elsewhere */
		.lease = 98,
		.status = RECORD_OK,
		.tries = 2,
		.rtt_us = 3,
		.engine_id_len = ENGINE_ID_MAX,
		.engine_id = {1, 2, 3},
		.addr = {.family = 4, .port = 161},
		.learns = true,
		.learnt = much_learnt(),
	};
	return (struct batch_result){
		.seq = 12,
		.poll = 1,
		.before = 2,
		.attempt = 1,
		.head = head,
		.addr = {.family = 6, .port = 161, .ip = {32, 1}},
		.front = (const uint8_t *)"front",
		.front_len = 5,
		.octets = (const uint8_t *)"octets",
		.len = 6,
	};
}

static bool result_taken(const struct batch_result *b, struct body *body, struct batch_result *back,
			 struct record_head *head)
{
	struct wire_in r;
	bool ok;

	body->w.at = body->octets;
	batch_result_pack(b, &body->w);
	assert_false(body->w.full);
	assert_true((size_t)(body->w.at - body->octets) <=
		    BATCH_RESULT_MAX + b->front_len + b->len);
	r = body_in(body);
	ok = batch_result_unpack(back, head, &r);
	assert_true(!ok || r.at == r.end);
	for (const uint8_t *end = body->octets; end < body->w.at; end++) {
		struct wire_in cut = {.at = body->octets, .end = end};
		struct batch_result none;
		struct record_head no_head;

		assert_false(batch_result_unpack(&none, &no_head, &cut));
	}
	return ok;
}

static void test_last_piece(void **state)
{
	struct body *body = body_new();
	struct record_head head, end;
	struct batch_result b = last_piece(&head), back;

	(void)state;
	assert_true(result_taken(&b, body, &back, &end));
	assert_ptr_equal(back.head, &end);
	assert_true(back.seq == 12 && end.seq == 12 && end.lease == 0);
	assert_int_equal(back.attempt, 1);
	assert_int_equal(back.poll, 1);
	assert_int_equal(back.before, 2);
	assert_int_equal(end.tries, 2);
	assert_true(end.rtt_us == 3 && end.engine_id_len == ENGINE_ID_MAX);
	assert_memory_equal(end.engine_id, head.engine_id, ENGINE_ID_MAX);
	assert_true(addr_equal(&end.addr, &head.addr));
	assert_int_equal(end.learnt.boots, 3);
	assert_true(end.learnt.stamp_us >= head.learnt.stamp_us);
	assert_true(end.learnt.stamp_us < head.learnt.stamp_us + 60000000);
	assert_true(addr_equal(&back.addr, &b.addr));
	assert_int_equal(back.front_len, 5);
	assert_memory_equal(back.front, "front", 5);
	assert_int_equal(back.len, 6);
	assert_memory_equal(back.octets, "octets", 6);
	free(body);
}

/* What most records have not takes no room: 33 octets and the record's own. */
static void test_row_is_small(void **state)
{
	struct body *body = body_new();
	struct record_head head = {.status = RECORD_TIMEOUT, .tries = 4, .rtt_us = -1}, end;
	struct batch_result b = {.seq = UINT64_MAX,
				 .poll = 7,
				 .attempt = 3,
				 .head = &head,
				 .octets = (const uint8_t *)"octets",
				 .len = 6},
			    back;

	(void)state;
	assert_true(result_taken(&b, body, &back, &end));
	assert_int_equal(body->w.at - body->octets, 33 + 6);
	assert_true(back.seq == UINT64_MAX && back.poll == 7 && back.attempt == 3);
	assert_true(back.before == 0 && back.addr.family == 0 && back.front_len == 0);
	assert_true(back.head == &end && end.rtt_us == -1 && end.tries == 4);
	assert_int_equal(end.status, RECORD_TIMEOUT);
	assert_false(end.learns || end.engine_id_len > 0);
	free(body);
}

static void test_piece(void **state)
{
	struct body *body = body_new();
	struct record_head end;
	struct batch_result b = {.seq = 5,
				 .attempt = 255,
				 .addr = {.family = 4}, /* these two are a last piece's */
				 .front = (const uint8_t *)"front",
				 .front_len = 5,
				 .octets = (const uint8_t *)"middle",
				 .len = 6},
			    back;

	(void)state;
	assert_true(result_taken(&b, body, &back, &end));
	assert_true(back.seq == 5 && back.head == NULL && back.front_len == 0);
	assert_int_equal(back.addr.family, 0);
	assert_int_equal(back.attempt, 255);
	assert_memory_equal(back.octets, "middle", 6);
	b.attempt = 0;
	assert_false(result_taken(&b, body, &back, &end));
	free(body);
}

/* Whether its first octet may be that one, all else as it was packed. */
static bool result_may_have(struct body *body, uint8_t has)
{
	struct batch_result back;
	struct record_head end;
	struct wire_in r = body_in(body);

	body->octets[0] = has;
	return batch_result_unpack(&back, &end, &r);
}

static void test_result_out_of_bounds(void **state)
{
	struct body *body = body_new();
	struct record_head head, end;
	struct batch_result b = last_piece(&head), back;

	(void)state;
	assert_true(result_taken(&b, body, &back, &end));
	assert_true(result_may_have(body, 15));
	assert_false(result_may_have(body, 15 + 16)); /* what there is not */
	body->w.at = body->octets;
	for (unsigned i = 0; i < 200; i++) /* as a piece with an address, a front: 1s, then 0s */
		wire_put_u8(&body->w, i < 14);
	assert_true(result_may_have(body, 0) && result_may_have(body, 1));
	assert_false(result_may_have(body, 4) || result_may_have(body, 8));
	head.status = RECORD_STATUS_COUNT;
	assert_false(result_taken(&b, body, &back, &end));
	b = last_piece(&head);
	b.addr.family = 5;
	assert_false(result_taken(&b, body, &back, &end));
	free(body);
}

/* ---- whatever comes */

static void unpack_all(const uint8_t *p, size_t len)
{
	struct wire_in r = {.at = p, .end = p + len};
	struct batch_head h;
	struct batch_tasks t;
	struct batch_results b;
	struct batch_result result;
	struct record_head head;
	struct unpacked u;
	bool other;

	(void)batch_head_unpack(&h, &r, &other);
	r = (struct wire_in){.at = p, .end = p + len};
	(void)batch_tasks_unpack(&t, &r);
	r = (struct wire_in){.at = p, .end = p + len};
	if (batch_target_unpack(&u.target, &u.store, &u.learns, &u.known, &r))
		assert_true(!u.target.host || strlen(u.target.host) <= TASK_HOST_MAX);
	r = (struct wire_in){.at = p, .end = p + len};
	(void)batch_results_unpack(&b, &r);
	r = (struct wire_in){.at = p, .end = p + len};
	if (batch_result_unpack(&result, &head, &r) && result.len)
		assert_true(result.octets >= p && result.octets + result.len <= p + len);
}

/* Bodies of ours with octets changed, and noise: nothing is read or written outside (AddressSanitizer's build). */
static void test_random_octets(void **state)
{
	struct body *body = body_new();
	struct record_head head;
	struct batch_result result = last_piece(&head);
	struct learnt known = much_learnt();
	char host[TASK_HOST_MAX + 1];
	struct plan_target target = largest(host);

	(void)state;
	srand(11);
	for (unsigned i = 0; i < 30000; i++) {
		size_t len;
		uint8_t *copy;

		body->w.at = body->octets;
		if (i % 3 == 0)
			batch_result_pack(&result, &body->w);
		else if (i % 3 == 1)
			batch_target_pack(&target, &known, &body->w);
		else
			for (unsigned n = (unsigned)rand() % 200; n; n--)
				wire_put_u8(&body->w, (uint8_t)rand());
		len = (size_t)(body->w.at - body->octets);
		for (unsigned n = (unsigned)rand() % 4; n && len; n--)
			body->octets[(size_t)rand() % len] = (uint8_t)rand();
		copy = malloc(len + 1); /* of just that size, for AddressSanitizer */
		assert_non_null(copy);
		memcpy(copy, body->octets, len);
		unpack_all(copy, len);
		free(copy);
	}
	free(body);
}

static void test_names(void **state)
{
	char name[BROKER_NAME_MAX + 2] = {0};

	(void)state;
	memset(name, 'a', BROKER_NAME_MAX);
	assert_true(broker_name_ok(name));
	name[BROKER_NAME_MAX] = 'a';
	assert_false(broker_name_ok(name));
	assert_true(broker_name_ok("a.B-9_"));
	assert_true(broker_name_ok("_"));
	assert_false(broker_name_ok(""));
	assert_false(broker_name_ok(".a"));
	assert_false(broker_name_ok("-a"));
	assert_false(broker_name_ok("a b"));
	assert_false(broker_name_ok("a/b"));
	assert_false(broker_name_ok("\303\244"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_head_of_others),
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_tasks_out_of_bounds),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_target_is_small),
		cmocka_unit_test(test_target_has_what_there_is),
		cmocka_unit_test(test_targets_skip),
		cmocka_unit_test(test_targets_no_room),
		cmocka_unit_test(test_targets_out_of_bounds),
		cmocka_unit_test(test_host_too_long),
		cmocka_unit_test(test_text_out_of_bounds),
		cmocka_unit_test(test_older_than_this_machine),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_last_piece),
		cmocka_unit_test(test_row_is_small),
		cmocka_unit_test(test_piece),
		cmocka_unit_test(test_result_out_of_bounds),
		cmocka_unit_test(test_random_octets),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

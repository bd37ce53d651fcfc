/*
 * Octets of workers and of the resolver, which may have been taken over, into the master: the whole of master_run(),
 * with children that are the fuzzer.
 *
 * An input is a list of steps, one a turn of the loop: octets as they are, in any pieces; frames of any kind; records,
 * parts, counters and addresses that are right but for one thing; silence, death, forks that fail, an output that
 * takes nothing, signals. After its end the children do what they should, so that the run comes to its end.
 *
 * What must hold: the run ends; every target has one record, or the result says why not; nobody is leased what another
 * one has.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "double_loop.h"
#include "double_proc.h"
#include "double_random.h"
#include "out/format.h"
#include "pool/lookup.h"
#include "pool/master_internal.h"
#include "pool/message.h"

#define WORKERS   2
#define SESSIONS  2 /* as many as there are such targets */
#define CHILDREN  (WORKERS + SESSIONS + 1)
#define TARGETS   10
#define HELD_MAX  16
#define TURNS_MAX 50000
#define PARTS_MAX 900000 /* octets of all parts: the spool makes no file for so much */
#define NOBODY    UINT32_MAX

struct held {
	uint64_t seq;
	uint32_t lease;
};
struct worker_peer {                /* what a child knows */
	struct held held[HELD_MAX]; /* leases, or tickets of names */
	unsigned n;
	unsigned births;
	bool pinged, stop, stopped;
};
struct trial {
	struct input in;
	struct worker_peer peers[CHILDREN];
	uint32_t owner[TARGETS]; /* whom a target is leased to */
	size_t parts;
	unsigned blocked; /* turns in which the output takes nothing */
	int output;       /* the reader's end of standard output */
};

/* ---- the child's side */

static void forget(struct trial *r, unsigned child)
{
	for (unsigned i = 0; i < TARGETS; i++)
		if (r->owner[i] == child)
			r->owner[i] = NOBODY;
	r->peers[child] = (struct worker_peer){.births = double_peer(child)->births};
}

static void drop_held(struct worker_peer *p, unsigned i)
{
	p->held[i] = p->held[--p->n];
}

static void take_tasks(struct trial *r, unsigned child, const struct queue_frame *f)
{
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	struct worker_peer *p = &r->peers[child];
	struct task_store store;
	struct task t;

	while (in.at < in.end) {
		FUZZ_CHECK(task_unpack(&t, &store, &in) && t.seq < TARGETS && p->n < HELD_MAX);
		FUZZ_CHECK(r->owner[t.seq] == NOBODY);
		r->owner[t.seq] = child;
		p->held[p->n++] = (struct held){t.seq, t.lease};
	}
}

static void take_name(struct worker_peer *p, const struct queue_frame *f)
{
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	struct lookup_question q;

	FUZZ_CHECK(lookup_question_unpack(&q, &in) && p->n < HELD_MAX);
	p->held[p->n++] = (struct held){.lease = q.ticket};
}

static void listen_to_master(struct trial *r, unsigned child)
{
	struct double_peer *d = double_peer(child);
	struct worker_peer *p = &r->peers[child];
	struct queue_frame f;

	if (d->frames.fd < 0)
		return;
	frames_flush(&d->frames);
	while (frames_next(&d->frames, &f)) {
		if (f.kind == MESSAGE_TASKS)
			take_tasks(r, child, &f);
		else if (f.kind == MESSAGE_NAME)
			take_name(p, &f);
		else if (f.kind == MESSAGE_STOP)
			p->stop = true;
		else if (f.kind == MESSAGE_PING)
			p->pinged = true;
		else
			FUZZ_CHECK(f.kind == MESSAGE_CANCEL || f.kind == MESSAGE_RATE);
	}
	if (d->frames.ended && p->stopped)
		double_peer_close(d);
}

static void put(unsigned child, uint8_t kind, const void *p, size_t len)
{
	struct double_peer *d = double_peer(child);

	if (d->frames.fd >= 0)
		frames_put(&d->frames, kind, p, len);
}

/* ---- what a child says */

enum twist {
	TWIST_SEQ = 1,
	TWIST_LEASE = 2,
	TWIST_STATUS = 4,
	TWIST_ENGINE = 8,
	TWIST_FRONT = 16,
	TWIST_RTT = 32,
	TWIST_LEARNT = 64
};

struct said { /* of a record */
	const uint8_t *front, *rest;
	size_t front_len, rest_len;
	uint8_t twist, status;
};

static void put_record(struct trial *r, unsigned child, unsigned which, const struct said *s)
{
	struct worker_peer *p = &r->peers[child];
	struct held h = p->n ? p->held[which % p->n] : (struct held){0};
	struct record_head head = {.seq = h.seq + (s->twist & TWIST_SEQ ? 1 : 0),
				   .lease = h.lease + (s->twist & TWIST_LEASE ? 1 : 0),
				   .status = s->twist & TWIST_STATUS ? s->status : RECORD_OK,
				   .tries = 1,
				   .rtt_us = s->twist & TWIST_RTT ? INT64_MAX : 100};
	uint8_t octets[RECORD_HEAD_PACKED_MAX + 4 + 512];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	if (s->twist & TWIST_ENGINE) {
		head.engine_id_len = (uint8_t)(s->status % 40);
		head.engine_id[0] = s->status;
		head.addr = (struct addr){.family = 4, .ip = {s->status}, .port = 161};
	}
	if (s->twist & TWIST_LEARNT) {
		head.learns = true;
		head.learnt = (struct learnt){.address = s->status & 1,
					      .silent = s->status,
					      .timed = s->status & 2,
					      .srtt_us = UINT32_MAX >> (s->status & 7),
					      .clocked = s->status & 4,
					      .stamp_us = s->status & 8 ? INT64_MAX : 0,
					      .engine_id_len = (uint8_t)(s->status % 40)};
		if (head.learnt.engine_id_len > ENGINE_ID_MAX)
			head.learnt.engine_id_len = 0;
	}
	record_head_pack(&head, &w);
	wire_put_u32(&w, (uint32_t)s->front_len + (s->twist & TWIST_FRONT ? 300 : 0));
	wire_put_bytes(&w, s->front, s->front_len);
	wire_put_bytes(&w, s->rest, s->rest_len);
	put(child, MESSAGE_RECORD, octets, (size_t)(w.at - octets));
	if (p->n && !(s->twist & (TWIST_SEQ | TWIST_LEASE | TWIST_FRONT))) {
		r->owner[h.seq] = NOBODY;
		drop_held(p, which % p->n);
	}
}

static void put_part(struct trial *r, unsigned child, unsigned which, size_t len)
{
	static uint8_t octets[4 + 60000];
	struct worker_peer *p = &r->peers[child];
	struct wire_out w = {.at = octets, .end = octets + 4};

	wire_put_u32(&w, p->n ? p->held[which % p->n].lease : which);
	len = len < sizeof(octets) - 4 ? len : sizeof(octets) - 4;
	if (r->parts + len > PARTS_MAX)
		return;
	r->parts += len;
	put(child, MESSAGE_PART, octets, 4 + len);
}

static void put_address(struct trial *r, unsigned which, bool known)
{
	struct worker_peer *p = &r->peers[CHILDREN - 1];
	struct lookup_answer a = {.count = known, .message = "there is no such name"};
	uint8_t octets[LOOKUP_ANSWER_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	if (!p->n)
		return;
	a.ticket = p->held[which % p->n].lease;
	a.addrs[0] = (struct addr){.family = 4, .ip = {192, 0, 2, 77}};
	drop_held(p, which % p->n);
	lookup_answer_pack(&a, &w);
	put(CHILDREN - 1, MESSAGE_ADDRESSES, octets, (size_t)(w.at - octets));
}

/* It does what it should. */
static void obey(struct trial *r, unsigned child)
{
	static const struct said good = {.rest = (const uint8_t *)"x\n", .rest_len = 2};
	struct worker_peer *p = &r->peers[child];

	while (child < CHILDREN - 1 && p->n > 0 && double_peer(child)->frames.fd >= 0)
		put_record(r, child, 0, &good);
	while (child == CHILDREN - 1 && p->n > 0)
		put_address(r, 0, true);
	if (p->pinged)
		put(child, MESSAGE_PONG, NULL, 0);
	p->pinged = false; /* once: who is always ready keeps the clock from moving */
	if (!p->stop || p->stopped)
		return;
	put(child, MESSAGE_STOPPED, NULL, 0);
	p->stopped = true;
}

/* ---- steps */

static void step_raw(struct trial *r, unsigned child)
{
	const uint8_t *p;
	size_t len = input_octets(&r->in, &p);

	if (double_peer(child)->frames.fd >= 0)
		frames_put_raw(&double_peer(child)->frames, p, len);
}

static void step_frame(struct trial *r, unsigned child)
{
	uint8_t kind = input_u8(&r->in);
	const uint8_t *p;
	size_t len = input_octets(&r->in, &p);

	put(child, kind, p, len);
}

static void step_record(struct trial *r, unsigned child)
{
	uint8_t which = input_u8(&r->in);
	struct said s = {.twist = input_u8(&r->in), .status = input_u8(&r->in)};

	s.front_len = input_octets(&r->in, &s.front);
	s.rest_len = input_octets(&r->in, &s.rest);
	put_record(r, child, which, &s);
}

static void step_part(struct trial *r, unsigned child)
{
	uint8_t which = input_u8(&r->in);

	put_part(r, child, which, (size_t)input_u8(&r->in) * 256);
}

static void step_word(struct trial *r, unsigned child)
{
	uint8_t octets[STATS_PACKED] = {0};

	switch (input_u8(&r->in) % 3) {
	case 0:
		put(child, MESSAGE_STATS, octets, sizeof(octets));
		break;
	case 1:
		put(child, MESSAGE_PONG, NULL, 0);
		break;
	default:
		put(child, MESSAGE_STOPPED, NULL, 0);
		break;
	}
}

static void step_addresses(struct trial *r)
{
	uint8_t which = input_u8(&r->in);

	put_address(r, which >> 1, which & 1);
}

/* What stands in the page that is shared: its worker's to write. */
static void step_page(struct trial *r, unsigned child, struct master *m)
{
	uint64_t seq = input_u8(&r->in);

	if (m && child < WORKERS + SESSIONS)
		atomic_store(&cell_of(m->cells, child)->at_work, seq == 0xff ? UINT64_MAX : seq);
}

static void step_world(struct trial *r, struct master *m)
{
	uint8_t how = input_u8(&r->in);

	switch (how & 7) {
	case 0:
		r->blocked = how >> 3;
		break;
	case 1:
		double_late(INT64_C(3000000) * (how >> 3));
		break;
	case 2:
		double_proc_refuse(how >> 3);
		break;
	case 3:
		double_signal(how & 8 ? SIGTERM : how & 16 ? SIGHUP : SIGINT);
		if (m)
			double_ready(m->loop, DOUBLE_FD_MIN, LOOP_READ);
		break;
	default:
		double_clock_step(INT64_C(100000) * how);
		break;
	}
}

static void step(struct trial *r, struct master *m)
{
	uint8_t op = input_u8(&r->in);
	unsigned child = (op >> 4) % CHILDREN;

	switch (op & 15) {
	case 0:
	case 1:
		step_raw(r, child);
		break;
	case 2:
	case 3:
		step_frame(r, child);
		break;
	case 4:
	case 5:
	case 6:
		step_record(r, child);
		break;
	case 7:
	case 8:
		step_part(r, child);
		break;
	case 9:
		step_word(r, child);
		break;
	case 10:
		double_peer_close(double_peer(child));
		break;
	case 11:
	case 12:
		step_addresses(r);
		break;
	case 13:
		step_page(r, child, m);
		break;
	case 14:
		obey(r, child);
		break;
	default:
		step_world(r, m);
		break;
	}
}

/* ---- the run */

/* Called when the loop would sleep: the others act. */
static void turn(void *arg)
{
	struct trial *r = arg;
	static uint8_t octets[65536];

	FUZZ_CHECK(double_turns() < TURNS_MAX);
	if (r->blocked > 0)
		r->blocked--;
	else
		while (read(r->output, octets, sizeof(octets)) > 0)
			;
	for (unsigned i = 0; i < CHILDREN;
	     i++) /* first: what the dead had may be another one's now */
		if (r->peers[i].births != double_peer(i)->births || double_peer(i)->frames.fd < 0)
			forget(r, i);
	for (unsigned i = 0; i < CHILDREN; i++)
		listen_to_master(r, i);
	if (input_left(&r->in) > 0) {
		step(r, double_master());
		return;
	}
	for (unsigned i = 0; i < CHILDREN; i++)
		obey(r, i);
}

/* Standard output is a pipe that the fuzzer reads, or not. */
static int output(void)
{
	static int reader = -1;
	int ends[2];

	if (reader >= 0)
		return reader;
	FUZZ_CHECK(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	reader = ends[0];
	return reader;
}

static struct plan *make_plan(struct conf *conf)
{
	static const char *const targets[] = {"192.0.2.1-6", "name.example", "two.example:1161",
					      "tcp:192.0.2.9", "tcp:three.example"};
	struct settings command = {0};
	struct plan_request request = {.conf = conf, .settings = &command, .only_targets = true};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		conf_add_target(conf, targets[i]);
	return plan_new(&request);
}

static void check_result(const struct master_result *result)
{
	uint64_t records = 0;

	for (int i = 0; i < RECORD_STATUS_COUNT; i++)
		records += result->status[i];
	FUZZ_CHECK(records <= TARGETS);
	if (result->aborted || result->written != WRITER_OK)
		return;
	FUZZ_CHECK(records == TARGETS && result->targets == TARGETS);
}

static int no_worker(const void *arg, int fd, _Atomic uint64_t *at_work)
{
	(void)arg;
	(void)fd;
	(void)at_work;
	return 0;
}

static int no_resolver(const void *arg, int fd)
{
	(void)arg;
	(void)fd;
	return 0;
}

static const struct format_options plain;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trial r = {.in = {data, data + size}, .output = output()};
	uint8_t how = input_u8(&r.in);
	const struct format *f = format_at(how % 5u);
	struct conf *conf = conf_new();
	enum writer_result opened;
	struct writer_options to = {0};
	struct writer *writer = writer_open(&to, &opened);
	struct master_config config = {.writer = writer,
				       .worker = no_worker,
				       .resolver = no_resolver,
				       .window = 4,
				       .workers = WORKERS,
				       .format = f->record,
				       .format_options = &plain,
				       .layout = f->layout,
				       .memory = how & 0x80 ? memory_new() : NULL};
	struct master_result result;

	fuzz_library();
	double_clock_start(turn, &r);
	double_random_start();
	double_proc_start();
	for (unsigned i = 0; i < TARGETS; i++)
		r.owner[i] = NOBODY;
	config.plan = make_plan(conf);
	FUZZ_CHECK(config.plan && plan_total(config.plan) == TARGETS && opened == WRITER_OK);
	master_run(&config, &result);
	memory_free(config.memory);
	check_result(&result);
	histogram_free(result.latency);
	writer_free(writer);
	plan_free(config.plan);
	conf_free(conf);
	while (read(r.output, (uint8_t[4096]){0}, 4096) > 0)
		;
	return 0;
}

/*
 * The worker's side of the queue: the whole of worker_main(), with the fuzzer as its master and as the agent at the
 * other end of its session.
 *
 * An input is a list of steps, one a turn of the loop: octets in any pieces, frames of any kind, tasks that are right,
 * orders, octets of an agent, time. After its end the queue ends.
 *
 * What must hold: all that the worker says are messages of a worker; records are JSON and no more than there were
 * tasks; after STOPPED there is nothing, and before it all records that are owed.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/stats.h"
#include "double_loop.h"
#include "double_random.h"
#include "double_session.h"
#include "frames.h"
#include "pool/message.h"
#include "pool/worker.h"
#include "record.h"
#include "snmp/pdu.h"
#include "snmp/peek.h"

#define PROFILES  3
#define TURNS_MAX 50000
#define TASKS_MAX 64

struct run {
	struct input in;
	struct frames frames; /* the master's end */
	unsigned tasks, records;
	bool wild; /* octets that are none of a master's were sent */
	bool stop, stopped, ended;
	struct buf parts; /* of the record that is coming: one at a time, in a session */
};

static struct profile *profiles(void)
{
	static struct profile list[PROFILES];
	static struct oid name;
	static char public[] = "public";

	if (name.len)
		return list;
	FUZZ_CHECK(oid_parse("1.3.6.1.2.1.1.1.0", 17, &name));
	for (int i = 0; i < PROFILES; i++) {
		list[i] = (struct profile){.version = i == 1 ? SNMP_V1 : SNMP_V2C,
					   .community = public,
					   .get = &name,
					   .nget = 1,
					   .walk = &name,
					   .nwalk = i == 2,
					   .per_host = 1,
					   .max_vars = 100,
					   .timeout_us = 1000000,
					   .retries = 1,
					   .deadline_us = i == 2 ? 3000000 : 0};
	}
	return list;
}

/* ---- what the worker says */

static void take_record(struct run *r, const struct queue_frame *f)
{
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	struct record_head h;
	struct buf whole = {0};
	uint32_t front;

	FUZZ_CHECK(record_head_unpack(&h, &in));
	front = wire_get_u32(&in);
	FUZZ_CHECK(front <= (size_t)(in.end - in.at));
	buf_put(&whole, in.at, front);
	buf_put(&whole, r->parts.data, r->parts.len);
	buf_put(&whole, in.at + front, (size_t)(in.end - in.at) - front);
	record_check(format_find("jsonl"), whole.data, whole.len);
	buf_free(&whole);
	buf_free(&r->parts);
	r->records++;
	FUZZ_CHECK(r->records <= r->tasks || r->wild);
}

static void take_frame(struct run *r, const struct queue_frame *f)
{
	struct wire_in in = {.at = f->data, .end = f->data + f->len};
	struct stats stats;

	FUZZ_CHECK(!r->stopped);
	switch (f->kind) {
	case MESSAGE_RECORD:
		take_record(r, f);
		break;
	case MESSAGE_PART:
		FUZZ_CHECK(f->len > 4);
		buf_put(&r->parts, f->data + 4, f->len - 4);
		break;
	case MESSAGE_STATS:
		FUZZ_CHECK(stats_unpack(&stats, &in));
		break;
	case MESSAGE_STOPPED:
		FUZZ_CHECK(r->wild || (r->stop && r->records == r->tasks));
		r->stopped = true;
		break;
	default:
		FUZZ_CHECK(f->kind == MESSAGE_PONG);
		break;
	}
}

static void listen_to_worker(struct run *r)
{
	struct queue_frame f;

	frames_flush(&r->frames);
	while (frames_next(&r->frames, &f))
		take_frame(r, &f);
}

/* ---- steps */

static void put(struct run *r, uint8_t kind, const void *p, size_t len)
{
	frames_put(&r->frames, kind, p, len);
}

static void step_raw(struct run *r)
{
	const uint8_t *p;
	size_t len = input_octets(&r->in, &p);

	r->wild = true;
	frames_put_raw(&r->frames, p, len);
}

static void step_frame(struct run *r)
{
	uint8_t kind = input_u8(&r->in);
	const uint8_t *p;
	size_t len = input_octets(&r->in, &p);

	r->wild = true;
	r->stop |= kind == MESSAGE_STOP;
	put(r, kind, p, len);
}

/* As the master leases them: one at a time. */
static void step_task(struct run *r)
{
	struct addr addrs[2] = {{.family = 4, .ip = {192, 0, 2, 1}, .port = 161},
				{.family = 6, .ip = {0x20, 1}, .port = 161}};
	uint8_t how = input_u8(&r->in), octets[TASK_PACKED_MAX];
	char *host = input_text(&r->in);
	struct task t = {.seq = r->tasks,
			 .lease = how,
			 .profile = how % PROFILES,
			 .host = how & 0x10 ? host : NULL,
			 .addrs = addrs,
			 .naddrs = how & 0x20 ? 2 : 1,
			 .transport = TRANSPORT_TCP};
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	if (how & 0x40) {
		t.transport = TRANSPORT_UNIX;
		t.path = "/run/agent";
		t.naddrs = 0;
	}
	if (how & 0x80) { /* right or wrong */
		t.learns = true;
		t.learnt = (struct learnt){.address = how & 1,
					   .silent = how & 15,
					   .timed = how & 2,
					   .rttvar_us = LEARNT_RTT_MAX,
					   .clocked = how & 4,
					   .boots = how,
					   .engine_id_len = how & 4 ? 5 + how % 28 : 0};
	}
	if (r->tasks == r->records && !r->stop && r->tasks < TASKS_MAX) {
		r->tasks++;
		task_pack(&t, &w);
		put(r, MESSAGE_TASKS, octets, (size_t)(w.at - octets));
	}
	free(host);
}

static void step_order(struct run *r)
{
	uint8_t how = input_u8(&r->in), rate[4] = {0, 0, input_u8(&r->in), how};

	switch (how % 8) {
	case 0:
		put(r, MESSAGE_RATE, rate, sizeof(rate));
		break;
	case 1:
		put(r, MESSAGE_CANCEL, NULL, 0);
		break;
	case 2:
		put(r, MESSAGE_STOP, NULL, 0);
		r->stop = true;
		break;
	case 3:
		double_late(INT64_C(2000000) * how);
		break;
	case 4:
		put(r, MESSAGE_PING, NULL, 0);
		break;
	default:
		double_clock_step(INT64_C(20000) * how);
		break;
	}
}

/* Octets of the agent, with the id of the last request in place of 7f 'I' 'D' '?'. */
static void step_agent(struct run *r)
{
	struct double_stream *t = double_stream();
	uint8_t octets[256];
	const uint8_t *p;
	size_t len = input_octets(&r->in, &p);
	struct peek head;
	const char *words;

	memcpy(octets, p, len);
	if (t->out.len > 0 && peek_message(t->out.data, t->out.len, &head, &words)) {
		for (size_t i = 0; i + 4 <= len; i++)
			if (memcmp(octets + i, "\x7fID?", 4) == 0)
				pdu_patch_id(octets + i, head.request_id);
	}
	buf_put(&t->in, octets, len);
	t->out.len = 0;
}

static void step_connection(struct run *r)
{
	static const int errors[] = {0, ECONNREFUSED, ETIMEDOUT, ENOBUFS, EPIPE, EACCES};
	struct double_stream *t = double_stream();
	uint8_t how = input_u8(&r->in);

	t->open_error = errors[(how >> 4) % 6];
	t->piece = how & 7;
	t->end = how & 8;
	t->error = how & 0x80 ? ECONNRESET : 0;
}

static void step(struct run *r)
{
	switch (input_u8(&r->in) & 7) {
	case 0:
		step_raw(r);
		break;
	case 1:
		step_frame(r);
		break;
	case 2:
	case 3:
		step_task(r);
		break;
	case 4:
		step_order(r);
		break;
	case 5:
		step_connection(r);
		break;
	default:
		step_agent(r);
		break;
	}
}

/* ---- the worker's life */

static void turn(void *arg)
{
	struct run *r = arg;

	FUZZ_CHECK(double_turns() < TURNS_MAX);
	listen_to_worker(r);
	if (input_left(&r->in) > 0) {
		step(r);
	} else if (!r->ended && !(r->stop && !r->stopped && !r->wild)) {
		r->ended = true;
		shutdown(r->frames.fd, SHUT_WR);
	}
	double_stream_wake();
}

static const struct format_options plain;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = {.in = {data, data + size}};
	struct worker_config config = {.profiles = profiles(),
				       .nprofiles = PROFILES,
				       .window = 4,
				       .format = format_find("jsonl"),
				       .format_options = &plain,
				       .sessions = true};
	_Atomic uint64_t at_work = 0;
	int ends[2], status;

	fuzz_library();
	double_clock_start(turn, &r);
	double_random_start();
	double_stream_start();
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	r.frames.fd = ends[0];
	status = worker_main(&config, ends[1], &at_work);
	listen_to_worker(&r);
	FUZZ_CHECK(status == 0 || (status == 1 && r.wild));
	FUZZ_CHECK(!r.stopped || status == 0);
	frames_drop(&r.frames);
	close(ends[1]);
	buf_free(&r.parts);
	double_stream_free();
	return 0;
}

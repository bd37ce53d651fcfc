/*
 * worker: the real worker_main() in a child of its own, the test at the other end of its queue. The
 * engine is a dummy, linked instead of the real one: what it does with a task stands in the task's
 * address (port: what, ip: how large the record is), and what it saw stands in a shared page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <assert.h>
#include "pool/message.h"
#include "pool/queue.h"
#include "pool/worker.h"
#include "snmp/engine.h"

#define WINDOW  4
#define SOON_MS 10000 /* long past what anything here takes */

enum behaviour {
	ANSWERS = 1,
	IS_SILENT,
	CRASHES_US,
	STREAMS,        /* its rows go ahead, a piece each turn */
	STREAMS_CRASHES /* half of them, and then formatting them kills us */
};
enum { /* numbers of tasks whose record comes with an engine ID */
	NO_ADDRESS = 4000,
	NO_ANSWER,
	WITH_ENGINE
};
#define PIECES 10 /* that go ahead; of `size` octets each */

struct page { /* shared with the child */
	_Atomic uint64_t at_work;
	_Atomic uint64_t at_work_formatting; /* as the formatter saw it */
	_Atomic unsigned started;
	_Atomic unsigned holds;
	_Atomic unsigned drains;
	_Atomic unsigned most; /* tasks in hand */
	_Atomic unsigned rate; /* per 1,000 s */
	_Atomic unsigned rows; /* given ahead */
};

/* --- the dummy engine --------------------------------------------------------------------- */

struct engine {
	struct engine_config config;
	struct page *page;
	struct loop *loop;
	struct task tasks[WINDOW];
	struct addr addrs[WINDOW];
	char hosts[WINDOW][64];
	uint64_t ahead[WINDOW]; /* rows, one a piece */
	unsigned n;
	uint64_t sent;
	bool held;
	bool cancelled;
};

struct engine *engine_new(const struct engine_config *config, char *error, size_t len)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (config->source4.family != 0) { /* the test's way to say so */
		snprintf(error, len, "no socket, said the dummy");
		free(e);
		return NULL;
	}
	e->config = *config;
	e->page = (struct page *)((char *)config->at_work - offsetof(struct page, at_work));
	return e;
}

void engine_free(struct engine *e)
{
	free(e);
}

void engine_attach(struct engine *e, struct loop *loop)
{
	e->loop = loop;
}

unsigned engine_room(const struct engine *e)
{
	return e->config.window - e->n;
}

unsigned engine_tasks(const struct engine *e)
{
	return e->n;
}

void engine_start(struct engine *e, const struct task *task)
{
	struct task *t = &e->tasks[e->n];

	if (e->n == e->config.window || e->cancelled)
		abort(); /* the caller's fault */
	*t = *task;
	e->addrs[e->n] = task->addrs[0];
	snprintf(e->hosts[e->n], sizeof(e->hosts[0]), "%s", task->host);
	e->ahead[e->n] = 0;
	e->n++;
	e->sent++;
	atomic_fetch_add(&e->page->started, 1);
	if (e->n > atomic_load(&e->page->most))
		atomic_store(&e->page->most, e->n);
}

static void finish(struct engine *e, unsigned i, enum record_status status)
{
	struct task t = e->tasks[i];
	struct addr a = e->addrs[i];
	uint64_t ahead = e->ahead[i];
	char host[64];

	memcpy(host, e->hosts[i], sizeof(host));
	e->n--;
	e->ahead[i] = e->ahead[e->n];
	e->tasks[i] = e->tasks[e->n];
	e->addrs[i] = e->addrs[e->n];
	memcpy(e->hosts[i], e->hosts[e->n], sizeof(host));
	t.host = host;
	t.addrs = &a;
	atomic_store(e->config.at_work, 4711);
	e->config.done(e->config.arg, &t,
		       &(struct record){
			       .host = host,
			       .addr = t.seq == NO_ADDRESS ? (struct addr){.family = 0} : a,
			       .status = status,
			       .ahead = ahead,
			       .engine_id = (const uint8_t *)"engine-id",
			       .engine_id_len = t.seq >= NO_ADDRESS && t.seq <= WITH_ENGINE ? 9 : 0,
			       .rtt_us = t.seq == NO_ANSWER ? -1 : (int64_t)t.seq * 10,
			       .tries = (uint32_t)t.seq + 1});
	if (atomic_load(e->config.at_work) != 4711)
		abort(); /* what was at work still is */
	atomic_store(e->config.at_work, 0);
}

/* A row. False: all are given. */
static bool stream(struct engine *e, unsigned i)
{
	const struct addr *a = &e->addrs[i];
	struct record r = {.host = e->hosts[i], .addr = *a, .ahead = e->ahead[i]};

	if ((a->port != STREAMS && a->port != STREAMS_CRASHES) || e->ahead[i] == PIECES)
		return false;
	atomic_store(e->config.at_work, 4712);
	e->config.rows(e->config.arg, &e->tasks[i], &r);
	if (atomic_load(e->config.at_work) != 4712)
		abort();
	atomic_store(e->config.at_work, 0);
	e->ahead[i]++;
	atomic_fetch_add(&e->page->rows, 1);
	return true;
}

void engine_work(struct engine *e)
{
	for (unsigned i = e->n; i-- > 0;)
		if (e->cancelled)
			finish(e, i, RECORD_CANCELLED);
		else if (!e->held && stream(e, i))
			continue;
		else if (!e->held && e->addrs[i].port != IS_SILENT)
			finish(e, i, RECORD_OK);
}

int64_t engine_next_us(const struct engine *e)
{
	for (unsigned i = 0; i < e->n; i++)
		if (e->cancelled || (!e->held && e->addrs[i].port != IS_SILENT))
			return loop_now_us(e->loop);
	return LOOP_NEVER;
}

void engine_renew(struct engine *e, int64_t late_us)
{
	(void)e;
	(void)late_us;
}

void engine_set_rate(struct engine *e, double pps)
{
	atomic_store(&e->page->rate, (unsigned)(pps * 1000 + 0.5));
}

void engine_hold(struct engine *e, bool hold)
{
	if (hold && !e->held)
		atomic_fetch_add(&e->page->holds, 1);
	e->held = hold;
}

void engine_cancel(struct engine *e)
{
	e->cancelled = true;
}

void engine_drain(struct engine *e)
{
	atomic_fetch_add(&e->page->drains, 1); /* its tasks are all begun */
}

void engine_resume(struct engine *e)
{
	e->cancelled = false;
}

void engine_take_stats(struct engine *e, struct stats *delta)
{
	*delta = (struct stats){.count = {[STATS_SENT] = e->sent}};
	e->sent = 0;
}

/* --- the child ---------------------------------------------------------------------------- */

static size_t size_of(const struct addr *a)
{
	size_t size;

	memcpy(&size, a->ip, sizeof(size));
	return size;
}

/* Octet i of a record. */
static uint8_t pattern(const char *host, size_t i)
{
	return (uint8_t)((size_t)host[0] + i * 31 + i / 1000);
}

static struct page *formatting_page; /* as a formatter has no argument */

static void format_charged(const struct record *r)
{
	atomic_store(&formatting_page->at_work_formatting, atomic_load(&formatting_page->at_work));
	if (r->addr.port == CRASHES_US ||
	    (r->addr.port == STREAMS_CRASHES && r->ahead == PIECES / 2))
		raise(SIGKILL);
}

/* `size` octets of the pattern, `start` of it stand before. */
static void format_pattern(struct buf *out, const struct record *r, size_t start, size_t size)
{
	uint8_t *p = buf_room(out, size);

	for (size_t i = 0; i < size; i++)
		p[i] = pattern(r->host, start + i);
	out->len += size;
}

static const struct format_options options = {.null = true};

static void format(struct buf *out, const struct record *r, const struct format_options *o)
{
	assert(o == &options);
	format_charged(r);
	format_pattern(out, r, 0, size_of(&r->addr));
}

static void format_front(struct buf *out, const struct record *r, const struct format_options *o)
{
	assert(o == &options);
	buf_printf(out, "front of %s after %u;%100s", r->host, (unsigned)r->ahead, "");
}

static void format_rows(struct buf *out, const struct record *r, const struct format_options *o)
{
	assert(o == &options);
	size_t size = size_of(&r->addr);

	format_charged(r);
	format_pattern(out, r, (size_t)r->ahead * size, size);
}

static void format_rest(struct buf *out, const struct record *r, const struct format_options *o)
{
	assert(o == &options);
	(void)r;
	buf_puts(out, "rest");
}

static const struct format formats[] = {
	{.name = "pieces",
	 .record = format,
	 .front = format_front,
	 .rows = format_rows,
	 .rest = format_rest},
	{.name = "no front", .record = format, .rows = format_rows, .rest = format_rest},
};

struct fixture {
	struct page *page;
	struct queue *q;
	int fd;
	pid_t child;
	uint64_t sent_seen; /* sum of the STATS frames */
	unsigned stats_frames;
};

static int start(void **state, bool no_socket, const struct format *used, uint32_t unwanted)
{
	struct fixture *f = calloc(1, sizeof(*f));
	static const struct profile profiles[2];
	int pair[2];

	f->page = mmap(NULL, sizeof(*f->page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	formatting_page = f->page;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	f->child = fork();
	if (f->child == 0) {
		struct worker_config config = {.profiles = profiles,
					       .nprofiles = 2,
					       .window = WINDOW,
					       .source4 = {.family = no_socket ? 4 : 0},
					       .format = used,
					       .format_options = &options,
					       .unwanted = unwanted};
		close(pair[0]);
		if (no_socket)
			close(2); /* it says so on stderr */
		_exit(worker_main(&config, pair[1], &f->page->at_work));
	}
	close(pair[1]);
	f->fd = pair[0];
	f->q = queue_new(f->fd);
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return start(state, false, &formats[0], 0);
}

static int set_up_without_front(void **state)
{
	return start(state, false, &formats[1], 0);
}

static int set_up_without_ok(void **state)
{
	return start(state, false, &formats[0], 1u << RECORD_OK);
}

static int set_up_without_rows(void **state)
{
	return start(state, false, &formats[0], 1u << RECORD_OK | 1u << RECORD_PARTIAL);
}

static int set_up_without_socket(void **state)
{
	return start(state, true, &formats[0], 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->child > 0) {
		kill(f->child, SIGKILL);
		waitpid(f->child, NULL, 0);
	}
	queue_free(f->q);
	close(f->fd);
	munmap(f->page, sizeof(*f->page));
	free(f);
	return 0;
}

static int exit_status(struct fixture *f)
{
	int status;

	for (int ms = 0; ms < SOON_MS; ms++) {
		if (waitpid(f->child, &status, WNOHANG) == f->child) {
			f->child = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
		usleep(1000);
	}
	fail_msg("the worker does not leave");
	return -1;
}

/* --- messages ----------------------------------------------------------------------------- */

static void put_task(struct fixture *f, uint64_t seq, enum behaviour what, size_t size)
{
	uint8_t bytes[TASK_PACKED_MAX];
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
	struct addr a = {.family = 6, .port = (uint16_t)what};
	char host[32];

	memcpy(a.ip, &size, sizeof(size));
	snprintf(host, sizeof(host), "%c-host", (char)('a' + seq % 26));
	task_pack(&(struct task){.seq = seq,
				 .lease = (uint32_t)seq + 100,
				 .profile = seq % 2,
				 .host = host,
				 .addrs = &a,
				 .naddrs = 1},
		  &w);
	queue_put(f->q, MESSAGE_TASKS, bytes, (size_t)(w.at - bytes));
}

static void put(struct fixture *f, enum message kind)
{
	queue_put(f->q, (uint8_t)kind, NULL, 0);
}

/* Sends what is queued; waits for a frame, any but STATS, which it adds up. 0: end of file. */
static int next(struct fixture *f, struct queue_frame *frame)
{
	enum queue_state state = QUEUE_OPEN;

	for (;;) {
		while (queue_next(f->q, frame)) {
			struct wire_in r = {.at = frame->data, .end = frame->data + frame->len};
			struct stats s;
			if (frame->kind != MESSAGE_STATS)
				return frame->kind;
			assert_true(stats_unpack(&s, &r));
			f->sent_seen += s.count[STATS_SENT];
			f->stats_frames++;
		}
		if (state != QUEUE_OPEN)
			return 0;
		queue_flush(f->q);
		struct pollfd p = {.fd = f->fd,
				   .events = (short)(POLLIN | (queue_backlog(f->q) ? POLLOUT : 0))};
		assert_true(poll(&p, 1, SOON_MS) > 0);
		if (p.revents & ~POLLOUT)
			state = queue_read(f->q);
	}
}

struct seen { /* what came of some tasks, by seq */
	unsigned records[4096];
	unsigned total;
};

/* Checks a RECORD against what put_task() asked for. `start` octets of it came as PARTs. */
static void check_record(struct seen *s, const struct queue_frame *f, size_t size, size_t start)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct record_head h;
	char host = 0;

	assert_true(record_head_unpack(&h, &r));
	assert_int_equal(wire_get_u32(&r),
			 0); /* no front: nothing is ahead that it stands before */
	host = (char)('a' + h.seq % 26);
	assert_int_equal(h.lease, h.seq + 100);
	s->records[h.seq]++;
	s->total++;
	if (h.status != RECORD_CANCELLED) {
		assert_int_equal(h.tries, h.seq + 1);
		assert_int_equal(h.rtt_us, h.seq * 10);
	}
	assert_int_equal(r.end - r.at, size - start);
	for (size_t i = start; i < size; i += 97)
		assert_int_equal(r.at[i - start], pattern(&host, i));
}

static void expect_records(struct fixture *f, struct seen *s, unsigned count, size_t size)
{
	struct queue_frame frame;

	while (s->total < count) {
		assert_int_equal(next(f, &frame), MESSAGE_RECORD);
		check_record(s, &frame, size, 0);
	}
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(s->records[i], 1);
}

static void expect_stopped(struct fixture *f)
{
	struct queue_frame frame;

	assert_int_equal(next(f, &frame), MESSAGE_STOPPED);
	assert_int_equal(next(f, &frame), 0);
	assert_int_equal(exit_status(f), 0);
}

/* --- tests -------------------------------------------------------------------------------- */

/* Far more than the window: the rest waits in the worker, and STOP waits for all of them. */
static void test_every_task_its_record(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};

	for (uint64_t seq = 0; seq < 500; seq++)
		put_task(f, seq, ANSWERS, 300);
	put(f, MESSAGE_STOP);
	expect_records(f, &s, 500, 300);
	expect_stopped(f);
	assert_in_range(atomic_load(&f->page->most), 1, WINDOW);
	assert_int_equal(f->sent_seen, 500);
}

static void test_stop_waits_for_what_is_in_flight(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;

	put_task(f, 0, IS_SILENT, 10);
	put(f, MESSAGE_STOP);
	put(f, MESSAGE_PING);
	assert_int_equal(next(f, &frame), MESSAGE_PONG);
	struct pollfd p = {.fd = f->fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 50), 0); /* no STOPPED */
	put(f, MESSAGE_CANCEL);
	assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	expect_stopped(f);
}

/* A cancelled round is not the end: the next one's targets are asked. */
static void test_resume_after_cancel(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;

	put_task(f, 0, IS_SILENT, 10);
	put(f, MESSAGE_CANCEL);
	assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	put(f, MESSAGE_RESUME);
	put_task(f, 1, IS_SILENT, 10);
	put(f, MESSAGE_PING);
	assert_int_equal(next(f, &frame), MESSAGE_PONG);
	struct pollfd p = {.fd = f->fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 50), 0); /* it is being asked */
	put(f, MESSAGE_CANCEL);
	assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	put(f, MESSAGE_STOP);
	expect_stopped(f);
}

/* What is in flight stays so; what waits for room, or comes later, is not begun. */
static void test_drain(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;
	unsigned begun;

	for (unsigned i = 0; i < WINDOW + 5; i++)
		put_task(f, i, IS_SILENT, 10);
	put(f, MESSAGE_PING);
	assert_int_equal(next(f, &frame), MESSAGE_PONG);
	put(f, MESSAGE_DRAIN);
	put_task(f, WINDOW + 5, IS_SILENT, 10);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	put(f, MESSAGE_PING);
	assert_int_equal(next(f, &frame), MESSAGE_PONG);
	begun = atomic_load(&f->page->most);
	assert_int_equal(begun, WINDOW);
	assert_int_equal(atomic_load(&f->page->drains), 1);
	put(f, MESSAGE_CANCEL);
	for (unsigned i = 0; i < WINDOW; i++)
		assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	put(f, MESSAGE_STOP);
	expect_stopped(f);
}

static void test_stop_with_nothing_in_hand(void **state)
{
	struct fixture *f = *state;

	put(f, MESSAGE_STOP);
	expect_stopped(f);
	assert_int_equal(f->stats_frames, 1); /* the last counters */
}

/* The sum that belongs to records is here before them: what was sent for one is always told. */
static void test_stats_before_records(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;

	for (uint64_t seq = 0; seq < 20; seq++) {
		put_task(f, seq, ANSWERS, 10);
		assert_int_equal(next(f, &frame), MESSAGE_RECORD);
		assert_int_equal(f->sent_seen, seq + 1);
	}
}

static void test_end_of_file_before_stop(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;

	put_task(f, 0, IS_SILENT, 10);
	put_task(f, 1, ANSWERS, 10);
	assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	shutdown(f->fd, SHUT_WR);
	assert_int_equal(next(f, &frame), 0);
	assert_int_equal(exit_status(f), 0);
}

static void test_cancel(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};
	struct queue_frame frame;

	for (uint64_t seq = 0; seq < WINDOW + 50; seq++)
		put_task(f, seq, IS_SILENT, 40);
	put(f, MESSAGE_PING);
	assert_int_equal(next(f, &frame), MESSAGE_PONG);
	put(f, MESSAGE_CANCEL);
	put_task(f, WINDOW + 50, ANSWERS, 40); /* was under way when we cancelled */
	put(f, MESSAGE_STOP);
	while (s.total < WINDOW + 51) {
		assert_int_equal(next(f, &frame), MESSAGE_RECORD);
		check_record(&s, &frame, 40, 0);
		struct wire_in r = {.at = frame.data, .end = frame.data + frame.len};
		struct record_head h;
		record_head_unpack(&h, &r);
		assert_int_equal(h.status, RECORD_CANCELLED);
	}
	for (unsigned i = 0; i < WINDOW + 51; i++)
		assert_int_equal(s.records[i], 1);
	assert_int_equal(atomic_load(&f->page->started), WINDOW);
	expect_stopped(f);
}

static void test_rate(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;
	uint8_t bytes[4];
	struct wire_out w = {.at = bytes, .end = bytes + 4};

	wire_put_u32(&w, 12345);
	queue_put(f->q, MESSAGE_RATE, bytes, 4);
	put(f, MESSAGE_PING);
	assert_int_equal(next(f, &frame), MESSAGE_PONG);
	assert_int_equal(atomic_load(&f->page->rate), 12345);
}

/* Reads one record of `size` octets that came in as many frames as it needs. */
static void expect_large(struct fixture *f, struct seen *s, uint64_t seq, size_t size)
{
	struct queue_frame frame;
	char host = (char)('a' + seq % 26);
	size_t got = 0;

	while (next(f, &frame) == MESSAGE_PART) {
		struct wire_in r = {.at = frame.data, .end = frame.data + frame.len};
		assert_int_equal(wire_get_u32(&r), seq + 100);
		for (; r.at < r.end; r.at++, got++)
			if (*r.at != pattern(&host, got))
				fail_msg("octet %zu of record %d", got, (int)seq);
	}
	assert_int_equal(frame.kind, MESSAGE_RECORD);
	check_record(s, &frame, size, got);
}

static void test_records_beyond_a_frame(void **state)
{
	const size_t last = QUEUE_PAYLOAD_MAX - RECORD_HEAD_PACKED_MAX - 4;
	const size_t sizes[] = {last - 1,
				last,
				last + 1,
				QUEUE_FRAME_MAX - 30,
				QUEUE_FRAME_MAX,
				last + QUEUE_PAYLOAD_MAX - 4,
				last + QUEUE_PAYLOAD_MAX - 3,
				3000000};
	struct fixture *f = *state;
	struct seen s = {0};

	for (uint64_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_task(f, i, ANSWERS, sizes[i]);
		expect_large(f, &s, i, sizes[i]);
	}
	put(f, MESSAGE_STOP);
	expect_stopped(f);
}

/* Puts together what came of each of the tasks 0 to n - 1, whose parts come mixed. */
static void gather(struct fixture *f, unsigned n, struct buf *fronts, struct buf *records)
{
	struct queue_frame frame;
	struct record_head h;

	for (unsigned over = 0; over < n;) {
		int kind = next(f, &frame);
		struct wire_in r = {.at = frame.data, .end = frame.data + frame.len};
		uint32_t lease, len;

		if (kind == MESSAGE_PART) {
			lease = wire_get_u32(&r);
			assert_in_range(lease, 100, 100 + n - 1);
			buf_put(&records[lease - 100], r.at, (size_t)(r.end - r.at));
			continue;
		}
		assert_int_equal(kind, MESSAGE_RECORD);
		assert_true(record_head_unpack(&h, &r));
		assert_in_range(h.seq, 0, n - 1);
		assert_int_equal(fronts[h.seq].len, 0);
		len = wire_get_u32(&r);
		buf_put(&fronts[h.seq], wire_get_bytes(&r, len), len);
		buf_put(&records[h.seq], r.at, (size_t)(r.end - r.at));
		over++;
	}
}

static void check_streamed(const struct buf *record, unsigned seq, size_t size)
{
	char host = (char)('a' + seq);

	assert_int_equal(record->len, (PIECES + 1) * size + 4);
	for (size_t i = 0; i < record->len - 4; i++)
		if (record->data[i] != pattern(&host, i))
			fail_msg("octet %zu of record %u", i, seq);
	assert_memory_equal(record->data + record->len - 4, "rest", 4);
}

static void expect_streamed(struct fixture *f, size_t size, bool with_front)
{
	struct buf fronts[WINDOW] = {0}, records[WINDOW] = {0};
	char front[200];

	for (unsigned seq = 0; seq < WINDOW; seq++)
		put_task(f, seq, STREAMS, size);
	gather(f, WINDOW, fronts, records);
	for (unsigned seq = 0; seq < WINDOW; seq++) {
		snprintf(front, sizeof(front), "front of %c-host after %d;%100s", 'a' + seq, PIECES,
			 "");
		if (with_front)
			assert_memory_equal(fronts[seq].data, front, strlen(front));
		assert_int_equal(fronts[seq].len, with_front ? strlen(front) : 0);
		check_streamed(&records[seq], seq, size);
		buf_free(&fronts[seq]);
		buf_free(&records[seq]);
	}
	put(f, MESSAGE_STOP);
	expect_stopped(f);
	assert_int_equal(f->sent_seen, WINDOW);
}

static void test_rows_ahead(void **state)
{
	expect_streamed(*state, 1000, true);
}

/* Pieces, and last pieces, that are larger than a frame. */
static void test_large_rows_ahead(void **state)
{
	expect_streamed(*state, 2 * QUEUE_FRAME_MAX + 12345, true);
}

static void test_rows_ahead_without_a_front(void **state)
{
	expect_streamed(*state, QUEUE_FRAME_MAX - 20, false);
}

/* Nobody reads: the rows of a record that is not over are held back, too. */
/* One record of a piece, one of many, and one that is cancelled. How many frames had octets of a record. */
static unsigned count_filled(struct fixture *f, unsigned *cancelled)
{
	unsigned filled = 0, answered = 0;
	struct queue_frame frame;
	struct record_head h;
	int kind;

	put_task(f, 0, ANSWERS, 1000);
	put_task(f, 1, STREAMS, 1000);
	put_task(f, 2, IS_SILENT, 1000);
	*cancelled = 0;
	while ((kind = next(f, &frame)) != MESSAGE_STOPPED) {
		struct wire_in r = {.at = frame.data, .end = frame.data + frame.len};

		filled += kind == MESSAGE_PART;
		if (kind != MESSAGE_RECORD)
			continue;
		assert_true(record_head_unpack(&h, &r));
		filled += r.end - r.at > 4;
		*cancelled += h.status == RECORD_CANCELLED;
		if (++answered == 2) {
			put(f, MESSAGE_CANCEL);
			put(f, MESSAGE_STOP);
		}
	}
	assert_int_equal(answered, 3);
	return filled;
}

/* Of what nobody wants there are the heads, and its rows as long as somebody may want them. */
static void test_unwanted(void **state)
{
	unsigned cancelled;

	assert_int_equal(count_filled(*state, &cancelled), PIECES + 1);
	assert_int_equal(cancelled, 1);
}

static void test_unwanted_rows(void **state)
{
	unsigned cancelled;

	assert_int_equal(count_filled(*state, &cancelled), 1);
	assert_int_equal(cancelled, 1);
}

static void test_back_pressure_of_rows(void **state)
{
	struct fixture *f = *state;
	struct buf fronts[WINDOW] = {0}, records[WINDOW] = {0};
	unsigned before;

	for (unsigned seq = 0; seq < WINDOW; seq++)
		put_task(f, seq, STREAMS, 1000000); /* 44 MB in all */
	queue_flush(f->q);
	do { /* until it stands still */
		before = atomic_load(&f->page->rows);
		usleep(200000);
	} while (atomic_load(&f->page->rows) != before || before == 0);
	assert_in_range(before, 4, 10);
	gather(f, WINDOW, fronts, records);
	for (unsigned seq = 0; seq < WINDOW; seq++) {
		check_streamed(&records[seq], seq, 1000000);
		buf_free(&fronts[seq]);
		buf_free(&records[seq]);
	}
}

static void test_death_while_formatting_rows(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;

	put_task(f, 41, STREAMS_CRASHES, 10);
	for (unsigned i = 0; i < PIECES / 2; i++)
		assert_int_equal(next(f, &frame), MESSAGE_PART);
	assert_int_equal(next(f, &frame), 0);
	assert_int_equal(exit_status(f), -SIGKILL);
	assert_int_equal(atomic_load(&f->page->at_work), 42);
}

static void test_engine_id(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;
	struct wire_in r;
	struct record_head h;

	put_task(f, WITH_ENGINE, ANSWERS, 10);
	assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	r = (struct wire_in){.at = frame.data, .end = frame.data + frame.len};
	assert_true(record_head_unpack(&h, &r));
	assert_int_equal(h.engine_id_len, 9);
	assert_memory_equal(h.engine_id, "engine-id", 9);
	assert_int_equal(h.addr.port, ANSWERS);
	for (uint64_t seq = NO_ADDRESS; seq < WITH_ENGINE; seq++) {
		put_task(f, seq, ANSWERS, 10);
		assert_int_equal(next(f, &frame), MESSAGE_RECORD);
		r = (struct wire_in){.at = frame.data, .end = frame.data + frame.len};
		assert_true(record_head_unpack(&h, &r));
		assert_int_equal(h.seq, seq);
		assert_int_equal(h.engine_id_len, 0);
	}
}

/* Nobody reads: the worker stops starting, holds its engine, and grows no further; nothing is lost. */
static void test_back_pressure(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};
	unsigned before;

	for (uint64_t seq = 0; seq < 600; seq++)
		put_task(f, seq, ANSWERS, 200000); /* 120 MB in all */
	while (queue_backlog(f->q) > 0)
		assert_true(queue_flush(f->q));
	do { /* until it stands still */
		before = atomic_load(&f->page->started);
		usleep(200000);
	} while (atomic_load(&f->page->started) != before || before == 0);
	assert_in_range(before, 1, 20);
	expect_records(f, &s, 600, 200000);
	put(f, MESSAGE_STOP);
	expect_stopped(f);
}

/* Four records of 3 MB at once are more than the upper mark. */
static void test_the_engine_is_held(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};

	for (uint64_t seq = 0; seq < WINDOW; seq++)
		put_task(f, seq, ANSWERS, 3000000);
	queue_flush(f->q);
	for (int ms = 0; ms < SOON_MS && atomic_load(&f->page->holds) == 0; ms++)
		usleep(1000);
	assert_int_equal(atomic_load(&f->page->holds), 1);
	for (unsigned i = 0; i < WINDOW; i++) /* the dummy answers the last one first */
		expect_large(f, &s, WINDOW - 1 - i, 3000000);
	put_task(f, 5, ANSWERS, 30); /* released: it works again */
	expect_large(f, &s, 5, 30);
}

/* STOPPED is the last frame, however long the reader takes for those before it. */
static void test_stop_with_a_slow_reader(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};

	put_task(f, 0, ANSWERS, 3000000);
	put(f, MESSAGE_STOP);
	queue_flush(f->q);
	for (int ms = 0; ms < SOON_MS && atomic_load(&f->page->at_work_formatting) == 0; ms++)
		usleep(1000);
	usleep(50000);
	expect_large(f, &s, 0, 3000000);
	expect_stopped(f);
}

static void test_formatting_is_at_work(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;

	put_task(f, 41, ANSWERS, 10);
	assert_int_equal(next(f, &frame), MESSAGE_RECORD);
	assert_int_equal(atomic_load(&f->page->at_work_formatting), 42);
}

static void test_death_while_formatting(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;

	put_task(f, 41, CRASHES_US, 10);
	assert_int_equal(next(f, &frame), 0);
	assert_int_equal(exit_status(f), -SIGKILL);
	assert_int_equal(atomic_load(&f->page->at_work), 42);
}

static void expect_refusal(struct fixture *f)
{
	struct queue_frame frame;

	assert_int_equal(next(f, &frame), 0);
	assert_true(exit_status(f) > 0);
}

static void test_unknown_message(void **state)
{
	put(*state, MESSAGE_RECORD);
	expect_refusal(*state);
}

static void test_task_that_is_none(void **state)
{
	struct fixture *f = *state;

	queue_put(f->q, MESSAGE_TASKS, "xyz", 3);
	expect_refusal(f);
}

static void test_profile_that_is_none(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[TASK_PACKED_MAX];
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
	struct addr a = {.family = 4};

	task_pack(&(struct task){.profile = 2, .host = "x", .addrs = &a, .naddrs = 1}, &w);
	queue_put(f->q, MESSAGE_TASKS, bytes, (size_t)(w.at - bytes));
	expect_refusal(f);
}

static void test_broken_frame(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->fd, "\xff\xff\xff\xff", 4), 4);
	expect_refusal(f);
}

static void test_no_engine(void **state)
{
	expect_refusal(*state);
}

int main(void)
{
#define WITH_WORKER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_WORKER(test_every_task_its_record),
		WITH_WORKER(test_stop_waits_for_what_is_in_flight),
		WITH_WORKER(test_resume_after_cancel),
		WITH_WORKER(test_drain),
		WITH_WORKER(test_stop_with_nothing_in_hand),
		WITH_WORKER(test_stats_before_records),
		WITH_WORKER(test_end_of_file_before_stop),
		WITH_WORKER(test_cancel),
		WITH_WORKER(test_rate),
		WITH_WORKER(test_records_beyond_a_frame),
		WITH_WORKER(test_rows_ahead),
		WITH_WORKER(test_large_rows_ahead),
		cmocka_unit_test_setup_teardown(test_rows_ahead_without_a_front,
						set_up_without_front, tear_down),
		cmocka_unit_test_setup_teardown(test_unwanted, set_up_without_ok, tear_down),
		cmocka_unit_test_setup_teardown(test_unwanted_rows, set_up_without_rows, tear_down),
		WITH_WORKER(test_back_pressure_of_rows),
		WITH_WORKER(test_death_while_formatting_rows),
		WITH_WORKER(test_engine_id),
		WITH_WORKER(test_back_pressure),
		WITH_WORKER(test_the_engine_is_held),
		WITH_WORKER(test_stop_with_a_slow_reader),
		WITH_WORKER(test_formatting_is_at_work),
		WITH_WORKER(test_death_while_formatting),
		WITH_WORKER(test_unknown_message),
		WITH_WORKER(test_task_that_is_none),
		WITH_WORKER(test_profile_that_is_none),
		WITH_WORKER(test_broken_frame),
		cmocka_unit_test_setup_teardown(test_no_engine, set_up_without_socket, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

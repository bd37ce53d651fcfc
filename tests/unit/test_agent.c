/*
 * agent: a scripted process to the broker, and scripted cells. The first one is a test's script: it hands out batches, and looks at
 * what comes back and in which order. What a cell does with a task stands in its host: "ok", "die", "hold", "slow"
 * (held, by who is slow to answer from then on), "part", "wrong", "hang".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "link/agent.h"
#include "link/batch.h"
#include "link/cell.h"
#include "link/gather.h"
#include "link/courier.h"
#include "link/form.h"
#include "link/slots.h"
#include "link/window.h"
#include "pool/queue.h"

#define PATIENCE_MS 60000 /* no test is timed; this only ends what hangs */
#define SHORT_MS    300   /* nothing comes meanwhile, which should not */
#define SILENCE_US  1000000
#define SLOW_US     (SILENCE_US / 10)
#define RUN         UINT64_C(0x1234)
/* Octets of rows: one more than fit a message with the largest heads */
#define ROWS_TOO_MANY         \
	(BATCH_BODY_MAX + 1 - \
	 (BATCH_HEAD_PACKED + 2 * (BROKER_NAME_MAX + 2) + 8 + 8 + STATS_PACKED + 2))

#define FIRST_FILLED (SLOTS_EACH - 1) /* of the slots of a cell here: they are lent from 0 */

struct page { /* shared with the children */
	char failed[300];
	_Atomic unsigned lives; /* of the process to the broker */
	_Atomic unsigned cells, ended, asked, at_once, at_once_max;
	_Atomic unsigned alone_max; /* dangerous tasks that a cell had at once */
	_Atomic unsigned alone_rounds;
	_Atomic unsigned cancelled, reloads, pings, leaves;
	_Atomic unsigned lent,
		copied; /* messages of results that the process to the broker was given */
	bool no_slots;  /* cells have none */
};
static struct page *page;

/* In a child: the test has failed, which its parent says when it has ended. */
static void give_up(void)
{
	kill(getppid(), SIGTERM);
	usleep(100000);
	kill(getppid(), SIGTERM);
	_exit(1);
}

/* --- the script's end of the queue ------------------------------------------------------------ */

struct peer {
	struct queue *q;
	int fd;
	uint8_t body[QUEUE_FRAME_MAX]; /* of the frame that came last */
	size_t len;
	uint64_t id; /* of the last PUT */
	unsigned pings;
	/* of the process to the broker */
	const uint8_t *shared;
	size_t shared_len;
	uint32_t ups;
};

#define CHECK(what)                                                                           \
	do {                                                                                  \
		if (!(what)) {                                                                \
			snprintf(page->failed, sizeof(page->failed), "line %d: %s", __LINE__, \
				 #what);                                                      \
			give_up();                                                            \
		}                                                                             \
	} while (0)

static void flush(struct peer *p)
{
	struct pollfd out = {.fd = p->fd, .events = POLLOUT};

	while (queue_backlog(p->q) > 0) {
		CHECK(queue_flush(p->q));
		if (queue_backlog(p->q) > 0)
			poll(&out, 1, PATIENCE_MS);
	}
}

static void say(struct peer *p, uint8_t kind, const void *octets, size_t len)
{
	queue_put(p->q, kind, octets, len);
	flush(p);
}

/* A PUT_LENT becomes a PUT with its body. */
static void find_lent(struct peer *p)
{
	struct wire_in r = {.at = p->body, .end = p->body + p->len};
	uint16_t key;
	size_t at, len, head;

	wire_get_u64(&r);
	wire_get_u8(&r);
	wire_get_str(&r, &key);
	head = (size_t)(r.at - p->body);
	CHECK(wire_get_u32(&r) == p->ups);
	at = wire_get_u32(&r);
	len = wire_get_u32(&r);
	CHECK(!r.bad && r.at == r.end && at + len <= p->shared_len);
	memcpy(p->body + head, p->shared + at, len);
	p->len = head + len;
	page->lent++;
}

/* The next frame's kind but for PINGs, which are answered; 0: none for so long, or the end. */
static uint8_t hear_for(struct peer *p, int ms)
{
	struct queue_frame f;
	struct pollfd in = {.fd = p->fd, .events = POLLIN};

	for (;;) {
		if (queue_next(p->q, &f)) {
			if (f.kind == COURIER_PING) {
				p->pings++;
				say(p, COURIER_PONG, NULL, 0);
				continue;
			}
			memcpy(p->body, f.data, f.len);
			p->len = f.len;
			if (f.kind == COURIER_PUT_LENT)
				find_lent(p);
			return f.kind == COURIER_PUT_LENT ? COURIER_PUT : f.kind;
		}
		if (poll(&in, 1, ms) == 0 || queue_read(p->q) != QUEUE_OPEN)
			return 0;
	}
}

static uint8_t hear(struct peer *p)
{
	return hear_for(p, PATIENCE_MS);
}

#define SILENT(p) CHECK(hear_for(p, SHORT_MS) == 0)
#define HEAR(p, kind)                                                                       \
	do {                                                                                \
		uint8_t heard_ = hear(p);                                                   \
		if (heard_ != (kind)) {                                                     \
			snprintf(page->failed, sizeof(page->failed), "line %d: %s, not %u", \
				 __LINE__, #kind, heard_);                                  \
			give_up();                                                          \
		}                                                                           \
	} while (0)

static struct wire_in body_of(struct peer *p)
{
	return (struct wire_in){.at = p->body, .end = p->body + p->len};
}

static void say_u64(struct peer *p, uint8_t kind, uint64_t v)
{
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + 8};

	wire_put_u64(&w, v);
	say(p, kind, octets, 8);
}

static uint64_t heard_u64(struct peer *p)
{
	struct wire_in r = body_of(p);

	return wire_get_u64(&r);
}

#define HEAR_TAG(p, kind, tag)                \
	do {                                  \
		HEAR(p, kind);                \
		CHECK(heard_u64(p) == (tag)); \
	} while (0)

static void say_up(struct peer *p, uint8_t what)
{
	p->ups += what & 1;
	say(p, COURIER_UP, &what, 1);
}

static void say_down(struct peer *p, uint8_t what, bool final)
{
	uint8_t octets[] = {what, final, 'w', 'h', 'y'};

	say(p, COURIER_DOWN, octets, sizeof(octets));
}

/* --- what masters send ---------------------------------------------------------------------- */

static void say_taken(struct peer *p, uint64_t tag, uint8_t from, uint32_t deliveries,
		      const struct wire_out *body, const uint8_t *begin)
{
	uint8_t head[13];
	struct wire_out w = {.at = head, .end = head + sizeof(head)};

	wire_put_u64(&w, tag);
	wire_put_u8(&w, from);
	wire_put_u32(&w, deliveries);
	struct queue_part parts[] = {{head, sizeof(head)}, {begin, (size_t)(body->at - begin)}};
	queue_put_parts(p->q, COURIER_TAKEN, parts, 2);
	flush(p);
}

struct sent {
	uint64_t tag, number;
	uint64_t run;       /* 0: RUN */
	const char *master; /* NULL: boss */
	uint32_t deliveries;
	int64_t until_us;
	uint8_t attempt;
	const char *hosts; /* with blanks between them; seq is 100 and so on */
};

static void give(struct peer *p, const struct sent *s)
{
	static uint8_t octets[131072];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct batch_tasks t = {.number = s->number,
				.attempt = s->attempt ? s->attempt : 1,
				.until_us = s->until_us,
				.master = "boss",
				.count = 1};
	struct plan_target target = {.seq = 100, .addr = {.family = 4, .ip = {127, 0, 0, 1}}};
	char hosts[3 * BATCH_TASKS + 1000], *save = NULL;

	for (const char *c = s->hosts; *c; c++)
		t.count = (uint16_t)(t.count + (*c == ' '));
	if (s->master)
		snprintf(t.master, sizeof(t.master), "%s", s->master);
	batch_head_pack(&(struct batch_head){.kind = BATCH_OF_TASKS, .run = s->run ? s->run : RUN},
			&w);
	batch_tasks_pack(&t, &w);
	snprintf(hosts, sizeof(hosts), "%s", s->hosts);
	for (char *h = strtok_r(hosts, " ", &save); h; h = strtok_r(NULL, " ", &save)) {
		target.host = h;
		batch_target_pack(&target, NULL, &w);
		target.seq++;
	}
	say_taken(p, s->tag, COURIER_FROM_TASKS, s->deliveries, &w, octets);
}

/* A control message with a number behind its head, if there is one; ends when it was acknowledged. */
static void control(struct peer *p, uint8_t kind, const uint64_t *number)
{
	uint8_t octets[100];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	batch_head_pack(&(struct batch_head){.kind = kind, .run = kind == BATCH_DRAIN ? 0 : RUN},
			&w);
	if (number)
		wire_put_u64(&w, *number);
	if (kind == BATCH_DRAIN)
		wire_put_str(&w, "me", 2);
	say_taken(p, 7777, COURIER_FROM_CONTROL, 0, &w, octets);
}

static void describe_run(struct peer *p, uint64_t number)
{
	struct run run = {.number = number,
			  .master = "boss",
			  .format = "jsonl",
			  .profiles = (const uint8_t *)"profiles",
			  .profiles_len = 8};
	struct buf whole = {0}, piece = {0};
	size_t offset = 0;
	uint8_t head[BATCH_HEAD_PACKED];
	struct wire_out w = {.at = head, .end = head + sizeof(head)};

	batch_head_pack(&(struct batch_head){.kind = BATCH_RUN, .run = number}, &w);
	run_pack(&run, &whole);
	buf_put(&piece, head, sizeof(head));
	while (run_piece_put(&whole, &offset, &piece)) {
		struct wire_out all = {.at = piece.data + piece.len};

		say_taken(p, 7776, COURIER_FROM_CONTROL, 0, &all, piece.data);
		HEAR_TAG(p, COURIER_ACK, 7776);
		piece.len = sizeof(head);
	}
	buf_free(&whole);
	buf_free(&piece);
}

static void describe(struct peer *p)
{
	describe_run(p, RUN);
}

/* --- what comes back ------------------------------------------------------------------------- */

struct got {
	unsigned count;
	uint64_t seq[BATCH_TASKS];
	uint32_t poll[BATCH_TASKS], before[BATCH_TASKS];
	uint8_t attempt[BATCH_TASKS];
	bool last[BATCH_TASKS];
	uint64_t number, sent;
};

static struct wire_in put_body(struct peer *p)
{
	struct wire_in r = body_of(p);
	uint16_t len;
	const uint8_t *key;

	p->id = wire_get_u64(&r);
	CHECK(wire_get_u8(&r) == COURIER_RESULTS);
	key = wire_get_str(&r, &len);
	CHECK(len == 4 && memcmp(key, "boss", 4) == 0);
	return r;
}

static struct got put_results(struct peer *p)
{
	struct got g = {0};
	struct batch_head head;
	struct batch_results results;
	struct wire_in r;
	bool other;

	r = put_body(p);
	CHECK(batch_head_unpack(&head, &r, &other) && head.kind == BATCH_OF_RESULTS &&
	      head.run == RUN);
	CHECK(batch_results_unpack(&results, &r));
	CHECK(strcmp(results.agent, "me") == 0 && strcmp(results.site, "here") == 0);
	g.count = results.count;
	g.number = results.number;
	g.sent = results.stats.count[STATS_SENT];
	for (unsigned i = 0; i < g.count; i++) {
		struct batch_result b;
		struct record_head end;

		CHECK(batch_result_unpack(&b, &end, &r));
		g.seq[i] = b.seq;
		g.poll[i] = b.poll;
		g.before[i] = b.before;
		g.attempt[i] = b.attempt;
		g.last[i] = b.head != NULL;
	}
	CHECK(r.at == r.end);
	return g;
}

static struct got hear_results(struct peer *p)
{
	HEAR(p, COURIER_PUT);
	return put_results(p);
}

static void hear_need_of(struct peer *p, uint64_t run, enum courier_message answer)
{
	struct batch_head head;
	struct wire_in r;
	bool other;
	uint16_t len;

	HEAR(p, COURIER_PUT);
	r = put_body(p);
	CHECK(batch_head_unpack(&head, &r, &other) && head.kind == BATCH_NEED && head.run == run);
	CHECK(memcmp(wire_get_str(&r, &len), "me", 2) == 0 && len == 2);
	CHECK(memcmp(wire_get_str(&r, &len), "here", 4) == 0 && len == 4);
	say_u64(p, (uint8_t)answer, p->id);
}

static void hear_need(struct peer *p)
{
	hear_need_of(p, RUN, COURIER_CONFIRMED);
}

/* The end that it asks for, in order. */
static void stop(struct peer *p)
{
	HEAR(p, COURIER_STOP);
	say(p, COURIER_STOPPED, NULL, 0);
}

static void end(struct peer *p)
{
	control(p, BATCH_DRAIN, NULL);
	HEAR(p, COURIER_LEAVE);
	HEAR_TAG(p, COURIER_ACK, 7777);
	stop(p);
	CHECK(hear(p) == 0); /* it closes */
}

/* --- a scripted cell --------------------------------------------------------------------------- */

struct held {
	struct batch_result result;
	uint32_t batch;
};

struct mock {
	struct peer *p;
	struct gather gather;
	uint8_t *slots, lent[SLOTS_EACH], nlent, slot;
	struct stats stats;
	struct held held[1000];
	unsigned nheld;
	bool slow;
};

static void mock_stats(struct mock *m)
{
	uint8_t octets[STATS_PACKED];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	stats_pack(&m->stats, &w);
	say(m->p, CELL_STATS, octets, sizeof(octets));
	m->stats = (struct stats){{0}};
}

static void answer_ping(struct mock *m)
{
	if (m->slow)
		usleep(SLOW_US);
	page->pings++;
	mock_stats(m);
}

/* What was gathered goes. */
static void mock_flush(struct mock *m)
{
	struct gather_frame frame;

	if (m->gather.rows == 0)
		return;
	mock_stats(m);
	frame = gather_close(&m->gather, CELL_RESULTS, m->slot);
	page->copied += m->slot == GATHER_INLINE;
	struct queue_part parts[] = {{(const uint8_t *)frame.lists.p + 5, frame.lists.len - 5},
				     frame.rows};
	queue_put_parts(m->p->q, CELL_RESULTS, parts, 2);
	flush(m->p);
}

/* Where rows go: a slot, if there is one. */
static void mock_begin(struct mock *m)
{
	static uint8_t own[GATHER_MAX];

	m->slot = m->slots != NULL && m->nlent > 0 ? m->lent[--m->nlent] : GATHER_INLINE;
	gather_begin(&m->gather, m->slot == GATHER_INLINE
					 ? own
					 : m->slots + (size_t)m->slot * SLOT_OCTETS + GATHER_HEADS);
}

static void mock_add(struct mock *m, uint32_t batch, const struct batch_result *r)
{
	if (m->gather.rows == 0)
		mock_begin(m);
	gather_add(&m->gather, batch, r);
}

static void answer(struct mock *m, const struct held *h, enum record_status status, bool parts)
{
	struct batch_result r = h->result;
	struct record_head head = {.status = (uint8_t)status, .rtt_us = 5};

	r.octets = (const uint8_t *)"x\n";
	r.len = 2;
	if (parts) {
		mock_add(m, h->batch, &r);
		r.before = 2;
	}
	r.head = &head;
	mock_add(m, h->batch, &r);
	m->stats.count[STATS_SENT]++;
}

/* One row of so many octets. */
static void answer_large(struct mock *m, const struct held *h, size_t rows)
{
	static uint8_t octets[BATCH_BODY_MAX];
	struct batch_result r = h->result;
	struct record_head head = {.status = RECORD_OK, .rtt_us = 5};
	uint8_t packed[BATCH_RESULT_MAX + 1];
	struct wire_out w = {.at = packed, .end = packed + sizeof(packed)};

	r.head = &head;
	batch_result_pack(&r, &w);
	r.octets = octets;
	r.len = (uint32_t)(rows - (size_t)(w.at - packed));
	mock_add(m, h->batch, &r);
}

/* What was gathered, as the payload of a frame with all rows in it, at the end. Returns its octets; *rows: so many of them. */
static size_t inline_frame(struct mock *m, uint8_t *at, size_t *rows)
{
	struct gather_frame frame = gather_close(&m->gather, CELL_RESULTS, GATHER_INLINE);

	memcpy(at, (const uint8_t *)frame.lists.p + 5, frame.lists.len - 5);
	memcpy(at + frame.lists.len - 5, frame.rows.p, frame.rows.len);
	*rows = frame.rows.len;
	return frame.lists.len - 5 + frame.rows.len;
}

/* Its rows are in a slot: of so many octets that it ends before them, one that there is not, or one that is full. */
static void lie_of_slot(const struct mock *m, uint8_t *at, const char *how)
{
	struct wire_out w = {.at = at, .end = at + 5};
	bool many = strcmp(how, "many") == 0;

	wire_put_u8(&w, many ? m->lent[0] : strcmp(how, "none") == 0 ? SLOTS_EACH : FIRST_FILLED);
	if (many)
		wire_put_u32(&w, GATHER_MAX + 1);
}

/* One that says so: of a batch that is not its, of more tasks than it has, of twice the same; with rows that are cut, a status that
 * there is not, an octet more than a message holds beside the heads that ours have, or a slot that it may not name. */
static void lie(struct mock *m, struct held *h, const char *how)
{
	static uint8_t at[QUEUE_FRAME_MAX];
	bool twice = strcmp(how, "twice") == 0, large = strcmp(how, "large") == 0;
	size_t len, rows;

	h->batch += strcmp(how, "batch") == 0 ? 7 : 0;
	answer(m, h, strcmp(how, "status") == 0 ? RECORD_STATUS_COUNT : RECORD_OK, false);
	for (unsigned i = 0; strcmp(how, "more") == 0 && i < 5; i++)
		answer(m, h, RECORD_OK, false);
	h->batch++;
	for (unsigned i = 0; twice && i < 2; i++)
		answer(m, h, RECORD_OK, false);
	len = inline_frame(m, at, &rows);
	if (twice) /* the batch stands in the list again, as if with another one */
		memcpy(at + len - rows - 3 * 13 - 6, at + len - rows - 3 * 13 - 12, 4);
	if (strncmp(how, "slot-", 5) == 0) {
		lie_of_slot(m, at, how + 5);
		len -= rows;
	}
	len += large ? ROWS_TOO_MANY - rows : 0;
	if (large)
		wire_put_u32(&(struct wire_out){.at = at + 1, .end = at + 5}, ROWS_TOO_MANY);
	say(m->p, strcmp(how, "kind") == 0 ? 99 : CELL_RESULTS, at,
	    len - (strcmp(how, "cut") == 0));
}

static void do_task(struct mock *m, const struct plan_target *t, const struct held *h)
{
	struct held own = *h;

	m->slow |= strcmp(t->host, "slow") == 0;
	page->asked++;
	if (strcmp(t->host, "die") == 0)
		_exit(9);
	else if (strcmp(t->host, "hang") == 0)
		raise(SIGSTOP);
	else if (strcmp(t->host, "wrong") == 0)
		_exit(AGENT_CELL_WRONG);
	else if (strcmp(t->host, "large") == 0)
		answer_large(m, h, GATHER_MAX);
	else if (strncmp(t->host, "lie-", 4) == 0)
		lie(m, &own, t->host + 4);
	else if (strcmp(t->host, "hold") == 0 || strcmp(t->host, "slow") == 0)
		m->held[m->nheld++] = *h;
	else
		answer(m, h, RECORD_OK, strcmp(t->host, "part") == 0);
}

/* As many as it says, all of which are good; else it says so, and does none. */
static void do_tasks(struct mock *m, bool alone)
{
	struct wire_in r = body_of(m->p), again;
	struct held h = {.batch = wire_get_u32(&r)};
	unsigned count;

	h.result.poll = wire_get_u32(&r);
	h.result.attempt = wire_get_u8(&r);
	count = wire_get_u16(&r);
	again = r;
	page->alone_rounds += alone;
	if (alone && count > page->alone_max)
		page->alone_max = count;
	for (unsigned i = 0; i < 2 * count; i++) {
		struct batch_store store;
		struct plan_target t;
		struct learnt known;
		bool learns;

		if (i == count)
			CHECK(r.at == r.end);
		if (i == count)
			r = again;
		if (!batch_target_unpack(&t, &store, &learns, &known, &r)) {
			say(m->p, CELL_UNREADABLE, m->p->body, 4);
			return;
		}
		if (i < count)
			continue;
		h.result.seq = t.seq;
		do_task(m, &t, &h);
		h.result.poll++;
		if (alone)
			mock_flush(m);
	}
}

static int cell_script(const void *arg, const struct run *run, bool alone, uint8_t *slots, int fd)
{
	static struct peer peer;
	static struct mock m;
	bool stopped = false;
	uint8_t kind;

	(void)arg;
	page->cells++;
	m.p = &peer;
	m.slots = page->no_slots ? NULL : slots;
	peer = (struct peer){.q = queue_new(fd), .fd = fd};
	CHECK(run->number - RUN < 2 && strcmp(run->format, "jsonl") == 0 && run->profiles_len == 8);
	while (!(stopped && m.nheld == 0) && (kind = hear(&peer)) != 0) {
		stopped |= kind == CELL_STOP;
		if (kind == CELL_PING)
			answer_ping(&m);
		if (kind == CELL_SLOT) {
			CHECK(peer.len == 1 && peer.body[0] < SLOTS_EACH && m.nlent < SLOTS_EACH);
			m.lent[m.nlent++] = peer.body[0];
		}
		if (kind == CELL_CANCEL) {
			page->cancelled++;
			while (m.nheld > 0)
				answer(&m, &m.held[--m.nheld], RECORD_CANCELLED, false);
		}
		if (kind == CELL_TASKS)
			do_tasks(&m, alone);
		mock_flush(&m);
	}
	page->ended++;
	return 0;
}

/* --- tests -------------------------------------------------------------------------------------- */

typedef void (*script_fn)(struct peer *p);

static int courier_script(const void *arg, const uint8_t *shared, size_t shared_len, int fd)
{
	static struct peer peer;

	page->lives++;
	peer = (struct peer){
		.q = queue_new(fd), .fd = fd, .shared = shared, .shared_len = shared_len};
	if (page->failed[0] == '\0')
		(*(const script_fn *)arg)(&peer);
	return 0;
}

static struct agent_config config_of(const script_fn *script)
{
	return (struct agent_config){.name = "me",
				     .site = "here",
				     .where = "a broker",
				     .courier = courier_script,
				     .courier_arg = script,
				     .cell = cell_script,
				     .need_us = 500000,
				     .drain_us = 500000};
}

static struct agent_result run_with(const struct agent_config *c, enum agent_end wanted)
{
	struct agent_result r;
	enum agent_end ended;

	memset(page, 0, sizeof(*page));
	ended = agent_run(c, &r);
	histogram_free(r.sum.latency);
	if (page->failed[0] != '\0')
		fail_msg("%s", page->failed);
	assert_int_equal(ended, wanted);
	return r;
}

static struct agent_result run(script_fn script)
{
	struct agent_config c = config_of(&script);

	return run_with(&c, AGENT_DRAINED);
}

/* Polled, put, confirmed, and only then acknowledged. */
static void script_order(struct peer *p)
{
	struct got g;

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .attempt = 3, .hosts = "ok ok part"});
	g = hear_results(p);
	CHECK(g.count == 4 && g.number == 1 && g.sent == 3);
	for (unsigned i = 0; i < 4; i++)
		CHECK(g.attempt[i] == 3 && g.seq[i] == 100 + (i < 3 ? i : 2));
	CHECK(g.last[0] && g.last[1] && !g.last[2] && g.last[3]);
	CHECK(g.poll[2] == g.poll[3] && g.before[2] == 0 && g.before[3] == 2);
	SILENT(p);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 1);
	end(p);
}

static void test_acknowledged_when_confirmed(void **state)
{
	struct agent_result r = run(script_order);

	(void)state;
	assert_int_equal(r.tasks, 3);
	assert_int_equal(r.batches, 1);
	assert_int_equal(r.returned, 0);
	assert_int_equal(r.sum.status[RECORD_OK], 3);
	assert_int_equal(r.sum.stats.count[STATS_SENT], 3);
}

/* What is not confirmed goes again with another connection; a nacked one too. */
static void script_nacked(struct peer *p)
{
	uint64_t first;

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .hosts = "ok"});
	hear_results(p);
	first = p->id;
	say_u64(p, COURIER_NACKED, first);
	hear_results(p);
	CHECK(p->id == first);
	SILENT(p);
	say_u64(p, COURIER_CONFIRMED, first);
	HEAR_TAG(p, COURIER_ACK, 1);
	end(p);
}

static void test_nacked_is_put_again(void **state)
{
	(void)state;
	run(script_nacked);
}

/* The same tasks twice, at the same time: two polls of each, and each batch has its own end. */
static void script_twice(struct peer *p)
{
	uint64_t ids[2];
	struct got a, b;

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok ok"});
	a = hear_results(p);
	ids[0] = p->id;
	give(p, &(struct sent){.tag = 2, .number = 6, .attempt = 2, .hosts = "ok ok"});
	b = hear_results(p);
	ids[1] = p->id;
	CHECK(a.count == 2 && b.count == 2 && b.number == a.number + 1);
	CHECK(a.sent == 2 && b.sent == 2); /* each is counted once */
	for (unsigned i = 0; i < 2; i++)
		CHECK(a.seq[i] == b.seq[i] && a.poll[i] != b.poll[i] && a.attempt[i] == 1 &&
		      b.attempt[i] == 2);
	say_u64(p, COURIER_CONFIRMED, ids[0]);
	HEAR_TAG(p, COURIER_ACK, 1);
	SILENT(p);
	say_u64(p, COURIER_CONFIRMED, ids[1]);
	HEAR_TAG(p, COURIER_ACK, 2);
	end(p);
}

/* A broker may have a message twice: both are in hand, and both are acknowledged. */
static void script_copy(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hold"});
	give(p, &(struct sent){.tag = 2, .number = 5, .hosts = "hold"});
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 2);
	HEAR_TAG(p, COURIER_ACK, 1);
	HEAR_TAG(p, COURIER_ACK, 7777);
	end(p);
}

static void test_copy(void **state)
{
	(void)state;
	run(script_copy);
}

static void test_same_task_twice(void **state)
{
	(void)state;
	run(script_twice);
	assert_int_equal(page->cells, 1);
	assert_int_equal(page->asked, 4);
}

static void script_death(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hold hold"});
	give(p, &(struct sent){.tag = 2, .number = 6, .hosts = "hold die hold"});
	for (unsigned i = 0; i < 2; i++) {
		HEAR(p, COURIER_REQUEUE);
		CHECK(heard_u64(p) == 1 || heard_u64(p) == 2);
	}
	give(p, &(struct sent){.tag = 3, .number = 7, .hosts = "ok"}); /* another cell */
	hear_results(p);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 3);
	end(p);
}

static void test_cell_dies(void **state)
{
	struct agent_result r = run(script_death);

	(void)state;
	assert_int_equal(page->cells, 2);
	assert_int_equal(r.returned, 2);
}

/* Who dies again and again without a record cannot live here: the agent ends, and others have the tasks. */
static void script_barren(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	for (uint64_t tag = 1; tag < 8; tag++) {
		give(p, &(struct sent){.tag = tag, .number = tag, .hosts = "die"});
		HEAR_TAG(p, COURIER_REQUEUE, tag);
	}
	give(p, &(struct sent){.tag = 8, .number = 8, .hosts = "die"});
	HEAR(p, COURIER_LEAVE);
	HEAR_TAG(p, COURIER_REQUEUE, 8);
	stop(p);
}

static void test_no_cell_can_live(void **state)
{
	script_fn script = script_barren;
	struct agent_config c = config_of(&script);

	(void)state;
	run_with(&c, AGENT_FAILED);
	assert_int_equal(page->cells, 8);
}

/* Records between them, and they are counted anew: eight deaths, but four in a row. */
static void script_fruitful(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	for (uint64_t tag = 1; tag <= 11; tag++) {
		bool lives = tag == 5 || tag == 11;

		give(p, &(struct sent){.tag = tag, .number = tag, .hosts = lives ? "ok" : "die"});
		if (lives) {
			hear_results(p);
			say_u64(p, COURIER_CONFIRMED, p->id);
		}
		HEAR_TAG(p, lives ? COURIER_ACK : COURIER_REQUEUE, tag);
	}
	end(p);
}

static void test_some_cells_live(void **state)
{
	(void)state;
	run(script_fruitful);
	assert_int_equal(page->cells, 10);
}

/* One that stands still is killed, and what it had goes back; one that waits for its hosts is asked, answers, and lives. */
static void script_hang(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	describe_run(p, RUN + 1);
	give(p, &(struct sent){.tag = 9, .number = 4, .hosts = "ok"});
	hear_results(p);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 9);
	CHECK(hear_for(p, 800) == 0);
	CHECK(page->pings == 0); /* it has nothing to do */
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hang ok"});
	give(p, &(struct sent){.tag = 2, .number = 6, .run = RUN + 1, .hosts = "hold"});
	HEAR_TAG(p, COURIER_REQUEUE, 1);
	while (page->pings < 3)
		usleep(1000);
	SILENT(p);
	kill(getppid(), SIGTERM);
	HEAR(p, COURIER_LEAVE);
	HEAR_TAG(p, COURIER_REQUEUE, 2);
	stop(p);
}

static void test_cell_hangs(void **state)
{
	script_fn script = script_hang;
	struct agent_config c = config_of(&script);

	(void)state;
	c.silence_us = 500000; /* a busy machine lets nobody wait so long */
	run_with(&c, AGENT_DRAINED);
	assert_int_equal(page->cells, 2);
}

/* The agent was stopped for longer than anybody may say nothing: that is no fault of theirs, and they have as much time to
 * answer as else. The process to the broker stops it, while it owes the connection of its puts; it is slow to answer, as
 * is the cell. */
static void script_thaw(struct peer *p)
{
	unsigned asked;

	CHECK(page->lives == 1);
	say_up(p, 2);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "slow"});
	while (page->asked == 0)
		usleep(1000);
	asked = page->pings;
	kill(getppid(), SIGSTOP);
	usleep(2 * SILENCE_US + SILENCE_US / 2);
	kill(getppid(), SIGCONT);
	usleep(SLOW_US);
	p->pings = 0;
	for (int ms = 0; (p->pings == 0 || page->pings == asked) && ms < PATIENCE_MS;
	     ms += SHORT_MS)
		SILENT(p);
	CHECK(p->pings > 0 && page->pings > asked);
	say_up(p, 1);
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 1);
	HEAR_TAG(p, COURIER_ACK, 7777);
	end(p);
}

static void test_agent_was_stopped(void **state)
{
	script_fn script = script_thaw;
	struct agent_config c = config_of(&script);
	int status;
	pid_t pid;

	(void)state;
	c.silence_us = SILENCE_US;
	memset(page, 0, sizeof(*page));
	pid = fork();
	if (pid == 0) { /* who is stopped is not us */
		struct agent_result r;

		_exit(agent_run(&c, &r) == AGENT_DRAINED ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (page->failed[0] != '\0')
		fail_msg("%s", page->failed);
	assert_int_equal(status, 0);
	assert_int_equal(page->cells, 1);
	assert_int_equal(page->lives, 1);
}

/* From the third delivery: one task at a time, each record put before the next is asked, in another order each time; in a cell
 * in which nobody else is hurt. */
static void script_alone(struct peer *p)
{
	bool seen[5] = {false};
	struct got g;

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hold"});
	for (uint32_t d = 2; d < 20; d++) {
		give(p,
		     &(struct sent){
			     .tag = d, .number = 6, .deliveries = d, .hosts = "ok ok die ok ok"});
		while (hear(p) == COURIER_PUT) {
			struct batch_head head;
			struct batch_results results;
			struct batch_result b;
			struct record_head end;
			struct wire_in r = put_body(p);
			bool other;

			CHECK(batch_head_unpack(&head, &r, &other) &&
			      batch_results_unpack(&results, &r));
			CHECK(results.count == 1 && batch_result_unpack(&b, &end, &r));
			seen[b.seq - 100] = true;
			say_u64(p, COURIER_CONFIRMED, p->id);
		}
		CHECK(heard_u64(p) == d); /* it was sent back */
	}
	for (unsigned i = 0; i < 5; i++)
		CHECK(seen[i] == (i != 2));
	give(p, &(struct sent){.tag = 50, .number = 7, .deliveries = 2, .hosts = "ok ok"});
	for (unsigned i = 0; i < 2; i++) {
		g = hear_results(p);
		CHECK(g.count == 1);
		say_u64(p, COURIER_CONFIRMED, p->id);
	}
	HEAR_TAG(p, COURIER_ACK, 50);
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 1);
	HEAR_TAG(p, COURIER_ACK, 7777);
	end(p);
}

static void test_dangerous_alone(void **state)
{
	(void)state;
	run(script_alone);
	assert_int_equal(page->alone_max, 1);
}

/* So many hosts that answer; the one in that place dies of it. */
static const char *hosts_of(unsigned count, unsigned deadly)
{
	static char hosts[3 * BATCH_TASKS + 10];
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(hosts + len, sizeof(hosts) - len, "%s%s", i > 0 ? " " : "",
					i == deadly ? "die" : "ok");
	return hosts;
}

/* As many as a message holds: first in groups, or silent ones would outlast what a broker waits; few at a time later, one where
 * that is soon enough. In no more than 256 rounds, then. Each once. */
static void script_alone_many(struct peer *p)
{
	static const struct {
		unsigned deliveries, count, most;
	} ways[] = {{2, 512, 8}, {3, 512, 8}, {3, 256, 4}, {4, 256, 1}, {5, 256, 1},
		    {4, 257, 2}, {4, 512, 2}, {5, 512, 2}, {6, 511, 2}, {19, 512, 2}};

	say_up(p, 3);
	describe(p);
	for (unsigned way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		unsigned count = ways[way].count, most = ways[way].most, d = ways[way].deliveries;
		bool seen[BATCH_TASKS] = {false};

		page->alone_max = page->alone_rounds = 0;
		give(p, &(struct sent){.tag = way,
				       .number = way,
				       .deliveries = d,
				       .hosts = hosts_of(count, count)});
		for (unsigned n = 0; n < count;) {
			struct got g = hear_results(p);

			CHECK(g.count <= most);
			n += g.count;
			for (unsigned i = 0; i < g.count; i++) {
				CHECK(!seen[g.seq[i] - 100]);
				seen[g.seq[i] - 100] = true;
			}
			say_u64(p, COURIER_CONFIRMED, p->id);
		}
		HEAR_TAG(p, COURIER_ACK, way);
		CHECK(page->alone_max == most);
		CHECK(page->alone_rounds == (count + most - 1) / most);
		CHECK(d < 4 || page->alone_rounds <= 256);
	}
	end(p);
}

static void test_dangerous_many(void **state)
{
	(void)state;
	run(script_alone_many);
}

/* One among as many as a message holds kills who asks it. Two deliveries reach all but its group, wherever it stands; by the eighth
 * it is alone without a record: those beside it went with others. */
static void script_alone_apart(struct peer *p)
{
	static const unsigned deadly[] = {0, 300, BATCH_TASKS - 1};

	say_up(p, 3);
	describe(p);
	for (unsigned i = 0; i < 3; i++) {
		bool seen[BATCH_TASKS] = {false};
		unsigned reached = 0;

		for (uint32_t d = 2; d < 8; d++) {
			give(p, &(struct sent){.tag = d,
					       .number = 6,
					       .deliveries = d,
					       .hosts = hosts_of(BATCH_TASKS, deadly[i])});
			while (hear(p) == COURIER_PUT) {
				struct got g = put_results(p);

				for (unsigned n = 0; n < g.count; n++) {
					reached += !seen[g.seq[n] - 100];
					seen[g.seq[n] - 100] = true;
				}
				say_u64(p, COURIER_CONFIRMED, p->id);
			}
			CHECK(heard_u64(p) == d);
			CHECK(d < 3 || reached >= BATCH_TASKS - 8);
			CHECK(d < 5 || reached >= BATCH_TASKS - 2);
		}
		CHECK(reached == BATCH_TASKS - 1 && !seen[deadly[i]]);
	}
	end(p);
}

static void test_dangerous_apart(void **state)
{
	(void)state;
	run(script_alone_apart);
}

/* While the broker does not want the record of one, the next dangerous task is not asked. */
static void script_alone_nacked(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 4, .hosts = "ok"});
	hear_results(p);
	say_u64(p, COURIER_NACKED, p->id);
	give(p, &(struct sent){.tag = 2, .number = 5, .deliveries = 2, .hosts = "ok ok ok"});
	hear_results(p); /* the first one again, after its pause; nothing goes beside it */
	SILENT(p);
	CHECK(page->asked == 2);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 1);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(hear_results(p).count == 1);
		say_u64(p, COURIER_CONFIRMED, p->id);
	}
	HEAR_TAG(p, COURIER_ACK, 2);
	end(p);
}

static void test_dangerous_when_nacked(void **state)
{
	(void)state;
	run(script_alone_nacked);
}

/* A broker that confirms nothing: what it does not want stays with the cell, and goes on with the first confirm. */
static void script_no_confirms(struct peer *p)
{
	const unsigned share = WINDOW_MAX / 2;

	say_up(p, 3);
	describe(p);
	for (unsigned i = 1; i <= share; i++) {
		give(p, &(struct sent){.tag = i, .number = i, .hosts = "ok"});
		hear_results(p);
		CHECK(p->id == i);
	}
	give(p, &(struct sent){.tag = share + 1, .number = share + 1, .hosts = "ok"});
	SILENT(p);
	for (uint64_t id = 1; id <= share; id++)
		say_u64(p, COURIER_CONFIRMED, id);
	for (uint64_t tag = 1, put = 0; tag <= share || put == 0;) {
		uint8_t kind = hear(p);

		CHECK(kind == COURIER_PUT || (kind == COURIER_ACK && heard_u64(p) == tag));
		put += kind == COURIER_PUT;
		tag += kind == COURIER_ACK;
	}
	say_u64(p, COURIER_CONFIRMED, share + 1);
	HEAR_TAG(p, COURIER_ACK, share + 1);
	end(p);
}

static void test_no_confirms(void **state)
{
	(void)state;
	run(script_no_confirms);
}

/* A record of a task that it has not: the cell is killed, and what it had goes back. */
static void lies(struct peer *p, const char *const *ways, unsigned count)
{
	say_up(p, 3);
	describe(p);
	for (unsigned i = 0; i < count; i++) {
		give(p, &(struct sent){.tag = 1 + i, .number = 5, .hosts = ways[i]});
		HEAR_TAG(p, COURIER_REQUEUE, 1 + i); /* and nothing was put before */
	}
	end(p);
}

static void script_lie(struct peer *p)
{
	static const char *const ways[] = {"hold lie-batch",  "hold lie-more", "hold lie-twice",
					   "hold lie-status", "hold lie-cut",  "hold lie-kind",
					   "hold lie-large"};

	lies(p, ways, 7);
}

static void test_cell_lies(void **state)
{
	(void)state;
	run(script_lie);
	assert_int_equal(page->cells, 7);
}

/* There is memory to be shared. */
static void need_slots(void)
{
	struct slots *s = slots_new(1);
	uint8_t slot;
	bool lent;

	slots_begin(s, 0);
	lent = slot_lend(s, 0, &slot);
	slots_free(s);
	if (!lent)
		skip();
}

static void script_lie_of_a_slot(struct peer *p)
{
	static const char *const ways[] = {"hold lie-slot-many", "hold lie-slot-none"};

	lies(p, ways, 2);
}

static void test_cell_lies_of_a_slot(void **state)
{
	(void)state;
	need_slots();
	run(script_lie_of_a_slot);
	assert_int_equal(page->cells, 2);
}

/* A slot whose message waits for its confirm: the frame that names it is no message, and that one is as it was. */
static void script_lie_of_a_full_slot(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok ok"});
	CHECK(hear_results(p).count == 2);
	give(p, &(struct sent){.tag = 2, .number = 6, .hosts = "hold lie-slot-full"});
	HEAR_TAG(p, COURIER_REQUEUE, 2);
	say_up(p, 1);
	CHECK(hear_results(p).count == 2);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 1);
	end(p);
}

static void test_cell_lies_of_a_full_slot(void **state)
{
	(void)state;
	need_slots();
	run(script_lie_of_a_full_slot);
	assert_int_equal(page->lent, 2);
}

/* --- slots ----------------------------------------------------------------------------------- */

/* One message after the other; each is answered before the next. */
static void one_by_one(struct peer *p, enum courier_message answer)
{
	say_up(p, 3);
	describe(p);
	for (uint64_t i = 1; i <= 3 * SLOTS_EACH; i++) {
		give(p, &(struct sent){.tag = i, .number = i, .hosts = "ok"});
		CHECK(hear_results(p).number == i);
		say_u64(p, (uint8_t)answer, p->id);
		HEAR_TAG(p, COURIER_ACK, i);
	}
	end(p);
}

static void script_slots(struct peer *p)
{
	one_by_one(p, COURIER_CONFIRMED);
}

static void test_slots_are_lent_again(void **state)
{
	(void)state;
	need_slots();
	run(script_slots);
	assert_int_equal(page->lent, 3 * SLOTS_EACH);
	assert_int_equal(page->copied, 0);
}

static void no_slots(struct peer *p)
{
	page->no_slots = true;
	script_slots(p);
}

/* As on a system that cannot share memory so that workers have none of it. */
static void test_without_slots(void **state)
{
	(void)state;
	run(no_slots);
	assert_int_equal(page->lent, 0);
	assert_int_equal(page->copied, 3 * SLOTS_EACH);
}

static void give_and_hear(struct peer *p, uint64_t i)
{
	struct got g;

	give(p, &(struct sent){.tag = i, .number = i, .attempt = (uint8_t)i, .hosts = "ok ok"});
	g = hear_results(p);
	CHECK(g.number == i && g.count == 2 && g.attempt[1] == i);
}

/* More messages than slots are with the broker, and go again, as they were, to it and to another process. */
static void script_slots_are_full(struct peer *p)
{
	bool first = page->lives == 1;

	say_up(p, 3);
	for (unsigned i = 1; first && i <= 2 * SLOTS_EACH; i++) {
		if (i == 1)
			describe(p);
		give_and_hear(p, i);
	}
	if (first)
		say_up(p, 1);
	for (unsigned i = 1; i <= 2 * SLOTS_EACH; i++) {
		struct got g = hear_results(p);

		CHECK(g.number == i && g.count == 2 && g.attempt[0] == i);
	}
	if (first)
		return; /* and dies */
	for (unsigned i = 1; i <= 2 * SLOTS_EACH; i++)
		say_u64(p, COURIER_CONFIRMED, i);
	give_and_hear(p, 2 * SLOTS_EACH + 1);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 2 * SLOTS_EACH + 1);
	end(p);
}

static void test_slots_are_full(void **state)
{
	(void)state;
	need_slots();
	run(script_slots_are_full);
	assert_int_equal(page->lives, 2);
	assert_int_equal(page->copied, SLOTS_EACH);
	assert_int_equal(page->lent, 3 * SLOTS_EACH + 1);
}

/* A cell dies: what it had put stays, and the next one goes to a place where nothing stands. */
static void script_slots_of_the_dead(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give_and_hear(p, 1);
	give(p, &(struct sent){.tag = 2, .number = 2, .hosts = "die"});
	HEAR_TAG(p, COURIER_REQUEUE, 2);
	give_and_hear(p, 2);
	say_up(p, 1);
	for (unsigned i = 1; i <= 2; i++) { /* as they were */
		struct got g = hear_results(p);

		CHECK(g.number == i && g.count == 2 && g.attempt[0] == i);
		say_u64(p, COURIER_CONFIRMED, i);
	}
	HEAR_TAG(p, COURIER_ACK, 1);
	HEAR_TAG(p, COURIER_ACK, 2);
	give(p, &(struct sent){.tag = 3, .number = 3, .hosts = "die"});
	HEAR_TAG(p, COURIER_REQUEUE, 3);
	for (unsigned i = 3; i < 3 + SLOTS_EACH; i++)
		give_and_hear(p, i);
	for (unsigned i = 3; i < 3 + SLOTS_EACH; i++)
		say_u64(p, COURIER_CONFIRMED, i);
	for (unsigned i = 3; i < 3 + SLOTS_EACH; i++)
		HEAR_TAG(p, COURIER_ACK, i);
	end(p);
}

static void test_slots_of_the_dead(void **state)
{
	(void)state;
	need_slots();
	run(script_slots_of_the_dead);
	assert_int_equal(page->cells, 3);
	assert_int_equal(page->copied, 0);
	assert_int_equal(page->lent, 2 * 2 + SLOTS_EACH); /* the first two twice */
}

/* Of dangerous tasks there is one place: until what its dead cell had put was confirmed, the next one has no slots. */
static void script_slots_of_one_place(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	for (unsigned i = 1; i <= 3; i++) {
		give(p, &(struct sent){.tag = i,
				       .number = i,
				       .deliveries = 2,
				       .hosts = i == 2 ? "die" : "ok"});
		if (i == 2)
			HEAR_TAG(p, COURIER_REQUEUE, 2);
		else
			CHECK(hear_results(p).count == 1);
	}
	for (unsigned i = 1; i <= 2; i++)
		say_u64(p, COURIER_CONFIRMED, i);
	HEAR_TAG(p, COURIER_ACK, 1);
	HEAR_TAG(p, COURIER_ACK, 3);
	end(p);
}

static void test_slots_of_one_place(void **state)
{
	(void)state;
	need_slots();
	run(script_slots_of_one_place);
	assert_int_equal(page->cells, 2);
	assert_int_equal(page->lent, 1);
	assert_int_equal(page->copied, 1);
}

/* A master that has gone: its messages leave without a confirm, and their slots are lent again, too. */
static void script_slots_come_back(struct peer *p)
{
	one_by_one(p, COURIER_RETURNED);
}

static void test_slots_of_what_nobody_wants(void **state)
{
	struct agent_result r;

	(void)state;
	need_slots();
	r = run(script_slots_come_back);
	assert_int_equal(r.unheard, 3 * SLOTS_EACH);
	assert_int_equal(page->lent, 3 * SLOTS_EACH);
	assert_int_equal(page->copied, 0);
}

/* As many octets as a cell gathers at most: it is no liar. */
static void script_large(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "large"});
	CHECK(hear_results(p).count == 1 && p->len <= BATCH_BODY_MAX + 8 + 1 + 2 + 4);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 1);
	end(p);
}

static void test_large_message(void **state)
{
	(void)state;
	run(script_large);
}

/* A target that makes no sense: its cell says so, lives, and what it has beside it is answered; one that comes alone has no cell. */
static void script_unreadable(struct peer *p)
{
	uint8_t octets[200], *at;
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct plan_target t = {.host = "ok", .addr = {.family = 4, .ip = {127, 0, 0, 1}}};

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hold"});
	batch_head_pack(&(struct batch_head){.kind = BATCH_OF_TASKS, .run = RUN}, &w);
	batch_tasks_pack(
		&(struct batch_tasks){.number = 1, .attempt = 1, .master = "boss", .count = 2}, &w);
	batch_target_pack(&t, NULL, &w);
	at = w.at;
	batch_target_pack(&t, NULL, &w);
	at[2 + 1 + 8 + 4] = 99; /* its transport */
	say_taken(p, 2, COURIER_FROM_TASKS, 0, &w, octets);
	HEAR_TAG(p, COURIER_BURY, 2);
	say_taken(p, 3, COURIER_FROM_TASKS, 2, &w, octets);
	HEAR_TAG(p, COURIER_BURY, 3);
	give(p, &(struct sent){.tag = 4, .number = 6, .hosts = "ok"});
	CHECK(hear_results(p).count == 1);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 4);
	CHECK(page->cells == 1);
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 1);
	HEAR_TAG(p, COURIER_ACK, 7777);
	end(p);
}

static void test_target_that_makes_no_sense(void **state)
{
	struct agent_result r = run(script_unreadable);

	(void)state;
	assert_int_equal(page->asked, 2);
	assert_int_equal(r.returned, 0);
}

static void script_need(struct peer *p)
{
	unsigned records = 0;

	say_up(p, 3);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok"});
	give(p, &(struct sent){.tag = 2, .number = 6, .hosts = "ok"});
	hear_need(p); /* once for both */
	describe(p);
	for (unsigned tags = 0; tags < 1 + 2;) {
		uint8_t kind = hear(p);

		CHECK(kind == COURIER_PUT || kind == COURIER_ACK);
		if (kind == COURIER_ACK) {
			CHECK(heard_u64(p) == 1 || heard_u64(p) == 2);
			tags += (unsigned)heard_u64(p);
			continue;
		}
		records += put_results(p).count;
		say_u64(p, COURIER_CONFIRMED, p->id);
	}
	CHECK(records == 2);
	control(p, BATCH_DRAIN, NULL);
	while (hear(p) != COURIER_STOP) {
	}
	say(p, COURIER_STOPPED, NULL, 0);
}

static void test_run_is_asked_for(void **state)
{
	(void)state;
	run(script_need);
	assert_int_equal(page->asked, 2);
}

static void script_unexplained(struct peer *p)
{
	say_up(p, 3);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok"});
	hear_need(p);
	HEAR_TAG(p, COURIER_REQUEUE, 1);
	give(p, &(struct sent){.tag = 2, .number = 5, .deliveries = 6, .hosts = "ok"});
	hear_need(p);
	HEAR_TAG(p, COURIER_BURY, 2);
	end(p);
}

static void test_run_that_nobody_explains(void **state)
{
	(void)state;
	run(script_unexplained);
	assert_int_equal(page->cells, 0);
}

/* Its master has no queue any more: the first time is enough. One that has had none for a moment is waited for. */
static void script_master_gone(struct peer *p)
{
	say_up(p, 3);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok"});
	hear_need_of(p, RUN, COURIER_RETURNED);
	HEAR_TAG(p, COURIER_BURY, 1);
	give(p, &(struct sent){.tag = 2, .number = 5, .hosts = "ok"});
	hear_need_of(p, RUN, COURIER_RETURNED);
	describe(p);
	hear_results(p);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 2);
	end(p);
}

static void test_master_is_gone(void **state)
{
	struct agent_result r = run(script_master_gone);

	(void)state;
	assert_int_equal(page->asked, 1);
	assert_int_equal(r.unheard, 0); /* those are results */
}

/* Descriptions have so much room: the one that was used longest ago goes, and is asked for again. */
static void script_large_runs(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	describe_run(p, RUN + 1);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok"});
	hear_need(p);
	describe(p);
	hear_results(p);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 1);
	describe_run(p, RUN + 1); /* this one has no cell: it goes, and not the one in use */
	give(p, &(struct sent){.tag = 2, .number = 6, .hosts = "ok"});
	hear_results(p);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 2);
	end(p);
}

static void test_large_runs(void **state)
{
	script_fn script = script_large_runs;
	struct agent_config c = config_of(&script);

	(void)state;
	c.runs_max = 60;
	run_with(&c, AGENT_DRAINED);
}

static void script_forged(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .master = "another", .hosts = "ok"});
	HEAR_TAG(p, COURIER_BURY, 1);
	end(p);
}

/* Tasks of a run whose results would go to somebody else. */
static void test_another_master(void **state)
{
	(void)state;
	run(script_forged);
	assert_int_equal(page->asked, 0);
}

/* Nothing is due: it sleeps. First, a batch whose time is as far away as a number can say; then one whose run was asked for, and
 * has become known, while there is no cell for it. */
static void script_idle(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1,
			       .number = 5,
			       .deliveries = 2,
			       .until_us = INT64_MAX,
			       .hosts = "hold"});
	CHECK(hear_for(p, 1500) == 0);
	give(p,
	     &(struct sent){.tag = 2, .number = 6, .run = RUN + 1, .deliveries = 2, .hosts = "ok"});
	hear_need_of(p, RUN + 1, COURIER_CONFIRMED);
	describe_run(p, RUN + 1);
	CHECK(hear_for(p, 1500) == 0);
	kill(getppid(), SIGTERM);
	HEAR(p, COURIER_LEAVE);
	HEAR_TAG(p, COURIER_REQUEUE, 2);
	HEAR_TAG(p, COURIER_REQUEUE, 1);
	stop(p);
}

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void test_sleeps_while_nothing_is_due(void **state)
{
	int64_t begun_us = cpu_us();

	(void)state;
	run(script_idle);
	assert_true(cpu_us() - begun_us < 150000);
}

static void script_refused(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "wrong"});
	HEAR_TAG(p, COURIER_REQUEUE, 1);
	give(p, &(struct sent){.tag = 2, .number = 5, .deliveries = 1, .hosts = "wrong"});
	HEAR_TAG(p, COURIER_BURY, 2);
	end(p);
}

static void test_run_that_makes_no_sense(void **state)
{
	(void)state;
	run(script_refused);
	assert_int_equal(page->cells, 1);
}

static void script_cancel(struct peer *p)
{
	const uint64_t to = 6;

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hold hold"});
	SILENT(p);
	control(p, BATCH_CANCEL, &to);
	HEAR_TAG(p, COURIER_ACK, 1); /* without a record */
	HEAR_TAG(p, COURIER_ACK, 7777);
	give(p, &(struct sent){.tag = 2, .number = 6, .hosts = "ok"});
	HEAR_TAG(p, COURIER_ACK, 2);                                   /* unasked */
	give(p, &(struct sent){.tag = 3, .number = 7, .hosts = "ok"}); /* of the next round */
	CHECK(hear_results(p).count == 1);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 3);
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 7777);
	give(p, &(struct sent){.tag = 4, .number = 8, .hosts = "ok"});
	HEAR_TAG(p, COURIER_ACK, 4);
	end(p);
}

static void test_cancelled(void **state)
{
	struct agent_result r = run(script_cancel);

	(void)state;
	assert_int_equal(page->cancelled, 1);
	assert_int_equal(page->asked, 3);
	assert_int_equal(r.dropped, 4);
	assert_int_equal(r.sum.targets, 1);
}

static void script_late(struct peer *p)
{
	int64_t now_us = loop_wall_ms() * 1000;

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .until_us = now_us - 1, .hosts = "ok"});
	HEAR_TAG(p, COURIER_ACK, 1);
	give(p,
	     &(struct sent){.tag = 2, .number = 6, .until_us = now_us + 1000000, .hosts = "hold"});
	HEAR_TAG(p, COURIER_ACK, 2);
	CHECK(loop_wall_ms() * 1000 >= now_us + 1000000);
	end(p);
}

static void test_nothing_after_its_time(void **state)
{
	struct agent_result r = run(script_late);

	(void)state;
	assert_int_equal(page->asked, 1);
	assert_int_equal(r.dropped, 2);
}

/* What is over is not asked again, by nobody; what else its cell had is. */
static void script_late_together(struct peer *p)
{
	int64_t until_us = loop_wall_ms() * 1000 + 2000000;

	say_up(p, 3);
	describe(p);
	for (uint64_t tag = 1; tag <= 3; tag++)
		give(p, &(struct sent){.tag = tag,
				       .number = tag + 4,
				       .until_us = tag < 3 ? until_us : 0,
				       .hosts = "hold hold"});
	HEAR_TAG(p, COURIER_ACK, 1);
	HEAR_TAG(p, COURIER_REQUEUE, 3);
	HEAR_TAG(p, COURIER_ACK, 2);
	end(p);
}

static void test_all_are_late(void **state)
{
	struct agent_result r = run(script_late_together);

	(void)state;
	assert_int_equal(page->cells, 1);
	assert_int_equal(page->asked, 6);
	assert_int_equal(r.dropped, 4);
	assert_int_equal(r.returned, 1);
}

/* Tags die with a connection: no answer is given for one, and a batch that comes again in hand is not polled again. */
static void script_epoch(struct peer *p)
{
	uint64_t id;

	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok hold"});
	hear_results(p);
	id = p->id;
	say_down(p, 3, false);
	say_up(p, 3);
	hear_results(p); /* what was not confirmed, again */
	CHECK(p->id == id);
	say_u64(p, COURIER_CONFIRMED, id);
	SILENT(p);
	give(p, &(struct sent){.tag = 9, .number = 5, .deliveries = 1, .hosts = "ok hold"});
	SILENT(p);
	CHECK(page->asked == 2);
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 9);
	HEAR_TAG(p, COURIER_ACK, 7777);
	end(p);
}

static void test_tags_die(void **state)
{
	(void)state;
	run(script_epoch);
}

/* One message of results comes of it, which is answered so; then it is acknowledged. */
static void poll_one(struct peer *p, const struct sent *s, enum courier_message answer)
{
	unsigned asked = page->asked;

	give(p, s);
	HEAR(p, COURIER_PUT);
	put_body(p);
	say_u64(p, (uint8_t)answer, p->id);
	HEAR_TAG(p, COURIER_ACK, s->tag);
	CHECK(page->asked == asked + 1);
}

/* Batches come again that have ended, their acknowledgements lost: they are acknowledged, and asked no more. Others are. */
static void script_ended(struct peer *p)
{
	static const struct sent others[] = {
		{.number = 5, .run = RUN + 1, .deliveries = 1, .hosts = "ok"},
		{.number = 5, .attempt = 2, .deliveries = 1, .hosts = "ok"},
		{.number = 7, .deliveries = 1, .hosts = "ok"},
		{.number = 5, .hosts = "ok"},
	};

	say_up(p, 3);
	describe(p);
	describe_run(p, RUN + 1);
	for (uint64_t number = 5; number < 7; number++)
		poll_one(p, &(struct sent){.tag = 1, .number = number, .hosts = "ok"},
			 COURIER_CONFIRMED);
	say_down(p, 3, false);
	say_up(p, 3);
	for (uint64_t number = 5; number < 7; number++) {
		give(p, &(struct sent){.tag = 2, .number = number, .deliveries = 1, .hosts = "ok"});
		HEAR_TAG(p, COURIER_ACK, 2);
	}
	CHECK(page->asked == 2);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		poll_one(p, &others[i], COURIER_CONFIRMED);
	end(p);
}

/* Two messages are with the broker, and one comes back: the batch of the other one is not asked again. */
static void unread_beside(struct peer *p, uint64_t number, bool second)
{
	uint64_t id[2];

	for (unsigned i = 0; i < 2; i++) {
		give(p, &(struct sent){.tag = i, .number = number + i, .hosts = "ok"});
		hear_results(p);
		id[i] = p->id;
	}
	say_u64(p, COURIER_RETURNED, id[second]);
	say_u64(p, COURIER_CONFIRMED, id[!second]);
	HEAR_TAG(p, COURIER_ACK, 0);
	HEAR_TAG(p, COURIER_ACK, 1);
	give(p,
	     &(struct sent){.tag = 2, .number = number + !second, .deliveries = 1, .hosts = "ok"});
	HEAR_TAG(p, COURIER_ACK, 2);
}

/* The records of one came back, since its master had no queue: if it comes again, it is asked again, and those beside it are not. */
static void script_ended_unread(struct peer *p)
{
	static const struct sent once = {.number = 5, .deliveries = 1, .hosts = "ok"};

	say_up(p, 3);
	describe(p);
	for (uint64_t number = 4; number < 7; number++)
		poll_one(p, &(struct sent){.tag = 1, .number = number, .hosts = "ok"},
			 number == 5 ? COURIER_RETURNED : COURIER_CONFIRMED);
	say_down(p, 3, false);
	say_up(p, 3);
	poll_one(p, &once, COURIER_CONFIRMED);
	for (uint64_t number = 4; number < 7; number++) { /* 5: there was a queue by then */
		give(p, &(struct sent){.tag = 2, .number = number, .deliveries = 1, .hosts = "ok"});
		HEAR_TAG(p, COURIER_ACK, 2);
	}
	CHECK(page->asked == 4);
	for (uint64_t number = 8; number < 12; number += 2)
		unread_beside(p, number, number == 8);
	end(p);
}

/* Of two messages one came back, whichever; and then one of another batch. */
static void script_ended_half_unread(struct peer *p)
{
	uint64_t id[3];

	say_up(p, 3);
	describe(p);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t answer = i % 2 == 0 ? COURIER_RETURNED : COURIER_CONFIRMED;

		give(p, &(struct sent){.tag = 1,
				       .number = 5 + i / 2,
				       .deliveries = 2 + i % 2,
				       .hosts = "ok ok"});
		for (unsigned k = 0; k < 3; k++) {
			if (k == 2)
				give(p, &(struct sent){.tag = 2, .number = 7 + i, .hosts = "ok"});
			hear_results(p);
			id[k] = p->id;
		}
		say_u64(p, answer, id[i / 2]);
		say_u64(p, answer, id[2]);
		say_u64(p, COURIER_CONFIRMED, id[1 - i / 2]);
		HEAR_TAG(p, COURIER_ACK, 1);
		HEAR_TAG(p, COURIER_ACK, 2);
	}
	CHECK(page->asked == 12);
	end(p);
}

/* It comes again while the rest of it is in hand. */
static void script_unread_in_hand(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok hold"});
	hear_results(p);
	say_u64(p, COURIER_RETURNED, p->id);
	say_down(p, 3, false);
	say_up(p, 3);
	give(p, &(struct sent){.tag = 9, .number = 5, .deliveries = 1, .hosts = "ok hold"});
	CHECK(hear_results(p).seq[0] == 100);
	say_u64(p, COURIER_CONFIRMED, p->id);
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 9);
	HEAR_TAG(p, COURIER_ACK, 7777);
	CHECK(page->asked == 4);
	end(p);
}

/* It ends while it has no tag: what the broker has not confirmed of it is waited for, whether it comes again before or after. */
static void script_ended_untagged(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	for (uint64_t number = 5; number < 7; number++) {
		give(p, &(struct sent){.tag = 1, .number = number, .hosts = "ok"});
		hear_results(p);
		say_down(p, 3, false);
		say_up(p, 3);
		hear_results(p); /* what was not confirmed, again */
		if (number == 5)
			say_u64(p, COURIER_CONFIRMED, p->id);
		SILENT(p);
		give(p, &(struct sent){.tag = 9, .number = number, .deliveries = 1, .hosts = "ok"});
		if (number == 6) {
			SILENT(p);
			say_u64(p, COURIER_CONFIRMED, p->id);
		}
		HEAR_TAG(p, COURIER_ACK, 9);
	}
	CHECK(page->asked == 2);
	end(p);
}

static void test_ended_and_again(void **state)
{
	(void)state;
	run(script_ended);
	run(script_ended_untagged);
}

static void test_unread_and_again(void **state)
{
	(void)state;
	assert_int_equal(run(script_ended_unread).unheard, 3);
	assert_int_equal(run(script_ended_half_unread).unheard, 4);
	assert_int_equal(run(script_unread_in_hand).unheard, 1);
}

/* The process to the broker dies with a message that was not confirmed: its next one puts it. */
static void script_two_lives(struct peer *p)
{
	say_up(p, 3);
	if (page->lives == 1) {
		describe(p);
		give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok"});
		hear_results(p);
		_exit(0);
	}
	CHECK(hear_results(p).seq[0] == 100);
	say_u64(p, COURIER_CONFIRMED, p->id);
	SILENT(p); /* that tag is void */
	end(p);
}

static void test_courier_dies(void **state)
{
	(void)state;
	run(script_two_lives);
	assert_int_equal(page->lives, 2);
	assert_int_equal(page->asked, 1);
}

/* Deaths after it was up are not in a row. */
static void script_many_lives(struct peer *p)
{
	say_up(p, 3);
	if (page->lives < 8)
		_exit(0);
	end(p);
}

static void test_courier_dies_often(void **state)
{
	(void)state;
	run(script_many_lives);
	assert_int_equal(page->lives, 8);
}

/* In a drain: the next one is told at once that it takes nothing. */
static void script_reborn_in_drain(struct peer *p)
{
	if (page->lives == 1) {
		say_up(p, 3);
		describe(p);
		give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hold"});
		while (page->asked == 0)
			usleep(1000);
		kill(getppid(), SIGTERM);
		HEAR(p, COURIER_LEAVE);
		_exit(0);
	}
	HEAR(p, COURIER_LEAVE);
	page->leaves++; /* who does not hear it may not live to say so */
	say_up(p, 3);
	stop(p);
}

static void test_courier_dies_in_a_drain(void **state)
{
	script_fn script = script_reborn_in_drain;
	struct agent_config c = config_of(&script);

	(void)state;
	c.drain_us = 2000000;
	run_with(&c, AGENT_DRAINED);
	assert_int_equal(page->lives, 2);
	assert_int_equal(page->leaves, 1);
}

static void script_garbage(struct peer *p)
{
	uint8_t octets[100];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	say_up(p, 3);
	wire_put_bytes(&w, "nonsense", 8);
	say_taken(p, 1, COURIER_FROM_TASKS, 0, &w, octets);
	HEAR_TAG(p, COURIER_BURY, 1);
	w.at = octets;
	batch_head_pack(&(struct batch_head){.kind = BATCH_OF_TASKS, .run = RUN}, &w);
	batch_tasks_pack(
		&(struct batch_tasks){.number = 1, .attempt = 1, .master = "boss", .count = 2}, &w);
	wire_put_str(&w, "no target", 9);
	say_taken(p, 2, COURIER_FROM_TASKS, 0, &w, octets);
	HEAR_TAG(p, COURIER_BURY, 2);
	w.at = octets;
	say_taken(p, 3, COURIER_FROM_CONTROL, 0, &w, octets);
	HEAR_TAG(p, COURIER_ACK, 3);
	w.at = octets;
	batch_head_pack(&(struct batch_head){.kind = BATCH_OF_TASKS, .run = RUN}, &w);
	batch_tasks_pack(
		&(struct batch_tasks){.number = 1, .attempt = 1, .master = "boss", .count = 1}, &w);
	batch_target_pack(
		&(struct plan_target){.host = "ok", .addr = {.family = 4, .ip = {127, 0, 0, 1}}},
		NULL, &w);
	wire_put_u8(&w, 0); /* and something behind its last target */
	say_taken(p, 4, COURIER_FROM_TASKS, 0, &w, octets);
	HEAR_TAG(p, COURIER_BURY, 4);
	end(p);
}

static void test_garbage(void **state)
{
	(void)state;
	run(script_garbage);
	assert_int_equal(page->cells, 0);
}

/* How often a word is told in a run. */
static unsigned told(script_fn script, const char *word)
{
	char text[10000] = "";
	FILE *file = tmpfile();
	int before = dup(STDERR_FILENO);
	unsigned count = 0;
	size_t len;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	log_set_level(LOG_LEVEL_WARNING);
	run(script);
	log_set_level(LOG_LEVEL_ERROR);
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	for (const char *at = text; (at = strstr(at, word)); at++)
		count++;
	return count;
}

/* A master of another version tells all agents something, and its tasks come to us though they have a queue of their own: each
 * batch becomes records there, and a line for either says why here. */
static void script_newer(struct peer *p)
{
	uint8_t octets[100];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	say_up(p, 3);
	batch_head_pack(&(struct batch_head){.kind = BATCH_OF_TASKS, .run = RUN}, &w);
	octets[1] = form_version + 1;
	wire_put_bytes(&w, "what we cannot know", 19);
	for (uint64_t tag = 1; tag < 100; tag++) {
		say_taken(p, tag, COURIER_FROM_TASKS, 0, &w, octets);
		HEAR_TAG(p, COURIER_BURY, tag);
	}
	octets[2] = BATCH_DRAIN;
	for (uint64_t tag = 100; tag < 200; tag++) {
		say_taken(p, tag, COURIER_FROM_CONTROL, 0, &w, octets);
		HEAR_TAG(p, COURIER_ACK, tag);
	}
	end(p);
}

static void test_master_of_another_version(void **state)
{
	(void)state;
	assert_int_equal(told(script_newer, "another version"), 2); /* of tasks, of control */
	assert_int_equal(page->cells, 0);
}

/* The clocks of two machines do not agree: tasks come, and all are too late. */
static void test_clocks(void **state)
{
	(void)state;
	assert_int_equal(told(script_late, "clocks"), 1);
}

/* Nothing more is taken; what waits goes back at once, what is in hand after its time; what was found is confirmed first; the
 * process to the broker goes last. */
static void script_drain(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "ok hold"});
	give(p, &(struct sent){.tag = 2, .number = 6, .hosts = "ok"});
	for (unsigned n = 0; n < 2;)
		n += hear_results(p).count;
	kill(getppid(), SIGTERM);
	HEAR(p, COURIER_LEAVE);
	give(p, &(struct sent){.tag = 3, .number = 7, .hosts = "ok"}); /* was on its way */
	HEAR_TAG(p, COURIER_REQUEUE, 3);
	HEAR_TAG(p, COURIER_REQUEUE, 1); /* its time is over */
	SILENT(p);
	for (uint64_t id = 1; id <= p->id; id++)
		say_u64(p, COURIER_CONFIRMED, id);
	HEAR_TAG(p, COURIER_ACK, 2);
	HEAR(p, COURIER_STOP);
	CHECK(p->len == 1 && p->body[0] == 0);
	say(p, COURIER_STOPPED, NULL, 0);
}

static void test_drain(void **state)
{
	struct agent_result r = run(script_drain);

	(void)state;
	assert_int_equal(r.signal, SIGTERM);
	assert_int_equal(r.returned, 2);
	assert_int_equal(page->asked, 3);
}

static void script_hurry(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 5, .hosts = "hold"});
	while (page->asked == 0)
		usleep(1000);
	kill(getppid(), SIGTERM);
	HEAR(p, COURIER_LEAVE);
	kill(getppid(), SIGINT);
	CHECK(hear(p) == 0);
}

static void test_second_signal(void **state)
{
	script_fn script = script_hurry;
	struct agent_config c = config_of(&script);
	struct agent_result r;

	(void)state;
	c.drain_us = INT64_C(1000000000);
	r = run_with(&c, AGENT_HURRIED);
	assert_int_equal(r.signal, SIGINT);
}

/* It is not there yet: no reason to end. */
static void script_down_first(struct peer *p)
{
	say_down(p, 3, false);
	say_down(p, 3, false);
	SILENT(p);
	say_up(p, 3);
	describe(p);
	give(p, &(struct sent){.tag = 1, .number = 1, .hosts = "ok"});
	hear_results(p);
	say_u64(p, COURIER_CONFIRMED, p->id);
	HEAR_TAG(p, COURIER_ACK, 1);
	end(p);
}

static void test_waits_for_its_broker(void **state)
{
	(void)state;
	run(script_down_first);
	assert_int_equal(page->lives, 1);
}

/* It says why, and ends by itself, for what it has read may be old: who speaks can live. */
static void script_down_and_out(struct peer *p)
{
	if (page->lives < 7) {
		say_down(p, 3, false);
		return;
	}
	say_up(p, 3);
	end(p);
}

static void test_waits_for_its_broker_for_long(void **state)
{
	(void)state;
	run(script_down_and_out);
	assert_int_equal(page->lives, 7);
}

static void script_down_for_good(struct peer *p)
{
	say_up(p, 3);
	say_down(p, 3, true);
	hear(p);
}

static void script_dies(struct peer *p)
{
	(void)p;
}

static void test_no_broker(void **state)
{
	script_fn refused = script_down_for_good, dies = script_dies;
	struct agent_config c = config_of(&refused);

	(void)state;
	run_with(&c, AGENT_NO_BROKER);
	assert_int_equal(page->lives, 1);
	c = config_of(&dies);
	run_with(&c, AGENT_FAILED);
	assert_int_equal(page->lives, 5);
}

/* Nobody comes back to a run that is over: its cell ends, not others'. */
static void script_over(struct peer *p)
{
	say_up(p, 3);
	for (uint64_t run = RUN; run < RUN + 2; run++) {
		describe_run(p, run);
		give(p, &(struct sent){.tag = run, .number = 5, .run = run, .hosts = "ok"});
		HEAR(p, COURIER_PUT);
		put_body(p);
		say_u64(p, COURIER_CONFIRMED, p->id);
		HEAR_TAG(p, COURIER_ACK, run);
	}
	CHECK(page->cells == 2);
	SILENT(p);
	CHECK(page->ended == 0);
	control(p, BATCH_OVER, NULL);
	HEAR_TAG(p, COURIER_ACK, 7777);
	for (unsigned ms = 0; page->ended == 0 && ms < PATIENCE_MS; ms += 10)
		usleep(10000);
	SILENT(p);
	CHECK(page->ended == 1);
	end(p);
}

static void test_over(void **state)
{
	(void)state;
	run(script_over);
	assert_int_equal(page->ended, 2);
}

/* What is taken after a reload is polled by who was born after it. */
static void script_reload(struct peer *p)
{
	say_up(p, 3);
	describe(p);
	for (uint64_t tag = 1; tag <= 2; tag++) {
		give(p, &(struct sent){.tag = tag, .number = tag, .hosts = "ok"});
		hear_results(p);
		say_u64(p, COURIER_CONFIRMED, p->id);
		HEAR_TAG(p, COURIER_ACK, tag);
		CHECK(page->cells == tag);
		kill(getppid(), SIGHUP);
		while (page->reloads < tag)
			usleep(1000);
	}
	end(p);
}

static bool reload(void *arg)
{
	(void)arg;
	page->reloads++;
	return true;
}

static void test_reload(void **state)
{
	script_fn script = script_reload;
	struct agent_config c = config_of(&script);

	(void)state;
	c.reload = reload;
	run_with(&c, AGENT_DRAINED);
}

/* What a cancelled cell still says is no lie: it is dropped, and the cell ends by itself. */
static void test_cancelled_cell_ends(void **state)
{
	(void)state;
	assert_int_equal(told(script_cancel, "may not say"), 0);
}

static int setup(void **state)
{
	(void)state;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	log_set_level(LOG_LEVEL_ERROR);
	return page == MAP_FAILED;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acknowledged_when_confirmed),
		cmocka_unit_test(test_nacked_is_put_again),
		cmocka_unit_test(test_same_task_twice),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_cell_dies),
		cmocka_unit_test(test_cell_hangs),
		cmocka_unit_test(test_agent_was_stopped),
		cmocka_unit_test(test_no_cell_can_live),
		cmocka_unit_test(test_some_cells_live),
		cmocka_unit_test(test_dangerous_alone),
		cmocka_unit_test(test_dangerous_many),
		cmocka_unit_test(test_dangerous_apart),
		cmocka_unit_test(test_dangerous_when_nacked),
		cmocka_unit_test(test_no_confirms),
		cmocka_unit_test(test_cell_lies),
		cmocka_unit_test(test_cell_lies_of_a_slot),
		cmocka_unit_test(test_cell_lies_of_a_full_slot),
		cmocka_unit_test(test_slots_are_lent_again),
		cmocka_unit_test(test_without_slots),
		cmocka_unit_test(test_slots_are_full),
		cmocka_unit_test(test_slots_of_the_dead),
		cmocka_unit_test(test_slots_of_one_place),
		cmocka_unit_test(test_slots_of_what_nobody_wants),
		cmocka_unit_test(test_large_message),
		cmocka_unit_test(test_target_that_makes_no_sense),
		cmocka_unit_test(test_run_is_asked_for),
		cmocka_unit_test(test_run_that_nobody_explains),
		cmocka_unit_test(test_master_is_gone),
		cmocka_unit_test(test_large_runs),
		cmocka_unit_test(test_another_master),
		cmocka_unit_test(test_sleeps_while_nothing_is_due),
		cmocka_unit_test(test_run_that_makes_no_sense),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cancelled_cell_ends),
		cmocka_unit_test(test_nothing_after_its_time),
		cmocka_unit_test(test_all_are_late),
		cmocka_unit_test(test_tags_die),
		cmocka_unit_test(test_ended_and_again),
		cmocka_unit_test(test_unread_and_again),
		cmocka_unit_test(test_courier_dies),
		cmocka_unit_test(test_courier_dies_often),
		cmocka_unit_test(test_courier_dies_in_a_drain),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_master_of_another_version),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_second_signal),
		cmocka_unit_test(test_waits_for_its_broker),
		cmocka_unit_test(test_waits_for_its_broker_for_long),
		cmocka_unit_test(test_no_broker),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_over),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, setup, NULL);
}

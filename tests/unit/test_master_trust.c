/*
 * master_trust: master_run() with a worker, or a resolver, that has been taken over. It does its work, and at one
 * target, once, it tells the lie that is tried; the master must kill it, have what it held asked again,
 * and end with exactly one record for each target. What may be said for ever must end all the same.
 *
 * All lies are told beside a sound worker, with and without records of one line, and the last test says what is
 * no lie, or a master that kills everybody would pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/loop.h"
#include "master_stage.h"
#include "pool/lookup.h"
#include "pool/master_internal.h"
#include "pool/message.h"
#include "pool/queue.h"

#define MAX     40000 /* more than a worker that reads nothing has room for */
#define TARGETS 200
#define HELD_AT \
	10 /* of the first worker's, or of the one for sessions: kept until the lie is told */
#define LIE_AT     70 /* of the second worker's: leases go out by 64 */
#define NAME_AT    71
#define SILENCE_US 400000
/* where deaths are counted: a sound one on a busy machine is not that late */
#define HEARTBEAT_US 1000000

struct shared { /* with the children */
	_Atomic unsigned births;
	_Atomic unsigned lies;     /* told */
	_Atomic uint32_t lease;    /* of the target that is held; 0: none yet, else + 1 */
	_Atomic uintptr_t cell[2]; /* where they are */
	_Atomic unsigned reach[2]; /* errno of touching the other worker's cell */
	_Atomic unsigned charged;  /* deaths that name the other's target */
};
static struct shared *shared;

/* --- the plan: no names and no sessions, unless a test sets them ---------------------------- */

struct plan {
	uint64_t total;
	uint64_t next[PLAN_KINDS];
	bool session_at_held;
	bool names;
	struct profile profile;
	char hosts[MAX][12];
};

static enum plan_kind kind_of(const struct plan *p, uint64_t seq)
{
	return p->session_at_held && seq == HELD_AT ? PLAN_SESSIONS : PLAN_DATAGRAMS;
}

bool plan_next(struct plan *p, enum plan_kind kind, struct plan_target *out)
{
	uint64_t seq = p->next[kind];

	while (seq < p->total && kind_of(p, seq) != kind)
		seq++;
	p->next[kind] = seq;
	if (seq == p->total)
		return false;
	p->next[kind]++;
	snprintf(p->hosts[seq], sizeof(p->hosts[0]), "#%u", (unsigned)seq);
	*out = (struct plan_target){.seq = seq,
				    .host = p->hosts[seq],
				    .name = p->names && seq == NAME_AT ? "a name" : NULL,
				    .port = 161,
				    .transport = kind == PLAN_SESSIONS ? TRANSPORT_TCP
								       : TRANSPORT_UDP,
				    .addr = {.family = 4, .ip = {127, 0, 0, 1}, .port = 161}};
	return true;
}

void plan_rewind(struct plan *p)
{
	memset(p->next, 0, sizeof(p->next));
}

void plan_at(struct plan *p, uint64_t seq, struct plan_target *out)
{
	p->next[PLAN_DATAGRAMS] = p->next[PLAN_SESSIONS] = seq;
	plan_next(p, PLAN_DATAGRAMS, out);
}

uint64_t plan_count(const struct plan *p, enum plan_kind kind)
{
	uint64_t n = 0;

	for (uint64_t seq = 0; seq < p->total; seq++)
		n += kind_of(p, seq) == kind;
	return n;
}

const struct profile *plan_profiles(const struct plan *p, size_t *count)
{
	*count = 1;
	return &p->profile;
}

uint64_t plan_total(const struct plan *p)
{
	return p->total;
}

/* --- a worker ----------------------------------------------------------------------------- */

struct liar {
	struct queue *q;
	int fd;
	_Atomic uint64_t *at_work;
	const char *how; /* its part in the play; "": none */
	unsigned birth;
	bool session;
	unsigned records; /* told */
	struct task held; /* not answered yet */
	char host[12];
	bool holds;
};

/* What is told at LIE_AT, once. */
struct lie {
	const char *name;
	void (*tell)(struct liar *w, const struct task *t);
	bool one_line, even_quotes;
	bool around; /* the front stands around each row */
};
static const struct lie *lie; /* of this test */

static void put(struct liar *w, uint8_t kind, const char *octets)
{
	queue_put(w->q, kind, octets, strlen(octets));
}

static struct record_head head_of(const struct task *t)
{
	return (struct record_head){
		.seq = t->seq, .lease = t->lease, .status = RECORD_OK, .rtt_us = 5};
}

static void put_record(struct liar *w, const struct record_head *h, const char *front,
		       const char *rest)
{
	uint8_t head[RECORD_HEAD_PACKED_MAX + 4];
	struct wire_out out = {.at = head, .end = head + sizeof(head)};

	record_head_pack(h, &out);
	wire_put_u32(&out, (uint32_t)strlen(front));
	struct queue_part parts[] = {
		{head, (size_t)(out.at - head)}, {front, strlen(front)}, {rest, strlen(rest)}};
	queue_put_parts(w->q, MESSAGE_RECORD, parts, 3);
	w->records++;
}

static void put_part(struct liar *w, uint32_t lease, const char *octets)
{
	uint8_t head[4];
	struct wire_out out = {.at = head, .end = head + 4};

	wire_put_u32(&out, lease);
	struct queue_part parts[] = {{head, 4}, {octets, strlen(octets)}};
	queue_put_parts(w->q, MESSAGE_PART, parts, 2);
}

static void put_stats(struct liar *w, uint64_t count)
{
	struct stats s = {.count = {[STATS_FOREIGN] = count}};
	uint8_t octets[STATS_PACKED];
	struct wire_out out = {.at = octets, .end = octets + sizeof(octets)};

	stats_pack(&s, &out);
	queue_put(w->q, MESSAGE_STATS, octets, sizeof(octets));
}

static void put_truth(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);
	char line[64];

	snprintf(line, sizeof(line), "%s \"ok\"\n", t->host);
	put_record(w, &h, "", line);
}

static void put_answer(struct queue *q, uint32_t ticket, const char *how)
{
	struct lookup_answer a = {.ticket = ticket, .count = 1};
	uint8_t octets[LOOKUP_ANSWER_PACKED_MAX + 1];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	a.addrs[0] = (struct addr){.family = 4, .ip = {127, 0, 0, 1}};
	lookup_answer_pack(&a, &w);
	if (strcmp(how, "too many") == 0)
		octets[4] = TASK_ADDRS_MAX + 1;
	if (strcmp(how, "no family") == 0)
		octets[5] = 5;
	if (strcmp(how, "and more") == 0)
		wire_put_u8(&w, 0);
	if (strcmp(how, "cut") == 0)
		w.at -= 3;
	queue_put(q, strcmp(how, "record") == 0 ? MESSAGE_RECORD : MESSAGE_ADDRESSES, octets,
		  (size_t)(w.at - octets));
}

/* --- lies --------------------------------------------------------------------------------- */

static void lie_lease_free(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.lease = 64 + 256; /* nobody has so many */
	put_record(w, &h, "", "#0 lie\n");
}

static void lie_lease_range(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.lease = UINT32_MAX;
	put_record(w, &h, "", "#0 lie\n");
}

static void lie_seq(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.seq++;
	put_record(w, &h, "", "#0 lie\n");
}

/* Of the target that the other worker holds. */
static void lie_others(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.lease = atomic_load(&shared->lease) - 1;
	h.seq = HELD_AT;
	put_record(w, &h, "", "#10 lie\n");
}

static void lie_part_of_others(struct liar *w, const struct task *t)
{
	(void)t;
	put_part(w, atomic_load(&shared->lease) - 1, "#10 lie");
}

static void lie_part_range(struct liar *w, const struct task *t)
{
	(void)t;
	put_part(w, UINT32_MAX, "#10 lie");
}

static void lie_part_empty(struct liar *w, const struct task *t)
{
	put_part(w, t->lease, "");
}

static void lie_part_short(struct liar *w, const struct task *t)
{
	(void)t;
	put(w, MESSAGE_PART, "abc");
}

static void lie_twice(struct liar *w, const struct task *t)
{
	put_truth(w, t);
	put_truth(w, t);
}

static void lie_status(struct liar *w, const struct task *t, unsigned status)
{
	struct record_head h = head_of(t);

	h.status = (uint8_t)status;
	put_record(w, &h, "", "#70 lie\n");
}

static void lie_status_range(struct liar *w, const struct task *t)
{
	lie_status(w, t, RECORD_STATUS_COUNT);
}

static void lie_status_resolve(struct liar *w, const struct task *t)
{
	lie_status(w, t, RECORD_RESOLVE);
}

static void lie_status_crashed(struct liar *w, const struct task *t)
{
	lie_status(w, t, RECORD_CRASHED);
}

static void lie_status_lost(struct liar *w, const struct task *t)
{
	lie_status(w, t, RECORD_LOST);
}

static void lie_rtt(struct liar *w, const struct task *t, int64_t rtt_us)
{
	struct record_head h = head_of(t);

	h.rtt_us = rtt_us;
	put_record(w, &h, "", "#70 lie\n");
}

static void lie_rtt_negative(struct liar *w, const struct task *t)
{
	lie_rtt(w, t, -2);
}

static void lie_rtt_long(struct liar *w, const struct task *t)
{
	lie_rtt(w, t, INT64_C(3600000000));
}

static void lie_rtt_huge(struct liar *w, const struct task *t)
{
	lie_rtt(w, t, INT64_MAX);
}

static void lie_record_short(struct liar *w, const struct task *t)
{
	(void)t;
	put(w, MESSAGE_RECORD, "12345678");
}

/* Ends where the length of its front should stand. */
static void lie_record_no_front(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);
	uint8_t octets[RECORD_HEAD_PACKED_MAX];
	struct wire_out out = {.at = octets, .end = octets + sizeof(octets)};

	record_head_pack(&h, &out);
	queue_put(w->q, MESSAGE_RECORD, octets, (size_t)(out.at - octets));
}

static void lie_engine(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.engine_id_len = ENGINE_ID_MAX;
	h.addr.family = 5;
	put_record(w, &h, "", "#70 lie\n");
}

static void lie_record(struct liar *w, const struct task *t, const char *front, const char *rest)
{
	struct record_head h = head_of(t);

	put_record(w, &h, front, rest);
}

static void lie_two_lines(struct liar *w, const struct task *t)
{
	lie_record(w, t, "", "#70 lie\n#10 lie\n");
}

static void lie_front_lines(struct liar *w, const struct task *t)
{
	lie_record(w, t, "#10 lie\n", "#70 lie\n");
}

static void lie_part_lines(struct liar *w, const struct task *t)
{
	put_part(w, t->lease, "#10 lie\n");
}

static void lie_no_line(struct liar *w, const struct task *t)
{
	lie_record(w, t, "", "");
}

/* The next record of anybody would stand in the same line. */
static void lie_line_open(struct liar *w, const struct task *t)
{
	lie_record(w, t, "", "#70 lie");
}

static void lie_front_open(struct liar *w, const struct task *t)
{
	lie_record(w, t, "#70 lie", "");
}

static void lie_part_open(struct liar *w, const struct task *t)
{
	put_part(w, t->lease, "#70\n");
	put_part(w, t->lease, "#70 lie");
	lie_record(w, t, "#70\n", "");
}

/* What stands behind each row has no end. */
static void lie_around_open(struct liar *w, const struct task *t)
{
	lie_record(w, t, "#70 \1", "\1lie\n");
}

static void lie_around_quote(struct liar *w, const struct task *t)
{
	lie_record(w, t, "#70 \"\1\n", "\1\"lie");
}

/* No row: then the front stands nowhere. */
static void lie_around_nothing(struct liar *w, const struct task *t)
{
	lie_record(w, t, "#70 \1\n", "#70 lie");
}

/* Nothing but rows, each of which the front would stand around. */
static void lie_around_marks(struct liar *w, const struct task *t)
{
	lie_record(w, t, "#70 \1\n", "\1\1\1\1\1\1\1\1");
}

static void lie_around_part_marks(struct liar *w, const struct task *t)
{
	put_part(w, t->lease, "\1\1\1\1\1\1\1\1");
	lie_record(w, t, "#70 \1\n", "");
}

static void lie_around_long(struct liar *w, const struct task *t)
{
	static char front[20000];

	memset(front, 'f', sizeof(front) - 1);
	front[1] = '\1';
	front[sizeof(front) - 2] = '\n';
	lie_record(w, t, front, "\1row of #70");
}

static void lie_quote(struct liar *w, const struct task *t)
{
	lie_record(w, t, "", "#70 \"lie\n");
}

static void lie_part_quote(struct liar *w, const struct task *t)
{
	put_part(w, t->lease, "#70 \"lie");
	lie_record(w, t, "", "\n");
}

static void lie_front_quote(struct liar *w, const struct task *t)
{
	put_part(w, t->lease, "#70 \"lie\" ");
	lie_record(w, t, "\"", "\n");
}

/* The sum would be small. */
static void lie_stats_huge(struct liar *w, const struct task *t)
{
	put_stats(w, 10);
	put_truth(w, t);
	put_stats(w, UINT64_MAX);
}

/* Each is possible, their sum is not. */
static void lie_stats_sum(struct liar *w, const struct task *t)
{
	int64_t from_us = loop_clock_us();

	usleep(2000000);
	uint64_t most = 10 * (uint64_t)(loop_clock_us() - from_us + 900000);
	put_stats(w, most);
	put_truth(w, t);
	put_stats(w, most);
}

static void lie_stats_again(struct liar *w, const struct task *t)
{
	(void)t;
	put_stats(w, 1);
	put_stats(w, 1);
}

static void lie_stats_short(struct liar *w, const struct task *t)
{
	(void)t;
	put(w, MESSAGE_STATS, "1234567");
}

static void lie_stats_long(struct liar *w, const struct task *t)
{
	char octets[STATS_PACKED + 1] = {0};

	(void)t;
	queue_put(w->q, MESSAGE_STATS, octets, sizeof(octets));
}

static void lie_pong(struct liar *w, const struct task *t)
{
	(void)t;
	put(w, MESSAGE_PONG, "");
}

static void lie_stopped(struct liar *w, const struct task *t)
{
	(void)t;
	put(w, MESSAGE_STOPPED, "");
}

/* A good answer to what only the resolver was asked. */
static void lie_kind(struct liar *w, const struct task *t)
{
	(void)t;
	put_answer(w->q, 0, "truth");
}

static void lie_kind_tasks(struct liar *w, const struct task *t)
{
	(void)t;
	put(w, MESSAGE_TASKS, "");
}

static void lie_kind_none(struct liar *w, const struct task *t)
{
	(void)t;
	put(w, 255, "");
}

static void lie_frame_empty(struct liar *w, const struct task *t)
{
	(void)t;
	stage_flush(w->q, w->fd);
	if (write(w->fd, "\0\0\0\0", 4) != 4)
		abort();
}

static void lie_frame_long(struct liar *w, const struct task *t)
{
	(void)t;
	stage_flush(w->q, w->fd);
	if (write(w->fd, "\0\4\0\1", 4) != 4) /* one octet more than there may be */
		abort();
}

static const struct lie lies[] = {
	{"a lease that nobody has", lie_lease_free, false, false, false},
	{"a lease out of range", lie_lease_range, false, false, false},
	{"another target's number", lie_seq, false, false, false},
	{"another worker's target", lie_others, false, false, false},
	{"rows of another worker's target", lie_part_of_others, false, false, false},
	{"rows of a lease out of range", lie_part_range, false, false, false},
	{"rows that are none", lie_part_empty, false, false, false},
	{"rows of no lease", lie_part_short, false, false, false},
	{"a record twice", lie_twice, false, false, false},
	{"a status out of range", lie_status_range, false, false, false},
	{"the status resolve", lie_status_resolve, false, false, false},
	{"the status crashed", lie_status_crashed, false, false, false},
	{"the status lost", lie_status_lost, false, false, false},
	{"a negative time", lie_rtt_negative, false, false, false},
	{"a time of an hour", lie_rtt_long, false, false, false},
	{"a time without end", lie_rtt_huge, false, false, false},
	{"half a head", lie_record_short, false, false, false},
	{"a head without a front", lie_record_no_front, false, false, false},
	{"an address of no family", lie_engine, false, false, false},
	{"two lines in one record", lie_two_lines, true, false, false},
	{"a line in front of a record", lie_front_lines, true, false, false},
	{"a line in the rows of a record", lie_part_lines, true, false, false},
	{"a record without a line", lie_no_line, true, false, false},
	{"a line that does not end", lie_line_open, false, false, false},
	{"a front that does not end", lie_front_open, false, false, false},
	{"rows that do not end", lie_part_open, false, false, false},
	{"a quote that does not end", lie_quote, false, true, false},
	{"a quote in rows that does not end", lie_part_quote, false, true, false},
	{"a quote in a front that does not end", lie_front_quote, false, true, false},
	{"a line around rows that does not end", lie_around_open, false, true, true},
	{"a quote around rows that does not end", lie_around_quote, false, true, true},
	{"a line around no rows that does not end", lie_around_nothing, false, true, true},
	{"rows without octets", lie_around_marks, false, true, true},
	{"a part of rows without octets", lie_around_part_marks, false, true, true},
	{"a front that is too long", lie_around_long, false, true, true},
	{"more than can be counted", lie_stats_huge, false, false, false},
	{"more in all than can be counted", lie_stats_sum, false, false, false},
	{"counters without a record", lie_stats_again, false, false, false},
	{"counters that are cut off", lie_stats_short, false, false, false},
	{"counters and something else", lie_stats_long, false, false, false},
	{"an answer to no question", lie_pong, false, false, false},
	{"an end before the end", lie_stopped, false, false, false},
	{"what the resolver says", lie_kind, false, false, false},
	{"what the master says", lie_kind_tasks, false, false, false},
	{"what nobody says", lie_kind_none, false, false, false},
	{"a frame of nothing", lie_frame_empty, false, false, false},
	{"a frame that is too long", lie_frame_long, false, false, false},
};
#define LIES (sizeof(lies) / sizeof(lies[0]))

/* --- what a worker does all day ------------------------------------------------------------- */

static bool is(const struct liar *w, const char *how)
{
	return strcmp(w->how, how) == 0;
}

static void hold(struct liar *w, const struct task *t)
{
	w->held = *t;
	snprintf(w->host, sizeof(w->host), "%s", t->host);
	w->held.host = w->host;
	w->holds = true;
	atomic_store(&shared->lease, t->lease + 1);
}

/* The other one's target is held by then, and stays so until the lie has done its work. */
static void tell(struct liar *w, const struct task *t)
{
	unsigned before = w->records;

	while (atomic_load(&shared->lease) == 0)
		usleep(1000);
	atomic_fetch_add(&shared->lies, 1);
	lie->tell(w, t);
	stage_flush(w->q, w->fd);
	usleep(100000); /* read, and believed or not */
	if (w->records == before)
		put_truth(w, t);
}

#define DEATHS 5

/* All but the one who holds that target die; that one leaves them something to die of. */
static void name_the_others(struct liar *w, const struct task *t)
{
	if (t->seq < HELD_AT) {
		put_truth(w, t);
		return;
	}
	while (atomic_load(&shared->lease) == 0)
		usleep(1000);
	if (w->holds) {
		usleep(1000);
		put_truth(w, t);
		return;
	}
	atomic_store(w->at_work, HELD_AT + 1);
	stage_flush(w->q, w->fd);
	if (atomic_fetch_add(&shared->charged, 1) == DEATHS - 1)
		atomic_fetch_add(&shared->lies, 1);
	raise(SIGKILL);
}

static void take_task(struct liar *w, const struct task *t)
{
	bool lies_here = t->seq == LIE_AT && atomic_load(&shared->lies) == 0;

	if (t->seq == HELD_AT && (lie != NULL || is(w, "names the other's")))
		hold(w, t);
	else if (t->seq == LIE_AT && (is(w, "pongs") || is(w, "pongs much") || is(w, "deaf")))
		hold(w, t);
	else if (is(w, "names the other's") && atomic_load(&shared->charged) < DEATHS)
		name_the_others(w, t);
	else if (lies_here && lie != NULL)
		tell(w, t);
	else
		put_truth(w, t);
}

static bool take_frame(struct liar *w, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct task_store store;
	struct task t;

	while (f->kind == MESSAGE_TASKS && r.at < r.end) {
		if (!task_unpack(&t, &store, &r))
			_exit(9);
		take_task(w, &t);
		stage_flush(w->q, w->fd);
	}
	if (f->kind == MESSAGE_PING && is(w, "pongs much") &&
	    atomic_fetch_add(&shared->lies, 1) == 0)
		put(w, MESSAGE_PONG, "much");
	else if (f->kind == MESSAGE_PING)
		put(w, MESSAGE_PONG, "");
	return f->kind != MESSAGE_STOP;
}

/* All children have it at the same address, or would have. */
static void touch_the_others(struct liar *w)
{
	int fds[2];

	if (w->birth > 1 || pipe(fds) < 0)
		return;
	atomic_store(&shared->cell[w->birth], (uintptr_t)w->at_work);
	while (atomic_load(&shared->cell[1 - w->birth]) == 0)
		usleep(1000);
	const void *cell = (const void *)atomic_load(&shared->cell[1 - w->birth]);
	atomic_store(&shared->reach[w->birth], write(fds[1], cell, 1) == 1 ? 1 : (unsigned)errno);
	close(fds[0]);
	close(fds[1]);
}

/* Never reads what it is to do, and answers what it guesses: leases are given out in turn. */
static void guess(struct liar *w)
{
	int here = 0;

	while (here == 0)
		ioctl(w->fd, FIONREAD, &here);
	for (uint64_t seq = 0; seq < MAX; seq++) {
		struct task t = {.seq = seq, .lease = (uint32_t)(seq % (64 + 256))};
		char host[12];

		snprintf(host, sizeof(host), "#%u", (unsigned)seq);
		t.host = host;
		put_truth(w, &t);
		if (seq % 32 == 31) {
			stage_flush(w->q, w->fd);
			usleep(3000); /* the next ones are here */
		}
	}
}

static void after_stop(struct liar *w)
{
	struct record_head h = {.rtt_us = -1};

	if (is(w, "records after STOP"))
		put_record(w, &h, "", "#0 lie\n");
	while (is(w, "counts after STOP") || is(w, "stops for ever") || is(w, "pongs after STOP")) {
		if (is(w, "counts after STOP"))
			put_stats(w, 1);
		else
			put(w, is(w, "stops for ever") ? MESSAGE_STOPPED : MESSAGE_PONG, "");
		stage_flush(w->q, w->fd);
		usleep(20000);
	}
	put_stats(w, 1);
	put(w, MESSAGE_STOPPED, "");
}

static int liar_main(const void *arg, int fd, _Atomic uint64_t *at_work)
{
	struct liar w = {.q = NULL, .fd = fd, .at_work = at_work, .how = arg ? arg : ""};
	struct queue_frame f;
	bool on = true;

	w.birth = atomic_fetch_add(&shared->births, 1);
	w.session = is(&w, "session");
	if (is(&w, "touches the other's"))
		touch_the_others(&w);
	w.q = queue_new(fd);
	if (is(&w, "guesses") && w.birth == 0)
		guess(&w);
	while (on) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		poll(&p, 1, 10);
		if (p.revents && queue_read(w.q) != QUEUE_OPEN) {
			queue_free(w.q);
			return 0;
		}
		while (on && queue_next(w.q, &f))
			on = take_frame(&w, &f);
		if (w.holds && atomic_load(&shared->lies) > 0) {
			usleep(is(&w, "") ? 200000 : 0); /* until the lie was read */
			put_truth(&w, &w.held);
			w.holds = false;
		}
		stage_flush(w.q, w.fd);
	}
	after_stop(&w);
	stage_flush(w.q, w.fd);
	queue_free(w.q);
	return 0;
}

/* --- a resolver --------------------------------------------------------------------------- */

/* arg: how it lies. "pongs": whatever it is asked. */
static int resolver_main_lying(const void *arg, int fd)
{
	struct queue *q = queue_new(fd);
	struct queue_frame f;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		poll(&p, 1, -1);
		if (queue_read(q) != QUEUE_OPEN) {
			queue_free(q);
			return 0;
		}
		while (queue_next(q, &f)) {
			struct wire_in r = {.at = f.data, .end = f.data + f.len};
			struct lookup_question question;
			if (f.kind == MESSAGE_PING)
				queue_put(q, MESSAGE_PONG, NULL, 0);
			if (f.kind == MESSAGE_STOP)
				queue_put(q, MESSAGE_STOPPED, NULL, 0);
			if (f.kind == MESSAGE_NAME && lookup_question_unpack(&question, &r) &&
			    strcmp(arg, "pongs") != 0)
				put_answer(q, question.ticket, arg);
		}
		queue_flush(q);
	}
}

/* --- a run -------------------------------------------------------------------------------- */

struct trial {
	struct master_config config;
	struct master_result result;
	struct plan plan;
	char path[64];
	unsigned records[MAX];
	char words[MAX][16]; /* the second word of its record */
};

static int set_up(void **state)
{
	struct trial *r = calloc(1, sizeof(*r));
	int fd;

	shared = stage_begin(sizeof(*shared));
	snprintf(r->path, sizeof(r->path), "/tmp/test_master_trust.XXXXXX");
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	close(fd);
	r->plan.total = TARGETS;
	r->config = (struct master_config){.plan = &r->plan,
					   .worker = liar_main,
					   .session_arg = "session",
					   .resolver = resolver_main_lying,
					   .resolver_arg = "truth",
					   .window = 64,
					   .workers = 2,
					   .format = stage_format};
	lie = *state; /* a row of the table, or NULL */
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct trial *r = *state;

	histogram_free(r->result.latency);
	unlink(r->path);
	munmap(shared, sizeof(*shared));
	free(r);
	return 0;
}

static void read_records(struct trial *r)
{
	FILE *f = fopen(r->path, "r");
	char line[20000];
	unsigned seq;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char word[16] = "";
		if (sscanf(line, "#%u %15s", &seq, word) != 2 || seq >= MAX)
			fail_msg("not a record: %s", line);
		r->records[seq]++;
		strcpy(r->words[seq], word);
	}
	fclose(f);
}

/* Invariant 1, and nothing of the lie in it. */
static void go(struct trial *r)
{
	struct writer_options o = {.path = r->path};
	enum writer_result opened;

	r->config.writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	master_run(&r->config, &r->result);
	assert_int_equal(r->result.written, WRITER_OK);
	assert_int_equal(writer_commit(r->config.writer), WRITER_OK);
	writer_free(r->config.writer);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	read_records(r);
	stage_one_each(r->records, r->plan.total, &r->result);
	for (uint64_t seq = 0; seq < r->plan.total; seq++)
		assert_null(strstr(r->words[seq], "lie"));
}

/* The one who told the lie is dead, and nobody else; each target has the record that it should have. */
static void test_lie(void **state)
{
	struct trial *r = *state;

	r->config.one_line = lie->one_line;
	r->config.even_quotes = lie->even_quotes;
	r->config.layout.around = lie->around;
	go(r);
	assert_int_equal(r->result.deaths, 1);
	assert_int_equal(r->result.status[RECORD_OK], TARGETS);
	assert_true(r->result.stats.count[STATS_FOREIGN] < UINT32_MAX);
	assert_true(histogram_max(r->result.latency) <= r->result.elapsed_us);
}

/* The target is one that another kind of worker has. */
static void test_lie_about_a_session(void **state)
{
	struct trial *r = *state;
	const struct lie about = {"another kind of worker's target", lie_others, false, false,
				  false};

	lie = &about;
	r->plan.session_at_held = true;
	go(r);
	assert_int_equal(r->result.deaths, 1);
	assert_int_equal(r->result.status[RECORD_OK], TARGETS);
}

static struct learnt learnt_lie;

static void lie_learnt(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.learns = true;
	h.learnt = learnt_lie;
	put_record(w, &h, "", "#70 lie\n");
}

/* An address that it has not, a clock that was right tomorrow, and anything where nothing is kept. */
static void test_lie_about_what_was_learnt(void **state)
{
	static const struct learnt lies_learnt[] = {
		{.address = 1},
		{.clocked = true, .engine_id_len = 5, .stamp_us = INT64_MAX},
		{.silent = 1},
	};
	static const struct lie about = {"what was learnt", lie_learnt, false, false, false};
	struct trial *r = *state;

	lie = &about;
	for (unsigned i = 0; i < 3; i++) {
		atomic_store(&shared->lies, 0);
		atomic_store(&shared->lease, 0);
		memset(r->plan.next, 0, sizeof(r->plan.next));
		memset(r->records, 0, sizeof(r->records));
		histogram_free(r->result.latency);
		learnt_lie = lies_learnt[i];
		r->config.memory = i < 2 ? memory_new() : NULL;
		go(r);
		assert_int_equal(r->result.deaths, 1);
		assert_int_equal(r->result.status[RECORD_OK], TARGETS);
		if (i < 2)
			assert_int_equal(memory_hosts(r->config.memory), 0);
		memory_free(r->config.memory);
	}
}

static void lie_unwanted(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.status = RECORD_TIMEOUT;
	h.rtt_us = -1;
	put_record(w, &h, "", "#70 lie\n");
}

/* Octets of a record that is not to be written. */
static void test_lie_in_what_nobody_wants(void **state)
{
	struct trial *r = *state;
	const struct lie about = {"what nobody wants", lie_unwanted, false, false, false};

	lie = &about;
	r->config.unwanted = 1u << RECORD_TIMEOUT;
	go(r);
	assert_int_equal(r->result.deaths, 1);
	assert_int_equal(r->result.status[RECORD_OK], TARGETS);
}

/* Five deaths that name a target which another worker holds: that one is charged with none of them. */
static void test_names_the_others(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "names the other's";
	r->plan.total = MAX;
	go(r);
	assert_int_equal(r->result.deaths, DEATHS);
	assert_int_equal(r->result.status[RECORD_OK], MAX);
}

static void test_cells_of_the_others(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "touches the other's";
	go(r);
	assert_int_equal(atomic_load(&shared->reach[0]), EFAULT);
	assert_int_equal(atomic_load(&shared->reach[1]), EFAULT);
}

/* It says that it lives, for ever, and keeps a target. */
static void test_pongs_for_ever(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "pongs";
	r->config.silence_us = HEARTBEAT_US;
	r->config.patience_us = 2 * HEARTBEAT_US;
	go(r);
	assert_int_equal(r->result.deaths, 3);
	assert_string_equal(r->words[LIE_AT], "crashed");
	assert_int_equal(r->result.status[RECORD_OK], TARGETS - 1);
	assert_true(r->result.elapsed_us >= 6 * HEARTBEAT_US);
}

/* What the host may take is waited for: two tries of a second each, and more than once. */
static void test_patience_has_the_hosts_time(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "pongs";
	r->config.silence_us = SILENCE_US / 4;
	r->config.patience_us = 1;
	r->config.deadline_us = 2000000;
	r->plan.profile = (struct profile){.timeout_us = 1000000, .nget = 1};
	go(r);
	assert_string_equal(r->words[LIE_AT], "cancelled");
	assert_int_equal(r->result.status[RECORD_CRASHED], 0);
	assert_in_range(r->result.deaths, 0, 2); /* at the deadline: it gives no record */
}

/* But not longer than the host's own limit. */
static void test_patience_ends_with_the_hosts_deadline(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "pongs";
	r->config.silence_us = SILENCE_US / 4;
	r->config.patience_us = SILENCE_US;
	r->plan.profile = (struct profile){
		.timeout_us = 3600000000, .nget = 1, .deadline_us = 100000};
	go(r);
	assert_string_equal(r->words[LIE_AT], "crashed");
}

/* With a rate, all that is in the window is sent first. */
static void test_patience_has_the_rate(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "pongs";
	r->config.silence_us = SILENCE_US / 4;
	r->config.patience_us = 1;
	r->config.deadline_us = 1000000;
	r->config.rate_pps = 10;
	go(r);
	assert_string_equal(r->words[LIE_AT], "cancelled");
}

static void test_pong_with_octets(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "pongs much";
	r->config.silence_us = HEARTBEAT_US;
	go(r);
	assert_int_equal(r->result.deaths, 1);
	assert_int_equal(r->result.status[RECORD_OK], TARGETS);
}

/* The deadline has come, and it says only that it lives. */
static void test_deaf_and_talkative(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "deaf";
	r->config.silence_us = SILENCE_US;
	r->config.deadline_us = 300000;
	go(r);
	assert_string_equal(r->words[LIE_AT], "cancelled");
	assert_int_equal(r->result.status[RECORD_OK], TARGETS - 1);
}

/* Nothing is owed any more, and they go on talking. */
static void test_after_the_end(void **state)
{
	static const char *const how[] = {"records after STOP", "stops for ever",
					  "counts after STOP", "pongs after STOP"};
	struct trial *r = *state;

	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		memset(r->records, 0, sizeof(r->records));
		memset(r->plan.next, 0, sizeof(r->plan.next));
		histogram_free(r->result.latency);
		r->config.worker_arg = how[i];
		go(r);
		assert_int_equal(r->result.status[RECORD_OK], TARGETS);
		assert_true(r->result.elapsed_us <
			    4000000); /* 5 s of silence were not waited for */
	}
}

/* What it does not read waits in the master; so it gets no more than that, and guesses wrong. */
static void test_does_not_read(void **state)
{
	struct trial *r = *state;

	r->config.workers = 1;
	r->config.worker_arg = "guesses";
	r->plan.total = MAX;
	go(r);
	assert_int_equal(r->result.status[RECORD_OK], MAX);
	assert_int_equal(r->result.deaths, 1);
}

static void test_resolver(void **state)
{
	static const char *const how[] = {"too many", "no family", "and more", "cut", "record"};
	struct trial *r = *state;

	r->plan.names = true;
	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		memset(r->records, 0, sizeof(r->records));
		memset(r->plan.next, 0, sizeof(r->plan.next));
		histogram_free(r->result.latency);
		r->config.resolver_arg = how[i];
		go(r);
		assert_int_equal(r->result.deaths, 3);
		assert_string_equal(r->words[NAME_AT], "resolve");
		assert_int_equal(r->result.status[RECORD_OK], TARGETS - 1);
	}
}

static void test_resolver_pongs_for_ever(void **state)
{
	struct trial *r = *state;

	r->plan.names = true;
	r->config.resolver_arg = "pongs";
	r->config.silence_us = HEARTBEAT_US;
	r->config.patience_us = 2 * HEARTBEAT_US;
	go(r);
	assert_int_equal(r->result.deaths, 3);
	assert_string_equal(r->words[NAME_AT], "resolve");
}

/* The name is still asked when a worker says where it is. */
static void test_answers_for_the_resolver(void **state)
{
	struct trial *r = *state;
	const struct lie about = {"what the resolver says", lie_kind, false, false, false};

	lie = &about;
	r->plan.names = true;
	r->config.resolver_arg = "pongs";
	r->config.silence_us = SILENCE_US;
	r->config.patience_us = 3 * SILENCE_US;
	go(r);
	assert_int_equal(r->result.deaths, 1 + 3);
	assert_string_equal(r->words[NAME_AT], "resolve");
	assert_int_equal(r->result.status[RECORD_OK], TARGETS - 1);
}

/* --- what is no lie ------------------------------------------------------------------------- */

static void tell_a_line(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	put_part(w, t->lease, "\"tru");
	put_part(w, t->lease, "th\"");
	put_record(w, &h, "#70 ", "\n");
}

static void tell_quotes(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	put_part(w, t->lease, "truth \"");
	put_record(w, &h, "#70 ", "\"\n");
}

static void tell_around(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	put_part(w, t->lease, "\1tru");
	put_record(w, &h, "#70 \1\n", "th");
}

/* A row that is brought in portions, since so much stands behind it. */
static void tell_around_much(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);
	static char front[10000], row[500];

	memset(front, ' ', sizeof(front) - 1);
	front[0] = '\1';
	front[sizeof(front) - 2] = '\n';
	memset(row, ' ', sizeof(row) - 1);
	memcpy(row, "\1#70", 4);
	memcpy(row + sizeof(row) - 6, "truth", 5);
	put_record(w, &h, front, row);
}

/* All of it went ahead, as rows do in text. */
static void tell_ahead(struct liar *w, const struct task *t)
{
	struct record_head h = head_of(t);

	h.rtt_us = -1;
	h.status = RECORD_CANCELLED;
	put_stats(w, 1000000);
	put_part(w, t->lease, "#70 \"");
	put_part(w, t->lease, "truth\n");
	put_record(w, &h, "", "");
	put_stats(w, 1000000);
}

static const struct lie truths[] = {
	{"no lie: a line of parts", tell_a_line, true, true, false},
	{"no lie: quotes that meet", tell_quotes, false, true, false},
	{"no lie: around a row", tell_around, false, true, true},
	{"no lie: much around a row", tell_around_much, false, true, true},
	{"no lie: all of it ahead", tell_ahead, false, false, false},
};
#define TRUTHS (sizeof(truths) / sizeof(truths[0]))

static void test_no_lie(void **state)
{
	struct trial *r = *state;

	r->config.one_line = lie->one_line;
	r->config.even_quotes = lie->even_quotes;
	r->config.layout.around = lie->around;
	go(r);
	assert_int_equal(r->result.deaths, 0);
	assert_non_null(strstr(r->words[LIE_AT], "truth"));
}

/* The answer took longer than the worker had lived when our turn began; then something held us up. */
static void test_no_lie_in_a_long_turn(void **state)
{
	struct trial *r = *state;
	struct dispatch_kind kind = {.workers = 1, .lease_max = 1};
	struct master m = {
		.config = &r->config, .loop = loop_new(), .dispatch = dispatch_new(&kind, 1)};
	struct child c = {.master = &m};
	struct dispatch_task task = {.seq = 7};
	struct record_head h = {.seq = 7, .rtt_us = 1100000};
	uint8_t octets[RECORD_HEAD_PACKED_MAX + 5];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct queue_frame f = {.kind = MESSAGE_RECORD, .data = octets};

	h.lease = dispatch_lease(m.dispatch, 0, &task);
	record_head_pack(&h, &w);
	wire_put_u32(&w, 0);
	f.len = (size_t)(w.at - octets);
	trust_begin(&c);
	usleep(200000); /* and the loop does not look at the clock */
	assert_true(trust_frame(&c, &f));
	trust_free(&c);
	dispatch_free(m.dispatch);
	loop_free(m.loop);
}

/* Whether a record of these octets is a sound one. */
static bool is_believed(const struct trial *r, const char *octets, size_t len)
{
	struct dispatch_kind kind = {.workers = 1, .lease_max = 1};
	struct master m = {
		.config = &r->config, .loop = loop_new(), .dispatch = dispatch_new(&kind, 1)};
	struct child c = {.master = &m};
	struct dispatch_task task = {.seq = 7};
	struct record_head h = {.seq = 7, .rtt_us = -1};
	uint8_t frame[RECORD_HEAD_PACKED_MAX + 4 + 64];
	struct wire_out w = {.at = frame, .end = frame + sizeof(frame)};
	struct queue_frame f = {.kind = MESSAGE_RECORD, .data = frame};
	bool believed;

	h.lease = dispatch_lease(m.dispatch, 0, &task);
	record_head_pack(&h, &w);
	wire_put_u32(&w, 0);
	memcpy(w.at, octets, len);
	f.len = (size_t)(w.at - frame) + len;
	trust_begin(&c);
	believed = trust_frame(&c, &f);
	trust_free(&c);
	dispatch_free(m.dispatch);
	loop_free(m.loop);
	return believed;
}

/* Where lines end with a NUL, a line end is an octet like others, and no NUL is. */
static void test_null_ends(void **state)
{
	struct trial *r = *state;

	r->config.null_ends = true;
	assert_true(is_believed(r, "#7 a\nb", 7));
	assert_true(is_believed(r, "#7 a\0#7 b", 10));
	assert_false(is_believed(r, "#7 a\n", 5));
	r->config.one_line = true;
	assert_true(is_believed(r, "#7 a\nb", 7));
	assert_false(is_believed(r, "#7 a\0#7 b", 10));
	r->config.null_ends = false;
	assert_true(is_believed(r, "#7 a\n", 5));
	assert_false(is_believed(r, "#7 a\n#7 b\n", 10));
	assert_false(is_believed(r, "#7 a", 5));
}

/* test_master_trust [PATTERN]: those whose names match */
int main(int argc, char **argv)
{
#define RUN(f)                                 \
	{                                      \
#f, f, set_up, tear_down, NULL \
	}
	static const struct CMUnitTest others[] = {
		RUN(test_lie_about_a_session),
		RUN(test_lie_about_what_was_learnt),
		RUN(test_lie_in_what_nobody_wants),
		RUN(test_names_the_others),
		RUN(test_cells_of_the_others),
		RUN(test_pongs_for_ever),
		RUN(test_patience_has_the_hosts_time),
		RUN(test_patience_ends_with_the_hosts_deadline),
		RUN(test_patience_has_the_rate),
		RUN(test_pong_with_octets),
		RUN(test_deaf_and_talkative),
		RUN(test_after_the_end),
		RUN(test_does_not_read),
		RUN(test_resolver),
		RUN(test_resolver_pongs_for_ever),
		RUN(test_answers_for_the_resolver),
		RUN(test_no_lie_in_a_long_turn),
		RUN(test_null_ends),
	};
#define OTHERS (sizeof(others) / sizeof(others[0]))
	struct CMUnitTest tests[LIES + OTHERS + TRUTHS];

	for (size_t i = 0; i < LIES; i++)
		tests[i] = (struct CMUnitTest){lies[i].name, test_lie, set_up, tear_down,
					       (void *)(uintptr_t)&lies[i]};
	memcpy(tests + LIES, others, sizeof(others));
	for (size_t i = 0; i < TRUTHS; i++)
		tests[LIES + OTHERS + i] = (struct CMUnitTest){truths[i].name, test_no_lie, set_up,
							       tear_down,
							       (void *)(uintptr_t)&truths[i]};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return _cmocka_run_group_tests("master_trust", tests, LIES + OTHERS + TRUTHS, NULL, NULL);
}

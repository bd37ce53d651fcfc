/*
 * master: master_run() with a plan, workers and a resolver made here. What a worker does with a target
 * stands in the target's host, "WHAT#NUMBER"; how often each was asked, and what the master said, stands
 * in a page shared with the children. The records are read back from what the writer wrote: each
 * target must have exactly one, whatever happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/loop.h"
#include "master_stage.h"
#include "pool/lookup.h"
#include "pool/master.h"
#include "pool/master_engines.h"
#include "pool/message.h"
#include "pool/proc.h"
#include "pool/queue.h"

#define MAX           20000 /* targets of a test */
#define NAMES_MAX     100
#define PART          175000 /* octets of a part of a large record */
#define LARGE         (4 * PART)
#define HUGE_PARTS    200
#define HOG_PARTS     12 /* with it the spool is not full yet */
#define LONG_LINE     2000
#define PATIENT_PINGS 3 /* before the device of a patient worker answers */
#define LATE_BEGIN    4 /* births of a resolver that come to nothing */
/* Instead of 5 s, where a worker's silence is what is tested; elsewhere a slow machine is no silent worker. */
#define SILENCE_US 400000
#define PATIENT_US 1000000 /* likewise, where it has to say a word in time */

struct page {
	_Atomic unsigned asked[MAX];
	_Atomic unsigned total; /* sum of asked */
	_Atomic unsigned answered;
	_Atomic unsigned name_asked[NAMES_MAX];
	_Atomic unsigned names_at_once;
	_Atomic unsigned resolvers; /* births of those that begin late */
	_Atomic unsigned births;
	_Atomic int born;      /* the last one's process */
	_Atomic unsigned rate; /* the last one told, and the highest; per 1,000 s */
	_Atomic unsigned rate_max;
	_Atomic unsigned rate_of[PLAN_KINDS]; /* that held when its last target was asked */
	_Atomic unsigned addrs_of_first;      /* 10 * how many target 0 had, + the last digit */
	_Atomic unsigned rate_of_first; /* when the first of the sessions was, the last time */
	_Atomic unsigned pings;
	_Atomic unsigned sessions; /* births of workers for them */
	_Atomic unsigned at_once;  /* targets that sleep at the moment, and the most */
	_Atomic unsigned at_once_max;
	_Atomic unsigned
		half_done; /* a record is begun, and its worker waits for another's death */
};

static struct page *page;

/* --- the plan ----------------------------------------------------------------------------- */

struct plan {
	uint64_t total;
	uint64_t next[PLAN_KINDS];
	const char *(*what)(uint64_t seq);
	const char *(*name)(uint64_t seq); /* NULL, or of this target: an address */
	bool (*session)(uint64_t seq);     /* NULL: none is */
	unsigned slow_us;                  /* so long it takes to count all targets */
	struct profile profiles[7];
	char hosts[MAX][32];
};

static enum plan_kind kind_of(const struct plan *p, uint64_t seq)
{
	return p->session && p->session(seq) ? PLAN_SESSIONS : PLAN_DATAGRAMS;
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
	snprintf(p->hosts[seq], sizeof(p->hosts[0]), "%s#%u", p->what(seq), (unsigned)seq);
	*out = (struct plan_target){.seq = seq,
				    .profile = (uint32_t)seq % 7,
				    .host = p->hosts[seq],
				    .name = p->name ? p->name(seq) : NULL,
				    .port = 1000};
	if (kind == PLAN_SESSIONS)
		out->transport = seq % 2 && !out->name ? TRANSPORT_UNIX : TRANSPORT_TCP;
	if (out->transport == TRANSPORT_UNIX)
		out->path = "/path";
	else if (out->name == NULL)
		out->addr = (struct addr){.family = 4, .ip = {127}, .port = 161};
	return true;
}

void plan_rewind(struct plan *p)
{
	memset(p->next, 0, sizeof(p->next));
}

void plan_at(struct plan *p, uint64_t seq, struct plan_target *out)
{
	uint64_t next[PLAN_KINDS];
	enum plan_kind kind = kind_of(p, seq);

	memcpy(next, p->next, sizeof(next));
	p->next[kind] = seq;
	plan_next(p, kind, out);
	memcpy(p->next, next, sizeof(next));
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
	*count = 7;
	return p->profiles;
}

uint64_t plan_total(const struct plan *p)
{
	if (p->slow_us > 0)
		usleep(p->slow_us);
	return p->total;
}

/* --- a worker ----------------------------------------------------------------------------- */

struct mock {
	struct queue *q;
	int fd;
	_Atomic uint64_t *at_work;
	struct task held[MAX]; /* silent ones, until CANCEL */
	char hosts[MAX][32];
	unsigned nheld;
	unsigned answered;
	bool deaf;    /* CANCEL is not heard */
	bool session; /* has one target at a time, of another transport */
	unsigned rate;
};

/* front_len: what the message says of it, whatever it is. */
static void put_pieces(struct mock *w, const struct record_head *h, const char *front,
		       uint32_t front_len, const char *rest)
{
	uint8_t head[RECORD_HEAD_PACKED_MAX + 4];
	struct wire_out out = {.at = head, .end = head + sizeof(head)};

	record_head_pack(h, &out);
	wire_put_u32(&out, front_len);
	struct queue_part parts[] = {
		{head, (size_t)(out.at - head)}, {front, strlen(front)}, {rest, strlen(rest)}};
	queue_put_parts(w->q, MESSAGE_RECORD, parts, 3);
	w->answered++;
	atomic_fetch_add(&page->answered, 1);
}

/* "engine-own": an engine ID of its own; "engine-same": one for all, at one address; any other: one for
 * all, at an address of its own. */
static void put_engine(struct record_head *h, const struct task *t)
{
	bool own = strncmp(t->host, "engine-own", 10) == 0;
	size_t len = own ? strlen(t->host) : (size_t)(strchr(t->host, '#') - t->host);

	h->engine_id_len = (uint8_t)len;
	memcpy(h->engine_id, t->host, len);
	h->addr = (struct addr){.family = 4, .ip = {127, 0, 0, 1}, .port = 161};
	if (strncmp(t->host, "engine-same", 11) != 0)
		h->addr.ip[3] = (uint8_t)t->seq;
}

static struct record_head head_of(const struct task *t, enum record_status status)
{
	struct record_head h = {.seq = t->seq,
				.lease = t->lease,
				.status = (uint8_t)status,
				.rtt_us = status == RECORD_OK ? 5 : -1};

	if (strncmp(t->host, "engine-", 7) == 0)
		put_engine(&h, t);
	return h;
}

static void put_record(struct mock *w, const struct task *t, enum record_status status,
		       size_t octets)
{
	struct record_head h = head_of(t, status);
	char *line = malloc(octets + 100);
	size_t len = (size_t)sprintf(line, "%s %s ", t->host, record_status_name(status));

	while (len < octets)
		line[len++] = 'x';
	strcpy(line + len, "\n");
	put_pieces(w, &h, "", 0, line);
	free(line);
}

static void put_part(struct mock *w, const struct task *t, const char *text)
{
	uint8_t lease[4];
	struct wire_out out = {.at = lease, .end = lease + 4};

	wire_put_u32(&out, t->lease);
	struct queue_part parts[] = {{lease, 4}, {text, strlen(text)}};
	queue_put_parts(w->q, MESSAGE_PART, parts, 2);
}

/* In so many parts; the last one is what put_record() would write of it alone. */
static void put_large(struct mock *w, const struct task *t, int parts)
{
	char *fill = malloc(PART + 1);

	memset(fill, 'x', PART);
	fill[PART] = '\0';
	put_part(w, t, t->host);
	put_part(w, t, " ok ");
	for (int i = 0; i < parts; i++) {
		put_part(w, t, fill);
		stage_flush(w->q, w->fd);
	}
	put_part(w, t, " then ");
	put_record(w, t, RECORD_OK, 0);
	free(fill);
}

/* Parts without an end, before what it shares with the others. */
static void put_hog(struct mock *w, const struct task *t, int parts)
{
	char *fill = malloc(PART + 1);

	memset(fill, 'x', PART);
	fill[PART] = '\0';
	for (int i = 0; i < parts; i++) {
		put_part(w, t, fill);
		stage_flush(w->q, w->fd);
	}
	free(fill);
}

#define MIXED 30 /* targets whose records come mixed, some octets of each in turns */

/* Those that are held: what stands in front of each record comes last, as the status is known last. */
static void put_mixed(struct mock *w)
{
	char text[64];

	for (int piece = 0; piece < 20; piece++)
		for (unsigned i = 0; i < w->nheld; i++) {
			snprintf(text, sizeof(text), " %s-%d%*s", w->hosts[i], piece, 30, "");
			put_part(w, &w->held[i], text);
		}
	stage_flush(w->q, w->fd);
	while (w->nheld > 0) {
		const struct task *t = &w->held[--w->nheld];
		struct record_head h = head_of(t, RECORD_OK);

		snprintf(text, sizeof(text), "%s ok", t->host);
		put_pieces(w, &h, text, (uint32_t)strlen(text), " end\n");
	}
}

/* The end of a record comes when another worker has died and a third one was born. */
static void put_around_a_death(struct mock *w, const struct task *t)
{
	struct record_head h = head_of(t, RECORD_OK);

	put_part(w, t, t->host);
	put_part(w, t, " ok first");
	stage_flush(w->q, w->fd);
	atomic_store(&page->half_done, 1);
	while (atomic_load(&page->births) < 3)
		usleep(1000);
	put_pieces(w, &h, "", 0, " second\n");
}

static void leave_badly(void)
{
	raise(SIGKILL);
}

/* What goes wrong only the first time that this target is asked. */
static void first_time(struct mock *w, const struct task *t)
{
	struct task other = *t;

	while (strncmp(t->host, "crash-once-late", 15) == 0 && atomic_load(&page->half_done) == 0)
		usleep(1000);
	if (strncmp(t->host, "crash-once-late", 15) == 0)
		usleep(100000); /* what is half done has been read by then */
	if (strncmp(t->host, "crash-once", 10) == 0)
		leave_badly();
	if (strncmp(t->host, "answer-and-crash", 16) == 0)
		put_record(w, t, RECORD_OK, 0);
	if (strncmp(t->host, "part-and-crash", 14) == 0 || strncmp(t->host, "half", 4) == 0)
		put_part(w, t, "this must not be seen\n");
	stage_flush(w->q, w->fd);
	if (strstr(t->host, "-and-crash") != NULL)
		leave_badly();
	if (strncmp(t->host, "lie-lease", 9) == 0) {
		other.lease++;
		put_record(w, &other, RECORD_OK, 0);
	}
	if (strncmp(t->host, "lie-part", 8) == 0) {
		other.lease += 100000;
		put_part(w, &other, "x");
	}
	if (strncmp(t->host, "lie-front", 9) == 0) {
		struct record_head h = head_of(t, RECORD_OK);
		put_pieces(w, &h, "front", 6, "");
	}
	if (strncmp(t->host, "lie-twice", 9) == 0)
		put_record(w, t, RECORD_OK, 0);
	if (strncmp(t->host, "lie-kind", 8) == 0)
		queue_put(w->q, MESSAGE_TASKS, NULL, 0);
	if (strncmp(t->host, "lie-stopped", 11) == 0)
		queue_put(w->q, MESSAGE_STOPPED, NULL, 0);
	if (strncmp(t->host, "lie-frame", 9) == 0 && write(w->fd, "\xff\xff\xff\xff", 4) != 4)
		abort();
	if (strncmp(t->host, "close", 5) == 0)
		close(w->fd);
	if (strncmp(t->host, "close", 5) == 0 || strncmp(t->host, "hang", 4) == 0)
		pause();
}

static void hold(struct mock *w, const struct task *t)
{
	w->held[w->nheld] = *t;
	snprintf(w->hosts[w->nheld], sizeof(w->hosts[0]), "%s", t->host);
	w->held[w->nheld].host = w->hosts[w->nheld];
	w->nheld++;
}

#define SLEEP_US (3 * SILENCE_US) /* a datagram's worker would be dead by then */

static void mock_sleep(void)
{
	unsigned n = atomic_fetch_add(&page->at_once, 1) + 1;

	if (n > atomic_load(&page->at_once_max))
		atomic_store(&page->at_once_max, n);
	usleep(SLEEP_US);
	atomic_fetch_sub(&page->at_once, 1);
}

/* What a worker of this kind never gets. */
static void check_kind(const struct mock *w, const struct task *t)
{
	bool is_path = t->transport == TRANSPORT_UNIX;

	if (w->session != (t->transport != TRANSPORT_UDP) || is_path != (t->naddrs == 0) ||
	    (is_path && strcmp(t->path, "/path") != 0))
		_exit(9);
}

static void mock_task(struct mock *w, const struct task *t)
{
	atomic_fetch_add(&page->total, 1);
	atomic_store(&page->rate_of[w->session ? PLAN_SESSIONS : PLAN_DATAGRAMS], w->rate);
	if (t->seq == 0 && t->naddrs > 0)
		atomic_store(&page->addrs_of_first, t->naddrs * 10u + t->addrs[0].ip[3]);
	if (t->seq == 3)
		atomic_store(&page->rate_of_first, w->rate);
	atomic_store(w->at_work, t->seq + 1);
	if (atomic_fetch_add(&page->asked[t->seq], 1) == 0)
		first_time(w, t);
	if (strncmp(t->host, "crash#", 6) == 0)
		leave_badly();
	if (strncmp(t->host, "sleep", 5) == 0)
		mock_sleep();
	w->deaf |= strncmp(t->host, "deaf", 4) == 0;
	if (strncmp(t->host, "silent", 6) == 0 || strncmp(t->host, "deaf", 4) == 0 ||
	    strncmp(t->host, "patient", 7) == 0 ||
	    (strncmp(t->host, "half", 4) == 0 && atomic_load(&page->asked[t->seq]) == 1)) {
		hold(w, t);
	} else if (strncmp(t->host, "around", 6) == 0) {
		put_around_a_death(w, t);
	} else if (strncmp(t->host, "mixed", 5) == 0) {
		if (strncmp(t->host, "mixed-hog", 9) == 0)
			put_hog(w, t, HOG_PARTS);
		hold(w, t);
		if (w->nheld == MIXED)
			put_mixed(w);
	} else if (strncmp(t->host, "part-then-bare", 14) == 0) {
		struct record_head h = head_of(t, RECORD_PARTIAL);
		put_part(w, t, "this must not be seen\n");
		put_pieces(w, &h, "", 0, "");
	} else if (strncmp(t->host, "large", 5) == 0) {
		put_large(w, t, LARGE / PART);
	} else if (strncmp(t->host, "no-answer", 9) == 0) {
		put_record(w, t, RECORD_TIMEOUT, 0);
	} else if (strncmp(t->host, "no-route", 8) == 0) {
		put_record(w, t, RECORD_UNREACHABLE, 0);
	} else if (strncmp(t->host, "huge", 4) == 0) {
		put_large(w, t, HUGE_PARTS);
	} else {
		put_record(w, t, RECORD_OK, strncmp(t->host, "long", 4) == 0 ? LONG_LINE : 0);
	}
	atomic_store(w->at_work, 0);
	if (queue_backlog(w->q) > 65536)
		stage_flush(w->q, w->fd);
}

static void mock_rate(struct mock *w, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	unsigned rate = wire_get_u32(&r);

	atomic_store(&page->rate, rate);
	w->rate = rate;
	if (rate > atomic_load(&page->rate_max))
		atomic_store(&page->rate_max, rate);
}

static void mock_ping(struct mock *w)
{
	unsigned pings = atomic_fetch_add(&page->pings, 1) + 1;

	queue_put(w->q, MESSAGE_PONG, NULL, 0);
	if (w->nheld > 0 && strncmp(w->hosts[0], "patient", 7) == 0 && pings == PATIENT_PINGS)
		put_record(w, &w->held[--w->nheld], RECORD_OK, 0);
}

static bool mock_frame(struct mock *w, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct task_store store;
	struct task t;

	while (f->kind == MESSAGE_TASKS && r.at < r.end) {
		if (!task_unpack(&t, &store, &r) || t.profile != t.seq % 7 ||
		    (w->session && (r.at < r.end || w->nheld > 0)))
			_exit(9);
		check_kind(w, &t);
		mock_task(w, &t);
	}
	while (f->kind == MESSAGE_CANCEL && !w->deaf && w->nheld > 0)
		put_record(w, &w->held[--w->nheld], RECORD_CANCELLED, 0);
	if (f->kind == MESSAGE_RATE)
		mock_rate(w, f);
	if (f->kind == MESSAGE_PING)
		mock_ping(w);
	return f->kind != MESSAGE_STOP;
}

static void put_stats(struct mock *w)
{
	uint8_t bytes[STATS_PACKED];
	struct wire_out out = {.at = bytes, .end = bytes + sizeof(bytes)};

	stats_pack(&(struct stats){.count = {[STATS_SENT] = 1}}, &out);
	queue_put(w->q, MESSAGE_STATS, bytes, sizeof(bytes));
}

/* In good order: sanitizers look at what is left. */
static int mock_end(struct mock *w)
{
	queue_free(w->q);
	free(w);
	return 0;
}

/* arg: what is special about it, or NULL. */
static int mock_worker(const void *arg, int fd, _Atomic uint64_t *at_work)
{
	struct mock *w = calloc(1, sizeof(*w));
	const char *special = arg ? arg : "";
	struct queue_frame f;
	bool on = true;

	unsigned birth = atomic_fetch_add(&page->births, 1);
	atomic_store(&page->born, getpid());
	bool weak = strcmp(special, "weak") == 0;

	if (strcmp(special, "stillborn") == 0 || (weak && birth % 2 == 1))
		return 3;
	*w = (struct mock){.q = queue_new(fd), .fd = fd, .at_work = at_work};
	w->session = strcmp(special, "session") == 0;
	atomic_fetch_add(&page->sessions, w->session);
	while (on) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		poll(&p, 1, -1);
		enum queue_state state = queue_read(w->q);
		while (on && queue_next(w->q, &f))
			on = mock_frame(w, &f);
		if (state != QUEUE_OPEN && on)
			return mock_end(w);
		stage_flush(w->q, w->fd);
		if (weak && w->answered > 0)
			return 3;
	}
	put_stats(w);
	queue_put(w->q, MESSAGE_STOPPED, NULL, 0);
	stage_flush(w->q, w->fd);
	if (strcmp(special, "stays") == 0)
		pause();
	return mock_end(w);
}

/* --- a resolver --------------------------------------------------------------------------- */

static void put_moved(struct queue *q, uint32_t ticket)
{
	struct lookup_answer a = {.ticket = ticket, .count = 1};
	uint8_t bytes[LOOKUP_ANSWER_PACKED_MAX];
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};

	a.addrs[0] = (struct addr){.family = 4, .ip = {127, 0, 0, 7}};
	lookup_answer_pack(&a, &w);
	queue_put(q, MESSAGE_ADDRESSES, bytes, (size_t)(w.at - bytes));
}

static void put_answer(struct queue *q, uint32_t ticket, const char *message)
{
	struct lookup_answer a = {.ticket = ticket, .count = message == NULL ? 2 : 0};
	uint8_t bytes[LOOKUP_ANSWER_PACKED_MAX];
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};

	a.addrs[0] = a.addrs[1] = (struct addr){.family = 4, .ip = {127, 0, 0, 1}};
	snprintf(a.message, sizeof(a.message), "%s", message ? message : "");
	lookup_answer_pack(&a, &w);
	queue_put(q, MESSAGE_ADDRESSES, bytes, (size_t)(w.at - bytes));
}

static bool resolver_frame(struct queue *q, const struct queue_frame *f, unsigned *slow)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct lookup_question question;
	bool again;

	if (f->kind == MESSAGE_STOP)
		queue_put(q, MESSAGE_STOPPED, NULL, 0);
	if (f->kind != MESSAGE_NAME)
		return f->kind != MESSAGE_STOP;
	if (!lookup_question_unpack(&question, &r))
		_exit(9);
	again = atomic_fetch_add(&page->name_asked[question.ticket], 1) > 0;
	if (strncmp(question.name, "poison", 6) == 0 ||
	    (strncmp(question.name, "later-poison", 12) == 0 && again))
		leave_badly();
	if (strncmp(question.name, "twice", 5) == 0)
		put_answer(q, question.ticket, NULL);
	if (strncmp(question.name, "lie", 3) == 0)
		put_answer(q, 4711, NULL);
	else if (strncmp(question.name, "later-moved", 11) == 0 && again)
		put_moved(q, question.ticket);
	else if (strncmp(question.name, "slow", 4) == 0)
		slow[++slow[0]] = question.ticket;
	else
		put_answer(
			q, question.ticket,
			strncmp(question.name, "unknown", 7) == 0 ||
					(strncmp(question.name, "later-unknown", 13) == 0 && again)
				? "no such name"
				: NULL);
	return true;
}

/* Slow names are answered when 500 targets have been. */
static int mock_resolver(const void *arg, int fd)
{
	struct queue *q = queue_new(fd);
	unsigned slow[1 + NAMES_MAX] = {0};
	struct queue_frame f;
	bool on = true;

	if (arg != NULL && strcmp(arg, "stillborn") == 0)
		return 7;
	if (arg != NULL && atomic_fetch_add(&page->resolvers, 1) < LATE_BEGIN)
		return PROC_NOT_BEGUN;
	while (on) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		poll(&p, 1, 10);
		if (p.revents && queue_read(q) != QUEUE_OPEN)
			break;
		while (on && queue_next(q, &f))
			on = resolver_frame(q, &f, slow);
		while (atomic_load(&page->answered) >= 500 && slow[0] > 0)
			put_answer(q, slow[slow[0]--], NULL);
		queue_flush(q);
	}
	while (read(fd, &on, 1) > 0) /* the master closes its end */
		;
	queue_free(q);
	return 0;
}

/* --- a run -------------------------------------------------------------------------------- */

struct trial {
	struct master_config config;
	struct master_result result;
	struct plan plan;
	char folder[64];
	char path[80];         /* the output */
	unsigned records[MAX]; /* of each target */
	char status[MAX][16];  /* the second word of its record */
	char message[MAX][80]; /* the rest of it */
	unsigned lines;
	pid_t helper;
	int helper_status;
};

static const char *always_ok(uint64_t seq)
{
	(void)seq;
	return "ok";
}

static int set_up(void **state)
{
	struct trial *r = calloc(1, sizeof(*r));

	page = stage_begin(sizeof(*page));
	snprintf(r->folder, sizeof(r->folder), "/tmp/test_master.XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	snprintf(r->path, sizeof(r->path), "%s/out", r->folder);
	r->plan.what = always_ok;
	r->config = (struct master_config){.plan = &r->plan,
					   .worker = mock_worker,
					   .session_arg = "session",
					   .resolver = mock_resolver,
					   .window = 64,
					   .workers = 2,
					   .format = stage_format};
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct trial *r = *state;

	if (r->helper > 0) {
		kill(r->helper, SIGKILL);
		waitpid(r->helper, NULL, 0);
	}
	histogram_free(r->result.latency);
	unlink(r->path);
	rmdir(r->folder);
	munmap(page, sizeof(*page));
	free(r);
	return 0;
}

static void take_line(struct trial *r, const char *line)
{
	const char *number = strchr(line, '#');
	unsigned long seq;

	assert_non_null(number);
	seq = strtoul(number + 1, NULL, 10);
	assert_in_range(seq, 0, MAX - 1);
	r->records[seq]++;
	r->lines++;
	sscanf(number, "%*s %15s %79[^\n]", r->status[seq], r->message[seq]);
}

static void read_records(struct trial *r, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;

	assert_non_null(f);
	while (getline(&line, &cap, f) > 0)
		take_line(r, line);
	free(line);
	fclose(f);
}

static void go(struct trial *r)
{
	struct writer_options o = {.path = r->path};
	enum writer_result opened;

	r->config.writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	master_run(&r->config, &r->result);
	if (r->result.written == WRITER_OK && !r->result.aborted)
		assert_int_equal(writer_commit(r->config.writer), WRITER_OK);
	writer_free(r->config.writer);
	pid_t left = waitpid(-1, &r->helper_status,
			     WNOHANG); /* no child is left, but for a helper of the test */
	assert_int_equal(left, left == r->helper ? left : r->helper > 0 ? 0 : -1);
	if (left == r->helper)
		r->helper = 0;
}

/* Invariant 1. */
static void assert_one_each(const struct trial *r)
{
	stage_one_each(r->records, r->plan.total, &r->result);
	assert_int_equal(r->lines, r->plan.total);
}

static void run_all(struct trial *r, uint64_t total)
{
	r->plan.total = total;
	go(r);
	read_records(r, r->path);
	assert_one_each(r);
}

/* --- plain runs --------------------------------------------------------------------------- */

static void test_no_target(void **state)
{
	struct trial *r = *state;

	run_all(r, 0);
	assert_int_equal(r->result.deaths, 0);
}

static void test_many_targets(void **state)
{
	struct trial *r = *state;

	run_all(r, MAX);
	assert_int_equal(r->result.status[RECORD_OK], MAX);
	assert_int_equal(r->result.deaths, 0);
	assert_int_equal(histogram_count(r->result.latency), MAX);
	assert_int_equal(r->result.stats.count[STATS_SENT], 2); /* each worker's last word */
	assert_int_equal(atomic_load(&page->births), 2);
}

static void test_few_targets_are_shared(void **state)
{
	struct trial *r = *state;

	r->config.workers = 7;
	run_all(r, 3);
	assert_int_equal(r->result.deaths, 0);
}

static const char *name_unknown(uint64_t seq);

/* Counted, and not written: our own as well as those of workers, a bit's whole class of them. */
static void test_unwanted(void **state)
{
	struct trial *r = *state;

	r->config.unwanted = 1u << RECORD_RESOLVE;
	r->plan.name = name_unknown;
	r->plan.total = MAX;
	go(r);
	read_records(r, r->path);
	assert_int_equal(r->lines, 0);
	assert_int_equal(r->result.targets, MAX);
	assert_int_equal(r->result.status[RECORD_RESOLVE], MAX);
}

static const char *mixed_large(uint64_t seq)
{
	return seq % 3 == 0 ? "part-then-bare" : "ok";
}

/* What came ahead of a record that turns out to be unwanted goes. */
static void test_unwanted_parts(void **state)
{
	struct trial *r = *state;

	r->config.unwanted = 1u << RECORD_PARTIAL;
	r->plan.what = mixed_large;
	r->plan.total = 300;
	go(r);
	read_records(r, r->path);
	assert_int_equal(r->lines, 200);
	assert_int_equal(r->result.deaths, 0);
	assert_int_equal(r->result.status[RECORD_PARTIAL], 100);
	assert_int_equal(r->result.status[RECORD_OK], 200);
}

/* --- deaths ------------------------------------------------------------------------------- */

static const char *trouble; /* what every 100th target from the 50th is */

static const char *some_trouble(uint64_t seq)
{
	return seq % 100 == 50 ? trouble : "ok";
}

/* All targets have their record, though each trouble ends its worker, the first time. A lie ends it a
 * little later, and another worker may have told the next one by then. Who dies after the last record of
 * all was stopped, and is not counted. */
static void survive(struct trial *r, const char *what)
{
	unsigned least = strncmp(what, "lie", 3) == 0      ? 1
			 : strncmp(what, "answer", 6) == 0 ? 9
							   : 10;
	unsigned deaths;

	trouble = what;
	r->plan.what = some_trouble;
	run_all(r, 1000);
	deaths = r->result.deaths;
	assert_int_equal(r->result.status[RECORD_OK], 1000);
	assert_in_range(deaths, least, 10);
	assert_in_range(atomic_load(&page->births), deaths, deaths + 2);
}

static void test_crash(void **state)
{
	survive(*state, "crash-once");
}

/* What a worker said before it died counts. */
static void test_answer_and_crash(void **state)
{
	struct trial *r = *state;

	survive(r, "answer-and-crash");
	for (unsigned seq = 50; seq < 1000; seq += 100)
		assert_int_equal(atomic_load(&page->asked[seq]), 1);
}

static void test_half_a_record_and_crash(void **state)
{
	survive(*state, "part-and-crash");
}

static void test_lie_about_the_lease(void **state)
{
	survive(*state, "lie-lease");
}

static void test_lie_about_a_part(void **state)
{
	survive(*state, "lie-part");
}

/* A front that is longer than its message. */
static void test_lie_about_the_front(void **state)
{
	survive(*state, "lie-front");
}

static void test_lie_twice(void **state)
{
	survive(*state, "lie-twice");
}

static void test_lie_with_a_kind(void **state)
{
	survive(*state, "lie-kind");
}

static void test_lie_stopped(void **state)
{
	survive(*state, "lie-stopped");
}

static void test_lie_with_a_frame(void **state)
{
	survive(*state, "lie-frame");
}

/* End of file, and the process stays: it must not live on. */
static void test_closed_queue(void **state)
{
	survive(*state, "close");
}

/* Whoever started us ignores SIGCHLD: the dead are waited for all the same. */
static void test_ignored_children(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before, after;

	sigaction(SIGCHLD, &ignore, &before);
	survive(*state, "close");
	sigaction(SIGCHLD, &before, &after);
	assert_ptr_equal(after.sa_handler, SIG_IGN);
}

static const char *poison(uint64_t seq)
{
	return seq == 5 || seq == 300 ? "crash" : "ok";
}

static void test_poison(void **state)
{
	struct trial *r = *state;

	r->plan.what = poison;
	run_all(r, 1000);
	assert_int_equal(r->result.status[RECORD_CRASHED], 2);
	assert_int_equal(r->result.status[RECORD_OK], 998);
	assert_string_equal(r->status[5], "crashed");
	assert_int_equal(atomic_load(&page->asked[5]), 3);
	assert_int_equal(atomic_load(&page->asked[300]), 3);
	assert_int_equal(r->result.deaths, 6);
}

static const char *poison_first(uint64_t seq)
{
	return seq < 4 ? "crash" : "ok";
}

/* Twelve deaths in a row without a record, but each has its reason: the run does not give up. */
static void test_poison_first(void **state)
{
	struct trial *r = *state;

	r->plan.what = poison_first;
	r->config.workers = 1;
	run_all(r, 100);
	assert_false(r->result.failed);
	assert_int_equal(r->result.status[RECORD_CRASHED], 4);
	assert_int_equal(r->result.deaths, 12);
}

static const char *hang_at_10(uint64_t seq)
{
	return seq == 10 ? "hang" : "ok";
}

/* Silent while it owes: asked, then killed; the other worker goes on meanwhile. */
static void test_hang(void **state)
{
	struct trial *r = *state;

	r->config.silence_us = SILENCE_US;
	r->plan.what = hang_at_10;
	run_all(r, 2000);
	assert_int_equal(r->result.deaths, 1);
	assert_int_equal(r->result.status[RECORD_OK], 2000);
	assert_in_range(r->result.elapsed_us, 2 * SILENCE_US, 4000000);
}

static const char *patient_at_10(uint64_t seq)
{
	return seq == 10 ? "patient" : "ok";
}

/* A worker that only waits for its devices answers PING and lives. */
static void test_patient_worker(void **state)
{
	struct trial *r = *state;

	r->plan.what = patient_at_10;
	r->config.silence_us = PATIENT_US;
	run_all(r, 100);
	assert_int_equal(r->result.deaths, 0);
	assert_int_equal(atomic_load(&page->pings), PATIENT_PINGS);
	assert_int_equal(atomic_load(&page->asked[10]), 1);
	assert_true(r->result.elapsed_us >= PATIENT_PINGS * PATIENT_US);
	assert_string_equal(r->status[10], "ok");
}

static void test_does_not_exit(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "stays";
	r->config.silence_us = SILENCE_US;
	run_all(r, 10);
	assert_int_equal(r->result.deaths, 0);
	assert_in_range(r->result.elapsed_us, SILENCE_US, 4000000);
}

static void test_no_worker_can_live(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "stillborn";
	log_set_level(LOG_LEVEL_ERROR);
	run_all(r, 1000);
	assert_true(r->result.failed);
	assert_int_equal(r->result.status[RECORD_CANCELLED], 1000);
	assert_in_range(atomic_load(&page->births), 5, 20);
	assert_in_range(r->result.elapsed_us, 1400000,
			6000000); /* pauses of 0.1, 0.2, 0.4, 0.8 s */
}

/* Every second one is stillborn, the others answer what they have and die: the run gets on. */
static void test_weak_workers(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "weak";
	r->config.workers = 1;
	r->config.window = 1; /* 257 leases */
	run_all(r, 9 * 257);
	assert_int_equal(r->result.status[RECORD_OK], 9 * 257);
	assert_in_range(atomic_load(&page->births), 12, 100);
	assert_false(r->result.failed);
}

static void test_no_process_can_be_made(void **state)
{
	struct trial *r = *state;
	struct rlimit limit, low;

	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	int next = dup(0);
	close(next);
	low.rlim_cur = (rlim_t)next + 5; /* the output, its folder, the signals' pipe */
	setrlimit(RLIMIT_NOFILE, &low);
	r->plan.total = 100;
	go(r);
	setrlimit(RLIMIT_NOFILE, &limit);
	read_records(r, r->path);
	assert_one_each(r);
	assert_true(r->result.failed);
	assert_int_equal(atomic_load(&page->births), 0);
}

static void test_rate(void **state)
{
	struct trial *r = *state;

	trouble = "crash-once";
	r->plan.what = some_trouble;
	r->config.rate_pps = 1000;
	run_all(r, 100);
	assert_int_equal(atomic_load(&page->rate_max), 1000000); /* while one was dead */
	if (atomic_load(&page->births) == 3)
		assert_int_equal(atomic_load(&page->rate), 500000);
}

/* --- the output --------------------------------------------------------------------------- */

static const char *always_large(uint64_t seq)
{
	(void)seq;
	return "large";
}

static void test_large_records(void **state)
{
	struct trial *r = *state;
	struct stat st;

	r->plan.what = always_large;
	run_all(r, 30);
	assert_int_equal(stat(r->path, &st), 0);
	assert_in_range(st.st_size, 30 * LARGE, 30 * (LARGE + 100));
}

static const char *always_mixed(uint64_t seq)
{
	(void)seq;
	return "mixed";
}

/* Each record whole, in front of its parts what came last, and no descriptor for each. */
static void test_mixed_parts(void **state)
{
	struct trial *r = *state;
	char *line = NULL, wanted[64];
	size_t cap = 0;
	FILE *f;

	r->plan.what = always_mixed;
	r->config.workers = 1;
	run_all(r, 10 * MIXED);
	assert_int_equal(r->result.deaths, 0);
	f = fopen(r->path, "r");
	while (getline(&line, &cap, f) > 0) {
		char *word = strtok(line, " \n"), *host = word;

		assert_string_equal(strtok(NULL, " \n"), "ok");
		for (int piece = 0; piece < 20; piece++) {
			snprintf(wanted, sizeof(wanted), "%s-%d", host, piece);
			assert_string_equal(strtok(NULL, " \n"), wanted);
		}
		assert_string_equal(strtok(NULL, " \n"), "end");
		assert_null(strtok(NULL, " \n"));
	}
	free(line);
	fclose(f);
}

/* With so little room for the spool's file. */
static void run_in_a_full_folder(struct trial *r, uint64_t total, rlim_t octets)
{
	struct rlimit limit, low;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	low = limit;
	low.rlim_cur = octets;
	setrlimit(RLIMIT_FSIZE, &low);
	run_all(r, total);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(r->result.written, WRITER_OK);
	assert_int_equal(r->result.deaths, 0);
}

static const char *hog_at_first(uint64_t seq)
{
	return seq % MIXED == 0 ? "mixed-hog" : "mixed";
}

/* The others' octets find no room, but it is the largest record that is given up, each time anew. */
static void test_full_spool_costs_the_largest(void **state)
{
	struct trial *r = *state;

	r->plan.what = hog_at_first;
	r->config.workers = 1;
	run_in_a_full_folder(r, 3 * MIXED, 2000000);
	for (unsigned seq = 0; seq < r->plan.total; seq++)
		assert_string_equal(r->status[seq], seq % MIXED ? "ok" : "cancelled");
	assert_string_equal(
		r->message[MIXED],
		"no room to keep so large a record until its end: File too large (see TMPDIR)");
	assert_int_equal(r->result.lost, 3);
}

static const char *huge_at_first(uint64_t seq)
{
	return seq == 0 ? "huge" : seq < 3 ? "large" : "ok";
}

/* One that alone is too large, and goes on when it is given up: what it took is there for the next. */
static void test_too_large_for_the_spool(void **state)
{
	struct trial *r = *state;

	r->plan.what = huge_at_first;
	r->config.workers = 1;
	run_in_a_full_folder(r, 100, 8 * LARGE);
	assert_string_equal(r->status[0], "cancelled");
	assert_int_equal(r->result.status[RECORD_OK], 99);
	assert_int_equal(r->result.lost, 1);
}

static const char *half_at_first(uint64_t seq)
{
	return seq < 300 ? "half" : "crash-once";
}

/* A worker dies with a record open for each of its leases, under a low limit of descriptors: nothing of
 * them is seen. */
static void test_mixed_parts_and_crash(void **state)
{
	struct trial *r = *state;
	struct rlimit limit, low;
	int next = dup(0);

	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = (rlim_t)next + 10;
	setrlimit(RLIMIT_NOFILE, &low);
	r->plan.what = half_at_first;
	r->config.workers = 1;
	run_all(r, 301);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(r->result.deaths, 1);
	assert_int_equal(atomic_load(&page->total), 602);
	assert_int_equal(r->result.status[RECORD_OK], 301);
}

static const char *around_a_death(uint64_t seq)
{
	return seq == 0 ? "around" : "crash-once-late";
}

/* What a worker has begun stays when another one dies. */
static void test_parts_around_a_death(void **state)
{
	struct trial *r = *state;

	r->plan.what = around_a_death;
	run_all(r, 2);
	assert_int_equal(r->result.deaths, 1);
	assert_string_equal(r->message[0], "first second");
}

static const char *always_long(uint64_t seq)
{
	(void)seq;
	return "long";
}

/* Reads the output, a FIFO, into the file `copy`, when it has slept. Then tells by its exit status
 * how far the workers had come by then, in hundreds. */
static void slow_reader(struct trial *r, const char *copy)
{
	assert_int_equal(mkfifo(r->path, 0600), 0);
	r->helper = fork();
	if (r->helper != 0)
		return;
	int in = open(r->path, O_RDONLY), out = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	static char octets[65536];
	unsigned before, total = 0;
	ssize_t n;

	do { /* until all stands still */
		before = total;
		usleep(300000);
		total = atomic_load(&page->total);
	} while (total != before || total == 0);
	while ((n = read(in, octets, sizeof(octets))) > 0)
		if (write(out, octets, (size_t)n) != n)
			_exit(255);
	_exit((int)(total / 100 < 254 ? total / 100 : 254));
}

static unsigned slow_reader_saw(struct trial *r)
{
	if (r->helper > 0)
		waitpid(r->helper, &r->helper_status, 0);
	r->helper = 0;
	assert_true(WIFEXITED(r->helper_status));
	return (unsigned)WEXITSTATUS(r->helper_status) * 100;
}

/* Invariant 2: the reader stops, and so do the workers; nothing is lost. */
static void test_slow_reader(void **state)
{
	struct trial *r = *state;
	char copy[100];

	snprintf(copy, sizeof(copy), "%s/copy", r->folder);
	r->plan.what = always_long;
	r->config.window = MAX; /* the workers may have all of them */
	slow_reader(r, copy);
	r->plan.total = MAX;
	go(r);
	assert_in_range(slow_reader_saw(r), 100, 4000);
	read_records(r, copy);
	unlink(copy);
	assert_one_each(r);
	assert_int_equal(r->result.deaths, 0);
	assert_int_equal(atomic_load(&page->pings),
			 0); /* nothing read was forgotten in the queues */
}

/* All has been said when the reader begins to read: the last frames lie in the master, unread. */
static void test_late_reader(void **state)
{
	struct trial *r = *state;
	char copy[100];

	snprintf(copy, sizeof(copy), "%s/copy", r->folder);
	r->plan.what = always_long;
	r->config.window = 1000;
	slow_reader(r, copy);
	r->plan.total = 700;
	go(r);
	assert_in_range(slow_reader_saw(r), 500, 700);
	read_records(r, copy);
	unlink(copy);
	assert_one_each(r);
	assert_int_equal(atomic_load(&page->pings), 0);
	assert_in_range(r->result.elapsed_us, 0, 4000000);
}

/* What is written is given back: the spool holds the few that are not, never all 35 MB. */
static void test_slow_reader_of_large_records(void **state)
{
	struct trial *r = *state;
	struct rlimit limit, low;
	struct stat st;
	char copy[100];

	snprintf(copy, sizeof(copy), "%s/copy", r->folder);
	r->plan.what = always_large;
	slow_reader(r, copy);
	r->plan.total = 50;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	low = limit;
	low.rlim_cur = 10 * LARGE;
	setrlimit(RLIMIT_FSIZE, &low);
	go(r);
	setrlimit(RLIMIT_FSIZE, &limit);
	slow_reader_saw(r);
	stat(copy, &st);
	read_records(r, copy);
	unlink(copy);
	assert_one_each(r);
	assert_in_range(st.st_size, 50 * LARGE, 50 * (LARGE + 100));
}

static const char *large_at_first(uint64_t seq)
{
	return seq < 40 ? "large" : "silent";
}

/* The end is called while half a large record is written: our own records wait until it is whole. */
static void test_cancelled_in_a_large_record(void **state)
{
	struct trial *r = *state;
	char copy[100];

	snprintf(copy, sizeof(copy), "%s/copy", r->folder);
	r->plan.what = large_at_first;
	r->config.deadline_us = 300000;
	slow_reader(r, copy);
	r->plan.total = 5000;
	go(r);
	slow_reader_saw(r);
	read_records(r, copy);
	unlink(copy);
	assert_one_each(r);
	for (unsigned seq = 40; seq < 5000; seq++)
		assert_string_equal(r->status[seq], "cancelled");
}

/* Our own records, more of them than the writer holds, and then nobody else has anything to say. */
static void format_long(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)o;
	buf_printf(out, "%s %s %s%*s\n", r->host, record_status_name(r->status), r->message, 600,
		   "");
}

static const char *name_unknown(uint64_t seq)
{
	(void)seq;
	return "unknown";
}

static void test_own_records_fill_the_output(void **state)
{
	struct trial *r = *state;

	r->config.format = format_long;
	r->plan.name = name_unknown;
	run_all(r, MAX);
	assert_int_equal(r->result.status[RECORD_RESOLVE], MAX);
}

static void test_cancelled_records_fill_the_output(void **state)
{
	struct trial *r = *state;

	r->config.format = format_long;
	r->config.deadline_us = 1;
	run_all(r, MAX);
	assert_int_equal(r->result.status[RECORD_CANCELLED], MAX);
}

static const char *always_huge(uint64_t seq)
{
	(void)seq;
	return "huge";
}

/* A record of 35 MB does not pass through the memory as a whole. */
static void test_slow_reader_of_a_huge_record(void **state)
{
	struct trial *r = *state;
	struct rusage before, after;
	struct stat st;
	char copy[100];

	snprintf(copy, sizeof(copy), "%s/copy", r->folder);
	r->plan.what = always_huge;
	slow_reader(r, copy);
	r->plan.total = 1;
	getrusage(RUSAGE_SELF, &before);
	go(r);
	getrusage(RUSAGE_SELF, &after);
	slow_reader_saw(r);
	stat(copy, &st);
	read_records(r, copy);
	unlink(copy);
	assert_one_each(r);
	assert_in_range(st.st_size, HUGE_PARTS * PART, HUGE_PARTS * PART + 100);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 12000); /* KiB */
}

/* The reader goes on, slowly: what it does not take stays with the workers, not in our queues. */
static void test_steady_reader(void **state)
{
	struct trial *r = *state;
	struct rusage before, after;
	static char octets[65536];

	assert_int_equal(mkfifo(r->path, 0600), 0);
	r->plan.what = always_long;
	r->plan.total = MAX;
	r->config.window = MAX;
	r->helper = fork();
	if (r->helper == 0) {
		int in = open(r->path, O_RDONLY);
		while (read(in, octets, sizeof(octets)) > 0)
			usleep(1000);
		_exit(0);
	}
	getrusage(RUSAGE_SELF, &before);
	go(r);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(r->result.status[RECORD_OK], MAX);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 20000); /* KiB, of 40,000 */
}

static void test_reader_leaves(void **state)
{
	struct trial *r = *state;

	assert_int_equal(mkfifo(r->path, 0600), 0);
	r->helper = fork();
	if (r->helper == 0) {
		char octet;
		_exit(read(open(r->path, O_RDONLY), &octet, 1) == 1 ? 0 : 1);
	}
	r->plan.what = always_long;
	r->plan.total = MAX;
	go(r);
	assert_int_equal(r->result.written, WRITER_CLOSED);
}

/* --- engine IDs --------------------------------------------------------------------------- */

static const char *some_engines(uint64_t seq)
{
	if (seq == 10 || seq == 20)
		return "engine-two";
	if (seq == 100 || seq == 110 || seq == 120)
		return "engine-three";
	return seq == 30 || seq == 40 ? "engine-same" : "engine-own";
}

/* A run, and what it says on standard error. */
static void run_heard(struct trial *r, uint64_t total, char *heard, size_t size)
{
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t len;

	dup2(fileno(f), STDERR_FILENO);
	run_all(r, total);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	len = fread(heard, 1, size - 1, f);
	heard[len] = '\0';
	fclose(f);
}

/* The words of a warning, whichever of the two came first. */
static bool is_told(const char *heard, unsigned a, unsigned b)
{
	char first[64], second[64];

	snprintf(first, sizeof(first), "#%u (127.0.0.%u:161)", a, a);
	snprintf(second, sizeof(second), "#%u (127.0.0.%u:161)", b, b);
	return strstr(heard, first) != NULL && strstr(heard, second) != NULL;
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

/* Each ID once, by two names; not the host that is listed twice. */
static void test_duplicate_engine_ids(void **state)
{
	struct trial *r = *state;
	char heard[4096];

	r->plan.what = some_engines;
	log_set_level(LOG_LEVEL_WARNING);
	run_heard(r, 250, heard, sizeof(heard));
	assert_int_equal(lines_of(heard), 2);
	assert_true(is_told(heard, 10, 20));
	assert_non_null(strstr(heard, "have the same SNMPv3 engine ID 656e67696e652d74776f:"));
	assert_true(is_told(heard, 100, 110) + is_told(heard, 100, 120) +
			    is_told(heard, 110, 120) ==
		    1);
	assert_non_null(strstr(heard, "each is polled with its own keys"));
}

static void test_quiet_about_engine_ids(void **state)
{
	struct trial *r = *state;
	char heard[4096];

	r->plan.what = some_engines;
	run_heard(r, 250, heard, sizeof(heard));
	assert_string_equal(heard, "");
}

/* More engines than are remembered: those that are still are compared. */
static void test_many_engine_ids(void **state)
{
	struct engines *engines = NULL;
	struct record_head h = {.engine_id_len = 32, .addr = {.family = 4, .port = 161}};
	char heard[4096];
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);

	(void)state;
	log_set_level(LOG_LEVEL_WARNING);
	dup2(fileno(f), STDERR_FILENO);
	for (uint32_t i = 0; i < 200000; i++) {
		memcpy(h.engine_id + 20, &i, sizeof(i));
		engines_take(&engines, &h, NULL);
	}
	memset(h.engine_id, 0, sizeof(h.engine_id));
	h.addr.ip[0] = 127;
	engines_take(&engines, &h, "second");
	engines_take(&engines, &h, "second");
	memset(h.engine_id, 0, sizeof(h.engine_id));
	h.engine_id[20] = 1; /* whose host is written as its address */
	engines_take(&engines, &h, "127.0.0.0");
	memset(h.engine_id, 0xff, sizeof(h.engine_id)); /* new: there is no place for it */
	engines_take(&engines, &h, "third");
	h.addr.ip[0] = 128;
	engines_take(&engines, &h, "fourth");
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	heard[fread(heard, 1, sizeof(heard) - 1, f)] = '\0';
	fclose(f);
	assert_int_equal(lines_of(heard), 2);
	assert_non_null(strstr(heard, "0.0.0.0:161 and second (127.0.0.0:161) have the same"));
	assert_non_null(strstr(heard, "0.0.0.0:161 and 127.0.0.0:161 have the same"));
	engines_free(engines);
	engines_free(NULL);
}

/* --- names -------------------------------------------------------------------------------- */

static const char *twenty_names(uint64_t seq)
{
	static const char *const names[] = {"a0",       "b1", "c2", "d3", "unknown4", "f5", "g6",
					    "h7",       "i8", "j9", "A0", "B1",       "C2", "D3",
					    "UNKNOWN4", "F5", "G6", "H7", "I8",       "J9"};

	return names[seq % 20];
}

/* Each name is asked once, whatever its letters' case, and all its targets get its addresses. */
static void test_each_name_once(void **state)
{
	struct trial *r = *state;

	r->plan.name = twenty_names;
	run_all(r, 2000);
	assert_in_range(r->result.elapsed_us, 0, 4000000); /* the resolver had its end told */
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(atomic_load(&page->name_asked[i]), 1);
	assert_int_equal(atomic_load(&page->name_asked[10]), 0);
	assert_int_equal(r->result.status[RECORD_OK], 1800);
	assert_int_equal(r->result.status[RECORD_RESOLVE], 200);
	assert_string_equal(r->status[4], "resolve");
	assert_string_equal(r->message[4], "no such name");
}

static const char *slow_names_first(uint64_t seq)
{
	static char names[50][16];

	if (seq >= 50)
		return NULL;
	snprintf(names[seq], sizeof(names[0]), "slow%u", (unsigned)seq);
	return names[seq];
}

/* Invariant 3: the slow names are answered only after 500 other targets were. */
static void test_a_name_holds_up_nobody(void **state)
{
	struct trial *r = *state;

	r->plan.name = slow_names_first;
	run_all(r, 1000);
	assert_int_equal(r->result.status[RECORD_OK], 1000);
}

static const char *a_poisonous_name(uint64_t seq)
{
	static char names[20][16];

	snprintf(names[seq], sizeof(names[0]), "%s%u", seq == 7 ? "poison" : "n", (unsigned)seq);
	return names[seq];
}

/* Three deaths of the resolver, all charged to the one name; the others are found. */
static void test_a_name_that_kills(void **state)
{
	struct trial *r = *state;

	r->plan.name = a_poisonous_name;
	run_all(r, 20);
	assert_int_equal(r->result.deaths, 3);
	assert_int_equal(r->result.status[RECORD_OK], 19);
	assert_string_equal(r->status[7], "resolve");
	assert_int_equal(atomic_load(&page->name_asked[7]), 3);
}

static const char *a_lying_name(uint64_t seq)
{
	return seq == 3 ? "lie" : NULL;
}

static void test_a_resolver_that_lies(void **state)
{
	struct trial *r = *state;

	r->plan.name = a_lying_name;
	run_all(r, 20);
	assert_int_equal(r->result.deaths, 3);
	assert_string_equal(r->status[3], "resolve");
}

static const char *a_name_answered_twice(uint64_t seq)
{
	return seq == 3 ? "twice" : NULL;
}

static void test_a_resolver_that_answers_twice(void **state)
{
	struct trial *r = *state;

	r->plan.name = a_name_answered_twice;
	run_all(r, 20);
	assert_in_range(r->result.elapsed_us, 0, 4000000);
	assert_int_equal(r->result.deaths, 1);
	assert_int_equal(r->result.status[RECORD_OK], 20);
}

static void test_no_resolver_can_live(void **state)
{
	struct trial *r = *state;

	r->config.resolver_arg = "stillborn";
	r->plan.name = a_lying_name;
	run_all(r, 20);
	assert_int_equal(r->result.status[RECORD_OK], 19);
	assert_string_equal(r->status[3], "resolve");
	assert_false(r->result.failed);
}

/* A name would be given up after three deaths of a resolver that had begun. */
static void test_a_resolver_that_cannot_begin_yet(void **state)
{
	struct trial *r = *state;

	r->config.resolver_arg = "begins late";
	r->plan.name = a_poisonous_name;
	run_all(r, 7); /* all but the poisonous one */
	assert_int_equal(r->result.deaths, LATE_BEGIN);
	assert_int_equal(r->result.status[RECORD_OK], 7);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(atomic_load(&page->name_asked[i]), 1);
	assert_false(r->result.failed);
}

/* --- early ends --------------------------------------------------------------------------- */

static const char *always_silent(uint64_t seq)
{
	(void)seq;
	return "silent";
}

static const char *always_deaf(uint64_t seq)
{
	(void)seq;
	return "deaf";
}

/* Sends us signals when the workers have all that they may have. */
static void signal_when_full(struct trial *r, int signal, int times)
{
	pid_t us = getpid();

	r->helper = fork();
	if (r->helper != 0)
		return;
	while (atomic_load(&page->total) < 2 * (64 + 256))
		usleep(1000);
	for (; times > 0; times--) {
		kill(us, signal);
		usleep(100000);
	}
	_exit(0);
}

static void test_signal(void **state)
{
	struct trial *r = *state;
	struct sigaction before, after;

	sigaction(SIGTERM, NULL, &before);
	r->plan.what = always_silent;
	signal_when_full(r, SIGTERM, 1);
	run_all(r, 10000);
	assert_int_equal(r->result.signal, SIGTERM);
	assert_false(r->result.aborted);
	assert_int_equal(r->result.status[RECORD_CANCELLED], 10000);
	assert_int_equal(atomic_load(&page->total), 640); /* nothing new after it */
	assert_string_equal(r->message[9999], "stopped by a signal");
	sigaction(SIGTERM, NULL, &after);
	assert_ptr_equal(before.sa_handler, after.sa_handler);
}

static const char *slow_names_only(uint64_t seq)
{
	return seq % 2 ? "slow-one" : "slow-two";
}

static void test_signal_while_names_are_open(void **state)
{
	struct trial *r = *state;

	r->plan.name = slow_names_only;
	r->config.deadline_us = 300000;
	run_all(r, 1000);
	assert_int_equal(r->result.status[RECORD_CANCELLED], 1000);
	assert_int_equal(r->result.deaths, 0);
}

/* Workers that do not even listen: the second signal waits for nobody. */
static void test_second_signal(void **state)
{
	struct trial *r = *state;

	r->plan.what = always_deaf;
	r->plan.total = 10000;
	signal_when_full(r, SIGINT, 2);
	go(r);
	assert_int_equal(r->result.signal, SIGINT);
	assert_true(r->result.aborted);
	assert_in_range(r->result.elapsed_us, 0, 4000000);
}

static void test_deadline(void **state)
{
	struct trial *r = *state;

	r->plan.what = always_silent;
	r->config.deadline_us = 300000;
	run_all(r, 10000);
	assert_int_equal(r->result.status[RECORD_CANCELLED], 10000);
	assert_int_equal(r->result.signal, 0);
	assert_string_equal(r->message[9999], "the deadline of the run came first");
	assert_in_range(r->result.elapsed_us, 300000, 2000000);
}

/* From a process beside us: kills the workers one after the other, after a deadline of a second. */
static void kill_workers(struct trial *r)
{
	pid_t us = getpid();
	char path[64], text[64] = "";

	r->helper = fork();
	if (r->helper != 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", us, us);
	usleep(1200000);
	int fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		_exit(1);
	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		if (atoi(word) != getpid())
			kill(atoi(word), SIGKILL);
		usleep(300000);
	}
	_exit(0);
}

/* Workers die after the end was called: nobody is asked again, nobody is born again. */
static void test_deaths_after_the_end(void **state)
{
	struct trial *r = *state;

	r->plan.what = always_deaf;
	r->config.deadline_us = 1000000; /* by then they have all, on a busy machine too */
	r->plan.total = 100;
	kill_workers(r);
	go(r);
	read_records(r, r->path);
	assert_one_each(r);
	assert_int_equal(atomic_load(&page->total), 100);
	assert_int_equal(atomic_load(&page->births), 2);
	assert_int_equal(r->result.status[RECORD_CANCELLED], 100);
}

/* --- watchers ----------------------------------------------------------------------------- */

struct seen { /* what a watcher was told */
	unsigned ticks, asked;
	uint64_t records, with_rtt, named, told;
	struct watcher_view last;
	int64_t ticked_us;
	bool early; /* a tick came before its time */
};

static int64_t seen_tick(void *arg, const struct watcher_view *v, int64_t now_us)
{
	struct seen *s = arg;

	s->early = s->early || now_us < s->ticked_us;
	s->ticked_us = now_us + 50000;
	s->ticks++;
	s->last = *v;
	return s->ticks < 3 ? s->ticked_us : LOOP_NEVER;
}

static void seen_asked(void *arg, const struct watcher_view *v)
{
	struct seen *s = arg;

	s->asked++;
	s->last = *v;
}

static void seen_record(void *arg, const struct record *r)
{
	struct seen *s = arg;

	s->records++;
	s->with_rtt += r->rtt_us >= 0;
	s->named += r->host != NULL;
	s->told += r->message != NULL;
}

/* Ticks at their times and not after LOOP_NEVER; an ask is no end; each record once, ours as well. */
static void test_watchers(void **state)
{
	struct trial *r = *state;
	struct seen seen = {0}, blind = {0};
	const struct watcher watchers[] = {
		{&seen, .tick = seen_tick, .asked = seen_asked, .record = seen_record},
		{.arg = &blind}};

	r->plan.what = always_silent;
	r->config.watchers = watchers;
	r->config.nwatchers = 2;
	r->config.deadline_us = 700000;
	signal_when_full(r, SIGUSR1, 2);
	run_all(r, 1000);
	assert_int_equal(r->result.signal, 0);
	assert_int_equal(seen.ticks, 3);
	assert_false(seen.early);
	assert_int_equal(seen.asked, 2);
	assert_int_equal(seen.last.targets, 1000);
	assert_int_equal(seen.last.in_flight, 640);
	assert_int_equal(seen.last.status[RECORD_CANCELLED], 0);
	assert_false(seen.last.ending);
	assert_int_equal(seen.records, 1000);
	assert_int_equal(seen.named, 1000);
	assert_int_equal(seen.told, 1000 - 640); /* those that no worker had */
	assert_int_equal(blind.records, 0);
}

static int64_t once_tick(void *arg, const struct watcher_view *v, int64_t now_us)
{
	struct seen *s = arg;

	(void)now_us;
	s->ticks++;
	s->last = *v;
	return LOOP_NEVER;
}

/* Who wants no time is told that a signal ends the run all the same, once, and before it has ended. */
static void test_watchers_hear_of_a_signal(void **state)
{
	struct trial *r = *state;
	struct seen seen = {0}, blind = {0};
	const struct watcher watchers[] = {{.arg = &blind}, {&seen, .tick = once_tick}};

	r->plan.what = always_silent;
	r->config.watchers = watchers;
	r->config.nwatchers = 2;
	signal_when_full(r, SIGTERM, 1);
	run_all(r, 1000);
	assert_int_equal(r->result.signal, SIGTERM);
	assert_int_equal(seen.ticks, 2);
	assert_int_equal(seen.last.signal, SIGTERM);
	assert_true(seen.last.ending);
	assert_true(seen.last.status[RECORD_CANCELLED] < 1000);
}

/* --- workers for sessions ------------------------------------------------------------------- */

static bool is_session(uint64_t seq)
{
	return seq % 10 == 3;
}

static bool all_sessions(uint64_t seq)
{
	(void)seq;
	return true;
}

static void test_sessions(void **state)
{
	struct trial *r = *state;

	r->plan.session = is_session;
	run_all(r, 5000);
	assert_int_equal(r->result.status[RECORD_OK], 5000);
	assert_int_equal(r->result.deaths, 0);
	assert_int_equal(atomic_load(&page->sessions), 16);
	assert_int_equal(atomic_load(&page->births), 2 + 16);
}

/* As many as there are targets, if these are few; no others, if there are no datagrams to send. */
static void test_few_sessions(void **state)
{
	struct trial *r = *state;

	r->plan.session = all_sessions;
	run_all(r, 3);
	assert_int_equal(r->result.status[RECORD_OK], 3);
	assert_int_equal(atomic_load(&page->births), 3);
	assert_int_equal(atomic_load(&page->sessions), 3);
}

static const char *sessions_sleep(uint64_t seq)
{
	return is_session(seq) ? "sleep" : "ok";
}

/* Those that block for as long as their profile lets them are left alone, work side by side, and nobody
 * else waits for them. */
static void test_sessions_block(void **state)
{
	struct trial *r = *state;

	r->plan.session = is_session;
	r->plan.what = sessions_sleep;
	r->config.silence_us = SILENCE_US;
	for (int i = 0; i < 7; i++)
		r->plan.profiles[i] = (struct profile){.timeout_us = SLEEP_US};
	run_all(r, 160);
	assert_int_equal(r->result.status[RECORD_OK], 160);
	assert_int_equal(r->result.deaths, 0);
	assert_int_equal(atomic_load(&page->sessions), 16);
	assert_in_range(atomic_load(&page->at_once_max), 2, 16);
	for (unsigned line = 0; line < 20; line++) /* the others came first */
		assert_int_equal(r->records[line], 1);
	assert_true(r->result.elapsed_us < INT64_C(16) * SLEEP_US); /* not one after the other */
}

/* Those of one kind live and bring records; the others never do, and that is found out as soon. */
static void test_no_worker_of_a_kind_can_live(void **state)
{
	struct trial *r = *state;

	r->config.worker_arg = "stillborn";
	r->plan.session = is_session;
	r->plan.what = sessions_sleep;
	for (int i = 0; i < 7; i++)
		r->plan.profiles[i] = (struct profile){.timeout_us = SLEEP_US};
	log_set_level(LOG_LEVEL_ERROR);
	run_all(r, 800); /* 80 of them sessions: five rounds */
	assert_true(r->result.failed);
	assert_int_equal(r->result.status[RECORD_OK] + r->result.status[RECORD_CANCELLED], 800);
	assert_in_range(r->result.status[RECORD_OK], 0, 79);
}

static const char *sessions_hang(uint64_t seq)
{
	return is_session(seq) ? "hang" : "ok";
}

/* Without a word for longer than it may block. That is no crash, and there is another one. */
static void hang(struct trial *r, int64_t least_us)
{
	r->config.silence_us = least_us / 2; /* 0: 5 s */
	r->plan.session = is_session;
	r->plan.what = sessions_hang;
	run_all(r, 40 * 10);
	assert_int_equal(r->result.status[RECORD_TIMEOUT], 40);
	assert_int_equal(r->result.status[RECORD_OK], 400 - 40);
	assert_int_equal(r->result.deaths, 0);
	assert_string_equal(r->message[3], "the host's time was over before a connection was made, "
					   "or an answer came");
	for (unsigned seq = 3; seq < 400; seq += 10)
		assert_int_equal(atomic_load(&page->asked[seq]), 1);
	/* one more for each that was killed, but the last ones may find nothing to do */
	assert_in_range(atomic_load(&page->sessions), 40, 16 + 40);
	assert_true(r->result.elapsed_us >= 3 * least_us);
}

static void test_session_is_silent(void **state)
{
	struct trial *r = *state;

	hang(r, 2 * PATIENT_US);
}

/* The host's own deadline comes first, however long its process may be silent. */
static void test_session_over_its_deadline(void **state)
{
	struct trial *r = *state;

	for (int i = 0; i < 7; i++)
		r->plan.profiles[i] = (struct profile){.timeout_us = 3600000000,
						       .deadline_us = PATIENT_US};
	hang(r, 0);
	assert_in_range(r->result.elapsed_us, 3 * PATIENT_US,
			15000000); /* twice 5 s, thrice, without it */
}

static const char *sessions_talk(uint64_t seq)
{
	return is_session(seq) ? "silent" : "ok";
}

/* It answers each PING and never gives a record, and nobody has set a deadline. */
static void test_session_talks_for_ever(void **state)
{
	struct trial *r = *state;

	r->config.silence_us = PATIENT_US;
	r->config.patience_us = PATIENT_US * 5 / 2;
	r->plan.session = is_session;
	r->plan.what = sessions_talk;
	run_all(r, 30);
	assert_int_equal(r->result.status[RECORD_TIMEOUT], 3);
	assert_int_equal(r->result.status[RECORD_OK], 30 - 3);
	assert_true(atomic_load(&page->pings) > 0);
	assert_true(r->result.elapsed_us >= PATIENT_US * 5 / 2);
}

static void test_session_crashes(void **state)
{
	struct trial *r = *state;

	trouble = "crash";
	r->plan.session = all_sessions;
	r->plan.what = some_trouble;
	run_all(r, 200);
	assert_int_equal(r->result.status[RECORD_OK], 198);
	assert_int_equal(r->result.status[RECORD_CRASHED], 2);
	assert_int_equal(r->result.deaths, 6);
	assert_int_equal(atomic_load(&page->asked[50]), 3);
}

static const char *session_names(uint64_t seq)
{
	return seq % 4 == 3 ? "one.example" : seq % 4 == 2 ? "unknown.example" : NULL;
}

static bool is_pair(uint64_t seq)
{
	return seq / 4 % 2 == 1;
}

/* Both kinds wait for the same names, each for its own workers. */
static void test_names_of_sessions(void **state)
{
	struct trial *r = *state;

	r->plan.session = is_pair;
	r->plan.name = session_names;
	run_all(r, 800);
	assert_int_equal(r->result.status[RECORD_OK], 600);
	assert_int_equal(r->result.status[RECORD_RESOLVE], 200);
	assert_int_equal(r->result.deaths, 0);
	assert_int_equal(atomic_load(&page->name_asked[0]), 1);
	assert_int_equal(atomic_load(&page->name_asked[1]), 1);
}

/* What blocks is not waited for. */
static void test_cancelled_while_sessions_hang(void **state)
{
	struct trial *r = *state;
	int64_t from_us = loop_clock_us();

	r->plan.session = is_session;
	r->plan.what = sessions_hang;
	r->config.deadline_us = 1000000;
	run_all(r, 400);
	assert_in_range(r->result.status[RECORD_CANCELLED], 40, 400); /* all, if forking is slow */
	assert_int_equal(r->result.deaths, 0);
	assert_true(loop_clock_us() - from_us < 10000000); /* twice the silence of 5 s */
	assert_int_equal(atomic_load(&page->sessions), 16);
}

/* Invariant 5: the kinds share the rate, and who is left alone has all of it. */
static void test_rate_of_both_kinds(void **state)
{
	struct trial *r = *state;

	r->plan.session = is_session;
	r->plan.what = sessions_sleep;
	for (int i = 0; i < 7; i++)
		r->plan.profiles[i] = (struct profile){.timeout_us = SLEEP_US};
	r->config.rate_pps = 180;
	run_all(r, 200); /* 20 of them sessions, so four are asked when the others are through */
	assert_int_equal(atomic_load(&page->rate_of[PLAN_DATAGRAMS]), 180 * 1000 / (2 + 16));
	assert_int_equal(atomic_load(&page->rate_of[PLAN_SESSIONS]), 180 * 1000 / 16);
}

/* --- rounds ------------------------------------------------------------------------------- */

struct rounds_log {
	struct trial *run;
	struct master_schedule schedule;
	unsigned begun;
	unsigned ended;
	unsigned last;    /* the round in whose end a signal comes */
	unsigned without; /* the round that gets no output; 0: none */
	unsigned breaks;  /* the round whose output cannot be written; 0: none */
	unsigned slow;    /* the round whose end takes SLOW_END_US; 0: none */
	unsigned kills;   /* the round in whose end a worker is killed; 0: none */
	unsigned reloads; /* the round in whose end SIGHUP comes; 0: none */
	bool another;     /* there is another plan then */
	unsigned refuses; /* the round whose end asks for no more; 0: none */
	unsigned asked;   /* for another plan */
	unsigned deaths;  /* as the rounds' results have them */
	int64_t interval_us;
	bool (*act)(struct rounds_log *log, const struct watcher_view *v); /* NULL; true: done */
	int64_t begin_us[10];
	uint64_t first;      /* the schedule's, when the first one began: 1 if it is not late */
	int64_t late_us[10]; /* after it was due, every ROUND_US */
};

#define SLOW_END_US 900000 /* less than what is taken for a stop of the machine */
#define ROUND_US    100000

static struct writer *rounds_begin(void *arg)
{
	struct rounds_log *log = arg;
	struct writer_options o = {.path = log->run->path};
	enum writer_result opened;

	log->begin_us[++log->begun] = loop_clock_us();
	if (log->begun == 1)
		log->first = log->schedule.next;
	log->late_us[log->begun] = log->begin_us[log->begun] - log->schedule.start_us -
				   (int64_t)(log->schedule.next - 1) * ROUND_US;
	if (log->begun == log->without)
		return NULL;
	if (log->begun == log->breaks)
		o.path = "/dev/full";
	log->run->config.writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	return log->run->config.writer;
}

static bool rounds_end(void *arg, const struct master_result *result)
{
	struct rounds_log *log = arg;
	struct trial *r = log->run;
	uint64_t records = 0;

	log->ended++;
	for (int s = 0; s < RECORD_STATUS_COUNT; s++)
		records += result->status[s];
	assert_int_equal(records, r->plan.total);
	assert_int_equal(result->targets, r->plan.total);
	if (log->begun == log->breaks) {
		assert_int_equal(result->written, WRITER_FAILED);
	} else {
		assert_int_equal(result->written, WRITER_OK);
		assert_int_equal(writer_commit(r->config.writer), WRITER_OK);
		memset(r->records, 0, sizeof(r->records));
		r->lines = 0;
		read_records(r, r->path);
		assert_one_each(r);
	}
	writer_free(r->config.writer);
	log->deaths += result->deaths;
	if (log->begun == log->slow)
		usleep(SLOW_END_US);
	if (log->begun == log->kills)
		kill(atomic_load(&page->born), SIGKILL);
	for (int i = 0; i < 2 && log->begun == log->reloads; i++)
		raise(SIGHUP); /* both are one wish */
	if (log->begun == log->last)
		raise(SIGTERM);
	if (log->begun == log->last && log->begun == log->reloads)
		raise(SIGHUP); /* too late */
	return log->begun != log->refuses;
}

static bool rounds_another(void *arg)
{
	struct rounds_log *log = arg;

	log->asked++;
	return log->another;
}

static int64_t rounds_tick(void *arg, const struct watcher_view *v, int64_t now_us)
{
	struct rounds_log *log = arg;

	if (log->act != NULL && log->act(log, v))
		log->act = NULL;
	return log->act != NULL ? now_us + 5000 : LOOP_NEVER;
}

static void run_rounds(struct rounds_log *log, bool spread)
{
	struct trial *r = log->run;
	const struct watcher watcher = {.arg = log, .tick = rounds_tick};
	struct master_rounds rounds = {.interval_us = log->interval_us ? log->interval_us
								       : ROUND_US,
				       .spread = spread,
				       .schedule = &log->schedule,
				       .arg = log,
				       .begin = rounds_begin,
				       .end = rounds_end,
				       .reload = rounds_another};

	histogram_free(r->result.latency); /* of the run before */
	r->config.rounds = &rounds;
	r->config.watchers = &watcher;
	r->config.nwatchers = 1;
	master_run(&r->config, &r->result);
	assert_int_equal(waitpid(-1, &r->helper_status, WNOHANG), -1);
}

static void go_rounds(struct rounds_log *log, bool spread)
{
	run_rounds(log, spread);
	assert_int_equal(log->run->result.signal, SIGTERM);
	assert_false(log->run->result.aborted || log->run->result.failed);
}

static const char *crash_in_turn(uint64_t seq)
{
	return seq % 50 == 49 ? "crash-once" : "ok";
}

/* Each has all targets once, those of a worker that died too; the same workers serve them all. */
static void test_rounds(void **state)
{
	struct trial *r = *state;

	for (int spread = 0; spread < 2; spread++) {
		struct rounds_log log = {.run = r, .last = 4};

		memset(page, 0, sizeof(*page));
		r->plan.total = 200;
		r->plan.what = crash_in_turn;
		r->plan.session = NULL;
		go_rounds(&log, spread == 1);
		assert_int_equal(log.ended, 4);
		assert_int_equal(log.schedule.rounds, 4);
		assert_int_equal(atomic_load(&page->births),
				 2 + 4); /* all deaths are of the first */
		assert_in_range(log.begin_us[4] - log.begin_us[1], 290000, 60000000);
	}
}

/* A round without an output asks nobody, one whose output fails is a round; both say nothing of the next. */
static void test_rounds_without_output(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 4, .without = 2, .breaks = 3};

	r->plan.total = 20;
	log_set_level(LOG_LEVEL_ERROR);
	go_rounds(&log, false);
	assert_int_equal(log.ended, 3);
	assert_int_equal(atomic_load(&page->total), 3 * 20);
}

/* A list that takes long to be sorted makes nobody late: the first round is due when all is ready. */
static void test_rounds_of_a_long_list(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 1};

	r->plan.total = 20;
	r->plan.slow_us = LOOP_LATE_US + 300000;
	go_rounds(&log, true);
	assert_int_equal(log.first, 1);
}

static const char *five_names(uint64_t seq)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};

	return names[seq % 5];
}

/* What is due while a round's output is being finished is left out: none begins that is long due. */
static void test_rounds_left_out(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 4, .slow = 2};

	r->plan.total = 20;
	log_set_level(LOG_LEVEL_ERROR);
	go_rounds(&log, false);
	assert_int_equal(log.ended, 4);
	assert_true(log.late_us[3] < SLOW_END_US * 2 / 3);
	assert_true(log.schedule.next >= log.schedule.rounds + 8);
}

/* Who dies between two rounds is replaced, and counted once. */
static void test_death_between_rounds(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 5, .kills = 2};

	r->plan.total = 20;
	log_set_level(LOG_LEVEL_ERROR);
	go_rounds(&log, false);
	assert_int_equal(log.ended, 5);
	assert_int_equal(log.deaths, 1);
	assert_int_equal(atomic_load(&page->births), 3);
}

/* All of the old are gone before anything of the new is; the schedule is one. */
static void test_rounds_reload(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 4, .reloads = 2, .another = true};
	int64_t start_us;

	r->plan.total = 20;
	r->config.worker_arg = "stays"; /* for some intervals, after it was told to leave */
	r->config.silence_us = SILENCE_US;
	run_rounds(&log, true);
	assert_true(r->result.reload);
	assert_false(r->result.aborted || r->result.failed);
	assert_int_equal(r->result.signal, 0);
	assert_int_equal(log.asked, 1);
	assert_int_equal(log.begun, 2);
	assert_int_equal(log.ended, 2);
	start_us = log.schedule.start_us;
	plan_rewind(&r->plan);
	r->config.worker_arg = NULL;
	r->config.silence_us = 0;
	go_rounds(&log, true);
	assert_false(r->result.reload);
	assert_int_equal(log.ended, 4);
	assert_int_equal(r->result.round, 4);
	assert_true(log.schedule.start_us == start_us);
	assert_int_equal(atomic_load(&page->births), 2 + 2);
	assert_true(log.schedule.next > 2 + SILENCE_US / ROUND_US);
}

/* As main does, from before there is a master until it hears. */
static void hold_reloads(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(how, &set, NULL);
}

/* Asked for another plan as soon as it starts: it gives way, but not if nothing was polled for long. */
static void test_rounds_starved_by_reloads(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .interval_us = 400000, .another = true};

	r->plan.total = 20;
	for (int i = 0; i < 2; i++) {
		hold_reloads(SIG_BLOCK);
		raise(SIGHUP);
		run_rounds(&log, false);
		plan_rewind(&r->plan);
		assert_true(r->result.reload);
		assert_int_equal(log.asked, i + 1);
		assert_int_equal(log.ended, 0);
	}
	log.schedule.begun_us -= 2 * log.interval_us;
	raise(SIGHUP);
	run_rounds(&log, false);
	hold_reloads(SIG_UNBLOCK);
	assert_true(r->result.reload);
	assert_int_equal(log.ended, 1);
}

/* What is wrong changes nothing; and a signal that ends it comes before any other plan. */
static void test_rounds_without_another(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 4, .reloads = 2};

	r->plan.total = 20;
	go_rounds(&log, false);
	assert_int_equal(log.asked, 1);
	assert_int_equal(atomic_load(&page->births), 2);
	log = (struct rounds_log){.run = r, .last = 2, .reloads = 2, .another = true};
	go_rounds(&log, false);
	assert_false(r->result.reload);
	assert_int_equal(log.ended, 2);
	assert_int_equal(log.asked, 0); /* nobody would poll it */
}

static bool end_twice(struct rounds_log *log, const struct watcher_view *v)
{
	(void)v;
	if (!log->run->result.reload)
		return false;
	raise(SIGTERM);
	raise(SIGINT);
	return true;
}

/* Two signals while the old children leave: it is over, and no other plan is polled. */
static void test_rounds_aborted_in_a_reload(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .reloads = 1, .another = true, .act = end_twice};

	r->plan.total = 20;
	r->config.worker_arg = "stays";
	run_rounds(&log, false);
	assert_true(r->result.aborted);
	assert_false(r->result.reload);
}

static bool end_early(struct rounds_log *log, const struct watcher_view *v)
{
	(void)v;
	if (atomic_load(&page->total) < (log->interval_us > 30000000 ? 1 : 20))
		return false;
	raise(SIGTERM);
	return true;
}

/* A signal in a round: whose instant has not come is not waited for, */
static void test_signal_in_a_spread_round(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .interval_us = 60000000, .act = end_early};

	r->plan.total = 200;
	r->plan.name = five_names;
	go_rounds(&log, true);
	assert_int_equal(log.ended, 1);
	assert_true(r->result.status[RECORD_CANCELLED] > 0);
	assert_true(r->result.elapsed_us < 20000000);
	for (unsigned i = 0; i < r->plan.total; i++)
		if (strcmp(r->status[i], "cancelled") == 0)
			assert_string_equal(r->message[i], "stopped by a signal");
}

/* and who was asked has some seconds to answer, not more. */
static void test_signal_in_a_silent_round(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .interval_us = 30000000, .act = end_early};

	r->plan.total = 20;
	r->plan.what = always_silent;
	go_rounds(&log, false);
	assert_int_equal(r->result.status[RECORD_CANCELLED], 20);
	assert_in_range(r->result.elapsed_us, 4900000, 20000000);
}

static bool kill_at_deadline(struct rounds_log *log, const struct watcher_view *v)
{
	(void)log;
	if (!v->ending)
		return false;
	kill(atomic_load(&page->born), SIGKILL);
	return true;
}

static const char *deaf_at_first(uint64_t seq)
{
	return atomic_load(&page->asked[seq]) == 0 ? "deaf" : "ok";
}

/* Who dies when a round is cut off by its deadline is not needed any more, but for the next one. */
static void test_death_after_a_rounds_deadline(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 3, .act = kill_at_deadline};

	r->plan.total = 20;
	r->plan.what = deaf_at_first;
	r->config.workers = 1;
	r->config.deadline_us = 300000;
	log_set_level(LOG_LEVEL_ERROR);
	go_rounds(&log, false);
	assert_int_equal(log.ended, 3);
	assert_int_equal(atomic_load(&page->births), 2);
	assert_int_equal(atomic_load(&page->asked[0]), 3);
	assert_string_equal(r->status[0], "ok");
}

/* Invariant 5: what one kind got when the other was through goes back to that when a round begins. */
static void test_rate_in_rounds(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 2, .interval_us = 1000};

	r->plan.total = 200;
	r->plan.session = is_session;
	r->plan.what = sessions_sleep;
	for (int i = 0; i < 7; i++)
		r->plan.profiles[i] = (struct profile){.timeout_us = SLEEP_US};
	r->config.rate_pps = 180;
	go_rounds(&log, false);
	assert_int_equal(atomic_load(&page->rate_of[PLAN_SESSIONS]), 180 * 1000 / 16);
	assert_int_equal(atomic_load(&page->rate_of_first), 180 * 1000 / (2 + 16));
}

/* The end of rounds that nobody asked for: an output that is no more, or workers that cannot live. */
static void test_rounds_that_cannot_go_on(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 9, .refuses = 2};

	r->plan.total = 20;
	run_rounds(&log, false);
	assert_int_equal(r->result.signal, 0);
	assert_false(r->result.failed);
	assert_int_equal(log.ended, 2);
	log = (struct rounds_log){.run = r, .last = 9};
	r->config.worker_arg = "stillborn";
	log_set_level(LOG_LEVEL_ERROR);
	run_rounds(&log, false);
	assert_int_equal(r->result.signal, 0);
	assert_true(r->result.failed);
	assert_int_equal(log.ended, 1);
}

static const char *no_answer_of_b(uint64_t seq)
{
	return seq % 5 == 1 ? "no-answer" : "ok";
}

static const char *later_names(uint64_t seq)
{
	return seq % 2 ? "later-unknown" : "later-poison";
}

static unsigned names_asked(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < 5; i++)
		sum += atomic_load(&page->name_asked[i]);
	return sum;
}

/* What is known is not asked again until it is old, or a host of it gave no answer; and nobody waits for that. */
static void test_names_in_rounds(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 5};

	r->plan.total = 50;
	r->plan.name = five_names;
	go_rounds(&log, false);
	assert_int_equal(names_asked(), 5);
	memset(page, 0, sizeof(*page));
	log = (struct rounds_log){.run = r, .last = 5};
	r->config.names_us = 1;
	go_rounds(&log, true);
	assert_in_range(names_asked(), 5 * 4,
			5 * 5); /* those of the last round have time until its end */
	memset(page, 0, sizeof(*page));
	log = (struct rounds_log){.run = r, .last = 5};
	r->config.names_us = 0;
	r->plan.what = no_answer_of_b;
	go_rounds(&log, false);
	assert_in_range(atomic_load(&page->name_asked[1]), 4, 6);
	assert_int_equal(names_asked() - atomic_load(&page->name_asked[1]), 4);
}

static const char *moves(uint64_t seq)
{
	(void)seq;
	return "later-moved";
}

static const char *is_gone(uint64_t seq)
{
	(void)seq;
	return "later-unknown";
}

static const char *always_refused(uint64_t seq)
{
	(void)seq;
	return "no-route";
}

/* New addresses hold from the next round on; where there are none, the old ones; and a refusal is a doubt, too. */
static void test_names_that_move(void **state)
{
	static const struct {
		const char *(*name)(uint64_t seq);
		const char *(*what)(uint64_t seq);
		int64_t names_us;
		unsigned addrs;
	} cases[] = {{moves, always_ok, 1, 17},
		     {is_gone, always_ok, 1, 21},
		     {moves, always_ok, 0, 21}, /* nobody has a reason to ask */
		     {moves, always_refused, 0, 17}};
	struct trial *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rounds_log log = {.run = r, .last = 6};

		memset(page, 0, sizeof(*page));
		r->plan.total = 20;
		r->plan.name = cases[i].name;
		r->plan.what = cases[i].what;
		r->config.names_us = cases[i].names_us;
		go_rounds(&log, false);
		assert_int_equal(atomic_load(&page->addrs_of_first), cases[i].addrs);
	}
}

static const char *silent_at_first(uint64_t seq)
{
	return atomic_load(&page->asked[seq]) == 0 ? "silent" : "ok";
}

static const char *poison_later(uint64_t seq)
{
	(void)seq;
	return "later-poison";
}

/* A round that was cut off dismisses the resolver; those of the next ones are missed when they die. */
static void test_names_after_a_deadline(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 6};

	r->plan.total = 20;
	r->plan.what = silent_at_first;
	r->plan.name = poison_later;
	r->config.names_us = 1;
	r->config.deadline_us = 300000;
	log_set_level(LOG_LEVEL_ERROR);
	go_rounds(&log, false);
	assert_in_range(atomic_load(&page->name_asked[0]), 3, 7);
	assert_string_equal(r->status[0], "ok");
}

/* An answer that the resolver cannot give, or its death, costs no known name its addresses. */
static void test_names_that_fail_later(void **state)
{
	struct trial *r = *state;
	struct rounds_log log = {.run = r, .last = 6};

	r->plan.total = 50;
	r->plan.name = later_names;
	r->config.names_us = 1;
	go_rounds(&log, false);
	assert_in_range(atomic_load(&page->name_asked[0]), 3, 7);
	assert_in_range(atomic_load(&page->name_asked[1]), 3, 7);
	for (unsigned i = 0; i < 50; i++)
		assert_string_equal(r->status[i], "ok");
}

int main(void)
{
#define RUN(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RUN(test_slow_reader_of_a_huge_record), /* first: it measures the largest so far */
		RUN(test_steady_reader),                /* second, for the same reason */
		RUN(test_sessions),
		RUN(test_few_sessions),
		RUN(test_sessions_block),
		RUN(test_no_worker_of_a_kind_can_live),
		RUN(test_session_is_silent),
		RUN(test_session_over_its_deadline),
		RUN(test_session_talks_for_ever),
		RUN(test_session_crashes),
		RUN(test_names_of_sessions),
		RUN(test_cancelled_while_sessions_hang),
		RUN(test_rate_of_both_kinds),
		RUN(test_no_target),
		RUN(test_many_targets),
		RUN(test_unwanted),
		RUN(test_unwanted_parts),
		RUN(test_few_targets_are_shared),
		RUN(test_crash),
		RUN(test_answer_and_crash),
		RUN(test_half_a_record_and_crash),
		RUN(test_lie_about_the_lease),
		RUN(test_lie_about_a_part),
		RUN(test_lie_about_the_front),
		RUN(test_lie_twice),
		RUN(test_lie_with_a_kind),
		RUN(test_lie_stopped),
		RUN(test_lie_with_a_frame),
		RUN(test_closed_queue),
		RUN(test_ignored_children),
		RUN(test_poison),
		RUN(test_poison_first),
		RUN(test_hang),
		RUN(test_patient_worker),
		RUN(test_does_not_exit),
		RUN(test_no_worker_can_live),
		RUN(test_weak_workers),
		RUN(test_no_process_can_be_made),
		RUN(test_rate),
		RUN(test_large_records),
		RUN(test_mixed_parts),
		RUN(test_full_spool_costs_the_largest),
		RUN(test_too_large_for_the_spool),
		RUN(test_mixed_parts_and_crash),
		RUN(test_parts_around_a_death),
		RUN(test_slow_reader),
		RUN(test_late_reader),
		RUN(test_slow_reader_of_large_records),
		RUN(test_cancelled_in_a_large_record),
		RUN(test_own_records_fill_the_output),
		RUN(test_cancelled_records_fill_the_output),
		RUN(test_reader_leaves),
		RUN(test_duplicate_engine_ids),
		RUN(test_quiet_about_engine_ids),
		cmocka_unit_test(test_many_engine_ids),
		RUN(test_each_name_once),
		RUN(test_a_name_holds_up_nobody),
		RUN(test_a_name_that_kills),
		RUN(test_a_resolver_that_lies),
		RUN(test_a_resolver_that_answers_twice),
		RUN(test_no_resolver_can_live),
		RUN(test_a_resolver_that_cannot_begin_yet),
		RUN(test_watchers),
		RUN(test_watchers_hear_of_a_signal),
		RUN(test_signal),
		RUN(test_signal_while_names_are_open),
		RUN(test_second_signal),
		RUN(test_deadline),
		RUN(test_deaths_after_the_end),
		RUN(test_rounds),
		RUN(test_rounds_without_output),
		RUN(test_rounds_of_a_long_list),
		RUN(test_rounds_left_out),
		RUN(test_death_between_rounds),
		RUN(test_rounds_reload),
		RUN(test_rounds_starved_by_reloads),
		RUN(test_rounds_without_another),
		RUN(test_rounds_that_cannot_go_on),
		RUN(test_rounds_aborted_in_a_reload),
		RUN(test_signal_in_a_spread_round),
		RUN(test_signal_in_a_silent_round),
		RUN(test_death_after_a_rounds_deadline),
		RUN(test_rate_in_rounds),
		RUN(test_names_after_a_deadline),
		RUN(test_names_in_rounds),
		RUN(test_names_that_fail_later),
		RUN(test_names_that_move),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

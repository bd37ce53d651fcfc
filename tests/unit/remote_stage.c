/*
 * remote_stage: the courier that is a broker and all agents, and a run of the master with it (see the header).
 */
#include "remote_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "master_stage.h"
#include "pool/queue.h"

#define PREFETCH 16

struct world *world;
struct part play;

static const char *const site_names[SITES] = {"north", "south"};

/* --- the plan: odd targets are in the south ------------------------------------------------- */

/* The first one of the plan. */
static unsigned first_site(void)
{
	return play.alone ? SOUTH : NORTH;
}

void plan_at(struct plan *p, uint64_t seq, struct plan_target *out)
{
	snprintf(p->hosts[seq], sizeof(p->hosts[seq]), "#%u", (unsigned)seq);
	*out = (struct plan_target){.seq = seq,
				    .profile = play.alone ? SOUTH : (uint32_t)(seq % SITES),
				    .host = p->hosts[seq],
				    .addr = {.family = 4, .ip = {127, 0, 0, 1}, .port = 161},
				    .port = 161};
}

bool plan_next(struct plan *p, enum plan_kind kind, struct plan_target *out)
{
	if (kind == PLAN_SESSIONS || p->next == p->total)
		return false;
	plan_at(p, p->next++, out);
	return true;
}

void plan_rewind(struct plan *p)
{
	p->next = 0;
}

uint64_t plan_count(const struct plan *p, enum plan_kind kind)
{
	return kind == PLAN_SESSIONS ? 0 : p->total;
}

uint64_t plan_total(const struct plan *p)
{
	return p->total;
}

const struct profile *plan_profiles(const struct plan *p, size_t *count)
{
	*count = SITES;
	return p->profiles;
}

uint64_t plan_asker(const struct plan *p, uint32_t profile)
{
	(void)p;
	return profile;
}

const char *plan_site(const struct plan *p, uint32_t profile)
{
	(void)p;
	return site_names[profile];
}

const char *plan_site_at(const struct plan *p, size_t site)
{
	return plan_site(p, first_site() + (uint32_t)site);
}

size_t plan_sites(const struct plan *p)
{
	(void)p;
	return SITES - first_site();
}

uint64_t plan_site_count(const struct plan *p, size_t site)
{
	return play.alone ? p->total : (p->total + 1 - site) / SITES;
}

/* --- what outlives the courier -------------------------------------------------------------- */

static bool chance(unsigned percent)
{
	return (unsigned)rand() % 100 < percent;
}

static struct held *hold(struct held *list, unsigned site, const void *body, size_t len)
{
	for (size_t i = 0; i < HELD; i++) {
		struct held *h = &list[i];

		if (h->used)
			continue;
		assert_true(len <= BODY_MAX);
		*h = (struct held){.used = true, .site = site, .len = len};
		memcpy(h->body, body, len);
		return h;
	}
	return NULL;
}

static unsigned held_of(const struct held *list, unsigned site)
{
	unsigned n = 0;

	for (size_t i = 0; i < HELD; i++)
		n += list[i].used && list[i].site == site;
	return n;
}

/* --- agents --------------------------------------------------------------------------------- */

struct body {
	uint8_t octets[BODY_MAX];
	struct wire_out w;
};

static void body_begin(struct body *b, uint64_t run, uint64_t incarnation, uint16_t count)
{
	struct batch_head head = {.kind = BATCH_OF_RESULTS, .run = run};
	struct batch_results r = {
		.incarnation = incarnation, .number = ++world->number, .count = count};

	r.stats.count[STATS_SENT] = count;
	strcpy(r.agent, "agent");
	strcpy(r.site, "north"); /* whatever: the master knows better */
	b->w = (struct wire_out){.at = b->octets, .end = b->octets + sizeof(b->octets)};
	batch_head_pack(&head, &b->w);
	batch_results_pack(&r, &b->w);
}

static void body_end(struct body *b, unsigned site)
{
	assert_false(b->w.full);
	hold(world->results, site, b->octets, (size_t)(b->w.at - b->octets));
}

static void body_record(struct body *b, const struct plan_target *t, uint8_t attempt)
{
	char text[PIECE];
	struct record_head head = {
		.status = play.says_lost ? RECORD_LOST : RECORD_OK, .tries = 1, .rtt_us = 5};
	struct batch_result r = {
		.seq = t->seq, .poll = world->polled, .attempt = attempt, .head = &head};

	if (play.wide)
		snprintf(text, sizeof(text), "%s ok %0*d\n", t->host, PIECE - 20, 0);
	else
		snprintf(text, sizeof(text), "%s ok\n", t->host);
	r.octets = (const uint8_t *)text;
	r.len = (uint32_t)strlen(text);
	batch_result_pack(&r, &b->w);
}

static unsigned pieces_of(void)
{
	return play.pieces > 0 ? play.pieces : PIECES;
}

/* The i-th piece of a record, in a body of its own, of this letter. */
static void put_piece(uint64_t run, const struct plan_target *t, unsigned site, unsigned i,
		      unsigned poll)
{
	static char text[PIECE];
	bool last = i == pieces_of() - 1;
	struct record_head head = {.status = RECORD_OK, .rtt_us = 5};
	struct batch_result r = {.seq = t->seq,
				 .poll = poll,
				 .before = i * PIECE,
				 .attempt = 1,
				 .head = last ? &head : NULL,
				 .octets = (const uint8_t *)text,
				 .len = PIECE};
	struct body b;

	memset(text, 'a' + (int)(poll % 26), sizeof(text));
	if (i == 0)
		memcpy(text, t->host, strlen(t->host));
	if (i == 0)
		memcpy(text + strlen(t->host), " ok ", 4);
	if (last)
		text[PIECE - 1] = '\n';
	body_begin(&b, run, 77, last && play.beside ? 2 : 1);
	batch_result_pack(&r, &b.w);
	if (last && play.beside)
		body_record(&b, t, 1);
	body_end(&b, site);
	if (i == 3)
		body_end(&b, site); /* twice */
}

/* A record in pieces; one of them may be missing. */
static void poll_large(uint64_t run, const struct plan_target *t, unsigned site)
{
	bool gap = play.gap && !world->swallowed;
	unsigned poll = 1000000 + world->polled, count = pieces_of();

	for (unsigned i = 0; i < count && play.two_polls; i++) { /* a b b a a b b a */
		put_piece(run, t, site, i, poll + i % 2);
		put_piece(run, t, site, i, poll + 1 - i % 2);
	}
	for (unsigned i = 0; i < count && !play.two_polls; i++)
		if (!gap || i != (play.gap_late ? count - 2 : 2))
			put_piece(run, t, site, i, poll);
	world->swallowed = true;
	world->polled++;
}

/* A batch is polled: its records are held for the master. */
static void poll_batch(struct held *h)
{
	struct wire_in r = {.at = h->body, .end = h->body + h->len};
	struct batch_head head;
	struct batch_tasks tasks;
	struct body b;
	bool other;

	assert_true(batch_head_unpack(&head, &r, &other) && batch_tasks_unpack(&tasks, &r));
	assert_string_equal(tasks.master, "m1");
	world->highest = tasks.attempt > world->highest ? tasks.attempt : world->highest;
	if (!play.wide)
		body_begin(&b, head.run + play.other_run, 1 + (unsigned)rand() % 3, tasks.count);
	for (unsigned i = 0; i < tasks.count; i++) {
		struct batch_store store;
		struct plan_target t;
		struct learnt known;
		bool learns;

		assert_true(batch_target_unpack(&t, &store, &learns, &known, &r));
		assert_int_equal(t.seq % SITES, h->site); /* goes to its own site */
		world->polled++;
		if (play.large && t.seq == 1) { /* alone in its batch */
			poll_large(head.run, &t, h->site);
			h->used = false;
			return;
		}
		if (play.old_round)
			t.seq += 1000000;
		if (play.wide)
			body_begin(&b, head.run, 1, 1);
		body_record(&b, &t, tasks.attempt);
		if (play.wide)
			body_end(&b, h->site);
	}
	if (!play.silent && !play.wide)
		body_end(&b, h->site);
	if (play.repeat && chance(play.repeat))
		body_end(&b, h->site);
	h->used = false;
}

/* --- of a run before ------------------------------------------------------------------------ */

void bring_records(uint64_t seq, unsigned count)
{
	struct body b;

	body_begin(&b, 4711, 99, (uint16_t)count);
	for (unsigned i = 0; i < count; i++) {
		char host[16];
		struct plan_target t = {.seq = seq + i, .host = host};

		snprintf(host, sizeof(host), "#%u", (unsigned)t.seq);
		body_record(&b, &t, 1);
	}
	body_end(&b, NORTH);
}

void bring_dead(uint64_t seq, unsigned count, uint64_t number)
{
	struct batch_head head = {.kind = BATCH_OF_TASKS, .run = 4711};
	struct batch_tasks tasks = {
		.number = number, .attempt = 1, .master = "m1", .count = (uint16_t)count};
	struct body b;

	b.w = (struct wire_out){.at = b.octets, .end = b.octets + sizeof(b.octets)};
	batch_head_pack(&head, &b.w);
	batch_tasks_pack(&tasks, &b.w);
	for (unsigned i = 0; i < count; i++) {
		struct plan_target t = {.seq = seq + i,
					.host = "#",
					.addr = {.family = 4, .ip = {127, 0, 0, 1}, .port = 161},
					.port = 161};

		batch_target_pack(&t, NULL, &b.w);
	}
	assert_false(b.w.full);
	assert_non_null(hold(world->dead, NORTH, b.octets, (size_t)(b.w.at - b.octets)));
}

/* --- the broker ------------------------------------------------------------------------------ */

struct link {
	struct queue *q;
	int fd;
	unsigned out;             /* given to the master, and not acknowledged */
	struct queue_frame doubt; /* is examined, until: */
	uint8_t doubted[200];
	int64_t doubt_us;
};

static void say(struct link *l, enum courier_message kind, const void *p, size_t len)
{
	queue_put(l->q, (uint8_t)kind, p, len);
}

static void say_octet(struct link *l, enum courier_message kind, uint8_t octet)
{
	say(l, kind, &octet, 1);
}

static void say_id(struct link *l, enum courier_message kind, uint64_t id)
{
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_u64(&w, id);
	say(l, kind, octets, sizeof(octets));
}

static void say_down(struct link *l, bool final)
{
	uint8_t octets[] = {3, final, 'g', 'o', 'n', 'e'};

	say(l, COURIER_DOWN, octets, sizeof(octets));
}

static bool is_busy(unsigned site)
{
	return site == SOUTH && loop_clock_us() - world->begun_us < play.busy_us;
}

static unsigned ready_of(unsigned site)
{
	int64_t left_us = world->begun_us + play.busy_us - loop_clock_us();

	return held_of(world->tasks, site) +
	       (play.ahead && is_busy(site) ? (unsigned)(left_us / 10000) : 0);
}

static void say_site(struct link *l, const struct queue_frame *f)
{
	bool unheard = play.unheard && world->asked++ % 2 == 0;
	uint8_t octets[200];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	unsigned site = f->len > 2 && f->data[2] == 's' ? SOUTH : NORTH;

	world->known[site] = !play.unheard_of || world->asked_of[site]++ >= 3;
	wire_put_bytes(&w, f->data, f->len);
	wire_put_u8(&w, f->kind == COURIER_DOUBT && play.stays_stuck ? 2 : world->known[site]);
	wire_put_u32(&w, unheard ? 0 : ready_of(site));
	wire_put_u32(&w, unheard || (play.deserted && site == SOUTH) ? 0 : 2);
	say(l, COURIER_SITE_IS, octets, (size_t)(w.at - octets));
}

/* A queue that is made anew takes the puts' connections with it. */
static void examine_end(struct link *l)
{
	const struct queue_frame *f = &l->doubt;

	world->examined[f->len > 2 && f->data[2] == 's' ? SOUTH : NORTH]++;
	say_site(l, f);
	if (!play.stays_stuck)
		say_octet(l, COURIER_UP, 1);
	l->doubt.len = 0;
}

static void examine(struct link *l, const struct queue_frame *f)
{
	assert_in_range(f->len, 1, sizeof(l->doubted));
	if (l->doubt.len > 0) {
		world->crowded++;
		examine_end(l);
	}
	memcpy(l->doubted, f->data, f->len);
	l->doubt = (struct queue_frame){.kind = f->kind, .data = l->doubted, .len = f->len};
	l->doubt_us = loop_clock_us() + 1000000;
	if (!play.slow_cure)
		examine_end(l);
}

static void give(struct link *l, struct held *h, enum courier_from from)
{
	uint8_t octets[13];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct queue_part parts[] = {{octets, sizeof(octets)}, {h->body, h->len}};

	if (from == COURIER_FROM_DEAD)
		poll(NULL, 0, 3); /* what has expired has done so by milliseconds */
	h->tag = ++world->tag;
	h->out = true;
	wire_put_u64(&w, h->tag);
	wire_put_u8(&w, (uint8_t)from);
	wire_put_u32(&w, 0);
	queue_put_parts(l->q, COURIER_TAKEN, parts, 2);
	l->out++;
	if (play.repeat && chance(play.repeat)) /* acknowledged it is by the last tag */
		give(l, h, from);
}

static void take_ack(struct link *l, uint64_t tag)
{
	for (size_t i = 0; i < HELD; i++) {
		struct held *lists[] = {&world->results[i], &world->dead[i]};

		for (size_t n = 0; n < 2; n++)
			if (lists[n]->used && lists[n]->tag == tag)
				lists[n]->used = false;
	}
	world->acked++;
	l->out -= l->out > 0;
}

static void take_control(const uint8_t *p, size_t len)
{
	struct wire_in r = {.at = p, .end = p + len};
	struct batch_head head;
	bool other;

	assert_true(batch_head_unpack(&head, &r, &other));
	world->told[head.kind]++;
	if (head.kind == BATCH_RATE)
		world->rate = wire_get_u32(&r);
}

/* A batch of tasks: where it lies from now on. False: there is no room. */
static bool take_batch(unsigned site, const uint8_t *p, size_t len)
{
	struct wire_in r = {.at = p, .end = p + len};
	struct held *list = chance(play.dead) ? world->dead : world->tasks;
	struct batch_head head;
	struct batch_tasks tasks;
	bool other;

	assert_true(batch_head_unpack(&head, &r, &other) && batch_tasks_unpack(&tasks, &r));
	if (play.dies_late && tasks.attempt == 1)
		return hold(world->aside, site, p, len) != NULL;
	for (size_t i = 0; i < HELD; i++) { /* the ones before it are given up */
		struct held *h = &world->aside[i];

		if (h->used && h->site == site &&
		    hold(world->dead, h->site, h->body, h->len) != NULL)
			h->used = false;
	}
	return hold(list, site, p, len) != NULL;
}

static void take_put(struct link *l, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint64_t id = wire_get_u64(&r);
	uint8_t to = wire_get_u8(&r);
	uint16_t len;
	const uint8_t *key = wire_get_str(&r, &len);
	unsigned site = len > 0 && key[0] == 's' ? SOUTH : NORTH;

	if (to == COURIER_CONTROL) {
		take_control(r.at, (size_t)(r.end - r.at));
		if (play.goes_last && world->told[BATCH_OVER] > 0) {
			say_down(l, false);
			return;
		}
	} else {
		world->batches++;
		world->early += !world->known[site];
		if (play.stuck && (site == SOUTH || play.both_stuck) &&
		    (play.stays_stuck || world->examined[site] == 0))
			return;
		if (chance(play.nack)) {
			say_id(l, COURIER_NACKED, id);
			return;
		}
		if (play.swallow_once && !world->swallowed)
			world->swallowed = true;
		else if (!chance(play.lose) && !take_batch(site, r.at, (size_t)(r.end - r.at))) {
			say_id(l, COURIER_NACKED, id);
			return;
		}
	}
	if (play.confirms_late && world->nlate < HELD)
		world->late[world->nlate++] = id;
	else if (!chance(play.no_confirm))
		say_id(l, COURIER_CONFIRMED, id);
}

static void take_frame(struct link *l, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	switch (f->kind) {
	case COURIER_DOUBT:
		examine(l, f);
		break;
	case COURIER_SITE:
		if (l->doubt.len == 0)
			say_site(l, f);
		break;
	case COURIER_PUT:
		take_put(l, f);
		break;
	case COURIER_ACK:
		take_ack(l, wire_get_u64(&r));
		break;
	case COURIER_REOPEN:
		world->reopened++;
		say_octet(l, COURIER_UP, 1);
		break;
	case COURIER_PING:
		say(l, COURIER_PONG, NULL, 0);
		break;
	case COURIER_STOP:
		world->forgot = wire_get_u8(&r);
		say(l, COURIER_STOPPED, NULL, 0);
		break;
	default:
		break;
	}
}

/* The record of one and the same target. */
static void bring_again(void)
{
	struct plan_target t = {.seq = 1, .host = "#1"};
	struct body b;

	if (held_of(world->results, SOUTH) > 0)
		return;
	body_begin(&b, 4711, 1, 1);
	body_record(&b, &t, 1);
	body_end(&b, SOUTH);
}

/* Dead letters that the master has not taken go first. */
static bool waits_for_the_dead(void)
{
	return play.dies_late && held_of(world->dead, NORTH) + held_of(world->dead, SOUTH) > 0;
}

/* Agents poll what is there, the master gets what it may. */
static void work(struct link *l)
{
	unsigned prefetch = play.prefetch > 0 ? play.prefetch : PREFETCH;

	if (play.repeats && is_busy(SOUTH))
		bring_again();
	if (l->doubt.len > 0 && loop_clock_us() >= l->doubt_us)
		examine_end(l);
	for (size_t n = 0; n < HELD; n++) {
		size_t i = play.late > 0 ? (size_t)rand() % HELD : n; /* in any order */
		struct held *t = &world->tasks[i], *r = &world->results[i], *d = &world->dead[i];

		if (t->used && !(play.deserted && t->site == SOUTH) && !is_busy(t->site) &&
		    !waits_for_the_dead() && !chance(play.late) &&
		    !((play.mute || play.babbles) && world->births == 1))
			poll_batch(t);
		if (r->used && !r->out && l->out < prefetch && !chance(play.late))
			give(l, r, COURIER_FROM_RESULTS);
		if (d->used && !d->out && l->out < prefetch)
			give(l, d, COURIER_FROM_DEAD);
	}
	while (world->nlate > 0)
		say_id(l, COURIER_CONFIRMED, world->late[--world->nlate]);
}

static void say_need(struct link *l)
{
	struct held h = {.used = true};
	struct batch_head head = {.kind = BATCH_NEED, .run = 4711};
	struct wire_out w = {.at = h.body, .end = h.body + sizeof(h.body)};

	batch_head_pack(&head, &w);
	wire_put_str(&w, "a", 1);
	wire_put_str(&w, "north", 5);
	h.len = (size_t)(w.at - h.body);
	play.repeat = 0;
	give(l, &h, COURIER_FROM_RESULTS);
}

static void say_garbage(struct link *l)
{
	struct held h = {.used = true, .len = (size_t)rand() % 300};
	struct batch_head head = {.kind = BATCH_OF_RESULTS, .run = 4711};
	struct wire_out w = {.at = h.body, .end = h.body + sizeof(h.body)};

	for (size_t i = 0; i < h.len; i++)
		h.body[i] = (uint8_t)rand();
	if (h.len > BATCH_HEAD_PACKED && chance(50))
		batch_head_pack(&head, &w);
	give(l, &h, chance(50) ? COURIER_FROM_RESULTS : COURIER_FROM_DEAD);
}

static int leave(struct link *l, int status)
{
	queue_free(l->q);
	return status;
}

/* Both sides; or the second one later, and what is asked before that is not heard (courier.h). */
static void begin_up(struct link *l)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	struct queue_frame f;

	say_octet(l, COURIER_UP, play.apart ? 1 : 3);
	if (play.apart) {
		stage_flush(l->q, l->fd);
		poll(&p, 1, 1000);
		queue_read(l->q);
		while (queue_next(l->q, &f))
			if (f.kind != COURIER_SITE)
				take_frame(l, &f);
		say_octet(l, COURIER_UP, 2);
	}
	if (play.alarm_stays)
		say_octet(l, COURIER_BLOCKED, 1);
	if (play.alarm) {
		say_octet(l, COURIER_BLOCKED, 1);
		say_down(l, false);
		say_octet(l, COURIER_UP, 3);
	}
}

/* Tasks of the north are with the first courier: who has them polls them, when there is another one. */
static bool is_first_with_tasks(void)
{
	return world->births == 1 && held_of(world->tasks, NORTH) > 0;
}

static bool is_mute(void)
{
	return play.mute && is_first_with_tasks();
}

static int courier(const void *arg, int fd)
{
	struct link l = {.q = queue_new(fd), .fd = fd};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	unsigned turns = 0;

	(void)arg;
	srand(world->births * 31 + 7);
	if (world->births++ == 0)
		world->begun_us = loop_clock_us();
	for (size_t i = 0; i < HELD; i++)
		world->results[i].out = world->dead[i].out = false;
	if (play.refuses || (play.dies_loaded && world->births > 1)) {
		say_down(&l, false);
		stage_flush(l.q, l.fd);
		poll(&p, 1, -1);
		return leave(&l, 0);
	}
	begin_up(&l);
	for (;;) {
		struct queue_frame f;
		enum queue_state state;

		stage_flush(l.q, l.fd);
		while ((play.hangs && l.out > 0) || is_mute())
			pause();
		poll(&p, 1, 5);
		state = queue_read(l.q);
		while (queue_next(l.q, &f))
			take_frame(&l, &f);
		if (state != QUEUE_OPEN)
			return leave(&l, 0);
		if (chance(play.die) || (play.dies_loaded && l.out > 0))
			return leave(&l, 1);
		if (play.down_later && ++turns == 5) {
			say_down(&l, false);
			say_octet(&l, COURIER_UP, 3);
			l.out = 0;
			for (size_t i = 0; i < HELD; i++)
				world->results[i].out = false;
		}
		if (play.needs && turns++ == 0)
			say_need(&l);
		if (play.babbles && is_first_with_tasks())
			say(&l, 99, NULL, 0);
		if (play.garbage)
			say_garbage(&l);
		work(&l);
	}
}

/* --- a run ----------------------------------------------------------------------------------- */

int set_up(void **state)
{
	struct trial *t = calloc(1, sizeof(*t));

	world = stage_begin(sizeof(*world));
	play = (struct part){0};
	snprintf(t->folder, sizeof(t->folder), "/tmp/test_master_remote.XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(t->path, sizeof(t->path), "%s/out", t->folder);
	t->run = (struct run){.number = 4711, .format = "text", .sessions = 1};
	strcpy(t->run.master, "m1");
	t->remote = (struct remote_config){
		.courier = courier, .run = &t->run, .attempts = 20, .patience_us = 150000};
	t->config = (struct master_config){.plan = &t->plan,
					   .remote = &t->remote,
					   .window = 64,
					   .workers = 2,
					   .format = stage_format};
	*state = t;
	return 0;
}

int tear_down(void **state)
{
	struct trial *t = *state;

	histogram_free(t->result.latency);
	unlink(t->path);
	rmdir(t->folder);
	munmap(world, sizeof(*world));
	free(t);
	return 0;
}

static void take_line(struct trial *t, const char *line)
{
	unsigned seq;
	char status[20];

	assert_int_equal(sscanf(line, "#%u %19s", &seq, status), 2);
	assert_in_range(seq, 0, MOST - 1);
	t->records[seq]++;
	t->ok += strcmp(status, "ok") == 0;
	t->lost += strcmp(status, "lost") == 0;
	t->crashed += strcmp(status, "crashed") == 0;
	t->cancelled += strcmp(status, "cancelled") == 0;
	if (strlen(line) > t->longest)
		t->longest = strlen(line);
}

void go(struct trial *t, uint64_t total)
{
	struct writer_options o = {.path = t->path};
	enum writer_result opened;

	t->plan.total = total;
	t->config.writer = writer_open(&o, &opened);
	assert_int_equal(opened, WRITER_OK);
	master_run(&t->config, &t->result);
	if (!t->result.aborted)
		assert_int_equal(writer_commit(t->config.writer), WRITER_OK);
	writer_free(t->config.writer);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

void run_all(struct trial *t, uint64_t total)
{
	char *line = NULL;
	size_t cap = 0;
	FILE *f;

	go(t, total);
	f = fopen(t->path, "r");
	assert_non_null(f);
	while (getline(&line, &cap, f) > 0)
		take_line(t, line);
	free(line);
	fclose(f);
	stage_one_each(t->records, total, &t->result);
}

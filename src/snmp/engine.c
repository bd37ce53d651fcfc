/*
 * Every exchange with a device: the engine's life, its clock, and what happens in a turn.
 *
 * The problem: thousands of devices are asked at once, most of them answer within a millisecond, some
 * never, some wrongly, and none may cost another one anything. A microsecond here is a tenth of the
 * whole program's speed.
 *
 * The design: things that know little of each other. A job (engine_job.c) is a target, from its task to
 * its record; it asks along strands (engine_strand.c), which are GETs (engine_answer.c) and walks
 * (engine_walk.c); SNMPv3's engine of the device is a state of the job (engine_v3.c). A request
 * (engine_request.c) is a question under way: a slot, the ids of its tries, a timer. Sending
 * (engine_send.c) takes what is ready, in batches, within the burst and the rate. Datagrams come back through
 * engine_reply.c, which proves that they are ours before a job hears of them. GETs of v1 and v2c are built
 * once per profile and chunk of objects, as templates. Jobs and requests are fixed arrays: a GET that is
 * answered costs no allocation here.
 *
 * Slots: there are `window`, each job has one for itself, and may use more (`per_host`) while there are some
 * that no job needs. So a job never waits for a slot to begin with, and the window bounds what is in
 * flight, however it is shared out.
 *
 * Turns: the sockets are read by the loop's callbacks, then engine_work() fires timers and sends. So a
 * reply that is there is always seen before the timer that waits for it.
 *
 * The clock: the loop's, less the time in which nothing could happen (held back by a slow reader, the
 * process stopped). Deadlines, burst and rate need no adjustment then; they stand still as well.
 *
 * The trap: a record is handed out in the middle of a loop over datagrams or timers, and who takes it may
 * start, hold or cancel. Starting only appends to lists, holding is looked at between steps, cancelling
 * sets a flag for the next turn.
 */
#include "snmp/engine_internal.h"

#include <assert.h>
#include <stdlib.h>

/* While it is held, whoever asks finds the time at which that began: what came later never happened. */
static int64_t clock_us(const struct engine *e)
{
	return (e->held ? e->held_since_us : loop_now_us(e->loop)) - e->lag_us;
}

static void on_socket(void *arg, unsigned ready)
{
	struct lane *lane = arg;
	struct engine *e = lane->engine;

	(void)ready; /* an error waits like a datagram */
	e->now_us = clock_us(e);
	engine_receive(e, lane->number);
}

static void add_chunk(struct engine *e, size_t n, const struct span *q)
{
	struct pdu_ask ask = {.type = PDU_GET, .names = e->names};
	struct chunk *c;

	e->chunks = mem_resize(e->chunks, n + 1, sizeof(*c));
	c = &e->chunks[n];
	*c = (struct chunk){.first = q->first, .count = q->count};
	if (q->profile->version == SNMP_V3)
		return; /* each has its own engine, time and digest */
	c->at = e->template_octets.len;
	ask.count = get_names(q, e->names);
	c->id_at = pdu_build(e->codec, q->profile, &ask, &e->template_octets) - c->at;
	c->len = e->template_octets.len - c->at;
}

/* A profile that asks for nothing at all gets a template without varbinds. */
static void build_chunks(struct engine *e)
{
	size_t n = 0;

	e->profile_chunks = mem_zero(e->config.nprofiles + 1, sizeof(size_t));
	for (size_t i = 0; i < e->config.nprofiles; i++) {
		const struct profile *p = &e->config.profiles[i];
		struct span q = {.profile = p};

		e->profile_chunks[i] = n;
		while (q.first < p->nget || (!q.first && !p->nwalk && !p->ntable)) {
			q.count = pdu_fit(p, q.first);
			add_chunk(e, n++, &q);
			q.first += q.count;
			if (!p->nget)
				break;
		}
	}
	e->profile_chunks[e->config.nprofiles] = n;
}

static bool open_carrier(struct engine *e, char *error, size_t len)
{
	struct udp_config sockets = {
		.window = e->config.window,
		.source4 = e->config.source4,
		.source6 = e->config.source6,
	};

	e->carrier = e->config.carrier;
	e->carried = e->config.carried;
	if (e->carrier)
		return true;
	e->udp = udp_open(&sockets, error, len);
	e->carrier = &carrier_udp;
	e->carried = e->udp;
	return e->udp != NULL;
}

struct engine *engine_new(const struct engine_config *config, char *error, size_t len)
{
	struct engine *e = mem_zero(1, sizeof(*e));

	e->config = *config;
	if (!open_carrier(e, error, len)) {
		free(e);
		return NULL;
	}
	e->inflight = inflight_new(config->window, inflight_system_random);
	e->codec = pdu_codec_new();
	e->timers = timers_new();
	build_chunks(e);
	e->requests = mem_zero(config->window, sizeof(*e->requests));
	e->jobs = mem_zero(config->window, sizeof(*e->jobs));
	engine_send_init(e);
	return e;
}

void engine_free(struct engine *e)
{
	for (unsigned i = 0; i < e->fresh_jobs; i++) {
		if (e->jobs[i].at_work)
			job_drop(e, &e->jobs[i]);
		job_free(&e->jobs[i]);
	}
	for (unsigned i = 0; i < e->nlanes; i++) {
		if (e->loop)
			loop_forget(e->loop, e->carrier->fd(e->carried, i));
	}
	if (e->udp)
		udp_close(e->udp);
	inflight_free(e->inflight);
	pdu_codec_free(e->codec);
	timers_free(e->timers);
	walk_rounds_free(e);
	free(e->chunks);
	free(e->profile_chunks);
	free(e->requests);
	free(e->jobs);
	buf_free(&e->template_octets);
	buf_free(&e->octets);
	buf_free(&e->text);
	buf_free(&e->message);
	vars_free(&e->scratch);
	free(e);
}

static void watch(struct engine *e)
{
	for (unsigned i = 0; i < e->nlanes; i++)
		loop_watch(e->loop, e->carrier->fd(e->carried, i), LOOP_READ, on_socket,
			   &e->lanes[i]);
}

void engine_attach(struct engine *e, struct loop *loop)
{
	e->loop = loop;
	watch(e);
}

unsigned engine_room(const struct engine *e)
{
	return e->config.window - e->njobs - e->extra; /* each job has a slot, asked or not */
}

unsigned engine_tasks(const struct engine *e)
{
	return e->njobs;
}

void engine_start(struct engine *e, const struct task *task)
{
	assert(engine_room(e) > 0 && task->profile < e->config.nprofiles);
	assert(task->naddrs <= TASK_ADDRS_MAX); /* none: the carrier needs no address */
	job_start(e, task);
}

int64_t engine_stamp_us(const struct engine *e)
{
	return loop_clock_us() - e->lag_us;
}

void engine_at_work(struct engine *e, const struct job *job)
{
	atomic_store_explicit(e->config.at_work, job ? job->task.seq + 1 : 0, memory_order_relaxed);
}

static void cancel_all(struct engine *e)
{
	for (unsigned i = 0; i < e->fresh_jobs; i++) {
		if (e->jobs[i].at_work)
			job_cancelled(e, &e->jobs[i], "stopped before there was an answer");
	}
}

/* Those that nobody was asked for yet. */
static void cancel_unsent(struct engine *e)
{
	for (unsigned i = 0; i < e->fresh_jobs; i++) {
		struct job *job = &e->jobs[i];

		if (job->at_work && job->tries == 0)
			job_cancelled(e, job, "stopped before it was asked");
	}
	e->draining = false;
}

static void fire_timers(struct engine *e)
{
	struct timer *t;

	timers_collect(e->timers, e->now_us);
	while (!e->held && (t = timers_pop_due(e->timers)))
		request_due(e, (struct request *)((char *)t - offsetof(struct request, timer)));
}

void engine_work(struct engine *e)
{
	e->now_us = clock_us(e);
	e->looked_at = 0;
	if (e->cancelled)
		cancel_all(e);
	if (e->draining)
		cancel_unsent(e);
	if (e->held)
		return;
	fire_timers(e);
	engine_send(e);
	engine_take_refusals(e);
}

int64_t engine_next_us(const struct engine *e)
{
	int64_t timer_us = timers_next_us(e->timers), send_us = engine_send_next_us(e);
	int64_t next_us = timer_us < send_us ? timer_us : send_us;

	if (!e->njobs)
		return LOOP_NEVER; /* timers of requests that are over may still run */
	if (e->cancelled || e->draining)
		return loop_now_us(e->loop);
	if (e->held || next_us == INT64_MAX)
		return LOOP_NEVER;
	return next_us + e->lag_us;
}

void engine_renew(struct engine *e, int64_t late_us)
{
	e->lag_us += late_us;
	e->held_since_us += late_us; /* if it is held: the time is not to count twice */
}

/* Forgets the sockets instead of wanting nothing of them: an error would still wake the loop. */
void engine_hold(struct engine *e, bool hold)
{
	if (hold == e->held)
		return;
	e->held = hold;
	if (hold) {
		e->held_since_us = loop_now_us(e->loop);
		for (unsigned i = 0; i < e->nlanes; i++)
			loop_forget(e->loop, e->carrier->fd(e->carried, i));
	} else {
		e->lag_us += loop_now_us(e->loop) - e->held_since_us;
		watch(e);
	}
}

void engine_cancel(struct engine *e)
{
	e->cancelled = true;
}

void engine_drain(struct engine *e)
{
	e->draining = true;
}

void engine_resume(struct engine *e)
{
	e->cancelled = false;
}

void engine_take_stats(struct engine *e, struct stats *delta)
{
	e->stats.count[STATS_DROPPED] += e->carrier->dropped(e->carried);
	*delta = e->stats;
	e->stats = (struct stats){0};
}

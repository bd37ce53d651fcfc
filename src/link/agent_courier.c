/*
 * The process that speaks to the broker, as the agent sees it.
 *
 * It keeps nothing: what was put and not confirmed is in the window, and goes again when it says UP; the tags that it gave are void
 * when its connection is, whoever ended that. So its death costs a fork and a connection, and no record.
 *
 * An agent may be started before its broker, and a cable may be pulled: it waits, and says why when the reason changes, not each
 * time that it tries. What trying again cannot help (the broker will not have us) ends it at any time. The process ends by itself
 * where what it has read may be old, after minutes without a connection too: only who dies without a word, again and again,
 * cannot live here.
 *
 * The trap: a courier that hangs looks like a broker that is slow. It is asked only while something is owed to us: no tick while
 * nothing happens.
 */
#include "link/agent_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

#define PAUSE_MIN_US 100000
#define PAUSE_MAX_US 5000000
#define SILENCE_US   15000000 /* default: it may be connecting */
#define PUTS         1u
#define TAKES        2u
#define UNBORN_MAX   5 /* deaths in a row without a word of how the broker is */

/* --- up and down ---------------------------------------------------------------------------- */

static void tags_void(struct agent *a)
{
	a->takes = false;
	batches_void(a);
}

static void up(struct agent *a, unsigned what)
{
	bool was = a->puts && a->takes;

	if (what & PUTS) {
		a->puts = true;
		window_up(a->window, loop_now_us(a->loop));
	}
	if (what & TAKES) {
		tags_void(a);
		a->takes = true;
	}
	a->pause_us = PAUSE_MIN_US;
	if (a->puts && a->takes && !was)
		log_info("connected to %s as agent %s of site %s", a->config->where,
			 a->config->name, a->config->site);
	a->was_up |= a->puts;
	a->unborn = 0;
	if (a->puts && a->takes)
		a->why[0] = '\0';
}

static void down(struct agent *a, unsigned what, bool final, const char *why)
{
	bool was = a->puts && a->takes;

	if (what & PUTS) {
		a->puts = false;
		window_down(a->window);
	}
	if (what & TAKES)
		tags_void(a);
	if (final) {
		log_error("%s: %s", a->config->where, why);
		agent_end_now(a, AGENT_NO_BROKER);
		return;
	}
	a->unborn = 0; /* it can live: it says so */
	if (was || strcmp(a->why, why) != 0) {
		snprintf(a->why, sizeof(a->why), "%s", why);
		log_warning("%s: %s%s", a->config->where, why,
			    a->nbatches > 0 ? "; what is in hand is polled on"
			    : a->was_up     ? ""
					    : "; waiting for it");
	}
}

/* --- its words ------------------------------------------------------------------------------- */

static bool down_take(struct agent *a, struct wire_in *r)
{
	unsigned what = wire_get_u8(r);
	bool final = wire_get_u8(r) != 0;
	char why[AGENT_WHY_MAX];
	size_t len = (size_t)(r->end - r->at);

	if (r->bad)
		return false;
	len = len < sizeof(why) ? len : sizeof(why) - 1;
	memcpy(why, r->at, len);
	why[len] = '\0';
	down(a, what, final, why);
	return true;
}

static bool taken_take(struct agent *a, struct wire_in *r)
{
	struct taken t = {.tag = wire_get_u64(r)};
	uint8_t from = wire_get_u8(r);

	t.deliveries = wire_get_u32(r);
	t.body = r->at;
	t.len = (size_t)(r->end - r->at);
	if (r->bad)
		return false;
	if (from == COURIER_FROM_TASKS) {
		batch_take(a, &t);
		return true;
	}
	if (from == COURIER_FROM_CONTROL)
		run_control(a, t.body, t.len);
	courier_put_tag(a, COURIER_ACK, t.tag);
	return true;
}

static void confirmed(struct agent *a, uint64_t id)
{
	uint64_t mark;

	if (!window_confirmed(a->window, id, &mark, loop_now_us(a->loop)))
		return;
	cell_slot_settle(a, id);
	if (mark != 0)
		run_asked(a, mark, true);
}

static void returned(struct agent *a, uint64_t id)
{
	uint64_t mark;

	if (!window_returned(a->window, id, &mark, loop_now_us(a->loop)))
		return;
	cell_slot_settle(a, id);
	if (mark != 0) { /* a question, and no results */
		run_asked(a, mark, false);
		return;
	}
	batches_unread(a, id);
	if (a->result->unheard++ == 0)
		log_warning("a master has no queue for results any more; they are dropped");
}

static bool frame_take(struct agent *a, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	int64_t now_us = loop_now_us(a->loop);

	switch (f->kind) {
	case COURIER_UP:
		up(a, wire_get_u8(&r));
		return !r.bad;
	case COURIER_DOWN:
		return down_take(a, &r);
	case COURIER_CONFIRMED:
		confirmed(a, wire_get_u64(&r));
		return !r.bad;
	case COURIER_NACKED:
		window_nacked(a->window, wire_get_u64(&r), now_us);
		return !r.bad;
	case COURIER_RETURNED:
		returned(a, wire_get_u64(&r));
		return !r.bad;
	case COURIER_BLOCKED:
		window_block(a->window, wire_get_u8(&r) != 0, now_us);
		return !r.bad;
	case COURIER_TAKEN:
		return taken_take(a, &r);
	case COURIER_STOPPED:
		a->courier_stopped = true;
		shutdown(a->courier.fd, SHUT_WR); /* who waits for our end has it */
		return true;
	default: /* PONG, SITE_IS */
		return true;
	}
}

/* --- life ------------------------------------------------------------------------------------ */

static int courier_child(void *arg, int fd)
{
	const struct agent *a = arg;
	const uint8_t *shared;
	size_t len;

	if (!slots_of_courier(a->slots, &shared, &len))
		return PROC_NOT_BEGUN;
	return a->config->courier(a->config->courier_arg, shared, len, fd);
}

static void respawn_plan(struct agent *a)
{
	a->respawn_us = loop_now_us(a->loop) + a->pause_us;
	a->pause_us = a->pause_us * 2 < PAUSE_MAX_US ? a->pause_us * 2 : PAUSE_MAX_US;
}

static void courier_death(struct agent *a)
{
	char how[100];

	loop_forget(a->loop, a->courier.fd);
	window_attach(a->window, NULL);
	queue_free(a->queue);
	a->queue = NULL;
	proc_status_text(proc_end(&a->courier), how, sizeof(how));
	a->puts = false;
	window_down(a->window);
	tags_void(a);
	if (a->courier_stopped || a->over)
		return;
	if (++a->unborn >= UNBORN_MAX) {
		log_error("the process that speaks to %s %s again and again, without a word of it",
			  a->config->where, how);
		agent_end_now(a, AGENT_FAILED);
		return;
	}
	log_warning("the process that speaks to the broker %s; another one begins", how);
	respawn_plan(a);
}

static void courier_ready(void *arg, unsigned ready)
{
	struct agent *a = arg;
	struct queue_frame f;

	if (!(ready & LOOP_READ))
		return;
	a->state = queue_read(a->queue);
	while (!a->over && queue_next(a->queue, &f)) {
		a->heard_us = loop_now_us(a->loop);
		a->pinged = false;
		if (frame_take(a, &f))
			continue;
		log_warning(
			"the process that speaks to the broker said what it may not say (message "
			"%u); it is killed",
			f.kind);
		a->state = QUEUE_END;
		break;
	}
	if (a->state != QUEUE_OPEN)
		courier_death(a);
}

void courier_birth(struct agent *a)
{
	a->respawn_us = LOOP_NEVER;
	if (!proc_spawn(&a->courier, courier_child, a)) {
		log_error("cannot start the process that speaks to the broker: %s",
			  strerror(errno));
		if (!a->was_up)
			agent_end_now(a, AGENT_FAILED);
		respawn_plan(a);
		return;
	}
	a->queue = queue_new(a->courier.fd);
	a->state = QUEUE_OPEN;
	a->heard_us = loop_now_us(a->loop);
	a->pinged = false;
	window_attach(a->window, a->queue);
	loop_watch(a->loop, a->courier.fd, LOOP_READ, courier_ready, a);
	if (a->left)
		queue_put(a->queue, COURIER_LEAVE, NULL, 0);
}

void courier_put_tag(struct agent *a, enum courier_message kind, uint64_t tag)
{
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + 8};

	if (a->queue == NULL)
		return; /* it is void */
	wire_put_u64(&w, tag);
	queue_put(a->queue, (uint8_t)kind, octets, 8);
}

void courier_watch(struct agent *a)
{
	if (a->queue == NULL)
		return;
	queue_flush(a->queue); /* false: it is dead, which its end of file says */
	loop_want(a->loop, a->courier.fd,
		  LOOP_READ | (queue_backlog(a->queue) > 0 ? LOOP_WRITE : 0));
}

/* --- when ------------------------------------------------------------------------------------ */

/* A word of it is due some time: it connects, or has something of ours. */
static bool owes(const struct agent *a)
{
	return a->queue != NULL && (!a->puts || window_open(a->window) > 0 || a->left);
}

static int64_t silence_us(const struct agent *a)
{
	return a->config->silence_us > 0 ? a->config->silence_us : SILENCE_US;
}

int64_t courier_next_us(const struct agent *a)
{
	if (a->queue == NULL)
		return a->respawn_us;
	return owes(a) ? a->heard_us + silence_us(a) : LOOP_NEVER;
}

void courier_times(struct agent *a)
{
	int64_t now_us = loop_now_us(a->loop);

	if (!owes(a) && a->queue != NULL)
		a->heard_us = now_us;
	if (courier_next_us(a) > now_us)
		return;
	if (a->queue == NULL) {
		courier_birth(a);
	} else if (a->pinged) {
		log_warning("the process that speaks to the broker does not answer; it is killed");
		kill(a->courier.pid, SIGKILL); /* its end of file comes */
		a->heard_us = now_us;
	} else {
		queue_put(a->queue, COURIER_PING, NULL, 0);
		a->heard_us = now_us; /* not earlier: we may have been stopped */
		a->pinged = true;
	}
}

void courier_free(struct agent *a)
{
	if (a->queue != NULL)
		loop_forget(a->loop, a->courier.fd);
	queue_free(a->queue);
	proc_end(&a->courier);
}

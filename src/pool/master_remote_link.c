/*
 * The child that holds the link to the broker: its birth, word, death, and the care for it.
 *
 * It is a child like the others: forked before it connects, it may die or hang at any moment, and costs time and no
 * record: what was put and is not confirmed is in the window, what was taken and is not acknowledged comes again.
 *
 * The broker is not there at the start: that ends the run, for who has just started us is there to hear it. Later it
 * is a warning, and the link is tried for ever; the run's deadline holds. But what trying again cannot mend (we are
 * refused now) ends the run, with its records.
 *
 * The trap: while the output is blocked none of its frames is read, so that nothing grows: confirms neither. So the window
 * must not take that for a broker that does not answer.
 */
#include "pool/master_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

#define PAUSE_MIN_US 100000
#define PAUSE_MAX_US 5000000
#define BARREN_MAX   5
/* It may be busy with one answer of the broker: LINK_SLOW_US; or with one examination, link_calls.cure: twice that, which is when
 * it is killed. */
#define SILENCE_US 15000000
#define SIDE_PUTS  1 /* as in COURIER_UP */
#define SIDE_TAKES 2

static struct remote_link *link_of(const struct master *m)
{
	return &m->remote->link;
}

/* --- what is sent ------------------------------------------------------------------------- */

static void link_put(struct remote_link *c, enum courier_message kind, const void *p, size_t len)
{
	if (c->queue != NULL)
		queue_put(c->queue, (uint8_t)kind, p, len);
}

void remote_link_site(struct master *m, const struct site *s, bool doubt)
{
	uint8_t octets[2 + BROKER_NAME_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_str(&w, s->name, (uint16_t)strlen(s->name));
	link_put(link_of(m), doubt ? COURIER_DOUBT : COURIER_SITE, octets, (size_t)(w.at - octets));
}

void remote_link_ack(void *master, uint64_t tag)
{
	struct master *m = master;
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	wire_put_u64(&w, tag);
	link_put(link_of(m), COURIER_ACK, octets, sizeof(octets));
}

/* --- death -------------------------------------------------------------------------------- */

static void link_lost(struct master *m, unsigned sides)
{
	struct remote_link *c = link_of(m);

	if (sides & SIDE_PUTS && c->puts) {
		c->puts = false;
		m->remote->blocked = false; /* the next connection says it anew */
		window_down(m->remote->window);
	}
	if (sides & SIDE_TAKES && c->takes) {
		c->takes = false;
		acks_void(m->remote->acks);
	}
}

/* Nothing is polled, and what was there before stays. */
static void start_failed(struct master *m, const char *why)
{
	log_error("cannot poll over the broker: %s", why);
	m->result->failed = m->result->aborted = m->over = true;
}

static void link_death(struct master *m)
{
	struct remote_link *c = link_of(m);
	char how[100];

	loop_forget(m->loop, c->proc.fd);
	c->watched = false;
	queue_free(c->queue);
	c->queue = NULL;
	m->remote->taken.open = false; /* its frame went with the queue; the message comes again */
	window_attach(m->remote->window, NULL);
	link_lost(m, SIDE_PUTS | SIDE_TAKES);
	acks_void(m->remote->acks);
	proc_status_text(proc_end(&c->proc), how, sizeof(how));
	if (c->left || c->leaving || m->stopping)
		return;
	m->result->deaths++;
	log_warning("the link to the broker %s; another one is made", how);
	c->respawn_us = loop_now_us(m->loop) + c->pause_us;
	c->pause_us = c->pause_us * 2 < PAUSE_MAX_US ? c->pause_us * 2 : PAUSE_MAX_US;
	if (!c->was_up && ++c->barren >= BARREN_MAX)
		start_failed(m, "the link dies again and again");
}

/* --- word --------------------------------------------------------------------------------- */

static void is_up(struct master *m, unsigned sides)
{
	struct remote_link *c = link_of(m);

	if (sides & SIDE_TAKES) {
		acks_void(m->remote->acks);
		c->takes = true;
		m->remote->examined = NULL; /* or its answer went with the takes before */
	}
	/* Queues before what goes to them; with each side, for there is no answer before both are up. */
	sites_ask(m, sides & SIDE_PUTS);
	if (sides & SIDE_PUTS) {
		c->puts = true;
		window_up(m->remote->window, loop_now_us(m->loop));
	}
	if (!c->puts || !c->takes)
		return;
	if (c->was_up)
		log_info("the broker is there again");
	c->was_up = true;
	c->told[0] = '\0';
	c->barren = 0;
	c->pause_us = PAUSE_MIN_US;
	sites_renew(m);
}

static bool up_take(struct master *m, struct wire_in *r)
{
	unsigned sides = wire_get_u8(r);

	if (r->bad || sides == 0 || sides > (SIDE_PUTS | SIDE_TAKES))
		return false;
	is_up(m, sides);
	return true;
}

static bool down_take(struct master *m, struct wire_in *r)
{
	struct remote_link *c = link_of(m);
	unsigned sides = wire_get_u8(r);
	uint8_t final = wire_get_u8(r);
	size_t len = (size_t)(r->end - r->at);
	bool lost = (sides & SIDE_PUTS && c->puts) || (sides & SIDE_TAKES && c->takes);
	char why[LINK_TOLD_MAX + 1];

	if (r->bad || sides > (SIDE_PUTS | SIDE_TAKES))
		return false;
	if (len > LINK_TOLD_MAX)
		len = LINK_TOLD_MAX;
	memcpy(why, r->at, len);
	why[len] = '\0';
	link_lost(m, sides);
	if (!c->was_up) {
		start_failed(m, why);
	} else if (final) {
		log_error("the broker will not have us any more: %s", why);
		m->result->failed = true;
		master_cancel(m, "the broker refused the link");
	} else if (strcmp(c->told, why) !=
		   0) { /* of both sides once; and what keeps it from coming back */
		log_warning("the broker %s: %s; it is tried again",
			    lost ? "is gone" : "cannot be had", why);
		memcpy(c->told, why, len + 1);
	}
	return true;
}

/* CONFIRMED, NACKED, RETURNED: an id. */
static bool answer_take(struct master *m, uint8_t kind, struct wire_in *r)
{
	struct window *w = m->remote->window;
	uint64_t id = wire_get_u64(r), mark;
	int64_t now_us = loop_now_us(m->loop);

	if (r->bad)
		return false;
	if (kind == COURIER_NACKED)
		window_nacked(w, id, now_us);
	else if (kind == COURIER_CONFIRMED && window_confirmed(w, id, &mark, now_us))
		site_settled(m, mark, false);
	else if (kind == COURIER_RETURNED && window_returned(w, id, &mark, now_us))
		site_settled(m, mark, true);
	return true;
}

/* False: it may not say that. */
static bool frame_take(struct master *m, const struct queue_frame *f)
{
	struct remote_link *c = link_of(m);
	struct wire_in r = {.at = f->data, .end = f->data + f->len};

	c->heard_us = loop_now_us(m->loop);
	c->pinged = false;
	switch (f->kind) {
	case COURIER_UP:
		return up_take(m, &r);
	case COURIER_DOWN:
		return down_take(m, &r);
	case COURIER_CONFIRMED:
	case COURIER_NACKED:
	case COURIER_RETURNED:
		return answer_take(m, f->kind, &r);
	case COURIER_BLOCKED:
		m->remote->blocked = wire_get_u8(&r) != 0;
		window_block(m->remote->window, m->remote->blocked, loop_now_us(m->loop));
		return !r.bad;
	case COURIER_TAKEN:
		return results_take(m, f);
	case COURIER_SITE_IS:
		return sites_take(m, &r);
	case COURIER_PONG:
		return true;
	case COURIER_STOPPED:
		c->left = true;
		shutdown(c->proc.fd, SHUT_WR);
		return c->leaving;
	default:
		return false;
	}
}

/* Takes the frames that are here, and what is in them, as long as the output takes records. */
void remote_link_serve(struct master *m)
{
	struct remote_link *c = link_of(m);
	struct queue_frame f;

	m->unread = false;
	while (c->queue != NULL && !m->over && !output_blocked(m)) {
		if (m->remote->taken.open) {
			results_continue(m);
		} else if (!queue_next(c->queue, &f)) {
			if (c->state != QUEUE_OPEN)
				link_death(m);
			return;
		} else if (!frame_take(m, &f)) {
			log_warning("the link said what it may not say (message %u); it is killed",
				    f.kind);
			link_death(m);
			return;
		}
	}
	m->unread = c->queue != NULL; /* not all; the loop does not tell of it again */
}

static void link_ready(void *arg, unsigned ready)
{
	struct master *m = arg;

	if (!(ready & LOOP_READ) || output_blocked(m) || m->unread)
		return; /* what was read before comes first */
	link_of(m)->state = queue_read(link_of(m)->queue);
	remote_link_serve(m);
}

/* --- birth -------------------------------------------------------------------------------- */

static int link_child(void *arg, int fd)
{
	const struct remote_config *config = ((struct master *)arg)->config->remote;

	return config->courier(config->courier_arg, fd);
}

static void link_birth(struct master *m)
{
	struct remote_link *c = link_of(m);

	c->respawn_us = LOOP_NEVER;
	c->pinged = c->killed = false;
	if (!proc_spawn(&c->proc, link_child, m)) {
		log_warning("cannot start the link to the broker: %s", strerror(errno));
		c->respawn_us = loop_now_us(m->loop) + c->pause_us;
		if (!c->was_up && ++c->barren >= BARREN_MAX)
			start_failed(m, "no process for the link");
		return;
	}
	c->queue = queue_new(c->proc.fd);
	c->state = QUEUE_OPEN;
	c->heard_us = loop_now_us(m->loop);
	window_attach(m->remote->window, c->queue);
}

void remote_link_start(struct master *m)
{
	int64_t silence_us = m->config->remote->silence_us;

	*link_of(m) = (struct remote_link){.proc = {.fd = -1},
					   .respawn_us = LOOP_NEVER,
					   .leave_us = LOOP_NEVER,
					   .pause_us = PAUSE_MIN_US,
					   .silence_us = silence_us > 0 ? silence_us : SILENCE_US};
	link_birth(m);
}

void remote_link_free(struct master *m)
{
	struct remote_link *c = link_of(m);

	if (c->queue == NULL)
		return;
	loop_forget(m->loop, c->proc.fd);
	queue_free(c->queue);
	c->queue = NULL;
	proc_end(&c->proc);
}

/* --- care --------------------------------------------------------------------------------- */

/* It has something of ours in hand, or is connecting. */
static bool owes(const struct master *m)
{
	const struct remote_link *c = link_of(m);

	return !c->puts || !c->takes || window_open(m->remote->window) > 0 ||
	       (!m->resting && !m->drained);
}

int64_t remote_link_next_us(const struct master *m)
{
	const struct remote_link *c = link_of(m);

	if (c->queue == NULL)
		return m->stopping ? LOOP_NEVER : c->respawn_us;
	if (c->killed || output_blocked(m) || !owes(m))
		return LOOP_NEVER;
	return c->heard_us + (c->pinged ? 2 : 1) * c->silence_us;
}

void remote_link_times(struct master *m)
{
	struct remote_link *c = link_of(m);

	if (remote_link_next_us(m) > loop_now_us(m->loop))
		return;
	if (c->queue == NULL) {
		link_birth(m);
	} else if (c->pinged) {
		log_warning("the link to the broker does not answer; it is killed");
		kill(c->proc.pid, SIGKILL);
		c->killed = true;
	} else {
		queue_put(c->queue, COURIER_PING, NULL, 0);
		c->pinged = true;
	}
}

void remote_link_renew(struct master *m)
{
	link_of(m)->heard_us = loop_now_us(m->loop);
	link_of(m)->pinged = false;
}

void remote_link_watch(struct master *m)
{
	struct remote_link *c = link_of(m);
	unsigned want;
	bool listen = !output_blocked(m);

	if (c->queue == NULL)
		return;
	queue_flush(c->queue); /* false: it is dead, which its end of file says */
	want = queue_backlog(c->queue) > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ;
	if (listen && !c->watched)
		loop_watch(m->loop, c->proc.fd, want, link_ready, m);
	else if (listen)
		loop_want(m->loop, c->proc.fd, want);
	else /* a dead one's hang-up would wake us all the time */
		loop_forget(m->loop, c->proc.fd);
	c->watched = listen;
}

/*
 * The children's lives: birth, word, death.
 *
 * The problem: a worker is the process that faces the network. It may crash, hang, or have been taken
 * over and lie; the run goes on (DESIGN.md, invariants 1 and 6).
 *
 * A child is dead when its queue ends or brings what it may not say, never earlier: all that it said
 * before counts. Who only seems dead is killed first and then read to its end like all others.
 *
 * The trap: a respawn that fails at once, for ever. The pause doubles for a worker that brought
 * no record, and when all of a kind die so in a row, with no target to charge it to, the run has
 * failed; but not while another of them lives, though it may wait for long without a record: where the system
 * gives fewer processes than were asked for, those do the work.
 */
#include "pool/master_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/log.h"
#include "pool/message.h"

#define PAUSE_MIN_US 100000
#define PAUSE_MAX_US 5000000
#define BARREN_MAX   5 /* deaths without a record, of each worker on average */

bool child_is_resolver(const struct child *c)
{
	return c == c->master->resolver;
}

enum plan_kind child_kind(const struct child *c)
{
	return c->session ? PLAN_SESSIONS : PLAN_DATAGRAMS;
}

const char *child_noun(const struct child *c)
{
	return child_is_resolver(c) ? "the resolver" : "a worker";
}

bool children_live(const struct master *m)
{
	for (unsigned i = 0; i <= m->nworkers; i++)
		if (m->children[i].queue != NULL)
			return true;
	return false;
}

/* --- death -------------------------------------------------------------------------------- */

static void log_charge(const char *how, const struct dispatch_task *t)
{
	char address[ADDR_TEXT_MAX];

	addr_text(t->addrs != NULL ? &t->addrs[0] : &t->addr, address);
	log_warning("a worker %s while at work on %s; what it had in hand is asked again", how,
		    t->host ? t->host : address);
}

/* What it owed waits again. Returns whether the death is charged to a target. */
static bool worker_mourn(struct child *c, const char *how)
{
	struct master *m = c->master;
	struct dispatch_task t;
	uint64_t at_work = c->stuck ? c->first_seq + 1
				    : atomic_load(&cell_of(m->cells, c->number)->at_work);
	enum dispatch_charge charge = dispatch_death(m->dispatch, c->number, at_work, &t);

	if (charge == DISPATCH_NOBODY)
		log_warning("a worker %s; what it had in hand is asked again", how);
	else
		log_charge(how, &t);
	if (charge == DISPATCH_CRASHED)
		record_settle(m, &t, RECORD_CRASHED, "three workers died while at work on it");
	return charge != DISPATCH_NOBODY;
}

/* No worker can live, or no process can be made: what is open ends here. */
static void children_give_up(struct master *m)
{
	log_error("the workers die again and again without a record; giving up");
	m->result->failed = true;
	m->barren[PLAN_DATAGRAMS] = m->barren[PLAN_SESSIONS] = 0;
	if (m->config->feed != NULL) {
		feed_give_up(m);
		return;
	}
	master_cancel(m, "no worker could live");
}

/* A worker of this kind has lived for longer than any pause between deaths. */
static bool somebody_lives(const struct master *m, enum plan_kind kind)
{
	int64_t now_us = loop_now_us(m->loop);

	for (unsigned i = 0; i < m->nworkers; i++) {
		const struct child *c = &m->children[i];
		if (child_kind(c) == kind && c->queue != NULL && now_us - c->born_us > PAUSE_MAX_US)
			return true;
	}
	return false;
}

/* of a resolver: charged means that a name may have been the reason */
static void respawn_plan(struct child *c, bool charged)
{
	struct master *m = c->master;
	unsigned *barren;

	if (c->delivered || (charged && !child_is_resolver(c)))
		c->pause_us = PAUSE_MIN_US;
	c->respawn_us = loop_now_us(m->loop) + c->pause_us;
	c->pause_us = c->pause_us * 2 < PAUSE_MAX_US ? c->pause_us * 2 : PAUSE_MAX_US;
	if (child_is_resolver(c)) {
		names_resolver_died(m, charged);
		if (!names_left(m) && m->names.wanted == 0)
			c->respawn_us = LOOP_NEVER; /* the next name is soon enough */
		return;
	}
	barren = &m->barren[child_kind(c)];
	if (!c->delivered && !charged)
		++*barren;
	if (*barren >= BARREN_MAX * m->workers[child_kind(c)] && !somebody_lives(m, child_kind(c)))
		children_give_up(m);
}

/* A session was killed because the time of its target was over: that ends here. */
static void session_expire(struct child *c)
{
	struct master *m = c->master;
	struct dispatch_task t;

	if (m->cancelled_us != LOOP_NEVER) {
		dispatch_death(m->dispatch, c->number, 0, &t); /* it is withdrawn with the others */
		return;
	}
	if (dispatch_withdraw_from(m->dispatch, c->number, &t))
		record_settle(
			m, &t, RECORD_TIMEOUT,
			"the host's time was over before a connection was made, or an answer came");
	c->pause_us = PAUSE_MIN_US;
	if (m->cancelled == NULL)
		c->respawn_us = loop_now_us(m->loop);
}

/* Its queue has ended, or it lies. */
void child_death(struct child *c)
{
	struct master *m = c->master;
	char how[100];
	bool charged = false;
	int status;

	loop_forget(m->loop, c->proc.fd);
	c->watched = false;
	queue_free(c->queue);
	c->queue = NULL;
	status = proc_end(&c->proc);
	proc_status_text(status, how, sizeof(how));
	parts_drop(c);
	if (c->stopping)
		return;
	if (c->expired) {
		session_expire(c);
		return;
	}
	m->result->deaths++;
	if (child_is_resolver(c)) {
		log_warning("%s %s", child_noun(c), how);
		charged = !WIFEXITED(status) || WEXITSTATUS(status) != PROC_NOT_BEGUN;
	} else {
		charged = worker_mourn(c, how);
	}
	if (m->cancelled != NULL)
		return;
	respawn_plan(c, charged);
	children_rate(m);
}

/* --- word --------------------------------------------------------------------------------- */

static bool stats_take(struct master *m, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct stats delta;

	if (!stats_unpack(&delta, &r))
		return false;
	stats_add(&m->result->stats, &delta);
	if (m->layout != NULL) /* between rounds nobody keeps them */
		layout_count(m->layout, &delta);
	return true;
}

/* False: it may not say that. */
static bool frame_take(struct child *c, const struct queue_frame *f)
{
	bool taken = true;

	if (!trust_frame(c, f))
		return false;
	c->heard_us = loop_now_us(c->master->loop);
	c->pinged = false;
	switch (f->kind) {
	case MESSAGE_STOPPED:
		shutdown(c->proc.fd, SHUT_WR); /* nothing comes any more: it may leave */
		return true;
	case MESSAGE_ADDRESSES:
		taken = names_take(c->master, f);
		child_advance(c);
		return taken;
	case MESSAGE_RECORD:
		taken = record_take(c, f);
		child_advance(c);
		return taken;
	case MESSAGE_PART:
		return part_take(c, f);
	case MESSAGE_STATS:
		return stats_take(c->master, f);
	default: /* PONG */
		return true;
	}
}

/* Takes the frames that are here, as long as the output takes records. */
static void child_serve(struct child *c)
{
	struct queue_frame f;

	while (!c->master->over && (child_is_resolver(c) || !output_blocked(c->master))) {
		if (!queue_next(c->queue, &f)) {
			if (c->state != QUEUE_OPEN)
				child_death(c);
			return;
		}
		if (!frame_take(c, &f)) {
			log_warning("%s said what it may not say (message %u); it is killed",
				    child_noun(c), f.kind);
			child_death(c);
			return;
		}
	}
	c->master->unread = true; /* not all; the loop does not tell of it again */
}

void child_ready(void *arg, unsigned ready)
{
	struct child *c = arg;

	if (!(ready & LOOP_READ))
		return;
	if (!child_is_resolver(c) && (output_blocked(c->master) || c->master->unread))
		return; /* what was read before comes first, or it would pile up in the queue */
	c->state = queue_read(c->queue);
	child_serve(c);
}

void children_serve(struct master *m)
{
	m->unread = false;
	for (unsigned i = 0; i < m->nworkers; i++)
		if (m->children[i].queue != NULL)
			child_serve(&m->children[i]);
}

/* --- birth -------------------------------------------------------------------------------- */

static int child_main(void *arg, int fd)
{
	const struct child *c = arg;
	const struct master_config *config = c->master->config;

	cells_leave(c->master->cells, c->master->nworkers, c->number);
	if (child_is_resolver(c))
		return config->resolver(config->resolver_arg, fd);
	return config->worker(c->session ? config->session_arg : config->worker_arg, fd,
			      &cell_of(c->master->cells, c->number)->at_work);
}

void child_birth(struct child *c)
{
	struct master *m = c->master;

	if (!child_is_resolver(c))
		atomic_store(&cell_of(m->cells, c->number)->at_work, 0);
	c->delivered = c->pinged = c->killed = c->expired = c->stuck = false;
	trust_begin(c);
	if (child_is_resolver(c))
		refresh_born(m);
	c->respawn_us = LOOP_NEVER;
	if (!proc_spawn(&c->proc, child_main, c)) {
		log_warning("cannot start %s: %s", child_noun(c), strerror(errno));
		respawn_plan(c, false);
		return;
	}
	c->queue = queue_new(c->proc.fd);
	c->state = QUEUE_OPEN;
	c->heard_us = c->born_us = loop_now_us(m->loop);
	if (!child_is_resolver(c))
		children_rate(m);
}

void children_start(struct master *m)
{
	unsigned n = m->nworkers + 1;

	m->children = mem_zero(n, sizeof(*m->children));
	m->resolver = &m->children[n - 1];
	for (unsigned i = 0; i < n; i++)
		m->children[i] = (struct child){.master = m,
						.number = i,
						.session = i >= m->workers[PLAN_DATAGRAMS] &&
							   i < n - 1,
						.proc = {.fd = -1},
						.respawn_us = LOOP_NEVER,
						.pause_us = PAUSE_MIN_US};
	for (unsigned i = 0; i < n - 1; i++)
		child_birth(&m->children[i]);
}

void children_free(struct master *m)
{
	for (unsigned i = 0; i <= m->nworkers; i++) {
		struct child *c = &m->children[i];
		if (c->queue != NULL)
			loop_forget(m->loop, c->proc.fd);
		queue_free(c->queue);
		proc_end(&c->proc);
		trust_free(c);
	}
	free(m->children);
}

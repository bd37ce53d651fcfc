/*
 * Targets become tasks of workers, as many as these have credit for, and no earlier.
 *
 * The order: who waits again after a death, then who has waited for a name, then the plan. Workers are
 * topped up in turns, a frame of tasks each, so that a short list is shared and a long one costs few
 * frames. A target whose name is not known yet steps aside and holds up nobody.
 *
 * The trap: a list of a million names is walked through at once, since none of them takes a worker's
 * credit before it is known; so a turn looks at STEPS targets and then lets signals and children
 * be heard.
 */
#include "pool/master_internal.h"

#include <stdlib.h>

#include "base/task.h"
#include "pool/message.h"

#define STEPS 4096 /* targets looked at in a turn, so that signals and children are heard */
/* Octets of tasks for a worker that does not read them: it may answer all the same what it can guess. */
#define BACKLOG_MAX ((size_t)256 << 10)

/* --- the next target ---------------------------------------------------------------------- */

enum next {
	NEXT_TASK,
	NEXT_UNKNOWN,
	NEXT_FAULTY,
	NEXT_NOT_YET,
	NEXT_NONE
};

/* In place, as the next one: what is returned would be made elsewhere, and copied while it is still being written. */
static void task_named(struct dispatch_task *task, const struct master *m, const struct waiter *t)
{
	const struct name *n = &m->names.list[t->name];

	*task = (struct dispatch_task){.seq = t->seq,
				       .host = t->host,
				       .addrs = n->addrs,
				       .name = t->name,
				       .profile = t->profile,
				       .port = t->port,
				       .naddrs = n->naddrs,
				       .transport = t->transport};
}

static void task_planned(struct dispatch_task *task, const struct plan_target *p)
{
	*task = (struct dispatch_task){.seq = p->seq,
				       .host = p->host,
				       .path = p->path,
				       .addr = p->addr,
				       .profile = p->profile,
				       .naddrs = p->path == NULL,
				       .transport = p->transport};
}

/* The first of those whose name is known, or known to be unknown (then why is set). */
static bool ready_next(struct master *m, enum plan_kind kind, struct dispatch_task *task,
		       const char **why)
{
	struct waiters *ready = &m->names.ready[kind];
	struct waiter *t = ready->first;

	if (t == NULL)
		return false;
	task_named(task, m, t);
	*why = m->names.list[t->name].message;
	ready->first = t->next;
	if (ready->first == NULL)
		ready->last = NULL;
	free(t);
	return true;
}

/* The plan's next target. NEXT_NOT_YET: it waits for its name now. */
static enum next planned_next(struct master *m, enum plan_kind kind, struct dispatch_task *task,
			      const char **why)
{
	struct plan_target p;
	struct waiter named;
	const struct name *n;
	bool later;

	if (m->plan_done[kind])
		return NEXT_NONE;
	if (!spread_next(m, kind, &p, &later)) {
		m->plan_done[kind] = !later;
		return NEXT_NONE;
	}
	m->result->targets++;
	*why = feed_fault(m, p.profile);
	if (*why != NULL) {
		task_planned(task, &p);
		return NEXT_FAULTY;
	}
	if (p.name == NULL || m->cancelled != NULL) { /* then no name is looked up any more */
		task_planned(task, &p);
		return NEXT_TASK;
	}
	named = (struct waiter){.seq = p.seq,
				.host = p.host,
				.profile = p.profile,
				.port = p.port,
				.transport = p.transport};
	named.name = names_find(m, &p);
	n = &m->names.list[named.name];
	if (n->state != NAME_KNOWN && n->state != NAME_UNKNOWN) {
		names_wait(m, kind, &named);
		return NEXT_NOT_YET;
	}
	task_named(task, m, &named);
	*why = n->message;
	return n->state == NAME_UNKNOWN ? NEXT_UNKNOWN : NEXT_TASK;
}

static enum next target_next(struct master *m, enum plan_kind kind, struct dispatch_task *task,
			     const char **why)
{
	*why = NULL;
	if (ready_next(m, kind, task, why))
		return *why != NULL ? NEXT_UNKNOWN : NEXT_TASK;
	return planned_next(m, kind, task, why);
}

/* Some of this kind have no record yet, as far as is known: an open name may be anybody's. */
static bool kind_left(struct master *m, enum plan_kind kind)
{
	if (!m->plan_done[kind] || m->names.ready[kind].first != NULL || names_left(m) ||
	    dispatch_waiting(m->dispatch) > 0)
		return true;
	for (unsigned i = 0; i < m->nworkers; i++)
		if (child_kind(&m->children[i]) == kind && child_owes(&m->children[i]))
			return true;
	return false;
}

bool leases_left(struct master *m)
{
	bool left = false;

	for (unsigned kind = 0; kind < PLAN_KINDS; kind++) {
		if (!m->through[kind] && !kind_left(m, (enum plan_kind)kind)) {
			m->through[kind] = true;
			children_rate(m); /* the other kind has it all */
		}
		left |= !m->through[kind];
	}
	return left;
}

/* --- leases ------------------------------------------------------------------------------- */

struct frame { /* of tasks */
	struct child *child;
	unsigned *steps; /* left in this turn */
	unsigned tasks;
	struct wire_out out;
};

static void frame_add(struct frame *f, uint32_t lease, const struct dispatch_task *t)
{
	struct addr addrs[TASK_ADDRS_MAX];
	struct task task = {.seq = t->seq,
			    .lease = lease,
			    .profile = t->profile,
			    .host = t->host,
			    .addrs = &t->addr,
			    .naddrs = t->naddrs,
			    .transport = t->transport,
			    .path = t->path};

	if (t->addrs != NULL) {
		for (unsigned i = 0; i < t->naddrs; i++) {
			addrs[i] = t->addrs[i];
			addrs[i].port = t->port;
		}
		task.addrs = addrs;
	}
	recall_lend(f->child->master, t, &task);
	task_pack(&task, &f->out);
	f->tasks++;
	if (f->child->session)
		child_leased(f->child, t->profile);
}

/* One target more for the frame's worker. False: there is none now. */
static bool frame_next(struct master *m, struct frame *f)
{
	enum plan_kind kind = child_kind(f->child);
	const struct dispatch_task *again;
	struct dispatch_task task;
	const char *why;
	uint32_t lease;

	again = dispatch_lease_again(m->dispatch, f->child->number, &lease);
	if (again != NULL) {
		frame_add(f, lease, again);
		return true;
	}
	switch (target_next(m, kind, &task, &why)) {
	case NEXT_TASK:
		frame_add(f, dispatch_lease(m->dispatch, f->child->number, &task), &task);
		return true;
	case NEXT_UNKNOWN:
		record_settle(m, &task, RECORD_RESOLVE, why);
		return !output_blocked(m);
	case NEXT_FAULTY:
		record_settle(m, &task, RECORD_ERROR, why);
		return !output_blocked(m);
	case NEXT_NOT_YET:
		return true;
	default:
		return false;
	}
}

/* Fills a frame for one worker. False: there is nothing more to hand out now. */
static bool frame_fill(struct master *m, struct frame *f)
{
	bool more = true, owed = child_owes(f->child);

	f->tasks = 0;
	f->out = (struct wire_out){.at = m->frame, .end = m->frame + MASTER_FRAME};
	while (more && *f->steps > 0 && f->tasks < m->batch &&
	       dispatch_room(m->dispatch, f->child->number) > 0) {
		more = frame_next(m, f);
		--*f->steps;
	}
	if (f->tasks == 0)
		return more;
	if (!owed)
		child_begins(f->child);
	queue_put(f->child->queue, MESSAGE_TASKS, m->frame, (size_t)(f->out.at - m->frame));
	return more;
}

static bool wants_tasks(const struct child *c)
{
	const struct dispatch *d = c->master->dispatch;
	bool hears = c->queue != NULL && !c->killed && queue_backlog(c->queue) < BACKLOG_MAX;
	unsigned room = hears ? dispatch_room(d, c->number) : 0;

	return room >= MASTER_BATCH || (room > 0 && dispatch_leased(d, c->number) < room);
}

/* Tops up the workers of a kind. False: all that may be handed out to them has been. */
static bool kind_fill(struct master *m, enum plan_kind kind)
{
	unsigned first = kind == PLAN_SESSIONS ? m->workers[PLAN_DATAGRAMS] : 0;
	unsigned steps = STEPS;
	struct frame f = {.steps = &steps};
	bool more = !output_blocked(m), wanted = true;

	while (more && wanted && steps > 0) {
		wanted = false;
		for (unsigned i = 0; more && i < m->workers[kind]; i++) {
			f.child = &m->children[first + (m->turns + i) % m->workers[kind]];
			if (!wants_tasks(f.child))
				continue;
			wanted = true;
			more = frame_fill(m, &f);
		}
	}
	return wanted && (more || output_blocked(m));
}

void leases_fill(struct master *m)
{
	bool datagrams = kind_fill(m, PLAN_DATAGRAMS), sessions = kind_fill(m, PLAN_SESSIONS);

	m->busy = datagrams || sessions;
	if (m->spread != NULL) /* what is due is little: it does not go to the first one always */
		m->turns++;
}

/* --- the end of leasing ------------------------------------------------------------------- */

static enum next any_next(struct master *m, struct dispatch_task *task, const char **why)
{
	enum next next = target_next(m, PLAN_DATAGRAMS, task, why);

	return next != NEXT_NONE ? next : target_next(m, PLAN_SESSIONS, task, why);
}

void leases_cancel(struct master *m)
{
	struct dispatch_task task;
	unsigned steps = STEPS;
	const char *why;

	m->busy = true;
	while (steps-- > 0 && !output_blocked(m)) {
		if (dispatch_withdraw(m->dispatch, &task)) {
			record_settle(m, &task, RECORD_CANCELLED, m->cancelled);
			continue;
		}
		enum next next = any_next(m, &task, &why);
		if (next == NEXT_NONE) {
			m->busy = false;
			return;
		}
		record_settle(m, &task, next == NEXT_UNKNOWN ? RECORD_RESOLVE : RECORD_CANCELLED,
			      next == NEXT_UNKNOWN ? why : m->cancelled);
	}
}

/*
 * The care for children: what is sent to them, when something is due, the end by STOP.
 *
 * There is no periodic tick: a child that owes us a word and keeps silent has a deadline, others have
 * none. While the output is blocked we do not listen to workers, so none of them is silent then; when it
 * is open again all periods begin anew.
 *
 * A worker for sessions blocks while it connects, as long as its host may be silent. It limits itself; but what
 * it waits for is in a library's hands, so when the host's own time is over, or it has not spoken for
 * longer than it can block, it is killed. That is no crash: the target's record says that its time was
 * over. At a cancellation nobody waits for a connection: CANCEL_US are left to answer. A worker that hangs at
 * a cancellation is not asked first: everybody waits for the end of the run.
 *
 * To say something is not to get on. A worker that was taken over, or has lost a timer, may answer each PING and
 * keep what it holds for ever. So its oldest lease has an end of its own, which no host can reach that is
 * asked by a worker as it should be; it is charged with that death, so that the run ends whatever happens.
 * After a cancellation only records count. Rejected: a PONG that says how far it got, which is the word
 * of the one that is not believed.
 *
 * The trap: poll(2) tells a hang-up even to who asks for nothing. A worker that dies while we do not
 * listen would wake us all the time; so its queue leaves the loop, and comes back with the listening.
 */
#include "pool/master_internal.h"

#include <signal.h>

#include "base/log.h"
#include "pool/message.h"

#define SILENCE_US  5000000 /* default */
#define LIMIT_US    500000  /* after a host's time is over its session may still say so itself */
#define HURRY_US    2000000 /* a worker that was told to cancel answers in milliseconds, or never */
#define CANCEL_US   50000   /* "closed within 100 ms" (DESIGN.md) */
#define PATIENCE_US INT64_C(600000000) /* default: a busy machine, neighbours that wait for ARP */
#define RATE_UNIT   1000               /* MESSAGE_RATE counts packets per so many seconds */

bool child_owes(const struct child *c)
{
	if (child_is_resolver(c))
		return c->master->names.asked + c->master->names.refreshing > 0;
	return dispatch_leased(c->master->dispatch, c->number) > 0;
}

/* --- what is sent --------------------------------------------------------------------------- */

/* It lives, and may have something to send. */
static bool has_share(const struct child *c)
{
	return c->queue != NULL && !c->master->through[child_kind(c)];
}

/* Invariant 5: all workers together are not faster than asked, however many live. */
void children_rate(struct master *m)
{
	double share = m->orders.rate_pps * RATE_UNIT;
	unsigned sharing = 0;
	uint8_t octets[4];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	for (unsigned i = 0; i < m->nworkers; i++)
		sharing += has_share(&m->children[i]);
	if (sharing == 0 || (share <= 0 && m->config->feed == NULL)) /* none may follow one */
		return;
	share /= sharing;
	wire_put_u32(&w, share <= 0           ? 0
			 : share < 1          ? 1
			 : share > UINT32_MAX ? UINT32_MAX
					      : (uint32_t)share);
	for (unsigned i = 0; i < m->nworkers; i++)
		if (has_share(&m->children[i]))
			queue_put(m->children[i].queue, MESSAGE_RATE, octets, sizeof(octets));
}

static void child_watch(struct child *c)
{
	struct master *m = c->master;
	bool listen = child_is_resolver(c) || !output_blocked(m);
	unsigned want = LOOP_READ;

	queue_flush(c->queue); /* false: it is dead, which its end of file says */
	if (queue_backlog(c->queue) > 0)
		want |= LOOP_WRITE;
	if (listen && !c->watched)
		loop_watch(m->loop, c->proc.fd, want, child_ready, c);
	else if (listen)
		loop_want(m->loop, c->proc.fd, want);
	else /* not: wants nothing, for a dead one's hang-up would wake us all the time */
		loop_forget(m->loop, c->proc.fd);
	c->watched = listen;
}

void children_watch(struct master *m)
{
	for (unsigned i = 0; i <= m->nworkers; i++)
		if (m->children[i].queue != NULL)
			child_watch(&m->children[i]);
}

static void children_put(struct master *m, enum message kind)
{
	unsigned n = m->nworkers + (kind == MESSAGE_STOP); /* which the resolver knows, too */

	for (unsigned i = 0; i < n; i++)
		if (m->children[i].queue != NULL)
			queue_put(m->children[i].queue, (uint8_t)kind, NULL, 0);
}

void children_stop(struct master *m)
{
	m->stopping = true;
	if (m->names.refreshing > 0) /* nobody waits for its answers */
		resolver_leave(m);
	refresh_lost(m);
	children_put(m, MESSAGE_STOP);
	for (unsigned i = 0; i <= m->nworkers; i++) {
		m->children[i].stopping = true;
		m->children[i].respawn_us = LOOP_NEVER;
	}
	children_renew(m);
}

/* Nothing more is asked: workers end what they have in hand. */
void children_cancel(struct master *m)
{
	for (unsigned i = 0; i < m->nworkers; i++) {
		m->children[i].respawn_us = LOOP_NEVER;
		if (m->children[i].queue != NULL)
			queue_put(m->children[i].queue, MESSAGE_CANCEL, NULL, 0);
	}
	m->cancelled_us = loop_now_us(m->loop);
	children_renew(m);
}

void children_drain(struct master *m)
{
	children_put(m, MESSAGE_DRAIN);
}

void resolver_leave(struct master *m)
{
	m->resolver->respawn_us = LOOP_NEVER;
	m->resolver->stopping = true;
	if (m->resolver->queue != NULL)
		child_death(m->resolver);
}

void children_resume(struct master *m, bool cancelled)
{
	m->resolver->stopping = false;
	if (cancelled)
		children_put(m, MESSAGE_RESUME);
	for (unsigned i = 0; i < m->nworkers; i++)
		if (m->children[i].queue == NULL && m->children[i].respawn_us == LOOP_NEVER)
			child_birth(&m->children[i]);
	children_rate(m);
}

/* --- silence ------------------------------------------------------------------------------ */

void child_leased(struct child *c, uint32_t profile)
{
	size_t n;
	const struct profile *p = &plan_profiles(c->master->config->plan, &n)[profile];

	c->leased_us = loop_now_us(c->master->loop);
	c->blocks_us = profile_worst_us(p, 1);
	c->limit_us = p->deadline_us > 0 ? p->deadline_us + LIMIT_US : 0;
}

/* When a session that has a target is to be killed, however talkative it is. */
static int64_t session_end_us(const struct child *c)
{
	const struct master *m = c->master;
	int64_t end_us = c->first_us + c->patience_us;

	if (c->limit_us > 0)
		end_us = c->leased_us + c->limit_us;

	if (m->cancelled_us < LOOP_NEVER - CANCEL_US && m->cancelled_us + CANCEL_US < end_us)
		end_us = m->cancelled_us + CANCEL_US;
	return end_us;
}

static int64_t silence_us(const struct master *m)
{
	return m->config->silence_us > 0 ? m->config->silence_us : SILENCE_US;
}

/* So long that the first lease of a worker may last, or a name; all times of the host are in it. */
static int64_t patience_us(const struct child *c, const struct dispatch_task *first)
{
	const struct master_config *config = c->master->config;
	double us = config->patience_us > 0 ? (double)config->patience_us : PATIENCE_US;
	double sends = 1;
	size_t n;

	if (first != NULL) {
		const struct profile *p = &plan_profiles(config->plan, &n)[first->profile];
		unsigned addresses = first->naddrs > 0 ? first->naddrs : 1;

		us += (double)profile_limit_us(p, addresses);
		sends = p->deadline_us > 0 ? 1 : profile_sends_max(p, addresses);
	}
	if (c->master->orders.rate_pps > 0) /* each waits for those of all others in the window */
		us += sends * config->window * c->master->nworkers * 1e6 /
		      c->master->orders.rate_pps;
	return us < 1e18 ? (int64_t)us : INT64_C(1000000000000000000);
}

static void child_renew(struct child *c)
{
	c->heard_us = c->leased_us = c->first_us = c->delivered_us = loop_now_us(c->master->loop);
	c->pinged = false;
}

void child_advance(struct child *c)
{
	struct master *m = c->master;
	const struct dispatch_task *first = child_is_resolver(c)
						    ? NULL
						    : dispatch_first(m->dispatch, c->number);

	c->delivered_us = loop_now_us(m->loop);
	if (first != NULL && first->seq == c->first_seq)
		return;
	c->first_seq = first != NULL ? first->seq : 0;
	c->first_us = c->delivered_us;
	c->patience_us = patience_us(c, first);
}

void child_begins(struct child *c)
{
	child_renew(c);
	c->first_seq = UINT64_MAX;
	child_advance(c);
}

/* When a worker for datagrams, or the resolver, is to be killed, however talkative it is. */
static int64_t child_end_us(const struct child *c)
{
	int64_t silent_us = silence_us(c->master);

	if (c->master->cancelled_us != LOOP_NEVER) /* its words do not count */
		return c->delivered_us + (silent_us < HURRY_US ? silent_us : HURRY_US);
	return c->first_us + c->patience_us;
}

/* When something is to be done about it; LOOP_NEVER. */
static int64_t child_due_us(const struct child *c)
{
	int64_t silent_us = silence_us(c->master), due_us, end_us;

	if (c->queue == NULL)
		return c->respawn_us;
	if (c->killed || (output_blocked(c->master) && !child_is_resolver(c)))
		return LOOP_NEVER;
	if (c->stopping)
		return c->heard_us + silent_us;
	if (!child_owes(c))
		return LOOP_NEVER;
	if (c->session)
		silent_us += c->blocks_us;
	due_us = c->heard_us + (c->pinged ? 2 : 1) * silent_us;
	end_us = c->session ? session_end_us(c) : child_end_us(c);
	return due_us < end_us ? due_us : end_us;
}

int64_t children_next_us(const struct master *m)
{
	int64_t next_us = LOOP_NEVER;

	for (unsigned i = 0; i <= m->nworkers; i++) {
		int64_t due_us = child_due_us(&m->children[i]);
		next_us = due_us < next_us ? due_us : next_us;
	}
	return next_us;
}

static bool is_over(const struct child *c)
{
	return session_end_us(c) <= loop_now_us(c->master->loop);
}

static void child_due(struct child *c)
{
	if (c->queue == NULL) {
		child_birth(c);
	} else if (c->session && child_owes(c) && (c->pinged || is_over(c))) {
		kill(c->proc.pid, SIGKILL);
		c->killed = c->expired = true;
	} else if (!c->session && !c->stopping && child_end_us(c) <= loop_now_us(c->master->loop)) {
		log_warning("%s gives no %s, and nothing takes so long; it is killed",
			    child_noun(c), child_is_resolver(c) ? "answer" : "record");
		kill(c->proc.pid, SIGKILL);
		c->killed = true;
		c->stuck = !child_is_resolver(c);
	} else if (c->stopping || c->pinged) {
		log_warning("%s %s; it is killed", child_noun(c),
			    c->stopping ? "does not stop" : "does not answer");
		kill(c->proc.pid, SIGKILL);
		c->killed = true;
	} else {
		queue_put(c->queue, MESSAGE_PING, NULL, 0);
		c->pinged = true;
		c->trust.pings++;
	}
}

void children_times(struct master *m)
{
	for (unsigned i = 0; i <= m->nworkers; i++)
		if (child_due_us(&m->children[i]) <= loop_now_us(m->loop))
			child_due(&m->children[i]);
}

void children_renew(struct master *m)
{
	for (unsigned i = 0; i <= m->nworkers; i++)
		child_renew(&m->children[i]);
}

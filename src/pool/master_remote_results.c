/*
 * What comes back: bodies of results, and batches that were given up.
 *
 * The ledger decides: the first record of a task takes its bit and goes the way of all records; what comes after it is
 * counted and dropped. A number of an older round is known as such. Whose record it is says the plan, by its
 * number, and never the agent.
 *
 * A body holds many records, and the output may be full after any of them. So it is gone through where it lies, in the
 * link's queue, and what is left of it waits there; no other frame is read before it is through.
 *
 * A batch that was given up makes its tasks `crashed`, unless they went out again since, under another number: whoever has
 * them now may live. That it was given up is kept, for who has to say in the end why there is no record.
 *
 * Its counters count when it was gone through, once. A run that is taken up has those of messages whose records stand in
 * the output: one with such records alone is one of them, or a repeat of one, and comes again since its end was not heard of.
 *
 * A body is acknowledged when its records are safe (pool/acks.h). One that makes no sense is acknowledged too: to
 * have it again would bring no more sense.
 *
 * The trap: an agent beyond a network is believed even less than a worker. What it says of a record's octets is held to
 * the same rules, so that no record can run on into another one's.
 */
#include "pool/master_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define DEAD_WORDS "given up by the broker: agents died with it in hand, or could not use it"

/* In place: what is returned would be made elsewhere, and copied while it is still being written. */
static void task_fill(struct dispatch_task *task, const struct plan_target *p)
{
	*task = (struct dispatch_task){.seq = p->seq,
				       .host = p->host,
				       .path = p->path,
				       .addr = p->addr,
				       .profile = p->profile,
				       .naddrs = p->path == NULL && p->name == NULL,
				       .transport = p->transport};
}

/* Takes the task's bit; false: it has been taken. p: what the plan says of it. */
static bool ledger_settle(struct master *m, uint64_t seq, const struct plan_target *p)
{
	if (!ledger_take(m->remote->ledger, seq))
		return false;
	site_of(m, p->profile)->left--;
	if (m->parts.cap > 0)
		pieces_drop(m, seq);
	return true;
}

bool remote_settle(struct master *m, uint64_t seq, enum record_status status, const char *words)
{
	struct dispatch_task task;
	struct plan_target p;

	if (ledger_has(m->remote->ledger, seq))
		return false;
	plan_at(m->config->plan, seq, &p);
	ledger_settle(m, seq, &p);
	task_fill(&task, &p);
	record_settle(m, &task, status, words);
	acks_seq(m->remote->acks, seq, status);
	return true;
}

/* --- records ------------------------------------------------------------------------------ */

/* Of this round: its number in the plan. */
static bool seq_is_ours(const struct master *m, uint64_t wire, uint64_t *seq)
{
	const struct remote *r = m->remote;

	*seq = wire - r->round * r->tasks; /* of an older one: far beyond them */
	return !m->resting && *seq < r->tasks;
}

static bool result_is_sound(const struct master *m, const struct batch_result *b)
{
	if (b->head->status == RECORD_LOST || b->head->rtt_us < -1)
		return false;
	return !record_is_wanted(m, b->head->status) || b->before > 0 ||
	       trust_octets(m, 0, (struct queue_part){b->front, b->front_len},
			    (struct queue_part){b->octets, b->len});
}

static void warn_of_bad(struct master *m)
{
	if (!m->remote->warned_bad)
		log_warning("an agent sent what no agent may send; it is dropped");
	m->remote->warned_bad = true;
}

static void result_write(struct master *m, const struct plan_target *p, struct batch_result *b,
			 struct part *part)
{
	struct remote *r = m->remote;
	struct record_octets octets = {{b->front, b->front_len}, {b->octets, b->len}};
	struct dispatch_task task;

	if (!ledger_settle(m, p->seq, p)) {
		part_free(m, part);
		return;
	}
	recall_learn(m, p, b->head);
	task_fill(&task, p);
	if (b->addr.family != 0)
		task.addr = b->addr;
	if (b->head->engine_id_len > 0)
		engines_take(&m->engines, b->head, p->host);
	record_come(m, &task, b->head, part, &octets);
	if (m->large.open) {
		r->slow = true;
		r->slow_seq = p->seq;
		r->slow_status = (enum record_status)b->head->status;
	} else {
		acks_seq(r->acks, p->seq, (enum record_status)b->head->status);
	}
}

/* The last piece of a record, which may be all of it. */
static void record_end(struct master *m, const struct plan_target *p, struct batch_result *b)
{
	struct part *part = NULL;
	bool whole = b->before == 0;

	if (!result_is_sound(m, b)) {
		warn_of_bad(m);
		return;
	}
	if (!whole)
		part = piece_end(m, m->remote->taken.incarnation, b, &whole);
	if (whole)
		result_write(m, p, b, part);
}

static void result_take(struct master *m, struct batch_result *b)
{
	const struct ledger *stood = m->remote->config->taken;
	struct taken *t = &m->remote->taken;
	struct plan_target p;
	struct site *site;
	uint64_t seq;

	if (!seq_is_ours(m, b->seq, &seq)) {
		m->result->remote.late += b->head != NULL;
		return;
	}
	if (stood != NULL && ledger_has(stood, seq))
		t->known = true;
	else
		t->fresh = true;
	plan_at(m->config->plan, seq, &p);
	site = site_of(m, p.profile);
	if (site != t->heard) /* once a turn is enough; a repeat is no silence either */
		site_heard(m, site);
	t->heard = site;
	if (ledger_has(m->remote->ledger, seq)) {
		m->result->remote.duplicates += b->head != NULL;
		return;
	}
	if (b->head != NULL)
		record_end(m, &p, b);
	else
		piece_take(m, t->incarnation, b);
}

/* --- bodies ------------------------------------------------------------------------------- */

/* Not one that came before; what is older than all that is remembered is taken for one. */
static bool body_is_new(struct agent *a, uint64_t number)
{
	uint64_t back;

	if (number > a->number) {
		back = number - a->number;
		a->seen = back < 64 ? a->seen << back : 0;
		if (back <= 64) /* the highest so far is one of those before now */
			a->seen |= UINT64_C(1) << (back - 1);
		a->number = number;
		return true;
	}
	back = a->number - number;
	if (back == 0 || back > 64 || a->seen >> (back - 1) & 1)
		return false;
	a->seen |= UINT64_C(1) << (back - 1);
	return true;
}

/* Gone through: its counters count, and it is acknowledged when what was in it is safe. */
static void taken_close(struct master *m)
{
	struct taken *t = &m->remote->taken;

	t->open = false;
	if (t->agent != NULL && !m->resting && body_is_new(t->agent, t->number) &&
	    !(t->known && !t->fresh))
		stats_add(&m->result->stats, &t->stats);
	acks_tag(m->remote->acks, t->tag, loop_now_us(m->loop));
}

/* A large record of it is through. */
static void slow_close(struct master *m)
{
	struct remote *r = m->remote;

	if (!r->slow || m->large.open)
		return;
	r->slow = false;
	acks_seq(r->acks, r->slow_seq, r->slow_status);
}

void dead_settle(struct master *m, uint64_t seq)
{
	if (remote_settle(m, seq, RECORD_CRASHED, DEAD_WORDS))
		m->result->remote.dead++;
}

/* Not the last word, if the task is in a later batch, too: that one may be answered. */
static void dead_take(struct master *m, uint64_t seq)
{
	struct remote *r = m->remote;
	struct plan_target p;

	plan_at(m->config->plan, seq, &p);
	if (r->taken.number > site_of(m, p.profile)->since) {
		dead_settle(m, seq);
		return;
	}
	if (r->died == NULL)
		r->died = ledger_new(r->tasks);
	ledger_take(r->died, seq);
}

/* A task of a batch that was given up. False: the body makes no sense. */
static bool dead_next(struct master *m, struct wire_in *in)
{
	struct batch_store store;
	struct plan_target p;
	struct learnt known;
	bool learns;
	uint64_t seq;

	if (!batch_target_unpack(&p, &store, &learns, &known, in))
		return false;
	if (seq_is_ours(m, p.seq, &seq) && !ledger_has(m->remote->ledger, seq))
		dead_take(m, seq);
	return true;
}

static bool result_next(struct master *m, struct wire_in *in)
{
	struct batch_result b;
	struct record_head head;

	if (!batch_result_unpack(&b, &head, in))
		return false;
	result_take(m, &b);
	return true;
}

void results_continue(struct master *m)
{
	struct taken *t = &m->remote->taken;

	slow_close(m);
	t->heard = NULL;
	while (t->open && !m->over && !output_blocked(m)) {
		if (t->count == 0) {
			taken_close(m);
			return;
		}
		t->count--;
		if (t->dead ? dead_next(m, &t->in) : result_next(m, &t->in)) {
			slow_close(m);
			continue;
		}
		warn_of_bad(m);
		t->count = 0;
	}
}

/* One of whom we have heard before? */
static void agent_take(struct master *m, const struct batch_results *b)
{
	struct remote *r = m->remote;
	struct agent *a = NULL;

	for (unsigned i = 0; i < r->nagents && a == NULL; i++)
		if (r->agents[i].incarnation == b->incarnation)
			a = &r->agents[i];
	if (a == NULL) {
		r->seen++;
		if (r->nagents < REMOTE_AGENTS_MAX) {
			a = &r->agents[r->nagents++];
			*a = (struct agent){.incarnation = b->incarnation};
		}
		if (m->config->rate_pps > 0)
			for (size_t i = 0; i < r->nsites; i++)
				remote_link_site(m, &r->sites[i], false);
	}
	m->result->remote.agents = r->seen;
	r->taken.agent = a;
	r->taken.number = b->number;
	r->taken.stats = b->stats;
}

static bool results_open(struct master *m, struct wire_in *in)
{
	struct taken *t = &m->remote->taken;
	struct batch_results b;

	if (!batch_results_unpack(&b, in))
		return false;
	agent_take(m, &b);
	t->count = b.count;
	t->incarnation = b.incarnation;
	return true;
}

static bool dead_open(struct master *m, struct wire_in *in)
{
	struct taken *t = &m->remote->taken;
	struct batch_tasks b;

	if (!batch_tasks_unpack(&b, in))
		return false;
	t->dead = true;
	t->number = b.number;
	t->count = b.count;
	if (b.until_us > 0 && loop_wall_ms() * 1000 >= b.until_us)
		t->count = 0; /* its time was over, before anybody had it: that kills nobody */
	return true;
}

static void warn_of_other(struct master *m)
{
	if (!m->remote->warned_other)
		log_warning("an agent of another version answers; what it sends cannot be used");
	m->remote->warned_other = true;
}

/* What it is; nothing, if nobody can tell. */
static void body_open(struct master *m, uint8_t from)
{
	struct taken *t = &m->remote->taken;
	struct batch_head head;
	bool other, sound = true;

	if (!batch_head_unpack(&head, &t->in, &other)) {
		if (other)
			warn_of_other(m);
		else
			warn_of_bad(m);
		return;
	}
	if (head.run != m->remote->config->run->number) {
		m->result->remote.late++;
		return;
	}
	if (from == COURIER_FROM_DEAD && head.kind == BATCH_OF_TASKS)
		sound = dead_open(m, &t->in);
	else if (from == COURIER_FROM_RESULTS && head.kind == BATCH_OF_RESULTS)
		sound = results_open(m, &t->in);
	else if (from == COURIER_FROM_RESULTS && head.kind == BATCH_NEED)
		control_need(m);
	else
		sound = false;
	if (!sound)
		warn_of_bad(m);
}

bool results_take(struct master *m, const struct queue_frame *f)
{
	struct taken *t = &m->remote->taken;
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	uint8_t from;

	m->result->remote.messages++;
	*t = (struct taken){.open = true, .tag = wire_get_u64(&r)};
	from = wire_get_u8(&r);
	(void)wire_get_u32(&r); /* deliveries: agents look at them */
	t->in = r;
	if (r.bad) {
		t->open = false;
		return false;
	}
	body_open(m, from);
	results_continue(m);
	return true;
}

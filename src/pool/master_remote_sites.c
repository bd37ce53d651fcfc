/*
 * Sites: which tasks go to whose queue.
 *
 * The order is the plan's, or the spread's. Each site fills a batch of its own; a full one goes to the window. A site that
 * pauses (its queue has a limit, and says so) holds up no other: its tasks are skipped, a bit for each, and go out
 * when it takes batches again, in their order. So all that is kept of a million tasks is two bits each, three
 * where batches were given up.
 *
 * A batch ends at BATCH_TASKS targets, or where the longest one more would not fit BATCH_BODY_MAX: 512 with names and what is
 * remembered of engines may be more than a frame.
 */
#include "pool/master_internal.h"

#include <stdlib.h>
#include <string.h>

#include "link/link.h"

#define STEPS            4096 /* targets looked at in a turn */
#define LOOK             64   /* of them between two looks at whether any site takes more */
#define PATIENCE_MIN_US  10000000
#define PATIENCE_MORE_US 5000000
#define WINDOW_TYPICAL   4096 /* of an agent's worker: as many hosts share its rate */
#define HEAD_MAX         (BATCH_HEAD_PACKED + 32 + BROKER_NAME_MAX) /* octets before the targets */

_Static_assert(BATCH_BODY_MAX <= WINDOW_BODY_MAX, "a batch that ends at its octets fits a message");
_Static_assert(BATCH_BODY_MAX <= LINK_BODY_MAX, "and who takes it lets it in");

/* --- begin -------------------------------------------------------------------------------- */

struct site *site_of(const struct master *m, uint32_t profile)
{
	return &m->remote->sites[m->remote->site_of[profile]];
}

/* The longest that a host of it can be silent before its record comes. */
static int64_t patience_of(const struct master *m, uint32_t site, const struct profile *profiles,
			   size_t count)
{
	double us = 0;

	if (m->remote->config->patience_us > 0)
		return m->remote->config->patience_us;
	for (size_t i = 0; i < count; i++) {
		double host = (double)profile_worst_us(&profiles[i], 1);

		if (m->remote->site_of[i] != site)
			continue;
		if (m->config->rate_pps > 0)
			host += profile_sends_max(&profiles[i], 1) * WINDOW_TYPICAL * 1e6 /
				m->config->rate_pps;
		us = host > us ? host : us;
	}
	us += PATIENCE_MORE_US;
	return us < PATIENCE_MIN_US ? PATIENCE_MIN_US : us > 1e15 ? (int64_t)1e15 : (int64_t)us;
}

static uint32_t site_number(const struct remote *r, const char *name)
{
	uint32_t i = 0;

	while (i + 1 < r->nsites && r->sites[i].name != name)
		i++;
	return i;
}

void sites_open(struct master *m)
{
	struct remote *r = m->remote;
	const struct plan *plan = m->config->plan;
	const struct profile *profiles;
	size_t count;

	profiles = plan_profiles(plan, &count);
	r->nsites = plan_sites(plan);
	r->sites = mem_zero(r->nsites + 1, sizeof(*r->sites));
	r->site_of = mem_zero(count + 1, sizeof(*r->site_of));
	for (size_t i = 0; i < r->nsites; i++)
		r->sites[i].name = plan_site_at(plan, i);
	for (size_t i = 0; i < count; i++)
		r->site_of[i] = site_number(r, plan_site(plan, (uint32_t)i));
	for (size_t i = 0; i < r->nsites; i++) {
		struct site *s = &r->sites[i];

		s->share = batch_share(plan_site_count(plan, i));
		s->patience_us = patience_of(m, (uint32_t)i, profiles, count);
	}
}

void sites_free(struct master *m)
{
	struct remote *r = m->remote;

	for (size_t i = 0; i < r->nsites; i++)
		buf_free(&r->sites[i].batch);
	free(r->sites);
	free(r->site_of);
}

/* What stood there before this run: not to be asked again. */
static void sites_resume(struct master *m)
{
	const struct ledger *taken = m->remote->config->taken;
	struct plan_target p;

	for (uint64_t seq = 0; taken != NULL && seq < m->remote->tasks; seq++) {
		if (!ledger_has(taken, seq) || !ledger_take(m->remote->ledger, seq))
			continue;
		plan_at(m->config->plan, seq, &p);
		site_of(m, p.profile)->left--;
		m->result->remote.resumed++;
	}
}

void sites_begin(struct master *m)
{
	struct remote *r = m->remote;

	for (size_t i = 0; i < r->nsites; i++) {
		struct site *s = &r->sites[i];

		s->left = plan_site_count(m->config->plan, i);
		s->count = 0;
		s->batch.len = 0;
		s->attempt = 1;
		s->since = r->batch;
		s->skipped = s->cursor = 0;
		s->again = s->losing = s->returned = false;
	}
	m->result->remote.sites = (unsigned)r->nsites;
	sites_resume(m);
	sites_renew(m);
}

/* --- batches ------------------------------------------------------------------------------ */

/* UTC, in us: what is asked later is asked for nothing. 0: no end. */
static int64_t until_us(const struct master *m)
{
	int64_t wall_us = loop_wall_ms() * 1000;

	if (m->config->deadline_us > 0)
		return wall_us + m->start_us + m->config->deadline_us - loop_now_us(m->loop);
	return m->remote->config->ttl_us > 0 ? wall_us + m->remote->config->ttl_us : 0;
}

static void batch_put(struct master *m, struct site *s)
{
	struct remote *r = m->remote;
	struct batch_head head = {.kind = BATCH_OF_TASKS, .run = r->config->run->number};
	struct batch_tasks tasks = {.number = ++r->batch,
				    .attempt = (uint8_t)s->attempt,
				    .until_us = until_us(m),
				    .count = (uint16_t)s->count};
	uint8_t octets[HEAD_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct queue_part parts[2];
	struct window_to to = {
		.to = COURIER_TASKS, .key = s->name, .mark = (uint64_t)(s - r->sites) + 1};

	memcpy(tasks.master, r->config->run->master, sizeof(tasks.master));
	batch_head_pack(&head, &w);
	batch_tasks_pack(&tasks, &w);
	parts[0] = (struct queue_part){octets, (size_t)(w.at - octets)};
	parts[1] = (struct queue_part){s->batch.data, s->batch.len};
	window_put(r->window, &to, parts, 2, loop_now_us(m->loop));
	site_put(m, s);
	s->count = 0;
	s->batch.len = 0;
	site_heard(m, s);
}

static bool batch_is_full(const struct site *s)
{
	return s->count >= s->share || s->batch.len > BATCH_BODY_MAX - BATCH_TARGET_MAX - HEAD_MAX;
}

/* It takes a batch now. Not before its queue is there: the broker would give it back. */
static bool site_takes(const struct master *m, const struct site *s)
{
	return s->known && window_wants(m->remote->window, COURIER_TASKS, s->name);
}

/* There is room for one target more; a full batch goes first, if it may. */
static bool site_has_room(struct master *m, struct site *s)
{
	if (!batch_is_full(s))
		return true;
	if (!site_takes(m, s))
		return false;
	batch_put(m, s);
	return true;
}

/* Its number becomes that of the wire. */
static void batch_add(struct master *m, struct site *s, struct plan_target *p)
{
	struct learnt known;
	struct wire_out w;
	uint8_t *place;

	place = buf_room(&s->batch, BATCH_TARGET_MAX);
	w = (struct wire_out){.at = place, .end = place + BATCH_TARGET_MAX};
	p->seq += m->remote->round * m->remote->tasks;
	batch_target_pack(p, recall_known(m, p, &known) ? &known : NULL, &w);
	s->batch.len += (size_t)(w.at - place);
	s->count++;
}

void sites_flush(struct master *m)
{
	struct remote *r = m->remote;

	for (size_t i = 0; i < r->nsites; i++) {
		struct site *s = &r->sites[i];

		if (s->count > 0 && site_takes(m, s))
			batch_put(m, s);
	}
}

/* --- handing out -------------------------------------------------------------------------- */

static void site_skip(struct master *m, struct site *s, uint64_t seq)
{
	struct remote *r = m->remote;

	if (r->later == NULL)
		r->later = ledger_new(r->tasks);
	if (ledger_take(r->later, seq))
		s->skipped++;
	if (!s->again && seq < s->cursor) /* of a spread: its numbers come in any order */
		s->cursor = seq;
}

/* The next of a site's that goes out again, or was skipped. False: there is none, or the turn's steps are used up. */
static bool site_next(struct master *m, struct site *s, unsigned *steps, struct plan_target *p)
{
	struct remote *r = m->remote;
	uint64_t seq;

	while (*steps > 0) {
		bool more = s->again ? ledger_missing(r->ledger, s->cursor, &seq)
				     : ledger_next(r->later, s->cursor, &seq);

		if (!more)
			break;
		--*steps;
		s->cursor = seq + 1;
		plan_at(m->config->plan, seq, p);
		if (site_of(m, p->profile) == s)
			return true;
	}
	if (*steps > 0) { /* through */
		s->cursor = 0;
		s->again = s->losing = false;
	}
	return false;
}

/* What waits of a site, as far as it goes now. */
static void site_continue(struct master *m, struct site *s, unsigned *steps)
{
	struct remote *r = m->remote;
	struct plan_target p;

	while ((s->again || s->skipped > 0) && !(s->losing && output_blocked(m)) &&
	       (s->losing || site_has_room(m, s))) {
		bool again = s->again;

		if (!site_next(m, s, steps, &p)) {
			if (*steps == 0)
				return;
			continue; /* the other list now, or none */
		}
		if (r->later != NULL && ledger_give(r->later, p.seq))
			s->skipped--;
		if (s->losing) {
			site_lose(m, s, p.seq);
		} else if (!ledger_has(r->ledger, p.seq)) {
			batch_add(m, s, &p);
			m->result->remote.republished += again;
		}
	}
}

/* The plan's next. False: there is none now. */
static bool plan_step(struct master *m, enum plan_kind kind)
{
	struct plan_target p;
	struct site *s;
	bool later;

	if (m->plan_done[kind])
		return false;
	if (!spread_next(m, kind, &p, &later)) {
		m->plan_done[kind] = !later;
		return false;
	}
	m->result->targets++;
	s = site_of(m, p.profile);
	if (ledger_has(m->remote->ledger, p.seq))
		return true; /* of a run that was taken up */
	if (s->skipped == 0 && site_has_room(m, s))
		batch_add(m, s, &p);
	else
		site_skip(m, s, p.seq);
	return true;
}

/* Some site takes more: else the whole plan would be skipped. */
static bool some_have_room(const struct master *m)
{
	const struct remote *r = m->remote;

	for (size_t i = 0; i < r->nsites; i++)
		if (!batch_is_full(&r->sites[i]) || site_takes(m, &r->sites[i]))
			return true;
	return ledger_count(r->ledger) ==
	       r->tasks; /* of what was lost unasked, the plan is only counted */
}

void sites_hand_out(struct master *m)
{
	struct remote *r = m->remote;
	unsigned steps = STEPS;
	bool more = true;

	m->busy = false;
	if (r->announced_us == 0 || r->words.len > 0) /* nobody knows what to ask */
		return;
	for (size_t i = 0; i < r->nsites; i++)
		site_continue(m, &r->sites[i], &steps);
	for (unsigned n = 0; more && steps > 0; n++, steps--) {
		bool datagrams;

		if ((r->nsites == 1 || n % LOOK == 0) && !some_have_room(m))
			return;
		datagrams = plan_step(m, PLAN_DATAGRAMS);
		more = plan_step(m, PLAN_SESSIONS) || datagrams;
	}
	if (!more)
		sites_flush(m);
	m->busy = steps == 0;
}

/* --- the end of handing out --------------------------------------------------------------- */

static bool take_back_planned(struct master *m, uint64_t *seq)
{
	struct plan_target p;
	bool later;

	for (unsigned kind = 0; kind < PLAN_KINDS; kind++) {
		if (m->plan_done[kind] || !spread_next(m, (enum plan_kind)kind, &p, &later)) {
			m->plan_done[kind] = true;
			continue;
		}
		m->result->targets++;
		*seq = p.seq;
		return true;
	}
	return false;
}

/* What was not handed out; all else too, once all is cancelled. */
void sites_take_back(struct master *m)
{
	struct remote *r = m->remote;
	unsigned steps = STEPS;
	uint64_t seq;

	m->busy = true;
	while (steps-- > 0 && !output_blocked(m)) {
		if (!take_back_planned(m, &seq)) {
			if (m->cancelled_us == LOOP_NEVER ||
			    !ledger_missing(r->ledger, r->cancel, &seq)) {
				m->busy = false;
				return;
			}
			r->cancel = seq;
		}
		remote_settle(m, seq, RECORD_CANCELLED, m->cancelled);
	}
}

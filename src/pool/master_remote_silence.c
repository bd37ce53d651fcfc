/*
 * When a site has been silent for too long: its tasks go out again, or are lost.
 *
 * What is lost on the way is noticed by silence: nothing came of a site for longer than its slowest host can take,
 * though all its tasks are with the broker, and that has no more of them in its queue. Then the tasks without a record are
 * published again, with another attempt's number and twice the patience; after the last one their record is `lost`.
 *
 * The broker is asked before that: tasks that wait in a queue are not published again, for they are still there; but their
 * time runs, so that a run ends by itself, whatever agents do, or do not. That none is connected is told at once. In rounds
 * such a site holds up the others no longer than the interval. A record that has come before is a word like others, and so
 * is a queue that grows shorter before agents: theirs is the work of other masters then, and ours is next.
 *
 * What a queue does not confirm, though it is not full, makes it doubtful: the link looks whether it hangs (link/amqp_cure.c), which
 * makes it anew. One at a time: the link says nothing meanwhile, and who is silent for too long is killed. One that hangs and that
 * it may not touch is silence of its site like other silence, so that the run ends.
 *
 * Rejected: a clock for each task, or batch. It costs memory per task, and tells nothing of one that waits in a queue.
 *
 * The trap: a broker that takes nothing (an alarm, an election) is no silence of a site; time stands still then.
 */
#include "pool/master_internal.h"

#include <inttypes.h>
#include <string.h>
#include <stdio.h>

#include "base/log.h"
#include "link/form.h"

#define ATTEMPTS         3
#define PATIENCE_DOUBLES 10 /* at most */
#define DOUBT_DOUBLES    5  /* at most: each examination takes the link's time from other sites */
#define SITE_HANGS       2  /* as in COURIER_SITE_IS */
#define SOONER           5  /* an answer in doubt is asked for again so much sooner */

static int64_t patience_us(const struct site *s)
{
	unsigned doubles = s->attempt - 1 < PATIENCE_DOUBLES ? s->attempt - 1 : PATIENCE_DOUBLES;

	return s->patience_us << doubles;
}

/* After so much of it the broker is asked. */
static int64_t silence_us(const struct master *m, const struct site *s)
{
	const struct master_rounds *rounds = m->config->rounds;
	int64_t us = patience_us(s);

	if (rounds != NULL && rounds->interval_us < us)
		us = rounds->interval_us;
	return us < REMOTE_ASK_US ? us : REMOTE_ASK_US;
}

void site_heard(const struct master *m, struct site *s)
{
	s->heard_us = loop_now_us(m->loop);
	s->ask_us = s->heard_us + silence_us(m, s);
}

void sites_ask(struct master *m, bool anew)
{
	for (size_t i = 0; i < m->remote->nsites; i++) {
		struct site *s = &m->remote->sites[i];

		if (anew)
			s->known = s->answered = false;
		remote_link_site(m, s, false);
	}
}

void sites_renew(struct master *m)
{
	for (size_t i = 0; i < m->remote->nsites; i++)
		site_heard(m, &m->remote->sites[i]);
}

void site_settled(struct master *m, uint64_t mark, bool returned)
{
	struct site *s;

	if (mark == 0 || mark > m->remote->nsites)
		return;
	s = &m->remote->sites[mark - 1];
	if (s->open > 0)
		s->open--;
	s->stuck_us = loop_now_us(m->loop);
	s->doubts = 0;
	s->hangs = false;
	if (returned && !s->returned) { /* its queue is gone, with all that was in it */
		s->returned = true;
		s->known = false;
		remote_link_site(m, s, false);
	}
	if (!returned)
		site_heard(m, s);
}

void site_put(const struct master *m, struct site *s)
{
	if (s->open++ > 0)
		return;
	s->stuck_us = loop_now_us(m->loop);
	s->doubts = 0;
}

/* The link is up, and something of it is missing. */
static bool is_awaited(const struct master *m, const struct site *s)
{
	const struct remote_link *c = &m->remote->link;

	return s->left > 0 && c->puts && c->takes && !m->resting && m->cancelled == NULL &&
	       m->remote->announced_us != 0;
}

static bool is_published(const struct master *m, const struct site *s)
{
	return m->plan_done[PLAN_DATAGRAMS] && m->plan_done[PLAN_SESSIONS] && !s->again &&
	       s->skipped == 0 && s->count == 0 && s->open == 0;
}

static int64_t site_due_us(const struct master *m, const struct site *s)
{
	return is_awaited(m, s) && !output_blocked(m) ? s->ask_us : LOOP_NEVER;
}

int64_t sites_next_us(const struct master *m)
{
	int64_t next_us = LOOP_NEVER;

	for (size_t i = 0; i < m->remote->nsites; i++) {
		int64_t due_us = site_due_us(m, &m->remote->sites[i]);

		next_us = due_us < next_us ? due_us : next_us;
	}
	return next_us;
}

/* When to look at it next: before its patience ends, if that is sooner. */
static void site_ask_next(const struct master *m, struct site *s)
{
	int64_t now_us = loop_now_us(m->loop), end_us = s->heard_us + patience_us(s);

	s->ask_us = now_us + REMOTE_ASK_US;
	if (end_us > now_us && end_us < s->ask_us)
		s->ask_us = end_us;
}

/* Its queue, though empty and nowhere full, takes nothing, for longer each time that this was found. */
static bool is_stuck(const struct master *m, const struct site *s)
{
	unsigned doubles = s->doubts < DOUBT_DOUBLES ? s->doubts : DOUBT_DOUBLES;

	return s->open > 0 && s->known && s->ready == 0 && !m->remote->blocked &&
	       loop_now_us(m->loop) - s->stuck_us >= 2 * silence_us(m, s) << doubles;
}

static void site_doubt(struct master *m, struct site *s)
{
	if (s->doubts++ == 0)
		log_warning("site %s: the broker confirms nothing of what is put for it; its queue "
			    "is examined",
			    s->name);
	s->stuck_us = loop_now_us(
		m->loop); /* the next one, if it finds nothing, waits twice as long from here */
	m->remote->examined = s;
	remote_link_site(m, s, true);
}

void sites_times(struct master *m)
{
	for (size_t i = 0; i < m->remote->nsites; i++) {
		struct site *s = &m->remote->sites[i];

		if (site_due_us(m, s) > loop_now_us(m->loop))
			continue;
		if (is_stuck(m, s) && m->remote->examined == NULL)
			site_doubt(m, s);
		else
			remote_link_site(m, s, false);
		site_ask_next(m, s);
	}
}

static void site_again(struct master *m, struct site *s, bool publish)
{
	unsigned attempts = m->remote->config->attempts > 0 ? m->remote->config->attempts
							    : ATTEMPTS;

	bool emptied = s->returned;

	site_heard(m, s);
	s->returned = false;
	if (s->attempt >= attempts) {
		s->losing = s->again = true;
		s->cursor = 0;
		log_warning("site %s: %" PRIu64 " target%s gave no record, asked %u time%s",
			    s->name, s->left, s->left == 1 ? "" : "s", s->attempt,
			    s->attempt == 1 ? "" : "s");
		return;
	}
	s->attempt++;
	if (!publish)
		return;
	s->again = true;
	s->cursor = 0;
	s->since = m->remote->batch;
	log_warning("site %s: %" PRIu64 " target%s published again: %s", s->name, s->left,
		    s->left == 1 ? " is" : "s are",
		    emptied ? "the broker has lost its queue" : "nothing came of it for too long");
}

/* A task of a site that has lost hope. */
void site_lose(struct master *m, const struct site *s, uint64_t seq)
{
	const struct ledger *died = m->remote->died;
	char words[BROKER_NAME_MAX + 120];

	if (died != NULL && ledger_has(died, seq)) { /* that is known of it */
		dead_settle(m, seq);
		return;
	}
	if (s->hangs)
		snprintf(words, sizeof(words), "the queue of site %s hangs at the broker", s->name);
	else if (s->consumers == 0)
		snprintf(words, sizeof(words), "no agent of site %s was connected", s->name);
	else
		snprintf(words, sizeof(words),
			 "no agent of site %s gave a record of it, asked %u time%s", s->name,
			 s->attempt, s->attempt == 1 ? "" : "s");
	remote_settle(m, seq, RECORD_LOST, words);
}

/* Nobody is there who would ask. */
static void site_is_deserted(struct master *m, struct site *s)
{
	const struct master_rounds *rounds = m->config->rounds;

	if (!s->told && s->known)
		log_warning("no agent of site %s is connected%s; %" PRIu64 " target%s", s->name,
			    form_version == 1 ? "" : " that speaks our version of messages",
			    s->left, s->left == 1 ? " waits" : "s wait");
	s->told = s->told || s->known;
	if (rounds == NULL || loop_now_us(m->loop) - m->start_us < rounds->interval_us)
		return;
	s->losing = s->again = true;
	s->cursor = 0;
}

/* Tasks are still on their way to the broker, and no full queue is the reason. */
static bool is_publishing(const struct master *m, const struct site *s)
{
	return m->remote->blocked ||
	       (s->known && !s->hangs && !is_published(m, s) && s->ready == 0);
}

static void site_judge(struct master *m, struct site *s)
{
	int64_t silent_us = loop_now_us(m->loop) - s->heard_us;
	bool lost = s->known && s->ready == 0 && s->returned;

	if (s->losing || (silent_us < silence_us(m, s) && !lost))
		return;
	if (s->consumers == 0)
		site_is_deserted(m, s);
	if (is_publishing(m, s))
		s->heard_us = loop_now_us(m->loop);
	else if (!s->losing && (lost || silent_us >= patience_us(s)))
		site_again(m, s, s->ready == 0 && is_published(m, s));
}

/* Nothing and nobody: RabbitMQ (3.10) says so, too, of a queue whose leader has not answered it within 250 ms. So that counts
 * when it is said twice. */
static bool is_doubtful(const struct master *m, struct site *s, uint32_t ready, uint32_t consumers)
{
	s->doubted = s->known && ready == 0 && consumers == 0 && !s->doubted;
	if (s->doubted)
		s->ask_us = loop_now_us(m->loop) + silence_us(m, s) / SOONER;
	return s->doubted;
}

static void site_is(struct master *m, struct site *s, bool known, uint32_t ready,
		    uint32_t consumers)
{
	bool taken = s->known && known && consumers > 0 && ready < s->ready;

	s->answered = true;
	s->known = known;
	if (is_doubtful(m, s, ready, consumers))
		return;
	s->ready = known ? ready : 0;
	s->consumers = known ? consumers : 0;
	if (s->consumers > 0 && s->told) {
		log_info("an agent of site %s is connected", s->name);
		s->told = false;
		taken = true;
	}
	if (taken) /* from its queue: agents have work, be it others' that came before ours */
		site_heard(m, s);
	control_rate(m);
	if (is_awaited(m, s))
		site_judge(m, s);
}

bool sites_take(struct master *m, struct wire_in *r)
{
	uint16_t len;
	const uint8_t *name = wire_get_str(r, &len);
	uint8_t known = wire_get_u8(r);
	uint32_t ready = wire_get_u32(r), consumers = wire_get_u32(r);

	if (r->bad)
		return false;
	for (size_t i = 0; i < m->remote->nsites; i++) {
		struct site *s = &m->remote->sites[i];

		if (strlen(s->name) != len || memcmp(s->name, name, len) != 0)
			continue;
		if (m->remote->examined == s)
			m->remote->examined = NULL;
		s->hangs = s->hangs || known == SITE_HANGS;
		site_is(m, s, known != 0, ready, consumers);
	}
	return true;
}

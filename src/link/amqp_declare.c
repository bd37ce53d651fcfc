/*
 * What there must be at a broker: exchanges, queues and what binds them.
 *
 *   tasks (direct, key: site) -> tasks.SITE            quorum; its dead letters go to `dead`. SITE: as form_key() has it
 *   results (direct, key: master) -> results.MASTER    quorum
 *   dead (headers, `master`) -> results.MASTER         what no agent could finish; whose master is gone: `lost` (fanout) -> dead
 *   control (fanout) -> control.SITE.AGENT.RANDOM      an agent's own, gone with its connection
 *
 * Everything is looked for before it is made: what is there is used as it is, whoever made it and with whatever
 * arguments, for an administrator may have made it so on purpose (limits, a fanout instead of results in front of a shovel), and
 * who may make nothing must be able to work. An agent never makes a queue for tasks: how large it may be is the masters' affair; it
 * waits for one, and for all else that it may not make.
 *
 * An agent's control queue has a new name each time: an exclusive queue belongs to a connection that the broker may hold to be
 * alive for 20 s after it broke.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "link/form.h"

#define QUEUE_LIMIT    20000
#define DELIVERY_LIMIT 20
#define DEAD_LIMIT     10000

struct asked {
	struct rabbit *r;
	struct rabbit_side *s;
	char *why;
};

static struct asked asked(struct rabbit *r, struct rabbit_side *s, char *why)
{
	return (struct asked){.r = r, .s = s, .why = why};
}

static enum rabbit_answer answer(struct asked *q)
{
	return rabbit_answered(q->r, q->s, RABBIT_ASK, q->why);
}

/* ---- exchanges */

struct exchange {
	const char *name, *type, *otherwise; /* where messages go that nothing is bound for */
};

static const struct exchange exchanges[] = {
	{"multisnmp.tasks", "direct", NULL},   {"multisnmp.results", "direct", NULL},
	{"multisnmp.lost", "fanout", NULL},    {"multisnmp.dead", "headers", "multisnmp.lost"},
	{"multisnmp.control", "fanout", NULL},
};

static enum rabbit_answer have_exchange(struct asked *q, const struct exchange *e)
{
	amqp_bytes_t name = amqp_cstring_bytes(e->name), type = amqp_cstring_bytes(e->type);
	amqp_table_entry_t entry;
	amqp_table_t with = {0, &entry};
	enum rabbit_answer a;

	amqp_exchange_declare(q->s->state, RABBIT_ASK, name, type, 1, 1, 0, 0, with);
	a = answer(q);
	if (a != RABBIT_MISSING)
		return a;
	if (e->otherwise) {
		entry = rabbit_text("alternate-exchange", e->otherwise);
		with.num_entries = 1;
	}
	amqp_exchange_declare(q->s->state, RABBIT_ASK, name, type, 0, 1, 0, 0, with);
	a = answer(q);
	return a == RABBIT_DIFFERS ? RABBIT_YES : a;
}

/* All of them, or those that we may have: what is missing is told by what needs it. */
static enum rabbit_answer have_exchanges(struct asked *q)
{
	enum rabbit_answer worst = RABBIT_YES;

	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		enum rabbit_answer a = have_exchange(q, &exchanges[i]);

		if (a == RABBIT_LOST)
			return a;
		if (a != RABBIT_YES)
			worst = a;
	}
	return worst;
}

/* ---- queues */

struct queue_kind {
	const char *name;
	amqp_table_t with;
	uint32_t ready, consumers; /* found */
};

static enum rabbit_answer declare(struct asked *q, struct queue_kind *k, bool passive)
{
	amqp_queue_declare_ok_t *ok = amqp_queue_declare(
		q->s->state, RABBIT_ASK, amqp_cstring_bytes(k->name), passive, 1, 0, 0, k->with);

	if (ok) {
		k->ready = ok->message_count;
		k->consumers = ok->consumer_count;
	}
	return answer(q);
}

enum rabbit_answer rabbit_look(struct rabbit *r, char why[LINK_WHY_MAX])
{
	char name[RABBIT_QUEUE_NAME];
	struct asked q = asked(r, &r->takes, why);
	struct queue_kind k = {.name = rabbit_queue_name(r, name)};

	return declare(&q, &k, true);
}

/* As it is, or made. */
static enum rabbit_answer have_queue(struct asked *q, struct queue_kind *k)
{
	enum rabbit_answer a = declare(q, k, true);

	if (a == RABBIT_MISSING)
		a = declare(q, k, false);
	return a == RABBIT_DIFFERS ? declare(q, k, true) : a;
}

static enum rabbit_answer bind_queue(struct asked *q, const char *queue, const char *exchange,
				     const char *key, amqp_table_t with)
{
	amqp_queue_bind(q->s->state, RABBIT_ASK, amqp_cstring_bytes(queue),
			amqp_cstring_bytes(exchange), amqp_cstring_bytes(key), with);
	return answer(q);
}

/* Who may make nothing uses what somebody has made: a binding that is refused is there, or messages come back. */
static enum rabbit_answer bind_or_trust(struct asked *q, const char *queue, const char *exchange,
					const char *key, amqp_table_t with)
{
	enum rabbit_answer a = bind_queue(q, queue, exchange, key, with);

	return a == RABBIT_REFUSED ? RABBIT_YES : a;
}

static enum rabbit_answer have_lost(struct asked *q)
{
	amqp_table_entry_t with[] = {
		rabbit_text("x-queue-type", "quorum"),
		rabbit_number("x-max-length", DEAD_LIMIT),
	};
	struct queue_kind k = {.name = RABBIT_LOST_QUEUE, .with = {2, with}};
	enum rabbit_answer a = have_queue(q, &k);

	return a == RABBIT_YES ? bind_or_trust(q, k.name, "multisnmp.lost", "", amqp_empty_table)
			       : a;
}

/* ---- a site */

const char *rabbit_site_name(const char *site, char out[RABBIT_QUEUE_NAME])
{
	char key[FORM_KEY_MAX];

	snprintf(out, RABBIT_QUEUE_NAME, "multisnmp.tasks.%s", form_key(key, site));
	return out;
}

const char *rabbit_queue_name(struct rabbit *r, char out[RABBIT_QUEUE_NAME])
{
	const struct courier_config *c = r->config;

	if (c->role == COURIER_AGENT)
		return rabbit_site_name(c->site, out);
	snprintf(out, RABBIT_QUEUE_NAME, "multisnmp.results.%s", c->name);
	return out;
}

static enum rabbit_answer have_site(struct asked *q, const char *site, struct link_site *out)
{
	const uint32_t limit = q->r->config->queue_limit ? q->r->config->queue_limit : QUEUE_LIMIT;
	amqp_table_entry_t with[] = {
		rabbit_text("x-queue-type", "quorum"),
		rabbit_number("x-delivery-limit", DELIVERY_LIMIT),
		rabbit_number("x-max-length", limit),
		rabbit_text("x-overflow", "reject-publish"),
		rabbit_text("x-dead-letter-exchange", "multisnmp.dead"),
		rabbit_text("x-dead-letter-strategy", "at-least-once"),
	};
	char name[RABBIT_QUEUE_NAME], key[FORM_KEY_MAX];
	struct queue_kind k = {.name = rabbit_site_name(site, name), .with = {6, with}};
	enum rabbit_answer a = have_queue(q, &k);

	if (a == RABBIT_YES)
		a = bind_or_trust(q, name, "multisnmp.tasks", form_key(key, site),
				  amqp_empty_table);
	*out = (struct link_site){
		.known = a == RABBIT_YES, .ready = k.ready, .consumers = k.consumers};
	return a;
}

bool rabbit_declare_site(struct rabbit *r, const char *site, struct link_site *out,
			 char why[LINK_WHY_MAX])
{
	struct asked q = asked(r, &r->takes, why);
	enum rabbit_answer a = have_site(&q, site, out);

	if (a == RABBIT_LOST)
		rabbit_gone(r, &r->takes, false, "%s", why);
	if (a == RABBIT_YES)
		why[0] = '\0'; /* that it was missing at first is no news */
	return a == RABBIT_YES;
}

/* ---- a side */

static enum link_state state_of(const struct rabbit *r, enum rabbit_answer a)
{
	if (a == RABBIT_YES)
		return LINK_OPEN;
	return a == RABBIT_LOST || r->met ? LINK_FAILED : LINK_FINAL;
}

enum link_state rabbit_declare_puts(struct rabbit *r, char why[LINK_WHY_MAX])
{
	struct asked q = asked(r, &r->puts, why);
	enum rabbit_answer a = RABBIT_YES;

	if (!rabbit_channel_open(r, &r->puts, RABBIT_ASK, why))
		return LINK_FAILED;
	a = have_exchanges(&q);
	if (a == RABBIT_LOST || (a != RABBIT_YES && r->config->role == COURIER_MASTER))
		return state_of(r, a);
	return rabbit_puts_open(r, why) ? LINK_OPEN : LINK_FAILED;
}

static void consume(struct rabbit *r, amqp_channel_t channel, const char *queue, const char *tag,
		    bool no_ack)
{
	amqp_basic_consume(r->takes.state, channel, amqp_cstring_bytes(queue),
			   amqp_cstring_bytes(tag), 0, no_ack, 0, amqp_empty_table);
}

/* The queue is there, and nobody answers for it. */
static void work_is_mute(struct rabbit *r, char why[LINK_WHY_MAX])
{
	char name[RABBIT_QUEUE_NAME];

	r->mute = r->config->role == COURIER_MASTER; /* who may make it anew */
	snprintf(why, LINK_WHY_MAX, "the queue %.120s does not answer%s",
		 rabbit_queue_name(r, name),
		 r->mute ? "" : "; where it hangs, a master that has tasks for it makes it anew");
}

/* Whether the last call on this side waited in vain for its answer. */
static bool unanswered(const struct rabbit_side *s)
{
	amqp_rpc_reply_t reply = amqp_get_rpc_reply(s->state);

	return reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
	       reply.library_error == AMQP_STATUS_TIMEOUT;
}

static enum rabbit_answer work(struct rabbit *r, const char *tag, char why[LINK_WHY_MAX])
{
	char name[RABBIT_QUEUE_NAME];
	enum rabbit_answer a;
	bool mute;

	amqp_basic_qos(r->takes.state, RABBIT_WORK, 0, (uint16_t)r->config->prefetch, 0);
	a = rabbit_answered(r, &r->takes, RABBIT_WORK, why);
	if (a != RABBIT_YES)
		return a;
	consume(r, RABBIT_WORK, rabbit_queue_name(r, name), tag, false);
	mute = unanswered(&r->takes);
	a = rabbit_answered(r, &r->takes, RABBIT_WORK, why);
	if (mute)
		work_is_mute(r, why);
	return a;
}

static enum rabbit_answer have_results(struct asked *q)
{
	const struct courier_config *c = q->r->config;
	amqp_table_entry_t with[] = {
		rabbit_text("x-queue-type", "quorum"),
		rabbit_number("x-expires", c->expires_us / 1000),
	};
	amqp_table_entry_t ours[] = {
		rabbit_text("x-match", "all"),
		rabbit_text("master", c->name),
	};
	char name[RABBIT_QUEUE_NAME];
	struct queue_kind k = {.name = rabbit_queue_name(q->r, name),
			       .with = {c->expires_us > 0 ? 2 : 1, with}};
	enum rabbit_answer a = have_queue(q, &k);

	if (a == RABBIT_YES)
		a = bind_or_trust(q, name, "multisnmp.results", c->name, amqp_empty_table);
	if (a == RABBIT_YES)
		a = bind_or_trust(q, name, "multisnmp.dead", "", (amqp_table_t){2, ours});
	return a;
}

enum rabbit_answer rabbit_declare_again(struct rabbit *r, struct rabbit_side *s, const char *site,
					char why[LINK_WHY_MAX])
{
	struct asked q = asked(r, s, why);
	struct link_site is;
	enum rabbit_answer a = site ? have_site(&q, site, &is) : have_results(&q);

	return a == RABBIT_YES ? have_lost(&q) : a;
}

static enum link_state master_takes(struct rabbit *r, char why[LINK_WHY_MAX])
{
	struct asked q = asked(r, &r->takes, why);
	enum rabbit_answer a = have_exchanges(&q);

	if (a == RABBIT_YES)
		a = have_results(&q);
	if (a == RABBIT_YES)
		a = have_lost(&q) == RABBIT_LOST ? RABBIT_LOST : RABBIT_YES;
	if (a == RABBIT_YES)
		a = work(r, "results", why);
	return state_of(r, a);
}

/* The queue goes with the connection, or with its consumer. */
static enum rabbit_answer have_control(struct asked *q)
{
	const struct courier_config *c = q->r->config;
	char name[RABBIT_QUEUE_NAME];
	enum rabbit_answer a;

	snprintf(name, sizeof(name), "multisnmp.control.%s.%s.%08x", c->site, c->name,
		 (unsigned)q->r->random + q->r->epoch);
	amqp_queue_declare(q->s->state, RABBIT_ASK, amqp_cstring_bytes(name), 0, 0, 1, 1,
			   amqp_empty_table);
	a = answer(q);
	if (a == RABBIT_YES)
		a = bind_queue(q, name, "multisnmp.control", "", amqp_empty_table);
	if (a != RABBIT_YES)
		return a;
	consume(q->r, RABBIT_CONTROL, name, RABBIT_CONTROL_TAG, true);
	return rabbit_answered(q->r, q->s, RABBIT_CONTROL, q->why);
}

static enum link_state agent_takes(struct rabbit *r, char why[LINK_WHY_MAX])
{
	struct asked q = asked(r, &r->takes, why);
	enum rabbit_answer a = r->controlled ? RABBIT_YES : have_exchanges(&q);
	char name[RABBIT_QUEUE_NAME];

	if (a != RABBIT_LOST && !r->controlled)
		r->controlled = (a = have_control(&q)) == RABBIT_YES;
	if (r->controlled && !r->working && !r->leaving)
		r->working = (a = work(r, RABBIT_TASKS_TAG, why)) == RABBIT_YES;
	r->waits = r->controlled && !r->leaving ? !r->working : a == RABBIT_MISSING;
	r->retry_us = loop_clock_us() + RABBIT_RETRY_US;
	if (a != RABBIT_MISSING)
		return r->leaving && a != RABBIT_LOST ? LINK_OPEN : state_of(r, a);
	r->waits = true;
	if (r->controlled)
		snprintf(why, LINK_WHY_MAX,
			 "the site '%s' has no queue yet (%.100s): a master makes it with its "
			 "first tasks for that site",
			 r->config->site, rabbit_queue_name(r, name));
	else
		snprintf(why, LINK_WHY_MAX,
			 "there are no exchanges of multisnmp yet, which a master makes");
	return LINK_WAITS;
}

enum link_state rabbit_declare_takes(struct rabbit *r, char why[LINK_WHY_MAX])
{
	return r->config->role == COURIER_MASTER ? master_takes(r, why) : agent_takes(r, why);
}

void rabbit_forget(struct rabbit *r)
{
	char name[RABBIT_QUEUE_NAME], why[LINK_WHY_MAX];

	if (r->config->role != COURIER_MASTER || !r->takes.state)
		return;
	amqp_queue_delete(r->takes.state, RABBIT_ASK,
			  amqp_cstring_bytes(rabbit_queue_name(r, name)), 0, 0);
	rabbit_answered(r, &r->takes, RABBIT_ASK, why);
}

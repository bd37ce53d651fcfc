/*
 * A queue that hangs is made anew.
 *
 * The problem: RabbitMQ (3.10.8) that is killed within seconds of a quorum queue's making comes back with a queue of that name that
 * nobody leads, and never will: its own list of such queues was not on its disk yet, and what was in the queue is gone. Declaring it is
 * answered, binding, too, with nothing and nobody in it; a consumer is never answered, a message never confirmed. Deleting is, after 5 s,
 * by force, and the next queue of that name is a sound one. All connections that have put to it are closed then, and come again.
 *
 * The design: who has got no answer for long asks for an examination, on a connection of its own. The queue hangs if a consumer of it
 * has no answer in ASK_US, and a new queue, made for that alone, has a leader at once. So a broker without most of its nodes deletes
 * nothing: it makes no new queue either. Nor does one that is slow, and a queue whose answer comes while the new one is made is kept.
 * The consumer has no credit, so that it is given nothing.
 *
 * What may be lost with it: no record. Tasks are the masters', who publish again what has no record; results are asked again. But tasks of
 * others may be in the queue of a site where the judgement is wrong (a cluster of more than three nodes, two of the three that
 * hold this queue being away): they are asked again after their masters' patience.
 *
 * Rejected: other names for queues that hang, which agents (who may make nothing) would not know; to delete only what this very
 * process has made: a power cut takes broker and master together, and each later run would hang. The trap: of two masters that examine
 * at the same time the second one would delete what the first has just made: so who examines a queue holds an exclusive one for it.
 * Where two examine queues of their own, only one of them examines that of what is lost.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdio.h>
#include <sys/time.h>

#include "base/loop.h"

#define ASK_US    INT64_C(8000000)
#define DELETE_US INT64_C(8000000) /* the broker gives up on the old one after 5 s */
#define LAST_US   INT64_C(200000)  /* for an answer that came while the broker made the new queue */
#define LATEST_US \
	INT64_C(11000000) /* nothing is deleted later than this: a broker that is slow is not judged */
#define FRESH_MS     60000 /* a queue of ours that we could not delete goes by itself */
#define PATIENTS     2
#define FIRST_ASK    (RABBIT_ASK + 1) /* channels: one for each question that may never be answered */
#define FIRST_DELETE (FIRST_ASK + PATIENTS)

enum patient_state {
	PATIENT_SILENT,
	PATIENT_ANSWERS,
	PATIENT_REFUSED /* it may not be asked, or is not there */
};

struct patient {
	char name[RABBIT_QUEUE_NAME];
	enum patient_state state;
	bool ours; /* nobody else examines it now */
	bool hangs;
};

struct exam {
	struct rabbit *r;
	struct rabbit_side side;
	struct patient patient[PATIENTS];
	const char *site;
	bool barred;
	int64_t begun_us;
	char *why;
};

/* ---- questions without waiting */

static bool exam_send(struct exam *e, amqp_channel_t channel, amqp_method_number_t id, void *method)
{
	return rabbit_channel_open(e->r, &e->side, channel, e->why) &&
	       amqp_send_method(e->side.state, channel, id, method) == AMQP_STATUS_OK;
}

static bool ask_to_consume(struct exam *e, size_t i)
{
	amqp_table_entry_t credit[] = {rabbit_number("credit", 0),
				       rabbit_entry("drain", AMQP_FIELD_KIND_BOOLEAN)};
	amqp_table_entry_t with = rabbit_entry("x-credit", AMQP_FIELD_KIND_TABLE);
	amqp_basic_qos_t one = {.prefetch_count = 1}; /* where nobody knows of credit */
	amqp_basic_consume_t consume = {.queue = amqp_cstring_bytes(e->patient[i].name)};
	amqp_channel_t channel = (amqp_channel_t)(FIRST_ASK + i);

	with.value.value.table = (amqp_table_t){2, credit};
	consume.arguments = (amqp_table_t){1, &with};
	return exam_send(e, channel, AMQP_BASIC_QOS_METHOD, &one) &&
	       amqp_send_method(e->side.state, channel, AMQP_BASIC_CONSUME_METHOD, &consume) ==
		       AMQP_STATUS_OK;
}

static bool ask_to_delete(struct exam *e, size_t i)
{
	amqp_queue_delete_t gone = {.queue = amqp_cstring_bytes(e->patient[i].name)};

	return exam_send(e, (amqp_channel_t)(FIRST_DELETE + i), AMQP_QUEUE_DELETE_METHOD, &gone);
}

/* A frame for one of the channels from `first` on. */
static void exam_hear(struct exam *e, amqp_channel_t first, const amqp_frame_t *f)
{
	struct patient *p;

	if (f->frame_type != AMQP_FRAME_METHOD || f->channel < first ||
	    f->channel >= first + PATIENTS)
		return;
	p = &e->patient[f->channel - first];
	if (f->payload.method.id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *c = f->payload.method.decoded;

		p->state = PATIENT_REFUSED;
		rabbit_close_words(c->reply_code, c->reply_text, e->why);
	} else if (f->payload.method.id != AMQP_BASIC_QOS_OK_METHOD) {
		p->state = PATIENT_ANSWERS;
	}
}

static bool some_are_silent(const struct exam *e)
{
	for (size_t i = 0; i < PATIENTS; i++)
		if (e->patient[i].state == PATIENT_SILENT)
			return true;
	return false;
}

static bool is_goodbye(const amqp_frame_t *f)
{
	return f->channel == 0 && f->frame_type == AMQP_FRAME_METHOD &&
	       f->payload.method.id == AMQP_CONNECTION_CLOSE_METHOD;
}

/* Until all have answered, or the time is over. False: the connection is gone. */
static bool listen_to(struct exam *e, amqp_channel_t first, int64_t us)
{
	int64_t end_us = loop_clock_us() + us;

	while (some_are_silent(e)) {
		int64_t left_us = end_us - loop_clock_us();
		struct timeval left = {.tv_sec = left_us / 1000000, .tv_usec = left_us % 1000000};
		amqp_frame_t f;
		int status;

		if (left_us <= 0)
			return true;
		amqp_maybe_release_buffers(e->side.state);
		status = amqp_simple_wait_frame_noblock(e->side.state, &f, &left);
		if (status == AMQP_STATUS_TIMEOUT)
			continue;
		if (status != AMQP_STATUS_OK || is_goodbye(&f))
			return false;
		exam_hear(e, first, &f);
	}
	return true;
}

/* ---- the steps */

/* For as long as this connection lives, nobody else examines this queue. One that somebody else holds closes the channel, which
 * rabbit_answered() opens again. */
static enum rabbit_answer exam_queue(struct exam *e, size_t i)
{
	char name[RABBIT_QUEUE_NAME + 16];
	enum rabbit_answer a;

	snprintf(name, sizeof(name), "multisnmp.exam.%s", e->patient[i].name);
	amqp_queue_declare(e->side.state, RABBIT_ASK, amqp_cstring_bytes(name), 0, 0, 1, 1,
			   amqp_empty_table);
	a = rabbit_answered(e->r, &e->side, RABBIT_ASK, e->why);
	e->patient[i].ours = a == RABBIT_YES;
	return a;
}

/* Who may make nothing deletes nothing either. That of what is lost is everybody's: if another examines it, it is left to them. */
static bool exam_alone(struct exam *e)
{
	enum rabbit_answer a = exam_queue(e, 0);

	e->barred = a == RABBIT_REFUSED;
	if (a == RABBIT_YES)
		return exam_queue(e, 1) != RABBIT_LOST;
	return e->barred;
}

/* False: the connection is gone, or ours has answered. */
static bool is_silent(struct exam *e)
{
	for (size_t i = 0; i < PATIENTS; i++)
		if (!ask_to_consume(e, i))
			return false;
	return listen_to(e, FIRST_ASK, ASK_US) && e->patient[0].state == PATIENT_SILENT;
}

/* An answer may be here that came after ASK_US: that queue is slow, and sound. */
static bool is_still_silent(struct exam *e)
{
	if (!listen_to(e, FIRST_ASK, LAST_US))
		return false;
	for (size_t i = 0; i < PATIENTS; i++)
		e->patient[i].hangs = e->patient[i].ours && e->patient[i].state == PATIENT_SILENT;
	return e->patient[0].state == PATIENT_SILENT;
}

/* A new queue gets a leader, and who consumes from it an answer. */
static bool makes_queues(struct exam *e)
{
	amqp_table_entry_t with[] = {rabbit_text("x-queue-type", "quorum"),
				     rabbit_number("x-expires", FRESH_MS)};
	char name[RABBIT_QUEUE_NAME];
	amqp_bytes_t queue;

	snprintf(name, sizeof(name), "multisnmp.fresh.%08x%04x", (unsigned)e->r->random,
		 (unsigned)(e->begun_us / 1000) & 0xffff);
	queue = amqp_cstring_bytes(name);
	amqp_queue_declare(e->side.state, RABBIT_ASK, queue, 0, 1, 0, 0, (amqp_table_t){2, with});
	if (rabbit_answered(e->r, &e->side, RABBIT_ASK, e->why) != RABBIT_YES)
		return false;
	amqp_basic_consume(e->side.state, RABBIT_ASK, queue, amqp_empty_bytes, 0, 1, 0,
			   amqp_empty_table);
	if (rabbit_answered(e->r, &e->side, RABBIT_ASK, e->why) != RABBIT_YES)
		return false;
	amqp_queue_delete(e->side.state, RABBIT_ASK, queue, 0, 0);
	return rabbit_answered(e->r, &e->side, RABBIT_ASK, e->why) == RABBIT_YES;
}

/* Those that hang. Each one's state: whether it is gone; silent: nobody knows. */
static void delete_them(struct exam *e)
{
	for (size_t i = 0; i < PATIENTS; i++)
		e->patient[i].state = e->patient[i].hangs ? PATIENT_SILENT : PATIENT_ANSWERS;
	for (size_t i = 0; i < PATIENTS; i++)
		if (e->patient[i].hangs && !ask_to_delete(e, i))
			return;
	listen_to(e, FIRST_DELETE, DELETE_US);
}

static enum link_health examine(struct exam *e)
{
	const char *name = e->patient[0].name;

	if (!rabbit_channel_open(e->r, &e->side, RABBIT_ASK, e->why) || !exam_alone(e) ||
	    !is_silent(e))
		return LINK_WELL;
	if (!e->barred && !makes_queues(e)) {
		snprintf(e->why, LINK_WHY_MAX,
			 "the queue %.120s does not answer, and the broker makes no other one: "
			 "most of its nodes may be away (rabbitmqctl cluster_status)",
			 name);
		return LINK_AWAY;
	}
	if (loop_clock_us() - e->begun_us > LATEST_US || !is_still_silent(e))
		return LINK_WELL;
	if (!e->barred)
		delete_them(e);
	if (e->barred || e->patient[0].state == PATIENT_REFUSED) {
		snprintf(e->why, LINK_WHY_MAX,
			 "its queue hangs at the broker, and we may not delete it: "
			 "rabbitmqctl delete_queue -p '%.60s' %.120s",
			 e->r->broker->vhost, name);
		return LINK_HANGS;
	}
	if (e->patient[0].state == PATIENT_SILENT)
		return LINK_WELL; /* nobody knows: it is examined again */
	rabbit_declare_again(e->r, &e->side, e->site, e->why); /* or the next connection does */
	snprintf(e->why, LINK_WHY_MAX,
		 "the queue %.120s hung at the broker, as one does whose broker died when it was "
		 "new; it was made anew",
		 name);
	return LINK_CURED;
}

enum link_health rabbit_cure(struct rabbit *r, const char *site, char why[LINK_WHY_MAX])
{
	struct exam e = {.r = r,
			 .side = {.which = LINK_ASIDE, .fd = -1},
			 .site = site,
			 .begun_us = loop_clock_us(),
			 .why = why};
	enum link_health health = LINK_WELL;

	e.side.node = r->takes.node > 0 ? r->takes.node - 1 : 0; /* the one that does not answer */
	if (site)
		rabbit_site_name(site, e.patient[0].name);
	else
		rabbit_queue_name(r, e.patient[0].name);
	snprintf(e.patient[1].name, RABBIT_QUEUE_NAME, "%s", RABBIT_LOST_QUEUE);
	if (rabbit_connect(r, &e.side, why) == LINK_OPEN)
		health = examine(&e);
	rabbit_drop(r, &e.side);
	return health;
}

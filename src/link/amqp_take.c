/*
 * Frames in: messages, answers, and what the broker has to say.
 *
 * A message comes as a method, a header and pieces of its body, all on one channel, with frames of others between them: so each
 * channel has its own message on its way in (amqp_inbound.c). The library's own reader of messages waits for the rest of one
 * however long that takes, and forgets who sent it; so frames are read one by one, which never waits.
 *
 * Two traps of the library (0.11). What it hands out lies in pools that grow until they are released, which is allowed
 * between frames only; and while it waits for an answer, it keeps frames of others in a list that no descriptor shows.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"

#define FRAMES_A_TURN 256 /* read without an event of ours, before the courier may look elsewhere */

/* ---- methods */

static void closed_channel(struct rabbit *r, struct rabbit_side *s, const amqp_frame_t *f)
{
	const amqp_channel_close_t *c = f->payload.method.decoded;
	char why[LINK_WHY_MAX];

	rabbit_close_words(c->reply_code, c->reply_text, why);
	rabbit_gone(r, s, c->reply_code == AMQP_ACCESS_REFUSED && !r->proven, "%s", why);
}

static void closed_connection(struct rabbit *r, struct rabbit_side *s, const amqp_frame_t *f)
{
	const amqp_connection_close_t *c = f->payload.method.decoded;
	amqp_connection_close_ok_t ok = {0};
	char why[LINK_WHY_MAX];

	rabbit_close_words(c->reply_code, c->reply_text, why);
	amqp_send_method(s->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
	rabbit_gone(r, s, false, "%s", why);
}

static const char impatient[] =
	"the broker takes back what was not acknowledged in time (consumer_timeout)";

/* What we take from went away; or (RabbitMQ from 4.3 on) is there, and the broker has lost patience with us: it gives what we did not
 * acknowledge to somebody, which may be us, who have it in hand. So the connection is given up, and all of it with that; also where
 * the broker does not say whether it is there, for the reason that this has. */
static bool cancelled(struct rabbit *r, const amqp_basic_cancel_t *c, struct link_event *e)
{
	char name[RABBIT_QUEUE_NAME], why[LINK_WHY_MAX];
	bool is_work = !rabbit_is(c->consumer_tag, RABBIT_CONTROL_TAG);
	enum rabbit_answer is = is_work ? rabbit_look(r, why) : RABBIT_MISSING;

	if (is != RABBIT_MISSING) {
		rabbit_gone(r, &r->takes, false, "%s",
			    is == RABBIT_YES || is == RABBIT_DIFFERS ? impatient : why);
		return false;
	}
	if (!rabbit_is(c->consumer_tag, RABBIT_TASKS_TAG)) {
		rabbit_gone(r, &r->takes, false, "our queue was deleted");
		return false;
	}
	r->working = false;
	r->waits = !r->leaving;
	r->retry_us = loop_clock_us() + RABBIT_RETRY_US;
	snprintf(r->waits_why, sizeof(r->waits_why), "the queue %s is not there any more",
		 rabbit_queue_name(r, name));
	*e = (struct link_event){.kind = LINK_WAITING, .side = LINK_TAKES, .why = r->waits_why};
	return r->waits;
}

static bool is_alarm(struct rabbit *r, const amqp_frame_t *f, struct link_event *e)
{
	amqp_method_number_t id = f->payload.method.id;

	if (id != AMQP_CONNECTION_BLOCKED_METHOD && id != AMQP_CONNECTION_UNBLOCKED_METHOD)
		return false;
	r->blocked = id == AMQP_CONNECTION_BLOCKED_METHOD;
	*e = (struct link_event){.kind = r->blocked ? LINK_BLOCKED : LINK_UNBLOCKED,
				 .side = LINK_PUTS};
	return true;
}

static bool puts_method(struct rabbit *r, const amqp_frame_t *f, struct link_event *e)
{
	if (f->payload.method.id == AMQP_BASIC_ACK_METHOD) {
		const amqp_basic_ack_t *a = f->payload.method.decoded;

		rabbit_confirm(r, a->delivery_tag, a->multiple, false);
	} else if (f->payload.method.id == AMQP_BASIC_NACK_METHOD) {
		const amqp_basic_nack_t *n = f->payload.method.decoded;

		rabbit_confirm(r, n->delivery_tag, n->multiple, true);
	} else if (f->payload.method.id == AMQP_BASIC_RETURN_METHOD) {
		rabbit_inbound_begin(&r->inbound[f->channel], INBOUND_RETURNED, 0, false);
		return false;
	}
	return rabbit_next_answer(r, e);
}

static bool takes_method(struct rabbit *r, const amqp_frame_t *f, struct link_event *e)
{
	if (f->payload.method.id == AMQP_BASIC_DELIVER_METHOD) {
		const amqp_basic_deliver_t *d = f->payload.method.decoded;

		rabbit_inbound_begin(&r->inbound[f->channel], INBOUND_TAKEN, d->delivery_tag,
				     d->redelivered);
	}
	if (f->payload.method.id == AMQP_BASIC_CANCEL_METHOD)
		return cancelled(r, f->payload.method.decoded, e);
	return false;
}

static bool is_ours(const struct rabbit *r, const struct rabbit_side *s, const amqp_frame_t *f)
{
	if (s->which == LINK_PUTS)
		return f->channel == r->channel || f->channel == 0;
	return f->channel < RABBIT_PUT_A;
}

static bool read_method(struct rabbit *r, struct rabbit_side *s, const amqp_frame_t *f,
			struct link_event *e)
{
	if (f->channel == 0 && f->payload.method.id == AMQP_CONNECTION_CLOSE_METHOD)
		closed_connection(r, s, f);
	else if (f->channel == 0)
		return s->which == LINK_PUTS && is_alarm(r, f, e);
	else if (f->payload.method.id == AMQP_CHANNEL_CLOSE_METHOD)
		closed_channel(r, s, f);
	else
		return s->which == LINK_PUTS ? puts_method(r, f, e) : takes_method(r, f, e);
	return false;
}

static bool read_frame(struct rabbit *r, struct rabbit_side *s, const amqp_frame_t *f,
		       struct link_event *e)
{
	struct rabbit_inbound *in;

	if (!is_ours(r, s, f))
		return false;
	if (f->frame_type == AMQP_FRAME_METHOD)
		return read_method(r, s, f, e);
	in = &r->inbound[f->channel];
	if (in->kind == INBOUND_NONE)
		return false;
	if (f->frame_type == AMQP_FRAME_HEADER)
		rabbit_inbound_header(in, f);
	else if (f->frame_type == AMQP_FRAME_BODY && !rabbit_inbound_body(in, f))
		rabbit_gone(r, s, false, "what it says is no AMQP 0-9-1");
	return !s->gone && in->started && in->left == 0 && rabbit_inbound_whole(r, f->channel, e);
}

/* ---- a turn */

static bool has_in_hand(const struct rabbit_side *s)
{
	return amqp_frames_enqueued(s->state) || amqp_data_in_buffer(s->state);
}

/* The library is worth entering: each time that it finds nothing costs two system calls. Behind TLS only it knows. */
static bool side_may_have(const struct rabbit *r, const struct rabbit_side *s, bool looked)
{
	if (has_in_hand(s))
		return true;
	if (looked && !r->tls)
		return false; /* the descriptor says if there is more */
	return s->heard || loop_clock_us() >= s->due_us;
}

static bool side_event(struct rabbit *r, struct rabbit_side *s, struct link_event *e)
{
	struct timeval now = {0};
	amqp_frame_t f;

	for (int i = 0; i < FRAMES_A_TURN && s->state && !s->gone; i++) {
		int status;

		if (!side_may_have(r, s, i > 0 || s->looked)) {
			s->heard = s->looked = false;
			s->dry = true;
			return false;
		}
		s->looked = true;

		rabbit_inbound_frees(r, s->state);
		status = amqp_simple_wait_frame_noblock(s->state, &f, &now);
		s->due_us = loop_clock_us() + (int64_t)RABBIT_HEARTBEAT * 500000;
		if (status == AMQP_STATUS_TIMEOUT) {
			s->heard = s->looked = false;
			s->dry = true;
			return false;
		}
		if (status == AMQP_STATUS_OK && read_frame(r, s, &f, e))
			return true;
		if (status != AMQP_STATUS_OK) {
			char why[LINK_WHY_MAX];

			rabbit_library_words(status, r, "", why);
			rabbit_gone(r, s, false, "%s", why);
		}
	}
	return false;
}

/* What an agent waits for is looked for again. */
static bool ready_event(struct rabbit *r, struct link_event *e)
{
	enum link_state state;

	if (!r->waits || !r->takes.state || r->takes.gone || loop_clock_us() < r->retry_us)
		return false;
	state = rabbit_declare_takes(r, r->waits_why);
	if (state == LINK_FAILED || state == LINK_FINAL)
		rabbit_gone(r, &r->takes, state == LINK_FINAL, "%s", r->waits_why);
	*e = (struct link_event){.kind = LINK_READY, .side = LINK_TAKES};
	return state == LINK_OPEN;
}

static bool gone_event(struct rabbit *r, struct rabbit_side *s, struct link_event *e)
{
	if (!s->gone)
		return false;
	rabbit_drop(r, s);
	*e = (struct link_event){
		.kind = LINK_GONE, .side = s->which, .why = s->why, .final = s->final};
	return true;
}

bool rabbit_next_event(struct rabbit *r, struct link_event *e)
{
	if (gone_event(r, &r->puts, e) || gone_event(r, &r->takes, e))
		return true;
	if (r->puts.state && rabbit_next_answer(r, e))
		return true;
	if (ready_event(r, e))
		return true;
	if (!r->puts.dry && side_event(r, &r->puts, e))
		return true;
	if (!r->takes.dry && side_event(r, &r->takes, e))
		return true;
	if (gone_event(r, &r->puts, e) || gone_event(r, &r->takes, e))
		return true;
	r->puts.dry = r->takes.dry = false;
	return false;
}

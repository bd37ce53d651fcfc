/*
 * A broker that speaks AMQP 0-9-1: RabbitMQ, through librabbitmq.
 *
 * The problem: the library is made for programs that wait. It waits while it connects, while it asks, and while it writes a
 * message to a peer that does not read.
 *
 * The design: it lives in a process of its own (the courier), where the first two may take some seconds; a message is written only
 * when there is room for it (amqp_room_*.c); and frames are read one by one when they are there (amqp_take.c). Two connections, for
 * a broker with an alarm stops reading from who has published. What there is at a broker: amqp_declare.c.
 *
 * The traps. A tag means nothing on another connection, but an owner's word about one may be under way while the
 * connection changes: so the connection's number stands in front of each tag, and a word about another one's is ignored. The
 * library sends heartbeats only when it is entered: next_us() says when.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "link/amqp_parts.h"

#define CLOSE_US 1000000
#define TAG_BITS 48

struct rabbit_side *rabbit_side(struct rabbit *r, enum link_side which)
{
	return which == LINK_PUTS ? &r->puts : &r->takes;
}

void rabbit_gone(struct rabbit *r, struct rabbit_side *s, bool final, const char *format, ...)
{
	va_list args;

	(void)r;
	if (s->gone)
		return; /* the first reason is the reason */
	s->gone = true;
	s->final = final;
	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
}

void rabbit_drop(struct rabbit *r, struct rabbit_side *s)
{
	if (s->state)
		amqp_destroy_connection(s->state);
	s->state = NULL;
	s->fd = -1;
	s->gone = s->dry = s->heard = s->looked = false;
	s->due_us = LOOP_NEVER;
	if (s->which == LINK_PUTS) {
		r->blocked = false;
		r->later_us = LOOP_NEVER;
		r->answer = 0;
		return;
	}
	if (s->which != LINK_TAKES)
		return;
	r->waits = r->controlled = r->working = false;
	rabbit_tags_clear(&r->tags);
}

static void *start(const struct courier_config *config, char why[LINK_WHY_MAX])
{
	struct rabbit *r = mem_zero(1, sizeof(*r));
	const struct broker *b = config->broker;

	r->config = config;
	r->broker = b;
	r->puts = (struct rabbit_side){.which = LINK_PUTS, .fd = -1, .due_us = LOOP_NEVER};
	r->takes = (struct rabbit_side){.which = LINK_TAKES, .fd = -1, .due_us = LOOP_NEVER};
	r->later_us = LOOP_NEVER;
	r->first = r->next = 1;
	r->random = (uint32_t)loop_clock_us() ^ (uint32_t)getpid() << 16;
	r->epoch = (uint16_t)r->random;
	snprintf(r->title, sizeof(r->title), "multisnmp %s %s%s%s",
		 config->role == COURIER_MASTER ? "master" : "agent", config->name,
		 config->site ? " of site " : "", config->site ? config->site : "");
	r->names = rabbit_names_new(why);
	if (r->names && b->tls)
		r->tls = rabbit_tls_new(b, why);
	if (r->names && (r->tls || !b->tls))
		return r;
	rabbit_names_free(r->names);
	free(r);
	return NULL;
}

static void finish(void *link)
{
	struct rabbit *r = link;

	rabbit_drop(r, &r->puts);
	rabbit_drop(r, &r->takes);
	for (size_t i = 0; i < RABBIT_CHANNELS; i++)
		buf_free(&r->inbound[i].body);
	rabbit_tls_free(r->tls);
	rabbit_names_free(r->names);
	free(r);
}

/* ---- connections */

static enum link_state open_puts(struct rabbit *r, char why[LINK_WHY_MAX])
{
	enum link_state state = rabbit_connect(r, &r->puts, why);

	return state == LINK_OPEN ? rabbit_declare_puts(r, why) : state;
}

static enum link_state try_takes(struct rabbit *r, char why[LINK_WHY_MAX])
{
	enum link_state state = rabbit_connect(r, &r->takes, why);

	r->mute = false;
	if (state != LINK_OPEN)
		return state;
	r->epoch++;
	for (amqp_channel_t c = RABBIT_ASK; c != RABBIT_PUT_A; c++) {
		r->inbound[c].kind = INBOUND_NONE;
		if (!rabbit_channel_open(r, &r->takes, c, why))
			return LINK_FAILED;
	}
	return rabbit_declare_takes(r, why);
}

static enum link_state open_takes(struct rabbit *r, char why[LINK_WHY_MAX])
{
	enum link_state state = try_takes(r, why);
	char found[LINK_WHY_MAX] = "";
	enum link_health health = r->mute ? rabbit_cure(r, NULL, found) : LINK_WELL;

	if (health == LINK_WELL)
		return state;
	if (health == LINK_CURED) {
		log_warning("%s", found);
		return try_takes(r, why);
	}
	memcpy(why, found, LINK_WHY_MAX);
	return state;
}

static enum link_state open_side(void *link, enum link_side which, char why[LINK_WHY_MAX])
{
	struct rabbit *r = link;
	struct rabbit_side *s = rabbit_side(r, which);
	enum link_state state = which == LINK_PUTS ? open_puts(r, why) : open_takes(r, why);

	if (state == LINK_FAILED || state == LINK_FINAL)
		rabbit_drop(r, s);
	else
		s->due_us = loop_clock_us();
	r->met = r->met || (s->state && which == LINK_TAKES);
	return state;
}

static int side_fd(const void *link, enum link_side which)
{
	const struct rabbit *r = link;

	return which == LINK_PUTS ? r->puts.fd : r->takes.fd;
}

/* ---- the loop */

static bool side_pending(const struct rabbit_side *s)
{
	return s->gone ||
	       (s->state && (amqp_frames_enqueued(s->state) || amqp_data_in_buffer(s->state)));
}

static bool pending(const void *link)
{
	const struct rabbit *r = link;

	return r->answer || side_pending(&r->puts) || side_pending(&r->takes);
}

static int64_t next_us(const void *link)
{
	const struct rabbit *r = link;
	int64_t at = r->puts.due_us < r->takes.due_us ? r->puts.due_us : r->takes.due_us;

	at = r->later_us < at ? r->later_us : at;
	return r->waits && r->retry_us < at ? r->retry_us : at;
}

static void heard(void *link, enum link_side which)
{
	rabbit_side(link, which)->heard = true;
}

static bool next_event(void *link, struct link_event *e)
{
	return rabbit_next_event(link, e);
}

static enum link_put put(void *link, const struct link_message *m)
{
	return rabbit_put(link, m);
}

/* ---- words about what was taken */

static bool word_went(struct rabbit *r, int status)
{
	if (status == AMQP_STATUS_OK)
		return true;
	rabbit_gone(r, &r->takes, false, "%s", amqp_error_string2(status));
	return false;
}

static bool settle(void *link, uint64_t tag, enum link_verdict v)
{
	struct rabbit *r = link;
	uint64_t number = tag & ((UINT64_C(1) << TAG_BITS) - 1);

	if (!r->takes.state || r->takes.gone)
		return false;
	if (number == 0 || tag >> TAG_BITS != r->epoch)
		return true; /* of control, or of a connection that is no more */
	if (v == LINK_ACK) {
		rabbit_tags_ack(&r->tags, number);
		return true;
	}
	return !rabbit_tags_settle(&r->tags, number) ||
	       word_went(r,
			 amqp_basic_reject(r->takes.state, RABBIT_WORK, number, v == LINK_REQUEUE));
}

static bool flush(void *link)
{
	struct rabbit *r = link;
	bool multiple;
	uint64_t number;

	if (!r->takes.state || r->takes.gone)
		return false;
	while ((number = rabbit_tags_next(&r->tags, &multiple)) > 0)
		if (!word_went(r, amqp_basic_ack(r->takes.state, RABBIT_WORK, number, multiple)))
			return false;
	return true;
}

static bool site(void *link, const char *name, struct link_site *out, char why[LINK_WHY_MAX])
{
	struct rabbit *r = link;

	*out = (struct link_site){0};
	if (r->takes.state && !r->takes.gone)
		return rabbit_declare_site(r, name, out, why);
	snprintf(why, LINK_WHY_MAX, "there is no connection");
	return false;
}

static enum link_health cure(void *link, const char *name, char why[LINK_WHY_MAX])
{
	return rabbit_cure(link, name, why);
}

static bool reopen(void *link)
{
	struct rabbit *r = link;
	char why[LINK_WHY_MAX] = "";

	if (!r->puts.state || r->puts.gone)
		return false;
	if (amqp_channel_close(r->puts.state, r->channel, AMQP_REPLY_SUCCESS).reply_type ==
		    AMQP_RESPONSE_NORMAL &&
	    rabbit_puts_open(r, why))
		return true;
	rabbit_gone(r, &r->puts, false, "%s", *why ? why : "it does not answer");
	return false;
}

static bool leave(void *link)
{
	struct rabbit *r = link;
	char why[LINK_WHY_MAX];

	r->leaving = true;
	r->waits = false;
	if (!r->takes.state || r->takes.gone)
		return false;
	if (!r->working)
		return true;
	r->working = false;
	amqp_basic_cancel(r->takes.state, RABBIT_WORK, amqp_cstring_bytes(RABBIT_TASKS_TAG));
	if (rabbit_answered(r, &r->takes, RABBIT_WORK, why) == RABBIT_YES)
		return true;
	rabbit_gone(r, &r->takes, false, "%s", why);
	return false;
}

static void close_side(struct rabbit *r, struct rabbit_side *s)
{
	struct timeval limit = {.tv_sec = CLOSE_US / 1000000};

	if (s->state && !s->gone) {
		amqp_set_rpc_timeout(s->state, &limit);
		amqp_connection_close(s->state, AMQP_REPLY_SUCCESS);
	}
	rabbit_drop(r, s);
}

static void close_both(void *link, bool forget)
{
	struct rabbit *r = link;

	if (forget && !r->takes.gone)
		rabbit_forget(r);
	close_side(r, &r->puts);
	close_side(r, &r->takes);
}

const struct link_calls link_amqp = {
	.start = start,
	.free = finish,
	.open = open_side,
	.fd = side_fd,
	.pending = pending,
	.next_us = next_us,
	.heard = heard,
	.next = next_event,
	.put = put,
	.settle = settle,
	.flush = flush,
	.site = site,
	.cure = cure,
	.reopen = reopen,
	.leave = leave,
	.close = close_both,
};

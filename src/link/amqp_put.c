/*
 * Messages out, and the broker's answers to them.
 *
 * The broker numbers what comes on a channel from 1 on and answers by these numbers, one by one or all up to one; messages
 * without an answer stand in a ring by their numbers, which gives the owner's ids back.
 *
 * A message that no queue is there for comes back (mandatory) and is confirmed all the same right after: it carries its number, and
 * the confirm becomes the answer RETURNED. A channel that was closed takes its numbers with it: the next one has
 * another number itself, so that late answers are known as such.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "link/amqp_parts.h"
#include "link/form.h"

#define LATER_US  10000
#define OCTET_US  50   /* that one may take: 20 KB/s, and 15 s for the longest message */
#define FRAMES    2048 /* octets at most of a message's frames but its body's */
#define MANDATORY 1

static void void_all(struct rabbit *r)
{
	r->first = r->next = 1;
	r->answer = r->multiple = 0;
	r->later_us = LOOP_NEVER;
	buf_free(&r->inbound[r->channel].body);
	r->inbound[r->channel] = (struct rabbit_inbound){0};
}

bool rabbit_puts_open(struct rabbit *r, char why[LINK_WHY_MAX])
{
	r->channel = r->channel == RABBIT_PUT_A ? RABBIT_PUT_B : RABBIT_PUT_A;
	void_all(r);
	if (!rabbit_channel_open(r, &r->puts, r->channel, why))
		return false;
	amqp_confirm_select(r->puts.state, r->channel);
	return rabbit_answered(r, &r->puts, r->channel, why) == RABBIT_YES;
}

/* ---- out */

struct letter { /* a message's properties, and what they point into */
	amqp_basic_properties_t properties;
	amqp_table_entry_t master;
	char expiration[24], number[24];
};

static void write_letter(struct letter *l, const struct rabbit *r, const struct link_message *m)
{
	amqp_basic_properties_t *p = &l->properties;
	int64_t ttl_ms = r->config->ttl_us / 1000;

	memset(l, 0, sizeof(*l));
	p->_flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
		    AMQP_BASIC_APP_ID_FLAG;
	p->delivery_mode = m->to == COURIER_CONTROL ? AMQP_DELIVERY_NONPERSISTENT
						    : AMQP_DELIVERY_PERSISTENT;
	p->app_id = amqp_cstring_bytes("multisnmp");
	snprintf(l->number, sizeof(l->number), "%llu", (unsigned long long)r->next);
	p->correlation_id = amqp_cstring_bytes(l->number);
	if (m->name) {
		p->_flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
		p->message_id = amqp_cstring_bytes(m->name);
	}
	if (m->to != COURIER_TASKS)
		return;
	p->_flags |= AMQP_BASIC_HEADERS_FLAG;
	l->master = rabbit_text("master", r->config->name);
	p->headers = (amqp_table_t){1, &l->master};
	if (ttl_ms > 0) {
		p->_flags |= AMQP_BASIC_EXPIRATION_FLAG;
		snprintf(l->expiration, sizeof(l->expiration), "%lld", (long long)ttl_ms);
		p->expiration = amqp_cstring_bytes(l->expiration);
	}
}

static const char *const exchange_of[] = {
	[COURIER_TASKS] = "multisnmp.tasks",
	[COURIER_RESULTS] = "multisnmp.results",
	[COURIER_CONTROL] = "multisnmp.control",
};

/* A message is written whole, or the connection is broken. */
static int publish(struct rabbit *r, const struct link_message *m)
{
	struct letter l;
	char key[FORM_KEY_MAX];
	const char *to = m->to == COURIER_CONTROL ? ""
			 : m->to == COURIER_TASKS ? form_key(key, m->key)
						  : m->key;
	struct rabbit_publish p = {.channel = r->channel,
				   .exchange = amqp_cstring_bytes(exchange_of[m->to]),
				   .key = amqp_cstring_bytes(to),
				   .properties = &l.properties,
				   .limit_us = RABBIT_ANSWER_US + (int64_t)m->len * OCTET_US,
				   .body = {m->len, (void *)(uintptr_t)m->body}};
	int status;

	write_letter(&l, r, m);
	if (!r->tls &&
	    rabbit_write(r->puts.fd, (size_t)amqp_get_frame_max(r->puts.state), &p, &status))
		return status;
	return amqp_basic_publish(r->puts.state, p.channel, p.exchange, p.key, MANDATORY, 0,
				  p.properties, p.body);
}

enum link_put rabbit_put(struct rabbit *r, const struct link_message *m)
{
	int status;

	if (!r->puts.state || r->puts.gone)
		return LINK_PUT_GONE;
	if (r->blocked || r->next - r->first == LINK_PUTS_MAX)
		return LINK_LATER;
	if (!rabbit_room(r->puts.fd, m->len + FRAMES)) {
		r->later_us = loop_clock_us() + LATER_US;
		return LINK_LATER;
	}
	r->later_us = LOOP_NEVER;
	status = publish(r, m);
	if (status != AMQP_STATUS_OK) {
		char why[LINK_WHY_MAX];

		rabbit_library_words(status, r, "", why);
		rabbit_gone(r, &r->puts, false, "%s", why);
		return LINK_PUT_GONE;
	}
	r->put[r->next++ % LINK_PUTS_MAX] = (struct rabbit_put){.id = m->id};
	return LINK_PUT;
}

/* ---- answers */

void rabbit_confirm(struct rabbit *r, uint64_t number, bool multiple, bool nacked)
{
	r->proven = true;
	if (number < r->first || number >= r->next)
		return;
	r->answer = number;
	r->multiple = multiple ? number : 0;
	r->nacked = nacked;
}

void rabbit_return(struct rabbit *r, uint64_t number)
{
	if (number >= r->first && number < r->next)
		r->put[number % LINK_PUTS_MAX].returned = true;
}

/* The next one that the last confirm was about; 0: none is left. */
static uint64_t take_number(struct rabbit *r)
{
	uint64_t number = r->answer;

	if (r->multiple)
		for (number = r->first; number <= r->multiple; number++)
			if (!r->put[number % LINK_PUTS_MAX].answered)
				break;
	if (!r->multiple || number >= r->multiple)
		r->answer = 0;
	return number > r->multiple && r->multiple ? 0 : number;
}

bool rabbit_next_answer(struct rabbit *r, struct link_event *e)
{
	uint64_t number = r->answer ? take_number(r) : 0;
	struct rabbit_put *p = &r->put[number % LINK_PUTS_MAX];

	if (number == 0 || p->answered)
		return false;
	*e = (struct link_event){.kind = r->nacked     ? LINK_NACKED
					 : p->returned ? LINK_RETURNED
						       : LINK_CONFIRMED,
				 .side = LINK_PUTS,
				 .id = p->id};
	p->answered = true;
	while (r->first < r->next && r->put[r->first % LINK_PUTS_MAX].answered)
		r->first++;
	return true;
}

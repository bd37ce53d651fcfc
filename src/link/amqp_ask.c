/*
 * One question to the broker and its answer.
 *
 * The problem: a refused question closes its channel (AMQP 0-9-1 has no other way to say no), and the library leaves the
 * rest to us: to confirm that, and to open the channel again.
 *
 * The trap: a question whose answer does not come in time has spoilt the connection, for it may still come; the library has
 * closed the socket then.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdio.h>

amqp_table_entry_t rabbit_entry(const char *key, uint8_t kind)
{
	return (amqp_table_entry_t){.key = amqp_cstring_bytes(key), .value = {.kind = kind}};
}

amqp_table_entry_t rabbit_text(const char *key, const char *value)
{
	amqp_table_entry_t e = rabbit_entry(key, AMQP_FIELD_KIND_UTF8);

	e.value.value.bytes = amqp_cstring_bytes(value);
	return e;
}

amqp_table_entry_t rabbit_number(const char *key, int64_t value)
{
	amqp_table_entry_t e = rabbit_entry(key, AMQP_FIELD_KIND_I64);

	e.value.value.i64 = value;
	return e;
}

static enum rabbit_answer lost(struct rabbit *r, int status, char why[LINK_WHY_MAX])
{
	rabbit_library_words(status, r, "", why);
	return RABBIT_LOST;
}

bool rabbit_channel_open(struct rabbit *r, struct rabbit_side *s, amqp_channel_t channel,
			 char why[LINK_WHY_MAX])
{
	amqp_rpc_reply_t reply;

	if (s == &r->takes && channel == RABBIT_WORK) { /* its numbers begin anew */
		rabbit_tags_clear(&r->tags);
		r->epoch++;
	}
	amqp_channel_open(s->state, channel);
	reply = amqp_get_rpc_reply(s->state);
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return true;
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		snprintf(why, LINK_WHY_MAX, "the broker opens no channel");
	else
		lost(r, reply.library_error, why);
	return false;
}

static enum rabbit_answer refused(uint16_t code)
{
	switch (code) {
	case AMQP_ACCESS_REFUSED:
		return RABBIT_REFUSED;
	case AMQP_NOT_FOUND:
		return RABBIT_MISSING;
	case AMQP_PRECONDITION_FAILED:
	case AMQP_RESOURCE_LOCKED:
		return RABBIT_DIFFERS;
	default:
		return RABBIT_LOST;
	}
}

enum rabbit_answer rabbit_answered(struct rabbit *r, struct rabbit_side *s, amqp_channel_t channel,
				   char why[LINK_WHY_MAX])
{
	amqp_rpc_reply_t reply = amqp_get_rpc_reply(s->state);
	amqp_channel_close_ok_t ok = {0};
	enum rabbit_answer answer;

	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return RABBIT_YES;
	if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
		return lost(r, reply.library_error, why);
	if (reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_connection_close_t *c = reply.reply.decoded;

		rabbit_close_words(c->reply_code, c->reply_text, why);
		return RABBIT_LOST;
	}
	const amqp_channel_close_t *c = reply.reply.decoded;

	rabbit_close_words(c->reply_code, c->reply_text, why);
	answer = refused(c->reply_code);
	amqp_send_method(s->state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
	return rabbit_channel_open(r, s, channel, why) ? answer : RABBIT_LOST;
}

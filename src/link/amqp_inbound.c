/*
 * A message on its way in: its header, the pieces of its body, and what becomes of it when it is whole.
 *
 * A body comes in frames, which for a large one are two. Each lies in the library until that is told to forget the frames of
 * its channel; it is not told while a message is open (rabbit_inbound_frees), so that the owner gets the body from where it
 * lies, in pieces. A broker that sends small frames would make us hold many of them: then the pieces are put together here.
 *
 * Rejected: to put two pieces together, which copies all of a large body once more.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* ---- a message's header */

static const amqp_field_value_t *field(const amqp_table_t *t, const char *key)
{
	for (int i = 0; i < t->num_entries; i++)
		if (rabbit_is(t->entries[i].key, key))
			return &t->entries[i].value;
	return NULL;
}

static int64_t integer(const amqp_field_value_t *v)
{
	switch (v->kind) {
	case AMQP_FIELD_KIND_I8:
		return v->value.i8;
	case AMQP_FIELD_KIND_U8:
		return v->value.u8;
	case AMQP_FIELD_KIND_I16:
		return v->value.i16;
	case AMQP_FIELD_KIND_U16:
		return v->value.u16;
	case AMQP_FIELD_KIND_I32:
		return v->value.i32;
	case AMQP_FIELD_KIND_U32:
		return v->value.u32;
	case AMQP_FIELD_KIND_I64:
	case AMQP_FIELD_KIND_U64:
		return v->value.i64;
	default:
		return 0;
	}
}

/* Its time was over: nobody is to be told, for its tasks have their own end. */
static bool has_expired(const amqp_field_value_t *death)
{
	const amqp_array_t *deaths = &death->value.array;
	const amqp_field_value_t *reason;

	if (death->kind != AMQP_FIELD_KIND_ARRAY || deaths->num_entries == 0 ||
	    deaths->entries[0].kind != AMQP_FIELD_KIND_TABLE)
		return false;
	reason = field(&deaths->entries[0].value.table, "reason");
	return reason && reason->kind == AMQP_FIELD_KIND_UTF8 &&
	       rabbit_is(reason->value.bytes, "expired");
}

static void read_headers(struct rabbit_inbound *in, const amqp_table_t *headers)
{
	const amqp_field_value_t *count = field(headers, "x-delivery-count"),
				 *death = field(headers, "x-death");

	if (count) {
		int64_t n = integer(count);

		in->deliveries = n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	}
	in->dead = death != NULL;
	in->expired = death && has_expired(death);
}

void rabbit_inbound_header(struct rabbit_inbound *in, const amqp_frame_t *f)
{
	const amqp_basic_properties_t *p = f->payload.properties.decoded;

	in->started = true;
	in->len = in->left = f->payload.properties.body_size;
	in->too_long = in->left > LINK_BODY_MAX;
	if (p->_flags & AMQP_BASIC_HEADERS_FLAG)
		read_headers(in, &p->headers);
	if (in->kind == INBOUND_RETURNED && p->_flags & AMQP_BASIC_CORRELATION_ID_FLAG) {
		char text[24] = "";

		memcpy(text, p->correlation_id.bytes,
		       p->correlation_id.len < sizeof(text) ? p->correlation_id.len
							    : sizeof(text) - 1);
		in->number = strtoull(text, NULL, 10);
	}
}

/* ---- its body */

static void body_put(struct rabbit_inbound *in, const struct link_piece *piece)
{
	buf_put(&in->body, piece->at, piece->len);
}

static void piece_take(struct rabbit_inbound *in, const struct link_piece *piece)
{
	if (in->body.len == 0 && in->npieces < LINK_PIECES) {
		in->piece[in->npieces++] = *piece;
		return;
	}
	for (size_t i = 0; i < in->npieces; i++)
		body_put(in, &in->piece[i]);
	in->npieces = 0;
	body_put(in, piece);
}

bool rabbit_inbound_body(struct rabbit_inbound *in, const amqp_frame_t *f)
{
	const struct link_piece piece = {f->payload.body_fragment.bytes,
					 f->payload.body_fragment.len};

	if (!in->started || piece.len > in->left)
		return false;
	in->left -= piece.len;
	if (!in->too_long && in->kind == INBOUND_TAKEN)
		piece_take(in, &piece);
	return true;
}

static bool is_lent(const struct rabbit_inbound *in)
{
	return in->kind == INBOUND_TAKEN && in->npieces > 0;
}

void rabbit_inbound_frees(const struct rabbit *r, amqp_connection_state_t state)
{
	bool lent = false;

	for (unsigned c = 0; c < RABBIT_CHANNELS; c++)
		lent = lent || is_lent(&r->inbound[c]);
	if (!lent) {
		amqp_maybe_release_buffers(state);
		return;
	}
	for (unsigned c = 0; c < RABBIT_CHANNELS; c++)
		if (!is_lent(&r->inbound[c]))
			amqp_maybe_release_buffers_on_channel(state, (amqp_channel_t)c);
}

/* ---- a whole message */

static uint64_t tag_of(const struct rabbit *r, const struct rabbit_inbound *in,
		       amqp_channel_t channel)
{
	return channel == RABBIT_CONTROL ? 0 : (uint64_t)r->epoch << 48 | in->tag;
}

/* Nobody is to have it: its time was over, or it is nothing of ours. */
static bool put_aside(struct rabbit *r, const struct rabbit_inbound *in, amqp_channel_t channel)
{
	if (!in->expired && !in->too_long)
		return false;
	if (in->too_long)
		log_warning("broker: a message that is too long for us was thrown away");
	if (channel == RABBIT_WORK)
		amqp_basic_ack(r->takes.state, channel, in->tag, 0);
	return true;
}

bool rabbit_inbound_whole(struct rabbit *r, amqp_channel_t channel, struct link_event *e)
{
	struct rabbit_inbound *in = &r->inbound[channel];
	bool taken = in->kind == INBOUND_TAKEN && !put_aside(r, in, channel);

	if (in->kind == INBOUND_RETURNED)
		rabbit_return(r, in->number);
	in->kind = INBOUND_NONE;
	in->started = false;
	if (!taken)
		return false;
	if (in->body.len > 0)
		in->piece[in->npieces++] = (struct link_piece){in->body.data, in->body.len};
	*e = (struct link_event){
		.kind = LINK_TAKEN,
		.side = LINK_TAKES,
		.id = tag_of(r, in, channel),
		.from = channel == RABBIT_CONTROL          ? COURIER_FROM_CONTROL
			: r->config->role == COURIER_AGENT ? COURIER_FROM_TASKS
			: in->dead                         ? COURIER_FROM_DEAD
							   : COURIER_FROM_RESULTS,
		.deliveries = in->deliveries,
		.body = in->piece,
		.npieces = in->npieces,
		.len = (size_t)in->len,
	};
	if (channel == RABBIT_WORK)
		rabbit_tags_taken(&r->tags, in->tag);
	return true;
}

void rabbit_inbound_begin(struct rabbit_inbound *in, enum rabbit_kind kind, uint64_t tag,
			  bool again)
{
	struct buf body = in->body;

	body.len = 0;
	*in = (struct rabbit_inbound){.kind = kind, .tag = tag, .deliveries = again, .body = body};
}

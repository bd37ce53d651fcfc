#include "lie.h"

#include "v3_message.h"

#include <string.h>

enum {
	JUNK = 8,
	GARBAGE = 48
};

uint32_t lie_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (uint32_t)(x * 0x2545f4914f6cdd1dull >> 32);
}

static void add_random(struct datagram *d, size_t n, uint64_t *random)
{
	while (n-- > 0 && d->len < DATAGRAM_MAX)
		d->bytes[d->len++] = (uint8_t)lie_random(random);
}

/* Where the message says which request it answers, and where its PDU begins; false: it does not say so. */
static bool find_parts(const struct datagram *d, size_t *id_end, size_t *pdu)
{
	struct message m;
	struct v3_message v3;
	enum message_kind kind = message_read(&m, d->bytes, d->len);

	if (kind == MESSAGE_GOOD) {
		*id_end = (size_t)(m.id_end - d->bytes);
		*pdu = (size_t)(m.pdu_at - d->bytes);
		return true;
	}
	if (kind != MESSAGE_V3 || !v3_message_read(&v3, d->bytes, d->len))
		return false;
	*id_end = (size_t)(v3.id_end - d->bytes);
	*pdu = (size_t)(v3.data.at - d->bytes);
	return true;
}

/* In the middle, but behind the request-id (of SNMPv3: msgID); or right before the PDU. */
static void cut(struct datagram *d, bool before_pdu)
{
	size_t id_end, pdu, half = d->len / 2;

	if (!find_parts(d, &id_end, &pdu))
		return;
	if (before_pdu)
		d->len = pdu;
	else
		d->len = half > id_end ? half : id_end;
}

/* Another address of the same /24 on loopback, never .0 nor .255. IPv6 has only ::1. */
static void change_address(struct datagram *d)
{
	uint8_t *last = &d->local.s6_addr[15];

	if (datagram_is_v4(&d->local))
		*last = (uint8_t)(*last % 254 + 1);
}

void lie_apply(const struct behaviour *b, struct datagram *d, uint64_t *random)
{
	if (b->other_address)
		change_address(d);
	if (b->truncated || b->truncated_head)
		cut(d, b->truncated_head);
	if (b->garbage || b->empty)
		d->len = 0;
	if (b->garbage)
		add_random(d, GARBAGE, random);
	if (b->trailing)
		add_random(d, JUNK, random);
}

struct behaviour lie_none(const struct behaviour *b)
{
	return (struct behaviour){
		.late = b->late,
		.late_first = b->late_first,
		.rows = b->rows,
		.sparse = b->sparse,
		.types = b->types,
		.long_values = b->long_values,
		.boots = b->boots,
		.boots_fall = b->boots_fall,
		.clock_jump = b->clock_jump,
		.clock_back = b->clock_back,
		.same_engine = b->same_engine,
		.engine_change = b->engine_change,
		.engine_length = b->engine_length,
		.needs = b->needs,
	};
}

#include "lie.h"

#include "message.h"

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

/* In the middle, but behind the request-id; or right before the PDU. */
static void cut(struct datagram *d, bool before_id)
{
	struct message m;

	if (message_read(&m, d->bytes, d->len) != MESSAGE_GOOD)
		return;
	size_t id_end = (size_t)(m.id_end - d->bytes);
	size_t half = d->len / 2;
	if (before_id)
		d->len = (size_t)(m.pdu_at - d->bytes);
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

struct behaviour lie_none(const struct behaviour *behaviour)
{
	return (struct behaviour){.late = behaviour->late,
				  .late_first = behaviour->late_first,
				  .rows = behaviour->rows,
				  .sparse = behaviour->sparse,
				  .types = behaviour->types,
				  .long_values = behaviour->long_values};
}

/*
 * Integers and octet strings in messages between our own processes.
 *
 * The problem: the master reads what workers write, and a worker is the process that faces the
 * network. One unbounded read here would turn a taken-over worker into a taken-over master.
 *
 * The design: a cursor and an end. Every access goes through wire_in_take() or wire_out_take(), the only two
 * places that compare and move; an overrun sticks (`bad`, `full`), so that a pack or unpack
 * function is straight code in field order with one check at its end.
 *
 * Rejected: packed structs copied as they lie in memory. They need no code, and bring padding, which
 * leaks what the stack held before, and enums and lengths that nobody has looked at.
 *
 * The trap: a string's length and its octets must succeed or fail together, or a reader would find
 * a length whose octets belong to the next field.
 */
#include "base/wire.h"

#include <string.h>

void wire_put_bytes(struct wire_out *w, const void *p, size_t len)
{
	uint8_t *place = wire_out_take(w, len);

	if (place && len)
		memcpy(place, p, len);
}

void wire_put_str(struct wire_out *w, const void *p, uint16_t len)
{
	uint8_t *place = wire_out_take(w, 2u + len);

	if (!place)
		return;
	place[0] = (uint8_t)(len >> 8);
	place[1] = (uint8_t)len;
	if (len)
		memcpy(place + 2, p, len);
}

const uint8_t *wire_get_bytes(struct wire_in *r, size_t len)
{
	return wire_in_take(r, len);
}

const uint8_t *wire_get_str(struct wire_in *r, uint16_t *len)
{
	const uint8_t *octets;

	*len = wire_get_u16(r);
	octets = wire_in_take(r, *len);
	if (!octets)
		*len = 0;
	return octets;
}

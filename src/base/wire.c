/*
 * Integers and octet strings in messages between our own processes.
 *
 * The problem: the master reads what workers write, and a worker is the process that faces the
 * network. One unbounded read here would turn a taken-over worker into a taken-over master.
 *
 * The design: a cursor and an end. Every access goes through in_take() or out_take(), the only two
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

static uint8_t *out_take(struct wire_out *w, size_t len)
{
	uint8_t *place = w->at;

	if (w->full || (size_t)(w->end - w->at) < len) {
		w->full = true;
		return NULL;
	}
	w->at += len;
	return place;
}

static void put_integer(struct wire_out *w, uint64_t v, size_t len)
{
	uint8_t *place = out_take(w, len);

	if (!place)
		return;
	while (len--) {
		place[len] = (uint8_t)v;
		v >>= 8;
	}
}

void wire_put_u8(struct wire_out *w, uint8_t v)
{
	put_integer(w, v, 1);
}

void wire_put_u16(struct wire_out *w, uint16_t v)
{
	put_integer(w, v, 2);
}

void wire_put_u32(struct wire_out *w, uint32_t v)
{
	put_integer(w, v, 4);
}

void wire_put_u64(struct wire_out *w, uint64_t v)
{
	put_integer(w, v, 8);
}

void wire_put_bytes(struct wire_out *w, const void *p, size_t len)
{
	uint8_t *place = out_take(w, len);

	if (place && len)
		memcpy(place, p, len);
}

void wire_put_str(struct wire_out *w, const void *p, uint16_t len)
{
	uint8_t *place = out_take(w, 2u + len);

	if (!place)
		return;
	place[0] = (uint8_t)(len >> 8);
	place[1] = (uint8_t)len;
	if (len)
		memcpy(place + 2, p, len);
}

static const uint8_t *in_take(struct wire_in *r, size_t len)
{
	const uint8_t *place = r->at;

	if (r->bad || (size_t)(r->end - r->at) < len) {
		r->bad = true;
		return NULL;
	}
	r->at += len;
	return place;
}

static uint64_t get_integer(struct wire_in *r, size_t len)
{
	const uint8_t *place = in_take(r, len);
	uint64_t v = 0;

	if (!place)
		return 0;
	while (len--)
		v = v << 8 | *place++;
	return v;
}

uint8_t wire_get_u8(struct wire_in *r)
{
	return (uint8_t)get_integer(r, 1);
}

uint16_t wire_get_u16(struct wire_in *r)
{
	return (uint16_t)get_integer(r, 2);
}

uint32_t wire_get_u32(struct wire_in *r)
{
	return (uint32_t)get_integer(r, 4);
}

uint64_t wire_get_u64(struct wire_in *r)
{
	return get_integer(r, 8);
}

const uint8_t *wire_get_bytes(struct wire_in *r, size_t len)
{
	return in_take(r, len);
}

const uint8_t *wire_get_str(struct wire_in *r, uint16_t *len)
{
	const uint8_t *octets;

	*len = wire_get_u16(r);
	octets = in_take(r, *len);
	if (!octets)
		*len = 0;
	return octets;
}

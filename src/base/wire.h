/*
 * wire - integers and octet strings in messages between our own processes.
 *
 * Both ends run the same program on the same machine, but a worker may have been taken over by a
 * device: so every read is bounded, an overrun sets `bad` once and yields zeros, and the caller
 * checks `bad` at the end. Integers are big-endian, strings carry their length first.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire_octets.h"

struct wire_out {
	uint8_t *at;  /* next octet to write */
	uint8_t *end; /* one past the last writable octet */
	bool full;    /* something did not fit; nothing is written from then on */
};

struct wire_in {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* a read went past the end; all later reads give zero */
};

/* The only two places that compare and move. NULL: it does not fit, or is not there. Inlined, as the integers are: a record
 * has some forty of them, and passes through six processes in a run over a broker. */
static inline uint8_t *wire_out_take(struct wire_out *w, size_t len)
{
	uint8_t *room = w->at;

	if (w->full || (size_t)(w->end - w->at) < len) {
		w->full = true;
		return NULL;
	}
	w->at += len;
	return room;
}

static inline const uint8_t *wire_in_take(struct wire_in *r, size_t len)
{
	const uint8_t *room = r->at;

	if (r->bad || (size_t)(r->end - r->at) < len) {
		r->bad = true;
		return NULL;
	}
	r->at += len;
	return room;
}

#define WIRE_INTEGER(bits)                                                        \
	static inline void wire_put_u##bits(struct wire_out *w, uint##bits##_t v) \
	{                                                                         \
		uint8_t *room = wire_out_take(w, bits / 8);                       \
		if (room)                                                         \
			wire_store##bits(room, v);                                \
	}                                                                         \
	static inline uint##bits##_t wire_get_u##bits(struct wire_in *r)          \
	{                                                                         \
		const uint8_t *room = wire_in_take(r, bits / 8);                  \
		return (uint##bits##_t)(room ? wire_load##bits(room) : 0);        \
	}
static inline void wire_put_u8(struct wire_out *w, uint8_t v)
{
	uint8_t *room = wire_out_take(w, 1);

	for (unsigned i = 0; room && i < 1; i++) /* a plain store draws false warnings of gcc 12 */
		room[i] = v;
}

static inline uint8_t wire_get_u8(struct wire_in *r)
{
	const uint8_t *room = wire_in_take(r, 1);

	return room ? *room : 0;
}

WIRE_INTEGER(16)
WIRE_INTEGER(32)
WIRE_INTEGER(64)
#undef WIRE_INTEGER

void wire_put_bytes(struct wire_out *w, const void *p, size_t len); /* as it is, no length */
void wire_put_str(struct wire_out *w, const void *p, uint16_t len); /* u16 length, then octets */

const uint8_t *wire_get_bytes(struct wire_in *r, size_t len);  /* lends; NULL when bad */
const uint8_t *wire_get_str(struct wire_in *r, uint16_t *len); /* lends; NULL and 0 when bad */

#endif

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

void wire_put_u8(struct wire_out *w, uint8_t v);
void wire_put_u16(struct wire_out *w, uint16_t v);
void wire_put_u32(struct wire_out *w, uint32_t v);
void wire_put_u64(struct wire_out *w, uint64_t v);
void wire_put_bytes(struct wire_out *w, const void *p, size_t len); /* as it is, no length */
void wire_put_str(struct wire_out *w, const void *p, uint16_t len); /* u16 length, then octets */

uint8_t wire_get_u8(struct wire_in *r);
uint16_t wire_get_u16(struct wire_in *r);
uint32_t wire_get_u32(struct wire_in *r);
uint64_t wire_get_u64(struct wire_in *r);
const uint8_t *wire_get_bytes(struct wire_in *r, size_t len);  /* lends; NULL when bad */
const uint8_t *wire_get_str(struct wire_in *r, uint16_t *len); /* lends; NULL and 0 when bad */

#endif

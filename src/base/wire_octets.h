/*
 * wire_octets - integers in network order, at any place.
 *
 * Octet by octet, but without a loop: compilers make one load or store of each.
 */
#ifndef BASE_WIRE_OCTETS_H
#define BASE_WIRE_OCTETS_H

#include <stdint.h>

static inline uint64_t wire_load16(const uint8_t *p)
{
	return (uint64_t)p[0] << 8 | p[1];
}

static inline uint64_t wire_load32(const uint8_t *p)
{
	return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
}

static inline uint64_t wire_load64(const uint8_t *p)
{
	return wire_load32(p) << 32 | wire_load32(p + 4);
}

static inline void wire_store16(uint8_t *p, uint64_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void wire_store32(uint8_t *p, uint64_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void wire_store64(uint8_t *p, uint64_t v)
{
	wire_store32(p, v >> 32);
	wire_store32(p + 4, v);
}

#endif

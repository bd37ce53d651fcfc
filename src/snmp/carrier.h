/*
 * carrier - what the engine needs of whatever carries its messages: UDP sockets, or a session of
 * another transport. The functions mean what those of udp.h mean, where they are explained.
 */
#ifndef SNMP_CARRIER_H
#define SNMP_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/udp.h"

struct carrier {
	unsigned (*lanes)(const void *c);
	int (*fd)(const void *c, unsigned lane);
	uint8_t (*family)(const void *c, unsigned lane);
	unsigned (*burst)(const void *c, unsigned lane);
	size_t (*send)(void *c, unsigned lane, const struct udp_out *list, size_t n, int *error);
	size_t (*receive)(void *c, unsigned lane, struct udp_in **list, bool *more);
	size_t (*refusals)(void *c, const struct udp_refusal **list);
	uint64_t (*dropped)(void *c);
};

extern const struct carrier carrier_udp; /* of a struct udp */

#endif

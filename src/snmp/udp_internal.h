/*
 * udp_internal - the boundary between what every system has (udp.c) and batches, error queue and drop
 * counter (udp_linux.c; udp_plain.c does without).
 */
#ifndef SNMP_UDP_INTERNAL_H
#define SNMP_UDP_INTERNAL_H

#include "snmp/udp.h"

struct udp_lane {
	int fd;
	uint8_t family; /* 4 or 6 */
	unsigned burst; /* replies that the buffer holds */
	uint32_t drops; /* the kernel's count, as last seen */
	bool fragments; /* Linux, IPv4: datagrams may be split on the way */
};

struct udp_batch; /* what the platform needs for a batch */

struct udp {
	struct udp_lane lanes[2 * UDP_LANES_MAX];
	unsigned nlanes;
	struct udp_in in[UDP_BATCH];
	uint8_t *buffers; /* UDP_BATCH of them, UDP_STRIDE apart */
	struct udp_batch *batch;
	struct udp_refusal *refusals;
	size_t nrefusals;
	size_t refusals_cap;
	bool refusals_taken; /* the next refusal starts a new list */
	uint64_t dropped;
};

/* Not a power of two: the first octets of all buffers would share one set of the cache. */
#define UDP_STRIDE (UDP_OCTETS_MAX + 192)

struct udp_batch *udp_batch_new(uint8_t *buffers);
void udp_batch_free(struct udp_batch *b);

/* Options of a new socket that only some systems have. */
void udp_platform_options(int fd, uint8_t family);
/* Asks for a receive buffer beyond what anyone may have; false: only root may, or nobody. */
bool udp_platform_force_buffer(int fd, int octets);

/* Both: the count, or -1 with errno. Neither waits. Refusals found on the way are in the list. */
int udp_platform_send(struct udp *u, struct udp_lane *l, const struct udp_out *list, size_t n);
int udp_platform_receive(struct udp *u, struct udp_lane *l);

struct udp_refusal *udp_refusal_add(struct udp *u); /* room for one more, uninitialised */

#endif

/*
 * A datagram with both its addresses. The local one decides which simulated agent is meant, and is where the
 * answer must come from; it travels as a control message (IP_PKTINFO, IPV6_PKTINFO) both ways.
 */
#ifndef AGENT_DATAGRAM_H
#define AGENT_DATAGRAM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	DATAGRAM_MAX = 65536
};

union peer {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct datagram {
	union peer peer;
	struct in6_addr local; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t *bytes;        /* lent */
	size_t len;
	int fd;
};

enum {
	CONTROL_SPACE = 64
}; /* one in6_pktinfo with its header, padded */

union control {
	struct cmsghdr align;
	uint8_t space[CONTROL_SPACE];
};

/* Fills d->local from what the kernel said; false when it said nothing. */
bool datagram_read_control(struct datagram *d, struct msghdr *msg);
/* Makes msg carry d->local as the address to send from, in `control`, which must live as long as msg. */
void datagram_write_control(const struct datagram *d, struct msghdr *msg, union control *control);

bool datagram_is_v4(const struct in6_addr *addr);
/* An IPv4 address in host order, or the last four octets of an IPv6 one. */
uint32_t datagram_number(const struct in6_addr *addr);

/* A UDP socket on bind_to that tells local addresses; -1 and errno on failure. */
int datagram_socket(const union peer *bind_to);
/* The port that the socket got, in host order. */
uint16_t datagram_port(int fd);

#endif

/*
 * udp - the sockets of an engine: batches of datagrams out and in, and what the network refused.
 *
 * Knows no SNMP. A family has one socket (a lane), or up to UDP_LANES_MAX when the kernel grants
 * one socket too little buffer for the window.
 */
#ifndef SNMP_UDP_H
#define SNMP_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define UDP_BATCH        64    /* datagrams to a call */
#define UDP_LANES_MAX    8     /* of a family: twice that must fit below `ulimit -n 64` */
#define UDP_REPLY_OCTETS 2560  /* of receive buffer that a reply of 1,500 octets may take */
#define UDP_OCTETS_MAX   65536 /* no datagram is longer */
#define UDP_QUOTE_MAX    320   /* octets kept of a refused datagram */

struct udp_out { /* a datagram to send */
	struct addr to;
	const uint8_t *data;
	size_t len;
};
struct udp_in { /* a datagram received; its data may be written to */
	struct addr from;
	uint8_t *data;
	size_t len;
};
struct udp_refusal { /* the network says that a datagram of ours will not arrive */
	struct addr to;
	int error;     /* errno that the kernel makes of it */
	uint16_t size; /* of what is quoted of our datagram, from its start; may be 0 */
	uint8_t quoted[UDP_QUOTE_MAX];
};

struct udp;
struct udp_config {
	unsigned window;     /* replies that may be under way at a time */
	struct addr source4; /* to send from, port 0 for any; family 0: any address */
	struct addr source6;
};

/* Opens the lanes of every family that the kernel has. NULL: error says why (none, or a source address
 * that cannot be had). */
struct udp *udp_open(const struct udp_config *config, char *error, size_t len);
void udp_close(struct udp *u);

unsigned udp_lanes(const struct udp *u); /* of all families */
int udp_fd(const struct udp *u, unsigned lane);
uint8_t udp_family(const struct udp *u, unsigned lane); /* 4 or 6 */
/* How many replies of UDP_REPLY_OCTETS the lane's receive buffer holds; at least 1. */
unsigned udp_burst(const struct udp *u, unsigned lane);

/* Sends from the front of the list, n <= UDP_BATCH. Returns how many the kernel took; *error is 0, or why it
 * would not take the next one. */
size_t udp_send(struct udp *u, unsigned lane, const struct udp_out *list, size_t n, int *error);
bool udp_is_passing(int error); /* the send may be tried again as it is, a little later */

/* Receives up to UDP_BATCH datagrams; they are good until the next call. *more: there may be others. */
size_t udp_receive(struct udp *u, unsigned lane, struct udp_in **list, bool *more);

/* Refusals met during the calls above, in the order in which they came, good until the next
 * call of udp_send, udp_receive or this: which starts a new list. */
size_t udp_refusals(struct udp *u, const struct udp_refusal **list);
uint64_t udp_dropped(struct udp *u); /* lost in our receive buffers since the last call */

#endif

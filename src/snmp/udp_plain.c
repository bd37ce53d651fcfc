/*
 * One datagram to a call, as every system has it.
 *
 * Unconnected sockets are told nothing of ICMP here: what the network refuses is found by the timeout
 * (`unreachable` is best effort). What the kernel itself refuses, it says at once. Replies lost in
 * our own receive buffer are not counted anywhere.
 */
#include "snmp/udp_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct udp_batch *udp_batch_new(uint8_t *buffers)
{
	(void)buffers;
	return NULL;
}

void udp_batch_free(struct udp_batch *b)
{
	(void)b;
}

void udp_platform_options(int fd, uint8_t family)
{
	(void)fd;
	(void)family;
}

bool udp_platform_force_buffer(int fd, int octets)
{
	(void)fd;
	(void)octets;
	return false;
}

int udp_platform_send(struct udp *u, struct udp_lane *l, const struct udp_out *list, size_t n)
{
	struct sockaddr_storage to;
	size_t sent = 0;

	(void)u;
	while (sent < n) {
		socklen_t len = addr_to_sockaddr(&list[sent].to, &to);

		if (sendto(l->fd, list[sent].data, list[sent].len, 0, (const struct sockaddr *)&to,
			   len) < 0)
			break;
		sent++;
	}
	return sent ? (int)sent : -1;
}

int udp_platform_receive(struct udp *u, struct udp_lane *l)
{
	struct sockaddr_in6 from; /* the larger of the two families */
	int n = 0;

	while (n < UDP_BATCH) {
		struct udp_in *in = &u->in[n];
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(l->fd, in->data, UDP_OCTETS_MAX, 0, (struct sockaddr *)&from,
				       &len);

		if (got < 0)
			break;
		in->len = (size_t)got;
		if (addr_from_sockaddr((const struct sockaddr *)&from, &in->from))
			n++;
	}
	return n ? n : -1;
}

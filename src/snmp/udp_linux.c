/*
 * Batches, the error queue and the drop counter, as Linux has them.
 *
 * What ICMP says of a datagram of ours waits in the socket's error queue (IP_RECVERR) with the datagram
 * quoted, and lies in the receive buffer until it is read: 255 unread errors have cost 1,744 of 2,048
 * live answers. As long as one waits, the next call on the socket fails with its errno, before it
 * has sent or received anything. So the queue needs no call of its own while all is well: a call that
 * fails drains it wholly and is repeated, and that comes before every batch.
 *
 * The trap: the same errno may mean the datagram at hand (no route, a broadcast address). A failure is
 * the datagram's own when nothing was in the error queue; asked twice, since the kernel reports an error
 * that found no room in the queue, too.
 *
 * The other trap: recvmmsg(2) and poll(2) look at different things. Poll tells of a queue with anything in
 * it, the call fails only on the last error. A call that finds neither datagram nor error, though poll
 * said there was something, drains as well, or the loop would spin.
 */
#include "snmp/udp_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include "base/mem.h"

#define DROPS_OCTETS CMSG_SPACE(sizeof(uint32_t))
#define ERROR_OCTETS CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))

struct udp_batch {
	struct mmsghdr out[UDP_BATCH];
	struct iovec out_iov[UDP_BATCH];
	struct sockaddr_storage to[UDP_BATCH];
	struct mmsghdr in[UDP_BATCH];
	struct iovec in_iov[UDP_BATCH];
	struct sockaddr_in6 from[UDP_BATCH]; /* the larger of the two families */
	_Alignas(struct cmsghdr) uint8_t drops[UDP_BATCH][DROPS_OCTETS];
	struct mmsghdr error[UDP_BATCH];
	struct iovec error_iov[UDP_BATCH];
	struct sockaddr_in6 error_to[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t error_control[UDP_BATCH][ERROR_OCTETS];
	uint8_t quoted[UDP_BATCH][UDP_QUOTE_MAX];
};

struct udp_batch *udp_batch_new(uint8_t *buffers)
{
	struct udp_batch *b = mem_zero(1, sizeof(*b));

	for (size_t i = 0; i < UDP_BATCH; i++) {
		b->out[i].msg_hdr.msg_iov = &b->out_iov[i];
		b->out[i].msg_hdr.msg_iovlen = 1;
		b->out[i].msg_hdr.msg_name = &b->to[i];
		b->in_iov[i].iov_base = buffers + i * UDP_STRIDE;
		b->in_iov[i].iov_len = UDP_OCTETS_MAX;
		b->in[i].msg_hdr.msg_iov = &b->in_iov[i];
		b->in[i].msg_hdr.msg_iovlen = 1;
		b->in[i].msg_hdr.msg_name = &b->from[i];
		b->in[i].msg_hdr.msg_control = b->drops[i];
		b->error_iov[i].iov_base = b->quoted[i];
		b->error_iov[i].iov_len = UDP_QUOTE_MAX;
		b->error[i].msg_hdr.msg_iov = &b->error_iov[i];
		b->error[i].msg_hdr.msg_iovlen = 1;
		b->error[i].msg_hdr.msg_name = &b->error_to[i];
		b->error[i].msg_hdr.msg_control = b->error_control[i];
	}
	return b;
}

void udp_batch_free(struct udp_batch *b)
{
	free(b);
}

/* IPv4 only. What may never be split needs no identification (RFC 6864 §4.1), and to choose one costs
 * the kernel a tenth of what we cost in all. */
static void set_fragments(int fd, bool may)
{
	int discover = may ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO;

	setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover));
}

void udp_platform_options(int fd, uint8_t family)
{
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
	if (family == 4) {
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
		set_fragments(fd, false);
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	}
}

bool udp_platform_force_buffer(int fd, int octets)
{
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets)) == 0;
}

/* "Destination unreachable" ends a request; a path that needs smaller datagrams, or time exceeded
 * on a loop that routing is about to mend, ends nothing. */
static bool is_refusal(const struct sock_extended_err *e)
{
	if (e->ee_errno == EMSGSIZE)
		return false;
	return (e->ee_origin == SO_EE_ORIGIN_ICMP && e->ee_type == ICMP_DEST_UNREACH) ||
	       (e->ee_origin == SO_EE_ORIGIN_ICMP6 && e->ee_type == ICMPV6_DEST_UNREACH);
}

/* A filter says so, not a router that looks for a host; IPv6 has EACCES for it already. */
static bool is_prohibited(const struct sock_extended_err *e)
{
	return e->ee_origin == SO_EE_ORIGIN_ICMP &&
	       (e->ee_code == ICMP_NET_ANO || e->ee_code == ICMP_HOST_ANO ||
		e->ee_code == ICMP_PKT_FILTERED);
}

static void note_error(struct udp *u, const struct mmsghdr *m)
{
	const struct msghdr *h = &m->msg_hdr;
	struct udp_refusal *r;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR((struct msghdr *)h, c)) {
		struct sock_extended_err e;

		if ((c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR) &&
		    (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		if (!is_refusal(&e))
			continue;
		r = udp_refusal_add(u);
		r->error = is_prohibited(&e) ? EACCES : (int)e.ee_errno;
		r->size = (uint16_t)(m->msg_len < UDP_QUOTE_MAX ? m->msg_len : UDP_QUOTE_MAX);
		memcpy(r->quoted, h->msg_iov->iov_base, r->size);
		if (!h->msg_namelen || !addr_from_sockaddr(h->msg_name, &r->to))
			r->to = (struct addr){0};
	}
}

/* Reads the error queue until it is empty; returns how many errors were in it. */
static size_t drain(struct udp *u, const struct udp_lane *l)
{
	struct udp_batch *b = u->batch;
	size_t total = 0;
	int n;

	do {
		for (size_t i = 0; i < UDP_BATCH; i++) {
			b->error[i].msg_hdr.msg_namelen = sizeof(b->error_to[i]);
			b->error[i].msg_hdr.msg_controllen = ERROR_OCTETS;
		}
		n = recvmmsg(l->fd, b->error, UDP_BATCH, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			note_error(u, &b->error[i]);
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return total;
}

int udp_platform_send(struct udp *u, struct udp_lane *l, const struct udp_out *list, size_t n)
{
	struct udp_batch *b = u->batch;
	int sent, saved;

	for (size_t i = 0; i < n; i++) {
		b->out[i].msg_hdr.msg_namelen = addr_to_sockaddr(&list[i].to, &b->to[i]);
		b->out_iov[i].iov_base = (void *)list[i].data;
		b->out_iov[i].iov_len = list[i].len;
	}
	for (int own = 0; own < 2;) {
		sent = sendmmsg(l->fd, b->out, (unsigned)n, MSG_DONTWAIT);
		if (sent >= 0 || udp_is_passing(errno) || errno == EINTR)
			return sent;
		saved = errno;
		if (saved == EMSGSIZE && l->family == 4 && !l->fragments) {
			l->fragments = true; /* a path is known to be narrower than this datagram */
			set_fragments(l->fd, true);
			continue;
		}
		/* one that is too large leaves an error behind each time it is sent */
		own = drain(u, l) && saved != EMSGSIZE ? 0 : own + 1;
		errno = saved;
	}
	return -1;
}

/* The kernel's count comes with each datagram once there was a loss, and only grows (modulo 2^32). */
static void note_drops(struct udp *u, struct udp_lane *l, struct msghdr *newest)
{
	struct cmsghdr *c;
	uint32_t drops;

	for (c = CMSG_FIRSTHDR(newest); c; c = CMSG_NXTHDR(newest, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&drops, CMSG_DATA(c), sizeof(drops));
		u->dropped += drops - l->drops;
		l->drops = drops;
	}
}

/* One recvmmsg(2), repeated as long as it fails for errors that could be drained. */
static int receive_batch(struct udp *u, const struct udp_lane *l)
{
	struct udp_batch *b = u->batch;
	int n;

	for (;;) {
		for (size_t i = 0; i < UDP_BATCH; i++) {
			b->in[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
			b->in[i].msg_hdr.msg_controllen = DROPS_OCTETS;
		}
		n = recvmmsg(l->fd, b->in, UDP_BATCH, MSG_DONTWAIT, NULL);
		if (n >= 0 || errno == EINTR)
			return n;
		if (drain(u, l) == 0)
			return 0;
	}
}

int udp_platform_receive(struct udp *u, struct udp_lane *l)
{
	struct udp_batch *b = u->batch;
	int n = receive_batch(u, l), kept = 0;

	for (int i = 0; i < n; i++) {
		struct udp_in *in = &u->in[kept];

		if (!addr_from_sockaddr((const struct sockaddr *)&b->from[i], &in->from))
			continue;
		in->data = b->in_iov[i].iov_base;
		in->len = b->in[i].msg_len;
		kept++;
	}
	if (n > 0)
		note_drops(u, l, &b->in[n - 1].msg_hdr);
	return kept;
}

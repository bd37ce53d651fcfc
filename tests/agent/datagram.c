#include "datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool datagram_is_v4(const struct in6_addr *addr)
{
	return memcmp(addr->s6_addr, v4_prefix, sizeof v4_prefix) == 0;
}

uint32_t datagram_number(const struct in6_addr *addr)
{
	uint32_t number;

	memcpy(&number, addr->s6_addr + 12, sizeof number);
	return ntohl(number);
}

bool datagram_read_control(struct datagram *d, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			memcpy(d->local.s6_addr, v4_prefix, sizeof v4_prefix);
			memcpy(d->local.s6_addr + 12, &info.ipi_addr, 4);
			return true;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			d->local = info.ipi6_addr;
			return true;
		}
	}
	return false;
}

static void write_v4(const struct datagram *d, struct cmsghdr *c)
{
	struct in_pktinfo info = {0};

	memcpy(&info.ipi_spec_dst, d->local.s6_addr + 12, 4);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
}

static void write_v6(const struct datagram *d, struct cmsghdr *c)
{
	struct in6_pktinfo info = {.ipi6_addr = d->local};

	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
}

void datagram_write_control(const struct datagram *d, struct msghdr *msg, union control *control)
{
	bool v4 = d->peer.sa.sa_family == AF_INET;

	msg->msg_control = control;
	msg->msg_controllen = v4 ? CMSG_SPACE(sizeof(struct in_pktinfo))
				 : CMSG_SPACE(sizeof(struct in6_pktinfo));
	if (v4)
		write_v4(d, CMSG_FIRSTHDR(msg));
	else
		write_v6(d, CMSG_FIRSTHDR(msg));
}

static int prepare(int fd, const union peer *bind_to)
{
	int on = 1;

	if (bind_to->sa.sa_family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) ||
		       bind(fd, &bind_to->sa, sizeof bind_to->in);
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) ||
	       bind(fd, &bind_to->sa, sizeof bind_to->in6);
}

int datagram_socket(const union peer *bind_to)
{
	int fd = socket(bind_to->sa.sa_family, SOCK_DGRAM, 0);

	if (fd == -1)
		return -1;
	if (prepare(fd, bind_to) != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

uint16_t datagram_port(int fd)
{
	union peer self;
	socklen_t len = sizeof self;

	if (getsockname(fd, &self.sa, &len) != 0)
		return 0;
	return ntohs(self.sa.sa_family == AF_INET ? self.in.sin_port : self.in6.sin6_port);
}

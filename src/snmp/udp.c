/*
 * The sockets of an engine.
 *
 * The problem: a socket per host runs out of descriptors, one socket for all runs out of buffer: the
 * replies to a burst arrive faster than they are read, and what does not fit is lost without a word
 * and looks like silent devices. An unprivileged process gets net.core.rmem_max, at the stock value
 * room for 166 large replies.
 *
 * The design: one socket (a lane) per family where the kernel grants a buffer for the whole window. Where
 * it does not, further lanes of the family until their buffers do, or UDP_LANES_MAX. Each lane says how many
 * replies its buffer holds, and the engine keeps to that: nothing is lost, and only the number of
 * requests within a round trip is bounded.
 *
 * Rejected: a bigger burst, and repeating what was lost. A lost reply costs a host its whole timeout,
 * and a device one more request for our fault.
 *
 * The trap: SO_RCVBUF counts the kernel's bookkeeping too, and getsockopt(2) tells the double of what
 * was asked for. So the bound comes from what getsockopt tells, by UDP_REPLY_OCTETS for a reply of up
 * to 1,500 octets.
 */
#include "snmp/udp_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define BUFFER_MAX (64 << 20) /* octets asked for by one socket, as getsockopt(2) counts them */

static int set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int bind_source(int fd, const struct addr *source)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(source, &sa);

	return bind(fd, (const struct sockaddr *)&sa, len);
}

static int granted_buffer(int fd)
{
	int octets = 0;
	socklen_t len = sizeof(octets);

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, &len);
	return octets;
}

/* Asks for a receive buffer, then for half of that, until it is granted; returns what there is. One
 * that is larger by default is left so. */
static int take_buffer(int fd, int octets)
{
	if (granted_buffer(fd) >= octets || udp_platform_force_buffer(fd, octets / 2))
		return granted_buffer(fd);
	for (int ask = octets / 2; ask > granted_buffer(fd) / 2; ask /= 2) {
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &ask, sizeof(ask)) == 0)
			break;
	}
	return granted_buffer(fd);
}

/* A socket with all its options, or -1 with errno. */
static int open_socket(uint8_t family, const struct addr *source)
{
	int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0), one = 1, saved;

	if (fd < 0)
		return -1;
	if (family == 6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (set_flags(fd) < 0 || (source->family == family && bind_source(fd, source) < 0)) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	udp_platform_options(fd, family);
	return fd;
}

/* Opens lanes of a family until their buffers hold the window's replies. -1: not even one. */
static int open_lanes(struct udp *u, uint8_t family, const struct udp_config *config)
{
	const struct addr *source = family == 4 ? &config->source4 : &config->source6;
	long long wanted = (long long)config->window * UDP_REPLY_OCTETS, have = 0;

	for (int n = 0; n < UDP_LANES_MAX && (n == 0 || have < wanted); n++) {
		struct udp_lane *l = &u->lanes[u->nlanes];
		int octets = wanted - have < BUFFER_MAX ? (int)(wanted - have) : BUFFER_MAX;
		int granted, fd = open_socket(family, source);

		if (fd < 0)
			return n ? 0 : -1;
		granted = take_buffer(fd, octets);
		*l = (struct udp_lane){.fd = fd, .family = family};
		l->burst = granted < UDP_REPLY_OCTETS ? 1 : (unsigned)(granted / UDP_REPLY_OCTETS);
		have += granted;
		u->nlanes++;
	}
	return 0;
}

/* False: the address to send from cannot be had, or there is no socket at all. */
static bool open_families(struct udp *u, const struct udp_config *config, char *error, size_t len)
{
	static const uint8_t families[] = {4, 6};

	for (size_t i = 0; i < 2; i++) {
		const struct addr *source = i ? &config->source6 : &config->source4;
		char text[ADDR_TEXT_MAX];

		if (open_lanes(u, families[i], config) == 0 || source->family == 0)
			continue;
		addr_text(source, text);
		snprintf(error, len, "cannot send from %s: %s", text, strerror(errno));
		return false;
	}
	if (u->nlanes)
		return true;
	snprintf(error, len, "cannot open a UDP socket: %s", strerror(errno));
	return false;
}

struct udp *udp_open(const struct udp_config *config, char *error, size_t len)
{
	struct udp *u = mem_zero(1, sizeof(*u));

	u->buffers = mem_alloc((size_t)UDP_BATCH * UDP_STRIDE);
	u->batch = udp_batch_new(u->buffers);
	for (size_t i = 0; i < UDP_BATCH; i++)
		u->in[i].data = u->buffers + i * UDP_STRIDE;
	if (open_families(u, config, error, len))
		return u;
	udp_close(u);
	return NULL;
}

void udp_close(struct udp *u)
{
	for (unsigned i = 0; i < u->nlanes; i++)
		close(u->lanes[i].fd);
	udp_batch_free(u->batch);
	free(u->buffers);
	free(u->refusals);
	free(u);
}

unsigned udp_lanes(const struct udp *u)
{
	return u->nlanes;
}

int udp_fd(const struct udp *u, unsigned lane)
{
	return u->lanes[lane].fd;
}

uint8_t udp_family(const struct udp *u, unsigned lane)
{
	return u->lanes[lane].family;
}

unsigned udp_burst(const struct udp *u, unsigned lane)
{
	return u->lanes[lane].burst;
}

bool udp_is_passing(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM;
}

size_t udp_send(struct udp *u, unsigned lane, const struct udp_out *list, size_t n, int *error)
{
	size_t sent = 0;

	*error = 0;
	while (sent < n) {
		int count = udp_platform_send(u, &u->lanes[lane], list + sent, n - sent);

		if (count >= 0) {
			sent += (size_t)count;
		} else if (errno != EINTR) {
			*error = errno;
			break;
		}
	}
	return sent;
}

size_t udp_receive(struct udp *u, unsigned lane, struct udp_in **list, bool *more)
{
	int count;

	do {
		count = udp_platform_receive(u, &u->lanes[lane]);
	} while (count < 0 && errno == EINTR);
	*list = u->in;
	*more = count == UDP_BATCH;
	return count < 0 ? 0 : (size_t)count;
}

struct udp_refusal *udp_refusal_add(struct udp *u)
{
	if (u->refusals_taken)
		u->nrefusals = 0;
	u->refusals_taken = false;
	if (u->nrefusals == u->refusals_cap) {
		u->refusals_cap = u->refusals_cap ? u->refusals_cap * 2 : UDP_BATCH;
		u->refusals = mem_resize(u->refusals, u->refusals_cap, sizeof(*u->refusals));
	}
	return &u->refusals[u->nrefusals++];
}

size_t udp_refusals(struct udp *u, const struct udp_refusal **list)
{
	size_t n = u->refusals_taken ? 0 : u->nrefusals;

	u->refusals_taken = true;
	*list = u->refusals;
	return n;
}

uint64_t udp_dropped(struct udp *u)
{
	uint64_t n = u->dropped;

	u->dropped = 0;
	return n;
}

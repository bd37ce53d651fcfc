/*
 * raw - the limit: prebuilt datagrams through sendmmsg(2) and recvmmsg(2), no codec, no records.
 *
 *   raw PORT FIRST-ADDRESS COUNT [df]
 *
 * One socket asks COUNT addresses from FIRST-ADDRESS on for sysDescr.0, at most WINDOW of them in
 * the air, and counts each answer once by its request-id. What is lost is asked again after 100 ms
 * of silence. This is what any poller has to pay to the kernel; the benchmark's ratios stand on it.
 * With `df` its datagrams may not be split, which spares the kernel their identification, as
 * multisnmp's sockets do.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WINDOW    4096u
#define BATCH     64u
#define REPLY_MAX 2048
#define ID_BASE   0x01000000u /* four octets in BER, so that the length never changes */

/* GET sysDescr.0, v2c, community "public" */
static const uint8_t get[] = {0x30, 0x29, 0x02, 0x01, 0x01, 0x04, 0x06, 'p',  'u',  'b',  'l',
			      'i',  'c',  0xa0, 0x1c, 0x02, 0x04, 0,    0,    0,    0,    0x02,
			      0x01, 0,    0x02, 0x01, 0,    0x30, 0x0e, 0x30, 0x0c, 0x06, 0x08,
			      0x2b, 6,    1,    2,    1,    1,    1,    0,    0x05, 0};
#define ID_AT 17

struct raw {
	int fd;
	uint32_t first; /* address, host order */
	uint16_t port;  /* network order */
	uint32_t count;
	uint32_t next;     /* index to be asked next */
	uint32_t answered; /* each index once */
	uint32_t in_air;
	uint8_t *seen; /* a bit an index */
	uint8_t out[BATCH][sizeof(get)];
	uint8_t in[BATCH][REPLY_MAX];
};

static bool seen(const struct raw *r, uint32_t i)
{
	return r->seen[i / 8] >> (i % 8) & 1;
}

static void put_id(uint8_t *datagram, uint32_t id)
{
	id = htonl(id);
	memcpy(datagram + ID_AT, &id, sizeof(id));
}

/* One batch of those not answered yet; false when there was none to send. */
static bool send_batch(struct raw *r)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in to[BATCH];
	unsigned n = 0;
	for (; n < BATCH && r->in_air + n < WINDOW && r->next < r->count; r->next++) {
		if (seen(r, r->next))
			continue;
		memcpy(r->out[n], get, sizeof(get));
		put_id(r->out[n], ID_BASE + r->next);
		to[n] = (struct sockaddr_in){.sin_family = AF_INET,
					     .sin_port = r->port,
					     .sin_addr.s_addr = htonl(r->first + r->next)};
		iov[n] = (struct iovec){r->out[n], sizeof(get)};
		m[n] = (struct mmsghdr){.msg_hdr = {.msg_name = &to[n],
						    .msg_namelen = sizeof(to[n]),
						    .msg_iov = &iov[n],
						    .msg_iovlen = 1}};
		n++;
	}
	for (unsigned done = 0; done < n;) {
		int sent = sendmmsg(r->fd, m + done, n - done, 0);
		if (sent > 0)
			done += (unsigned)sent;
		else if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
			perror("sendmmsg");
			exit(1);
		}
	}
	r->in_air += n;
	return n > 0;
}

static void take(struct raw *r, const uint8_t *reply, size_t len)
{
	/* An answer of the bundled agents starts as the request does but for the outer lengths: the
	 * request-id stands behind the PDU's header, whose length may take more octets. */
	size_t at = 15;
	at += reply[1] & 0x80 ? reply[1] & 0x7f : 0;
	if (at < len && reply[at - 1] & 0x80)
		at += reply[at - 1] & 0x7f;
	if (at + 6 > len || reply[at] != 0x02 || reply[at + 1] != 4)
		return;
	uint32_t id;
	memcpy(&id, reply + at + 2, sizeof(id));
	uint32_t i = ntohl(id) - ID_BASE;
	if (i >= r->count || seen(r, i))
		return;
	r->seen[i / 8] |= (uint8_t)(1 << (i % 8));
	r->answered++;
	r->in_air--;
}

static bool receive_batch(struct raw *r)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in from[BATCH];
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){r->in[i], REPLY_MAX};
		m[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
						    .msg_namelen = sizeof(from[i]),
						    .msg_iov = &iov[i],
						    .msg_iovlen = 1}};
	}
	int n = recvmmsg(r->fd, m, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		take(r, r->in[i], m[i].msg_len);
	return n > 0;
}

static void run(struct raw *r)
{
	while (r->answered < r->count) {
		while (send_batch(r))
			continue;
		struct pollfd p = {.fd = r->fd, .events = POLLIN};
		if (poll(&p, 1, 100) == 0) { /* silence: what is missing is asked again */
			r->next = 0;
			r->in_air = 0;
			continue;
		}
		while (receive_batch(r))
			if (r->in_air <= WINDOW - BATCH)
				send_batch(r);
	}
}

int main(int argc, char **argv)
{
	struct raw *r = calloc(1, sizeof(*r));
	if (argc < 4 || r == NULL) {
		fputs("usage: raw PORT FIRST-ADDRESS COUNT [df]\n", stderr);
		return 2;
	}
	r->port = htons((uint16_t)atoi(argv[1]));
	r->first = ntohl(inet_addr(argv[2]));
	r->count = (uint32_t)strtoul(argv[3], NULL, 10);
	r->seen = calloc(r->count / 8 + 1, 1);
	r->fd = socket(AF_INET, SOCK_DGRAM, 0);
	int size = 16 << 20;
	if (setsockopt(r->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (argc > 4) {
		int discover = IP_PMTUDISC_DO;
		setsockopt(r->fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover));
	}
	run(r);
	printf("{\"records\": %u}\n", r->answered);
	return 0;
}

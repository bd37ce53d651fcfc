/*
 * blaster - forged answers, as fast as they are wanted, for test_forgers.py.
 *
 * usage: blaster COUNT PER-SECOND <WORDS. Lines of WORDS:
 *   to ADDRESS PORT     who is to believe them
 *   from ADDRESS PORT   who sends them: an address of ours; port 0: any
 *   spoof ADDRESS PORT  who seems to send them: an IPv4 address and port that is another's (root only)
 *   say OFFSET HEX      a datagram whose four octets at OFFSET are random, new for each: its request-id
 * Each datagram goes from the next sender to a random receiver of its family. At the end: "sent N spoofed M".
 *
 * What is spoofed goes through a raw socket with an IP and a UDP header of our own (checksum 0: none), so that
 * even address and port are those of the device that was asked; only the id is not.
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
#include <time.h>
#include <unistd.h>

#define BATCH     32
#define MANY      64
#define SAY_MAX   512
#define SPOOF_LEN 28 /* octets of both headers */

struct end {
	struct sockaddr_storage addr;
	socklen_t len;
	int fd; /* of a sender */
	bool spoofed;
};

struct say {
	uint8_t octets[SAY_MAX];
	size_t len, id_at;
};

struct blast {
	struct end to[MANY], from[MANY];
	struct say say[MANY];
	size_t nto, nfrom, nsay;
	uint64_t state, sent, spoofed;
	uint8_t octets[BATCH][SPOOF_LEN + SAY_MAX];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t next_random(struct blast *b)
{
	b->state ^= b->state << 13;
	b->state ^= b->state >> 7;
	b->state ^= b->state << 17;
	return b->state;
}

static struct end end_read(const char *address, const char *port)
{
	struct end e = {.fd = -1};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&e.addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e.addr;
	uint16_t number = htons((uint16_t)atoi(port));

	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = number;
		e.len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = number;
		e.len = sizeof(*v6);
	} else {
		die(address);
	}
	return e;
}

static void end_open(struct end *e, bool spoofed)
{
	e->spoofed = spoofed;
	e->fd = spoofed ? socket(AF_INET, SOCK_RAW, IPPROTO_RAW)
			: socket(e->addr.ss_family, SOCK_DGRAM, 0);
	if (e->fd < 0 || (!spoofed && bind(e->fd, (struct sockaddr *)&e->addr, e->len) < 0))
		die("socket");
}

static struct say say_read(const char *offset, const char *hex)
{
	struct say s = {.id_at = (size_t)atoi(offset), .len = strlen(hex) / 2};

	if (s.len > SAY_MAX || s.id_at + 4 > s.len)
		die("say");
	for (size_t i = 0; i < s.len; i++) {
		unsigned octet;

		if (sscanf(hex + 2 * i, "%2x", &octet) != 1)
			die("hex");
		s.octets[i] = (uint8_t)octet;
	}
	return s;
}

static void words_read(struct blast *b)
{
	char word[8], first[64], second[2 * SAY_MAX + 1];

	while (scanf("%7s %63s %1024s", word, first, second) == 3) {
		if (b->nto == MANY || b->nfrom == MANY || b->nsay == MANY)
			die("too many words");
		if (strcmp(word, "to") == 0) {
			b->to[b->nto++] = end_read(first, second);
		} else if (strcmp(word, "say") == 0) {
			b->say[b->nsay++] = say_read(first, second);
		} else {
			b->from[b->nfrom] = end_read(first, second);
			end_open(&b->from[b->nfrom++], strcmp(word, "spoof") == 0);
		}
	}
}

static const struct end *receiver_for(struct blast *b, const struct end *from)
{
	const struct end *to;

	do {
		to = &b->to[next_random(b) % b->nto];
	} while (to->addr.ss_family != from->addr.ss_family);
	return to;
}

/* IPv4 and UDP headers; the kernel fills in length and checksum of the first. */
static void headers_put(uint8_t *p, const struct end *from, const struct end *to, size_t len)
{
	const struct sockaddr_in *source = (const struct sockaddr_in *)&from->addr;
	const struct sockaddr_in *target = (const struct sockaddr_in *)&to->addr;
	uint16_t udp_len = htons((uint16_t)(len + 8));

	memset(p, 0, SPOOF_LEN);
	p[0] = 0x45;
	p[8] = 64;
	p[9] = IPPROTO_UDP;
	memcpy(p + 12, &source->sin_addr, 4);
	memcpy(p + 16, &target->sin_addr, 4);
	memcpy(p + 20, &source->sin_port, 2);
	memcpy(p + 22, &target->sin_port, 2);
	memcpy(p + 24, &udp_len, 2);
}

static size_t datagram_put(struct blast *b, uint8_t *p, const struct end *from,
			   const struct end *to)
{
	const struct say *s = &b->say[next_random(b) % b->nsay];
	size_t head = from->spoofed ? SPOOF_LEN : 0;
	uint64_t id = next_random(b) >> 16;

	if (head > 0)
		headers_put(p, from, to, s->len);
	memcpy(p + head, s->octets, s->len);
	p[head + s->id_at] = (uint8_t)(id >> 24 & 0x7f);
	p[head + s->id_at + 1] = (uint8_t)(id >> 16 |
					   0x80); /* a shortest form, as all ids of ours */
	p[head + s->id_at + 2] = (uint8_t)(id >> 8);
	p[head + s->id_at + 3] = (uint8_t)id;
	return head + s->len;
}

/* A batch from one sender. A receiver that has gone away refuses some: they count as sent. */
static void batch_send(struct blast *b, const struct end *from, unsigned n)
{
	struct sockaddr_storage names[BATCH];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec iov[BATCH];
	unsigned at = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct end *to = receiver_for(b, from);

		iov[i].iov_base = b->octets[i];
		iov[i].iov_len = datagram_put(b, b->octets[i], from, to);
		names[i] = to->addr;
		messages[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
						      .msg_namelen = to->len,
						      .msg_iov = &iov[i],
						      .msg_iovlen = 1};
	}
	while (at < n) {
		int sent = sendmmsg(from->fd, messages + at, n - at, 0);

		if (sent < 0 && errno != ECONNREFUSED && errno != EINTR && errno != ENOBUFS)
			die("sendmmsg");
		at += sent > 0 ? (unsigned)sent : 0;
	}
	b->sent += n;
	b->spoofed += from->spoofed ? n : 0;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static struct blast b = {.state = 88172645463325252u};
	uint64_t count = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
	double rate = argc > 2 ? atof(argv[2]) : 1, start_s = now_s();

	words_read(&b);
	if (count == 0 || b.nto == 0 || b.nfrom == 0 || b.nsay == 0) {
		fprintf(stderr, "usage: blaster COUNT PER-SECOND <WORDS\n");
		return 2;
	}
	for (size_t turn = 0; b.sent < count; turn++) {
		uint64_t left = count - b.sent;

		batch_send(&b, &b.from[turn % b.nfrom], left < BATCH ? (unsigned)left : BATCH);
		while ((double)b.sent > (now_s() - start_s) * rate)
			poll(NULL, 0, 1);
	}
	printf("sent %llu spoofed %llu\n", (unsigned long long)b.sent,
	       (unsigned long long)b.spoofed);
	return 0;
}

/*
 * Names of brokers to addresses, in the courier's own process.
 *
 * The problem: a courier connects again after hours, inside of its sandbox, to a name whose address may be another by then.
 * getaddrinfo(3), which the library would call, loads modules and opens sockets that the sandbox refuses.
 *
 * The design: c-ares, one name at a time, with a limit; the library gets numbers only. A channel reads the resolver's files when it is
 * made. The first one is made before the sandbox, which shows what is wrong with them at the start; another one for each name, since
 * a machine may have come to another network with other name servers. Addresses that were found once serve again when no name
 * server answers.
 *
 * The trap: Landlock allows files, not names. Who manages networks puts a new file in the place of the old one, and that is closed to
 * us; c-ares takes it for an empty one. So this process ends then: its owner forks another, whose sandbox knows the new file.
 */
#include "link/amqp_parts.h"

#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/quit.h"

#define TIMEOUT_MS 1000 /* of a name server's first try */
#define TRIES      2
#define LIMIT_US   INT64_C(2500000)
#define ADDRS_MAX  8
#define KNOWN_MAX  BROKER_NODES_MAX

#define FILES 2

struct known {
	char *host;
	size_t count;
	struct addr addrs[ADDRS_MAX];
};

struct rabbit_names {
	ares_channel channel;
	struct known known[KNOWN_MAX];
	size_t nknown;
	bool done; /* of the question that is open */
	int status;
	struct known found;
	bool looked, denied[FILES]; /* in the sandbox, for the first time */
};

static int channel_open(ares_channel *channel)
{
	struct ares_options options = {.timeout = TIMEOUT_MS, .tries = TRIES};

	return ares_init_options(channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
}

struct rabbit_names *rabbit_names_new(char why[LINK_WHY_MAX])
{
	struct rabbit_names *n = mem_zero(1, sizeof(*n));
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	unsetenv("HOSTALIASES");
	if (status == ARES_SUCCESS)
		status = channel_open(&n->channel);
	if (status == ARES_SUCCESS)
		return n;
	snprintf(why, LINK_WHY_MAX, "cannot look names up: %s", ares_strerror(status));
	free(n);
	return NULL;
}

void rabbit_names_free(struct rabbit_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nknown; i++)
		free(n->known[i].host);
	ares_destroy(n->channel);
	ares_library_cleanup();
	free(n);
}

static void add_family(struct known *k, const struct ares_addrinfo *info, int family)
{
	for (const struct ares_addrinfo_node *a = info->nodes; a; a = a->ai_next)
		if (a->ai_family == family && k->count < ADDRS_MAX &&
		    addr_from_sockaddr(a->ai_addr, &k->addrs[k->count]))
			k->count++;
}

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct rabbit_names *n = arg;

	(void)timeouts;
	n->done = true;
	n->status = status;
	if (!info)
		return;
	add_family(&n->found, info, AF_INET);
	add_family(&n->found, info, AF_INET6);
	ares_freeaddrinfo(info);
}

/* One sleep on the channel's sockets. */
static void turn(struct rabbit_names *n, int64_t left_us)
{
	ares_socket_t socks[ARES_GETSOCK_MAXNUM];
	struct pollfd fds[ARES_GETSOCK_MAXNUM];
	struct timeval most = {.tv_sec = left_us / 1000000, .tv_usec = left_us % 1000000}, tv;
	struct timeval *wait = ares_timeout(n->channel, &most, &tv);
	/* a bit for each that reads, above them one for each that writes; the library's macros shift a 1 into the sign */
	unsigned bits = (unsigned)ares_getsock(n->channel, socks, ARES_GETSOCK_MAXNUM);
	nfds_t count = 0;

	for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = (short)((bits >> i & 1 ? POLLIN : 0) |
				       (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));

		if (events)
			fds[count++] = (struct pollfd){.fd = socks[i], .events = events};
	}
	poll(fds, count, (int)(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000));
	for (nfds_t i = 0; i < count; i++)
		ares_process_fd(n->channel,
				(fds[i].revents & ~POLLOUT) ? fds[i].fd : ARES_SOCKET_BAD,
				(fds[i].revents & POLLOUT) ? fds[i].fd : ARES_SOCKET_BAD);
	ares_process_fd(n->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its timeouts */
}

/* It is there, and not for us. */
static bool is_denied(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EACCES;
}

static void look_at_files(struct rabbit_names *n)
{
	static const char *const files[FILES] = {"/etc/resolv.conf", "/etc/hosts"};

	for (unsigned i = 0; i < FILES; i++) {
		bool denied = is_denied(files[i]);

		if (n->looked && denied && !n->denied[i]) {
			log_info("%s is another file now, which another process may read",
				 files[i]);
			quit_now(0);
		}
		n->denied[i] = denied;
	}
	n->looked = true;
}

/* With the name servers of today. */
static void channel_renew(struct rabbit_names *n)
{
	ares_channel channel;

	if (channel_open(&channel) != ARES_SUCCESS)
		return;
	ares_destroy(n->channel);
	n->channel = channel;
}

static void ask(struct rabbit_names *n, const char *host)
{
	struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NOSORT, /* sorting would open sockets */
		.ai_family = AF_UNSPEC,
	};
	int64_t end_us = loop_clock_us() + LIMIT_US, left_us;

	look_at_files(n);
	channel_renew(n);
	n->done = false;
	n->status = ARES_ETIMEOUT;
	n->found.count = 0;
	ares_getaddrinfo(n->channel, host, NULL, &hints, answered, n);
	while (!n->done && (left_us = end_us - loop_clock_us()) > 0)
		turn(n, left_us);
	if (!n->done) {
		ares_cancel(n->channel);
		n->status = ARES_ETIMEOUT;
	}
}

static struct known *known_host(struct rabbit_names *n, const char *host)
{
	for (size_t i = 0; i < n->nknown; i++)
		if (strcmp(n->known[i].host, host) == 0)
			return &n->known[i];
	if (n->nknown == KNOWN_MAX)
		return NULL;
	n->known[n->nknown].host = mem_strdup(host);
	return &n->known[n->nknown++];
}

static const char *words(int status)
{
	if (status == ARES_ENOTFOUND)
		return "no such name: is it spelled right, with its domain?";
	if (status == ARES_ETIMEOUT || status == ARES_ECANCELLED)
		return "the name servers do not answer";
	if (status == ARES_ENODATA || status == ARES_SUCCESS)
		return "the name has no address";
	return ares_strerror(status);
}

size_t rabbit_names_find(struct rabbit_names *n, const char *host, size_t max, struct addr *out,
			 char why[LINK_WHY_MAX])
{
	struct known *k;

	if (addr_parse(host, strlen(host), out))
		return 1;
	ask(n, host);
	k = known_host(n, host);
	if (k && n->found.count > 0) {
		k->count = n->found.count;
		memcpy(k->addrs, n->found.addrs, sizeof(k->addrs));
	}
	if (!k || k->count == 0) {
		snprintf(why, LINK_WHY_MAX, "broker '%s': %s", host, words(n->status));
		return 0;
	}
	max = k->count < max ? k->count : max;
	memcpy(out, k->addrs, max * sizeof(*out));
	return max;
}

/* A park's sockets and memory, from its options; and their end. */
#include "park_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PENDING_MAX = 1 << 18,
	PORT_TRIES = 50
};

union peer park_any_address(sa_family_t family, uint32_t port)
{
	union peer peer = {0};

	peer.sa.sa_family = family;
	if (family == AF_INET)
		peer.in.sin_port = htons((uint16_t)port);
	else
		peer.in6.sin6_port = htons((uint16_t)port);
	return peer;
}

static bool parse_bind(const char *text, uint32_t port, union peer *peer)
{
	*peer = park_any_address(strchr(text, ':') ? AF_INET6 : AF_INET, port);
	if (peer->sa.sa_family == AF_INET)
		return inet_pton(AF_INET, text, &peer->in.sin_addr) == 1;
	return inet_pton(AF_INET6, text, &peer->in6.sin6_addr) == 1;
}

static bool add_socket(struct park *park, const union peer *bind_to)
{
	int fd = datagram_socket(bind_to);

	if (fd == -1)
		return false;
	batch_set_buffer(fd, (int)park->options->receive_buffer);
	park->fds[park->n_fds++] = fd;
	return true;
}

/* The same port in both families; a machine without IPv6 is served in IPv4 alone. */
static bool open_both(struct park *park, uint32_t port)
{
	for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
		union peer v4 = park_any_address(AF_INET, port);
		if (!add_socket(park, &v4))
			return false;
		union peer v6 = park_any_address(AF_INET6, park_port(park));
		if (add_socket(park, &v6) || errno != EADDRINUSE)
			return true;
		close(park->fds[--park->n_fds]);
		if (port != 0)
			return false;
	}
	return false;
}

static bool open_sockets(struct park *park)
{
	const struct options *options = park->options;
	union peer bind_to;

	if (!options->bind) {
		if (open_both(park, options->port))
			return true;
		fprintf(stderr, "snmp-agents: port %" PRIu32 ": %s\n", options->port,
			strerror(errno));
		return false;
	}
	if (!parse_bind(options->bind, options->port, &bind_to)) {
		fprintf(stderr, "snmp-agents: '%s' is no address\n", options->bind);
		return false;
	}
	if (add_socket(park, &bind_to))
		return true;
	fprintf(stderr, "snmp-agents: %s: %s\n", options->bind, strerror(errno));
	return false;
}

static bool open_memory(struct park *park)
{
	park->batch = batch_new();
	park->outbox = park->batch ? outbox_new(park->batch) : NULL;
	park->delay = delay_new(PENDING_MAX);
	park->visits = visits_new();
	park->buffers = malloc((size_t)BATCH_MAX * SLOT);
	if (park->options->usm) {
		const struct v3_world world = {park->options->usm, park->options->contexts};
		park->v3 = v3_new(&world);
	}
	if (park->options->usm && !park->v3)
		return false;
	return park->outbox && park->delay && park->visits && park->buffers &&
	       mib_init(&park->mib, park_clock_us());
}

/* By lines: who has an answer finds its request in the log. */
static bool open_log(struct park *park)
{
	if (!park->options->log)
		return true;
	park->log = fopen(park->options->log, "w");
	if (park->log)
		return setvbuf(park->log, NULL, _IOLBF, BUFSIZ) == 0;
	fprintf(stderr, "snmp-agents: %s: %s\n", park->options->log, strerror(errno));
	return false;
}

struct park *park_open(const struct options *options)
{
	struct park *park = calloc(1, sizeof *park);

	if (!park)
		return NULL;
	park->options = options;
	park->other_fds[0] = park->other_fds[1] = -1;
	park->random = options->seed;
	park->community_len = strlen(options->community);
	if (!open_memory(park)) {
		fprintf(stderr, "snmp-agents: out of memory\n");
		park_close(park);
		return NULL;
	}
	if (!open_log(park) || !open_sockets(park)) {
		park_close(park);
		return NULL;
	}
	return park;
}

void park_close(struct park *park)
{
	for (size_t i = 0; i < park->n_fds; i++)
		close(park->fds[i]);
	for (size_t i = 0; i < FAMILIES; i++)
		if (park->other_fds[i] != -1)
			close(park->other_fds[i]);
	if (park->log)
		fclose(park->log);
	if (park->delay)
		delay_free(park->delay);
	visits_free(park->visits);
	v3_free(park->v3);
	outbox_free(park->outbox);
	batch_free(park->batch);
	mib_free(&park->mib);
	free(park->buffers);
	free(park);
}

uint16_t park_port(const struct park *park)
{
	return datagram_port(park->fds[0]);
}

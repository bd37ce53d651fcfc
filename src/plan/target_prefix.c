/*
 * What stands before a target: the transport, as Net-SNMP writes it (snmpcmd(1), AGENT SPECIFICATION).
 *
 * The problem: `tcp:host` names a transport, `tcp:161` may as well be a host of that name with its port, as
 * `core:161` is. The rule: a word of the table counts as a prefix when what follows it is more than a
 * port number. So no host loses its name, and nobody writes `tcp:161` for "port 161 of this machine",
 * which is what Net-SNMP takes it for: here a target names its host.
 *
 * `udp:` and `tcp:` take names and addresses of both families, `udp6:` and `tcp6:` IPv6 only. Letter case does
 * not matter, as there.
 */
#include "plan/target_internal.h"

#include <string.h>
#include <strings.h>

struct prefix {
	const char *word;
	uint8_t transport; /* enum transport */
	uint8_t family;
};

static const struct prefix prefixes[] = {
	{"udp", TRANSPORT_UDP, 0},          {"udp6", TRANSPORT_UDP, 6},
	{"udpv6", TRANSPORT_UDP, 6},        {"udpipv6", TRANSPORT_UDP, 6},
	{"tcp", TRANSPORT_TCP, 0},          {"tcp6", TRANSPORT_TCP, 6},
	{"tcpv6", TRANSPORT_TCP, 6},        {"tcpipv6", TRANSPORT_TCP, 6},
	{"unix", TRANSPORT_UNIX, 0},        {"dtlsudp", TRANSPORT_DTLSUDP, 0},
	{"dtlsudp6", TRANSPORT_DTLSUDP, 6}, {"dtls", TRANSPORT_DTLSUDP, 0},
	{"tlstcp", TRANSPORT_TLSTCP, 0},    {"tlstcp6", TRANSPORT_TLSTCP, 6},
	{"tls", TRANSPORT_TLSTCP, 0},
};

static const struct prefix *find_prefix(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const struct prefix *p = &prefixes[i];

		if (strlen(p->word) == len && strncasecmp(p->word, word, len) == 0)
			return p;
	}
	return NULL;
}

/* Nothing, or digits: then the word before the colon is a host's name. */
static bool is_port(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

size_t target_prefix(const char *text, size_t len, struct target *out)
{
	const char *colon = memchr(text, ':', len);
	const struct prefix *p;
	size_t used;

	out->transport = TRANSPORT_UDP;
	if (!colon)
		return 0;
	used = (size_t)(colon - text) + 1;
	p = find_prefix(text, used - 1);
	if (!p ||
	    (is_port(text + used, len - used) && (len > used || p->transport != TRANSPORT_UNIX)))
		return 0;
	out->transport = (enum transport)p->transport;
	out->family = p->family;
	return used;
}

/* The command line of snmp-agents. */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include "rules.h"
#include "v3.h"

struct options {
	const char *bind; /* NULL: all addresses, IPv4 and IPv6 */
	uint32_t port;    /* 0: any free one */
	const char *community;
	uint32_t interfaces, max_size, seed;
	uint32_t receive_buffer; /* octets */
	uint32_t latency_us, jitter_us, stop_after_us;
	struct rules rules; /* owned, as usm is: options_free */
	struct usm *usm;    /* NULL: no user, no SNMPv3 */
	const char *contexts[CONTEXTS_MAX + 1];
	bool with_parent;
	const char *log; /* a file, or NULL */
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_WRONG
};

/* After OPTIONS_HELP and OPTIONS_WRONG what there is to say has been said. */
enum options_result options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif

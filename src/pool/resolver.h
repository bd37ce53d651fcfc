/*
 * resolver - the process that turns names into addresses (c-ares), so that no name ever makes
 * another host wait and the master never parses a byte of DNS.
 */
#ifndef POOL_RESOLVER_H
#define POOL_RESOLVER_H

#include "pool/sandbox.h"

/* How to look names up. Zeros: as /etc/resolv.conf, nsswitch.conf and hosts say. */
struct resolver_options {
	const char *servers; /* "127.0.0.1:5353[,...]" instead of resolv.conf's; NULL */
	int timeout_ms;      /* of the first try of a name server, doubles per try; 0: 2,000 */
	int tries;           /* of each name server; 0: 2 */
	const struct sandbox *sandbox; /* entered before the first packet; NULL: none */
};

/* The resolver's whole life: reads NAME from fd, answers ADDRESSES (pool/lookup.h) in
 * whatever order they arise, answers PING, answers STOP with STOPPED once nothing is open, leaves
 * at end of file. Returns the exit status of the process. */
int resolver_main(const struct resolver_options *options, int fd);

#endif

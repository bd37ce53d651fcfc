/*
 * task - whom to ask; the task's wire form. What to ask is the profile that it names by number.
 */
#ifndef BASE_TASK_H
#define BASE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/learnt.h"
#include "base/wire.h"

#define TASK_ADDRS_MAX 8   /* addresses tried for one name */
#define TASK_HOST_MAX  512 /* octets of host or label shown in a record */
#define TASK_PATH_MAX  103 /* octets of a socket's path that every system takes (104 with the NUL) */
/* octets; a path instead of addresses takes less */
#define TASK_PACKED_MAX                                                             \
	(8 + 4 + 4 + 1 + 2 + TASK_HOST_MAX + 1 + TASK_ADDRS_MAX * ADDR_PACKED + 1 + \
	 LEARNT_PACKED_MAX)

#define TRANSPORT_IS_SECURE(t) ((t) == TRANSPORT_DTLSUDP || (t) == TRANSPORT_TLSTCP) /* RFC 6353 */

enum transport { /* what carries the messages; all but UDP host by host */
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_UNIX,
	TRANSPORT_DTLSUDP,
	TRANSPORT_TLSTCP,
	TRANSPORT_COUNT
};

struct task {
	uint64_t seq;     /* number of the target in this run, from 0 */
	uint32_t lease;   /* the master's slot for it; comes back with the record */
	uint32_t profile; /* index into the profiles */
	const char *
		host; /* shown in the record; NULL: the address itself (blocks, ranges). Borrowed */
	const struct addr *addrs; /* to be tried in this order, each with its port. Borrowed */
	uint8_t naddrs;           /* 1 to TASK_ADDRS_MAX; 0 for TRANSPORT_UNIX */
	uint8_t transport;        /* enum transport */
	const char *path;         /* TRANSPORT_UNIX: of the socket; else NULL. Borrowed */
	bool learns;              /* what is learnt of the host is to come back with the record */
	struct learnt learnt;     /* of rounds before; only if it learns */
};

void task_pack(const struct task *t, struct wire_out *w); /* counterpart: task_unpack */

/* Where task_unpack puts what a task borrows. */
struct task_store {
	char host[TASK_HOST_MAX + 1];
	char path[TASK_PATH_MAX + 1];
	struct addr addrs[TASK_ADDRS_MAX];
};
/* False: r is bad, or a count, length, family or transport is out of bounds. */
bool task_unpack(struct task *t, struct task_store *store, struct wire_in *r);

#endif

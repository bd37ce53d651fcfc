/*
 * task - what to ask (profile) and whom (task); the task's wire form.
 *
 * Profiles are built before the fork and inherited: no secret crosses a queue. A task is small and
 * travels by its pack and unpack pair.
 */
#ifndef BASE_TASK_H
#define BASE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/oid.h"
#include "base/wire.h"

#define TASK_ADDRS_MAX  8   /* addresses tried for one name */
#define TASK_HOST_MAX   512 /* octets of host or label shown in a record */
#define TASK_PACKED_MAX (8 + 4 + 4 + 2 + TASK_HOST_MAX + 1 + TASK_ADDRS_MAX * 23) /* octets */

enum snmp_version {
	SNMP_V1 = 0,
	SNMP_V2C = 1,
	SNMP_V3 = 3
}; /* the numbers on the wire (RFC 3416, 3412) */

/* What to ask and how to authenticate. Immutable once built. */
struct profile {
	enum snmp_version version;
	char *community; /* octets as written, NUL-terminated */
	struct oid *get; /* objects to GET, in the order in which their rows are shown */
	size_t nget;
	int64_t timeout_us; /* wait of the first try; doubles per try up to PROFILE_BACKOFF_MAX times */
	unsigned retries;    /* sends after the first */
	int64_t deadline_us; /* the host's limit for everything, 0 = none */
	bool any_source;     /* accept a reply from another address or port */
};

#define PROFILE_BACKOFF_MAX 8 /* the longest wait of a try, in first waits */

/* Wait of a try that so many sends came before, in us. */
int64_t profile_wait_us(const struct profile *p, unsigned sends);
/* The longest that a silent host with `addresses` addresses takes: all waits, or the deadline. */
int64_t profile_worst_us(const struct profile *p, unsigned addresses);

struct task {
	uint64_t seq;     /* number of the target in this run, from 0 */
	uint32_t lease;   /* the master's slot for it; comes back with the record */
	uint32_t profile; /* index into the profiles */
	const char *
		host; /* shown in the record; NULL: the address itself (blocks, ranges). Borrowed */
	const struct addr *addrs; /* to be tried in this order, each with its port. Borrowed */
	uint8_t naddrs;           /* 1 to TASK_ADDRS_MAX */
};

void task_pack(const struct task *t, struct wire_out *w); /* counterpart: task_unpack */

/* Where task_unpack puts what a task borrows. */
struct task_store {
	char host[TASK_HOST_MAX + 1];
	struct addr addrs[TASK_ADDRS_MAX];
};
/* False: r is bad, or a count or a family is out of bounds. */
bool task_unpack(struct task *t, struct task_store *store, struct wire_in *r);

#endif

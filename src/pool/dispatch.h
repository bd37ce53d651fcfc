/*
 * dispatch - the ledger: which target is leased to which worker, who waits again, who owes what.
 */
#ifndef POOL_DISPATCH_H
#define POOL_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define DISPATCH_CHARGES_MAX 3 /* deaths of workers while at work on a target; then it is crashed */
#define DISPATCH_KINDS_MAX   2

/* A target that may be leased, and all that it takes to lease it again. */
struct dispatch_task {
	uint64_t seq;
	const char *host;         /* as shown; NULL: the address itself. Borrowed from the plan */
	const char *path;         /* of a socket; NULL: it is none. Borrowed from the plan */
	const struct addr *addrs; /* of its name, without a port. Borrowed; NULL: addr alone */
	struct addr addr;         /* with its port, when addrs is NULL */
	uint32_t profile;
	uint32_t name;     /* of whom addrs are: the asker's number */
	uint16_t port;     /* for addrs */
	uint8_t naddrs;    /* 0 with a path */
	uint8_t transport; /* enum transport */
	uint8_t charges;
};

struct dispatch;

/* Workers that may take each other's targets. */
struct dispatch_kind {
	unsigned workers;   /* may be 0 */
	unsigned lease_max; /* of each */
};
/* A ledger for the workers of all kinds, numbered from 0, the first kind's first. A target stays with the
 * kind that it was leased to first. */
struct dispatch *dispatch_new(const struct dispatch_kind *kinds, unsigned nkinds);
void dispatch_free(struct dispatch *d);

unsigned dispatch_room(const struct dispatch *d, unsigned worker); /* leases it may still get */
unsigned dispatch_leased(const struct dispatch *d, unsigned worker);
uint64_t dispatch_waiting(const struct dispatch *d);  /* targets whose worker died */
uint64_t dispatch_owes(const struct dispatch *d);     /* targets leased or waiting again */
uint64_t dispatch_targets(const struct dispatch *d);  /* leased at least once */
uint64_t dispatch_answered(const struct dispatch *d); /* targets = answered + owes, always */

/* Leases a new target (copied) to a worker that has room; only while nobody of its kind waits again, for
 * those go first. Returns the lease: the slot's number. */
uint32_t dispatch_lease(struct dispatch *d, unsigned worker, const struct dispatch_task *t);

/* Leases the first of its kind that wait again to a worker that has room. NULL: nobody waits. The task
 * is lent until the next call that changes the ledger. */
const struct dispatch_task *dispatch_lease_again(struct dispatch *d, unsigned worker,
						 uint32_t *lease);

/* What is leased to this worker under that number; NULL: not this target, or to somebody else, or
 * to nobody: the worker lies. Lent as above. */
const struct dispatch_task *dispatch_find(const struct dispatch *d, unsigned worker, uint32_t lease,
					  uint64_t seq);
/* What was leased to this worker before all else that it holds; NULL: it holds nothing. Lent as above. */
const struct dispatch_task *dispatch_first(const struct dispatch *d, unsigned worker);
/* Whether anything is leased to this worker under that number. */
bool dispatch_holds(const struct dispatch *d, unsigned worker, uint32_t lease);
/* Its record has come. False: as NULL above, and nothing has changed. */
bool dispatch_answer(struct dispatch *d, unsigned worker, uint32_t lease, uint64_t seq);

/* What a death was charged to. */
enum dispatch_charge {
	DISPATCH_NOBODY,  /* at work on nothing that was leased to it */
	DISPATCH_CHARGED, /* this target, which waits again as the others */
	DISPATCH_CRASHED  /* this target, for the last time: it has left the ledger as answered */
};
/* A worker died: what it owed waits again, before all others and in the order in which it was
 * leased. at_work is its cell of the shared page: seq + 1 of the target, or 0. out gets a copy of the
 * target that was charged. */
enum dispatch_charge dispatch_death(struct dispatch *d, unsigned worker, uint64_t at_work,
				    struct dispatch_task *out);

/* Takes out the first of those that wait again, of whatever kind, or the first of those leased to a worker:
 * the master gives it a record itself. False: there is none. */
bool dispatch_withdraw(struct dispatch *d, struct dispatch_task *out);
bool dispatch_withdraw_from(struct dispatch *d, unsigned worker, struct dispatch_task *out);

#endif

/*
 * master_names - names to addresses, each asked once per run; private to master.
 */
#ifndef POOL_MASTER_NAMES_H
#define POOL_MASTER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "plan/plan.h"
#include "pool/master_refresh.h"
#include "pool/queue.h"

struct master;

struct waiter { /* waits for its name */
	struct waiter *next;
	uint64_t seq;
	const char *host; /* the plan's */
	uint32_t profile;
	uint32_t name;
	uint16_t port;
	uint8_t transport; /* enum transport */
};

struct waiters { /* a list */
	struct waiter *first;
	struct waiter *last;
};

enum name_state {
	NAME_TO_ASK,
	NAME_ASKED,
	NAME_KNOWN,
	NAME_UNKNOWN
};

enum refresh { /* whether it is asked again, though it is known */
	REFRESH_NOT,
	REFRESH_WANTED,
	REFRESH_ASKED
};

struct name {
	const char *text;   /* the plan's */
	struct addr *addrs; /* when known */
	char *message;      /* when unknown: why */
	struct waiters waiting[PLAN_KINDS];
	uint8_t family;
	uint8_t naddrs;
	uint8_t state;   /* enum name_state */
	uint8_t charges; /* deaths of the resolver while it was asked */
	uint8_t refresh; /* enum refresh; when known */
	uint8_t nfresh;
	struct addr *fresh; /* hold from the next round on; NULL: there are none */
	int64_t known_us;   /* since when */
};

struct names {
	struct name *list; /* by number, which is the ticket too */
	uint32_t count;
	uint32_t cap;
	uint32_t *table; /* number + 1, open addressing; 0: free */
	uint32_t mask;
	uint32_t next;        /* no name before is to be asked */
	uint32_t asked;       /* questions under way, for which targets wait */
	uint32_t refreshing;  /* others */
	uint32_t wanted;      /* to be asked again */
	uint32_t next_wanted; /* where to look for those */
	bool alone;           /* the one under way has been charged before */
	unsigned deaths;      /* of the resolver in a row without an answer */
	int64_t begun_us;     /* when names_begin() last was; of a feed */
	uint64_t files;       /* what stands for the files that it has read, at its birth */
	struct waiters ready[PLAN_KINDS]; /* their names are known, or known to be unknown */
};

void names_free(struct master *m);
uint32_t names_find(struct master *m, const struct plan_target *t); /* its number */
void names_wait(struct master *m, enum plan_kind kind, const struct waiter *t);
void names_ask(struct master *m);
bool names_left(struct master *m);                              /* some are asked, or to be asked */
bool names_take(struct master *m, const struct queue_frame *f); /* false: the resolver lies */
void names_resolver_died(struct master *m, bool began); /* it had: a name may be the reason */
void names_begin(struct master *m);   /* a new round: what is not known is asked again */
void names_release(struct master *m); /* all that waits is ready, though its name is not known */

void name_put(struct master *m, struct name *n); /* the question, to the resolver */

#endif

/*
 * plan_remote - what a plan has more where one machine plans and others ask. Private to plan.
 */
#ifndef PLAN_PLAN_REMOTE_H
#define PLAN_PLAN_REMOTE_H

#include "base/mem.h"
#include "plan/plan.h"
#include "plan/plan_index.h"
#include "plan/who.h"

struct plan_packed {     /* a profile of a plan that others ask for */
	uint8_t *octets; /* an order */
	uint32_t len;
	uint32_t site;
	uint64_t asker;         /* a hash of who asks */
	const char *credential; /* conf's: the one that wins over all others; NULL: none */
};
struct plan_site {
	char *name;
	uint64_t count; /* of targets */
};
struct plan_remote {
	bool planned;               /* for others to ask (struct plan_request) */
	struct plan_packed *packed; /* by profile, if planned */
	struct plan_index by_content;
	struct plan_site *sites;
	size_t cap_packed, nsites, cap_sites;
	struct plan_feed *feed; /* NULL: targets are of items */
	bool fed;               /* plan_fed() made it: */
	char **faults;          /* by profile; NULL: none */
	struct buf texts;       /* char *: what profiles and credentials point to */
};

/* As plan_profile(), of a plan for others. */
uint32_t plan_remote_profile(struct plan *p, const struct settings *s, const struct conf_who *who,
			     bool secure);
void plan_remote_count(struct plan *p, uint32_t profile, uint64_t targets);
void plan_remote_check(const struct plan *p); /* what is too much to be sent is an error */
uint64_t plan_remote_asker(const struct plan *p, uint32_t profile); /* 0: it is no such plan */
void plan_remote_free(struct plan *p);

/* Of a plan whose targets are fed (plan_feed.c). */
bool plan_feed_next(struct plan *p, enum plan_kind kind, struct plan_target *out);
uint64_t plan_feed_count(const struct plan *p); /* fed so far, of all kinds */
void plan_feed_free(struct plan *p);

#endif

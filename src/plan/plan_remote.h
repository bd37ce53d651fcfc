/*
 * plan_remote - what a plan has more where one machine plans and others ask. Private to plan.
 */
#ifndef PLAN_PLAN_REMOTE_H
#define PLAN_PLAN_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"

struct plan_remote {
	bool planned;           /* for others to ask (struct plan_request) */
	bool fed;               /* plan_fed() made it */
	struct plan_feed *feed; /* NULL: targets are of items */
};

/* Of a plan whose targets are fed (plan_feed.c). */
bool plan_feed_next(struct plan *p, enum plan_kind kind, struct plan_target *out);
uint64_t plan_feed_count(const struct plan *p); /* fed so far, of all kinds */
void plan_feed_free(struct plan *p);

#endif

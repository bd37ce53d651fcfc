/*
 * plan_remote - what a plan has more where one machine plans and others ask. Private to plan.
 */
#ifndef PLAN_PLAN_REMOTE_H
#define PLAN_PLAN_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_remote {
	bool planned; /* for others to ask (struct plan_request) */
	bool fed;     /* plan_fed() made it */
};

#endif

/*
 * plan_items - what is kept of an item (an entry of the files, or a target), and how far the items were handed
 * out.
 */
#ifndef PLAN_PLAN_ITEMS_H
#define PLAN_PLAN_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/target.h"

struct plan_slot { /* what was found out about an item once, 8 octets each */
	uint32_t profile;
	uint16_t port;
	uint8_t family;
	bool labelled : 1;
	bool session : 1; /* of PLAN_SESSIONS */
};

struct plan_session { /* an item of PLAN_SESSIONS */
	size_t item;
	uint64_t seq;   /* of its first target */
	uint64_t count; /* of its targets; 0: all are excluded */
};

struct plan_cursor {    /* how far one kind was handed out */
	size_t item;    /* of PLAN_DATAGRAMS */
	size_t session; /* the first that is not before item; of PLAN_SESSIONS: where it is */
	bool open;      /* target is that of the item, next its next address */
	struct target target;
	uint64_t next;
	uint64_t seq; /* of the target handed out next */
};

#endif

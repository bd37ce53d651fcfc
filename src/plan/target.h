/*
 * target - one target as people write it, what it stands for, and sets of targets to leave out.
 *
 *   name[:port]              192.0.2.1[:port]      [2001:db8::1]:port  2001:db8::1  fe80::1%eth0
 *   192.0.2.10-20[:port]     192.0.2.0/28[:port]   [2001:db8::/120]:port  2001:db8::/120
 *   udp:… tcp:… dtlsudp:… tlstcp:…, with a 6 for IPv6, before any of these       unix:/path
 *
 * A block holds every address in it, first and last too; host bits are masked; 2^32 at most.
 */
#ifndef PLAN_TARGET_H
#define PLAN_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/task.h"

#define TARGET_ERROR_MAX 200 /* octets of the longest error with its NUL */

enum target_kind {
	TARGET_NAME,    /* to be resolved */
	TARGET_ADDRESS, /* a single address, written as such */
	TARGET_BLOCK,   /* CIDR block or last-octet range, also when it holds one address */
	TARGET_PATH     /* of a socket: it has no address */
};

struct target {
	enum target_kind kind;
	enum transport transport; /* as its prefix says; UDP without one */
	uint8_t family;           /* 6: its prefix takes only IPv6 (udp6:, tcp6:); 0: any */
	uint16_t port;            /* as written; 0: none was */
	struct addr first;        /* ADDRESS, BLOCK: the lowest address, its port that of above */
	uint64_t count;           /* addresses, 1 to 2^32; 1 for a name or path */
	const char *name; /* NAME, PATH: lies in the text parsed, not NUL-terminated; else NULL */
	size_t name_len;  /* 1 to 254 (253 and the dot of the root); of a path to TASK_PATH_MAX */
};

/* False: error says what is wrong and the remedy, without the text itself in front; out is
 * undefined then. The text is borrowed by out->name. The zone of an IPv6 address is looked up. */
bool target_parse(const char *text, size_t len, struct target *out, char error[TARGET_ERROR_MAX]);

/* The i-th address of an ADDRESS or BLOCK, i < count, with the target's port. */
void target_address(const struct target *t, uint64_t i, struct addr *out);

/* What --exclude names: addresses as merged intervals, so that a /8 costs as much as a host, and
 * names as text (letter case and a dot at the end do not matter; what a name resolves to is not
 * looked at), paths as written. It holds for every port and transport; an IPv6 exclusion without zone
 * holds for all zones. */
struct target_set;
struct target_set *target_set_new(void);
void target_set_free(struct target_set *s);

/* Copies. False: error as target_parse, and for one with a port or a prefix (but unix:). */
bool target_set_add(struct target_set *s, const char *text, size_t len,
		    char error[TARGET_ERROR_MAX]);
void target_set_seal(struct target_set *s); /* once, after the last add, before the questions */

/* How many of t's addresses (of its one name) are in the set. */
uint64_t target_set_count(const struct target_set *s, const struct target *t);
/* The index of the one of t's addresses that has n others before it that are not in the set, nor is it. n is less than
 * what is left of them. */
uint64_t target_set_at(const struct target_set *s, const struct target *t, uint64_t n);
/* The least index >= i that is not in the set; t->count when there is none. */
uint64_t target_set_next(const struct target_set *s, const struct target *t, uint64_t i);

#endif

/*
 * notable - the hosts that a person wants to hear of: the slowest, and those that fail.
 */
#ifndef CLI_NOTABLE_H
#define CLI_NOTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "pool/watcher.h"

#define NOTABLE_MAX   10 /* of each kind, however many there are */
#define NOTABLE_NAME  48 /* octets of a host's name, with its end; a longer one ends in "..." */
#define NOTABLE_WORDS 160

struct notable_host {
	char name[NOTABLE_NAME]; /* may stand on a terminal */
	enum record_status status;
	uint32_t tries;
	int64_t rtt_us;
	char words[NOTABLE_WORDS]; /* why, where the master knows; likewise. Else "" */
};

struct notable {
	struct notable_host slowest[NOTABLE_MAX]; /* the slowest first */
	struct notable_host failing[NOTABLE_MAX]; /* the first ones, in their order */
	size_t nslowest;
	size_t nfailing;
	uint64_t failed; /* all of them */
};

/* {0} has met nobody. */
void notable_meet(struct notable *n, const struct record *r);
struct watcher notable_watcher(struct notable *n); /* meets each record; lends n */

#endif

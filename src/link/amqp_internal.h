/*
 * amqp_internal - what the files of amqp share; what they do for each other: amqp_calls.h.
 */
#ifndef LINK_AMQP_INTERNAL_H
#define LINK_AMQP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/amqp_side.h"
#include "link/courier.h"
#include "link/link.h"

struct rabbit {
	const struct courier_config *config;
	const struct broker *broker;
	struct rabbit_tls *tls; /* NULL: without */
	struct rabbit_names *names;
	struct rabbit_side puts, takes;
	uint32_t random; /* of this process: in the names of what is its alone */
	char title[2 * BROKER_NAME_MAX + 32]; /* of its connections, for who looks at the broker */
	/* Connected once; confirmed something once: what is refused now may be mended over there while we try again. */
	bool met, proven;

	/* puts: a ring by the broker's numbers, which begin anew with each channel */
	amqp_channel_t channel;
	uint64_t first, next; /* first: the oldest without an answer */
	struct rabbit_put put[LINK_PUTS_MAX];
	uint64_t answer; /* the number that the last confirm was about, while it is told; 0: none */
	uint64_t multiple; /* it was about all up to this one; 0: about that one alone */
	bool nacked;
	bool blocked;
	int64_t later_us; /* when there may be room again; LOOP_NEVER */

	/* takes */
	uint16_t epoch; /* in front of every tag */
	bool waits;     /* for what is not there yet */
	bool leaving;
	int64_t retry_us;
	bool controlled; /* an agent's control queue is made */
	bool working;
	struct rabbit_tags tags;
	char waits_why[LINK_WHY_MAX];
	bool mute; /* a master's queue is there, and its consumer has no answer */
	struct rabbit_inbound inbound[RABBIT_CHANNELS];
};

#endif

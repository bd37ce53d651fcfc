/*
 * amqp_side - a connection of amqp, and what is on its way in there.
 *
 * Functions have the noun `rabbit`: the library has all names that begin with amqp_. A file includes config.h before this one, which
 * says how the library's headers are called: <rabbitmq-c/amqp.h> from 0.12 on.
 */
#ifndef LINK_AMQP_SIDE_H
#define LINK_AMQP_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef HAVE_RABBITMQ_C_AMQP_H
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#endif

#include "base/mem.h"
#include "link/broker.h"
#include "link/link.h"

/* Longest waits: of one call, all of them together are below LINK_SLOW_US. */
#define RABBIT_CONNECT_US INT64_C(3000000) /* with TLS's handshake */
#define RABBIT_LOGIN_US   INT64_C(3000000)
#define RABBIT_ANSWER_US  INT64_C(5000000)

#define RABBIT_RETRY_US INT64_C(2000000) /* looks again for what is not there yet */

#define RABBIT_HEARTBEAT  10 /* s */
#define RABBIT_FRAME      131072
#define RABBIT_ADDRS      4
#define RABBIT_QUEUE_NAME (3 * BROKER_NAME_MAX + 40)

/* Channels of the side that takes; the side that puts has two in turn, and the first of these for questions. */
enum {
	RABBIT_ASK = 1, /* declares and questions: one that is refused closes its channel */
	RABBIT_WORK,    /* results or tasks */
	RABBIT_CONTROL,
	RABBIT_PUT_A,
	RABBIT_PUT_B,
	RABBIT_CHANNELS
};

struct rabbit_side {
	enum link_side which;
	amqp_connection_state_t state; /* NULL: not open */
	int fd;
	size_t node;    /* of the broker's: tried next */
	int64_t due_us; /* the library wants to be entered by then, for heartbeats */
	bool dry;       /* had nothing since next() was last through */
	bool heard;     /* its descriptor could be read */
	bool looked;    /* since then the library was entered */
	bool gone;      /* to be told; why */
	bool final;
	char why[LINK_WHY_MAX];
};

/* A message on its way in, on one channel. */
enum rabbit_kind {
	INBOUND_NONE,
	INBOUND_TAKEN,
	INBOUND_RETURNED
};
struct rabbit_inbound {
	enum rabbit_kind kind;
	uint64_t tag;
	uint64_t len, left; /* octets of the body, and those that are to come */
	uint64_t number;    /* returned: of the put */
	uint32_t deliveries;
	bool started; /* its header came */
	bool dead, expired, too_long;
	struct link_piece piece[LINK_PIECES]; /* of the body, where the library has them */
	size_t npieces;
	struct buf body; /* of too many frames for that: put together */
};

/* Numbers of messages taken on this connection (amqp_settle.c). */
struct rabbit_tags {
	uint64_t *open; /* not settled, in order */
	uint64_t *done; /* acknowledged, which the broker is to be told */
	size_t nopen, open_cap, ndone, done_cap;
};

struct rabbit_put {
	uint64_t id;
	bool answered, returned;
};

#endif

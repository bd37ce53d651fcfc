/*
 * amqp_internal - between the files of amqp.
 *
 * Functions have the noun `rabbit`: the library has all names that begin with amqp_. A file includes config.h before this one, which
 * says how the library's headers are called: <rabbitmq-c/amqp.h> from 0.12 on.
 */
#ifndef LINK_AMQP_INTERNAL_H
#define LINK_AMQP_INTERNAL_H

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

#include "base/addr.h"
#include "base/mem.h"
#include "link/courier.h"
#include "link/link.h"

/* Longest waits: of one call, all of them together are below LINK_SLOW_US. */
#define RABBIT_CONNECT_US INT64_C(3000000) /* with TLS's handshake */
#define RABBIT_LOGIN_US   INT64_C(3000000)
#define RABBIT_ANSWER_US  INT64_C(5000000)

#define RABBIT_RETRY_US INT64_C(2000000) /* looks again for what is not there yet */

#define RABBIT_HEARTBEAT  10 /* s */
#define RABBIT_FRAME      131072
#define RABBIT_ADDRS      4
#define RABBIT_BODY_MAX   200000 /* of what is taken; the owner's frame holds it */
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
	uint64_t left;   /* octets of the body that are to come */
	uint64_t number; /* returned: of the put */
	uint32_t deliveries;
	bool started; /* its header came */
	bool dead, expired, too_long;
	struct buf body;
};

struct rabbit_put {
	uint64_t id;
	bool answered, returned;
};

struct rabbit {
	const struct courier_config *config;
	const struct broker *broker;
	struct rabbit_tls *tls; /* NULL: without */
	struct rabbit_names *names;
	struct rabbit_side puts, takes;
	uint32_t random; /* of this process: in the names of what is its alone */
	char title[2 * BROKER_NAME_MAX + 32]; /* of its connections, for who looks at the broker */
	bool proven; /* it worked once: what the broker refuses now may be mended over there, while we try again */

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
	char waits_why[LINK_WHY_MAX];
	struct rabbit_inbound inbound[RABBIT_CHANNELS];
};

struct rabbit_side *rabbit_side(struct rabbit *r, enum link_side which);
/* It is told by next() then. format NULL: keeps what stands there. */
void rabbit_gone(struct rabbit *r, struct rabbit_side *s, bool final, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void rabbit_drop(struct rabbit *r, struct rabbit_side *s); /* closes it, tells nothing */

/* amqp_connect.c: TCP, TLS, login. */
enum link_state rabbit_connect(struct rabbit *r, struct rabbit_side *s, char why[LINK_WHY_MAX]);

/* amqp_declare.c: what there must be. Each: LINK_OPEN, LINK_WAITS, LINK_FAILED, LINK_FINAL and why. */
enum link_state rabbit_declare_puts(struct rabbit *r, char why[LINK_WHY_MAX]);
enum link_state rabbit_declare_takes(struct rabbit *r, char why[LINK_WHY_MAX]);
bool rabbit_declare_site(struct rabbit *r, const char *site, struct link_site *out,
			 char why[LINK_WHY_MAX]);
void rabbit_forget(struct rabbit *r); /* deletes a master's queue */
#define RABBIT_TASKS_TAG "tasks"

/* amqp_ask.c: entries of a table, whose texts are lent; one question and its answer. */
amqp_table_entry_t rabbit_entry(const char *key, uint8_t kind); /* without a value */
amqp_table_entry_t rabbit_text(const char *key, const char *value);
amqp_table_entry_t rabbit_number(const char *key, int64_t value);
enum rabbit_answer {
	RABBIT_YES,
	RABBIT_MISSING, /* 404 */
	RABBIT_REFUSED, /* 403 */
	RABBIT_DIFFERS, /* 406, 405: it is there, made otherwise, or somebody's own */
	RABBIT_LOST     /* the side is gone, or broken: why */
};
bool rabbit_channel_open(struct rabbit *r, struct rabbit_side *s, amqp_channel_t channel,
			 char why[LINK_WHY_MAX]);
/* Of the last call of the library that waited for an answer on that channel, which is open again after a refusal. */
enum rabbit_answer rabbit_answered(struct rabbit *r, struct rabbit_side *s, amqp_channel_t channel,
				   char why[LINK_WHY_MAX]);

/* amqp_take.c */
bool rabbit_next_event(struct rabbit *r, struct link_event *e);
/* amqp_put.c */
enum link_put rabbit_put(struct rabbit *r, const struct link_message *m);
bool rabbit_puts_open(struct rabbit *r, char why[LINK_WHY_MAX]); /* a channel, with confirms */
void rabbit_confirm(struct rabbit *r, uint64_t number, bool multiple, bool nacked);
void rabbit_return(struct rabbit *r, uint64_t number);
bool rabbit_next_answer(struct rabbit *r, struct link_event *e);
const char *rabbit_queue_name(struct rabbit *r, char out[RABBIT_QUEUE_NAME]);

/* amqp_words.c */
void rabbit_library_words(int status, const struct rabbit *r, const char *where,
			  char why[LINK_WHY_MAX]);
void rabbit_close_words(uint16_t code, amqp_bytes_t text, char why[LINK_WHY_MAX]);

#endif

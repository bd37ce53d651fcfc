/*
 * link - a broker as the courier sees it: a small table of calls.
 *
 * Two tables exist: link_amqp (link/amqp.c; amqp_none.c where there is no librabbitmq), and a fake of the tests that makes every
 * fault on demand. Two sides, each a connection of its own: an alarm of the broker silences who puts, and takes must go on then.
 *
 * No call sleeps, but open(), site(), reopen(), leave(), close() and, where it has to ask, next(), which may take LINK_SLOW_US, and
 * cure(), twice that: what they wait for is an answer, and who waits for the courier meanwhile has to know. put() sleeps only where
 * there was less room than it seemed. A side is gone when LINK_GONE says so or a call does; open() it again then.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link/event.h"

struct courier_config;

#define LINK_WHY_MAX  300
#define LINK_SLOW_US  INT64_C(15000000)
#define LINK_PUTS_MAX 512    /* put and not answered; one more comes LATER */
#define LINK_BODY_MAX 200000 /* octets of a message; a longer one that is taken is thrown away */

enum link_state {
	LINK_OPEN,
	LINK_WAITS,  /* connected, but what it takes from is not there yet: LINK_READY follows */
	LINK_FAILED, /* try again (the next node of a cluster is next) */
	LINK_FINAL   /* trying again cannot help */
};

struct link_message {
	uint64_t id; /* comes back with its answer */
	uint8_t to;  /* enum courier_to */
	const char *key;
	const char *name; /* message-id: "RUN:BATCH"; NULL: none */
	const void *body;
	size_t len;
};

enum link_put {
	LINK_PUT,
	LINK_LATER,
	LINK_PUT_GONE
};
enum link_verdict {
	LINK_ACK,
	LINK_REQUEUE,
	LINK_BURY
};

struct link_calls {
	/* Before the sandbox: reads files, connects nowhere. Lends config. NULL: why, which no further try would mend. */
	void *(*start)(const struct courier_config *config, char why[LINK_WHY_MAX]);
	void (*free)(void *l);

	/* Connects one side, logs in, declares what its role needs. Closes what was open of it. LINK_OPEN: why is unset. */
	enum link_state (*open)(void *l, enum link_side side, char why[LINK_WHY_MAX]);
	int (*fd)(const void *l, enum link_side side); /* to be watched for reading; -1: not open */
	bool (*pending)(const void *l); /* next() has work that no descriptor shows: do not sleep */
	int64_t (*next_us)(const void *l); /* loop_clock_us(): next() must be called by then */
	void (*heard)(void *l, enum link_side side); /* its descriptor can be read */
	/* False: nothing now; a side is looked at only when it was heard, or something is pending or due. Keeps heartbeats going. */
	bool (*next)(void *l, struct link_event *e);

	/* LINK_LATER: no room, or blocked: the same again after the next event, or at next_us(). */
	enum link_put (*put)(void *l, const struct link_message *m);
	/* False: takes are gone. An ACK may wait for flush(), so that one word to the broker is about many. */
	bool (*settle)(void *l, uint64_t tag, enum link_verdict v);
	bool (*flush)(void *l); /* before each sleep. False: takes are gone */
	/* Declares the queue of a site (a master), says how it is. False: takes are gone, or it cannot be had: why. */
	bool (*site)(void *l, const char *site, struct link_site *out, char why[LINK_WHY_MAX]);
	/* Looks whether the queue of a site (a master) hangs, and if so makes it anew. Not LINK_WELL: why. */
	enum link_health (*cure)(void *l, const char *site, char why[LINK_WHY_MAX]);
	bool (*reopen)(void *l); /* another channel of puts: ids unanswered are void. False: gone */
	/* Takes no more tasks; what was taken can be settled. False: gone. */
	bool (*leave)(void *l);
	void (*close)(void *l, bool forget); /* in good order; forget: a master's queue goes */
};

extern const struct link_calls link_amqp;

#endif

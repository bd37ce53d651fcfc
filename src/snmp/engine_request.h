/*
 * engine_request - a question of a job under way: a slot with a timer.
 *
 * A job has at most profile->per_host of them. Requests are a fixed array, by slot; times are of the
 * engine's clock.
 */
#ifndef SNMP_ENGINE_REQUEST_H
#define SNMP_ENGINE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/timer.h"

struct engine;
struct job;
struct strand;
struct walk_round;

struct asked {                   /* what a request asks */
	struct strand *strand;   /* whose question it is; NULL: the discovery of an SNMPv3 engine */
	struct walk_round *walk; /* of a walk; NULL: the span of objects that the strand is at */
	uint32_t sends;          /* of it, over all addresses and all sizes in which it was asked */
	uint32_t before;         /* of these, to addresses that were given up */
};

struct request {
	struct job *job; /* NULL: the slot is free */
	struct asked asked;
	LIST_ENTRY(request) in_job;    /* with the others of its job */
	TAILQ_ENTRY(request) in_ready; /* waits to be sent */
	TAILQ_ENTRY(request) in_burst; /* was sent just now */
	struct timer timer;            /* due at due_us or earlier: moved only when it fires */
	int64_t armed_us;              /* when the timer fires, while it runs */
	int64_t due_us;                /* end of the wait, or of the job; INT64_MAX: neither */
	int64_t sent_us;               /* of the newest try */
	int64_t saved_us;              /* by which the wait for its first try was shorter */
	uint64_t serial;               /* of all requests: the slot may be another's by now */
	uint32_t slot;
	uint32_t epoch; /* the job's, when the newest try was built (engine_v3.h) */
	uint8_t lane;   /* of the newest try */
	bool ready;     /* is in a ready list */
	bool burst;     /* is in its lane's burst list */
	bool again;     /* what it asks went unanswered before */
};
TAILQ_HEAD(request_list, request);
LIST_HEAD(job_requests, request);

enum ending {
	ENDED_ANSWERED,
	ENDED_REFUSED,
	ENDED_UNANSWERED
};
void request_start(struct engine *e, struct job *job, const struct asked *asked);
/* A try went out (the clock runs), or was refused by the kernel at once. */
void request_sent(struct engine *e, struct request *r);
void request_due(struct engine *e, struct request *r); /* its timer fired */
/* Frees the slot and says what became of its sends; `late`: an older try was answered. What it asked
 * is the caller's now. */
void request_end(struct engine *e, struct request *r, enum ending ending, bool late);
void request_drop(struct engine *e, struct request *r); /* nobody wants an answer any more */

#endif

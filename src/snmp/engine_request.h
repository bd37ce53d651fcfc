/*
 * engine_request - a question of a job under way: a slot with a timer.
 *
 * A job has at most one, and none only while its answer is looked at. Requests are a fixed array, by
 * slot; times are of the engine's clock.
 */
#ifndef SNMP_ENGINE_REQUEST_H
#define SNMP_ENGINE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/timer.h"

struct engine;
struct job;

struct request {
	struct job *job;               /* NULL: the slot is free */
	TAILQ_ENTRY(request) in_ready; /* waits to be sent */
	TAILQ_ENTRY(request) in_burst; /* was sent just now */
	struct timer timer;            /* due at due_us or earlier: moved only when it fires */
	int64_t armed_us;              /* when the timer fires, while it runs */
	int64_t due_us;                /* end of the wait, or of the job; INT64_MAX: neither */
	int64_t sent_us;               /* of the newest try */
	uint32_t slot;
	uint8_t lane; /* of the newest try */
	bool ready;   /* is in a ready list */
	bool burst;   /* is in its lane's burst list */
};
TAILQ_HEAD(request_list, request);

enum ending {
	ENDED_ANSWERED,
	ENDED_REFUSED,
	ENDED_UNANSWERED
};
void request_start(struct engine *e, struct job *job);
/* A try went out (the clock runs), or was refused by the kernel at once. */
void request_sent(struct engine *e, struct request *r);
void request_due(struct engine *e, struct request *r); /* its timer fired */
/* Frees the slot and says what became of its sends; `late`: an older try was answered. */
void request_end(struct engine *e, struct request *r, enum ending ending, bool late);

#endif

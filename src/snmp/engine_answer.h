/*
 * engine_answer - what an answer means to its job; and the GETs: chunks of a profile's objects.
 */
#ifndef SNMP_ENGINE_ANSWER_H
#define SNMP_ENGINE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/engine_request.h"
#include "snmp/engine_strand.h"
#include "snmp/pdu.h"

struct engine;
struct job;

struct chunk { /* objects of a profile, and the request for them: a template, built once */
	size_t first, count; /* objects of the profile */
	size_t at, len;      /* in the engine's template_octets; no len: SNMPv3 has none */
	size_t id_at;        /* of its request-id, from `at` */
};

struct reply { /* an answer that is believed, to a request that has ended */
	struct asked asked;
	const struct pdu_answer *answer; /* its varbinds are in the engine's scratch */
	size_t octets;                   /* of the datagram */
	uint32_t epoch;                  /* of the request (engine_v3.h) */
	bool newest;                     /* it answers the newest try */
};

void job_answered(struct engine *e, struct job *job, const struct reply *reply);
/* It does not decode; words say why. */
void job_malformed(struct engine *e, struct job *job, const struct asked *asked, const char *words);
const struct chunk *get_template(const struct engine *e, const struct request *r); /* or NULL */
void get_begin(struct engine *e, struct job *job, struct strand *s);
bool get_ask(struct engine *e, struct job *job, struct strand *s); /* false: nothing left */
size_t get_asked(const struct span *q);                            /* objects that are not gone */
size_t get_names(const struct span *q, const struct oid **names);  /* of these; returns how many */

#endif

/*
 * engine_v3 - SNMPv3's state of a job: the device's engine, and what Reports say (RFC 3414 §3.2, §4).
 *
 * What keys are and how time is checked is the codec's (pdu.h, usm.h). Here it is decided what is asked again,
 * how often, and what is told.
 */
#ifndef SNMP_ENGINE_V3_H
#define SNMP_ENGINE_V3_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/record.h"
#include "snmp/pdu.h"
#include "snmp/udp.h"

struct engine;
struct inflight_hit;
struct job;
struct reply;
struct request;

/* Nothing is known of the device, or what the person pinned, or what was learnt of its first address. */
void v3_start(struct job *job);
void v3_end(struct job *job);                          /* keys are wiped */
const struct usm_peer *v3_keys(const struct job *job); /* of its engine, as far as it is known */
bool v3_must_discover(const struct job *job); /* its first question is not one of a strand */

/* Appends a try to the octets being sent. False: it cannot be built; words say why. */
bool v3_build(struct engine *e, struct request *r, const struct pdu_ask *ask, uint32_t id,
	      char words[PDU_WORDS_MAX]);
/* Decodes a datagram that names the request's id. Refused: the job has taken notice. */
enum pdu_verdict v3_decode(struct engine *e, const struct request *r, uint32_t id,
			   const struct udp_in *in, struct pdu_answer *a);
/* Whether it may come from anywhere: it can only name the engine, which the next exchange has to prove. */
bool v3_proves_itself(const struct job *job);
/* True: it was a Report, or the discovery's answer; the job has gone on, or is over. */
bool v3_report(struct engine *e, struct job *job, const struct reply *reply);

bool v3_has_met(const struct job *job); /* its engine has answered the discovery */
bool v3_say_silence(struct buf *text, const struct job *job); /* false: nothing is known of it */
void v3_tell(const struct job *job, struct record *record);   /* engine ID and note; lent */
void v3_learn(const struct job *job, struct learnt *l); /* the engine that served, and its clock */

#endif

/*
 * engine_known - what was learnt of a job's host in rounds before, put to use and renewed.
 */
#ifndef SNMP_ENGINE_KNOWN_H
#define SNMP_ENGINE_KNOWN_H

#include <stdint.h>

#include "base/profile.h"
#include "base/record.h"

struct engine;
struct job;
struct request;

/* The job's task is there, its host and addresses too: the address that answered last comes first. */
void known_begin(struct job *job, const struct profile *p);
void known_leave(struct job *job); /* its address is given up: nothing is known of the next one */

unsigned known_retries(const struct job *job); /* tries after the first */
/* How long to wait for the answer to the try that so many sends came before. */
int64_t known_wait_us(const struct job *job, struct request *r, unsigned sends);

void known_answered(struct job *job, int64_t rtt_us); /* some try, after so long */
/* The job is over, with this status: what the record says for the next round; lent. */
void known_tell(const struct engine *e, struct job *job, struct record *record,
		enum record_status status);

#endif

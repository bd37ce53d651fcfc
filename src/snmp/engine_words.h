/*
 * engine_words - what the message of a record says.
 */
#ifndef SNMP_ENGINE_WORDS_H
#define SNMP_ENGINE_WORDS_H

#include "base/mem.h"
#include "base/record.h"
#include "snmp/engine_job.h"

struct buf *job_say(struct engine *e); /* starts what is said of a job; words are appended */
void say_where(struct buf *text, const struct asked *asked); /* which object was asked for */
void say_notice(struct buf *text, const struct job *job); /* what a person can do about a timeout */
void say_walk(struct buf *text, const struct strand *s);  /* which walk it is */
void say_error(struct buf *text, const struct pdu_answer *a); /* its error-status */
void say_error_remedy(struct buf *text,
		      const struct pdu_answer *a); /* what can be done; or nothing */
void say_refusal(struct buf *text, const struct job *job, int error);
/* All that is to be said of a job that ends so, as the record has it; good until the next. */
const char *job_message(struct engine *e, const struct job *job, enum record_status status);

#endif

/*
 * engine_job - a target being worked on: what to find out, how far it got, what it noticed.
 *
 * Jobs are a fixed array; times are of the engine's clock.
 */
#ifndef SNMP_ENGINE_JOB_H
#define SNMP_ENGINE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "base/profile.h"
#include "base/task.h"
#include "snmp/pdu.h"

struct engine;
struct request;
struct chunk;

enum notice { /* what came, but was no answer; the message of a timeout tells of it */
	NOTICE_NONE,
	NOTICE_ADDRESS,    /* right request-id, from notice_from */
	NOTICE_COMMUNITY,  /* right request-id, another community */
	NOTICE_VERSION,    /* right request-id, version notice_number */
	NOTICE_TYPE,       /* right request-id, PDU type notice_number */
	NOTICE_UNREADABLE, /* no request-id; why is in notice_words. Stronger than the others */
};

struct job {
	struct job *next_free;
	struct request *request;
	const struct profile *profile;
	struct task task; /* its host and addresses are the job's own */
	bool at_work;     /* taken: started and without a record */
	uint8_t address;  /* index of the one that is asked */
	uint32_t chunk;   /* index of the one that question lies in */
	struct pdu_question question;
	size_t span_max;     /* no more objects than these in a request, after a tooBig */
	bool *gone;          /* per object: noSuchName; allocated with the first of them */
	struct vars rows;    /* of earlier questions; empty while there was none */
	uint32_t sends;      /* of the question at hand, over all addresses */
	uint32_t tries;      /* of the question that needed most */
	int64_t rtt_us;      /* -1: nothing was answered yet */
	int64_t time_ms;     /* of the last datagram; 0: none */
	int64_t deadline_us; /* INT64_MAX: none, or nothing was sent yet */
	uint8_t verdicts[TASK_ADDRS_MAX]; /* enum record_status, of the addresses given up */
	enum notice notice;
	int64_t notice_number;
	const char *notice_words;
	struct addr notice_from;
	char *host; /* room of host_cap octets, kept from task to task */
	size_t host_cap;
	struct addr addrs[TASK_ADDRS_MAX];
};

void job_start(struct engine *e, const struct task *task);
void job_drop(struct engine *e, struct job *job); /* no record */
const struct chunk *job_template(const struct engine *e,
				 const struct job *job); /* the one that question is, or NULL */
size_t job_asked(const struct pdu_question *q);          /* objects that are not gone */
bool job_advance(struct engine *e, struct job *job); /* to the next question; false: that was all */
/* Each ends the job, or its request has ended and another one starts. */
void job_malformed(struct engine *e, struct job *job, const char *words);
void job_unanswered(struct engine *e, struct job *job, uint32_t tries);
void job_refused(struct engine *e, struct job *job, int error);
void job_cancelled(struct engine *e, struct job *job, const char *words);
/* Starts the message of a job that is about to end; its words are appended. */
struct buf *job_say(struct engine *e, const struct job *job, enum record_status status);
/* The record goes out, the job is over. Its request has ended; unless ok, words were said. */
void job_end(struct engine *e, struct job *job, enum record_status status);

/* engine_answer.c */
void job_answered(struct engine *e, struct job *job, const struct pdu_answer *a);

#endif

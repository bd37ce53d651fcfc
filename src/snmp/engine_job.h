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

#include "base/profile.h"
#include "base/record.h"
#include "base/task.h"
#include "snmp/engine_strand.h"
#include "snmp/pace.h"
#include "snmp/pdu.h"

struct engine;
struct v3;

enum notice { /* what came, but was no answer; the message of a timeout tells of it */
	NOTICE_NONE,
	NOTICE_ADDRESS,    /* right request-id, from notice_from */
	NOTICE_COMMUNITY,  /* right request-id, another community */
	NOTICE_VERSION,    /* right request-id, version notice_number */
	NOTICE_TYPE,       /* right request-id, PDU type notice_number */
	NOTICE_REFUSED,    /* right msgID; notice_words say why SNMPv3 does not believe it */
	NOTICE_UNREADABLE, /* no request-id; why is in notice_words. Stronger than the others */
};

struct job { /* what every GET touches comes first */
	struct job *next_free;
	struct job_requests requests; /* under way */
	unsigned nrequests;
	unsigned nagain; /* of these, those that are being tried again */
	const struct profile *profile;
	int64_t rtt_us;       /* -1: nothing was answered yet */
	int64_t time_ms;      /* of the last datagram; 0: none */
	int64_t deadline_us;  /* INT64_MAX: none, or nothing was sent yet */
	uint32_t tries;       /* of the question that needed most */
	uint32_t carried;     /* sends of the next question asked, before it is a request */
	uint32_t before;      /* of these, to earlier addresses */
	uint32_t next_strand; /* number of the next to begin */
	bool at_work;         /* taken: started and without a record */
	bool spoke;           /* the device has answered a question */
	bool own_taken;       /* is one of the strands */
	bool adaptive;        /* its first waits follow what was learnt (engine_known.h) */
	bool sparing;    /* silent for so long that one packet must do, until something comes */
	uint8_t first;   /* index in the task as it came of the address that addrs begins with */
	uint8_t address; /* index of the one that is asked */
	enum notice notice;
	struct strands strands; /* begun, and not yet in rows with all before them */
	struct strand own;      /* so a GET costs no allocation */
	struct task task; /* its host and addresses are the job's own; learnt is kept up to date */
	struct addr addrs[TASK_ADDRS_MAX];
	struct vars rows;      /* of earlier questions; empty while there was none */
	size_t octets;         /* of the answers that these came in */
	uint64_t ahead;        /* rows that went out before */
	uint64_t octets_ahead; /* of the answers that these came in */
	size_t buffered;       /* octets of answers in rows of strands whose turn is not there */
	size_t span_max;       /* no more objects than these in a request, after a tooBig */
	bool *gone;            /* per object: noSuchName; allocated with the first of them */
	char *fault;           /* what ended a strand; allocated. NULL: nothing yet */
	struct v3 *v3;         /* kept from task to task; NULL: never was one of SNMPv3 */
	char *host;            /* room of host_cap octets, kept from task to task */
	size_t host_cap;
	uint8_t fault_status;             /* enum record_status */
	uint8_t verdicts[TASK_ADDRS_MAX]; /* enum record_status, of the addresses given up */
	unsigned most; /* varbinds of a walk's question, until one is answered; 0: as pace says */
	struct pace pace; /* of the walks */
	int64_t notice_number;
	const char *notice_words;
	struct addr notice_from;
	struct cause cause; /* of what ended it, or a strand of it first */
};

void job_start(struct engine *e, const struct task *task);
void job_drop(struct engine *e, struct job *job); /* no record */
void job_free(struct job *job);                   /* what it keeps from task to task */
bool job_has_rows(const struct job *job);         /* ahead, or in hand */
/* Each ends the job, or its request has ended and another one starts; what was asked is theirs. */
void job_unanswered(struct engine *e, struct job *job, const struct asked *asked);
void job_refused(struct engine *e, struct job *job, const struct asked *asked, int error);
/* An error-status is to end a strand, which is the cause unless another strand ended before. */
void job_error(struct job *job, const struct pdu_answer *a);
void job_cancelled(struct engine *e, struct job *job, const char *words);
/* The record goes out, the job is over, with all its requests. Unless ok, words were said. `only`: the rows, when
 * they are in one answer and nowhere else; NULL: the job's. */
void job_end(struct engine *e, struct job *job, enum record_status status, const struct vars *only);

#endif

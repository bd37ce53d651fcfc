/*
 * engine_internal - the engine itself, between its files. All times are of the engine's clock, which stands
 * still while the engine is held or the process was stopped, unless their comment says otherwise.
 */
#ifndef SNMP_ENGINE_INTERNAL_H
#define SNMP_ENGINE_INTERNAL_H

#include "base/timer.h"
#include "snmp/carrier.h"
#include "snmp/engine.h"
#include "snmp/engine_answer.h"
#include "snmp/engine_job.h"
#include "snmp/engine_request.h"
#include "snmp/engine_v3.h"
#include "snmp/engine_words.h"
#include "snmp/inflight.h"
#include "snmp/pdu.h"

struct lane {
	struct engine *engine;
	unsigned number; /* of the carrier's */
	uint8_t family;  /* 4 or 6; 0: carries whatever the address is */
	unsigned burst_max;
	unsigned burst_count;
	struct request_list burst; /* sent in the last BURST_US and unanswered, oldest first */
	int64_t stuck_since_us;    /* it has taken nothing since then; 0: it did, when last tried */
	int64_t stuck_us;          /* when that was last tried */
};

enum {
	FAMILY_V4,
	FAMILY_V6,
	FAMILIES
};

struct engine {
	struct engine_config config;
	struct loop *loop; /* NULL before engine_attach() */
	const struct carrier *carrier;
	void *carried;
	struct udp *udp; /* the engine's own; NULL: it was given a carrier */
	struct inflight *inflight;
	struct pdu_codec *codec;
	struct timers *timers;

	struct chunk *chunks;
	size_t *profile_chunks; /* per profile: index of its first chunk */
	struct buf template_octets;
	const struct oid *names[PDU_NAMES_MAX]; /* of the GET being built */
	struct walk_round *free_rounds;         /* used before */

	struct request *requests; /* window of them, by slot */
	struct job *jobs;         /* window of them */
	struct job *free_jobs;    /* used before; the last one first: its memory is warm */
	unsigned fresh_jobs;      /* index of the first that was never used */
	unsigned njobs;           /* at work */
	unsigned extra;           /* requests beyond the first of a job, of all jobs */
	uint64_t serial;          /* of the last request started */

	struct lane lanes[2 * UDP_LANES_MAX];
	unsigned nlanes;
	struct request_list ready[FAMILIES];

	int64_t now_us;        /* the engine's clock in this turn */
	int64_t lag_us;        /* the loop's clock less the engine's */
	int64_t held_since_us; /* on the loop's clock */
	bool held;
	bool cancelled, draining; /* all is to end; what was not sent yet is */
	int64_t pause_until_us;   /* the kernel took no more datagrams */
	double rate;              /* sends a second; 0: no limit */
	double tokens;            /* sends that the rate allows now */
	int64_t tokens_us;        /* when tokens was right */
	size_t looked_at;         /* requests compared with an address in this turn */
	int64_t received_us; /* when the batch of datagrams at hand was: the engine's clock, read then */
	int64_t received_ms; /* the same, UTC */

	struct buf octets;   /* of the batch being sent */
	struct vars scratch; /* of the answer at hand */
	struct buf text;     /* what is said of the job at hand */
	struct buf message;  /* the same with all around it, as its record has it */
	struct stats stats;
};

/* engine.c */
int64_t engine_stamp_us(const struct engine *e);              /* the engine's clock, read now */
void engine_at_work(struct engine *e, const struct job *job); /* NULL: nobody */

/* engine_send.c */
void engine_send_init(struct engine *e);
void engine_ready(struct engine *e, struct request *r); /* to be sent when there is room */
void engine_unready(struct engine *e, struct request *r);
void engine_leave_burst(struct engine *e, struct request *r);
void engine_send(struct engine *e);                  /* what may be sent */
int64_t engine_send_next_us(const struct engine *e); /* INT64_MAX: nothing waits */

/* engine_reply.c */
void engine_receive(struct engine *e, unsigned lane);
void engine_take_refusals(struct engine *e);

#endif

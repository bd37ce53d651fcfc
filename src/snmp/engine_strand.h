/*
 * engine_strand - the lines along which a job asks: one for each chunk of its GETs, one for each walk,
 * one for all of its tables.
 *
 * Within a strand a question waits for the answer to the one before (a table's columns apart); strands
 * begin in the order of the record's rows.
 */
#ifndef SNMP_ENGINE_STRAND_H
#define SNMP_ENGINE_STRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/record.h"
#include "base/vars.h"
#include "snmp/engine_request.h"
#include "snmp/pdu.h"
#include "snmp/walk.h"

struct chunk;
struct reply;

struct walk_round { /* a walk's question under way */
	struct walk_round *next_free;
	struct walk_question q;
	uint32_t first;    /* varbinds that its first try asked for */
	uint32_t newest;   /* and its newest one */
	uint32_t previous; /* and the one before that; 0: there was none */
};

struct span { /* objects of a profile, asked for in one GET */
	const struct profile *profile;
	size_t first; /* index into profile->get */
	size_t count;
	const bool *gone; /* per object of the profile: not asked for; NULL: none is left out */
};

struct strand {
	TAILQ_ENTRY(strand) in_job; /* in the order of their rows */
	uint32_t number;            /* of the profile's: chunks of GETs, walks, the tables */
	uint32_t requests;          /* in flight */
	bool over;                  /* nothing more is asked */
	struct span span;           /* of a GET: where it is */
	struct walk *walk;          /* NULL: a GET */
	const struct oid *root;     /* of the walk */
	size_t columns;             /* a question of the walk has no more than these */
	struct vars rows; /* while an earlier strand is not over; then they are the job's */
	size_t octets;    /* of the answers that these came in */
};
TAILQ_HEAD(strands, strand);

/* Asks what may be asked now. The job ends when that is nothing and nothing is under way, or when it has too
 * many rows: it is not to be touched after this. */
void job_go_on(struct engine *e, struct job *job);

struct vars *strand_rows(struct job *job, struct strand *s);        /* where its rows go */
void strand_came(struct job *job, struct strand *s, size_t octets); /* with rows, in an answer */
void strand_end(struct engine *e, struct job *job, struct strand *s);
/* It goes no further; why is in what was said. The first one of a job decides what becomes of it. */
void strand_fault(struct engine *e, struct job *job, struct strand *s, enum record_status status);
/* What was asked is to be asked again, in whatever size. */
void strand_again(struct engine *e, const struct asked *asked);
void strands_close(struct engine *e, struct job *job); /* rows of what is not over are the job's */
void strands_drop(struct job *job);                    /* rows are lost */

/* engine_walk.c */
void walk_strand_begin(struct job *job, struct strand *s, uint32_t number);
bool walk_strand_ask(struct engine *e, struct job *job, struct strand *s); /* false: not now */
struct walk_round *walk_round_new(struct engine *e);
void walk_rounds_free(struct engine *e);                          /* those that are not in use */
void walk_round_free(struct engine *e, struct walk_round *round); /* NULL is good */
void walk_build(struct engine *e, struct request *r, struct pdu_ask *ask); /* its next try */
void walk_answered(struct engine *e, struct job *job, const struct reply *reply);
/* The tries are used up. True: what it asked was too much, perhaps, and is asked for again in part. */
bool walk_unanswered(struct engine *e, struct job *job, const struct asked *asked);

#endif

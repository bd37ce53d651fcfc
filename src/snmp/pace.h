/*
 * pace - how many repetitions the next GETBULK of a host asks for (max-repetitions, RFC 3416 §4.2.3).
 *
 * Grows while answers stay under about PACE_OCTETS, shrinks on tooBig and where large answers get
 * lost. Pure arithmetic, one a host.
 */
#ifndef SNMP_PACE_H
#define SNMP_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_OCTETS 1400 /* of an answer: below any usual path MTU, headers included */
#define PACE_FIRST  10   /* varbinds of the first answer asked for */

struct pace {                     /* private */
	uint32_t max_repetitions; /* the person's; 0: none */
	uint32_t each;            /* octets of a varbind, as seen; 0: none was seen */
	uint32_t grown;    /* varbinds: no question asks for more than twice what was answered */
	uint32_t ceiling;  /* octets that an answer should have at most */
	uint32_t held;     /* the ceiling before it was tried higher; 0: no trial */
	uint32_t answers;  /* since the ceiling was set */
	uint32_t patience; /* answers after which a lowered ceiling is tried higher */
	uint32_t lost;     /* varbinds of the last lost try, until an answer comes; 0: none */
	uint32_t usual;    /* varbinds that the next question asks for, at least */
	uint32_t small;    /* tries for half of a lost one, or less; of late */
	uint32_t unlucky;  /* of these, the lost ones: by chance */
	uint32_t lost_at;  /* octets of the least answer lost of late; 0: none */
	uint32_t lost_ago; /* answers since then */
	uint32_t doubt;    /* that answers so large come at all; 0: none */
};

void pace_start(struct pace *p, unsigned max_repetitions);
/* Columns that a question should have at most (walk_ask()), when `tries` tries of it went unanswered: so many that
 * one repetition of each fits. 1 to `most`. */
size_t pace_columns(const struct pace *p, size_t most, unsigned tries);
/* Repetitions for a question of so many columns whose `tries` tries went unanswered (each further try
 * asks for half); at least 1. */
unsigned pace_repetitions(const struct pace *p, size_t columns, unsigned tries);
/* An answer of so many octets and varbinds came to a question for so many varbinds (its columns times its
 * repetitions). */
void pace_answered(struct pace *p, size_t asked, size_t varbinds, size_t octets);
/* A try for so many varbinds was not answered, where a smaller one (or a later one) was. Before the
 * pace_answered() of that one; the tries of one question in any order. */
void pace_lost(struct pace *p, size_t asked);
/* tooBig came. False: one varbind was asked for, it cannot be less. */
bool pace_too_big(struct pace *p, size_t asked);

#endif

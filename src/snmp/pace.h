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

struct pace {             /* private */
	uint32_t cap;     /* varbinds an answer may hold: the person's cap times columns is apart */
	uint32_t lost_at; /* varbinds of the least question that went unanswered; 0: none */
	uint32_t octets;  /* of a varbind, as seen; 0: none was seen */
	uint32_t asked;   /* varbinds that may be asked for now */
	uint16_t max_repetitions; /* the person's; 0: none */
	uint8_t losses;           /* at lost_at, one after the other */
};

void pace_start(struct pace *p, unsigned max_repetitions);
/* Repetitions for a question of so many columns whose `tries` tries went unanswered (each further try asks for half);
 * at least 1. */
unsigned pace_repetitions(const struct pace *p, size_t columns, unsigned tries);
/* An answer of so many octets and varbinds came to a question for so many. */
void pace_answered(struct pace *p, size_t asked, size_t varbinds, size_t octets);
void pace_lost(struct pace *p, size_t asked); /* not answered, where a smaller one was */
/* tooBig came. False: one varbind was asked for, it cannot be less. */
bool pace_too_big(struct pace *p, size_t asked);

#endif

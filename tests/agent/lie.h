/*
 * Lies told about a whole datagram, after a right answer was written: where it comes from, how much of it arrives.
 */
#ifndef AGENT_LIE_H
#define AGENT_LIE_H

#include "datagram.h"
#include "rules.h"

/* xorshift64*; the state must not be 0. */
uint32_t lie_random(uint64_t *state);
/* Changes d, whose octets lie in a buffer of DATAGRAM_MAX, and whose fd is its family's. */
void lie_apply(const struct behaviour *behaviour, struct datagram *d, uint64_t *random);
/* The behaviour without what makes an answer wrong: for the right answer that follows a lie. */
struct behaviour lie_none(const struct behaviour *behaviour);

#endif

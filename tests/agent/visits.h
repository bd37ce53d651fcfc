/*
 * How many requests each address has had: the memory behind lose-first and late-first; how many authenticated answers it
 * has given: that behind boots-fall. Bounded: an address that finds no room counts as an old acquaintance. Used only
 * where a rule asks for it.
 */
#ifndef AGENT_VISITS_H
#define AGENT_VISITS_H

#include <netinet/in.h>
#include <stdint.h>

struct visits;

struct visits *visits_new(void);
void visits_free(struct visits *visits);
/* Counts one more request of addr; returns how many it had before, UINT32_MAX when there is no room to know. */
uint32_t visits_count(struct visits *visits, const struct in6_addr *addr);
/* How many it had, and counts nothing. */
uint32_t visits_so_far(const struct visits *visits, const struct in6_addr *addr);

#endif

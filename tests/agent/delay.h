/*
 * Answers that wait for their time: a heap of a fixed number of places, in the order of their deadlines; equal deadlines
 * leave in the order in which they came.
 */
#ifndef AGENT_DELAY_H
#define AGENT_DELAY_H

#include "datagram.h"

struct delay;

/* Room for `capacity` datagrams; NULL when out of memory. */
struct delay *delay_new(uint32_t capacity);
void delay_free(struct delay *delay);
/* Copies d; false when there is no room. */
bool delay_put(struct delay *delay, const struct datagram *d, uint64_t due_us);
/* Takes the first datagram due by now_us; its octets are copied to d->bytes, which holds DATAGRAM_MAX. */
bool delay_take(struct delay *delay, uint64_t now_us, struct datagram *d);
/* When the first is due; UINT64_MAX when none waits. */
uint64_t delay_next(const struct delay *delay);
uint32_t delay_waiting(const struct delay *delay);

#endif

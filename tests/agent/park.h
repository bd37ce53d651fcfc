/*
 * The park of devices: its sockets, and what happens to a datagram from its arrival to its answer.
 */
#ifndef AGENT_PARK_H
#define AGENT_PARK_H

#include "options.h"

#include <signal.h>

struct park;

/* Opens the sockets. `options` is lent. NULL after having said why on stderr. */
struct park *park_open(const struct options *options);
void park_close(struct park *park);
uint16_t park_port(const struct park *park);
/* Waits until `until_us` at the latest, answers what came and what has become due. Signals in mask wait. */
void park_turn(struct park *park, uint64_t until_us, const sigset_t *mask);
/* One line of JSON on stdout. */
void park_print_counters(const struct park *park);
/* The monotonic clock. */
uint64_t park_clock_us(void);

#endif

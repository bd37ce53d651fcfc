/*
 * agent_courier - the process that speaks to the broker; private to the agent.
 */
#ifndef LINK_AGENT_COURIER_H
#define LINK_AGENT_COURIER_H

#include <stdint.h>

#include "link/courier.h"

struct agent;

void courier_birth(struct agent *a);
void courier_put_tag(struct agent *a, enum courier_message kind, uint64_t tag);
void courier_watch(struct agent *a); /* sends what is queued */
void courier_times(struct agent *a);
int64_t courier_next_us(const struct agent *a);
void courier_free(struct agent *a);

#endif

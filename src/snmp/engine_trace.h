/*
 * engine_trace - the engine's datagrams for --debug; called only where e->config.trace is set.
 */
#ifndef SNMP_ENGINE_TRACE_H
#define SNMP_ENGINE_TRACE_H

#include <stddef.h>

#include "snmp/trace.h"
#include "snmp/udp.h"

struct engine;

/* n datagrams were sent from the front of the list, and if there is an error, the next one was not. */
void engine_trace_sent(struct engine *e, const struct udp_out *list, size_t n, int error);
void engine_trace_received(struct engine *e,
			   const struct udp_in *in); /* before it is looked at … */
void engine_trace_taken(struct engine *e);           /* … and after */
void engine_trace_refusal(struct engine *e, const struct udp_refusal *refusal);

#endif

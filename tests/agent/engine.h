/*
 * An agent's authoritative engine: who it says it is, and how late it is there (RFC 3411 §5, RFC 3414 §2.2). Computed
 * from the agent's address, its rule, and how often it has answered.
 */
#ifndef AGENT_ENGINE_H
#define AGENT_ENGINE_H

#include "rules.h"
#include "usm.h"

struct engine {
	struct engine_id id;
	uint32_t boots;  /* snmpEngineBoots */
	uint32_t time_s; /* snmpEngineTime */
};

/* Whether its past matters: only then need anybody count its answers. */
bool engine_remembers(const struct behaviour *behaviour);
/* uptime_s: how long the park has been running; answers: how many authenticated ones it has given. */
void engine_of(struct engine *engine, const struct in6_addr *addr,
	       const struct behaviour *behaviour, uint32_t uptime_s, uint32_t answers);

#endif

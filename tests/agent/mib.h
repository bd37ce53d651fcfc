/*
 * What a simulated agent knows: a small standard MIB (system, interfaces, ifXTable, ip, host, UCD load; if wanted a
 * group with a value of every type), the same for all agents but for what names the agent's own address. Nothing is
 * stored per agent or per cell.
 */
#ifndef AGENT_MIB_H
#define AGENT_MIB_H

#include "ber.h"

#include <netinet/in.h>

struct mib_object;

struct mib {
	struct mib_object *objects; /* in order of their OIDs */
	size_t n_objects;
	uint64_t started_us;
};

/* Who looks at whom, and when. SNMPv1 has no Counter64: such objects do not exist for it (RFC 2576 §4.1.2.1). */
struct mib_view {
	const struct mib *mib;
	const struct in6_addr *addr;
	uint64_t now_us;
	uint32_t interfaces; /* rows of ifTable and ifXTable */
	bool v1;
	bool sparse; /* a third of those tables' cells is missing, none of their first columns */
	bool types;  /* a value of every type is there */
	struct ber_in context; /* SNMPv3's contextName: sysName tells it. {NULL, NULL}: none */
};

struct mib_value {
	uint8_t tag;
	uint64_t number;      /* of the numeric types; an INTEGER in two's complement */
	const uint8_t *bytes; /* of all others: contents as they are encoded */
	size_t len;
	uint8_t scratch[128];
};

/* false when out of memory. */
bool mib_init(struct mib *mib, uint64_t now_us);
void mib_free(struct mib *mib);

/* The value of exactly that OID; if there is none, the tag is noSuchObject or noSuchInstance. */
void mib_get(const struct mib_view *view, const struct oid *oid, struct mib_value *value);
/* The next OID after oid, into oid, and its value; at the end, oid stays and the tag is endOfMibView. */
void mib_next(const struct mib_view *view, struct oid *oid, struct mib_value *value);

void mib_put_value(struct ber_out *out, const struct mib_value *value);

#endif

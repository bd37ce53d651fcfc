/*
 * cause - why a target was not `ok`, for a program; the record's message says it to a person.
 *
 * Beside a record, from who asked to who formats; no format that people read shows it.
 */
#ifndef BASE_CAUSE_H
#define BASE_CAUSE_H

#include <stdint.h>

#include "base/addr.h"

enum cause_kind {
	CAUSE_NONE,        /* ok, or nothing that has a name here */
	CAUSE_SILENCE,     /* nothing came */
	CAUSE_DISCOVERED,  /* SNMPv3: the discovery was answered, the request was not */
	CAUSE_ADDRESS,     /* `from` answered, who was not asked */
	CAUSE_COMMUNITY,   /* an answer with another community */
	CAUSE_VERSION,     /* an answer in version `number` (as on the wire) */
	CAUSE_TYPE,        /* a PDU of type `number` instead of a RESPONSE */
	CAUSE_DISBELIEVED, /* SNMPv3: its digest, user, engine, level, context or clock */
	CAUSE_UNREADABLE,  /* what came is no message */
	CAUSE_REFUSED,     /* the network or the kernel said so; number: errno */
	CAUSE_REPORT,      /* SNMPv3: a Report; number: enum pdu_report */
	CAUSE_STATUS,      /* number: error-status */
	CAUSE_MALFORMED,   /* an answer that breaks the rules */
	CAUSE_ROWS,        /* more rows or octets than a record may have */
	CAUSE_DEADLINE,    /* the host's deadline came first */
	CAUSE_COUNT
};

struct cause {
	enum cause_kind kind;
	int64_t number;
	struct addr from; /* CAUSE_ADDRESS */
};

#endif

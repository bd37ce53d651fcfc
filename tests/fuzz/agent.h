/*
 * agent - the device that the engine asks: reads its requests, whatever the version, and writes messages that are
 * right but for what the script wants wrong; signed and encrypted where that is asked for, so that what lies below
 * the digest is reached.
 */
#ifndef FUZZ_AGENT_H
#define FUZZ_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/oid.h"
#include "base/profile.h"
#include "snmp/usm.h"

#define AGENT_OCTETS  8192
#define AGENT_NAMES   64
#define AGENT_ENGINES 2

struct agent {
	const struct profile *profile;       /* what it is asked with */
	struct usm_peer peer[AGENT_ENGINES]; /* of its engine IDs: keys */
	uint32_t boots, time_s;
};
/* Keys for the profile's user, which take some microseconds. */
void agent_init(struct agent *a, const struct profile *p);

struct question {
	uint32_t id; /* request-id, or msgID */
	uint8_t type;
	bool discovery;
	unsigned repetitions; /* max-repetitions of a GETBULK */
	unsigned count;
	struct oid names[AGENT_NAMES];
};
/* False: no such question was asked; then at most the id is known. */
bool agent_read(const struct agent *a, const uint8_t *data, size_t len, struct question *q);

enum twist { /* what is wrong with a message */
	TWIST_UNSIGNED = 1,
	TWIST_ENGINE = 2,  /* another engine ID; v1, v2c: another version */
	TWIST_BOOTS = 4,   /* one more; v1, v2c: another community */
	TWIST_TIME = 8,    /* far off */
	TWIST_REPORT = 16, /* a Report instead of a RESPONSE */
	TWIST_DIGEST = 32, /* wrong */
	TWIST_CONTEXT = 64,
	TWIST_PLAIN = 128 /* not encrypted, though it should be */
};
struct message {
	uint32_t id;
	uint8_t twist;
	bool whole; /* rest is all of the scopedPDU's content (v1, v2c: all behind the version) */
	const uint8_t *rest; /* else what follows the request-id in the PDU */
	size_t rest_len;
};
size_t agent_write(const struct agent *a, const struct message *m, uint8_t out[AGENT_OCTETS]);

struct rows {                 /* what is answered */
	unsigned repetitions; /* of a GETBULK, at most */
	uint8_t step; /* to the next name: 0 stays, 0x80 leaves the subtree, 0x40 is the end of the view, 0x20 deeper */
	const uint8_t *value; /* with tag and length; empty: INTEGER 5 */
	size_t value_len;
	uint8_t status, index; /* error-status; then the names as they were asked */
};
/* The rest of a RESPONSE to the question. Returns its length. */
size_t agent_rows(const struct question *q, const struct rows *r, uint8_t out[AGENT_OCTETS]);
/* The rest of a Report: usmStats 1 to 6, 7: snmpUnknownContexts, others: nobody's. */
size_t agent_report(uint8_t which, uint8_t out[AGENT_OCTETS]);

#endif

/*
 * From a request to the octets of its answer: what a right agent says (RFC 3416 §4.2, RFC 1157 §4.1), and the lies that
 * are told inside a message. Lies about whole datagrams are in lie.c.
 */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include "message.h"
#include "mib.h"
#include "rules.h"

/* Whatever max-repetitions and non-repeaters say, this many columns are walked side by side; more is tooBig. */
enum {
	REPEATERS_MAX = 128
};

struct answerer {
	struct oid columns[REPEATERS_MAX];
	bool ended[REPEATERS_MAX];
};

/*
 * Writes the answer to `request` at `bytes`, which holds DATAGRAM_MAX octets; of SNMPv3 the ScopedPDU alone. Returns its
 * length; 0 when a PDU of this kind has no answer.
 */
size_t answer_write(struct answerer *a, const struct mib_view *view, const struct message *request,
		    const struct behaviour *behaviour, uint8_t *bytes);

#endif

/*
 * An SNMPv3 message (RFC 3412 §6, RFC 3414 §2.4) as it came, pointing into the datagram.
 */
#ifndef AGENT_V3_MESSAGE_H
#define AGENT_V3_MESSAGE_H

#include "message.h"

enum {
	FLAG_AUTH = 1,
	FLAG_PRIV = 2,
	FLAG_REPORTABLE = 4,
	MODEL_USM = 3
};

struct v3_message {
	int32_t id, max_size, model;
	uint8_t flags;
	struct ber_in engine_id;
	int32_t boots, time_s;
	struct ber_in user, digest, salt;
	const uint8_t *id_end; /* where the msgID ends in the datagram */
	struct ber_in data; /* the whole rest: a ScopedPDU, or its ciphertext as an OCTET STRING */
};

bool v3_message_read(struct v3_message *message, const uint8_t *bytes, size_t len);
/* The PDU in a ScopedPDU; what follows it is padding. Sets the PDU's version, community (its contextName) and context_engine, too. */
bool v3_message_scoped(struct ber_in scoped, struct message *pdu);

#endif

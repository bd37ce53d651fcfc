/*
 * A community message (RFC 1157, RFC 1901) as it came: what the answer needs, pointing into the datagram. Of an SNMPv3
 * message (v3_message.h) the same is used for what stands in its ScopedPDU.
 */
#ifndef AGENT_MESSAGE_H
#define AGENT_MESSAGE_H

#include "ber.h"

enum {
	VERSION_1 = 0,
	VERSION_2C = 1,
	VERSION_3 = 3
};

struct message {
	int32_t version;
	struct ber_in community;      /* SNMPv3: contextName */
	struct ber_in context_engine; /* SNMPv3: contextEngineID */
	uint8_t pdu;                  /* its tag */
	int32_t request_id;
	int32_t error_status; /* GETBULK: non-repeaters */
	int32_t error_index;  /* GETBULK: max-repetitions */
	struct ber_in varbinds;
	uint32_t n_varbinds;
	const uint8_t *pdu_at; /* where the PDU begins in the datagram */
	const uint8_t *id_end; /* and its request-id ends */
	size_t max_size;       /* octets that the answer may have: set by who wants one */
	int32_t refused;       /* error-status that it deserves before it is looked at; 0: none */
};

enum message_kind {
	MESSAGE_GOOD,
	MESSAGE_BAD,
	MESSAGE_V3
};

/* max_size and refused are not set. */
enum message_kind message_read(struct message *message, const uint8_t *bytes, size_t len);
/* The PDU that comes next, which must be the end of its message. */
bool message_read_pdu(struct message *message, struct ber_in *in);
/* The next varbind of a list: its name, and its value as it stands; false at the end or when it is broken. */
bool message_varbind(struct ber_in *varbinds, struct oid *name, struct ber_in *value);
/* A word for a PDU's tag, for the log. */
const char *message_pdu_name(uint8_t pdu);

#endif

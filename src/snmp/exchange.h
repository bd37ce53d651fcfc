/*
 * exchange - a request of SNMPv3 and what may answer it: the codec's functions for it (RFC 3412, RFC 3414).
 *
 * What a device sends is believed as far as it is signed. An answer must be of the level that was asked for; only a
 * Report may be below it, and then anybody may have sent it: it sets no clock that was signed for.
 */
#ifndef SNMP_EXCHANGE_H
#define SNMP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct pdu_answer;
struct pdu_ask;
struct pdu_codec;
struct profile;
struct usm_peer;
struct vars;

#define PDU_WORDS_MAX 160

struct pdu_exchange {
	const struct profile *profile;
	struct usm_peer *peer;
	uint32_t id;    /* both msgID and request-id */
	int64_t now_us; /* loop_clock_us() */
};
/* Appends the request; localises the peer's keys when it is not keyed yet. A peer without engine ID: the
 * discovery (RFC 3414 §4), whatever is asked. False: it cannot be built; words say why. */
bool pdu_build_v3(struct pdu_codec *c, const struct pdu_exchange *x, const struct pdu_ask *ask,
		  struct buf *out, char words[PDU_WORDS_MAX]);

enum pdu_report { /* what a Report names: usmStats (RFC 3414 §5), snmpUnknownContexts (RFC 3413 §5) */
	PDU_REPORT_NONE,
	PDU_REPORT_UNSUPPORTED_LEVEL,
	PDU_REPORT_NOT_IN_WINDOW,
	PDU_REPORT_UNKNOWN_USER,
	PDU_REPORT_UNKNOWN_ENGINE,
	PDU_REPORT_WRONG_DIGEST,
	PDU_REPORT_DECRYPTION,
	PDU_REPORT_UNKNOWN_CONTEXT,
	PDU_REPORT_OTHER /* words have its name, or its OID */
};

enum pdu_verdict {
	PDU_ACCEPTED,  /* the answer, or a Report */
	PDU_MALFORMED, /* breaks the rules of encoding; words say how */
	PDU_REFUSED    /* digest, engine, user, context, level, window or ids; words say which */
};
struct pdu_octets {
	uint8_t *data;
	size_t len;
};
/* Decodes a message, in place; appends the varbinds of an answer to vars (some even when it is malformed), not those
 * of a Report. The peer changes only when it is accepted, and its keys are made if they are not.
 * - What is signed sets its clock; a Report PDU_REPORT_NOT_IN_WINDOW also back.
 * - A Report PDU_REPORT_UNKNOWN_ENGINE that is not signed gives it its engine ID, unless the profile pins one, and
 *   a clock as a first guess. While its engine ID is not known, every Report that is not signed is taken for one.
 * Else nothing is believed of what is not signed and should be: see a->authenticated. */
enum pdu_verdict pdu_decode_v3(struct pdu_codec *c, const struct pdu_exchange *x,
			       struct pdu_octets message, struct pdu_answer *a, struct vars *vars);

#endif

/*
 * peek - what can be read of a message before anything of it is believed: whose is it?
 *
 * Our own code: bounded, without allocation. Lengths may promise more than is there: a cut message still tells
 * whose it is. No codec sees a datagram before this has.
 */
#ifndef SNMP_PEEK_H
#define SNMP_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEEK_AUTH 1 /* msgFlags */
#define PEEK_PRIV 2
#define PEEK_USM  3 /* msgSecurityModel: RFC 3414, … */
#define PEEK_TSM  4 /* … RFC 5591 */

struct peek {                     /* v1 (RFC 1157), v2c (RFC 1901) */
	int64_t version;          /* as on the wire: enum snmp_version, or anything */
	const uint8_t *community; /* in the datagram */
	size_t community_len;
	uint8_t type; /* tag of the PDU */
	uint32_t request_id;
	size_t request_id_at; /* where its content octets start, when they are four; else 0 */
};
/* False: there is no request-id to be read; words say why, out->version is what could be read of it
 * (SNMP_V3: see peek_v3(); -1: nothing). */
bool peek_message(const uint8_t *data, size_t len, struct peek *out, const char **words);

struct peek_v3 { /* what stands in the clear (RFC 3412 §6, RFC 3414 §2.4); pointers into the datagram */
	uint32_t msg_id; /* msgID */
	bool whole; /* all of the below could be read, not only msg_id, and the message ends in the datagram */
	uint8_t flags;            /* msgFlags: PEEK_AUTH, PEEK_PRIV, 4: reportable */
	int64_t model;            /* msgSecurityModel; PEEK_USM or PEEK_TSM, or it is not whole */
	const uint8_t *engine_id; /* this and what follows to salt: USM only, else NULL and 0 */
	size_t engine_id_len;
	int64_t boots, time_s; /* may be negative */
	const uint8_t *user;
	size_t user_len;
	const uint8_t *digest; /* msgAuthenticationParameters */
	size_t digest_len;
	const uint8_t *salt; /* msgPrivacyParameters */
	size_t salt_len;
	const uint8_t *
		data; /* the content of msgData: encrypted when flags have priv (USM), else the scopedPDU's */
	size_t data_len;
	size_t len; /* of the message; what follows in the datagram is none of it */
};
/* False: there is no msgID to be read. True, and not whole: the rest cannot. In both cases words say why. */
bool peek_v3(const uint8_t *data, size_t len, struct peek_v3 *out, const char **words);

#endif

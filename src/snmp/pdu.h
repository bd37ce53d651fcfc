/*
 * pdu - SNMP messages (v1: RFC 1157, v2c: RFC 1901 and 3416, v3: exchange.h) to structs and back.
 *
 * Net-SNMP is the codec; it sees a PDU only after peek and the checks of our own: bounded, no allocation.
 */
#ifndef SNMP_PDU_H
#define SNMP_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/record.h"
#include "base/profile.h"
#include "snmp/exchange.h"

#define PDU_GET        0xa0
#define PDU_GET_NEXT   0xa1
#define PDU_RESPONSE   0xa2
#define PDU_GET_BULK   0xa5
#define PDU_REPORT     0xa8
#define PDU_OCTETS_MAX 1400 /* of a request: with the headers of IPv6 below any usual path MTU */
#define PDU_NAMES_MAX  (PDU_OCTETS_MAX / 10) /* a varbind takes more than ten octets */

#define PDU_NO_ERROR      0 /* error-status (RFC 3416 §3) */
#define PDU_TOO_BIG       1
#define PDU_NO_SUCH_NAME  2
#define PDU_GEN_ERR       5
#define PDU_NO_ACCESS     6
#define PDU_RESOURCES     13 /* resourceUnavailable */
#define PDU_AUTHORIZATION 16 /* authorizationError */
/* "tooBig", "genErr" …; NULL for a number that has no name. */
const char *pdu_error_name(int64_t status);

/* Makes the library usable without a file read or written, and silent. In who has children that make messages, before
 * these are forked; a second call does nothing. mib can do without, and may have read files by then. Leaves the environment
 * and the locale as they were. */
void pdu_init(void);

struct pdu_ask {                  /* what is asked, in any version */
	uint8_t type;             /* PDU_GET, PDU_GET_NEXT, PDU_GET_BULK */
	unsigned max_repetitions; /* of a GETBULK, whose non-repeaters are 0 */
	const struct oid *const *names;
	size_t count;
};

struct pdu_codec; /* one a process is enough, made after the fork: it has salts of its own (usm.h) */
struct pdu_codec *pdu_codec_new(void);
void pdu_codec_free(struct pdu_codec *c);

/* How many objects of profile->get, from first on, fit a request of PDU_OCTETS_MAX; at least 1, at most
 * PDU_NAMES_MAX. */
size_t pdu_fit(const struct profile *p, size_t first);

/* Appends the request of v1 or v2c to out. Returns where in out the four octets of its request-id stand. */
size_t pdu_build(struct pdu_codec *c, const struct profile *p, const struct pdu_ask *ask,
		 struct buf *out);
void pdu_patch_id(uint8_t *place, uint32_t request_id); /* INFLIGHT_ID_MIN to INFLIGHT_ID_END - 1 */

struct pdu_answer {
	int64_t error_status;
	int64_t error_index;       /* from 1; 0: none is named */
	char words[PDU_WORDS_MAX]; /* what is wrong, when it does not decode */
	enum pdu_report report;    /* SNMPv3 */
	bool authenticated;        /* its digest was right */
};
/* Decodes a v1 or v2c message that peek_message() could read; appends its varbinds to vars (maybe some even
 * when it fails). False: it breaks the rules of encoding. */
bool pdu_decode(struct pdu_codec *c, uint8_t *data, size_t len, struct pdu_answer *a,
		struct vars *vars);

#endif

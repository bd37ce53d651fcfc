/*
 * pdu_internal - between the files of pdu.
 */
#ifndef SNMP_PDU_INTERNAL_H
#define SNMP_PDU_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
/* the library's macros for errstat and errindex, which break structs of ours */
#undef non_repeaters
#undef max_repetitions

#include "snmp/pdu.h"
#include "snmp/usm.h"

struct pdu_codec {
	netsnmp_session session; /* never opened */
	u_char *pkt;             /* snmp_build() may move it */
	size_t pkt_len;
	struct usm_slot *slot;
};

/* Only memory or a profile that conf should have refused can be the reason: nothing to go on with. */
_Noreturn void pdu_cannot_build(const struct pdu_codec *c);
/* Appends the library's varbinds. False: one is of no type that SNMP has. */
bool pdu_copy_vars(const netsnmp_variable_list *from, struct vars *vars);

/* Walks a whole v1 or v2c message. False: words say what breaks the rules, and where. */
bool pdu_check(const uint8_t *data, size_t len, char words[PDU_WORDS_MAX]);

struct pdu_scoped {               /* pointers into what was checked */
	const uint8_t *engine_id; /* contextEngineID */
	size_t engine_id_len;
	const uint8_t *context; /* contextName */
	size_t context_len;
	const uint8_t *pdu; /* from its tag on */
	size_t pdu_len;
	uint8_t type; /* PDU_RESPONSE or PDU_REPORT */
	uint32_t request_id;
};
/* Walks the content of a scopedPDU (RFC 3412 §6), all of the PDU included. False: as pdu_check(). */
bool pdu_check_scoped(const uint8_t *data, size_t len, struct pdu_scoped *out,
		      char words[PDU_WORDS_MAX]);

/* What is asked goes into the library's PDU. */
void pdu_fill(netsnmp_pdu *pdu, const struct pdu_ask *ask);
/* The OID of a Report's first varbind. */
void pdu_put_name(const netsnmp_variable_list *v, char words[PDU_WORDS_MAX]);

/* pdu_tsm.c: what is different where the connection signs and encrypts (RFC 5591). */
void pdu_fill_tsm(netsnmp_pdu *pdu, const struct pdu_exchange *x, const struct pdu_ask *ask);
enum pdu_verdict pdu_decode_tsm(const struct pdu_exchange *x, struct pdu_octets message,
				struct pdu_answer *a, struct vars *vars);

#endif

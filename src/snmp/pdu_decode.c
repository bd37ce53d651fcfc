/*
 * Answers of v1 and v2c: checked by pdu_check(), then parsed by the library.
 */
#include "snmp/pdu_internal.h"

#include <stdio.h>

#include "base/mem.h"

bool pdu_decode(struct pdu_codec *c, uint8_t *data, size_t len, struct pdu_answer *a,
		struct vars *vars)
{
	netsnmp_pdu *pdu;
	const char *wrong = NULL;

	if (!pdu_check(data, len, a->words))
		return false;
	pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	if (!pdu)
		pdu_cannot_build(c);
	if (snmp_parse(NULL, &c->session, pdu, data, len) != 0)
		wrong = snmp_api_errstring(c->session.s_snmp_errno);
	else if (!pdu_copy_vars(pdu->variables, vars))
		wrong = "a value is of no type that SNMP has";
	if (wrong) {
		mem_check(); /* no device is to be blamed for that */
		snprintf(a->words, sizeof(a->words), "%s", wrong);
	}
	a->error_status = pdu->errstat;
	a->error_index = pdu->errindex;
	snmp_free_pdu(pdu);
	return !wrong;
}

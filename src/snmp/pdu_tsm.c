/*
 * SNMPv3 over a connection that signs and encrypts: the Transport Security Model (RFC 5591).
 *
 * The problem: a message of this model proves nothing by itself. It has no user, no digest and no cipher; whoever
 * carries it has to know whom it is from.
 *
 * The design: it is built and believed only for a profile with an identity, and such a profile has no other carrier
 * than a connection whose agent was verified (tls). Requests ask for authPriv, and an answer says no less: one that
 * does is refused, as with the other model. The model has no engine to synchronise with, but a scopedPDU has
 * one; it is asked for as RFC 5343 says, a GET of snmpEngineID.0 from the engine named "local".
 *
 * The level of the discovery is that of all requests. Net-SNMP's own tools send it without, which an agent may
 * refuse to answer (RFC 5591 §5.2 has no exception for it).
 */
#include "snmp/pdu_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/peek.h"

static const uint8_t local_engine[] = {0x80, 0, 0, 0, 6}; /* RFC 5343 §3.2 */
static const oid engine_id_name[] = {1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0};
static const oid unknown_contexts[] = {1, 3, 6, 1, 6, 3, 12, 1, 5, 0};
#define NAME_LEN(name) (sizeof(name) / sizeof((name)[0]))

static void put_engine(netsnmp_pdu *pdu, const uint8_t *id, size_t len)
{
	pdu->contextEngineID = mem_alloc(len);
	memcpy(pdu->contextEngineID, id, len);
	pdu->contextEngineIDLen = len;
}

void pdu_fill_tsm(netsnmp_pdu *pdu, const struct pdu_exchange *x, const struct pdu_ask *ask)
{
	pdu->version = SNMP_VERSION_3;
	pdu->msgid = x->id;
	pdu->securityModel = SNMP_SEC_MODEL_TSM;
	pdu->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
	pdu->securityName = mem_strdup("");
	if (!x->peer->engine_id_len) {
		put_engine(pdu, local_engine, sizeof(local_engine));
		pdu->contextName = mem_strdup("");
		snmp_add_null_var(pdu, engine_id_name, NAME_LEN(engine_id_name));
		return;
	}
	put_engine(pdu, x->peer->engine_id, x->peer->engine_id_len);
	pdu->contextName = mem_strdup(x->profile->context);
	pdu->contextNameLen = strlen(pdu->contextName);
	pdu_fill(pdu, ask);
}

/* ---- answers */

static enum pdu_verdict say(struct pdu_answer *a, enum pdu_verdict verdict, const char *words)
{
	snprintf(a->words, sizeof(a->words), "%s", words);
	return verdict;
}

static bool same(const uint8_t *a, size_t len, const void *b, size_t b_len)
{
	return len == b_len && memcmp(a, b, len) == 0;
}

static enum pdu_verdict check_head(const struct pdu_exchange *x, const struct peek_v3 *h,
				   struct pdu_answer *a)
{
	if (h->msg_id != x->id)
		return say(a, PDU_REFUSED, "its msgID is another");
	if (h->model != PEEK_TSM)
		return say(a, PDU_REFUSED, "its security model is not that of the connection");
	if (!(h->flags & PEEK_AUTH) || !(h->flags & PEEK_PRIV))
		return say(a, PDU_REFUSED, "its security level is below the one asked for");
	return PDU_ACCEPTED;
}

static enum pdu_verdict check_response(const struct pdu_exchange *x, const struct pdu_scoped *s,
				       struct pdu_answer *a)
{
	const struct usm_peer *p = x->peer;
	const char *context = x->profile->context;

	if (s->request_id != x->id)
		return say(a, PDU_REFUSED, "its request-id is another");
	if (!p->engine_id_len)
		return PDU_ACCEPTED; /* the discovery: the engine is what it tells */
	if (!same(s->engine_id, s->engine_id_len, p->engine_id, p->engine_id_len))
		return say(a, PDU_REFUSED, "it is of another engine");
	if (!same(s->context, s->context_len, context, strlen(context)))
		return say(a, PDU_REFUSED, "it is of another context");
	return PDU_ACCEPTED;
}

/* What has no engine ID in it leaves the peer without. */
static void learn_engine(const struct pdu_exchange *x, const netsnmp_variable_list *v)
{
	if (v && v->type == ASN_OCTET_STR &&
	    snmp_oid_compare(v->name, v->name_length, engine_id_name, NAME_LEN(engine_id_name)) ==
		    0)
		usm_peer_is(x->peer, v->val.string, v->val_len);
}

static enum pdu_verdict take_report(const netsnmp_pdu *pdu, struct pdu_answer *a)
{
	const netsnmp_variable_list *v = pdu->variables;

	if (!v)
		return say(a, PDU_MALFORMED, "it is a Report that names nothing");
	a->report = PDU_REPORT_OTHER;
	if (v->name_length >= NAME_LEN(unknown_contexts) &&
	    snmp_oid_compare(v->name, NAME_LEN(unknown_contexts), unknown_contexts,
			     NAME_LEN(unknown_contexts)) == 0)
		a->report = PDU_REPORT_UNKNOWN_CONTEXT;
	else
		pdu_put_name(v, a->words);
	return PDU_ACCEPTED;
}

static enum pdu_verdict take(const struct pdu_exchange *x, const netsnmp_pdu *pdu,
			     struct pdu_answer *a, struct vars *vars)
{
	a->authenticated = true; /* by the connection */
	a->error_status = pdu->errstat;
	a->error_index = pdu->errindex;
	if (pdu->command == SNMP_MSG_REPORT)
		return take_report(pdu, a);
	if (!x->peer->engine_id_len)
		learn_engine(x, pdu->variables);
	else if (!pdu_copy_vars(pdu->variables, vars))
		return say(a, PDU_MALFORMED, "a value is of no type that SNMP has");
	return PDU_ACCEPTED;
}

enum pdu_verdict pdu_decode_tsm(const struct pdu_exchange *x, struct pdu_octets message,
				struct pdu_answer *a, struct vars *vars)
{
	struct peek_v3 h;
	struct pdu_scoped scoped;
	const char *words = "";
	enum pdu_verdict verdict;
	netsnmp_pdu *pdu;
	size_t len;

	if (!peek_v3(message.data, message.len, &h, &words) || !h.whole)
		return say(a, PDU_MALFORMED, words);
	verdict = check_head(x, &h, a);
	if (verdict != PDU_ACCEPTED)
		return verdict;
	if (!pdu_check_scoped(h.data, h.data_len, &scoped, a->words))
		return PDU_MALFORMED;
	if (scoped.type == PDU_RESPONSE)
		verdict = check_response(x, &scoped, a);
	if (verdict != PDU_ACCEPTED)
		return verdict;
	len = scoped.pdu_len;
	pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	if (pdu && snmp_pdu_parse(pdu, message.data + (scoped.pdu - message.data), &len) == 0)
		verdict = take(x, pdu, a, vars);
	else {
		mem_check();
		verdict = say(a, PDU_MALFORMED, "its varbinds cannot be parsed");
	}
	snmp_free_pdu(pdu);
	return verdict;
}

/*
 * Requests, by the library's snmp_build().
 *
 * v1 and v2c: built with a request-id that takes four octets, which are patched for each try. SNMPv3: nothing can be
 * patched below a digest, so each try is built anew, through the slot user (usm).
 */
#include "snmp/pdu_internal.h"

#include <stdio.h>
#include <string.h>

#include "snmp/peek.h"

#define TEMPLATE_ID      0x00800000 /* the least that takes four octets */
#define HEADER_OCTETS    40         /* around community and varbinds, lengths at their longest */
#define HEADER_V3_OCTETS 216 /* around user, context and varbinds: SHA-512, a padded last block */

static size_t number_octets(uint32_t v)
{
	size_t octets = 1;

	for (; v >= 0x80; v >>= 7)
		octets++;
	return octets;
}

/* Upper bound of a varbind with NULL: its SEQUENCE, its name, two octets of value. */
static size_t varbind_octets(const struct oid *o)
{
	size_t octets = 4 + 4 + 2;

	for (size_t i = 0; i < o->len; i++)
		octets += number_octets(o->id[i]);
	return octets;
}

/* Of a request, around its varbinds. */
static size_t around_octets(const struct profile *p)
{
	if (p->version == SNMP_V3)
		return HEADER_V3_OCTETS + (p->tls ? 0 : strlen(usm_user(p->credential))) +
		       strlen(p->context);
	return HEADER_OCTETS + strlen(p->community);
}

size_t pdu_fit(const struct profile *p, size_t first)
{
	size_t octets = around_octets(p), n = first;

	while (n < p->nget) {
		octets += varbind_octets(&p->get[n]);
		if (octets > PDU_OCTETS_MAX && n > first)
			break;
		n++;
	}
	return n - first;
}

static void add_name(netsnmp_pdu *pdu, const struct oid *o)
{
	oid name[OID_MAX];

	for (size_t i = 0; i < o->len; i++)
		name[i] = o->id[i];
	snmp_add_null_var(pdu, name, o->len);
}

static netsnmp_pdu *create(struct pdu_codec *c, uint8_t type, uint32_t id)
{
	netsnmp_pdu *pdu = snmp_pdu_create(type);

	if (pdu)
		pdu->reqid = id;
	else
		pdu_cannot_build(c);
	return pdu;
}

/* Appends the message and frees pdu. */
static bool put_octets(struct pdu_codec *c, netsnmp_pdu *pdu, struct buf *out)
{
	size_t offset = 0;
	bool built;

	if (!c->pkt) {
		c->pkt_len = PDU_OCTETS_MAX;
		c->pkt = mem_alloc(c->pkt_len);
	}
	built = snmp_build(&c->pkt, &c->pkt_len, &offset, &c->session, pdu) == 0;
	snmp_free_pdu(pdu);
	if (built)
		buf_put(out, c->pkt + c->pkt_len - offset, offset);
	return built;
}

void pdu_fill(netsnmp_pdu *pdu, const struct pdu_ask *ask)
{
	for (size_t i = 0; i < ask->count; i++)
		add_name(pdu, ask->names[i]);
	if (ask->type == PDU_GET_BULK) {
		pdu->errstat = 0; /* non-repeaters */
		pdu->errindex = (long)ask->max_repetitions;
	}
}

size_t pdu_build(struct pdu_codec *c, const struct profile *p, const struct pdu_ask *ask,
		 struct buf *out)
{
	netsnmp_pdu *pdu = create(c, ask->type, TEMPLATE_ID);
	size_t start = out->len;
	struct peek head;
	const char *words;

	pdu->version = p->version;
	pdu->community = (u_char *)mem_strdup(p->community);
	pdu->community_len = strlen(p->community);
	pdu_fill(pdu, ask);
	if (!put_octets(c, pdu, out))
		pdu_cannot_build(c);
	if (!peek_message(out->data + start, out->len - start, &head, &words) ||
	    !head.request_id_at)
		pdu_cannot_build(c);
	return start + head.request_id_at;
}

void pdu_patch_id(uint8_t *place, uint32_t request_id)
{
	place[0] = (uint8_t)(request_id >> 24);
	place[1] = (uint8_t)(request_id >> 16);
	place[2] = (uint8_t)(request_id >> 8);
	place[3] = (uint8_t)request_id;
}

/* ---- SNMPv3 */

static void *copy_of(const void *from, size_t len)
{
	void *copy = mem_alloc(len + 1);

	memcpy(copy, from, len);
	return copy;
}

/* RFC 3414 §4: no user, no engine, no object. */
static netsnmp_pdu *new_discovery(struct pdu_codec *c, const struct pdu_exchange *x)
{
	netsnmp_pdu *pdu = create(c, SNMP_MSG_GET, x->id);

	pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	pdu->securityName = mem_strdup("");
	pdu->contextName = mem_strdup("");
	return pdu;
}

static netsnmp_pdu *new_v3(struct pdu_codec *c, const struct pdu_exchange *x,
			   const struct pdu_ask *ask)
{
	netsnmp_pdu *pdu = create(c, ask->type, x->id);

	pdu->securityLevel = (int)usm_level(x->profile->credential);
	pdu->securityName = mem_strdup(usm_user(x->profile->credential));
	pdu->securityNameLen = strlen(pdu->securityName);
	pdu->securityEngineID = copy_of(x->peer->engine_id, x->peer->engine_id_len);
	pdu->securityEngineIDLen = x->peer->engine_id_len;
	pdu->contextName = mem_strdup(x->profile->context); /* its engine becomes the other */
	pdu->contextNameLen = strlen(pdu->contextName);
	pdu_fill(pdu, ask);
	return pdu;
}

static bool build_tsm(struct pdu_codec *c, const struct pdu_exchange *x, const struct pdu_ask *ask,
		      struct buf *out)
{
	bool discovery = x->peer->engine_id_len == 0;
	netsnmp_pdu *pdu = create(c, discovery ? SNMP_MSG_GET : ask->type, x->id);

	pdu_fill_tsm(pdu, x, ask);
	return put_octets(c, pdu, out);
}

static bool build_usm(struct pdu_codec *c, const struct pdu_exchange *x, const struct pdu_ask *ask,
		      struct buf *out)
{
	const struct usm_credential *credential = x->profile->credential;
	bool discovery = x->peer->engine_id_len == 0;
	bool keys = !discovery && usm_level(credential) > USM_NO_AUTH_NO_PRIV, built;
	netsnmp_pdu *pdu = discovery ? new_discovery(c, x) : new_v3(c, x, ask);

	pdu->version = SNMP_VERSION_3;
	pdu->msgid = x->id;
	pdu->securityModel = SNMP_SEC_MODEL_USM;
	if (keys)
		usm_slot_take(c->slot, credential, x->peer, x->now_us);
	built = put_octets(c, pdu, out);
	if (keys)
		usm_slot_leave(c->slot);
	return built;
}

bool pdu_build_v3(struct pdu_codec *c, const struct pdu_exchange *x, const struct pdu_ask *ask,
		  struct buf *out, char words[PDU_WORDS_MAX])
{
	const struct usm_credential *credential = x->profile->credential;
	bool keys = !x->profile->tls && x->peer->engine_id_len &&
		    usm_level(credential) > USM_NO_AUTH_NO_PRIV;

	if (keys && !usm_localise(credential, x->peer)) {
		snprintf(words, PDU_WORDS_MAX, "the keys cannot be localised to its engine");
		return false;
	}
	if (x->profile->tls ? build_tsm(c, x, ask, out) : build_usm(c, x, ask, out))
		return true;
	snprintf(words, PDU_WORDS_MAX, "%s", snmp_api_errstring(c->session.s_snmp_errno));
	return false;
}

/*
 * Answers of SNMPv3: is it ours, is it authentic, and only then what it says (RFC 3412 §7.2, RFC 3414 §3.2).
 *
 * The problem: anybody can send a message with a known msgID, but only the device can sign it; and the two messages
 * that a manager needs before it can check a signature, the Reports of an unknown engine and of a wrong clock, come
 * partly unsigned.
 *
 * The design: the steps of the RFCs in their order, each a function that ends the whole with a verdict. What stands in
 * the clear was read by peek_v3(). Digest and cipher are the library's, with the target's own keys (usm). What was
 * decrypted is walked by pdu_check_scoped() like any answer of v2c, before the library parses its PDU. An answer
 * below the level asked is refused (the downgrade); only a Report may be below it, and an unsigned Report changes
 * nothing but an engine that was not known, and never a clock that was signed for. PDU_MALFORMED ends a request: a
 * message that says it is signed may come from anywhere, and gets that verdict only when it is.
 *
 * The msgID is 31 random bits and good for one exchange, so what is signed and has it is no replay. Therefore a
 * signed Report of a wrong clock may also set it back: devices lose their boots (FIELD.md).
 *
 * Rejected: snmp_parse(); see usm_message.c.
 *
 * The trap: some agents answer a discovery with another Report than usmStatsUnknownEngineIDs. Whatever it says, it is
 * the engine ID that was asked for.
 */
#include "snmp/pdu_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/ber.h"
#include "snmp/peek.h"

struct incoming { /* an answer on its way through the checks */
	struct pdu_codec *codec;
	const struct pdu_exchange *x;
	struct pdu_answer *a;
	struct peek_v3 head;
	struct usm_message message;
	struct pdu_scoped scoped;
	netsnmp_pdu *pdu; /* parsed; NULL before */
};

static enum pdu_verdict refuse(struct incoming *in, const char *words)
{
	snprintf(in->a->words, sizeof(in->a->words), "%s", words);
	return PDU_REFUSED;
}

static enum pdu_verdict malformed(struct incoming *in, const char *words)
{
	snprintf(in->a->words, sizeof(in->a->words), "%s", words);
	return PDU_MALFORMED;
}

static enum usm_level level_of(uint8_t flags)
{
	if (!(flags & PEEK_AUTH))
		return USM_NO_AUTH_NO_PRIV;
	return flags & PEEK_PRIV ? USM_AUTH_PRIV : USM_AUTH_NO_PRIV;
}

static bool same(const uint8_t *a, size_t len, const void *b, size_t b_len)
{
	return len == b_len && memcmp(a, b, len) == 0;
}

/* ---- what stands in the clear */

static enum pdu_verdict read_head(struct incoming *in, struct pdu_octets o)
{
	const struct peek_v3 *h = &in->head;
	const char *words = "";

	if (!peek_v3(o.data, o.len, &in->head, &words) || !h->whole)
		return malformed(in, words);
	if (h->msg_id != in->x->id)
		return refuse(in, "its msgID is another");
	if (h->model != PEEK_USM)
		return refuse(in, "its security model is not the user-based one");
	in->message = (struct usm_message){
		.octets = o.data,
		.len = h->len,
		.boots = (uint32_t)h->boots,
		.time_s = (uint32_t)h->time_s,
		.digest = o.data + (h->digest - o.data),
		.digest_len = h->digest_len,
		.salt = o.data + (h->salt - o.data),
		.salt_len = h->salt_len,
		.data = o.data + (h->data - o.data),
		.data_len = h->data_len,
	};
	return PDU_ACCEPTED;
}

static bool from_peer(const struct incoming *in)
{
	const struct usm_peer *p = in->x->peer;

	return p->engine_id_len &&
	       same(p->engine_id, p->engine_id_len, in->head.engine_id, in->head.engine_id_len);
}

/* RFC 3414 §3.2 steps 3 to 6 */
static enum pdu_verdict authenticate(struct incoming *in)
{
	const struct usm_credential *c = in->x->profile->credential;
	const char *user = usm_user(c);

	if (!(in->head.flags & PEEK_AUTH))
		return PDU_ACCEPTED;
	if (level_of(in->head.flags) > usm_level(c))
		return refuse(in, "its security level is above the one asked for");
	if (!from_peer(in))
		return refuse(in, "it is of another engine");
	if (!same(in->head.user, in->head.user_len, user, strlen(user)))
		return refuse(in, "it is for another user");
	if (!usm_localise(c, in->x->peer) || !usm_is_authentic(c, in->x->peer, &in->message))
		return refuse(in, "its digest is wrong");
	in->a->authenticated = true;
	return PDU_ACCEPTED;
}

/* RFC 3414 has it in step 1, where whoever forged it would end the request. */
static enum pdu_verdict check_clock(struct incoming *in)
{
	if (in->head.boots < 0 || in->head.time_s < 0)
		return malformed(in, "its engine's boots or time are negative");
	return PDU_ACCEPTED;
}

/* ---- the scopedPDU */

/* Step 8, and what was decrypted: a SEQUENCE, then padding. */
static enum pdu_verdict open_scoped(struct incoming *in)
{
	struct usm_message *m = &in->message;
	struct ber b, scoped;

	if (in->head.flags & PEEK_PRIV) {
		if (!usm_decrypt(in->x->profile->credential, in->x->peer, m))
			return malformed(in, "it cannot be decrypted");
		b = (struct ber){.at = m->data, .end = m->data + m->data_len};
		if (!ber_enter(&b, BER_SEQUENCE, "", &scoped))
			return malformed(in, "what it decrypts to is no scopedPDU");
		m->data += scoped.at - m->data;
		m->data_len = ber_left(&scoped);
	}
	return pdu_check_scoped(m->data, m->data_len, &in->scoped, in->a->words) ? PDU_ACCEPTED
										 : PDU_MALFORMED;
}

static enum pdu_verdict parse(struct incoming *in)
{
	size_t len = in->scoped.pdu_len;
	uint8_t *at = in->message.data + (in->scoped.pdu - in->message.data);

	in->pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	if (!in->pdu)
		pdu_cannot_build(in->codec);
	if (snmp_pdu_parse(in->pdu, at, &len) != 0) {
		mem_check();
		return malformed(in, "its varbinds cannot be parsed");
	}
	in->a->error_status = in->pdu->errstat;
	in->a->error_index = in->pdu->errindex;
	return PDU_ACCEPTED;
}

/* ---- a RESPONSE: RFC 3412 §7.2 step 12, RFC 3414 §3.2 step 7 */

static void keep_clock(const struct incoming *in)
{
	struct usm_peer *p = in->x->peer;
	const struct usm_message *m = &in->message;

	if (!in->a->authenticated)
		return;
	if (!p->synchronised || m->boots > p->boots ||
	    (m->boots == p->boots && m->time_s > p->time_s))
		usm_set_clock(p, m->boots, m->time_s, in->x->now_us);
	p->synchronised = true;
}

static enum pdu_verdict check_window(struct incoming *in)
{
	const struct usm_message *m = &in->message;

	if (!in->a->authenticated || usm_in_window(in->x->peer, m->boots, m->time_s, in->x->now_us))
		return PDU_ACCEPTED;
	return refuse(in, m->boots == USM_BOOTS_MAX
				  ? "its engine has no boots left: it needs a new engine ID"
				  : "it is outside the time window");
}

static enum pdu_verdict check_response(struct incoming *in)
{
	const struct pdu_exchange *x = in->x;
	const struct usm_peer *p = x->peer;
	const char *context = x->profile->context, *user = usm_user(x->profile->credential);
	const struct pdu_scoped *s = &in->scoped;

	if (level_of(in->head.flags) < usm_level(x->profile->credential))
		return refuse(in, "its security level is below the one asked for");
	if (!from_peer(in) || !same(s->engine_id, s->engine_id_len, p->engine_id, p->engine_id_len))
		return refuse(in, "it is of another engine");
	if (!same(in->head.user, in->head.user_len, user, strlen(user)))
		return refuse(in, "it is for another user");
	if (!same(s->context, s->context_len, context, strlen(context)))
		return refuse(in, "it is of another context");
	if (s->request_id != x->id)
		return refuse(in, "its request-id is another");
	return check_window(in);
}

static enum pdu_verdict take_response(struct incoming *in, struct vars *vars)
{
	enum pdu_verdict verdict = check_response(in);

	if (verdict == PDU_ACCEPTED)
		verdict = parse(in);
	if (verdict == PDU_ACCEPTED && !pdu_copy_vars(in->pdu->variables, vars))
		verdict = malformed(in, "a value is of no type that SNMP has");
	if (verdict == PDU_ACCEPTED)
		keep_clock(in);
	return verdict;
}

/* ---- a Report */

#define STATS_LEN 10 /* sub-identifiers that are compared: without the instance */

struct report_name {
	oid name[STATS_LEN];
	enum pdu_report report;
	const char *text; /* of those that are nobody's business but the reader's */
};
static const struct report_name reports[] = {
	{{1, 3, 6, 1, 6, 3, 15, 1, 1, 1}, PDU_REPORT_UNSUPPORTED_LEVEL, NULL}, /* usmStats */
	{{1, 3, 6, 1, 6, 3, 15, 1, 1, 2}, PDU_REPORT_NOT_IN_WINDOW, NULL},
	{{1, 3, 6, 1, 6, 3, 15, 1, 1, 3}, PDU_REPORT_UNKNOWN_USER, NULL},
	{{1, 3, 6, 1, 6, 3, 15, 1, 1, 4}, PDU_REPORT_UNKNOWN_ENGINE, NULL},
	{{1, 3, 6, 1, 6, 3, 15, 1, 1, 5}, PDU_REPORT_WRONG_DIGEST, NULL},
	{{1, 3, 6, 1, 6, 3, 15, 1, 1, 6}, PDU_REPORT_DECRYPTION, NULL},
	{{1, 3, 6, 1, 6, 3, 12, 1, 4, 0}, PDU_REPORT_OTHER, "snmpUnavailableContexts"},
	{{1, 3, 6, 1, 6, 3, 12, 1, 5, 0}, PDU_REPORT_UNKNOWN_CONTEXT, NULL},
	{{1, 3, 6, 1, 6, 3, 11, 2, 1, 1}, PDU_REPORT_OTHER, "snmpUnknownSecurityModels"},
	{{1, 3, 6, 1, 6, 3, 11, 2, 1, 2}, PDU_REPORT_OTHER, "snmpInvalidMsgs"},
	{{1, 3, 6, 1, 6, 3, 11, 2, 1, 3}, PDU_REPORT_OTHER, "snmpUnknownPDUHandlers"},
};

/* NULL: none that an RFC has. */
static const struct report_name *find_report(const netsnmp_variable_list *v)
{
	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		if (v->name_length >= STATS_LEN &&
		    snmp_oid_compare(v->name, STATS_LEN, reports[i].name, STATS_LEN) == 0)
			return &reports[i];
	}
	return NULL;
}

void pdu_put_name(const netsnmp_variable_list *v, char words[PDU_WORDS_MAX])
{
	size_t at = 0;

	words[0] = '\0';
	for (size_t i = 0; i < v->name_length && at < PDU_WORDS_MAX - 12; i++)
		at += (size_t)snprintf(words + at, PDU_WORDS_MAX - at, "%s%lu", i ? "." : "",
				       (unsigned long)v->name[i]);
}

/* The engine ID of an unsigned Report, when none is known or the one known is not the device's. */
static enum pdu_verdict learn_engine(struct incoming *in)
{
	struct usm_peer *p = in->x->peer;
	const struct usm_message *m = &in->message;
	struct usm_peer found;

	if (!usm_peer_is(&found, in->head.engine_id, in->head.engine_id_len)) {
		snprintf(in->a->words, PDU_WORDS_MAX,
			 "its engine ID is of %zu octets; 5 to 32 are allowed",
			 in->head.engine_id_len);
		return PDU_MALFORMED;
	}
	in->a->report = PDU_REPORT_UNKNOWN_ENGINE;
	if (in->x->profile->engine_id_len && p->engine_id_len)
		return PDU_ACCEPTED;
	if (!from_peer(in))
		*p = found;
	if (!p->synchronised)
		usm_set_clock(p, m->boots, m->time_s, in->x->now_us);
	return PDU_ACCEPTED;
}

static enum pdu_verdict believe_report(struct incoming *in)
{
	const struct usm_message *m = &in->message;

	if (!in->a->authenticated)
		return in->x->peer->engine_id_len == 0 || in->a->report == PDU_REPORT_UNKNOWN_ENGINE
			       ? learn_engine(in)
			       : PDU_ACCEPTED;
	if (in->a->report != PDU_REPORT_NOT_IN_WINDOW) {
		enum pdu_verdict verdict = check_window(in);

		if (verdict == PDU_ACCEPTED)
			keep_clock(in);
		return verdict;
	}
	usm_set_clock(in->x->peer, m->boots, m->time_s, in->x->now_us);
	in->x->peer->synchronised = true;
	return PDU_ACCEPTED;
}

static enum pdu_verdict take_report(struct incoming *in)
{
	enum pdu_verdict verdict = parse(in);
	const struct report_name *known;

	if (verdict != PDU_ACCEPTED)
		return verdict;
	if (!in->pdu->variables)
		return malformed(in, "it is a Report that names nothing");
	known = find_report(in->pdu->variables);
	in->a->report = known ? known->report : PDU_REPORT_OTHER;
	if (known && known->text)
		snprintf(in->a->words, sizeof(in->a->words), "%s", known->text);
	else if (!known)
		pdu_put_name(in->pdu->variables, in->a->words);
	return believe_report(in);
}

/* ---- */

static enum pdu_verdict decode(struct incoming *in, struct pdu_octets o, struct vars *vars)
{
	enum pdu_verdict verdict = read_head(in, o);

	if (verdict == PDU_ACCEPTED)
		verdict = authenticate(in);
	if (verdict == PDU_ACCEPTED)
		verdict = check_clock(in);
	if (verdict == PDU_ACCEPTED)
		verdict = open_scoped(in);
	if (verdict != PDU_ACCEPTED)
		return verdict;
	return in->scoped.type == PDU_REPORT ? take_report(in) : take_response(in, vars);
}

enum pdu_verdict pdu_decode_v3(struct pdu_codec *c, const struct pdu_exchange *x,
			       struct pdu_octets message, struct pdu_answer *a, struct vars *vars)
{
	struct incoming in = {.codec = c, .x = x, .a = a};
	enum pdu_verdict verdict;

	*a = (struct pdu_answer){0};
	if (x->profile->tls)
		return pdu_decode_tsm(x, message, a, vars);
	verdict = decode(&in, message, vars);
	if (in.pdu)
		snmp_free_pdu(in.pdu);
	return verdict;
}

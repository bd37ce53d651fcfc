/*
 * What may be wrong, and how to find out: a row for each.
 *
 * The problem: "no answer" has a dozen reasons that look alike. The design: each is tried by asking once more with
 * one thing changed; the answer comes further than before, or it does not (finding_depth()). A row says when it is
 * worth trying, what is changed, and whether that mends or only tells. Rows stand in the order in which they are tried:
 * what tells comes before what it makes needless, cheap before dear.
 *
 * What is never tried: other credentials than the host's own. Its passphrases are asked with other protocols, its
 * community in the other of the two versions that send it in the clear; a passphrase is never a community. A host
 * of SNMPv3 is asked once with the community `public`, which is no secret and tells "no SNMPv3 there" from "nobody
 * there"; one of v1 or v2c is asked for its engine ID, which every SNMPv3 agent tells to anybody, as the user
 * `initial` of RFC 3414.
 */
#include <errno.h>
#include <string.h>

#include "cli/explain_remedies.h"
#include "snmp/exchange.h"
#include "snmp/usm.h"

#define SLOW_WAIT_US 8000000
#define CLOSED_PORT  33434 /* where traceroute(8) expects nobody */
#define SECOND_US    1000000

/* ---- when */

static const char *text(const struct explain *x, enum setting_key key)
{
	return x->now.value[key].text;
}

static int64_t number(const struct explain *x, enum setting_key key)
{
	return x->now.value[key].number;
}

static bool is_v3(const struct explain *x)
{
	return number(x, SET_VERSION) == SNMP_V3;
}

static bool is_community(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return !is_v3(x);
}

static bool is_usm(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return is_v3(x) && !TRANSPORT_IS_SECURE(x->target.transport);
}

static enum usm_level level(const struct explain *x)
{
	const char *set = text(x, SET_LEVEL);

	if (set && strcmp(set, "noAuthNoPriv") == 0)
		return USM_NO_AUTH_NO_PRIV;
	if (!text(x, SET_AUTH))
		return USM_NO_AUTH_NO_PRIV;
	if (!text(x, SET_PRIV) || (set && strcmp(set, "authNoPriv") == 0))
		return USM_AUTH_NO_PRIV;
	return USM_AUTH_PRIV;
}

/* Another protocol than the one set, which the library has. */
static bool is_other(const struct explain *x, enum setting_key key, const struct remedy *r)
{
	char error[USM_ERROR_MAX];
	const char *word = r->changes[0].text;

	return text(x, key) && strcmp(text(x, key), word) != 0 &&
	       usm_knows(key == SET_AUTH ? word : NULL, key == SET_PRIV ? word : NULL, error);
}

static bool other_auth(const struct explain *x, const struct remedy *r)
{
	return is_usm(x, r) && level(x) >= USM_AUTH_NO_PRIV && is_other(x, SET_AUTH, r);
}

static bool other_priv(const struct explain *x, const struct remedy *r)
{
	return is_usm(x, r) && level(x) == USM_AUTH_PRIV && is_other(x, SET_PRIV, r) &&
	       (x->known & KNOWN_DIGEST || x->found.cause.kind == CAUSE_REPORT);
}

static bool was_private(const struct explain *x, const struct remedy *r)
{
	return is_usm(x, r) && level(x) == USM_AUTH_PRIV;
}

static bool was_signed(const struct explain *x, const struct remedy *r)
{
	return is_usm(x, r) && level(x) >= USM_AUTH_NO_PRIV;
}

static bool may_be_private(const struct explain *x, const struct remedy *r)
{
	return is_usm(x, r) && text(x, SET_PRIV) && level(x) < USM_AUTH_PRIV;
}

static bool may_be_signed(const struct explain *x, const struct remedy *r)
{
	return is_usm(x, r) && text(x, SET_AUTH) && level(x) < USM_AUTH_NO_PRIV;
}

static bool has_context(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return is_v3(x) && text(x, SET_CONTEXT) && *text(x, SET_CONTEXT);
}

static bool has_engine_id(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return is_v3(x) && text(x, SET_ENGINE_ID);
}

static bool unsupported_level(const struct explain *x)
{
	return x->found.cause.kind == CAUSE_REPORT &&
	       x->found.cause.number == PDU_REPORT_UNSUPPORTED_LEVEL;
}

static bool lower_signed(const struct explain *x, const struct remedy *r)
{
	return was_private(x, r) && (unsupported_level(x) || x->known & KNOWN_DIGEST);
}

static bool lower_plain(const struct explain *x, const struct remedy *r)
{
	return was_signed(x, r) && unsupported_level(x);
}

static bool wrong_digest(const struct explain *x, const struct remedy *r)
{
	const struct cause *c = &x->found.cause;

	if (c->kind ==
	    CAUSE_DISCOVERED) /* of an agent without Reports; privacy and context are likelier */
		return other_auth(x, r) && level(x) == USM_AUTH_NO_PRIV && !has_context(x, r);
	return other_auth(x, r) &&
	       (c->kind == CAUSE_DISBELIEVED || c->number == PDU_REPORT_WRONG_DIGEST);
}

static bool not_decrypted(const struct explain *x, const struct remedy *r)
{
	const struct cause *c = &x->found.cause;

	return other_priv(x, r) &&
	       (c->kind == CAUSE_DISCOVERED || c->number == PDU_REPORT_DECRYPTION);
}

static bool is_large(const struct explain *x, const struct remedy *r)
{
	const struct conf_list *get = x->now.value[SET_GET].list;

	(void)r;
	if (x->now.value[SET_WALK].list || x->now.value[SET_TABLE].list)
		return true;
	return get && (get->count > 1 || strcmp(get->item[0].text, "sysDescr.0") != 0);
}

static bool has_walk(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return x->now.value[SET_WALK].list || x->now.value[SET_TABLE].list;
}

static bool has_deadline(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return number(x, SET_DEADLINE) != 0;
}

static bool of_one_family(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return x->found.status == RECORD_RESOLVE && number(x, SET_FAMILY) != 0;
}

static bool not_on_161(const struct explain *x, const struct remedy *r)
{
	uint16_t port = x->target.addr.family ? x->target.addr.port : x->target.port;

	(void)r;
	return port != 161 && !TRANSPORT_IS_SECURE(x->target.transport) &&
	       x->target.transport != TRANSPORT_UNIX;
}

static bool over_udp(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return x->target.transport == TRANSPORT_UDP;
}

static bool over_tcp(const struct explain *x, const struct remedy *r)
{
	(void)r;
	return x->target.transport == TRANSPORT_TCP;
}

static bool same_version(const struct explain *x, const struct remedy *r)
{
	const struct cause *c = &x->found.cause;

	return !is_v3(x) && r->changes[0].number != number(x, SET_VERSION) &&
	       (c->kind != CAUSE_VERSION || c->number == r->changes[0].number);
}

/* ---- whether */

static bool is_answered(const struct explain *x)
{
	return x->probe.status == RECORD_OK;
}

static bool is_whole(const struct explain *x)
{
	return x->probe.status == RECORD_OK || x->probe.cause.kind == CAUSE_ROWS;
}

static bool somebody_spoke(const struct explain *x)
{
	return finding_depth(&x->probe) >= 4 && x->probe.status != RECORD_CANCELLED;
}

/* Whatever takes a connection is no agent yet: a proxy on the way takes all of them, and talks of something else. */
static bool an_agent_spoke(const struct explain *x)
{
	return somebody_spoke(x) && finding_depth(&x->probe) > finding_depth(&x->found);
}

static bool port_is_closed(const struct explain *x)
{
	return x->probe.cause.kind == CAUSE_REFUSED && x->probe.cause.number == ECONNREFUSED;
}

/* ---- what it takes */

static void mend_timeout(struct explain *x)
{
	int64_t wait_us = x->probe.rtt_us + x->probe.rtt_us / 2;

	wait_us = (wait_us / SECOND_US + 1) * SECOND_US;
	settings_change(&x->now, &(struct change){.key = SET_TIMEOUT, .number = wait_us});
	x->mended |= SETTING_BIT(SET_TIMEOUT);
}

static void mend_deadline(struct explain *x)
{
	int64_t limit_us = (2 * x->took_us / SECOND_US + 1) * SECOND_US;

	settings_change(&x->now, &(struct change){.key = SET_DEADLINE, .number = limit_us});
	x->mended |= SETTING_BIT(SET_DEADLINE);
}

static void mend_engine_id(struct explain *x)
{
	for (size_t i = 0; i < x->probe.engine_id_len; i++)
		snprintf(x->engine_id + 2 * i, 3, "%02x", x->probe.engine_id[i]);
	settings_change(&x->now, &(struct change){.key = SET_ENGINE_ID, .text = x->engine_id});
	x->mended |= SETTING_BIT(SET_ENGINE_ID);
}

/* ---- all */

#define C(kind) (1u << CAUSE_##kind)
#define UNHEARD (C(SILENCE) | C(REFUSED) | C(UNREADABLE))
#define AUTH(name)                                                                           \
	{                                                                                    \
		C(REPORT) | C(DISBELIEVED) | C(DISCOVERED),                                  \
			"authentication " name ", the same passphrase",                      \
			.changes = {{SET_AUTH, .text = (name)},                              \
				    {SET_LEVEL, .text = "authNoPriv", .only_to_ask = true}}, \
			.fits = wrong_digest                                                 \
	}
#define PRIV(name)                                                                     \
	{                                                                              \
		C(REPORT) | C(DISCOVERED), "privacy " name ", the same passphrase",    \
			.changes = {{SET_PRIV, .text = (name)}}, .fits = not_decrypted \
	}

#define PATIENCE(kind)                                                                          \
	{                                                                                       \
		C(kind), "patience: one try, 8 s",                                              \
			.changes = {{SET_TIMEOUT, .number = SLOW_WAIT_US, .only_to_ask = true}, \
				    {SET_RETRIES, .number = 0, .only_to_ask = true}},           \
			.whole = true, .helps = is_whole, .mend = mend_timeout                  \
	}

/* clang-format off */
const struct remedy explain_remedies[] = {
	{0, "addresses of both families", .changes = {{SET_FAMILY, .number = 0}}, .fits = of_one_family, .whole = true},
	{C(ADDRESS), "answers from other addresses accepted (any_source)",
	 .changes = {{SET_ANY_SOURCE, .number = 1}}},
	/* Before all that a lost answer would make look like silence. */
	{C(SILENCE) | C(MALFORMED) | C(STATUS) | C(UNREADABLE) | C(DEADLINE), "a small question: sysDescr.0 alone",
	 .fits = is_large, .helps = is_answered, .knows = KNOWN_SMALL,
	 .helped = "so address, version and credentials are right; left are what is asked for, and how long it is waited for"},
	PATIENCE(SILENCE),
	{C(SILENCE) | C(VERSION) | C(MALFORMED) | C(UNREADABLE), "SNMPv1, the same community",
	 .changes = {{SET_VERSION, .number = SNMP_V1}}, .fits = same_version, .helps = is_answered},
	{C(SILENCE) | C(VERSION) | C(MALFORMED) | C(UNREADABLE), "SNMPv2c, the same community",
	 .changes = {{SET_VERSION, .number = SNMP_V2C}}, .fits = same_version, .helps = is_answered},
	{C(SILENCE), "SNMPv2c with the community 'public', which is no secret",
	 .changes = {{SET_VERSION, .number = SNMP_V2C}, {SET_COMMUNITY, .text = "public"}},
	 .fits = is_usm, .helps = is_answered,
	 .helped = "SNMPv3 is not switched on there; this is in the clear, and anybody may ask so"},
	{C(SILENCE), "SNMPv3 discovery, which every agent of SNMPv3 answers",
	 .changes = {{SET_VERSION, .number = SNMP_V3}, {SET_USER, .text = "initial"},
		     {SET_LEVEL, .text = "noAuthNoPriv"}},
	 .fits = is_community, .helps = somebody_spoke, .knows = KNOWN_ALIVE,
	 .helped = "so an agent is there, and ignores this community"},
	/* SNMPv3, in the order in which an agent looks */
	{C(REPORT) | C(DISCOVERED) | C(SILENCE), "the engine ID that the agent tells",
	 .changes = {{SET_ENGINE_ID, .unset = true}}, .fits = has_engine_id, .mend = mend_engine_id},
	{C(REPORT), "level authNoPriv", .changes = {{SET_LEVEL, .text = "authNoPriv"}}, .fits = lower_signed},
	{C(REPORT), "level noAuthNoPriv", .changes = {{SET_LEVEL, .text = "noAuthNoPriv"}}, .fits = lower_plain},
	AUTH("SHA"), AUTH("SHA-256"), AUTH("MD5"), AUTH("SHA-512"), AUTH("SHA-224"), AUTH("SHA-384"),
	{C(REPORT) | C(DISCOVERED) | C(STATUS), "no context",
	 .changes = {{SET_CONTEXT, .text = ""}}, .fits = has_context},
	{C(DISCOVERED), "signed but not encrypted (authNoPriv)",
	 .changes = {{SET_LEVEL, .text = "authNoPriv"}}, .fits = was_private, .knows = KNOWN_DIGEST,
	 .helped = "so user and authentication are right; it is privacy"},
	PRIV("AES-256-C"), PRIV("AES-256"), PRIV("AES-192-C"), PRIV("AES-192"), PRIV("AES"), PRIV("DES"),
	PATIENCE(DISCOVERED),
	{C(DISCOVERED), "level authNoPriv",
	 .changes = {{SET_LEVEL, .text = "authNoPriv"}}, .fits = lower_signed, .helps = is_answered,
	 .helped = "nothing that is read so is hidden from who listens"},
	{C(STATUS), "level authPriv", .changes = {{SET_LEVEL, .text = "authPriv"}}, .fits = may_be_private},
	{C(STATUS), "level authNoPriv", .changes = {{SET_LEVEL, .text = "authNoPriv"}}, .fits = may_be_signed},
	/* what is asked */
	{C(MALFORMED), "rows that do not increase, accepted",
	 .changes = {{SET_NONINCREASING, .text = "allow"}}, .fits = has_walk, .whole = true, .helps = is_answered},
	{C(DEADLINE), "no deadline", .changes = {{SET_DEADLINE, .number = 0, .only_to_ask = true}},
	 .fits = has_deadline, .whole = true, .helps = is_answered, .mend = mend_deadline},
	{C(ROWS), "a million rows", .changes = {{SET_MAX_VARS, .number = 1000000}}, .whole = true, .helps = is_answered},
	/* elsewhere */
	{C(REFUSED), "port 161", .fits = not_on_161, .move = true, .port = 161},
	{UNHEARD, "over TCP", .fits = over_udp, .move = true, .whole = true,
	 .helps = an_agent_spoke, .transport = TRANSPORT_TCP},
	{UNHEARD, "over UDP", .fits = over_tcp, .move = true, .whole = true,
	 .helps = an_agent_spoke, .transport = TRANSPORT_UDP},
	{C(SILENCE), "a port where nobody listens (33434)", .fits = over_udp, .helps = port_is_closed,
	 .knows = KNOWN_UP, .port = CLOSED_PORT,
	 .helped = "it refuses that port, so the system is up and reachable"},
	{0},
};
/* clang-format on */
_Static_assert(sizeof(explain_remedies) / sizeof(explain_remedies[0]) <= 64,
	       "a bit each in explain.tried");

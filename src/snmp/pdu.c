/*
 * Net-SNMP as a codec, and as nothing else.
 *
 * The problem: the library wants to be a program's whole SNMP world, with sockets, sessions, retries,
 * configuration files and a log. We want two of its functions: snmp_build() and snmp_parse(), both
 * public, on a session that is never opened.
 *
 * The design: pdu_init() starts the library with everything that reads or writes a file switched off.
 * Requests are built once per profile and chunk of objects, with a request-id of four octets that the
 * engine patches. Answers are walked by pdu_check() first, so that the library is never handed a
 * message that breaks the encoding, then parsed, and their varbinds copied into `struct vars`;
 * nothing of the library's types gets out of this file.
 *
 * Rejected: a codec of our own for everything. Half of it stands in pdu_check.c; but SNMPv3 needs the
 * library anyway, and two decoders for the same values would drift apart.
 *
 * The traps: with its log disabled the library logs to stderr after all ("somewhere!"), so it gets a
 * log that goes nowhere. init_snmp() reads MIBS and MIBDIRS from the environment, opens snmp.conf,
 * writes its persistent state at exit unless told not to, and calls setlocale(). snmp_build() writes
 * from the end of its buffer backwards. And the library's `oid` is an unsigned long, its Counter64
 * two of them.
 */
#include "snmp/pdu_internal.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#undef max_repetitions /* the library's macro for errindex */

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "snmp/peek.h"

#define TEMPLATE_ID   0x00800000 /* the least that takes four octets */
#define HEADER_OCTETS 40 /* of a request around community and varbinds, lengths at their longest */

struct pdu_codec {
	netsnmp_session session; /* never opened */
	u_char *pkt;             /* snmp_build() may move it */
	size_t pkt_len;
};

const char *pdu_error_name(int64_t status)
{
	static const char *const names[] = {
		"noError",
		"tooBig",
		"noSuchName",
		"badValue",
		"readOnly",
		"genErr",
		"noAccess",
		"wrongType",
		"wrongLength",
		"wrongEncoding",
		"wrongValue",
		"noCreation",
		"inconsistentValue",
		"resourceUnavailable",
		"commitFailed",
		"undoFailed",
		"authorizationError",
		"notWritable",
		"inconsistentName",
	};

	if (status < 0 || status >= (int64_t)(sizeof(names) / sizeof(names[0])))
		return NULL;
	return names[status];
}

/* What holds for the time of init_snmp() only: no MIB, no state on disk, no file of a locale. */
static const char *const environment[][2] = {
	{"MIBS", ""},
	{"MIBDIRS", ""},
	{"SNMP_PERSISTENT_DIR", "/dev/null"},
	{"LC_ALL", "C"},
};
#define ENVIRONMENT (sizeof(environment) / sizeof(environment[0]))

static void put_environment(char *old[ENVIRONMENT])
{
	for (size_t i = 0; i < ENVIRONMENT; i++) {
		const char *value = getenv(environment[i][0]);

		old[i] = value ? mem_strdup(value) : NULL;
		setenv(environment[i][0], environment[i][1], 1);
	}
}

static void restore_environment(char *old[ENVIRONMENT])
{
	for (size_t i = 0; i < ENVIRONMENT; i++) {
		if (old[i])
			setenv(environment[i][0], old[i], 1);
		else
			unsetenv(environment[i][0]);
		free(old[i]);
	}
}

static void set_boolean(int which, int value)
{
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, which, value);
}

void pdu_init(void)
{
	char *locale = mem_strdup(setlocale(LC_CTYPE, NULL));
	char *old[ENVIRONMENT];

	put_environment(old);
	snmp_disable_log();
	netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
	set_boolean(NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	set_boolean(NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	set_boolean(NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
	set_boolean(NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
	init_snmp("multisnmp");
	restore_environment(old);
	setlocale(LC_CTYPE, locale);
	free(locale);
}

struct pdu_codec *pdu_codec_new(void)
{
	struct pdu_codec *c = mem_zero(1, sizeof(*c));

	snmp_sess_init(&c->session);
	c->session.version = SNMP_DEFAULT_VERSION; /* each message says its own */
	return c;
}

void pdu_codec_free(struct pdu_codec *c)
{
	free(c->pkt);
	free(c);
}

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

size_t pdu_fit(const struct profile *p, size_t first)
{
	size_t octets = HEADER_OCTETS + strlen(p->community), n = first;

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

/* Only memory or a profile that conf should have refused can be the reason: nothing to go on with. */
static _Noreturn void cannot_build(const struct pdu_codec *c)
{
	log_error("the codec cannot build a request: %s",
		  snmp_api_errstring(c->session.s_snmp_errno));
	exit(MEM_EXIT);
}

static netsnmp_pdu *new_pdu(struct pdu_codec *c, const struct profile *p, uint8_t type)
{
	netsnmp_pdu *pdu = snmp_pdu_create(type);

	if (!pdu)
		cannot_build(c);
	pdu->version = p->version;
	pdu->reqid = TEMPLATE_ID;
	pdu->community = (u_char *)mem_strdup(p->community);
	pdu->community_len = strlen(p->community);
	return pdu;
}

/* Appends the message and frees pdu; returns where its request-id stands. */
static size_t put_message(struct pdu_codec *c, netsnmp_pdu *pdu, struct buf *out)
{
	size_t offset = 0, start = out->len;
	struct peek head;
	const char *words;

	if (!c->pkt) {
		c->pkt_len = PDU_OCTETS_MAX;
		c->pkt = mem_alloc(c->pkt_len);
	}
	if (snmp_build(&c->pkt, &c->pkt_len, &offset, &c->session, pdu) != 0)
		cannot_build(c);
	snmp_free_pdu(pdu);
	buf_put(out, c->pkt + c->pkt_len - offset, offset);
	if (!peek_message(out->data + start, offset, &head, &words) || !head.request_id_at)
		cannot_build(c);
	return start + head.request_id_at;
}

size_t pdu_build_get(struct pdu_codec *c, const struct pdu_question *q, struct buf *out)
{
	netsnmp_pdu *pdu = new_pdu(c, q->profile, SNMP_MSG_GET);

	for (size_t i = q->first; i < q->first + q->count; i++) {
		if (!q->gone || !q->gone[i])
			add_name(pdu, &q->profile->get[i]);
	}
	return put_message(c, pdu, out);
}

static void fill_pdu(netsnmp_pdu *pdu, const struct pdu_ask *ask)
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
	netsnmp_pdu *pdu = new_pdu(c, p, ask->type);

	fill_pdu(pdu, ask);
	return put_message(c, pdu, out);
}

void pdu_patch_id(uint8_t *place, uint32_t request_id)
{
	place[0] = (uint8_t)(request_id >> 24);
	place[1] = (uint8_t)(request_id >> 16);
	place[2] = (uint8_t)(request_id >> 8);
	place[3] = (uint8_t)request_id;
}

/* Narrows the library's sub-identifiers in place of a copy of ours. */
static size_t narrow(const oid *from, size_t n, uint32_t to[OID_MAX])
{
	if (n > OID_MAX)
		n = OID_MAX; /* the parser allows no more */
	for (size_t i = 0; i < n; i++)
		to[i] = (uint32_t)from[i];
	return n;
}

static uint64_t join64(const struct counter64 *v)
{
	return (uint64_t)v->high << 32 | (uint32_t)v->low;
}

static void set_octets(struct varbind *v, enum var_type type, const netsnmp_variable_list *from)
{
	v->type = (uint8_t)type;
	v->value.octets.p = from->val.string;
	v->value.octets.len = from->val_len;
}

static void set_unsigned(struct varbind *v, enum var_type type, uint64_t value)
{
	v->type = (uint8_t)type;
	v->value.u = value;
}

/* Sets type and value; id is room for an OID. One row a type: that is why it is long. */
static bool set_value(struct varbind *v, const netsnmp_variable_list *from, uint32_t id[OID_MAX])
{
	switch (from->type) {
	case ASN_INTEGER:
		v->type = VAR_INTEGER;
		v->value.i = *from->val.integer;
		return true;
	case ASN_OCTET_STR:
		set_octets(v, VAR_OCTETS, from);
		return true;
	case ASN_OBJECT_ID:
		v->type = VAR_OID;
		v->value.oid.id = id;
		v->value.oid.len = narrow(from->val.objid, from->val_len / sizeof(oid), id);
		return true;
	case ASN_IPADDRESS:
		set_octets(v, VAR_IPADDRESS, from);
		return true;
	case ASN_COUNTER:
		set_unsigned(v, VAR_COUNTER32, (uint32_t)*from->val.integer);
		return true;
	case ASN_GAUGE:
	case ASN_UINTEGER:
		set_unsigned(v, VAR_GAUGE32, (uint32_t)*from->val.integer);
		return true;
	case ASN_TIMETICKS:
		set_unsigned(v, VAR_TIMETICKS, (uint32_t)*from->val.integer);
		return true;
	case ASN_COUNTER64:
	case ASN_OPAQUE_COUNTER64:
	case ASN_OPAQUE_U64:
		set_unsigned(v, VAR_COUNTER64, join64(from->val.counter64));
		return true;
	case ASN_OPAQUE_I64:
		v->type = VAR_INTEGER;
		v->value.i = (int64_t)join64(from->val.counter64);
		return true;
	case ASN_OPAQUE:
		set_octets(v, VAR_OPAQUE, from);
		return true;
	case ASN_OPAQUE_FLOAT:
		v->type = VAR_FLOAT;
		v->value.d = (double)*from->val.floatVal;
		return true;
	case ASN_OPAQUE_DOUBLE:
		v->type = VAR_DOUBLE;
		v->value.d = *from->val.doubleVal;
		return true;
	case ASN_NULL:
		v->type = VAR_NULL;
		return true;
	case SNMP_NOSUCHOBJECT:
		v->type = VAR_NO_SUCH_OBJECT;
		return true;
	case SNMP_NOSUCHINSTANCE:
		v->type = VAR_NO_SUCH_INSTANCE;
		return true;
	case SNMP_ENDOFMIBVIEW:
		v->type = VAR_END_OF_MIB_VIEW;
		return true;
	default:
		return false;
	}
}

static bool copy_vars(const netsnmp_variable_list *from, struct vars *vars)
{
	uint32_t name[OID_MAX], id[OID_MAX];
	struct varbind v = {.oid = name};

	for (; from; from = from->next_variable) {
		v.noid = (uint8_t)narrow(from->name, from->name_length, name);
		if (!set_value(&v, from, id))
			return false;
		vars_add(vars, &v);
	}
	return true;
}

bool pdu_decode(struct pdu_codec *c, uint8_t *data, size_t len, struct pdu_answer *a,
		struct vars *vars)
{
	netsnmp_pdu *pdu;
	const char *wrong = NULL;

	if (!pdu_check(data, len, a->words))
		return false;
	pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	if (!pdu)
		cannot_build(c);
	if (snmp_parse(NULL, &c->session, pdu, data, len) != 0)
		wrong = snmp_api_errstring(c->session.s_snmp_errno);
	else if (!copy_vars(pdu->variables, vars))
		wrong = "a value is of no type that SNMP has";
	if (wrong)
		snprintf(a->words, sizeof(a->words), "%s", wrong);
	a->error_status = pdu->errstat;
	a->error_index = pdu->errindex;
	snmp_free_pdu(pdu);
	return !wrong;
}

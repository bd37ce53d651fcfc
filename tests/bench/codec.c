/*
 * codec - Net-SNMP's SNMPv3 codec alone: snmp_build() of a request and snmp_parse() of its answer, no network.
 *
 *   codec EXCHANGES
 *
 * authPriv, HMAC-SHA-256 and AES-128, a GET of sysDescr.0 and an answer of its usual size, by one user at one engine: the
 * cheapest that there is, since the library looks for its users in a list. An exchange is one build and one parse.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MAX 2048
#define ENGINE_LEN 9
#define BOOTS      1
#define TIME_S     1000

struct codec {
	netsnmp_session session;
	uint8_t answer[PACKET_MAX]; /* as it came */
	size_t answer_len;
};

static const oid sys_descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};
static const char text[] = "Simulated agent 127.0.0.1";

static void give_up(const char *words)
{
	snmp_perror(words);
	exit(1);
}

static void session_start(struct codec *c)
{
	netsnmp_session *s = &c->session;
	static uint8_t engine[ENGINE_LEN] = {0x80, 0, 0x1f, 0x88, 1, 127, 0, 0, 1};
	const u_char pass[] = "authority1";
	snmp_sess_init(s);
	s->version = SNMP_VERSION_3;
	s->securityModel = USM_SEC_MODEL_NUMBER;
	s->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
	s->securityName = strdup("poller");
	s->securityNameLen = strlen(s->securityName);
	s->contextName = strdup("");
	s->securityAuthProto = snmp_duplicate_objid(usmHMAC192SHA256AuthProtocol,
						    OID_LENGTH(usmHMAC192SHA256AuthProtocol));
	s->securityAuthProtoLen = OID_LENGTH(usmHMAC192SHA256AuthProtocol);
	s->securityPrivProto = snmp_duplicate_objid(usmAESPrivProtocol,
						    OID_LENGTH(usmAESPrivProtocol));
	s->securityPrivProtoLen = OID_LENGTH(usmAESPrivProtocol);
	s->securityAuthKeyLen = sizeof(s->securityAuthKey);
	s->securityPrivKeyLen = sizeof(s->securityPrivKey);
	s->securityEngineID = s->contextEngineID = engine;
	s->securityEngineIDLen = s->contextEngineIDLen = ENGINE_LEN;
	if (generate_Ku(s->securityAuthProto, (u_int)s->securityAuthProtoLen, pass,
			sizeof(pass) - 1, s->securityAuthKey,
			&s->securityAuthKeyLen) != SNMPERR_SUCCESS ||
	    generate_Ku(s->securityAuthProto, (u_int)s->securityAuthProtoLen, pass,
			sizeof(pass) - 1, s->securityPrivKey,
			&s->securityPrivKeyLen) != SNMPERR_SUCCESS)
		give_up("codec: key");
}

/* Returns the start of the message in packet, which is built from its end. */
static uint8_t *build(struct codec *c, netsnmp_pdu *pdu, uint8_t *packet, size_t *len)
{
	u_char *buffer = packet;
	size_t size = PACKET_MAX, offset = 0;
	*len = size;
	pdu->version = SNMP_VERSION_3;
	if (snmp_build(&buffer, &size, &offset, &c->session, pdu) != 0)
		give_up("codec: build");
	snmp_free_pdu(pdu);
	*len = offset;
	return buffer + size - offset;
}

static void make_answer(struct codec *c)
{
	uint8_t packet[PACKET_MAX];
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
	snmp_pdu_add_variable(pdu, sys_descr, OID_LENGTH(sys_descr), ASN_OCTET_STR, text,
			      sizeof(text) - 1);
	uint8_t *start = build(c, pdu, packet, &c->answer_len);
	memcpy(c->answer, start, c->answer_len);
}

static void exchange(struct codec *c)
{
	uint8_t packet[PACKET_MAX];
	size_t len;
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);
	snmp_add_null_var(pdu, sys_descr, OID_LENGTH(sys_descr));
	build(c, pdu, packet, &len);
	memcpy(packet, c->answer, c->answer_len); /* is deciphered in place */
	pdu = calloc(1, sizeof(*pdu));
	if (pdu == NULL || snmp_parse(NULL, &c->session, pdu, packet, c->answer_len) != 0)
		give_up("codec: parse");
	if (pdu->variables == NULL || pdu->variables->val_len != sizeof(text) - 1)
		give_up("codec: value");
	snmp_free_pdu(pdu);
}

int main(int argc, char **argv)
{
	static struct codec c;
	if (argc != 2) {
		fputs("usage: codec EXCHANGES\n", stderr);
		return 2;
	}
	uint32_t exchanges = (uint32_t)atol(argv[1]);
	setenv("SNMP_PERSISTENT_DIR", "/dev/null", 1);
	setenv("MIBS", "", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	init_snmp("bench");
	session_start(&c);
	if (usm_create_user_from_session(&c.session) != SNMPERR_SUCCESS)
		give_up("codec: user");
	set_enginetime(c.session.securityEngineID, ENGINE_LEN, BOOTS, TIME_S, TRUE);
	make_answer(&c);
	for (uint32_t i = 0; i < exchanges; i++)
		exchange(&c);
	printf("{\"exchanges\": %u}\n", exchanges);
	return 0;
}

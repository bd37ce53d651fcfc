/* pdu, SNMPv3 over a connection (RFC 5591): messages octet for octet, as Debian's snmpget and snmpd exchange them, and
 * answers that must not be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "snmp/pdu.h"
#include "snmp/usm.h"

#define ID 0x12345678

static const uint8_t engine[] = {0x80, 0, 0x1f, 0x88, 0x80};
static const char some_identity = 0; /* nothing looks into it */

static struct profile profile_of(const char *context)
{
	return (struct profile){
		.version = SNMP_V3,
		.community = (char *)"",
		.context = (char *)(uintptr_t)context,
		.tls = (const struct tls_identity *)(const void *)&some_identity,
	};
}

static struct usm_peer known_peer(void)
{
	struct usm_peer peer = {0};

	assert_true(usm_peer_is(&peer, engine, sizeof(engine)));
	return peer;
}

/* ---- requests */

static struct pdu_codec *codec(void)
{
	static struct pdu_codec *made;

	if (!made)
		made = pdu_codec_new();
	return made;
}

static void assert_builds(struct usm_peer peer, const char *context, const void *wanted, size_t len)
{
	struct profile p = profile_of(context);
	struct oid name = {.len = 9, .id = {1, 3, 6, 1, 2, 1, 1, 5, 0}};
	const struct oid *names[] = {&name};
	struct pdu_ask ask = {.type = PDU_GET, .names = names, .count = 1};
	struct pdu_exchange x = {.profile = &p, .peer = &peer, .id = ID};
	struct buf out = {0};
	char words[PDU_WORDS_MAX] = "";

	for (int i = 0; i < 2; i++) { /* nothing is left over from the first */
		out.len = 0;
		if (!pdu_build_v3(codec(), &x, &ask, &out, words))
			fail_msg("%s", words);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, wanted, len);
	}
	buf_free(&out);
}

static void test_requests(void **state)
{
	static const char
		discovery[] = /* RFC 5343 §3.2; all requests are authPriv and reportable */
		"\x30\x43\x02\x01\x03\x30\x11\x02\x04\x12\x34\x56\x78\x02\x03\x00\xff\xe3\x04\x01"
		"\x07"
		"\x02\x01\x04\x04\x00\x30\x29\x04\x05\x80\x00\x00\x00\x06\x04\x00\xa0\x1e\x02\x04"
		"\x12"
		"\x34\x56\x78\x02\x01\x00\x02\x01\x00\x30\x10\x30\x0e\x06\x0a\x2b\x06\x01\x06\x03"
		"\x0a"
		"\x02\x01\x01\x00\x05\x00";
	static const char get[] = "\x30\x42\x02\x01\x03\x30\x11\x02\x04\x12\x34\x56\x78\x02\x03\x00"
				  "\xff\xe3\x04\x01\x07"
				  "\x02\x01\x04\x04\x00\x30\x28\x04\x05\x80\x00\x1f\x88\x80\x04\x01"
				  "\x63\xa0\x1c\x02\x04"
				  "\x12\x34\x56\x78\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08"
				  "\x2b\x06\x01\x02\x01"
				  "\x01\x05\x00\x05\x00";

	(void)state;
	assert_builds((struct usm_peer){0}, "c", discovery, sizeof(discovery) - 1);
	assert_builds(known_peer(), "c", get, sizeof(get) - 1);
}

/* ---- answers */

struct octets {
	uint8_t data[256];
	size_t len;
};

static void add(struct octets *o, uint8_t tag, const void *content, size_t len)
{
	assert_true(len < 0x80 && o->len + len + 2 <= sizeof(o->data));
	o->data[o->len++] = tag;
	o->data[o->len++] = (uint8_t)len;
	if (len)
		memcpy(o->data + o->len, content, len);
	o->len += len;
}

static void add_int(struct octets *o, uint32_t v)
{
	const uint8_t four[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
				(uint8_t)v};

	add(o, 0x02, four, 4);
}

struct answer { /* what is usual: 0 and NULL */
	uint32_t id, request_id;
	uint8_t level; /* 0: authPriv; 0xff: neither */
	uint8_t model;
	const char *parameters, *context;
	size_t parameters_len;
	const uint8_t *engine_id; /* of 5 octets */
	uint8_t type;
	const char *name; /* encoded; NULL: sysName.0 */
	size_t name_len;
	uint8_t tag; /* of the value; 0: OCTET STRING */
};

static struct octets answer(const struct answer *a)
{
	static const char sys_name[] = "\x2b\x06\x01\x02\x01\x01\x05";
	struct octets varbind = {0}, list = {0}, pdu = {0}, scoped = {0}, header = {0}, all = {0};
	struct octets message = {0};
	const char *parameters = a->parameters ? a->parameters : "";
	const char *context = a->context ? a->context : "";
	uint8_t flags = a->level == 0xff ? 0 : a->level ? a->level : 3;
	uint8_t model = a->model ? a->model : 4, version = 3;

	add(&varbind, 0x06, a->name ? a->name : sys_name, a->name ? a->name_len : 8);
	add(&varbind, a->tag ? a->tag : 0x04, "12345", a->tag == 0x80 ? 0 : 5);
	add(&list, 0x30, varbind.data, varbind.len);
	add_int(&pdu, a->request_id ? a->request_id : ID);
	add_int(&pdu, 0);
	add_int(&pdu, 0);
	add(&pdu, 0x30, list.data, list.len);
	add(&scoped, 0x04, a->engine_id ? a->engine_id : engine, 5);
	add(&scoped, 0x04, context, strlen(context));
	add(&scoped, a->type ? a->type : PDU_RESPONSE, pdu.data, pdu.len);
	add_int(&header, a->id ? a->id : ID);
	add_int(&header, 65507);
	add(&header, 0x04, &flags, 1);
	add(&header, 0x02, &model, 1);
	add(&all, 0x02, &version, 1);
	add(&all, 0x30, header.data, header.len);
	add(&all, 0x04, parameters, a->parameters_len ? a->parameters_len : strlen(parameters));
	add(&all, 0x30, scoped.data, scoped.len);
	add(&message, 0x30, all.data, all.len);
	return message;
}

struct outcome {
	enum pdu_verdict verdict;
	struct pdu_answer a;
	size_t rows;
	struct usm_peer peer;
};

static struct outcome decode(const struct answer *a, const struct profile *p, struct usm_peer peer)
{
	struct octets o = answer(a);
	struct outcome out = {.peer = peer};
	struct pdu_exchange x = {.profile = p, .peer = &out.peer, .id = ID};
	struct vars vars = {0};

	out.verdict = pdu_decode_v3(codec(), &x, (struct pdu_octets){o.data, o.len}, &out.a, &vars);
	out.rows = vars.count;
	vars_free(&vars);
	return out;
}

static void test_answer(void **state)
{
	struct profile p = profile_of("");
	struct outcome got = decode(&(struct answer){0}, &p, known_peer());

	(void)state;
	assert_int_equal(got.verdict, PDU_ACCEPTED);
	assert_int_equal(got.a.report, PDU_REPORT_NONE);
	assert_true(got.a.authenticated);
	assert_int_equal(got.rows, 1);
}

/* Each of these would have been an answer but for one thing. */
static void test_not_to_be_believed(void **state)
{
	static const uint8_t other[] = {0x80, 0, 0x1f, 0x88, 0x81};
	static const struct {
		struct answer answer;
		enum pdu_verdict verdict;
		const char *words;
	} rows[] = {
		{{.level = 0xff}, PDU_REFUSED, "its security level is below the one asked for"},
		{{.level = 1}, PDU_REFUSED, "its security level is below the one asked for"},
		{{.level = 4}, PDU_REFUSED, "its security level is below the one asked for"},
		{{.type = PDU_REPORT, .level = 0xff},
		 PDU_REFUSED,
		 "its security level is below the one asked for"},
		{{.id = 7}, PDU_REFUSED, "its msgID is another"},
		{{.request_id = 7}, PDU_REFUSED, "its request-id is another"},
		{{.context = "x"}, PDU_REFUSED, "it is of another context"},
		{{.engine_id = other}, PDU_REFUSED, "it is of another engine"},
		{{.parameters = "x"},
		 PDU_MALFORMED,
		 "its security parameters are not empty, as TSM's are"},
		{{.model = 2}, PDU_MALFORMED, "its security model is neither USM nor TSM"},
		{{.tag = 0x1f}, PDU_MALFORMED, NULL},
		{{.type = PDU_GET}, PDU_MALFORMED, "it is neither a RESPONSE nor a Report"},
	};
	struct profile p = profile_of("");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome got = decode(&rows[i].answer, &p, known_peer());

		if (got.verdict != rows[i].verdict || got.rows)
			fail_msg("row %zu: verdict %d, %zu rows", i, got.verdict, got.rows);
		if (rows[i].words)
			assert_string_equal(got.a.words, rows[i].words);
	}
}

/* Neither model stands in for the other. */
static void test_models_apart(void **state)
{
	static const char parameters[] = /* of nobody */
		"\x30\x0e\x04\x00\x02\x01\x01\x02\x01\x01\x04\x00\x04\x00\x04\x00";
	struct usm_words w = {.user = "poller"};
	char error[USM_ERROR_MAX];
	struct usm_credential *credential = usm_credential_new(&w, error);
	struct profile usm = profile_of(""), tsm = usm;
	struct outcome got;

	(void)state;
	usm.tls = NULL;
	usm.credential = credential;
	got = decode(&(struct answer){0}, &usm, known_peer());
	assert_int_equal(got.verdict, PDU_REFUSED);
	assert_string_equal(got.a.words, "its security model is not the user-based one");
	got = decode(&(struct answer){.level = 0xff}, &usm, known_peer());
	assert_int_equal(got.verdict, PDU_REFUSED);
	assert_int_equal(got.rows, 0);
	got = decode(&(struct answer){.level = 1,
				      .model = 3,
				      .parameters = parameters,
				      .parameters_len = sizeof(parameters) - 1},
		     &tsm, known_peer());
	assert_int_equal(got.verdict, PDU_REFUSED);
	assert_string_equal(got.a.words, "its security model is not that of the connection");
	usm_credential_free(credential);
}

static void test_discovery(void **state)
{
	static const uint8_t local[] = {0x80, 0, 0, 0, 6};
	static const char name[] = "\x2b\x06\x01\x06\x03\x0a\x02\x01\x01\x00";
	struct profile p = profile_of("c");
	struct answer a = {.engine_id = local, .name = name, .name_len = 10};
	struct outcome got = decode(&a, &p, (struct usm_peer){0});

	(void)state;
	assert_int_equal(got.verdict, PDU_ACCEPTED);
	assert_int_equal(got.peer.engine_id_len, 5);
	assert_memory_equal(got.peer.engine_id, "12345", 5);
	assert_int_equal(got.rows, 0);
	a.tag = 0x80; /* noSuchObject */
	got = decode(&a, &p, (struct usm_peer){0});
	assert_int_equal(got.verdict, PDU_ACCEPTED);
	assert_int_equal(got.peer.engine_id_len, 0);
	a = (struct answer){.engine_id = local}; /* another object's value */
	got = decode(&a, &p, (struct usm_peer){0});
	assert_int_equal(got.peer.engine_id_len, 0);
	a = (struct answer){.level = 0xff, .engine_id = local, .name = name, .name_len = 10};
	got = decode(&a, &p, (struct usm_peer){0});
	assert_int_equal(got.verdict, PDU_REFUSED);
	assert_int_equal(got.peer.engine_id_len, 0);
}

/* No Report of the other model means anything here: a connection has no clock and no engine to learn. */
static void test_reports(void **state)
{
	static const char contexts[] = "\x2b\x06\x01\x06\x03\x0c\x01\x05\x00";
	static const char engines[] = "\x2b\x06\x01\x06\x03\x0f\x01\x01\x04\x00";
	struct profile p = profile_of("");
	struct answer a = {.type = PDU_REPORT, .name = contexts, .name_len = 9};
	struct outcome got = decode(&a, &p, known_peer());

	(void)state;
	assert_int_equal(got.verdict, PDU_ACCEPTED);
	assert_int_equal(got.a.report, PDU_REPORT_UNKNOWN_CONTEXT);
	a.name = engines;
	a.name_len = 10;
	got = decode(&a, &p, (struct usm_peer){0});
	assert_int_equal(got.a.report, PDU_REPORT_OTHER);
	assert_string_equal(got.a.words, "1.3.6.1.6.3.15.1.1.4.0");
	assert_int_equal(got.peer.engine_id_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),           cmocka_unit_test(test_answer),
		cmocka_unit_test(test_not_to_be_believed), cmocka_unit_test(test_models_apart),
		cmocka_unit_test(test_discovery),          cmocka_unit_test(test_reports),
	};

	pdu_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

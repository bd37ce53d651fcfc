/* pdu, SNMPv3: against an agent of its own, whose keys, digests and ciphers are OpenSSL's and none of Net-SNMP's. */
#define OPENSSL_SUPPRESS_DEPRECATED /* single DES without a provider */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <malloc.h>
#endif

#include <openssl/des.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "snmp/pdu.h"
#include "snmp/peek.h"
#include "snmp/usm.h"

#define SECOND   INT64_C(1000000)
#define NOW      (1000 * SECOND)
#define ID       0x12345678
#define MEGABYTE 1048576

/* ---- BER, written from the front */

struct octets {
	uint8_t data[4096];
	size_t len;
};

static void add(struct octets *o, uint8_t tag, const void *content, size_t len)
{
	assert_true(o->len + len + 4 <= sizeof(o->data));
	o->data[o->len++] = tag;
	if (len >= 0x80) {
		o->data[o->len++] = 0x82;
		o->data[o->len++] = (uint8_t)(len >> 8);
	}
	o->data[o->len++] = (uint8_t)len;
	if (len)
		memcpy(o->data + o->len, content, len);
	o->len += len;
}

static void add_int(struct octets *o, int64_t v)
{
	const uint8_t four[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
				(uint8_t)v};

	add(o, 0x02, four, 4);
}

static void add_text(struct octets *o, const char *text)
{
	add(o, 0x04, text, strlen(text));
}

/* ---- an agent */

struct agent {
	const char *auth, *priv; /* "" or NULL: none */
	const char *pass;
	const char *user;
	const char *context;
	uint8_t engine_id[ENGINE_ID_MAX];
	size_t engine_id_len;
	uint32_t boots, time_s;
	uint8_t auth_key[64], priv_key[64]; /* localised */
	size_t digest_len;
};

static const EVP_MD *hash_of(const char *auth, size_t *digest_len)
{
	static const struct {
		const char *name;
		const EVP_MD *(*md)(void);
		size_t digest_len;
	} rows[] = {{"MD5", EVP_md5, 12},        {"SHA", EVP_sha1, 12},
		    {"SHA-224", EVP_sha224, 16}, {"SHA-256", EVP_sha256, 24},
		    {"SHA-384", EVP_sha384, 32}, {"SHA-512", EVP_sha512, 48}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, auth) == 0) {
			*digest_len = rows[i].digest_len;
			return rows[i].md();
		}
	}
	fail();
	return NULL;
}

/* RFC 3414 A.2: of a passphrase, localised. Returns its length. */
static size_t make_key(const EVP_MD *md, const uint8_t *pass, size_t len, const struct agent *g,
		       uint8_t *out)
{
	uint8_t *all = malloc(MEGABYTE), buffer[64 + ENGINE_ID_MAX + 64];
	unsigned n = 0;

	assert_non_null(all);
	for (size_t i = 0; i < MEGABYTE; i++)
		all[i] = pass[i % len];
	assert_true(EVP_Digest(all, MEGABYTE, buffer, &n, md, NULL));
	free(all);
	memcpy(buffer + n, g->engine_id, g->engine_id_len);
	memcpy(buffer + n + g->engine_id_len, buffer, n);
	assert_true(EVP_Digest(buffer, 2 * n + g->engine_id_len, out, &n, md, NULL));
	return n;
}

static const EVP_CIPHER *cipher_of(const char *priv, size_t *key_len)
{
	*key_len = strncmp(priv, "AES-192", 7) == 0   ? 24
		   : strncmp(priv, "AES-256", 7) == 0 ? 32
						      : 16;
	return *key_len == 24   ? EVP_aes_192_cfb128()
	       : *key_len == 32 ? EVP_aes_256_cfb128()
				: EVP_aes_128_cfb128();
}

static void key_agent(struct agent *g)
{
	const EVP_MD *md;
	size_t n, wanted;
	unsigned more;
	uint8_t next[64];

	if (!g->auth)
		return;
	md = hash_of(g->auth, &g->digest_len);
	n = make_key(md, (const uint8_t *)g->pass, strlen(g->pass), g, g->auth_key);
	memcpy(g->priv_key, g->auth_key, 64);
	if (!g->priv)
		return;
	cipher_of(g->priv, &wanted);
	if (n >= wanted)
		return;
	if (g->priv[strlen(g->priv) - 1] == 'C') /* draft-reeder-snmpv3-usm-3desede */
		make_key(md, g->priv_key, n, g, next);
	else /* draft-blumenthal-aes-usm-04 */
		assert_true(EVP_Digest(g->priv_key, n, next, &more, md, NULL));
	memcpy(g->priv_key + n, next, wanted - n);
}

static struct agent make_agent(const char *auth, const char *priv)
{
	struct agent g = {
		.auth = auth,
		.priv = priv,
		.pass = "a passphrase",
		.user = "poller",
		.context = "",
		.engine_id = "\x80\x00\x1f\x88\x04test",
		.engine_id_len = 9,
		.boots = 7,
		.time_s = 5000,
	};

	key_agent(&g);
	return g;
}

/* len is of whole blocks for DES; in place. */
static void cipher(const struct agent *g, const struct usm_message *m, bool encrypt)
{
	uint8_t iv[16];
	size_t key_len;
	int len;

	if (strcmp(g->priv, "DES") == 0) {
		DES_key_schedule schedule;

		for (int i = 0; i < 8; i++)
			iv[i] = m->salt[i] ^ g->priv_key[8 + i];
		DES_set_key_unchecked((const_DES_cblock *)g->priv_key, &schedule);
		DES_ncbc_encrypt(m->data, m->data, (long)m->data_len, &schedule, (DES_cblock *)iv,
				 encrypt ? DES_ENCRYPT : DES_DECRYPT);
	} else {
		EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();

		for (int i = 0; i < 4; i++) {
			iv[i] = (uint8_t)(m->boots >> (24 - 8 * i));
			iv[4 + i] = (uint8_t)(m->time_s >> (24 - 8 * i));
		}
		memcpy(iv + 8, m->salt, 8);
		assert_true(
			EVP_CipherInit(x, cipher_of(g->priv, &key_len), g->priv_key, iv, encrypt));
		assert_true(EVP_CipherUpdate(x, m->data, &len, m->data, (int)m->data_len));
		assert_int_equal(len, m->data_len);
		EVP_CIPHER_CTX_free(x);
	}
}

static void sign(const struct agent *g, const uint8_t *data, size_t len, uint8_t out[64])
{
	size_t digest_len;
	unsigned n;

	assert_non_null(HMAC(hash_of(g->auth, &digest_len), g->auth_key,
			     EVP_MD_get_size(hash_of(g->auth, &digest_len)), data, len, out, &n));
}

/* What is written over an answer that would be right. */
struct answer {
	uint8_t type;  /* 0: RESPONSE */
	uint8_t flags; /* as on the wire */
	int64_t msg_id, request_id;
	int64_t boots, time_s;
	const char *user, *context;
	const uint8_t *engine_id, *context_engine_id;
	size_t engine_id_len, context_engine_id_len;
	const char *list; /* content of the varbind list */
	size_t list_len;
	bool wrong_digest;
	size_t digest_len, salt_len; /* less than they should have */
	int scoped_len;              /* added to what the scopedPDU says of its length */
};

#define LIST    "\x30\x0f\x06\x08\x2b\x06\x01\x02\x01\x01\x05\x00\x04\x03vax"
#define STAT(n) "\x30\x11\x06\x0a\x2b\x06\x01\x06\x03\x0f\x01\x01" n "\x00\x41\x03\x01\x02\x03"

static struct answer right_answer(const struct agent *g)
{
	return (struct answer){
		.type = PDU_RESPONSE,
		.flags = g->priv   ? 3
			 : g->auth ? 1
				   : 0,
		.msg_id = ID,
		.request_id = ID,
		.boots = g->boots,
		.time_s = g->time_s,
		.user = g->user,
		.context = g->context,
		.engine_id = g->engine_id,
		.engine_id_len = g->engine_id_len,
		.context_engine_id = g->engine_id,
		.context_engine_id_len = g->engine_id_len,
		.list = LIST,
		.list_len = sizeof(LIST) - 1,
		.digest_len = g->digest_len,
		.salt_len = 8,
	};
}

static void write_scoped(const struct answer *a, struct octets *out)
{
	struct octets pdu = {.len = 0}, scoped = {.len = 0};

	add_int(&pdu, a->request_id);
	add(&pdu, 0x02, "\0", 1);
	add(&pdu, 0x02, "\0", 1);
	add(&pdu, 0x30, a->list, a->list_len);
	add(&scoped, 0x04, a->context_engine_id, a->context_engine_id_len);
	add_text(&scoped, a->context);
	add(&scoped, a->type, pdu.data, pdu.len);
	add(out, 0x30, scoped.data, scoped.len);
	out->data[1] = (uint8_t)(out->data[1] + a->scoped_len);
}

static void write_head(const struct answer *a, struct octets *message)
{
	static const uint8_t zeros[64], salt[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct octets head = {.len = 0}, security = {.len = 0}, wrap = {.len = 0};

	add(message, 0x02, "\x03", 1);
	add_int(&head, a->msg_id);
	add_int(&head, 65507);
	add(&head, 0x04, &a->flags, 1);
	add(&head, 0x02, "\x03", 1);
	add(message, 0x30, head.data, head.len);
	add(&security, 0x04, a->engine_id, a->engine_id_len);
	add_int(&security, a->boots);
	add_int(&security, a->time_s);
	add_text(&security, a->user);
	add(&security, 0x04, zeros, a->flags & 1 ? a->digest_len : 0);
	add(&security, 0x04, salt, a->flags & 2 ? a->salt_len : 0);
	add(&wrap, 0x30, security.data, security.len);
	add(message, 0x04, wrap.data, wrap.len);
}

/* Where what has still to be filled in stands in the message. */
static struct usm_message look(struct octets *o)
{
	struct peek_v3 v;
	const char *words = "";

	if (!peek_v3(o->data, o->len, &v, &words) || !v.whole)
		fail_msg("%s", words);
	return (struct usm_message){
		.octets = o->data,
		.len = o->len,
		.boots = (uint32_t)v.boots,
		.time_s = (uint32_t)v.time_s,
		.digest = o->data + (v.digest - o->data),
		.salt = o->data + (v.salt - o->data),
		.data = o->data + (v.data - o->data),
		.digest_len = v.digest_len,
		.salt_len = v.salt_len,
		.data_len = v.data_len,
	};
}

static struct octets write_answer(const struct agent *g, const struct answer *a)
{
	struct octets scoped = {.len = 0}, message = {.len = 0}, out = {.len = 0};
	uint8_t digest[64];
	struct usm_message m;

	write_scoped(a, &scoped);
	write_head(a, &message);
	if (a->flags & 2) {
		while (scoped.len % 8)
			scoped.data[scoped.len++] = 0x55; /* padding that nobody may look at */
		add(&message, 0x04, scoped.data, scoped.len);
	} else {
		memcpy(message.data + message.len, scoped.data, scoped.len);
		message.len += scoped.len;
	}
	add(&out, 0x30, message.data, message.len);
	m = look(&out);
	if (a->flags & 2)
		cipher(g, &m, true);
	if (a->flags & 1) {
		sign(g, out.data, out.len, digest);
		memcpy(m.digest, digest, a->digest_len);
		m.digest[0] ^= a->wrong_digest;
	}
	return out;
}

/* ---- the poller's side */

struct poller {
	struct pdu_codec *codec;
	struct profile profile;
	struct usm_credential *credential;
	struct usm_peer peer;
	struct pdu_exchange x;
	struct pdu_answer answer;
	struct vars vars;
	char words[PDU_WORDS_MAX];
};

static struct oid sysdescr;
static const struct oid *const names[] = {&sysdescr, &sysdescr};

/* On the heap: it holds pointers into itself. */
static struct poller *make_poller(const char *auth, const char *priv)
{
	struct poller *p = calloc(1, sizeof(*p));
	struct usm_words w = {
		"poller", auth, auth ? "a passphrase" : NULL, priv, priv ? "a passphrase" : NULL,
		NULL};
	char error[USM_ERROR_MAX] = "";

	assert_true(oid_parse("1.3.6.1.2.1.1.1.0", 17, &sysdescr));
	p->codec = pdu_codec_new();
	p->credential = usm_credential_new(&w, error);
	if (!p->credential)
		fail_msg("%s", error);
	p->profile = (struct profile){.version = SNMP_V3,
				      .community = (char *)(uintptr_t) "",
				      .credential = p->credential,
				      .context = (char *)(uintptr_t) ""};
	p->x = (struct pdu_exchange){&p->profile, &p->peer, ID, NOW};
	return p;
}

static void free_poller(struct poller *p)
{
	usm_credential_free(p->credential);
	pdu_codec_free(p->codec);
	vars_free(&p->vars);
	free(p);
}

static void build(struct poller *p, const struct pdu_ask *ask, struct octets *out)
{
	struct buf b = {0};

	if (!pdu_build_v3(p->codec, &p->x, ask, &b, p->words))
		fail_msg("%s", p->words);
	assert_true(b.len <= sizeof(out->data));
	memcpy(out->data, b.data, b.len);
	out->len = b.len;
	buf_free(&b);
}

static const struct pdu_ask get = {PDU_GET, 0, names, 1};

static enum pdu_verdict decode(struct poller *p, const struct octets *o)
{
	uint8_t *copy = malloc(o->len ? o->len : 1); /* so that a read past it is seen */
	enum pdu_verdict verdict;

	assert_non_null(copy);
	memcpy(copy, o->data, o->len);
	vars_reset(&p->vars);
	verdict = pdu_decode_v3(p->codec, &p->x, (struct pdu_octets){copy, o->len}, &p->answer,
				&p->vars);
	free(copy);
	return verdict;
}

static enum pdu_verdict tell(struct poller *p, const struct agent *g, const struct answer *a)
{
	struct octets o = write_answer(g, a);

	return decode(p, &o);
}

/* Knows the agent's engine and clock, as after an exchange. */
static void synchronise(struct poller *p, const struct agent *g)
{
	assert_true(usm_peer_is(&p->peer, g->engine_id, g->engine_id_len));
	usm_set_clock(&p->peer, g->boots, g->time_s, NOW);
	p->peer.synchronised = true;
}

/* ---- exchanges that go well */

static void check_discovery(struct poller *p, const struct agent *g)
{
	/* as RFC 3414 §4 has it; snmpget of Net-SNMP sends the same but for the ids and the size */
	static const char wanted[] =
		"\x30\x3e\x02\x01\x03"
		"\x30\x11\x02\x04\x12\x34\x56\x78\x02\x03\x00\xff\xe3\x04\x01\x04\x02\x01\x03"
		"\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00"
		"\x30\x14\x04\x00\x04\x00\xa0\x0e\x02\x04\x12\x34\x56\x78\x02\x01\x00\x02\x01\x00"
		"\x30\x00";
	struct answer a = right_answer(g);
	struct octets o;

	build(p, &get, &o);
	assert_int_equal(o.len, sizeof(wanted) - 1);
	assert_memory_equal(o.data, wanted, o.len);
	a.type = PDU_REPORT;
	a.flags = 0;
	a.user = "";
	a.list = STAT("\x04");
	a.list_len = sizeof(STAT("\x04")) - 1;
	assert_int_equal(tell(p, g, &a), PDU_ACCEPTED);
	assert_int_equal(p->answer.report, PDU_REPORT_UNKNOWN_ENGINE);
	assert_false(p->answer.authenticated);
	assert_int_equal(p->vars.count, 0);
	assert_int_equal(p->peer.engine_id_len, g->engine_id_len);
	assert_memory_equal(p->peer.engine_id, g->engine_id, g->engine_id_len);
	assert_true(p->peer.boots == g->boots && p->peer.time_s == g->time_s);
	assert_false(p->peer.synchronised);
}

/* The agent takes the request apart: digest, clock, user, cipher, and every octet of the scopedPDU. */
static void check_request(const struct agent *g, struct octets *o, const char *pdu, size_t pdu_len)
{
	uint8_t digest[64], ours[64];
	struct usm_message m = look(o);
	struct peek_v3 v;
	const char *words;
	struct octets content = {.len = 0}, scoped = {.len = 0};

	assert_true(peek_v3(o->data, o->len, &v, &words));
	assert_int_equal(v.msg_id, ID);
	assert_int_equal(v.flags, g->priv ? 7 : g->auth ? 5 : 4);
	assert_int_equal(v.user_len, 6);
	assert_memory_equal(v.user, "poller", 6);
	assert_memory_equal(v.engine_id, g->engine_id, g->engine_id_len);
	assert_int_equal(m.digest_len, g->digest_len);
	assert_int_equal(m.salt_len, g->priv ? 8 : 0);
	if (g->auth) { /* the library's own clock may tick in between */
		assert_int_equal(m.boots, g->boots);
		assert_in_range(m.time_s, g->time_s, g->time_s + 1);
		memcpy(digest, m.digest, m.digest_len);
		memset(m.digest, 0, m.digest_len);
		sign(g, o->data, o->len, ours);
		assert_memory_equal(digest, ours, g->digest_len);
	}
	if (g->priv) {
		if (strcmp(g->priv, "DES") == 0)
			assert_int_equal(m.data_len % 8, 0);
		cipher(g, &m, false);
	}
	add(&content, 0x04, g->engine_id, g->engine_id_len);
	add_text(&content, g->context);
	add(&content, (uint8_t)pdu[0], pdu + 1, pdu_len - 1);
	add(&scoped, 0x30, content.data, content.len);
	if (g->priv)
		assert_memory_equal(m.data, scoped.data, scoped.len);
	else
		assert_memory_equal(m.data, content.data, content.len);
}

#define PDU_IDS "\x02\x04\x12\x34\x56\x78"
#define OBJECT  "\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00"
#define GET     "\xa0" PDU_IDS "\x02\x01\x00\x02\x01\x00\x30\x0e" OBJECT
#define BULK    "\xa5" PDU_IDS "\x02\x01\x00\x02\x01\x19\x30\x1c" OBJECT OBJECT

static void check_answer(struct poller *p, const struct agent *g)
{
	struct answer a = right_answer(g);

	a.time_s += 3;
	if (tell(p, g, &a) != PDU_ACCEPTED)
		fail_msg("%s", p->answer.words);
	assert_int_equal(p->answer.report, PDU_REPORT_NONE);
	assert_int_equal(p->answer.authenticated, g->auth != NULL);
	assert_int_equal(p->vars.count, 1);
	assert_int_equal(p->vars.list[0].value.octets.len, 3);
	assert_memory_equal(p->vars.list[0].value.octets.p, "vax", 3);
	assert_int_equal(p->peer.synchronised, g->auth != NULL);
	if (g->auth)
		assert_int_equal(p->peer.time_s, g->time_s + 3);
}

static const char *const auths[] = {"MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"};
static const char *const privs[] = {NULL,      "DES",       "AES",      "AES-192",
				    "AES-256", "AES-192-C", "AES-256-C"};

static void check_pair(const char *auth, const char *priv)
{
	struct agent g = make_agent(auth, priv);
	struct poller *p = make_poller(auth, priv);
	struct pdu_ask bulk = {PDU_GET_BULK, 25, names, 2};
	struct octets o;

	check_discovery(p, &g);
	build(p, &get, &o);
	check_request(&g, &o, GET, sizeof(GET) - 1);
	build(p, &bulk, &o);
	check_request(&g, &o, BULK, sizeof(BULK) - 1);
	check_answer(p, &g);
	free_poller(p);
}

static void test_every_pair(void **state)
{
	char error[USM_ERROR_MAX];

	(void)state;
	check_pair(NULL, NULL);
	for (size_t i = 0; i < sizeof(auths) / sizeof(auths[0]); i++) {
		for (size_t k = 0; k < sizeof(privs) / sizeof(privs[0]); k++) {
			if (usm_knows(auths[i], privs[k], error))
				check_pair(auths[i], privs[k]);
			else
				print_message("%s\n", error);
		}
	}
}

static void test_contexts(void **state)
{
	struct agent g = make_agent("SHA-256", "AES");
	struct poller *p = make_poller("SHA-256", "AES");
	struct octets o;

	(void)state;
	g.context = "vlan-5";
	p->profile.context = (char *)(uintptr_t) "vlan-5";
	synchronise(p, &g);
	build(p, &get, &o);
	check_request(&g, &o, GET, sizeof(GET) - 1);
	check_answer(p, &g);
	free_poller(p);
}

/* The poller's estimate of the agent's clock stands in the request; without one there are zeros. */
static void test_requests_carry_the_clock(void **state)
{
	struct agent g = make_agent("SHA", "AES");
	struct poller *p = make_poller("SHA", "AES");
	struct octets o;

	(void)state;
	synchronise(p, &g);
	p->x.now_us = NOW + 100 * SECOND + 1;
	g.time_s += 100;
	build(p, &get, &o);
	check_request(&g, &o, GET, sizeof(GET) - 1);

	assert_true(usm_peer_is(&p->peer, g.engine_id, g.engine_id_len)); /* pinned by a person */
	g.boots = g.time_s = 0;
	build(p, &get, &o);
	check_request(&g, &o, GET, sizeof(GET) - 1);
	free_poller(p);
}

static void test_what_follows_is_passed_over(void **state)
{
	struct agent g = make_agent("SHA", "DES");
	struct poller *p = make_poller("SHA", "DES");
	struct answer a = right_answer(&g);
	struct octets o = write_answer(&g, &a);

	(void)state;
	synchronise(p, &g);
	memcpy(o.data + o.len, "after", 5);
	o.len += 5;
	assert_int_equal(decode(p, &o), PDU_ACCEPTED);
	free_poller(p);
}

/* ---- what must not be believed */

struct wrong { /* a change to a right answer, and the end of it */
	void (*change)(struct answer *a);
	enum pdu_verdict verdict;
	const char *words;
};

static const uint8_t other_engine[] = "\x80\x00\x1f\x88\x04tesT";

#define CHANGE(name, what)                 \
	static void name(struct answer *a) \
	{                                  \
		what;                      \
	}
CHANGE(nothing, (void)a)
CHANGE(no_auth, a->flags = 0)
CHANGE(auth_only, a->flags = 1)
CHANGE(set_msg_id, a->msg_id++)
CHANGE(set_request_id, a->request_id++)
CHANGE(set_user, a->user = "Poller")
CHANGE(set_context, a->context = "other")
CHANGE(set_engine, a->engine_id = other_engine)
CHANGE(set_context_engine, a->context_engine_id = other_engine)
CHANGE(cut_engine, a->engine_id_len--)
CHANGE(cut_context_engine, a->context_engine_id_len = 0)
CHANGE(set_digest, a->wrong_digest = true)
CHANGE(no_digest, a->digest_len = 0)
CHANGE(short_digest, a->digest_len = 23)
CHANGE(short_salt, a->salt_len = 7)
CHANGE(set_type, a->type = 0xa0)
CHANGE(old_boots, a->boots--)
CHANGE(late, a->time_s -= 151)
CHANGE(nearly_late, a->time_s -= 150)
CHANGE(rebooted, a->boots++; a->time_s = 2)
CHANGE(early, a->time_s += 100000)
CHANGE(latched, a->boots = 2147483647)
CHANGE(negative, a->time_s = -1)
CHANGE(long_integer,
       a->list = "\x30\x0f\x06\x03\x2b\x06\x01\x02\x08\x01\x02\x03\x04\x05\x06\x07\x08";
       a->list_len = 17)
CHANGE(empty_integer, a->list = "\x30\x07\x06\x03\x2b\x06\x01\x02\x00"; a->list_len = 9)
CHANGE(cut_name, a->list = "\x30\x08\x06\x04\x2b\x06\x01\x81\x05\x00"; a->list_len = 10)

static const struct wrong wrongs[] = {
	{nothing, PDU_ACCEPTED, ""},
	{nearly_late, PDU_ACCEPTED, ""},
	{early, PDU_ACCEPTED, ""},
	{rebooted, PDU_ACCEPTED, ""},
	{no_auth, PDU_REFUSED, "its security level is below the one asked for"},
	{auth_only, PDU_REFUSED, "its security level is below the one asked for"},
	{set_msg_id, PDU_REFUSED, "its msgID is another"},
	{set_request_id, PDU_REFUSED, "its request-id is another"},
	{set_user, PDU_REFUSED, "it is for another user"},
	{set_context, PDU_REFUSED, "it is of another context"},
	{set_engine, PDU_REFUSED, "it is of another engine"},
	{cut_engine, PDU_REFUSED, "it is of another engine"},
	{set_context_engine, PDU_REFUSED, "it is of another engine"},
	{cut_context_engine, PDU_REFUSED, "it is of another engine"},
	{set_digest, PDU_REFUSED, "its digest is wrong"},
	{no_digest, PDU_REFUSED, "its digest is wrong"},
	{short_digest, PDU_REFUSED, "its digest is wrong"},
	{short_salt, PDU_MALFORMED, "it cannot be decrypted"},
	{old_boots, PDU_REFUSED, "it is outside the time window"},
	{late, PDU_REFUSED, "it is outside the time window"},
	{latched, PDU_REFUSED, "its engine has no boots left: it needs a new engine ID"},
	{negative, PDU_MALFORMED, "its engine's boots or time are negative"},
	{set_type, PDU_MALFORMED, "it is neither a RESPONSE nor a Report"},
	{long_integer, PDU_MALFORMED, "varbind 1: an INTEGER has more than 4 octets"},
	{empty_integer, PDU_MALFORMED, "varbind 1: an INTEGER has no content"},
	{cut_name, PDU_MALFORMED, "its varbinds cannot be parsed"},
};

static void test_what_is_not_believed(void **state)
{
	struct agent g = make_agent("SHA-256", "AES");
	struct poller *p = make_poller("SHA-256", "AES");

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct answer a = right_answer(&g);
		enum pdu_verdict verdict;
		struct usm_peer before;

		synchronise(p, &g);
		assert_true(usm_localise(p->credential, &p->peer));
		before = p->peer;
		wrongs[i].change(&a);
		verdict = tell(p, &g, &a);
		if (verdict != wrongs[i].verdict)
			fail_msg("row %zu: %d, '%s'", i, verdict, p->answer.words);
		assert_string_equal(p->answer.words, wrongs[i].words);
		assert_int_equal(p->vars.count, verdict == PDU_ACCEPTED);
		assert_int_equal(p->answer.report, PDU_REPORT_NONE);
		if (verdict == PDU_ACCEPTED && (a.boots > 7 || a.time_s > 5000))
			usm_set_clock(&before, (uint32_t)a.boots, (uint32_t)a.time_s, NOW);
		assert_memory_equal(&p->peer, &before, sizeof(before));
	}
	free_poller(p);
}

/* A message that says it is signed comes from anywhere: where it is not, nothing in it ends the request. */
static void test_what_is_not_signed_ends_nothing(void **state)
{
	struct agent g = make_agent("SHA-256", "AES");
	struct poller *p = make_poller("SHA-256", "AES");

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct answer a = right_answer(&g);

		synchronise(p, &g);
		wrongs[i].change(&a);
		a.wrong_digest = a.digest_len > 0;
		assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
		assert_false(p->answer.authenticated);
	}
	free_poller(p);
}

/* Without a signature there is no time either, but all else must be right. */
static void test_unsigned_answers(void **state)
{
	struct agent g = make_agent(NULL, NULL);
	struct poller *p = make_poller(NULL, NULL);
	unsigned accepted = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct answer a = right_answer(&g);
		const struct wrong *w = &wrongs[i];
		bool of_signing = w->change == auth_only || w->change == short_salt ||
				  strstr(w->words, "digest");
		struct usm_peer before;
		enum pdu_verdict verdict;

		if (of_signing || w->change == latched)
			continue;
		synchronise(p, &g);
		before = p->peer;
		w->change(&a);
		verdict = tell(p, &g, &a);
		if (w->change == no_auth || w->change == old_boots || w->change == late) {
			assert_int_equal(verdict, PDU_ACCEPTED);
			accepted++;
		} else {
			assert_int_equal(verdict, w->verdict);
			assert_string_equal(p->answer.words, w->words);
		}
		assert_memory_equal(&p->peer, &before, sizeof(before));
	}
	assert_int_equal(accepted, 3);
	free_poller(p);
}

/* A level above the one asked for cannot be checked. */
static void test_a_level_above(void **state)
{
	struct agent g = make_agent("SHA", "AES");
	struct poller *plain = make_poller(NULL, NULL), *signing = make_poller("SHA", NULL);
	struct answer a = right_answer(&g);

	(void)state;
	synchronise(plain, &g);
	synchronise(signing, &g);
	assert_int_equal(tell(signing, &g, &a), PDU_REFUSED);
	assert_string_equal(signing->answer.words, "its security level is above the one asked for");
	a.flags = 1;
	assert_int_equal(tell(signing, &g, &a), PDU_ACCEPTED);
	assert_int_equal(tell(plain, &g, &a), PDU_REFUSED);
	a.flags = 0;
	assert_int_equal(tell(plain, &g, &a), PDU_ACCEPTED);
	assert_int_equal(tell(signing, &g, &a), PDU_REFUSED);
	free_poller(plain);
	free_poller(signing);
}

/* Before the engine is known nothing can be signed by it. */
static void test_no_answer_before_discovery(void **state)
{
	struct agent g = make_agent("SHA", "AES");
	struct poller *p = make_poller("SHA", "AES");
	struct answer a = right_answer(&g);

	(void)state;
	assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
	a.flags = 0;
	assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
	assert_int_equal(p->peer.engine_id_len, 0);
	free_poller(p);
}

/* An agent with another privacy passphrase, or another cipher, than ours. */
static void test_what_decrypts_to_garbage(void **state)
{
	static const char *const ciphers[] = {"AES", "AES-256", "AES-256-C"};
	struct agent g = make_agent("SHA", "AES-256");
	struct poller *p;
	struct answer a = right_answer(&g);
	struct octets o;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		p = make_poller("SHA", ciphers[i]);
		synchronise(p, &g);
		assert_int_equal(tell(p, &g, &a), i == 1 ? PDU_ACCEPTED : PDU_MALFORMED);
		if (i != 1)
			assert_string_equal(p->answer.words, "what it decrypts to is no scopedPDU");
		free_poller(p);
	}
	/* DES wants whole blocks; the digest is made good again */
	p = make_poller("SHA", "DES");
	g = make_agent("SHA", "DES");
	synchronise(p, &g);
	g.priv = "AES"; /* with its key, writes what is no multiple of 8 */
	a.context_engine_id_len--;
	{
		struct octets scoped = {.len = 0}, message = {.len = 0};
		struct usm_message m;
		uint8_t digest[64];

		write_scoped(&a, &scoped);
		write_head(&a, &message);
		add(&message, 0x04, scoped.data, scoped.len / 8 * 8 + 1);
		o.len = 0;
		add(&o, 0x30, message.data, message.len);
		m = look(&o);
		sign(&g, o.data, o.len, digest);
		memcpy(m.digest, digest, g.digest_len);
	}
	assert_int_equal(decode(p, &o), PDU_MALFORMED);
	assert_string_equal(p->answer.words, "it cannot be decrypted");
	free_poller(p);
}

/* The SEQUENCE of what was decrypted, or stands in the clear, ends before its PDU does, or behind what there is. */
static void test_a_scoped_pdu_of_another_length(void **state)
{
	static const char *const ciphers[] = {NULL, "DES", "AES"};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct agent g = make_agent("SHA", ciphers[k]);
		struct poller *p = make_poller("SHA", ciphers[k]);
		struct answer a = right_answer(&g);
		struct octets scoped = {.len = 0};
		int len;

		write_scoped(&a, &scoped);
		len = (int)scoped.len - 2;
		synchronise(p, &g);
		for (a.scoped_len = -len; a.scoped_len < 0; a.scoped_len++) {
			assert_int_equal(tell(p, &g, &a), PDU_MALFORMED);
			assert_true(p->answer.authenticated);
			assert_int_equal(p->vars.count, 0);
			assert_string_not_equal(p->answer.words, "");
		}
		assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED);
		if (g.priv) { /* padding has 7 octets at most */
			a.scoped_len = 8;
			assert_int_equal(tell(p, &g, &a), PDU_MALFORMED);
			assert_string_equal(p->answer.words, "what it decrypts to is no scopedPDU");
		}
		free_poller(p);
	}
}

static void test_cut_anywhere(void **state)
{
	static const char *const all[][2] = {{NULL, NULL}, {"SHA-256", "AES"}, {"MD5", "DES"}};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct agent g = make_agent(all[k][0], all[k][1]);
		struct poller *p = make_poller(all[k][0], all[k][1]);
		struct answer a = right_answer(&g);
		struct octets o = write_answer(&g, &a);
		size_t len = o.len;

		synchronise(p, &g);
		for (o.len = 0; o.len < len; o.len++) {
			const char *words = "";
			struct peek_v3 v;

			assert_int_equal(decode(p, &o), PDU_MALFORMED);
			peek_v3(o.data, o.len, &v, &words);
			assert_string_equal(p->answer.words, words);
			assert_string_not_equal(words, "");
		}
		assert_int_equal(decode(p, &o), PDU_ACCEPTED);
		free_poller(p);
	}
}

/* Every bit of an authPriv answer is signed: none can be changed. */
static void test_any_bit_flipped(void **state)
{
	struct agent g = make_agent("SHA-256", "AES");
	struct poller *p = make_poller("SHA-256", "AES");
	struct answer a = right_answer(&g);
	struct octets o = write_answer(&g, &a);

	(void)state;
	synchronise(p, &g);
	for (size_t i = 0; i < o.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			o.data[i] ^= (uint8_t)(1u << bit);
			assert_int_not_equal(decode(p, &o), PDU_ACCEPTED);
			assert_int_equal(p->vars.count, 0);
			assert_string_not_equal(p->answer.words, "");
			o.data[i] ^= (uint8_t)(1u << bit);
		}
	}
	assert_int_equal(decode(p, &o), PDU_ACCEPTED);
	free_poller(p);
}

/* Octets changed at random below a good digest: what a broken device itself signs. */
static void test_garbled_and_signed(void **state)
{
	struct agent g = make_agent("MD5", NULL);
	struct poller *p = make_poller("MD5", NULL);
	struct answer a = right_answer(&g);
	const struct octets good = write_answer(&g, &a);
	unsigned accepted = 0, seed = 7;

	(void)state;
	for (int n = 0; n < 20000; n++) {
		struct octets o = good;
		uint8_t digest[64];
		struct peek_v3 v;
		const char *words;

		synchronise(p, &g);
		for (unsigned k = 0; k <= seed / 65536 % 3; k++) {
			seed = seed * 1664525 + 1013904223;
			o.data[seed / 256 % o.len] = (uint8_t)(seed >> 24);
		}
		if (peek_v3(o.data, o.len, &v, &words) && v.whole && v.digest_len == g.digest_len) {
			memset(o.data + (v.digest - o.data), 0, v.digest_len);
			sign(&g, o.data, v.len, digest);
			memcpy(o.data + (v.digest - o.data), digest, v.digest_len);
		}
		accepted += decode(p, &o) == PDU_ACCEPTED;
	}
	assert_in_range(accepted, 100, 19000);
	free_poller(p);
}

/* ---- Reports */

static struct answer report(const struct agent *g, uint8_t flags, const char *list, size_t len)
{
	struct answer a = right_answer(g);

	a.type = PDU_REPORT;
	a.flags = flags;
	a.request_id = 0; /* who could not decrypt does not know it */
	a.list = list;
	a.list_len = len;
	return a;
}
#define REPORT(g, flags, list) report(g, flags, list, sizeof(list) - 1)

static void test_reports(void **state)
{
	static const struct {
		const char *list;
		size_t len;
		enum pdu_report report;
		const char *words;
	} rows[] = {
#define ROW(list, report, words) {list, sizeof(list) - 1, report, words}
		ROW(STAT("\x01"), PDU_REPORT_UNSUPPORTED_LEVEL, ""),
		ROW(STAT("\x02"), PDU_REPORT_NOT_IN_WINDOW, ""),
		ROW(STAT("\x03"), PDU_REPORT_UNKNOWN_USER, ""),
		ROW(STAT("\x05"), PDU_REPORT_WRONG_DIGEST, ""),
		ROW(STAT("\x06"), PDU_REPORT_DECRYPTION, ""),
		ROW(STAT("\x07"), PDU_REPORT_OTHER, "1.3.6.1.6.3.15.1.1.7.0"),
		ROW("\x30\x0e\x06\x09\x2b\x06\x01\x06\x03\x0c\x01\x05\x00\x41\x01\x05",
		    PDU_REPORT_UNKNOWN_CONTEXT, ""),
		ROW("\x30\x0f\x06\x0a\x2b\x06\x01\x06\x03\x0b\x02\x01\x01\x00\x41\x01\x05",
		    PDU_REPORT_OTHER, "snmpUnknownSecurityModels"),
		ROW("\x30\x0e\x06\x09\x2b\x06\x01\x06\x03\x0f\x01\x01\x03\x41\x01\x05",
		    PDU_REPORT_UNKNOWN_USER, ""), /* the instance is left out */
		ROW("\x30\x08\x06\x03\x2b\x06\x01\x41\x01\x05", PDU_REPORT_OTHER, "1.3.6.1"),
#undef ROW
	};
	struct agent g = make_agent("SHA", "AES");
	struct poller *p = make_poller("SHA", "AES");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned flags = 0; flags <= 3; flags += flags ? 2 : 1) {
			struct answer a = report(&g, (uint8_t)flags, rows[i].list, rows[i].len);

			synchronise(p, &g);
			a.time_s += 5;
			assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED);
			assert_int_equal(p->peer.time_s, flags ? g.time_s + 5 : g.time_s);
			assert_int_equal(p->answer.report, rows[i].report);
			assert_string_equal(p->answer.words, rows[i].words);
			assert_int_equal(p->answer.authenticated, flags != 0);
			assert_int_equal(p->vars.count, 0);
		}
	}
	free_poller(p);
}

static void test_reports_that_are_none(void **state)
{
	struct agent g = make_agent("SHA", "AES");
	struct poller *p = make_poller("SHA", "AES");
	struct answer a = REPORT(&g, 0, "");

	(void)state;
	synchronise(p, &g);
	assert_int_equal(tell(p, &g, &a), PDU_MALFORMED);
	assert_string_equal(p->answer.words, "it is a Report that names nothing");
	a = REPORT(&g, 0, STAT("\x05"));
	a.msg_id++;
	assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
	a = REPORT(&g, 1, STAT("\x05"));
	a.wrong_digest = true;
	assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
	assert_string_equal(p->answer.words, "its digest is wrong");
	a = REPORT(&g, 1, STAT("\x05"));
	a.engine_id = other_engine; /* signed, but by whom? */
	assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
	assert_string_equal(p->answer.words, "it is of another engine");
	a = REPORT(&g, 1, STAT("\x05"));
	a.user = "Poller";
	assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
	assert_string_equal(p->answer.words, "it is for another user");
	a = REPORT(&g, 1, STAT("\x05"));
	a.boots--; /* signed, but old */
	assert_int_equal(tell(p, &g, &a), PDU_REFUSED);
	assert_string_equal(p->answer.words, "it is outside the time window");
	free_poller(p);
}

/* FIELD.md: net-snmp#385, boots fall back to 0; and a clock that jumps back. Signed, it is believed. */
static void test_a_signed_report_sets_the_clock_back(void **state)
{
	static const struct {
		uint32_t boots, time_s;
	} rows[] = {{0, 12}, {7, 40}, {8, 0}, {2147483647, 5}};
	struct agent g = make_agent("SHA", "AES");
	struct poller *p = make_poller("SHA", "AES");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a = REPORT(&g, 1, STAT("\x02"));

		synchronise(p, &g);
		a.boots = rows[i].boots;
		a.time_s = rows[i].time_s;
		p->x.now_us = NOW + SECOND;
		assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED);
		assert_int_equal(p->answer.report, PDU_REPORT_NOT_IN_WINDOW);
		assert_true(p->answer.authenticated);
		assert_true(p->peer.synchronised);
		assert_int_equal(p->peer.boots, rows[i].boots);
		assert_int_equal(p->peer.time_s, rows[i].time_s);
		assert_int_equal(p->peer.stamp_us, NOW + SECOND);
	}
	free_poller(p);
}

/* Anybody can send an unsigned Report: it is told, and changes nothing of a peer that is known. */
static void test_an_unsigned_report_changes_nothing(void **state)
{
	struct agent g = make_agent("SHA", "AES"), before = g;
	struct poller *p = make_poller("SHA", "AES");
	struct usm_peer peer;

	(void)state;
	for (int known = 0; known < 2; known++) {
		for (char n = 1; n <= 6; n++) {
			char list[] = STAT("\x01");
			struct answer a = report(&g, 0, list, sizeof(list) - 1);

			list[12] = n;
			synchronise(p, &before);
			p->peer.synchronised = known || n != 4;
			assert_true(usm_localise(p->credential, &p->peer));
			peer = p->peer;
			a.boots = 0;
			a.time_s = 12;
			assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED);
			assert_false(p->answer.authenticated);
			assert_int_equal(p->answer.report == PDU_REPORT_UNKNOWN_ENGINE, n == 4);
			if (n == 4 && !known) /* a guess gives way to another */
				usm_set_clock(&peer, 0, 12, NOW);
			assert_memory_equal(&p->peer, &peer, sizeof(peer));
		}
	}
	free_poller(p);
}

/* A device that was replaced has another engine: it says so, unsigned. A pinned engine ID stays. */
static void test_another_engine(void **state)
{
	struct agent old = make_agent("SHA", "AES"), g = old;
	struct poller *p = make_poller("SHA", "AES");
	struct answer a;

	(void)state;
	memcpy(g.engine_id, other_engine, 9);
	key_agent(&g);
	a = REPORT(&g, 0, STAT("\x04"));
	a.boots = 1;
	synchronise(p, &old);
	memcpy(p->profile.engine_id, old.engine_id, 9);
	p->profile.engine_id_len = 9;
	assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED);
	assert_int_equal(p->answer.report, PDU_REPORT_UNKNOWN_ENGINE);
	assert_memory_equal(p->peer.engine_id, old.engine_id, 9);
	assert_true(p->peer.synchronised && p->peer.boots == 7);

	p->profile.engine_id_len = 0;
	assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED);
	assert_memory_equal(p->peer.engine_id, g.engine_id, 9);
	assert_true(!p->peer.synchronised && !p->peer.keyed && p->peer.boots == 1);
	check_answer(p, &g);
	free_poller(p);
}

static void test_engine_ids_of_any_length(void **state)
{
	static const uint8_t id[256] = {0x80};
	static const struct {
		size_t len;
		const char *words;
	} rows[] = {
		{0, "its engine ID is of 0 octets; 5 to 32 are allowed"},
		{4, "its engine ID is of 4 octets; 5 to 32 are allowed"},
		{5, NULL},
		{32, NULL},
		{33, "its engine ID is of 33 octets; 5 to 32 are allowed"},
		{255, "its engine ID is of 255 octets; 5 to 32 are allowed"},
	};
	struct agent g = make_agent("SHA", "AES");
	struct poller *p = make_poller("SHA", "AES");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a = REPORT(&g, 0, STAT("\x04"));

		a.engine_id = id;
		a.engine_id_len = rows[i].len;
		usm_peer_wipe(&p->peer);
		assert_int_equal(tell(p, &g, &a), rows[i].words ? PDU_MALFORMED : PDU_ACCEPTED);
		assert_string_equal(p->answer.words, rows[i].words ? rows[i].words : "");
		assert_int_equal(p->peer.engine_id_len, rows[i].words ? 0 : rows[i].len);
	}
	free_poller(p);
}

/* Some answer a discovery with another Report; the engine ID is what was wanted. */
static void test_any_report_is_a_discovery(void **state)
{
	struct agent g = make_agent("SHA", "AES");
	struct poller *p = make_poller("SHA", "AES");
	struct answer a = REPORT(&g, 0, STAT("\x03"));

	(void)state;
	assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED);
	assert_int_equal(p->answer.report, PDU_REPORT_UNKNOWN_ENGINE);
	assert_int_equal(p->peer.engine_id_len, g.engine_id_len);
	assert_int_equal(tell(p, &g, &a), PDU_ACCEPTED); /* now it means what it says */
	assert_int_equal(p->answer.report, PDU_REPORT_UNKNOWN_USER);
	free_poller(p);
}

/* ---- many peers, one codec */

/* FIELD.md: spine#353, two devices with one engine ID; easysnmp#146, one user with two passwords. */
static void test_one_engine_id_two_devices(void **state)
{
	struct agent g[2] = {make_agent("SHA-256", "AES"), make_agent("SHA-256", "AES")};
	struct poller *p[2] = {make_poller("SHA-256", "AES"), make_poller("SHA-256", "AES")};
	struct usm_words w = {"poller", "SHA-256", "other phrase", "AES", "other phrase", NULL};
	char error[USM_ERROR_MAX];
	struct octets o;

	(void)state;
	usm_credential_free(p[1]->credential);
	p[1]->credential = usm_credential_new(&w, error);
	p[1]->profile.credential = p[1]->credential;
	g[1].pass = "other phrase";
	g[1].boots = 2;
	g[1].time_s = 11;
	key_agent(&g[1]);
	for (int i = 0; i < 2; i++) { /* both through one codec, besides */
		struct answer a = right_answer(&g[1 - i]);

		p[i]->x.profile = &p[i]->profile;
		check_discovery(p[i], &g[i]);
		assert_int_equal(tell(p[i], &g[1 - i], &a), PDU_REFUSED);
	}
	for (int n = 0; n < 6; n++) {
		struct poller *both = p[n % 2];
		struct pdu_codec *own = both->codec;

		both->codec = p[n / 2 % 2]->codec;
		usm_set_clock(&both->peer, g[n % 2].boots, g[n % 2].time_s, NOW);
		build(both, &get, &o);
		check_request(&g[n % 2], &o, GET, sizeof(GET) - 1);
		check_answer(both, &g[n % 2]);
		both->codec = own;
	}
	free_poller(p[0]);
	free_poller(p[1]);
}

#ifdef __linux__
/* Nothing of an engine stays in the library or the codec. */
static void test_memory_is_bounded(void **state)
{
	enum {
		ENGINES = 20000,
		WARM = 200
	};
	struct agent g = make_agent("SHA-256", "AES");
	struct poller *p = make_poller("SHA-256", "AES");
	size_t before = 0;

	(void)state;
	for (uint32_t i = 0; i < ENGINES; i++) {
		struct octets o;

		memcpy(g.engine_id + 5, &i, 4);
		g.boots = 1 + i % 1000;
		synchronise(p, &g);
		build(p, &get, &o);
		if (i % 100 == 0) { /* the agent's key takes milliseconds */
			key_agent(&g);
			p->peer.boots = g.boots;
			check_request(&g, &o, GET, sizeof(GET) - 1);
			check_answer(p, &g);
		}
		if (i == WARM)
			before = mallinfo2().uordblks;
	}
	assert_true(mallinfo2().uordblks < before + 4096);
	free_poller(p);
}

/* Nor does what drawing new salts takes. */
static void test_codecs_leave_nothing(void **state)
{
	size_t before = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		if (i == 10)
			before = mallinfo2().uordblks;
		pdu_codec_free(pdu_codec_new());
	}
	assert_int_equal(mallinfo2().uordblks, before);
}

#endif

/* ---- salts */

#define SALTS 2000

/* A child: emits the salts of so many requests. Like a worker it makes its codec after the fork. */
static void emit_salts(int fd, const char *priv)
{
	struct agent g = make_agent("SHA", NULL);
	struct poller *p = make_poller("SHA", priv);

	synchronise(p, &g);
	for (int i = 0; i < SALTS; i++) {
		struct octets o;
		struct usm_message m;

		build(p, &get, &o);
		m = look(&o);
		if (m.salt_len != 8 || write(fd, m.salt, 8) != 8)
			_exit(1);
	}
	free_poller(p);
	_exit(0);
}

static int compare_salts(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

/* RFC 3414 §8.1.1.1, RFC 3826 §3.1.2.1: a salt serves once for a key, whichever worker takes it. */
static void test_workers_share_no_salt(void **state)
{
	enum {
		WORKERS = 4
	};
	static const char *const ciphers[] = {"AES", "DES"};
	static uint8_t salts[WORKERS * SALTS][8];

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		uint8_t *at = salts[0], *end = at + sizeof(salts);

		for (int i = 0; i < WORKERS; i++) {
			int ends[2], status;
			ssize_t n = 0;
			pid_t pid;

			assert_int_equal(pipe(ends), 0);
			pid = fork();
			if (pid == 0)
				emit_salts(ends[1], ciphers[k]);
			close(ends[1]);
			while ((n = read(ends[0], at, (size_t)(end - at))) > 0)
				at += n;
			close(ends[0]);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(status, 0);
		}
		assert_ptr_equal(at, end);
		/* DES: not even the half that is the boots, which each worker draws */
		for (int i = 1; i < WORKERS; i++)
			assert_memory_not_equal(salts[0], salts[i * SALTS], 4);
		qsort(salts, WORKERS * SALTS, 8, compare_salts);
		for (size_t i = 1; i < WORKERS * SALTS; i++)
			assert_memory_not_equal(salts[i - 1], salts[i], 8);
	}
}

/* ---- requests that fit */

/* Two names of every length, with all else at its longest: what is said to fit does. */
static void test_the_longest_request_fits(void **state)
{
	static struct oid objects[2];
	static const struct oid *list[] = {&objects[0], &objects[1]};
	char user[33], context[33], error[USM_ERROR_MAX];
	struct usm_words w = {user, "SHA-512", "a passphrase", "DES", "a passphrase", NULL};
	struct poller *p = make_poller(NULL, NULL);
	uint8_t id[32] = {0x80};
	size_t longest = 0, count;

	(void)state;
	memset(user, 'u', 32);
	memset(context, 'c', 32);
	user[32] = context[32] = '\0';
	usm_credential_free(p->credential);
	p->credential = usm_credential_new(&w, error);
	p->profile.credential = p->credential;
	p->profile.context = context;
	p->profile.get = objects;
	p->profile.nget = 2;
	for (size_t i = 0; i < OID_MAX; i++)
		objects[0].id[i] = objects[1].id[i] = i < 2 ? 1 : UINT32_MAX;
	assert_true(usm_peer_is(&p->peer, id, sizeof(id)));
	usm_set_clock(&p->peer, 2147483646, 2147483000, NOW);
	objects[0].len = 100;
	for (objects[1].len = 2; objects[1].len <= OID_MAX; objects[1].len++) {
		struct octets o;

		count = pdu_fit(&p->profile, 0);
		build(p, &(struct pdu_ask){PDU_GET, 0, list, count}, &o);
		assert_in_range(o.len, 1, PDU_OCTETS_MAX);
		longest = o.len > longest ? o.len : longest;
	}
	assert_int_equal(count, 1);
	assert_in_range(longest, PDU_OCTETS_MAX - 30, PDU_OCTETS_MAX);
	free_poller(p);
}

static int start_library(void **state)
{
	(void)state;
	pdu_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_requests_carry_the_clock),
		cmocka_unit_test(test_what_follows_is_passed_over),
		cmocka_unit_test(test_what_is_not_believed),
		cmocka_unit_test(test_what_is_not_signed_ends_nothing),
		cmocka_unit_test(test_unsigned_answers),
		cmocka_unit_test(test_a_level_above),
		cmocka_unit_test(test_no_answer_before_discovery),
		cmocka_unit_test(test_what_decrypts_to_garbage),
		cmocka_unit_test(test_a_scoped_pdu_of_another_length),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_any_bit_flipped),
		cmocka_unit_test(test_garbled_and_signed),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_reports_that_are_none),
		cmocka_unit_test(test_a_signed_report_sets_the_clock_back),
		cmocka_unit_test(test_an_unsigned_report_changes_nothing),
		cmocka_unit_test(test_another_engine),
		cmocka_unit_test(test_engine_ids_of_any_length),
		cmocka_unit_test(test_any_report_is_a_discovery),
		cmocka_unit_test(test_one_engine_id_two_devices),
#ifdef __linux__
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_codecs_leave_nothing),
#endif
		cmocka_unit_test(test_workers_share_no_salt),
		cmocka_unit_test(test_the_longest_request_fits),
	};

	return cmocka_run_group_tests(tests, start_library, NULL);
}

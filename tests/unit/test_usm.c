/* usm: keys against the RFCs' examples, credentials that cannot be, clocks and windows, and no trace of secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/pdu.h"
#include "snmp/usm.h"

static const uint8_t engine[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}; /* of RFC 3414 A.3 */

static void unhex(const char *text, uint8_t *out)
{
	for (size_t i = 0; text[2 * i]; i++) {
		unsigned octet;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &octet), 1);
		out[i] = (uint8_t)octet;
	}
}

static struct usm_credential *credential(const char *auth, const char *priv, const char *pass)
{
	struct usm_words w = {.user = "user", .auth = auth, .auth_pass = pass};
	struct usm_credential *c;
	char error[USM_ERROR_MAX] = "";

	if (priv) {
		w.priv = priv;
		w.priv_pass = pass;
	}
	c = usm_credential_new(&w, error);
	if (!c)
		fail_msg("%s", error);
	return c;
}

/* ---- keys */

static void check_key(const uint8_t *key, size_t len, const char *wanted)
{
	uint8_t octets[USM_KEY_MAX];

	unhex(wanted, octets);
	assert_true(len >= strlen(wanted) / 2);
	assert_memory_equal(key, octets, strlen(wanted) / 2);
}

/* RFC 3414 A.3, A.5 (the keys that are changed to), draft-reeder-snmpv3-usm-3desede B.1 and B.2 ("-C"); the others, for
 * which no document has examples, are of a second implementation of RFC 7860 and of the drafts, with Python's hashlib. */
static void test_keys(void **state)
{
#define MD5    "526f5eed9fcce26f8964c2930787d82b"
#define SHA1   "6695febc9288e36282235fc7151f128497b38f3f"
#define SHA224 "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674"
#define SHA256 "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"
#define SHA384                                                                                     \
	"3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633" \
	"d2ccba78"
#define SHA512                                                                                     \
	"22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099ad1ea87a8db096714d9788bd" \
	"544047c9021e4229ce27e4c0a69250adfcffbb0b"
	static const struct {
		const char *auth, *priv, *pass, *auth_key, *priv_key;
	} rows[] = {
		{"MD5", NULL, "maplesyrup", MD5, ""},
		{"SHA", NULL, "maplesyrup", SHA1, ""},
		{"MD5", NULL, "newsyrup", "87021d7bd9d101ba05ea6e3bf9d9bd4a", ""},
		{"SHA", NULL, "newsyrup", "78e2dcce79d59403b58c1bbaa5bff46391f1cd25", ""},
		{"SHA-224", NULL, "maplesyrup", SHA224, ""},
		{"SHA-256", NULL, "maplesyrup", SHA256, ""},
		{"SHA-384", NULL, "maplesyrup", SHA384, ""},
		{"SHA-512", NULL, "maplesyrup", SHA512, ""},
		{"MD5", "DES", "maplesyrup", MD5, MD5},
		{"SHA", "AES", "maplesyrup", SHA1, SHA1},
		{"MD5", "AES-192", "maplesyrup", MD5, MD5 "fa24a92467426c2f"},
		{"MD5", "AES-256", "maplesyrup", MD5, MD5 "fa24a92467426c2f4b09192be10dfaec"},
		{"MD5", "AES-192-C", "maplesyrup", MD5, MD5 "79eff44a90650ee0"},
		{"MD5", "AES-256-C", "maplesyrup", MD5, MD5 "79eff44a90650ee0a3a40abfac5acc12"},
		{"SHA", "AES-192", "maplesyrup", SHA1, SHA1 "505e07eb"},
		{"SHA", "AES-256", "maplesyrup", SHA1, SHA1 "505e07eb9af25568fa1f5dbe"},
		{"SHA", "AES-192-C", "maplesyrup", SHA1, SHA1 "9b8b6d78"},
		{"SHA", "AES-256-C", "maplesyrup", SHA1, SHA1 "9b8b6d78936ba6e7d19dfd9c"},
		{"SHA-224", "AES-256", "maplesyrup", SHA224, SHA224 "e82d9bf0"},
		{"SHA-256", "AES-256-C", "maplesyrup", SHA256, SHA256},
		{"SHA-512", "AES-256", "maplesyrup", SHA512, SHA512},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usm_credential *c = credential(rows[i].auth, rows[i].priv, rows[i].pass);
		struct usm_peer p;

		assert_true(usm_peer_is(&p, engine, sizeof(engine)));
		assert_true(usm_localise(c, &p));
		assert_true(p.keyed);
		check_key(p.auth_key, p.auth_key_len, rows[i].auth_key);
		check_key(p.priv_key, p.priv_key_len, rows[i].priv_key);
		usm_credential_free(c);
	}
}

static void test_keys_are_localised_once(void **state)
{
	struct usm_credential *c = credential("SHA-256", "AES", "maplesyrup");
	struct usm_peer p;

	(void)state;
	assert_true(usm_peer_is(&p, engine, sizeof(engine)));
	assert_true(usm_localise(c, &p));
	p.auth_key[0] ^= 1;
	assert_true(usm_localise(c, &p));
	assert_int_equal(p.auth_key[0], 0x88);
	assert_true(usm_peer_is(&p, engine, sizeof(engine))); /* forgets */
	assert_false(p.keyed);
	assert_true(usm_localise(c, &p));
	assert_int_equal(p.auth_key[0], 0x89);
	usm_credential_free(c);
}

/* ---- credentials */

static void test_credentials(void **state)
{
	static const struct {
		struct usm_words words;
		enum usm_level level;
		const char *priv;
	} rows[] = {
		{{.user = "u"}, USM_NO_AUTH_NO_PRIV, ""},
		{{.user = "u", .auth = "SHA", .auth_pass = "12345678"}, USM_AUTH_NO_PRIV, ""},
		{{"u", "SHA", "12345678", "AES-256", "12345678", NULL}, USM_AUTH_PRIV, "AES-256"},
		{{"u", "SHA", "12345678", "AES-256", "12345678", "authNoPriv"},
		 USM_AUTH_NO_PRIV,
		 ""},
		{{"u", "SHA", "12345678", "AES-128", "12345678", "authPriv"}, USM_AUTH_PRIV, "AES"},
		{{"u", "SHA-1", "12345678", NULL, NULL, "noAuthNoPriv"}, USM_NO_AUTH_NO_PRIV, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char error[USM_ERROR_MAX] = "";
		struct usm_credential *c = usm_credential_new(&rows[i].words, error);

		if (!c)
			fail_msg("%s", error);
		assert_string_equal(usm_user(c), "u");
		assert_int_equal(usm_level(c), rows[i].level);
		assert_string_equal(usm_priv_name(c), rows[i].priv);
		usm_credential_free(c);
	}
	usm_credential_free(NULL);
}

static void test_credentials_that_cannot_be(void **state)
{
	static const struct {
		struct usm_words words;
		const char *error;
	} rows[] = {
		{{.user = NULL}, "user: SNMPv3 needs one"},
		{{.user = "a user whose name has 33 octets.."}, "user: it has more than 32 octets"},
		{{.user = "u", .level = "some"},
		 "level: it is noAuthNoPriv, authNoPriv or authPriv"},
		{{.user = "u", .auth_pass = "12345678"},
		 "auth: a passphrase is given but no protocol"},
		{{.user = "u", .level = "authNoPriv"},
		 "auth: the level needs a protocol and auth_pass"},
		{{.user = "u", .auth = "SHA"}, "auth_pass: none is given, and auth needs one"},
		{{.user = "u", .auth = "SHA", .auth_pass = "1234567"},
		 "auth_pass: a passphrase has at least 8 characters"},
		{{.user = "u", .auth = "RSA", .auth_pass = "12345678"},
		 "auth: there is no protocol 'RSA'"},
		{{.user = "u", .priv = "AES", .priv_pass = "12345678"},
		 "auth: the level needs a protocol and auth_pass"},
		{{"u", "SHA", "12345678", NULL, "12345678", NULL},
		 "priv: a passphrase is given but no protocol"},
		{{"u", "SHA", "12345678", NULL, NULL, "authPriv"},
		 "priv: the level needs a protocol and priv_pass"},
		{{"u", "SHA", "12345678", "AES", NULL, NULL},
		 "priv_pass: none is given, and priv needs one"},
		{{"u", "SHA", "12345678", "AES", "1234567", NULL},
		 "priv_pass: a passphrase has at least 8 characters"},
		{{"u", "SHA", "12345678", "AES-512", "12345678", NULL},
		 "priv: there is no protocol 'AES-512'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char error[USM_ERROR_MAX] = "";

		assert_null(usm_credential_new(&rows[i].words, error));
		assert_string_equal(error, rows[i].error);
	}
}

/* Of this library, which `configure` asks for nothing in particular. */
static void test_protocols(void **state)
{
	static const char *const auths[] = {"SHA",     "SHA-1",   "SHA-224",
					    "SHA-256", "SHA-384", "SHA-512"};
	static const char *const privs[] = {"AES", "AES-128"};
	char error[USM_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(auths) / sizeof(auths[0]); i++)
		assert_true(usm_knows(auths[i], NULL, error));
	for (size_t i = 0; i < sizeof(privs) / sizeof(privs[0]); i++)
		assert_true(usm_knows(NULL, privs[i], error));
	assert_true(usm_knows("SHA", "AES", error));
	assert_true(usm_knows(NULL, NULL, error));
	error[0] = '\0';
	assert_false(usm_knows("AES", NULL, error));
	assert_string_equal(error, "auth: there is no protocol 'AES'");
	assert_false(usm_knows("SHA", "AES-25", error)); /* no prefix will do */
	assert_string_equal(error, "priv: there is no protocol 'AES-25'");
	assert_false(usm_knows("SHA-", "AES", error));
}

/* ---- a device */

static void test_engine_ids(void **state)
{
	static const uint8_t id[256] = {0x80};
	static const struct {
		size_t len;
		bool good;
	} rows[] = {{0, false}, {1, false},  {4, false},  {5, true},
		    {32, true}, {33, false}, {255, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usm_peer p = {.engine_id_len = 7, .boots = 3, .keyed = true};

		assert_int_equal(usm_peer_is(&p, id, rows[i].len), rows[i].good);
		assert_int_equal(p.engine_id_len, rows[i].good ? rows[i].len : 7);
		assert_int_equal(p.boots, rows[i].good ? 0 : 3);
		assert_int_equal(p.keyed, !rows[i].good);
	}
	assert_true(sizeof(struct usm_peer) < 256);
}

/* Nothing is signed or encrypted with keys that are not there. */
static void test_no_keys(void **state)
{
	struct usm_credential *c = credential("SHA-256", "AES", "maplesyrup");
	struct usm_credential *plain = credential(NULL, NULL, NULL);
	struct usm_peer p;
	uint8_t octets[64] = {0};
	struct usm_message m = {octets, 64, 1, 2, octets + 8, octets + 40, octets + 48, 24, 8, 16};

	(void)state;
	assert_true(usm_peer_is(&p, engine, sizeof(engine)));
	assert_false(usm_is_authentic(c, &p, &m));
	assert_false(usm_decrypt(c, &p, &m));
	assert_true(usm_localise(c, &p));
	assert_true(usm_decrypt(c, &p, &m));
	assert_false(usm_decrypt(plain, &p, &m));
	assert_false(usm_is_authentic(plain, &p, &m));
	m.data_len = 0;
	assert_false(usm_decrypt(c, &p, &m));
	usm_credential_free(c);
	usm_credential_free(plain);
}

#define SECOND 1000000

static void test_clock(void **state)
{
	static const struct {
		uint32_t boots, time_s;
		int64_t passed_us;
		uint32_t then_boots, then_time_s;
	} rows[] = {
		{3, 100, 0, 3, 100},
		{3, 100, SECOND - 1, 3, 100},
		{3, 100, SECOND, 3, 101},
		{3, 100, INT64_C(86400) * SECOND, 3, 86500},
		{3, 100, -5 * SECOND, 3, 100}, /* nobody's clock goes backwards, but what if */
		{3, USM_TIME_MAX, 0, 3, USM_TIME_MAX},
		{3, USM_TIME_MAX, SECOND, 4, 0},
		{3, USM_TIME_MAX - 10, 15 * SECOND, 4, 4},
		{USM_BOOTS_MAX, USM_TIME_MAX, SECOND, USM_BOOTS_MAX, 0},
		{0, 0, 1000 * SECOND, 0, 0}, /* nothing is known */
		{1, 0, 1000 * SECOND, 1, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usm_peer p = {0};
		uint32_t boots, time_s;

		usm_set_clock(&p, rows[i].boots, rows[i].time_s, 77 * SECOND);
		usm_clock(&p, 77 * SECOND + rows[i].passed_us, &boots, &time_s);
		assert_int_equal(boots, rows[i].then_boots);
		assert_int_equal(time_s, rows[i].then_time_s);
	}
}

/* The peer's clock was 5 boots, 1000 s, and 100 s have passed. */
static void test_window(void **state)
{
	static const struct {
		uint32_t boots, time_s;
		bool in;
	} rows[] = {
		{5, 1100, true},
		{5, 950, true},
		{5, 949, false},
		{5, 0, false},
		{5, 1250, true},
		{5, 99999, true},
		{5, USM_TIME_MAX, true},
		{4, 1100, false},
		{4, 99999, false},
		{0, 0, false},
		{6, 0, true},
		{2147483646, 0, true},
		{USM_BOOTS_MAX, 1100, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usm_peer p = {.synchronised = true};

		usm_set_clock(&p, 5, 1000, SECOND);
		assert_int_equal(usm_in_window(&p, rows[i].boots, rows[i].time_s, 101 * SECOND),
				 rows[i].in);
		p.synchronised = false; /* a guess refuses nothing but the latch */
		assert_int_equal(usm_in_window(&p, rows[i].boots, rows[i].time_s, 101 * SECOND),
				 rows[i].boots != USM_BOOTS_MAX);
	}
}

/* ---- secrets */

#ifdef __linux__

/* How often the octets stand in the memory of this process. They are given inverted, so as not to be found here. */
__attribute__((no_sanitize("address"))) static unsigned count_region(const uint8_t *from,
								     const uint8_t *to,
								     const uint8_t *inverted,
								     size_t len)
{
	unsigned found = 0;

	for (const uint8_t *at = from; at + len <= to; at++) {
		size_t i = 0;

		while (i < len && (at[i] ^ inverted[i]) == 0xff)
			i++;
		found += i == len;
	}
	return found;
}

#define REGION_MAX (64u << 20) /* the sanitizers' shadows are larger */

static unsigned count_everywhere(const uint8_t *inverted, size_t len)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], mode[8];
	unsigned found = 0;
	uintptr_t from, to;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, mode) == 3 &&
		    strcmp(mode, "rw-p") == 0 && to - from <= REGION_MAX)
			found += count_region((const uint8_t *)from, (const uint8_t *)to, inverted,
					      len);
	}
	fclose(maps);
	return found;
}

/* Two passphrases that no literal holds. */
static void make_pass(char *out, size_t len, unsigned step)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (char)('A' + (i * step + step) % 53);
	out[len] = '\0';
}

static void test_no_passphrase_is_kept(void **state)
{
	char auth_pass[25], priv_pass[25], error[USM_ERROR_MAX];
	uint8_t inverted[2][24];
	struct usm_words w = {"user", "SHA-256", auth_pass, "AES", priv_pass, NULL};
	struct usm_credential *c;

	(void)state;
	make_pass(auth_pass, 24, 7);
	make_pass(priv_pass, 24, 11);
	for (size_t i = 0; i < 24; i++) {
		inverted[0][i] = (uint8_t)~auth_pass[i];
		inverted[1][i] = (uint8_t)~priv_pass[i];
	}
	c = usm_credential_new(&w, error);
	assert_non_null(c);
	assert_true(count_everywhere(inverted[0], 16) > 0); /* the search works */
	mem_wipe(auth_pass, sizeof(auth_pass));
	mem_wipe(priv_pass, sizeof(priv_pass));
	assert_int_equal(count_everywhere(inverted[0], 16), 0);
	assert_int_equal(count_everywhere(inverted[1], 16), 0);
	usm_credential_free(c);
}

static void test_keys_are_wiped(void **state)
{
	/* Ku of "maplesyrup" with MD5 and its key for `engine` (RFC 3414 A.3.1), inverted */
	static const uint8_t ku[] = {0x60, 0x50, 0xcd, 0x7c, 0x77, 0xb1, 0x6d, 0x7c,
				     0xb1, 0x43, 0x67, 0xb8, 0x27, 0x12, 0x26, 0x9c};
	static const uint8_t kul[] = {0xad, 0x90, 0xa1, 0x12, 0x60, 0x33, 0x1d, 0x90,
				      0x76, 0x9b, 0x3d, 0x6c, 0xf8, 0x78, 0x27, 0xd4};
	struct usm_credential *c = credential("MD5", "DES", "maplesyrup");
	struct usm_slot *slot = usm_slot_new();
	struct usm_peer p;

	(void)state;
	assert_true(usm_peer_is(&p, engine, sizeof(engine)));
	assert_true(usm_localise(c, &p));
	assert_int_equal(count_everywhere(ku, sizeof(ku)), 2);
	assert_int_equal(count_everywhere(kul, sizeof(kul)), 2);
	usm_slot_take(slot, c, &p, 0);
	assert_int_equal(count_everywhere(kul, sizeof(kul)), 4);
	usm_slot_leave(slot);
	assert_int_equal(count_everywhere(kul, sizeof(kul)), 2);
	usm_peer_wipe(&p);
	assert_int_equal(count_everywhere(kul, sizeof(kul)), 0);
	usm_credential_free(c);
	assert_int_equal(count_everywhere(ku, sizeof(ku)), 0);
	usm_slot_free(slot);
}

#endif

static int start_library(void **state)
{
	(void)state;
	pdu_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_keys_are_localised_once),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_credentials_that_cannot_be),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_engine_ids),
		cmocka_unit_test(test_no_keys),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_window),
#ifdef __linux__
		cmocka_unit_test(test_no_passphrase_is_kept),
		cmocka_unit_test(test_keys_are_wiped),
#endif
	};

	return cmocka_run_group_tests(tests, start_library, NULL);
}

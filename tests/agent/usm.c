#include "usm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	USERS_MAX = 128,
	PASSPHRASE_MIN = 8,    /* RFC 3414 §11.2 */
	STRETCHED = 1048576,   /* octets of a repeated passphrase, RFC 3414 §A.2 */
	CACHE_SLOTS = 1 << 16, /* ten thousand agents hardly meet in it */
	TEXT_MAX = 512,
	FIELDS = 5
};

struct slot {
	const struct usm_user *user;
	uint8_t engine_len;
	uint8_t engine[ENGINE_ID_LEGAL];
	struct usm_keys keys;
};

struct usm {
	struct crypto *crypto;
	struct usm_user users[USERS_MAX];
	size_t n_users;
	struct slot *cache; /* CACHE_SLOTS; calloc gives pages only to what is touched */
	struct slot longer; /* of an engine ID that no slot holds */
	uint8_t *stretched; /* STRETCHED octets */
};

static const struct {
	const char *name;
	size_t digest_len;
} auths[AUTHS] = {
	{"none", 0},     {"MD5", 12},     {"SHA-1", 12},   {"SHA-224", 16},
	{"SHA-256", 24}, {"SHA-384", 32}, {"SHA-512", 48},
};

/* key_len: octets of the localised key that are used (DES: the key and the pre-IV) */
static const struct {
	const char *name;
	size_t key_len;
	bool reeder;
} privs[PRIVS] = {
	{"none", 0, false},      {"DES", 16, false},     {"AES-128", 16, false},
	{"AES-192", 24, false},  {"AES-256", 32, false}, {"AES-192-C", 24, true},
	{"AES-256-C", 32, true},
};

struct usm *usm_new(void)
{
	struct usm *usm = calloc(1, sizeof *usm);

	if (!usm)
		return NULL;
	usm->crypto = crypto_new();
	usm->cache = calloc(CACHE_SLOTS, sizeof *usm->cache);
	usm->stretched = malloc(STRETCHED);
	if (usm->crypto && usm->cache && usm->stretched)
		return usm;
	usm_free(usm);
	return NULL;
}

void usm_free(struct usm *usm)
{
	if (!usm)
		return;
	crypto_free(usm->crypto);
	free(usm->cache);
	free(usm->stretched);
	free(usm);
}

struct crypto *usm_crypto(const struct usm *usm)
{
	return usm->crypto;
}

size_t usm_digest_len(enum auth auth)
{
	return auths[auth].digest_len;
}

/* RFC 3414 §A.2: a passphrase repeated to a mebibyte, and hashed. */
static void passphrase_to_ku(struct usm *usm, enum auth auth, const struct crypto_text *passphrase,
			     uint8_t ku[HASH_MAX])
{
	for (size_t at = 0; at < STRETCHED; at++)
		usm->stretched[at] = passphrase->in[at % passphrase->len];
	crypto_hash(usm->crypto, auth, usm->stretched, STRETCHED, ku);
}

/* RFC 3414 §2.6: Kul = H(Ku || snmpEngineID || Ku) */
static void localise(struct usm *usm, enum auth auth, const uint8_t ku[HASH_MAX],
		     const struct engine_id *engine, uint8_t kul[HASH_MAX])
{
	uint8_t text[2 * HASH_MAX + ENGINE_ID_MAX];
	size_t len = crypto_hash_len(auth);

	memcpy(text, ku, len);
	memcpy(text + len, engine->octets, engine->len);
	memcpy(text + len + engine->len, ku, len);
	crypto_hash(usm->crypto, auth, text, 2 * len + engine->len, kul);
}

/*
 * What a hash lacks of a long key: its own hash (draft-blumenthal-aes-usm-04 §3.1.2.1), or what the localised key
 * becomes as a passphrase (draft-reeder-snmpv3-usm-3desede-00 §2.1). Once is enough: the shortest hash is half of
 * the longest key.
 */
static void extend(struct usm *usm, const struct usm_user *user, const struct engine_id *engine,
		   const uint8_t kul[HASH_MAX], uint8_t more[HASH_MAX])
{
	struct crypto_text passphrase = {.in = kul, .len = crypto_hash_len(user->auth)};
	uint8_t ku[HASH_MAX];

	if (!privs[user->priv].reeder) {
		crypto_hash(usm->crypto, user->auth, kul, passphrase.len, more);
		return;
	}
	passphrase_to_ku(usm, user->auth, &passphrase, ku);
	localise(usm, user->auth, ku, engine, more);
}

static void make_keys(struct usm *usm, const struct usm_user *user, const struct engine_id *engine,
		      struct usm_keys *keys)
{
	size_t have = crypto_hash_len(user->auth), want = privs[user->priv].key_len;
	uint8_t kul[2 * HASH_MAX];

	if (user->auth == AUTH_NONE)
		return;
	localise(usm, user->auth, user->auth_ku, engine, keys->auth);
	if (user->priv == PRIV_NONE)
		return;
	localise(usm, user->auth, user->priv_ku, engine, kul);
	if (have < want)
		extend(usm, user, engine, kul, kul + have);
	memcpy(keys->priv, kul, want);
}

static size_t slot_of(const struct usm_user *user, const struct engine_id *engine)
{
	uint64_t sum = (uintptr_t)user;

	for (size_t i = 0; i < engine->len; i++)
		sum = (sum ^ engine->octets[i]) * 0x100000001b3ull; /* FNV-1a */
	return (sum ^ sum >> 32) % CACHE_SLOTS;
}

const struct usm_keys *usm_keys(struct usm *usm, const struct usm_user *user,
				const struct engine_id *engine)
{
	if (engine->len > ENGINE_ID_LEGAL) {
		make_keys(usm, user, engine, &usm->longer.keys);
		return &usm->longer.keys;
	}
	struct slot *slot = &usm->cache[slot_of(user, engine)];
	if (slot->user == user && slot->engine_len == engine->len &&
	    memcmp(slot->engine, engine->octets, engine->len) == 0)
		return &slot->keys;
	slot->user = user;
	slot->engine_len = (uint8_t)engine->len;
	memcpy(slot->engine, engine->octets, engine->len);
	make_keys(usm, user, engine, &slot->keys);
	return &slot->keys;
}

const struct usm_user *usm_find(const struct usm *usm, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < usm->n_users; i++)
		if (strlen(usm->users[i].name) == len && memcmp(usm->users[i].name, name, len) == 0)
			return &usm->users[i];
	return NULL;
}

/* Cuts text at its colons into at most FIELDS; returns how many there are. */
static size_t cut(char *text, char *fields[FIELDS])
{
	size_t n = 0;

	for (char *at = text; at && n < FIELDS; n++) {
		fields[n] = at;
		at = n + 1 < FIELDS ? strchr(at, ':') : NULL;
		if (at)
			*at++ = '\0';
	}
	return n;
}

static bool set_auth(struct usm *usm, struct usm_user *user, const char *name, const char *pass)
{
	struct crypto_text passphrase = {.in = (const uint8_t *)pass, .len = strlen(pass)};

	for (enum auth auth = AUTH_NONE + 1; auth < AUTHS; auth++)
		if (strcmp(auths[auth].name, name) == 0)
			user->auth = auth;
	if (user->auth == AUTH_NONE || !crypto_has_auth(usm->crypto, user->auth))
		return false;
	passphrase_to_ku(usm, user->auth, &passphrase, user->auth_ku);
	return true;
}

static bool set_priv(struct usm *usm, struct usm_user *user, const char *name, const char *pass)
{
	struct crypto_text passphrase = {.in = (const uint8_t *)pass, .len = strlen(pass)};

	for (enum priv priv = PRIV_NONE + 1; priv < PRIVS; priv++)
		if (strcmp(privs[priv].name, name) == 0)
			user->priv = priv;
	if (user->priv == PRIV_NONE || !crypto_has_priv(usm->crypto, user->priv))
		return false;
	passphrase_to_ku(usm, user->auth, &passphrase, user->priv_ku);
	return true;
}

/* What is wrong with a user's fields; NULL: nothing, and he is set. */
static const char *set_user(struct usm *usm, struct usm_user *user, char *fields[FIELDS], size_t n)
{
	size_t len = strlen(fields[0]);

	if (n == 2 || n == 4 || len == 0 || len > USER_NAME_MAX)
		return "NAME[:AUTH:PASSPHRASE[:PRIV:PASSPHRASE]] is wanted";
	if ((n >= 3 && strlen(fields[2]) < PASSPHRASE_MIN) ||
	    (n >= 5 && strlen(fields[4]) < PASSPHRASE_MIN))
		return "a passphrase has 8 octets at least";
	memcpy(user->name, fields[0], len);
	if (n >= 3 && !set_auth(usm, user, fields[1], fields[2]))
		return "MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512 is wanted, and a "
		       "libcrypto that has it";
	if (n >= 5 && !set_priv(usm, user, fields[3], fields[4]))
		return "DES, AES-128, AES-192, AES-256, AES-192-C or AES-256-C is wanted, and a "
		       "libcrypto that has it "
		       "(DES: its legacy provider)";
	return NULL;
}

bool usm_add(struct usm *usm, const char *text, char *message, size_t size)
{
	struct usm_user user = {.auth = AUTH_NONE, .priv = PRIV_NONE};
	char copy[TEXT_MAX], *fields[FIELDS];
	const char *wrong = "there is no room for so long a line, or so many users";

	if (strlen(text) < sizeof copy && usm->n_users < USERS_MAX) {
		memcpy(copy, text, strlen(text) + 1);
		wrong = set_user(usm, &user, fields, cut(copy, fields));
	}
	if (wrong) {
		snprintf(message, size, "%s", wrong);
		return false;
	}
	usm->users[usm->n_users++] = user;
	return true;
}

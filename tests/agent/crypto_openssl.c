/*
 * Algorithms are fetched once, contexts are used again and again: what is left per message is the key schedule and the
 * work itself. A context per key would spare the schedule, and cost a kilobyte for each of ten thousand agents.
 *
 * An algorithm that this libcrypto has not (MD5 where a policy forbids it, DES without the legacy provider) is NULL
 * here; a user who needs it is refused at the start, so the calls below cannot fail.
 */
#include "crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>

struct crypto {
	OSSL_PROVIDER *standard, *legacy;
	EVP_MAC *hmac;
	EVP_MD *md[AUTHS];
	EVP_MAC_CTX *mac[AUTHS];
	EVP_CIPHER *cipher[PRIVS];
	EVP_CIPHER_CTX *encrypt[PRIVS], *decrypt[PRIVS];
	EVP_MD_CTX *hash;
};

static const struct {
	const char *name;
	size_t len;
} hashes[AUTHS] = {
	{NULL, 0},      {"MD5", 16},    {"SHA1", 20},   {"SHA224", 28},
	{"SHA256", 32}, {"SHA384", 48}, {"SHA512", 64},
};

static const char *const ciphers[PRIVS] = {
	NULL, "DES-CBC", "AES-128-CFB", "AES-192-CFB", "AES-256-CFB", "AES-192-CFB", "AES-256-CFB",
};

static EVP_MAC_CTX *new_mac(struct crypto *crypto, enum auth auth)
{
	char name[8];
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(crypto->hmac);

	snprintf(name, sizeof name, "%s", hashes[auth].name);
	const OSSL_PARAM digest[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end()};
	if (mac && EVP_MAC_CTX_set_params(mac, digest))
		return mac;
	EVP_MAC_CTX_free(mac);
	return NULL;
}

static EVP_CIPHER_CTX *new_cipher(struct crypto *crypto, enum priv priv, int encrypt)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	if (context &&
	    EVP_CipherInit_ex(context, crypto->cipher[priv], NULL, NULL, NULL, encrypt)) {
		EVP_CIPHER_CTX_set_padding(context, 0);
		return context;
	}
	EVP_CIPHER_CTX_free(context);
	return NULL;
}

static void fetch(struct crypto *crypto)
{
	for (enum auth auth = AUTH_NONE + 1; auth < AUTHS; auth++) {
		crypto->md[auth] = EVP_MD_fetch(NULL, hashes[auth].name, NULL);
		if (crypto->md[auth])
			crypto->mac[auth] = new_mac(crypto, auth);
	}
	for (enum priv priv = PRIV_NONE + 1; priv < PRIVS; priv++) {
		crypto->cipher[priv] = EVP_CIPHER_fetch(NULL, ciphers[priv], NULL);
		if (!crypto->cipher[priv])
			continue;
		crypto->encrypt[priv] = new_cipher(crypto, priv, 1);
		crypto->decrypt[priv] = new_cipher(crypto, priv, 0);
	}
}

struct crypto *crypto_new(void)
{
	struct crypto *crypto = calloc(1, sizeof *crypto);

	if (!crypto)
		return NULL;
	crypto->legacy = OSSL_PROVIDER_load(NULL, "legacy");
	crypto->standard = OSSL_PROVIDER_load(NULL, "default");
	crypto->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	crypto->hash = EVP_MD_CTX_new();
	if (!crypto->hmac || !crypto->hash) {
		crypto_free(crypto);
		return NULL;
	}
	fetch(crypto);
	return crypto;
}

void crypto_free(struct crypto *crypto)
{
	if (!crypto)
		return;
	for (enum auth auth = 0; auth < AUTHS; auth++) {
		EVP_MAC_CTX_free(crypto->mac[auth]);
		EVP_MD_free(crypto->md[auth]);
	}
	for (enum priv priv = 0; priv < PRIVS; priv++) {
		EVP_CIPHER_CTX_free(crypto->encrypt[priv]);
		EVP_CIPHER_CTX_free(crypto->decrypt[priv]);
		EVP_CIPHER_free(crypto->cipher[priv]);
	}
	EVP_MD_CTX_free(crypto->hash);
	EVP_MAC_free(crypto->hmac);
	if (crypto->legacy)
		OSSL_PROVIDER_unload(crypto->legacy);
	if (crypto->standard)
		OSSL_PROVIDER_unload(crypto->standard);
	free(crypto);
}

bool crypto_has_auth(const struct crypto *crypto, enum auth auth)
{
	return crypto->mac[auth] != NULL;
}

bool crypto_has_priv(const struct crypto *crypto, enum priv priv)
{
	return crypto->encrypt[priv] && crypto->decrypt[priv];
}

size_t crypto_hash_len(enum auth auth)
{
	return hashes[auth].len;
}

void crypto_hash(struct crypto *crypto, enum auth auth, const void *bytes, size_t len,
		 uint8_t hash[HASH_MAX])
{
	EVP_DigestInit_ex(crypto->hash, crypto->md[auth], NULL);
	EVP_DigestUpdate(crypto->hash, bytes, len);
	EVP_DigestFinal_ex(crypto->hash, hash, NULL);
}

void crypto_hmac(struct crypto *crypto, enum auth auth, const struct crypto_text *text,
		 uint8_t hash[HASH_MAX])
{
	EVP_MAC_CTX *mac = crypto->mac[auth];
	size_t len;

	EVP_MAC_init(mac, text->key, hashes[auth].len, NULL);
	EVP_MAC_update(mac, text->in, text->len);
	EVP_MAC_final(mac, hash, &len, HASH_MAX);
}

static void run_cipher(EVP_CIPHER_CTX *context, const struct crypto_text *text)
{
	int len;

	EVP_CipherInit_ex(context, NULL, NULL, text->key, text->iv, -1);
	EVP_CipherUpdate(context, text->out, &len, text->in, (int)text->len);
}

void crypto_encrypt(struct crypto *crypto, enum priv priv, const struct crypto_text *text)
{
	run_cipher(crypto->encrypt[priv], text);
}

void crypto_decrypt(struct crypto *crypto, enum priv priv, const struct crypto_text *text)
{
	run_cipher(crypto->decrypt[priv], text);
}

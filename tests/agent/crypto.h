/*
 * The hashes and ciphers of USM, by OpenSSL's libcrypto (crypto_openssl.c); without it there are none
 * (crypto_none.c). The build takes one of the two files.
 */
#ifndef AGENT_CRYPTO_H
#define AGENT_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum auth { /* RFC 3414 §6, §7; RFC 7860 */
	AUTH_NONE,
	AUTH_MD5,
	AUTH_SHA1,
	AUTH_SHA224,
	AUTH_SHA256,
	AUTH_SHA384,
	AUTH_SHA512,
	AUTHS
};

enum priv { /* RFC 3414 §8; RFC 3826; draft-blumenthal-aes-usm-04; _C: draft-reeder-snmpv3-usm-3desede-00 */
	PRIV_NONE,
	PRIV_DES,
	PRIV_AES128,
	PRIV_AES192,
	PRIV_AES256,
	PRIV_AES192_C,
	PRIV_AES256_C,
	PRIVS
};

enum {
	HASH_MAX = 64,
	IV_MAX = 16
}; /* octets */

struct crypto;

/* NULL when out of memory. Reads OpenSSL's configuration. */
struct crypto *crypto_new(void);
void crypto_free(struct crypto *crypto);
/* Whether it can be had. DES lies in OpenSSL's legacy provider, which not every system has. */
bool crypto_has_auth(const struct crypto *crypto, enum auth auth);
bool crypto_has_priv(const struct crypto *crypto, enum priv priv);

/* Octets of a hash. */
size_t crypto_hash_len(enum auth auth);
void crypto_hash(struct crypto *crypto, enum auth auth, const void *bytes, size_t len,
		 uint8_t hash[HASH_MAX]);

struct crypto_text {
	const uint8_t *key;
	uint8_t iv[IV_MAX];
	const uint8_t *in;
	uint8_t *out;
	size_t len; /* of in and out; for DES it divides by 8 */
};

/* HMAC, not truncated; the key has the length of a hash. text: in and len are used, and its key. */
void crypto_hmac(struct crypto *crypto, enum auth auth, const struct crypto_text *text,
		 uint8_t hash[HASH_MAX]);
/* CFB for AES, CBC for DES. */
void crypto_encrypt(struct crypto *crypto, enum priv priv, const struct crypto_text *text);
void crypto_decrypt(struct crypto *crypto, enum priv priv, const struct crypto_text *text);

#endif

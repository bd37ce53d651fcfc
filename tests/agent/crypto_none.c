/* Without libcrypto: no hash, no cipher; no user can be had but those who do without. */
#include "crypto.h"

#include <stdlib.h>
#include <string.h>

struct crypto {
	int unused;
};

struct crypto *crypto_new(void)
{
	return calloc(1, sizeof(struct crypto));
}

void crypto_free(struct crypto *crypto)
{
	free(crypto);
}

bool crypto_has_auth(const struct crypto *crypto, enum auth auth)
{
	(void)crypto, (void)auth;
	return false;
}

bool crypto_has_priv(const struct crypto *crypto, enum priv priv)
{
	(void)crypto, (void)priv;
	return false;
}

size_t crypto_hash_len(enum auth auth)
{
	(void)auth;
	return 0;
}

/* None of these is reached: no user was accepted who needs them. */

void crypto_hash(struct crypto *crypto, enum auth auth, const void *bytes, size_t len,
		 uint8_t hash[HASH_MAX])
{
	(void)crypto, (void)auth, (void)bytes, (void)len;
	memset(hash, 0, HASH_MAX);
}

void crypto_hmac(struct crypto *crypto, enum auth auth, const struct crypto_text *text,
		 uint8_t hash[HASH_MAX])
{
	(void)crypto, (void)auth, (void)text;
	memset(hash, 0, HASH_MAX);
}

void crypto_encrypt(struct crypto *crypto, enum priv priv, const struct crypto_text *text)
{
	(void)crypto, (void)priv;
	memset(text->out, 0, text->len);
}

void crypto_decrypt(struct crypto *crypto, enum priv priv, const struct crypto_text *text)
{
	crypto_encrypt(crypto, priv, text);
}

/*
 * The users of all agents and their keys (User-based Security Model, RFC 3414).
 *
 * A passphrase becomes Ku once, at the start. Ku becomes the key of one engine (Kul) when it is first needed, and is kept
 * in a table of fixed size in which a newcomer takes the place of whoever was there.
 */
#ifndef AGENT_USM_H
#define AGENT_USM_H

#include "crypto.h"

enum {
	USER_NAME_MAX = 32, /* RFC 3414 §2.4 */
	ENGINE_ID_LEGAL = 32,
	ENGINE_ID_MAX = 255, /* for agents that break the rules */
	SALT_LEN = 8,
	PRIV_KEY_MAX = 32,
	DIGEST_MAX = 48 /* octets on the wire */
};

enum level { /* securityLevel (RFC 3411 §3.4.3) */
	NO_AUTH = 1,
	AUTH_NO_PRIV = 2,
	AUTH_PRIV = 3
};

/* A name in its octets. */
struct engine_id {
	size_t len;
	uint8_t octets[ENGINE_ID_MAX];
};

struct usm_user {
	char name[USER_NAME_MAX + 1];
	enum auth auth;
	enum priv priv;
	uint8_t auth_ku[HASH_MAX], priv_ku[HASH_MAX];
};

/* Of one user at one engine. */
struct usm_keys {
	uint8_t auth[HASH_MAX];
	uint8_t priv[PRIV_KEY_MAX];
};

struct usm;

struct usm *usm_new(void);
void usm_free(struct usm *usm);
/* NAME, NAME:AUTH:PASSPHRASE or NAME:AUTH:PASSPHRASE:PRIV:PASSPHRASE. On failure false, and why in message. */
bool usm_add(struct usm *usm, const char *text, char *message, size_t size);
/* NULL: there is none of that name. */
const struct usm_user *usm_find(const struct usm *usm, const uint8_t *name, size_t len);
/* Valid until the next call. */
const struct usm_keys *usm_keys(struct usm *usm, const struct usm_user *user,
				const struct engine_id *engine);

/* Octets of a digest on the wire (RFC 3414 §6.3.1, RFC 7860 §4.1). */
size_t usm_digest_len(enum auth auth);
struct crypto *usm_crypto(const struct usm *usm);

#endif

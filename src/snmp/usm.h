/*
 * usm - who asks whom, SNMPv3: credentials, what is known of a device's engine, and the library's one
 * user switched to them (User-based Security Model: RFC 3414, 3826, 7860).
 *
 * Keys, boots and time belong to the target (struct usm_peer), never to an engine ID: two devices with
 * the same one, or the same user with other keys, do not meet.
 */
#ifndef SNMP_USM_H
#define SNMP_USM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/profile.h"

#define USM_ERROR_MAX 200
#define USM_KEY_MAX   64 /* octets of a localised key: SHA-512's */

struct usm_words { /* as written (plan/settings.h has the words); NULL: not set */
	const char *user, *auth, *auth_pass, *priv, *priv_pass;
	const char *level; /* NULL: the highest that the others allow */
};

/* NULL: error says what the library at hand was built without, or that a passphrase is too short
 * (RFC 3414 §11.2: 8). Derives Ku (some ms a passphrase); keeps no passphrase. In the master, before the fork. */
struct usm_credential *usm_credential_new(const struct usm_words *w, char error[USM_ERROR_MAX]);
void usm_credential_free(struct usm_credential *c); /* wipes the keys; NULL is good */
/* Whether `auth` or `priv` (as written) can be had of the library; words for a person if not. */
bool usm_knows(const char *auth, const char *priv, char error[USM_ERROR_MAX]);
bool usm_knows_tsm(char error[USM_ERROR_MAX]); /* the model over DTLS and TLS (RFC 5591) */

enum usm_level { /* securityLevel (RFC 3411 §3.4.3) */
	USM_NO_AUTH_NO_PRIV = 1,
	USM_AUTH_NO_PRIV = 2,
	USM_AUTH_PRIV = 3
};
enum usm_level usm_level(const struct usm_credential *c);
const char *usm_user(const struct usm_credential *c);
const char *usm_priv_name(const struct usm_credential *c); /* "AES-256", "" when there is none */
/* Whether the digest is too short for a key of privacy, which is then made longer, in one of two ways. */
bool usm_extends_key(const struct usm_credential *c);

/* A target's authoritative engine. {0} is one of which nothing is known. */
struct usm_peer {
	uint8_t engine_id[ENGINE_ID_MAX];
	uint8_t engine_id_len; /* 0: to be discovered */
	bool keyed;            /* keys are localised to engine_id */
	bool synchronised;     /* boots and time come from an authenticated message */
	uint32_t boots;        /* snmpEngineBoots */
	uint32_t time_s;       /* snmpEngineTime at stamp_us */
	int64_t stamp_us;      /* loop_clock_us() */
	uint8_t auth_key[USM_KEY_MAX], priv_key[USM_KEY_MAX];
	uint8_t auth_key_len, priv_key_len;
};
/* Takes an engine ID; false: not of 5 to 32 octets. Forgets the rest of what was known. */
bool usm_peer_is(struct usm_peer *p, const uint8_t *id, size_t len);
void usm_peer_wipe(struct usm_peer *p);

/* ---- for the codec */

#define USM_BOOTS_MAX 2147483647 /* RFC 3414 §2.2.2: latched */
#define USM_TIME_MAX  2147483647
#define USM_WINDOW_S  150 /* RFC 3414 §2.2.3 */

/* Localises the credential's keys to the engine, unless the peer is keyed. False: the library cannot. Takes a
 * microsecond; AES-192-C and AES-256-C with a hash shorter than the key: some ms. */
bool usm_localise(const struct usm_credential *c, struct usm_peer *p);

/* The library's one user, switched to a peer that is keyed for the time of one snmp_build(). Making one draws new salts:
 * each worker makes its own, after the fork, for two that share them (RFC 3414 §8.1.1.1, RFC 3826 §3.1.2.1)
 * emit the same keystream. */
struct usm_slot;
struct usm_slot *usm_slot_new(void);
void usm_slot_free(struct usm_slot *s);
void usm_slot_take(struct usm_slot *s, const struct usm_credential *c, const struct usm_peer *p,
		   int64_t now_us);
void usm_slot_leave(struct usm_slot *s); /* nothing of the peer stays in the library */

/* What the peer's clock is believed to show. */
void usm_clock(const struct usm_peer *p, int64_t now_us, uint32_t *boots, uint32_t *time_s);
void usm_set_clock(struct usm_peer *p, uint32_t boots, uint32_t time_s, int64_t now_us);
/* RFC 3414 §3.2 step 7b, for an authenticated message that says it was sent then. */
bool usm_in_window(const struct usm_peer *p, uint32_t boots, uint32_t time_s, int64_t now_us);

struct usm_message { /* as it came; the pointers lie inside octets */
	uint8_t *octets;
	size_t len;
	uint32_t boots, time_s;
	uint8_t *digest, *salt, *data;
	size_t digest_len, salt_len, data_len;
};
/* Whether the digest is right; blanks it. */
bool usm_is_authentic(const struct usm_credential *c, const struct usm_peer *p,
		      const struct usm_message *m);
/* Decrypts data in place. False: it cannot be what the peer encrypted (RFC 3414 §8.3.2, RFC 3826 §3.3.2). */
bool usm_decrypt(const struct usm_credential *c, const struct usm_peer *p,
		 const struct usm_message *m);

#endif

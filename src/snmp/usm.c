/*
 * Credentials and keys (RFC 3414 §2.6, A.2; RFC 7860 §9.3; draft-blumenthal-aes-usm-04 §3.1.2).
 *
 * The problem: a passphrase becomes a key by hashing a megabyte of it, which takes milliseconds; and each device wants
 * the key in a form of its own. A poller that does either again and again does little else.
 *
 * The design: usm_credential_new() derives Ku once, in the master, and forgets the passphrase; the workers inherit the
 * credential through the fork. usm_localise() makes a device's keys (a microsecond) and leaves them with the target.
 *
 * Rejected: the library's users, one for each device: it looks for a user by walking a list.
 *
 * The traps: generate_Ku() wants room for the longest hash there is, whatever the protocol. The privacy key is derived
 * with the hash of the authentication protocol, and when it is too short for the cipher there are two ways to
 * extend it; the one of "-C" (Reeder) hashes a megabyte again, for each device: milliseconds.
 */
#include "snmp/usm_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define PASS_MIN      8  /* RFC 3414 §11.2 */
#define USER_MAX      32 /* RFC 3414 §5: usmUserName */
#define ENGINE_ID_MIN 5  /* RFC 3411 §5: SnmpEngineID */

static bool fail(char error[USM_ERROR_MAX], const char *words)
{
	snprintf(error, USM_ERROR_MAX, "%s", words);
	return false;
}

static bool derive(const char *key, const struct usm_protocol *hash, const char *pass,
		   struct usm_ku *out, char error[USM_ERROR_MAX])
{
	size_t len = strlen(pass);

	if (len < PASS_MIN) {
		snprintf(error, USM_ERROR_MAX, "%s: a passphrase has at least %d characters", key,
			 PASS_MIN);
		return false;
	}
	out->len = sizeof(out->octets);
	if (generate_Ku(hash->oid, (u_int)hash->oid_len, (const u_char *)pass, len, out->octets,
			&out->len) == SNMPERR_SUCCESS)
		return true;
	snprintf(error, USM_ERROR_MAX, "%s: no key can be derived with %s", key, hash->name);
	return false;
}

static bool set_auth(struct usm_credential *c, const struct usm_words *w, char error[USM_ERROR_MAX])
{
	if (!w->auth)
		return fail(error, w->auth_pass ? "auth: a passphrase is given but no protocol"
						: "auth: the level needs a protocol and auth_pass");
	if (!w->auth_pass)
		return fail(error, "auth_pass: none is given, and auth needs one");
	return usm_find_auth(w->auth, &c->auth, error) &&
	       derive("auth_pass", &c->auth, w->auth_pass, &c->auth_ku, error);
}

static bool set_priv(struct usm_credential *c, const struct usm_words *w, char error[USM_ERROR_MAX])
{
	if (!w->priv)
		return fail(error, w->priv_pass ? "priv: a passphrase is given but no protocol"
						: "priv: the level needs a protocol and priv_pass");
	if (!w->priv_pass)
		return fail(error, "priv_pass: none is given, and priv needs one");
	return usm_find_priv(w->priv, &c->priv, error) &&
	       derive("priv_pass", &c->auth, w->priv_pass, &c->priv_ku, error);
}

static bool set_level(struct usm_credential *c, const struct usm_words *w,
		      char error[USM_ERROR_MAX])
{
	if (!w->level)
		c->level = w->priv || w->priv_pass   ? USM_AUTH_PRIV
			   : w->auth || w->auth_pass ? USM_AUTH_NO_PRIV
						     : USM_NO_AUTH_NO_PRIV;
	else if (strcmp(w->level, "noAuthNoPriv") == 0)
		c->level = USM_NO_AUTH_NO_PRIV;
	else if (strcmp(w->level, "authNoPriv") == 0)
		c->level = USM_AUTH_NO_PRIV;
	else if (strcmp(w->level, "authPriv") == 0)
		c->level = USM_AUTH_PRIV;
	else
		return fail(error, "level: it is noAuthNoPriv, authNoPriv or authPriv");
	return true;
}

static bool set_all(struct usm_credential *c, const struct usm_words *w, char error[USM_ERROR_MAX])
{
	if (!w->user || strlen(w->user) > USER_MAX)
		return fail(error, w->user ? "user: it has more than 32 octets"
					   : "user: SNMPv3 needs one");
	c->user = mem_strdup(w->user);
	c->user_len = strlen(w->user);
	if (!set_level(c, w, error))
		return false;
	if (c->level >= USM_AUTH_NO_PRIV && !set_auth(c, w, error))
		return false;
	return c->level < USM_AUTH_PRIV || set_priv(c, w, error);
}

struct usm_credential *usm_credential_new(const struct usm_words *w, char error[USM_ERROR_MAX])
{
	struct usm_credential *c = mem_zero(1, sizeof(*c));

	if (set_all(c, w, error))
		return c;
	usm_credential_free(c);
	return NULL;
}

void usm_credential_free(struct usm_credential *c)
{
	if (!c)
		return;
	free(c->user);
	mem_wipe(c, sizeof(*c));
	free(c);
}

enum usm_level usm_level(const struct usm_credential *c)
{
	return c->level;
}

const char *usm_user(const struct usm_credential *c)
{
	return c->user;
}

const char *usm_priv_name(const struct usm_credential *c)
{
	return c->priv.name ? c->priv.name : "";
}

bool usm_extends_key(const struct usm_credential *c)
{
	return c->level == USM_AUTH_PRIV && c->priv.key_len > c->auth.key_len;
}

/* ---- a device */

bool usm_peer_is(struct usm_peer *p, const uint8_t *id, size_t len)
{
	if (len < ENGINE_ID_MIN || len > ENGINE_ID_MAX)
		return false;
	usm_peer_wipe(p);
	memcpy(p->engine_id, id, len);
	p->engine_id_len = (uint8_t)len;
	return true;
}

void usm_peer_wipe(struct usm_peer *p)
{
	mem_wipe(p, sizeof(*p));
}

static bool localise(const struct usm_protocol *hash, const struct usm_ku *ku,
		     const struct usm_peer *p, struct usm_ku *out)
{
	out->len = sizeof(out->octets);
	return generate_kul(hash->oid, (u_int)hash->oid_len, p->engine_id, p->engine_id_len,
			    ku->octets, ku->len, out->octets, &out->len) == SNMPERR_SUCCESS;
}

/* Where the hash is shorter than the cipher's key. */
static bool extend(const struct usm_credential *c, struct usm_peer *p, struct usm_ku *key)
{
	u_char *octets = key->octets; /* stays there: it is long enough */

	return netsnmp_extend_kul((u_int)c->priv.key_len, c->auth.oid, (u_int)c->auth.oid_len,
				  c->priv.type, p->engine_id, p->engine_id_len, &octets, &key->len,
				  sizeof(key->octets)) == SNMPERR_SUCCESS &&
	       key->len >= c->priv.key_len;
}

static void keep(const struct usm_ku *from, uint8_t *octets, uint8_t *len)
{
	memcpy(octets, from->octets, from->len);
	*len = (uint8_t)from->len;
}

/* generate_kul() leaves two copies of Ku in a buffer on its stack, where this one lies. */
static __attribute__((noinline)) void wipe_stack(void)
{
	uint8_t below[2 * SNMP_MAXBUF];

	mem_wipe(below, sizeof(below));
}

static bool make_keys(const struct usm_credential *c, struct usm_peer *p)
{
	struct usm_ku key;
	bool done = true;

	if (c->level >= USM_AUTH_NO_PRIV) {
		done = localise(&c->auth, &c->auth_ku, p, &key);
		if (done)
			keep(&key, p->auth_key, &p->auth_key_len);
	}
	if (done && c->level == USM_AUTH_PRIV) {
		done = localise(&c->auth, &c->priv_ku, p, &key) && extend(c, p, &key);
		if (done)
			keep(&key, p->priv_key, &p->priv_key_len);
	}
	mem_wipe(&key, sizeof(key));
	return done;
}

bool usm_localise(const struct usm_credential *c, struct usm_peer *p)
{
	if (p->keyed)
		return true;
	p->keyed = make_keys(c, p);
	wipe_stack();
	return p->keyed;
}

/*
 * What is done to a message with a device's keys: the library's user for a request, digest, window and cipher of an
 * answer (RFC 3414 §3.1, §3.2).
 *
 * The problem: snmp_build() takes keys and the device's clock from two tables of the library's, a list of users that is
 * searched linearly and a hash table of engines that only grows, and both are keyed by engine ID, which two devices may
 * share.
 *
 * The design: one user, the slot, which stands in the list for the time of one snmp_build(), with the engine ID, the
 * protocols and the keys of the target; and one entry in the other table, for the same time. What is remembered is in
 * struct usm_peer.
 *
 * Rejected: the slot for answers as well. snmp_parse() decrypts into a buffer on its stack, so that nobody can look at
 * the varbinds before it does; it accepts an answer below the level asked; it refuses lower boots, even
 * authenticated ones; and it sends (or tries to) a Report to whoever sends it something wrong. Its parts are public:
 * the digest and the cipher are called here, what was decrypted is checked and parsed by pdu.
 *
 * The traps: free_enginetime() frees a whole hash bucket, which is why nothing of ours stays in that table.
 * usm_add_user() frees a user of the same name and engine. The salts are counters that are seeded once, so forked
 * workers would go on with the same ones: with AES, the same keystream. So whoever makes a slot has them seeded anew:
 * no process encrypts without one, and none can forget it.
 */
#include "snmp/usm_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define SALT_LEN     8  /* RFC 3414 §8.1.1.1, RFC 3826 §3.1.2.1 */
#define PROTOCOL_MAX 16 /* sub-identifiers of a protocol's name */
#define USER_ROOM    33

struct usm_slot {
	struct usmUser *user; /* in the library's list between take and leave */
};

/* ---- salts */

static void draw_salts(void)
{
	uint32_t boots = 0;
	size_t len = sizeof(boots);
	char text[16];

	/* the discovery's user, which is made anew and would be lost */
	usm_free_user(usm_get_user(NULL, 0, ""));
	snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_PREMIB_READ_CONFIG, NULL);
	/* the other half of DES's salt, which says how often we were started: nobody knows */
	sc_random((u_char *)&boots, &len);
	snprintf(text, sizeof(text), "%u", boots % (USM_BOOTS_MAX - 1));
	engineBoots_conf("engineBoots", text);
}

/* ---- requests */

static void *room(void *old, size_t size)
{
	free(old);
	return mem_zero(1, size);
}

struct usm_slot *usm_slot_new(void)
{
	struct usm_slot *s = mem_zero(1, sizeof(*s));
	struct usmUser *u = mem_zero(1, sizeof(*u));

	u->engineID = room(NULL, ENGINE_ID_MAX);
	u->name = room(NULL, USER_ROOM);
	u->secName = room(NULL, USER_ROOM);
	u->authProtocol = room(NULL, PROTOCOL_MAX * sizeof(oid));
	u->privProtocol = room(NULL, PROTOCOL_MAX * sizeof(oid));
	u->authKey = room(NULL, USM_KEY_MAX);
	u->privKey = room(NULL, USM_KEY_MAX);
	u->userStatus = RS_ACTIVE;
	s->user = u;
	draw_salts();
	return s;
}

void usm_slot_free(struct usm_slot *s)
{
	usm_free_user(s->user);
	free(s);
}

static void set_protocol(const struct usm_protocol *p, oid *name, size_t *len)
{
	static const oid none[] = {1, 3, 6, 1, 6, 3, 10, 1, 2, 1}; /* usmNoPrivProtocol */
	const oid *from = p->oid ? p->oid : none;

	*len = p->oid ? p->oid_len : sizeof(none) / sizeof(none[0]);
	memcpy(name, from, *len * sizeof(oid));
}

void usm_slot_take(struct usm_slot *s, const struct usm_credential *c, const struct usm_peer *p,
		   int64_t now_us)
{
	struct usmUser *u = s->user;
	uint32_t boots, time_s;

	memcpy(u->engineID, p->engine_id, p->engine_id_len);
	u->engineIDLen = p->engine_id_len;
	memcpy(u->name, c->user, c->user_len + 1);
	memcpy(u->secName, c->user, c->user_len + 1);
	set_protocol(&c->auth, u->authProtocol, &u->authProtocolLen);
	set_protocol(&c->priv, u->privProtocol, &u->privProtocolLen);
	memcpy(u->authKey, p->auth_key, p->auth_key_len);
	u->authKeyLen = p->auth_key_len;
	memcpy(u->privKey, p->priv_key, p->priv_key_len);
	u->privKeyLen = p->priv_key_len;
	usm_add_user(u);
	usm_clock(p, now_us, &boots, &time_s);
	set_enginetime(p->engine_id, p->engine_id_len, boots, time_s, TRUE);
}

void usm_slot_leave(struct usm_slot *s)
{
	struct usmUser *u = s->user;

	free_enginetime(u->engineID, u->engineIDLen);
	usm_remove_user(u);
	u->next = u->prev = NULL;
	mem_wipe(u->authKey, USM_KEY_MAX);
	mem_wipe(u->privKey, USM_KEY_MAX);
}

/* ---- time (RFC 3414 §2.3, §3.2 step 7b) */

void usm_clock(const struct usm_peer *p, int64_t now_us, uint32_t *boots, uint32_t *time_s)
{
	int64_t passed = now_us > p->stamp_us ? (now_us - p->stamp_us) / 1000000 : 0;
	int64_t now = p->time_s + passed;

	*boots = p->boots;
	if (p->boots == 0 && p->time_s == 0)
		now = 0;          /* nothing is known: RFC 3414 §4 has both zero */
	if (now > USM_TIME_MAX) { /* it starts anew, and counts that (§2.2.2) */
		now %= (int64_t)USM_TIME_MAX + 1;
		*boots += *boots < USM_BOOTS_MAX;
	}
	*time_s = (uint32_t)now;
}

bool usm_in_window(const struct usm_peer *p, uint32_t boots, uint32_t time_s, int64_t now_us)
{
	uint32_t our_boots, our_time_s;

	if (boots == USM_BOOTS_MAX)
		return false; /* latched (§2.2.2): for ever outside */
	if (!p->synchronised)
		return true;
	usm_clock(p, now_us, &our_boots, &our_time_s);
	if (boots != our_boots)
		return boots > our_boots;
	return (int64_t)time_s + USM_WINDOW_S >= our_time_s;
}

void usm_set_clock(struct usm_peer *p, uint32_t boots, uint32_t time_s, int64_t now_us)
{
	p->boots = boots;
	p->time_s = time_s;
	p->stamp_us = now_us;
}

/* ---- answers */

/* Takes the same time wherever they differ. */
static bool equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

bool usm_is_authentic(const struct usm_credential *c, const struct usm_peer *p,
		      const struct usm_message *m)
{
	uint8_t theirs[USM_KEY_MAX] = {0}, ours[USM_KEY_MAX] = {0};
	size_t len = sizeof(ours);

	if (!p->keyed || c->level < USM_AUTH_NO_PRIV || m->digest_len != c->auth.digest_len)
		return false;
	memcpy(theirs, m->digest, m->digest_len);
	memset(m->digest, 0, m->digest_len);
	return sc_generate_keyed_hash(c->auth.oid, c->auth.oid_len, p->auth_key, p->auth_key_len,
				      m->octets, (u_int)m->len, ours, &len) == SNMPERR_SUCCESS &&
	       len >= m->digest_len && equal(theirs, ours, m->digest_len);
}

static void put_u32(uint8_t *out, uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

bool usm_decrypt(const struct usm_credential *c, const struct usm_peer *p,
		 const struct usm_message *m)
{
	uint8_t iv[16], key[USM_KEY_MAX];
	size_t len = m->data_len, iv_len = sizeof(iv);
	bool des = (c->priv.type & USM_PRIV_MASK_ALG) == USM_CREATE_USER_PRIV_DES, done;

	if (!p->keyed || c->level < USM_AUTH_PRIV || m->salt_len != SALT_LEN || len == 0 ||
	    (des && len % 8 != 0))
		return false;
	if (des) { /* RFC 3414 §8.1.1.1 */
		iv_len = SALT_LEN;
		for (size_t i = 0; i < SALT_LEN; i++)
			iv[i] = m->salt[i] ^ p->priv_key[SALT_LEN + i];
	} else { /* RFC 3826 §3.1.2.1 */
		put_u32(iv, m->boots);
		put_u32(iv + 4, m->time_s);
		memcpy(iv + 8, m->salt, SALT_LEN);
	}
	memcpy(key, p->priv_key, p->priv_key_len);
	done = sc_decrypt(c->priv.oid, c->priv.oid_len, key, p->priv_key_len, iv, (u_int)iv_len,
			  m->data, (u_int)m->data_len, m->data, &len) == SNMPERR_SUCCESS;
	mem_wipe(key, sizeof(key));
	return done && len == m->data_len;
}

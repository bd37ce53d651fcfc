/*
 * Which protocols can be had of the library at hand?
 *
 * The problem: Net-SNMP is built without MD5, DES, or the AES drafts here and there; and what it was built with may
 * still not work, because the cryptographic library below refuses it (a FIPS provider has no MD5). At run time both
 * look like agents that do not answer.
 *
 * The design: a table of names; what the library's own tables do not have it was built without; and a trial with
 * a known result for what they have.
 *
 * The traps: the library's usm_lookup_auth_type() takes "AES-256" for "AES-256-C" where it has only that, as it compares
 * prefixes. Its sc_generate_keyed_hash() reports success and hands out whatever was on the stack when the hash is not to
 * be had. Single DES is in the legacy provider of OpenSSL 3, yet works: the library calls libcrypto's own functions.
 */
#include "snmp/usm_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct row {
	const char *name;
	const char *alias;
	int type;
	uint8_t known[4]; /* the first octets that `trial` becomes under the key and the IV below */
};

static const struct row auths[] = {
	{"MD5", "MD5", NETSNMP_USMAUTH_HMACMD5, {0x70, 0x97, 0xf7, 0x5a}},
	{"SHA", "SHA-1", NETSNMP_USMAUTH_HMACSHA1, {0xb2, 0x98, 0x3f, 0xfc}},
	{"SHA-224", "SHA224", NETSNMP_USMAUTH_HMAC128SHA224, {0x30, 0x3e, 0x28, 0xab}},
	{"SHA-256", "SHA256", NETSNMP_USMAUTH_HMAC192SHA256, {0x6d, 0x6e, 0x61, 0x37}},
	{"SHA-384", "SHA384", NETSNMP_USMAUTH_HMAC256SHA384, {0xe9, 0x29, 0xab, 0x3c}},
	{"SHA-512", "SHA512", NETSNMP_USMAUTH_HMAC384SHA512, {0x39, 0x60, 0xf9, 0xfa}},
};
static const struct row privs[] = {
	{"DES", "DES", USM_CREATE_USER_PRIV_DES, {0x69, 0x95, 0x27, 0xc8}},
	{"AES", "AES-128", USM_CREATE_USER_PRIV_AES, {0x5f, 0xe7, 0x6e, 0xc7}},
	{"AES-192", "AES192", USM_CREATE_USER_PRIV_AES192, {0x55, 0x13, 0xda, 0x8c}},
	{"AES-256", "AES256", USM_CREATE_USER_PRIV_AES256, {0x0f, 0x1d, 0x61, 0x25}},
	{"AES-192-C", "AES192C", USM_CREATE_USER_PRIV_AES192_CISCO, {0x55, 0x13, 0xda, 0x8c}},
	{"AES-256-C", "AES256C", USM_CREATE_USER_PRIV_AES256_CISCO, {0x0f, 0x1d, 0x61, 0x25}},
};

static const uint8_t trial[] = "User-based Security Model";
#define TRIAL_LEN 24 /* whole blocks of DES */

static void count_up(uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		octets[i] = (uint8_t)i;
}

static const struct row *find_row(const struct row *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(list[i].name, name) == 0 || strcasecmp(list[i].alias, name) == 0)
			return &list[i];
	}
	return NULL;
}

static bool hash_works(const struct usm_protocol *p, const uint8_t known[4])
{
	uint8_t key[USM_KEY_MAX], digest[USM_KEY_MAX] = {0};
	size_t len = sizeof(digest);

	count_up(key, sizeof(key));
	return sc_generate_keyed_hash(p->oid, p->oid_len, key, sizeof(key), trial,
				      sizeof(trial) - 1, digest, &len) == SNMPERR_SUCCESS &&
	       memcmp(digest, known, 4) == 0;
}

static bool cipher_works(const struct usm_protocol *p, const uint8_t known[4])
{
	uint8_t key[USM_KEY_MAX], iv[16], sealed[64] = {0}, opened[64] = {0};
	size_t len = sizeof(sealed), opened_len = sizeof(opened);

	count_up(key, sizeof(key));
	count_up(iv, sizeof(iv));
	if (sc_encrypt(p->oid, p->oid_len, key, sizeof(key), iv, sizeof(iv), trial, TRIAL_LEN,
		       sealed, &len) != SNMPERR_SUCCESS ||
	    len != TRIAL_LEN || memcmp(sealed, known, 4) != 0)
		return false;
	return sc_decrypt(p->oid, p->oid_len, key, sizeof(key), iv, sizeof(iv), sealed, TRIAL_LEN,
			  opened, &opened_len) == SNMPERR_SUCCESS &&
	       memcmp(opened, trial, TRIAL_LEN) == 0;
}

static bool unknown(const char *key, const char *name, char error[USM_ERROR_MAX])
{
	snprintf(error, USM_ERROR_MAX, "%s: there is no protocol '%.40s'", key, name);
	return false;
}

static bool missing(const char *key, const char *name, char error[USM_ERROR_MAX])
{
	snprintf(error, USM_ERROR_MAX,
		 "%s: the Net-SNMP library of this system was built without %s", key, name);
	return false;
}

static bool broken(const char *key, const char *name, char error[USM_ERROR_MAX])
{
	snprintf(error, USM_ERROR_MAX,
		 "%s: %s does not work here: the cryptographic library of this system refuses it",
		 key, name);
	return false;
}

bool usm_find_auth(const char *name, struct usm_protocol *out, char error[USM_ERROR_MAX])
{
	const struct row *row = find_row(auths, sizeof(auths) / sizeof(auths[0]), name);
	const netsnmp_auth_alg_info *info;

	if (!row)
		return unknown("auth", name, error);
	info = sc_find_auth_alg_bytype((u_int)row->type);
	if (!info)
		return missing("auth", row->name, error);
	*out = (struct usm_protocol){
		.name = row->name,
		.type = row->type,
		.oid = info->alg_oid,
		.oid_len = (size_t)info->oid_len,
		.key_len = (size_t)info->proper_length,
		.digest_len = (size_t)info->mac_length,
	};
	return hash_works(out, row->known) ? true : broken("auth", row->name, error);
}

bool usm_find_priv(const char *name, struct usm_protocol *out, char error[USM_ERROR_MAX])
{
	const struct row *row = find_row(privs, sizeof(privs) / sizeof(privs[0]), name);
	const netsnmp_priv_alg_info *info;

	if (!row)
		return unknown("priv", name, error);
	info = sc_get_priv_alg_bytype((u_int)row->type);
	if (!info)
		return missing("priv", row->name, error);
	*out = (struct usm_protocol){
		.name = row->name,
		.type = row->type,
		.oid = info->alg_oid,
		.oid_len = (size_t)info->oid_len,
		.key_len = (size_t)info->proper_length,
	};
	return cipher_works(out, row->known) ? true : broken("priv", row->name, error);
}

bool usm_knows(const char *auth, const char *priv, char error[USM_ERROR_MAX])
{
	struct usm_protocol p;

	return (!auth || usm_find_auth(auth, &p, error)) &&
	       (!priv || usm_find_priv(priv, &p, error));
}

bool usm_knows_tsm(char error[USM_ERROR_MAX])
{
	if (find_sec_mod(SNMP_SEC_MODEL_TSM))
		return true;
	snprintf(error, USM_ERROR_MAX,
		 "dtlsudp: and tlstcp: need Net-SNMP's Transport Security Model, which the library "
		 "at hand was built without");
	return false;
}

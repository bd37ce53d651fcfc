/*
 * usm_internal - between the files of usm.
 */
#ifndef SNMP_USM_INTERNAL_H
#define SNMP_USM_INTERNAL_H

#include "snmp/usm.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

/* What the library has of an authentication or privacy protocol. */
struct usm_protocol {
	const char *name; /* as written */
	int type;         /* the library's number of it */
	oid *oid;         /* and the name by which its functions are asked for it */
	size_t oid_len;
	size_t key_len;    /* octets of a key of this protocol (of a digest) */
	size_t digest_len; /* authentication: octets of msgAuthenticationParameters */
};
/* False: the library has none of that name, or what it has does not work here; words say which. */
bool usm_find_auth(const char *name, struct usm_protocol *out, char error[USM_ERROR_MAX]);
bool usm_find_priv(const char *name, struct usm_protocol *out, char error[USM_ERROR_MAX]);

struct usm_ku { /* a passphrase's key, not localised yet (RFC 3414 §2.6) */
	uint8_t octets[USM_KEY_MAX];
	size_t len;
};
struct usm_credential {
	char *user;
	size_t user_len;
	enum usm_level level;
	struct usm_protocol auth; /* {0} when the level needs none; priv too */
	struct usm_protocol priv;
	struct usm_ku auth_ku;
	struct usm_ku priv_ku;
};

#endif

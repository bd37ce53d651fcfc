/*
 * settings_keys - the keys, each with what its value is; their rows stand in settings.c.
 */
#ifndef PLAN_SETTINGS_KEYS_H
#define PLAN_SETTINGS_KEYS_H

enum setting_key {      /* in the comment: the member of the value, its unit or range */
	SET_PORT,       /* number, 1 to 65535 */
	SET_FAMILY,     /* number: 4, 6, 0 any */
	SET_LABEL,      /* text; host entries that are single hosts only */
	SET_GROUP,      /* text; known, not allowed inside a group or a credential */
	SET_CREDENTIAL, /* text; known, not allowed inside a credential */
	SET_VERSION,    /* number: enum snmp_version */
	SET_COMMUNITY,  /* text, as the next ones; files and environment are read already */
	SET_USER,
	SET_AUTH, /* MD5 SHA SHA-224 SHA-256 SHA-384 SHA-512 */
	SET_AUTH_PASS,
	SET_PRIV, /* DES AES AES-192 AES-256 AES-192-C AES-256-C */
	SET_PRIV_PASS,
	SET_LEVEL, /* noAuthNoPriv authNoPriv authPriv */
	SET_CONTEXT,
	SET_ENGINE_ID,        /* lower-case hex, 5 to 32 octets */
	SET_IDENTITY,         /* text: path of our certificate */
	SET_IDENTITY_KEY,     /* text: path of its key; not set: in the same file */
	SET_PEER_IDENTITY,    /* text: fingerprint or path of the agent's certificate */
	SET_PEER_CA,          /* text: path of authorities' certificates */
	SET_PEER_NAME,        /* text: whom they must vouch for */
	SET_GET,              /* list of objects, not looked up; NULL: none */
	SET_WALK,             /* list */
	SET_TABLE,            /* list */
	SET_INDEX_LABEL,      /* text: one object */
	SET_TIMEOUT,          /* number, us, 1000 to 3600000000 */
	SET_RETRIES,          /* number, 0 to 100 */
	SET_DEADLINE,         /* number, us; 0 none */
	SET_PER_HOST,         /* number, 1 to 1000 */
	SET_MAX_REPETITIONS,  /* number, 1 to 65535; 0 when not set */
	SET_MAX_VARS,         /* number, 1 to 10^9 */
	SET_ANY_SOURCE,       /* number, 0 or 1 */
	SET_NONINCREASING,    /* text: stop allow */
	SET_ADAPTIVE_TIMEOUT, /* number, 0 or 1 */
	SET_SILENT_AFTER,     /* number, 0 to 255 */
	SET_SITE,             /* text: whose agents ask, where there is a broker */
	SETTING_COUNT
};
_Static_assert(SETTING_COUNT <= 64, "a set of keys is 64 bits");

#endif

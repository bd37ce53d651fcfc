/*
 * profile - what to ask and how to authenticate; shared by many targets.
 *
 * Profiles are built before the fork and inherited: no secret crosses a queue.
 */
#ifndef BASE_PROFILE_H
#define BASE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/oid.h"

enum snmp_version {
	SNMP_V1 = 0,
	SNMP_V2C = 1,
	SNMP_V3 = 3
}; /* the numbers on the wire (RFC 3416, 3412) */

#define ENGINE_ID_MAX 32 /* octets; at least 5 (RFC 3411 §5, SnmpEngineID) */

#define PROFILE_PIN 32 /* octets of a certificate's fingerprint: SHA-256 */

struct tls_identity;   /* who asks over DTLS and TLS: a certificate and its key (snmp/tls.h) */
struct usm_credential; /* who asks, SNMPv3: user, level, protocols, keys (snmp/usm.h) */

struct table_object {   /* of `table:`: a whole table, or one of its columns */
	struct oid oid; /* of the entry (all of its columns), or of the column */
	bool column;
	bool guessed; /* no MIB knows oid, it is taken for a table's: the entry is oid.1 */
};

/* What to ask and how to authenticate. Immutable once built; built before the fork. Order of a
 * record's rows: get, walk, table. */
struct profile {
	enum snmp_version version;
	char *community;                         /* octets as written, NUL-terminated; "" for v3 */
	const struct usm_credential *credential; /* v3; NULL else. Shared by profiles */
	/* v3 over DTLS and TLS (RFC 6353, RFC 5591), instead of a credential; NULL else. Shared */
	const struct tls_identity *tls;
	bool peer_pinned;              /* the agent's certificate is the one of this fingerprint */
	uint8_t peer_pin[PROFILE_PIN]; /* else an authority of the identity vouches for it … */
	char *peer_name;               /* … and for this name; NULL: for the address asked */
	char *context;                 /* v3: contextName, "" unless set */
	uint8_t engine_id[ENGINE_ID_MAX]; /* v3: pinned by the person */
	uint8_t engine_id_len;            /* 0: to be discovered */
	struct oid *get; /* objects to GET, in the order in which their rows are shown */
	size_t nget;
	struct oid *walk; /* subtrees, in the order in which they are walked */
	size_t nwalk;
	struct table_object *table; /* all of them joined by index */
	size_t ntable;
	const struct oid
		*index_label;     /* column shown beside the index of tables' rows; NULL: none */
	unsigned per_host;        /* requests of a target in flight, 1 to 1,000 */
	unsigned max_repetitions; /* cap of a GETBULK's; 0: none is set */
	uint64_t max_vars;        /* rows of a record, 1 to 10^9 */
	bool nonincreasing;       /* accept OIDs that do not increase, once each */
	int64_t timeout_us; /* wait of the first try; doubles per try up to PROFILE_BACKOFF_MAX times */
	unsigned retries;     /* sends after the first */
	int64_t deadline_us;  /* the host's limit for everything, 0 = none */
	bool any_source;      /* accept a reply from another address or port */
	bool adaptive;        /* the first wait follows the times learnt in rounds before */
	uint8_t silent_after; /* so many silent rounds, and one packet must do; 0: never */
};

#define PROFILE_BACKOFF_MAX 8 /* the longest wait of a try, in first waits */

/* Wait of a try that so many sends came before, in us. */
int64_t profile_wait_us(const struct profile *p, unsigned sends);
/* The longest that a silent host with `addresses` addresses takes: all waits, or the deadline. */
int64_t profile_worst_us(const struct profile *p, unsigned addresses);
/* Sends to a host and the time for it that no device can make more of, however it behaves: generous, to tell
 * what is never over from what is slow. */
double profile_sends_max(const struct profile *p, unsigned addresses);
int64_t profile_limit_us(const struct profile *p, unsigned addresses);

#endif

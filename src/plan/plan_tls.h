/*
 * plan_tls - of settings: who asks and who may answer over DTLS and TLS. Private to plan.
 */
#ifndef PLAN_PLAN_TLS_H
#define PLAN_PLAN_TLS_H

#include "plan/place.h"
#include "plan/settings.h"
#include "snmp/tls.h"

struct plan_profiles;

struct plan_tls {
	struct tls_words words;    /* lent by conf */
	struct tls_identity *made; /* NULL: told */
};

/* Version, identity and peer of a profile, for a target that stands there. What is wrong goes to conf's errors. */
void plan_tls(struct plan_profiles *all, const struct settings *s, struct conf_place place,
	      struct profile *p);
void plan_tls_free(struct plan_profiles *all);

#endif

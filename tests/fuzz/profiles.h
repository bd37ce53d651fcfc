/*
 * What holds for any profile that a plan hands out, whoever planned it: a file here, or another machine.
 */
#ifndef TESTS_FUZZ_PROFILES_H
#define TESTS_FUZZ_PROFILES_H

#include "base/profile.h"

static void check_profile(const struct profile *p)
{
	FUZZ_CHECK(p->per_host >= 1 && p->per_host <= 1000);
	FUZZ_CHECK(p->timeout_us >= 1000 && p->retries <= 100);
	FUZZ_CHECK((p->version == SNMP_V3) == (p->credential || p->tls));
	FUZZ_CHECK(p->engine_id_len == 0 || p->engine_id_len >= 5);
	FUZZ_CHECK(p->engine_id_len <= ENGINE_ID_MAX);
}

#endif

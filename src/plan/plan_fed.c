/*
 * A plan of what another machine wants to be asked.
 */
#include <stdlib.h>

#include "plan/fed.h"
#include "plan/plan_internal.h"

struct plan_keys {
	struct conf *conf;
};

struct plan_keys *plan_keys_new(struct conf *conf)
{
	struct plan_keys *k = mem_zero(1, sizeof(*k));

	k->conf = conf;
	return k;
}

void plan_keys_free(struct plan_keys *k)
{
	free(k);
}

struct plan *plan_fed(const struct plan_keys *k, const uint8_t *profiles, size_t len,
		      const char **error)
{
	(void)k, (void)profiles, (void)len;
	*error = "not yet";
	return NULL;
}

const char *plan_fault(const struct plan *p, uint32_t profile)
{
	(void)p, (void)profile;
	return NULL;
}

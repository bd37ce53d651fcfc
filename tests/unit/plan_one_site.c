/*
 * plan_one_site: what a plan says of sites where it has one, for tests that make a plan of their own (see master_stage.h).
 */
#include "plan/plan.h"

uint64_t plan_asker(const struct plan *p, uint32_t profile)
{
	(void)p;
	return profile;
}

const char *plan_site(const struct plan *p, uint32_t profile)
{
	(void)p, (void)profile;
	return "default";
}

const char *plan_site_at(const struct plan *p, size_t site)
{
	return plan_site(p, (uint32_t)site);
}

size_t plan_sites(const struct plan *p)
{
	(void)p;
	return 1;
}

uint64_t plan_site_count(const struct plan *p, size_t site)
{
	(void)site;
	return plan_total(p);
}

/*
 * A plan whose targets are asked elsewhere: the master's side of it.
 */
#include "plan/plan_internal.h"

const char *plan_site(const struct plan *p, uint32_t profile)
{
	(void)profile;
	return plan_site_at(p, 0);
}

size_t plan_sites(const struct plan *p)
{
	(void)p;
	return 1;
}

const char *plan_site_at(const struct plan *p, size_t site)
{
	(void)p, (void)site;
	return "default";
}

uint64_t plan_site_count(const struct plan *p, size_t site)
{
	(void)site;
	return plan_total(p);
}

void plan_pack_profiles(const struct plan *p, struct buf *out)
{
	(void)p, (void)out;
}

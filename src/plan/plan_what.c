/*
 * Whether two plans are the same, by a number.
 *
 * A run that is taken up (--resume) goes on with the numbers of its targets, so the plan must hand out the same targets under the
 * same numbers, ask them the same, and show them the same. So the hash is over what they come from: each item as written with
 * its label, what was left out, and the profiles as they go to agents, in which credentials have names: another passphrase
 * is the same plan. So is another site: who asks changes no record, and the hosts of a site whose agents are gone may be moved.
 */
#include <string.h>

#include "plan/plan_internal.h"

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text != NULL ? plan_hash(hash, text, strlen(text) + 1)
			    : plan_hash(hash, "\xff", 1); /* no octet of a text */
}

uint64_t plan_what(const struct plan *p, const struct plan_request *r)
{
	uint64_t hash = plan_hash(0, &p->total, sizeof(p->total));
	struct buf profiles = {0};

	for (size_t i = 0; i < p->nitems; i++) {
		const struct plan_slot *slot = &p->slots[i];

		hash = hash_text(hash, plan_text(p, i));
		hash = hash_text(hash, plan_label(p, i));
		hash = plan_hash(hash, &slot->profile, sizeof(slot->profile));
		hash = plan_hash(hash, &slot->port, sizeof(slot->port));
		hash = plan_hash(hash, &slot->family, sizeof(slot->family));
	}
	for (size_t i = 0; i < r->nexcludes; i++)
		hash = hash_text(hash, r->excludes[i]);
	plan_pack_profiles(p, &profiles);
	hash = plan_hash(hash, profiles.data, profiles.len);
	buf_free(&profiles);
	return hash;
}

/*
 * plan_packed - profiles as they travel. Private to plan.
 */
#ifndef PLAN_PLAN_PACKED_H
#define PLAN_PLAN_PACKED_H

#include "base/mem.h"
#include "base/wire.h"
#include "plan/plan_profiles.h"
#include "plan/who.h"

/* A profile as it travels: what is asked, and who asks as far as that is no secret. */
struct plan_order {
	struct plan_lists lists;
	struct settings
		s; /* of what is asked: numbers and words; of who: what is set beside the credentials */
	struct conf_who who;
	bool secure; /* over DTLS or TLS */
};
/* Nobody who has another one reads it. A newer one gets a higher number */
#define PLAN_FORM     1
#define PLAN_OIDS_MAX 100000 /* of all lists together; half a kilobyte each */
/* Appends it. Field by field as plan_unpack_order() reads it. */
void plan_pack_order(const struct plan_order *o, struct buf *out);
void plan_pack_who(const struct plan_order *o, struct buf *out); /* the last part of it */
void plan_pack_lists(const struct plan_profiles *all, struct buf *out);
/* Texts are copied, and kept in `texts`: char *, one behind the other. False: is broken. */
bool plan_unpack_order(struct plan_order *o, const struct plan_profiles *all, struct buf *texts,
		       struct wire_in *r);
/* Adds what plan_pack_lists() wrote, with the same numbers, to one that has none. */
bool plan_unpack_lists(struct plan_profiles *all, struct wire_in *r);

#endif

/*
 * fed - the plan of an agent: what another machine wants to be asked, by credentials that this one has.
 *
 * Profiles come over a broker, by value, without a secret; credentials are named, and looked up in the agent's own file.
 * What comes may be anything: every number is checked against its bounds.
 */
#ifndef PLAN_FED_H
#define PLAN_FED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct plan;
struct plan_target;

struct plan_keys; /* credentials, checked, their keys derived (some ms each): once, before an agent forks */
/* All that the configuration holds, whose secrets it needs as long as it lives. Lends conf. NULL: errors in its list. */
struct plan_keys *plan_keys_new(struct conf *conf);
void plan_keys_free(struct plan_keys *k);

/* A plan without targets, whose profiles are what plan_pack_profiles() gave, by the same numbers; plan_free() it before k.
 * Then conf_forget_secrets() is good in this process, unless another plan is to be fed. NULL: *error (a constant). */
struct plan *plan_fed(const struct plan_keys *k, const uint8_t *profiles, size_t len,
		      const char **error);
/* Why targets of that profile cannot be asked here: "has no credential 'x'", "cannot ...", to stand behind "the agent
 * NAME of site SITE". NULL: they can. */
const char *plan_fault(const struct plan *p, uint32_t profile);

/* From now on the plan's targets are those fed to it, and it is open: that plan_next() has none means "not yet". Of a
 * plan without targets of its own. */
void plan_feed_open(struct plan *p);
/* A target is handed out behind all of its kind that were fed before; copied, its strings too. The number and profile
 * are the caller's, as they are. The caller bounds how many wait. */
void plan_feed(struct plan *p, const struct plan_target *t);
/* All or nothing: plan_feed_undo() takes back what was fed since plan_feed_begin(), if none of it was handed out. */
void plan_feed_begin(struct plan *p);
void plan_feed_undo(struct plan *p);
void plan_feed_close(struct plan *p);    /* there will be no other */
bool plan_is_open(const struct plan *p); /* false too for a plan that is not fed */

#endif

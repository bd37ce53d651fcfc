/*
 * plan_profiles - settings become profiles, each of them once. Private to plan.
 */
#ifndef PLAN_PLAN_PROFILES_H
#define PLAN_PLAN_PROFILES_H

#include "base/profile.h"
#include "plan/conf.h"
#include "plan/plan_index.h"
#include "plan/plan_tls.h"
#include "snmp/usm.h"

struct plan_words { /* a list of objects as written */
	enum setting_key key;
	const void *written; /* its identity: the same pointer, the same words */
	const struct conf_item *item;
	size_t count;
};
struct plan_objects {               /* what it comes to */
	struct oid *oid;            /* NULL for `table:` */
	struct table_object *table; /* of `table:` */
	size_t count;
	uint32_t
		number; /* among the lists of all profiles; PLAN_INDEX_NONE: there are none in it */
};
struct plan_lists { /* of a profile: numbers of them */
	uint32_t get, walk, table, label;
};
struct plan_seen { /* a list that was looked up */
	const void *written;
	uint32_t objects;
};
struct plan_credential {
	struct usm_words words; /* lent by conf */
	struct usm_credential *made;
};

struct plan_profiles {
	struct conf *conf; /* for errors */
	struct profile *list;
	struct plan_objects *objects; /* of which the profiles share */
	struct plan_credential *credentials;
	struct plan_tls *tls;
	struct plan_seen *seen;
	size_t count, cap, nobjects, cap_objects, nseen, cap_seen, ncredentials, cap_credentials;
	size_t ntls, cap_tls;
	struct plan_index by_content, objects_by_content, seen_by_list, credentials_by_content;
	const struct plan_profiles *keys; /* whose credentials are these, too; NULL */
};

/* The profile that holds for these settings; secure: where the target stands that is asked over DTLS or TLS,
 * NULL: it is not. What is wrong with them goes to conf's errors (the
 * number is one all the same). */
uint32_t plan_profile(struct plan_profiles *all, const struct settings *s,
		      const struct conf_place *secure);
/* Its parts: what is asked; who asks; and that it is one, whose texts are copied. */
struct profile plan_profile_what(struct plan_profiles *all, const struct settings *s,
				 struct plan_lists *lists);
void plan_profile_lists(const struct plan_profiles *all, const struct plan_lists *lists,
			struct profile *p);
void plan_profile_numbers(const struct settings *s, struct profile *p); /* the rest of it */
void plan_profile_who(struct plan_profiles *all, const struct settings *s,
		      const struct conf_place *secure, struct profile *p);
uint32_t plan_profile_add(struct plan_profiles *all, const struct profile *p);
/* For conf_each_value(): what nobody uses must be right, too. */
void plan_check_value(void *arg, enum setting_key key, union setting_value value,
		      struct conf_place place);
/* Likewise, but not protocols, which are another machine's. */
void plan_check_object(void *arg, enum setting_key key, union setting_value value,
		       struct conf_place place);
void plan_profiles_free(struct plan_profiles *all);

/* What the words come to; lent, and the same for the same content. Errors as above. */
struct plan_objects plan_objects(struct plan_profiles *all, const struct plan_words *w);
/* A list that was made elsewhere; consumed. */
struct plan_objects plan_objects_share(struct plan_profiles *all, struct plan_objects o);
void plan_objects_free(struct plan_profiles *all);

/* Of settings of version 3. NULL: there were errors. */
const struct usm_credential *plan_credential(struct plan_profiles *all, const struct settings *s);
/* Whether the library at hand has `auth` or `priv`; the word may be NULL. */
void plan_check_protocol(struct conf *conf, enum setting_key key, const char *word,
			 struct conf_place place);
void plan_credentials_free(struct plan_profiles *all);

#endif

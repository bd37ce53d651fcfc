/*
 * plan_internal - what the files of plan share: settings become profiles, each of them once.
 */
#ifndef PLAN_PLAN_INTERNAL_H
#define PLAN_PLAN_INTERNAL_H

#include "plan/plan.h"
#include "plan/plan_index.h"
#include "plan/plan_items.h"
#include "plan/plan_remote.h"
#include "plan/plan_tls.h"
#include "plan/target.h"
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
};

/* The profile that holds for these settings; secure: where the target stands that is asked over DTLS or TLS,
 * NULL: it is not. What is wrong with them goes to conf's errors (the
 * number is one all the same). */
uint32_t plan_profile(struct plan_profiles *all, const struct settings *s,
		      const struct conf_place *secure);
/* For conf_each_value(): what nobody uses must be right, too. */
void plan_check_value(void *arg, enum setting_key key, union setting_value value,
		      struct conf_place place);
void plan_profiles_free(struct plan_profiles *all);

/* What the words come to; lent, and the same for the same content. Errors as above. */
struct plan_objects plan_objects(struct plan_profiles *all, const struct plan_words *w);
void plan_objects_free(struct plan_profiles *all);

/* Of settings of version 3. NULL: there were errors. */
const struct usm_credential *plan_credential(struct plan_profiles *all, const struct settings *s);
/* Whether the library at hand has `auth` or `priv`; the word may be NULL. */
void plan_check_protocol(struct conf *conf, enum setting_key key, const char *word,
			 struct conf_place place);
void plan_credentials_free(struct plan_profiles *all);

/* An item is an entry of the files, or a target where only targets are polled. */
struct plan {
	struct conf *conf;
	const struct conf_entry *entries; /* NULL: targets */
	char *const *targets;
	size_t nitems;
	struct plan_slot *slots; /* one each */
	struct target_set *excluded;
	uint64_t total;
	struct plan_profiles profiles;

	struct plan_session *sessions; /* by item */
	size_t nsessions, cap_sessions;
	uint64_t session_targets;
	bool paths; /* some item is a socket of the file system */
	bool aimed, handed_out;
	struct plan_remote remote;

	uint64_t *firsts; /* of each item the number of its first target; NULL: nobody has asked */
	struct plan_cursor cursors[PLAN_KINDS];
	struct plan_target aim; /* if aimed: handed out once, and nothing else */
	char **names; /* handed out, of targets written with a port; each once, however often that was */
	size_t nnames, cap_names;
	struct plan_index names_by_text;
};

bool plan_next_aimed(struct plan *p, enum plan_kind kind, struct plan_target *out);
enum plan_kind plan_aimed_kind(const struct plan *p);
/* The entry that an item is, or is written like; NULL. */
const struct conf_entry *plan_entry(const struct plan *p, size_t item);
const char *plan_text(const struct plan *p, size_t item);  /* of its target */
const char *plan_label(const struct plan *p, size_t item); /* NULL: none */
struct target plan_parse(const struct plan *p, size_t item);

#endif

/*
 * plan_internal - what the files of plan share: settings become profiles, each of them once.
 */
#ifndef PLAN_PLAN_INTERNAL_H
#define PLAN_PLAN_INTERNAL_H

#include "plan/plan.h"
#include "plan/target.h"

/* A table from things that lie in an array of the caller's to their numbers in it. {0} is empty. */
struct plan_index {
	struct plan_index_slot *slots;
	size_t cap; /* a power of two */
	size_t count;
};
#define PLAN_INDEX_NONE UINT32_MAX
/* Whether the thing number `number` of array is the one looked for. */
typedef bool (*plan_same_fn)(const void *array, uint32_t number, const void *wanted);
uint32_t plan_index_get(const struct plan_index *x, uint64_t hash, plan_same_fn same,
			const void *array, const void *wanted);
void plan_index_put(struct plan_index *x, uint64_t hash, uint32_t number); /* is not there yet */
void plan_index_free(struct plan_index *x);
uint64_t plan_hash(uint64_t hash, const void *p, size_t len); /* begins with 0 */

struct plan_objects { /* what a list of objects comes to */
	struct oid *oid;
	size_t count;
};
struct plan_seen { /* a list of conf's that was looked up */
	const struct conf_list *list;
	uint32_t objects;
};

struct plan_profiles {
	struct conf *conf; /* for errors */
	struct profile *list;
	struct plan_objects *objects; /* of which the profiles share */
	struct plan_seen *seen;
	size_t count, cap, nobjects, cap_objects, nseen, cap_seen;
	struct plan_index by_content, objects_by_content, seen_by_list;
};

/* The profile that holds for these settings; what is wrong with them goes to conf's errors (the
 * number is one all the same). */
uint32_t plan_profile(struct plan_profiles *all, const struct settings *s);
/* The number of the objects of a list; NULL or empty: of `sysDescr.0`. Errors as above. */
uint32_t plan_objects(struct plan_profiles *all, const struct conf_list *list);
void plan_profiles_free(struct plan_profiles *all);

void *plan_grow(void *array, size_t count, size_t *cap, size_t size); /* room for one more */

struct plan_slot { /* what was found out about an item once, 8 octets each */
	uint32_t profile;
	uint16_t port;
	uint8_t family;
	bool labelled;
};

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

	/* where plan_next() is */
	size_t item;
	bool open; /* target is that of the item, next its next address */
	struct target target;
	uint64_t next;
	uint64_t seq;
	char **names; /* handed out, of targets written with a port */
	size_t nnames, cap_names;
};

/* The entry that an item is, or is written like; NULL. */
const struct conf_entry *plan_entry(const struct plan *p, size_t item);
const char *plan_text(const struct plan *p, size_t item);  /* of its target */
const char *plan_label(const struct plan *p, size_t item); /* NULL: none */
struct target plan_parse(const struct plan *p, size_t item);

#endif

/*
 * plan_internal - what the files of plan share.
 */
#ifndef PLAN_PLAN_INTERNAL_H
#define PLAN_PLAN_INTERNAL_H

#include "plan/plan.h"
#include "plan/plan_items.h"
#include "plan/plan_profiles.h"
#include "plan/plan_remote.h"
#include "plan/target.h"

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
	struct target block; /* the one that was asked for last, of these items and numbers: */
	size_t block_item;
	uint64_t block_first, block_end; /* from, to before; the same: there is none */
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
/* The i-th address of an item's target, or its name or path; all but its number. */
void plan_fill(struct plan *p, size_t item, const struct target *t, uint64_t i,
	       struct plan_target *out);

#endif

/*
 * Settings become profiles.
 *
 * The problem: workers inherit the profiles, and build a request for each; a task names its profile by a
 * number. So targets with the same effective settings must share one, wherever these were written:
 * in `defaults`, in a group, or a thousand times at a thousand hosts. Profiles are compared by
 * content, and so are lists of objects, which profiles that differ in their community share: an OID
 * is half a kilobyte.
 *
 * A list of conf's is looked up once, however many targets inherit it. An unknown name costs 200 us, as it
 * is compared with all known ones: when so many errors are there that no further one is shown, names are no
 * longer looked up.
 *
 * What this version cannot do yet is refused here, where it is known who would have needed it: keys that no
 * target uses are checked and then rest.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_internal.h"
#include "snmp/mib.h"

#define OBJECT_ERROR_MAX 300 /* octets with the NUL */

/* ---- objects */

static bool same_list(const void *array, uint32_t number, const void *wanted)
{
	const struct plan_seen *seen = array;

	return seen[number].list == wanted;
}

static bool same_objects(const void *array, uint32_t number, const void *wanted)
{
	const struct plan_objects *a = (const struct plan_objects *)array + number;
	const struct plan_objects *b = wanted;

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (oid_compare(a->oid[i].id, a->oid[i].len, b->oid[i].id, b->oid[i].len) != 0)
			return false;
	}
	return true;
}

static struct plan_objects look_up(struct plan_profiles *all, const struct conf_list *list)
{
	struct plan_objects o = {0};
	char error[OBJECT_ERROR_MAX];

	o.count = list ? list->count : 1;
	o.oid = mem_zero(o.count, sizeof(*o.oid));
	for (size_t i = 0; i < o.count && conf_error_room(all->conf); i++) {
		const char *text = list ? list->item[i].text : "sysDescr.0";

		if (!mib_resolve(text, &o.oid[i], error, sizeof(error)))
			conf_error(all->conf, list ? list->item[i].place : CONF_COMMAND_LINE, "%s",
				   error);
	}
	return o;
}

static uint32_t share_objects(struct plan_profiles *all, struct plan_objects o)
{
	uint64_t hash = 0;
	uint32_t number;

	for (size_t i = 0; i < o.count; i++)
		hash = plan_hash(hash, o.oid[i].id, o.oid[i].len * sizeof(o.oid[i].id[0]));
	number = plan_index_get(&all->objects_by_content, hash, same_objects, all->objects, &o);
	if (number != PLAN_INDEX_NONE) {
		free(o.oid);
		return number;
	}
	all->objects = plan_grow(all->objects, all->nobjects, &all->cap_objects,
				 sizeof(*all->objects));
	all->objects[all->nobjects] = o;
	plan_index_put(&all->objects_by_content, hash, (uint32_t)all->nobjects);
	return (uint32_t)all->nobjects++;
}

uint32_t plan_objects(struct plan_profiles *all, const struct conf_list *list)
{
	uint64_t hash;
	uint32_t number;

	if (list && !list->count)
		list = NULL;
	hash = plan_hash(0, &list, sizeof(list));
	number = plan_index_get(&all->seen_by_list, hash, same_list, all->seen, list);
	if (number != PLAN_INDEX_NONE)
		return all->seen[number].objects;
	number = share_objects(all, look_up(all, list));
	all->seen = plan_grow(all->seen, all->nseen, &all->cap_seen, sizeof(*all->seen));
	all->seen[all->nseen] = (struct plan_seen){list, number};
	plan_index_put(&all->seen_by_list, hash, (uint32_t)all->nseen++);
	return number;
}

/* ---- profiles */

static bool same_profile(const void *array, uint32_t number, const void *wanted)
{
	const struct profile *a = (const struct profile *)array + number;
	const struct profile *b = wanted;

	return a->version == b->version && strcmp(a->community, b->community) == 0 &&
	       a->get == b->get && a->timeout_us == b->timeout_us && a->retries == b->retries &&
	       a->deadline_us == b->deadline_us && a->any_source == b->any_source &&
	       a->per_host == b->per_host && a->max_repetitions == b->max_repetitions &&
	       a->max_vars == b->max_vars && a->nonincreasing == b->nonincreasing;
}

static uint64_t hash_profile(const struct profile *p)
{
	int64_t numbers[] = {p->version,         p->timeout_us,        p->retries,
			     p->deadline_us,     p->any_source,        p->per_host,
			     p->max_repetitions, (int64_t)p->max_vars, p->nonincreasing,
			     (intptr_t)p->get};
	uint64_t hash = plan_hash(0, numbers, sizeof(numbers));

	return plan_hash(hash, p->community, strlen(p->community));
}

/* What belongs to later versions: refused where a target would need it. */
static void refuse_later(struct conf *conf, const struct settings *s)
{
	const struct {
		enum setting_key key;
		bool used;
		const char *what;
	} later[] = {
		{SET_VERSION, s->value[SET_VERSION].number == SNMP_V3, "SNMPv3"},
		{SET_WALK, s->value[SET_WALK].list && s->value[SET_WALK].list->count, "walks"},
		{SET_TABLE, s->value[SET_TABLE].list && s->value[SET_TABLE].list->count, "tables"},
		{SET_INDEX_LABEL, s->value[SET_INDEX_LABEL].text != NULL, "tables"},
	};

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (later[i].used)
			conf_error(conf, s->place[later[i].key],
				   "%s: not yet: this version knows no %s",
				   setting_text(later[i].key), later[i].what);
	}
}

uint32_t plan_profile(struct plan_profiles *all, const struct settings *s)
{
	struct plan_objects *objects;
	struct profile p = {
		.version = (enum snmp_version)s->value[SET_VERSION].number,
		.community = (char *)s->value[SET_COMMUNITY].text,
		.timeout_us = s->value[SET_TIMEOUT].number,
		.retries = (unsigned)s->value[SET_RETRIES].number,
		.deadline_us = s->value[SET_DEADLINE].number,
		.any_source = s->value[SET_ANY_SOURCE].number != 0,
		.per_host = (unsigned)s->value[SET_PER_HOST].number,
		.max_repetitions = (unsigned)s->value[SET_MAX_REPETITIONS].number,
		.max_vars = (uint64_t)s->value[SET_MAX_VARS].number,
		.nonincreasing = strcmp(s->value[SET_NONINCREASING].text, "allow") == 0,
		.context = (char *)"",
	};
	uint64_t hash;
	uint32_t number;

	refuse_later(all->conf, s);
	number = plan_objects(all, s->value[SET_GET].list);
	objects = &all->objects[number];
	p.get = objects->oid;
	p.nget = objects->count;
	hash = hash_profile(&p);
	number = plan_index_get(&all->by_content, hash, same_profile, all->list, &p);
	if (number != PLAN_INDEX_NONE)
		return number;
	p.community = mem_strdup(p.community);
	all->list = plan_grow(all->list, all->count, &all->cap, sizeof(*all->list));
	all->list[all->count] = p;
	plan_index_put(&all->by_content, hash, (uint32_t)all->count);
	return (uint32_t)all->count++;
}

void plan_profiles_free(struct plan_profiles *all)
{
	for (size_t i = 0; i < all->count; i++) {
		mem_wipe(all->list[i].community, strlen(all->list[i].community));
		free(all->list[i].community);
	}
	for (size_t i = 0; i < all->nobjects; i++)
		free(all->objects[i].oid);
	free(all->list);
	free(all->objects);
	free(all->seen);
	plan_index_free(&all->by_content);
	plan_index_free(&all->objects_by_content);
	plan_index_free(&all->seen_by_list);
}

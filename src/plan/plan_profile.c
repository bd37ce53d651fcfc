/*
 * Settings become profiles.
 *
 * The problem: workers inherit the profiles, and build a request for each; a task names its profile by a
 * number. So targets with the same effective settings must share one, wherever these were written:
 * in `defaults`, in a group, or a thousand times at a thousand hosts. Profiles are compared by
 * content; what they point to (lists of objects, credentials) was made once of each content, so there the
 * address will do.
 *
 * What another version or an object list that is not there would need is left out of a profile, so that it
 * makes no difference: the community where version 3 is spoken, the index label where no table is read.
 *
 * The trap: hash and comparison must look at the same things, or equal profiles are two. So both look
 * at one array of numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_internal.h"

static const char nothing[] = "";

/* ---- identity */

#define NUMBERS 19

/* All of a profile but its strings and its engine ID. */
static void numbers_of(const struct profile *p, int64_t out[NUMBERS])
{
	const int64_t numbers[NUMBERS] = {
		p->version,
		p->timeout_us,
		p->retries,
		p->deadline_us,
		p->any_source,
		p->per_host,
		p->max_repetitions,
		(int64_t)p->max_vars,
		p->nonincreasing,
		p->engine_id_len,
		(intptr_t)p->get,
		(intptr_t)p->walk,
		(intptr_t)p->table,
		(intptr_t)p->index_label,
		(intptr_t)p->credential,
		(intptr_t)p->tls,
		p->peer_pinned,
		p->adaptive,
		p->silent_after,
	};

	memcpy(out, numbers, sizeof(numbers));
}

static const char *name_of(const struct profile *p)
{
	return p->peer_name ? p->peer_name : nothing;
}

static bool same_profile(const void *array, uint32_t number, const void *wanted)
{
	const struct profile *a = (const struct profile *)array + number;
	const struct profile *b = wanted;
	int64_t in_a[NUMBERS], in_b[NUMBERS];

	numbers_of(a, in_a);
	numbers_of(b, in_b);
	return memcmp(in_a, in_b, sizeof(in_a)) == 0 && strcmp(a->community, b->community) == 0 &&
	       strcmp(a->context, b->context) == 0 && strcmp(name_of(a), name_of(b)) == 0 &&
	       memcmp(a->peer_pin, b->peer_pin, sizeof(a->peer_pin)) == 0 &&
	       memcmp(a->engine_id, b->engine_id, sizeof(a->engine_id)) == 0;
}

static uint64_t hash_profile(const struct profile *p)
{
	int64_t numbers[NUMBERS];
	uint64_t hash;

	numbers_of(p, numbers);
	hash = plan_hash(0, numbers, sizeof(numbers));
	hash = plan_hash(hash, p->community, strlen(p->community));
	hash = plan_hash(hash, p->context, strlen(p->context));
	hash = plan_hash(hash, name_of(p), strlen(name_of(p)));
	hash = plan_hash(hash, p->peer_pin, sizeof(p->peer_pin));
	return plan_hash(hash, p->engine_id, sizeof(p->engine_id));
}

/* ---- what is asked */

static struct plan_objects list_of(struct plan_profiles *all, enum setting_key key,
				   const struct conf_list *list)
{
	if (!list || !list->count)
		return (struct plan_objects){.number = PLAN_INDEX_NONE};
	return plan_objects(all, &(struct plan_words){key, list, list->item, list->count});
}

static struct plan_objects label_of(struct plan_profiles *all, const char *text,
				    struct conf_place place)
{
	struct conf_item item = {text, place};

	return plan_objects(all, &(struct plan_words){SET_INDEX_LABEL, text, &item, 1});
}

static struct plan_objects get_default(struct plan_profiles *all)
{
	static const struct conf_item item = {"sysDescr.0", {0, 0, 0}};

	return plan_objects(all, &(struct plan_words){SET_GET, &item, &item, 1});
}

static struct plan_lists look_up(struct plan_profiles *all, const struct settings *s)
{
	const char *label = s->value[SET_INDEX_LABEL].text;
	struct plan_lists l = {
		.get = list_of(all, SET_GET, s->value[SET_GET].list).number,
		.walk = list_of(all, SET_WALK, s->value[SET_WALK].list).number,
		.table = list_of(all, SET_TABLE, s->value[SET_TABLE].list).number,
		.label = PLAN_INDEX_NONE,
	};

	if (l.get == PLAN_INDEX_NONE && l.walk == PLAN_INDEX_NONE && l.table == PLAN_INDEX_NONE)
		l.get = get_default(all).number;
	if (label && l.table != PLAN_INDEX_NONE)
		l.label = label_of(all, label, s->place[SET_INDEX_LABEL]).number;
	return l;
}

static struct plan_objects list_at(const struct plan_profiles *all, uint32_t number)
{
	if (number == PLAN_INDEX_NONE)
		return (struct plan_objects){0};
	return all->objects[number];
}

void plan_profile_lists(const struct plan_profiles *all, const struct plan_lists *lists,
			struct profile *p)
{
	struct plan_objects get = list_at(all, lists->get);
	struct plan_objects walk = list_at(all, lists->walk);
	struct plan_objects table = list_at(all, lists->table);

	p->get = get.oid;
	p->nget = get.count;
	p->walk = walk.oid;
	p->nwalk = walk.count;
	p->table = table.table;
	p->ntable = table.count;
	p->index_label = list_at(all, lists->label).oid;
}

/* ---- who asks */

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Of lower-case digits, two an octet, which settings.c has checked. */
static void put_engine_id(struct profile *p, const char *hex)
{
	for (; hex && *hex && p->engine_id_len < ENGINE_ID_MAX; hex += 2)
		p->engine_id[p->engine_id_len++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
}

void plan_profile_who(struct plan_profiles *all, const struct settings *s,
		      const struct conf_place *secure, struct profile *p)
{
	const char *context = s->value[SET_CONTEXT].text;

	p->community = (char *)(uintptr_t)nothing;
	p->context = (char *)(uintptr_t)nothing;
	if (secure)
		plan_tls(all, s, *secure, p);
	if (p->version != SNMP_V3) {
		p->community = (char *)(uintptr_t)s->value[SET_COMMUNITY].text;
		return;
	}
	if (context)
		p->context = (char *)(uintptr_t)context;
	put_engine_id(p, s->value[SET_ENGINE_ID].text);
	if (!secure)
		p->credential = plan_credential(all, s);
}

/* ---- profiles */

void plan_profile_numbers(const struct settings *s, struct profile *p)
{
	p->version = (enum snmp_version)s->value[SET_VERSION].number;
	p->timeout_us = s->value[SET_TIMEOUT].number;
	p->retries = (unsigned)s->value[SET_RETRIES].number;
	p->deadline_us = s->value[SET_DEADLINE].number;
	p->any_source = s->value[SET_ANY_SOURCE].number != 0;
	p->per_host = (unsigned)s->value[SET_PER_HOST].number;
	p->max_repetitions = (unsigned)s->value[SET_MAX_REPETITIONS].number;
	p->max_vars = (uint64_t)s->value[SET_MAX_VARS].number;
	p->adaptive = s->value[SET_ADAPTIVE_TIMEOUT].number != 0;
	p->silent_after = (uint8_t)s->value[SET_SILENT_AFTER].number;
	p->nonincreasing = strcmp(s->value[SET_NONINCREASING].text, "allow") == 0;
}

struct profile plan_profile_what(struct plan_profiles *all, const struct settings *s,
				 struct plan_lists *lists)
{
	struct profile p = {.community = NULL};

	plan_profile_numbers(s, &p);
	*lists = look_up(all, s);
	plan_profile_lists(all, lists, &p);
	return p;
}

uint32_t plan_profile_add(struct plan_profiles *all, const struct profile *p)
{
	struct profile *own;

	all->list = plan_grow(all->list, all->count, &all->cap, sizeof(*all->list));
	own = &all->list[all->count];
	*own = *p;
	own->community = mem_strdup(p->community ? p->community : nothing);
	own->context = mem_strdup(p->context ? p->context : nothing);
	own->peer_name = p->peer_name ? mem_strdup(p->peer_name) : NULL;
	return (uint32_t)all->count++;
}

uint32_t plan_profile(struct plan_profiles *all, const struct settings *s,
		      const struct conf_place *secure)
{
	struct plan_lists lists;
	struct profile p = plan_profile_what(all, s, &lists);
	uint64_t hash;
	uint32_t number;

	plan_profile_who(all, s, secure, &p);
	hash = hash_profile(&p);
	number = plan_index_get(&all->by_content, hash, same_profile, all->list, &p);
	if (number != PLAN_INDEX_NONE)
		return number;
	number = plan_profile_add(all, &p);
	plan_index_put(&all->by_content, hash, number);
	return number;
}

uint64_t plan_asker(const struct plan *p, uint32_t profile)
{
	const struct profile *who = &p->profiles.list[profile];
	uint64_t named = plan_remote_asker(p, profile);
	const char *user = who->credential ? usm_user(who->credential) : nothing;
	uint8_t version = (uint8_t)who->version;
	uint64_t hash = plan_hash(named, &version, 1);

	hash = plan_hash(hash, who->community, strlen(who->community) + 1);
	hash = plan_hash(hash, user, strlen(user) + 1);
	return plan_hash(hash, who->context, strlen(who->context) + 1);
}

void plan_check_object(void *arg, enum setting_key key, union setting_value value,
		       struct conf_place place)
{
	struct plan_profiles *all = arg;

	if (setting_is_list(key))
		list_of(all, key, value.list);
	else if (key == SET_INDEX_LABEL)
		label_of(all, value.text, place);
}

void plan_check_value(void *arg, enum setting_key key, union setting_value value,
		      struct conf_place place)
{
	struct plan_profiles *all = arg;

	if (key == SET_AUTH || key == SET_PRIV)
		plan_check_protocol(all->conf, key, value.text, place);
	else
		plan_check_object(arg, key, value, place);
}

void plan_profiles_free(struct plan_profiles *all)
{
	for (size_t i = 0; i < all->count; i++) {
		mem_wipe(all->list[i].community, strlen(all->list[i].community));
		free(all->list[i].community);
		free(all->list[i].context);
		free(all->list[i].peer_name);
	}
	free(all->list);
	plan_index_free(&all->by_content);
	plan_objects_free(all);
	plan_credentials_free(all);
	plan_tls_free(all);
}

/*
 * Names of objects become OIDs, each list of them once.
 *
 * The problem: an OID is half a kilobyte, and profiles that differ in nothing but their community read the same
 * objects. So lists are compared by content and shared. A list of conf's is looked up once, however many
 * targets inherit it. An unknown name costs 200 us, as it is compared with all known ones: when so many errors are
 * there that no further one is shown, names are no longer looked up.
 *
 * `table:` takes a table, an entry or a column, and must know which it has: what is below a column is
 * indices, what is below an entry is columns. A MIB says so; an OID that no MIB knows is taken for a table.
 * What certainly is neither, such as sysDescr.0, is an error here and not an empty answer later.
 */
#include <stdlib.h>
#include <assert.h>
#include <string.h>

#include "plan/plan_internal.h"
#include "snmp/mib.h"

#define OBJECT_ERROR_MAX 300 /* octets with the NUL */

/* ---- one object */

static const char *kind_text(enum mib_kind kind)
{
	static const char *const texts[] = {
		[MIB_UNKNOWN] = "unknown",     [MIB_GROUP] = "a group",
		[MIB_TABLE] = "a table",       [MIB_ENTRY] = "a table's entry",
		[MIB_COLUMN] = "a column",     [MIB_SCALAR] = "a scalar",
		[MIB_INSTANCE] = "one object",
	};

	return texts[kind];
}

/* NULL: oid, which text names, is what a table can be made of; else what it is. */
static const char *as_table(struct table_object *t)
{
	enum mib_kind kind = mib_kind(&t->oid);

	t->column = kind == MIB_COLUMN;
	t->guessed = kind == MIB_UNKNOWN;
	if (kind == MIB_TABLE)
		t->oid.id[t->oid.len++] = 1; /* RFC 2578 §7.1.12: an entry's, always */
	else if (kind != MIB_COLUMN && kind != MIB_ENTRY && kind != MIB_UNKNOWN)
		return kind_text(kind);
	return NULL;
}

/* NULL: a column can be of this OID; else what it is. */
static const char *as_label(const struct oid *oid)
{
	enum mib_kind kind = mib_kind(oid);

	return kind == MIB_COLUMN || kind == MIB_UNKNOWN ? NULL : kind_text(kind);
}

/* The top of the tree, which people walk as `.1`: one number, which no object is named by (X.690 §8.19.4). */
static bool is_top(const char *text, struct oid *out)
{
	text += *text == '.';
	if (!strcmp(text, "iso"))
		text = "1";
	if (*text < '0' || *text > '2' || text[1])
		return false;
	*out = (struct oid){.id = {(uint32_t)(*text - '0')}, .len = 1};
	return true;
}

/* What an item is; of its result other keys than `table` want the OID. What is wrong with it is told. */
static struct table_object look_up_one(struct plan_profiles *all, enum setting_key key,
				       const struct conf_item *item)
{
	struct table_object t = {0};
	char error[OBJECT_ERROR_MAX];
	const char *is;

	if (key == SET_WALK && is_top(item->text, &t.oid))
		return t;
	if (!mib_resolve(item->text, &t.oid, error, sizeof(error))) {
		conf_error(all->conf, item->place, "%s", error);
		return (struct table_object){0};
	}
	if (key == SET_TABLE) {
		is = as_table(&t);
		if (is)
			conf_error(all->conf, item->place,
				   "table: '%.80s' is %s, not a table or a column: 'walk' takes it",
				   item->text, is);
		return t;
	}
	is = key == SET_INDEX_LABEL ? as_label(&t.oid) : NULL;
	if (is)
		conf_error(all->conf, item->place, "index_label: '%.80s' is %s, not a column",
			   item->text, is);
	return t;
}

static struct plan_objects look_up(struct plan_profiles *all, const struct plan_words *w)
{
	struct plan_objects o = {.count = w->count};
	const bool tables = w->key == SET_TABLE;

	if (tables)
		o.table = mem_zero(o.count, sizeof(*o.table));
	else
		o.oid = mem_zero(o.count, sizeof(*o.oid));
	for (size_t i = 0; i < o.count && conf_error_room(all->conf); i++) {
		struct table_object t = look_up_one(all, w->key, &w->item[i]);

		if (tables)
			o.table[i] = t;
		else
			o.oid[i] = t.oid;
	}
	assert(o.table || o.oid); /* even if there are none of them */
	return o;
}

/* ---- lists of them */

static bool same_list(const void *array, uint32_t number, const void *wanted)
{
	const struct plan_seen *seen = array;

	return seen[number].written == wanted;
}

static bool same_oid(const struct oid *a, const struct oid *b)
{
	return oid_compare(a->id, a->len, b->id, b->len) == 0;
}

static bool same_table_object(const struct table_object *a, const struct table_object *b)
{
	return a->column == b->column && a->guessed == b->guessed && same_oid(&a->oid, &b->oid);
}

static bool same_objects(const void *array, uint32_t number, const void *wanted)
{
	const struct plan_objects *a = (const struct plan_objects *)array + number;
	const struct plan_objects *b = wanted;

	if (a->count != b->count || !a->table != !b->table)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->table ? !same_table_object(&a->table[i], &b->table[i])
			     : !same_oid(&a->oid[i], &b->oid[i]))
			return false;
	}
	return true;
}

static uint64_t hash_objects(const struct plan_objects *o)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < o->count; i++) {
		const struct oid *oid = o->table ? &o->table[i].oid : &o->oid[i];

		hash = plan_hash(hash, oid->id, oid->len * sizeof(oid->id[0]));
	}
	return hash;
}

static void free_objects(struct plan_objects o)
{
	free(o.oid);
	free(o.table);
}

static uint32_t share_objects(struct plan_profiles *all, struct plan_objects o)
{
	uint64_t hash = hash_objects(&o);
	uint32_t number = plan_index_get(&all->objects_by_content, hash, same_objects, all->objects,
					 &o);

	if (number != PLAN_INDEX_NONE) {
		free_objects(o);
		return number;
	}
	all->objects = plan_grow(all->objects, all->nobjects, &all->cap_objects,
				 sizeof(*all->objects));
	o.number = (uint32_t)all->nobjects;
	all->objects[all->nobjects] = o;
	plan_index_put(&all->objects_by_content, hash, (uint32_t)all->nobjects);
	return (uint32_t)all->nobjects++;
}

struct plan_objects plan_objects(struct plan_profiles *all, const struct plan_words *w)
{
	uint64_t hash = plan_hash(0, &w->written, sizeof(w->written));
	uint32_t number = plan_index_get(&all->seen_by_list, hash, same_list, all->seen,
					 w->written);

	if (number != PLAN_INDEX_NONE)
		return all->objects[all->seen[number].objects];
	number = share_objects(all, look_up(all, w));
	all->seen = plan_grow(all->seen, all->nseen, &all->cap_seen, sizeof(*all->seen));
	all->seen[all->nseen] = (struct plan_seen){w->written, number};
	plan_index_put(&all->seen_by_list, hash, (uint32_t)all->nseen++);
	return all->objects[number];
}

struct plan_objects plan_objects_share(struct plan_profiles *all, struct plan_objects o)
{
	uint32_t number = share_objects(all, o);

	return all->objects[number];
}

void plan_objects_free(struct plan_profiles *all)
{
	for (size_t i = 0; i < all->nobjects; i++)
		free_objects(all->objects[i]);
	free(all->objects);
	free(all->seen);
	plan_index_free(&all->objects_by_content);
	plan_index_free(&all->seen_by_list);
}

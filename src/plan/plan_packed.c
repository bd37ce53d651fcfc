/*
 * Profiles as they travel from the machine that plans to those that ask.
 *
 * The problem: an agent must come to the very profile that the local program would make, with credentials that the
 * planning side has never seen; and `credential` may be named at several levels, with keys of its kind set above and
 * below it (conf_merge.c). So what travels is not the outcome but the layers: the names, and each key that was set
 * beside them with how many of the names it wins over. The agent lays them over each other again.
 *
 * Lists of objects come first, each once, since a hundred thousand profiles may differ in nothing but a name. Keys of who
 * asks travel under the names that people write, and their values as written: the agent reads them by the table that it
 * reads its own files by (settings.c), with the same bounds, so nothing is asked that could not be written. Numbers of
 * what is asked are binary, and checked against the same table.
 *
 * No secret can stand in it: plan_unpack_order() would refuse it, so who packs one is found out.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_internal.h"
#include "plan/plan_packed.h"

static const enum setting_key numbers[] = {
	SET_TIMEOUT,  SET_RETRIES,    SET_DEADLINE,         SET_PER_HOST,     SET_MAX_REPETITIONS,
	SET_MAX_VARS, SET_ANY_SOURCE, SET_ADAPTIVE_TIMEOUT, SET_SILENT_AFTER,
};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static bool may_travel(enum setting_key key, const char *text)
{
	if (key == SET_COMMUNITY)
		return strcmp(text, "public") == 0;
	return conf_is_who(key) && !setting_is_secret(key) && key != SET_IDENTITY &&
	       key != SET_IDENTITY_KEY && key != SET_PEER_CA;
}

/* ---- writing */

static void put_number(struct buf *out, uint64_t v, unsigned octets)
{
	while (octets-- > 0)
		buf_putc(out, (char)(v >> (8 * octets) & 0xff));
}

static void put_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	put_number(out, len, 2);
	buf_put(out, text, len);
}

static void put_oid(struct buf *out, const struct oid *oid)
{
	put_number(out, oid->len, 1);
	for (size_t i = 0; i < oid->len; i++)
		put_number(out, oid->id[i], 4);
}

void plan_pack_lists(const struct plan_profiles *all, struct buf *out)
{
	put_number(out, all->nobjects, 4);
	for (size_t i = 0; i < all->nobjects; i++) {
		const struct plan_objects *o = &all->objects[i];

		put_number(out, o->table != NULL, 1);
		put_number(out, o->count, 4);
		for (size_t k = 0; k < o->count; k++) {
			put_oid(out, o->table ? &o->table[k].oid : &o->oid[k]);
			if (o->table)
				put_number(out,
					   (o->table[k].column ? 1u : 0u) +
						   (o->table[k].guessed ? 2u : 0u),
					   1);
		}
	}
}

static bool travels(const struct plan_order *o, enum setting_key key)
{
	return SETTING_IS_SET(&o->s, key) && conf_is_who(key);
}

void plan_pack_who(const struct plan_order *o, struct buf *out)
{
	struct buf value = {0};
	unsigned count = 0;

	put_number(out, o->who.count, 1);
	for (unsigned i = 0; i < o->who.count; i++)
		put_text(out, o->who.credential[i]);
	for (unsigned key = 0; key < SETTING_COUNT; key++)
		count += travels(o, (enum setting_key)key);
	put_number(out, count, 1);
	for (unsigned key = 0; key < SETTING_COUNT; key++) {
		if (!travels(o, (enum setting_key)key))
			continue;
		put_text(out, setting_text((enum setting_key)key));
		put_number(out, o->who.above[key], 1);
		setting_put(&value, (enum setting_key)key, o->s.value[key]);
		put_number(out, value.len, 2);
		buf_put(out, value.data, value.len);
		value.len = 0;
	}
	buf_free(&value);
}

void plan_pack_order(const struct plan_order *o, struct buf *out)
{
	put_number(out, o->lists.get, 4);
	put_number(out, o->lists.walk, 4);
	put_number(out, o->lists.table, 4);
	put_number(out, o->lists.label, 4);
	for (size_t i = 0; i < NUMBERS; i++)
		put_number(out, (uint64_t)o->s.value[numbers[i]].number, 8);
	put_number(out, strcmp(o->s.value[SET_NONINCREASING].text, "allow") == 0, 1);
	put_number(out, o->secure, 1);
	plan_pack_who(o, out);
}

/* ---- reading */

static bool get_oid(struct wire_in *r, struct oid *oid)
{
	oid->len = wire_get_u8(r);
	if (r->bad || oid->len == 0 || oid->len > OID_MAX)
		return false;
	for (size_t i = 0; i < oid->len; i++)
		oid->id[i] = wire_get_u32(r);
	return !r->bad && oid->id[0] <= 2 && (oid->len < 2 || oid->id[0] == 2 || oid->id[1] <= 39);
}

static bool get_table_object(struct wire_in *r, struct table_object *t)
{
	uint8_t flags;

	if (!get_oid(r, &t->oid) || t->oid.len < 2)
		return false;
	flags = wire_get_u8(r);
	t->column = flags & 1;
	t->guessed = flags & 2;
	return flags < 3;
}

static bool get_objects(struct wire_in *r, const struct plan_objects *o, bool tables)
{
	for (size_t i = 0; i < o->count; i++)
		if (tables ? !get_table_object(r, &o->table[i]) : !get_oid(r, &o->oid[i]))
			return false;
	return true;
}

bool plan_unpack_lists(struct plan_profiles *all, struct wire_in *r)
{
	uint32_t nlists = wire_get_u32(r);
	size_t oids = 0;

	for (uint32_t i = 0; i < nlists; i++) {
		bool tables = wire_get_u8(r) == 1;
		struct plan_objects o = {.count = wire_get_u32(r)};

		if (r->bad || o.count == 0 || o.count > PLAN_OIDS_MAX - oids)
			return false;
		oids += o.count;
		if (tables)
			o.table = mem_zero(o.count, sizeof(*o.table));
		else
			o.oid = mem_zero(o.count, sizeof(*o.oid));
		if (!get_objects(r, &o, tables)) {
			/* not shared: it would be hashed, by lengths that may be anything */
			free(o.oid);
			free(o.table);
			return false;
		}
		if (plan_objects_share(all, o).number != i)
			return false; /* each stands there once */
	}
	return !r->bad;
}

/* A copy with a NUL; "" if there is something wrong. */
static char *get_text(struct wire_in *r, struct buf *texts)
{
	uint16_t len;
	const uint8_t *octets = wire_get_str(r, &len);
	char *text = mem_strndup(octets ? (const char *)octets : "", len);

	buf_put(texts, &text, sizeof(text));
	if (strlen(text) != len)
		r->bad = true;
	return text;
}

static bool get_key(struct plan_order *o, struct buf *texts, struct wire_in *r)
{
	const char *name = get_text(r, texts);
	uint8_t above = wire_get_u8(r);
	char *text = get_text(r, texts);
	char error[SETTING_ERROR_MAX];
	enum setting_source source;
	enum setting_key key;

	if (r->bad || !setting_find(name, &key, &source) || source != SOURCE_LITERAL ||
	    !may_travel(key, text) || above > o->who.count ||
	    !setting_parse(key, text, &o->s.value[key], error))
		return false;
	o->s.set |= SETTING_BIT(key);
	o->who.above[key] = above;
	return true;
}

static bool get_who(struct plan_order *o, struct buf *texts, struct wire_in *r)
{
	unsigned keys;

	o->who.count = wire_get_u8(r);
	if (o->who.count > WHO_CREDENTIALS_MAX)
		return false;
	for (unsigned i = 0; i < o->who.count; i++)
		o->who.credential[i] = get_text(r, texts);
	keys = wire_get_u8(r);
	for (unsigned i = 0; i < keys; i++)
		if (!get_key(o, texts, r))
			return false;
	return !r->bad;
}

static bool get_number(struct plan_order *o, enum setting_key key, struct wire_in *r)
{
	o->s.value[key].number = (int64_t)wire_get_u64(r);
	if (key == SET_MAX_REPETITIONS && o->s.value[key].number == 0)
		return true; /* none is set */
	return setting_holds(key, o->s.value[key].number);
}

/* Whether it is the number of a list, or of none. */
static bool is_list(const struct plan_profiles *all, uint32_t number, bool table, size_t count)
{
	if (number == PLAN_INDEX_NONE)
		return true;
	return number < all->nobjects && !all->objects[number].table == !table &&
	       (count == 0 || all->objects[number].count == count);
}

/* What a GET is made of has two numbers at least. */
static bool can_be_got(const struct plan_profiles *all, uint32_t number)
{
	if (number == PLAN_INDEX_NONE)
		return true;
	for (size_t i = 0; i < all->objects[number].count; i++)
		if (all->objects[number].oid[i].len < 2)
			return false;
	return true;
}

bool plan_unpack_order(struct plan_order *o, const struct plan_profiles *all, struct buf *texts,
		       struct wire_in *r)
{
	struct plan_lists *l = &o->lists;
	uint8_t allow;

	*o = (struct plan_order){.secure = false};
	settings_builtin(&o->s);
	l->get = wire_get_u32(r);
	l->walk = wire_get_u32(r);
	l->table = wire_get_u32(r);
	l->label = wire_get_u32(r);
	if (!is_list(all, l->get, false, 0) || !is_list(all, l->walk, false, 0) ||
	    !is_list(all, l->table, true, 0) || !is_list(all, l->label, false, 1) ||
	    !can_be_got(all, l->get) || !can_be_got(all, l->label))
		return false;
	for (size_t i = 0; i < NUMBERS; i++)
		if (!get_number(o, numbers[i], r))
			return false;
	allow = wire_get_u8(r);
	o->s.value[SET_NONINCREASING].text = allow ? "allow" : "stop";
	o->secure = wire_get_u8(r) == 1;
	return allow <= 1 && get_who(o, texts, r);
}

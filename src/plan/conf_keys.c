/*
 * The settings of one mapping, and of the command line.
 *
 * The problem: a secret has three forms, KEY, KEY_file and KEY_env, and each may come from YAML or
 * from --set. Once read they are the same thing: the value of KEY. So they are read at once
 * (conf_secret.c), and merging never hears of them: a community_file of a host wins over
 * a community of the defaults as any host's key does. Two forms in one mapping are an error, as
 * neither wins for a reason.
 */
#include "plan/conf_keys.h"

#include <string.h>

static bool read_value(struct conf *c, const struct conf_word *w, union setting_value *out)
{
	char error[SETTING_ERROR_MAX];
	char *copy;

	if (setting_is_secret(w->key))
		copy = conf_secret(c, w);
	else
		copy = arena_text(&c->arena, w->text, strlen(w->text));
	if (!copy)
		return false;
	if (setting_parse(w->key, copy, out, error))
		return true;
	conf_error(c, w->place, "%s%s: %s", setting_text(w->key), setting_suffix(w->source), error);
	return false;
}

bool conf_value(struct conf *c, const struct conf_word *w, union setting_value *out)
{
	if (read_value(c, w, out))
		return true;
	c->wrong |= SETTING_BIT(w->key);
	return false;
}

const struct conf_list *conf_list_new(struct conf *c, const struct conf_item *items, size_t count)
{
	size_t size = count * sizeof(*items);
	struct conf_list *list = arena_take(&c->arena, sizeof(*list) + size);

	list->count = count;
	if (count)
		memcpy(list->item, items, size);
	return list;
}

static bool take_list(struct doc *d, enum setting_key key, union setting_value *out)
{
	size_t before = d->conf->nerrors;
	char error[SETTING_ERROR_MAX];
	struct buf items = {0};
	union setting_value word;
	struct conf_item *item;
	size_t count;

	doc_words(d, setting_text(key), &items);
	item = (struct conf_item *)(void *)items.data;
	count = items.len / sizeof(*item);
	for (size_t i = 0; i < count; i++)
		if (!setting_parse(key, (char *)(uintptr_t)item[i].text, &word, error))
			conf_error(d->conf, item[i].place, "%s: %s", setting_text(key), error);
	out->list = conf_list_new(d->conf, item, count);
	buf_free(&items);
	return d->conf->nerrors == before;
}

static bool is_secret(const struct conf_word *w)
{
	return w->source == SOURCE_LITERAL && setting_is_secret(w->key) &&
	       !(w->key == SET_COMMUNITY && strcmp(w->text, "public") == 0);
}

static bool take_word(struct doc *d, enum setting_key key, enum setting_source source,
		      union setting_value *out)
{
	struct conf_word w = {key, source, NULL, doc_place(d), NULL};

	if (!doc_expect(d, DOC_WORD, setting_text(key), "takes one value, not a list or mapping"))
		return false;
	if (doc_is_empty(d)) {
		conf_error(d->conf, w.place, "%s%s: no value", setting_text(key),
			   setting_suffix(source));
		return false;
	}
	w.text = doc_word(d);
	if (!w.text)
		return false;
	d->holds_secret = d->holds_secret || is_secret(&w);
	if (d->conf->hold_secrets && source != SOURCE_LITERAL) {
		out->text = arena_text(&d->conf->arena, w.text, strlen(w.text));
		return true;
	}
	return conf_value(d->conf, &w, out);
}

static const char *level_text(enum setting_level level)
{
	switch (level) {
	case LEVEL_DEFAULTS:
		return "in defaults";
	case LEVEL_GROUP:
		return "in a group";
	case LEVEL_CREDENTIAL:
		return "in a credential";
	default:
		return "in a host entry";
	}
}

/* False: told. */
static bool is_first(struct doc *d, struct keys_read *k, const struct doc_key *key,
		     enum setting_key which, enum setting_source source)
{
	uint64_t bit = SETTING_BIT(which);
	uint32_t line = k->first[which].place.line;

	if (!(k->set & bit)) {
		k->set |= bit;
		k->first[which].place = key->place;
		k->first[which].source = source;
		return true;
	}
	if (k->first[which].source == source)
		conf_error(d->conf, key->place, "duplicate key '%s' (first on line %u)", key->text,
			   line);
	else
		conf_error(d->conf, key->place, "'%s' beside '%s%s' on line %u: keep one of them",
			   key->text, setting_text(which), setting_suffix(k->first[which].source),
			   line);
	return false;
}

bool keys_take(struct doc *d, struct keys_read *k, const struct doc_key *key)
{
	struct conf_place place = doc_place(d);
	enum setting_source source;
	enum setting_key which;
	union setting_value value;
	bool good;

	if (!setting_find(key->text, &which, &source))
		return false;
	if (!setting_allowed(which, k->level)) {
		conf_error(d->conf, key->place, "'%s' is not allowed %s", key->text,
			   level_text(k->level));
		doc_skip(d);
		return true;
	}
	if (!is_first(d, k, key, which, source)) {
		doc_skip(d);
		return true;
	}
	good = setting_is_list(which) ? take_list(d, which, &value)
				      : take_word(d, which, source, &value);
	if (good)
		k->key[k->count++] = (struct conf_key){.value = value,
						       .line = place.line,
						       .column = place.column,
						       .key = (uint16_t)which};
	return true;
}

const struct conf_key *keys_find(const struct keys_read *k, enum setting_key key)
{
	for (unsigned i = 0; i < k->count; i++)
		if (k->key[i].key == key)
			return &k->key[i];
	return NULL;
}

static void hold(struct conf *c, struct conf_key *at, uint16_t file, enum setting_source source)
{
	if (!c->hold_secrets || source == SOURCE_LITERAL)
		return;
	c->held = conf_grow(c->held, c->nheld, &c->cap_held, sizeof(*c->held));
	c->held[c->nheld++] = (struct conf_held){at, file, (uint8_t)source};
}

const struct conf_keys *keys_pack(struct conf *c, const struct keys_read *k, uint16_t file)
{
	size_t size = k->count * sizeof(k->key[0]);
	struct conf_keys *keys;

	if (!k->count)
		return NULL;
	keys = arena_take(&c->arena, sizeof(*keys) + size);
	keys->count = k->count;
	keys->file = file;
	memcpy(keys->key, k->key, size);
	for (unsigned i = 0; i < keys->count; i++)
		hold(c, &keys->key[i], file, k->first[keys->key[i].key].source);
	return keys;
}

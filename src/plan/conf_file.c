/*
 * What may stand where in a file of settings and targets.
 *
 *   defaults: SETTINGS             credentials: {NAME: SETTINGS, …}      groups: {NAME: SETTINGS, …}
 *   hosts: [TARGET or {host: TARGET, SETTINGS}, …]       mibs: [FOLDER/ or MODULE, …]  run_as: USER
 *   broker: {url: …} (conf_broker.c)
 *
 * Each reader takes the current node whole, right or wrong, so that one mistake never hides the next: the
 * file is read to its end, and all that is wrong with it is told. Names of groups and credentials are not
 * looked up here: they may be defined further down, or in a later file (conf_check()).
 */
#include <stdlib.h>
#include <string.h>

#include "plan/conf_keys.h"
#include "plan/target.h"

#define RUN_AS_MAX 255 /* octets of a user's name */

struct top_key {
	const char *name;
	void (*read)(struct doc *d); /* takes its value */
};

static const struct top_key *top_key(const char *name);

static void refuse_key(struct doc *d, const struct doc_key *key, enum setting_level level)
{
	struct nearest near = {.written = key->text};
	char hint[NEAREST_HINT_MAX];

	if (strcmp(key->text, "host") == 0) {
		conf_error(d->conf, key->place, "'host' stands in an entry of 'hosts:' only");
	} else if (top_key(key->text)) {
		conf_error(d->conf, key->place, "'%s' stands at the top level of a file only",
			   key->text);
	} else {
		if (conf_error_room(d->conf))
			settings_nearest(&near, level);
		if (level == LEVEL_HOST)
			nearest_try(&near, "host");
		conf_error(d->conf, key->place, "unknown key '%s'%s", key->text,
			   nearest_hint(&near, hint));
	}
	doc_skip(d);
}

/* The current node is a mapping of settings. NULL: none, or not one (told). */
static const struct conf_keys *read_settings(struct doc *d, enum setting_level level,
					     const char *what)
{
	struct keys_read k = {.level = level};
	struct doc_key key;

	if (doc_is_empty(d))
		return NULL;
	if (!doc_expect(d, DOC_MAPPING, what, "takes a mapping of keys to values"))
		return NULL;
	while (doc_key(d, &key))
		if (!keys_take(d, &k, &key))
			refuse_key(d, &key, level);
	return keys_pack(d->conf, &k, d->reader->at.file);
}

static void read_defaults(struct doc *d)
{
	struct conf_file *file = &d->conf->files[d->reader->at.file];

	file->defaults = read_settings(d, LEVEL_DEFAULTS, "defaults");
}

static void read_named(struct doc *d, struct conf_names *names, enum setting_level level)
{
	const char *what = level == LEVEL_GROUP ? "group" : "credential";
	struct doc_key key;
	struct buf where = {0};

	if (doc_is_empty(d) ||
	    !doc_expect(d, DOC_MAPPING, level == LEVEL_GROUP ? "groups" : "credentials",
			"takes a mapping of names to settings"))
		return;
	while (doc_key(d, &key)) {
		const struct conf_named *other = conf_name(names, key.text);
		struct conf_named named = {.place = key.place};

		named.keys = read_settings(d, level, key.text);
		if (other) {
			where.len = 0;
			conf_place_text(d->conf, other->place, &where);
			conf_error(d->conf, key.place, "duplicate %s '%s' (first at %.*s)", what,
				   key.text, (int)where.len, (const char *)where.data);
			continue;
		}
		named.name = arena_text(&d->conf->arena, key.text, strlen(key.text));
		names->list = conf_grow(names->list, names->count, &names->cap, sizeof(named));
		names->list[names->count] = named;
		table_put(&names->index, named.name, (uint32_t)names->count++);
	}
	buf_free(&where);
}

static void read_credentials(struct doc *d)
{
	read_named(d, &d->conf->credentials, LEVEL_CREDENTIAL);
}

static void read_groups(struct doc *d)
{
	read_named(d, &d->conf->groups, LEVEL_GROUP);
}

static void add_entry(struct conf *c, const struct conf_entry *e)
{
	c->entries = conf_grow(c->entries, c->nentries, &c->cap_entries, sizeof(*e));
	c->entries[c->nentries++] = *e;
}

/* The current node is a target; host is set when it is one. */
static bool read_target(struct doc *d, struct conf_entry *e, struct target *t)
{
	char error[TARGET_ERROR_MAX];
	const char *text;

	e->place = doc_place(d);
	if (!doc_expect(d, DOC_WORD, "host", "takes one target, in quotes if it has brackets"))
		return false;
	text = doc_word(d);
	if (!text)
		return false;
	if (!target_parse(text, strlen(text), t, error)) {
		conf_error(d->conf, e->place, "target '%.60s': %s", text, error);
		return false;
	}
	e->host = arena_text(&d->conf->arena, text, strlen(text));
	return true;
}

static void check_label(struct doc *d, const struct keys_read *k, const struct target *t)
{
	const struct conf_key *label = keys_find(k, SET_LABEL);
	struct conf_place place = {.file = d->reader->at.file};

	if (!label || t->kind != TARGET_BLOCK)
		return;
	place.line = label->line;
	place.column = label->column;
	conf_error(d->conf, place, "label: is for single hosts, not for a block or range");
}

static void read_host_mapping(struct doc *d)
{
	struct conf_place place = doc_place(d);
	struct keys_read k = {.level = LEVEL_HOST};
	struct conf_entry e = {0};
	struct target t = {0};
	uint32_t line = 0; /* of the key 'host' */
	struct doc_key key;

	while (doc_key(d, &key)) {
		if (strcmp(key.text, "host") != 0) {
			if (!keys_take(d, &k, &key))
				refuse_key(d, &key, LEVEL_HOST);
		} else if (line) {
			conf_error(d->conf, key.place, "duplicate key 'host' (first on line %u)",
				   line);
			doc_skip(d);
		} else {
			line = key.place.line;
			read_target(d, &e, &t);
		}
	}
	if (!line && !d->ended)
		conf_error(d->conf, place, "an entry without 'host'");
	if (!e.host)
		return;
	check_label(d, &k, &t);
	e.keys = keys_pack(d->conf, &k, d->reader->at.file);
	add_entry(d->conf, &e);
}

static void read_hosts(struct doc *d)
{
	struct conf_entry e;
	struct target t;

	if (doc_is_empty(d) ||
	    !doc_expect(d, DOC_LIST, "hosts", "takes a list: write '- ' before each target"))
		return;
	while (doc_item(d)) {
		e = (struct conf_entry){0};
		if (doc_kind(d) == DOC_MAPPING)
			read_host_mapping(d);
		else if (read_target(d, &e, &t))
			add_entry(d->conf, &e);
	}
}

static void add_mib(struct doc *d, const struct conf_item *item)
{
	bool folder = strchr(item->text, '/') != NULL;
	struct buf *list = folder ? &d->conf->mib_dirs : &d->conf->mib_modules;
	const char *text = item->text;

	if (!*text || strchr(text, ':')) {
		conf_error(d->conf, item->place,
			   "mibs: '%.60s' is neither a folder (with a '/') nor a module", text);
		return;
	}
	if (folder)
		text = conf_path(d->conf, item->place.file, text);
	if (list->len)
		list->data[list->len - 1] = ':';
	buf_put(list, text, strlen(text) + 1);
}

static void read_mibs(struct doc *d)
{
	struct buf items = {0};
	const struct conf_item *item;

	doc_words(d, "mibs", &items);
	item = (const struct conf_item *)(void *)items.data;
	for (size_t i = 0; i < items.len / sizeof(*item); i++)
		add_mib(d, &item[i]);
	buf_free(&items);
}

static void read_run_as(struct doc *d)
{
	struct conf *c = d->conf;
	struct buf where = {0};
	const char *text;

	if (!doc_expect(d, DOC_WORD, "run_as", "takes the name of a user"))
		return;
	text = doc_word(d);
	if (!text)
		return;
	if (!*text || strlen(text) > RUN_AS_MAX) {
		conf_error(c, doc_place(d), "run_as: takes the name of a user");
	} else if (c->run_as) {
		conf_place_text(c, c->run_as_place, &where);
		conf_error(c, doc_place(d), "run_as: stands at %.*s already", (int)where.len,
			   (const char *)where.data);
		buf_free(&where);
	} else {
		c->run_as = arena_text(&c->arena, text, strlen(text));
		c->run_as_place = doc_place(d);
	}
}

static const struct top_key top_keys[] = {
	{"defaults", read_defaults},  {"credentials", read_credentials},
	{"groups", read_groups},      {"hosts", read_hosts},
	{"mibs", read_mibs},          {"run_as", read_run_as},
	{"broker", conf_read_broker},
};
#define TOP_KEYS (sizeof(top_keys) / sizeof(top_keys[0]))

/* NULL: there is none of that name. */
static const struct top_key *top_key(const char *name)
{
	for (size_t i = 0; i < TOP_KEYS; i++)
		if (strcmp(top_keys[i].name, name) == 0)
			return &top_keys[i];
	return NULL;
}

static void refuse_top(struct doc *d, const struct doc_key *key)
{
	struct nearest near = {.written = key->text};
	char hint[NEAREST_HINT_MAX];
	enum setting_source source;
	enum setting_key which;

	for (size_t i = 0; i < TOP_KEYS; i++)
		nearest_try(&near, top_keys[i].name);
	if (setting_find(key->text, &which, &source))
		conf_error(d->conf, key->place,
			   "'%s' is a key of targets: it goes under 'defaults:'", key->text);
	else
		conf_error(d->conf, key->place, "unknown key '%s'%s", key->text,
			   nearest_hint(&near, hint));
	doc_skip(d);
}

static void read_top(struct doc *d)
{
	uint32_t lines[TOP_KEYS] = {0}; /* where each key stands; 0: not yet */
	struct doc_key key;

	if (doc_is_empty(d))
		return;
	if (!doc_expect(d, DOC_MAPPING, "the file",
			"begins with keys such as 'hosts:', its targets are a list below that"))
		return;
	while (doc_key(d, &key)) {
		const struct top_key *top = top_key(key.text);
		uint32_t *line = top ? &lines[top - top_keys] : NULL;

		if (!top) {
			refuse_top(d, &key);
		} else if (*line) {
			conf_error(d->conf, key.place, "duplicate key '%s' (first on line %u)",
				   key.text, *line);
			doc_skip(d);
		} else {
			*line = key.place.line;
			top->read(d);
		}
	}
}

void conf_read(struct conf *c, const char *path)
{
	struct reader *r = mem_alloc(sizeof(*r)); /* its buffer is large for a stack */
	struct doc d;

	if (reader_open(r, c, path)) {
		if (doc_begin(&d, r))
			read_top(&d);
		doc_end(&d);
		if (d.holds_secret && r->everyone)
			conf_warning(c,
				     "%s: holds a secret and is readable by everyone: chmod o-r it",
				     strcmp(path, "-") ? path : "standard input");
	}
	reader_close(r);
	free(r);
}

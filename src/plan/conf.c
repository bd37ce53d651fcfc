/*
 * A configuration: what was read from all files, and the questions it answers.
 *
 * The way of a file: conf_reader.c (octets, checked to be UTF-8) -> libyaml -> conf_doc.c (events
 * without what we refuse) -> conf_file.c (what may stand where) -> conf_keys.c (the settings of one
 * mapping). A list of targets goes conf_reader.c -> conf_targets.c. conf_merge.c says what holds for a target in
 * the end, and checks what only shows when all files are there.
 *
 * Events, not libyaml's document tree: a tree costs some 200 octets a node and has no place for its
 * keys. Settings of a mapping are kept packed, 16 octets each, as they are few; laid over each
 * other they become the flat `struct settings` that others see.
 *
 * The trap: entries are listed by the million. What an entry costs when it says nothing but its
 * name is its text and the 24 octets of struct conf_entry, and shall stay so.
 */
#include "plan/conf_internal.h"

#include <stdlib.h>
#include <string.h>

struct conf *conf_new(void)
{
	struct conf *c = mem_zero(1, sizeof(*c));

	c->files = mem_zero(1, sizeof(*c->files));
	c->files[0].path = "command line";
	c->nfiles = 1;
	return c;
}

void conf_leave_secrets(struct conf *c)
{
	c->leave_secrets = true;
}

void conf_remember(struct conf *c, struct reread *memory)
{
	c->reread = memory;
}

static void names_free(struct conf_names *names)
{
	free(names->list);
	table_free(&names->index);
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->nerrors && i < CONF_ERRORS_MAX; i++)
		free(c->mistakes[i].text);
	names_free(&c->groups);
	names_free(&c->credentials);
	table_free(&c->by_host);
	buf_free(&c->mib_dirs);
	buf_free(&c->mib_modules);
	buf_free(&c->warnings);
	free(c->held);
	free(c->entries);
	free(c->targets);
	free(c->files);
	table_free(&c->variables);
	free(c->variable);
	arena_free(&c->arena);
	arena_free(&c->secrets);
	free(c);
}

void *conf_grow(void *array, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 16;
	return mem_resize(array, *cap, size);
}

const char *conf_path(struct conf *c, uint16_t file, const char *path)
{
	const char *base = c->files[file].path;
	const char *slash = file ? strrchr(base, '/') : NULL;
	struct buf joined = {0};
	const char *result;

	if (!slash || path[0] == '/')
		return arena_text(&c->arena, path, strlen(path));
	buf_put(&joined, base, (size_t)(slash - base) + 1);
	buf_puts(&joined, path);
	result = arena_text(&c->arena, (const char *)joined.data, joined.len);
	buf_free(&joined);
	return result;
}

const struct conf_named *conf_name(const struct conf_names *names, const char *name)
{
	uint32_t at = table_get(&names->index, name);

	return at == TABLE_NONE ? NULL : &names->list[at];
}

const char *conf_group_at(const struct conf *c, size_t i)
{
	return i < c->groups.count ? c->groups.list[i].name : NULL;
}

const char *conf_credential_at(const struct conf *c, size_t i)
{
	return i < c->credentials.count ? c->credentials.list[i].name : NULL;
}

const struct conf_entry *conf_entries(const struct conf *c, size_t *count)
{
	*count = c->nentries;
	return c->entries;
}

char *const *conf_targets(const struct conf *c, size_t *count)
{
	*count = c->ntargets;
	return c->targets;
}

const char *conf_label(const struct conf_entry *e)
{
	if (e->keys)
		for (unsigned i = 0; i < e->keys->count; i++)
			if (e->keys->key[i].key == SET_LABEL)
				return e->keys->key[i].value.text;
	return NULL;
}

const struct conf_entry *conf_find(struct conf *c, const char *text)
{
	uint32_t at;

	for (size_t i = 0; !c->indexed && i < c->nentries; i++) {
		const char *label = conf_label(&c->entries[i]);

		table_put(&c->by_host, c->entries[i].host, (uint32_t)i);
		if (label)
			table_put(&c->by_host, label, (uint32_t)i);
	}
	c->indexed = true;
	at = table_get(&c->by_host, text);
	return at == TABLE_NONE ? NULL : &c->entries[at];
}

const char *conf_mib_dirs(const struct conf *c)
{
	return (const char *)c->mib_dirs.data;
}

const char *conf_mib_modules(const struct conf *c)
{
	return (const char *)c->mib_modules.data;
}

const char *conf_run_as(const struct conf *c, struct conf_place *place)
{
	if (place)
		*place = c->run_as_place;
	return c->run_as;
}

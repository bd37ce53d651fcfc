/*
 * What holds for a target in the end.
 *
 * Weakest first: built-in, the defaults of the files so far, the command line, the group, the entry.
 * Each is laid over the one before; lists replace as everything does. A `credential` stands for its keys
 * at the level where it is named, below that level's own keys: so `credential: core, context: x`
 * means what it says, in a group as in a host.
 *
 * The group is named by the entry, or else by the command line, or else by the defaults; its keys win over
 * the command line's wherever its name comes from.
 *
 * The trap: SNMPv3 keys may come from four levels, so whether they fit together shows only in the
 * sum. They are checked for every target that there is, and told at the place of the key that lacks
 * another; conf_error() tells what many targets inherit once.
 */
#include "plan/conf_internal.h"

#include <string.h>

#include "base/profile.h"
#include "base/task.h"

_Static_assert(SNMP_V1 == 0 && SNMP_V2C == 1 && SNMP_V3 == 3, "the table in settings.c says so");

static void put(struct settings *s, enum setting_key key, union setting_value value,
		struct conf_place place)
{
	s->set |= SETTING_BIT(key);
	s->value[key] = value;
	s->place[key] = place;
}

static struct conf_place place_of(const struct conf_keys *keys, const struct conf_key *key)
{
	return (struct conf_place){key->line, key->column, keys->file};
}

static void put_keys(struct settings *s, const struct conf_keys *keys)
{
	for (unsigned i = 0; keys && i < keys->count; i++) {
		const struct conf_key *key = &keys->key[i];

		put(s, (enum setting_key)key->key, key->value, place_of(keys, key));
	}
}

/* The text of a key, if it is among them; NULL. */
static const char *text_of(const struct conf_keys *keys, enum setting_key key)
{
	for (unsigned i = 0; keys && i < keys->count; i++)
		if (keys->key[i].key == key)
			return keys->key[i].value.text;
	return NULL;
}

static void put_credential(const struct conf *c, struct settings *s, const char *name)
{
	const struct conf_named *credential = name ? conf_name(&c->credentials, name) : NULL;

	if (credential)
		put_keys(s, credential->keys);
}

static void put_level(const struct conf *c, struct settings *s, const struct conf_keys *keys)
{
	put_credential(c, s, text_of(keys, SET_CREDENTIAL));
	put_keys(s, keys);
}

static void put_command(const struct conf *c, struct settings *s, const struct settings *command)
{
	put_credential(c, s, command->value[SET_CREDENTIAL].text);
	for (unsigned key = 0; key < SETTING_COUNT; key++)
		if (SETTING_IS_SET(command, key))
			put(s, (enum setting_key)key, command->value[key], command->place[key]);
}

void conf_settings(const struct conf *c, const struct conf_entry *e, const struct settings *command,
		   struct settings *out)
{
	const struct conf_keys *own = e ? e->keys : NULL;
	size_t files = e ? e->place.file + (size_t)1 : c->nfiles;
	const char *group = text_of(own, SET_GROUP);
	const struct conf_named *named;

	settings_builtin(out);
	for (size_t i = 0; i < files; i++)
		put_level(c, out, c->files[i].defaults);
	put_command(c, out, command);
	if (!group)
		group = out->value[SET_GROUP].text;
	named = group ? conf_name(&c->groups, group) : NULL;
	if (named)
		put_level(c, out, named->keys);
	put_level(c, out, own);
}

void conf_own_settings(const struct conf_entry *e, const struct settings *command,
		       struct settings *out)
{
	*out = e ? (struct settings){0} : *command;
	if (e)
		put_keys(out, e->keys);
}

static void each_value(const struct conf_keys *keys, conf_value_fn fn, void *arg)
{
	for (unsigned i = 0; keys && i < keys->count; i++) {
		const struct conf_key *key = &keys->key[i];

		fn(arg, (enum setting_key)key->key, key->value, place_of(keys, key));
	}
}

void conf_each_value(const struct conf *c, conf_value_fn fn, void *arg)
{
	for (size_t i = 0; i < c->nfiles; i++)
		each_value(c->files[i].defaults, fn, arg);
	for (size_t i = 0; i < c->groups.count; i++)
		each_value(c->groups.list[i].keys, fn, arg);
	for (size_t i = 0; i < c->credentials.count; i++)
		each_value(c->credentials.list[i].keys, fn, arg);
	for (size_t i = 0; i < c->nentries; i++)
		each_value(c->entries[i].keys, fn, arg);
}

static void check_name(struct conf *c, const struct conf_names *names, const char *name,
		       struct conf_place place)
{
	struct nearest near = {.written = name};
	char hint[NEAREST_HINT_MAX];

	if (conf_name(names, name))
		return;
	for (size_t i = 0; i < names->count && conf_error_room(c); i++)
		nearest_try(&near, names->list[i].name);
	conf_error(c, place, "unknown %s '%.100s'%s", names == &c->groups ? "group" : "credential",
		   name, nearest_hint(&near, hint));
}

static void check_names(struct conf *c, const struct conf_keys *keys)
{
	for (unsigned i = 0; keys && i < keys->count; i++) {
		const struct conf_key *key = &keys->key[i];

		if (key->key == SET_GROUP)
			check_name(c, &c->groups, key->value.text, place_of(keys, key));
		if (key->key == SET_CREDENTIAL)
			check_name(c, &c->credentials, key->value.text, place_of(keys, key));
	}
}

/* Not so where somebody wrote it, if wrong: that was told, and is one mistake. */
static bool lacks(const struct conf *c, const struct settings *s, enum setting_key key)
{
	return !SETTING_IS_SET(s, key) && !(c->wrong >> key & 1);
}

/* What SNMPv3 keys need of each other (RFC 3411 §3.4.3: no privacy without authentication). */
static void check_v3(struct conf *c, const struct settings *s)
{
	static const struct {
		enum setting_key key;
		const char *word; /* NULL: any */
		enum setting_key needs;
	} rules[] = {
		{SET_VERSION, NULL, SET_USER},       {SET_AUTH, NULL, SET_AUTH_PASS},
		{SET_AUTH_PASS, NULL, SET_AUTH},     {SET_PRIV, NULL, SET_PRIV_PASS},
		{SET_PRIV_PASS, NULL, SET_PRIV},     {SET_PRIV, NULL, SET_AUTH},
		{SET_LEVEL, "authNoPriv", SET_AUTH}, {SET_LEVEL, "authPriv", SET_AUTH},
		{SET_LEVEL, "authPriv", SET_PRIV},
	};

	if (SETTING_IS_SET(s, SET_USER) && lacks(c, s, SET_VERSION))
		conf_error(c, s->place[SET_USER], "user: needs 'version: 3'");
	if (s->value[SET_VERSION].number != SNMP_V3)
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		enum setting_key key = rules[i].key;

		if (!SETTING_IS_SET(s, key) || !lacks(c, s, rules[i].needs))
			continue;
		if (key == SET_VERSION && SETTING_IS_SET(s, SET_IDENTITY))
			continue; /* over DTLS and TLS the certificate is the user */
		if (rules[i].word && strcmp(s->value[key].text, rules[i].word) != 0)
			continue;
		conf_error(c, s->place[key], "%s%s%s: needs '%s'", setting_text(key),
			   key == SET_VERSION ? " 3"
			   : rules[i].word    ? " "
					      : "",
			   rules[i].word ? rules[i].word : "", setting_text(rules[i].needs));
	}
}

static void check_entries(struct conf *c, const struct settings *command)
{
	struct settings s;
	unsigned file = 0; /* whose bare entries were checked last: they are all the same */

	for (size_t i = 0; i < c->nentries; i++) {
		const struct conf_entry *e = &c->entries[i];

		if (!e->keys && file == e->place.file)
			continue;
		if (!e->keys)
			file = e->place.file;
		check_names(c, e->keys);
		conf_settings(c, e, command, &s);
		check_v3(c, &s);
	}
}

void conf_check(struct conf *c, const struct settings *command)
{
	struct settings s;

	for (size_t i = 0; i < c->nfiles; i++)
		check_names(c, c->files[i].defaults);
	for (size_t i = 0; i < c->groups.count; i++)
		check_names(c, c->groups.list[i].keys);
	if (SETTING_IS_SET(command, SET_GROUP))
		check_name(c, &c->groups, command->value[SET_GROUP].text, CONF_COMMAND_LINE);
	if (SETTING_IS_SET(command, SET_CREDENTIAL))
		check_name(c, &c->credentials, command->value[SET_CREDENTIAL].text,
			   CONF_COMMAND_LINE);
	check_entries(c, command);
	if (!c->ntargets)
		return;
	conf_settings(c, NULL, command, &s);
	check_v3(c, &s);
}

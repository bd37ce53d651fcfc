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
#include "plan/who.h"

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

/* Where settings come together. */
struct merge {
	const struct conf *c;
	struct settings *s;
	struct conf_who *who; /* NULL: credentials are their keys; else they are their names */
};

/* Whether the credential named last has nothing above it yet: to name it again changes nothing. */
static bool is_on_top(const struct merge *m, const char *name)
{
	const struct conf_who *who = m->who;

	if (!who->count || strcmp(who->credential[who->count - 1], name) != 0)
		return false;
	for (unsigned key = 0; key < SETTING_COUNT; key++)
		if (SETTING_IS_SET(m->s, key) && who->above[key] == who->count &&
		    conf_is_who((enum setting_key)key))
			return false;
	return true;
}

static void name_credential(struct merge *m, const char *name)
{
	struct conf_who *who = m->who;

	if (is_on_top(m, name))
		return;
	if (who->count == WHO_CREDENTIALS_MAX)
		who->full = true;
	else
		who->credential[who->count++] = name;
}

bool conf_lay_credential(const struct conf *c, struct settings *s, const char *name)
{
	const struct conf_named *credential = conf_name(&c->credentials, name);

	if (credential)
		put_keys(s, credential->keys);
	return credential != NULL;
}

static void put_credential(struct merge *m, const char *name)
{
	if (name && m->who)
		name_credential(m, name);
	else if (name)
		conf_lay_credential(m->c, m->s, name);
}

static void put_own(struct merge *m, enum setting_key key, union setting_value value,
		    struct conf_place place)
{
	put(m->s, key, value, place);
	if (m->who)
		m->who->above[key] = m->who->count;
}

static void put_level(struct merge *m, const struct conf_keys *keys)
{
	put_credential(m, text_of(keys, SET_CREDENTIAL));
	for (unsigned i = 0; keys && i < keys->count; i++) {
		const struct conf_key *key = &keys->key[i];

		put_own(m, (enum setting_key)key->key, key->value, place_of(keys, key));
	}
}

static void put_command(struct merge *m, const struct settings *command)
{
	put_credential(m, command->value[SET_CREDENTIAL].text);
	for (unsigned key = 0; key < SETTING_COUNT; key++)
		if (SETTING_IS_SET(command, key))
			put_own(m, (enum setting_key)key, command->value[key], command->place[key]);
}

static void merge(struct merge *m, const struct conf_entry *e, const struct settings *command)
{
	const struct conf_keys *own = e ? e->keys : NULL;
	size_t files = e ? e->place.file + (size_t)1 : m->c->nfiles;
	const char *group = text_of(own, SET_GROUP);
	const struct conf_named *named;

	settings_builtin(m->s);
	for (size_t i = 0; i < files; i++)
		put_level(m, m->c->files[i].defaults);
	put_command(m, command);
	if (!group)
		group = m->s->value[SET_GROUP].text;
	named = group ? conf_name(&m->c->groups, group) : NULL;
	if (named)
		put_level(m, named->keys);
	put_level(m, own);
}

void conf_settings(const struct conf *c, const struct conf_entry *e, const struct settings *command,
		   struct settings *out)
{
	merge(&(struct merge){c, out, NULL}, e, command);
}

void conf_who(const struct conf *c, const struct conf_entry *e, const struct settings *command,
	      struct settings *out, struct conf_who *who)
{
	*who = (struct conf_who){.count = 0};
	merge(&(struct merge){c, out, who}, e, command);
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

static void check_names(struct conf *c, const struct conf_keys *keys, bool credentials)
{
	for (unsigned i = 0; keys && i < keys->count; i++) {
		const struct conf_key *key = &keys->key[i];

		if (key->key == SET_GROUP)
			check_name(c, &c->groups, key->value.text, place_of(keys, key));
		if (key->key == SET_CREDENTIAL && credentials)
			check_name(c, &c->credentials, key->value.text, place_of(keys, key));
	}
}

/* Not so where somebody wrote it, if wrong: that was told, and is one mistake. */
static bool lacks(const struct conf *c, const struct settings *s, enum setting_key key)
{
	return !SETTING_IS_SET(s, key) && !(c->wrong >> key & 1);
}

/* What SNMPv3 keys need of each other (RFC 3411 §3.4.3: no privacy without authentication). */
void conf_check_v3(struct conf *c, const struct settings *s)
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

void conf_check_names(struct conf *c, const struct settings *command, bool credentials)
{
	for (size_t i = 0; i < c->nfiles; i++)
		check_names(c, c->files[i].defaults, credentials);
	for (size_t i = 0; i < c->groups.count; i++)
		check_names(c, c->groups.list[i].keys, credentials);
	for (size_t i = 0; i < c->nentries; i++)
		check_names(c, c->entries[i].keys, credentials);
	if (SETTING_IS_SET(command, SET_GROUP))
		check_name(c, &c->groups, command->value[SET_GROUP].text, CONF_COMMAND_LINE);
	if (SETTING_IS_SET(command, SET_CREDENTIAL) && credentials)
		check_name(c, &c->credentials, command->value[SET_CREDENTIAL].text,
			   CONF_COMMAND_LINE);
}

void conf_check(struct conf *c, const struct settings *command)
{
	struct settings s;
	unsigned file = 0; /* whose bare entries were checked last: they are all the same */

	conf_check_names(c, command, true);
	for (size_t i = 0; i < c->nentries; i++) {
		const struct conf_entry *e = &c->entries[i];

		if (!e->keys && file == e->place.file)
			continue;
		if (!e->keys)
			file = e->place.file;
		conf_settings(c, e, command, &s);
		conf_check_v3(c, &s);
	}
	if (!c->ntargets)
		return;
	conf_settings(c, NULL, command, &s);
	conf_check_v3(c, &s);
}

/*
 * What may not stand where, when other machines ask.
 *
 * The problem: what goes through a broker is read by whoever runs it, and may lie on its disks for weeks. So no secret
 * goes there; and a secret that somebody wrote beside a host is not silently left out either, or the host would be
 * asked as somebody else. It is told where it stands, with what to do about it. The same holds for the path of a
 * certificate, which would be looked for on another machine.
 *
 * Secrets inside `credentials:` are passed over: one file may serve the machine that plans and those that ask.
 *
 * The trap: a secret in a file or variable was not read here, so it may even be `public`; only its name is known, and
 * it is refused like all others.
 */
#include "plan/who.h"

#include <string.h>

#include "base/profile.h"
#include "plan/conf_internal.h"

bool conf_is_who(enum setting_key key)
{
	return setting_allowed(key, LEVEL_CREDENTIAL);
}

static void refuse(struct conf *c, enum setting_key key, const char *text, struct conf_place place)
{
	if (setting_is_secret(key) && !(key == SET_COMMUNITY && text && !strcmp(text, "public")))
		conf_error(c, place,
			   "%s: no secret goes through a broker: name a 'credential', which the "
			   "agents' "
			   "own files have",
			   setting_text(key));
	if (key == SET_IDENTITY || key == SET_IDENTITY_KEY || key == SET_PEER_CA)
		conf_error(
			c, place,
			"%s: a file of the agents' machines: name a 'credential', which their own "
			"files have",
			setting_text(key));
}

static void refuse_in(struct conf *c, const struct conf_keys *keys)
{
	for (unsigned i = 0; keys && i < keys->count; i++) {
		const struct conf_key *key = &keys->key[i];

		if (conf_is_who((enum setting_key)key->key))
			refuse(c, (enum setting_key)key->key, key->value.text,
			       (struct conf_place){key->line, key->column, keys->file});
	}
}

/* Where no credential is named: what can do without is SNMP 1, 2c, and 3 without authentication. */
static void check_alone(struct conf *c, const struct settings *s)
{
	static const enum setting_key keys[] = {SET_AUTH, SET_PRIV, SET_LEVEL};
	struct settings rest = *s;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		enum setting_key key = keys[i];
		bool none = key == SET_LEVEL &&
			    !strcmp(s->value[key].text ? s->value[key].text : "", "noAuthNoPriv");

		if (SETTING_IS_SET(s, key) && !none && s->value[SET_VERSION].number == SNMP_V3)
			conf_error(c, s->place[key],
				   "%s: with a broker, passphrases come with a 'credential' alone, "
				   "which "
				   "the agents' own files have",
				   setting_text(key));
		rest.set &= ~SETTING_BIT(key);
	}
	rest.set &= ~(SETTING_BIT(SET_AUTH_PASS) | SETTING_BIT(SET_PRIV_PASS)); /* told */
	conf_check_v3(c, &rest);
}

static void check_target(struct conf *c, const struct conf_entry *e, const struct settings *command)
{
	struct settings s;
	struct conf_who who;

	conf_who(c, e, command, &s, &who);
	if (!who.count)
		check_alone(c, &s);
	if (who.full)
		conf_error(c, e ? e->place : CONF_COMMAND_LINE,
			   "credential: with a broker at most %d may be named for a target",
			   WHO_CREDENTIALS_MAX);
}

void conf_check_remote(struct conf *c, const struct settings *command)
{
	unsigned file = 0; /* whose bare entries were checked last */

	for (size_t i = 0; i < c->nheld; i++)
		c->held[i].at->value.text = NULL;
	conf_check_names(c, command, false);
	for (size_t i = 0; i < c->nfiles; i++)
		refuse_in(c, c->files[i].defaults);
	for (size_t i = 0; i < c->groups.count; i++)
		refuse_in(c, c->groups.list[i].keys);
	for (unsigned key = 0; key < SETTING_COUNT; key++)
		if (SETTING_IS_SET(command, key) && conf_is_who((enum setting_key)key))
			refuse(c, (enum setting_key)key, command->value[key].text,
			       CONF_COMMAND_LINE);
	for (size_t i = 0; i < c->nentries; i++) {
		const struct conf_entry *e = &c->entries[i];

		if (!e->keys && file == e->place.file)
			continue;
		if (!e->keys)
			file = e->place.file;
		refuse_in(c, e->keys);
		check_target(c, e, command);
	}
	if (c->ntargets)
		check_target(c, NULL, command);
}

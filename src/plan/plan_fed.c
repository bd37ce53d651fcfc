/*
 * A plan of what another machine wants to be asked, by the credentials of this one.
 *
 * The problem: what came over the broker names credentials, and this machine's file may lack one, or have one that does
 * not fit. That is no reason to ask nobody: each profile stands for itself, and one that cannot be used says why
 * (plan_fault()), which becomes the record of each of its targets.
 *
 * Keys of SNMPv3 take milliseconds each, and an agent lives for weeks while runs come and go each minute. So those of all
 * credentials are made once, by who lives on (plan_keys_new()), and are there for each plan: unless a host sets another
 * user or protocol beside its credential, nothing is derived a second time.
 *
 * The trap: what makes a profile tells its errors to the configuration's list. They are not the file's: each is taken
 * off the list again, and is the fault of that one profile.
 */
#include "plan/fed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan_internal.h"
#include "plan/plan_packed.h"

struct plan_keys {
	struct conf *conf;
	struct plan_profiles all; /* of which only credentials */
};

/* ---- keys */

static void check_protocol(void *arg, enum setting_key key, union setting_value value,
			   struct conf_place place)
{
	if (key == SET_AUTH || key == SET_PRIV)
		plan_check_protocol(arg, key, value.text, place);
}

/* Whether it can stand alone; one that does not may still be what a host adds to. */
static bool is_whole(const struct settings *s)
{
	const char *level = s->value[SET_LEVEL].text;
	bool auth = s->value[SET_AUTH].text && s->value[SET_AUTH_PASS].text;
	bool priv = s->value[SET_PRIV].text && s->value[SET_PRIV_PASS].text;

	if (s->value[SET_VERSION].number != SNMP_V3 || !s->value[SET_USER].text ||
	    s->value[SET_IDENTITY].text)
		return false;
	if (!auth != !s->value[SET_AUTH].text || !priv != !s->value[SET_PRIV].text)
		return false;
	if (priv && !auth)
		return false;
	return !level || (auth && (priv || strcmp(level, "authPriv") != 0)) ||
	       strcmp(level, "noAuthNoPriv") == 0;
}

struct plan_keys *plan_keys_new(struct conf *conf)
{
	struct plan_keys *k = mem_zero(1, sizeof(*k));
	struct settings s;
	const char *name;

	k->conf = k->all.conf = conf;
	conf_take_secrets(conf);
	conf_each_value(conf, check_protocol, conf);
	for (size_t i = 0; (name = conf_credential_at(conf, i)) && !conf_error_count(conf); i++) {
		settings_builtin(&s);
		conf_lay_credential(conf, &s, name);
		if (is_whole(&s))
			plan_credential(&k->all, &s);
	}
	if (!conf_error_count(conf))
		return k;
	plan_keys_free(k);
	return NULL;
}

void plan_keys_free(struct plan_keys *k)
{
	if (!k)
		return;
	plan_profiles_free(&k->all);
	free(k);
}

/* ---- profiles */

static void lay_keys(const struct plan_order *o, unsigned above, struct settings *s)
{
	for (unsigned key = 0; key < SETTING_COUNT; key++) {
		if (!SETTING_IS_SET(&o->s, key) || o->who.above[key] != above)
			continue;
		s->set |= SETTING_BIT(key);
		s->value[key] = o->s.value[key];
		s->place[key] = CONF_COMMAND_LINE;
	}
}

/* What conf_settings() would say, had all stood in one file. NULL; else the name of a credential that is not there. */
static const char *lay(const struct conf *conf, const struct plan_order *o, struct settings *s)
{
	settings_builtin(s);
	for (unsigned key = 0; key < SETTING_COUNT; key++)
		if (!conf_is_who((enum setting_key)key))
			s->value[key] = o->s.value[key];
	lay_keys(o, 0, s);
	for (unsigned i = 0; i < o->who.count; i++) {
		if (!conf_lay_credential(conf, s, o->who.credential[i]))
			return o->who.credential[i];
		lay_keys(o, i + 1, s);
	}
	return NULL;
}

static char *words(const char *format, const char *name, const struct buf *error)
{
	struct buf text = {0};

	buf_printf(&text, format, name);
	buf_put(&text, error->data, error->len);
	buf_putc(&text, '\0');
	return (char *)text.data;
}

/* Why what the settings come to cannot be; NULL: nothing was told. */
static char *take_fault(struct conf *conf, const struct plan_order *o)
{
	const char *named = o->who.count ? o->who.credential[o->who.count - 1] : NULL;
	struct buf error = {0};
	char *fault = NULL;

	if (conf_drop_errors(conf, &error))
		fault = named ? words("cannot ask by credential '%s': ", named, &error)
			      : words("cannot ask%s: ", "", &error);
	buf_free(&error);
	return fault;
}

/* The profile that it comes to; what is wrong with that, NULL: nothing. */
static char *make(struct plan *p, const struct plan_order *o, struct profile *profile)
{
	const struct conf_place nowhere = CONF_COMMAND_LINE;
	const struct buf nothing = {0};
	struct settings s;
	const char *missing = lay(p->conf, o, &s);

	plan_profile_numbers(&s, profile);
	plan_profile_lists(&p->profiles, &o->lists, profile);
	if (missing)
		return words("has no credential '%s'", missing, &nothing);
	if (!o->secure)
		conf_check_v3(p->conf, &s);
	if (!conf_error_count(p->conf))
		plan_profile_who(&p->profiles, &s, o->secure ? &nowhere : NULL, profile);
	return take_fault(p->conf, o);
}

/* ---- all of it */

#define ORDER_MIN 92 /* octets of one, at least */

static bool unpack(struct plan *p, struct wire_in *r)
{
	struct plan_remote *remote = &p->remote;
	uint32_t count;

	if (!plan_unpack_lists(&p->profiles, r))
		return false;
	count = wire_get_u32(r);
	if (r->bad || count > (size_t)(r->end - r->at) / ORDER_MIN)
		return false;
	remote->faults = mem_zero(count, sizeof(*remote->faults));
	for (uint32_t i = 0; i < count; i++) {
		struct profile profile = {.community = NULL};
		struct plan_order order;

		if (!plan_unpack_order(&order, &p->profiles, &remote->texts, r))
			return false;
		remote->faults[i] = make(p, &order, &profile);
		if (remote->faults
			    [i]) /* workers make a request of each profile, also of who has no keys */
			profile = (struct profile){.version = SNMP_V2C};
		plan_profile_add(&p->profiles, &profile);
	}
	return r->at == r->end;
}

struct plan *plan_fed(const struct plan_keys *k, const uint8_t *profiles, size_t len,
		      const char **error)
{
	struct wire_in r = {profiles, profiles + len, false};
	struct plan *p = mem_zero(1, sizeof(*p));

	p->conf = p->profiles.conf = k->conf;
	p->profiles.keys = &k->all;
	p->remote.fed = true;
	plan_feed_open(p);
	*error = "its profiles are of another version of multisnmp";
	if (wire_get_u8(&r) == PLAN_FORM) {
		*error = "its profiles are broken";
		if (unpack(p, &r))
			return p;
	}
	plan_free(p);
	return NULL;
}

const char *plan_fault(const struct plan *p, uint32_t profile)
{
	if (profile >= p->profiles.count)
		return "was told of no such profile";
	return p->remote.fed ? p->remote.faults[profile] : NULL;
}

/*
 * What is to be polled: all that is checked before, and what is handed out one by one.
 *
 * The problem: ten million addresses must cost no more than ten thousand, and every mistake must be known before the
 * first packet. So plan_new() looks at every item (an entry of a file, a target) once, and keeps 8
 * octets of each: the number of its profile, port, family. plan_next() reads the item's text again and counts
 * through its block; reading a target takes a fraction of a microsecond, less than the packet.
 *
 * Rejected: a list of parsed targets. It would be 56 octets each, more than all that conf keeps of an
 * entry, to save what nobody notices.
 *
 * A target that is written like an entry, by its host or its label, is that entry: `multisnmp -f hosts.yaml
 * core-switch` polls the address that stands there under that label, with all its keys.
 *
 * Two kinds of workers are served, each by a cursor of its own. The items that need sessions are known
 * one by one with the numbers of their targets, so the one cursor jumps from one to the next, and
 * the other over each of them without looking at it.
 *
 * The trap: settings of a million bare entries are all the same, and laying five levels over each other
 * a million times takes a second. So the settings of the last bare item are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "base/user.h"
#include "plan/plan_internal.h"
#include "plan/who.h"

const struct conf_entry *plan_entry(const struct plan *p, size_t item)
{
	return p->entries ? p->entries + item : conf_find(p->conf, p->targets[item]);
}

const char *plan_text(const struct plan *p, size_t item)
{
	const struct conf_entry *e = plan_entry(p, item);

	return e ? e->host : p->targets[item];
}

/* It has been parsed before, by conf. */
struct target plan_parse(const struct plan *p, size_t item)
{
	const char *text = plan_text(p, item);
	char error[TARGET_ERROR_MAX];
	struct target t = {0};

	if (!target_parse(text, strlen(text), &t, error))
		t = (struct target){.kind = TARGET_NAME,
				    .count = 1,
				    .name = text,
				    .name_len = strlen(text)}; /* its zone has gone meanwhile */
	return t;
}

/* ---- checking */

struct bare { /* settings of an item without keys of its own */
	bool known;
	bool secure;
	uint16_t file; /* whose defaults hold for it; 0: that of a target */
	struct plan_slot slot;
};

#define SECURE_PORT 10161 /* RFC 6353 §10: snmpdtls, snmptls */

static struct plan_slot make_slot(struct plan *p, const struct conf_entry *e,
				  const struct settings *command, bool secure)
{
	struct conf_place place = e ? e->place : CONF_COMMAND_LINE;
	struct conf_who who;
	struct settings s;

	if (p->remote.planned)
		conf_who(p->conf, e, command, &s, &who);
	else
		conf_settings(p->conf, e, command, &s);
	if (secure && !SETTING_IS_SET(&s, SET_PORT))
		s.value[SET_PORT].number = SECURE_PORT;
	return (struct plan_slot){
		.profile = p->remote.planned
				   ? plan_remote_profile(p, &s, &who, secure)
				   : plan_profile(&p->profiles, &s, secure ? &place : NULL),
		.port = (uint16_t)s.value[SET_PORT].number,
		.family = (uint8_t)s.value[SET_FAMILY].number,
		.labelled = s.value[SET_LABEL].text != NULL,
	};
}

static void add_session(struct plan *p, size_t item, uint64_t count)
{
	p->slots[item].session = true;
	p->sessions = plan_grow(p->sessions, p->nsessions, &p->cap_sessions, sizeof(*p->sessions));
	p->sessions[p->nsessions++] = (struct plan_session){item, p->total, count};
	p->session_targets += count;
}

static void check_item(struct plan *p, size_t item, const struct settings *command,
		       struct bare *bare)
{
	const struct conf_entry *e = plan_entry(p, item);
	uint16_t file = e ? e->place.file : 0;
	struct target t = plan_parse(p, item);
	bool secure = TRANSPORT_IS_SECURE(t.transport);
	uint64_t count;

	if (e && e->keys) {
		p->slots[item] = make_slot(p, e, command, secure);
	} else {
		if (!bare->known || bare->file != file || bare->secure != secure)
			*bare = (struct bare){true, secure, file, make_slot(p, e, command, secure)};
		p->slots[item] = bare->slot;
	}
	count = t.count - target_set_count(p->excluded, &t);
	if (t.transport != TRANSPORT_UDP)
		add_session(p, item, count);
	if (p->remote.planned)
		plan_remote_count(p, p->slots[item].profile, count);
	p->paths = p->paths || (t.kind == TARGET_PATH && count > 0);
	p->total += count;
}

static void read_excludes(struct plan *p, const struct plan_request *r)
{
	char error[TARGET_ERROR_MAX];

	p->excluded = target_set_new();
	for (size_t i = 0; i < r->nexcludes; i++) {
		if (!target_set_add(p->excluded, r->excludes[i], strlen(r->excludes[i]), error))
			conf_error(p->conf, CONF_COMMAND_LINE, "--exclude '%.60s': %s",
				   r->excludes[i], error);
	}
	target_set_seal(p->excluded);
}

/* Even where nobody can become another user: what is checked here may be run as root elsewhere. */
static void check_run_as(struct conf *conf)
{
	struct conf_place place;
	const char *name = conf_run_as(conf, &place);
	struct user user;

	if (name && !user_find(name, &user))
		conf_error(conf, place, "run_as: there is no user '%.60s'", name);
}

struct plan *plan_new(const struct plan_request *r)
{
	struct plan *p = mem_zero(1, sizeof(*p));
	struct bare bare = {0};

	p->conf = p->profiles.conf = r->conf;
	p->remote.planned = r->remote;
	if (r->remote) {
		conf_check_remote(r->conf, r->settings);
	} else {
		conf_take_secrets(r->conf);
		conf_check(r->conf, r->settings);
		check_run_as(r->conf);
	}
	conf_each_value(r->conf, r->remote ? plan_check_object : plan_check_value,
			&p->profiles); /* what nobody uses, too */
	read_excludes(p, r);
	if (r->only_targets)
		p->targets = conf_targets(r->conf, &p->nitems);
	else
		p->entries = conf_entries(r->conf, &p->nitems);
	p->slots = mem_zero(p->nitems, sizeof(*p->slots));
	for (size_t i = 0; i < p->nitems; i++)
		check_item(p, i, r->settings, &bare);
	if (!p->nitems)
		make_slot(p, NULL, r->settings, false);
	if (r->remote)
		plan_remote_check(p);
	if (!conf_error_count(r->conf))
		return p;
	plan_free(p);
	return NULL;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nnames; i++)
		free(p->names[i]);
	free(p->names);
	plan_index_free(&p->names_by_text);
	free(p->slots);
	free(p->firsts);
	free(p->sessions);
	target_set_free(p->excluded);
	plan_feed_free(p);
	plan_remote_free(p);
	plan_profiles_free(&p->profiles);
	free(p);
}

const struct profile *plan_profiles(const struct plan *p, size_t *count)
{
	*count = p->profiles.count;
	return p->profiles.list;
}

uint64_t plan_count(const struct plan *p, enum plan_kind kind)
{
	if (p->aimed)
		return plan_aimed_kind(p) == kind;
	return kind == PLAN_SESSIONS ? p->session_targets : p->total - p->session_targets;
}

bool plan_has_paths(const struct plan *p)
{
	return p->paths;
}

uint64_t plan_total(const struct plan *p)
{
	if (p->remote.feed)
		return plan_feed_count(p);
	return p->aimed ? 1 : p->total;
}

/* ---- handing out */

const char *plan_label(const struct plan *p, size_t item)
{
	static const struct settings no_command;
	struct settings s;

	conf_settings(p->conf, plan_entry(p, item), &no_command, &s);
	return s.value[SET_LABEL].text;
}

static bool same_name(const void *array, uint32_t number, const void *wanted)
{
	const char *name = ((char *const *)array)[number];
	const struct target *t = wanted;

	return strncmp(name, t->name, t->name_len) == 0 && name[t->name_len] == '\0';
}

/* The target's name with a NUL: it lies in the text of the item, where a port may follow. */
static const char *end_name(struct plan *p, const struct target *t)
{
	uint64_t hash;
	uint32_t number;

	if (!t->name[t->name_len])
		return t->name;
	hash = plan_hash(0, t->name, t->name_len);
	number = plan_index_get(&p->names_by_text, hash, same_name, p->names, t);
	if (number != PLAN_INDEX_NONE)
		return p->names[number];
	p->names = plan_grow(p->names, p->nnames, &p->cap_names, sizeof(*p->names));
	p->names[p->nnames] = mem_strndup(t->name, t->name_len);
	plan_index_put(&p->names_by_text, hash, (uint32_t)p->nnames);
	return p->names[p->nnames++];
}

void plan_fill(struct plan *p, size_t item, const struct target *t, uint64_t i,
	       struct plan_target *out)
{
	const struct plan_slot *slot = &p->slots[item];

	*out = (struct plan_target){
		.profile = slot->profile,
		.port = t->port ? t->port : slot->port,
		.family = t->family ? t->family : slot->family,
		.transport = (uint8_t)t->transport,
	};
	if (slot->labelled)
		out->host = plan_label(p, item);
	else if (t->kind != TARGET_BLOCK)
		out->host = plan_text(p, item);
	if (t->kind == TARGET_NAME)
		out->name = end_name(p, t);
	else if (t->kind == TARGET_PATH)
		out->path = t->name; /* to the end of the text */
	else
		target_address(t, i, &out->addr);
	out->addr.port = out->addr.family ? out->port : 0;
}

/* The item's next target. False: it has no more. */
static bool next_of(struct plan *p, struct plan_cursor *c, size_t item, struct plan_target *out)
{
	if (!c->open) {
		c->open = true;
		c->target = plan_parse(p, item);
		c->next = 0;
	}
	c->next = target_set_next(p->excluded, &c->target, c->next);
	if (c->next >= c->target.count) {
		c->open = false;
		return false;
	}
	plan_fill(p, item, &c->target, c->next++, out);
	out->seq = c->seq++;
	return true;
}

static bool next_datagrams(struct plan *p, struct plan_cursor *c, struct plan_target *out)
{
	for (; c->item < p->nitems; c->item++) {
		if (p->slots[c->item].session)
			c->seq += p->sessions[c->session++].count;
		else if (next_of(p, c, c->item, out))
			return true;
	}
	return false;
}

static bool next_session(struct plan *p, struct plan_cursor *c, struct plan_target *out)
{
	for (; c->session < p->nsessions; c->session++) {
		const struct plan_session *s = &p->sessions[c->session];

		if (!c->open)
			c->seq = s->seq;
		if (next_of(p, c, s->item, out))
			return true;
	}
	return false;
}

bool plan_next(struct plan *p, enum plan_kind kind, struct plan_target *out)
{
	struct plan_cursor *c = &p->cursors[kind];

	if (p->remote.feed)
		return plan_feed_next(p, kind, out);
	if (p->aimed)
		return plan_next_aimed(p, kind, out);
	return kind == PLAN_SESSIONS ? next_session(p, c, out) : next_datagrams(p, c, out);
}

void plan_rewind(struct plan *p)
{
	memset(p->cursors, 0, sizeof(p->cursors));
}

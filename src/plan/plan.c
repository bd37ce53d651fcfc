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
 * The trap: settings of a million bare entries are all the same, and laying five levels over each other
 * a million times takes a second. So the settings of the last bare item are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_internal.h"

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
	uint16_t file; /* whose defaults hold for it; 0: that of a target */
	struct plan_slot slot;
};

static struct plan_slot make_slot(struct plan *p, const struct conf_entry *e,
				  const struct settings *command)
{
	struct settings s;

	conf_settings(p->conf, e, command, &s);
	return (struct plan_slot){
		.profile = plan_profile(&p->profiles, &s),
		.port = (uint16_t)s.value[SET_PORT].number,
		.family = (uint8_t)s.value[SET_FAMILY].number,
		.labelled = s.value[SET_LABEL].text != NULL,
	};
}

static void check_item(struct plan *p, size_t item, const struct settings *command,
		       struct bare *bare)
{
	const struct conf_entry *e = plan_entry(p, item);
	uint16_t file = e ? e->place.file : 0;
	struct target t;

	if (e && e->keys) {
		p->slots[item] = make_slot(p, e, command);
	} else {
		if (!bare->known || bare->file != file)
			*bare = (struct bare){true, file, make_slot(p, e, command)};
		p->slots[item] = bare->slot;
	}
	t = plan_parse(p, item);
	p->total += t.count - target_set_count(p->excluded, &t);
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

static void refuse_run_as(struct conf *conf)
{
	struct conf_place place;

	if (conf_run_as(conf, &place))
		conf_error(conf, place, "run_as: not yet: this version runs as who started it");
}

struct plan *plan_new(const struct plan_request *r)
{
	struct plan *p = mem_zero(1, sizeof(*p));
	struct bare bare = {0};

	p->conf = p->profiles.conf = r->conf;
	conf_check(r->conf, r->settings);
	refuse_run_as(r->conf);
	conf_each_value(r->conf, plan_check_value, &p->profiles); /* what nobody uses, too */
	read_excludes(p, r);
	if (r->only_targets)
		p->targets = conf_targets(r->conf, &p->nitems);
	else
		p->entries = conf_entries(r->conf, &p->nitems);
	p->slots = mem_zero(p->nitems, sizeof(*p->slots));
	for (size_t i = 0; i < p->nitems; i++)
		check_item(p, i, r->settings, &bare);
	if (!p->nitems)
		make_slot(p, NULL, r->settings);
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
	free(p->slots);
	target_set_free(p->excluded);
	plan_profiles_free(&p->profiles);
	free(p);
}

const struct profile *plan_profiles(const struct plan *p, size_t *count)
{
	*count = p->profiles.count;
	return p->profiles.list;
}

uint64_t plan_total(const struct plan *p)
{
	return p->total;
}

/* ---- handing out */

const char *plan_label(const struct plan *p, size_t item)
{
	static const struct settings no_command;
	struct settings s;

	conf_settings(p->conf, plan_entry(p, item), &no_command, &s);
	return s.value[SET_LABEL].text;
}

/* The target's name with a NUL: it lies in the text of the item, where a port may follow. */
static const char *end_name(struct plan *p)
{
	const struct target *t = &p->target;

	if (!t->name[t->name_len])
		return t->name;
	p->names = plan_grow(p->names, p->nnames, &p->cap_names, sizeof(*p->names));
	p->names[p->nnames] = mem_strndup(t->name, t->name_len);
	return p->names[p->nnames++];
}

static void fill(struct plan *p, uint64_t index, struct plan_target *out)
{
	const struct plan_slot *slot = &p->slots[p->item];
	const char *text = plan_text(p, p->item);

	*out = (struct plan_target){
		.seq = p->seq++,
		.profile = slot->profile,
		.port = p->target.port ? p->target.port : slot->port,
		.family = slot->family,
	};
	if (slot->labelled)
		out->host = plan_label(p, p->item);
	else if (p->target.kind != TARGET_BLOCK)
		out->host = text;
	if (p->target.kind == TARGET_NAME) {
		out->name = end_name(p);
		return;
	}
	out->addr = target_address(&p->target, index);
	out->addr.port = out->port;
}

bool plan_next(struct plan *p, struct plan_target *out)
{
	for (; p->item < p->nitems; p->item++, p->open = false) {
		uint64_t index;

		if (!p->open) {
			p->open = true;
			p->target = plan_parse(p, p->item);
			p->next = 0;
		}
		index = target_set_next(p->excluded, &p->target, p->next);
		if (index >= p->target.count)
			continue;
		p->next = index + 1;
		fill(p, index, out);
		return true;
	}
	return false;
}

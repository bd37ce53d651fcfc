/*
 * The plan's only target, asked in other ways than its settings say (--explain).
 *
 * The problem: whoever looks for what is wrong with a host asks it a dozen times, each time with something
 * changed, and which change is next depends on what came of the last. So profiles come one by one, while the run
 * before is over, and the plan hands out the one target again and again.
 *
 * Each is made by the same functions as all profiles are, of settings in which one key is another. Rejected: a plan
 * for each question, of a file made up for it: it would have to hold the secrets.
 *
 * The trap: a profile of SNMPv3 needs the passphrases. conf_forget_secrets() comes after the last of them, so
 * every child that is forked before must forget them first.
 */
#include "plan/plan_internal.h"

static size_t sole_item(const struct plan *p)
{
	for (size_t i = 0; i < p->nitems; i++) {
		struct target t = plan_parse(p, i);

		if (t.count - target_set_count(p->excluded, &t) > 0)
			return i;
	}
	return 0;
}

static bool is_secure(const struct plan *p, size_t item)
{
	return TRANSPORT_IS_SECURE(plan_parse(p, item).transport);
}

void plan_sole(struct plan *p, const struct settings *command, struct plan_sole *out)
{
	size_t item = sole_item(p);
	const struct conf_entry *e = plan_entry(p, item);
	enum plan_kind kind = p->slots[item].session ? PLAN_SESSIONS : PLAN_DATAGRAMS;

	out->text = plan_text(p, item);
	out->place = e ? e->place : CONF_COMMAND_LINE;
	conf_settings(p->conf, e, command, &out->settings);
	conf_own_settings(e, command, &out->own);
	plan_next(p, kind, &out->target);
}

uint32_t plan_probe(struct plan *p, const struct settings *s)
{
	size_t item = sole_item(p);
	const struct conf_entry *e = plan_entry(p, item);
	struct conf_place place = e ? e->place : CONF_COMMAND_LINE;

	return plan_profile(&p->profiles, s, is_secure(p, item) ? &place : NULL);
}

void plan_aim(struct plan *p, const struct plan_target *t)
{
	p->aim = *t;
	p->aim.seq = 0;
	p->aimed = true;
	p->handed_out = false;
}

enum plan_kind plan_aimed_kind(const struct plan *p)
{
	return p->aim.transport == TRANSPORT_UDP ? PLAN_DATAGRAMS : PLAN_SESSIONS;
}

bool plan_next_aimed(struct plan *p, enum plan_kind kind, struct plan_target *out)
{
	if (p->handed_out || kind != plan_aimed_kind(p))
		return false;
	*out = p->aim;
	return p->handed_out = true;
}

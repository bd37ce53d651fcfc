/*
 * The table of remedies, gone through: what is worth trying is asked, and what helped is applied.
 *
 * One thing is changed at a time, on top of all that has helped already. What came further than before is kept, even if
 * the host is not answered yet: the next round looks at what is in the way then.
 *
 * The trap: a small question that is answered mends nothing where the large one is the problem. Once it is known
 * that small ones are, only rows that ask for everything count.
 */
#include <errno.h>
#include "cli/explain_remedies.h"

static bool is_worth(const struct explain *x, size_t i)
{
	const struct remedy *r = &explain_remedies[i];

	if (x->tried >> i & 1 || (r->causes && !(r->causes >> x->found.cause.kind & 1)))
		return false;
	if (x->known & KNOWN_SMALL && !r->whole && !r->knows)
		return false;
	if (x->known & (KNOWN_SMALL | KNOWN_ALIVE) && r->knows & (KNOWN_UP | KNOWN_ALIVE))
		return false;
	if (x->known & KNOWN_UP & r->knows)
		return false;
	return !r->fits || r->fits(x, r);
}

/* Who refuses is there, whichever port and transport it was. (Who takes a connection and talks may be a proxy.) */
static bool refuses(const struct finding *f)
{
	return f->cause.kind == CAUSE_REFUSED && f->cause.number == ECONNREFUSED;
}

static size_t changes_of(const struct remedy *r)
{
	size_t n = 0;

	while (n < CHANGES_MAX && (r->changes[n].key || r->changes[n].text || r->changes[n].number))
		n++;
	return n;
}

static void apply(struct explain *x, const struct remedy *r)
{
	for (size_t i = 0; i < changes_of(r); i++) {
		if (r->changes[i].only_to_ask)
			continue;
		settings_change(&x->now, &r->changes[i]);
		x->mended |= SETTING_BIT(r->changes[i].key);
	}
	if (r->changes[0].key == SET_FAMILY)
		x->target.family = 0;
	if (r->move) {
		x->moved = true;
		x->target.transport = r->port ? x->target.transport : r->transport;
		x->target.port = r->port ? r->port : x->target.port;
		x->target.addr.port = r->port ? r->port : x->target.addr.port;
	}
	if (r->mend)
		r->mend(x);
}

/* Asks; whether it came further. */
static bool try(struct explain *x, const struct remedy *r)
{
	struct question q = {.changes = r->changes,
			     .nchanges = changes_of(r),
			     .whole = r->whole,
			     .configured = r->whole && !r->mend,
			     .port = r->port,
			     .other_transport = r->move && !r->port,
			     .transport = r->transport};
	char words[FINDING_TEXT_MAX];
	bool helped;

	if (!explain_ask(x, &q, &x->probe))
		return false;
	helped = r->helps ? r->helps(x) : finding_depth(&x->probe) > finding_depth(&x->found);
	explain_step(x, helped, "%s: %s", r->words, finding_words(&x->probe, words));
	if (helped && r->helped)
		explain_note(x, "%s", r->helped);
	else if (refuses(&x->probe) && x->found.cause.kind == CAUSE_SILENCE)
		explain_note(x, "it refuses, so the system is up and reachable");
	if (refuses(&x->probe))
		x->known |= KNOWN_UP;
	return helped;
}

bool explain_mend(struct explain *x)
{
	for (size_t i = 0; explain_remedies[i].words && !x->status; i++) {
		const struct remedy *r = &explain_remedies[i];

		if (!is_worth(x, i))
			continue;
		x->tried |= UINT64_C(1) << i;
		if (!try(x, r))
			continue;
		x->known |= r->knows;
		if (r->knows)
			continue;
		apply(x, r);
		return true;
	}
	return false;
}

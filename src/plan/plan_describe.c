/*
 * What --check prints.
 *
 * The problem: somebody is about to send packets to what they believe to be 50 switches. So this shows what a
 * typing error would change: how many addresses each line of the file stands for, what is asked, and how long
 * a host that does not answer takes, which nobody can tell from `timeout` and `retries`.
 *
 *   10.0.0.0/24: 250 targets, 6 excluded
 *   core-switch (192.0.2.1): 1 target, profile 2
 *   ...
 *   and 1200 entries more: 1200 targets
 *   total: 1451 targets
 *   get: sysDescr.0 sysUpTime.0
 *   table: ifTable ifAlias
 *   index_label: ifName
 *   SNMP 2c, silent host: 7s (1s + 2s + 4s)
 *
 * With a broker, a line tells for each site how many of them are its, and who asks is named as far as it is known here.
 *
 * One profile needs no name. A long list is cut where it would scroll away what stands below it;
 * communities and passphrases are secrets and are not shown.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/task.h"
#include "plan/plan_internal.h"
#include "snmp/mib.h"

#define ITEMS_SHOWN    40
#define PROFILES_SHOWN 20
#define OBJECTS_SHOWN  20
#define WAITS_SHOWN    5

/* What the targets of a profile come to. */
struct tally {
	uint64_t targets;
	bool names; /* some are names, which may have several addresses */
};

static const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static void put_count(struct buf *out, uint64_t n)
{
	buf_printf(out, "%" PRIu64 " %s", n, plural(n, "target", "targets"));
}

static void put_duration(struct buf *out, int64_t us)
{
	if (us < 1000000)
		buf_printf(out, "%gms", (double)us / 1e3);
	else
		buf_printf(out, "%.10gs", (double)us / 1e6);
}

/* A label, a socket's path and a user may hold anything, and this goes to a terminal. */
static void put_shown(struct buf *out, const char *text)
{
	char *shown = mem_strdup(text);

	utf8_make_shown(shown);
	buf_puts(out, shown);
	free(shown);
}

static void put_item(const struct plan *p, size_t item, const struct target *t, struct buf *out)
{
	uint64_t excluded = target_set_count(p->excluded, t);
	const char *label = p->slots[item].labelled ? plan_label(p, item) : NULL;

	put_shown(out, label ? label : plan_text(p, item));
	if (label) {
		buf_puts(out, " (");
		put_shown(out, plan_text(p, item));
		buf_putc(out, ')');
	}
	buf_puts(out, ": ");
	put_count(out, t->count - excluded);
	if (excluded)
		buf_printf(out, ", %" PRIu64 " excluded", excluded);
	if (p->profiles.count > 1)
		buf_printf(out, ", profile %" PRIu32, p->slots[item].profile + 1);
	buf_putc(out, '\n');
}

static void put_items(const struct plan *p, struct tally *tallies, struct buf *out)
{
	uint64_t rest = 0;
	/* the last place is for the summary, unless one line is all that it would stand for */
	size_t shown = p->nitems <= ITEMS_SHOWN ? p->nitems : ITEMS_SHOWN - 1;

	for (size_t i = 0; i < p->nitems; i++) {
		struct target t = plan_parse(p, i);
		uint64_t count = t.count - target_set_count(p->excluded, &t);
		struct tally *tally = &tallies[p->slots[i].profile];

		tally->targets += count;
		tally->names |= t.kind == TARGET_NAME && count;
		if (i < shown)
			put_item(p, i, &t, out);
		else
			rest += count;
	}
	if (shown < p->nitems) {
		buf_printf(out, "and %zu entries more: ", p->nitems - shown);
		put_count(out, rest);
		buf_putc(out, '\n');
	}
	buf_puts(out, "total: ");
	put_count(out, p->total);
	buf_putc(out, '\n');
}

static void put_object(struct buf *out, const struct oid *o)
{
	char text[OID_TEXT_MAX];
	size_t used = 0;
	const struct mib_object *object = mib_find(o->id, o->len, &used);

	buf_printf(out, " %s%s", object ? object->name : "", object && used < o->len ? "." : "");
	buf_put(out, text, oid_text(o->id + used, o->len - used, text));
}

/* A table's entry is shown as the table that it stands for. */
static void put_table_object(struct buf *out, const struct table_object *t)
{
	struct oid shown = t->oid;

	if (!t->column && !t->guessed)
		shown.len--;
	put_object(out, &shown);
	if (t->guessed)
		buf_puts(out, " (taken for a table: no MIB knows it)");
}

static void put_more(struct buf *out, size_t count)
{
	if (count > OBJECTS_SHOWN)
		buf_printf(out, " and %zu more", count - OBJECTS_SHOWN);
	buf_putc(out, '\n');
}

static void put_oids(struct buf *out, const char *what, const struct oid *list, size_t count)
{
	if (!count)
		return;
	buf_printf(out, "%s:", what);
	for (size_t i = 0; i < count && i < OBJECTS_SHOWN; i++)
		put_object(out, &list[i]);
	put_more(out, count);
}

static void put_table(struct buf *out, const struct profile *profile)
{
	if (!profile->ntable)
		return;
	buf_puts(out, "table:");
	for (size_t i = 0; i < profile->ntable && i < OBJECTS_SHOWN; i++)
		put_table_object(out, &profile->table[i]);
	put_more(out, profile->ntable);
	if (profile->index_label)
		put_oids(out, "index_label", profile->index_label, 1);
}

static void put_waits(struct buf *out, const struct profile *profile)
{
	unsigned tries = profile->retries + 1;

	for (unsigned i = 0; i < tries && i < WAITS_SHOWN; i++) {
		buf_puts(out, i ? " + " : "");
		put_duration(out, profile_wait_us(profile, i));
	}
	if (tries > WAITS_SHOWN)
		buf_printf(out, " + %u more", tries - WAITS_SHOWN);
}

static void put_silence(struct buf *out, const struct profile *profile, bool names)
{
	int64_t one = profile_worst_us(profile, 1);
	int64_t all = profile_worst_us(profile, TASK_ADDRS_MAX);

	buf_puts(out, "silent host: ");
	put_duration(out, one);
	buf_puts(out, " (");
	put_waits(out, profile);
	if (one == profile->deadline_us)
		buf_puts(out, ", cut at the deadline");
	buf_putc(out, ')');
	if (names && all > one) {
		buf_puts(out, ", a name with several addresses at most ");
		put_duration(out, all);
	}
	buf_putc(out, '\n');
}

/* "SNMP 3, user poller, authPriv, " */
static void put_version(struct buf *out, const struct profile *profile)
{
	static const char *const versions[] = {[SNMP_V1] = "1", [SNMP_V2C] = "2c", [SNMP_V3] = "3"};
	static const char *const levels[] = {[USM_NO_AUTH_NO_PRIV] = "noAuthNoPriv",
					     [USM_AUTH_NO_PRIV] = "authNoPriv",
					     [USM_AUTH_PRIV] = "authPriv"};

	buf_printf(out, "SNMP %s, ", versions[profile->version]);
	if (profile->credential) {
		buf_puts(out, "user ");
		put_shown(out, usm_user(profile->credential));
		buf_printf(out, ", %s, ", levels[usm_level(profile->credential)]);
	}
	if (profile->tls)
		buf_printf(out, "by certificate, the agent known by %s, ",
			   profile->peer_pinned ? "its fingerprint" : "an authority");
	if (profile->per_host > 1)
		buf_printf(out, "%u requests of a host in flight, ", profile->per_host);
}

/* "by credential core of site north, ": version and user are known there alone. */
static void put_named(struct buf *out, const struct plan *p, uint32_t number)
{
	const char *credential = p->remote.packed[number].credential;

	if (credential) {
		buf_puts(out, "by credential '");
		put_shown(out, credential);
		buf_printf(out, "' of site %s, ", plan_site(p, number));
	} else {
		put_version(out, &p->profiles.list[number]);
		buf_printf(out, "site %s, ", plan_site(p, number));
	}
}

static void put_sites(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < plan_sites(p) && i < ITEMS_SHOWN; i++) {
		buf_printf(out, "site %s: ", plan_site_at(p, i));
		put_count(out, plan_site_count(p, i));
		buf_putc(out, '\n');
	}
	if (plan_sites(p) > ITEMS_SHOWN)
		buf_printf(out, "and %zu sites more\n", plan_sites(p) - ITEMS_SHOWN);
}

static void put_profile(struct buf *out, const struct plan *p, uint32_t number, bool names)
{
	const struct profile *profile = &p->profiles.list[number];

	put_oids(out, "get", profile->get, profile->nget);
	put_oids(out, "walk", profile->walk, profile->nwalk);
	put_table(out, profile);
	if (p->remote.planned)
		put_named(out, p, number);
	else
		put_version(out, profile);
	put_silence(out, profile, names);
}

void plan_describe(const struct plan *p, struct buf *out)
{
	struct tally *tallies = mem_zero(p->profiles.count, sizeof(*tallies));
	size_t shown = 0;
	size_t i;

	put_items(p, tallies, out);
	if (p->remote.planned)
		put_sites(p, out);
	for (i = 0; i < p->profiles.count && shown < PROFILES_SHOWN; i++) {
		if (!tallies[i].targets)
			continue;
		shown++;
		if (p->profiles.count > 1) {
			buf_printf(out, "profile %zu, ", i + 1);
			put_count(out, tallies[i].targets);
			buf_puts(out, ": ");
		}
		put_profile(out, p, (uint32_t)i, tallies[i].names);
	}
	if (i < p->profiles.count)
		buf_printf(out, "and %zu profiles more\n", p->profiles.count - i);
	free(tallies);
}

/*
 * A plan whose targets others ask: profiles as they will travel, and who lives at which site.
 *
 * The problem: as for profiles (plan_profile.c), the same settings must be one, wherever they were written. What makes
 * such a profile is what is sent of it, and the site whose agents are told to use it. So it is packed at once, and its
 * octets are its identity: no second list of fields that could differ from the first.
 *
 * The `struct profile` beside it has all that is known here (objects, times), for --check and for the master, which must
 * know how long a host may take. Who asks is not in it.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_internal.h"
#include "plan/plan_packed.h"
#include "snmp/tls.h"

#define PACKED_MAX ((size_t)60 << 20) /* octets of all; a run's description may have a few more */
#define SITES_MAX  4096               /* queues; nobody's intent */

/* ---- sites */

static uint32_t site_number(struct plan *p, const char *name)
{
	struct plan_remote *r = &p->remote;

	for (size_t i = 0; i < r->nsites; i++)
		if (strcmp(r->sites[i].name, name) == 0)
			return (uint32_t)i;
	if (r->nsites == SITES_MAX) {
		conf_error(p->conf, CONF_COMMAND_LINE, "site: more than %d of them", SITES_MAX);
		return 0;
	}
	r->sites = plan_grow(r->sites, r->nsites, &r->cap_sites, sizeof(*r->sites));
	r->sites[r->nsites] = (struct plan_site){mem_strdup(name), 0};
	return (uint32_t)r->nsites++;
}

const char *plan_site(const struct plan *p, uint32_t profile)
{
	if (!p->remote.planned)
		return "default";
	return p->remote.sites[p->remote.packed[profile].site].name;
}

size_t plan_sites(const struct plan *p)
{
	return p->remote.planned ? p->remote.nsites : 1;
}

const char *plan_site_at(const struct plan *p, size_t site)
{
	return p->remote.planned ? p->remote.sites[site].name : "default";
}

uint64_t plan_site_count(const struct plan *p, size_t site)
{
	return p->remote.planned ? p->remote.sites[site].count : plan_total(p);
}

void plan_remote_count(struct plan *p, uint32_t profile, uint64_t targets)
{
	p->remote.sites[p->remote.packed[profile].site].count += targets;
}

/* ---- profiles */

static bool same_packed(const void *array, uint32_t number, const void *wanted)
{
	const struct plan_packed *a = (const struct plan_packed *)array + number;
	const struct plan_packed *b = wanted;

	return a->site == b->site && a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

/* A path of this machine becomes what is in it: the agent's fingerprint is no secret. */
static void read_peer(struct plan *p, struct settings *s, char *pin)
{
	static const char digits[] = "0123456789abcdef";
	const char *text = s->value[SET_PEER_IDENTITY].text;
	struct conf_place place = s->place[SET_PEER_IDENTITY];
	uint8_t octets[PROFILE_PIN];
	char error[TLS_ERROR_MAX];

	if (!text)
		return;
	if (!tls_read_pin(text, octets) &&
	    !tls_file_pin(conf_path(p->conf, place.file, text), octets, error)) {
		conf_error(p->conf, place,
			   "peer_identity: neither 64 hexadecimal digits (SHA-256) nor a "
			   "certificate: %s",
			   error);
		return;
	}
	for (size_t i = 0; i < PROFILE_PIN; i++) {
		pin[2 * i] = digits[octets[i] >> 4];
		pin[2 * i + 1] = digits[octets[i] & 15];
	}
	pin[(size_t)2 * PROFILE_PIN] = '\0';
	s->value[SET_PEER_IDENTITY].text = pin;
}

static uint64_t hash_asker(const struct plan_order *o)
{
	struct buf octets = {0};
	uint64_t hash;

	plan_pack_who(o, &octets);
	hash = plan_hash(0, octets.data, octets.len);
	buf_free(&octets);
	return hash;
}

static uint32_t add_packed(struct plan *p, const struct plan_order *o, struct profile *what,
			   struct plan_packed *packed)
{
	struct plan_remote *r = &p->remote;
	uint64_t hash = plan_hash(packed->site, packed->octets, packed->len);
	uint32_t number = plan_index_get(&r->by_content, hash, same_packed, r->packed, packed);

	if (number != PLAN_INDEX_NONE) {
		free(packed->octets);
		return number;
	}
	packed->asker = hash_asker(o);
	if (o->who.count)
		packed->credential = o->who.credential[o->who.count - 1];
	r->packed = plan_grow(r->packed, p->profiles.count, &r->cap_packed, sizeof(*r->packed));
	r->packed[p->profiles.count] = *packed;
	number = plan_profile_add(&p->profiles, what);
	plan_index_put(&r->by_content, hash, number);
	return number;
}

uint32_t plan_remote_profile(struct plan *p, const struct settings *s, const struct conf_who *who,
			     bool secure)
{
	struct plan_order o = {.s = *s, .who = *who, .secure = secure};
	struct profile what = plan_profile_what(&p->profiles, s, &o.lists);
	char pin[2 * PROFILE_PIN + 1];
	struct plan_packed packed;
	struct buf octets = {0};

	if (secure)
		read_peer(p, &o.s, pin);
	plan_pack_order(&o, &octets);
	packed = (struct plan_packed){.octets = octets.data,
				      .len = (uint32_t)octets.len,
				      .site = site_number(p, s->value[SET_SITE].text)};
	return add_packed(p, &o, &what, &packed);
}

uint64_t plan_remote_asker(const struct plan *p, uint32_t profile)
{
	return p->remote.planned ? p->remote.packed[profile].asker : 0;
}

/* ---- all of it */

/* As plan_fed() reads it: the form, the lists, then the profiles. */
void plan_pack_profiles(const struct plan *p, struct buf *out)
{
	uint8_t count[4];
	struct wire_out w = {count, count + sizeof(count), false};

	buf_putc(out, PLAN_FORM);
	plan_pack_lists(&p->profiles, out);
	wire_put_u32(&w, (uint32_t)p->profiles.count);
	buf_put(out, count, sizeof(count));
	for (size_t i = 0; i < p->profiles.count; i++)
		buf_put(out, p->remote.packed[i].octets, p->remote.packed[i].len);
}

void plan_remote_check(const struct plan *p)
{
	size_t octets = 0;
	size_t oids = 0;

	for (size_t i = 0; i < p->profiles.count; i++)
		octets += p->remote.packed[i].len;
	for (size_t i = 0; i < p->profiles.nobjects; i++)
		oids += p->profiles.objects[i].count;
	if (octets > PACKED_MAX)
		conf_error(p->conf, CONF_COMMAND_LINE,
			   "%zu different settings are too many for a broker: they are %zu MiB, at "
			   "most %zu",
			   p->profiles.count, octets >> 20, PACKED_MAX >> 20);
	if (oids > PLAN_OIDS_MAX)
		conf_error(p->conf, CONF_COMMAND_LINE,
			   "lists of %zu objects together are too many for a broker: at most %d",
			   oids, PLAN_OIDS_MAX);
}

void plan_remote_free(struct plan *p)
{
	struct plan_remote *r = &p->remote;
	char **text = (char **)(void *)r->texts.data;

	for (size_t i = 0; r->packed && i < p->profiles.count; i++)
		free(r->packed[i].octets);
	for (size_t i = 0; r->faults && i < p->profiles.count; i++)
		free(r->faults[i]);
	for (size_t i = 0; i < r->nsites; i++)
		free(r->sites[i].name);
	for (size_t i = 0; i < r->texts.len / sizeof(*text); i++)
		free(text[i]);
	buf_free(&r->texts);
	free(r->packed);
	free(r->faults);
	free(r->sites);
	plan_index_free(&r->by_content);
}

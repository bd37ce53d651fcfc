/*
 * plan - settings and targets become profiles and, one after the other, tasks to come.
 *
 * Targets are expanded as they are handed out: ten million addresses cost as much as one block.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/profile.h"
#include "plan/conf.h"

struct plan;

/* Everything that the command line says about what to poll. */
struct plan_request {
	struct conf *conf; /* files and targets read; lent for the plan's life */
	const struct settings
		*settings; /* of the command line; lent, as the next one, for the call */
	const char *const *excludes;
	size_t nexcludes;
	bool only_targets; /* some were asked for: none of the files' entries, even if none came */
	bool remote; /* agents elsewhere ask, who have the secrets: none is read, or may be written */
};

/* Checks everything (groups, credentials, objects, targets, excludes) and adds every error to
 * conf's list; NULL when there is one, or was. Call mib_setup() before. */
struct plan *plan_new(const struct plan_request *request);
void plan_free(struct plan *p);

const struct profile *plan_profiles(const struct plan *p, size_t *count);
/* A hash of who asks by that profile (version, community or user, context), the same for the same words in
 * another plan. */
uint64_t plan_asker(const struct plan *p, uint32_t profile);

struct plan_target {
	uint64_t seq; /* its number among all targets */
	uint32_t profile;
	const char *host;  /* as shown; NULL: the address itself (blocks, ranges) */
	const char *name;  /* to be resolved; NULL: addr is known, or there is a path */
	struct addr addr;  /* when name and path are NULL; with its port */
	const char *path;  /* of a socket; NULL: it is none */
	uint16_t port;     /* for the addresses of name */
	uint8_t family;    /* 4, 6 or 0 for any: which addresses of name to use */
	uint8_t transport; /* enum transport */
};

/* Who asks: the two kinds are handed out independently of each other, so that neither waits. */
enum plan_kind {
	PLAN_DATAGRAMS, /* workers with thousands of targets each: UDP */
	PLAN_SESSIONS,  /* workers with one target each: all other transports */
	PLAN_KINDS
};
/* The next target of a kind. False: that was all. The strings live as long as the plan. */
bool plan_next(struct plan *p, enum plan_kind kind, struct plan_target *out);
void plan_rewind(struct plan *p); /* the next ones are the first again, with the same numbers */
/* Target number seq, of whatever kind; seq < plan_total(). Whether others were handed out does not matter. Makes an
 * index of the items when first asked. */
void plan_at(struct plan *p, uint64_t seq, struct plan_target *out);
uint64_t plan_count(const struct plan *p,
		    enum plan_kind kind);  /* targets, excluded ones not counted */
uint64_t plan_total(const struct plan *p); /* of all kinds */
bool plan_has_paths(const struct plan *p); /* some target is a socket of the file system */

/* Of a plan with one target, before anything of it was handed out: what holds for it. */
struct plan_sole {
	const char *text;         /* as written; lives as long as the plan */
	struct conf_place place;  /* where; the command line, if it is no entry of a file */
	struct settings settings; /* all keys */
	struct settings own;      /* those that its entry sets, or else the command line */
	struct plan_target target;
};
void plan_sole(struct plan *p, const struct settings *command, struct plan_sole *out);
/* The profile of the same target with other settings. Not after conf_forget_secrets(); what is wrong with them
 * goes to conf's errors. What plan_profiles() gave before is no longer good. */
uint32_t plan_probe(struct plan *p, const struct settings *s);
/* Hands out t, as number 0, and nothing else; from now on it is all that the plan has. */
void plan_aim(struct plan *p, const struct plan_target *t);

/* The same number for the same targets with the same numbers, asked and shown the same; r: it was made of that. */
uint64_t plan_what(const struct plan *p, const struct plan_request *r);

/* With a broker agents of sites ask, by credentials of their own. The site of those of that profile, the same pointer
 * for the same site; "default" without a broker. */
const char *plan_site(const struct plan *p, uint32_t profile);
size_t plan_sites(const struct plan *p);
const char *plan_site_at(const struct plan *p, size_t site);
uint64_t plan_site_count(const struct plan *p, size_t site); /* its targets */
/* All profiles for plan_fed(), credentials by name: no secret. Of a plan made with `remote`. */
void plan_pack_profiles(const struct plan *p, struct buf *out);

/* What --check prints: blocks with their count, objects, the worst case for a silent host. */
void plan_describe(const struct plan *p, struct buf *out);

#endif

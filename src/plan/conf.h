/*
 * conf - YAML files, --targets files and KEY=VALUE words become settings and a list of targets.
 *
 * Strict: everything wrong is an error at a place, all errors are kept until they are shown, and
 * nothing is polled when there is one. Values are taken as written, whatever YAML makes of them.
 *
 * Several files add up: targets in their order; groups and credentials share one space of names (the
 * same name twice is an error that names both places); `mibs` add up; `run_as` may stand once. A
 * file's `defaults` hold for its own targets and for those of the files after it, where those do
 * not set the key themselves: so `-f base.yaml -f hosts.yaml` does what it looks like.
 */
#ifndef PLAN_CONF_H
#define PLAN_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "plan/reread.h"
#include "plan/settings.h"

struct conf;      /* owns every string and list that it or its settings show */
struct conf_keys; /* what an entry sets, packed */
struct conf_entry {
	const char *host;             /* as written; has passed target_parse() */
	const struct conf_keys *keys; /* NULL: takes everything from above */
	struct conf_place place;      /* of host */
};

struct conf *conf_new(void);
void conf_free(struct conf *c); /* wipes what it owns */
/* Before the first file, for who only wants names: files and variables that hold secrets are not read. */
void conf_leave_secrets(struct conf *c);
void conf_remember(struct conf *c, struct reread *memory); /* what can be read once; lent */
/* "-" is standard input, for one of all files. Errors go to the list. */
void conf_read(struct conf *c, const char *path);         /* -f: YAML */
void conf_read_targets(struct conf *c, const char *path); /* --targets: one a line, # comments */
void conf_add_target(struct conf *c, const char *text);   /* a word of the command line */
/* For --set and all options that stand for a key: value as in YAML, list words separated by commas.
 * A later value replaces an earlier one; words of lists add up (s belongs to one level). Starts with
 * `struct settings s = {0}`; c owns what it points to. Also takes NAME_file and NAME_env. */
void conf_set(struct conf *c, struct settings *s, const char *key, const char *value);

/* After the last file: unknown groups and credentials, SNMPv3 keys that do not fit together. */
void conf_check(struct conf *c, const struct settings *command);

const struct conf_entry *conf_entries(const struct conf *c, size_t *count);
const char *conf_label(const struct conf_entry *e); /* NULL: none */
/* In the order in which they stand; NULL after the last. */
const char *conf_group_at(const struct conf *c, size_t i);
const char *conf_credential_at(const struct conf *c, size_t i);
char *const *conf_targets(const struct conf *c,
			  size_t *count); /* of --targets and the command line */
/* The first entry whose host or label is exactly text; NULL. Makes an index when first asked. */
const struct conf_entry *conf_find(struct conf *c, const char *text);

/* What holds for an entry; for NULL, what holds for a target that no entry names. Weakest first: built-in,
 * defaults, command line, group, the entry; at each of these levels the keys of the `credential`
 * written there, then the level's own. What nobody sets has its built-in value: port 161, version 2c,
 * community public, timeout 1 s, retries 2, per_host 1, max_vars 1,000,000, nonincreasing stop, all
 * else 0 or NULL. Unknown names are passed over: conf_check() has told. */
void conf_settings(const struct conf *c, const struct conf_entry *e, const struct settings *command,
		   struct settings *out);

/* Only what the entry itself sets; for NULL, what the command line does. */
void conf_own_settings(const struct conf_entry *e, const struct settings *command,
		       struct settings *out);

/* Calls fn for each value that the files hold, used or not. */
typedef void (*conf_value_fn)(void *arg, enum setting_key key, union setting_value value,
			      struct conf_place place);
void conf_each_value(const struct conf *c, conf_value_fn fn, void *arg);

/* All secrets of the settings read so far become empty, and are nowhere in memory. For who needs no more
 * settings, before the first fork. */
void conf_forget_secrets(struct conf *c);

const char *conf_mib_dirs(const struct conf *c);    /* colon-separated; NULL: none */
const char *conf_mib_modules(const struct conf *c); /* the same */
/* NULL: not set. Where it stands goes to *place, unless that is NULL. */
const char *conf_run_as(const struct conf *c, struct conf_place *place);

/* Keeps a line "FILE:LINE:COLUMN: text" ("command line: text"); never with a secret in it. */
void conf_error(struct conf *c, struct conf_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A line of its own; the same one is kept once. */
void conf_warning(struct conf *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Path as written in the given file, whose folder it is relative to. c owns it. */
const char *conf_path(struct conf *c, uint16_t file, const char *path);
size_t conf_error_count(const struct conf *c);
/* False: a further error would only be counted; what makes its words good need not be looked for. */
bool conf_error_room(const struct conf *c);
/* Appends the lines in the order of the files, fit for a terminal; at most 50 errors and "and N more" (or
 * "and perhaps more"). Returns the count. */
size_t conf_errors(const struct conf *c, struct buf *out);
void conf_warnings(const struct conf *c, struct buf *out); /* a line each */

#endif

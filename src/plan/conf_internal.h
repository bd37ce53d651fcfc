/*
 * conf_internal - what the files of conf share.
 */
#ifndef PLAN_CONF_INTERNAL_H
#define PLAN_CONF_INTERNAL_H

#include "plan/conf.h"
#include "plan/conf_store.h"
#include "plan/conf_value.h"
#include "plan/who.h"

#define CONF_ERRORS_MAX 50 /* kept and shown; the rest is counted */

struct conf_key { /* one setting of a mapping */
	union setting_value value;
	uint32_t line;
	uint16_t column;
	uint16_t key; /* enum setting_key */
};
struct conf_keys {
	uint16_t count;
	uint16_t file;
	struct conf_key key[];
};

struct conf_held { /* a key whose text is where its secret is, and not yet that */
	struct conf_key *at;
	uint16_t file;
	uint8_t source; /* enum setting_source */
};

struct conf_named { /* a group or a credential */
	const char *name;
	const struct conf_keys *keys;
	struct conf_place place;
};
struct conf_names {
	struct conf_named *list;
	size_t count, cap;
	struct table index; /* name to place in the list */
};

struct conf_file {
	const char *path;
	const struct conf_keys *defaults; /* NULL: none */
};

struct conf_mistake {
	struct conf_place place;
	char *text;
};

struct conf {
	struct arena arena;
	struct reread *reread;  /* NULL: nothing is read twice */
	struct arena secrets;   /* communities and passphrases, and nothing else */
	struct table variables; /* of the environment, that were secrets: name to place in… */
	const char **variable;  /* …what was in them */
	size_t nvariables, cap_variables;
	struct conf_file *files; /* [0] is the command line */
	size_t nfiles;
	struct conf_names groups;
	struct conf_names credentials;
	struct conf_entry *entries;
	size_t nentries, cap_entries;
	struct table by_host; /* host or label to entry; made by conf_find() */
	bool indexed;
	char **targets;
	size_t ntargets, cap_targets;
	struct buf mib_dirs; /* colon-separated; with its NUL when not empty */
	struct buf mib_modules;
	const char *run_as;
	struct conf_place run_as_place;
	struct conf_broker broker;
	bool stdin_used;
	uint64_t wrong; /* SETTING_BIT(key): some value of it was, and told; so it is not lacking */
	bool leave_secrets; /* in their files and variables: they are not read */
	bool hold_secrets;  /* they are read by conf_take_secrets() */
	struct conf_held *held;
	size_t nheld, cap_held;
	struct conf_mistake mistakes[CONF_ERRORS_MAX];
	size_t nerrors; /* of these at most CONF_ERRORS_MAX are kept */
	struct buf warnings;
};

/* "FILE:LINE:COLUMN", without what is 0; "command line". */
void conf_place_text(const struct conf *c, struct conf_place place, struct buf *out);

/* Unknown groups, and credentials if these are asked for, wherever they are named. */
void conf_check_names(struct conf *c, const struct settings *command, bool credentials);

/* Room for one more in an array that doubles. */
void *conf_grow(void *array, size_t count, size_t *cap, size_t size);
const struct conf_named *conf_name(const struct conf_names *names, const char *name); /* or NULL */

#endif

/*
 * who - what conf does where one machine plans and others ask, with credentials that only they have.
 *
 * The planning side knows credentials by name alone: it neither needs nor reads nor keeps a secret of theirs, and takes none
 * anywhere else. The asking side lays what it is told over its own credentials of those names, as conf_settings() would.
 */
#ifndef PLAN_WHO_H
#define PLAN_WHO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "plan/settings.h"

struct conf;
struct conf_entry;

/* Before the first file: the files and variables that hold secrets are left until who needs them is known … */
void conf_hold_secrets(struct conf *c);
void conf_take_secrets(struct conf *c); /* … and read now; or never */

/* After the last file, instead of conf_check(): the groups; and what would be a secret, or a path on this machine, outside of
 * `credentials:`. */
void conf_check_remote(struct conf *c, const struct settings *command);

/* Who asks a target, as far as it can be said without the credentials. */
#define WHO_CREDENTIALS_MAX 8
struct conf_who {
	const char *credential[WHO_CREDENTIALS_MAX]; /* those named at some level, weakest first */
	uint8_t count;
	bool full;                    /* there are more */
	uint8_t above[SETTING_COUNT]; /* of a key that is set: over how many of them it wins */
};
/* As conf_settings(), but nothing that a credential says. */
void conf_who(const struct conf *c, const struct conf_entry *e, const struct settings *command,
	      struct settings *out, struct conf_who *who);
bool conf_is_who(enum setting_key key); /* of those that a credential may have */

/* Lays the keys of that credential over s. False: there is none. */
bool conf_lay_credential(const struct conf *c, struct settings *s, const char *name);
/* What SNMPv3 keys need of each other. */
void conf_check_v3(struct conf *c, const struct settings *s);
/* Forgets all errors, which were somebody else's; the first, with its place in a file, is appended. False: there was none. */
bool conf_drop_errors(struct conf *c, struct buf *first);

/* What `broker:` of the files says, as written; strings are conf's, the password with its other secrets. */
struct conf_broker {
	bool set;
	const char *url; /* several: with commas between; NULL: none */
	const char *user, *password;
	const char *certificate, *key, *ca; /* paths, as seen from here */
	const char *name;                   /* the agent's */
	unsigned attempts;                  /* 0: not set */
	int64_t patience_us;                /* 0: not set */
	struct conf_place place;            /* of the mapping */
};
const struct conf_broker *conf_broker(const struct conf *c);

#endif

/*
 * settings - the keys that a person may set for a target: their names, kinds and bounds.
 *
 * One table drives YAML, --set and the options of the command line, so that a key is added in one place.
 */
#ifndef PLAN_SETTINGS_H
#define PLAN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "plan/place.h"
#include "plan/settings_keys.h"

union setting_value {
	int64_t number;
	const char *text; /* NUL-terminated; NULL: not set */
	const struct conf_list *list;
};

struct settings {
	uint64_t set;                             /* SETTING_BIT(key): was written somewhere */
	union setting_value value[SETTING_COUNT]; /* of what is not set: see conf_settings() */
	struct conf_place place[SETTING_COUNT];   /* of the values that are set */
};
#define SETTING_BIT(key)       (UINT64_C(1) << (key))
#define SETTING_IS_SET(s, key) (((s)->set >> (key)) & 1u)

enum setting_level { /* where a key may stand */
	LEVEL_DEFAULTS = 1,
	LEVEL_GROUP = 2,
	LEVEL_HOST = 4,
	LEVEL_CREDENTIAL = 8,
	LEVEL_COMMAND = 16,
};
enum setting_source { /* KEY, KEY_file, KEY_env */
	SOURCE_LITERAL,
	SOURCE_FILE,
	SOURCE_ENV,
};

/* False: no such key. */
bool setting_find(const char *written, enum setting_key *key, enum setting_source *source);
const char *setting_text(enum setting_key key);
const char *setting_suffix(enum setting_source source); /* "", "_file", "_env" */
bool setting_allowed(enum setting_key key, enum setting_level level);
bool setting_is_list(enum setting_key key);
bool setting_is_secret(enum setting_key key); /* also as NAME_file and NAME_env */
/* The i-th of the words of which its value is one; NULL: there are no more, or it is none of words. */
const char *setting_word(enum setting_key key, unsigned i);

bool setting_is_number(enum setting_key key); /* kept as one */
/* Appends the value as it is written, unquoted; not of a list. */
void setting_put(struct buf *out, enum setting_key key, union setting_value value);

#define SETTING_ERROR_MAX 200 /* octets with the NUL */

/* A scalar, or one word of a list (then as out->text). Text may be changed in place; out->text points
 * into it or at a constant. False: error, without the key in front, never with a secret in it. */
bool setting_parse(enum setting_key key, char *text, union setting_value *out,
		   char error[SETTING_ERROR_MAX]);

bool setting_holds(enum setting_key key, int64_t number); /* it is one that could be written */
void settings_builtin(struct settings *s); /* what holds where nobody sets anything */

#define SETTINGS_DURATION_MAX (INT64_C(3600000000) * 1000) /* us */
/* "500ms", "1.5s", "2m", "1h", a bare number is seconds. False: not one, or above 1000 hours. */
bool settings_duration(const char *text, int64_t *us);

void settings_nearest(struct nearest *n, enum setting_level level); /* all keys allowed there */

#endif

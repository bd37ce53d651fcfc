/*
 * conf_value - a value as written becomes what it says. Private to conf.
 */
#ifndef PLAN_CONF_VALUE_H
#define PLAN_CONF_VALUE_H

#include "plan/conf.h"

struct conf_word { /* a value as written */
	enum setting_key key;
	enum setting_source source; /* what the text names */
	const char *text;
	struct conf_place place;
	const char *name; /* of what is no setting; NULL: the key's */
};
/* Where a file is that a configuration names: among systemd's credentials, or as conf_path() says. */
const char *conf_secret_path(struct conf *c, uint16_t file, const char *path);
/* The text of a secret, the file or the environment variable; NULL: told, or left. */
char *conf_secret(struct conf *c, const struct conf_word *w);
/* Reads it, wherever it is. False: told. */
bool conf_value(struct conf *c, const struct conf_word *w, union setting_value *out);
const struct conf_list *conf_list_new(struct conf *c, const struct conf_item *items, size_t count);

#endif

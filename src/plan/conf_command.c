/*
 * Settings of the command line: --set KEY=VALUE, and every option that stands for a key.
 *
 * The command line is one level, as a mapping of YAML is. Unlike there, a key may come again, since
 * people add a word to the end of a command that they have in front of them: the last value counts, and
 * the words of lists (-g, -w) add up.
 */
#include "plan/conf_internal.h"

#include <string.h>

/* Adds the words of value, separated by commas, to those that s has. */
static bool add_words(struct conf *c, struct settings *s, enum setting_key key, const char *value)
{
	const struct conf_list *old = s->value[key].list;
	struct buf items = {0};
	bool good = true;
	const char *end;

	if (old)
		buf_put(&items, old->item, old->count * sizeof(old->item[0]));
	for (;; value = end + 1) {
		struct conf_word w = {key, SOURCE_LITERAL, NULL, CONF_COMMAND_LINE, NULL};
		struct conf_item item = {.place = CONF_COMMAND_LINE};
		union setting_value word;

		end = value + strcspn(value, ",");
		w.text = item.text = arena_text(&c->arena, value, (size_t)(end - value));
		good = conf_value(c, &w, &word) && good;
		buf_put(&items, &item, sizeof(item));
		if (!*end)
			break;
	}
	s->value[key].list = conf_list_new(c, (const struct conf_item *)(void *)items.data,
					   items.len / sizeof(struct conf_item));
	buf_free(&items);
	return good;
}

void conf_set(struct conf *c, struct settings *s, const char *key, const char *value)
{
	struct nearest near = {.written = key};
	char hint[NEAREST_HINT_MAX];
	struct conf_word w = {.text = value, .place = CONF_COMMAND_LINE};
	union setting_value read; /* a wrong one leaves the one before, which was right */
	bool good;

	if (!setting_find(key, &w.key, &w.source)) {
		settings_nearest(&near, LEVEL_COMMAND);
		conf_error(c, CONF_COMMAND_LINE, "unknown key '%.100s'%s", key,
			   nearest_hint(&near, hint));
		return;
	}
	if (!setting_allowed(w.key, LEVEL_COMMAND)) {
		conf_error(c, CONF_COMMAND_LINE, "'%s' is not allowed for all targets", key);
		return;
	}
	if (setting_is_list(w.key)) {
		good = add_words(c, s, w.key, value);
	} else {
		good = conf_value(c, &w, &read);
		if (good)
			s->value[w.key] = read;
	}
	if (!good)
		return;
	s->set |= SETTING_BIT(w.key);
	s->place[w.key] = CONF_COMMAND_LINE;
}

/*
 * The shape of the output: which records, and what of them.
 *
 * What a format cannot do is an error, and is not passed over: a script that asks for columns would take others for
 * them. It is looked for when all words are read, as -F may come last.
 *
 * What is left out of the output is left out of nothing else: the exit status, the summary and all counts are of
 * all targets, or a run that writes only what failed would look as if all had.
 */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/options_internal.h"

#define STATUSES ((1u << RECORD_STATUS_COUNT) - 1)

/* The next word of a list with commas, which *list is moved behind; NULL: there is none. Free it. */
static char *next_word(const char **list)
{
	const char *start = *list;
	size_t len;

	if (!start)
		return NULL;
	len = strcspn(start, ",");
	*list = start[len] ? start + len + 1 : NULL;
	return mem_strndup(start, len);
}

/* Its bit; 0: it is none, which was said. */
static uint32_t status_bit(struct parse *p, const char *word)
{
	struct nearest near = {.written = word};
	char hint[NEAREST_HINT_MAX];

	for (unsigned s = 0; s < RECORD_STATUS_COUNT; s++) {
		if (!strcmp(record_status_name((enum record_status)s), word))
			return 1u << s;
		nearest_try(&near, record_status_name((enum record_status)s));
	}
	options_wrong(p, "--status: '%s' is no status%s", word, nearest_hint(&near, hint));
	return 0;
}

bool options_take_status(struct parse *p, const struct option_row *row, char *value)
{
	const char *list = value;
	uint32_t statuses = 0, bit = 1;
	char *word;

	(void)row;
	while (bit && (word = next_word(&list))) {
		bit = status_bit(p, word);
		statuses |= bit;
		free(word);
	}
	p->o->statuses = statuses;
	return bit != 0;
}

static bool take_fields(struct parse *p)
{
	struct options *o = p->o;
	char error[FIELDS_ERROR_MAX];

	if (!o->fields)
		return true;
	if (!o->format->fields)
		return options_wrong(
			p, "--fields: what format %s has of a record is fixed by the format",
			o->format->name);
	if (fields_parse(&o->format_options.fields, o->fields, o->format->fields, error))
		return true;
	return options_wrong(p, "--fields: %s", error);
}

struct sort_key {
	enum field field;
	enum layout_order order;
};
static const struct sort_key sort_keys[] = {{FIELD_HOST, LAYOUT_BY_HOST},
					    {FIELD_ADDRESS, LAYOUT_BY_ADDRESS},
					    {FIELD_STATUS, LAYOUT_BY_STATUS},
					    {FIELD_RTT_MS, LAYOUT_BY_RTT}};
#define SORT_KEYS (sizeof(sort_keys) / sizeof(sort_keys[0]))

const char *options_sort_key(size_t i)
{
	return i < SORT_KEYS ? field_name(sort_keys[i].field) : NULL;
}

bool options_take_sort(struct parse *p, const struct option_row *row, char *value)
{
	struct nearest near = {.written = value};
	char hint[NEAREST_HINT_MAX];
	struct buf keys = {0};

	(void)row;
	for (size_t i = 0; i < SORT_KEYS; i++) {
		nearest_try(&near, options_sort_key(i));
		if (strcmp(options_sort_key(i), value) != 0)
			continue;
		p->o->order = sort_keys[i].order;
		return true;
	}
	if (*nearest_hint(&near, hint))
		return options_wrong(p, "--sort: there is no key '%s'%s", value, hint);
	for (size_t i = 0; i < SORT_KEYS; i++)
		buf_printf(&keys, "%s%s", i > 0 ? "," : "", options_sort_key(i));
	options_wrong(p, "--sort: there is no key '%s' (only %.*s)", value, (int)keys.len,
		      (char *)keys.data);
	buf_free(&keys);
	return false;
}

/* Of what the format can do. */
static bool take_form(struct parse *p)
{
	struct options *o = p->o;

	if (o->format_options.null && !o->format->null)
		return options_wrong(p, "--null: format %s has its own line ends", o->format->name);
	if (o->order != LAYOUT_AS_THEY_COME && o->format->layout.sorted)
		return options_wrong(p, "--sort: format %s has its own order, by name and host",
				     o->format->name);
	if (!take_fields(p))
		return false;
	o->layout = format_layout(o->format, &o->format_options, o->head);
	o->layout.order = o->order;
	return true;
}

bool options_shape(struct parse *p)
{
	struct options *o = p->o;

	o->unwanted = o->statuses ? STATUSES & ~o->statuses : 0;
	if (o->only_failed)
		o->unwanted |= 1u << RECORD_OK;
	if (o->unwanted == STATUSES)
		return options_wrong(p, "--only-failed and --status ok: no record can be both");
	return take_form(p);
}

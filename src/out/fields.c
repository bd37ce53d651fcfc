/*
 * Which fields are shown: the words of a person become a list.
 *
 * The names are the columns of csv, in every format that lets one choose, so that who knows one knows all. A field that
 * is named twice is an error: readers who take columns by their names would lose one of them.
 */
#include "out/fields.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

static const char *const names[FIELD_COUNT] = {"host",  "address", "time",    "status", "rtt_ms",
					       "tries", "oid",     "name",    "index",  "label",
					       "type",  "value",   "message", "object"};

const char *field_name(enum field f)
{
	return names[f];
}

static void say_unknown(const char *word, uint32_t known, const struct nearest *near,
			char error[FIELDS_ERROR_MAX])
{
	char hint[NEAREST_HINT_MAX], all[FIELDS_TEXT_MAX];
	struct fields f = {0};

	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (known >> i & 1)
			f.list[f.count++] = (uint8_t)i;
	fields_text(&f, all);
	if (*nearest_hint(near, hint))
		snprintf(error, FIELDS_ERROR_MAX, "there is no field '%s'%s", word, hint);
	else
		snprintf(error, FIELDS_ERROR_MAX, "there is no field '%s' (only %s)", word, all);
}

/* The field of that name; FIELD_COUNT: there is none, and *near has what comes close. */
static enum field find(const char *word, uint32_t known, struct nearest *near)
{
	*near = (struct nearest){.written = word};
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		if (!(known >> f & 1))
			continue;
		if (!strcmp(names[f], word))
			return (enum field)f;
		nearest_try(near, names[f]);
	}
	return FIELD_COUNT;
}

static bool add(struct fields *f, const char *word, uint32_t known, char error[FIELDS_ERROR_MAX])
{
	struct nearest near;
	enum field field = find(word, known, &near);

	if (field == FIELD_COUNT)
		say_unknown(word, known, &near, error);
	else if (f->has >> field & 1)
		snprintf(error, FIELDS_ERROR_MAX, "field '%s' comes twice", word);
	else {
		f->list[f->count++] = (uint8_t)field;
		f->has |= 1u << field;
		return true;
	}
	return false;
}

bool fields_parse(struct fields *f, const char *text, uint32_t known, char error[FIELDS_ERROR_MAX])
{
	char word[NEAREST_MAX];
	size_t len;

	*f = (struct fields){0};
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word)),
			 text);
		if (!add(f, word, known, error))
			return false;
		if (!text[len])
			return true;
	}
}

void fields_text(const struct fields *f, char text[FIELDS_TEXT_MAX])
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < f->count; i++)
		len += (size_t)snprintf(text + len, FIELDS_TEXT_MAX - len, "%s%s", i ? "," : "",
					names[f->list[i]]);
}

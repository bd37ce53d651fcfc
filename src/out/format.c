/*
 * The table of formats: one row each, and nothing else of the program knows their names.
 *
 * Workers call a row's function through a pointer that main hands them, the master calls the same one for
 * records that never saw a worker. A new format is a file with one function and a row here.
 */
#include "out/format.h"

#include <string.h>

#include "out/jsonl.h"
#include "out/text.h"

static const struct format formats[] = {
	{"text", text_record},
	{"jsonl", jsonl_record},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct format *format_at(unsigned i)
{
	return i < FORMATS ? &formats[i] : NULL;
}

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	}
	return NULL;
}

/*
 * What is wrong, and where.
 *
 * All mistakes of a file are shown in one go, in the order in which they stand there. They are found
 * in another: a group that does not exist is known only after the last file. So they are kept with
 * their places, and sorted when they are shown.
 *
 * A million entries with the same mistake must not become a million lines: CONF_ERRORS_MAX are
 * kept, the rest is counted. Nor must it take minutes: what was meant is looked for only while there is
 * room (conf_error_room()), since comparing with every word costs more than all else. What two targets
 * inherit from one place is one mistake, told once.
 */
#include "plan/conf_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "plan/who.h"

#define TEXT_MAX 500 /* octets of one error with its NUL */

void conf_place_text(const struct conf *c, struct conf_place place, struct buf *out)
{
	buf_puts(out, c->files[place.file].path);
	if (place.line)
		buf_printf(out, ":%u", place.line);
	if (place.line && place.column)
		buf_printf(out, ":%u", place.column);
}

static bool same_place(struct conf_place a, struct conf_place b)
{
	return a.file == b.file && a.line == b.line && a.column == b.column;
}

static bool is_known(const struct conf *c, struct conf_place place, const char *text)
{
	for (size_t i = 0; i < c->nerrors && i < CONF_ERRORS_MAX; i++)
		if (same_place(c->mistakes[i].place, place) &&
		    strcmp(c->mistakes[i].text, text) == 0)
			return true;
	return false;
}

void conf_error(struct conf *c, struct conf_place place, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (is_known(c, place, text))
		return;
	if (c->nerrors < CONF_ERRORS_MAX) {
		c->mistakes[c->nerrors].place = place;
		c->mistakes[c->nerrors].text = mem_strdup(text);
	}
	c->nerrors++;
}

size_t conf_error_count(const struct conf *c)
{
	return c->nerrors;
}

bool conf_error_room(const struct conf *c)
{
	return c->nerrors < CONF_ERRORS_MAX;
}

static int compare(const void *pa, const void *pb)
{
	const struct conf_mistake *a = *(const struct conf_mistake *const *)pa;
	const struct conf_mistake *b = *(const struct conf_mistake *const *)pb;

	if (a->place.file != b->place.file)
		return a->place.file < b->place.file ? -1 : 1;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return (a > b) - (a < b); /* of one array: in the order in which they were found */
}

size_t conf_errors(const struct conf *c, struct buf *out)
{
	const struct conf_mistake *sorted[CONF_ERRORS_MAX] = {NULL};
	size_t kept = c->nerrors < CONF_ERRORS_MAX ? c->nerrors : CONF_ERRORS_MAX;
	struct buf line = {0};

	for (size_t i = 0; i < kept; i++)
		sorted[i] = &c->mistakes[i];
	qsort(sorted, kept, sizeof(struct conf_mistake *), compare);
	for (size_t i = 0; i < kept; i++) {
		line.len = 0;
		conf_place_text(c, sorted[i]->place, &line);
		buf_printf(&line, ": %s", sorted[i]->text);
		buf_putc(&line, '\0');
		utf8_make_shown((char *)line.data); /* a path or a key may hold anything */
		buf_printf(out, "%s\n", (const char *)line.data);
	}
	buf_free(&line);
	if (c->nerrors > kept)
		buf_printf(out, "and %zu more\n", c->nerrors - kept);
	else if (!conf_error_room(c))
		buf_puts(out, "and perhaps more\n");
	return c->nerrors;
}

bool conf_drop_errors(struct conf *c, struct buf *first)
{
	size_t kept = c->nerrors < CONF_ERRORS_MAX ? c->nerrors : CONF_ERRORS_MAX;

	if (!kept)
		return false;
	if (c->mistakes[0].place.file) {
		conf_place_text(c, c->mistakes[0].place, first);
		buf_puts(first, ": ");
	}
	buf_puts(first, c->mistakes[0].text);
	for (size_t i = 0; i < kept; i++)
		free(c->mistakes[i].text);
	c->nerrors = 0;
	return true;
}

void conf_warning(struct conf *c, const char *format, ...)
{
	char text[TEXT_MAX];
	size_t len;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	utf8_make_shown(text);
	len = strlen(text);
	text[len++] = '\n';
	if (!c->warnings.len || !memmem(c->warnings.data, c->warnings.len, text, len))
		buf_put(&c->warnings, text, len);
}

void conf_warnings(const struct conf *c, struct buf *out)
{
	buf_put(out, c->warnings.data, c->warnings.len);
}

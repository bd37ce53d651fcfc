/*
 * Targets that come as bare words: from the command line, and from --targets, one a line.
 *
 * A line may be indented, may end in a comment, may be blank. A '#' begins a comment at the beginning of a line
 * or after a blank, so that nothing that could be part of a word is cut off.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/conf_internal.h"
#include "plan/conf_reader.h"
#include "plan/target.h"

#define LINE_MAX_OCTETS 4096 /* no target is longer; a comment may be */

static void add_target(struct conf *c, const char *text, size_t len, struct conf_place place)
{
	char error[TARGET_ERROR_MAX];
	struct target t;

	if (!target_parse(text, len, &t, error)) {
		conf_error(c, place, "target '%.*s': %s", len < 60 ? (int)len : 60, text, error);
		return;
	}
	c->targets = conf_grow(c->targets, c->ntargets, &c->cap_targets, sizeof(*c->targets));
	c->targets[c->ntargets++] = arena_text(&c->arena, text, len);
}

void conf_add_target(struct conf *c, const char *text)
{
	add_target(c, text, strlen(text), CONF_COMMAND_LINE);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* A line without its newline; place is its number. */
static void take_line(struct conf *c, const char *line, size_t len, struct conf_place place)
{
	size_t from = 0;
	size_t to = 0;

	while (to < len && !(line[to] == '#' && (to == 0 || is_blank(line[to - 1]))))
		to++;
	while (from < to && is_blank(line[from]))
		from++;
	while (to > from && is_blank(line[to - 1]))
		to--;
	if (to > from)
		add_target(c, line + from, to - from, place);
}

/* Takes the whole lines of text; the number of octets taken. */
static size_t take_lines(struct conf *c, const struct buf *text, struct conf_place *place)
{
	const char *data = (const char *)text->data;
	size_t from = 0;
	const char *end;

	while (from < text->len && (end = memchr(data + from, '\n', text->len - from))) {
		take_line(c, data + from, (size_t)(end - data) - from, *place);
		place->line++;
		from = (size_t)(end - data) + 1;
	}
	return from;
}

static void read_lines(struct conf *c, struct reader *r)
{
	struct conf_place place = {.line = 1, .file = r->at.file};
	struct buf text = {0};
	uint8_t octets[LINE_MAX_OCTETS];
	size_t n;

	while ((n = reader_read(r, octets, sizeof(octets))) > 0) {
		buf_put(&text, octets, n);
		buf_consume(&text, take_lines(c, &text, &place));
		if (text.len > LINE_MAX_OCTETS) {
			conf_error(c, place, "line longer than %d octets", LINE_MAX_OCTETS);
			text.len = 0;
			break;
		}
	}
	take_line(c, (const char *)text.data, text.len, place);
	buf_free(&text);
}

void conf_read_targets(struct conf *c, const char *path)
{
	struct reader *r = mem_alloc(sizeof(*r));

	if (reader_open(r, c, path))
		read_lines(c, r);
	reader_close(r);
	free(r);
}

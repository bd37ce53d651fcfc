/*
 * One YAML document, by libyaml's events.
 *
 * The problem: YAML can do much more than a list of hosts needs, and each part of it is a way to
 * write something other than one meant: types guessed from the text, anchors and aliases (and bombs
 * made of them), merge keys, tags, several documents. All are errors here, at their place; what
 * comes out are words, lists and mappings. Words are never typed: `1.10` and `no` are text.
 *
 * libyaml keeps its own stack in memory, not on ours; DOC_DEPTH stops it long before that counts. Its
 * marks count from 0, columns in characters.
 *
 * What libyaml holds of a secret is wiped before it gives it back, as far as we see it: of a word
 * that has outgrown its first 16 octets it leaves the beginning in memory that was freed.
 *
 * The trap: after an error of libyaml, the parser must not be asked again. d->ended then makes every
 * loop end, and the current node is DOC_NOTHING for ever.
 */
#include "plan/conf_doc.h"

#include <string.h>

#include "plan/conf_internal.h"

#define DOC_DEPTH 16 /* ours has 5 levels */

static struct conf_place place_of(const struct doc *d, const yaml_mark_t *mark)
{
	struct conf_place place = {.file = d->reader->at.file};

	place.line = (uint32_t)mark->line + 1;
	place.column = mark->column < UINT16_MAX ? (uint16_t)(mark->column + 1) : UINT16_MAX;
	return place;
}

struct conf_place doc_place(const struct doc *d)
{
	return place_of(d, &d->event.start_mark);
}

struct remedy {
	const char *problem; /* libyaml's words */
	const char *text;    /* ours, which tell what to do */
	bool at_beginning;   /* of what is not complete, instead of where that was noticed */
};

static const struct remedy remedies[] = {
	{"found character that cannot start any token",
	 "no value begins with this character: put it in quotes (and indent with blanks, not tabs)",
	 false},
	{"mapping values are not allowed in this context",
	 "no 'KEY: VALUE' here: check the indentation, or put a value that holds ': ' in quotes",
	 false},
	{"block sequence entries are not allowed in this context",
	 "no '- ' here: a list begins on a line of its own", false},
	{"could not find expected ':'", "no ':' after this key", true},
	{"did not find expected key",
	 "the indentation fits no line above it (or a value needs quotes)", false},
	{"did not find expected '-' indicator",
	 "neither a '- ' nor less indentation: check the indentation", false},
	{"found unexpected end of stream", "this quote is never closed", true},
	{"did not find expected ',' or ']'", "this '[' is not closed, or a ',' is missing", true},
	{"did not find expected ',' or '}'", "this '{' is not closed, or a ',' is missing", true},
	{"did not find expected <document start>", "neither a key nor a value can stand here",
	 false},
};

/* The current event goes; what stands in it may be a secret. */
static void drop(struct doc *d)
{
	if (d->event.type == YAML_SCALAR_EVENT)
		mem_wipe(d->event.data.scalar.value, d->event.data.scalar.length);
	yaml_event_delete(&d->event);
	d->event = (yaml_event_t){0};
}

static void stop(struct doc *d)
{
	drop(d);
	d->ended = true;
}

static void refuse_syntax(struct doc *d)
{
	const yaml_parser_t *p = &d->parser;
	const yaml_mark_t *mark = &p->problem_mark;
	const char *text = p->problem ? p->problem : "cannot be read";

	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (strcmp(text, remedies[i].problem) != 0)
			continue;
		text = remedies[i].text;
		if (remedies[i].at_beginning)
			mark = &p->context_mark;
		break;
	}
	if (!d->reader->failed) /* that one has told */
		conf_error(d->conf, place_of(d, mark), "not YAML: %s", text);
	stop(d);
}

static void refuse_marks(struct doc *d, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		conf_error(d->conf, doc_place(d),
			   "anchor '&%.40s': there are no anchors and aliases here",
			   (const char *)anchor);
	if (tag)
		conf_error(d->conf, doc_place(d),
			   "tag '%.40s': there are no tags here, values are taken as written",
			   (const char *)tag);
}

/* Counts what is open, and tells what we refuse of an event. */
static void inspect(struct doc *d)
{
	const yaml_event_t *e = &d->event;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		refuse_marks(d, e->data.scalar.anchor, e->data.scalar.tag);
		break;
	case YAML_ALIAS_EVENT:
		conf_error(d->conf, doc_place(d),
			   "alias '*%.40s': there are no anchors and aliases here, write the "
			   "value out",
			   (const char *)e->data.alias.anchor);
		break;
	case YAML_SEQUENCE_START_EVENT:
		refuse_marks(d, e->data.sequence_start.anchor, e->data.sequence_start.tag);
		d->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		refuse_marks(d, e->data.mapping_start.anchor, e->data.mapping_start.tag);
		d->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		d->depth--;
		break;
	default:
		break;
	}
}

static void next(struct doc *d)
{
	if (d->ended)
		return;
	drop(d);
	if (!yaml_parser_parse(&d->parser, &d->event)) {
		refuse_syntax(d);
		return;
	}
	inspect(d);
	if (d->depth > DOC_DEPTH) {
		conf_error(d->conf, doc_place(d), "nested deeper than %d levels", DOC_DEPTH);
		stop(d);
	} else if (d->event.type == YAML_STREAM_END_EVENT) {
		stop(d);
	}
}

/* An error of the reader looks like the end: what is complete before it is read, and its mistakes
 * are told; that the rest is missing is not. */
static int feed(void *arg, unsigned char *buffer, size_t size, size_t *size_read)
{
	struct reader *r = arg;

	*size_read = reader_read(r, buffer, size);
	return 1;
}

bool doc_begin(struct doc *d, struct reader *r)
{
	*d = (struct doc){.conf = r->conf, .reader = r};
	if (!yaml_parser_initialize(&d->parser)) {
		conf_error(r->conf, r->at, "the YAML parser cannot be set up");
		d->ended = true;
		return false;
	}
	yaml_parser_set_encoding(&d->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input(&d->parser, feed, r);
	next(d); /* the stream's start */
	next(d); /* the document's, or the end */
	next(d);
	return !d->ended;
}

/* libyaml gives them back as they are. */
static void wipe_buffers(yaml_parser_t *p)
{
	mem_wipe(p->raw_buffer.start, (size_t)(p->raw_buffer.end - p->raw_buffer.start));
	mem_wipe(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
}

void doc_end(struct doc *d)
{
	next(d); /* the document's end */
	next(d);
	if (!d->ended)
		conf_error(
			d->conf, doc_place(d),
			"a second document: a file holds one, without '---' after its beginning");
	stop(d);
	wipe_buffers(&d->parser);
	yaml_parser_delete(&d->parser);
}

enum doc_kind doc_kind(const struct doc *d)
{
	switch (d->event.type) {
	case YAML_SCALAR_EVENT:
		return DOC_WORD;
	case YAML_SEQUENCE_START_EVENT:
		return DOC_LIST;
	case YAML_MAPPING_START_EVENT:
		return DOC_MAPPING;
	default:
		return DOC_NOTHING;
	}
}

bool doc_is_empty(const struct doc *d)
{
	return d->event.type == YAML_SCALAR_EVENT && d->event.data.scalar.length == 0 &&
	       d->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

void doc_skip(struct doc *d)
{
	unsigned outside = d->depth - 1;

	if (doc_kind(d) != DOC_LIST && doc_kind(d) != DOC_MAPPING)
		return;
	while (!d->ended && d->depth > outside)
		next(d);
}

char *doc_word(struct doc *d)
{
	char *text = (char *)d->event.data.scalar.value;

	if (strlen(text) == d->event.data.scalar.length)
		return text;
	conf_error(d->conf, doc_place(d), "a NUL character in a value");
	return NULL;
}

bool doc_item(struct doc *d)
{
	next(d);
	return !d->ended && d->event.type != YAML_SEQUENCE_END_EVENT;
}

/* False: told. */
static bool take_key(struct doc *d, struct doc_key *key)
{
	const char *text;

	key->place = doc_place(d);
	if (doc_kind(d) == DOC_NOTHING) /* an alias */
		return false;
	if (doc_kind(d) != DOC_WORD) {
		conf_error(d->conf, key->place, "a key is a word, not a list or mapping");
		return false;
	}
	text = doc_word(d);
	if (!text)
		return false;
	if (strlen(text) >= DOC_KEY_MAX) {
		conf_error(d->conf, key->place, "key longer than %d octets", DOC_KEY_MAX - 1);
		return false;
	}
	if (strcmp(text, "<<") == 0) {
		conf_error(d->conf, key->place,
			   "merge key '<<': write the keys out, or use a group");
		return false;
	}
	memcpy(key->text, text, strlen(text) + 1);
	return true;
}

bool doc_key(struct doc *d, struct doc_key *key)
{
	bool taken;

	do {
		next(d);
		if (d->ended || d->event.type == YAML_MAPPING_END_EVENT)
			return false;
		taken = take_key(d, key);
		doc_skip(d);
		next(d);
		if (!taken)
			doc_skip(d);
	} while (!taken && !d->ended);
	return taken && !d->ended;
}

bool doc_expect(struct doc *d, enum doc_kind kind, const char *what, const char *message)
{
	if (doc_kind(d) == kind)
		return true;
	if (doc_kind(d) != DOC_NOTHING)
		conf_error(d->conf, doc_place(d), "%s: %s", what, message);
	doc_skip(d);
	return false;
}

void doc_words(struct doc *d, const char *what, struct buf *items)
{
	const char *text;

	if (!doc_expect(d, DOC_LIST, what, "takes a list: write [...] around it"))
		return;
	while (doc_item(d)) {
		struct conf_item item = {.place = doc_place(d)};

		if (!doc_expect(d, DOC_WORD, what, "takes words, not lists or mappings"))
			continue;
		text = doc_word(d);
		if (!text)
			continue;
		item.text = arena_text(&d->conf->arena, text, strlen(text));
		buf_put(items, &item, sizeof(item));
	}
}

/*
 * --complete: what could stand at the cursor, for the completions of bash, zsh and fish.
 *
 * The problem: three shells, each with a language of its own, would have to know all options, their
 * values, and how a YAML file names its hosts; and nobody would notice when they no longer do. So they ask the
 * program, whose tables are the ones that the options are read by, and know only how their shell is told.
 *
 * Asked is on standard input: the words behind the program's name up to the cursor, each with a NUL behind it, the
 * one at the cursor last, though it be empty; without quotes. Not as arguments: one of them may be a community,
 * and arguments are public (ps). The answer is one line of
 *
 *   KIND TAB PREFIX     KIND: `words`, nothing but the candidates that follow; `hosts`, names of hosts too,
 *                       as far as the shell knows some; `files`, `folders`: instead.
 *                       PREFIX: what of the word at the cursor stands before the file's name (`--output=`)
 *
 * and a line for each candidate: the whole word, TAB, what it is. Behind one that ends in '=', '.' or ',' no blank is
 * wanted. Whatever is wrong with the words, or with the files that they name, only makes the candidates fewer:
 * this is the wrong moment to complain.
 *
 * Rejected: a list in each shell's file with a test that compares them; files made at build time. Neither knows the
 * hosts of the file that is named on the very line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/options_complete.h"

#define ASKED_MAX (1 << 20) /* octets of a command line that are read */

/* It goes to a terminal, one a line. */
static bool can_be_shown(const char *text)
{
	size_t len = strlen(text);
	uint32_t code;
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = utf8_decode((const uint8_t *)text + at, len - at, &code);
		if (!n || !utf8_shown(code))
			return false;
	}
	return len > 0;
}

void completion_offer(struct completion *c, const char *text, const char *suffix, const char *what)
{
	if (strncasecmp(text, c->typed, strlen(c->typed)) != 0 || !can_be_shown(text))
		return;
	buf_put(&c->lines, c->word, (size_t)(c->typed - c->word));
	buf_puts(&c->lines, text);
	buf_puts(&c->lines, suffix);
	buf_putc(&c->lines, '\t');
	buf_puts(&c->lines, what && can_be_shown(what) ? what : "");
	buf_putc(&c->lines, '\n');
}

/* ---- the words before the cursor, as getopt_long(3) would take them */

/* NULL: none, or more than one begins so. */
static const struct option_row *find_name(const char *name, size_t len)
{
	const struct option_row *found = NULL;
	unsigned count = 0;

	for (const struct option_row *row = options_table; row->help; row++) {
		if (!row->name || strncmp(row->name, name, len) != 0)
			continue;
		if (!row->name[len])
			return row;
		found = row;
		count++;
	}
	return count == 1 ? found : NULL;
}

static const struct option_row *find_letter(char letter)
{
	for (const struct option_row *row = options_table; row->help; row++)
		if (row->letter && row->letter == letter)
			return row;
	return NULL;
}

struct option_word {
	const struct option_row *row; /* that takes a value; NULL: none */
	const char *value;            /* within the word; NULL: is the next word */
};

static struct option_word read_option(const char *word)
{
	const struct option_row *row;

	if (word[1] == '-') {
		size_t len = strcspn(word + 2, "=");

		row = find_name(word + 2, len);
		if (!row || !row->arg)
			return (struct option_word){0};
		return (struct option_word){row, word[2 + len] ? word + 2 + len + 1 : NULL};
	}
	for (word++; *word; word++) {
		row = find_letter(*word);
		if (row && row->arg)
			return (struct option_word){row, word[1] ? word + 1 : NULL};
	}
	return (struct option_word){0};
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

static void note_value(struct completion *c, const struct option_row *row, const char *value)
{
	if (row->name && strcmp(row->name, "file") == 0)
		words_add(&c->files, value);
	if (row->name && strcmp(row->name, "format") == 0 && format_find(value))
		c->format = format_find(value);
}

/* Goes through the words before the cursor. True: only targets follow ("--"). c->row is whose value follows. */
static bool read_before(struct completion *c, const char *const *words, size_t count)
{
	struct option_word option = {0};
	bool targets = false;

	for (size_t i = 0; i < count; i++) {
		if (option.row && !option.value) {
			note_value(c, option.row, words[i]);
			option = (struct option_word){0};
		} else if (!targets && is_option(words[i])) {
			targets = strcmp(words[i], "--") == 0;
			option = read_option(words[i]);
			if (option.value)
				note_value(c, option.row, option.value);
		}
	}
	if (option.row && !option.value)
		c->row = option.row;
	return targets;
}

/* ---- what fits */

static void offer_options(struct completion *c)
{
	const char *help = ""; /* rows without words of their own share those of the row before */

	for (const struct option_row *row = options_table; row->help; row++) {
		char letter[] = {'-', row->letter, '\0'};
		char name[64] = "--";

		if (*row->help)
			help = row->help;
		if (!row->take || row->hidden)
			continue;
		if (row->letter)
			completion_offer(c, letter, "", help);
		if (row->name) {
			strncat(name, row->name, sizeof(name) - 3);
			completion_offer(c, name, "", help);
		}
	}
}

static void offer_at_cursor(struct completion *c, bool targets)
{
	struct option_word option = {0};

	if (!c->row && !targets && is_option(c->word))
		option = read_option(c->word);
	if (option.value) {
		c->row = option.row;
		c->typed = option.value;
	}
	if (c->row)
		completion_offer_value(c);
	else if (!targets && c->word[0] == '-')
		offer_options(c);
	else
		completion_offer_targets(c);
}

static void complete(const struct words *words, struct buf *out)
{
	struct completion c = {.kind = "words", .format = format_at(0)};
	bool targets = read_before(&c, words->list, words->count - 1);

	c.word = words->list[words->count - 1];
	c.typed = c.word;
	offer_at_cursor(&c, targets);
	buf_printf(out, "%s\t%.*s\n", c.kind, (int)(c.typed - c.word), c.word);
	buf_put(out, c.lines.data, c.lines.len);
	buf_free(&c.lines);
	free(c.files.list);
}

/* ---- what is asked */

static void read_all(struct buf *in)
{
	ssize_t n;

	do {
		n = read(STDIN_FILENO, buf_room(in, 4096), 4096);
		in->len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && in->len < ASKED_MAX) || (n < 0 && errno == EINTR));
}

bool options_take_complete(struct parse *p, const struct option_row *row, char *value)
{
	struct words words = {0};
	struct buf in = {0};
	const char *end;

	(void)row, (void)value;
	if (isatty(STDIN_FILENO))
		return options_wrong(p, "--complete is asked by the completion of a shell");
	read_all(&in);
	end = (const char *)in.data + in.len;
	for (const char *at = (const char *)in.data, *nul;
	     at && at < end && (nul = memchr(at, '\0', (size_t)(end - at))); at = nul + 1)
		words_add(&words, at);
	if (!words.count)
		words_add(&words, ""); /* nothing is written yet */
	complete(&words, p->out);
	mem_wipe(in.data, in.len);
	buf_free(&in);
	free(words.list);
	return p->ended = true;
}

/*
 * The command line, read.
 *
 * The problem: what a person typed wrong should cost them one line of reading, not a page of usage: what
 * is wrong, what they may have meant, where more stands. getopt_long(3) prints words of its own, which
 * differ between systems, so it is kept silent (by the colon that its letters begin with) and its
 * verdicts are told here.
 *
 * First all of argv is gone through, and the secrets in it are copied and overwritten, also behind an error;
 * then options are taken, which may open files (--set community_file=…), and then the files are read: until
 * then, whatever it takes, ps shows no secret. What is wrong in files, and in the values of settings, goes to the list of conf, which the caller shows
 * whole: there may be several such errors, with their places.
 *
 * The trap: getopt_long(3) has state of its own; optind = 0 begins anew in glibc, musl and the BSDs
 * alike. And it takes abbreviations: --out is --output, as long as no other option begins so.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/options_internal.h"
#include "plan/who.h"
#include "snmp/mib.h"

#define DEFAULT_FILE   SYSCONFDIR "/multisnmp/multisnmp.yaml"
#define DEFAULT_WINDOW 4096
#define OPTIONS_MAX    90  /* rows of the table */
#define FIRST_LONG     256 /* what getopt_long(3) returns for the table's row 0; above all letters */

bool options_wrong(struct parse *p, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	utf8_make_shown(text); /* one line, whatever was typed */
	buf_printf(p->out, "multisnmp: %s; see multisnmp --help\n", text);
	return false;
}

void words_add(struct words *w, const char *word)
{
	w->list = mem_resize(w->list, w->count + 1, sizeof(*w->list));
	w->list[w->count++] = word;
}

/* ---- the table as getopt_long(3) wants it */

struct getopt_table {
	char letters[3 * OPTIONS_MAX + 2];
	struct option names[OPTIONS_MAX + 1];
};

static void make_table(struct getopt_table *t)
{
	size_t letters = 0;
	size_t names = 0;

	*t = (struct getopt_table){0};
	t->letters[letters++] = ':'; /* a missing argument is told as ':' */
	for (const struct option_row *row = options_table; row->help; row++) {
		if (row->letter)
			t->letters[letters++] = row->letter;
		if (row->letter && row->arg)
			t->letters[letters++] = ':';
		if (row->name)
			t->names[names++] = (struct option){
				.name = row->name,
				.has_arg = row->arg ? required_argument : no_argument,
				.val = FIRST_LONG + (int)(row - options_table),
			};
	}
}

/* The row of a value of getopt_long(3), or of its optopt; NULL. */
static const struct option_row *find_row(int value)
{
	if (value >= FIRST_LONG)
		return &options_table[value - FIRST_LONG];
	for (const struct option_row *row = options_table; row->help; row++) {
		if (row->letter && row->letter == value)
			return row;
	}
	return NULL;
}

/* ---- what is no option */

static bool unknown_name(struct parse *p, const char *word)
{
	size_t len = strcspn(word, "=");
	char written[NEAREST_MAX];
	char hint[NEAREST_HINT_MAX];
	struct nearest near = {.written = written};
	unsigned begin_so = 0;

	snprintf(written, sizeof(written), "%.*s", (int)len, word);
	for (const struct option_row *row = options_table; row->help; row++) {
		char name[NEAREST_MAX];

		if (!row->name)
			continue;
		snprintf(name, sizeof(name), "--%s", row->name);
		nearest_try(&near, name);
		begin_so += strncmp(name, written, len) == 0;
	}
	if (begin_so > 1)
		return options_wrong(p, "several options begin with '%s'", written);
	return options_wrong(p, "unknown option '%s'%s", written, nearest_hint(&near, hint));
}

static bool refused(struct parse *p, int verdict, char *const *argv)
{
	const struct option_row *row = optopt ? find_row(optopt) : NULL;
	struct buf name = {0};

	if (!row && optopt)
		return options_wrong(p, "unknown option '-%c'", optopt);
	if (!row)
		return unknown_name(p, argv[optind - 1]);
	if (verdict == ':' && optopt < FIRST_LONG)
		buf_printf(&name, "-%c", optopt);
	else
		options_name(row, &name);
	if (verdict == ':')
		options_wrong(p, "%.*s needs %s", (int)name.len, (char *)name.data, row->arg);
	else
		options_wrong(p, "%.*s takes no value", (int)name.len, (char *)name.data);
	buf_free(&name);
	return false;
}

/* ---- all of argv */

/* Overwrites a secret where ps looks for it; if there is one, the value as it was, for the caller to free, goes to
 * *copy, unless that is NULL. */
static void hide(const struct option_row *row, char *value, char **copy)
{
	char *secret = value ? options_secret(row, value) : NULL;

	if (!secret)
		return;
	if (copy)
		*copy = mem_strdup(value);
	mem_wipe(secret, strlen(secret));
}

static void add_taken(struct parse *p, const struct option_row *row, char *value)
{
	struct taken *taken;

	p->taken = mem_resize(p->taken, p->ntaken + 1, sizeof(*p->taken));
	taken = &p->taken[p->ntaken++];
	*taken = (struct taken){row, value, NULL};
	hide(row, value, &taken->copied);
	if (taken->copied)
		taken->value = taken->copied;
}

/* Goes through argv, to the end even when something is wrong: the first such thing goes to `wrong`,
 * and what follows it is not taken. */
static void read_words(struct parse *p, int argc, char **argv, struct buf *wrong)
{
	struct buf *out = p->out;
	struct getopt_table table;
	int value;

	make_table(&table);
	optind = 0;
	while ((value = getopt_long(argc, argv, table.letters, table.names, NULL)) != -1) {
		const struct option_row *row = find_row(value); /* of '?' and ':' there is none */

		if (row && wrong->len) {
			hide(row, optarg, NULL);
		} else if (row) {
			add_taken(p, row, optarg);
		} else if (!wrong->len) {
			p->out = wrong;
			refused(p, value, argv);
			p->out = out;
		}
	}
}

static bool take_words(struct parse *p, int argc, char **argv)
{
	struct buf wrong = {0};
	bool good = true;

	read_words(p, argc, argv, &wrong);
	for (size_t i = 0; i < p->ntaken && good && !p->ended; i++)
		good = p->taken[i].row->take(p, p->taken[i].row, p->taken[i].value);
	if (good && !p->ended && wrong.len) {
		buf_put(p->out, wrong.data, wrong.len);
		good = false;
	}
	buf_free(&wrong);
	return good;
}

static void free_words(struct parse *p)
{
	for (size_t i = 0; i < p->ntaken; i++) {
		if (!p->taken[i].copied)
			continue;
		mem_wipe(p->taken[i].copied, strlen(p->taken[i].copied));
		free(p->taken[i].copied);
	}
	free(p->taken);
}

/* ---- what follows from all of it */

static bool complete(struct parse *p, bool targets)
{
	struct options *o = p->o;

	if (o->output && strcmp(o->output, "-") == 0)
		o->output = NULL;
	if (!options_shape(p) || !options_stats_file(p))
		return false;
	if (p->check && p->explain) /* one promises to send nothing */
		return options_wrong(p, "--check and --explain: ask for one of the two");
	if (o->append && !o->output)
		return options_wrong(p, "--append: name the file with -o");
	if (o->append && o->format->layout.sorted)
		return options_wrong(p, "--append: a file of format %s is one whole, and replaced",
				     o->format->name);
	if (!options_role(p, targets))
		return false;
	if (targets || p->files.count)
		return true;
	if ((o->agent || o->drain) && access(DEFAULT_FILE, F_OK) != 0)
		return true; /* the broker may be all that is needed */
	if (access(DEFAULT_FILE, F_OK) != 0 && errno == ENOENT)
		return options_wrong(p, "no target: name one, or a file with -f (there is no %s)",
				     DEFAULT_FILE);
	words_add(&p->files, DEFAULT_FILE);
	return true;
}

/* A vendor's folder in a file adds to the usual ones: its modules import from those. -M has '+'. */
static const char *add_dirs(struct options *o, const char *dirs)
{
	size_t len = dirs ? strlen(dirs) : 0;

	if (!dirs)
		return NULL;
	o->more_dirs = mem_alloc(len + 2);
	o->more_dirs[0] = '+';
	memcpy(o->more_dirs + 1, dirs, len + 1);
	return o->more_dirs;
}

static bool is_built_in(const char *name, size_t len)
{
	enum mib_kind kind;
	const char *known;

	for (size_t i = 0; (known = mib_name_at(i, &kind)); i++)
		if (strncmp(known, name, len) == 0 && !known[len])
			return true;
	return false;
}

/* Net-SNMP's programs take objects behind the host. Their last part is a number, which no name of a host ends in, nor has
 * an address so many of them. */
static bool is_object(const char *text)
{
	const char *digits = text + strcspn(text, ".");
	unsigned dots = 0;

	if (strstr(text, "MIB::"))
		return true;
	if (strspn(digits, ".0123456789") != strlen(digits))
		return false;
	for (const char *at = text; *at; at++)
		dots += *at == '.';
	if (strspn(text, ".0123456789") == strlen(text))
		return dots > 3;
	return dots > 0 && is_built_in(text, (size_t)(digits - text));
}

static void add_target(struct conf *conf, const char *text)
{
	const struct conf_place command_line = {0};

	if (is_object(text) && !conf_find(conf, text))
		conf_error(conf, command_line, "'%.60s' is an object, not a target: write -g %.60s",
			   text, text);
	else
		conf_add_target(conf, text);
}

static void read_files(struct parse *p, char *const *targets)
{
	struct options *o = p->o;

	for (size_t i = 0; i < p->files.count; i++)
		conf_read(o->conf, p->files.list[i]);
	for (size_t i = 0; i < p->target_files.count; i++)
		conf_read_targets(o->conf, p->target_files.list[i]);
	for (; *targets; targets++)
		add_target(o->conf, *targets);
	if (!o->mib_dirs)
		o->mib_dirs = add_dirs(o, conf_mib_dirs(o->conf));
	if (!o->mib_modules)
		o->mib_modules = conf_mib_modules(o->conf);
}

static enum options_action parse(struct parse *p, int argc, char **argv)
{
	struct options *o = p->o;
	bool targets;

	if (!take_words(p, argc, argv))
		return OPTIONS_WRONG;
	if (p->ended)
		return OPTIONS_SHOWN;
	targets = optind < argc || p->target_files.count;
	if (!complete(p, targets))
		return OPTIONS_WRONG;
	conf_hold_secrets(o->conf);
	read_files(p, argv + optind);
	if (!options_broker(p))
		return OPTIONS_WRONG;
	o->plan.conf = o->conf;
	o->plan.settings = &o->settings;
	o->plan.excludes = o->excludes;
	o->plan.only_targets = targets;
	if (p->explain)
		return OPTIONS_EXPLAIN;
	return p->check ? OPTIONS_CHECK : OPTIONS_RUN;
}

enum options_action options_parse_with(struct options *o, int argc, char **argv, struct buf *out,
				       struct reread *memory)
{
	struct parse p = {.o = o, .out = out};
	enum options_action action;

	*o = (struct options){
		.conf = conf_new(),
		.format = format_at(0),
		.workers = options_default_workers(),
		.window = DEFAULT_WINDOW,
	};
	conf_remember(o->conf, memory);
	action = parse(&p, argc, argv);
	free_words(&p);
	free(p.files.list);
	free(p.target_files.list);
	return action;
}

enum options_action options_parse(struct options *o, int argc, char **argv, struct buf *out)
{
	return options_parse_with(o, argc, argv, out, NULL);
}

void options_free(struct options *o)
{
	broker_free(&o->own_broker);
	conf_free(o->conf);
	free(o->excludes);
	free(o->more_dirs);
}

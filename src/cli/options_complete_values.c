/*
 * What could be the value of an option, or a target.
 *
 * Most values are known by the table of options or of settings alone: words of which one must be chosen, formats, names
 * of objects. Hosts, labels, groups, credentials and sites are those of the files that the line names.
 *
 * The trap: the files are read while somebody waits for the next key, and are half written perhaps. So nothing but a regular
 * file of a few megabytes is opened (no pipe, no device, not the terminal), what is wrong with it is not told, and no file
 * or variable with a secret is touched. What a candidate shows is a name, never the value of a key.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/options_complete.h"
#include "snmp/mib.h"

#define FILE_LIMIT (16 << 20) /* octets; a larger one takes too long for who waits */

extern char **environ;

/* ---- what the files name */

/* NULL: no file is to be read. The shell has left a '~' as it is, for it stands in a word of the line. */
static char *readable(const char *written)
{
	const char *home = written[0] == '~' && written[1] == '/' ? getenv("HOME") : NULL;
	struct buf path = {0};
	struct stat st;

	buf_printf(&path, "%s%s", home ? home : "", home ? written + 1 : written);
	buf_putc(&path, '\0');
	if (stat((const char *)path.data, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= FILE_LIMIT)
		return (char *)path.data;
	buf_free(&path);
	return NULL;
}

static struct conf *read_files(const struct completion *c)
{
	struct conf *conf = conf_new();

	conf_leave_secrets(conf);
	for (size_t i = 0; i < c->files.count; i++) {
		char *path = readable(c->files.list[i]);

		if (path)
			conf_read(conf, path);
		free(path);
	}
	return conf;
}

static void offer_names(struct completion *c, const char *(*name_at)(const struct conf *, size_t))
{
	struct conf *conf = read_files(c);
	const char *name;

	for (size_t i = 0; (name = name_at(conf, i)); i++)
		completion_offer(c, name, "", NULL);
	conf_free(conf);
}

#define SITES_MAX 256 /* that are told from each other */

struct sites {
	struct completion *c;
	const char *seen[SITES_MAX];
	size_t count;
};

/* Each host may name its own: a site is offered once. */
static void offer_site(void *arg, enum setting_key key, union setting_value value,
		       struct conf_place place)
{
	struct sites *s = arg;

	(void)place;
	if (key != SET_SITE || !value.text || s->count == SITES_MAX)
		return;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->seen[i], value.text) == 0)
			return;
	s->seen[s->count++] = value.text;
	completion_offer(s->c, value.text, "", NULL);
}

static void offer_sites(struct completion *c)
{
	struct conf *conf = read_files(c);
	struct sites sites = {.c = c};

	conf_each_value(conf, offer_site, &sites);
	conf_free(conf);
}

static void offer_schemes(struct completion *c)
{
	completion_offer(c, "amqps://", "", "with TLS");
	completion_offer(c, "amqp://", "", "for loopback");
}

void completion_offer_targets(struct completion *c)
{
	struct conf *conf = read_files(c);
	const struct conf_entry *entries;
	size_t count;

	entries = conf_entries(conf, &count);
	for (size_t i = 0; i < count; i++) {
		const char *label = conf_label(&entries[i]);

		completion_offer(c, entries[i].host, "", label);
		if (label)
			completion_offer(c, label, "", entries[i].host);
	}
	conf_free(conf);
	c->kind = c->files.count ? "words" : "hosts";
}

/* ---- what the tables name */

/* Of a list, the word at the cursor; those before it stay. */
static void begin_behind(struct completion *c, char separator)
{
	const char *last = strrchr(c->typed, separator);

	if (last)
		c->typed = last + 1;
}

/* What stands behind the name of such an object where it is a value of the key; NULL: it cannot be one. */
static const char *object_suffix(enum setting_key key, enum mib_kind kind)
{
	switch (key) {
	case SET_GET:
		if (kind == MIB_SCALAR)
			return ".0";
		return kind == MIB_COLUMN ? "." : NULL;
	case SET_WALK:
		return kind == MIB_SCALAR ? NULL : "";
	case SET_TABLE:
		return kind == MIB_TABLE || kind == MIB_COLUMN ? "" : NULL;
	case SET_INDEX_LABEL:
		return kind == MIB_COLUMN ? "" : NULL;
	default:
		return NULL;
	}
}

static void offer_objects(struct completion *c, enum setting_key key)
{
	enum mib_kind kind = MIB_UNKNOWN;
	const char *suffix;
	const char *name;

	for (size_t i = 0; (name = mib_name_at(i, &kind)); i++) {
		suffix = object_suffix(key, kind);
		if (suffix)
			completion_offer(c, name, suffix, NULL);
	}
}

static void offer_setting(struct completion *c, enum setting_key key)
{
	const char *word;

	if (setting_is_list(key))
		begin_behind(c, ',');
	for (unsigned i = 0; (word = setting_word(key, i)); i++)
		completion_offer(c, word, "", NULL);
	switch (key) {
	case SET_GROUP:
		offer_names(c, conf_group_at);
		break;
	case SET_CREDENTIAL:
		offer_names(c, conf_credential_at);
		break;
	case SET_SITE:
		offer_sites(c);
		break;
	case SET_IDENTITY:
	case SET_IDENTITY_KEY:
	case SET_PEER_IDENTITY:
	case SET_PEER_CA:
		c->kind = "files";
		break;
	default:
		offer_objects(c, key);
		break;
	}
}

static void offer_variables(struct completion *c)
{
	for (char **at = environ; *at; at++) {
		char *name = mem_strndup(*at, strcspn(*at, "="));

		completion_offer(c, name, "", NULL);
		free(name);
	}
}

static void offer_keys(struct completion *c)
{
	for (unsigned key = 0; key < SETTING_COUNT; key++) {
		if (!setting_allowed(key, LEVEL_COMMAND))
			continue;
		completion_offer(c, setting_text(key), "=", NULL);
		if (!setting_is_secret(key))
			continue;
		completion_offer(c, setting_text(key), "_file=", "read from a file");
		completion_offer(c, setting_text(key),
				 "_env=", "from a variable of the environment");
	}
}

static void offer_key_value(struct completion *c)
{
	const char *equals = strchr(c->typed, '=');
	char *written = equals ? mem_strndup(c->typed, (size_t)(equals - c->typed)) : NULL;
	enum setting_source source;
	enum setting_key key;

	if (!equals) {
		offer_keys(c);
	} else if (setting_find(written, &key, &source)) {
		c->typed = equals + 1;
		if (source == SOURCE_LITERAL)
			offer_setting(c, key);
		else if (source == SOURCE_ENV)
			offer_variables(c);
		else
			c->kind = "files";
	}
	free(written);
}

/* ---- what an option takes */

static void offer_formats(struct completion *c)
{
	const struct format *format;

	for (unsigned i = 0; (format = format_at(i)); i++)
		completion_offer(c, format->name, "", NULL);
}

static void offer_fields(struct completion *c)
{
	begin_behind(c, ',');
	for (unsigned f = 0; f < FIELD_COUNT; f++)
		if (c->format->fields >> f & 1)
			completion_offer(c, field_name((enum field)f), "", NULL);
}

static void offer_sort_keys(struct completion *c)
{
	const char *key;

	for (size_t i = 0; (key = options_sort_key(i)); i++)
		completion_offer(c, key, "", NULL);
}

static void offer_statuses(struct completion *c)
{
	begin_behind(c, ',');
	for (unsigned s = 0; s < RECORD_STATUS_COUNT; s++)
		completion_offer(c, record_status_name((enum record_status)s), "", NULL);
}

static void offer_files(struct completion *c)
{
	c->kind = "files";
}

static void offer_folders(struct completion *c)
{
	begin_behind(c, ':');
	c->typed += *c->typed == '+';
	c->kind = "folders";
}

struct kind {
	const char *word; /* the option's name, or its argument as --help shows it */
	void (*offer)(struct completion *c);
};

static const struct kind kinds[] = {
	{"fields", offer_fields},       {"sort", offer_sort_keys},
	{"status", offer_statuses},     {"FILE", offer_files},
	{"DIRS", offer_folders},        {"TARGET", completion_offer_targets},
	{"KEY=VALUE", offer_key_value}, {"format", offer_formats},
	{"site", offer_sites},          {"broker", offer_schemes},
};

void completion_offer_value(struct completion *c)
{
	enum setting_source source;
	enum setting_key key;

	if (c->row->key && setting_find(c->row->key, &key, &source)) {
		offer_setting(c, key);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].word, c->row->arg) == 0 ||
		    (c->row->name && strcmp(kinds[i].word, c->row->name) == 0)) {
			kinds[i].offer(c);
			return;
		}
}

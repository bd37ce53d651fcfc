/*
 * `broker:` of a file: where the message broker is, how to be let in, and how long to wait for what it carries.
 *
 *   broker:
 *     url: amqps://poller@mq1.example.com,mq2.example.com/snmp      or a list of such
 *     user: NAME, password: WORD (password_file, password_env)      certificate, key, ca: FILE
 *     name: AGENT      attempts: 3      patience: 30s
 *
 * It is no setting of targets: there is one broker for all files. So its keys have a table of their own, as
 * strict as that of the settings; what is wrong is told at its place, and the rest is read all the same.
 *
 * The trap: a URL may hold a password, and everything that is wrong with it comes from broker_parse(), which shows no
 * word of it.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/denied.h"
#include "link/broker.h"
#include "plan/conf_keys.h"
#include "plan/who.h"

#define WORD_MAX     255  /* octets of a user's name or a password: AMQP's short string */
#define FILE_MAX     4095 /* of a file */
#define ATTEMPTS_MAX 20

const struct conf_broker *conf_broker(const struct conf *c)
{
	return &c->broker;
}

struct broker_key {
	const char *name;
	void (*take)(struct conf *c, const struct broker_key *key, char *word,
		     struct conf_place place);
	size_t at; /* in struct conf_broker */
	enum setting_source source;
};

static void keep(struct conf *c, const struct broker_key *key, const char *text)
{
	*(const char **)(void *)((char *)&c->broker + key->at) = text;
}

/* False: told. */
static bool is_long(struct conf *c, const struct broker_key *key, const char *word, size_t most,
		    struct conf_place place)
{
	size_t len = strlen(word);

	if (len >= 1 && len <= most)
		return true;
	conf_error(c, place, "%s%s: 1 to %zu octets", key->name, setting_suffix(key->source), most);
	return false;
}

static void take_user(struct conf *c, const struct broker_key *key, char *word,
		      struct conf_place place)
{
	if (is_long(c, key, word, WORD_MAX, place))
		keep(c, key, arena_text(&c->arena, word, strlen(word)));
}

static void take_password(struct conf *c, const struct broker_key *key, char *word,
			  struct conf_place place)
{
	struct conf_word w = {SETTING_COUNT, key->source, word, place, "password"};
	const char *text = conf_secret(c, &w);

	if (text && is_long(c, key, text, WORD_MAX, place))
		keep(c, key, text);
}

static void take_path(struct conf *c, const struct broker_key *key, char *word,
		      struct conf_place place)
{
	char why[DENIED_MAX];
	const char *path;

	if (!is_long(c, key, word, FILE_MAX, place))
		return;
	path = conf_secret_path(c, place.file, word);
	if (access(path, R_OK) == 0)
		keep(c, key, path);
	else if (!c->leave_secrets)
		conf_error(c, place, "%s: '%.200s': %s", key->name, path, denied_words(path, why));
}

static void take_name(struct conf *c, const struct broker_key *key, char *word,
		      struct conf_place place)
{
	if (broker_name_ok(word))
		keep(c, key, arena_text(&c->arena, word, strlen(word)));
	else
		conf_error(
			c, place,
			"name: '%.70s' is no name: 1 to %d letters, digits, '.', '_' and '-', no "
			"'.' or '-' first",
			word, BROKER_NAME_MAX);
}

static void take_attempts(struct conf *c, const struct broker_key *key, char *word,
			  struct conf_place place)
{
	unsigned n = 0;

	(void)key;
	for (const char *at = word; *at >= '0' && *at <= '9' && n <= ATTEMPTS_MAX; at++)
		n = n * 10 + (unsigned)(*at - '0');
	if (n >= 1 && n <= ATTEMPTS_MAX && word[0] != '0' &&
	    strspn(word, "0123456789") == strlen(word))
		c->broker.attempts = n;
	else
		conf_error(c, place, "attempts: '%.40s' is not a whole number from 1 to %d", word,
			   ATTEMPTS_MAX);
}

static void take_patience(struct conf *c, const struct broker_key *key, char *word,
			  struct conf_place place)
{
	int64_t us;

	(void)key;
	if (settings_duration(word, &us) && us > 0)
		c->broker.patience_us = us;
	else
		conf_error(c, place,
			   "patience: '%.40s' is not a duration: write it as 30s, 2m or 1h", word);
}

#define AT(member) offsetof(struct conf_broker, member)

static const struct broker_key keys[] = {
	{"url", NULL, AT(url), SOURCE_LITERAL}, /* or a list of them */
	{"user", take_user, AT(user), SOURCE_LITERAL},
	{"password", take_password, AT(password), SOURCE_LITERAL},
	{"password_file", take_password, AT(password), SOURCE_FILE},
	{"password_env", take_password, AT(password), SOURCE_ENV},
	{"certificate", take_path, AT(certificate), SOURCE_LITERAL},
	{"key", take_path, AT(key), SOURCE_LITERAL},
	{"ca", take_path, AT(ca), SOURCE_LITERAL},
	{"name", take_name, AT(name), SOURCE_LITERAL},
	{"attempts", take_attempts, 0, SOURCE_LITERAL},
	{"patience", take_patience, 0, SOURCE_LITERAL},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void refuse_key(struct doc *d, const struct doc_key *key)
{
	struct nearest near = {.written = key->text};
	char hint[NEAREST_HINT_MAX];

	for (size_t i = 0; i < KEYS; i++)
		nearest_try(&near, keys[i].name);
	conf_error(d->conf, key->place, "broker: unknown key '%s'%s", key->text,
		   nearest_hint(&near, hint));
	doc_skip(d);
}

/* The current word, when it says something; NULL: told. */
static char *take_word(struct doc *d, const char *name)
{
	char *word;

	if (!doc_expect(d, DOC_WORD, name, "takes one value, not a list or mapping"))
		return NULL;
	if (doc_is_empty(d)) {
		conf_error(d->conf, doc_place(d), "%s: no value", name);
		return NULL;
	}
	word = doc_word(d);
	return word;
}

static void add_url(struct doc *d, struct buf *urls)
{
	struct conf_place place = doc_place(d);
	char *word = take_word(d, "url");
	char error[BROKER_ERROR_MAX];
	struct broker parsed;

	if (!word)
		return;
	if (!broker_parse(word, &parsed, error)) {
		conf_error(d->conf, place, "url: %s", error);
		return;
	}
	d->holds_secret = d->holds_secret || parsed.password;
	broker_free(&parsed);
	if (urls->len)
		buf_putc(urls, ',');
	buf_puts(urls, word);
}

/* One, or a list of them, which must be nodes of one broker. */
static void read_urls(struct doc *d)
{
	struct conf_place place = doc_place(d);
	char error[BROKER_ERROR_MAX];
	struct buf urls = {0};
	struct broker parsed;

	if (doc_kind(d) == DOC_LIST)
		while (doc_item(d))
			add_url(d, &urls);
	else
		add_url(d, &urls);
	if (!urls.len)
		return;
	buf_putc(&urls, '\0');
	if (broker_parse((const char *)urls.data, &parsed, error))
		d->conf->broker.url = arena_text(&d->conf->secrets, (const char *)urls.data,
						 urls.len - 1);
	else
		conf_error(d->conf, place, "url: %s", error);
	broker_free(&parsed);
	mem_wipe(urls.data, urls.len);
	buf_free(&urls);
}

/* False: it stood there before, in this form or another one, and is told. */
static bool is_first(struct doc *d, const struct doc_key *key, const struct broker_key *which,
		     const uint32_t *lines)
{
	for (size_t i = 0; i < KEYS; i++) {
		bool same = &keys[i] == which ||
			    (which->take == take_password && keys[i].take == take_password);

		if (!same || !lines[i])
			continue;
		if (&keys[i] == which)
			conf_error(d->conf, key->place, "duplicate key '%s' (first on line %u)",
				   key->text, lines[i]);
		else
			conf_error(d->conf, key->place,
				   "'%s' beside '%s' on line %u: keep one of them", key->text,
				   keys[i].name, lines[i]);
		return false;
	}
	return true;
}

static void read_key(struct doc *d, const struct doc_key *key, uint32_t *lines)
{
	struct conf_place place = doc_place(d);
	const struct broker_key *which = NULL;
	char *word;

	for (size_t i = 0; i < KEYS && !which; i++)
		if (strcmp(keys[i].name, key->text) == 0)
			which = &keys[i];
	if (!which) {
		refuse_key(d, key);
		return;
	}
	if (!is_first(d, key, which, lines)) {
		doc_skip(d);
		return;
	}
	lines[which - keys] = key->place.line;
	if (!which->take) {
		read_urls(d);
		return;
	}
	d->holds_secret = d->holds_secret || strcmp(which->name, "password") == 0;
	word = take_word(d, which->name);
	if (word)
		which->take(d->conf, which, word, place);
}

void conf_read_broker(struct doc *d)
{
	struct conf_broker *b = &d->conf->broker;
	struct conf_place place = doc_place(d);
	uint32_t lines[KEYS] = {0};
	struct buf where = {0};
	struct doc_key key;

	if (b->set) {
		conf_place_text(d->conf, b->place, &where);
		conf_error(d->conf, place, "broker: stands at %.*s already", (int)where.len,
			   (const char *)where.data);
		buf_free(&where);
		doc_skip(d);
		return;
	}
	if (!doc_expect(d, DOC_MAPPING, "broker", "takes a mapping, such as {url: amqps://HOST}"))
		return;
	b->set = true;
	b->place = place;
	while (doc_key(d, &key))
		read_key(d, &key, lines);
}

/*
 * The table of keys, and how the text of a value is read.
 *
 * The problem: the same key comes from YAML, from --set and from an option of its own, and must mean, accept and
 * refuse the same in all three. So a key is one row: its name, what its text is made of, its bounds,
 * where it may stand. Adding a key is adding a row and its member of enum setting_key.
 *
 * Rejected: a struct with a field for each key and a parser for each field. It reads nicely, and needs
 * a switch of the same length for reading, another for merging and a third for showing.
 *
 * Text is what was written: YAML's typing never comes near it, so `1.10` stays an OID and `no` a
 * community. What is a number here is decimal, without sign and without leading zeros: 0777 is an
 * octal number to some and a typing error to us.
 *
 * The trap: an error must show what was written, and a secret must never be shown. The errors of
 * free text therefore speak of its length only.
 */
#include "plan/settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "link/broker.h"

#define SECOND INT64_C(1000000) /* us */
#define HOUR   (3600 * SECOND)

enum kind {
	KIND_TEXT,     /* min to max octets */
	KIND_LIST,     /* of texts of min to max octets */
	KIND_HEX,      /* min to max octets, two digits each */
	KIND_NUMBER,   /* min to max */
	KIND_DURATION, /* min to max, in us */
	KIND_CHOICE,   /* one of some words, kept as number */
	KIND_WORD,     /* one of some words, kept as text */
	KIND_NAME,     /* of a queue: see link/broker.h */
};

struct word { /* a list of them ends with a NULL */
	const char *written;
	const char *text; /* KIND_WORD: what is kept; NULL: as written */
	int64_t number;   /* KIND_CHOICE: what is kept */
};

struct row {
	const char *name;
	enum kind kind;
	unsigned levels;
	int64_t min;
	int64_t max;
	const struct word *words;
	bool secret; /* also as NAME_file and NAME_env */
};

/* The numbers on the wire (RFC 1157 §4, RFC 3584 §4.1, RFC 3412 §6.1) */
static const struct word versions[] = {{"1", NULL, 0}, {"2c", NULL, 1}, {"3", NULL, 3}, {0}};
static const struct word families[] = {{"4", NULL, 4}, {"6", NULL, 6}, {"any", NULL, 0}, {0}};
static const struct word booleans[] = {{"true", NULL, 1}, {"false", NULL, 0}, {0}};
static const struct word steps[] = {{.written = "stop"}, {.written = "allow"}, {0}};
static const struct word levels[] = {
	{.written = "noAuthNoPriv"}, {.written = "authNoPriv"}, {.written = "authPriv"}, {0}};
static const struct word auths[] = {{.written = "MD5"},     {.written = "SHA"},
				    {.written = "SHA-224"}, {.written = "SHA-256"},
				    {.written = "SHA-384"}, {.written = "SHA-512"},
				    {"SHA-1", "SHA", 0},    {0}};
static const struct word privs[] = {{.written = "DES"},       {.written = "AES"},
				    {.written = "AES-192"},   {.written = "AES-256"},
				    {.written = "AES-192-C"}, {.written = "AES-256-C"},
				    {"AES-128", "AES", 0},    {0}};

#define TARGETS (LEVEL_DEFAULTS | LEVEL_GROUP | LEVEL_HOST | LEVEL_COMMAND)
#define ALL     (TARGETS | LEVEL_CREDENTIAL)
#define NAMING  (LEVEL_DEFAULTS | LEVEL_HOST | LEVEL_COMMAND) /* a group cannot name a group */

#define BOUNDS(low, high) .min = (low), .max = (high)

static const struct row rows[SETTING_COUNT] = {
	[SET_PORT] = {"port", KIND_NUMBER, TARGETS, BOUNDS(1, 65535)},
	[SET_FAMILY] = {"family", KIND_CHOICE, TARGETS, .words = families},
	[SET_LABEL] = {"label", KIND_TEXT, LEVEL_HOST, BOUNDS(1, 512)},
	[SET_GROUP] = {"group", KIND_TEXT, NAMING, BOUNDS(1, 255)},
	[SET_CREDENTIAL] = {"credential", KIND_TEXT, TARGETS, BOUNDS(1, 255)},
	[SET_VERSION] = {"version", KIND_CHOICE, ALL, .words = versions},
	[SET_COMMUNITY] = {"community", KIND_TEXT, ALL, BOUNDS(0, 255), .secret = true},
	[SET_USER] = {"user", KIND_TEXT, ALL, BOUNDS(1, 32)}, /* RFC 3414 §5: usmUserName */
	[SET_AUTH] = {"auth", KIND_WORD, ALL, .words = auths},
	[SET_AUTH_PASS] = {"auth_pass", KIND_TEXT, ALL, BOUNDS(8, 1024),
			   .secret = true}, /* §11.2 */
	[SET_PRIV] = {"priv", KIND_WORD, ALL, .words = privs},
	[SET_PRIV_PASS] = {"priv_pass", KIND_TEXT, ALL, BOUNDS(8, 1024), .secret = true},
	[SET_LEVEL] = {"level", KIND_WORD, ALL, .words = levels},
	[SET_CONTEXT] = {"context", KIND_TEXT, ALL,
			 BOUNDS(0, 32)}, /* RFC 3415 §4: vacmContextName */
	[SET_ENGINE_ID] = {"engine_id", KIND_HEX, ALL,
			   BOUNDS(5, 32)}, /* RFC 3411 §5: SnmpEngineID */
	[SET_IDENTITY] = {"identity", KIND_TEXT, ALL, BOUNDS(1, 4095)},
	[SET_IDENTITY_KEY] = {"identity_key", KIND_TEXT, ALL, BOUNDS(1, 4095)},
	[SET_PEER_IDENTITY] = {"peer_identity", KIND_TEXT, ALL, BOUNDS(1, 4095)},
	[SET_PEER_CA] = {"peer_ca", KIND_TEXT, ALL, BOUNDS(1, 4095)},
	[SET_PEER_NAME] = {"peer_name", KIND_TEXT, ALL, BOUNDS(1, 253)},
	[SET_GET] = {"get", KIND_LIST, TARGETS, BOUNDS(1, 1500)},
	[SET_WALK] = {"walk", KIND_LIST, TARGETS, BOUNDS(1, 1500)},
	[SET_TABLE] = {"table", KIND_LIST, TARGETS, BOUNDS(1, 1500)},
	[SET_INDEX_LABEL] = {"index_label", KIND_TEXT, TARGETS, BOUNDS(1, 1500)},
	[SET_TIMEOUT] = {"timeout", KIND_DURATION, TARGETS, BOUNDS(SECOND / 1000, HOUR)},
	[SET_RETRIES] = {"retries", KIND_NUMBER, TARGETS, BOUNDS(0, 100)},
	[SET_DEADLINE] = {"deadline", KIND_DURATION, TARGETS, BOUNDS(0, SETTINGS_DURATION_MAX)},
	[SET_PER_HOST] = {"per_host", KIND_NUMBER, TARGETS, BOUNDS(1, 1000)},
	[SET_MAX_REPETITIONS] = {"max_repetitions", KIND_NUMBER, TARGETS, BOUNDS(1, 65535)},
	[SET_MAX_VARS] = {"max_vars", KIND_NUMBER, TARGETS, BOUNDS(1, 1000000000)},
	[SET_ANY_SOURCE] = {"any_source", KIND_CHOICE, TARGETS, .words = booleans},
	[SET_NONINCREASING] = {"nonincreasing", KIND_WORD, TARGETS, .words = steps},
	[SET_ADAPTIVE_TIMEOUT] = {"adaptive_timeout", KIND_CHOICE, TARGETS, .words = booleans},
	[SET_SILENT_AFTER] = {"silent_after", KIND_NUMBER, TARGETS, BOUNDS(0, 255)},
	[SET_SITE] = {"site", KIND_NAME, TARGETS, .words = NULL},
};

static const char *const suffixes[] = {
	[SOURCE_LITERAL] = "", [SOURCE_FILE] = "_file", [SOURCE_ENV] = "_env"};

bool setting_find(const char *written, enum setting_key *key, enum setting_source *source)
{
	for (unsigned k = 0; k < SETTING_COUNT; k++) {
		size_t len = strlen(rows[k].name);
		unsigned last = rows[k].secret ? SOURCE_ENV : SOURCE_LITERAL;

		if (strncmp(written, rows[k].name, len) != 0)
			continue;
		for (unsigned s = 0; s <= last; s++) {
			if (strcmp(written + len, suffixes[s]) != 0)
				continue;
			*key = (enum setting_key)k;
			*source = (enum setting_source)s;
			return true;
		}
	}
	return false;
}

const char *setting_text(enum setting_key key)
{
	return rows[key].name;
}

const char *setting_suffix(enum setting_source source)
{
	return suffixes[source];
}

bool setting_allowed(enum setting_key key, enum setting_level level)
{
	return (rows[key].levels & level) != 0;
}

bool setting_is_list(enum setting_key key)
{
	return rows[key].kind == KIND_LIST;
}

bool setting_is_secret(enum setting_key key)
{
	return rows[key].secret;
}

const char *setting_word(enum setting_key key, unsigned i)
{
	const struct word *w = rows[key].words;

	while (w && i > 0 && w->written) {
		w++;
		i--;
	}
	return w ? w->written : NULL;
}

/* Decimal digits without leading zeros, below 10^10. */
static bool read_number(const char *text, int64_t *out)
{
	int64_t v = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 10; i++)
		v = v * 10 + (text[i] - '0');
	*out = v;
	return i && !text[i] && (text[0] != '0' || i == 1);
}

static bool parse_number(const struct row *row, const char *text, union setting_value *out,
			 char error[SETTING_ERROR_MAX])
{
	if (read_number(text, &out->number) && out->number >= row->min && out->number <= row->max)
		return true;
	snprintf(error, SETTING_ERROR_MAX, "'%.40s' is not a whole number from %lld to %lld", text,
		 (long long)row->min, (long long)row->max);
	return false;
}

static bool parse_duration(const struct row *row, const char *text, union setting_value *out,
			   char error[SETTING_ERROR_MAX])
{
	if (!settings_duration(text, &out->number))
		snprintf(error, SETTING_ERROR_MAX,
			 "'%.40s' is not a duration: write it as 500ms, 1s, 1.5s, 2m or 1h", text);
	else if (out->number < row->min || out->number > row->max)
		snprintf(error, SETTING_ERROR_MAX, "'%.40s' is out of bounds: %s to %lldh", text,
			 row->min ? "1ms" : "0", (long long)(row->max / HOUR));
	else
		return true;
	return false;
}

static bool parse_word(const struct row *row, const char *text, union setting_value *out,
		       char error[SETTING_ERROR_MAX])
{
	struct nearest near = {.written = text};
	char hint[NEAREST_HINT_MAX];
	int at;

	for (const struct word *w = row->words; w->written; w++) {
		if (strcasecmp(w->written, text) != 0) {
			nearest_try(&near, w->written);
			continue;
		}
		if (row->kind == KIND_CHOICE)
			out->number = w->number;
		else
			out->text = w->text ? w->text : w->written;
		return true;
	}
	at = snprintf(error, SETTING_ERROR_MAX, "'%.40s' is none of ", text);
	for (const struct word *w = row->words; w->written && at < SETTING_ERROR_MAX; w++)
		at += snprintf(error + at, (size_t)(SETTING_ERROR_MAX - at), "%s%s",
			       w == row->words ? "" : ", ", w->written);
	if (at < SETTING_ERROR_MAX)
		snprintf(error + at, (size_t)(SETTING_ERROR_MAX - at), "%s",
			 nearest_hint(&near, hint));
	return false;
}

static bool parse_text(const struct row *row, const char *text, union setting_value *out,
		       char error[SETTING_ERROR_MAX])
{
	int64_t len = (int64_t)strlen(text);

	out->text = text;
	if (len < row->min)
		snprintf(error, SETTING_ERROR_MAX, row->min > 1 ? "at least %lld octets" : "empty",
			 (long long)row->min);
	else if (len > row->max)
		snprintf(error, SETTING_ERROR_MAX, "longer than %lld octets", (long long)row->max);
	else
		return true;
	return false;
}

/* Keeps lower-case digits without 0x. */
static bool parse_hex(const struct row *row, char *text, union setting_value *out,
		      char error[SETTING_ERROR_MAX])
{
	char *digits = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? text + 2 : text;
	int64_t len = 0;

	for (; digits[len]; len++) {
		if (digits[len] >= 'A' && digits[len] <= 'F')
			digits[len] = (char)(digits[len] + ('a' - 'A'));
		if (!strchr("0123456789abcdef", digits[len]))
			break;
	}
	out->text = digits;
	if (!digits[len] && len % 2 == 0 && len >= 2 * row->min && len <= 2 * row->max)
		return true;
	snprintf(error, SETTING_ERROR_MAX, "'%.70s' is not %lld to %lld octets in hexadecimal",
		 text, (long long)row->min, (long long)row->max);
	return false;
}

static bool parse_name(const char *text, union setting_value *out, char error[SETTING_ERROR_MAX])
{
	out->text = text;
	if (broker_name_ok(text))
		return true;
	snprintf(error, SETTING_ERROR_MAX,
		 "'%.70s' is no name: 1 to %d letters, digits, '.', '_' and '-', no '.' or '-' "
		 "first",
		 text, BROKER_NAME_MAX);
	return false;
}

bool setting_parse(enum setting_key key, char *text, union setting_value *out,
		   char error[SETTING_ERROR_MAX])
{
	const struct row *row = &rows[key];

	switch (row->kind) {
	case KIND_TEXT:
	case KIND_LIST:
		return parse_text(row, text, out, error);
	case KIND_HEX:
		return parse_hex(row, text, out, error);
	case KIND_NUMBER:
		return parse_number(row, text, out, error);
	case KIND_DURATION:
		return parse_duration(row, text, out, error);
	case KIND_CHOICE:
	case KIND_WORD:
		return parse_word(row, text, out, error);
	case KIND_NAME:
		return parse_name(text, out, error);
	}
	return false;
}

bool setting_is_number(enum setting_key key)
{
	return rows[key].kind == KIND_NUMBER || rows[key].kind == KIND_DURATION ||
	       rows[key].kind == KIND_CHOICE;
}

bool setting_holds(enum setting_key key, int64_t number)
{
	const struct word *word = rows[key].words;

	if (rows[key].kind != KIND_CHOICE)
		return number >= rows[key].min && number <= rows[key].max;
	while (word->written && word->number != number)
		word++;
	return word->written != NULL;
}

void setting_put(struct buf *out, enum setting_key key, union setting_value value)
{
	const struct word *word = rows[key].kind == KIND_CHOICE ? rows[key].words : NULL;

	while (word && word->written && word->number != value.number)
		word++;
	if (word && word->written)
		buf_puts(out, word->written);
	else if (rows[key].kind == KIND_DURATION && value.number % SECOND)
		buf_printf(out, "%gms", (double)value.number / 1e3);
	else if (rows[key].kind == KIND_DURATION)
		buf_printf(out, "%llds", (long long)(value.number / SECOND));
	else if (setting_is_number(key))
		buf_put_i64(out, value.number);
	else
		buf_puts(out, value.text ? value.text : "");
}

void settings_builtin(struct settings *s)
{
	*s = (struct settings){0};
	s->value[SET_PORT].number = 161;
	s->value[SET_VERSION].number = 1; /* 2c */
	s->value[SET_COMMUNITY].text = "public";
	s->value[SET_TIMEOUT].number = SECOND;
	s->value[SET_RETRIES].number = 2;
	s->value[SET_PER_HOST].number = 1;
	s->value[SET_MAX_VARS].number = 1000000;
	s->value[SET_NONINCREASING].text = "stop";
	s->value[SET_ADAPTIVE_TIMEOUT].number = 1;
	s->value[SET_SILENT_AFTER].number = 3;
	s->value[SET_SITE].text = "default";
}

void settings_nearest(struct nearest *n, enum setting_level level)
{
	char name[NEAREST_MAX];

	for (unsigned key = 0; key < SETTING_COUNT; key++) {
		if (!(rows[key].levels & level))
			continue;
		for (unsigned source = 0; source < (rows[key].secret ? 3 : 1); source++) {
			snprintf(name, sizeof(name), "%s%s", rows[key].name, suffixes[source]);
			nearest_try(n, name);
		}
	}
}

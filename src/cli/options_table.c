/*
 * The options: a row each, which drives getopt_long(3), --help and what is done.
 *
 * The problem: an option has half a dozen places where it could be forgotten. So adding one is adding a row here.
 *
 * Most options are settings of a target under a shorter name: `-t 2s` is `--set timeout=2s` and passes the same
 * checks as YAML does. Letters are Net-SNMP's and fping's.
 *
 * The trap: argv is public (ps). What may be a secret is known here by its row, or by the key of --set;
 * options.c overwrites it before any option is taken.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options_internal.h"

static bool take_key(struct parse *p, const struct option_row *row, char *value)
{
	conf_set(p->o->conf, &p->o->settings, row->key, value);
	return true;
}

static bool take_family(struct parse *p, const struct option_row *row, char *value)
{
	char family[] = {row->letter, '\0'};

	(void)value;
	conf_set(p->o->conf, &p->o->settings, row->key, family);
	return true;
}

/* Octets of value that may be a key: what follows may be a secret whose '=' was forgotten. */
static int key_len(const char *value)
{
	return (int)strspn(value, "abcdefghijklmnopqrstuvwxyz_");
}

static bool take_set(struct parse *p, const struct option_row *row, char *value)
{
	char *equals = strchr(value, '=');
	char *key;

	(void)row;
	if (!equals)
		return options_wrong(p, "--set '%.*s': write KEY=VALUE", key_len(value), value);
	key = mem_strndup(value, (size_t)(equals - value));
	conf_set(p->o->conf, &p->o->settings, key, equals + 1);
	free(key);
	return true;
}

/* Of --set's KEY=VALUE, the value; NULL: is none. */
static char *secret_value(char *written)
{
	char *equals = strchr(written, '=');
	char *key = equals ? mem_strndup(written, (size_t)(equals - written)) : NULL;
	enum setting_source source;
	enum setting_key which;
	bool secret = key && setting_find(key, &which, &source) && source == SOURCE_LITERAL &&
		      setting_is_secret(which);

	free(key);
	return secret ? equals + 1 : NULL;
}

char *options_secret(const struct option_row *row, char *value)
{
	if (row->take == take_set)
		return secret_value(value);
	if (row->take == options_take_broker)
		return options_url_secret(value);
	return row->secret ? value : NULL;
}

static bool take_file(struct parse *p, const struct option_row *row, char *value)
{
	(void)row;
	words_add(&p->files, value);
	return true;
}

static bool take_targets(struct parse *p, const struct option_row *row, char *value)
{
	(void)row;
	words_add(&p->target_files, value);
	return true;
}

static bool take_exclude(struct parse *p, const struct option_row *row, char *value)
{
	struct words excludes = {p->o->excludes, p->o->plan.nexcludes};

	(void)row;
	words_add(&excludes, value);
	p->o->excludes = excludes.list;
	p->o->plan.nexcludes = excludes.count;
	return true;
}

static bool take_check(struct parse *p, const struct option_row *row, char *value)
{
	(void)row, (void)value;
	return p->check = true;
}

static bool take_explain(struct parse *p, const struct option_row *row, char *value)
{
	(void)row, (void)value;
	return p->explain = true;
}

static bool take_flag(struct parse *p, const struct option_row *row, char *value)
{
	(void)value;
	*(bool *)((char *)p->o + row->flag) = true;
	return true;
}

static bool take_progress(struct parse *p, const struct option_row *row, char *value)
{
	(void)value;
	p->o->no_progress = row->name[0] == 'n';
	p->o->progress = !p->o->no_progress;
	return true;
}

static bool take_string(struct parse *p, const struct option_row *row, char *value)
{
	*(const char **)(void *)((char *)p->o + row->flag) = value;
	return true;
}

static bool take_help(struct parse *p, const struct option_row *row, char *value)
{
	(void)value;
	if (row->letter)
		options_help(p->out);
	else
		options_version(p->out);
	return p->ended = true;
}

#define FLAG(member) offsetof(struct options, member)

/* One row an option. */
/* clang-format off */
const struct option_row options_table[] = {
	{.help = "What to poll"},
	{'f', "file", "FILE", take_file,
	 .help = "YAML file of targets and settings; - is standard input",
	 .where = WHERE_AGENT | WHERE_DRAIN},
	{0, "targets", "FILE", take_targets, .help = "one target a line; - is standard input"},
	{0, "exclude", "TARGET", take_exclude, .help = "leave this out (blocks and ranges too)"},
	{'g', "get", "OID", take_key,
	 .help = "read this object (sysDescr.0); repeatable", .key = "get"},
	{'w', "walk", "OID", take_key, .help = "read all below this; repeatable", .key = "walk"},
	{0, "table", "OID", take_key,
	 .help = "read this table or column, joined into rows; repeatable", .key = "table"},
	{'m', NULL, "MODULES", take_string,
	 .help = "MIB modules (or ALL); folders of MIB files (or +DIRS)", .flag = FLAG(mib_modules),
	 .where = WHERE_AGENT},
	{'M', NULL, "DIRS", take_string, .help = "", .flag = FLAG(mib_dirs), .where = WHERE_AGENT},
	{0, "set", "KEY=VALUE", take_set, .help = "any key of multisnmp.yaml(5), for all targets"},

	{.help = "How to ask"},
	{'v', NULL, "1|2c|3", take_key, .help = "SNMP version (2c)", .key = "version"},
	{'c', NULL, "COMMUNITY", take_key,
	 .help = "community (public)", .key = "community", .secret = true},
	{'u', NULL, "USER", take_key,
	 .help = "SNMPv3: who asks; noAuthNoPriv, authNoPriv or authPriv", .key = "user"},
	{'l', NULL, "LEVEL", take_key, .help = "", .key = "level"},
	{'a', NULL, "AUTH", take_key,
	 .help = "MD5, SHA, SHA-224, -256, -384, -512; its passphrase", .key = "auth"},
	{'A', NULL, "PASS", take_key, .help = "", .key = "auth_pass", .secret = true},
	{'x', NULL, "PRIV", take_key,
	 .help = "DES, AES, AES-192, -256, -192-C, -256-C; its passphrase", .key = "priv"},
	{'X', NULL, "PASS", take_key, .help = "", .key = "priv_pass", .secret = true},
	{'n', NULL, "CONTEXT", take_key, .help = "context name", .key = "context"},
	{'e', NULL, "ENGINE-ID", take_key,
	 .help = "of the agent, in hexadecimal (discovered)", .key = "engine_id"},
	{'t', "timeout", "DUR", take_key,
	 .help = "wait for the first try: 500ms, 1s; doubles (1s)", .key = "timeout"},
	{'r', "retries", "N", take_key,
	 .help = "tries after the first (2)", .key = "retries"},
	{'p', "port", "N", take_key,
	 .help = "port of targets that name none (161)", .key = "port"},
	{'4', NULL, NULL, take_family,
	 .help = "only the IPv4, only the IPv6 addresses of names", .key = "family"},
	{'6', NULL, NULL, take_family, .help = "", .key = "family"},
	{0, "source", "ADDR", options_take_source,
	 .help = "address to send from; one of each family", .where = WHERE_AGENT | WHERE_POLLS},

	{.help = "The run"},
	{'j', "workers", "N", options_take_number,
	 .help = "processes (as many as processors)", .flag = FLAG(workers),
	 .where = WHERE_AGENT | WHERE_POLLS},
	{0, "window", "N", options_take_number,
	 .help = "requests in flight per worker (4096)", .flag = FLAG(window),
	 .where = WHERE_AGENT | WHERE_POLLS},
	{0, "rate", "PPS", options_take_rate,
	 .help = "packets per second of all; the run ends by then", .where = WHERE_AGENT},
	{0, "deadline", "DUR", options_take_deadline, .help = ""},
	{'i', "interval", "DUR", options_take_interval,
	 .help = "keep polling, a round each; all at once"},
	{0, "no-spread", NULL, take_flag, .help = "", .flag = FLAG(no_spread)},
	{0, "stats-file", "FILE", take_string,
	 .help = "metrics of its own, for Prometheus", .flag = FLAG(stats_file),
	 .where = WHERE_AGENT},
	{0, "check", NULL, take_check,
	 .help = "check all, show what would be polled, send nothing", .where = WHERE_AGENT},
	{0, "explain", NULL, take_explain,
	 .help = "why a target does not answer; each datagram in words"},
	{0, "debug", NULL, take_flag, .help = "", .flag = FLAG(debug),
	 .where = WHERE_AGENT | WHERE_POLLS},
	{0, "broker", "URL", options_take_broker,
	 .help = "share the work over RabbitMQ; ask what others plan",
	 .where = WHERE_AGENT | WHERE_DRAIN},
	{0, "agent", NULL, take_flag, .help = "", .flag = FLAG(agent), .where = WHERE_AGENT},
	{0, "site", "NAME", options_take_name,
	 .help = "where the agent is; what it is called", .flag = FLAG(site), .where = WHERE_AGENT},
	{0, "name", "NAME", options_take_name, .help = "", .flag = FLAG(name), .where = WHERE_AGENT},
	{0, "resume", NULL, take_flag,
	 .help = "take up a run that died; end an agent in order", .flag = FLAG(resume)},
	{0, "drain", "AGENT", options_take_name, .help = "", .flag = FLAG(drain),
	 .where = WHERE_DRAIN},

	{.help = "What comes out"},
	{'o', "output", "FILE", options_take_output,
	 .help = "write there, whole or not at all; add to it"},
	{0, "append", NULL, take_flag, .help = "", .flag = FLAG(append)},
	{'F', "format", "NAME", options_take_format, .help = "text, jsonl, csv, prometheus, influx (text)"},
	{0, "fields", "LIST", take_string,
	 .help = "only these, in this order: host,status,value", .flag = FLAG(fields)},
	{0, "status", "LIST", options_take_status,
	 .help = "only records of these: ok,partial,timeout, ..."},
	{0, "only-failed", NULL, take_flag,
	 .help = "only records that are not ok", .flag = FLAG(only_failed)},
	{0, "sort", "KEY", options_take_sort, .help = "by host, address, status or rtt_ms; lines end with NUL"},
	{0, "null", NULL, take_flag, .help = "",
	 .flag = FLAG(format_options.null)},
	{0, "min-ok", "N|N%", options_take_min_ok,
	 .help = "exit status 0 if so many answered (all)"},
	{'s', "summary", NULL, take_flag,
	 .help = "totals and percentiles on standard error", .flag = FLAG(summary),
	 .where = WHERE_AGENT},
	{'q', "quiet", NULL, take_flag,
	 .help = "nothing but errors on standard error", .flag = FLAG(quiet),
	 .where = WHERE_AGENT | WHERE_DRAIN},
	{0, "progress", NULL, take_progress,
	 .help = "show how far it is, terminal or not; never"},
	{0, "no-progress", NULL, take_progress, .help = ""},
	{0, "complete", NULL, options_take_complete, .help = "for completions", .hidden = true},
	{'h', "help", NULL, take_help, .help = "this; the version, and what it was built with"},
	{0, "version", NULL, take_help, .help = ""},
	{0},
};
/* clang-format on */

/*
 * Words about a broker: who this process is, beside a machine that does all alone, and what goes with that.
 *
 * The problem: one program is three. With a broker it plans, and others ask; with --agent it asks what others plan; with
 * --drain it says one word to an agent. Each of them would read most options, and pass over what it has no use for:
 * somebody who writes `--agent -o file` would wait for a file that nobody writes. So the table of options says which
 * is for whom, and all else is an error that names who it is for.
 *
 * That there is a broker may stand in a file only, so it is known when all are read; what needs no file is told before.
 *
 * The trap: the URL may hold a password. It is overwritten in argv with the other secrets, from the first octet that
 * may be one to the end, and stands in no message.
 */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "cli/options_internal.h"
#include "plan/who.h"

#define ATTEMPTS_DEFAULT 3

char *options_url_secret(char *url)
{
	char *start = strstr(url, "://");
	char *colon = strchr(start ? start + 3 : url, ':');

	return colon && strchr(colon, '@') && colon[1] != '@' ? colon + 1 : NULL;
}

bool options_take_broker(struct parse *p, const struct option_row *row, char *value)
{
	(void)row;
	p->url = value;
	return true;
}

bool options_take_name(struct parse *p, const struct option_row *row, char *value)
{
	if (!broker_name_ok(value))
		return options_wrong(p,
				     "--%s: '%s' is no name: 1 to %d letters, digits, '.', '_' and "
				     "'-', no '.' or '-' first",
				     row->name, value, BROKER_NAME_MAX);
	*(const char **)(void *)((char *)p->o + row->flag) = value;
	return true;
}

/* ---- who */

/* The first option given that is not for them; NULL: all are. */
static const struct option_row *stranger(const struct parse *p, unsigned where)
{
	for (size_t i = 0; i < p->ntaken; i++)
		if (!(p->taken[i].row->where & where))
			return p->taken[i].row;
	return NULL;
}

static bool wrong_for(struct parse *p, const char *format, const struct option_row *row)
{
	struct buf name = {0};

	options_name(row, &name);
	buf_putc(&name, '\0');
	options_wrong(p, format, (const char *)name.data);
	buf_free(&name);
	return false;
}

static bool check_agent(struct parse *p, bool targets)
{
	const struct option_row *row = stranger(p, WHERE_AGENT);

	if (targets)
		return options_wrong(p,
				     "--agent takes no target: what to ask comes over the broker");
	if (row)
		return wrong_for(p, "--agent: %s is for the machine that plans and writes", row);
	return true;
}

static bool check_drain(struct parse *p, bool targets)
{
	const struct option_row *row = stranger(p, WHERE_DRAIN);

	if (targets)
		return options_wrong(p, "--drain tells an agent to end, and asks no target");
	if (row)
		return wrong_for(p, "--drain tells an agent to end: %s does not go with it", row);
	return true;
}

static bool check_resume(struct parse *p)
{
	struct options *o = p->o;

	if (!o->output)
		return options_wrong(
			p, "--resume takes up the file of a run that died: name it with -o");
	if (strchr(o->output, '%'))
		return options_wrong(p, "--resume: '%s' would be another file by now", o->output);
	if (o->append)
		return options_wrong(p, "--resume and --append: ask for one of the two");
	if (o->interval_us > 0)
		return options_wrong(p, "--resume takes up one run, --interval has many");
	if (o->layout.sorted || o->order != LAYOUT_AS_THEY_COME)
		return options_wrong(p,
				     "--resume: what is sorted is written at the end, so nothing "
				     "of it is there to be taken up");
	return true;
}

bool options_role(struct parse *p, bool targets)
{
	struct options *o = p->o;

	if (o->agent && o->drain)
		return options_wrong(p, "--agent and --drain: ask for one of the two");
	if (o->agent)
		return check_agent(p, targets);
	if (o->site)
		return options_wrong(p,
				     "--site is for --agent; targets have 'site:' in a file, or "
				     "--set site=%s",
				     o->site);
	if (o->name)
		return options_wrong(p, "--name is for --agent");
	if (o->drain)
		return check_drain(p, targets);
	return !o->resume || check_resume(p);
}

/* ---- the broker */

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

/* What the files say beside the URL. What the URL says itself, wins. */
static void take_words(struct options *o, const struct conf_broker *words)
{
	struct broker *b = &o->own_broker;

	if (!b->user && words->user)
		b->user = mem_strdup(words->user);
	if (b->user && !b->password)
		b->password = copy(words->password);
	b->certificate = copy(words->certificate);
	b->key = copy(words->key);
	b->ca = copy(words->ca);
	o->broker_attempts = words->attempts ? words->attempts : ATTEMPTS_DEFAULT;
	o->broker_patience_us = words->patience_us;
}

static bool is_here(const char *host)
{
	return !strcmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "::1");
}

/* What does not go together. */
static void check_words(struct options *o, const struct conf_broker *words)
{
	const struct broker *b = &o->own_broker;

	if (!b->tls && (b->certificate || b->key || b->ca))
		conf_error(o->conf, words->place, "broker: %s: only amqps:// has certificates",
			   b->certificate ? "certificate"
			   : b->key       ? "key"
					  : "ca");
	if (b->key && !b->certificate)
		conf_error(o->conf, words->place, "broker: key: needs 'certificate'");
	if (words->password && !b->user)
		conf_error(o->conf, words->place, "broker: password: needs 'user'");
	for (size_t i = 0; !b->tls && b->password && i < b->nnodes; i++)
		if (!is_here(b->node[i].host))
			conf_warning(
				o->conf,
				"broker: the password goes to '%.100s' where everybody on the way "
				"can read it: write amqps://",
				b->node[i].host);
}

/* False: told. */
static bool find_broker(struct parse *p)
{
	struct options *o = p->o;
	const struct conf_broker *words = conf_broker(o->conf);
	const char *url = p->url ? p->url : words->url;
	char error[BROKER_ERROR_MAX];

	if (!url && words->set && !conf_error_count(o->conf))
		conf_error(o->conf, words->place, "broker: without 'url' (nor is there --broker)");
	if (!url)
		return true;
	if (!broker_known())
		return options_wrong(
			p, "%s: this multisnmp was built without RabbitMQ (see --version)",
			p->url ? "--broker" : "'broker:' of a file");
	if (!broker_parse(url, &o->own_broker, error))
		return options_wrong(p, "--broker: %s", error);
	take_words(o, words);
	check_words(o, words);
	o->broker = &o->own_broker;
	return true;
}

/* ---- the agent */

/* The host's name, as far as it is one that a queue can have. */
static const char *host_name(struct options *o)
{
	char *name = o->own_name;

	if (gethostname(name, sizeof(o->own_name)) < 0)
		name[0] = '\0';
	name[sizeof(o->own_name) - 1] = '\0';
	name[strcspn(name, ".")] = '\0';
	for (char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && *at != '_')
			*at = '-';
	if (!broker_name_ok(name))
		memcpy(name, "agent", sizeof("agent"));
	return name;
}

static void name_agent(struct options *o)
{
	struct settings s;
	size_t entries;

	conf_settings(o->conf, NULL, &o->settings, &s);
	if (!o->site)
		o->site = s.value[SET_SITE].text;
	if (!o->name)
		o->name = conf_broker(o->conf)->name;
	if (!o->name)
		o->name = host_name(o);
	conf_entries(o->conf, &entries);
	if (entries)
		conf_warning(o->conf, "an agent asks what comes over the broker: %zu %s not asked",
			     entries,
			     entries == 1 ? "entry of 'hosts:' is" : "entries of 'hosts:' are");
}

static bool check_master(struct parse *p)
{
	for (size_t i = 0; i < p->ntaken; i++)
		if (p->taken[i].row->where & WHERE_POLLS)
			return wrong_for(
				p, "with a broker agents ask, so %s belongs on their command line",
				p->taken[i].row);
	if (p->explain)
		return options_wrong(
			p, "--explain asks from this machine, and with a broker agents ask: "
			   "run it where one of them is, without a broker");
	return true;
}

bool options_broker(struct parse *p)
{
	struct options *o = p->o;
	const char *who = o->agent    ? "--agent"
			  : o->drain  ? "--drain"
			  : o->resume ? "--resume"
				      : NULL;

	if (!find_broker(p))
		return false;
	if (!o->broker && who && !conf_error_count(o->conf))
		return options_wrong(
			p, "%s: no broker: name it with --broker, or under 'broker:' of a file",
			who);
	if (o->agent)
		name_agent(o);
	if (!o->broker || o->agent || o->drain)
		return true;
	o->plan.remote = true;
	return check_master(p);
}

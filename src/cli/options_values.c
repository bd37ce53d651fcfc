/*
 * Options whose values are of the run, not of a target.
 *
 * Bounds are there to catch what was typed by mistake, before a thousand processes are forked.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"
#include "cli/options_internal.h"

#define DESCRIPTORS_OTHER 16 /* of the master, beside one for each worker */
#define INTERVAL_MIN_US   INT64_C(100000)
#define RATE_MAX          1e9 /* packets per second; more than any machine sends */

/* Digits with at most one dot, nothing else that strtod(3) takes; -1: is none. */
static double decimal(const char *text, size_t len)
{
	size_t digits = strspn(text, "0123456789");
	size_t all = digits;

	if (text[digits] == '.')
		all += 1 + strspn(text + digits + 1, "0123456789");
	return digits && all == len && text[all - 1] != '.' ? strtod(text, NULL) : -1;
}

/* How many workers the limit of descriptors allows (ulimit -n). */
static unsigned workers_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= OPTIONS_WORKERS_MAX + DESCRIPTORS_OTHER)
		return OPTIONS_WORKERS_MAX;
	return limit.rlim_cur > DESCRIPTORS_OTHER ? (unsigned)limit.rlim_cur - DESCRIPTORS_OTHER
						  : 1;
}

unsigned options_default_workers(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned limit = workers_limit();

	if (online < 1)
		return 1;
	return online < (long)limit ? (unsigned)online : limit;
}

bool options_take_number(struct parse *p, const struct option_row *row, char *value)
{
	bool workers = row->flag == offsetof(struct options, workers);
	unsigned most = workers ? OPTIONS_WORKERS_MAX : OPTIONS_WINDOW_MAX;
	double n = strchr(value, '.') ? -1 : decimal(value, strlen(value));

	if (n < 1 || n > most)
		return options_wrong(p, "--%s: '%s' is not a whole number from 1 to %u", row->name,
				     value, most);
	if (workers && n > workers_limit())
		return options_wrong(p,
				     "--workers: %s need more descriptors than 'ulimit -n' allows: "
				     "at most %u",
				     value, workers_limit());
	*(unsigned *)(void *)((char *)p->o + row->flag) = (unsigned)n;
	return true;
}

bool options_take_rate(struct parse *p, const struct option_row *row, char *value)
{
	double rate = decimal(value, strlen(value));

	(void)row;
	if (rate <= 0 || rate > RATE_MAX)
		return options_wrong(p, "--rate: '%s' is not a number of packets per second",
				     value);
	p->o->rate_pps = rate;
	return true;
}

bool options_take_deadline(struct parse *p, const struct option_row *row, char *value)
{
	(void)row;
	if (settings_duration(value, &p->o->deadline_us) && p->o->deadline_us > 0)
		return true;
	return options_wrong(p, "--deadline: '%s' is not a duration: write it as 500ms, 30s or 2m",
			     value);
}

bool options_take_interval(struct parse *p, const struct option_row *row, char *value)
{
	int64_t us;

	(void)row;
	if (!settings_duration(value, &us) || us <= 0)
		return options_wrong(
			p, "--interval: '%s' is not a duration: write it as 500ms, 30s or 2m",
			value);
	if (us < INTERVAL_MIN_US)
		return options_wrong(p, "--interval: '%s' is shorter than 100ms", value);
	p->o->interval_us = us;
	return true;
}

/* The folder that a file's name leads to, free(3); NULL: it leads nowhere. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	char *real = realpath(folder, NULL);

	free(folder);
	return real;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether both names lead to one file, or would. */
static bool is_same(const char *a, const char *b)
{
	char *folder_a = folder_of(a), *folder_b = folder_of(b);
	bool same = folder_a && folder_b && strcmp(folder_a, folder_b) == 0 &&
		    strcmp(name_of(a), name_of(b)) == 0;
	struct stat st_a, st_b;

	free(folder_a);
	free(folder_b);
	if (stat(a, &st_a) < 0 || stat(b, &st_b) < 0)
		return same;
	return st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

bool options_stats_file(struct parse *p)
{
	const char *path = p->o->stats_file;

	if (path == NULL)
		return true;
	if (strcmp(path, "-") == 0 || *path == '\0')
		return options_wrong(p, "--stats-file: '%s' is no file", path);
	if (p->o->output != NULL && is_same(path, p->o->output))
		return options_wrong(p, "--stats-file: '%s' is the file of -o", path);
	return true;
}

/* A name may hold the time: conversions of strftime(3), two octets each, that give digits, and %%. */
bool options_take_output(struct parse *p, const struct option_row *row, char *value)
{
	(void)row;
	for (const char *at = value; (at = strchr(at, '%')) != NULL; at += 2)
		if (at[1] == '\0' || strchr("YmdHMSjFTGVuyC%", at[1]) == NULL)
			return options_wrong(
				p,
				"--output: '%s': behind a %% stands one of Y m d H M S j F T, as "
				"for date(1), or another %%",
				value);
	p->o->output = value;
	return true;
}

bool options_take_min_ok(struct parse *p, const struct option_row *row, char *value)
{
	size_t len = strlen(value);
	bool percent = len && value[len - 1] == '%';
	double n = decimal(value, percent ? len - 1 : len);

	(void)row;
	if (n < 0 || (percent ? n > 100 : strchr(value, '.') != NULL || n > 1e15))
		return options_wrong(p,
				     "--min-ok: '%s' is neither a number of targets nor a share "
				     "such as 95%%",
				     value);
	p->o->min_ok = n;
	p->o->min_ok_kind = percent ? MIN_OK_PERCENT : MIN_OK_COUNT;
	return true;
}

bool options_enough(const struct options *o, uint64_t ok, uint64_t targets)
{
	switch (o->min_ok_kind) {
	case MIN_OK_COUNT:
		return (double)ok >= o->min_ok;
	case MIN_OK_PERCENT:
		return (double)ok * 100 >= o->min_ok * (double)targets;
	case MIN_OK_ALL:
		break;
	}
	return ok == targets;
}

bool options_take_source(struct parse *p, const struct option_row *row, char *value)
{
	struct addr a = {0};

	(void)row;
	if (!addr_parse(value, strlen(value), &a))
		return options_wrong(p, "--source: '%s' is not an address", value);
	*(a.family == 4 ? &p->o->source4 : &p->o->source6) = a;
	return true;
}

bool options_take_format(struct parse *p, const struct option_row *row, char *value)
{
	struct nearest near = {.written = value};
	char hint[NEAREST_HINT_MAX];
	const struct format *format;

	(void)row;
	p->o->format = format_find(value);
	if (p->o->format)
		return true;
	for (unsigned i = 0; (format = format_at(i)); i++)
		nearest_try(&near, format->name);
	return options_wrong(p, "--format: there is no '%s'%s", value, nearest_hint(&near, hint));
}

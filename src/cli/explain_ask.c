/*
 * One question of --explain: an ordinary poll of the same host with something changed.
 *
 * No second SNMP: settings become a profile as ever, the plan hands out the one target, workers and resolver are
 * those of every run. What is private is where the record goes: a file without a name.
 *
 * Polite: a probe asks for one object, sends two datagrams at most, and waits PROBE_WAIT_US for the first. The
 * whole has a deadline, and what is asked as configured has one of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "cli/explain_internal.h"

#define PROBE_WAIT_US  1000000
#define PROBE_WAIT_MAX 4000000
#define WHOLE_LIMIT_US 30000000 /* of what is asked as configured, unless that says less */
#define FINDING_MAX    8192     /* octets */
#define SMALL          "sysDescr.0"
#define EXIT_NO_FILE   4

void settings_change(struct settings *s, const struct change *c)
{
	if (c->unset)
		s->set &= ~SETTING_BIT(c->key);
	else
		s->set |= SETTING_BIT(c->key);
	s->place[c->key] = CONF_COMMAND_LINE;
	if (setting_is_number(c->key))
		s->value[c->key].number = c->number;
	else
		s->value[c->key].text = c->text;
}

void explain_keep(struct explain *x, struct conf_list *list)
{
	x->lists = mem_resize(x->lists, x->nlists + 1, sizeof(struct conf_list *));
	x->lists[x->nlists++] = list;
}

/* A list is known by its address (plan_objects.c), so each is kept to the end. */
static const struct conf_list *list_of(struct explain *x, const char *word, unsigned copies)
{
	struct conf_list *list = mem_alloc(sizeof(*list) + copies * sizeof(list->item[0]));

	list->count = copies;
	for (unsigned i = 0; i < copies; i++)
		list->item[i] = (struct conf_item){word, CONF_COMMAND_LINE};
	explain_keep(x, list);
	return list;
}

static void ask_for(struct explain *x, const struct question *q, struct settings *s)
{
	if (q->whole)
		return;
	s->value[SET_GET].list = s->value[SET_WALK].list = s->value[SET_TABLE].list = NULL;
	if (q->list)
		s->value[SET_GET].list = q->list;
	else if (q->walk)
		s->value[SET_WALK].list = list_of(x, q->walk, 1);
	else
		s->value[SET_GET].list = list_of(x, q->get ? q->get : SMALL,
						 q->copies ? q->copies : 1);
	if (q->walk)
		s->value[SET_MAX_VARS].number = 1;
}

/* A device that is known to be slow is waited for, once. */
static void set_waits(struct settings *s)
{
	int64_t wait_us = s->value[SET_TIMEOUT].number;

	wait_us = wait_us < PROBE_WAIT_US ? PROBE_WAIT_US : wait_us;
	s->value[SET_TIMEOUT].number = wait_us < PROBE_WAIT_MAX ? wait_us : PROBE_WAIT_MAX;
	s->value[SET_RETRIES].number = wait_us == PROBE_WAIT_US;
	s->value[SET_DEADLINE].number = 0;
}

static struct settings settings_of(struct explain *x, const struct question *q)
{
	struct settings s = x->now;

	if (!q->configured)
		set_waits(&s);
	ask_for(x, q, &s);
	for (size_t i = 0; i < q->nchanges; i++)
		settings_change(&s, &q->changes[i]);
	return s;
}

static struct plan_target target_of(const struct explain *x, const struct question *q)
{
	struct plan_target t = x->target;

	if (q->other_transport)
		t.transport = q->transport;
	for (size_t i = 0; i < q->nchanges; i++) {
		if (q->changes[i].key == SET_FAMILY)
			t.family = (uint8_t)q->changes[i].number;
	}
	if (q->port) {
		t.port = q->port;
		t.addr.port = t.addr.family ? q->port : 0;
	}
	return t;
}

static bool read_finding(int fd, struct finding *out)
{
	uint8_t octets[FINDING_MAX];
	size_t len = 0;
	ssize_t n;

	do {
		n = pread(fd, octets + len, sizeof(octets) - len, (off_t)len);
		if (n > 0)
			len += (size_t)n;
	} while ((n < 0 && errno == EINTR) || (n > 0 && len < sizeof(octets)));
	return finding_unpack(out, octets, len);
}

static bool give_up(struct explain *x, int status)
{
	x->status = status;
	return false;
}

static bool run(struct explain *x, int64_t limit_us, struct finding *out)
{
	FILE *file = tmpfile();
	struct explain_ask ask = {.format = &finding_format, .deadline_us = limit_us};
	int status;

	if (!file) {
		log_error("--explain: no temporary file (TMPDIR): %s", strerror(errno));
		return give_up(x, EXIT_NO_FILE);
	}
	ask.fd = fileno(file);
	status = x->config->ask(x->config->arg, &ask);
	if (status <= EXPLAIN_NOT && !read_finding(ask.fd, out)) {
		log_error("--explain: a worker wrote what is no finding");
		status = EXIT_NO_FILE;
	}
	fclose(file);
	return status <= EXPLAIN_NOT || give_up(x, status);
}

bool explain_ask(struct explain *x, const struct question *q, struct finding *out)
{
	struct settings s = settings_of(x, q);
	struct plan_target t = target_of(x, q);
	int64_t began_us, left_us = x->until_us - loop_clock_us();
	bool good;

	*out = (struct finding){.status = RECORD_CANCELLED, .rtt_us = -1};
	if (left_us <= 0) {
		snprintf(out->message, sizeof(out->message), "no time is left");
		return true;
	}
	t.profile = plan_probe(x->config->plan, &s);
	plan_aim(x->config->plan, &t);
	began_us = loop_clock_us();
	good = run(x, left_us < WHOLE_LIMIT_US ? left_us : WHOLE_LIMIT_US, out);
	x->took_us = loop_clock_us() - began_us;
	return good;
}

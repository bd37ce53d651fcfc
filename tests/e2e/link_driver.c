/*
 * The table of calls of link/link.h, by hand: commands come line by line on standard input, what happens goes line by line to
 * standard error, which is what a sandbox leaves. For test_amqp.py, which has a broker.
 *
 * usage: link_driver master|agent NAME SITE URL [ca=FILE] [certificate=FILE] [key=FILE] [prefetch=N] [ttl=SECONDS]
 *                    [limit=N] [sandbox=USER]
 *
 *   open SIDE              "open SIDE STATE why"
 *   put ID TO KEY OCTETS   OCTETS: text, or @N for so many; "put ID put|later|gone"
 *   flood ID TO KEY N COUNT  as often as it is put, from ID on: "flood NEXT-ID": it said later or gone then
 *   ack|requeue|bury TAG   "ack 0|1"
 *   site NAME              "site NAME KNOWN READY CONSUMERS why"
 *   reopen, leave          "reopen 0|1"
 *   memory                 "memory OCTETS"
 *   close FORGET           "closed", and the end
 *
 * Events: confirmed ID; nacked ID; returned ID; blocked; unblocked; taken TAG FROM DELIVERIES LENGTH TEXT; waiting WHY; ready;
 * gone SIDE FINAL WHY.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/user.h"
#include "link/courier.h"
#include "link/link.h"
#include "pool/proc.h"
#include "pool/sandbox.h"

#define LINE_MAX_OCTETS 4096

struct driver {
	struct courier_config config;
	struct broker broker;
	struct sandbox sandbox;
	bool fenced;
	void *link;
	bool done;
	int in; /* standard input, as a number that the sandbox reads from */
	char line[LINE_MAX_OCTETS];
	size_t len;
};

static const char *const sides[] = {"none", "puts", "takes"};
static const char *const states[] = {"open", "waits", "failed", "final"};
static const char *const puts_said[] = {"put", "later", "gone"};
static const char *const froms[] = {"tasks", "results", "control", "dead"};

static const struct link_calls *const calls = &link_amqp;

static bool find(const char *const *names, size_t n, const char *name, unsigned *out)
{
	for (size_t i = 0; i < n; i++)
		if (name && strcmp(names[i], name) == 0) {
			*out = (unsigned)i;
			return true;
		}
	fprintf(stderr, "link_driver: what is '%s'?\n", name ? name : "");
	exit(2);
}

static void option(struct driver *d, const char *word)
{
	const char *value = strchr(word, '=');

	if (!value++) {
		fprintf(stderr, "link_driver: what is '%s'?\n", word);
		exit(2);
	}
	if (strncmp(word, "ca=", 3) == 0)
		d->broker.ca = mem_strdup(value);
	else if (strncmp(word, "certificate=", 12) == 0)
		d->broker.certificate = mem_strdup(value);
	else if (strncmp(word, "key=", 4) == 0)
		d->broker.key = mem_strdup(value);
	else if (strncmp(word, "prefetch=", 9) == 0)
		d->config.prefetch = (unsigned)atoi(value);
	else if (strncmp(word, "ttl=", 4) == 0)
		d->config.ttl_us = atoi(value) * INT64_C(1000000);
	else if (strncmp(word, "limit=", 6) == 0)
		d->config.queue_limit = (uint32_t)atoi(value);
	else if (strncmp(word, "sandbox=", 8) == 0)
		d->fenced = true;
}

/* ---- commands */

static void do_open(struct driver *d, const char *side)
{
	char why[LINK_WHY_MAX] = "";
	unsigned which;
	enum link_state state;

	find(sides, 3, side, &which);
	state = calls->open(d->link, (enum link_side)which, why);
	fprintf(stderr, "open %s %s %s\n", sides[which], states[state],
		state == LINK_OPEN ? "" : why);
}

static enum link_put put_one(struct driver *d, uint64_t id, unsigned to, const char *key,
			     size_t len)
{
	char name[40], *body = mem_alloc(len + 1);
	struct link_message m = {
		.id = id, .to = (uint8_t)to, .key = key, .name = name, .body = body, .len = len};
	enum link_put said;

	for (size_t i = 0; i < len; i++)
		body[i] = (char)('a' + i % 23);
	snprintf(name, sizeof(name), "1:%llu", (unsigned long long)id);
	said = calls->put(d->link, &m);
	free(body);
	return said;
}

static void do_put(struct driver *d, char **at, bool flood)
{
	char *id = strsep(at, " "), *to = strsep(at, " "), *key = strsep(at, " "),
	     *octets = strsep(at, " ");
	uint64_t number = strtoull(id, NULL, 10),
		 end = number + (flood ? strtoull(*at, NULL, 10) : 0);
	struct link_message m = {.id = number, .key = key, .body = octets, .len = strlen(octets)};
	unsigned which;

	find(froms, 3, to, &which);
	m.to = (uint8_t)which;
	if (flood) {
		while (number < end &&
		       put_one(d, number, which, key, strtoul(octets, NULL, 10)) == LINK_PUT)
			number++;
		fprintf(stderr, "flood %llu\n", (unsigned long long)number);
	} else if (octets[0] == '@') {
		fprintf(stderr, "put %s %s\n", id,
			puts_said[put_one(d, number, which, key, strtoul(octets + 1, NULL, 10))]);
	} else {
		fprintf(stderr, "put %s %s\n", id, puts_said[calls->put(d->link, &m)]);
	}
}

static void do_settle(struct driver *d, const char *word, const char *tag, enum link_verdict v)
{
	bool went = calls->settle(d->link, strtoull(tag, NULL, 10), v);

	fprintf(stderr, "%s %d\n", word, went && calls->flush(d->link));
}

static void do_site(struct driver *d, const char *site)
{
	struct link_site is;
	char why[LINK_WHY_MAX] = "";

	calls->site(d->link, site, &is, why);
	fprintf(stderr, "site %s %d %u %u %s\n", site, is.known, is.ready, is.consumers, why);
}

static void command(struct driver *d, char *line)
{
	char *word = strsep(&line, " ");

	if (strcmp(word, "open") == 0)
		do_open(d, line);
	else if (strcmp(word, "put") == 0 || strcmp(word, "flood") == 0)
		do_put(d, &line, word[0] == 'f');
	else if (strcmp(word, "ack") == 0)
		do_settle(d, word, line, LINK_ACK);
	else if (strcmp(word, "requeue") == 0)
		do_settle(d, word, line, LINK_REQUEUE);
	else if (strcmp(word, "bury") == 0)
		do_settle(d, word, line, LINK_BURY);
	else if (strcmp(word, "site") == 0)
		do_site(d, line);
	else if (strcmp(word, "reopen") == 0)
		fprintf(stderr, "reopen %d\n", calls->reopen(d->link));
	else if (strcmp(word, "leave") == 0)
		fprintf(stderr, "leave %d\n", calls->leave(d->link));
	else if (strcmp(word, "memory") == 0)
		fprintf(stderr, "memory %llu\n", (unsigned long long)proc_memory(getpid()));
	else if (strcmp(word, "close") == 0) {
		calls->close(d->link, atoi(line));
		fprintf(stderr, "closed\n");
		d->done = true;
	} else {
		fprintf(stderr, "link_driver: what is '%s'?\n", word);
		exit(2);
	}
}

/* ---- events */

/* The text of its body; of a long one, what stands for all of its octets. */
static void show_taken(const struct link_event *e)
{
	char text[101] = "";
	size_t len = 0;
	uint32_t sum = 0;

	for (size_t i = 0; i < e->npieces; i++)
		for (size_t j = 0; j < e->body[i].len; j++, len++) {
			char octet = ((const char *)e->body[i].at)[j];

			sum = sum * 31 + (uint8_t)octet;
			if (len < sizeof(text) - 1)
				text[len] = octet;
		}
	if (len >= sizeof(text))
		snprintf(text, sizeof(text), "#%08x", (unsigned)sum);
	fprintf(stderr, "taken %llu %s %u %zu %s\n", (unsigned long long)e->id, froms[e->from],
		(unsigned)e->deliveries, len == e->len ? len : 0, text);
}

static void show(const struct link_event *e)
{
	unsigned long long id = e->id;

	switch (e->kind) {
	case LINK_CONFIRMED:
		fprintf(stderr, "confirmed %llu\n", id);
		break;
	case LINK_NACKED:
		fprintf(stderr, "nacked %llu\n", id);
		break;
	case LINK_RETURNED:
		fprintf(stderr, "returned %llu\n", id);
		break;
	case LINK_BLOCKED:
		fprintf(stderr, "blocked\n");
		break;
	case LINK_UNBLOCKED:
		fprintf(stderr, "unblocked\n");
		break;
	case LINK_TAKEN:
		show_taken(e);
		break;
	case LINK_WAITING:
		fprintf(stderr, "waiting %s\n", e->why);
		break;
	case LINK_READY:
		fprintf(stderr, "ready\n");
		break;
	case LINK_GONE:
		fprintf(stderr, "gone %s %d %s\n", sides[e->side], e->final, e->why);
		break;
	}
}

static void hear(struct driver *d)
{
	struct link_event e;

	while (calls->next(d->link, &e))
		show(&e);
}

/* Whole lines of what came. False: the end. */
static bool take_lines(struct driver *d)
{
	ssize_t n = read(d->in, d->line + d->len, sizeof(d->line) - 1 - d->len);
	char *end;

	if (n <= 0)
		return false;
	d->len += (size_t)n;
	d->line[d->len] = '\0';
	while (!d->done && (end = memchr(d->line, '\n', d->len))) {
		size_t whole = (size_t)(end + 1 - d->line);

		*end = '\0';
		command(d, d->line);
		d->len -= whole;
		memmove(d->line, end + 1, d->len);
	}
	return true;
}

static int wait_ms(struct driver *d)
{
	int64_t left_us = calls->next_us(d->link) - loop_clock_us();

	if (calls->pending(d->link) || left_us <= 0)
		return 0;
	return left_us > 60000000 ? 60000 : (int)(left_us / 1000) + 1;
}

static void run(struct driver *d)
{
	while (!d->done) {
		struct pollfd fds[3] = {{.fd = d->in, .events = POLLIN},
					{.fd = calls->fd(d->link, LINK_PUTS), .events = POLLIN},
					{.fd = calls->fd(d->link, LINK_TAKES), .events = POLLIN}};

		poll(fds, 3, wait_ms(d));
		for (unsigned i = LINK_PUTS; i <= LINK_TAKES; i++)
			if (fds[i].revents)
				calls->heard(d->link, (enum link_side)i);
		if (fds[0].revents && !take_lines(d))
			return;
		hear(d);
	}
}

int main(int argc, char **argv)
{
	struct driver d = {.config = {.prefetch = 4, .expires_us = 60000000}};
	char error[BROKER_ERROR_MAX], why[LINK_WHY_MAX];

	if (argc < 5 || !broker_parse(argv[4], &d.broker, error)) {
		fprintf(stderr, "link_driver: %s\n",
			argc < 5 ? "master|agent NAME SITE URL" : error);
		return 2;
	}
	d.config.role = argv[1][0] == 'a' ? COURIER_AGENT : COURIER_MASTER;
	d.config.name = argv[2];
	d.config.site = argv[1][0] == 'a' ? argv[3] : NULL;
	d.config.broker = &d.broker;
	d.in = fcntl(STDIN_FILENO, F_DUPFD, 8);
	setvbuf(stderr, NULL, _IOLBF, 4096);
	for (int i = 5; i < argc; i++)
		option(&d, argv[i]);
	if (d.fenced && !sandbox_prepare(&d.sandbox))
		return 1;
	d.link = calls->start(&d.config, why);
	if (!d.link) {
		fprintf(stderr, "not started: %s\n", why);
		broker_free(&d.broker);
		return 1;
	}
	if (d.fenced && !sandbox_enter(&d.sandbox, SANDBOX_COURIER))
		return 1;
	run(&d);
	calls->free(d.link);
	broker_free(&d.broker);
	return 0;
}

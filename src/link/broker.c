/*
 * A broker's URL, as AMQP's own specification of URIs has it, read into parts.
 *
 * The problem: it is typed by hand, often with a password in it, and read by a library only when the run has begun.
 *
 * The design: all of it is checked here, before anything is connected, with words that say what to write instead. No word
 * of the URL stands in them: what looks like a host may be the rest of a password that has an '@' or a '/' in it.
 *
 * The choices: several hosts with commas between them, or whole URLs, are nodes of one cluster; those have one user, one
 * virtual host and one scheme, for it is one broker. "amqp://host/" is the virtual host "/", which people mean, though the
 * specification says "" there. Parameters ("?heartbeat=5") are refused: each client has others, and none may be lost in silence.
 */
#include "link/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define PORT_PLAIN 5672
#define PORT_TLS   5671
#define WORD_MAX   255 /* octets of a user, a virtual host: AMQP's short string */
#define HOST_MAX   253

struct part { /* of the URL, not NUL-terminated */
	const char *at;
	size_t len;
};

static bool wrong(char error[BROKER_ERROR_MAX], const char *words)
{
	snprintf(error, BROKER_ERROR_MAX, "%s", words);
	return false;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

static void forget(char *secret)
{
	if (secret)
		mem_wipe(secret, strlen(secret));
	free(secret);
}

/* One octet of p, quoted by a percent sign or not; 0: what stands there is none. */
static uint8_t octet(struct part p, size_t *i)
{
	int high, low;

	if (p.at[*i] != '%')
		return (uint8_t)p.at[(*i)++];
	if (*i + 2 >= p.len)
		return 0;
	high = digit(p.at[*i + 1]);
	low = digit(p.at[*i + 2]);
	*i += 3;
	return high < 0 || low < 0 ? 0 : (uint8_t)(high * 16 + low);
}

/* Without its quoting. False: error. */
static bool unquote(struct part p, char **out, char error[BROKER_ERROR_MAX])
{
	size_t len = 0, i = 0;

	*out = mem_zero(1, p.len + 1);
	while (i < p.len) {
		uint8_t c = octet(p, &i);

		if (c == 0)
			return wrong(error,
				     "after a '%' stand two hexadecimal digits, not 00 (a '%' "
				     "itself is written %25)");
		if (len == WORD_MAX)
			return wrong(error, "a part of it is longer than 255 octets");
		(*out)[len++] = (char)c;
	}
	return true;
}

/* Cuts p at the first of `c` (at the last one, if `last`): what is behind it; .at NULL: there is none. */
static struct part cut(struct part *p, char c, bool last)
{
	const char *at = memchr(p->at, c, p->len);
	struct part behind = {0};

	if (!at)
		return behind;
	for (const char *more = at; last && more; at = more ? more : at)
		more = memchr(at + 1, c, p->len - (size_t)(at + 1 - p->at));
	behind = (struct part){.at = at + 1, .len = p->len - (size_t)(at + 1 - p->at)};
	p->len = (size_t)(at - p->at);
	return behind;
}

static bool read_port(struct part p, uint16_t *out, char error[BROKER_ERROR_MAX])
{
	unsigned long port = 0;

	for (size_t i = 0; i < p.len && port <= UINT16_MAX; i++)
		port = p.at[i] >= '0' && p.at[i] <= '9' ? port * 10 + (unsigned long)(p.at[i] - '0')
							: UINT16_MAX + 1;
	if (p.len == 0 || port == 0 || port > UINT16_MAX)
		return wrong(
			error,
			"a port is a number from 1 to 65535 (in a password '@' is written %40, "
			"'/' %2F, ',' %2C, ':' %3A)");
	*out = (uint16_t)port;
	return true;
}

static bool host_ok(struct part p, bool brackets)
{
	static const char name[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

	for (size_t i = 0; i < p.len; i++)
		if (!p.at[i] || (!strchr(name, p.at[i]) && !(brackets && strchr(":%", p.at[i]))))
			return false;
	return p.len > 0 && p.len <= HOST_MAX && p.at[0] != '-';
}

/* host, host:port, [v6], [v6]:port */
static bool read_node(struct part p, struct broker *b, char error[BROKER_ERROR_MAX])
{
	struct broker_node *n = &b->node[b->nnodes];
	struct part port = {0}, host = p;
	bool brackets = p.len > 0 && p.at[0] == '[';

	if (brackets) {
		host = (struct part){.at = p.at + 1, .len = p.len - 1};
		port = cut(&host, ']', false);
		if (!port.at || (port.len > 0 && port.at[0] != ':'))
			return wrong(
				error,
				"an IPv6 address is written [2001:db8::1] or [2001:db8::1]:5671");
		port = port.len > 0 ? (struct part){port.at + 1, port.len - 1} : (struct part){0};
	} else {
		port = cut(&host, ':', false);
		if (port.at && memchr(port.at, ':', port.len))
			return wrong(error,
				     "an IPv6 address is written in brackets: [2001:db8::1] (in a "
				     "password '@' is written %40, ':' %3A)");
	}
	if (!host_ok(host, brackets))
		return wrong(error,
			     host.len == 0
				     ? "it names no host"
				     : "a host's name has letters, digits, '.' "
				       "and '-' only (in a password '@' is written %40, '/' %2F)");
	n->port = b->tls ? PORT_TLS : PORT_PLAIN;
	if (port.at && !read_port(port, &n->port, error))
		return false;
	n->host = mem_strndup(host.at, host.len);
	b->nnodes++;
	return true;
}

static bool read_nodes(struct part p, struct broker *b, char error[BROKER_ERROR_MAX])
{
	while (p.at) {
		struct part next = cut(&p, ',', false);

		if (b->nnodes == BROKER_NODES_MAX)
			return wrong(error, "more than 16 hosts");
		if (!read_node(p, b, error))
			return false;
		p = next;
	}
	return true;
}

static bool read_user(struct part p, struct broker *b, char error[BROKER_ERROR_MAX])
{
	struct part password = cut(&p, ':', false);

	if (p.len == 0)
		return wrong(error, "there is no user in front of the '@'");
	return unquote(p, &b->user, error) &&
	       (!password.at || unquote(password, &b->password, error));
}

static bool read_scheme(struct part *p, struct broker *b, char error[BROKER_ERROR_MAX])
{
	static const char *const schemes[] = {"amqp://", "amqps://"};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);

		if (p->len < len || strncasecmp(p->at, schemes[i], len) != 0)
			continue;
		b->tls = i == 1;
		*p = (struct part){.at = p->at + len, .len = p->len - len};
		return true;
	}
	return wrong(error, "a broker is written amqps://user@host/vhost, or amqp:// without TLS");
}

/* amqp://user:password@host:port/vhost, all but the host may be missing */
static bool read_url(struct part p, struct broker *b, char error[BROKER_ERROR_MAX])
{
	struct part vhost, nodes;

	if (!read_scheme(&p, b, error))
		return false;
	if (memchr(p.at, '?', p.len) || memchr(p.at, '#', p.len))
		return wrong(error,
			     "parameters behind '?' or '#' are not known here: what is needed "
			     "stands under "
			     "'broker:' in YAML ('?' in a password is written %3F, '#' %23)");
	vhost = cut(&p, '/', false);
	if (vhost.at && memchr(vhost.at, '/', vhost.len))
		return wrong(
			error,
			"a '/' in the name of a virtual host, or in a password, is written %2F");
	nodes = cut(&p, '@', true);
	if (nodes.at && !read_user(p, b, error))
		return false;
	if (!unquote(vhost.len > 0 ? vhost : (struct part){"/", 1}, &b->vhost, error))
		return false;
	return read_nodes(nodes.at ? nodes : p, b, error);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* More nodes of the same broker. */
static bool merge(struct broker *b, struct broker *more, char error[BROKER_ERROR_MAX])
{
	if (b->tls != more->tls || !same(b->vhost, more->vhost) || !same(b->user, more->user) ||
	    !same(b->password, more->password))
		return wrong(error,
			     "the nodes of one broker have the same scheme, user and virtual host");
	if (b->nnodes + more->nnodes > BROKER_NODES_MAX)
		return wrong(error, "more than 16 hosts");
	for (size_t i = 0; i < more->nnodes; i++) {
		b->node[b->nnodes++] = more->node[i];
		more->node[i].host = NULL;
	}
	return true;
}

/* Where the next whole URL of a list begins: behind a comma. NULL: it is the last. */
static const char *next_url(const char *url)
{
	const char *comma = strchr(url, ',');

	while (comma && strncasecmp(comma + 1, "amqp", 4) != 0)
		comma = strchr(comma + 1, ',');
	if (!comma || !strstr(comma, "://"))
		return NULL;
	return comma + 1;
}

bool broker_parse(const char *url, struct broker *out, char error[BROKER_ERROR_MAX])
{
	*out = (struct broker){0};
	while (url) {
		struct broker one = {0};
		const char *next = next_url(url);
		bool first = out->nnodes == 0;
		size_t len = next ? (size_t)(next - 1 - url) : strlen(url);
		bool good = read_url((struct part){url, len}, first ? out : &one, error) &&
			    (first || merge(out, &one, error));

		broker_free(&one);
		if (!good) {
			broker_free(out);
			return false;
		}
		url = next;
	}
	return true;
}

void broker_free(struct broker *b)
{
	for (size_t i = 0; i < b->nnodes; i++)
		free(b->node[i].host);
	forget(b->password);
	free(b->vhost);
	free(b->user);
	free(b->ca);
	free(b->certificate);
	free(b->key);
	*b = (struct broker){0};
}

/* Appends, as far as there is room. */
static void add(char *out, size_t len, const char *text)
{
	size_t used = strlen(out);

	snprintf(out + used, len - used, "%s", text);
}

/* Quoted, so that what is shown could be typed. */
static void add_quoted(char *out, size_t len, const char *text)
{
	for (; *text; text++) {
		char one[4] = {*text};

		if (strchr("%/@:,?#", *text) || (unsigned char)*text <= ' ' || *text == 0x7f)
			snprintf(one, sizeof(one), "%%%02X", (unsigned)(unsigned char)*text);
		add(out, len, one);
	}
}

void broker_text(const struct broker *b, char *out, size_t len)
{
	char port[8];

	if (len == 0)
		return;
	snprintf(out, len, "%s", b->tls ? "amqps://" : "amqp://");
	if (b->user) {
		add_quoted(out, len, b->user);
		add(out, len, "@");
	}
	for (size_t i = 0; i < b->nnodes; i++) {
		bool brackets = strchr(b->node[i].host, ':');

		snprintf(port, sizeof(port), ":%u", (unsigned)b->node[i].port);
		add(out, len, i > 0 ? "," : "");
		add(out, len, brackets ? "[" : "");
		add(out, len, b->node[i].host);
		add(out, len, brackets ? "]" : "");
		add(out, len, port);
	}
	add(out, len, "/");
	if (b->vhost && strcmp(b->vhost, "/") != 0)
		add_quoted(out, len, b->vhost);
}

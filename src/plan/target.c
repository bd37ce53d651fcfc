/*
 * One target as people write it.
 *
 * The problem: the same few characters may be a name, an address, a block, a range, each with or
 * without a port, and the colon that begins a port is also what IPv6 addresses are made of. The rule
 * is the usual one: brackets, or exactly one colon, or no port. What lies between is then told
 * apart by what it is made of: a '/' makes a block; digits, dots and a '-' with a dot before it make
 * a range; the rest is an address if it reads as one, and else a name.
 *
 * Rejected: to hand everything unclear to the resolver and see. inet_aton(3) and what calls it take 010.1.2.3 for
 * 8.1.2.3 and 10.1 for 10.0.0.1, so a typing error would poll somebody else's device. What is made
 * of numbers and dots only is an IPv4 address or an error, never a name.
 *
 * Blocks stop at 2^32 addresses. An IPv6 block is therefore a /96 or smaller: all its addresses share
 * the upper 64 bits, and both here and in target_set.c arithmetic on the lower ones is enough.
 *
 * The trap: IPv4 addresses can be written in IPv6 (::ffff:192.0.2.1). A socket of one family sends
 * them as the other, and an exclusion of 192.0.2.1 would not see them; they are refused.
 */
#include "plan/target_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/wire.h"

#define NAME_MAX_OCTETS \
	253 /* RFC 1035 §2.3.4: 255 on the wire, less the first length and the root */
#define LABEL_MAX_OCTETS 63
#define V6_PREFIX_MIN    96 /* 2^32 addresses */
#define SHOWN_MAX        64 /* octets of the input shown in an error */

struct slice {
	const char *p;
	size_t len;
};

/* The input's octets as the arguments of "%.*s". */
#define SHOW(s) (int)((s).len < SHOWN_MAX ? (s).len : SHOWN_MAX), (s).p

static bool fail(char error[TARGET_ERROR_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(char error[TARGET_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, TARGET_ERROR_MAX, format, args);
	va_end(args);
	return false;
}

/* Decimal without sign and leading zeros, at most max. */
static bool parse_number(struct slice s, uint32_t max, uint32_t *out)
{
	uint32_t v = 0;

	if (!s.len || s.len > 9 || (s.len > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	}
	*out = v;
	return v <= max;
}

static bool only(struct slice s, const char *allowed)
{
	for (size_t i = 0; i < s.len; i++)
		if (!s.p[i] || !strchr(allowed, s.p[i]))
			return false;
	return true;
}

static const char *find(struct slice s, char c)
{
	return s.len ? memchr(s.p, c, s.len) : NULL;
}

/* Splits s before the place `at`; what follows it is the rest. */
static struct slice cut(struct slice s, const char *at, struct slice *rest)
{
	struct slice front = {s.p, (size_t)(at - s.p)};

	rest->p = at + 1;
	rest->len = s.len - front.len - 1;
	return front;
}

static bool parse_port(struct slice s, uint16_t *port, char error[TARGET_ERROR_MAX])
{
	uint32_t v;

	if (!s.len)
		return fail(error, "no port after the ':'");
	if (!parse_number(s, 65535, &v) || !v)
		return fail(error, "bad port '%.*s': 1 to 65535", SHOW(s));
	*port = (uint16_t)v;
	return true;
}

uint64_t target_low(const struct addr *a)
{
	return a->family == 4 ? wire_load32(a->ip) : wire_load64(a->ip + 8);
}

uint64_t target_high(const struct addr *a)
{
	return a->family == 4 ? 0 : wire_load64(a->ip);
}

static void set_low(struct addr *a, uint64_t v)
{
	if (a->family == 4)
		wire_store32(a->ip, v);
	else
		wire_store64(a->ip + 8, v);
}

static bool refuse_mapped(const struct addr *a, char error[TARGET_ERROR_MAX])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a->family != 6 || memcmp(a->ip, mapped, sizeof(mapped)) != 0)
		return true;
	return fail(error, "an IPv4 address inside IPv6: write %u.%u.%u.%u", a->ip[12], a->ip[13],
		    a->ip[14], a->ip[15]);
}

/* Why addr_parse() did not take it. */
static bool explain_address(struct slice s, char error[TARGET_ERROR_MAX])
{
	const char *percent = find(s, '%');
	struct slice zone;
	struct slice front;
	struct addr a = {0};

	if (!find(s, ':'))
		return fail(error,
			    "'%.*s' is no IPv4 address: four numbers from 0 to 255 without "
			    "leading zeros",
			    SHOW(s));
	if (percent) {
		front = cut(s, percent, &zone);
		if (addr_parse(front.p, front.len, &a))
			return fail(error, "no network interface '%.*s' for the address's zone",
				    SHOW(zone));
	}
	return fail(error, "'%.*s' is no IPv6 address (with a port: [2001:db8::1]:161)", SHOW(s));
}

static bool parse_address(struct slice s, struct target *out, char error[TARGET_ERROR_MAX])
{
	out->kind = TARGET_ADDRESS;
	out->count = 1;
	if (!addr_parse(s.p, s.len, &out->first))
		return explain_address(s, error);
	return refuse_mapped(&out->first, error);
}

static bool parse_block(struct slice s, const char *slash, struct target *out,
			char error[TARGET_ERROR_MAX])
{
	struct slice prefix;
	struct slice front = cut(s, slash, &prefix);
	uint32_t bits;
	uint32_t length;

	if (!parse_address(front, out, error))
		return false;
	bits = out->first.family == 4 ? 32 : 128;
	if (!parse_number(prefix, bits, &length))
		return fail(error, "bad prefix length '/%.*s': /%d to /%u", SHOW(prefix),
			    bits == 32 ? 0 : V6_PREFIX_MIN, bits);
	if (bits == 128 && length < V6_PREFIX_MIN)
		return fail(error, "block larger than 2^32 addresses: at least /%d", V6_PREFIX_MIN);
	out->kind = TARGET_BLOCK;
	out->count = (uint64_t)1 << (bits - length);
	set_low(&out->first, target_low(&out->first) & ~(out->count - 1));
	return true;
}

/* 192.0.2.10-20: s has a '-' with a dot before it, and is else made of digits and dots. */
static bool parse_range(struct slice s, const char *dash, struct target *out,
			char error[TARGET_ERROR_MAX])
{
	struct slice last;
	struct slice front = cut(s, dash, &last);
	uint32_t to;
	uint32_t from;

	if (!parse_address(front, out, error))
		return false;
	if (!parse_number(last, 255, &to))
		return fail(error,
			    "bad range: after the '-' comes a last octet, 0 to 255, not '%.*s'",
			    SHOW(last));
	from = out->first.ip[3];
	if (to < from)
		return fail(error, "bad range: %u-%u runs backwards", from, to);
	out->kind = TARGET_BLOCK;
	out->count = (uint64_t)(to - from) + 1;
	return true;
}

static bool is_name_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* What inet_aton(3) might take for a part of an address: 10, 0x7f. */
static bool is_numeric_label(struct slice s)
{
	if (s.len > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X'))
		return only((struct slice){s.p + 2, s.len - 2}, "0123456789abcdefABCDEF");
	return only(s, "0123456789");
}

static bool check_label(struct slice s, char error[TARGET_ERROR_MAX])
{
	if (!s.len)
		return fail(error,
			    "empty part in a host name: two dots in a row, or a dot in front");
	if (s.len > LABEL_MAX_OCTETS)
		return fail(error, "part '%.*s...' of the host name is longer than %d octets", 16,
			    s.p, LABEL_MAX_OCTETS);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x80)
			return fail(error, "letters beyond ASCII: write the host name's xn-- form");
		if (c <= ' ' || c == 0x7f)
			return fail(error, "blank or control character in a host name");
		if (!is_name_octet(s.p[i]))
			return fail(error, "'%c' cannot stand in a host name", c);
	}
	return true;
}

static bool parse_name(struct slice s, struct target *out, char error[TARGET_ERROR_MAX])
{
	struct slice rest = s;
	bool numeric = true;

	out->kind = TARGET_NAME;
	out->count = 1;
	out->name = s.p;
	out->name_len = s.len;
	if (s.len - (s.len && s.p[s.len - 1] == '.') > NAME_MAX_OCTETS)
		return fail(error, "host name longer than %d octets", NAME_MAX_OCTETS);
	do { /* a dot at the end is the root's */
		const char *dot = find(rest, '.');
		struct slice label = dot ? cut(rest, dot, &rest) : rest;

		if (!check_label(label, error))
			return false;
		numeric = numeric && is_numeric_label(label);
		if (!dot)
			break;
	} while (rest.len);
	return numeric ? explain_address(s, error) : true;
}

/* What is left when the port is off. */
static bool parse_host(struct slice s, struct target *out, char error[TARGET_ERROR_MAX])
{
	const char *slash = find(s, '/');
	const char *dash = find(s, '-');
	const char *dot = find(s, '.');

	if (!s.len)
		return fail(error, "no host before the ':'");
	if (slash)
		return parse_block(s, slash, out, error);
	if (find(s, ':'))
		return parse_address(s, out, error);
	if (dash && dot && dot < dash && only(s, "0123456789.-"))
		return parse_range(s, dash, out, error);
	if (addr_parse(s.p, s.len, &out->first))
		return parse_address(s, out, error);
	return parse_name(s, out, error);
}

/* [v6], [v6]:port, [v6/n]:port: s begins with '['. */
static bool parse_bracketed(struct slice s, struct target *out, char error[TARGET_ERROR_MAX])
{
	const char *close = find(s, ']');
	struct slice rest;
	struct slice inside;

	if (!close)
		return fail(error, "no ']' for the '['");
	inside = cut(s, close, &rest);
	inside.p++;
	inside.len--;
	if (!find(inside, ':'))
		return fail(error, "brackets are for IPv6 addresses: [2001:db8::1]:161");
	if (rest.len && rest.p[0] == '/')
		return fail(error, "the prefix length stands inside the brackets: "
				   "[2001:db8::/120]:161");
	if (rest.len && rest.p[0] != ':')
		return fail(error, "after the ']' comes nothing or ':port', not '%.*s'",
			    SHOW(rest));
	if (rest.len && !parse_port((struct slice){rest.p + 1, rest.len - 1}, &out->port, error))
		return false;
	return parse_host(inside, out, error);
}

/* unix:/path; s is what follows the colon. */
static bool parse_path(struct slice s, struct target *out, char error[TARGET_ERROR_MAX])
{
	out->kind = TARGET_PATH;
	out->count = 1;
	out->name = s.p;
	out->name_len = s.len;
	if (!s.len || s.p[0] != '/')
		return fail(error, "the path of the socket begins with '/': unix:/run/agent");
	if (s.len > TASK_PATH_MAX)
		return fail(error, "the path of the socket is longer than %d octets",
			    TASK_PATH_MAX);
	if (memchr(s.p, '\0', s.len))
		return fail(error, "a NUL in the path of the socket");
	return true;
}

/* Is the address, or are the name's, of the family that the prefix asks for? */
static bool check_family(const struct target *t, char error[TARGET_ERROR_MAX])
{
	static const char *const names[TRANSPORT_COUNT] = {[TRANSPORT_UDP] = "udp",
							   [TRANSPORT_TCP] = "tcp",
							   [TRANSPORT_DTLSUDP] = "dtlsudp",
							   [TRANSPORT_TLSTCP] = "tlstcp"};

	if (!t->family || t->kind == TARGET_NAME || t->first.family == t->family)
		return true;
	return fail(error, "the prefix is for IPv6: write %s: before an IPv4 address",
		    names[t->transport]);
}

/* What is left when the prefix is off. */
static bool parse_place(struct slice s, struct target *out, char error[TARGET_ERROR_MAX])
{
	const char *colon = find(s, ':');
	struct slice port;

	if (s.p[0] == '[')
		return parse_bracketed(s, out, error);
	if (colon && !memchr(colon + 1, ':', s.len - (size_t)(colon - s.p) - 1)) {
		s = cut(s, colon, &port);
		return parse_port(port, &out->port, error) && parse_host(s, out, error);
	}
	return parse_host(s, out, error);
}

bool target_parse(const char *text, size_t len, struct target *out, char error[TARGET_ERROR_MAX])
{
	size_t prefix;

	*out = (struct target){0};
	if (!len)
		return fail(error, "empty: a target is a name, an address, a block or a range");
	prefix = target_prefix(text, len, out);
	text += prefix;
	len -= prefix;
	if (out->transport == TRANSPORT_UNIX)
		return parse_path((struct slice){text, len}, out, error);
	if (!parse_place((struct slice){text, len}, out, error))
		return false;
	out->first.port = out->port;
	return check_family(out, error);
}

void target_address(const struct target *t, uint64_t i, struct addr *out)
{
	*out = t->first;
	if (t->kind == TARGET_BLOCK)
		set_low(out, target_low(&t->first) + i);
}

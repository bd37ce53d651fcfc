/*
 * Numeric UDP addresses: read, written, compared, handed to the kernel.
 *
 * The problem: a task names its target by address, ten million of them may come from one CIDR line,
 * and each record shows one. A sockaddr_storage is 128 octets with padding that nobody may compare;
 * this struct is 24, is compared as it is, and its IPv4 text is made without a library call.
 *
 * IPv4 is read strictly, four decimal numbers without leading zeros: inet_aton(3) takes 010.0.0.1
 * for 8.0.0.1 and 10.1 for 10.0.0.1, and polls somebody else's device. A name that only looks like
 * an address is then a name, and the resolver will say that it does not exist.
 *
 * The trap: an IPv6 zone is a name to people and a number to the kernel, and turning one into the other
 * takes a socket, which a sandboxed worker does not get. So text falls back to the number, which
 * addr_parse() reads as well.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static bool parse_v4(const char *text, size_t len, uint8_t ip[4])
{
	size_t at = 0;

	for (int part = 0; part < 4; part++) {
		unsigned v = 0;
		size_t digits = 0;

		if (part && (at == len || text[at++] != '.'))
			return false;
		for (; at < len && text[at] >= '0' && text[at] <= '9'; at++) {
			v = v * 10 + (unsigned)(text[at] - '0');
			if (++digits > 3 || (digits > 1 && text[at - digits + 1] == '0'))
				return false;
		}
		if (!digits || v > 255)
			return false;
		ip[part] = (uint8_t)v;
	}
	return at == len;
}

/* An interface's number or name; 0 is not a zone. What stands behind a ':' is an alias to Linux, which
 * would take "eth0:161" for eth0, and never a port. */
static bool parse_zone(const char *text, size_t len, uint32_t *zone)
{
	char name[IF_NAMESIZE];
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9' && v <= UINT32_MAX; i++)
		v = v * 10 + (uint64_t)(text[i] - '0');
	if (i == len) {
		*zone = (uint32_t)v;
		return v > 0 && v <= UINT32_MAX;
	}
	if (len >= sizeof(name) || memchr(text, ':', len))
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	*zone = if_nametoindex(name);
	return *zone != 0;
}

/* Link-local, unicast or multicast (RFC 4007 §4): to all others the kernel gives no zone, neither at a
 * send nor in an answer's address. */
static bool has_zones(const struct addr *a)
{
	return (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80) ||
	       (a->ip[0] == 0xff && (a->ip[1] & 0x0f) <= 2);
}

static bool parse_v6(const char *text, size_t len, struct addr *out)
{
	char digits[INET6_ADDRSTRLEN];
	const char *percent = memchr(text, '%', len);
	size_t ndigits = percent ? (size_t)(percent - text) : len;
	struct addr a = {.family = 6, .port = out->port};

	if (ndigits >= sizeof(digits) || memchr(text, '\0', len))
		return false;
	memcpy(digits, text, ndigits);
	digits[ndigits] = '\0';
	if (inet_pton(AF_INET6, digits, a.ip) != 1)
		return false;
	if (percent && !parse_zone(percent + 1, len - ndigits - 1, &a.zone))
		return false;
	if (!has_zones(&a))
		a.zone = 0;
	*out = a;
	return true;
}

bool addr_parse(const char *text, size_t len, struct addr *out)
{
	struct addr a = {.family = 4, .port = out->port};

	if (!len)
		return false;
	if (memchr(text, ':', len))
		return parse_v6(text, len, out);
	if (!parse_v4(text, len, a.ip))
		return false;
	*out = a;
	return true;
}

static char *put_number(char *out, uint32_t v)
{
	char digits[10]; /* 2^32 - 1 has 10 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	memcpy(out, digits + at, sizeof(digits) - at);
	return out + sizeof(digits) - at;
}

static char *put_v4(char *out, const uint8_t ip[4])
{
	for (int part = 0; part < 4; part++) {
		if (part)
			*out++ = '.';
		out = put_number(out, ip[part]);
	}
	return out;
}

static char *put_v6(char *out, const struct addr *a)
{
	char name[IF_NAMESIZE];

	inet_ntop(AF_INET6, a->ip, out, INET6_ADDRSTRLEN);
	out += strlen(out);
	if (!a->zone)
		return out;
	*out++ = '%';
	if (!if_indextoname(a->zone, name))
		return put_number(out, a->zone);
	memcpy(out, name, strlen(name));
	return out + strlen(name);
}

static char *put_ip(char *out, const struct addr *a)
{
	switch (a->family) {
	case 4:
		return put_v4(out, a->ip);
	case 6:
		return put_v6(out, a);
	default:
		return out;
	}
}

size_t addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	char *end = put_ip(out, a);

	*end = '\0';
	return (size_t)(end - out);
}

size_t addr_text_port(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	char *end = out;

	if (a->family == 6)
		*end++ = '[';
	end = put_ip(end, a);
	if (a->family == 6)
		*end++ = ']';
	if (a->family) {
		*end++ = ':';
		end = put_number(end, a->port);
	}
	*end = '\0';
	return (size_t)(end - out);
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->zone == b->zone &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_same_host(a, b);
}

static socklen_t to_sockaddr_v4(const struct addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(a->port)};

	memcpy(&sin.sin_addr, a->ip, sizeof(sin.sin_addr));
	memcpy(out, &sin, sizeof(sin));
	return sizeof(sin);
}

static socklen_t to_sockaddr_v6(const struct addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(a->port),
		.sin6_scope_id = a->zone,
	};

	memcpy(&sin6.sin6_addr, a->ip, sizeof(sin6.sin6_addr));
	memcpy(out, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
	return a->family == 4 ? to_sockaddr_v4(a, out) : to_sockaddr_v6(a, out);
}

bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&sin, sa, sizeof(sin));
		*out = (struct addr){.family = 4, .port = ntohs(sin.sin_port)};
		memcpy(out->ip, &sin.sin_addr, sizeof(sin.sin_addr));
		return true;
	case AF_INET6:
		memcpy(&sin6, sa, sizeof(sin6));
		*out = (struct addr){
			.family = 6,
			.zone = sin6.sin6_scope_id,
			.port = ntohs(sin6.sin6_port),
		};
		memcpy(out->ip, &sin6.sin6_addr, sizeof(sin6.sin6_addr));
		return true;
	default:
		return false;
	}
}

/* Family, ip, zone, port; in one go, for each task and each record has one. Counterpart: addr_unpack. */
void addr_pack(const struct addr *a, struct wire_out *w)
{
	uint8_t *place = wire_out_take(w, ADDR_PACKED);

	if (!place)
		return;
	*place++ = a->family;
	memcpy(place, a->ip, sizeof(a->ip));
	place += sizeof(a->ip);
	wire_store32(place, a->zone);
	wire_store16(place + 4, a->port);
}

/* Counterpart: addr_pack. */
bool addr_unpack(struct addr *a, struct wire_in *r)
{
	const uint8_t *place = wire_in_take(r, ADDR_PACKED);

	*a = (struct addr){0};
	if (!place)
		return false;
	a->family = *place++;
	memcpy(a->ip, place, sizeof(a->ip));
	place += sizeof(a->ip);
	a->zone = (uint32_t)wire_load32(place);
	a->port = (uint16_t)wire_load16(place + 4);
	return a->family == 4 || a->family == 6;
}

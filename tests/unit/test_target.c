/* target: what people write, what they mistype, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/target.h"

static struct target parse(const char *text)
{
	char error[TARGET_ERROR_MAX] = "";
	struct target t;

	if (!target_parse(text, strlen(text), &t, error))
		fail_msg("'%s': %s", text, error);
	return t;
}

/* The text of the i-th address with its port. */
static const char *nth(const struct target *t, uint64_t i)
{
	static char text[ADDR_TEXT_MAX];
	struct addr a;

	target_address(t, i, &a);
	addr_text_port(&a, text);
	return text;
}

static void test_good(void **state)
{
	static const struct {
		const char *text;
		enum target_kind kind;
		uint64_t count;
		const char *first, *last; /* with port; of a name: the name, and its port */
	} rows[] = {
		{"192.0.2.1", TARGET_ADDRESS, 1, "192.0.2.1:0", "192.0.2.1:0"},
		{"192.0.2.1:1161", TARGET_ADDRESS, 1, "192.0.2.1:1161", "192.0.2.1:1161"},
		{"192.0.2.1:65535", TARGET_ADDRESS, 1, "192.0.2.1:65535", "192.0.2.1:65535"},
		{"2001:db8::1", TARGET_ADDRESS, 1, "[2001:db8::1]:0", "[2001:db8::1]:0"},
		{"[2001:db8::1]", TARGET_ADDRESS, 1, "[2001:db8::1]:0", "[2001:db8::1]:0"},
		{"[2001:db8::1]:162", TARGET_ADDRESS, 1, "[2001:db8::1]:162", "[2001:db8::1]:162"},
		{"::", TARGET_ADDRESS, 1, "[::]:0", "[::]:0"},
		{"192.0.2.77/28", TARGET_BLOCK, 16, "192.0.2.64:0", "192.0.2.79:0"},
		{"192.0.2.77/28:16", TARGET_BLOCK, 16, "192.0.2.64:16", "192.0.2.79:16"},
		{"192.0.2.1/32", TARGET_BLOCK, 1, "192.0.2.1:0", "192.0.2.1:0"},
		{"10.0.0.0/0", TARGET_BLOCK, UINT64_C(1) << 32, "0.0.0.0:0", "255.255.255.255:0"},
		{"10.1.2.3/8", TARGET_BLOCK, 1 << 24, "10.0.0.0:0", "10.255.255.255:0"},
		{"2001:db8::77/120", TARGET_BLOCK, 256, "[2001:db8::]:0", "[2001:db8::ff]:0"},
		{"[2001:db8::/126]:1", TARGET_BLOCK, 4, "[2001:db8::]:1", "[2001:db8::3]:1"},
		{"2001:db8::/96", TARGET_BLOCK, UINT64_C(1) << 32, "[2001:db8::]:0",
		 "[2001:db8::ffff:ffff]:0"},
		{"2001:db8::1/128", TARGET_BLOCK, 1, "[2001:db8::1]:0", "[2001:db8::1]:0"},
		{"192.0.2.10-20", TARGET_BLOCK, 11, "192.0.2.10:0", "192.0.2.20:0"},
		{"192.0.2.10-20:99", TARGET_BLOCK, 11, "192.0.2.10:99", "192.0.2.20:99"},
		{"192.0.2.0-255", TARGET_BLOCK, 256, "192.0.2.0:0", "192.0.2.255:0"},
		{"192.0.2.7-7", TARGET_BLOCK, 1, "192.0.2.7:0", "192.0.2.7:0"},
		{"fe80::1%1", TARGET_ADDRESS, 1, NULL, NULL},
		{"fe80::%1/126", TARGET_BLOCK, 4, NULL, NULL},
		{"[fe80::1%1]:161", TARGET_ADDRESS, 1, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target t = parse(rows[i].text);

		assert_int_equal(t.kind, rows[i].kind);
		assert_int_equal(t.count, rows[i].count);
		assert_null(t.name);
		if (!rows[i].first) {
			assert_int_equal(t.first.zone, 1);
			continue;
		}
		assert_string_equal(nth(&t, 0), rows[i].first);
		assert_string_equal(nth(&t, t.count - 1), rows[i].last);
		assert_int_equal(t.first.port, t.port);
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *text, *name;
		uint16_t port;
	} rows[] = {
		{"localhost", "localhost", 0},
		{"example.com:1161", "example.com", 1161},
		{"example.com.", "example.com.", 0},
		{"a", "a", 0},
		{"core-1_b.example", "core-1_b.example", 0},
		{"10-20", "10-20", 0},
		{"1.2.3.4.example", "1.2.3.4.example", 0},
		{"3com:161", "3com", 161},
		{"sw.1", "sw.1", 0},
		{"dead.beef", "dead.beef", 0},
		{"0x1g", "0x1g", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target t = parse(rows[i].text);

		assert_int_equal(t.kind, TARGET_NAME);
		assert_int_equal(t.count, 1);
		assert_int_equal(t.port, rows[i].port);
		assert_int_equal(t.name_len, strlen(rows[i].name));
		assert_memory_equal(t.name, rows[i].name, t.name_len);
	}
}

static void test_bad(void **state)
{
	static const char *const rows[][2] = {
		{"", "empty: a target is a name, an address, a block or a range"},
		{":161", "no host before the ':'"},
		{"a:", "no port after the ':'"},
		{"a:0", "bad port '0': 1 to 65535"},
		{"a:65536", "bad port '65536': 1 to 65535"},
		{"a:4294967457", "bad port '4294967457': 1 to 65535"},
		{"a:0161", "bad port '0161': 1 to 65535"},
		{"a:+1", "bad port '+1': 1 to 65535"},
		{"core:a", "bad port 'a': 1 to 65535"},
		{"192.0.2.20-10", "bad range: 20-10 runs backwards"},
		{"192.0.2.20-256",
		 "bad range: after the '-' comes a last octet, 0 to 255, not '256'"},
		{"192.0.2.1-192.0.2.9",
		 "bad range: after the '-' comes a last octet, 0 to 255, not '192.0.2.9'"},
		{"192.0.2.1-", "bad range: after the '-' comes a last octet, 0 to 255, not ''"},
		{"192.0.2-9", "'192.0.2' is no IPv4 address: four numbers from 0 to 255 without "
			      "leading zeros"},
		{"2001:db8::1-9",
		 "'2001:db8::1-9' is no IPv6 address (with a port: [2001:db8::1]:161)"},
		{"192.0.2.0/33", "bad prefix length '/33': /0 to /32"},
		{"192.0.2.0/", "bad prefix length '/': /0 to /32"},
		{"192.0.2.0/024", "bad prefix length '/024': /0 to /32"},
		{"192.0.2.0/255.255.255.0", "bad prefix length '/255.255.255.0': /0 to /32"},
		{"2001:db8::/64", "block larger than 2^32 addresses: at least /96"},
		{"2001:db8::/129", "bad prefix length '/129': /96 to /128"},
		{"[2001:db8::]/120", "the prefix length stands inside the brackets: "
				     "[2001:db8::/120]:161"},
		{"example.com/24", "'example.com' is no IPv4 address: four numbers from 0 to 255 "
				   "without leading zeros"},
		{"/24", "'' is no IPv4 address: four numbers from 0 to 255 without leading zeros"},
		{"010.1.2.3", "'010.1.2.3' is no IPv4 address: four numbers from 0 to 255 without "
			      "leading zeros"},
		{"1.2.3", "'1.2.3' is no IPv4 address: four numbers from 0 to 255 without leading "
			  "zeros"},
		{"1.2.3.4.5", "'1.2.3.4.5' is no IPv4 address: four numbers from 0 to 255 without "
			      "leading zeros"},
		{"1.2.3.256", "'1.2.3.256' is no IPv4 address: four numbers from 0 to 255 without "
			      "leading zeros"},
		{"3221225985", "'3221225985' is no IPv4 address: four numbers from 0 to 255 "
			       "without leading zeros"},
		{"0x7f.1", "'0x7f.1' is no IPv4 address: four numbers from 0 to 255 without "
			   "leading zeros"},
		{"2001:db8::g", "'2001:db8::g' is no IPv6 address (with a port: "
				"[2001:db8::1]:161)"},
		{"upd:192.0.2.1:161", "'upd:192.0.2.1:161' is no IPv6 address (with a port: "
				      "[2001:db8::1]:161)"},
		{"fe80::1%nosuch0", "no network interface 'nosuch0' for the address's zone"},
		{"::ffff:192.0.2.1", "an IPv4 address inside IPv6: write 192.0.2.1"},
		{"::ffff:192.0.2.1/120", "an IPv4 address inside IPv6: write 192.0.2.1"},
		{"[2001:db8::1", "no ']' for the '['"},
		{"[192.0.2.1]", "brackets are for IPv6 addresses: [2001:db8::1]:161"},
		{"[]", "brackets are for IPv6 addresses: [2001:db8::1]:161"},
		{"[2001:db8::1]161", "after the ']' comes nothing or ':port', not '161'"},
		{"[2001:db8::1]:", "no port after the ':'"},
		{"a b", "blank or control character in a host name"},
		{"a\n", "blank or control character in a host name"},
		{"a@b", "'@' cannot stand in a host name"},
		{"*", "'*' cannot stand in a host name"},
		{"b\xc3\xbc"
		 "cher.example",
		 "letters beyond ASCII: write the host name's xn-- form"},
		{"a..b", "empty part in a host name: two dots in a row, or a dot in front"},
		{".a", "empty part in a host name: two dots in a row, or a dot in front"},
		{".", "empty part in a host name: two dots in a row, or a dot in front"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char error[TARGET_ERROR_MAX] = "";
		struct target t;

		if (target_parse(rows[i][0], strlen(rows[i][0]), &t, error))
			fail_msg("'%s' was taken", rows[i][0]);
		assert_string_equal(error, rows[i][1]);
	}
}

/* Transports as Net-SNMP writes them, before everything that a target may be. */
static void test_prefixes(void **state)
{
	static const struct {
		const char *text;
		enum target_kind kind;
		enum transport transport;
		uint8_t family;
		uint64_t count;
		const char *first; /* with port; of a name or path: itself */
	} rows[] = {
		{"tcp:192.0.2.1", TARGET_ADDRESS, TRANSPORT_TCP, 0, 1, "192.0.2.1:0"},
		{"tcp:192.0.2.1:1161", TARGET_ADDRESS, TRANSPORT_TCP, 0, 1, "192.0.2.1:1161"},
		{"udp:192.0.2.1:1161", TARGET_ADDRESS, TRANSPORT_UDP, 0, 1, "192.0.2.1:1161"},
		{"udp6:[2001:db8::1]:16", TARGET_ADDRESS, TRANSPORT_UDP, 6, 1, "[2001:db8::1]:16"},
		{"tcp6:[::1]:161", TARGET_ADDRESS, TRANSPORT_TCP, 6, 1, "[::1]:161"},
		{"tcp6:::1", TARGET_ADDRESS, TRANSPORT_TCP, 6, 1, "[::1]:0"},
		{"tcp:::1", TARGET_ADDRESS, TRANSPORT_TCP, 0, 1, "[::1]:0"},
		{"tcpipv6:2001:db8::/126", TARGET_BLOCK, TRANSPORT_TCP, 6, 4, "[2001:db8::]:0"},
		{"TCP:192.0.2.77/28", TARGET_BLOCK, TRANSPORT_TCP, 0, 16, "192.0.2.64:0"},
		{"tcp:192.0.2.10-20:99", TARGET_BLOCK, TRANSPORT_TCP, 0, 11, "192.0.2.10:99"},
		{"udp:core", TARGET_NAME, TRANSPORT_UDP, 0, 1, "core"},
		{"udp6:core:1161", TARGET_NAME, TRANSPORT_UDP, 6, 1, "core"},
		{"tcp:core:1161", TARGET_NAME, TRANSPORT_TCP, 0, 1, "core"},
		{"tcp6:core", TARGET_NAME, TRANSPORT_TCP, 6, 1, "core"},
		{"tcp:tcp", TARGET_NAME, TRANSPORT_TCP, 0, 1, "tcp"},
		{"tcp:tcp:161", TARGET_NAME, TRANSPORT_TCP, 0, 1, "tcp"},
		{"dtlsudp:192.0.2.1", TARGET_ADDRESS, TRANSPORT_DTLSUDP, 0, 1, "192.0.2.1:0"},
		{"dtls:core:10161", TARGET_NAME, TRANSPORT_DTLSUDP, 0, 1, "core"},
		{"dtlsudp6:[::1]:161", TARGET_ADDRESS, TRANSPORT_DTLSUDP, 6, 1, "[::1]:161"},
		{"tlstcp:192.0.2.0/28", TARGET_BLOCK, TRANSPORT_TLSTCP, 0, 16, "192.0.2.0:0"},
		{"TLS:core", TARGET_NAME, TRANSPORT_TLSTCP, 0, 1, "core"},
		/* a host of that name, as every other name */
		{"tcp", TARGET_NAME, TRANSPORT_UDP, 0, 1, "tcp"},
		{"tcp:161", TARGET_NAME, TRANSPORT_UDP, 0, 1, "tcp"},
		{"unix:161", TARGET_NAME, TRANSPORT_UDP, 0, 1, "unix"},
		{"dtls:10161", TARGET_NAME, TRANSPORT_UDP, 0, 1, "dtls"},
		{"tlstcp", TARGET_NAME, TRANSPORT_UDP, 0, 1, "tlstcp"},
		{"unix:/run/agent", TARGET_PATH, TRANSPORT_UNIX, 0, 1, "/run/agent"},
		{"unix:/a:161", TARGET_PATH, TRANSPORT_UNIX, 0, 1, "/a:161"},
		{"unix:/[a b]/c\xff", TARGET_PATH, TRANSPORT_UNIX, 0, 1, "/[a b]/c\xff"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target t = parse(rows[i].text);

		if (t.kind != rows[i].kind || t.transport != rows[i].transport)
			fail_msg("'%s': kind %d, transport %d", rows[i].text, t.kind, t.transport);
		assert_int_equal(t.family, rows[i].family);
		assert_int_equal(t.count, rows[i].count);
		if (t.kind == TARGET_ADDRESS || t.kind == TARGET_BLOCK) {
			assert_string_equal(nth(&t, 0), rows[i].first);
			continue;
		}
		assert_int_equal(t.name_len, strlen(rows[i].first));
		assert_memory_equal(t.name, rows[i].first, t.name_len);
		assert_int_equal(t.first.family, 0);
	}
	assert_int_equal(parse("unix:/a:161").port, 0);
	assert_int_equal(parse("tcp:core:1161").port, 1161);
}

static void test_bad_prefixes(void **state)
{
	static const char *const rows[][2] = {
		{"tcp:", "no port after the ':'"},
		{"tcp:0", "bad port '0': 1 to 65535"},
		{"tcp:70000", "bad port '70000': 1 to 65535"},
		{"tcp:core:", "no port after the ':'"},
		{"tcp::161", "no host before the ':'"},
		{"tcp:udp:core", "bad port 'core': 1 to 65535"},
		{"tcp:010.1.2.3", "'010.1.2.3' is no IPv4 address: four numbers from 0 to 255 "
				  "without leading zeros"},
		{"tcp6:192.0.2.1", "the prefix is for IPv6: write tcp: before an IPv4 address"},
		{"udp6:192.0.2.0/24", "the prefix is for IPv6: write udp: before an IPv4 address"},
		{"unix:", "the path of the socket begins with '/': unix:/run/agent"},
		{"unix:agent", "the path of the socket begins with '/': unix:/run/agent"},
		{"unix:./agent", "the path of the socket begins with '/': unix:/run/agent"},
		{"dtlsudp:", "no port after the ':'"},
		{"dtlsudp6:192.0.2.1",
		 "the prefix is for IPv6: write dtlsudp: before an IPv4 address"},
		{"tls6:192.0.2.1", "bad port '192.0.2.1': 1 to 65535"},
		{"tlstcp6:192.0.2.1",
		 "the prefix is for IPv6: write tlstcp: before an IPv4 address"},
	};
	char path[200] = "unix:/";
	char error[TARGET_ERROR_MAX] = "";
	struct target t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (target_parse(rows[i][0], strlen(rows[i][0]), &t, error))
			fail_msg("'%s' was taken", rows[i][0]);
		assert_string_equal(error, rows[i][1]);
	}
	memset(path + 6, 'p', sizeof(path) - 6);
	assert_true(target_parse(path, 5 + TASK_PATH_MAX, &t, error));
	assert_false(target_parse(path, 5 + TASK_PATH_MAX + 1, &t, error));
	assert_string_equal(error, "the path of the socket is longer than 103 octets");
	assert_false(target_parse("unix:/a\0b", 9, &t, error));
}

static void test_lengths(void **state)
{
	char name[300];
	char error[TARGET_ERROR_MAX];
	struct target t;

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 64 == 63 ? '.' : 'a';
	assert_true(target_parse(name, 253, &t, error));
	assert_false(target_parse(name, 254, &t, error));
	assert_string_equal(error, "host name longer than 253 octets");
	name[253] = '.'; /* the root's does not count */
	assert_true(target_parse(name, 254, &t, error));
	assert_int_equal(t.name_len, 254);
	memset(name, 'a', sizeof(name));
	assert_true(target_parse(name, 63, &t, error));
	assert_false(target_parse(name, 64, &t, error));
	assert_string_equal(error, "part 'aaaaaaaaaaaaaaaa...' of the host name is longer than 63 "
				   "octets");
	assert_false(target_parse("a\0b", 3, &t, error));
	assert_false(target_parse("1.2.3.4\0", 8, &t, error));
}

/* What is not text at all; sanitizers watch. */
static void test_random(void **state)
{
	static const char letters[] = "0123456789.:-/[]%abfx \xff";
	static const char *const prefixes[] = {"", "", "tcp:", "udp6:", "unix:/"};
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char error[TARGET_ERROR_MAX];
		struct target t;
		const char *prefix = prefixes[round % 5];
		char *text;
		size_t len;

		seed = seed * 1664525 + 1013904223;
		len = strlen(prefix) + (seed >> 28);
		text = mem_alloc(len);
		memcpy(text, prefix, strlen(prefix));
		for (size_t i = strlen(prefix); i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		if (target_parse(text, len, &t, error))
			assert_true(t.count >= 1 && t.count <= UINT64_C(1) << 32);
		else
			assert_true(error[0]);
		free(text);
	}
}

static struct target_set *set_of(const char *const *texts)
{
	struct target_set *s = target_set_new();
	char error[TARGET_ERROR_MAX];

	for (; *texts; texts++)
		if (!target_set_add(s, *texts, strlen(*texts), error))
			fail_msg("%s: %s", *texts, error);
	target_set_seal(s);
	return s;
}
#define SET(...) set_of((const char *const[]){__VA_ARGS__, NULL})

static void assert_left_out(const struct target_set *s, const char *text, uint64_t count)
{
	struct target t = parse(text);

	assert_int_equal(target_set_count(s, &t), count);
	assert_int_equal(target_set_next(s, &t, 0) == t.count, count == t.count);
}

static void test_set_addresses(void **state)
{
	struct target_set *s = SET("10.0.0.5", "10.0.0.0/30", "10.0.0.4", "10.0.0.2-3",
				   "10.0.0.255", "2001:db8::/120", "10.1.0.0/16");
	struct target t = parse("10.0.0.0/24");

	(void)state;
	assert_int_equal(target_set_count(s, &t), 7);
	assert_int_equal(target_set_next(s, &t, 0), 6);
	assert_int_equal(target_set_next(s, &t, 6), 6);
	assert_int_equal(target_set_next(s, &t, 254), 254);
	assert_int_equal(target_set_next(s, &t, 255), 256);
	assert_int_equal(target_set_next(s, &t, 256), 256);
	for (uint64_t n = 0, i = 0; (i = target_set_next(s, &t, i)) < t.count; n++, i++)
		assert_int_equal(target_set_at(s, &t, n), i);
	assert_left_out(s, "10.0.0.5:1161", 1); /* every port */
	assert_left_out(s, "10.0.0.6", 0);
	assert_left_out(s, "10.0.1.0", 0);
	assert_left_out(s, "10.0.0.1-4", 4);
	assert_left_out(s, "10.0.0.0/8", 7 + 65536);
	assert_left_out(s, "10.1.128.0/17", 32768);
	assert_left_out(s, "0.0.0.0/0", 7 + 65536);
	assert_left_out(s, "2001:db8::1", 1);
	assert_left_out(s, "2001:db8::/119", 256);
	assert_left_out(s, "2001:db9::1", 0);
	assert_left_out(s, "::a00:5", 0); /* 10.0.0.5 in other clothes is another address */
	assert_left_out(s, "localhost", 0);
	target_set_free(s);
}

static void test_set_edges(void **state)
{
	struct target_set *s = SET("255.255.255.255", "0.0.0.0", "ffff::ffff:ffff:ffff:ffff");
	struct target all = parse("0.0.0.0/0");

	(void)state;
	assert_int_equal(target_set_count(s, &all), 2);
	assert_int_equal(target_set_next(s, &all, 0), 1);
	assert_int_equal(target_set_next(s, &all, (UINT64_C(1) << 32) - 1), UINT64_C(1) << 32);
	assert_left_out(s, "ffff::ffff:ffff:ffff:ff00/120", 1);
	target_set_free(s);
	s = target_set_new();
	target_set_seal(s);
	assert_left_out(s, "10.0.0.0/8", 0);
	assert_left_out(s, "a", 0);
	target_set_free(s);
	s = SET("0.0.0.0/0");
	assert_left_out(s, "0.0.0.0/0", UINT64_C(1) << 32);
	target_set_free(s);
	target_set_free(NULL);
}

static void test_set_zone_overlap(void **state)
{
	struct target_set *s = SET("fe80::8%1", "fe80::9", "fe80::a%1", "fe80::4/126");

	(void)state;
	assert_left_out(s, "fe80::9%1", 1); /* without zone: on all of them */
	assert_left_out(s, "fe80::9", 1);
	assert_left_out(s, "fe80::8", 0); /* with zone: on that one */
	assert_left_out(s, "fe80::8%1", 1);
	assert_left_out(s, "fe80::%1/124", 4 + 3);
	assert_left_out(s, "fe80::/124", 4 + 1);
	target_set_free(s);
}

static void test_set_names(void **state)
{
	struct target_set *s = SET("Core-1.Example.com", "b.example.", "a");

	(void)state;
	assert_left_out(s, "core-1.example.COM:161", 1);
	assert_left_out(s, "core-1.example.com.", 1);
	assert_left_out(s, "B.example", 1);
	assert_left_out(s, "A", 1);
	assert_left_out(s, "core-2.example.com", 0);
	assert_left_out(s, "10.0.0.1", 0);
	target_set_free(s);
}

/* An exclusion says nothing of transports, a path is left out as it is written. */
static void test_set_transports(void **state)
{
	struct target_set *s = SET("192.0.2.0/30", "core", "unix:/run/Agent.");
	struct target t;

	(void)state;
	t = parse("tcp:192.0.2.0/29");
	assert_int_equal(target_set_count(s, &t), 4);
	assert_int_equal(target_set_next(s, &t, 0), 4);
	t = parse("tcp:CORE:161");
	assert_int_equal(target_set_count(s, &t), 1);
	t = parse("unix:/run/Agent.");
	assert_int_equal(target_set_count(s, &t), 1);
	assert_int_equal(target_set_next(s, &t, 0), 1);
	t = parse("unix:/run/agent.");
	assert_int_equal(target_set_count(s, &t), 0);
	assert_int_equal(target_set_next(s, &t, 0), 0);
	assert_int_equal(target_set_next(s, &t, 1), 1);
	t = parse("unix:/run/Agent");
	assert_int_equal(target_set_count(s, &t), 0);
	target_set_free(s);
}

static void test_set_refuses(void **state)
{
	struct target_set *s = target_set_new();
	char error[TARGET_ERROR_MAX];

	(void)state;
	assert_false(target_set_add(s, "10.0.0.1:161", 12, error));
	assert_string_equal(error, "an exclusion holds for every port: leave ':161' out");
	assert_false(target_set_add(s, "tcp:core", 8, error));
	assert_string_equal(error, "an exclusion holds for every transport: leave its name out");
	assert_false(target_set_add(s, "udp:192.0.2.1", 13, error));
	assert_false(target_set_add(s, "unix:agent", 10, error));
	assert_false(target_set_add(s, "10.0.0.9-1", 10, error));
	assert_string_equal(error, "bad range: 9-1 runs backwards");
	target_set_free(s);
}

/* The set against a plain map of 256 addresses. */
static void test_set_against_map(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct target_set *s = target_set_new();
		struct target t = parse("10.9.8.0/24");
		char error[TARGET_ERROR_MAX];
		bool out[257] = {false};
		unsigned count = 0;
		unsigned next = 256;

		for (int i = 0; i < round % 12; i++) {
			char text[40];
			unsigned from, to;

			seed = seed * 1664525 + 1013904223;
			from = seed >> 24;
			to = from + (seed >> 16) % 20;
			to = to > 255 ? 255 : to;
			snprintf(text, sizeof(text), "10.9.8.%u-%u", from, to);
			assert_true(target_set_add(s, text, strlen(text), error));
			memset(out + from, true, to - from + 1);
		}
		target_set_seal(s);
		for (unsigned i = 256; i-- > 0;) {
			next = out[i] ? next : i;
			count += out[i];
			assert_int_equal(target_set_next(s, &t, i), next);
		}
		assert_int_equal(target_set_count(s, &t), count);
		target_set_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),         cmocka_unit_test(test_names),
		cmocka_unit_test(test_bad),          cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_bad_prefixes), cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random),       cmocka_unit_test(test_set_addresses),
		cmocka_unit_test(test_set_edges),    cmocka_unit_test(test_set_zone_overlap),
		cmocka_unit_test(test_set_names),    cmocka_unit_test(test_set_transports),
		cmocka_unit_test(test_set_refuses),  cmocka_unit_test(test_set_against_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* addr: text there and back, what only looks like an address, zones, the kernel's form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

static bool parses(const char *text, struct addr *out)
{
	return addr_parse(text, strlen(text), out);
}

static void assert_text(const struct addr *a, const char *text, const char *with_port)
{
	char out[ADDR_TEXT_MAX];

	assert_int_equal(addr_text(a, out), strlen(text));
	assert_string_equal(out, text);
	assert_int_equal(addr_text_port(a, out), strlen(with_port));
	assert_string_equal(out, with_port);
}

static void test_v4(void **state)
{
	struct addr a = {.port = 161};

	(void)state;
	assert_true(parses("192.0.2.1", &a));
	assert_int_equal(a.family, 4);
	assert_int_equal(a.port, 161); /* left as it was */
	assert_memory_equal(a.ip, "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_text(&a, "192.0.2.1", "192.0.2.1:161");

	a.port = 65535;
	assert_true(parses("255.255.255.255", &a));
	assert_text(&a, "255.255.255.255", "255.255.255.255:65535");
	a.port = 0;
	assert_true(parses("0.0.0.0", &a));
	assert_text(&a, "0.0.0.0", "0.0.0.0:0");
	assert_true(addr_parse("10.9.99.1xx", 9, &a)); /* only len octets are read */
	assert_text(&a, "10.9.99.1", "10.9.99.1:0");
}

/* Our reader and inet_pton(3) agree on every last octet, and so do the writers. */
static void test_v4_against_libc(void **state)
{
	(void)state;
	for (int v = 0; v < 1100; v++) {
		char text[32], out[ADDR_TEXT_MAX];
		struct addr a = {0};
		uint8_t ip[4];
		int len = snprintf(text, sizeof(text), "1.%d.2.%d", v, v);

		assert_int_equal(addr_parse(text, (size_t)len, &a), inet_pton(AF_INET, text, ip));
		if (!a.family)
			continue;
		assert_memory_equal(a.ip, ip, 4);
		addr_text(&a, out);
		assert_string_equal(out, text);
	}
}

static void test_not_addresses(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"1.2.3",
		"1.2.3.",
		"1.2.3.4.",
		"1.2.3.4.5",
		".1.2.3.4",
		"1..2.3",
		"256.1.1.1",
		"4294967297.1.1.1",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.04",
		"1.2.3.00",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.-4",
		"0x1.2.3.4",
		"1.2.3.4/24",
		"localhost",
		"1.2.3.4:161",
		"[::1]",
		":",
		":::",
		"1::2::3",
		"::1%",
		"::1%nosuchif",
		"fe80::1%lo:161",
		"fe80::1%lo:foo",
		"::g",
		"::1%0",
		"12345::",
		"::1.2.3",
		"::1%4294967296",
		"::1%1 ",
		"::%aninterfacenamemuchtoolong",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"1111:2222:3333:4444:5555:6666:7777:8888aaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr a = {.port = 7};

		if (parses(texts[i], &a))
			fail_msg("'%s' was taken for an address", texts[i]);
		assert_int_equal(a.family, 0);
		assert_int_equal(a.port, 7);
	}
}

static void test_embedded_nul(void **state)
{
	struct addr a = {0};

	(void)state;
	assert_false(addr_parse("::1\0x", 5, &a));
	assert_false(addr_parse("1.2.3.4\0", 8, &a));
	assert_false(addr_parse("::1%1\0", 6, &a));
}

static void test_v6(void **state)
{
	struct addr a = {.port = 1161};

	(void)state;
	assert_true(parses("2001:DB8:0::1", &a));
	assert_int_equal(a.family, 6);
	assert_int_equal(a.zone, 0);
	assert_text(&a, "2001:db8::1", "[2001:db8::1]:1161");
	assert_true(parses("::ffff:192.0.2.1", &a));
	assert_text(&a, "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:1161");
	assert_true(parses("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", &a));
	assert_true(parses("::", &a));
	assert_text(&a, "::", "[::]:1161");
}

/* Kept where it means something: as in the address that an answer comes from. */
static void test_zones_of_whom(void **state)
{
	struct addr a = {0};

	(void)state;
	assert_true(parses("::1%1", &a) && a.zone == 0);
	assert_true(parses("2001:db8::1%1", &a) && a.zone == 0);
	assert_true(parses("febf::1%1", &a) && a.zone == 1);
	assert_true(parses("ff02::1%1", &a) && a.zone == 1);
	assert_true(parses("ff05::1%1", &a) && a.zone == 0);
}

static void test_zones(void **state)
{
	char name[IF_NAMESIZE], text[64], with_port[80];
	struct addr a = {.port = 161}, b = {.port = 161};
	unsigned first = 1;

	(void)state;
	assert_true(parses("fe80::1%4000000000", &a)); /* no interface has it: stays a number */
	assert_true(a.zone == 4000000000u);
	assert_text(&a, "fe80::1%4000000000", "[fe80::1%4000000000]:161");

	assert_non_null(if_indextoname(first, name)); /* the loopback interface */
	snprintf(text, sizeof(text), "fe80::1%%%s", name);
	snprintf(with_port, sizeof(with_port), "[%s]:161", text);
	assert_true(parses(text, &a));
	assert_int_equal(a.zone, first);
	assert_text(&a, text, with_port);
	assert_true(parses("fe80::1%1", &b));
	assert_true(addr_equal(&a, &b));
}

static void test_none(void **state)
{
	struct addr a = {0};

	(void)state;
	assert_text(&a, "", "");
}

/* The longest text that can be fits, with the sanitizer at the end of the array. */
static void test_longest(void **state)
{
	struct addr a = {.family = 6, .zone = UINT32_MAX, .port = 65535};
	char out[ADDR_TEXT_MAX];

	(void)state;
	memset(a.ip, 0xff, sizeof(a.ip));
	assert_true(addr_text_port(&a, out) + IF_NAMESIZE < ADDR_TEXT_MAX);
}

static void test_equality(void **state)
{
	struct addr a = {.port = 161}, b;

	(void)state;
	assert_true(parses("fe80::1%1", &a));
	b = a;
	assert_true(addr_equal(&a, &b) && addr_same_host(&a, &b));
	b.port = 162;
	assert_true(!addr_equal(&a, &b) && addr_same_host(&a, &b));
	b = a;
	b.zone = 2;
	assert_true(!addr_equal(&a, &b) && !addr_same_host(&a, &b));
	b = a;
	b.ip[15] = 2;
	assert_true(!addr_equal(&a, &b) && !addr_same_host(&a, &b));
	b = a;
	b.family = 4;
	assert_true(!addr_equal(&a, &b) && !addr_same_host(&a, &b));
}

static void test_sockaddr(void **state)
{
	static const char *const texts[] = {"127.0.0.9", "2001:db8::1", "fe80::2%3000000000"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sockaddr_storage ss;
		struct addr a = {.port = 4242}, back;
		socklen_t len;

		assert_true(parses(texts[i], &a));
		len = addr_to_sockaddr(&a, &ss);
		assert_int_equal(len, a.family == 4 ? sizeof(struct sockaddr_in)
						    : sizeof(struct sockaddr_in6));
		memset(&back, 0xee, sizeof(back));
		assert_true(addr_from_sockaddr((struct sockaddr *)&ss, &back));
		assert_true(addr_equal(&a, &back));
	}
}

static void test_sockaddr_of_another_family(void **state)
{
	struct sockaddr sa = {.sa_family = AF_UNIX};
	struct addr a;

	(void)state;
	assert_false(addr_from_sockaddr(&sa, &a));
}

/* Through the wire and back; cut anywhere, or of another family, it is none. */
static void test_packed(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1", "fe80::1%7"};
	uint8_t octets[ADDR_PACKED];
	struct addr a = {.port = 65535}, back;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

		assert_true(parses(texts[i], &a));
		addr_pack(&a, &w);
		assert_false(w.full);
		assert_ptr_equal(w.at, w.end);
		for (size_t len = 0; len <= sizeof(octets); len++) {
			struct wire_in r = {.at = octets, .end = octets + len};

			memset(&back, 0xee, sizeof(back));
			assert_int_equal(addr_unpack(&back, &r), len == sizeof(octets));
		}
		assert_true(addr_equal(&a, &back));
	}
	for (unsigned family = 0; family < 256; family++) {
		struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};

		octets[0] = (uint8_t)family;
		assert_int_equal(addr_unpack(&back, &r), family == 4 || family == 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v4_against_libc),
		cmocka_unit_test(test_not_addresses),
		cmocka_unit_test(test_embedded_nul),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_zones_of_whom),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_sockaddr_of_another_family),
		cmocka_unit_test(test_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The objects and their values. They are chosen to be awkward where real devices are: octets that are not UTF-8
 * (ifPhysAddress), control characters, quotes and backslash (sysLocation), nothing at all (ifAlias), a Gauge32
 * above 2^31 (ifSpeed), a Counter64 above 2^63 (ifHCInOctets), an Opaque float (laLoadFloat).
 */
#include "mib_internal.h"

#include "datagram.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	CONTEXT_MAX = 32
}; /* octets, RFC 3411 §5, SnmpAdminString */

static void set_bytes(struct mib_value *value, const void *bytes, size_t len)
{
	value->bytes = bytes;
	value->len = len;
}

#define SET_LITERAL(value, text) set_bytes(value, text, sizeof(text) - 1)

static void scratch_append(struct mib_value *value, const char *text)
{
	size_t len = strlen(text);

	memcpy(value->scratch + value->len, text, len);
	value->len += len;
	value->bytes = value->scratch;
}

static void scratch_number(struct mib_value *value, uint32_t number)
{
	char digits[11];
	char *at = digits + sizeof digits;

	*--at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	scratch_append(value, at);
}

static void scratch_address(struct mib_value *value, const struct in6_addr *addr,
			    const char *separator)
{
	char text[INET6_ADDRSTRLEN];

	if (datagram_is_v4(addr)) {
		for (size_t i = 12; i < 16; i++) {
			scratch_append(value, i > 12 ? separator : "");
			scratch_number(value, addr->s6_addr[i]);
		}
		return;
	}
	inet_ntop(AF_INET6, addr, text, sizeof text);
	for (char *c = text; *c; c++)
		*c = *c == ':' && *separator == '-' ? '-' : *c;
	scratch_append(value, text);
}

static void descr(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)row;
	scratch_append(value, "Simulated agent ");
	scratch_address(value, view->addr, ".");
}

static void object_id(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view, (void)row;
	SET_LITERAL(value,
		    "\x2b\x06\x01\x04\x01\xbf\x08\x03\x02\x0a"); /* 1.3.6.1.4.1.8072.3.2.10 */
}

static void uptime(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)row;
	value->number = (view->now_us - view->mib->started_us) / 10000 & UINT32_MAX;
}

static void contact(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view, (void)row;
	SET_LITERAL(value, "nobody@example.com");
}

static void name(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)row;
	scratch_append(value, "agent-");
	scratch_address(value, view->addr, "-");
	size_t len = (size_t)(view->context.end - view->context.at);
	if (len == 0 || len > CONTEXT_MAX)
		return;
	scratch_append(value, "@");
	memcpy(value->scratch + value->len, view->context.at, len);
	value->len += len;
}

static void location(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view, (void)row;
	SET_LITERAL(value, "rack\t7\nroom \"B\" \x1b[31mred\x1b[0m C:\\lab");
}

static void if_name(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view;
	scratch_append(value, "eth");
	scratch_number(value, row - 1);
}

static void phys_address(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	uint32_t number = datagram_number(view->addr);
	const uint8_t octets[6] = {
		0x02,        0xff, (uint8_t)(number >> 8), (uint8_t)number, (uint8_t)(row >> 8),
		(uint8_t)row};

	memcpy(value->scratch, octets, sizeof octets);
	set_bytes(value, value->scratch, sizeof octets);
}

static void plus_row(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view;
	value->number += row;
}

static void minus_row(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view;
	value->number -= row;
}

static void if_number(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)row;
	value->number = view->interfaces;
}

static void zero_dot_zero(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view, (void)row;
	SET_LITERAL(value, "\0");
}

static void empty(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view, (void)row;
	SET_LITERAL(value, "");
}

static void own_address(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)row;
	set_bytes(value, view->addr->s6_addr + 12, 4);
}

static void net_mask(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	(void)view, (void)row;
	SET_LITERAL(value, "\xff\0\0\0");
}

static void load_name(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	static const char *const names[] = {"Load-1", "Load-5", "Load-15"};

	(void)view;
	scratch_append(value, names[row - 1]);
}

static void load(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	static const char *const loads[] = {"0.25", "0.50", "0.75"};

	(void)view;
	scratch_append(value, loads[row - 1]);
}

static void load_float(const struct mib_view *view, uint32_t row, struct mib_value *value)
{
	/* 0.25, 0.5 and 0.75 as IEEE 754 singles behind Net-SNMP's tag for a float in an Opaque */
	static const uint8_t loads[3][7] = {
		{0x9f, 0x78, 4, 0x3e, 0x80, 0, 0},
		{0x9f, 0x78, 4, 0x3f, 0x00, 0, 0},
		{0x9f, 0x78, 4, 0x3f, 0x40, 0, 0},
	};

	(void)view;
	set_bytes(value, loads[row - 1], sizeof loads[0]);
}

#define SYSTEM    "1.3.6.1.2.1.1."
#define IF_ENTRY  "1.3.6.1.2.1.2.2.1."
#define IFX_ENTRY "1.3.6.1.2.1.31.1.1.1."
#define LA_ENTRY  "1.3.6.1.4.1.2021.10.1."
#define SCALAR(oid, tag, ...)                       \
	{                                           \
		oid, ROWS_SCALAR, tag, __VA_ARGS__, \
		{                                   \
			0                           \
		}                                   \
	}
#define COLUMN(oid, tag, ...)                           \
	{                                               \
		oid, ROWS_INTERFACES, tag, __VA_ARGS__, \
		{                                       \
			0                               \
		}                                       \
	}
#define LOAD(oid, tag, ...)                        \
	{                                          \
		oid, ROWS_LOADS, tag, __VA_ARGS__, \
		{                                  \
			0                          \
		}                                  \
	}
#define ADDRESS(oid, tag, ...)                       \
	{                                            \
		oid, ROWS_ADDRESS, tag, __VA_ARGS__, \
		{                                    \
			0                            \
		}                                    \
	}

const struct mib_object mib_table[] = {
	SCALAR(SYSTEM "1", BER_OCTETS, descr, 0),
	SCALAR(SYSTEM "2", BER_OID, object_id, 0),
	SCALAR(SYSTEM "3", BER_TIMETICKS, uptime, 0),
	SCALAR(SYSTEM "4", BER_OCTETS, contact, 0),
	SCALAR(SYSTEM "5", BER_OCTETS, name, 0),
	SCALAR(SYSTEM "6", BER_OCTETS, location, 0),
	SCALAR(SYSTEM "7", BER_INTEGER, NULL, 72),
	SCALAR("1.3.6.1.2.1.2.1", BER_INTEGER, if_number, 0),
	COLUMN(IF_ENTRY "1", BER_INTEGER, plus_row, 0),
	COLUMN(IF_ENTRY "2", BER_OCTETS, if_name, 0),
	COLUMN(IF_ENTRY "3", BER_INTEGER, NULL, 6),
	COLUMN(IF_ENTRY "4", BER_INTEGER, NULL, 1500),
	COLUMN(IF_ENTRY "5", BER_GAUGE32, NULL, 4294967295),
	COLUMN(IF_ENTRY "6", BER_OCTETS, phys_address, 0),
	COLUMN(IF_ENTRY "7", BER_INTEGER, NULL, 1),
	COLUMN(IF_ENTRY "8", BER_INTEGER, NULL, 1),
	COLUMN(IF_ENTRY "9", BER_TIMETICKS, plus_row, 100),
	COLUMN(IF_ENTRY "10", BER_COUNTER32, plus_row, 10000),
	COLUMN(IF_ENTRY "11", BER_COUNTER32, plus_row, 11000),
	COLUMN(IF_ENTRY "12", BER_COUNTER32, plus_row, 12000),
	COLUMN(IF_ENTRY "13", BER_COUNTER32, NULL, 0),
	COLUMN(IF_ENTRY "14", BER_COUNTER32, NULL, 0),
	COLUMN(IF_ENTRY "15", BER_COUNTER32, NULL, 0),
	COLUMN(IF_ENTRY "16", BER_COUNTER32, plus_row, 4294900000),
	COLUMN(IF_ENTRY "17", BER_COUNTER32, plus_row, 17000),
	COLUMN(IF_ENTRY "18", BER_COUNTER32, plus_row, 18000),
	COLUMN(IF_ENTRY "19", BER_COUNTER32, NULL, 0),
	COLUMN(IF_ENTRY "20", BER_COUNTER32, NULL, 0),
	COLUMN(IF_ENTRY "21", BER_GAUGE32, NULL, 0),
	COLUMN(IF_ENTRY "22", BER_OID, zero_dot_zero, 0),
	SCALAR("1.3.6.1.2.1.4.1", BER_INTEGER, NULL, 2),
	SCALAR("1.3.6.1.2.1.4.2", BER_INTEGER, NULL, 64),
	ADDRESS("1.3.6.1.2.1.4.20.1.1", BER_IPADDRESS, own_address, 0),
	ADDRESS("1.3.6.1.2.1.4.20.1.2", BER_INTEGER, NULL, 1),
	ADDRESS("1.3.6.1.2.1.4.20.1.3", BER_IPADDRESS, net_mask, 0),
	SCALAR("1.3.6.1.2.1.25.1.1", BER_TIMETICKS, uptime, 0),
	SCALAR("1.3.6.1.2.1.25.2.2", BER_INTEGER, NULL, 8388608),
	COLUMN(IFX_ENTRY "1", BER_OCTETS, if_name, 0),
	COLUMN(IFX_ENTRY "2", BER_COUNTER32, plus_row, 2000),
	COLUMN(IFX_ENTRY "3", BER_COUNTER32, plus_row, 3000),
	COLUMN(IFX_ENTRY "4", BER_COUNTER32, plus_row, 4000),
	COLUMN(IFX_ENTRY "5", BER_COUNTER32, plus_row, 5000),
	COLUMN(IFX_ENTRY "6", BER_COUNTER64, minus_row, UINT64_MAX),
	COLUMN(IFX_ENTRY "7", BER_COUNTER64, plus_row, 7000),
	COLUMN(IFX_ENTRY "8", BER_COUNTER64, plus_row, 8000),
	COLUMN(IFX_ENTRY "9", BER_COUNTER64, NULL, 0),
	COLUMN(IFX_ENTRY "10", BER_COUNTER64, plus_row, 9223372036854775807),
	COLUMN(IFX_ENTRY "11", BER_COUNTER64, plus_row, 11000),
	COLUMN(IFX_ENTRY "12", BER_COUNTER64, plus_row, 12000),
	COLUMN(IFX_ENTRY "13", BER_COUNTER64, NULL, 0),
	COLUMN(IFX_ENTRY "14", BER_INTEGER, NULL, 1),
	COLUMN(IFX_ENTRY "15", BER_GAUGE32, NULL, 10000),
	COLUMN(IFX_ENTRY "16", BER_INTEGER, NULL, 2),
	COLUMN(IFX_ENTRY "17", BER_INTEGER, NULL, 1),
	COLUMN(IFX_ENTRY "18", BER_OCTETS, empty, 0),
	COLUMN(IFX_ENTRY "19", BER_TIMETICKS, NULL, 0),
	LOAD(LA_ENTRY "1", BER_INTEGER, plus_row, 0),
	LOAD(LA_ENTRY "2", BER_OCTETS, load_name, 0),
	LOAD(LA_ENTRY "3", BER_OCTETS, load, 0),
	LOAD(LA_ENTRY "6", BER_OPAQUE, load_float, 0),
};

const size_t mib_table_len = sizeof mib_table / sizeof mib_table[0];

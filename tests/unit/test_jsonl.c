/* jsonl: records against their exact lines, and whatever a device may send against a strict reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "out/jsonl.h"
#include "snmp/mib.h"

static const struct format_options plain;

#define SYS_DESCR                         \
	{                                 \
		1, 3, 6, 1, 2, 1, 1, 1, 0 \
	}
#define UNKNOWN                               \
	{                                     \
		1, 3, 6, 1, 4, 1, 4294967295u \
	}

/* The test's own MIB: sysDescr and nothing else. */
const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used)
{
	static const uint32_t sys_descr[] = {1, 3, 6, 1, 2, 1, 1, 1};
	static const struct mib_object object = {.name = "sysDescr", .module = "SNMPv2-MIB"};

	if (n < 8 || memcmp(id, sys_descr, sizeof(sys_descr)))
		return NULL;
	*used = 8;
	return &object;
}

static char *line_of(const struct record *r)
{
	struct buf out = {0};

	jsonl_record(&out, r, &plain);
	buf_putc(&out, '\0');
	return (char *)out.data;
}

static void check_line(const struct record *r, const char *wanted)
{
	char *line = line_of(r);

	assert_string_equal(line, wanted);
	free(line);
}

/* The value of one varbind and what follows it in the object. */
static void check_value(const struct varbind *v, const char *wanted)
{
	struct record r = {.host = "h", .rtt_us = -1, .vars = v, .nvars = 1};
	char *line = line_of(&r);
	char *value = strstr(line, "\"value\":");
	char *end = strstr(line, "}]}\n");

	assert_non_null(value);
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(value + strlen("\"value\":"), wanted);
	free(line);
}

static void check_octets(const char *octets, size_t len, const char *wanted)
{
	static const uint32_t oid[] = UNKNOWN;
	struct varbind v = {.oid = oid, .noid = 7, .type = VAR_OCTETS};

	v.value.octets.p = (const uint8_t *)octets;
	v.value.octets.len = len;
	check_value(&v, wanted);
}

static void test_whole_record(void **state)
{
	static const uint32_t descr[] = SYS_DESCR;
	static const uint32_t unknown[] = UNKNOWN;
	struct varbind vars[] = {
		{.oid = descr, .noid = 9, .type = VAR_OCTETS},
		{.oid = unknown, .noid = 7, .type = VAR_COUNTER64},
		{.oid = descr, .noid = 8, .type = VAR_NO_SUCH_INSTANCE},
	};
	struct record r = {
		.host = "localhost", .time_ms = 1795230611123, .rtt_us = 412, .tries = 1};

	(void)state;
	vars[0].value.octets.p = (const uint8_t *)"Linux box";
	vars[0].value.octets.len = 9;
	vars[1].value.u = UINT64_MAX;
	assert_true(addr_parse("127.0.0.1", 9, &r.addr));
	r.addr.port = 161;
	r.vars = vars;
	r.nvars = 3;
	check_line(&r, "{\"host\":\"localhost\",\"address\":\"127.0.0.1:161\","
		       "\"time\":\"2026-11-21T03:10:11.123Z\",\"status\":\"ok\",\"rtt_ms\":0.412,"
		       "\"tries\":1,\"vars\":["
		       "{\"oid\":\"1.3.6.1.2.1.1.1.0\",\"name\":\"sysDescr\",\"index\":\"0\","
		       "\"type\":\"OCTET STRING\",\"value\":\"Linux box\"},"
		       "{\"oid\":\"1.3.6.1.4.1.4294967295\",\"name\":null,\"index\":null,"
		       "\"type\":\"Counter64\",\"value\":18446744073709551615},"
		       "{\"oid\":\"1.3.6.1.2.1.1.1\",\"name\":\"sysDescr\",\"index\":\"\","
		       "\"type\":\"noSuchInstance\",\"value\":null}]}\n");
}

/* The first row's object up to its type. */
static void check_label(const struct varbind *label, const char *wanted)
{
	static const uint32_t descr[] = SYS_DESCR;
	struct varbind v = {.oid = descr, .noid = 9, .type = VAR_NULL, .label = label};
	struct record r = {.host = "h", .rtt_us = -1, .vars = &v, .nvars = 1};
	char *line = line_of(&r);
	char *index = strstr(line, ",\"index\":\"0\"");
	char *end = strstr(line, ",\"type\"");

	assert_non_null(index);
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(index + strlen(",\"index\":\"0\""), wanted);
	free(line);
}

/* Always a string; and what is no value is no label. */
static void test_labels(void **state)
{
	static const uint32_t oid[] = {1, 3, 6};
	struct varbind l = {.type = VAR_OCTETS};

	(void)state;
	l.value.octets.p = (const uint8_t *)"e\"th\n0";
	l.value.octets.len = 6;
	check_label(&l, ",\"label\":\"e\\\"th\\u000a0\"");
	l.value.octets.p = (const uint8_t *)"\xff\x01";
	l.value.octets.len = 2;
	check_label(&l, ",\"label\":\"ff01\",\"label_hex\":true");
	l.type = VAR_OPAQUE;
	check_label(&l, ",\"label\":\"ff01\",\"label_hex\":true");
	l.type = VAR_IPADDRESS;
	check_label(&l, ",\"label\":\"ff01\",\"label_hex\":true");
	l.value.octets.p = (const uint8_t *)"\xc0\x00\x02\x01";
	l.value.octets.len = 4;
	check_label(&l, ",\"label\":\"192.0.2.1\"");
	l.type = VAR_OCTETS;
	l.value.octets.len = 0;
	check_label(&l, ",\"label\":\"\"");
	l = (struct varbind){.type = VAR_OID, .value.oid = {oid, 3}};
	check_label(&l, ",\"label\":\"1.3.6\"");
	l = (struct varbind){.type = VAR_INTEGER, .value.i = -7};
	check_label(&l, ",\"label\":\"-7\"");
	l = (struct varbind){.type = VAR_COUNTER64, .value.u = UINT64_MAX};
	check_label(&l, ",\"label\":\"18446744073709551615\"");
	l = (struct varbind){.type = VAR_DOUBLE, .value.d = INFINITY};
	check_label(&l, ",\"label\":\"Infinity\"");
	l.value.d = 0.5;
	check_label(&l, ",\"label\":\"0.5\"");
	for (uint8_t type = VAR_NULL; type < VAR_TYPE_COUNT; type++) {
		l.type = type;
		check_label(&l, "");
	}
}

static void test_notes(void **state)
{
	struct record r = {.host = "h", .rtt_us = -1, .note = "boots fell\xff back"};

	(void)state;
	check_line(&r, "{\"host\":\"h\",\"address\":null,\"time\":\"1970-01-01T00:00:00.000Z\","
		       "\"status\":\"ok\",\"rtt_ms\":null,\"tries\":0,\"vars\":[],"
		       "\"note\":\"boots fell\\\\xff back\"}\n");
	r.status = RECORD_TIMEOUT;
	r.message = "m";
	check_line(&r, "{\"host\":\"h\",\"address\":null,\"time\":\"1970-01-01T00:00:00.000Z\","
		       "\"status\":\"timeout\",\"rtt_ms\":null,\"tries\":0,\"vars\":[],"
		       "\"note\":\"boots fell\\\\xff back\",\"message\":\"m\"}\n");
}

static void test_record_without_vars(void **state)
{
	struct record r = {.host = "no \"such\" h\xf6st\n",
			   .status = RECORD_RESOLVE,
			   .rtt_us = -1,
			   .message = "it\\s \xc3\xa9"};

	(void)state;
	check_line(&r,
		   "{\"host\":\"no \\\"such\\\" h\\\\xf6st\\u000a\",\"address\":null,"
		   "\"time\":\"1970-01-01T00:00:00.000Z\",\"status\":\"resolve\",\"rtt_ms\":null,"
		   "\"tries\":0,\"vars\":[],\"message\":\"it\\\\s \xc3\xa9\"}\n");
	r.host = NULL; /* of a block: the address is the host */
	r.status = RECORD_TIMEOUT;
	r.message = "no answer";
	r.tries = 3;
	assert_true(addr_parse("2001:db8::1", 11, &r.addr));
	r.addr.port = 1161;
	check_line(&r,
		   "{\"host\":\"2001:db8::1\",\"address\":\"[2001:db8::1]:1161\","
		   "\"time\":\"1970-01-01T00:00:00.000Z\",\"status\":\"timeout\",\"rtt_ms\":null,"
		   "\"tries\":3,\"vars\":[],\"message\":\"no answer\"}\n");
}

static void test_octets(void **state)
{
	(void)state;
	check_octets("", 0, "\"\"");
	check_octets("a\0b", 3, "\"a\\u0000b\"");
	check_octets("\"\\/\t\r\n", 6, "\"\\\"\\\\/\\u0009\\u000d\\u000a\"");
	check_octets("\x7f\xc2\x85", 3, "\"\\u007f\\u0085\"");
	check_octets("\xe2\x80\xa8\xe2\x80\xae", 6, "\"\\u2028\\u202e\"");
	check_octets("Z\xc3\xbcrich \xf0\x9f\x98\x80", 12, "\"Z\xc3\xbcrich \xf0\x9f\x98\x80\"");
	check_octets("\x00\x1a\xff", 3, "\"001aff\",\"hex\":true");
	check_octets("\xed\xa0\x80", 3, "\"eda080\",\"hex\":true");
	check_octets("0123456789abcdef\xc3", 17,
		     "\"30313233343536373839616263646566c3\",\"hex\":true");
}

static void test_types(void **state)
{
	static const uint32_t oid[] = UNKNOWN;
	static const uint32_t value[] = {2, 4294967215u, 0};
	struct varbind v = {.oid = oid, .noid = 7, .type = VAR_INTEGER, .value.i = INT32_MIN};
	const uint8_t four[4] = {192, 0, 2, 1};

	(void)state;
	check_value(&v, "-2147483648");
	v.type = VAR_GAUGE32;
	v.value.u = UINT32_MAX;
	check_value(&v, "4294967295");
	v.type = VAR_OID;
	v.value.oid.id = value;
	v.value.oid.len = 3;
	check_value(&v, "\"2.4294967215.0\"");
	v.type = VAR_IPADDRESS;
	v.value.octets.p = four;
	v.value.octets.len = 4;
	check_value(&v, "\"192.0.2.1\"");
	v.value.octets.len = 3;
	check_value(&v, "\"c00002\",\"hex\":true");
	v.type = VAR_OPAQUE;
	v.value.octets.p = (const uint8_t *)"ABC";
	check_value(&v, "\"414243\",\"hex\":true");
	v.type = VAR_FLOAT;
	v.value.d = (double)0.1f;
	check_value(&v, "0.1");
	v.value.d = (double)NAN;
	check_value(&v, "\"NaN\"");
	v.type = VAR_DOUBLE;
	v.value.d = -(double)INFINITY;
	check_value(&v, "\"-Infinity\"");
	v.type = VAR_NULL;
	check_value(&v, "null");
	v.type = VAR_NO_SUCH_OBJECT;
	check_value(&v, "null");
}

/* ---- a strict reader of RFC 8259, that also refuses what is not one line */

static const char *skip_value(const char *p);

static const char *skip_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (*p && *p != '"') {
		uint32_t code;
		size_t n;

		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' && p[1] == 'u') {
			if (strspn(p + 2, "0123456789abcdef") < 4)
				return NULL;
			p += 6;
			continue;
		}
		if (*p == '\\') {
			if (!p[1] || !strchr("\"\\/bfnrt", p[1]))
				return NULL;
			p += 2;
			continue;
		}
		n = utf8_decode((const uint8_t *)p, strlen(p), &code);
		if (!n || !utf8_shown(code))
			return NULL;
		p += n;
	}
	return *p == '"' ? p + 1 : NULL;
}

static const char *skip_number(const char *p)
{
	p += *p == '-';
	if (*p == '0')
		p++;
	else if (*p >= '1' && *p <= '9')
		p += strspn(p, "0123456789");
	else
		return NULL;
	if (*p == '.') {
		if (!strspn(p + 1, "0123456789"))
			return NULL;
		p += 1 + strspn(p + 1, "0123456789");
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		if (!strspn(p, "0123456789"))
			return NULL;
		p += strspn(p, "0123456789");
	}
	return p;
}

static const char *skip_members(const char *p, char close, bool keys)
{
	if (*p == close)
		return p + 1;
	for (;;) {
		if (keys) {
			p = skip_string(p);
			if (!p || *p++ != ':')
				return NULL;
		}
		p = skip_value(p);
		if (!p)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static const char *skip_value(const char *p)
{
	if (*p == '{')
		return skip_members(p + 1, '}', true);
	if (*p == '[')
		return skip_members(p + 1, ']', false);
	if (*p == '"')
		return skip_string(p);
	if (!strncmp(p, "null", 4) || !strncmp(p, "true", 4))
		return p + 4;
	return skip_number(p);
}

static void assert_json_line(const char *line)
{
	const char *end = skip_value(line);

	assert_non_null(end);
	assert_string_equal(end, "\n");
}

static void test_reader_is_strict(void **state)
{
	static const char *const bad[] = {"01",         "1.", "\"\x01\"", "\"\\x\"", "\"\xff\"",
					  "{\"a\":1,}", "[1", "NaN",      "{a:1}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *end = skip_value(bad[i]);

		assert_true(!end || *end);
	}
}

static void random_octets(uint8_t *p, size_t len)
{
	static const char biased[] = "\"\\\x00\x1f\x7f\x80\xc2\xe2\x80\xa8\xed\xf4\x90 abc{}[]:,";

	for (size_t i = 0; i < len; i++)
		p[i] = rand() % 2 ? (uint8_t)rand()
				  : (uint8_t)biased[(size_t)rand() % sizeof(biased)];
}

static void random_var(struct varbind *v, uint8_t octets[64])
{
	uint64_t bits = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

	v->type = (uint8_t)(rand() % VAR_END_OF_MIB_VIEW);
	v->label = NULL;
	random_octets(octets, 64);
	v->value.u = bits;
	if (v->type == VAR_FLOAT) {
		uint32_t half = (uint32_t)bits;
		float f;

		memcpy(&f, &half, sizeof(f));
		v->value.d = (double)f;
	}
	if (v->type == VAR_OCTETS || v->type == VAR_OPAQUE || v->type == VAR_IPADDRESS) {
		v->value.octets.p = octets;
		v->value.octets.len = (size_t)rand() % 64;
	}
	if (v->type == VAR_OID) {
		v->value.oid.id = v->oid;
		v->value.oid.len = v->noid;
	}
}

static void test_anything_is_json(void **state)
{
	static const uint32_t oid[] = SYS_DESCR;
	uint8_t octets[3][64];
	char host[32], message[32];

	(void)state;
	srand(1);
	for (int i = 0; i < 30000; i++) {
		struct varbind vars[3];
		struct record r = {.host = host, .message = message, .rtt_us = rand() % 5000 - 1};
		char *line;

		for (int v = 0; v < 3; v++) {
			vars[v].oid = oid;
			vars[v].noid = (uint8_t)(rand() % 10);
			random_var(&vars[v], octets[v]);
		}
		for (int v = 0; v < 3; v++)
			vars[v].label = rand() % 2 ? &vars[rand() % 3] : NULL;
		random_octets((uint8_t *)host, sizeof(host));
		random_octets((uint8_t *)message, sizeof(message));
		host[31] = message[31] = '\0';
		r.status = (enum record_status)(rand() % RECORD_STATUS_COUNT);
		r.note = rand() % 2 ? message : NULL;
		r.time_ms = (int64_t)rand() * rand();
		r.vars = vars;
		r.nvars = (size_t)rand() % 4;
		line = line_of(&r);
		assert_json_line(line);
		free(line);
	}
}

/* The worst of every kind at every length: the address sanitiser watches the buffer's end. */
static void test_worst_case_has_room(void **state)
{
	static const char *const worst[] = {"\x01", "\xff", "\xc2\x80", "\xe2\x80\xa8"};
	uint32_t oid[128];
	char text[3001];

	(void)state;
	memset(oid, 0xff, sizeof(oid));
	for (size_t len = 1; len < sizeof(text); len++) {
		const char *unit = worst[len % 4];
		struct varbind v = {.oid = oid, .noid = (uint8_t)(len % 129), .type = VAR_OCTETS};
		struct record r = {
			.host = text, .message = text, .status = RECORD_PARTIAL, .nvars = 1};
		struct varbind label;
		struct buf out = {0};

		for (size_t i = 0; i < len; i++)
			text[i] = unit[i % strlen(unit)];
		text[len] = '\0';
		v.value.octets.p = (const uint8_t *)text;
		v.value.octets.len = len;
		if (len % 3 == 0) {
			v.type = VAR_OID;
			v.value.oid.id = oid;
			v.value.oid.len = 128;
		}
		label = v;
		v.label = &label;
		r.note = text;
		r.vars = &v;
		jsonl_record(&out, &r, &plain);
		assert_true(out.len <= out.cap);
		buf_free(&out);
	}
}

/* In pieces, cut anywhere between rows, it is the same line. */
static void test_pieces(void **state)
{
	static const uint32_t oid[] = UNKNOWN;
	struct varbind vars[5];

	(void)state;
	for (uint8_t i = 0; i < 5; i++)
		vars[i] = (struct varbind){.oid = oid, .noid = (uint8_t)(i + 2), .type = VAR_NULL};
	for (size_t first = 0; first <= 5; first++)
		for (size_t second = first; second <= 5; second++) {
			struct record r = {.host = "h", .rtt_us = 9, .vars = vars, .nvars = 5};
			struct buf front = {0}, rows = {0};
			char *line = line_of(&r);

			r.nvars = first;
			jsonl_rows(&rows, &r, &plain);
			r.ahead = first;
			r.vars = vars + first;
			r.nvars = second - first;
			jsonl_rows(&rows, &r, &plain);
			r.ahead = second;
			r.vars = vars + second;
			r.nvars = 5 - second;
			jsonl_front(&front, &r, &plain);
			jsonl_rows(&rows, &r, &plain);
			jsonl_rest(&rows, &r, &plain);
			buf_put(&front, rows.data, rows.len);
			assert_int_equal(front.len, strlen(line));
			assert_memory_equal(front.data, line, front.len);
			buf_free(&front);
			buf_free(&rows);
			free(line);
		}
}

static void test_appends(void **state)
{
	struct record r = {.host = "h", .rtt_us = -1};
	struct buf out = {0};
	size_t one;

	(void)state;
	jsonl_record(&out, &r, &plain);
	one = out.len;
	jsonl_record(&out, &r, &plain);
	assert_int_equal(out.len, 2 * one);
	assert_memory_equal(out.data, out.data + one, one);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_record),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_record_without_vars),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_reader_is_strict),
		cmocka_unit_test(test_anything_is_json),
		cmocka_unit_test(test_worst_case_has_room),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_appends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

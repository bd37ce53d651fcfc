/* csv: rows against their exact octets. A real reader reads them in tests/e2e/test_hostile_values.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "out/csv.h"
#include "snmp/mib.h"

static const struct format_options plain;

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

static const uint32_t descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};

static void check(const struct record *r, const char *wanted)
{
	struct buf out = {0};

	csv_record(&out, r, &plain);
	buf_putc(&out, '\0');
	assert_string_equal(out.data, wanted);
	buf_free(&out);
}

#define HEAD "h,,1970-01-01T00:00:00.000Z,ok,,0,"

/* The columns from label to message of a row. */
static void check_row(const struct varbind *v, const char *wanted)
{
	struct record r = {.host = "h", .rtt_us = -1, .vars = v, .nvars = 1};
	struct buf all = {0};

	buf_puts(&all, HEAD "1.3.6.1.2.1.1.1.0,sysDescr,0,");
	buf_puts(&all, wanted);
	buf_put(&all, "\r\n", 3);
	check(&r, (const char *)all.data);
	buf_free(&all);
}

static void check_octets(const char *octets, size_t len, const char *wanted)
{
	struct varbind v = {.oid = descr, .noid = 9, .type = VAR_OCTETS};
	struct buf all = {0};

	v.value.octets.p = (const uint8_t *)octets;
	v.value.octets.len = len;
	buf_puts(&all, ",OCTET STRING");
	buf_puts(&all, wanted);
	buf_put(&all, ",", 2);
	check_row(&v, (const char *)all.data);
	buf_free(&all);
}

static void test_record_without_vars(void **state)
{
	struct record r = {.host = "a,\"b\"", .status = RECORD_TIMEOUT, .rtt_us = -1, .tries = 3};

	(void)state;
	check(&r, "\"a,\"\"b\"\"\",,1970-01-01T00:00:00.000Z,timeout,,3,,,,,,,timeout\r\n");
	r.host = NULL;
	assert_true(addr_parse("2001:db8::1", 11, &r.addr));
	r.addr.port = 1161;
	r.message = "no answer, \x1b[2J";
	r.note = "n\\x";
	check(&r, "2001:db8::1,[2001:db8::1]:1161,1970-01-01T00:00:00.000Z,timeout,,3,,,,,,,"
		  "\"no answer, \\x1b[2J; n\\x5cx\"\r\n");
	r.status = RECORD_OK;
	r.rtt_us = 412;
	check(&r, "2001:db8::1,[2001:db8::1]:1161,1970-01-01T00:00:00.000Z,ok,0.412,3,,,,,,,n\\x5cx"
		  "\r\n");
}

static void test_head_in_every_row(void **state)
{
	static const uint32_t unknown[] = {1, 3, 6};
	struct varbind v[] = {{.oid = descr, .noid = 8, .type = VAR_COUNTER64},
			      {.oid = unknown, .noid = 3, .type = VAR_NO_SUCH_OBJECT},
			      {.oid = unknown, .noid = 3, .type = VAR_INTEGER, .value.i = -5}};
	struct record r = {.host = "h",
			   .rtt_us = -1,
			   .vars = v,
			   .nvars = 3,
			   .status = RECORD_PARTIAL,
			   .message = "partial: timeout"};

	(void)state;
	v[0].value.u = UINT64_MAX;
#define PARTIAL "h,,1970-01-01T00:00:00.000Z,partial,,0,"
	check(&r, PARTIAL "1.3.6.1.2.1.1.1,sysDescr,,,Counter64,18446744073709551615,"
			  "partial: timeout\r\n" PARTIAL
			  "1.3.6,,,,noSuchObject,,partial: timeout\r\n" PARTIAL
			  "1.3.6,,,,INTEGER,-5,partial: timeout\r\n");
}

static void test_octets(void **state)
{
	(void)state;
	check_octets("", 0, ",");
	check_octets("a b", 3, ",a b");
	check_octets("a\\b'", 4, ",a\\b'");
	check_octets(" a", 2, ",\" a\"");
	check_octets("a ", 2, ",\"a \"");
	check_octets("a,b", 3, ",\"a,b\"");
	check_octets("\"", 1, ",\"\"\"\"");
	check_octets("a\r\nb\tc", 6, ",\"a\r\nb\tc\"");
	check_octets("Z\xc3\xbcrich", 7, ",\"Z\xc3\xbcrich\"");
	check_octets("=cmd()", 6, ",=cmd()");
	check_octets("a\0b", 3, " (hex),610062");
	check_octets("\x1b[2J", 4, " (hex),1b5b324a");
	check_octets("\xff", 1, " (hex),ff");
}

static void test_labels(void **state)
{
	struct varbind l = {.type = VAR_OCTETS};
	struct varbind v = {.oid = descr, .noid = 9, .type = VAR_NULL, .label = &l};

	(void)state;
	l.value.octets.p = (const uint8_t *)"e,\n\\x\xff";
	l.value.octets.len = 5;
	check_row(&v, "\"e,\n\\x\",NULL,,");
	l.value.octets.len = 6;
	check_row(&v, "0x652c0a5c78ff,NULL,,");
	l.value.octets.p = (const uint8_t *)"0x1";
	l.value.octets.len = 3;
	check_row(&v, "0x307831,NULL,,");
	l.value.octets.len = 1;
	check_row(&v, "0,NULL,,");
	l.type = VAR_OPAQUE;
	check_row(&v, "0x30,NULL,,");
	l = (struct varbind){.type = VAR_INTEGER, .value.i = -7};
	check_row(&v, "-7,NULL,,");
	l.type = VAR_NO_SUCH_INSTANCE;
	check_row(&v, ",NULL,,");
}

static void test_reals(void **state)
{
	struct varbind v = {.oid = descr, .noid = 9, .type = VAR_DOUBLE, .value.d = (double)NAN};

	(void)state;
	check_row(&v, ",Double,NaN,");
	v.value.d = -INFINITY;
	check_row(&v, ",Double,-Infinity,");
	v.type = VAR_FLOAT;
	v.value.d = (double)0.1f;
	check_row(&v, ",Float,0.1,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_without_vars),
		cmocka_unit_test(test_head_in_every_row),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_reals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

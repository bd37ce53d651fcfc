/* influx: points against their exact octets. A real reader reads them in tests/e2e/test_hostile_values.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "out/influx.h"
#include "snmp/mib.h"

static const struct format_options plain;

static const char *name = "sysDescr";

/* The test's own MIB: one object, called as the test wants. */
const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used)
{
	static const uint32_t sys_descr[] = {1, 3, 6, 1, 2, 1, 1, 1};
	static struct mib_object object;

	if (n < 8 || memcmp(id, sys_descr, sizeof(sys_descr)))
		return NULL;
	object.name = name;
	*used = 8;
	return &object;
}

static const uint32_t descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};
static const uint32_t unknown[] = {1, 3, 6, 2};

static void check(const struct record *r, const char *wanted)
{
	struct buf out = {0};

	influx_record(&out, r, &plain);
	buf_putc(&out, '\0');
	assert_string_equal(out.data, wanted);
	buf_free(&out);
}

/* Tags behind the host, and the field. */
static void check_row(const struct varbind *v, const char *wanted)
{
	struct record r = {.host = "h", .rtt_us = -1, .vars = v, .nvars = 1, .time_ms = 1};
	struct buf all = {0};

	if (wanted) {
		buf_puts(&all, "snmp,host=h");
		buf_puts(&all, wanted);
		buf_puts(&all, " 1000000\n");
	}
	buf_puts(&all, "snmp,host=h status=\"ok\",tries=0i 1000000\n");
	buf_putc(&all, '\0');
	check(&r, (const char *)all.data);
	buf_free(&all);
}

static void check_octets(const char *octets, size_t len, const char *wanted)
{
	struct varbind v = {.oid = descr, .noid = 9, .type = VAR_OCTETS};
	struct buf all = {0};

	v.value.octets.p = (const uint8_t *)octets;
	v.value.octets.len = len;
	buf_puts(&all, ",index=0 sysDescr");
	buf_puts(&all, wanted);
	buf_putc(&all, '\0');
	check_row(&v, (const char *)all.data);
	buf_free(&all);
}

static void test_status(void **state)
{
	struct record r = {.host = "a, b=c", .status = RECORD_TIMEOUT, .rtt_us = -1, .tries = 3};

	(void)state;
	check(&r, "snmp,host=a\\,\\ b\\=c status=\"timeout\",tries=3i,message=\"timeout\" 0\n");
	r.host = "a\\";
	r.message = "say \"no\"\n";
	r.note = "\xff";
	r.rtt_us = 412;
	r.time_ms = INT64_MAX;
	check(&r,
	      "snmp,host_escaped=a\\x5c status=\"timeout\",rtt_ms=0.412,tries=3i,"
	      "message_escaped=\"say \\\"no\\\"\\\\x0a\",note_hex=\"ff\" 9223372036854000000\n");
	r = (struct record){.rtt_us = -1, .time_ms = INT64_MIN};
	assert_true(addr_parse("2001:db8::1", 11, &r.addr));
	check(&r, "snmp,host=2001:db8::1 status=\"ok\",tries=0i -9223372036854000000\n");
}

static void test_octets(void **state)
{
	(void)state;
	check_octets("", 0, "=\"\"");
	check_octets("a b,=\t", 6, "=\"a b,=\t\"");
	check_octets("\"\\", 2, "=\"\\\"\\\\\"");
	check_octets("\\x0a", 4, "=\"\\\\x0a\"");
	check_octets("a\nb\\x\r", 6, "_escaped=\"a\\\\x0ab\\\\x5cx\\\\x0d\"");
	check_octets("\"\nsnmp,host=other x=1i", 22,
		     "_escaped=\"\\\"\\\\x0asnmp,host=other x=1i\"");
	check_octets("a\0b", 3, "_hex=\"610062\"");
	check_octets("\xff\xfe", 2, "_hex=\"fffe\"");
}

static void test_numbers(void **state)
{
	struct varbind v = {.oid = descr, .noid = 8, .type = VAR_INTEGER, .value.i = INT32_MIN};

	(void)state;
	check_row(&v, " sysDescr=-2147483648i");
	v.type = VAR_COUNTER64;
	v.value.u = UINT64_MAX;
	check_row(&v, " sysDescr=18446744073709551615u");
	v.type = VAR_GAUGE32;
	v.value.u = UINT32_MAX;
	check_row(&v, " sysDescr=4294967295i");
	v.type = VAR_DOUBLE;
	v.value.d = 0.1;
	check_row(&v, " sysDescr=0.1");
	v.value.d = (double)NAN;
	check_row(&v, " sysDescr_special=\"NaN\"");
	v.value.d = -INFINITY;
	check_row(&v, " sysDescr_special=\"-Infinity\"");
	for (v.type = VAR_NULL; v.type < VAR_TYPE_COUNT; v.type++)
		check_row(&v, NULL);
}

/* Objects without a name, or with one that would be a field of ours. */
static void test_kinds(void **state)
{
	static const char *const taken[] = {"status", "tries", "time", "string", "with_line", ""};
	struct varbind v = {.oid = unknown, .noid = 4, .type = VAR_INTEGER, .value.i = -1};

	(void)state;
	check_row(&v, ",oid=1.3.6.2 integer=-1i");
	v.type = VAR_COUNTER64;
	v.value.u = 1;
	check_row(&v, ",oid=1.3.6.2 unsigned=1u");
	v.type = VAR_FLOAT;
	v.value.d = 1;
	check_row(&v, ",oid=1.3.6.2 float=1");
	v = (struct varbind){.oid = descr, .noid = 9, .type = VAR_OID, .value.oid = {unknown, 4}};
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		name = taken[i];
		check_row(&v, ",oid=1.3.6.1.2.1.1.1.0 string=\"1.3.6.2\"");
	}
	name = "sysDescr";
	check_row(&v, ",index=0 sysDescr=\"1.3.6.2\"");
}

static void test_labels(void **state)
{
	struct varbind l = {.type = VAR_OCTETS};
	struct varbind v = {.oid = descr, .noid = 9, .type = VAR_INTEGER, .label = &l};

	(void)state;
	l.value.octets.p = (const uint8_t *)"e, t=h\\\n";
	l.value.octets.len = 6;
	check_row(&v, ",index=0,label=e\\,\\ t\\=h sysDescr=0i");
	l.value.octets.len = 8;
	check_row(&v, ",index=0,label_escaped=e\\,\\ t\\=h\\x5c\\x0a sysDescr=0i");
	l.type = VAR_OPAQUE;
	check_row(&v, ",index=0,label_hex=652c20743d685c0a sysDescr=0i");
	l.value.octets.len = 0; /* there is no empty tag */
	check_row(&v, ",index=0 sysDescr=0i");
	l = (struct varbind){.type = VAR_INTEGER, .value.i = 7};
	check_row(&v, ",index=0,label=7 sysDescr=0i");
	l.type = VAR_NO_SUCH_OBJECT;
	check_row(&v, ",index=0 sysDescr=0i");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),  cmocka_unit_test(test_octets),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

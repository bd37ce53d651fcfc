/* prometheus: records through lines and the sorted spool to the text, exactly. Real readers read it in
 * tests/e2e/test_hostile_values.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "out/prometheus.h"
#include "snmp/mib.h"

static const struct format_options plain;

static const char *name = "ifInOctets", *label = "ifName";

/* The test's own MIB: 1.2 and 1.3, called as the test wants. */
const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used)
{
	static struct mib_object object;

	if (n < 2 || id[0] != 1 || (id[1] != 2 && id[1] != 3))
		return NULL;
	object.name = id[1] == 2 ? name : label;
	*used = 2;
	return &object;
}

static const uint32_t octets_1[] = {1, 2, 1}, octets_2[] = {1, 2, 2}, unknown[] = {1, 9, 7};
static const uint32_t name_1[] = {1, 3, 1};

struct file {
	void *state;
	struct spool_sort *sort;
	uint64_t seq; /* of the next record */
};

static struct file file_new(size_t memory)
{
	return (struct file){prometheus_begin(), spool_sort_new(memory), 0};
}

static void file_put(struct file *f, const struct record *r)
{
	struct buf lines = {0};

	prometheus_target(f->state, f->seq, r);
	prometheus_record(&lines, r, &plain);
	for (size_t at = 0; at < lines.len;) {
		uint8_t *line = lines.data + at;
		size_t len = (size_t)((uint8_t *)memchr(line, '\n', lines.len - at) - line);

		assert_true(prometheus_put(f->state, f->sort, line, len));
		at += len + 1;
	}
	f->seq++;
	buf_free(&lines);
}

static char *file_text(struct file *f)
{
	struct buf out = {0};
	struct spool_item item;
	enum spool_state state;

	while ((state = spool_sort_next(f->sort, &item)) != SPOOL_END)
		if (state == SPOOL_ITEM)
			prometheus_item(f->state, &out, &item);
	spool_sort_free(f->sort);
	prometheus_end(f->state);
	buf_putc(&out, '\0');
	return (char *)out.data;
}

static void file_check(struct file *f, const char *wanted)
{
	char *text = file_text(f);

	assert_string_equal(text, wanted);
	free(text);
}

#define UP(host) "# TYPE snmp_up gauge\nsnmp_up{host=\"" host "\"} 1\n"

/* What comes of one varbind. */
static void check_row(const struct varbind *v, const char *wanted)
{
	struct record r = {.host = "h", .rtt_us = -1, .vars = v, .nvars = 1};
	struct file f = file_new(1 << 16);
	struct buf all = {0};

	buf_puts(&all, UP("h"));
	buf_puts(&all, wanted);
	buf_putc(&all, '\0');
	file_put(&f, &r);
	file_check(&f, (const char *)all.data);
	buf_free(&all);
}

static void check_octets(const char *octets, size_t len, const char *wanted)
{
	struct varbind v = {.oid = octets_1, .noid = 3, .type = VAR_OCTETS};
	struct buf all = {0};

	v.value.octets.p = (const uint8_t *)octets;
	v.value.octets.len = len;
	buf_puts(&all,
		 "# TYPE ifInOctets_info gauge\nifInOctets_info{host=\"h\",index=\"1\",value");
	buf_puts(&all, wanted);
	buf_puts(&all, "} 1\n");
	buf_putc(&all, '\0');
	check_row(&v, (const char *)all.data);
	buf_free(&all);
}

static void test_octets(void **state)
{
	(void)state;
	check_octets("", 0, "=\"\"");
	check_octets("a{b=\"c\"} 1 \\", 12, "=\"a{b=\\\"c\\\"} 1 \\\\\"");
	check_octets("a\nb\t", 4, "=\"a\\nb\t\"");
	check_octets("a\r\n\\x", 5, "_escaped=\"a\\\\x0d\\n\\\\x5cx\"");
	check_octets("a\0b", 3, "_hex=\"610062\"");
	check_octets("\x1b[2J", 4, "_hex=\"1b5b324a\"");
	check_octets("\xff", 1, "_hex=\"ff\"");
	check_octets("\xc3\xbc", 2, "=\"\xc3\xbc\"");
}

static void test_numbers(void **state)
{
	struct varbind v = {.oid = octets_1, .noid = 2, .type = VAR_INTEGER, .value.i = -5};

	(void)state;
	check_row(&v, "# TYPE ifInOctets gauge\nifInOctets{host=\"h\",index=\"\"} -5\n");
	v.noid = 3;
	v.type = VAR_COUNTER64;
	v.value.u = UINT64_MAX;
	check_row(&v, "# TYPE ifInOctets counter\nifInOctets{host=\"h\",index=\"1\"} "
		      "18446744073709551615\n");
	v.type = VAR_DOUBLE;
	v.value.d = (double)NAN;
	check_row(&v, "# TYPE ifInOctets gauge\nifInOctets{host=\"h\",index=\"1\"} NaN\n");
	v.value.d = INFINITY;
	check_row(&v, "# TYPE ifInOctets gauge\nifInOctets{host=\"h\",index=\"1\"} +Inf\n");
	v.value.d = -INFINITY;
	check_row(&v, "# TYPE ifInOctets gauge\nifInOctets{host=\"h\",index=\"1\"} -Inf\n");
	for (v.type = VAR_NULL; v.type < VAR_TYPE_COUNT; v.type++)
		check_row(&v, "");
}

/* Names that Prometheus does not allow, and those that are ours. */
static void test_names(void **state)
{
	struct varbind v = {.oid = octets_1, .noid = 3, .type = VAR_INTEGER, .value.i = 1};

	(void)state;
	name = "5-min.load";
	check_row(&v, "# TYPE _5_min_load gauge\n_5_min_load{host=\"h\",index=\"1\"} 1\n");
	name = "snmp-up";
	check_row(&v, "# TYPE snmp_object untyped\nsnmp_object{host=\"h\",oid=\"1.2.1\"} 1\n");
	name = "ifInOctets";
	v.oid = unknown;
	check_row(&v, "# TYPE snmp_object untyped\nsnmp_object{host=\"h\",oid=\"1.9.7\"} 1\n");
	v.type = VAR_COUNTER32;
	check_row(&v, "# TYPE snmp_object untyped\nsnmp_object{host=\"h\",oid=\"1.9.7\"} 1\n");
	v = (struct varbind){
		.oid = unknown, .noid = 3, .type = VAR_OID, .value.oid = {octets_2, 3}};
	check_row(&v, "# TYPE snmp_object_info gauge\n"
		      "snmp_object_info{host=\"h\",oid=\"1.9.7\",value=\"1.2.2\"} 1\n");
}

static void test_index_labels(void **state)
{
	static const char *const taken[] = {"host", "index", "oid", "value", "if-name", "3com"};
	struct varbind l = {.oid = name_1, .noid = 3, .type = VAR_OCTETS};
	struct varbind v = {.oid = octets_1, .noid = 3, .type = VAR_INTEGER, .label = &l};

	(void)state;
	l.value.octets.p = (const uint8_t *)"e\"}\n\xff";
	l.value.octets.len = 4;
#define ROW "# TYPE ifInOctets gauge\nifInOctets{host=\"h\",index=\"1\","
	check_row(&v, ROW "ifName=\"e\\\"}\\n\"} 0\n");
	l.value.octets.len = 5;
	check_row(&v, ROW "ifName_hex=\"65227d0aff\"} 0\n");
	l.value.octets.len = 1;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		label = taken[i];
		check_row(&v, ROW "label=\"e\"} 0\n");
	}
	label = "ifName";
	l.type = VAR_NO_SUCH_INSTANCE;
	check_row(&v, "# TYPE ifInOctets gauge\nifInOctets{host=\"h\",index=\"1\"} 0\n");
}

static void test_records(void **state)
{
	struct record r = {.host = "b\"", .rtt_us = 12345678, .status = RECORD_PARTIAL};
	struct file f = file_new(1 << 16);

	(void)state;
	file_put(&f, &r);
	r.host = "a\r\xff";
	r.rtt_us = 7;
	r.status = RECORD_TIMEOUT;
	file_put(&f, &r);
	file_check(&f, "# TYPE snmp_up gauge\n"
		       "snmp_up{host=\"b\\\"\"} 1\n"
		       "snmp_up{host_hex=\"610dff\"} 0\n"
		       "# TYPE snmp_rtt_seconds gauge\n"
		       "snmp_rtt_seconds{host=\"b\\\"\"} 12.345678\n"
		       "snmp_rtt_seconds{host_hex=\"610dff\"} 0.000007\n");
	f = file_new(1 << 16);
	file_check(&f, "");
}

/* Columns of many hosts, mixed as they come; in little memory, so that they come from many runs. */
static void test_families_are_together(void **state)
{
	struct varbind v[] = {{.oid = octets_2, .noid = 3, .type = VAR_COUNTER32},
			      {.oid = unknown, .noid = 3, .type = VAR_INTEGER},
			      {.oid = octets_1, .noid = 3, .type = VAR_COUNTER32}};
	struct record r = {.rtt_us = -1, .vars = v, .nvars = 3};
	struct file f = file_new(5000);
	unsigned types = 0, samples = 0;
	char host[16], *text, *last = NULL;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(host, sizeof(host), "h%u", i * 7919 % 3000);
		r.host = host;
		file_put(&f, &r);
	}
	text = file_text(&f);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		types += *line == '#';
		samples += *line != '#';
		assert_true(!last || *line == '#' || *last == '#' || strcmp(last, line) < 0);
		last = line;
	}
	assert_int_equal(types, 3);
	assert_int_equal(samples, 3000 * 4);
	free(text);
}

static void test_types_that_differ(void **state)
{
	struct varbind v = {.oid = octets_1, .noid = 3, .type = VAR_COUNTER32, .value.u = 1};
	struct record r = {.host = "a", .rtt_us = -1, .vars = &v, .nvars = 1};
	struct file f = file_new(1 << 16);

	(void)state;
	file_put(&f, &r);
	v.type = VAR_INTEGER;
	r.host = "b";
	file_put(&f, &r);
	file_check(&f,
		   "# TYPE snmp_up gauge\nsnmp_up{host=\"a\"} 1\nsnmp_up{host=\"b\"} 1\n"
		   "# TYPE ifInOctets untyped\n"
		   "ifInOctets{host=\"a\",index=\"1\"} 1\nifInOctets{host=\"b\",index=\"1\"} 1\n");
}

/* The later target goes as a whole, though its record came first; a series that comes twice in one record
 * comes once. */
static void test_doubles(void **state)
{
	struct varbind v[] = {{.oid = octets_1, .noid = 3, .type = VAR_INTEGER, .value.i = 1},
			      {.oid = octets_1, .noid = 3, .type = VAR_INTEGER, .value.i = 2}};
	struct varbind other = {.oid = octets_2, .noid = 3, .type = VAR_INTEGER};
	struct record r = {.host = "a", .rtt_us = -1, .vars = &other, .nvars = 1};
	struct file f = file_new(1 << 16);

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	f.seq = 1000000;
	file_put(&f, &r);
	f.seq = 77;
	file_put(&f, &r);
	r.host = "c";
	r.nvars = 0;
	file_put(&f, &r);
	f.seq = 3;
	r.host = "a";
	r.vars = v;
	r.nvars = 2;
	file_put(&f, &r);
	file_check(&f, "# TYPE snmp_up gauge\nsnmp_up{host=\"a\"} 1\nsnmp_up{host=\"c\"} 1\n"
		       "# TYPE ifInOctets gauge\nifInOctets{host=\"a\",index=\"1\"} 1\n");
}

#define LINE(text) text, sizeof(text) - 1

struct line {
	const char *octets;
	size_t len;
};

static void put_line(struct file *f, const struct line *line)
{
	static const struct record r = {.host = "h"};

	prometheus_target(f->state, f->seq++, &r);
	assert_true(prometheus_put(f->state, f->sort, line->octets, line->len));
}

/* A worker's word: one line that is none of ours would cost the whole file. */
static void test_nonsense(void **state)
{
	static const struct line lines[] = {
		{LINE("")},
		{LINE("1a")},
		{LINE("1a\0")},
		{LINE("1a\0index=\"\"")},
		{LINE("1a\0index=\"\"\0")},
		{LINE("1a\0index=\"\"\0g")},
		{LINE("1a\0index=\"\"\0x1")},
		{LINE("1a\0index=\"\"\0\0001")},
		{LINE("2a\0index=\"\"\0g1")},
		{LINE("1\0index=\"\"\0g1")},
		{LINE("\0\0\0\0\0\0")},
		{LINE("1a\0\1c\0g1")},
		/* families */
		{LINE("0a\0\0g1")},
		{LINE("1snmp_up\0\0g1")}, /* a second # TYPE */
		{LINE("0snmp_up\0index=\"1\"\0g1")},
		{LINE("11a\0\0g1")},
		{LINE("1a b\0\0g1")},
		{LINE("1a\xc3\xbc\0\0g1")},
		/* labels */
		{LINE("1a\0host=\"other\"\0g1")},
		{LINE("1a\0index=\"1\",host_hex=\"6f\"\0g1")},
		{LINE("1a\0__name__=\"b\"\0g1")},
		{LINE("1a\0x=\"1\",index=\"1\"\0g1")}, /* one series in two orders */
		{LINE("1a\0value=\"1\",x=\"1\"\0g1")},
		{LINE("1a\0index=\"1\",index=\"1\"\0g1")},
		{LINE("1a\0index=\"1\",oid=\"1\"\0g1")},
		{LINE("1a\0x=\"1\",y=\"1\"\0g1")},
		{LINE("1a\0index\0g1")},
		{LINE("1a\0index=\0g1")},
		{LINE("1a\0index=1\0g1")},
		{LINE("1a\0=\"1\"\0g1")},
		{LINE("1a\0index=\"1\0g1")},
		{LINE("1a\0index=\"1\\\0g1")},
		{LINE("1a\0index=\"1\\\"\0g1")},
		{LINE("1a\0index=\"\\t\"\0g1")},
		{LINE("1a\0index=\"1\",\0g1")},
		{LINE("1a\0index=\"1\" \0g1")},
		{LINE("1a\0index=\"1\"} 1 #\0g1")},
		{LINE("1a\0index=\"\xff\"\0g1")},
		{LINE("1a\0index=\"\r\"\0g1")},
		{LINE("1a\0index=\"\x1b\"\0g1")},
		/* values */
		{LINE("1a\0\0g1 2")},
		{LINE("1a\0\0g1e")},
		{LINE("1a\0\0g-")},
		{LINE("1a\0\0g1e999")},
		{LINE("1a\0\0g0x1p1")},
		{LINE("1a\0\0ginfinity")},
		{LINE("1a\0\0gNaN1")},
		{LINE("1a\0\0g000000000000000000000000000000001")},
	};
	struct file f = file_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put_line(&f, &lines[i]);
	file_check(&f, "");
}

/* And what is none. */
static void test_sense(void **state)
{
	static const struct line lines[] = {
		{LINE("1a\0\0g-1.5e-07")},
		{LINE("1_b9\0index=\"\"\0u1")},
		{LINE("1c\0oid=\"1.2\",x=\"\\\\\\\"\\n\xc3\xbc\t\",value_hex=\"00\"\0c1")},
	};
	struct file f = file_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put_line(&f, &lines[i]);
	file_check(&f, "# TYPE _b9 untyped\n_b9{host=\"h\",index=\"\"} 1\n"
		       "# TYPE a gauge\na{host=\"h\"} -1.5e-07\n"
		       "# TYPE c counter\nc{host=\"h\",oid=\"1.2\",x=\"\\\\\\\"\\n\xc3\xbc\t\","
		       "value_hex=\"00\"} 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_index_labels),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_families_are_together),
		cmocka_unit_test(test_types_that_differ),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* fields: their names; rows of them in any order; of the formats that let one choose, the pieces are the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out/fields.h"
#include "out/format.h"
#include "out/value.h"
#include "out/writer.h"

/* What begins with 1.3.6.1 has a name. */
const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used)
{
	static const uint32_t internet[] = {1, 3, 6, 1};
	static const struct mib_object object = {.name = "internet", .module = "SNMPv2-SMI"};

	if (n < 4 || memcmp(id, internet, sizeof(internet)))
		return NULL;
	*used = 4;
	return &object;
}

/* --- names -------------------------------------------------------------------------------- */

static void test_names(void **state)
{
	struct fields f;
	char error[FIELDS_ERROR_MAX] = "", text[FIELDS_TEXT_MAX];

	(void)state;
	assert_true(fields_parse(&f, "value,host", FIELDS_ALL, error));
	assert_int_equal(f.count, 2);
	assert_int_equal(f.list[0], FIELD_VALUE);
	assert_int_equal(f.list[1], FIELD_HOST);
	assert_int_equal(f.has, FIELD(VALUE) | FIELD(HOST));
	fields_text(&f, text);
	assert_string_equal(text, "value,host");
	assert_int_equal(FIELDS_ALL | FIELD(OBJECT), FIELDS_OF_RECORD | FIELDS_OF_VAR);
	assert_int_equal(FIELDS_OF_RECORD & FIELDS_OF_VAR, 0);
}

/* All of them, in every order's worst case, have room. */
static void test_all(void **state)
{
	struct fields f;
	char error[FIELDS_ERROR_MAX], text[FIELDS_TEXT_MAX], again[FIELDS_TEXT_MAX];
	size_t len = 0;

	(void)state;
	for (unsigned i = FIELD_COUNT; i-- > 0;)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? "," : "",
					field_name((enum field)i));
	assert_true(len < sizeof(text));
	assert_true(fields_parse(&f, text, ~0u, error));
	assert_int_equal(f.count, FIELD_COUNT);
	fields_text(&f, again);
	assert_string_equal(again, text);
}

static void test_wrong_names(void **state)
{
	static const struct {
		const char *text, *error;
	} all[] = {
		{"", "there is no field '' (only "},
		{"host,", "there is no field ''"},
		{",host", "there is no field ''"},
		{"hots", "there is no field 'hots' (did you mean 'host'?)"},
		{"host,stauts", "'stauts' (did you mean 'status'?)"},
		{"HOST", "'HOST' (did you mean 'host'?)"},
		{"host,host", "field 'host' comes twice"},
		{"object", "'object' (only host,address,time,status,rtt_ms,tries,oid,name,"},
		{"host, status", "' status'"},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "x",
		 "there is no field 'xxx"},
	};
	struct fields f;
	char error[FIELDS_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_false(fields_parse(&f, all[i].text, FIELDS_ALL, error));
		if (!strstr(error, all[i].error))
			fail_msg("%s: %s", all[i].text, error);
	}
}

/* --- rows --------------------------------------------------------------------------------- */

static const uint32_t ids[] = {1, 3, 6, 1, 2, 7};
static const struct varbind label = {.type = VAR_OCTETS,
				     .value.octets = {(const uint8_t *)"eth\t0\xff", 6}};
static const struct varbind vars[] = {
	{.oid = ids, .noid = 6, .type = VAR_OCTETS, .value.octets = {(const uint8_t *)"a\t\"b", 4}},
	{.oid = ids, .noid = 4, .type = VAR_INTEGER, .value.i = -5, .label = &label},
	{.oid = ids, .noid = 2, .type = VAR_NO_SUCH_OBJECT},
	{.oid = ids, .noid = 5, .type = VAR_OCTETS, .value.octets = {(const uint8_t *)"\1\2\0", 3}},
};
#define NVARS (sizeof(vars) / sizeof(vars[0]))
static const struct record partial = {.host = "h",
				      .addr = {.family = 4, .ip = {127, 0, 0, 1}, .port = 161},
				      .status = RECORD_PARTIAL,
				      .rtt_us = 4,
				      .tries = 2,
				      .message = "partial: \"timeout\"",
				      .note = "n",
				      .vars = vars,
				      .nvars = NVARS};

static struct format_options options_of(const struct format *f, const char *fields, bool null)
{
	struct format_options o = {.null = null};
	char error[FIELDS_ERROR_MAX];

	if (*fields && !fields_parse(&o.fields, fields, f->fields, error))
		fail_msg("%s: %s", fields, error);
	return o;
}

static void check(const char *format, const char *fields, const struct record *r,
		  const char *wanted)
{
	const struct format *f = format_find(format);
	struct format_options o = options_of(f, fields, false);
	struct buf out = {0};

	f->record(&out, r, &o);
	buf_putc(&out, '\0');
	if (strcmp((char *)out.data, wanted))
		fail_msg("%s: %s", fields, (char *)out.data);
	buf_free(&out);
}

static void test_rows(void **state)
{
	struct record two = partial, none = partial, ok = partial;

	(void)state;
	two.vars = vars + 1;
	two.nvars = 2;
	none.nvars = 0;
	ok.status = RECORD_OK;
	ok.message = ok.note = NULL;
	check("csv", "value,host,type,status", &two,
	      "-5,h,INTEGER,partial\r\n,h,noSuchObject,partial\r\n");
	check("csv", "oid,message", &none, ",\"partial: \"\"timeout\"\"; n\"\r\n");
	check("csv", "index", &two, "\"\"\r\n\"\"\r\n");
	check("csv", "oid", &none, "\"\"\r\n");
	check("csv", "message", &ok, "\"\"\r\n");
	check("csv", "host,tries", &partial, "h,2\r\n");
	check("csv", "type,value", &partial,
	      "OCTET STRING,\"a\t\"\"b\"\r\nINTEGER,-5\r\nnoSuchObject,\r\nOCTET STRING "
	      "(hex),010200\r\n");
	check("text", "object,rtt_ms,label,index,name", &two,
	      "internet [0x6574680930ff]\t0.004\t0x6574680930ff\t-\tinternet\n1.3\t0.004\t-\t-\t-"
	      "\n");
	check("text", "status,message,value", &none, "partial\tpartial: \"timeout\"; n\t-\n");
	check("text", "message,address,host", &ok, "-\t127.0.0.1:161\th\n");
	check("jsonl", "status,host", &partial, "{\"host\":\"h\",\"status\":\"partial\"}\n");
	check("jsonl", "label", &two,
	      "{\"vars\":[{\"label\":\"6574680930ff\",\"label_hex\":true},{}]}\n");
	check("jsonl", "value,index,tries", &two,
	      "{\"tries\":2,\"vars\":[{\"index\":\"\",\"value\":-5},{\"index\":null,\"value\":null}"
	      "]"
	      "}\n");
	check("jsonl", "message", &partial,
	      "{\"note\":\"n\",\"message\":\"partial: \\\"timeout\\\"\"}\n");
	check("jsonl", "message", &ok, "{}\n");
	check("jsonl", "message,oid", &none,
	      "{\"vars\":[],\"note\":\"n\",\"message\":\"partial: \\\"timeout\\\"\"}\n");
}

/* Lines end with a NUL, and text is as it is but for what would end it. */
static void test_null(void **state)
{
	static const struct varbind v = {.oid = ids,
					 .noid = 2,
					 .type = VAR_OCTETS,
					 .value.octets = {(const uint8_t *)"\\x\t\n0", 5}};
	struct record r = {.host = "a\nb\xff\x1b", .rtt_us = -1, .vars = &v, .nvars = 1};
	static const char wanted[] = "a\nb\xff\\x1b\t1.3\tOCTET STRING\t\\x\t\n0";
	const struct format *f = format_find("text");
	struct format_options o = options_of(f, "", true);
	struct buf out = {0};

	(void)state;
	f->record(&out, &r, &o);
	assert_int_equal(out.len, sizeof(wanted));
	assert_memory_equal(out.data, wanted, sizeof(wanted));
	buf_free(&out);
}

/* --- pieces ------------------------------------------------------------------------------- */

static unsigned dice = 1;

static unsigned throw(unsigned sides)
{
	dice = dice * 1103515245 + 12345;
	return dice / 65536 % sides;
}

/* Some of what f knows, in some order. */
static void choose(const struct format *f, char text[FIELDS_TEXT_MAX])
{
	unsigned count = throw(FIELD_COUNT);
	uint32_t has = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		unsigned field = throw(FIELD_COUNT);

		if (has >> field & 1 || !(f->fields >> field & 1))
			continue;
		has |= 1u << field;
		if (*text)
			strcat(text, ",");
		strcat(text, field_name((enum field)field));
	}
}

/* `ahead` rows come before it is over, in pieces of some octets. */
static void bring(struct layout *l, const struct format *f, const struct format_options *o,
		  size_t ahead)
{
	struct record r = partial;
	struct buf front = {0}, rows = {0};
	size_t at = 0, n;

	r.nvars = ahead;
	f->rows(&rows, &r, o);
	r.vars += ahead;
	r.nvars = NVARS - ahead;
	r.ahead = ahead;
	if (f->front)
		f->front(&front, &r, o);
	f->rows(&rows, &r, o);
	f->rest(&rows, &r, o);
	assert_true(layout_begin(l, 0, &r, front.data, front.len));
	for (; (n = 1 + throw(40)) < rows.len - at; at += n)
		assert_true(layout_part(l, rows.data + at, n));
	assert_true(layout_end(l, rows.data + at, rows.len - at));
	buf_free(&front);
	buf_free(&rows);
}

static void check_pieces(const struct format *f, const char *fields, const char *path)
{
	struct format_options o = options_of(f, fields, f->null && throw(2));
	struct writer_options w = {.path = path};
	enum writer_result result;
	char head[FORMAT_HEAD_MAX], got[65536];
	struct layout_config config = format_layout(f, &o, head);
	struct writer *writer = writer_open(&w, &result);
	struct layout *l = layout_new(&config, writer);
	struct buf wanted = {0};
	int fd;

	if (config.head)
		buf_puts(&wanted, config.head);
	for (size_t ahead = 0; ahead <= NVARS; ahead++) {
		f->record(&wanted, &partial, &o);
		bring(l, f, &o, ahead);
	}
	assert_int_equal(writer_flush(writer, true), WRITER_OK);
	assert_int_equal(writer_commit(writer), WRITER_OK);
	writer_free(writer);
	layout_free(l);
	fd = open(path, O_RDONLY);
	if (read(fd, got, sizeof(got)) != (ssize_t)wanted.len ||
	    memcmp(got, wanted.data, wanted.len) != 0)
		fail_msg("%s %s: %.*s", f->name, fields, (int)wanted.len, (char *)wanted.data);
	close(fd);
	buf_free(&wanted);
}

static void test_pieces(void **state)
{
	char path[] = "/tmp/test-fields-XXXXXX", fields[FIELDS_TEXT_MAX];

	(void)state;
	close(mkstemp(path));
	for (unsigned i = 0; format_at(i); i++) {
		if (!format_at(i)->fields)
			continue;
		for (unsigned times = 0; times < 300; times++) {
			choose(format_at(i), fields);
			check_pieces(format_at(i), fields, path);
		}
	}
	unlink(path);
}

/* A row's octets with its mark are so many that the master believes it. */
static void test_marks_have_octets(void **state)
{
	const struct format *f = format_find("csv");
	struct format_options o = options_of(f, "label,status,index,host,value", false);
	struct buf rows = {0};
	unsigned marks = 0;

	(void)state;
	f->rows(&rows, &partial, &o);
	for (size_t i = 0; i < rows.len; i++)
		marks += rows.data[i] == VALUE_MARK;
	assert_int_equal(marks, 3 * NVARS);
	assert_true(marks <= rows.len / VALUE_MARK_LEAST);
	buf_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_marks_have_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

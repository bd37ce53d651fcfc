/* format: every row can be found by its name, and gives one whole record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "out/format.h"
#include "out/value.h"
#include "snmp/mib.h"

static const struct format_options plain;

const struct mib_object *mib_find(const uint32_t *id, size_t n, size_t *used)
{
	(void)id;
	(void)n;
	(void)used;
	return NULL;
}

static void test_find(void **state)
{
	(void)state;
	assert_string_equal(format_find("text")->name, "text");
	assert_string_equal(format_find("jsonl")->name, "jsonl");
	assert_string_equal(format_find("csv")->name, "csv");
	assert_string_equal(format_find("prometheus")->name, "prometheus");
	assert_string_equal(format_find("influx")->name, "influx");
	assert_null(format_find("json"));
	assert_null(format_find("jsonlines"));
	assert_null(format_find("TEXT"));
	assert_null(format_find(""));
}

static void test_rows(void **state)
{
	struct record r = {.host = "h", .status = RECORD_TIMEOUT, .rtt_us = -1, .message = "m"};
	unsigned rows = 0;

	(void)state;
	for (const struct format *f; (f = format_at(rows)); rows++) {
		struct buf out = {0};

		assert_ptr_equal(format_find(f->name), f);
		f->record(&out, &r, &plain);
		assert_int_equal(out.data[out.len - 1], '\n');
		if (f->layout.sorted ==
		    NULL) /* it has no word for it, but says that it is not up */
			assert_non_null(memmem(out.data, out.len, "timeout", 7));
		buf_free(&out);
	}
	assert_int_equal(rows, 5);
	assert_null(format_at(rows));
	assert_null(format_at(1000));
	assert_string_equal(format_at(0)->name, "text"); /* the default stands first */
}

/* Octets from `from` on, with what stands around each row in the place of the marks: what layout does. */
static void put_around(struct buf *out, const struct buf *front, const struct buf *rows)
{
	const uint8_t *mark = memchr(front->data, VALUE_MARK, front->len);
	size_t before = (size_t)(mark - front->data);
	bool in_row = false;

	assert_non_null(mark);
	for (size_t i = 0; i <= rows->len; i++) {
		if (i < rows->len && rows->data[i] != VALUE_MARK) {
			buf_putc(out, (char)rows->data[i]);
			continue;
		}
		if (in_row)
			buf_put(out, mark + 1, front->len - before - 1);
		if (i < rows->len)
			buf_put(out, front->data, before);
		in_row = true;
	}
}

/* The record as the master would put it together of its pieces, `ahead` rows at first. */
static void put_pieces(struct buf *out, const struct format *f, struct record r, size_t ahead)
{
	struct buf front = {0}, rows = {0};
	size_t nvars = r.nvars;

	r.nvars = ahead;
	f->rows(&rows, &r, &plain);
	r.vars += ahead;
	r.nvars = nvars - ahead;
	r.ahead = ahead;
	if (f->front)
		f->front(&front, &r, &plain);
	f->rows(&rows, &r, &plain);
	f->rest(&rows, &r, &plain);
	if (f->layout.around) {
		put_around(out, &front, &rows);
	} else {
		buf_put(out, front.data, front.len);
		buf_put(out, rows.data, rows.len);
	}
	buf_free(&front);
	buf_free(&rows);
}

/* Of every format: the pieces are the record, however many rows went ahead. */
static void test_pieces(void **state)
{
	static const uint32_t oid[] = {1, 3, 6};
	struct varbind v[3] = {{.oid = oid, .noid = 3, .type = VAR_INTEGER, .value.i = -1},
			       {.oid = oid, .noid = 2, .type = VAR_NULL},
			       {.oid = oid, .noid = 1, .type = VAR_COUNTER64, .value.u = 7}};
	struct record r = {.host = "h",
			   .status = RECORD_PARTIAL,
			   .rtt_us = 4,
			   .message = "m",
			   .note = "n",
			   .vars = v,
			   .nvars = 3};

	(void)state;
	for (unsigned i = 0; format_at(i); i++) {
		const struct format *f = format_at(i);
		struct buf whole = {0};

		f->record(&whole, &r, &plain);
		for (size_t ahead = 0; ahead <= 3; ahead++) {
			struct buf pieces = {0};

			put_pieces(&pieces, f, r, ahead);
			assert_int_equal(pieces.len, whole.len);
			assert_memory_equal(pieces.data, whole.data, whole.len);
			buf_free(&pieces);
		}
		buf_free(&whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* format: every row can be found by its name, and gives one whole record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "out/format.h"
#include "snmp/mib.h"

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
		f->record(&out, &r);
		assert_int_equal(out.data[out.len - 1], '\n');
		assert_non_null(memmem(out.data, out.len, "timeout", 7));
		buf_free(&out);
	}
	assert_int_equal(rows, 2);
	assert_null(format_at(rows));
	assert_null(format_at(1000));
	assert_string_equal(format_at(0)->name, "text"); /* the default stands first */
}

/* Of every format: the three pieces are the record. */
static void test_pieces(void **state)
{
	static const uint32_t oid[] = {1, 3, 6};
	struct varbind v[2] = {{.oid = oid, .noid = 3, .type = VAR_NULL},
			       {.oid = oid, .noid = 2, .type = VAR_NULL}};
	struct record r = {.host = "h",
			   .status = RECORD_PARTIAL,
			   .rtt_us = 4,
			   .message = "m",
			   .note = "n",
			   .vars = v,
			   .nvars = 2};

	(void)state;
	for (unsigned i = 0; format_at(i); i++) {
		const struct format *f = format_at(i);
		struct buf whole = {0}, pieces = {0};

		f->record(&whole, &r);
		if (f->front)
			f->front(&pieces, &r);
		f->rows(&pieces, &r);
		f->rest(&pieces, &r);
		assert_int_equal(pieces.len, whole.len);
		assert_memory_equal(pieces.data, whole.data, whole.len);
		buf_free(&whole);
		buf_free(&pieces);
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

/*
 * explain: what a worker packs is what is read back, and nothing that a worker could write instead does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vars.h"
#include "cli/explain_finding.h"

static const struct addr first = {.family = 4, .ip = {192, 0, 2, 1}, .port = 161};
static const struct addr second = {.family = 4, .ip = {192, 0, 2, 2}, .port = 161};
static const uint8_t engine_id[] = {0x80, 0, 0x1f, 0x88, 5};
static const uint8_t verdicts[] = {RECORD_UNREACHABLE};

static void put_rows(struct vars *vars)
{
	static const uint32_t descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0}, gone[] = {1, 3, 6, 1, 99, 0};

	vars_add(vars, &(struct varbind){.oid = descr,
					 .noid = 9,
					 .type = VAR_OCTETS,
					 .value.octets = {(const uint8_t *)"a\tb\x1b", 4}});
	vars_add(vars, &(struct varbind){.oid = gone, .noid = 6, .type = VAR_NO_SUCH_OBJECT});
}

static void pack(struct buf *out)
{
	struct addr addrs[] = {first, second};
	struct cause cause = {.kind = CAUSE_ADDRESS, .number = -7, .from = first};
	struct vars vars = {0};
	struct record r = {.addr = second,
			   .status = RECORD_PARTIAL,
			   .rtt_us = 1500,
			   .tries = 3,
			   .ahead = 10,
			   .message = "timeout: no answer",
			   .engine_id = engine_id,
			   .engine_id_len = sizeof(engine_id),
			   .cause = &cause,
			   .addrs = addrs,
			   .verdicts = verdicts,
			   .naddrs = 2,
			   .asked = 2};

	put_rows(&vars);
	r.vars = vars.list;
	r.nvars = vars.count;
	finding_format.record(out, &r, NULL);
	vars_free(&vars);
}

static void test_round_trip(void **state)
{
	struct buf out = {0};
	struct finding f;

	(void)state;
	pack(&out);
	assert_int_equal(out.data[out.len - 1], '\n'); /* as the master wants a record's end */
	assert_true(finding_unpack(&f, out.data, out.len));
	assert_int_equal(f.status, RECORD_PARTIAL);
	assert_int_equal(f.cause.kind, CAUSE_ADDRESS);
	assert_int_equal(f.cause.number, -7);
	assert_true(addr_equal(&f.cause.from, &first) && addr_equal(&f.addr, &second));
	assert_int_equal(f.naddrs, 2);
	assert_int_equal(f.asked, 2);
	assert_true(addr_equal(&f.addrs[0], &first));
	assert_int_equal(f.verdicts[0], RECORD_UNREACHABLE);
	assert_int_equal(f.verdicts[1], RECORD_PARTIAL);
	assert_int_equal(f.rtt_us, 1500);
	assert_int_equal(f.nvars, 12);
	assert_int_equal(f.missing, 1);
	assert_memory_equal(f.engine_id, engine_id, sizeof(engine_id));
	assert_string_equal(f.message, "timeout: no answer");
	assert_string_equal(f.rows, "1.3.6.1.99.0\tnoSuchObject\t-\n"
				    "sysDescr.0\tOCTET STRING\ta\\x09b\\x1b\n");
	buf_free(&out);
}

/* The master's own: no worker saw it. */
static void test_without_cause(void **state)
{
	struct record r = {.status = RECORD_RESOLVE, .rtt_us = -1, .message = "no address"};
	struct buf out = {0};
	struct finding f;

	(void)state;
	finding_format.record(&out, &r, NULL);
	assert_true(finding_unpack(&f, out.data, out.len));
	assert_int_equal(f.cause.kind, CAUSE_NONE);
	assert_int_equal(f.naddrs, 0);
	assert_int_equal(f.addr.family, 0);
	assert_int_equal(f.rtt_us, -1);
	buf_free(&out);
}

/* A worker that was taken over: every octet another, every length; it is refused, or in bounds. */
static void test_any(void **state)
{
	struct buf out = {0};
	struct finding f;

	(void)state;
	pack(&out);
	for (size_t len = 0; len + 1 < out.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, out.data, len);
		assert_false(finding_unpack(&f, copy, len));
		free(copy);
	}
	for (size_t i = 0; i < out.len; i++) {
		uint8_t was = out.data[i];

		for (unsigned v = 0; v < 256; v++) {
			out.data[i] = (uint8_t)v;
			if (!finding_unpack(&f, out.data, out.len))
				continue;
			assert_true(f.status < RECORD_STATUS_COUNT && f.cause.kind < CAUSE_COUNT);
			assert_true(f.naddrs <= TASK_ADDRS_MAX && f.asked <= f.naddrs);
			assert_true(f.engine_id_len <= ENGINE_ID_MAX);
			assert_non_null(memchr(f.message, 0, sizeof(f.message)));
			assert_non_null(memchr(f.rows, 0, sizeof(f.rows)));
		}
		out.data[i] = was;
	}
	buf_free(&out);
}

/* Values of any length: the rows shown stay in bounds, and whole. */
static void test_large(void **state)
{
	static uint8_t text[60000];
	static const uint32_t descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};
	struct record r = {.status = RECORD_OK, .rtt_us = 1};
	struct vars vars = {0};
	struct buf out = {0};
	struct finding f;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 20; i++)
		vars_add(&vars, &(struct varbind){.oid = descr,
						  .noid = 9,
						  .type = VAR_OCTETS,
						  .value.octets = {text, sizeof(text)}});
	r.vars = vars.list;
	r.nvars = vars.count;
	finding_format.record(&out, &r, NULL);
	assert_true(out.len < 4096);
	assert_true(finding_unpack(&f, out.data, out.len));
	assert_int_equal(f.nvars, 20);
	assert_non_null(strstr(f.rows, "sysDescr.0\tOCTET STRING\txxx"));
	assert_true(f.octets > 20 * sizeof(text));
	vars_free(&vars);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_without_cause),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

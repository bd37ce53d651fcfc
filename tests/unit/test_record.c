/* record: names of verdicts, and the head's wire form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/record.h"

static void test_every_status_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RECORD_STATUS_COUNT; i++) {
		assert_non_null(record_status_name(i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(record_status_name(i), record_status_name(j));
	}
	assert_string_equal(record_status_name(RECORD_CANCELLED), "cancelled");
}

static void test_head(void **state)
{
	struct record_head h = {
		.seq = UINT64_C(0x0102030405060708),
		.lease = 0xdeadbeef,
		.status = RECORD_CANCELLED,
		.tries = 3,
		.rtt_us = -1,
	};
	uint8_t octets[RECORD_HEAD_PACKED];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct record_head back;

	(void)state;
	record_head_pack(&h, &w);
	assert_false(w.full);
	assert_ptr_equal(w.at, w.end);
	for (size_t have = 0; have <= sizeof(octets); have++) {
		struct wire_in r = {.at = octets, .end = octets + have};

		assert_int_equal(record_head_unpack(&back, &r), have == sizeof(octets));
	}
	assert_true(back.seq == h.seq && back.rtt_us == -1);
	assert_int_equal(back.lease, h.lease);
	assert_int_equal(back.status, h.status);
	assert_int_equal(back.tries, h.tries);
}

static void test_head_with_a_status_of_its_own(void **state)
{
	(void)state;
	for (unsigned status = 0; status < 256; status++) {
		struct record_head h = {.status = (uint8_t)status}, back;
		uint8_t octets[RECORD_HEAD_PACKED];
		struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
		struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};

		record_head_pack(&h, &w);
		assert_int_equal(record_head_unpack(&back, &r), status < RECORD_STATUS_COUNT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_status_has_a_name),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_head_with_a_status_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

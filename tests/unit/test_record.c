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
	assert_string_equal(record_status_name(RECORD_LOST), "lost");
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

/* Of each length; cut anywhere; longer than it may be. */
static void test_head_with_an_engine_id(void **state)
{
	struct record_head h = {.seq = 7, .addr = {.family = 6, .port = 161, .zone = 3}}, back;
	uint8_t octets[RECORD_HEAD_PACKED_MAX + 300];
	struct wire_in r = {.at = octets};

	(void)state;
	memset(h.addr.ip, 0xfe, sizeof(h.addr.ip));
	for (unsigned len = 1; len <= ENGINE_ID_MAX; len++) {
		struct wire_out w = {.at = octets, .end = octets + RECORD_HEAD_PACKED_MAX};

		h.engine_id_len = (uint8_t)len;
		memset(h.engine_id, (int)len, len);
		record_head_pack(&h, &w);
		assert_false(w.full);
		for (r.end = octets; r.end <= w.at; r.end++) {
			r.at = octets;
			r.bad = false;
			assert_int_equal(record_head_unpack(&back, &r), r.end == w.at);
		}
		assert_ptr_equal(r.at, w.at);
		assert_int_equal(back.engine_id_len, len);
		assert_memory_equal(back.engine_id, h.engine_id, len);
		assert_true(addr_equal(&back.addr, &h.addr));
		assert_int_equal(w.at - octets,
				 RECORD_HEAD_PACKED_MAX - LEARNT_PACKED_MAX - ENGINE_ID_MAX + len);
	}
}

/* With and without an engine ID to compare; cut anywhere. */
static void test_head_with_something_learnt(void **state)
{
	struct record_head back, h = {.learns = true,
				      .engine_id_len = ENGINE_ID_MAX,
				      .addr = {.family = 4},
				      .learnt = {.clocked = true,
						 .timed = true,
						 .silent = 9,
						 .engine_id_len = ENGINE_ID_MAX}};
	uint8_t octets[RECORD_HEAD_PACKED_MAX];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
		struct wire_in r = {.at = octets};

		record_head_pack(&h, &w);
		assert_int_equal(w.at == w.end, i == 0); /* RECORD_HEAD_PACKED_MAX is exact */
		for (r.end = octets; r.end <= w.at; r.end++) {
			struct wire_in cut = r;

			assert_int_equal(record_head_unpack(&back, &cut), r.end == w.at);
		}
		assert_true(back.learns && back.learnt.clocked);
		assert_int_equal(back.learnt.silent, 9);
		h.engine_id_len = 0;
	}
	for (unsigned learns = 0; learns < 256; learns++) {
		struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
		struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};

		memset(octets, 0, sizeof(octets));
		record_head_pack(&(struct record_head){0}, &w);
		w.at[-2] = (uint8_t)learns;
		assert_int_equal(record_head_unpack(&back, &r), learns < 2);
	}
}

/* What record_head_pack() does not make: an ID of that length, an address of that family. */
static bool engine_taken(uint8_t len, uint8_t family)
{
	static const uint8_t zeros[UINT8_MAX];
	uint8_t octets[RECORD_HEAD_PACKED + UINT8_MAX + 23];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets};
	struct record_head h = {.seq = 1}, back;

	record_head_pack(&h, &w);
	w.at[-1] = len;
	wire_put_bytes(&w, zeros, len);
	wire_put_u8(&w, family);
	wire_put_bytes(&w, zeros, 16 + 4 + 2);
	r.end = w.at;
	return record_head_unpack(&back, &r);
}

static void test_engine_id_out_of_bounds(void **state)
{
	(void)state;
	for (unsigned len = 1; len < 256; len++)
		assert_int_equal(engine_taken((uint8_t)len, 4), len <= ENGINE_ID_MAX);
	for (unsigned family = 0; family < 256; family++)
		assert_int_equal(engine_taken(12, (uint8_t)family), family == 4 || family == 6);
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
		cmocka_unit_test(test_head_with_an_engine_id),
		cmocka_unit_test(test_head_with_something_learnt),
		cmocka_unit_test(test_engine_id_out_of_bounds),
		cmocka_unit_test(test_head_with_a_status_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

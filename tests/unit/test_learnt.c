/* learnt: RFC 6298's arithmetic against values worked out by hand; the wire form cut, lied about and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/learnt.h"

static void assert_times(const struct learnt *l, uint32_t srtt_us, uint32_t rttvar_us)
{
	assert_true(l->timed);
	assert_int_equal(l->srtt_us, srtt_us);
	assert_int_equal(l->rttvar_us, rttvar_us);
}

/* §2.2: SRTT = R, RTTVAR = R/2. §2.3: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R| with the old SRTT, then
 * SRTT = 7/8 SRTT + 1/8 R. */
static void test_samples(void **state)
{
	struct learnt l = {0};

	(void)state;
	learnt_rtt(&l, 100000);
	assert_times(&l, 100000, 50000);
	learnt_rtt(&l, 180000); /* 37,500 + 20,000; 87,500 + 22,500 */
	assert_times(&l, 110000, 57500);
	learnt_rtt(&l, 30000); /* 43,125 + 20,000; 96,250 + 3,750 */
	assert_times(&l, 100000, 63125);
	for (int i = 0; i < 100; i++)
		learnt_rtt(&l, 40000);
	assert_in_range(l.srtt_us, 40000, 40010); /* it rounds down, never up */
	assert_in_range(l.rttvar_us, 0, 10);
}

static void test_samples_out_of_bounds(void **state)
{
	struct learnt l = {0};

	(void)state;
	learnt_rtt(&l, -5);
	assert_times(&l, 0, 0);
	learnt_rtt(&l, INT64_MAX);
	assert_times(&l, LEARNT_RTT_MAX / 8, LEARNT_RTT_MAX / 4);
	for (int i = 0; i < 1000; i++)
		learnt_rtt(&l, i % 2 ? INT64_MAX : 0);
	assert_true(l.srtt_us <= LEARNT_RTT_MAX && l.rttvar_us <= LEARNT_RTT_MAX);
}

/* §2: RTO = SRTT + max(G, 4 RTTVAR), between the floor and what was configured. */
static void test_wait(void **state)
{
	struct learnt l = {0};

	(void)state;
	assert_int_equal(learnt_wait_us(&l, 1000000), 1000000); /* nothing is known */
	learnt_rtt(&l, 100000);
	assert_int_equal(learnt_wait_us(&l, 1000000), 300000); /* 100 + 4 * 50 ms */
	assert_int_equal(learnt_wait_us(&l, 250000), 250000);
	l = (struct learnt){.timed = true, .srtt_us = 300000, .rttvar_us = 249};
	assert_int_equal(learnt_wait_us(&l, 1000000), 301000); /* G */
	l.rttvar_us = 251;
	assert_int_equal(learnt_wait_us(&l, 1000000), 301004);
	l = (struct learnt){.timed = true, .srtt_us = 900};
	assert_int_equal(learnt_wait_us(&l, 1000000), LEARNT_FLOOR_US);
	assert_int_equal(learnt_wait_us(&l, 150000), 150000); /* the ceiling is below the floor */
	l = (struct learnt){.timed = true, .srtt_us = LEARNT_RTT_MAX, .rttvar_us = LEARNT_RTT_MAX};
	assert_int_equal(learnt_wait_us(&l, INT64_MAX), INT64_C(5) * LEARNT_RTT_MAX);
}

static struct learnt full(void)
{
	struct learnt l = {.stamp_us = INT64_C(0x0102030405060708),
			   .boots = LEARNT_CLOCK_MAX,
			   .time_s = LEARNT_CLOCK_MAX - 1,
			   .srtt_us = LEARNT_RTT_MAX,
			   .rttvar_us = 7,
			   .engine_id_len = ENGINE_ID_MAX,
			   .address = 3,
			   .silent = 200,
			   .clocked = true,
			   .timed = true};

	memset(l.engine_id, 0xe9, sizeof(l.engine_id));
	return l;
}

static void test_silence(void **state)
{
	struct learnt l = full();

	(void)state;
	learnt_silence(&l);
	assert_int_equal(l.silent, 201);
	assert_int_equal(l.address, 3);
	assert_false(l.timed || l.clocked || l.engine_id_len);
	for (int i = 0; i < 300; i++)
		learnt_silence(&l);
	assert_int_equal(l.silent, 255);
}

static void assert_same(const struct learnt *a, const struct learnt *b)
{
	assert_true(a->stamp_us == b->stamp_us);
	assert_int_equal(a->boots, b->boots);
	assert_int_equal(a->time_s, b->time_s);
	assert_int_equal(a->srtt_us, b->srtt_us);
	assert_int_equal(a->rttvar_us, b->rttvar_us);
	assert_int_equal(a->engine_id_len, b->engine_id_len);
	assert_memory_equal(a->engine_id, b->engine_id, ENGINE_ID_MAX);
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->silent, b->silent);
	assert_int_equal(a->clocked, b->clocked);
	assert_int_equal(a->timed, b->timed);
}

/* There and back, and cut anywhere. */
static size_t assert_travels(const struct learnt *l)
{
	uint8_t octets[LEARNT_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct learnt back;

	learnt_pack(l, &w);
	assert_false(w.full);
	for (uint8_t *end = octets; end <= w.at; end++) {
		struct wire_in r = {.at = octets, .end = end};

		assert_int_equal(learnt_unpack(&back, &r), end == w.at);
	}
	assert_same(l, &back);
	return (size_t)(w.at - octets);
}

static void test_there_and_back(void **state)
{
	struct learnt l = full();

	(void)state;
	assert_int_equal(assert_travels(&l), LEARNT_PACKED_MAX); /* which is exact */
	assert_int_equal(assert_travels(&(struct learnt){0}), 4);
	assert_int_equal(assert_travels(&(struct learnt){.silent = 255}), 4);
	assert_int_equal(
		assert_travels(&(struct learnt){.engine_id_len = 5, .engine_id = {1, 2, 3, 4, 5}}),
		9);
	assert_int_equal(assert_travels(&(struct learnt){.timed = true, .srtt_us = 1}), 12);
}

static bool taken(const struct learnt *l)
{
	uint8_t octets[LEARNT_PACKED_MAX + 300];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets};
	struct learnt back;

	learnt_pack(l, &w);
	r.end = w.at;
	return learnt_unpack(&back, &r);
}

static void test_out_of_bounds(void **state)
{
	struct learnt l = full();
	uint8_t octets[LEARNT_PACKED_MAX] = {0};

	(void)state;
	assert_true(taken(&l));
	for (unsigned len = 0; len <= ENGINE_ID_MAX; len++) {
		l.engine_id_len = (uint8_t)len;
		assert_int_equal(taken(&l), len >= 5);
	}
	l = (struct learnt){.engine_id_len = 0};
	assert_true(taken(&l));
	l.clocked = true; /* of no engine */
	assert_false(taken(&l));
	l = full();
	l.srtt_us = LEARNT_RTT_MAX + 1;
	assert_false(taken(&l));
	l = full();
	l.rttvar_us = UINT32_MAX;
	assert_false(taken(&l));
	l = full();
	l.boots = LEARNT_CLOCK_MAX + 1u;
	assert_false(taken(&l));
	l = full();
	l.time_s = UINT32_MAX;
	assert_false(taken(&l));
	l = full();
	l.stamp_us = -1;
	assert_false(taken(&l));
	for (unsigned has = 0; has < 256; has++) { /* zeros behind it: a clock without an engine */
		struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};
		struct learnt back;

		octets[0] = (uint8_t)has;
		assert_int_equal(learnt_unpack(&back, &r), has < 2);
	}
	for (unsigned len = ENGINE_ID_MAX + 1; len < 256; len++) { /* no octets of it are read */
		uint8_t lie[300] = {0, 0, 0, (uint8_t)len};
		struct wire_in r = {.at = lie, .end = lie + sizeof(lie)};
		struct learnt back;

		assert_false(learnt_unpack(&back, &r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),        cmocka_unit_test(test_samples_out_of_bounds),
		cmocka_unit_test(test_wait),           cmocka_unit_test(test_silence),
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* inflight: against a model, with ids that collide and wrap, and what a request leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "snmp/inflight.h"

#define SLOTS      40
#define TRIES      12
#define OPERATIONS 40000

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8 ^ *seed << 20;
}

static uint32_t crowd_seed;

/* Ids whose low bits lie around the end of a table of any size: long runs that wrap, and repeats. */
static void crowded_random(void *p, size_t len)
{
	uint32_t *ids = p;

	for (size_t i = 0; i < len / sizeof(*ids); i++) {
		uint32_t r = next_random(&crowd_seed);

		ids[i] = (r & 0x00f00000) | ((r % 2 ? 0xffffd : 0) + r / 2 % 3) | r << 31;
		if (r % 3)
			ids[i] |= 0x10000000u * (r / 8 % 8);
	}
}

struct model_slot {
	bool taken;
	uint32_t ids[TRIES];
	int64_t sent_us[TRIES];
	unsigned tries;
};

static bool model_has(const struct model_slot *slots, uint32_t id)
{
	for (int s = 0; s < SLOTS; s++) {
		for (unsigned t = 0; t < slots[s].tries; t++) {
			if (slots[s].ids[t] == id)
				return true;
		}
	}
	return false;
}

static void assert_same(const struct inflight *f, const struct model_slot *slots)
{
	struct inflight_hit hit;

	for (uint32_t s = 0; s < SLOTS; s++) {
		for (unsigned t = 0; t < slots[s].tries; t++) {
			assert_true(inflight_find(f, slots[s].ids[t], &hit));
			assert_int_equal(hit.slot, s);
			assert_true(hit.sent_us == slots[s].sent_us[t]);
			assert_int_equal(hit.newest, t + 1 == slots[s].tries);
		}
		if (slots[s].taken)
			assert_int_equal(inflight_tries(f, s), slots[s].tries);
	}
}

static void random_operation(struct inflight *f, struct model_slot *slots, uint32_t *seed)
{
	uint32_t s = next_random(seed) % SLOTS, id;
	struct model_slot *m = &slots[s];

	switch (next_random(seed) % 8) {
	case 0:
		s = inflight_take(f);
		if (s != INFLIGHT_NONE) {
			assert_false(slots[s].taken);
			slots[s].taken = true;
		}
		break;
	case 1:
		if (m->taken) {
			struct inflight_hit hit;
			struct model_slot old = *m;

			inflight_release(f, s, false);
			*m = (struct model_slot){.taken = false};
			for (unsigned t = 0; t < old.tries; t++)
				assert_false(inflight_find(f, old.ids[t], &hit));
		}
		break;
	case 2:
		if (m->tries) {
			inflight_drop(f, s);
			m->tries--;
		}
		break;
	default:
		if (m->taken && m->tries < TRIES) {
			m->sent_us[m->tries] = (int64_t)next_random(seed);
			id = inflight_add(f, s, m->sent_us[m->tries]);
			assert_true(id >= INFLIGHT_ID_MIN && id < INFLIGHT_ID_END);
			assert_false(model_has(slots, id));
			m->ids[m->tries++] = id;
		}
	}
}

static void run_model(inflight_random_fn random)
{
	struct inflight *f = inflight_new(SLOTS, random);
	struct model_slot slots[SLOTS] = {{0}};
	uint32_t seed = 20240229;

	for (int n = 0; n < OPERATIONS; n++) {
		random_operation(f, slots, &seed);
		if (n % 16 == 0)
			assert_same(f, slots);
	}
	inflight_free(f);
}

static void test_against_the_model(void **state)
{
	(void)state;
	run_model(inflight_system_random);
}

static void test_ids_that_collide_and_wrap(void **state)
{
	(void)state;
	crowd_seed = 7;
	run_model(crowded_random);
}

static uint32_t script[64];

static void scripted_random(void *p, size_t len)
{
	assert_int_equal(len, sizeof(script));
	memcpy(p, script, len); /* drawn from the end */
}

/* BER would shorten smaller ids, the sign bit is not ours, and 0 means "none" in the table. */
static void test_ids_have_four_octets(void **state)
{
	struct inflight *f = inflight_new(2, scripted_random);
	uint32_t slot = inflight_take(f);

	(void)state;
	memset(script, 0, sizeof(script));
	script[63] = 1;
	script[62] = INFLIGHT_ID_MIN - 1;
	script[61] = 0x80000000 | (INFLIGHT_ID_MIN - 1);
	script[60] = INFLIGHT_ID_MIN;
	script[59] = INFLIGHT_ID_MIN; /* out already */
	script[58] = UINT32_MAX;
	script[57] = 0x80000000 | INFLIGHT_ID_MIN; /* out already, without its sign */
	script[56] = 0x12345678;
	assert_int_equal(inflight_add(f, slot, 0), INFLIGHT_ID_MIN);
	assert_int_equal(inflight_add(f, slot, 0), INFLIGHT_ID_END - 1);
	assert_int_equal(inflight_add(f, slot, 0), 0x12345678);
	inflight_free(f);
}

static void test_system_ids_differ(void **state)
{
	struct inflight *a = inflight_new(1, inflight_system_random);
	struct inflight *b = inflight_new(1, inflight_system_random);
	uint32_t top = 0, low = UINT32_MAX;

	(void)state;
	inflight_take(a);
	inflight_take(b);
	for (int i = 0; i < 1000; i++) {
		uint32_t id = inflight_add(a, 0, 0);

		assert_int_not_equal(id, inflight_add(b, 0, 0));
		top = id > top ? id : top;
		low = id < low ? id : low;
	}
	assert_true(top > INFLIGHT_ID_END / 8 * 7 && low < INFLIGHT_ID_END / 8);
	inflight_free(a);
	inflight_free(b);
}

static void test_slots_rest_as_long_as_possible(void **state)
{
	struct inflight *f = inflight_new(4, inflight_system_random);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(inflight_take(f), i);
	assert_int_equal(inflight_take(f), INFLIGHT_NONE);
	inflight_release(f, 2, true);
	inflight_release(f, 0, true);
	inflight_release(f, 3, true);
	assert_int_equal(inflight_take(f), 2);
	inflight_release(f, 2, false);
	assert_int_equal(inflight_take(f), 0);
	assert_int_equal(inflight_take(f), 3);
	assert_int_equal(inflight_take(f), 2);
	assert_int_equal(inflight_take(f), INFLIGHT_NONE);
	inflight_free(f);
}

static void test_many_tries_of_one_slot(void **state)
{
	struct inflight *f = inflight_new(2, inflight_system_random);
	uint32_t *ids = calloc(5000, sizeof(*ids));
	struct inflight_hit hit;

	(void)state;
	inflight_take(f);
	for (int i = 0; i < 5000; i++)
		ids[i] = inflight_add(f, 0, i);
	for (int i = 0; i < 5000; i++) {
		assert_true(inflight_find(f, ids[i], &hit));
		assert_true(hit.sent_us == i && hit.newest == (i == 4999));
	}
	inflight_release(f, 0, false);
	for (int i = 0; i < 5000; i++)
		assert_false(inflight_find(f, ids[i], &hit));
	free(ids);
	inflight_free(f);
}

static void test_completed_ids_are_remembered(void **state)
{
	struct inflight *f = inflight_new(4, inflight_system_random);
	uint32_t answered = inflight_take(f), silent = inflight_take(f), first, second, other;
	struct inflight_hit hit;

	(void)state;
	first = inflight_add(f, answered, 0);
	second = inflight_add(f, answered, 0);
	other = inflight_add(f, silent, 0);
	assert_false(inflight_completed(f, first));
	inflight_release(f, answered, true);
	inflight_release(f, silent, false);
	assert_false(inflight_find(f, second, &hit));
	assert_true(inflight_completed(f, second));
	assert_true(inflight_completed(f, first) || (first & 255) == (second & 255));
	assert_false(inflight_completed(f, other));
	assert_false(inflight_completed(f, 0));
	inflight_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_model),
		cmocka_unit_test(test_ids_that_collide_and_wrap),
		cmocka_unit_test(test_ids_have_four_octets),
		cmocka_unit_test(test_system_ids_differ),
		cmocka_unit_test(test_slots_rest_as_long_as_possible),
		cmocka_unit_test(test_many_tries_of_one_slot),
		cmocka_unit_test(test_completed_ids_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

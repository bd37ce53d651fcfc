/* memory: against a plain array, and what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pool/memory.h"

static struct learnt sample(uint32_t n)
{
	struct learnt l = {.stamp_us = INT64_C(1000000000000) + n,
			   .boots = n,
			   .time_s = n + 1,
			   .srtt_us = n + 2,
			   .rttvar_us = n + 3,
			   .engine_id_len = (uint8_t)(5 + n % 28),
			   .clocked = n % 2,
			   .timed = n % 3};

	for (unsigned i = 0; i < l.engine_id_len; i++)
		l.engine_id[i] = (uint8_t)(n + i);
	return l;
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
	assert_int_equal(a->clocked, b->clocked);
	assert_int_equal(a->timed, b->timed);
}

static void test_kept_and_found(void **state)
{
	struct memory *m = memory_new();
	struct learnt l = sample(7), back;
	uint32_t where = 5;

	(void)state;
	assert_false(memory_find(m, 1, &back, &where));
	assert_same(&back, &(struct learnt){0});
	memory_keep(m, 1, &l, 99);
	assert_false(memory_find(m, 2, &back, &where));
	assert_true(memory_find(m, 1, &back, &where));
	assert_same(&back, &l);
	assert_int_equal(where, 99);
	l = sample(8);
	memory_keep(m, 1, &l, 100);
	assert_true(memory_find(m, 1, &back, &where));
	assert_same(&back, &l);
	assert_int_equal(memory_hosts(m), 1);
	memory_free(m);
	memory_free(NULL);
}

/* Names that all begin at the same place, whatever the table's size. */
static uint64_t colliding(uint32_t n)
{
	return (uint64_t)n << 48; /* times an odd number, its 32nd bits are zero … */
}

/* Hosts come, are asked or not, and go, as in a plain array of when each was asked. */
static void against_the_model(uint64_t (*name)(uint32_t), uint32_t hosts, unsigned rounds)
{
	struct memory *m = memory_new();
	uint32_t *asked = mem_zero(hosts, sizeof(*asked)); /* the round; 0: never */
	struct learnt back;
	uint32_t where, gone = 0;

	srand(1);
	for (uint32_t round = 1; round <= rounds; round++) {
		memory_round(m);
		for (uint32_t i = 0; i < hosts; i++) {
			struct learnt l = sample(i);
			bool known;

			if (rand() % 3)
				continue; /* not of this round */
			known = memory_find(m, name(i), &back, &where);
			if (known || (asked[i] && round - asked[i] <= 2)) {
				assert_true(known && asked[i]);
				assert_same(&back, &l);
				assert_int_equal(where, i);
				asked[i] = round;
			} else if (asked[i]) {
				gone++;
				asked[i] = 0;
			}
			if (rand() % 2) {
				memory_keep(m, name(i), &l, i);
				asked[i] = round;
			}
		}
	}
	assert_true(gone > hosts / 20); /* it was a test of removals, too */
	memory_free(m);
	free(asked);
}

static uint64_t counted(uint32_t n)
{
	return n;
}

static uint64_t scattered(uint32_t n)
{
	return (n + UINT64_C(1)) * UINT64_C(0xd6e8feb86659fd93);
}

static void test_against_the_model(void **state)
{
	(void)state;
	against_the_model(counted, 5000, 30);
	against_the_model(scattered, 20000, 20);
	against_the_model(colliding, 600, 30);
}

/* Half of them are not asked any more; the others are all there, and the memory is given back. */
static void test_forgetting(void **state)
{
	enum {
		HOSTS = 20000
	};
	struct memory *m = memory_new();
	struct learnt l;
	uint32_t where;
	size_t octets;

	(void)state;
	memory_round(m);
	for (uint32_t i = 0; i < HOSTS; i++) {
		l = sample(i);
		memory_keep(m, scattered(i), &l, i);
	}
	assert_int_equal(memory_hosts(m), HOSTS);
	octets = memory_octets(m);
	for (unsigned round = 0; round < 5; round++) {
		memory_round(m);
		for (uint32_t i = 0; i < HOSTS; i += 16) {
			struct learnt right = sample(i);

			assert_true(memory_find(m, scattered(i), &l, &where));
			assert_same(&l, &right);
			assert_int_equal(where, i);
			memory_keep(m, scattered(i), &right, i);
		}
		if (round < 2)
			assert_int_equal(memory_hosts(m), HOSTS);
	}
	for (unsigned round = 0; round < 10; round++) { /* nobody is asked: 4,096 looks a round */
		memory_round(m);
		for (uint32_t i = 0; i < HOSTS; i += 16)
			assert_true(memory_find(m, scattered(i), &l, &where));
	}
	assert_int_equal(memory_hosts(m), HOSTS / 16);
	assert_true(memory_octets(m) < octets / 4);
	for (unsigned round = 0; round < 5; round++)
		memory_round(m);
	assert_int_equal(memory_hosts(m), 0);
	assert_true(memory_octets(m) < 200000); /* the table is smaller, too */
	memory_free(m);
}

/* Two rounds are borne, a third one is not. */
static void test_forgotten_after_two_rounds(void **state)
{
	struct memory *m = memory_new();
	struct learnt l = sample(1);

	(void)state;
	memory_round(m);
	memory_keep(m, 1, &l, 0);
	for (unsigned round = 0; round < 2; round++) {
		memory_round(m);
		assert_int_equal(memory_hosts(m), 1);
	}
	memory_round(m);
	assert_int_equal(memory_hosts(m), 0);
	memory_free(m);
}

/* With as many records as there are nearly all others are looked at in one round, and never many at once. */
static void test_forgotten_little_by_little(void **state)
{
	enum {
		HOSTS = 100000
	};
	struct memory *m = memory_new();
	struct learnt l = sample(1);
	size_t before;

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		memory_round(m);
		for (uint32_t i = 0; i < HOSTS; i++) {
			before = memory_hosts(m);
			if (round == 0 || i % 2)
				memory_keep(m, scattered(i), &l, i);
			assert_true(memory_hosts(m) + 2 >= before);
		}
	}
	assert_in_range(memory_hosts(m), HOSTS / 2, HOSTS / 2 + HOSTS / 10);
	memory_free(m);
}

/* Those who are found are asked, even if nothing comes back of them. */
static void test_asked_is_enough(void **state)
{
	struct memory *m = memory_new();
	struct learnt l = sample(1);
	uint32_t where;

	(void)state;
	memory_keep(m, 1, &l, 0);
	for (unsigned round = 0; round < 20; round++) {
		memory_round(m);
		assert_true(memory_find(m, 1, &l, &where));
	}
	memory_free(m);
}

static uint8_t silence(struct memory *m, uint8_t said)
{
	struct learnt l = {.silent = said};
	uint32_t where;

	memory_keep(m, 1, &l, 0);
	assert_true(memory_find(m, 1, &l, &where));
	return l.silent;
}

/* One more a round, however many records of the host there are and whatever a worker says. */
static void test_silence(void **state)
{
	struct memory *m = memory_new();

	(void)state;
	assert_int_equal(silence(m, 1), 1); /* in the very first one */
	assert_int_equal(silence(m, 0), 0);
	memory_round(m);
	assert_int_equal(silence(m, 1), 1);
	assert_int_equal(silence(m, 2), 1); /* listed twice */
	memory_round(m);
	assert_int_equal(silence(m, 200), 2);
	memory_round(m);
	assert_int_equal(silence(m, 2), 2); /* interrupted: as it was */
	assert_int_equal(silence(m, 3), 3);
	assert_int_equal(silence(m, 0), 0);
	for (unsigned i = 0; i < 600; i++) {
		memory_round(m);
		silence(m, 255);
	}
	assert_int_equal(silence(m, 255), 255);
	memory_free(m);
}

/* The bound that is documented; and that it is one. */
static void test_octets_per_host(void **state)
{
	struct memory *m = memory_new();
	struct learnt l = sample(1);
	uint32_t where;

	(void)state;
	for (uint32_t i = 0; i < MEMORY_HOSTS_MAX + 5000; i++) {
		memory_keep(m, scattered(i), &l, i);
		if (i >= 100000 && i % 1000 == 0)
			assert_true(memory_octets(m) <= memory_hosts(m) * 100);
	}
	assert_int_equal(memory_hosts(m), MEMORY_HOSTS_MAX);
	assert_true(memory_find(m, scattered(MEMORY_HOSTS_MAX - 1), &l, &where));
	assert_false(memory_find(m, scattered(MEMORY_HOSTS_MAX), &l, &where));
	memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_and_found),
		cmocka_unit_test(test_against_the_model),
		cmocka_unit_test(test_forgetting),
		cmocka_unit_test(test_asked_is_enough),
		cmocka_unit_test(test_forgotten_after_two_rounds),
		cmocka_unit_test(test_forgotten_little_by_little),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_octets_per_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

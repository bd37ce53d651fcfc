/* master_recall: whom what was learnt belongs to, and what of a worker's word is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/loop.h"
#include "pool/master_internal.h"

/* The plan's room has a double: who asks is the profile's number. */
uint64_t plan_asker(const struct plan *p, uint32_t profile)
{
	(void)p;
	return profile;
}

struct lab {
	struct master_config config;
	struct master m;
};

static struct lab open_lab(void)
{
	return (struct lab){.config = {.memory = memory_new()}};
}

static struct master *master_of(struct lab *lab)
{
	lab->m.config = &lab->config;
	return &lab->m;
}

static struct learnt sample(uint8_t n)
{
	return (struct learnt){.timed = true,
			       .srtt_us = n,
			       .clocked = true,
			       .boots = n,
			       .engine_id_len = 5,
			       .engine_id = {n, 1, 2, 3, 4}};
}

static void learn(struct lab *lab, const struct dispatch_task *t, const struct learnt *l)
{
	recall_take(master_of(lab), t, &(struct record_head){.learns = true, .learnt = *l});
}

static struct learnt lent(struct lab *lab, const struct dispatch_task *t)
{
	struct task task = {0};

	recall_lend(master_of(lab), t, &task);
	assert_int_equal(task.learns, lab->config.memory != NULL);
	return task.learnt;
}

static struct dispatch_task at(uint8_t last)
{
	return (struct dispatch_task){.addr = {.family = 4, .ip = {192, 0, 2, last}, .port = 161},
				      .naddrs = 1};
}

/* All that makes a target another one; its number in the list does not. */
static void test_whose_it_is(void **state)
{
	struct lab lab = open_lab();
	struct dispatch_task t = at(1), others[9];
	struct learnt l = sample(7);

	(void)state;
	learn(&lab, &t, &l);
	assert_int_equal(lent(&lab, &t).boots, 7);
	t.seq = 99;
	t.charges = 1;
	assert_int_equal(lent(&lab, &t).boots, 7);
	for (unsigned i = 0; i < 9; i++)
		others[i] = t;
	others[0].addr.ip[3] = 2;
	others[1].addr.port = 162;
	others[2].addr.family = 6;
	others[3].addr.zone = 1;
	others[4].profile = 1; /* who asks */
	others[5].transport = TRANSPORT_TCP;
	others[6].host = "192.0.2.1";
	others[7].host = "another";
	others[8].addr.ip[15] = 1;
	for (unsigned i = 0; i < 9; i++) {
		struct learnt other = lent(&lab, &others[i]);

		assert_false(other.timed || other.clocked || other.engine_id_len);
		other = sample((uint8_t)(10 + i));
		learn(&lab, &others[i], &other);
	}
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(lent(&lab, &others[i]).boots, 10 + i);
	assert_int_equal(lent(&lab, &t).boots, 7);
	memory_free(lab.config.memory);
}

/* The address that answered is known by itself, wherever it stands when the name is looked up again. */
static void test_addresses_of_a_name(void **state)
{
	struct addr addrs[3] = {{.family = 4, .ip = {10, 0, 0, 1}},
				{.family = 4, .ip = {10, 0, 0, 2}},
				{.family = 4, .ip = {10, 0, 0, 3}}};
	struct addr turned[3] = {addrs[1], addrs[2], addrs[0]};
	struct dispatch_task t = {.host = "name", .addrs = addrs, .naddrs = 3, .port = 161};
	struct learnt l = sample(7);
	struct lab lab = open_lab();

	(void)state;
	l.address = 2;
	learn(&lab, &t, &l);
	l = lent(&lab, &t);
	assert_int_equal(l.address, 2);
	assert_int_equal(l.boots, 7);
	t.addrs = turned;
	l = lent(&lab, &t);
	assert_int_equal(l.address, 1);
	assert_int_equal(l.boots, 7);
	t.naddrs = 1; /* it is gone: the engine and the times were its own */
	l = lent(&lab, &t);
	assert_int_equal(l.address, 0);
	assert_false(l.timed || l.clocked || l.engine_id_len);
	l = (struct learnt){.silent = 1};
	learn(&lab, &t, &l);
	t.addrs = addrs;
	assert_int_equal(lent(&lab, &t).silent, 1); /* that was the name's */
	memory_free(lab.config.memory);
}

static void test_path(void **state)
{
	struct dispatch_task t = {
		.host = "unix:/run/a", .path = "/run/a", .transport = TRANSPORT_UNIX};
	struct dispatch_task other = t;
	struct learnt l = sample(7);
	struct lab lab = open_lab();

	(void)state;
	other.path = "/run/b";
	assert_true(recall_believes(master_of(&lab), &t, &l));
	learn(&lab, &t, &l);
	assert_int_equal(lent(&lab, &t).boots, 7);
	assert_int_equal(lent(&lab, &other).boots, 0);
	memory_free(lab.config.memory);
}

static void test_what_is_believed(void **state)
{
	struct dispatch_task t = at(1);
	struct learnt l = sample(1);
	struct lab lab = open_lab();
	struct master *m = master_of(&lab);

	(void)state;
	l.stamp_us = loop_clock_us();
	assert_true(recall_believes(m, &t, &l));
	l.stamp_us += INT64_C(60000000);
	assert_false(recall_believes(m, &t, &l));
	l.stamp_us = 0;
	for (unsigned n = 1; n <= TASK_ADDRS_MAX; n++) {
		t.naddrs = (uint8_t)n;
		for (unsigned i = 0; i < 256; i++) {
			l.address = (uint8_t)i;
			assert_int_equal(recall_believes(m, &t, &l), i < n);
		}
	}
	l.address = 0;
	memory_free(lab.config.memory);
	lab.config.memory = NULL; /* nobody asked for it */
	assert_false(recall_believes(m, &t, &l));
}

static void test_no_memory(void **state)
{
	struct dispatch_task t = at(1);
	struct learnt l = sample(1);
	struct lab lab = {0};

	(void)state;
	learn(&lab, &t, &l);
	assert_int_equal(lent(&lab, &t).boots, 0);
	lab = open_lab();
	recall_take(master_of(&lab), &t, &(struct record_head){.learnt = l}); /* it says nothing */
	assert_int_equal(memory_hosts(lab.config.memory), 0);
	memory_free(lab.config.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_it_is), cmocka_unit_test(test_addresses_of_a_name),
		cmocka_unit_test(test_path),        cmocka_unit_test(test_what_is_believed),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

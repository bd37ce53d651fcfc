/* slots: whose they are; and who sees them, asked of the kernel by children that are forked as the agent's are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/slots.h"

#define PARTS 3u

static void test_lowest_first(void **state)
{
	struct slots *s = slots_new(PARTS);
	uint8_t slot;

	(void)state;
	for (uint8_t i = 0; i < SLOTS_EACH; i++) {
		assert_true(slot_lend(s, 1, &slot));
		assert_int_equal(slot, i);
		assert_int_equal(slots_lent(s, 1), i + 1);
	}
	assert_false(slot_lend(s, 1, &slot));
	assert_true(slot_lend(s, 0, &slot) && slot == 0); /* another part's are its own */
	assert_true(slot_is_lent(s, 1, SLOTS_EACH - 1));
	assert_false(slot_is_lent(s, 0, 1));
	assert_false(slot_is_lent(s, 1, SLOTS_EACH)); /* nor is it the next part's first */
	assert_true(slot_lend(s, 2, &slot));
	assert_false(slot_is_lent(s, 1, SLOTS_EACH));
	slots_free(s);
}

static void test_until_settled(void **state)
{
	struct slots *s = slots_new(PARTS);
	unsigned part = 99;
	uint8_t slot;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(slot_lend(s, 2, &slot));
	slot_fill(s, 2, 1, 70);
	assert_false(slot_is_lent(s, 2, 1));
	assert_int_equal(slots_lent(s, 2), 2);
	assert_false(slot_settle(s, 71, &part));
	assert_false(slot_settle(s, 0, &part));
	assert_false(slot_settle(s, UINT64_MAX, &part));
	assert_int_equal(part, 99);
	slots_lost(s, 2); /* what was lent; not what is full */
	assert_int_equal(slots_lent(s, 2), 0);
	assert_true(slot_lend(s, 2, &slot) && slot == 0);
	assert_true(slot_lend(s, 2, &slot) && slot == 2);
	assert_true(slot_settle(s, 70, &part));
	assert_int_equal(part, 2);
	assert_false(slot_settle(s, 70, &part));
	assert_true(slot_lend(s, 2, &slot) && slot == 1);
	slots_free(s);
}

static void test_places(void **state)
{
	struct slots *s = slots_new(PARTS);

	(void)state;
	assert_int_equal(slot_place(0, 0), 0);
	assert_int_equal(slot_place(2, 3), (2 * SLOTS_EACH + 3) * SLOT_OCTETS);
	assert_int_equal(slot_octets(s, 2, 3) - slot_octets(s, 0, 0), slot_place(2, 3));
	slots_free(s);
}

/* --- who sees them */

static bool is_mapped(const uint8_t *p)
{
	return msync((void *)(uintptr_t)p, SLOT_OCTETS, MS_ASYNC) == 0 || errno != ENOMEM;
}

/* A child's exit status; 128 and more: it died of a signal. */
static int in_child(int (*what)(struct slots *s), struct slots *s)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		_exit(what(s));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int none_is_mapped(struct slots *s)
{
	for (unsigned part = 0; part < PARTS; part++)
		for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
			if (is_mapped(slot_octets(s, part, slot)))
				return 1;
	return 0;
}

/* What it writes the parent reads; of the other parts it has nothing, and its children have nothing at all. */
static int cell(struct slots *s)
{
	uint8_t *own = slots_of_cell(s, 1);

	if (own == NULL)
		return 77; /* a system that cannot */
	if (own != slot_octets(s, 1, 0))
		return 2;
	memset(own + 5 * SLOT_OCTETS, 'x', SLOT_OCTETS);
	for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
		if (is_mapped(slot_octets(s, 0, slot)) || is_mapped(slot_octets(s, 2, slot)) ||
		    !is_mapped(slot_octets(s, 1, slot)))
			return 3;
	return in_child(none_is_mapped, s) == 0 ? 0 : 4;
}

static void test_cell(void **state)
{
	struct slots *s = slots_new(PARTS);
	int status = in_child(cell, s);

	(void)state;
	if (status == 77)
		skip();
	assert_int_equal(status, 0);
	for (size_t i = 0; i < SLOT_OCTETS; i++)
		assert_int_equal(slot_octets(s, 1, 5)[i], 'x');
	assert_int_equal(in_child(none_is_mapped, s), 1); /* the agent's other children have them */
	slots_free(s);
}

static int courier_writes(struct slots *s)
{
	size_t len;

	slots_of_courier(s, &len);
	slot_octets(s, 2, 7)[0] = 'w';
	return 0;
}

static int courier_sees(struct slots *s)
{
	size_t len;
	const uint8_t *all = slots_of_courier(s, &len);

	return all[slot_place(2, 7)] == 'r' && len == (size_t)PARTS * SLOTS_EACH * SLOT_OCTETS ? 0
											       : 1;
}

/* It sees them all, also what is written later, and writes into none. */
static void test_courier(void **state)
{
	struct slots *s = slots_new(PARTS);

	(void)state;
	slot_octets(s, 2, 7)[0] = 'r';
	assert_int_equal(in_child(courier_sees, s), 0);
	assert_int_not_equal(in_child(courier_writes, s), 0);
	assert_int_equal(slot_octets(s, 2, 7)[0], 'r');
	slots_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_first), cmocka_unit_test(test_until_settled),
		cmocka_unit_test(test_places),       cmocka_unit_test(test_cell),
		cmocka_unit_test(test_courier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

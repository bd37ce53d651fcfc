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
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/slots.h"
#include "link/slots_internal.h"

#ifdef __has_feature /* clang's way to say it */
#if __has_feature(address_sanitizer)
#define POOR_NEEDS_MEMORY
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define POOR_NEEDS_MEMORY /* of the sanitizer's own */
#endif

#define PARTS 3u
#define ALL   ((size_t)PARTS * SLOTS_EACH * SLOT_OCTETS)

/* With a cell in each place. On a system that has no such memory there is nothing to be tested. */
static struct slots *slots_some(void)
{
	uint8_t *p = shared_map(ALL);
	struct slots *s;

	if (p == NULL)
		skip();
	munmap(p, ALL);
	s = slots_new(PARTS);
	for (unsigned part = 0; part < PARTS; part++)
		slots_begin(s, part);
	return s;
}

static void test_lowest_first(void **state)
{
	struct slots *s = slots_some();
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
	struct slots *s = slots_some();
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
	assert_true(slot_settle(s, 70, &part));
	assert_int_equal(part, 2);
	assert_false(slot_settle(s, 70, &part));
	assert_true(slot_lend(s, 2, &slot) && slot == 1);
	slots_free(s);
}

/* What a cell has found, the next one in its place neither reads nor writes over. */
static void test_one_cell_after_the_other(void **state)
{
	struct slots *s = slots_some();
	unsigned part;
	uint8_t slot;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(slot_lend(s, 1, &slot));
	memset(slot_octets(s, 1, 0), 'x', 3 * (size_t)SLOT_OCTETS);
	slot_fill(s, 1, 2, 70);
	slots_end(s, 1);
	assert_int_equal(slots_lent(s, 1), 0);
	assert_false(slot_lend(s, 1, &slot)); /* nobody is there */
	assert_int_equal(slot_octets(s, 1, 2)[SLOT_OCTETS - 1], 'x');
	assert_true(slots_are_free(s, 0));
	assert_false(slots_are_free(s, 1));
	slots_begin(s, 1);
	assert_false(slot_lend(s, 1, &slot)); /* a message of the old one waits still */
	assert_true(slot_settle(s, 70, &part));
	assert_true(slots_are_free(s, 1));
	assert_int_equal(slot_octets(s, 1, 2)[SLOT_OCTETS - 1],
			 0);                  /* it stays no longer than that */
	assert_false(slot_lend(s, 1, &slot)); /* for its whole life */
	slots_end(s, 1);
	slots_begin(s, 1);
	assert_true(slot_lend(s, 1, &slot) && slot == 0);
	for (size_t i = 0; i < 3 * (size_t)SLOT_OCTETS; i++)
		assert_int_equal(slot_octets(s, 1, 0)[i], 0);
	slots_free(s);
}

static void test_places(void **state)
{
	struct slots *s = slots_some();

	(void)state;
	assert_int_equal(slot_place(0, 0), 0);
	assert_int_equal(slot_place(2, 3), (2 * (size_t)SLOTS_EACH + 3) * SLOT_OCTETS);
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

	if (own == NULL || own != slot_octets(s, 1, 0))
		return 2;
	memset(own + 5 * (size_t)SLOT_OCTETS, 'x', SLOT_OCTETS);
	for (uint8_t slot = 0; slot < SLOTS_EACH; slot++)
		if (is_mapped(slot_octets(s, 0, slot)) || is_mapped(slot_octets(s, 2, slot)) ||
		    !is_mapped(slot_octets(s, 1, slot)))
			return 3;
	return in_child(none_is_mapped, s) == 0 ? 0 : 4;
}

static void test_cell(void **state)
{
	struct slots *s = slots_some();

	(void)state;
	assert_int_equal(in_child(cell, s), 0);
	for (size_t i = 0; i < SLOT_OCTETS; i++)
		assert_int_equal(slot_octets(s, 1, 5)[i], 'x');
	assert_int_equal(in_child(none_is_mapped, s), 1); /* the agent's other children have them */
	slots_free(s);
}

static int cell_without(struct slots *s)
{
	return slots_of_cell(s, 1) == NULL && none_is_mapped(s) == 0 ? 0 : 1;
}

/* One whose place is not empty has nothing mapped. */
static void test_cell_without(void **state)
{
	struct slots *s = slots_some();
	uint8_t slot;

	(void)state;
	assert_true(slot_lend(s, 1, &slot));
	slot_fill(s, 1, slot, 5);
	slots_end(s, 1);
	slots_begin(s, 1);
	assert_int_equal(in_child(cell_without, s), 0);
	slots_free(s);
}

static int courier_writes(struct slots *s)
{
	const uint8_t *all;
	size_t len;

	slots_of_courier(s, &all, &len);
	slot_octets(s, 2, 7)[0] = 'w';
	return 0;
}

static int courier_sees(struct slots *s)
{
	const uint8_t *all;
	size_t len;

	return slots_of_courier(s, &all, &len) && all[slot_place(2, 7)] == 'r' && len == ALL ? 0
											     : 1;
}

/* It sees them all, also what is written later, and writes into none. */
static void test_courier(void **state)
{
	struct slots *s = slots_some();

	(void)state;
	slot_octets(s, 2, 7)[0] = 'r';
	assert_int_equal(in_child(courier_sees, s), 0);
	assert_int_not_equal(in_child(courier_writes, s), 0);
	assert_int_equal(slot_octets(s, 2, 7)[0], 'r');
	slots_free(s);
}

/* --- without memory */

static int poor(struct slots *unused)
{
	struct rlimit none = {0, 0};
	struct slots *s;
	const uint8_t *all;
	uint8_t slot;
	size_t len = 5;
	bool good;

	(void)unused;
#ifdef POOR_NEEDS_MEMORY
	return 77;
#endif
	if (setrlimit(RLIMIT_AS, &none) != 0)
		return 77;
	s = slots_new(PARTS);
	slots_begin(s, 1);
	good = !slot_lend(s, 1, &slot) && slots_lent(s, 1) == 0 && slots_of_cell(s, 1) == NULL &&
	       slots_of_courier(s, &all, &len) && all == NULL && len == 0;
	slots_end(s, 1);
	slots_free(s);
	return good ? 0 : 1;
}

/* No slot is ever free, and nobody has any. */
static void test_no_memory(void **state)
{
	int status = in_child(poor, NULL);

	(void)state;
	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_first),
		cmocka_unit_test(test_until_settled),
		cmocka_unit_test(test_one_cell_after_the_other),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_cell),
		cmocka_unit_test(test_cell_without),
		cmocka_unit_test(test_courier),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

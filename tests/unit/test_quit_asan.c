/*
 * LeakSanitizer is on, and looks at children that end without exit(3): a planted leak is found. Without this test,
 * a switch (detect_leaks=0), a kernel that forbids it to look, or a child that ends past it would be silence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/quit.h"
#include "pool/proc.h"

#define LEAK_STATUS 1 /* AddressSanitizer's exit status */

static void *volatile kept;

/* A child of the master's kind. What it reports goes to the queue's end, not to who watches this test. */
static int child(void *arg, int fd)
{
	const char *does = arg;

	__sanitizer_set_report_fd((void *)(intptr_t)fd);
	kept = malloc(4242);
	memset(kept, 1, 4242);
	if (strcmp(does, "loses") == 0)
		kept = NULL;
	return strcmp(does, "dies") == 0;
}

/* The exit status of such a child; what it said comes first. */
static int run(const char *does, char *said, size_t len)
{
	struct proc p;
	size_t got = 0;
	ssize_t n;

	assert_true(proc_spawn(&p, child, (void *)(uintptr_t)does));
	while ((n = read(p.fd, said + got, len - 1 - got)) > 0)
		got += (size_t)n;
	said[got] = '\0';
	return proc_end(&p);
}

static void test_a_leak_in_a_child_is_told(void **state)
{
	char said[20000];
	int status = run("loses", said, sizeof(said));

	(void)state;
	assert_non_null(strstr(said, "LeakSanitizer: detected memory leaks"));
	assert_non_null(strstr(said, "4242 byte(s) in 1 object(s)"));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), LEAK_STATUS);
}

static void test_what_is_held_is_no_leak(void **state)
{
	char said[20000];

	(void)state;
	assert_int_equal(run("holds", said, sizeof(said)), 0);
	assert_string_equal(said, "");
}

static void test_who_dies_of_something_is_not_asked(void **state)
{
	char said[20000];

	(void)state;
	assert_int_equal(WEXITSTATUS(run("dies", said, sizeof(said))), 1);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_leak_in_a_child_is_told),
		cmocka_unit_test(test_what_is_held_is_no_leak),
		cmocka_unit_test(test_who_dies_of_something_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

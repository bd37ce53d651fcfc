/* core: what is left of a process that is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core.h"

/* In a folder of its own, where a core file would go unless the system has another place. */
static int status_of(void (*fn)(void))
{
	char folder[] = "/tmp/test_core.XXXXXX";
	int status;
	pid_t child;

	assert_non_null(mkdtemp(folder));
	child = fork();
	if (child == 0) {
		_exit(chdir(folder) < 0 ? 99 : (fn(), 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(rmdir(folder), 0); /* it is empty */
	return status;
}

static void let_all_dump(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_CORE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_CORE, &limit);
}

static void die(void)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void forbid_and_die(void)
{
	let_all_dump();
	core_forbid();
	die();
}

static void forbid_and_fork(void)
{
	int status = 0;
	pid_t child;

	let_all_dump();
	core_forbid();
	child = fork();
	if (child == 0)
		die();
	if (waitpid(child, &status, 0) != child || WCOREDUMP(status))
		_exit(1);
	die();
}

static void ask_for_more(void)
{
	struct rlimit limit;

	core_forbid();
	getrlimit(RLIMIT_CORE, &limit);
	_exit(limit.rlim_cur == 0 && limit.rlim_max == 0 ? 0 : 1);
}

/* Nothing but Linux's own means helps where cores go into a pipe. */
static bool is_beyond_us(void)
{
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "r");
	int first = f ? fgetc(f) : 0;

	if (f)
		fclose(f);
	return first == '|' && strstr(BUILT_WITH, "Linux extras: no");
}

static void test_no_core(void **state)
{
	int status;

	(void)state;
	if (is_beyond_us())
		skip();
	status = status_of(forbid_and_die);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_false(WCOREDUMP(status));
}

static void test_children_too(void **state)
{
	int status;

	(void)state;
	if (is_beyond_us())
		skip();
	status = status_of(forbid_and_fork);
	assert_true(WIFSIGNALED(status));
	assert_false(WCOREDUMP(status));
}

static void test_limit(void **state)
{
	(void)state;
	assert_int_equal(status_of(ask_for_more), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_core),
		cmocka_unit_test(test_children_too),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

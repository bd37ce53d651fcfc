/* core: what only Linux can do, and what only matters where core files go into a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core.h"

static void test_is_not_dumpable(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		core_forbid();
		if (fork() == 0) /* its children neither */
			_exit(prctl(PR_GET_DUMPABLE));
		_exit(wait(&status) < 0 || status || prctl(PR_GET_DUMPABLE));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_is_not_dumpable)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The end of a process: its status, and that nothing inherited runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/quit.h"

static int handler_fd; /* where the handler below tells that it ran */

static void tell(void)
{
	ssize_t written = write(handler_fd, "x", 1);

	(void)written;
}

/* What a child that ends with `status` leaves: its wait status, and how much its handlers wrote. */
static int end_of_child(int status, void (*end)(int), ssize_t *said)
{
	int pipe_fds[2], how;
	char text[8];
	pid_t child;

	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		handler_fd = pipe_fds[1];
		if (atexit(tell) == 0)
			end(status);
		abort();
	}
	close(pipe_fds[1]);
	*said = read(pipe_fds[0], text, sizeof(text));
	close(pipe_fds[0]);
	assert_int_equal(waitpid(child, &how, 0), child);
	return how;
}

static void test_the_handler_would_run(void **state)
{
	ssize_t said;

	(void)state;
	assert_int_equal(WEXITSTATUS(end_of_child(3, exit, &said)), 3);
	assert_int_equal(said, 1);
}

static void test_no_handler_runs(void **state)
{
	ssize_t said;

	(void)state;
	assert_int_equal(end_of_child(0, quit_now, &said), 0);
	assert_int_equal(said, 0);
}

static void test_status(void **state)
{
	ssize_t said;
	int how = end_of_child(71, quit_now, &said);

	(void)state;
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 71);
	assert_int_equal(said, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_handler_would_run),
		cmocka_unit_test(test_no_handler_runs),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

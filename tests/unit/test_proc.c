/*
 * proc: real children, which tell through their queue end what they find.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool/proc.h"
#include "pool/queue.h"

#define SOON_MS 10000 /* long past what anything here takes */

/* Everything that a child says until its end, with a NUL. */
static void child_says(const struct proc *p, char *out, size_t len)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(p->fd, out + n, len - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
}

static int say_argument(void *arg, int fd)
{
	return write(fd, arg, strlen(arg)) > 0 ? 42 : 1;
}

static void test_argument_and_status(void **state)
{
	char said[100], text[100];
	struct proc p;
	int status;

	(void)state;
	assert_true(proc_spawn(&p, say_argument, (void *)(uintptr_t) "hello"));
	child_says(&p, said, sizeof(said));
	assert_string_equal(said, "hello");
	status = proc_end(&p);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	proc_status_text(status, text, sizeof(text));
	assert_string_equal(text, "exited with status 42");
	assert_int_equal(p.pid, 0);
	assert_int_equal(p.fd, -1);
	assert_int_equal(proc_end(&p), 0);
}

static int sleep_on(void *arg, int fd)
{
	(void)arg;
	return poll(&(struct pollfd){.fd = fd, .events = 0}, 1, SOON_MS);
}

static bool send_frame(int fd)
{
	size_t len = 4 + QUEUE_FRAME_MAX;
	char *octets = calloc(1, len);
	bool sent;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	sent = octets != NULL && send(fd, octets, len, 0) == (ssize_t)len;
	free(octets);
	return sent;
}

/* A system may allow a socket less room than the largest frame takes (net.core.wmem_max); then proc promises nothing. Found out
 * with sockets of the test's own, so that one which proc gave too little still fails. */
static void skip_without_room(void)
{
	int pair[2], wanted = 2 * QUEUE_FRAME_MAX, has = 0;
	socklen_t len = sizeof(has);
	bool sent;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
	assert_int_equal(getsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &has, &len), 0);
	sent = send_frame(pair[0]);
	close(pair[0]);
	close(pair[1]);
	if (sent)
		return;
	print_message("this system allows a socket %d octets: too few for a frame\n", has);
	skip();
}

/* The largest frame goes to a child in one piece, though that does not read. */
static void test_room_for_a_frame(void **state)
{
	struct proc p;

	(void)state;
	skip_without_room();
	assert_true(proc_spawn(&p, sleep_on, NULL));
	assert_true(send_frame(p.fd));
	proc_end(&p);
}

/* And the other way, where this end does not read before all is told. */
static int say_a_frame(void *arg, int fd)
{
	(void)arg;
	return send_frame(fd) ? 0 : 1;
}

static void test_room_for_its_answer(void **state)
{
	struct proc p;
	int status;

	(void)state;
	skip_without_room();
	assert_true(proc_spawn(&p, say_a_frame, NULL));
	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	p.pid = 0;
	proc_end(&p);
}

static int say_descriptors(void *arg, int fd)
{
	struct stat is, null;
	char text[4096];
	int n = 0;

	(void)arg;
	stat("/dev/null", &null);
	for (int i = 0; i < 1024; i++) {
		if (fcntl(i, F_GETFD) < 0)
			continue;
		fstat(i, &is);
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%d%s ", i,
			      is.st_rdev == null.st_rdev ? " null"
			      : i == fd                  ? " queue"
							 : "");
	}
	return write(fd, text, (size_t)n) == n ? 0 : 1;
}

static void test_descriptors(void **state)
{
	int opened[20];
	char said[4096];
	struct proc p;

	(void)state;
	for (int i = 0; i < 20; i++)
		opened[i] = i % 2 ? open("/dev/zero", O_RDONLY) : fcntl(2, F_DUPFD, 40 * i);
	assert_true(proc_spawn(&p, say_descriptors, NULL));
	child_says(&p, said, sizeof(said));
	proc_end(&p);
	for (int i = 0; i < 20; i++)
		assert_int_equal(close(opened[i]), 0); /* still the parent's */
	assert_string_equal(said, "0 null 1 null 2 3 queue ");
}

static void nothing(int signal)
{
	(void)signal;
}

static int say_signals(void *arg, int fd)
{
	struct sigaction sa;
	sigset_t mask;
	char text[2000];
	int n = 0;

	(void)arg;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%d:%s ", i,
				      sa.sa_handler == SIG_IGN ? "ignored" : "handler");
		if (sigismember(&mask, i) == 1)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%d:blocked ", i);
	}
	return write(fd, text, (size_t)n) == n ? 0 : 1;
}

static void test_signals(void **state)
{
	struct sigaction sa = {.sa_handler = nothing}, is;
	sigset_t mask, after;
	char said[2000], expected[100];
	struct proc p;

	(void)state;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	assert_true(proc_spawn(&p, say_signals, NULL));
	sigprocmask(SIG_SETMASK, NULL, &after);
	assert_true(sigismember(&after, SIGUSR2) == 1 && sigismember(&after, SIGINT) == 0);
	sigaction(SIGINT, NULL, &is);
	assert_ptr_equal(is.sa_handler, nothing); /* the parent's are as they were */
	child_says(&p, said, sizeof(said));
	proc_end(&p);
	snprintf(expected, sizeof(expected), "%d:ignored %d:ignored %d:ignored %d:ignored ", SIGHUP,
		 SIGINT, SIGPIPE, SIGTERM);
	assert_string_equal(said, expected);
}

/* A signal that arrives between the fork and the set-up must not run the parent's handler in the
 * child. Held back by nothing but the blocked mask: the child sends it to itself in its first act,
 * which pthread_atfork(3) gives us. */
static volatile sig_atomic_t handled_in_child;
static pid_t test_pid;

static void handler_in_child(int signal)
{
	(void)signal;
	handled_in_child = getpid() != test_pid;
}

static void raise_after_fork(void)
{
	raise(SIGTERM);
}

static int say_handled(void *arg, int fd)
{
	(void)arg;
	return write(fd, handled_in_child ? "handled" : "ignored", 7) == 7 ? 0 : 1;
}

static void test_signal_between_fork_and_set_up(void **state)
{
	struct sigaction sa = {.sa_handler = handler_in_child}, before;
	char said[100];
	struct proc p;

	(void)state;
	test_pid = getpid();
	sigaction(SIGTERM, &sa, &before);
	pthread_atfork(NULL, NULL, raise_after_fork);
	assert_true(proc_spawn(&p, say_handled, NULL));
	child_says(&p, said, sizeof(said));
	proc_end(&p);
	sigaction(SIGTERM, &before, NULL);
	assert_string_equal(said, "ignored");
}

static int wait_for_ever(void *arg, int fd)
{
	(void)arg;
	if (write(fd, "!", 1) != 1)
		return 1;
	while (pause() != 0)
		;
	return 0;
}

static void test_end_kills(void **state)
{
	char text[100], byte;
	struct proc p;
	int status;

	(void)state;
	assert_true(proc_spawn(&p, wait_for_ever, NULL));
	assert_int_equal(read(p.fd, &byte, 1), 1);
	kill(p.pid, SIGINT); /* ignored, as if typed at a terminal */
	kill(p.pid, SIGTERM);
	kill(p.pid, SIGHUP);
	assert_int_equal(waitpid(p.pid, NULL, WNOHANG), 0);
	status = proc_end(&p);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	proc_status_text(status, text, sizeof(text));
	assert_string_equal(text, "was killed by signal 9 (Killed)");
}

static int close_queue_and_stay(void *arg, int fd)
{
	(void)arg;
	close(fd);
	while (pause() != 0)
		;
	return 0;
}

/* End of file is not an exit: such a child is ended too, and does not keep us waiting. */
static void test_end_of_file_without_exit(void **state)
{
	struct proc p;
	char byte;

	(void)state;
	assert_true(proc_spawn(&p, close_queue_and_stay, NULL));
	assert_int_equal(read(p.fd, &byte, 1), 0);
	assert_true(WIFSIGNALED(proc_end(&p)));
}

/* Our stderr is a pipe that only the parent in the middle and its child have, so that its end of
 * file says that both are dead. */
static void test_dies_with_its_parent(void **state)
{
	const char *extras = getenv("WITH_LINUX_EXTRAS");
	int ends[2];
	pid_t middle;
	char byte;

	(void)state;
	if (extras != NULL && strcmp(extras, "no") == 0)
		skip(); /* there, only end of file tells a child */
	assert_int_equal(pipe(ends), 0);
	middle = fork();
	if (middle == 0) {
		struct proc p;
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		if (proc_spawn(&p, wait_for_ever, NULL) && read(p.fd, &byte, 1) == 1)
			raise(SIGKILL); /* the child is set up now */
		_exit(1);
	}
	close(ends[1]);
	waitpid(middle, NULL, 0);
	struct pollfd poller = {.fd = ends[0], .events = POLLIN};
	assert_int_equal(poll(&poller, 1, SOON_MS), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static void test_no_descriptor(void **state)
{
	struct rlimit limit, low;
	struct proc p;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &low);
	errno = 0;
	bool spawned = proc_spawn(&p, say_argument, NULL);
	int error = errno;
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_false(spawned);
	assert_int_equal(error, EMFILE);
	assert_int_equal(p.pid, 0);
	assert_int_equal(p.fd, -1);
}

/* Lowers the limit until just two places are free, which the pair of a queue takes. */
static void leave_two_free(void)
{
	struct rlimit limit;
	unsigned free_ones = 0;
	int fd = 0;

	for (; free_ones < 2; fd++)
		free_ones += fcntl(fd, F_GETFD) < 0;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)fd;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* What its parent had is closed before it opens anything. */
static void test_none_to_spare(void **state)
{
	struct rlimit limit;
	char said[4096];
	struct proc p;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	leave_two_free();
	bool spawned = proc_spawn(&p, say_descriptors, NULL);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_true(spawned);
	child_says(&p, said, sizeof(said));
	assert_int_equal(proc_end(&p), 0);
	assert_string_equal(said, "0 null 1 null 2 3 queue ");
}

/* Descriptor 3 is beyond the limit: in a process of its own, which has no other two for the pair. */
static void test_cannot_begin(void **state)
{
	struct rlimit limit = {.rlim_cur = 3, .rlim_max = 3};
	pid_t middle = fork();
	int status;

	(void)state;
	if (middle == 0) {
		struct proc p;
		char byte;
		close(0);
		close(1);
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		    proc_spawn(&p, say_argument, (void *)(uintptr_t) "hello") &&
		    read(p.fd, &byte, 1) == 0 && (status = proc_end(&p), WIFEXITED(status)))
			_exit(WEXITSTATUS(status));
		_exit(100);
	}
	waitpid(middle, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), PROC_NOT_BEGUN);
}

int main(void)
{
	/* Whoever started us may have left some open, above a limit that a test lowers: no portable call finds these. */
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_argument_and_status),
		cmocka_unit_test(test_room_for_a_frame),
		cmocka_unit_test(test_room_for_its_answer),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_end_kills),
		cmocka_unit_test(test_end_of_file_without_exit),
		cmocka_unit_test(test_dies_with_its_parent),
		cmocka_unit_test(test_no_descriptor),
		cmocka_unit_test(test_none_to_spare),
		cmocka_unit_test(test_cannot_begin),
		cmocka_unit_test(
			test_signal_between_fork_and_set_up), /* last: its fork hook stays */
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

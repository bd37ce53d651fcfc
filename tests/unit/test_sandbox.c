/* sandbox: what must go on in a child that has entered, whatever the system offers; whom it becomes; and what
 * the master is told. What is refused differs between systems: see test_sandbox_linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "pool/sandbox.h"

static const enum sandbox_role roles[] = {SANDBOX_WORKER, SANDBOX_SESSION, SANDBOX_RESOLVER,
					  SANDBOX_COURIER};

typedef int (*deed)(int queue_fd);

/* The wait status of a child that enters and then does it; what it wrote on stderr goes to `said`. */
static int in_sandbox(const struct sandbox *s, enum sandbox_role role, deed fn, char said[1000])
{
	int pair[2], err[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(pipe(err), 0);
	child = fork();
	if (child == 0) {
		dup2(err[1], STDERR_FILENO);
		_exit(sandbox_enter(s, role) ? fn(pair[1]) : 99);
	}
	close(err[1]);
	assert_int_equal(write(pair[0], "task", 4), 4);
	while (len < 999 && (n = read(err[0], said + len, 999 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	assert_int_equal(waitpid(child, &status, 0), child);
	close(err[0]);
	close(pair[0]);
	close(pair[1]);
	return status;
}

static int nothing(int queue_fd)
{
	(void)queue_fd;
	return 0;
}

/* Waits, takes, gives, allocates and frees, small and large, and looks at the clocks. */
static int works(int queue_fd)
{
	struct pollfd p = {.fd = queue_fd, .events = POLLIN};
	struct timespec ts;
	char task[4], random[16];
	char *large = malloc(100 << 20), *small[1000];

	if (poll(&p, 1, -1) != 1 || recv(queue_fd, task, 4, 0) != 4)
		return 1;
	if (send(queue_fd, "record", 6, MSG_NOSIGNAL) != 6)
		return 2;
	large = realloc(large, 200 << 20);
	memset(large, 1, 4096);
	for (int i = 0; i < 1000; i++) {
		small[i] = malloc(4096);
		memset(small[i], 1, 4096);
	}
	for (int i = 0; i < 1000; i++)
		free(small[i]);
	free(large);
	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0 || clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return 3;
	return getentropy(random, sizeof(random)) == 0 ? 0 : 4;
}

static int logs(int queue_fd)
{
	(void)queue_fd;
	log_error("a word of %s", "mine");
	return 0;
}

static int aborts(int queue_fd)
{
	(void)queue_fd;
	abort();
}

static void test_goes_on(void **state)
{
	struct sandbox s = {.becomes = false};
	char said[1000];

	(void)state;
	assert_true(sandbox_prepare(&s));
	assert_int_equal(s.master, getpid());
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(in_sandbox(&s, roles[i], works, said), 0);
		assert_string_equal(said, "");
		assert_int_equal(in_sandbox(&s, roles[i], logs, said), 0);
		assert_string_equal(said, "multisnmp: a word of mine\n");
		assert_int_equal(in_sandbox(&s, roles[i], aborts, said), SIGABRT);
	}
}

/* The master tries, and stays who it is. What a child is then, test_sandbox_linux looks at. */
static void test_becomes(void **state)
{
	struct sandbox s = {.becomes = true, .user = {.uid = 4711, .gid = 4712}};
	char said[1000];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(sandbox_prepare(&s));
	assert_int_equal(geteuid(), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(in_sandbox(&s, roles[i], works, said), 0);
}

/* A child that forks others is their master: else nobody would be, and they would leave at once. */
static void test_adopts(void **state)
{
	struct sandbox s = {.becomes = geteuid() == 0, .user = {.uid = 4711, .gid = 4712}};
	char said[1000];
	pid_t child;
	int status;

	(void)state;
	assert_true(sandbox_prepare(&s));
	child = fork();
	if (child == 0) {
		sandbox_adopt(&s);
		_exit(s.master != getpid() || in_sandbox(&s, SANDBOX_WORKER, works, said) != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_cannot_become(void **state)
{
	struct sandbox s = {.becomes = true, .user = {.uid = (uid_t)-1, .gid = 4712}};
	char said[1000];

	(void)state;
	assert_false(sandbox_prepare(&s));
	assert_int_equal(in_sandbox(&s, SANDBOX_WORKER, nothing, said), 99 << 8);
	assert_non_null(strstr(said, "cannot become the user of run_as"));
}

static void heard(int sig)
{
	(void)sig;
}

/* Signals for who waits, then room for what the child has to say, who cannot end before. */
static void disturb(pid_t whom, int pipe_fd)
{
	struct timespec pause = {.tv_nsec = 50000000};
	char octets[4096];

	for (int i = 0; i < 4; i++) {
		nanosleep(&pause, NULL);
		kill(whom, SIGUSR1);
	}
	while (read(pipe_fd, octets, sizeof(octets)) > 0)
		;
	_exit(0);
}

static void fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	assert_return_code(fcntl(fd, F_SETFL, flags | O_NONBLOCK), errno);
	while (write(fd, "full", 1) == 1)
		;
	assert_return_code(fcntl(fd, F_SETFL, flags), errno);
}

/* A signal while the master waits for its child is not the child's leave. */
static void test_signals(void **state)
{
	struct sandbox s = {.becomes = true, .user = {.uid = (uid_t)-1, .gid = 4712}, .told = true};
	struct sigaction sa = {.sa_handler = heard}, before;
	int stderr_fd = dup(STDERR_FILENO), err[2];
	pid_t other, self = getpid();
	bool prepared;

	(void)state;
	assert_return_code(pipe(err), errno);
	fill(err[1]);
	assert_return_code(sigaction(SIGUSR1, &sa, &before), errno);
	other = fork();
	if (other == 0) {
		close(err[1]);
		disturb(self, err[0]);
	}
	dup2(err[1], STDERR_FILENO);
	close(err[1]);
	prepared = sandbox_prepare(&s);
	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
	assert_int_equal(waitpid(other, NULL, 0), other);
	sigaction(SIGUSR1, &before, NULL);
	close(err[0]);
	assert_false(prepared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on), cmocka_unit_test(test_becomes),
		cmocka_unit_test(test_adopts),  cmocka_unit_test(test_cannot_become),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

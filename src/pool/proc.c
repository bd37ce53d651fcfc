/*
 * Forks a child with one queue end and nothing else of its parent's; ends it.
 *
 * The problem: a terminal and systemd send SIGINT and SIGTERM to the whole group, so a child with
 * the default action would die at once and take what it knows with it. And a descriptor that a child
 * keeps by accident is a bug at a distance: another worker's queue end never reads end of file, the
 * reader of our stdout never sees its end, an output file stays busy.
 *
 * The design: a child ignores the signals of a leave-taking and leaves by STOP or end of file.
 * Its queue end moves to descriptor 3 and all above is closed, whatever it was; only then is anything opened, so
 * that a parent whose descriptors are all in use has children that live.
 *
 * Rejected: close-on-exec, since nothing is executed; a list of what is to be closed, since it is
 * only as good as the memory of the next author.
 *
 * The trap: between fork and set-up the child has the parent's signal handlers, and a handler
 * that writes to a pipe writes to the parent's. So all signals are blocked across the fork.
 */
#include "pool/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/quit.h"
#include "pool/proc_internal.h"

#define CHILD_FD   3      /* where a child finds its queue end */
#define ROOM       524288 /* octets: two of the largest frames of pool/queue */
#define MAX_CLOSED 65536  /* descriptors looked at one by one; a limit may be a thousand million */

void proc_close_each(int first)
{
	struct rlimit limit;
	int end = MAX_CLOSED;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)end)
		end = (int)limit.rlim_cur;
	for (int fd = first; fd < end; fd++)
		close(fd);
}

static void set_action(int signal, void (*action)(int))
{
	struct sigaction sa = {.sa_handler = action};

	sigaction(signal, &sa, NULL);
}

static void child_signals(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		set_action(signal, SIG_DFL); /* refused for some; they cannot have been changed */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		set_action(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* False: there is no /dev/null, or the limit leaves no place for the queue end. */
static bool child_descriptors(int fd)
{
	if (fd != CHILD_FD && dup2(fd, CHILD_FD) < 0)
		return false;
	proc_close_from(CHILD_FD + 1);
	close(0);
	return open("/dev/null", O_RDWR) == 0 && dup2(0, 1) == 1;
}

static int child_run(pid_t parent, int fd, proc_fn fn, void *arg)
{
	child_signals();
	if (!child_descriptors(fd) || !proc_follow(parent))
		return PROC_NOT_BEGUN;
	return fn(arg, CHILD_FD);
}

/* Both ends of a queue. What the kernel holds of it by itself is less than the largest frame: who puts one would wait in its middle,
 * and who reads be woken for halves. A system that allows less than ROOM gives what it allows. */
static bool pair_open(int pair[2])
{
	int octets = ROOM;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return false;
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
	return true;
}

bool proc_spawn(struct proc *p, proc_fn fn, void *arg)
{
	sigset_t all, before;
	pid_t parent = getpid();
	int pair[2], error;

	*p = (struct proc){.pid = 0, .fd = -1};
	if (!pair_open(pair))
		return false;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	p->pid = fork();
	if (p->pid == 0)
		quit_now(child_run(parent, pair[1], fn, arg));
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	if (p->pid < 0) {
		close(pair[0]);
		p->pid = 0;
		errno = error;
		return false;
	}
	p->fd = pair[0];
	return true;
}

int proc_end(struct proc *p)
{
	int status = 0;

	if (p->pid > 0) {
		kill(p->pid, SIGKILL); /* changes nothing for one that has exited */
		while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct proc){.pid = 0, .fd = -1};
	return status;
}

void proc_status_text(int wait_status, char *out, size_t len)
{
	if (WIFSIGNALED(wait_status))
		snprintf(out, len, "was killed by signal %d (%s)", WTERMSIG(wait_status),
			 strsignal(WTERMSIG(wait_status)));
	else
		snprintf(out, len, "exited with status %d", WEXITSTATUS(wait_status));
}

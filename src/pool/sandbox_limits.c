/*
 * What every system offers: limits. No new process (for anybody but root), and in a worker, which has all
 * of its descriptors, no further one: no file, no socket.
 *
 * The trap: poll(2) takes no more entries than descriptors are allowed. So the limit is the number of
 * those that a worker may have, and not 0. One is left over: the name of an interface is asked for by
 * a socket.
 */
#include "pool/sandbox_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

static struct rlimit at_most(int n)
{
	return (struct rlimit){.rlim_cur = (rlim_t)n, .rlim_max = (rlim_t)n};
}

static bool lower(enum sandbox_role role)
{
	struct rlimit processes = at_most(0), descriptors;
	int next;

	if (setrlimit(RLIMIT_NPROC, &processes) < 0)
		return false;
	if (role != SANDBOX_WORKER)
		return true;
	next = dup(STDERR_FILENO); /* the first that is free */
	if (next < 0)
		return true; /* there is none */
	close(next);
	descriptors = at_most(next + 1);
	return setrlimit(RLIMIT_NOFILE, &descriptors) == 0;
}

bool sandbox_limits_enter(enum sandbox_role role)
{
	if (lower(role))
		return true;
	log_error("cannot lower a limit: %s", strerror(errno));
	return false;
}

/*
 * The set-up of a child as Linux does it: close_range(2) and PR_SET_PDEATHSIG.
 *
 * The trap: the parent may have died between the fork and the prctl(2), and then no signal comes.
 */
#include "pool/proc_internal.h"

#include "pool/proc.h"

#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

void proc_close_from(int first)
{
	if (close_range((unsigned)first, UINT_MAX, 0) < 0) /* before Linux 5.9 */
		proc_close_each(first);
}

bool proc_follow(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent;
}

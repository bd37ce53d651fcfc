/*
 * No memory of ours becomes a file: Linux.
 *
 * The problem: all processes hold communities and keys, and a core file holds what a process held. Where core files
 * go is the system's choice (core_pattern): into a folder, or into a pipe to a program that stores or uploads
 * them. RLIMIT_CORE counts for the former only; a process that is not dumpable is given to neither. Nor can
 * other programs of the same user attach to it or read its /proc/PID/mem, environ and maps, which
 * belong to root then.
 *
 * Rejected: mlock(2), against secrets in the swap. An unprivileged process may lock a few megabytes, and who
 * reads the swap reads all else.
 *
 * The traps: execve(2) makes a process dumpable again (ours execute nothing), and so does a change of the user;
 * who becomes another user calls this again.
 */
#include "base/core.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void core_forbid(void)
{
	static const struct rlimit none;

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

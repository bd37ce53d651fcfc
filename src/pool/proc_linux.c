/*
 * The set-up of a child as Linux does it, close_range(2) and PR_SET_PDEATHSIG; and what it weighs.
 *
 * The trap: the parent may have died between the fork and the prctl(2), and then no signal comes.
 */
#include "pool/proc_internal.h"

#include "pool/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* proc_pid_statm(5): its second number, in pages. */
uint64_t proc_memory(pid_t pid)
{
	char name[48], text[64] = "";
	const char *second;
	ssize_t len;
	int fd;

	snprintf(name, sizeof(name), "/proc/%ld/statm", (long)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	second = len > 0 ? strchr(text, ' ') : NULL;
	return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

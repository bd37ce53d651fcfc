/*
 * The set-up of a child as every system can do it.
 *
 * End of file on the queue is the only sign of the parent's death, and children look for it.
 */
#include "pool/proc_internal.h"

#include "pool/proc.h"

#include <unistd.h>

void proc_close_from(int first)
{
	proc_close_each(first);
}

bool proc_follow(pid_t parent)
{
	return getppid() == parent;
}

uint64_t proc_memory(pid_t pid)
{
	(void)pid;
	return 0;
}

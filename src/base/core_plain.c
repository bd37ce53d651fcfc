/*
 * No memory of ours becomes a file: what every system has. A limit outlives fork and a change of the user.
 */
#include "base/core.h"

#include <sys/resource.h>

void core_forbid(void)
{
	static const struct rlimit none;

	setrlimit(RLIMIT_CORE, &none);
}

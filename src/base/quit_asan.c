/*
 * A process ends here and now, and what it has lost is told (--enable-asan).
 *
 * LeakSanitizer looks when exit(3) runs its handlers. Children end without, so a worker could lose memory with
 * every record and no test would see it. Who leaves in good order is looked at here; a process that
 * finds a leak reports it and ends with AddressSanitizer's status (1). Who dies of something
 * (any other status) does not tidy up before, so nothing is said of it.
 */
#include "base/quit.h"

#include <sanitizer/lsan_interface.h>
#include <unistd.h>

void quit_now(int status)
{
	if (status == 0)
		__lsan_do_leak_check();
	_exit(status);
}

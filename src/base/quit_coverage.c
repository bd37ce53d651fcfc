/*
 * A process ends here and now, and the lines that it has run are counted (--enable-coverage).
 *
 * gcov writes when exit(3) runs its handlers. Children end without, and all that meets the network would look
 * as if it had never run. Clang knows the function by the same name.
 */
#include "base/quit.h"

#include <unistd.h>

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the name is the compiler's */
void __gcov_dump(void);

void quit_now(int status)
{
	__gcov_dump();
	_exit(status);
}

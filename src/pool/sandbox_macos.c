/*
 * What macOS offers: the named profile "no write" of sandbox_init(3), and the limits of every system.
 *
 * No file can be written or made; a worker, whose descriptors are counted, can read none either and has no new socket. A
 * session, the resolver and the courier can read what their user may. sandbox_init(3) is deprecated since 10.8, with no successor
 * for a program that is no signed application.
 *
 * Rejected: a profile of our own. The language of profiles (SBPL) is documented nowhere and differs between
 * releases, so a text that nobody here can try would shut out every user of some release. And "pure
 * computation", the one other profile that would fit a worker, takes the network away.
 *
 * Untried: it was written by the manual page and compiled against its prototypes, and has not run on macOS yet.
 */
#include "pool/sandbox_internal.h"

#include <sandbox.h>
#include <stddef.h>

#include "base/log.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

bool sandbox_platform_probe(struct sandbox *s, const char **lacks)
{
	(void)s;
	*lacks = "";
	return true;
}

/* As with the limits: a worker has more of them. */
bool sandbox_platform_rehearses(enum sandbox_role role)
{
	(void)role;
	return true;
}

bool sandbox_platform_enter(const struct sandbox *s, enum sandbox_role role)
{
	char *error = NULL;

	(void)s;
	if (!sandbox_limits_enter(role))
		return false;
	if (sandbox_init(kSBXProfileNoWrite, SANDBOX_NAMED, &error) == 0)
		return true;
	log_error("sandbox_init is refused: %s", error ? error : "no reason given");
	sandbox_free_error(error);
	return false;
}

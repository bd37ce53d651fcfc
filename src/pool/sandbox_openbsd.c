/*
 * What OpenBSD offers: pledge(2) for what a process may ask, unveil(2) for the files that it may see.
 *
 * A worker sends by sockets that are not connected, which "stdio" alone does not allow; "inet" does, and would allow new
 * sockets, too: so the limit of descriptors stays. No promise of a worker or a session opens a file; the resolver
 * and the courier may read ("rpath"), and see four files only. Whoever breaks a promise dies (SIGABRT).
 *
 * The order: limits and unveil(2) first, which no promise below includes; the last unveil(2) is the lock.
 *
 * Untried: it was written by the manual pages and compiled against their prototypes, and has not run on OpenBSD yet.
 */
#include "pool/sandbox_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

bool sandbox_platform_probe(struct sandbox *s, const char **lacks)
{
	(void)s;
	*lacks = "";
	return true;
}

/* A file that is not there may come; only who looks names up looks. */
static bool see_files(void)
{
	static const char *const files[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
					    "/etc/gai.conf"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (unveil(files[i], "r") < 0 && errno != ENOENT)
			return false;
	return unveil(NULL, NULL) == 0;
}

static bool promise(const struct sandbox *s, enum sandbox_role role)
{
	if (role == SANDBOX_RESOLVER || role == SANDBOX_COURIER)
		return see_files() && pledge("stdio rpath inet", NULL) == 0;
	if (role == SANDBOX_SESSION && s->paths)
		return pledge("stdio inet unix", NULL) == 0;
	return pledge("stdio inet", NULL) == 0;
}

/* Limits, promises and files differ. */
bool sandbox_platform_rehearses(enum sandbox_role role)
{
	(void)role;
	return true;
}

bool sandbox_platform_enter(const struct sandbox *s, enum sandbox_role role)
{
	if (!sandbox_limits_enter(role))
		return false;
	if (promise(s, role))
		return true;
	log_error("pledge or unveil is refused: %s", strerror(errno));
	return false;
}

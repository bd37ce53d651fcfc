/*
 * Whom a process started as root becomes.
 *
 * setuid(2) as root sets the real, the effective and the saved id, on every system, so that no
 * setresuid(2) is needed, which macOS lacks. The order is what matters: once the user has changed, the groups
 * cannot any more.
 *
 * The trap: a change that fails and is not noticed. On old kernels setuid(2) failed where the
 * new user had too many processes; in a user namespace an id may be unknown. All results are looked at,
 * and then the way back is tried, which must be closed.
 */
#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

bool user_find(const char *name, struct user *out)
{
	const struct passwd *p = getpwnam(name);

	if (!p)
		return false;
	*out = (struct user){.uid = p->pw_uid, .gid = p->pw_gid};
	return true;
}

bool user_become(const struct user *u)
{
	if (setgroups(1, &u->gid) < 0 || setgid(u->gid) < 0 || setuid(u->uid) < 0)
		return false;
	if (u->uid == 0 || (setuid(0) < 0 && seteuid(0) < 0))
		return true;
	errno = EPERM;
	return false;
}

/*
 * What Linux offers: no new privileges, no capabilities, Landlock for files, seccomp for system calls.
 *
 * seccomp comes last, for it would refuse the others. What each of them keeps away overlaps on purpose:
 * seccomp judges a call by its number and the words beside it and cannot follow a pointer, so the resolver, which
 * must open files, is held to four of them by Landlock.
 *
 * Absent is not refused. A kernel that was built or booted without (ENOSYS, EOPNOTSUPP) gets a
 * warning, and the run goes on; a kernel, or a filter around us, that has it and says no (EPERM) is a
 * mistake in somebody's set-up, which would otherwise stay unnoticed for ever.
 *
 * Capabilities go also where the user stays: a service may be given CAP_NET_ADMIN for its receive
 * buffers, and these are open by now.
 */
#include "pool/sandbox_internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

bool sandbox_platform_probe(struct sandbox *s, const char **lacks)
{
	s->calls = sandbox_seccomp_probe();
	if (!sandbox_landlock_probe(&s->files_abi)) {
		log_error(
			"Landlock is refused: %s (is landlock_create_ruleset in no filter's list?)",
			strerror(errno));
		return false;
	}
	*lacks = s->calls       ? s->files_abi ? "" : "Landlock"
		 : s->files_abi ? "seccomp"
				: "seccomp and no Landlock";
	return true;
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capset, &header, none) == 0;
}

static bool refused(const char *what)
{
	log_error("%s: %s", what, strerror(errno));
	return false;
}

/* It names files, and is held to some of the network, too: each part is made with all of its calls. */
bool sandbox_platform_rehearses(enum sandbox_role role)
{
	return role == SANDBOX_COURIER;
}

bool sandbox_platform_enter(const struct sandbox *s, enum sandbox_role role)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return refused("cannot renounce new privileges");
	if (!drop_capabilities())
		return refused("cannot drop capabilities");
	if (s->files_abi > 0 && !sandbox_landlock_enter(s->files_abi, role))
		return refused("Landlock is refused");
	if (s->calls && !sandbox_seccomp_enter(role, s->paths))
		return refused("seccomp is refused");
	return true;
}

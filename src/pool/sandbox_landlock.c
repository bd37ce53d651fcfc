/*
 * No file at all; for who looks names up, the resolver and the courier, the four that say how.
 *
 * The kernel's header of the machine that builds may be older than the kernel that runs it, so
 * what we know of Landlock stands here: which version of its ABI brought what. What a kernel does not
 * know it must not be asked for.
 *
 * The traps. Landlock judges a file when it is opened or named: descriptors stay good, and connect(2) to a
 * socket in the file system is no access to a file. And a rule holds for the file that is there now: one that
 * is replaced later is another file, which a resolver that lives on cannot read.
 */
#include "pool/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_VERSION  1u /* <linux/landlock.h>: LANDLOCK_... */
#define RULE_PATH       1
#define FS_READ_FILE    (UINT64_C(1) << 2)
#define FS_ALL_1        ((UINT64_C(1) << 13) - 1)
#define FS_REFER        (UINT64_C(1) << 13)
#define FS_TRUNCATE     (UINT64_C(1) << 14)
#define FS_IOCTL_DEV    (UINT64_C(1) << 15)
#define NET_BIND_TCP    (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT  (UINT64_C(1) << 0)
#define SCOPE_SIGNAL    (UINT64_C(1) << 1)

struct ruleset { /* struct landlock_ruleset_attr; what an older kernel does not know is 0 */
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};
struct path_rule { /* struct landlock_path_beneath_attr */
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

bool sandbox_landlock_probe(int *abi)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);

	*abi = version > 0 ? (int)version : 0;
	return version > 0 || errno == ENOSYS || errno == EOPNOTSUPP;
}

static struct ruleset known(int abi, enum sandbox_role role)
{
	struct ruleset r = {.fs = FS_ALL_1};

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 4 && role == SANDBOX_WORKER)
		r.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 4 && role == SANDBOX_COURIER)
		r.net = NET_BIND_TCP;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		r.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return r;
}

/* False: there is such a file, and it cannot be allowed. */
static bool allow_file(int ruleset, const char *path)
{
	struct path_rule rule = {.allowed = FS_READ_FILE, .fd = open(path, O_PATH | O_CLOEXEC)};
	bool allowed;

	if (rule.fd < 0) /* there is none, or it is not for us */
		return true;
	allowed = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0u) == 0;
	close(rule.fd);
	return allowed;
}

static bool allow_files(int ruleset)
{
	static const char *const files[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
					    "/etc/gai.conf"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!allow_file(ruleset, files[i]))
			return false;
	return true;
}

bool sandbox_landlock_enter(int abi, enum sandbox_role role)
{
	struct ruleset r = known(abi, role);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0u), saved;
	bool entered;

	if (ruleset < 0)
		return false;
	entered = ((role != SANDBOX_RESOLVER && role != SANDBOX_COURIER) || allow_files(ruleset)) &&
		  syscall(SYS_landlock_restrict_self, ruleset, 0u) == 0;
	saved = errno;
	close(ruleset);
	errno = saved;
	return entered;
}

/*
 * sandbox_internal - what differs between systems: sandbox_linux.c, sandbox_openbsd.c, sandbox_macos.c,
 * sandbox_plain.c, sandbox_none.c.
 */
#ifndef POOL_SANDBOX_INTERNAL_H
#define POOL_SANDBOX_INTERNAL_H

#include "pool/sandbox.h"

/* Fills in `calls` and `files_abi`, and names what is not there; "" if all is. False: was told. */
bool sandbox_platform_probe(struct sandbox *s, const char **lacks);
/* Whether a child in this role is tried; false: what others do that are tried has all of its calls. */
bool sandbox_platform_rehearses(enum sandbox_role role);
/* The user has changed already. False: was told. */
bool sandbox_platform_enter(const struct sandbox *s, enum sandbox_role role);

/* sandbox_limits.c, all but Linux and `none`: no process, and for a worker no descriptor. False: was told. */
bool sandbox_limits_enter(enum sandbox_role role);

/* sandbox_landlock.c, Linux only: false: errno */
bool sandbox_landlock_probe(int *abi); /* 0: the kernel has none */
bool sandbox_landlock_enter(int abi, enum sandbox_role role);

/* sandbox_seccomp.c, Linux only: false: errno */
bool sandbox_seccomp_probe(void); /* false: the kernel has none */
bool sandbox_seccomp_enter(enum sandbox_role role, bool paths);

#endif

/*
 * sandbox - what a process that meets the network gives up before the first packet.
 *
 * The master stays who it is, and as it is: it writes beside the output, forks, and never parses a byte
 * of the network.
 */
#ifndef POOL_SANDBOX_H
#define POOL_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/user.h"

enum sandbox_role {
	SANDBOX_WORKER,   /* has its UDP sockets, needs no file and no other socket */
	SANDBOX_SESSION,  /* connects streams */
	SANDBOX_RESOLVER, /* speaks DNS, reads the files that say how */
	SANDBOX_COURIER, /* connects to a broker by its name, again and again; its certificates are read */
};

struct sandbox {      /* made once, before the first fork; the same for all children */
	bool becomes; /* somebody else: `user`; only root can */
	struct user user;
	bool paths;   /* sessions connect to sockets of the file system, too */
	pid_t master; /* dies: so do we */
	bool calls;   /* the kernel can refuse system calls */
	int files_abi; /* how much of the file system it can refuse (Landlock's version); 0: nothing */
};

/* In the master: finds out what the kernel can do, tells by one warning what it cannot, and tries all of it
 * in a child. False: something that is there is refused to us, which was told; nothing may be
 * forked then. `becomes`, `user` and `paths` are set before. */
bool sandbox_prepare(struct sandbox *s);

/* In a child that has given up nothing and forks others: what was prepared before it was forked holds for these, too. Says
 * nothing, tries nothing. */
void sandbox_adopt(struct sandbox *s);

/* In a child, once its descriptors are open. There is no way back. False: was told; the process must end. */
bool sandbox_enter(const struct sandbox *s, enum sandbox_role role);

#endif

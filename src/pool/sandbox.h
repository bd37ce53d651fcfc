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

/* Made before the first fork, and anew for what is read again: children have that which held when they were forked. */
struct sandbox {
	bool becomes; /* somebody else: `user`; only root can */
	struct user user;
	bool paths;   /* sessions connect to sockets of the file system, too */
	bool told;    /* what the kernel lacks: not again */
	pid_t master; /* dies: so do we */
	bool calls;   /* the kernel can refuse system calls */
	int files_abi; /* how much of the file system it can refuse (Landlock's version); 0: nothing */
};

/* In the master: finds out what the kernel can do, tells by one warning what it cannot, and tries all of it
 * in a child. False: something that is there is refused to us, which was told; no child may have it then. `becomes`, `user`
 * and `told` are set before; so is `paths`, where it is known by then (a cell learns it later). */
bool sandbox_prepare(struct sandbox *s);

/* In a child that has given up nothing and forks others: what was prepared before it was forked holds for these, too. Says
 * nothing, tries nothing. */
void sandbox_adopt(struct sandbox *s);

/* In a child, once its descriptors are open. There is no way back. False: was told; the process must end. */
bool sandbox_enter(const struct sandbox *s, enum sandbox_role role);

#endif

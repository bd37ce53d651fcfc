/*
 * user - whom a process started as root becomes.
 */
#ifndef BASE_USER_H
#define BASE_USER_H

#include <stdbool.h>
#include <sys/types.h>

struct user {
	uid_t uid;
	gid_t gid; /* of its own group; it has no other */
};

/* Asks the system's users, which may take a while and descriptors: before anything is forked. False: no
 * such user. */
bool user_find(const char *name, struct user *out);

/* For ever: all ids change, and a way back is looked for. As root only. False: errno, and
 * the process may be anything, so it must end. */
bool user_become(const struct user *u);

#endif

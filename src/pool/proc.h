/*
 * proc - forks a child with one queue end and nothing else of its parent's; ends it.
 */
#ifndef POOL_PROC_H
#define POOL_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_NOT_BEGUN 5 /* exit status of a child that could not begin its work */

struct proc {
	pid_t pid; /* 0: there is none */
	int fd;    /* the parent's end of the queue; -1: there is none */
};

/* What a child does: queue_fd is its end; the value is its exit status (0 to 255). Neither atexit
 * functions nor buffers of stdio see the end. */
typedef int (*proc_fn)(void *arg, int queue_fd);

/* Forks. In the child SIGINT, SIGTERM, SIGHUP and SIGPIPE are ignored, all else is as the system has
 * it; open are stderr, the queue end, and /dev/null as 0 and 1. The child is killed when its parent
 * dies (Linux), or reads end of file (everywhere). False: errno is EAGAIN, ENOMEM, EMFILE and the
 * like, and p is as {0, -1}. */
bool proc_spawn(struct proc *p, proc_fn fn, void *arg);

/* In a child: asks to be killed with the parent (Linux). False: it is dead already. A child has done so, but has
 * to again when it has become another user. */
bool proc_follow(pid_t parent);

/* Kills, waits for the end (after SIGKILL, or once end of file was seen, that is no wait), closes the
 * queue end. Returns the wait status; p is {0, -1} then. Harmless when there is none (0). */
int proc_end(struct proc *p);

/* The octets of a process that are in memory; 0: the system does not say, or not of this one. */
uint64_t proc_memory(pid_t pid);

/* "exited with status 4", "was killed by signal 11 (Segmentation fault)". */
void proc_status_text(int wait_status, char *out, size_t len);

#endif

/*
 * Many datagrams per system call where the platform can (batch_linux.c), one where it cannot (batch_plain.c);
 * the build takes one of the two files.
 */
#ifndef AGENT_BATCH_H
#define AGENT_BATCH_H

#include "datagram.h"

#include <signal.h>

enum {
	BATCH_MAX = 64
};

struct batch;

struct batch *batch_new(void);
void batch_free(struct batch *batch);

/*
 * Takes what waits on fd, at most n <= BATCH_MAX, without waiting. Each d[i].bytes holds DATAGRAM_MAX octets, lent by
 * the caller. Returns how many came; a datagram that names no local address has len 0.
 */
size_t batch_receive(struct batch *batch, int fd, struct datagram *d, size_t n);
/* Sends n <= BATCH_MAX datagrams of one socket. Returns how many the kernel took. */
size_t batch_send(struct batch *batch, const struct datagram *d, size_t n);

/* Asks for a receive buffer of this many octets, or as much as we may have. */
void batch_set_buffer(int fd, int octets);
/* How many datagrams the kernel threw away because that was full; -1 where it does not say. */
int64_t batch_overrun(int fd);
/*
 * Sleeps until one of n sockets is readable, a signal that mask lets through comes, or timeout_us is over (negative:
 * for ever). readable[i] tells of fds[i].
 */
void batch_wait(const int *fds, bool *readable, size_t n, int64_t timeout_us, const sigset_t *mask);

#endif

#include "batch.h"

#include <stdlib.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <time.h>

struct batch {
	union control control;
};

struct batch *batch_new(void)
{
	return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *batch)
{
	free(batch);
}

static bool receive_one(struct batch *batch, int fd, struct datagram *d)
{
	struct iovec iov = {d->bytes, DATAGRAM_MAX};
	struct msghdr msg = {.msg_name = &d->peer,
			     .msg_namelen = sizeof d->peer,
			     .msg_iov = &iov,
			     .msg_iovlen = 1};

	msg.msg_control = &batch->control;
	msg.msg_controllen = sizeof batch->control;
	ssize_t got = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (got < 0)
		return false;
	d->fd = fd;
	d->len = datagram_read_control(d, &msg) ? (size_t)got : 0;
	return true;
}

size_t batch_receive(struct batch *batch, int fd, struct datagram *d, size_t n)
{
	size_t got = 0;

	while (got < n && receive_one(batch, fd, &d[got]))
		got++;
	return got;
}

size_t batch_send(struct batch *batch, const struct datagram *d, size_t n)
{
	size_t sent = 0;

	for (size_t i = 0; i < n; i++) {
		struct iovec iov = {d[i].bytes, d[i].len};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
		msg.msg_name = (void *)(uintptr_t)&d[i].peer;
		msg.msg_namelen = d[i].peer.sa.sa_family == AF_INET ? sizeof d[i].peer.in
								    : sizeof d[i].peer.in6;
		datagram_write_control(&d[i], &msg, &batch->control);
		sent += sendmsg(d[i].fd, &msg, 0) >= 0;
	}
	return sent;
}

int64_t batch_overrun(int fd)
{
	(void)fd;
	return -1;
}

void batch_set_buffer(int fd, int octets)
{
	while (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets) != 0 && octets > 65536)
		octets /= 2;
}

void batch_wait(const int *fds, bool *readable, size_t n, int64_t timeout_us, const sigset_t *mask)
{
	struct timespec limit = {.tv_sec = timeout_us / 1000000,
				 .tv_nsec = timeout_us % 1000000 * 1000};
	fd_set set;
	int highest = -1;

	FD_ZERO(&set);
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= FD_SETSIZE)
			abort(); /* the first files that this process opens */
		FD_SET(fds[i], &set);
		highest = fds[i] > highest ? fds[i] : highest;
	}
	int ready = pselect(highest + 1, &set, NULL, NULL, timeout_us < 0 ? NULL : &limit, mask);
	for (size_t i = 0; i < n; i++)
		readable[i] = ready > 0 && FD_ISSET(fds[i], &set);
}

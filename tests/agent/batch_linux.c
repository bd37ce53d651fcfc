#include "batch.h"

#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

enum {
	WAIT_MAX = 8
};

struct batch {
	struct mmsghdr in[BATCH_MAX], out[BATCH_MAX];
	struct iovec in_iov[BATCH_MAX], out_iov[BATCH_MAX];
	union control in_control[BATCH_MAX], out_control[BATCH_MAX];
};

struct batch *batch_new(void)
{
	struct batch *batch = calloc(1, sizeof *batch);

	for (size_t i = 0; batch && i < BATCH_MAX; i++) {
		batch->in[i].msg_hdr.msg_iov = &batch->in_iov[i];
		batch->in[i].msg_hdr.msg_iovlen = 1;
		batch->in[i].msg_hdr.msg_control = &batch->in_control[i];
		batch->out[i].msg_hdr.msg_iov = &batch->out_iov[i];
		batch->out[i].msg_hdr.msg_iovlen = 1;
	}
	return batch;
}

void batch_free(struct batch *batch)
{
	free(batch);
}

size_t batch_receive(struct batch *batch, int fd, struct datagram *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct msghdr *msg = &batch->in[i].msg_hdr;
		msg->msg_name = &d[i].peer;
		msg->msg_namelen = sizeof d[i].peer;
		msg->msg_controllen = sizeof batch->in_control[i];
		batch->in_iov[i] = (struct iovec){d[i].bytes, DATAGRAM_MAX};
	}
	int got = recvmmsg(fd, batch->in, (unsigned)n, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		d[i].fd = fd;
		d[i].len = datagram_read_control(&d[i], &batch->in[i].msg_hdr)
				   ? batch->in[i].msg_len
				   : 0;
	}
	return got > 0 ? (size_t)got : 0;
}

size_t batch_send(struct batch *batch, const struct datagram *d, size_t n)
{
	size_t done = 0, sent = 0;

	for (size_t i = 0; i < n; i++) {
		struct msghdr *msg = &batch->out[i].msg_hdr;
		msg->msg_name = (void *)(uintptr_t)&d[i].peer;
		msg->msg_namelen = d[i].peer.sa.sa_family == AF_INET ? sizeof d[i].peer.in
								     : sizeof d[i].peer.in6;
		batch->out_iov[i] = (struct iovec){d[i].bytes, d[i].len};
		datagram_write_control(&d[i], msg, &batch->out_control[i]);
	}
	while (done < n) {
		int took = sendmmsg(d->fd, batch->out + done, (unsigned)(n - done), 0);
		/* An error tells of the first one only: leave it out and go on with the rest. */
		done += took > 0 ? (size_t)took : 1;
		sent += took > 0 ? (size_t)took : 0;
	}
	return sent;
}

int64_t batch_overrun(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof info;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return -1;
	return info[SK_MEMINFO_DROPS];
}

void batch_set_buffer(int fd, int octets)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
}

void batch_wait(const int *fds, bool *readable, size_t n, int64_t timeout_us, const sigset_t *mask)
{
	struct pollfd polled[WAIT_MAX];
	struct timespec limit = {.tv_sec = timeout_us / 1000000,
				 .tv_nsec = timeout_us % 1000000 * 1000};

	for (size_t i = 0; i < n; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	int ready = ppoll(polled, n, timeout_us < 0 ? NULL : &limit, mask);
	for (size_t i = 0; i < n; i++)
		readable[i] = ready > 0 && polled[i].revents;
}

/*
 * Wait on descriptors until the next deadline, once a turn.
 *
 * poll(2) and an array: a process of ours watches a handful of descriptors, however many hosts it asks
 * (a worker its queue and two sockets, the master two per child), so epoll and kqueue would bring two
 * platform files and no speed. select(2) is out: FD_SET writes past its array from descriptor 1,024 on.
 *
 * Callbacks may watch, forget and re-watch anything. A forgotten entry stays in place with fd -1, which
 * poll ignores, and is squeezed out at the end of the turn; an added one goes to the end, behind
 * what this turn serves. So a descriptor that was closed, reused by the kernel and watched again within
 * one turn is never called with the readiness of its predecessor.
 *
 * Lateness is not oversleeping alone. A stop (Ctrl-Z, SIGSTOP, a frozen cgroup) may hit in the sleep:
 * then poll comes back later than it should have. Or while callbacks run: then the time between the
 * last waking and this sleep is too long. Both count; what came before the first turn does not, that
 * was set-up. A stop within a sleep that had no deadline, or ended before it, made nothing late. When in the
 * sleep it began is not to be known; so all of a sleep that ended late counts, and a wait is rather renewed
 * than over at the very moment at which the process goes on.
 *
 * The trap: poll counts milliseconds. Rounded down, a deadline 0.4 ms away becomes a timeout of 0 and
 * the loop spins until it is there; it is rounded up, so a timer fires up to 1 ms after its time.
 */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/quit.h"

struct entry {
	loop_fn fn;
	void *arg;
};

struct loop {
	struct pollfd *fds;    /* fd -1: forgotten in this turn */
	struct entry *entries; /* of the same index */
	size_t n;
	size_t cap;
	bool serving; /* callbacks are running */
	bool holes;   /* some fd is -1 */
	int64_t now_us;
	int64_t woke_us; /* when the last sleep ended; -1 before the first */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t loop_clock_us(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000;
}

int64_t loop_wall_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000;
}

struct loop *loop_new(void)
{
	struct loop *l = mem_zero(1, sizeof(*l));

	l->woke_us = -1;
	loop_refresh(l);
	return l;
}

void loop_free(struct loop *l)
{
	free(l->fds);
	free(l->entries);
	free(l);
}

int64_t loop_now_us(const struct loop *l)
{
	return l->now_us;
}

void loop_refresh(struct loop *l)
{
	l->now_us = loop_clock_us();
}

/* Index of fd's entry, or l->n. */
static size_t find(const struct loop *l, int fd)
{
	size_t i = 0;

	while (i < l->n && l->fds[i].fd != fd)
		i++;
	return i;
}

static short events_of(unsigned want)
{
	return (short)((want & LOOP_READ ? POLLIN : 0) | (want & LOOP_WRITE ? POLLOUT : 0));
}

void loop_watch(struct loop *l, int fd, unsigned want, loop_fn fn, void *arg)
{
	assert(fd >= 0 && find(l, fd) == l->n);
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->fds = mem_resize(l->fds, l->cap, sizeof(*l->fds));
		l->entries = mem_resize(l->entries, l->cap, sizeof(*l->entries));
	}
	l->fds[l->n] = (struct pollfd){.fd = fd, .events = events_of(want)};
	l->entries[l->n] = (struct entry){.fn = fn, .arg = arg};
	l->n++;
}

void loop_want(struct loop *l, int fd, unsigned want)
{
	size_t i = find(l, fd);

	assert(fd >= 0 && i < l->n);
	l->fds[i].events = events_of(want);
}

static void squeeze(struct loop *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->fds[i].fd < 0)
			continue;
		l->fds[kept] = l->fds[i];
		l->entries[kept] = l->entries[i];
		kept++;
	}
	l->n = kept;
	l->holes = false;
}

void loop_forget(struct loop *l, int fd)
{
	size_t i = find(l, fd);

	if (i == l->n)
		return;
	l->fds[i].fd = -1;
	l->holes = true;
	if (!l->serving)
		squeeze(l);
}

/* What poll found, in LOOP_ bits, as far as it is still wanted when its turn has come. */
static unsigned ready_bits(const struct pollfd *p)
{
	int ready = p->revents;

	if (ready & (POLLERR | POLLHUP | POLLNVAL))
		ready = POLLIN | POLLOUT;
	ready &= p->events;
	return ((ready & POLLIN) ? LOOP_READ : 0) | ((ready & POLLOUT) ? LOOP_WRITE : 0);
}

static void serve(struct loop *l)
{
	l->serving = true;
	for (size_t i = 0; i < l->n; i++) { /* what is added meanwhile has no revents yet */
		const struct pollfd *p = &l->fds[i];
		unsigned ready = ready_bits(p);

		/* an error is told even to who wants nothing; readiness no longer wanted is not */
		if (p->fd >= 0 && (ready || p->revents & (POLLERR | POLLHUP | POLLNVAL)))
			l->entries[i].fn(l->entries[i].arg, ready);
	}
	l->serving = false;
	if (l->holes)
		squeeze(l);
}

static int timeout_ms(int64_t now_us, int64_t deadline_us)
{
	int64_t ms;

	if (deadline_us == LOOP_NEVER)
		return -1;
	if (deadline_us <= now_us)
		return 0;
	ms = (deadline_us - now_us - 1) / 1000 + 1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* How much of the stretch from the last waking over asleep_us to now may have been a stop. */
static int64_t lateness(const struct loop *l, int64_t asleep_us, int64_t deadline_us)
{
	int64_t should_us = deadline_us > asleep_us ? deadline_us : asleep_us;
	int64_t served_us = l->woke_us < 0 ? 0 : asleep_us - l->woke_us;
	int64_t overslept_us = l->now_us > should_us ? l->now_us - should_us : 0;
	int64_t late_us = 0;

	if (served_us > LOOP_LATE_US)
		late_us += served_us;
	if (overslept_us > LOOP_LATE_US)
		late_us += l->now_us - asleep_us;
	return late_us;
}

int64_t loop_turn(struct loop *l, int64_t deadline_us)
{
	int64_t asleep_us = loop_clock_us(), late_us;
	int found = poll(l->fds, (nfds_t)l->n, timeout_ms(asleep_us, deadline_us));

	if (found < 0 && errno != EINTR) { /* out of memory, or of the limit on descriptors */
		perror("multisnmp: poll");
		quit_now(MEM_EXIT);
	}
	loop_refresh(l);
	late_us = lateness(l, asleep_us, deadline_us);
	l->woke_us = l->now_us;
	if (found > 0)
		serve(l);
	return late_us;
}

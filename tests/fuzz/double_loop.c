/*
 * The loop without waiting: what would sleep finds the clock at its deadline.
 *
 * Descriptors that there are (socket pairs to the fuzzer's side) are looked at with poll(2), without waiting, where
 * there is somebody who acts on their other ends.
 */
#include "double_loop.h"

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"

#define ENTRIES_MAX 64
#define START_US    INT64_C(1000000000)
#define WALL_MS     INT64_C(1790000000000)

struct entry {
	int fd; /* -1: forgotten in this turn */
	unsigned want, forced, ready;
	loop_fn fn;
	void *arg;
};

struct loop {
	struct entry list[ENTRIES_MAX];
	size_t n;
	bool serving;
	int64_t now_us;
};

static struct {
	int64_t now_us, late_us;
	unsigned long turns;
	void (*turn)(void *arg);
	void *arg;
} world;

void double_clock_start(void (*turn)(void *arg), void *arg)
{
	world.now_us = START_US;
	world.late_us = 0;
	world.turns = 0;
	world.turn = turn;
	world.arg = arg;
}

void double_clock_step(int64_t us)
{
	world.now_us += us;
}

void double_late(int64_t us)
{
	world.late_us = us;
	world.now_us += us;
}

unsigned long double_turns(void)
{
	return world.turns;
}

int64_t loop_clock_us(void)
{
	return world.now_us;
}

int64_t loop_wall_ms(void)
{
	return WALL_MS + world.now_us / 1000;
}

struct loop *loop_new(void)
{
	struct loop *l = mem_zero(1, sizeof(*l));

	loop_refresh(l);
	return l;
}

void loop_free(struct loop *l)
{
	free(l);
}

int64_t loop_now_us(const struct loop *l)
{
	return l->now_us;
}

void loop_refresh(struct loop *l)
{
	l->now_us = world.now_us;
}

static struct entry *find(struct loop *l, int fd)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].fd == fd)
			return &l->list[i];
	return NULL;
}

void loop_watch(struct loop *l, int fd, unsigned want, loop_fn fn, void *arg)
{
	FUZZ_CHECK(fd >= 0 && !find(l, fd) && l->n < ENTRIES_MAX);
	l->list[l->n++] = (struct entry){.fd = fd, .want = want, .fn = fn, .arg = arg};
}

void loop_want(struct loop *l, int fd, unsigned want)
{
	struct entry *e = find(l, fd);

	FUZZ_CHECK(fd >= 0 && e);
	e->want = want;
}

static void squeeze(struct loop *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].fd >= 0)
			l->list[kept++] = l->list[i];
	l->n = kept;
}

void loop_forget(struct loop *l, int fd)
{
	struct entry *e = find(l, fd);

	if (!e)
		return;
	e->fd = -1;
	if (!l->serving)
		squeeze(l);
}

void double_ready(struct loop *l, int fd, unsigned ready)
{
	struct entry *e = find(l, fd);

	if (e)
		e->forced |= ready;
}

/* What the kernel says of those that it knows. */
static void ask(struct loop *l, struct pollfd *fds)
{
	nfds_t known = 0;

	for (size_t i = 0; i < l->n; i++) {
		unsigned want = l->list[i].want;

		fds[i] = (struct pollfd){.fd = l->list[i].fd < DOUBLE_FD_MIN ? l->list[i].fd : -1};
		fds[i].events = (short)((want & LOOP_READ ? POLLIN : 0) |
					(want & LOOP_WRITE ? POLLOUT : 0));
		known += fds[i].fd >= 0;
	}
	if (known > 0 && world.turn)
		poll(fds, (nfds_t)l->n, 0);
}

/* Whether anything is ready. */
static bool look(struct loop *l)
{
	struct pollfd fds[ENTRIES_MAX];
	bool found = false;

	ask(l, fds);
	for (size_t i = 0; i < l->n; i++) {
		struct entry *e = &l->list[i];
		bool error = fds[i].revents & (POLLERR | POLLHUP | POLLNVAL);

		e->ready = e->forced | (fds[i].revents & POLLIN || error ? LOOP_READ : 0) |
			   (fds[i].revents & POLLOUT || error ? LOOP_WRITE : 0);
		e->forced = 0;
		e->ready &= e->want;
		if (error && !e->ready)
			e->ready = ~0u; /* told even to who wants nothing */
		found |= e->ready != 0;
	}
	return found;
}

int64_t loop_turn(struct loop *l, int64_t deadline_us)
{
	int64_t late_us;
	size_t n = l->n;
	bool found;

	world.turns++;
	if (world.turn)
		world.turn(world.arg);
	found = look(l);
	if (!found && deadline_us != LOOP_NEVER && deadline_us > world.now_us)
		world.now_us = deadline_us;
	else
		world.now_us += 10;
	loop_refresh(l);
	late_us = world.late_us;
	world.late_us = 0;
	l->serving = true;
	for (size_t i = 0; found && i < n; i++) {
		struct entry *e = &l->list[i];

		if (e->fd >= 0 && e->ready)
			e->fn(e->arg, e->ready == ~0u ? 0 : e->ready & e->want);
	}
	l->serving = false;
	squeeze(l);
	return late_us;
}

/* loop: readiness, changes from within callbacks, deadlines, and lateness after a real SIGSTOP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"

#define STOP_US 1300000 /* how long children are stopped: above LOOP_LATE_US */

/* One watched end of a socketpair and what was told about it. */
struct end {
	struct loop *loop;
	int fd;
	int peer;
	unsigned calls;
	unsigned ready;
	char **trace; /* where to note `name` at each call, or NULL */
	char name;
};

static void note(void *arg, unsigned ready)
{
	struct end *e = arg;

	e->calls++;
	e->ready = ready;
	if (e->trace)
		*(*e->trace)++ = e->name;
}

static struct end end_open(struct loop *l)
{
	struct end e = {.loop = l};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	e.fd = fds[0];
	e.peer = fds[1];
	return e;
}

static void end_close(struct end *e)
{
	loop_forget(e->loop, e->fd);
	close(e->fd);
	if (e->peer >= 0)
		close(e->peer);
}

static void poke(const struct end *e)
{
	assert_int_equal(write(e->peer, "x", 1), 1);
}

static void test_readiness(void **state)
{
	struct loop *l = loop_new();
	struct end e = end_open(l);

	(void)state;
	loop_watch(l, e.fd, LOOP_READ, note, &e);
	assert_int_equal(loop_turn(l, 0), 0);
	assert_int_equal(e.calls, 0);
	poke(&e);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(e.calls, 1);
	assert_int_equal(e.ready, LOOP_READ);

	loop_want(l, e.fd, LOOP_READ | LOOP_WRITE);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(e.ready, LOOP_READ | LOOP_WRITE);
	loop_want(l, e.fd, LOOP_WRITE);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(e.ready, LOOP_WRITE);
	loop_want(l, e.fd, 0);
	loop_turn(l, 0);
	assert_int_equal(e.calls, 3);
	end_close(&e);
	loop_free(l);
}

static void test_hang_up(void **state)
{
	struct loop *l = loop_new();
	struct end e = end_open(l);

	(void)state;
	loop_watch(l, e.fd, LOOP_READ | LOOP_WRITE, note, &e);
	close(e.peer);
	e.peer = -1;
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(e.ready, LOOP_READ | LOOP_WRITE); /* all that was asked for */
	loop_want(l, e.fd, 0);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(e.calls, 2); /* told, though nothing was wanted */
	assert_int_equal(e.ready, 0);
	end_close(&e);
	loop_free(l);
}

static void test_order_of_adding(void **state)
{
	struct loop *l = loop_new();
	struct end ends[20]; /* more than the arrays' first size */
	char trace[64], *at = trace;

	(void)state;
	for (int i = 0; i < 20; i++) {
		ends[i] = end_open(l);
		ends[i].trace = &at;
		ends[i].name = (char)('a' + i);
		loop_watch(l, ends[i].fd, LOOP_READ, note, &ends[i]);
	}
	loop_forget(l, ends[3].fd);
	loop_forget(l, ends[7].fd);
	loop_watch(l, ends[3].fd, LOOP_READ, note, &ends[3]); /* now the last */
	for (int i = 19; i >= 0; i--)
		poke(&ends[i]);
	loop_turn(l, LOOP_NEVER);
	*at = '\0';
	assert_string_equal(trace, "abcefgijklmnopqrstd");
	for (int i = 0; i < 20; i++)
		end_close(&ends[i]);
	loop_free(l);
}

struct pair {
	struct end a, b;
};

static void forget_both(void *arg, unsigned ready)
{
	struct pair *p = arg;

	note(&p->a, ready);
	loop_forget(p->a.loop, p->a.fd);
	loop_forget(p->a.loop, p->b.fd);
}

static void test_forget_in_a_callback(void **state)
{
	struct loop *l = loop_new();
	struct pair p = {.a = end_open(l), .b = end_open(l)};
	struct end last = end_open(l);

	(void)state;
	loop_watch(l, p.a.fd, LOOP_READ, forget_both, &p);
	loop_watch(l, p.b.fd, LOOP_READ, note, &p.b);
	loop_watch(l, last.fd, LOOP_READ, note, &last);
	poke(&p.a);
	poke(&p.b);
	poke(&last);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(p.a.calls, 1);
	assert_int_equal(p.b.calls, 0); /* was ready, but forgotten before its turn */
	assert_int_equal(last.calls, 1);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(p.a.calls, 1);
	assert_int_equal(p.b.calls, 0);
	assert_int_equal(last.calls, 2);
	end_close(&p.a);
	end_close(&p.b);
	end_close(&last);
	loop_free(l);
}

/* Closes b and opens a silent descriptor that gets its number: the kernel gives the lowest free. */
static void reuse_number(void *arg, unsigned ready)
{
	struct pair *p = arg;
	int fd = p->b.fd;

	note(&p->a, ready);
	loop_forget(p->a.loop, fd);
	close(fd);
	close(p->b.peer);
	p->b = end_open(p->b.loop);
	assert_int_equal(p->b.fd, fd);
	loop_watch(p->b.loop, fd, LOOP_READ, note, &p->b);
}

static void test_reused_number_is_not_called(void **state)
{
	struct loop *l = loop_new();
	struct pair p = {.a = end_open(l), .b = end_open(l)};

	(void)state;
	loop_watch(l, p.a.fd, LOOP_READ, reuse_number, &p);
	loop_watch(l, p.b.fd, LOOP_READ, note, &p.b);
	poke(&p.a);
	poke(&p.b);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(p.a.calls, 1);
	assert_int_equal(p.b.calls, 0);
	loop_forget(l, p.a.fd);
	poke(&p.b);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(p.b.calls, 1);
	end_close(&p.a);
	end_close(&p.b);
	loop_free(l);
}

static void watch_again(void *arg, unsigned ready)
{
	struct end *e = arg;

	note(e, ready);
	loop_forget(e->loop, e->fd);
	loop_watch(e->loop, e->fd, LOOP_READ, watch_again, e);
}

/* Entries that were left behind would soon be more than poll takes under this limit. */
static void test_forgotten_entries_go_away(void **state)
{
	struct rlimit before, low;
	struct loop *l = loop_new();
	struct end e = end_open(l);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	loop_watch(l, e.fd, LOOP_READ, watch_again, &e);
	poke(&e);
	for (unsigned turn = 1; turn <= 200; turn++) {
		loop_turn(l, LOOP_NEVER);
		assert_int_equal(e.calls, turn);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	end_close(&e);
	loop_free(l);
}

struct crowd {
	struct loop *loop;
	struct end ends[64];
	size_t n;
	unsigned calls;
};

/* Watches so many more that the arrays move under the running turn. */
static void add_crowd(void *arg, unsigned ready)
{
	struct crowd *c = arg;

	(void)ready;
	c->calls++;
	for (; c->n < 64; c->n++) {
		c->ends[c->n] = end_open(c->loop);
		poke(&c->ends[c->n]);
		loop_watch(c->loop, c->ends[c->n].fd, LOOP_READ, note, &c->ends[c->n]);
	}
}

static void test_watch_in_a_callback(void **state)
{
	struct crowd c = {.loop = loop_new()};
	struct end first = end_open(c.loop), second = end_open(c.loop);

	(void)state;
	loop_watch(c.loop, first.fd, LOOP_READ, add_crowd, &c);
	loop_watch(c.loop, second.fd, LOOP_READ, note, &second);
	poke(&first);
	poke(&second);
	loop_turn(c.loop, LOOP_NEVER);
	assert_int_equal(c.calls, 1);
	assert_int_equal(second.calls, 1);
	for (size_t i = 0; i < c.n; i++)
		assert_int_equal(c.ends[i].calls, 0); /* not before the next turn */
	loop_turn(c.loop, LOOP_NEVER);
	for (size_t i = 0; i < c.n; i++) {
		assert_int_equal(c.ends[i].calls, 1);
		end_close(&c.ends[i]);
	}
	end_close(&first);
	end_close(&second);
	loop_free(c.loop);
}

static void want_no_more(void *arg, unsigned ready)
{
	struct pair *p = arg;

	note(&p->a, ready);
	loop_want(p->a.loop, p->b.fd, 0);
}

static void test_want_in_a_callback(void **state)
{
	struct loop *l = loop_new();
	struct pair p = {.a = end_open(l), .b = end_open(l)};

	(void)state;
	loop_watch(l, p.a.fd, LOOP_READ, want_no_more, &p);
	loop_watch(l, p.b.fd, LOOP_READ, note, &p.b);
	poke(&p.a);
	poke(&p.b);
	loop_turn(l, LOOP_NEVER);
	assert_int_equal(p.a.calls, 1);
	assert_int_equal(p.b.calls, 0);
	end_close(&p.a);
	end_close(&p.b);
	loop_free(l);
}

static void test_forget_unknown(void **state)
{
	struct loop *l = loop_new();

	(void)state;
	loop_forget(l, 5);
	loop_forget(l, -1);
	assert_int_equal(loop_turn(l, 0), 0);
	loop_free(l);
}

/* One turn sleeps over the whole deadline: rounded down it would come back early, and spin. */
static void test_deadline_is_rounded_up(void **state)
{
	struct loop *l = loop_new();

	(void)state;
	for (int64_t us = 1; us < 4000; us += 333) {
		int64_t deadline = loop_clock_us() + us;

		assert_int_equal(loop_turn(l, deadline), 0);
		assert_true(loop_now_us(l) >= deadline);
	}
	loop_free(l);
}

static void test_past_deadlines_do_not_sleep(void **state)
{
	struct loop *l = loop_new();
	int64_t start = loop_clock_us();

	(void)state;
	assert_int_equal(loop_turn(l, start - 5000000),
			 0); /* overdue by the caller, not slept away */
	assert_int_equal(loop_turn(l, 0), 0);
	assert_int_equal(loop_turn(l, INT64_MIN), 0);
	assert_true(loop_clock_us() - start < LOOP_LATE_US);
	loop_free(l);
}

static void ignore_signal(int signo)
{
	(void)signo;
}

static void test_signal_ends_the_sleep(void **state)
{
	struct sigaction sa = {.sa_handler = ignore_signal}, before;
	struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	struct loop *l = loop_new();
	struct end e = end_open(l);

	(void)state;
	loop_watch(l, e.fd, LOOP_READ, note, &e);
	sigaction(SIGALRM, &sa, &before);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_int_equal(loop_turn(l, LOOP_NEVER), 0);
	assert_int_equal(e.calls, 0);
	sigaction(SIGALRM, &before, NULL);
	end_close(&e);
	loop_free(l);
}

static void test_clocks(void **state)
{
	struct loop *l = loop_new();
	int64_t now = loop_now_us(l);

	(void)state;
	assert_true(loop_wall_ms() / 1000 - (int64_t)time(NULL) <= 1);
	assert_true(loop_wall_ms() >
		    INT64_C(1577836800000)); /* 2020: milliseconds, not another unit */
	while (loop_clock_us() == now)
		;
	assert_true(loop_now_us(l) == now); /* read once a turn */
	loop_refresh(l);
	assert_true(loop_now_us(l) > now);
	loop_free(l);
}

/* Bodies of the children below; told[1] is closed when the child is ready to be stopped. What they
 * return is their exit status: the lateness in tenths of a second, NOT_LATE when there was none. */
#define NOT_LATE 200

static int turn_until_late(struct loop *l, int64_t period_us, int turns)
{
	for (int i = 0; i < turns; i++) {
		int64_t late = loop_turn(l, loop_now_us(l) + period_us);

		if (late > 0)
			return (int)(late / 100000);
	}
	return NOT_LATE;
}

static int stopped_asleep(struct loop *l, int told)
{
	close(told);
	return turn_until_late(l, 50000, 100);
}

static void stop_myself(void *arg, unsigned ready)
{
	struct end *e = arg;

	(void)ready;
	loop_forget(e->loop, e->fd);
	raise(SIGSTOP);
}

static int stopped_serving(struct loop *l, int told)
{
	struct end e = end_open(l);

	close(told);
	poke(&e);
	loop_watch(l, e.fd, LOOP_READ, stop_myself, &e);
	return turn_until_late(l, 50000, 3);
}

/* Before the first turn: that is set-up. */
static int stopped_before(struct loop *l, int told)
{
	close(told);
	raise(SIGSTOP);
	loop_refresh(l);
	return turn_until_late(l, 2000, 10);
}

/* In a sleep whose deadline is after the stop. */
static int stopped_in_time(struct loop *l, int told)
{
	int64_t late;

	close(told);
	late = loop_turn(l, loop_now_us(l) + 2 * STOP_US);
	return late ? (int)(late / 100000) : NOT_LATE;
}

/* Returns when the child is ready. */
static pid_t child_start(int (*body)(struct loop *l, int told))
{
	int told[2];
	char octet;
	pid_t child;

	assert_int_equal(pipe(told), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(told[0]);
		_exit(body(loop_new(), told[1]));
	}
	close(told[1]);
	assert_int_equal(read(told[0], &octet, 1), 0);
	close(told[0]);
	return child;
}

static void wait_stopped(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
}

static int exit_of(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_lateness_after_a_stop(void **state)
{
	pid_t serving = child_start(stopped_serving), before = child_start(stopped_before);
	pid_t asleep = child_start(stopped_asleep), in_time = child_start(stopped_in_time);
	const pid_t all[] = {serving, before, asleep, in_time};

	(void)state;
	kill(asleep, SIGSTOP);
	kill(in_time, SIGSTOP);
	for (int i = 0; i < 4; i++)
		wait_stopped(all[i]);
	nanosleep(&(struct timespec){.tv_sec = STOP_US / 1000000,
				     .tv_nsec = STOP_US % 1000000 * 1000},
		  NULL);
	for (int i = 0; i < 4; i++)
		kill(all[i], SIGCONT);
	assert_in_range(exit_of(serving), STOP_US / 100000 - 1, NOT_LATE - 1);
	assert_in_range(exit_of(asleep), STOP_US / 100000 - 1, NOT_LATE - 1);
	assert_int_equal(exit_of(before), NOT_LATE);
	assert_int_equal(exit_of(in_time), NOT_LATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readiness),
		cmocka_unit_test(test_hang_up),
		cmocka_unit_test(test_order_of_adding),
		cmocka_unit_test(test_forget_in_a_callback),
		cmocka_unit_test(test_reused_number_is_not_called),
		cmocka_unit_test(test_forgotten_entries_go_away),
		cmocka_unit_test(test_watch_in_a_callback),
		cmocka_unit_test(test_want_in_a_callback),
		cmocka_unit_test(test_forget_unknown),
		cmocka_unit_test(test_deadline_is_rounded_up),
		cmocka_unit_test(test_past_deadlines_do_not_sleep),
		cmocka_unit_test(test_signal_ends_the_sleep),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_lateness_after_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

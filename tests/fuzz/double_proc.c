/*
 * proc.h, signals.h and kill(2) without processes and signals.
 *
 * The trap: kill(2) with a number that is made up may meet a process of somebody's, and with 0 all of ours. So it is
 * doubled, and the numbers are beyond what a system gives.
 */
#include "double_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "double_loop.h"
#include "fuzz.h"
#include "pool/master_child.h"
#include "pool/signals.h"
#include "pool/proc.h"

#define PID_FIRST 0x7ffffff0

static struct double_peer peers[PEERS_MAX];
static unsigned refusals;
static int waiting_signal;
static struct master *master;

struct master *double_master(void)
{
	return master;
}

struct double_peer *double_peer(unsigned number)
{
	FUZZ_CHECK(number < PEERS_MAX);
	return &peers[number];
}

void double_peer_close(struct double_peer *p)
{
	if (p->frames.fd >= 0)
		frames_drop(&p->frames);
}

void double_proc_start(void)
{
	for (unsigned i = 0; i < PEERS_MAX; i++)
		peers[i] = (struct double_peer){.frames = {.fd = -1}};
	refusals = 0;
	waiting_signal = 0;
	master = NULL;
}

void double_proc_refuse(unsigned times)
{
	refusals = times;
}

void double_signal(int signal)
{
	waiting_signal = signal;
}

bool proc_spawn(struct proc *p, proc_fn fn, void *arg)
{
	const struct child *c = arg;
	struct double_peer *peer = double_peer(c->number);
	int ends[2];

	(void)fn;
	FUZZ_CHECK(peer->frames.fd < 0);
	master = c->master;
	*p = (struct proc){.fd = -1};
	if (refusals > 0) {
		refusals--;
		errno = EAGAIN;
		return false;
	}
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	*p = (struct proc){.pid = PID_FIRST + (pid_t)c->number, .fd = ends[0]};
	peer->frames = (struct frames){.fd = ends[1]};
	peer->births++;
	return true;
}

bool proc_follow(pid_t parent)
{
	(void)parent;
	return true;
}

int proc_end(struct proc *p)
{
	if (p->pid) {
		double_peer_close(double_peer((unsigned)(p->pid - PID_FIRST)));
		close(p->fd);
	}
	*p = (struct proc){.fd = -1};
	return 9;
}

uint64_t proc_memory(pid_t pid)
{
	(void)pid;
	return 0;
}

void proc_status_text(int wait_status, char *out, size_t len)
{
	snprintf(out, len, "ended with %d", wait_status);
}

int kill(pid_t pid, int signal)
{
	(void)signal;
	FUZZ_CHECK(pid >= PID_FIRST && pid < PID_FIRST + PEERS_MAX);
	double_peer_close(double_peer((unsigned)(pid - PID_FIRST)));
	return 0;
}

/* ---- signals */

struct signals {
	int fd;
};

struct signals *signals_open(void)
{
	static struct signals the_signals = {DOUBLE_FD_MIN};

	return &the_signals;
}

int signals_fd(const struct signals *s)
{
	return s->fd;
}

int signals_take(struct signals *s)
{
	int signal = waiting_signal;

	(void)s;
	waiting_signal = 0;
	return signal;
}

bool signals_asks(int signal)
{
	return signal == SIGUSR1;
}

void signals_close(struct signals *s, bool hand_on)
{
	(void)s, (void)hand_on;
}

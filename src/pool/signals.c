/*
 * Signals become octets in a pipe, which the loop reads like everything else.
 *
 * SIGINT and SIGTERM ask for a good end, SIGHUP too unless nohup(1) has it ignored. SIGUSR1 and SIGINFO ask how far
 * it is. SIGPIPE is ignored: a write says it better. SIGCHLD must not be: whoever started us may have it ignored, then the system
 * forgets our dead at once, and a process killed by its number may be somebody else's.
 *
 * A signal that comes too early, when there is an output but nobody to tell it to, is held back by main and heard here as
 * soon as there is; so is one that comes too late, when the output is being committed: it would leave a temporary
 * file behind.
 *
 * The trap: fork copies handlers, and the pipe with them; proc blocks all signals until a child has its
 * own set.
 */
#include "pool/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGUSR1,
#ifdef SIGINFO /* Ctrl-T, where there is one */
			     SIGINFO
#endif
};
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

struct signals {
	int pipe[2];
	struct sigaction before[CAUGHT];
	sigset_t mask; /* as it was before */
};

static volatile sig_atomic_t pipe_end = -1; /* where the handler writes */

static void on_signal(int signal)
{
	unsigned char octet = (unsigned char)signal;
	int error = errno;

	if (write((int)pipe_end, &octet, 1) < 0) {
		/* full: enough of them wait to be read */
	}
	errno = error;
}

static void (*action_of(int signal, const struct sigaction *before))(int)
{
	if (signal == SIGCHLD)
		return SIG_DFL;
	if (signal == SIGPIPE || (signal == SIGHUP && before->sa_handler == SIG_IGN))
		return SIG_IGN;
	return on_signal;
}

static void hear(struct signals *s)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaddset(&set, caught[i]);
	sigprocmask(SIG_UNBLOCK, &set, &s->mask);
}

struct signals *signals_open(void)
{
	struct signals *s = mem_zero(1, sizeof(*s));

	if (pipe(s->pipe) < 0) {
		free(s);
		return NULL;
	}
	fcntl(s->pipe[0], F_SETFL, O_NONBLOCK);
	fcntl(s->pipe[1], F_SETFL, O_NONBLOCK);
	pipe_end = s->pipe[1];
	for (size_t i = 0; i < CAUGHT; i++) {
		struct sigaction sa;
		sigaction(caught[i], NULL, &s->before[i]);
		sa = (struct sigaction){.sa_handler = action_of(caught[i], &s->before[i])};
		sigaction(caught[i], &sa, NULL);
	}
	hear(s);
	return s;
}

int signals_fd(const struct signals *s)
{
	return s->pipe[0];
}

int signals_take(struct signals *s)
{
	unsigned char octet;

	return read(s->pipe[0], &octet, 1) == 1 ? octet : 0;
}

bool signals_asks(int signal)
{
#ifdef SIGINFO
	if (signal == SIGINFO)
		return true;
#endif
	return signal == SIGUSR1;
}

void signals_close(struct signals *s, bool hand_on)
{
	int signal;

	if (!s)
		return;
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &s->before[i], NULL);
	pipe_end = -1;
	while (hand_on && (signal = signals_take(s)) != 0)
		raise(signal); /* the mask holds it back, as it was before */
	close(s->pipe[0]);
	close(s->pipe[1]);
	free(s);
}

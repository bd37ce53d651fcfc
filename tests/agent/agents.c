/*
 * snmp-agents: a park of simulated SNMP devices, the peer of the tests, of the demo and of the benchmark.
 *
 * One process and one UDP port stand for as many agents as there are loopback addresses. The sockets are bound to all
 * addresses; the kernel tells which one a request was sent to (IP_PKTINFO), that address is the agent, and the answer
 * leaves from it. Everything an agent knows or does wrong is computed from its address: a million agents cost no more
 * than one. Only lose-first and its like remember anything, in bounded tables; and localised keys are kept.
 *
 * A process per device, or a socket per device, was the alternative; both end at some thousands, and a benchmark would
 * measure the park and not the poller.
 *
 * Nothing here is shared with the poller or with Net-SNMP, so that a mistake in reading the RFCs is not made on both
 * sides of the wire: of SNMPv3 only the hashes and ciphers come from a library, OpenSSL's.
 *
 * The trap: the park must end when its test does, however that dies. Hence --stop-after, on by default, and
 * --with-parent.
 */
#include "park.h"

#include <stdio.h>
#include <unistd.h>

enum {
	PARENT_CHECK_US = 1000000
};

static volatile sig_atomic_t stop_wanted, counters_wanted;

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		counters_wanted = 1;
	else
		stop_wanted = 1;
}

/* Our signals are let through only while waiting; `waiting` becomes the mask for that time. */
static void catch_signals(sigset_t *waiting)
{
	static const int ours[] = {SIGTERM, SIGINT, SIGUSR1};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
		sigaddset(&blocked, ours[i]);
		sigaction(ours[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		sigdelset(waiting, ours[i]);
}

static void run(struct park *park, const struct options *options, const sigset_t *mask)
{
	uint64_t now = park_clock_us();
	uint64_t end = now + options->stop_after_us;
	pid_t parent = getppid();

	while (!stop_wanted && now < end && (!options->with_parent || getppid() == parent)) {
		uint64_t until = end;
		if (options->with_parent && now + PARENT_CHECK_US < end)
			until = now + PARENT_CHECK_US;
		park_turn(park, until, mask);
		now = park_clock_us();
		if (counters_wanted) {
			counters_wanted = 0;
			park_print_counters(park);
		}
	}
}

int main(int argc, char **argv)
{
	struct options options;
	sigset_t mask;

	enum options_result result = options_read(&options, argc, argv);
	if (result != OPTIONS_RUN) {
		options_free(&options);
		return result == OPTIONS_HELP ? 0 : 2;
	}
	catch_signals(&mask);
	struct park *park = park_open(&options);
	if (park) {
		printf("port %u\n", park_port(park));
		fflush(stdout);
		run(park, &options, &mask);
		park_print_counters(park);
		park_close(park);
	}
	options_free(&options);
	return park ? 0 : 1;
}

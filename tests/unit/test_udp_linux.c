/* udp, what only Linux has: a path that is narrower than a datagram, on a loopback of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snmp/udp.h"

static int peer_open(struct addr *at)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&(struct addr){.family = 4, .ip = {127, 0, 0, 1}}, &sa);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_true(addr_from_sockaddr((struct sockaddr *)&sa, at));
	return fd;
}

/* A loopback of its own that takes 576 octets at a time. False: nobody but root may. */
static bool narrow_loopback(void)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_mtu = 576};
	int fd;

	if (unshare(CLONE_NEWNET) != 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &r), 0);
	r.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
	return true;
}

/* A datagram larger than its path goes in pieces: it arrives, and so does what follows it. */
static void narrow_path(void **state)
{
	(void)state;
	static uint8_t octets[1400];
	struct addr at;
	int peer, error;
	struct udp *u;
	struct udp_out out[2];
	char text[200];

	if (!narrow_loopback())
		return;
	peer = peer_open(&at);
	u = udp_open(&(struct udp_config){.window = 16}, text, sizeof(text));
	assert_non_null(u);
	out[0] = (struct udp_out){.to = at, .data = octets, .len = sizeof(octets)};
	out[1] = (struct udp_out){.to = at, .data = octets, .len = 7};
	assert_int_equal(udp_send(u, 0, out, 2, &error), 2);
	assert_int_equal(error, 0);
	assert_int_equal(poll(&(struct pollfd){.fd = peer, .events = POLLIN}, 1, 2000), 1);
	assert_int_equal(recv(peer, octets, sizeof(octets), 0), sizeof(octets));
	assert_int_equal(recv(peer, octets, sizeof(octets), 0), 7);
	udp_close(u);
	close(peer);
}

static void test_a_narrow_path(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) { /* a failed assertion of a child is its exit status */
		const struct CMUnitTest tests[] = {cmocka_unit_test(narrow_path)};
		_exit(cmocka_run_group_tests_name("narrow", tests, NULL, NULL));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_narrow_path)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

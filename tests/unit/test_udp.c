/* udp: batches over real sockets, what is refused on the way, and what our own buffer loses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snmp/udp.h"

/* ---- the other side: a plain socket on a loopback address */

static int peer_open_at(const struct addr *loopback, struct addr *at)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(loopback, &sa);
	int fd = socket(loopback->family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) != 0) {
		assert_int_equal(loopback->family, 6); /* some machines have none */
		return -1;
	}
	len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_true(addr_from_sockaddr((struct sockaddr *)&sa, at));
	return fd;
}

static int peer_open(struct addr *at)
{
	return peer_open_at(&(struct addr){.family = 4, .ip = {127, 0, 0, 1}}, at);
}

/* An address and port where nobody listens. */
static struct addr nobody(void)
{
	struct addr at;

	close(peer_open(&at));
	return at;
}

static struct udp *open_udp(unsigned window)
{
	struct udp_config config = {.window = window};
	char error[200] = "";
	struct udp *u = udp_open(&config, error, sizeof(error));

	assert_string_equal(error, "");
	assert_non_null(u);
	return u;
}

static bool has_error_queue(void)
{
	const char *extras = getenv("WITH_LINUX_EXTRAS"); /* set by make check */

	return !extras || strcmp(extras, "no") != 0;
}

static void wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 2000), 1);
}

static void fill_batch(struct udp_out *out, size_t n, const struct addr *to, const char (*data)[32])
{
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct udp_out){.to = *to, .len = strlen(data[i])};
		out[i].data = (const uint8_t *)data[i];
	}
}

static void number(char (*data)[32], size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(data[i], sizeof(data[i]), "datagram %02zu", i);
}

/* ---- */

static void test_sockets(void **state)
{
	struct udp *u = open_udp(16);
	unsigned v4 = 0;
	int usual = 0, fresh = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t usual_len = sizeof(usual);

	(void)state;
	assert_int_equal(getsockopt(fresh, SOL_SOCKET, SO_RCVBUF, &usual, &usual_len), 0);
	close(fresh);
	for (unsigned i = 0; i < udp_lanes(u); i++) {
		int fd = udp_fd(u, i), granted = 0;
		socklen_t len = sizeof(granted);

		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &len), 0);
		assert_int_equal(udp_burst(u, i),
				 granted < UDP_REPLY_OCTETS ? 1 : granted / UDP_REPLY_OCTETS);
		v4 += udp_family(u, i) == 4;
	}
	assert_int_equal(v4, 1); /* one will do for so small a window */
	udp_close(u);
}

static void test_batches(void **state)
{
	struct udp *u = open_udp(UDP_BATCH);
	struct addr at, from;
	int peer = peer_open(&at), error, count = 0;
	char data[UDP_BATCH][32], got[64];
	struct udp_out out[UDP_BATCH];
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct udp_in *in;
	bool more;

	(void)state;
	number(data, UDP_BATCH);
	fill_batch(out, UDP_BATCH, &at, data);
	assert_int_equal(udp_send(u, 0, out, UDP_BATCH, &error), UDP_BATCH);
	assert_int_equal(error, 0);
	for (int i = 0; i < UDP_BATCH; i++) { /* sent back as they come */
		ssize_t n = recvfrom(peer, got, sizeof(got), 0, (struct sockaddr *)&sa, &len);

		assert_int_equal(n, strlen(data[i]));
		assert_memory_equal(got, data[i], (size_t)n);
		sendto(peer, got, (size_t)n, 0, (struct sockaddr *)&sa, len);
	}
	wait_readable(udp_fd(u, 0));
	assert_int_equal(udp_receive(u, 0, &in, &more), UDP_BATCH);
	assert_true(more);
	for (; count < UDP_BATCH; count++) {
		from = in[count].from;
		assert_true(addr_equal(&from, &at));
		assert_int_equal(in[count].len, strlen(data[count]));
		assert_memory_equal(in[count].data, data[count], in[count].len);
	}
	assert_int_equal(udp_receive(u, 0, &in, &more), 0);
	assert_false(more);
	close(peer);
	udp_close(u);
}

/* The same on IPv6: there, back, and refused when nobody listens any more. */
static void test_version_6(void **state)
{
	struct addr at;
	int peer = peer_open_at(&(struct addr){.family = 6, .ip = {[15] = 1}}, &at), error;
	struct udp *u = peer < 0 ? NULL : open_udp(16);
	struct udp_out out = {.to = at, .data = (const uint8_t *)"request", .len = 7};
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	const struct udp_refusal *list;
	struct udp_in *in;
	unsigned lane = 0;
	char got[8];
	bool more;

	(void)state;
	if (!u)
		skip();
	while (udp_family(u, lane) != 6)
		lane++;
	assert_int_equal(udp_send(u, lane, &out, 1, &error), 1);
	assert_int_equal(recvfrom(peer, got, sizeof(got), 0, (struct sockaddr *)&sa, &len), 7);
	sendto(peer, "answer", 6, 0, (struct sockaddr *)&sa, len);
	wait_readable(udp_fd(u, lane));
	assert_int_equal(udp_receive(u, lane, &in, &more), 1);
	assert_true(addr_equal(&in->from, &at));
	close(peer);
	assert_int_equal(udp_send(u, lane, &out, 1, &error), 1);
	if (has_error_queue()) {
		wait_readable(udp_fd(u, lane));
		assert_int_equal(udp_receive(u, lane, &in, &more), 0);
		assert_int_equal(udp_refusals(u, &list), 1);
		assert_int_equal(list->error, ECONNREFUSED);
		assert_true(addr_equal(&list->to, &at));
		assert_memory_equal(list->quoted, "request", 7);
	}
	udp_close(u);
}

static void test_the_largest_datagram(void **state)
{
	struct udp *u = open_udp(64);
	struct addr at;
	int peer = peer_open(&at), error;
	uint8_t *large = malloc(65507);
	struct udp_out out = {.to = at, .data = large, .len = 65507};
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct udp_in *in;
	bool more;

	(void)state;
	memset(large, 'x', 65507);
	assert_int_equal(udp_send(u, 0, &out, 1, &error), 1);
	assert_int_equal(recvfrom(peer, large, 65507, 0, (struct sockaddr *)&sa, &len), 65507);
	large[65506] = 'y';
	assert_int_equal(sendto(peer, large, 65507, 0, (struct sockaddr *)&sa, len), 65507);
	wait_readable(udp_fd(u, 0));
	assert_int_equal(udp_receive(u, 0, &in, &more), 1);
	assert_int_equal(in->len, 65507);
	assert_int_equal(in->data[65506], 'y');
	free(large);
	close(peer);
	udp_close(u);
}

/* No way to send it: told so once, and the next one goes. */
static void test_too_large(void **state)
{
	struct udp *u = open_udp(64);
	struct addr at;
	int peer = peer_open(&at), error;
	uint8_t *large = calloc(65520, 1);
	struct udp_out out[2] = {{.to = at, .data = large, .len = 65520},
				 {.to = at, .data = large, .len = 7}};

	(void)state;
	assert_int_equal(udp_send(u, 0, out, 2, &error), 0);
	assert_int_equal(error, EMSGSIZE);
	assert_int_equal(udp_send(u, 0, out + 1, 1, &error), 1);
	assert_int_equal(error, 0);
	assert_int_equal(recv(peer, large, 65520, 0), 7);
	free(large);
	close(peer);
	udp_close(u);
}

static void test_refused(void **state)
{
	struct udp *u = has_error_queue() ? open_udp(16) : NULL;
	struct addr to = nobody();
	struct udp_out out = {.to = to, .data = (const uint8_t *)"request", .len = 7};
	const struct udp_refusal *list;
	struct udp_in *in;
	int error;
	bool more;

	(void)state;
	if (!u)
		skip();
	assert_int_equal(udp_send(u, 0, &out, 1, &error), 1);
	wait_readable(udp_fd(u, 0));
	assert_int_equal(udp_receive(u, 0, &in, &more), 0);
	assert_int_equal(udp_refusals(u, &list), 1);
	assert_int_equal(list->error, ECONNREFUSED);
	assert_true(addr_equal(&list->to, &to));
	assert_int_equal(list->size, 7);
	assert_memory_equal(list->quoted, "request", 7);
	assert_int_equal(udp_refusals(u, &list), 0);
	udp_close(u);
}

/* Errors wait in the receive buffer: they must neither stop a batch nor take the place of answers. */
static void test_errors_stop_nothing(void **state)
{
	struct udp *u = has_error_queue() ? open_udp(512) : NULL;
	struct addr at, closed = nobody();
	int peer = peer_open(&at), error;
	char data[UDP_BATCH][32];
	struct udp_out out[UDP_BATCH];
	const struct udp_refusal *list;
	size_t refused = 0;

	(void)state;
	if (!u)
		skip();
	number(data, UDP_BATCH);
	for (int round = 0; round < 20; round++) {
		fill_batch(out, UDP_BATCH, round % 2 ? &at : &closed, data);
		assert_int_equal(udp_send(u, 0, out, UDP_BATCH, &error), UDP_BATCH);
		assert_int_equal(error, 0);
		refused += udp_refusals(u, &list);
		for (int i = 0; round % 2 && i < UDP_BATCH; i++) {
			char got[64];

			assert_true(recv(peer, got, sizeof(got), MSG_DONTWAIT) > 0);
		}
	}
	assert_true(refused > 10); /* ICMP is limited, loopback's is not */
	close(peer);
	udp_close(u);
}

static void test_answers_behind_errors(void **state)
{
	struct udp *u = open_udp(512);
	struct addr at, closed = nobody();
	int peer = peer_open(&at), error;
	char data[UDP_BATCH][32], got[64];
	struct udp_out out[UDP_BATCH];
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	const struct udp_refusal *list;
	struct udp_in *in;
	struct pollfd p = {.fd = udp_fd(u, 0), .events = POLLIN};
	bool more;

	(void)state;
	number(data, UDP_BATCH);
	fill_batch(out, UDP_BATCH, &closed, data);
	out[0].to = at;
	assert_int_equal(udp_send(u, 0, out, UDP_BATCH, &error), UDP_BATCH);
	assert_int_equal(recvfrom(peer, got, 64, 0, (struct sockaddr *)&sa, &len), strlen(data[0]));
	sendto(peer, "answer", 6, 0, (struct sockaddr *)&sa, len);
	wait_readable(udp_fd(u, 0));
	assert_int_equal(udp_receive(u, 0, &in, &more), 1);
	assert_memory_equal(in->data, "answer", 6);
	if (has_error_queue())
		assert_true(udp_refusals(u, &list) > 0);
	assert_int_equal(poll(&p, 1, 0), 0); /* nothing is left that would make the loop spin */
	close(peer);
	udp_close(u);
}

/* One that the kernel will not send stops the batch where it is, and only there. */
static void test_one_bad_datagram(void **state)
{
	struct udp *u = open_udp(16);
	struct addr at, broadcast = {.family = 4, .ip = {127, 255, 255, 255}, .port = 9};
	int peer = peer_open(&at), error;
	char data[5][32];
	struct udp_out out[5];

	(void)state;
	number(data, 5);
	fill_batch(out, 5, &at, data);
	out[2].to = broadcast;
	assert_int_equal(udp_send(u, 0, out, 5, &error), 2);
	assert_int_equal(error, EACCES);
	assert_false(udp_is_passing(error));
	assert_int_equal(udp_send(u, 0, out + 3, 2, &error), 2);
	assert_int_equal(error, 0);
	for (int i = 0; i < 4; i++) {
		char got[64];

		assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 11);
		assert_memory_equal(got, data[i < 2 ? i : i + 1], 11);
	}
	close(peer);
	udp_close(u);
}

/* The error of an earlier datagram waits when a bad one is sent: each keeps its own. */
static void test_whose_error(void **state)
{
	struct udp *u = has_error_queue() ? open_udp(16) : NULL;
	struct addr closed = nobody();
	struct addr broadcast = {.family = 4, .ip = {127, 255, 255, 255}, .port = 9};
	struct udp_out good = {.to = closed, .data = (const uint8_t *)"x", .len = 1};
	struct udp_out bad = {.to = broadcast, .data = (const uint8_t *)"x", .len = 1};
	const struct udp_refusal *list;
	int error;

	(void)state;
	if (!u)
		skip();
	assert_int_equal(udp_send(u, 0, &good, 1, &error), 1);
	wait_readable(udp_fd(u, 0));
	assert_int_equal(udp_send(u, 0, &bad, 1, &error), 0);
	assert_int_equal(error, EACCES);
	assert_int_equal(udp_refusals(u, &list), 1);
	assert_int_equal(list->error, ECONNREFUSED);
	udp_close(u);
}

static void test_passing_errors(void **state)
{
	(void)state;
	assert_true(udp_is_passing(EAGAIN));
	assert_true(udp_is_passing(ENOBUFS));
	assert_false(udp_is_passing(ECONNREFUSED));
	assert_false(udp_is_passing(ENETUNREACH));
	assert_false(udp_is_passing(EINVAL));
}

/* More than the buffer holds: what is lost is counted as soon as anything comes after it. */
static void test_drops_are_counted(void **state)
{
	struct udp *u = has_error_queue() ? open_udp(1) : NULL;
	struct addr at;
	struct udp_out out = {.data = (const uint8_t *)"x", .len = 1};
	int peer = peer_open(&at), error;
	char large[1400] = "", got[4];
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct udp_in *in;
	uint64_t received = 0, dropped;
	bool more;
	size_t n;

	(void)state;
	if (!u)
		skip();
	out.to = at;
	assert_int_equal(udp_send(u, 0, &out, 1, &error), 1);
	recvfrom(peer, got, sizeof(got), 0, (struct sockaddr *)&sa, &len);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 500; i++)
			sendto(peer, large, sizeof(large), 0, (struct sockaddr *)&sa, len);
		while ((n = udp_receive(u, 0, &in, &more)) > 0)
			received += n;
		sendto(peer, "last", 4, 0, (struct sockaddr *)&sa, len);
		received += udp_receive(u, 0, &in, &more);
		dropped = udp_dropped(u);
		assert_true(dropped > 0);
		assert_int_equal(received + dropped, 501);
		assert_int_equal(udp_dropped(u), 0);
		received = 0;
	}
	close(peer);
	udp_close(u);
}

static void assert_lanes_hold(const struct udp *u, uint8_t family, unsigned window)
{
	unsigned lanes = 0, burst = 0;

	for (unsigned i = 0; i < udp_lanes(u); i++) {
		if (udp_family(u, i) == family) {
			lanes++;
			burst += udp_burst(u, i);
		}
	}
	if (lanes == 0) /* the kernel has no such family */
		return;
	assert_true(lanes <= UDP_LANES_MAX);
	/* a lane's burst is rounded down: one less for each */
	assert_true(burst + lanes >= window || lanes == UDP_LANES_MAX);
	assert_true(lanes == 1 || burst < window + window / (lanes - 1) + lanes);
}

/* Few descriptors, a large window, and no privilege: the buffers of several lanes add up. */
static void test_lanes(void **state)
{
	struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		struct udp *u;

		setrlimit(RLIMIT_NOFILE, &few);
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(9);
		u = open_udp(65536);
		assert_lanes_hold(u, 4, 65536);
		assert_lanes_hold(u, 6, 65536);
		_exit(udp_lanes(u) > 2 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_source_address(void **state)
{
	struct udp_config config = {.window = 4, .source4 = {.family = 4, .ip = {127, 0, 0, 7}}};
	char error[200] = "";
	struct udp *u = udp_open(&config, error, sizeof(error));
	struct addr at, from;
	struct udp_out out = {.data = (const uint8_t *)"x", .len = 1};
	int peer = peer_open(&at), err;
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char got[4];

	(void)state;
	assert_non_null(u);
	out.to = at;
	assert_int_equal(udp_send(u, 0, &out, 1, &err), 1);
	assert_int_equal(recvfrom(peer, got, 4, 0, (struct sockaddr *)&sa, &len), 1);
	assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &from));
	assert_true(addr_same_host(&from, &config.source4));
	udp_close(u);
	close(peer);

	config.source4 = (struct addr){.family = 4, .ip = {192, 0, 2, 1}};
	assert_null(udp_open(&config, error, sizeof(error)));
	assert_string_equal(error, "cannot send from 192.0.2.1: Cannot assign requested address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_version_6),
		cmocka_unit_test(test_the_largest_datagram),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_errors_stop_nothing),
		cmocka_unit_test(test_answers_behind_errors),
		cmocka_unit_test(test_one_bad_datagram),
		cmocka_unit_test(test_whose_error),
		cmocka_unit_test(test_passing_errors),
		cmocka_unit_test(test_drops_are_counted),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_source_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * resolver: the real process against a name server of our own on loopback. The server runs in the
 * test's turn: it reads what c-ares asks and answers from a table, or is silent. The resolver is in its sandbox, as
 * in the program; c-ares opens its sockets there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "pool/lookup.h"
#include "pool/message.h"
#include "pool/proc.h"
#include "pool/queue.h"
#include "pool/resolver.h"

struct fixture {
	int dns;             /* the name server's socket */
	int tcp;             /* and its other one, where it listens */
	struct queue *queue; /* our end */
	int fd;
	pid_t child;
	unsigned questions; /* that reached the name server */
};

#define TYPE_A     1
#define TYPE_AAAA  28
#define NAME_ERROR 3 /* RCODE (RFC 1035 §4.1.1) */
#define SILENT     (-1)

/* How many addresses of a type the server has for a name; SILENT; -2: no such name. */
static int zone_count(const char *name, int type)
{
	if (strcmp(name, "both.test") == 0)
		return type == TYPE_A ? 2 : 1;
	if (strcmp(name, "six.test") == 0)
		return type == TYPE_AAAA ? 1 : 0;
	if (strcmp(name, "many.test") == 0)
		return type == TYPE_A ? 20 : 0;
	if (strcmp(name, "large.test") == 0)
		return type == TYPE_A ? 7 : 0; /* by TCP only */
	if (strcmp(name, "twice.test") == 0)
		return type == TYPE_A ? 1 : 0; /* the same address twice: see server_answer */
	if (strncmp(name, "good", 4) == 0)
		return 1;
	if (strncmp(name, "silent", 6) == 0)
		return SILENT;
	return -2;
}

static size_t question_name(const uint8_t *p, const uint8_t *end, char *out, size_t cap)
{
	const uint8_t *start = p;
	size_t n = 0;
	while (p < end && *p != 0) {
		if (n > 0)
			out[n++] = '.';
		assert_true(n + *p < cap && p + *p < end);
		memcpy(out + n, p + 1, *p);
		n += *p;
		p += *p + 1;
	}
	out[n] = '\0';
	return (size_t)(p + 1 - start);
}

static uint8_t *put_address(uint8_t *at, int type, unsigned i)
{
	uint16_t len = type == TYPE_A ? 4 : 16;
	uint8_t head[] = {0xc0, 12, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)len};
	memcpy(at, head, sizeof(head));
	at += sizeof(head);
	memset(at, 0, len);
	at[0] = type == TYPE_A ? 127 : 0xfd;
	at[len - 1] = (uint8_t)(i + 1);
	return at + len;
}

/* Makes the answer to the question in m of n octets, in its place. 0: there is none. */
static size_t answer_make(struct fixture *f, uint8_t m[2048], ssize_t n, bool stream)
{
	if (n < 17)
		return 0;
	f->questions++;
	char name[256];
	size_t used = question_name(m + 12, m + n, name, sizeof(name));
	int type = m[12 + used] << 8 | m[13 + used];
	int count = zone_count(name, type);
	if (count == SILENT)
		return 0;
	bool cut = strcmp(name, "large.test") == 0 && !stream;
	if (cut)
		count = 0;
	int copies = strcmp(name, "twice.test") == 0 ? 2 : 1;
	uint8_t *at = m + 12 + used + 4;
	m[2] = cut ? 0x86 : 0x84;
	m[3] = count == -2 ? NAME_ERROR : 0;
	memset(m + 6, 0, 6);
	for (int i = 0; i < count * copies; i++)
		at = put_address(at, type, (unsigned)(i / copies));
	m[7] = (uint8_t)(count > 0 ? count * copies : 0);
	return (size_t)(at - m);
}

static void server_answer(struct fixture *f)
{
	uint8_t m[2048];
	struct sockaddr_in from;
	socklen_t fromlen = sizeof(from);
	ssize_t n = recvfrom(f->dns, m, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &fromlen);
	size_t len = answer_make(f, m, n, false);
	if (len > 0)
		sendto(f->dns, m, len, 0, (struct sockaddr *)&from, fromlen);
}

/* One question of a connection, in one piece. */
static void server_answer_stream(struct fixture *f)
{
	uint8_t m[2 + 2048];
	int fd = accept(f->tcp, NULL, NULL);
	ssize_t n = recv(fd, m, 514, 0);
	size_t len = answer_make(f, m + 2, n - 2, true);
	m[0] = (uint8_t)(len >> 8);
	m[1] = (uint8_t)len;
	assert_int_equal(send(fd, m, 2 + len, 0), (ssize_t)(2 + len));
	close(fd);
}

/* Both sockets on one port. False: somebody else has the other half of it. */
static bool server_open(struct fixture *f, struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	*sin = (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	f->dns = socket(AF_INET, SOCK_DGRAM, 0);
	f->tcp = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(f->dns, (struct sockaddr *)sin, len), 0);
	assert_int_equal(getsockname(f->dns, (struct sockaddr *)sin, &len), 0);
	if (bind(f->tcp, (struct sockaddr *)sin, len) == 0 && listen(f->tcp, 5) == 0)
		return true;
	close(f->dns);
	close(f->tcp);
	return false;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in sin;
	int tries = 0;
	while (!server_open(f, &sin))
		assert_true(++tries < 100);
	struct sandbox sandbox = {.becomes = false};
	assert_true(sandbox_prepare(&sandbox));
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	f->child = fork();
	if (f->child == 0) {
		close(pair[0]);
		close(f->dns);
		close(f->tcp);
		char servers[64];
		snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(sin.sin_port));
		struct resolver_options o = {
			.servers = servers, .timeout_ms = 1000, .tries = 1, .sandbox = &sandbox};
		_exit(resolver_main(&o, pair[1]));
	}
	close(pair[1]);
	f->fd = pair[0];
	f->queue = queue_new(pair[0]);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	if (f->queue != NULL)
		queue_free(f->queue);
	if (f->child > 0) {
		close(f->fd);
		waitpid(f->child, NULL, 0);
	}
	close(f->dns);
	close(f->tcp);
	free(f);
	return 0;
}

static void ask(struct fixture *f, uint32_t ticket, uint8_t family, const char *name)
{
	struct lookup_question q = {.ticket = ticket, .family = family};
	snprintf(q.name, sizeof(q.name), "%s", name);
	uint8_t bytes[LOOKUP_QUESTION_PACKED_MAX];
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
	lookup_question_pack(&q, &w);
	queue_put(f->queue, MESSAGE_NAME, bytes, (size_t)(w.at - bytes));
	queue_flush(f->queue);
}

/* Serves DNS until a frame has come; gives its kind. */
static int next_frame(struct fixture *f, struct queue_frame *frame)
{
	while (!queue_next(f->queue, frame)) {
		struct pollfd p[3] = {{.fd = f->dns, .events = POLLIN},
				      {.fd = f->fd, .events = POLLIN},
				      {.fd = f->tcp, .events = POLLIN}};
		if (queue_flush(f->queue) && queue_backlog(f->queue) > 0)
			p[1].events |= POLLOUT;
		assert_true(poll(p, 3, 10000) > 0);
		if (p[2].revents)
			server_answer_stream(f);
		if (p[0].revents)
			server_answer(f);
		if ((p[1].revents & ~POLLOUT) && queue_read(f->queue) != QUEUE_OPEN &&
		    !queue_next(f->queue, frame))
			return -1;
	}
	return frame->kind;
}

static struct lookup_answer next_answer(struct fixture *f)
{
	struct queue_frame frame;
	struct lookup_answer a = {0};
	assert_int_equal(next_frame(f, &frame), MESSAGE_ADDRESSES);
	struct wire_in in = {.at = frame.data, .end = frame.data + frame.len};
	assert_true(lookup_answer_unpack(&a, &in));
	return a;
}

static void ipv4_first_then_ipv6(void **state)
{
	ask(*state, 5, 0, "both.test");
	struct lookup_answer a = next_answer(*state);
	assert_int_equal(a.ticket, 5);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.addrs[0].family, 4);
	assert_int_equal(a.addrs[1].family, 4);
	assert_int_equal(a.addrs[2].family, 6);
	assert_int_equal(a.addrs[0].port, 0);
}

static void family_is_kept(void **state)
{
	ask(*state, 1, 4, "both.test");
	struct lookup_answer a = next_answer(*state);
	assert_int_equal(a.count, 2);
	ask(*state, 2, 6, "both.test");
	a = next_answer(*state);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.addrs[0].family, 6);
	ask(*state, 3, 4, "six.test");
	a = next_answer(*state);
	assert_int_equal(a.count, 0);
	assert_string_equal(a.message,
			    "the name has no IPv4 address, and no other is wanted (family: 4)");
}

static void unknown_name_has_words(void **state)
{
	ask(*state, 1, 0, "nobody.test");
	struct lookup_answer a = next_answer(*state);
	assert_int_equal(a.count, 0);
	assert_string_equal(a.message, "no such name: is it spelled right, with its domain?");
}

static void doubles_go_and_eight_stay(void **state)
{
	ask(*state, 1, 0, "twice.test");
	assert_int_equal(next_answer(*state).count, 1);
	ask(*state, 2, 0, "many.test");
	assert_int_equal(next_answer(*state).count, TASK_ADDRS_MAX);
}

/* What is cut is asked for again, over TCP. */
static void large_answers_come_by_tcp(void **state)
{
	struct fixture *f = *state;
	ask(f, 1, 4, "large.test");
	assert_int_equal(next_answer(f).count, 7);
	assert_int_equal(f->questions, 2);
}

static void hosts_file_needs_no_server(void **state)
{
	struct fixture *f = *state;
	ask(f, 1, 4, "localhost");
	struct lookup_answer a = next_answer(f);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.addrs[0].ip[0], 127);
	assert_int_equal(f->questions, 0);
}

/* 200 silent names first: the live one behind them is answered while they are open. */
static void silence_delays_no_other_name(void **state)
{
	char name[32];
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "silent%u.test", i);
		ask(*state, i, 4, name);
	}
	ask(*state, 1000, 0, "both.test");
	assert_int_equal(next_answer(*state).ticket, 1000);
	for (unsigned i = 0; i < 200; i++) {
		struct lookup_answer a = next_answer(*state);
		assert_int_equal(a.count, 0);
		assert_string_equal(
			a.message,
			"no answer from the name servers: can they be reached from here?");
	}
}

#define MANY 1000 /* names; far more than fit into any buffer here */

/* Three quarters of Linux's stock size, 212,992; it doubles what it is given. */
static void server_shrink(struct fixture *f)
{
	int octets = 212992 / 2 * 3 / 4;
	assert_int_equal(setsockopt(f->dns, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets)), 0);
}

/* Whoever asks once only, of a server whose buffer is three quarters of the stock one, gets all. Less would not hold a
 * burst for sure: Linux counts up to a quarter of a buffer as taken after it was read. */
static void small_buffers_lose_nothing(void **state)
{
	struct fixture *f = *state;
	char name[32];
	server_shrink(f);
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), i % 10 ? "good%u.test" : "silent%u.test", i);
		ask(f, i, 0, name);
	}
	unsigned good = 0;
	for (uint32_t i = 0; i < MANY; i++)
		good += next_answer(f).count == 2;
	assert_int_equal(good, MANY - MANY / 10);
	assert_int_equal(f->questions, 2 * MANY);
}

/* How many questions lie in the server's buffer; it is emptied. */
static unsigned server_drain(struct fixture *f, unsigned least)
{
	uint8_t m[512];
	unsigned n = 0;
	struct pollfd p = {.fd = f->dns, .events = POLLIN};
	while (poll(&p, 1, n < least ? 10000 : 0) > 0 && recv(f->dns, m, sizeof(m), 0) > 0)
		n++;
	return n;
}

/* What comes at once is BURST names of two questions; the next as many after a while without an answer, no earlier. */
static void bursts_are_bounded(void **state)
{
	struct fixture *f = *state;
	char name[32];
	int64_t start_us = loop_clock_us();
	for (uint32_t i = 0; i < 256; i++) {
		snprintf(name, sizeof(name), "silent%u.test", i);
		ask(f, i, 0, name);
	}
	assert_int_equal(server_drain(f, 128), 128);
	assert_int_equal(server_drain(f, 128), 128);
	assert_true(loop_clock_us() - start_us > 240000);
	assert_int_equal(server_drain(f, 128), 128);
	assert_true(loop_clock_us() - start_us > 490000);
}

/* Where no server lives, each burst ends with the waits of its names, however many there are: twenty of them. */
static void a_dead_server_is_soon_through(void **state)
{
	struct fixture *f = *state;
	char name[32];
	int64_t start_us = loop_clock_us();
	for (uint32_t i = 0; i < 20 * 64; i++) {
		snprintf(name, sizeof(name), "silent%u.test", i);
		ask(f, i, 0, name);
	}
	for (uint32_t i = 0; i < 20 * 64; i++)
		assert_int_equal(next_answer(f).count, 0);
	/* by pauses that grew with each burst it would take for ever */
	assert_true(loop_clock_us() - start_us < 60000000);
}

/* One answer to a young question frees the whole burst: the old ones are not in the buffer any more. */
static void a_young_answer_frees_the_old(void **state)
{
	struct fixture *f = *state;
	char name[32];
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), i % 64 == 63 ? "good%u.test" : "silent%u.test", i);
		ask(f, i, 0, name);
	}
	int64_t start_us = loop_clock_us();
	for (unsigned good = 0; good < MANY / 64;)
		good += next_answer(f).count == 2;
	/* by bursts that count as lost it would take a quarter of a second for each of 15 */
	assert_true(loop_clock_us() - start_us < 3000000);
}

static void stop_is_answered_after_the_last_name(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;
	ask(f, 1, 0, "silent.test");
	queue_put(f->queue, MESSAGE_STOP, NULL, 0);
	queue_flush(f->queue);
	assert_int_equal(next_answer(f).ticket, 1);
	assert_int_equal(next_frame(f, &frame), MESSAGE_STOPPED);
	close(f->fd);
	int status;
	assert_int_equal(waitpid(f->child, &status, 0), f->child);
	f->child = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void nonsense_ends_the_process(void **state)
{
	struct fixture *f = *state;
	struct queue_frame frame;
	queue_put(f->queue, MESSAGE_NAME, "xx", 2);
	queue_flush(f->queue);
	assert_int_equal(next_frame(f, &frame), -1);
	int status;
	assert_int_equal(waitpid(f->child, &status, 0), f->child);
	f->child = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* So that its end is nobody's name's fault. */
static void cannot_begin(void **state)
{
	(void)state;
	struct resolver_options o = {.servers = "no address"};
	int pair[2], status;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		_exit(resolver_main(&o, pair[1]));
	}
	close(pair[1]);
	waitpid(child, &status, 0);
	close(pair[0]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), PROC_NOT_BEGUN);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(ipv4_first_then_ipv6),
		TEST(family_is_kept),
		TEST(unknown_name_has_words),
		TEST(doubles_go_and_eight_stay),
		TEST(large_answers_come_by_tcp),
		TEST(hosts_file_needs_no_server),
		TEST(silence_delays_no_other_name),
		TEST(stop_is_answered_after_the_last_name),
		TEST(nonsense_ends_the_process),
		TEST(small_buffers_lose_nothing),
		TEST(bursts_are_bounded),
		TEST(a_young_answer_frees_the_old),
		TEST(a_dead_server_is_soon_through),
		cmocka_unit_test(cannot_begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * session: real connections over the loopback and in the file system, the test being the agent. A listener
 * takes connections before anybody accepts them, so one process plays both sides in turns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/mem.h"
#include "snmp/session_internal.h"

#define SOON_MS 10000 /* long past what anything here takes */
#define FULL    200   /* connections that fill any queue of a listener made with 0 */

struct side {
	struct session *s;
	struct task task;
	struct profile profile;
	struct addr addr; /* the listener's */
	int listener;
	int peer; /* the agent's end of the newest connection; -1 */
	char folder[40];
	char path[60];
};

static const struct addr any = {0};

static int listen_at(struct addr *a, int backlog)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(a, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) != 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_true(addr_from_sockaddr((struct sockaddr *)&sa, a));
	return fd;
}

static int listen_path(const char *path, int backlog)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sun.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static struct side *side_new(enum transport transport, struct addr at, int backlog)
{
	struct side *x = mem_zero(1, sizeof(*x));

	x->peer = -1;
	x->addr = at;
	x->task = (struct task){.transport = (uint8_t)transport, .naddrs = 1, .addrs = &x->addr};
	x->profile = (struct profile){.timeout_us = 100000, .retries = 1};
	strcpy(x->folder, "/tmp/multisnmp-session.XXXXXX");
	assert_non_null(mkdtemp(x->folder));
	snprintf(x->path, sizeof(x->path), "%s/agent", x->folder);
	if (transport == TRANSPORT_UNIX) {
		x->task.path = x->path;
		x->task.naddrs = 0;
		x->listener = listen_path(x->path, backlog);
	} else {
		x->listener = listen_at(&x->addr, backlog);
	}
	x->s = session_new(&any, &any);
	assert_non_null(x->s);
	session_begin(x->s, &x->task, &x->profile);
	return x;
}

static const struct addr loopback = {.family = 4, .ip = {127, 0, 0, 1}};

static struct side *tcp_new(void)
{
	return side_new(TRANSPORT_TCP, loopback, 10);
}

static void side_free(struct side *x)
{
	session_end(x->s);
	session_free(x->s);
	if (x->peer >= 0)
		close(x->peer);
	close(x->listener);
	unlink(x->path);
	rmdir(x->folder);
	free(x);
}

/* A message of so many octets in all. */
static uint8_t *message(size_t len, uint8_t fill)
{
	uint8_t *m = mem_alloc(len);

	memset(m, fill, len);
	m[0] = 0x30;
	if (len < 130) {
		m[1] = (uint8_t)(len - 2);
	} else {
		m[1] = 0x83;
		m[2] = (uint8_t)((len - 5) >> 16);
		m[3] = (uint8_t)((len - 5) >> 8);
		m[4] = (uint8_t)(len - 5);
	}
	return m;
}

static size_t send_octets(struct side *x, const uint8_t *data, size_t len, int *error)
{
	struct udp_out out = {.to = x->addr, .data = data, .len = len};

	return carrier_session.send(x->s, 0, &out, 1, error);
}

/* Returns 0, or the errno. */
static int ask(struct side *x)
{
	uint8_t *m = message(50, 'q');
	int error = -1;
	size_t sent = send_octets(x, m, 50, &error);

	assert_int_equal(sent, error == 0);
	free(m);
	return error;
}

static void agent_accept(struct side *x)
{
	if (x->peer >= 0)
		close(x->peer);
	x->peer = accept(x->listener, NULL, NULL);
	assert_true(x->peer >= 0);
}

static bool has_more(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/* The agent reads one question, exactly. */
static void agent_read(struct side *x)
{
	uint8_t *m = message(50, 'q');
	uint8_t got[50];

	for (size_t have = 0; have < sizeof(got);) {
		ssize_t n = recv(x->peer, got + have, sizeof(got) - have, 0);
		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_memory_equal(got, m, 50);
	free(m);
}

static void agent_write(struct side *x, const uint8_t *data, size_t len)
{
	assert_int_equal(send(x->peer, data, len, 0), len);
}

/* What comes next when the descriptor becomes ready; 0 at the end of the time. */
static size_t receive(struct side *x, int ms, struct udp_in **list, bool *more)
{
	if (!has_more(carrier_session.fd(x->s, 0), ms))
		return 0;
	return carrier_session.receive(x->s, 0, list, more);
}

static void expect(struct side *x, const uint8_t *data, size_t len)
{
	struct udp_in *list;
	bool more;
	size_t n = 0;

	while (n == 0 && has_more(carrier_session.fd(x->s, 0), SOON_MS))
		n = carrier_session.receive(x->s, 0, &list, &more);
	assert_int_equal(n, 1);
	assert_false(more);
	assert_int_equal(list[0].len, len);
	assert_memory_equal(list[0].data, data, len);
	assert_true(addr_equal(&list[0].from, &x->addr));
}

static int refusal(struct side *x)
{
	const struct udp_refusal *list;
	size_t n = carrier_session.refusals(x->s, &list);

	assert_true(n <= 1);
	if (n == 0)
		return 0;
	assert_true(addr_equal(&list[0].to, &x->addr));
	assert_int_equal(list[0].size, 0);
	return list[0].error;
}

/* The agent's end is gone; what does the session make of it? */
static int after_the_end(struct side *x)
{
	struct udp_in *list;
	bool more;

	close(x->peer);
	x->peer = -1;
	assert_int_equal(receive(x, SOON_MS, &list, &more), 0);
	assert_false(has_more(carrier_session.fd(x->s, 0), 0)); /* or the loop would spin */
	return refusal(x);
}

/* --- frames ------------------------------------------------------------------------------- */

static void test_frame(void **state)
{
	static const struct {
		uint8_t data[8];
		size_t len;
		ptrdiff_t frame;
	} rows[] = {
		{{0}, 0, 0},
		{{0x30}, 1, 0},
		{{0x30, 0}, 2, 2},
		{{0x30, 5}, 2, 7},
		{{0x30, 0x7f}, 2, 129},
		{{0x30, 0x81}, 2, 0},
		{{0x30, 0x81, 0x80}, 3, 131},
		{{0x30, 0x82, 0x01}, 3, 0},
		{{0x30, 0x82, 0x01, 0x00}, 4, 260},
		{{0x30, 0x82, 0xff, 0xfc}, 4, 65536},
		{{0x30, 0x82, 0xff, 0xfd}, 4, -1}, /* too long by one */
		{{0x30, 0x84, 0, 0, 0}, 5, 0},
		{{0x30, 0x84, 0, 0, 0, 1}, 6, 7},
		{{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, 6, -1},
		{{0x30, 0x85, 0, 0, 0, 0, 1}, 7, -1},
		{{0x30, 0x80}, 2, -1}, /* of indefinite length */
		{{0x30, 0xff}, 2, -1},
		{{0x31}, 1, -1},
		{{'H', 'T', 'T', 'P'}, 4, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(session_frame(rows[i].data, rows[i].len), rows[i].frame);
}

/* --- there and back ------------------------------------------------------------------------ */

static void there_and_back(struct side *x)
{
	uint8_t *answer = message(300, 'a');
	struct udp_in *list;
	bool more;

	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	agent_write(x, answer, 1); /* cut where it hurts */
	assert_int_equal(receive(x, SOON_MS, &list, &more), 0);
	agent_write(x, answer + 1, 2);
	assert_int_equal(receive(x, SOON_MS, &list, &more), 0);
	agent_write(x, answer + 3, 296);
	assert_int_equal(receive(x, SOON_MS, &list, &more), 0);
	agent_write(x, answer + 299, 1);
	expect(x, answer, 300);
	assert_int_equal(ask(x), 0); /* over the same connection */
	agent_read(x);
	agent_write(x, answer, 300);
	expect(x, answer, 300);
	assert_int_equal(after_the_end(x), 0); /* it has answered: no refusal */
	assert_int_equal(ask(x), 0);           /* it is made again */
	agent_accept(x);
	agent_read(x);
	assert_int_equal(after_the_end(x), EPIPE); /* what the one before said does not count */
	free(answer);
	side_free(x);
}

static void test_tcp(void **state)
{
	(void)state;
	there_and_back(tcp_new());
}

static void test_tcp6(void **state)
{
	struct addr a = {.family = 6, .ip = {[15] = 1}};
	int fd = listen_at(&a, 0);

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	a.port = 0;
	there_and_back(side_new(TRANSPORT_TCP, a, 10));
}

static void test_unix(void **state)
{
	(void)state;
	there_and_back(side_new(TRANSPORT_UNIX, any, 10));
}

/* Many messages in one go, and one as large as can be. */
static void test_many_messages(void **state)
{
	struct side *x = tcp_new();
	uint8_t *small = message(40, 's'), *large = message(SESSION_MESSAGE_MAX, 'l');
	struct udp_in *list;
	bool more = true;
	size_t n, total = 0;

	(void)state;
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	for (int i = 0; i < 150; i++)
		agent_write(x, small, 40);
	while (total < 150 && (more || has_more(carrier_session.fd(x->s, 0), SOON_MS))) {
		n = carrier_session.receive(x->s, 0, &list, &more);
		assert_true(n <= UDP_BATCH);
		for (size_t i = 0; i < n; i++)
			assert_true(list[i].len == 40 && memcmp(list[i].data, small, 40) == 0);
		total += n;
	}
	assert_int_equal(total, 150);
	assert_int_equal(fcntl(x->peer, F_SETFL, O_NONBLOCK), 0);
	for (size_t sent = 0; sent < SESSION_MESSAGE_MAX;) {
		ssize_t s = send(x->peer, large + sent, SESSION_MESSAGE_MAX - sent, 0);
		sent += s > 0 ? (size_t)s : 0;
		if (sent < SESSION_MESSAGE_MAX)
			assert_int_equal(receive(x, 0, &list, &more), 0);
	}
	expect(x, large, SESSION_MESSAGE_MAX);
	free(small);
	free(large);
	side_free(x);
}

/* The agent does not read: what does not go is kept, no message is torn, nothing waits. */
static void test_agent_does_not_read(void **state)
{
	struct side *x = tcp_new();
	uint8_t *m = message(60000, 'm'), *got = mem_alloc(60000);
	int error, small = 4096;
	size_t sent = 0, have = 0, whole = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(setsockopt(x->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(send_octets(x, m, 60000, &error), 1);
		assert_int_equal(error, 0);
	}
	assert_true(x->s->out.len > 0 && x->s->out.len <= 60000);
	agent_accept(x);
	assert_int_equal(fcntl(x->peer, F_SETFL, O_NONBLOCK), 0);
	while (sent < 3000) { /* the rest goes with further messages */
		while ((n = recv(x->peer, got + have, 60000 - have, 0)) > 0) {
			have += (size_t)n;
			if (have < 60000)
				continue;
			assert_memory_equal(got, m, 60000);
			have = 0;
			whole++;
		}
		if (x->s->out.len == 0 && whole > 0)
			break;
		assert_int_equal(send_octets(x, m, 60000, &error), 1);
		sent++;
		usleep(1000);
	}
	assert_true(whole > 0 && whole < 200 + sent); /* some were lost, as datagrams are */
	free(m);
	free(got);
	side_free(x);
}

/* --- what ends ---------------------------------------------------------------------------- */

static void test_closed(void **state)
{
	struct side *x = tcp_new();
	uint8_t *answer = message(300, 'a');
	struct udp_in *list;
	struct linger reset = {.l_onoff = 1};
	bool more;

	(void)state;
	assert_int_equal(refusal(x), 0);
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	assert_int_equal(after_the_end(x), EPIPE);
	assert_int_equal(refusal(x), 0); /* told once */
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	agent_write(x, answer, 299);
	assert_int_equal(receive(x, SOON_MS, &list, &more), 0);
	assert_int_equal(after_the_end(x), EBADMSG);
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	assert_int_equal(setsockopt(x->peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	assert_int_equal(after_the_end(x), ECONNRESET);
	free(answer);
	side_free(x);
}

/* The beginning of an answer is not continued over another connection. */
static void test_rest_is_forgotten(void **state)
{
	struct side *x = tcp_new();
	uint8_t *answer = message(60, 'a');
	struct udp_in *list;
	bool more;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(x), 0);
		agent_accept(x);
		agent_read(x);
		agent_write(x, answer, 60);
		expect(x, answer, 60);
		agent_write(x, answer, 30);
		assert_int_equal(receive(x, SOON_MS, &list, &more), 0);
		assert_int_equal(after_the_end(x), 0);
	}
	free(answer);
	side_free(x);
}

/* Nor is the rest of a question sent over another one. */
static void test_rest_is_not_sent(void **state)
{
	struct side *x = tcp_new();
	uint8_t *m = message(60000, 'm');
	int error;

	(void)state;
	for (int i = 0; i < 1000 && x->s->out.len == 0; i++)
		assert_int_equal(send_octets(x, m, 60000, &error), 1);
	assert_true(x->s->out.len > 0);
	agent_accept(x);
	session_end(x->s);
	session_begin(x->s, &x->task, &x->profile);
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	free(m);
	side_free(x);
}

/* It ended while nobody looked: the next message goes over a new connection. */
static void test_ended_unseen(void **state)
{
	struct side *x = tcp_new();
	uint8_t *answer = message(60, 'a');
	struct linger reset = {.l_onoff = 1};

	(void)state;
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	agent_write(x, answer, 60);
	expect(x, answer, 60);
	assert_int_equal(setsockopt(x->peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(x->peer);
	x->peer = -1;
	assert_true(has_more(carrier_session.fd(x->s, 0), SOON_MS)); /* but nobody reads it */
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	assert_int_equal(refusal(x), 0);
	free(answer);
	side_free(x);
}

/* What cannot be read is handed up, and ends the connection without a refusal. */
static void test_garbage(void **state)
{
	static const char *const words[] = {"SSH-2.0-OpenSSH_9.2p1\r\n",
					    "0\x84\xff\xff\xff\xff..."};
	struct side *x = tcp_new();
	uint8_t *answer = message(60, 'a');

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ask(x), 0);
		agent_accept(x);
		agent_read(x);
		agent_write(x, (const uint8_t *)words[i], strlen(words[i]));
		expect(x, (const uint8_t *)words[i], strlen(words[i]));
		assert_false(has_more(carrier_session.fd(x->s, 0), 0));
		assert_int_equal(refusal(x), 0);
	}
	assert_int_equal(ask(x), 0);
	agent_accept(x);
	agent_read(x);
	agent_write(x, answer, 60); /* nothing is left of it */
	expect(x, answer, 60);
	free(answer);
	side_free(x);
}

static void test_refused(void **state)
{
	struct side *x = tcp_new();

	(void)state;
	close(x->listener);
	x->listener = -1;
	assert_int_equal(ask(x), ECONNREFUSED);
	assert_int_equal(refusal(x), 0); /* the one who sends has been told */
	assert_false(has_more(carrier_session.fd(x->s, 0), 0));
	side_free(x);

	x = side_new(TRANSPORT_UNIX, any, 10);
	close(x->listener);
	x->listener = -1;
	assert_int_equal(ask(x), ECONNREFUSED);
	unlink(x->path);
	assert_int_equal(ask(x), ENOENT);
	close(open(x->path, O_CREAT | O_WRONLY, 0600)); /* no socket */
	assert_int_equal(ask(x), ECONNREFUSED);
	side_free(x);
}

/* Connections that nobody accepts, until one more has to wait. */
static void fill_queue(struct side *x, int fds[FULL])
{
	struct sockaddr_storage sa = {0};
	struct sockaddr_un *sun = (struct sockaddr_un *)&sa;
	socklen_t len;

	if (x->task.transport == TRANSPORT_UNIX) {
		sun->sun_family = AF_UNIX;
		strcpy(sun->sun_path, x->path);
		len = sizeof(*sun);
	} else {
		len = addr_to_sockaddr(&x->addr, &sa);
	}
	for (int i = 0; i < FULL; i++) {
		fds[i] = socket(sa.ss_family, SOCK_STREAM, 0);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
		connect(fds[i], (struct sockaddr *)&sa, len);
	}
}

/* Connecting takes as long as all tries may wait, or as the deadline leaves. */
static void test_not_in_time(void **state)
{
	static const enum transport kinds[] = {TRANSPORT_TCP, TRANSPORT_UNIX};
	int fds[FULL];
	int64_t from_us, took_us;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct side *x = side_new(kinds[i], kinds[i] == TRANSPORT_TCP ? loopback : any, 0);

		fill_queue(x, fds);
		session_blocked_us(x->s);
		from_us = loop_clock_us();
		assert_int_equal(ask(x), ETIMEDOUT);
		took_us = loop_clock_us() - from_us;
		assert_true(took_us >= 300000 && took_us < 300000 + SOON_MS * 1000);
		assert_in_range(session_blocked_us(x->s), 300000, took_us);
		assert_int_equal(session_blocked_us(x->s), 0);
		session_end(x->s);
		x->profile.deadline_us = 50000;
		x->profile.timeout_us = 3600 * INT64_C(1000000);
		session_begin(x->s, &x->task, &x->profile);
		from_us = loop_clock_us();
		assert_int_equal(ask(x), ETIMEDOUT);
		assert_true(loop_clock_us() - from_us >= 50000);
		session_blocked_us(x->s);
		assert_int_equal(ask(x), ETIMEDOUT); /* nothing is left of the deadline */
		assert_true(session_blocked_us(x->s) < 50000);
		assert_true(loop_clock_us() - from_us < SOON_MS * 1000);
		for (int k = 0; k < FULL; k++)
			close(fds[k]);
		side_free(x);
	}
}

/* A second connection to who took one gets the first wait only, but another address all of them. */
static void test_connected_again(void **state)
{
	struct side *x = side_new(TRANSPORT_TCP, loopback, 0);
	struct side *y = side_new(TRANSPORT_TCP, loopback, 0);
	int64_t took_us;
	int fds[FULL], more_fds[FULL];
	struct itimerval t;

	(void)state;
	x->profile = (struct profile){.timeout_us = 100000, .retries = 4}; /* 2.3 s */
	assert_int_equal(ask(x), 0);
	assert_int_equal(getitimer(ITIMER_REAL, &t), 0);
	assert_true(t.it_value.tv_sec == 0 && t.it_value.tv_usec == 0);
	agent_accept(x);
	agent_read(x);
	fill_queue(x, fds);
	fill_queue(y, more_fds);
	assert_int_equal(after_the_end(x), EPIPE);
	session_blocked_us(x->s);
	assert_int_equal(ask(x), ETIMEDOUT);
	took_us = session_blocked_us(x->s);
	assert_true(took_us >= 100000 && took_us < 2000000);
	x->addr = y->addr;
	x->profile.retries = 1; /* 300 ms */
	assert_int_equal(ask(x), ETIMEDOUT);
	assert_true(session_blocked_us(x->s) >= 300000);
	for (int k = 0; k < FULL; k++) {
		close(fds[k]);
		close(more_fds[k]);
	}
	side_free(x);
	side_free(y);
}

/* --- whom, and from where ------------------------------------------------------------------- */

/* Another address, another connection; the one before is hung up. */
static void test_next_address(void **state)
{
	struct side *x = tcp_new(), *y = tcp_new();
	uint8_t *m = message(50, 'q');
	struct udp_out both[2] = {{.to = x->addr, .data = m, .len = 50},
				  {.to = y->addr, .data = m, .len = 50}};
	uint8_t octet;
	int error;

	(void)state;
	assert_int_equal(carrier_session.send(x->s, 0, both, 2, &error), 2);
	assert_int_equal(error, 0);
	agent_accept(x);
	agent_read(x);
	assert_int_equal(recv(x->peer, &octet, 1, 0), 0);
	agent_accept(y);
	agent_read(y);
	assert_false(has_more(y->peer, 0));
	free(m);
	side_free(x);
	side_free(y);
}

static void test_source(void **state)
{
	struct addr source = {.family = 4, .ip = {127, 0, 0, 2}}, from;
	struct side *x = tcp_new();
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	(void)state;
	session_free(x->s);
	x->s = session_new(&source, &any);
	session_begin(x->s, &x->task, &x->profile);
	if (ask(x) == EADDRNOTAVAIL)
		skip(); /* not every system has all of 127.0.0.0/8 */
	agent_accept(x);
	agent_read(x);
	assert_int_equal(getpeername(x->peer, (struct sockaddr *)&sa, &len), 0);
	assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &from));
	assert_true(addr_same_host(&from, &source));
	assert_int_equal(after_the_end(x), EPIPE);
	session_free(x->s);
	source = (struct addr){.family = 4, .ip = {192, 0, 2, 1}};
	x->s = session_new(&source, &any);
	session_begin(x->s, &x->task, &x->profile);
	assert_int_equal(ask(x), EADDRNOTAVAIL);
	side_free(x);
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* Nothing is left of connections, whatever became of them; the descriptor stays the same. */
static void test_no_descriptor_is_lost(void **state)
{
	struct side *x = tcp_new();
	int fd = carrier_session.fd(x->s, 0), before = lowest_free();

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask(x), 0);
		assert_int_equal(carrier_session.fd(x->s, 0), fd);
		agent_accept(x);
		session_end(x->s);
		assert_true(has_more(x->peer, SOON_MS)); /* the end */
		close(x->peer);
		x->peer = -1;
		session_begin(x->s, &x->task, &x->profile);
	}
	assert_int_equal(lowest_free(), before);
	close(x->listener);
	x->listener = dup(0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(x), ECONNREFUSED);
	assert_int_equal(lowest_free(), before);
	assert_int_equal(carrier_session.lanes(x->s), 1);
	assert_int_equal(carrier_session.family(x->s, 0), 0);
	assert_int_equal(carrier_session.dropped(x->s), 0);
	side_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp6),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_many_messages),
		cmocka_unit_test(test_agent_does_not_read),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_rest_is_forgotten),
		cmocka_unit_test(test_rest_is_not_sent),
		cmocka_unit_test(test_ended_unseen),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_in_time),
		cmocka_unit_test(test_connected_again),
		cmocka_unit_test(test_next_address),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_no_descriptor_is_lost),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

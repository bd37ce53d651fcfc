/*
 * Net-SNMP's stream transports: opened within a time, without a resolver, and read and written.
 *
 * The problem: the library connects with connect(2) and waits as long as the kernel does, over two minutes
 * for a host that is silent. It offers neither a limit nor a source address for TCP, and its functions that
 * take text resolve names.
 *
 * The design: the constructors that take a sockaddr, and a timer whose signal interrupts connect(2): the
 * library gives up at EINTR and leaves errno as it is. The timer goes on firing until it is stopped, so a
 * signal that comes just before the system call is only followed by the next. Once there is a
 * connection, its socket is made non-blocking and takes the place of the one descriptor that the loop
 * knows, which a socket that is gone leaves to the end of a pipe. So the engine never has to be told of
 * another descriptor.
 *
 * With a source address the socket is made here, as the library's TCP transport would make it, and handed to
 * the library's functions for the rest.
 *
 * DTLS and TLS go over such a socket, UDP's or TCP's, by a connection of our own (tls.c says why not the
 * library's); then the library only holds the socket.
 *
 * The trap: netsnmp_unix_recv() allocates what it calls an address, does not look whether there is room for
 * its place, and loses it when there is nothing to read. So it is called when poll(2) has said that there is,
 * with a place, and that is freed.
 */
#include "snmp/session_internal.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/snmpIPBaseDomain.h>
#include <net-snmp/library/snmpSocketBaseDomain.h>
#include <net-snmp/library/snmpTCPBaseDomain.h>
#include <net-snmp/library/snmpTCPDomain.h>
#include <net-snmp/library/snmpTCPIPv6Domain.h>
#include <net-snmp/library/snmpUnixDomain.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/loop.h"
#include "snmp/tls.h"

#define AGAIN_US 10000 /* between the first signal and the next ones */

/* --- the limit ---------------------------------------------------------------------------- */

static void on_alarm(int signal)
{
	(void)signal; /* it has interrupted what blocked */
}

void session_catch_alarm(void)
{
	struct sigaction sa = {.sa_handler = on_alarm}; /* no SA_RESTART */

	sigaction(SIGALRM, &sa, NULL);
}

static void timer_set(int64_t us, int64_t again_us)
{
	struct itimerval t = {
		.it_value = {.tv_sec = us / 1000000, .tv_usec = (suseconds_t)(us % 1000000)},
		.it_interval = {.tv_usec = (suseconds_t)again_us},
	};

	setitimer(ITIMER_REAL, &t, NULL);
}

/* --- connecting --------------------------------------------------------------------------- */

static netsnmp_transport *open_path(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	memcpy(sun.sun_path, path, strlen(path)); /* at most TASK_PATH_MAX */
	return netsnmp_unix_transport(&sun, 0);
}

static bool bind_to(int fd, const struct addr *source)
{
	struct sockaddr_storage from;
	socklen_t len;

	if (!source->family)
		return true;
	len = addr_to_sockaddr(source, &from);
	return bind(fd, (const struct sockaddr *)&from, len) == 0;
}

static int connect_from(const struct addr *source, const struct addr *to, int type)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(to, &sa);
	int fd = socket(sa.ss_family, type, 0), saved;

	if (fd < 0)
		return -1;
	if (bind_to(fd, source) && connect(fd, (const struct sockaddr *)&sa, len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static netsnmp_transport *open_from(const struct addr *source, const struct addr *to, int type)
{
	netsnmp_transport *t;
	int fd = connect_from(source, to, type);

	if (fd < 0)
		return NULL;
	t = mem_zero(1, sizeof(*t)); /* netsnmp_transport_free() gives it back */
	t->sock = fd;
	t->flags = NETSNMP_TRANSPORT_FLAG_STREAM;
	t->msgMaxSize = SNMP_MAX_PACKET_LEN;
	t->f_recv = netsnmp_tcpbase_recv;
	t->f_send = netsnmp_tcpbase_send;
	t->f_close = netsnmp_socketbase_close;
	return t;
}

static netsnmp_transport *open_inet(const struct session *s)
{
	const struct addr *source = s->to.family == 4 ? &s->source4 : &s->source6;
	struct sockaddr_storage sa;
	struct netsnmp_ep ep = {.iface = ""};
	socklen_t len;

	if (s->kind == TRANSPORT_DTLSUDP)
		return open_from(source, &s->to, SOCK_DGRAM);
	if (source->family)
		return open_from(source, &s->to, SOCK_STREAM);
	len = addr_to_sockaddr(&s->to, &sa);
	memcpy(&ep.a, &sa, len);
	return s->to.family == 4 ? netsnmp_tcp_transport(&ep, 0) : netsnmp_tcp6_transport(&ep, 0);
}

/* The connection's socket takes the place of the descriptor that the loop knows. */
static int take_socket(struct session *s, netsnmp_transport *t)
{
	int flags = fcntl(t->sock, F_GETFL), one = 1;

	if (s->kind == TRANSPORT_TCP ||
	    s->kind == TRANSPORT_TLSTCP) /* a question waits for no other */
		setsockopt(t->sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (flags < 0 || fcntl(t->sock, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    dup2(t->sock, s->fd) < 0)
		return errno;
	close(t->sock);
	t->sock = s->fd;
	s->transport = t;
	return 0;
}

static int secure(struct session *s, int64_t limit_us)
{
	struct tls_peer peer = {
		.profile = s->profile,
		.addr = &s->to,
		.datagrams = s->kind == TRANSPORT_DTLSUDP,
	};
	int error;

	if (s->kind != TRANSPORT_DTLSUDP && s->kind != TRANSPORT_TLSTCP)
		return 0;
	error = limit_us > 0 ? tls_connect(s->fd, &peer, limit_us, &s->tls) : ETIMEDOUT;
	if (error)
		session_close(s);
	return error;
}

int session_open(struct session *s, int64_t limit_us)
{
	int64_t end_us = loop_clock_us() + limit_us;
	netsnmp_transport *t;
	int error;

	if (limit_us <= 0)
		return ETIMEDOUT;
	errno = 0;
	timer_set(limit_us, AGAIN_US);
	t = s->kind == TRANSPORT_UNIX ? open_path(s->path) : open_inet(s);
	error = errno;
	timer_set(0, 0);
	if (!t)
		return error == EINTR ? ETIMEDOUT : error ? error : EIO;
	error = take_socket(s, t);
	if (error) {
		t->f_close(t);
		netsnmp_transport_free(t);
		return error;
	}
	return secure(s, end_us - loop_clock_us());
}

void session_close(struct session *s)
{
	if (!s->transport)
		return;
	if (s->tls)
		tls_close(s->tls);
	s->tls = NULL;
	dup2(s->nobody[0], s->fd); /* which hangs up */
	s->transport->sock = -1;
	netsnmp_transport_free(s->transport);
	s->transport = NULL;
	s->out.len = 0;
}

/* --- octets ------------------------------------------------------------------------------- */

ptrdiff_t session_write(struct session *s, const uint8_t *data, size_t len)
{
	if (s->tls)
		return tls_write(s->tls, data, len);
	return s->transport->f_send(s->transport, data, (int)len, NULL, NULL);
}

ptrdiff_t session_read(struct session *s, uint8_t *data, size_t len)
{
	void *opaque = NULL;
	int opaque_len = 0, saved;
	ptrdiff_t n;

	if (s->tls)
		return tls_read(s->tls, data, len);
	n = s->transport->f_recv(s->transport, data, (int)len, &opaque, &opaque_len);
	saved = errno;
	free(opaque);
	errno = saved;
	return n;
}

bool session_pending(const struct session *s)
{
	return s->tls && tls_pending(s->tls);
}

/*
 * A connection: an address, TCP, TLS, the login.
 *
 * One node of the broker's for each call, and each of its addresses; the next call takes the next node. A connection that is
 * refused is told in the words of the system, which the library keeps to itself: so a socket of ours asks once more.
 *
 * The trap: the library tells the broker nothing of what it can do, so that the broker would neither say that it blocks us nor that
 * a queue went away: the capabilities are ours to name.
 */
#include "config.h"

#include "link/amqp_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef HAVE_RABBITMQ_C_AMQP_H
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include "base/loop.h"
#include "link/amqp_parts.h"

#define ONCE_MORE_MS 500

struct attempt {
	struct rabbit *r;
	struct rabbit_side *s;
	const struct broker_node *node;
	char where[100]; /* "broker host:port" */
	char *why;
};

static struct timeval timeval_of(int64_t us)
{
	return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

/* errno of a connect() to that address; 0: it works. */
static int connect_error(const struct addr *a)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(a, &sa), size = sizeof(int);
	int fd = socket(sa.ss_family, SOCK_STREAM, 0), error = 0;
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (fd < 0)
		return errno;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&p, 1, ONCE_MORE_MS) == 1)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	close(fd);
	return error;
}

/* What to look at. */
static const char *remedy_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return " (nobody listens there: is the broker running, is that its address and "
		       "port?)";
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return " (is that its address, is a firewall on the way?)";
	default:
		return "";
	}
}

static void explain_connect(struct attempt *a, const struct addr *addr, int status)
{
	int error = status == AMQP_STATUS_TIMEOUT ? ETIMEDOUT : 0;

	if (status == AMQP_STATUS_SOCKET_ERROR || status == AMQP_STATUS_TCP_ERROR)
		error = connect_error(addr);
	if (error)
		snprintf(a->why, LINK_WHY_MAX, "%s: %s%s", a->where, strerror(error),
			 remedy_of(error));
	else
		rabbit_library_words(status, a->r, a->where, a->why);
}

/* ---- login */

/* How we prove who we are: a certificate without a user's name, or a name and a password. */
static bool is_external(const struct broker *b)
{
	return b->certificate && !b->password;
}

static amqp_table_entry_t table_entry(const char *key, amqp_table_t of)
{
	amqp_table_entry_t e = rabbit_entry(key, AMQP_FIELD_KIND_TABLE);

	e.value.value.table = of;
	return e;
}

static amqp_rpc_reply_t login(struct attempt *a)
{
	static const char *const can[] = {"connection.blocked", "consumer_cancel_notify",
					  "basic.nack", "publisher_confirms"};
	const struct broker *b = a->r->broker;
	amqp_table_entry_t able[4];
	amqp_table_entry_t all[] = {
		table_entry("capabilities", (amqp_table_t){4, able}),
		rabbit_text("product", "multisnmp"),
		rabbit_text("connection_name", a->r->title),
	};
	amqp_table_t properties = {3, all};

	for (int i = 0; i < 4; i++) {
		able[i] = rabbit_entry(can[i], AMQP_FIELD_KIND_BOOLEAN);
		able[i].value.value.boolean = 1;
	}
	if (is_external(b))
		return amqp_login_with_properties(
			a->s->state, b->vhost, 0, RABBIT_FRAME, RABBIT_HEARTBEAT, &properties,
			AMQP_SASL_METHOD_EXTERNAL, b->user ? b->user : "-");
	return amqp_login_with_properties(a->s->state, b->vhost, 0, RABBIT_FRAME, RABBIT_HEARTBEAT,
					  &properties, AMQP_SASL_METHOD_PLAIN,
					  b->user ? b->user : "guest",
					  b->password ? b->password : "guest");
}

/* It was found missing, or is not for us. */
static const char *remedy_of_vhost(const char *said)
{
	if (strstr(said, "not found"))
		return " (is that behind the last / of the url? rabbitmqctl add_vhost makes one)";
	if (strstr(said, "access to vhost"))
		return " (is that behind the last / of the url? rabbitmqctl set_permissions lets a "
		       "user in)";
	return "";
}

static enum link_state refused(struct attempt *a, amqp_rpc_reply_t reply)
{
	const amqp_connection_close_t *c = reply.reply.decoded;
	const struct broker *b = a->r->broker;
	char said[LINK_WHY_MAX];

	if (c->reply_code == AMQP_ACCESS_REFUSED && is_external(b)) {
		snprintf(a->why, LINK_WHY_MAX,
			 "%s: it knows no user by the name in our certificate '%.80s'", a->where,
			 b->certificate);
		return LINK_FINAL;
	}
	if (c->reply_code == AMQP_ACCESS_REFUSED) {
		snprintf(a->why, LINK_WHY_MAX,
			 "%s: it refuses the user '%.40s': %s, or none that may come from here%s",
			 a->where, b->user ? b->user : "guest",
			 b->password || !b->user ? "a wrong password (broker: password_file)"
						 : "no password is given (broker: password_file)",
			 b->user ? "" : " (guest may from its own machine only: name a user)");
		return LINK_FINAL;
	}
	rabbit_close_words(c->reply_code, c->reply_text, said);
	snprintf(a->why, LINK_WHY_MAX, "%s: %.110s%s", a->where, said, remedy_of_vhost(said));
	return c->reply_code == AMQP_NOT_ALLOWED ? LINK_FINAL : LINK_FAILED;
}

static enum link_state login_failed(struct attempt *a, int status)
{
	rabbit_library_words(status, a->r, a->where, a->why);
	if (status == AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD) {
		snprintf(a->why, LINK_WHY_MAX,
			 "%s: it does not take certificates for a login (its plugin "
			 "rabbitmq_auth_mechanism_ssl, and EXTERNAL among auth_mechanisms)",
			 a->where);
		return LINK_FINAL;
	}
	if (status == AMQP_STATUS_TIMEOUT)
		snprintf(a->why, LINK_WHY_MAX,
			 "%s: no answer in time (is that the broker's port, is it overloaded?)",
			 a->where);
	/* a listener of TLS answers with an alert, or closes; where that was not read yet, the kernel resets */
	if (!a->r->tls &&
	    (status == AMQP_STATUS_BAD_AMQP_DATA || status == AMQP_STATUS_CONNECTION_CLOSED ||
	     status == AMQP_STATUS_SOCKET_ERROR))
		snprintf(a->why, LINK_WHY_MAX,
			 "%s: it speaks no AMQP there: is it the port of amqps://?", a->where);
	return LINK_FAILED;
}

/* ---- an address */

static amqp_socket_t *socket_of(struct attempt *a)
{
	amqp_socket_t *socket;

	a->s->state = amqp_new_connection();
	if (!a->s->state)
		return NULL;
	if (!a->r->tls)
		return amqp_tcp_socket_new(a->s->state);
	socket = amqp_ssl_socket_new(a->s->state);
	return socket && rabbit_tls_dress(a->r->tls, socket, a->node->host) ? socket : NULL;
}

/* TLS is done, as far as we are concerned. */
static int open_address(struct attempt *a, const struct addr *addr)
{
	struct timeval limit = timeval_of(RABBIT_CONNECT_US);
	amqp_socket_t *socket = socket_of(a);
	char text[ADDR_TEXT_MAX];

	if (!socket)
		return AMQP_STATUS_NO_MEMORY;
	addr_text(addr, text);
	if (a->r->tls)
		rabbit_tls_begin(a->r->tls);
	return amqp_socket_open_noblock(socket, text, a->node->port, &limit);
}

/* A broker that refuses our certificate says so after TLS's handshake, and closes: if that is quicker than the login's
 * first octets, these fail, and what it said stays unread. So once more, without a word of ours. */
static void listen_why(struct attempt *a, const struct addr *addr)
{
	struct pollfd p = {.events = POLLIN};
	struct timeval now = {0};
	amqp_frame_t f;
	char said[LINK_WHY_MAX];

	rabbit_drop(a->r, a->s);
	if (open_address(a, addr) != AMQP_STATUS_OK)
		return;
	p.fd = amqp_get_sockfd(a->s->state);
	if (poll(&p, 1, ONCE_MORE_MS) != 1)
		return;
	amqp_simple_wait_frame_noblock(a->s->state, &f, &now);
	if (rabbit_tls_words(a->r->tls, said))
		snprintf(a->why, LINK_WHY_MAX, "%s: %.190s", a->where, said);
}

static enum link_state try_address(struct attempt *a, const struct addr *addr)
{
	struct timeval answer = timeval_of(RABBIT_ANSWER_US), limit = timeval_of(RABBIT_LOGIN_US);
	int status = open_address(a, addr);
	amqp_rpc_reply_t reply;

	if (status != AMQP_STATUS_OK) {
		explain_connect(a, addr, status);
		return LINK_FAILED;
	}
	amqp_set_handshake_timeout(a->s->state, &limit);
	amqp_set_rpc_timeout(a->s->state, &answer);
	reply = login(a);
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		return refused(a, reply);
	if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
		enum link_state state = login_failed(a, reply.library_error);

		if (a->r->tls && (reply.library_error == AMQP_STATUS_SSL_ERROR ||
				  reply.library_error == AMQP_STATUS_CONNECTION_CLOSED))
			listen_why(a, addr);
		return state;
	}
	a->s->fd = amqp_get_sockfd(a->s->state);
	rabbit_room_prepare(a->s->fd);
	return LINK_OPEN;
}

enum link_state rabbit_connect(struct rabbit *r, struct rabbit_side *s, char why[LINK_WHY_MAX])
{
	struct attempt a = {.r = r, .s = s, .why = why};
	struct addr addrs[RABBIT_ADDRS];
	enum link_state state = LINK_FAILED;
	size_t n;

	rabbit_drop(r, s);
	a.node = &r->broker->node[s->node++ % r->broker->nnodes];
	snprintf(a.where, sizeof(a.where),
		 strchr(a.node->host, ':') ? "broker [%.80s]:%u" : "broker %.80s:%u", a.node->host,
		 (unsigned)a.node->port);
	n = rabbit_names_find(r->names, a.node->host, RABBIT_ADDRS, addrs, why);
	for (size_t i = 0; i < n; i++) {
		addrs[i].port = a.node->port;
		state = try_address(&a, &addrs[i]);
		if (state != LINK_FAILED)
			break;
		rabbit_drop(r, s);
	}
	if (state != LINK_OPEN)
		rabbit_drop(r, s);
	return state == LINK_FINAL && r->met ? LINK_FAILED : state;
}

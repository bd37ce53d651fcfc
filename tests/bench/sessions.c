/*
 * sessions - Net-SNMP's own way: a session and a socket per host, asynchronous, one process.
 *
 *   sessions select|poll PORT FIRST-ADDRESS COUNT TIMEOUT-MS RETRIES WINDOW
 *
 * select: as the library's tutorial has it (asyncapp.c): snmp_select_info2(), select, snmp_read2(),
 * each of which walks all open sessions. poll: the single-session API under poll(2), which spares
 * that walk, as few programs do. WINDOW sessions are open at a time. A record is a line of JSON.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW_MAX 10000

struct host {
	void *single;          /* poll */
	netsnmp_session *open; /* select */
	uint32_t address;      /* host order */
	int fd;
	int64_t due_ms; /* poll: when the library is to look at its timeout */
	bool done;
};

struct bench {
	bool single;
	const char *port;
	uint32_t next, end;
	long timeout_ms;
	int retries;
	size_t window, open;
	struct host host[WINDOW_MAX];
	struct pollfd p[WINDOW_MAX];
};

static const oid sys_descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void record(const struct host *h, const char *status, const netsnmp_pdu *pdu)
{
	struct in_addr a = {htonl(h->address)};
	const netsnmp_variable_list *v = pdu != NULL ? pdu->variables : NULL;
	bool text = v != NULL && v->type == ASN_OCTET_STR;
	printf("{\"host\": \"%s\", \"status\": \"%s\", \"value\": \"%.*s\"}\n", inet_ntoa(a),
	       status, text ? (int)v->val_len : 0, text ? (const char *)v->val.string : "");
}

static int answered(int op, netsnmp_session *s, int id, netsnmp_pdu *pdu, void *arg)
{
	(void)s;
	(void)id;
	struct host *h = arg;
	if (op == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
		record(h, "ok", pdu);
	else if (op == NETSNMP_CALLBACK_OP_TIMED_OUT)
		record(h, "timeout", NULL);
	else
		return 1;
	h->done = true;
	return 1;
}

static bool host_send(struct host *h, bool single, netsnmp_session *s)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);
	snmp_add_null_var(pdu, sys_descr, OID_LENGTH(sys_descr));
	if (!single) {
		h->open = snmp_open(s);
		return h->open != NULL && snmp_send(h->open, pdu) != 0;
	}
	h->single = snmp_sess_open(s);
	if (h->single == NULL || snmp_sess_send(h->single, pdu) == 0)
		return false;
	h->fd = snmp_sess_transport(h->single)->sock;
	return true;
}

static void ask(struct bench *b)
{
	struct host *h = &b->host[b->open++];
	netsnmp_session s;
	char peer[64];
	h->address = b->next++;
	h->done = false;
	h->due_ms = now_ms() + b->timeout_ms;
	struct in_addr a = {htonl(h->address)};
	snprintf(peer, sizeof(peer), "%s:%s", inet_ntoa(a), b->port);
	snmp_sess_init(&s);
	s.version = SNMP_VERSION_2c;
	s.peername = peer;
	s.community = (u_char *)"public";
	s.community_len = 6;
	s.timeout = b->timeout_ms * 1000;
	s.retries = b->retries;
	s.callback = answered;
	s.callback_magic = h;
	if (!host_send(h, b->single, &s)) {
		snmp_perror("sessions");
		exit(1);
	}
}

static void serve_select(void)
{
	netsnmp_large_fd_set set;
	netsnmp_large_fd_set_init(&set, WINDOW_MAX * 2);
	NETSNMP_LARGE_FD_ZERO(&set);
	struct timeval wait = {1, 0};
	int nfds = 0, block = 1;
	snmp_select_info2(&nfds, &set, &wait, &block);
	if (netsnmp_large_fd_set_select(nfds, &set, NULL, NULL, block ? NULL : &wait) > 0)
		snmp_read2(&set);
	else
		snmp_timeout();
	netsnmp_large_fd_set_cleanup(&set);
}

static void host_serve(struct bench *b, struct host *h, bool readable, int64_t now)
{
	if (readable) {
		netsnmp_large_fd_set set;
		netsnmp_large_fd_set_init(&set, h->fd + 1);
		netsnmp_large_fd_setfd(h->fd, &set);
		snmp_sess_read2(h->single, &set);
		netsnmp_large_fd_set_cleanup(&set);
	} else if (now >= h->due_ms) {
		snmp_sess_timeout(h->single);
		h->due_ms = now + b->timeout_ms / 10;
	}
}

static void serve_poll(struct bench *b)
{
	for (size_t i = 0; i < b->open; i++)
		b->p[i] = (struct pollfd){.fd = b->host[i].fd, .events = POLLIN};
	poll(b->p, b->open, 20);
	int64_t now = now_ms();
	for (size_t i = 0; i < b->open; i++)
		host_serve(b, &b->host[i], b->p[i].revents != 0, now);
}

/* Closes host i; the last one takes its place. */
static void host_drop(struct bench *b, size_t i)
{
	struct host *h = &b->host[i];
	if (b->single)
		snmp_sess_close(h->single);
	else
		snmp_close(h->open);
	*h = b->host[--b->open];
	if (i == b->open)
		return;
	netsnmp_session *moved = b->single ? snmp_sess_session(h->single) : h->open;
	moved->callback_magic = h;
}

static void run(struct bench *b)
{
	while (b->open > 0 || b->next != b->end) {
		while (b->open < b->window && b->next != b->end)
			ask(b);
		if (b->single)
			serve_poll(b);
		else
			serve_select();
		for (size_t i = 0; i < b->open;)
			if (b->host[i].done)
				host_drop(b, i);
			else
				i++;
	}
}

int main(int argc, char **argv)
{
	static struct bench b;
	if (argc != 8) {
		fputs("usage: sessions select|poll PORT FIRST COUNT TIMEOUT-MS RETRIES "
		      "WINDOW\n",
		      stderr);
		return 2;
	}
	b.single = strcmp(argv[1], "poll") == 0;
	b.port = argv[2];
	b.next = ntohl(inet_addr(argv[3]));
	b.end = b.next + (uint32_t)atol(argv[4]);
	b.timeout_ms = atol(argv[5]);
	b.retries = atoi(argv[6]);
	b.window = (size_t)atol(argv[7]) < WINDOW_MAX ? (size_t)atol(argv[7]) : WINDOW_MAX;
	setenv("SNMP_PERSISTENT_DIR", "/dev/null", 1);
	setenv("MIBS", "", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	init_snmp("bench");
	run(&b);
	return 0;
}

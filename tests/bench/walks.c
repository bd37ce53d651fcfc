/*
 * walks - Net-SNMP's own way to walk many hosts: a session and a socket per host, asynchronous, one process.
 *
 *   walks PORT FIRST-ADDRESS COUNT WINDOW REPETITIONS OID
 *
 * GETBULK after GETBULK until the subtree ends, as snmpbulkwalk does, under poll(2) with the single-session API;
 * WINDOW sessions are open at a time. A row is printed as snmpbulkwalk -On prints it, behind its host. No host may be
 * silent: the benchmark of walks has none.
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

#define WINDOW_MAX 4096
#define ROW_MAX    4096

struct host {
	void *session;
	char address[INET_ADDRSTRLEN];
	oid at[MAX_OID_LEN];
	size_t at_len;
	int fd;
	bool done;
};

struct bench {
	const char *port;
	uint32_t next, end;
	size_t window, open;
	long repetitions;
	oid root[MAX_OID_LEN];
	size_t root_len;
	struct host host[WINDOW_MAX];
	struct pollfd p[WINDOW_MAX];
};

/* callbacks have one argument, which is the host */
static struct bench bench;

static void give_up(const char *words)
{
	snmp_perror(words);
	exit(1);
}

static void ask(struct host *h)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK);
	pdu->non_repeaters = 0;
	pdu->max_repetitions = bench.repetitions;
	snmp_add_null_var(pdu, h->at, h->at_len);
	if (snmp_sess_send(h->session, pdu) == 0)
		give_up("walks: send");
}

/* False: the subtree is over. */
static bool take_row(struct host *h, netsnmp_variable_list *v)
{
	char line[ROW_MAX];
	if (v->type == SNMP_ENDOFMIBVIEW ||
	    snmp_oidtree_compare(bench.root, bench.root_len, v->name, v->name_length) != 0)
		return false;
	snprint_variable(line, sizeof(line), v->name, v->name_length, v);
	printf("%s %s\n", h->address, line);
	memcpy(h->at, v->name, v->name_length * sizeof(oid));
	h->at_len = v->name_length;
	return true;
}

static int answered(int op, netsnmp_session *s, int id, netsnmp_pdu *pdu, void *arg)
{
	(void)s;
	(void)id;
	struct host *h = arg;
	if (op == NETSNMP_CALLBACK_OP_TIMED_OUT)
		give_up("walks: no answer");
	if (op != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
		return 1;
	for (netsnmp_variable_list *v = pdu->variables; v != NULL && !h->done; v = v->next_variable)
		h->done = !take_row(h, v);
	if (!h->done)
		ask(h);
	return 1;
}

static void start(void)
{
	struct host *h = &bench.host[bench.open];
	struct in_addr a = {htonl(bench.next++)};
	netsnmp_session s;
	char peer[64];
	inet_ntop(AF_INET, &a, h->address, sizeof(h->address));
	snprintf(peer, sizeof(peer), "%s:%s", h->address, bench.port);
	snmp_sess_init(&s);
	s.version = SNMP_VERSION_2c;
	s.peername = peer;
	s.community = (u_char *)"public";
	s.community_len = 6;
	s.callback = answered;
	s.callback_magic = h;
	h->session = snmp_sess_open(&s);
	if (h->session == NULL)
		give_up("walks: open");
	h->fd = snmp_sess_transport(h->session)->sock;
	h->done = false;
	h->at_len = bench.root_len;
	memcpy(h->at, bench.root, bench.root_len * sizeof(oid));
	bench.open++;
	ask(h);
}

static void serve(struct host *h)
{
	netsnmp_large_fd_set set;
	netsnmp_large_fd_set_init(&set, h->fd + 1);
	netsnmp_large_fd_setfd(h->fd, &set);
	snmp_sess_read2(h->session, &set);
	netsnmp_large_fd_set_cleanup(&set);
}

/* Closes host i; the last one takes its place. */
static void drop(size_t i)
{
	struct host *h = &bench.host[i];
	snmp_sess_close(h->session);
	*h = bench.host[--bench.open];
	if (i < bench.open)
		snmp_sess_session(h->session)->callback_magic = h;
}

static void run(void)
{
	while (bench.open > 0 || bench.next != bench.end) {
		while (bench.open < bench.window && bench.next != bench.end)
			start();
		for (size_t i = 0; i < bench.open; i++)
			bench.p[i] = (struct pollfd){.fd = bench.host[i].fd, .events = POLLIN};
		poll(bench.p, bench.open, 1000);
		for (size_t i = 0; i < bench.open; i++)
			if (bench.p[i].revents != 0)
				serve(&bench.host[i]);
		for (size_t i = bench.open; i-- > 0;)
			if (bench.host[i].done)
				drop(i);
	}
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		fputs("usage: walks PORT FIRST COUNT WINDOW REPETITIONS OID\n", stderr);
		return 2;
	}
	bench.port = argv[1];
	bench.next = ntohl(inet_addr(argv[2]));
	bench.end = bench.next + (uint32_t)atol(argv[3]);
	bench.window = (size_t)atol(argv[4]) < WINDOW_MAX ? (size_t)atol(argv[4]) : WINDOW_MAX;
	bench.repetitions = atol(argv[5]);
	bench.root_len = MAX_OID_LEN;
	setenv("SNMP_PERSISTENT_DIR", "/dev/null", 1);
	setenv("MIBS", "", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_OID_OUTPUT_FORMAT,
			   NETSNMP_OID_OUTPUT_NUMERIC);
	init_snmp("bench");
	if (!snmp_parse_oid(argv[6], bench.root, &bench.root_len))
		give_up("walks: OID");
	run();
	return 0;
}

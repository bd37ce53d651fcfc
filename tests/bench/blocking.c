/*
 * blocking - the shape of the original: N forked processes, each with one blocking
 * snmp_sess_synch_response() at a time, between a task queue and a done queue.
 *
 *   blocking PROCESSES PORT FIRST-ADDRESS COUNT TIMEOUT-MS RETRIES
 *
 * The queues are pipes that all processes share: a task is an address, a record a line of JSON of
 * at most PIPE_BUF octets, so that reads and writes are whole. STOP is the end of the file.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct bench {
	const char *port;
	long timeout_ms;
	int retries;
	int tasks[2], done[2];
};

static const oid sys_descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};

static void ask(const struct bench *b, uint32_t address)
{
	netsnmp_session s;
	char peer[64], line[512];
	struct in_addr a = {htonl(address)};
	snprintf(peer, sizeof(peer), "%s:%s", inet_ntoa(a), b->port);
	snmp_sess_init(&s);
	s.version = SNMP_VERSION_2c;
	s.peername = peer;
	s.community = (u_char *)"public";
	s.community_len = 6;
	s.timeout = b->timeout_ms * 1000;
	s.retries = b->retries;
	void *session = snmp_sess_open(&s);
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET), *reply = NULL;
	snmp_add_null_var(pdu, sys_descr, OID_LENGTH(sys_descr));
	int status = snmp_sess_synch_response(session, pdu, &reply);
	const netsnmp_variable_list *v = status == STAT_SUCCESS && reply != NULL ? reply->variables
										 : NULL;
	int len = snprintf(
		line, sizeof(line), "{\"host\": \"%s\", \"status\": \"%s\", \"value\": \"%.*s\"}\n",
		inet_ntoa(a), v != NULL ? "ok" : "timeout", v != NULL ? (int)v->val_len : 0,
		v != NULL ? (const char *)v->val.string : "");
	if (write(b->done[1], line, (size_t)len) != len)
		_exit(1);
	if (reply != NULL)
		snmp_free_pdu(reply);
	snmp_sess_close(session);
}

static void worker(const struct bench *b)
{
	uint32_t address;
	close(b->tasks[1]);
	close(b->done[0]);
	while (read(b->tasks[0], &address, sizeof(address)) == sizeof(address))
		ask(b, address);
	_exit(0);
}

static void feed(const struct bench *b, uint32_t first, uint32_t count)
{
	close(b->done[0]);
	close(b->done[1]);
	close(b->tasks[0]);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t address = first + i;
		if (write(b->tasks[1], &address, sizeof(address)) != sizeof(address))
			_exit(1);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		fputs("usage: blocking N PORT FIRST COUNT TIMEOUT-MS RETRIES\n", stderr);
		return 2;
	}
	struct bench b = {.port = argv[2], .timeout_ms = atol(argv[5]), .retries = atoi(argv[6])};
	setenv("SNMP_PERSISTENT_DIR", "/dev/null", 1);
	setenv("MIBS", "", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	init_snmp("bench");
	if (pipe(b.tasks) != 0 || pipe(b.done) != 0)
		return 1;
	for (int i = 0; i < atoi(argv[1]); i++)
		if (fork() == 0)
			worker(&b);
	if (fork() == 0)
		feed(&b, ntohl(inet_addr(argv[3])), (uint32_t)atol(argv[4]));
	close(b.tasks[0]);
	close(b.tasks[1]);
	close(b.done[1]);
	char buf[65536];
	ssize_t n;
	while ((n = read(b.done[0], buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			return 1;
	while (wait(NULL) > 0)
		continue;
	return 0;
}

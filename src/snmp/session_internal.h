/*
 * session_internal - a session, between its files.
 */
#ifndef SNMP_SESSION_INTERNAL_H
#define SNMP_SESSION_INTERNAL_H

#include "base/mem.h"
#include "snmp/session.h"

struct netsnmp_transport_s;
struct tls;

struct session {
	struct addr source4, source6;
	uint8_t kind; /* enum transport */
	char path[TASK_PATH_MAX + 1];
	const struct profile *profile;

	/* the connection */
	struct netsnmp_transport_s *transport; /* NULL: there is none */
	struct tls *tls;                       /* over it; NULL: the octets go as they are */
	int fd;         /* the one descriptor that the loop knows: of the connection, or nobody's */
	int nobody[2];  /* a pipe that nothing ever comes through */
	struct addr to; /* whom it was made to, or was to be made to last; family 0 for a path */
	bool reached;   /* some connection to `to` was made */
	bool answered;  /* a whole message has come over the connection */
	int64_t began_us; /* when the task's first connection was asked for; 0: not yet */
	int64_t blocked_us;

	struct buf out; /* the rest of a message that the kernel did not take */
	uint8_t *in;    /* SESSION_MESSAGE_MAX octets */
	size_t in_len;
	size_t in_taken; /* octets of `in` handed out by the last call */
	bool more;       /* the last call handed out as many messages as it may */
	struct udp_in messages[UDP_BATCH];

	struct udp_refusal refusal;
	bool refused; /* refusal was not handed out yet */
};

/* session_open.c */
void session_catch_alarm(void); /* once in a process, before the first open */
/* Connects to s->to, or s->path, within limit_us. 0, or an errno; ETIMEDOUT: not in time. */
int session_open(struct session *s, int64_t limit_us);
void session_close(struct session *s); /* harmless when there is none */
ptrdiff_t session_write(struct session *s, const uint8_t *data, size_t len); /* as send(2) */
ptrdiff_t session_read(struct session *s, uint8_t *data, size_t len);        /* as recv(2) */
bool session_pending(const struct session *s); /* there is more, though the socket may not say so */

/* session_frame.c: octets of the message that data begins with, 0 if that is not known yet; -1: it is none. */
ptrdiff_t session_frame(const uint8_t *data, size_t len);

#endif

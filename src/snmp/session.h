/*
 * session - a carrier over Net-SNMP's stream transports, one host at a time: TCP and sockets in the file
 * system.
 *
 * Sending connects, and blocks meanwhile; so whoever uses this has nothing else to do (a worker of the
 * second kind). Addresses are numbers already; nothing is resolved and no file is read.
 */
#ifndef SNMP_SESSION_H
#define SNMP_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/profile.h"
#include "base/task.h"
#include "snmp/carrier.h"

#define SESSION_MESSAGE_MAX 65536 /* octets of a message; what claims to be longer is garbage */

struct session;

/* Addresses to send from over TCP (port 0); family 0: any. Takes over the process's SIGALRM. NULL: errno,
 * no descriptors. SIGPIPE is to be ignored by the process. */
struct session *session_new(const struct addr *source4, const struct addr *source6);
void session_free(struct session *s); /* NULL: nothing happens */

/* All that is sent from now on is for this task, until session_end(). The profile is lent until then. */
void session_begin(struct session *s, const struct task *task, const struct profile *profile);
void session_end(struct session *s); /* hangs up */

/* For how long sending has blocked since the last call. A clock that looks at the time between two turns
 * is not to take it for a stop. */
int64_t session_blocked_us(struct session *s);

/* Of a struct session: one lane, for every address. A message that cannot go out because the connection
 * is not made within the waits of all tries (or the host's deadline) fails with ETIMEDOUT; one that is
 * refused, with what the kernel says. A connection that ends before it has brought an answer is a
 * refusal: EPIPE, closed; EBADMSG, closed within a message; else the kernel's. */
extern const struct carrier carrier_session;

#endif

/*
 * double_session - the connection of a session without a socket: what comes in is what the script says.
 */
#ifndef FUZZ_DOUBLE_SESSION_H
#define FUZZ_DOUBLE_SESSION_H

#include <stdbool.h>

#include "base/mem.h"
#include "snmp/session_internal.h"

struct double_stream {
	struct buf in;   /* octets that the other end has sent */
	size_t piece;    /* a read gives at most so many; 0: all */
	bool end;        /* and then it hangs up … */
	int error;       /* … with this errno; 0: in good order */
	int open_error;  /* connecting fails with it */
	size_t full;     /* a write takes at most so many octets; 0: all */
	struct buf out;  /* what we have sent over the connection */
	unsigned opened; /* connections made */
	bool pending;    /* says once that there is more to read */
};
struct double_stream *double_stream(void); /* the one */
void double_stream_start(void);
void double_stream_free(void);
/* Whoever holds the session in a loop that he cannot reach: its descriptor becomes readable while there is
 * something to read. */
void double_stream_wake(void);

#endif

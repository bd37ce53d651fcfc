/*
 * SNMPv3 with USM as an authoritative engine speaks it (RFC 3412 §7.2, RFC 3414 §3.2), for all agents at once; and the
 * lies that are told in it.
 */
#ifndef AGENT_V3_H
#define AGENT_V3_H

#include "answer.h"
#include "datagram.h"
#include "report.h"
#include "usm.h"
#include "v3_message.h"

enum {
	CONTEXTS_MAX = 16
};

/* Whom the agents know, besides the context "". Both are lent. */
struct v3_world {
	struct usm *usm;
	const char *const *contexts; /* NULL ends them */
};

struct v3_counters {
	uint64_t reports[REPORTS]; /* sent, or held back because they were not wanted */
	uint64_t authenticated;    /* requests whose digest was right */
	uint64_t
		undecipherable; /* those whose contents made no sense: another privacy passphrase */
};

/* A request on its way to its answer. */
struct v3_request {
	const struct datagram *datagram; /* its octets may be changed, and are changed back */
	const struct v3_message *message;
	const struct behaviour *behaviour;
	const struct mib_view *view; /* its context is set here */
};

struct v3;

/* NULL when out of memory. */
struct v3 *v3_new(const struct v3_world *world);
void v3_free(struct v3 *v3);
/* Writes the answer, or a Report, at bytes, which holds DATAGRAM_MAX octets; at most max_size are used. Returns its length; 0: there is none. */
size_t v3_answer(struct v3 *v3, struct answerer *answerer, const struct v3_request *request,
		 size_t max_size, uint8_t *bytes);
const struct v3_counters *v3_counted(const struct v3 *v3);

#endif

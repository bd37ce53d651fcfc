/*
 * lookup - what the master asks the resolver and what comes back, with their wire forms.
 */
#ifndef POOL_LOOKUP_H
#define POOL_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/task.h"
#include "base/wire.h"

#define LOOKUP_IN_FLIGHT   256 /* names asked at a time; the master sends no more than these */
#define LOOKUP_NAME_MAX    253 /* octets (RFC 1035 §2.3.4, without the last dot) */
#define LOOKUP_MESSAGE_MAX 128

/* The payload of NAME. */
struct lookup_question {
	uint32_t ticket; /* the asker's; comes back with the answer */
	uint8_t family;  /* 4, 6, or 0 for both */
	char name[LOOKUP_NAME_MAX + 1];
};
#define LOOKUP_QUESTION_PACKED_MAX (4 + 1 + 2 + LOOKUP_NAME_MAX)
/* Counterpart: lookup_question_unpack. */
void lookup_question_pack(const struct lookup_question *q, struct wire_out *w);
bool lookup_question_unpack(struct lookup_question *q, struct wire_in *r);

/* The payload of ADDRESSES: 1 to TASK_ADDRS_MAX addresses, IPv4 first, without a port; or none. */
struct lookup_answer {
	uint32_t ticket;
	uint8_t count;
	struct addr addrs[TASK_ADDRS_MAX];
	char message[LOOKUP_MESSAGE_MAX]; /* when count is 0: why, for the record */
};
#define LOOKUP_ANSWER_PACKED_MAX (4 + 1 + TASK_ADDRS_MAX * 21 + 2 + LOOKUP_MESSAGE_MAX)
/* Counterpart: lookup_answer_unpack. */
void lookup_answer_pack(const struct lookup_answer *a, struct wire_out *w);
/* False: short, or a count, family or length out of bounds, or neither address nor message. */
bool lookup_answer_unpack(struct lookup_answer *a, struct wire_in *r);

#endif

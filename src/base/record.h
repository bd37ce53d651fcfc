/*
 * record - what came of one target: status, times, varbinds; and its head's wire form.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cause.h"
#include "base/learnt.h"
#include "base/profile.h"
#include "base/vars.h"
#include "base/wire.h"

enum record_status {
	RECORD_OK,
	RECORD_PARTIAL,
	RECORD_TIMEOUT,
	RECORD_UNREACHABLE,
	RECORD_AUTH,
	RECORD_ERROR,
	RECORD_MALFORMED,
	RECORD_RESOLVE,
	RECORD_CRASHED,
	RECORD_CANCELLED,
	RECORD_LOST, /* over a broker: published again and again, and no record came back */
	RECORD_STATUS_COUNT
};
const char *record_status_name(enum record_status s); /* "ok", "partial" … */

struct record {
	const char *host; /* as shown; NULL: the address without port */
	struct addr addr; /* family 0: none is known (null) */
	int64_t time_ms;  /* UTC since 1970, of the last datagram, else of the verdict */
	enum record_status status;
	int64_t rtt_us; /* of the first request answered, from that try's send; -1: none */
	uint32_t tries; /* sends of the request that needed most */
	const struct varbind *vars;
	size_t nvars;
	uint64_t ahead;           /* rows of this record that were formatted already, before vars */
	const char *message;      /* NULL when ok */
	const char *note;         /* something worth knowing, whatever the status; NULL: nothing */
	const uint8_t *engine_id; /* SNMPv3: learnt from who has addr; with engine_id_len */
	uint8_t engine_id_len;    /* octets, at most ENGINE_ID_MAX; 0: none was learnt */
	const struct cause *cause; /* NULL: the master made the record */
	const struct addr *addrs; /* all that the task had, `asked` of them tried; NULL: as cause */
	const uint8_t *verdicts;  /* enum record_status, of those tried but the last */
	uint8_t naddrs, asked;
	const struct learnt *learnt; /* for the next round; NULL: nobody keeps it */
	const struct record_head
		*head; /* a worker's, of which the master knows no more; NULL: of all others */
};

/* What the master looks at; the rest of a RECORD message is bytes as they will be written. */
struct record_head {
	uint64_t seq;   /* of the task */
	uint32_t lease; /* of the task */
	uint8_t status; /* enum record_status */
	uint32_t tries;
	int64_t rtt_us;        /* -1: none */
	uint8_t engine_id_len; /* 0: none was learnt, and addr is not known */
	uint8_t engine_id[ENGINE_ID_MAX];
	struct addr addr;     /* who has it */
	bool learns;          /* there is something for the next round: */
	struct learnt learnt; /* else it is not set */
};
#define RECORD_OUTCOME_PACKED_MAX \
	(1 + 4 + 8 + 1 + LEARNT_PACKED_MAX + 1 + ENGINE_ID_MAX + ADDR_PACKED) /* octets */
#define RECORD_HEAD_PACKED     (8 + 4 + 1 + 4 + 8 + 1 + 1) /* when nothing was learnt */
#define RECORD_HEAD_PACKED_MAX (8 + 4 + RECORD_OUTCOME_PACKED_MAX)
/* A pair. Unpacking is false when r is short, or the status, the engine ID's length, the family or what was
 * learnt is out of range. */
void record_head_pack(const struct record_head *h, struct wire_out *w);
bool record_head_unpack(struct record_head *h, struct wire_in *r);
/* The same of all but seq and lease: of a record that others know by other numbers. */
void record_outcome_pack(const struct record_head *h, struct wire_out *w);
bool record_outcome_unpack(struct record_head *h, struct wire_in *r);

#endif

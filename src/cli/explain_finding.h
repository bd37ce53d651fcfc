/*
 * explain_finding - what came of one poll, as --explain reads it back from its worker.
 */
#ifndef CLI_EXPLAIN_FINDING_H
#define CLI_EXPLAIN_FINDING_H

#include "base/cause.h"
#include "base/record.h"
#include "base/task.h"
#include "out/format.h"

#define FINDING_TEXT_MAX 600  /* octets of a message */
#define FINDING_ROWS_MAX 1200 /* of the rows shown */

/* What came of one poll: the record as its worker saw it, by the one format that only explain reads. */
struct finding {
	enum record_status status;
	struct cause cause;
	int64_t rtt_us; /* -1: nothing was answered */
	uint32_t tries;
	struct addr addr;                  /* of the one that was asked last; family 0: none */
	struct addr addrs[TASK_ADDRS_MAX]; /* all that there are, `asked` of them asked … */
	uint8_t verdicts[TASK_ADDRS_MAX];  /* … with this status; of the last, status */
	uint8_t naddrs, asked;
	uint8_t engine_id[ENGINE_ID_MAX];
	uint8_t engine_id_len;
	uint64_t nvars;   /* rows … */
	uint64_t missing; /* … of which noSuchObject and noSuchInstance */
	uint32_t octets;  /* of all values and names, about */
	char message[FINDING_TEXT_MAX];
	char rows
		[FINDING_ROWS_MAX]; /* "object\ttype\tvalue\n" of the first, the missing ones first */
};
extern const struct format finding_format;
/* Reads what the format wrote. False: it is not that. */
bool finding_unpack(struct finding *f, const uint8_t *data, size_t len);

/* explain_words.c */
const char *explain_meaning(const struct finding *f); /* of its cause, for a person; NULL */
/* How far the question came on its way: the larger, the further. */
unsigned finding_depth(const struct finding *f);
const char *finding_words(const struct finding *f,
			  char out[FINDING_TEXT_MAX]); /* status: message */

#endif

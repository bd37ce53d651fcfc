/*
 * The Reports of SNMPv3: the counters by which an engine says why it does not answer (RFC 3414 §5, RFC 3412 §5, RFC
 * 3413 §4.1.2).
 */
#ifndef AGENT_REPORT_H
#define AGENT_REPORT_H

#include "ber.h"

enum report {
	REPORT_NONE,
	UNSUPPORTED_SEC_LEVELS,
	NOT_IN_TIME_WINDOWS,
	UNKNOWN_USER_NAMES,
	UNKNOWN_ENGINE_IDS,
	WRONG_DIGESTS,
	DECRYPTION_ERRORS,
	UNKNOWN_SECURITY_MODELS,
	INVALID_MSGS,
	UNKNOWN_PDU_HANDLERS,
	UNAVAILABLE_CONTEXTS,
	UNKNOWN_CONTEXTS,
	REPORT_OTHER, /* a counter that no RFC knows */
	REPORTS
};

/* "unsupportedSecLevels" …; of REPORT_NONE "". */
extern const char *const report_names[REPORTS];

/* The counter's instance. */
void report_oid(enum report report, struct oid *oid);

#endif

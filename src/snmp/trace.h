/*
 * trace - messages in words, for --debug: what of them may be seen, and nothing that is secret.
 *
 * A line a datagram, so that those of many workers do not tear each other. Communities, digests and salts are
 * masked; keys and passphrases are not in here. Bounded, whatever a stranger sent, and fit for a terminal.
 */
#ifndef SNMP_TRACE_H
#define SNMP_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "snmp/ber.h"

struct trace;
struct usm_credential;
struct usm_peer;

#define TRACE_LINE_MAX \
	3900 /* octets: with its newline and what stands before it less than a pipe takes whole */

enum trace_way {
	TRACE_SENT,
	TRACE_RECEIVED,
	TRACE_REFUSED /* what the network says of one of ours; there is no message */
};
struct trace_datagram {
	enum trace_way way;
	const struct addr *peer;
	const char *host; /* as the record has it; NULL: nobody's, or the address itself */
	const uint8_t *data;
	size_t len;
	/* What encrypts it; NULL: nothing, or nobody knows. Lent, as all of it. */
	const struct usm_credential *credential;
	const struct usm_peer *keys;
};

struct trace *trace_new(void); /* before the sandbox; lines name the process */
void trace_free(struct trace *t);
/* Puts the datagram into words now, while it is as it came; trace_end() writes the line. */
void trace_begin(struct trace *t, const struct trace_datagram *d);
/* What became of it, until then. A later word replaces an earlier one. */
void trace_fate(struct trace *t, const char *what, const char *words);
void trace_end(struct trace *t);

/* trace_values.c: " {NAME = TYPE value; …}" of a list of varbinds; values: false for a question. */
void trace_put_varbinds(struct buf *out, struct ber *list, bool values);

#endif

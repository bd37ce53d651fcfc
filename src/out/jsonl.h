/*
 * jsonl - one JSON object a line (RFC 8259), keys always present and in one order, values exact.
 *
 * host, address, time, status, rtt_ms, tries, vars, note where there is one, and message unless ok; a var
 * is oid, name, index, label where there is one, "label_hex": true where that is hex, type, value, and
 * "hex": true where value is hex. Beyond
 * DESIGN.md, "Records":
 * - index is "" where the OID is the object's own, without an instance.
 * - Opaque is always hex; Float and Double that are no numbers are the strings "NaN", "Infinity",
 *   "-Infinity" (JSON has no such numbers, and null would say that nothing was measured).
 * - What utf8_shown() refuses comes as \uXXXX: the same string to a parser, safe to show, one line
 *   to every reader of lines (Python's splitlines() takes U+0085 and U+2028 for line ends).
 * - label is a string: octets as they are, as marked hex where they are not UTF-8, numbers in decimal.
 * - An octet of host, note or message that is no UTF-8 comes as the four characters \xHH.
 */
#ifndef OUT_JSONL_H
#define OUT_JSONL_H

#include "base/mem.h"
#include "base/record.h"
#include "out/fields.h"

void jsonl_record(struct buf *out, const struct record *r,
		  const struct format_options *o); /* appends one whole line */

/* The line's pieces, see format.h. */
void jsonl_front(struct buf *out, const struct record *r, const struct format_options *o);
void jsonl_rows(struct buf *out, const struct record *r,
		const struct format_options *o); /* with a comma first if rows are ahead */
void jsonl_rest(struct buf *out, const struct record *r, const struct format_options *o);

#endif

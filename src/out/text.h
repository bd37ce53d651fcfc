/*
 * text - four tab-separated columns for people and cut(1): host, object, type, value.
 *
 * One line for each row. Then, if the record is not ok, or has no rows, or something worth knowing
 * came with it, one line more: host, "-", status, message and note with "; " between them ("-" if
 * neither). So every target is named in the first column, always, and a line with "-" as object tells
 * how a target ended. The third column of that line is a status, in all others a type.
 *
 * object  name.index where the name is known, else the OID; behind it, in brackets, the label of a
 *         table's row, written as a value is: ifHCInOctets.3 [eth0]
 * value   INTEGER up(1) where the enumeration is known; BITS {first(0),third(2),9} where the bits'
 *         names are, what has none as its number; by DISPLAY-HINT (RFC 2579 §3.1) where there is one,
 *         'x' with two digits an octet, so that MAC addresses look as elsewhere;
 *         TimeTicks 12345 (0:02:03.45), with days 8640001 (1 day, 0:00:00.01);
 *         octets of unknown syntax as they are if they are text, else, and Opaque, as 0x and hex;
 *         NULL, noSuchObject and noSuchInstance "-"
 *
 * Nothing in a column is ever a tab, a line end or a control: an octet that is not UTF-8, and each
 * octet of a character that utf8_shown() refuses, comes as \xHH. So does a backslash before an 'x',
 * and the 0 of an octet string's own text that begins with 0x: both readings stay unambiguous, and
 * paths of Windows legible.
 */
#ifndef OUT_TEXT_H
#define OUT_TEXT_H

#include "base/mem.h"
#include "base/record.h"
#include "out/fields.h"

void text_record(struct buf *out, const struct record *r,
		 const struct format_options *o); /* appends whole lines */

/* The pieces of it, see format.h; the front is empty unless fields were chosen. */
void text_front(struct buf *out, const struct record *r, const struct format_options *o);
void text_rows(struct buf *out, const struct record *r, const struct format_options *o);
void text_rest(struct buf *out, const struct record *r, const struct format_options *o);

#endif

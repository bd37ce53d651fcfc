/*
 * csv - comma-separated values (RFC 4180): a row for each varbind, one for a record without any.
 *
 * host,address,time,status,rtt_ms,tries,oid,name,index,label,type,value,message
 *
 * All rows of a record have its first six columns and its last one; lines end with CR LF, as the RFC
 * has it. A field that holds a comma, a quote, a line end or an octet beyond ASCII, or that begins or
 * ends with a space, is quoted. What is unknown (rtt_ms, name, label), and the value of NULL, noSuchObject
 * and noSuchInstance, is an empty field.
 *
 * value    exactly what the device sent, tabs and line ends too; numbers in decimal; Float and Double as
 *          "NaN", "Infinity", "-Infinity" where they are no numbers. Octets that are no text (not UTF-8, or
 *          a control among them), and Opaque, are hex, and `type` says so: "OCTET STRING (hex)".
 *          A value that begins with = + - or @ stays as it is: a spreadsheet is to be told that the
 *          column is text.
 * label    as value; what is no text, and a text that begins with 0x, is hex behind 0x
 * host, message
 *          what is no text in one line comes as \xHH, as in the format text; message has the note, too,
 *          behind "; "
 */
#ifndef OUT_CSV_H
#define OUT_CSV_H

#include "base/mem.h"
#include "base/record.h"
#include "out/fields.h"

#define CSV_HEAD "host,address,time,status,rtt_ms,tries,oid,name,index,label,type,value,message\r\n"

void csv_record(struct buf *out, const struct record *r,
		const struct format_options *o); /* appends whole rows */

/* The pieces of a record whose rows went ahead, see format.h: front() is what stands before and behind
 * each row, and each row of rows() begins with VALUE_MARK. rest() is nothing. */
void csv_front(struct buf *out, const struct record *r, const struct format_options *o);
void csv_rows(struct buf *out, const struct record *r, const struct format_options *o);
void csv_rest(struct buf *out, const struct record *r, const struct format_options *o);

#endif

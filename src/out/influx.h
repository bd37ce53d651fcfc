/*
 * influx - line protocol of InfluxDB: a point for each varbind, and one for the record.
 *
 *   snmp,host=HOST[,index=INDEX][,label=LABEL] NAME=VALUE TIME
 *   snmp,host=HOST,oid=OID[,label=LABEL] KIND=VALUE TIME        an object without a name
 *   snmp,host=HOST status="ok"[,rtt_ms=0.412],tries=1i[,message=…][,note=…] TIME
 *
 * TIME is the record's, in nanoseconds, the same for all its points: the cells of a table's row become
 * one point of the data base. KIND is integer, unsigned, float or string, so that a field never has two
 * types. Counter64 is unsigned (`u`: InfluxDB 2, or 1 built with it); all that fits is an integer (`i`).
 * NULL, noSuchObject and noSuchInstance have no point; a tag without octets is left out, for line protocol
 * has none. A point is one line, always.
 *
 * What cannot stand as it is has its key marked:
 *   NAME_escaped  text with line ends (in a tag: with line ends or backslashes): those octets, and a
 *                 backslash before an 'x' (in a tag: each one), as \xHH
 *   NAME_hex      octets that are no text, and Opaque: hex
 *   NAME_special  "NaN", "Infinity", "-Infinity", of which line protocol knows no number
 */
#ifndef OUT_INFLUX_H
#define OUT_INFLUX_H

#include "base/mem.h"
#include "base/record.h"
#include "out/fields.h"

void influx_record(struct buf *out, const struct record *r,
		   const struct format_options *o); /* appends whole lines */

/* The pieces of a record whose rows went ahead, see format.h: front() is what stands before (nothing) and
 * behind each line (its time), and each line of rows() and rest() begins with VALUE_MARK. */
void influx_front(struct buf *out, const struct record *r, const struct format_options *o);
void influx_rows(struct buf *out, const struct record *r, const struct format_options *o);
void influx_rest(struct buf *out, const struct record *r, const struct format_options *o);

#endif

/*
 * prometheus - the text exposition format, for the textfile collector and whoever else reads it.
 *
 *   snmp_up{host="HOST"}            1 if the record is `ok` or `partial`, else 0
 *   snmp_rtt_seconds{host="HOST"}   where there is one
 *   NAME{host="HOST",index="INDEX",ifName="LABEL"} VALUE               counters, gauges
 *   NAME_info{host="HOST",index="INDEX",ifName="LABEL",value="TEXT"} 1 strings, addresses, OIDs
 *   snmp_object{host="HOST",oid="OID"} VALUE, snmp_object_info         objects without a name
 *
 * The index's label has its column's name, or "label" where that is not known or not to be had. A value
 * that cannot stand as it is has its label marked: value_escaped is text with carriage returns, those
 * and a backslash before an 'x' as \xHH; value_hex is octets that are no text, and Opaque, in hex. So it is
 * with host and the index's label. An octet of a name that Prometheus does not allow is '_'. NULL,
 * noSuchObject and noSuchInstance have no sample. Integers have all their digits; Prometheus reads
 * them as 64-bit floats.
 *
 * All samples of a family stand together under one # TYPE, and no series comes twice. A family whose
 * devices do not agree on the type is untyped. Of two records of one host the one that was listed first
 * counts, as a whole. Lines on their way to the master, without the host, which it knows:
 *
 *   CLASS FAMILY NUL LABELS NUL TYPE VALUE LF    class 0 is snmp_up, 1 all else; type c, g or u
 */
#ifndef OUT_PROMETHEUS_H
#define OUT_PROMETHEUS_H

#include "base/mem.h"
#include "base/record.h"
#include "out/fields.h"
#include "out/spool.h"
#include "out/value.h"

void prometheus_record(struct buf *out, const struct record *r,
		       const struct format_options *o); /* appends lines for the master */
/* Its pieces, see format.h. */
void prometheus_rows(struct buf *out, const struct record *r, const struct format_options *o);
void prometheus_rest(struct buf *out, const struct record *r, const struct format_options *o);

/* What the master does with the lines, see layout.h. */
void *prometheus_begin(void);
void prometheus_target(void *state, uint64_t seq, const struct record *r);
bool prometheus_put(void *state, struct spool_sort *sort, const void *line, size_t len);
void prometheus_item(void *state, struct buf *out, const struct spool_item *item);
void prometheus_end(void *state); /* warns of hosts that were left out */

/* For both halves: what was appended since `start` becomes the value of a label; key has what stands
 * before its name, too. */
void prometheus_label(struct buf *out, size_t start, const char *key, enum value_form form);

#endif

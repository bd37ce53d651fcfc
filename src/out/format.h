/*
 * format - a record becomes bytes: the table of formats, one row each.
 */
#ifndef OUT_FORMAT_H
#define OUT_FORMAT_H

#include "base/mem.h"
#include "base/record.h"

struct format {
	const char *name;                                        /* as in -F */
	void (*record)(struct buf *out, const struct record *r); /* appends one whole record */
};

const struct format *format_find(const char *name); /* NULL: no such format */
const struct format *format_at(unsigned i);         /* the table's rows, NULL after the last */

#endif

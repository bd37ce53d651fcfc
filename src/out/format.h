/*
 * format - a record becomes bytes: the table of formats, one row each.
 */
#ifndef OUT_FORMAT_H
#define OUT_FORMAT_H

#include "base/mem.h"
#include "base/record.h"
#include "out/fields.h"
#include "out/layout.h"

/* Appends octets of r. */
typedef void (*format_fn)(struct buf *out, const struct record *r, const struct format_options *o);

struct format {
	const char *name; /* as in -F */
	format_fn record; /* one whole record: the three pieces below in one go */
	/* A record whose rows are too many to be held comes in pieces: rows() several times while it is
	 * not over, of which host, addr, vars and ahead are known (`ahead` rows came before these); then
	 * front(), which is written before all rows, the last rows(), and rest(). */
	format_fn front; /* NULL: nothing stands before the rows */
	format_fn rows;
	format_fn rest;
	/* Of layout.h. Where it is `around`, front() is what stands around each row, and each row of rows()
	 * and rest(), but not of record(), begins with a VALUE_MARK. */
	struct layout_config layout;
	/* What the master holds a worker's octets to, whatever is in them. */
	bool one_line; /* a record is one line, always */
	bool quotes;   /* a '"' opens what another one of the same record closes (RFC 4180) */
	/* What of format_options it can do. */
	uint32_t fields; /* bits of those that may be chosen; 0: it has its own way */
	bool columns;    /* they are columns, in the order in which they were chosen */
	bool null;
};

#define FORMAT_HEAD_MAX (FIELDS_TEXT_MAX + 2)

const struct format *format_find(const char *name); /* NULL: no such format */
const struct format *format_at(unsigned i);         /* the table's rows, NULL after the last */
/* What becomes of its layout with these options; head is for its head, which is lent. */
struct layout_config format_layout(const struct format *f, const struct format_options *o,
				   char head[FORMAT_HEAD_MAX]);

#endif

/*
 * fields - what is shown of records: which fields, in which order; and rows of columns made of them.
 */
#ifndef OUT_FIELDS_H
#define OUT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/record.h"
#include "snmp/mib.h"

enum field { /* the first six and the message are of a record, the others of a variable */
	FIELD_HOST,
	FIELD_ADDRESS,
	FIELD_TIME,
	FIELD_STATUS,
	FIELD_RTT_MS,
	FIELD_TRIES,
	FIELD_OID,
	FIELD_NAME,
	FIELD_INDEX,
	FIELD_LABEL,
	FIELD_TYPE,
	FIELD_VALUE,
	FIELD_MESSAGE,
	FIELD_OBJECT, /* name, index and label in one */
	FIELD_COUNT
};
#define FIELD(name)      (1u << FIELD_##name)
#define FIELDS_OF_RECORD (FIELD(OID) - 1 + FIELD(MESSAGE))
#define FIELDS_OF_VAR    (FIELD(MESSAGE) - FIELD(OID) + FIELD(OBJECT))
#define FIELDS_ALL       (FIELD(OBJECT) - 1) /* of csv and jsonl */
const char *field_name(enum field f);        /* "host", "rtt_ms" … */

struct fields {
	uint8_t list[FIELD_COUNT]; /* enum field, none twice */
	unsigned count;            /* 0: the format's own */
	uint32_t has;              /* a bit for each */
};

/* How what a format makes of records differs from its own way. {0}: it does not. Lent to all who format. */
struct format_options {
	struct fields fields;
	bool null; /* lines end with a NUL, and text comes as it is */
};

#define FIELDS_ERROR_MAX 320
#define FIELDS_TEXT_MAX  128 /* octets of all names with commas and a NUL */

/* Reads names with commas between them, of those in the bits of `known`. False: error says what is wrong. */
bool fields_parse(struct fields *f, const char *text, uint32_t known, char error[FIELDS_ERROR_MAX]);
/* The names, with commas between them. */
void fields_text(const struct fields *f, char text[FIELDS_TEXT_MAX]);

/* --- rows --------------------------------------------------------------------------------- */

struct fields_var { /* a variable, and what is known of it */
	const struct varbind *v;
	const struct mib_object *object; /* NULL: unknown, or not needed for the fields */
	size_t used;                     /* sub-identifiers of its OID that are the object's */
};

/* How a format makes rows: one for each variable, with the record's fields in each; one where there is none, or no
 * field of a variable is shown. */
struct fields_rows {
	const struct fields *standard;
	char between;              /* cells */
	const char *nothing, *end; /* a cell without a variable; a row, without `null` */
	void (*of_record)(struct buf *out, const struct record *r, enum field f,
			  const struct format_options *o);
	void (*of_var)(struct buf *out, const struct fields_var *v, enum field f,
		       const struct format_options *o);
};

/* A whole record; and its pieces, of format.h: the front has what stands before, between and behind the cells of
 * a variable, and each run of such cells begins with a VALUE_MARK. */
void fields_record(struct buf *out, const struct record *r, const struct fields_rows *rows,
		   const struct format_options *o);
void fields_front(struct buf *out, const struct record *r, const struct fields_rows *rows,
		  const struct format_options *o);
void fields_ahead(struct buf *out, const struct record *r, const struct fields_rows *rows,
		  const struct format_options *o);
void fields_rest(struct buf *out, const struct record *r, const struct fields_rows *rows,
		 const struct format_options *o);

#endif

/*
 * A record becomes rows of comma-separated values.
 *
 * The problem: whoever imports the rows wants each of them to say all of itself, so a record's head and
 * message stand in every row; but the rows of a large record are formatted before its head is known.
 * So such rows are made without it, each behind a mark, and the master puts the head before and the message
 * behind each when it copies them (layout.h). Rejected: empty columns in such rows; a reader that
 * takes the rows with status `ok` would lose them all.
 *
 * Values are exact. Rejected: an apostrophe before what a spreadsheet may take for a formula. It protects
 * one kind of reader from itself and gives all others a value that no device sent; and which characters
 * are to be feared depends on the spreadsheet and on its language.
 *
 * The trap: controls. RFC 4180 has no place for a NUL, and readers end a value there without a word. What
 * is no text is hex, and the type says that it is: so no two values look alike, and the value column
 * needs no escapes.
 */
#include "out/csv.h"

#include <string.h>

#include "base/utc.h"
#include "out/value.h"
#include "snmp/mib.h"

#define HEX   "0x"
#define EMPTY "\"\""

/* Plain ASCII without quotes and backslashes, commas, and spaces at its ends. */
static bool is_bare(const uint8_t *p, size_t len)
{
	if (len && (p[0] == ' ' || p[len - 1] == ' '))
		return false;
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] >= 0x7f || p[i] == '"' || p[i] == ',')
			return false;
	return true;
}

/* Quotes what was appended since `start`, if it must be. */
static void quote(struct buf *out, size_t start)
{
	if (is_bare(out->data + start, out->len - start))
		return;
	value_guard(out, start, "\"", '"');
	value_insert(out, start, "\"");
	buf_putc(out, '"');
}

static void put_shown(struct buf *out, const void *text, size_t len)
{
	size_t start = out->len;

	value_put_shown(out, text, len);
	quote(out, start);
}

static void put_host(struct buf *out, const struct record *r)
{
	char address[ADDR_TEXT_MAX];

	if (r->host)
		put_shown(out, r->host, strlen(r->host));
	else
		put_shown(out, address, addr_text(&r->addr, address));
}

static void put_words(struct buf *out, const char *words)
{
	value_put_shown(out, (const uint8_t *)words, strlen(words));
}

static void put_message(struct buf *out, const struct record *r)
{
	const char *message = r->message ? r->message : record_status_name(r->status);
	bool failed = r->status != RECORD_OK;
	size_t start = out->len;

	if (failed)
		put_words(out, message);
	if (failed && r->note)
		buf_puts(out, "; ");
	if (r->note)
		put_words(out, r->note);
	quote(out, start);
}

static void put_cell_of_record(struct buf *out, const struct record *r, enum field f)
{
	char number[VALUE_MAX], address[ADDR_TEXT_MAX];

	switch (f) {
	case FIELD_HOST:
		put_host(out, r);
		return;
	case FIELD_ADDRESS:
		if (r->addr.family)
			put_shown(out, address, addr_text_port(&r->addr, address));
		return;
	case FIELD_TIME:
		buf_put(out, number, (size_t)(utc_put(number, r->time_ms) - number));
		return;
	case FIELD_STATUS:
		buf_puts(out, record_status_name(r->status));
		return;
	case FIELD_RTT_MS:
		if (r->rtt_us >= 0)
			buf_put(out, number, (size_t)(value_ms(number, r->rtt_us) - number));
		return;
	case FIELD_TRIES:
		buf_put_u64(out, r->tries);
		return;
	default:
		put_message(out, r);
	}
}

/* There is no column to say that it is hex: what begins with 0x is. */
static void put_label(struct buf *out, const struct varbind *label)
{
	size_t start = out->len, len;
	enum value_form form = value_put(out, label);

	len = out->len - start;
	if (form == VALUE_TEXT && len >= 2 && !memcmp(out->data + start, HEX, 2)) {
		out->len = start;
		value_hex((char *)buf_room(out, len * 2), label->value.octets.p, len);
		out->len += len * 2;
		form = VALUE_HEX;
	}
	if (form == VALUE_HEX)
		value_insert(out, start, HEX);
	quote(out, start);
}

static void put_value(struct buf *out, const struct varbind *v)
{
	size_t start = out->len;

	value_put(out, v);
	quote(out, start);
}

static void put_type(struct buf *out, const struct varbind *v)
{
	buf_puts(out, var_type_name((enum var_type)v->type));
	if (value_is_hex(v))
		buf_puts(out, " (hex)");
}

static void put_cell_of_var(struct buf *out, const struct fields_var *var, enum field f)
{
	const struct varbind *v = var->v;

	switch (f) {
	case FIELD_OID:
		value_put_oid(out, v->oid, v->noid);
		return;
	case FIELD_NAME:
		if (var->object)
			put_shown(out, var->object->name, strlen(var->object->name));
		return;
	case FIELD_INDEX:
		if (var->object)
			value_put_oid(out, v->oid + var->used, v->noid - var->used);
		return;
	case FIELD_LABEL:
		if (value_has_label(v))
			put_label(out, v->label);
		return;
	case FIELD_TYPE:
		put_type(out, v);
		return;
	default:
		put_value(out, v);
	}
}

/* A row of one empty field would be an empty line, which readers pass over. */
static void put_something(struct buf *out, size_t start, const struct format_options *o)
{
	if (o->fields.count == 1 && out->len == start)
		buf_puts(out, EMPTY);
}

static void put_of_record(struct buf *out, const struct record *r, enum field f,
			  const struct format_options *o)
{
	size_t start = out->len;

	put_cell_of_record(out, r, f);
	put_something(out, start, o);
}

static void put_of_var(struct buf *out, const struct fields_var *var, enum field f,
		       const struct format_options *o)
{
	size_t start = out->len;

	put_cell_of_var(out, var, f);
	put_something(out, start, o);
}

static const struct fields standard = {.list = {FIELD_HOST, FIELD_ADDRESS, FIELD_TIME, FIELD_STATUS,
						FIELD_RTT_MS, FIELD_TRIES, FIELD_OID, FIELD_NAME,
						FIELD_INDEX, FIELD_LABEL, FIELD_TYPE, FIELD_VALUE,
						FIELD_MESSAGE},
				       .count = 13,
				       .has = FIELDS_ALL};
static const struct fields_rows rows = {.standard = &standard,
					.between = ',',
					.nothing = "",
					.end = "\r\n",
					.of_record = put_of_record,
					.of_var = put_of_var};
static const struct fields_rows single = {.standard = &standard,
					  .between = ',',
					  .nothing = EMPTY,
					  .end = "\r\n",
					  .of_record = put_of_record,
					  .of_var = put_of_var};

static const struct fields_rows *rows_of(const struct format_options *o)
{
	return o->fields.count == 1 ? &single : &rows;
}

void csv_record(struct buf *out, const struct record *r, const struct format_options *o)
{
	fields_record(out, r, rows_of(o), o);
}

void csv_front(struct buf *out, const struct record *r, const struct format_options *o)
{
	fields_front(out, r, rows_of(o), o);
}

void csv_rows(struct buf *out, const struct record *r, const struct format_options *o)
{
	fields_ahead(out, r, rows_of(o), o);
}

void csv_rest(struct buf *out, const struct record *r, const struct format_options *o)
{
	fields_rest(out, r, rows_of(o), o);
}

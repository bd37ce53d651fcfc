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

#define COMMA ","
#define HEX   "0x"

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

/* The first six columns, each with its comma. */
static void put_head(struct buf *out, const struct record *r)
{
	char number[VALUE_MAX], address[ADDR_TEXT_MAX];

	put_host(out, r);
	buf_puts(out, COMMA);
	if (r->addr.family)
		put_shown(out, address, addr_text_port(&r->addr, address));
	buf_puts(out, COMMA);
	buf_put(out, number, (size_t)(utc_put(number, r->time_ms) - number));
	buf_puts(out, COMMA);
	buf_puts(out, record_status_name(r->status));
	buf_puts(out, COMMA);
	if (r->rtt_us >= 0)
		buf_put(out, number, (size_t)(value_ms(number, r->rtt_us) - number));
	buf_puts(out, COMMA);
	buf_put_u64(out, r->tries);
	buf_puts(out, COMMA);
}

static void put_words(struct buf *out, const char *words)
{
	value_put_shown(out, (const uint8_t *)words, strlen(words));
}

/* The last column with its comma, and the line's end. */
static void put_tail(struct buf *out, const struct record *r)
{
	const char *message = r->message ? r->message : record_status_name(r->status);
	bool failed = r->status != RECORD_OK;
	size_t start;

	buf_puts(out, COMMA);
	start = out->len;
	if (failed)
		put_words(out, message);
	if (failed && r->note)
		buf_puts(out, "; ");
	if (r->note)
		put_words(out, r->note);
	quote(out, start);
	buf_puts(out, "\r\n");
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

/* oid,name,index,label */
static void put_object(struct buf *out, const struct varbind *v)
{
	size_t used = 0;
	const struct mib_object *object = mib_find(v->oid, v->noid, &used);

	value_put_oid(out, v->oid, v->noid);
	buf_puts(out, COMMA);
	if (object)
		put_shown(out, object->name, strlen(object->name));
	buf_puts(out, COMMA);
	if (object)
		value_put_oid(out, v->oid + used, v->noid - used);
	buf_puts(out, COMMA);
	if (value_has_label(v))
		put_label(out, v->label);
}

/* The columns from oid to value. */
static void put_row(struct buf *out, const struct varbind *v)
{
	size_t type_end, start;
	enum value_form form;

	put_object(out, v);
	buf_puts(out, COMMA);
	buf_puts(out, var_type_name((enum var_type)v->type));
	type_end = out->len;
	buf_puts(out, COMMA);
	start = out->len;
	form = value_put(out, v);
	quote(out, start);
	if (form == VALUE_HEX)
		value_insert(out, type_end, " (hex)");
}

void csv_record(struct buf *out, const struct record *r)
{
	size_t head = out->len, len;

	put_head(out, r);
	len = out->len - head;
	for (size_t i = 0; i < r->nvars; i++) {
		if (i) {
			buf_room(out, len);
			buf_put(out, out->data + head, len);
		}
		put_row(out, &r->vars[i]);
		put_tail(out, r);
	}
	if (r->nvars)
		return;
	buf_puts(out, ",,,,,");
	put_tail(out, r);
}

void csv_front(struct buf *out, const struct record *r)
{
	put_head(out, r);
	buf_putc(out, VALUE_MARK);
	put_tail(out, r);
}

void csv_rows(struct buf *out, const struct record *r)
{
	for (size_t i = 0; i < r->nvars; i++) {
		buf_putc(out, VALUE_MARK);
		put_row(out, &r->vars[i]);
	}
}

void csv_rest(struct buf *out, const struct record *r)
{
	(void)out; /* what stands behind the last row stands behind each */
	(void)r;
}

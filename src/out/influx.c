/*
 * A record becomes points of line protocol.
 *
 * The problem: the format has four kinds of text with four rules of escaping, its readers differ in what
 * they make of a backslash, and many of them cut at line ends before they look at quotes. A device that is
 * called `x\nsnmp,host=core1 ifInOctets=0i` must not write a counter of core1's.
 *
 * So no line end ever comes through, and no backslash in a tag, where InfluxDB takes one before a comma
 * for an escape and one before a letter for itself, and where one at the end takes the next comma with it.
 * What holds such octets comes in the notation of the format text, under a key that says so. Rejected: line
 * ends as they are, which the protocol allows in strings, and which Telegraf's `tail` then splits.
 *
 * A point for each varbind, with the object's name as field: points with the same tags and the same time are
 * one point to the data base, so the cells of a row need not be joined here.
 *
 * The trap: a field has one type for good. A device that answers with another type than the first one did
 * has its point refused. That is why what is no number gets a key of its own and never the
 * number's, and why objects without a name are told apart by a tag, and their field by its kind.
 */
#include "out/influx.h"

#include <math.h>
#include <string.h>

#include "out/value.h"
#include "snmp/mib.h"

#define TIME_MOST_MS 9223372036854 /* what the data base can hold, either way */
#define TAG_SPECIAL  ",= "

/* Fields of the record's own point, and of objects without a name. */
static const char *const taken[] = {"status",  "tries",    "message", "note",  "time",
				    "integer", "unsigned", "float",   "string"};

/* The end of the key of what was appended since `start`, which is escaped if need be. */
static const char *mark(struct buf *out, size_t start, enum value_form form, const char *special)
{
	if (form == VALUE_HEX)
		return "_hex";
	return value_escape(out, start, special) ? "_escaped" : "";
}

/* What was appended since `start` becomes key + mark + '=' + value. */
static void put_key(struct buf *out, size_t start, const char *key, const char *end)
{
	value_insert(out, start, "=");
	value_insert(out, start, end);
	value_insert(out, start, key);
}

static void quote(struct buf *out, size_t start)
{
	value_guard(out, start, "\"\\", '\\');
	value_insert(out, start, "\"");
	buf_putc(out, '"');
}

/* A tag without octets is none. */
static void finish_tag(struct buf *out, size_t start, const char *key, enum value_form form)
{
	const char *end = mark(out, start, form, "\n\r\t\\");

	if (out->len == start)
		return;
	value_guard(out, start, TAG_SPECIAL, '\\');
	put_key(out, start, key, end);
}

static void finish_string(struct buf *out, size_t start, const char *key, enum value_form form)
{
	const char *end = mark(out, start, form, "\n\r");

	quote(out, start);
	put_key(out, start, key, end);
}

static void put_host(struct buf *out, const struct record *r)
{
	size_t start;

	buf_puts(out, "snmp");
	start = out->len;
	finish_tag(out, start, ",host", value_put_host(out, r));
}

/* Whether name may be the key of a field: letters, digits, hyphens, and none of ours. */
static bool is_key(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || *c == '-'))
			return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!strcmp(name, taken[i]))
			return false;
	return *name != '\0';
}

/* The field's key; NULL: that is its kind. */
static const char *put_object(struct buf *out, const struct varbind *v)
{
	size_t used = 0, start = out->len;
	const struct mib_object *object = mib_find(v->oid, v->noid, &used);
	bool named = object && is_key(object->name);

	if (!named)
		used = 0;
	value_put_oid(out, v->oid + used, v->noid - used);
	finish_tag(out, start, named ? ",index" : ",oid", VALUE_TEXT);
	return named ? object->name : NULL;
}

static void put_label(struct buf *out, const struct varbind *label)
{
	size_t start = out->len;

	finish_tag(out, start, ",label", value_put(out, label));
}

static void put_field(struct buf *out, const char *name, const struct varbind *v)
{
	bool is_long = v->type == VAR_COUNTER64;
	size_t start = out->len;
	enum value_form form = value_put(out, v);

	if (form == VALUE_NUMBER) {
		buf_putc(out, is_long ? 'u' : 'i');
		put_key(out, start, name ? name : is_long ? "unsigned" : "integer", "");
	} else if (form == VALUE_REAL && isfinite(v->value.d)) {
		put_key(out, start, name ? name : "float", "");
	} else if (form == VALUE_REAL) {
		quote(out, start);
		put_key(out, start, name ? name : "float", "_special");
	} else {
		finish_string(out, start, name ? name : "string", form);
	}
}

static void put_row(struct buf *out, const struct record *r, const struct varbind *v)
{
	const char *name;

	put_host(out, r);
	name = put_object(out, v);
	if (value_has_label(v))
		put_label(out, v->label);
	buf_putc(out, ' ');
	put_field(out, name, v);
}

static void put_words(struct buf *out, const char *key, const char *words)
{
	size_t start = out->len;

	finish_string(out, start, key,
		      value_put_octets(out, (const uint8_t *)words, strlen(words)));
}

/* The record's own point. */
static void put_status(struct buf *out, const struct record *r)
{
	const char *status = record_status_name(r->status);
	char number[VALUE_MAX];

	put_host(out, r);
	put_words(out, " status", status);
	if (r->rtt_us >= 0) {
		buf_puts(out, ",rtt_ms=");
		buf_put(out, number, (size_t)(value_ms(number, r->rtt_us) - number));
	}
	buf_puts(out, ",tries=");
	buf_put_u64(out, r->tries);
	buf_putc(out, 'i');
	if (r->status != RECORD_OK)
		put_words(out, ",message", r->message ? r->message : status);
	if (r->note)
		put_words(out, ",note", r->note);
}

static void put_time(struct buf *out, const struct record *r)
{
	int64_t ms = r->time_ms;

	if (ms > TIME_MOST_MS)
		ms = TIME_MOST_MS;
	if (ms < -TIME_MOST_MS)
		ms = -TIME_MOST_MS;
	buf_putc(out, ' ');
	buf_put_i64(out, ms * 1000000);
	buf_putc(out, '\n');
}

static bool has_point(const struct varbind *v)
{
	return v->type < VAR_NULL;
}

void influx_record(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)o;
	for (size_t i = 0; i < r->nvars; i++) {
		if (!has_point(&r->vars[i]))
			continue;
		put_row(out, r, &r->vars[i]);
		put_time(out, r);
	}
	put_status(out, r);
	put_time(out, r);
}

void influx_front(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)o;
	buf_putc(out, VALUE_MARK);
	put_time(out, r);
}

void influx_rows(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)o;
	for (size_t i = 0; i < r->nvars; i++) {
		if (!has_point(&r->vars[i]))
			continue;
		buf_putc(out, VALUE_MARK);
		put_row(out, r, &r->vars[i]);
	}
}

void influx_rest(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)o;
	buf_putc(out, VALUE_MARK);
	put_status(out, r);
}

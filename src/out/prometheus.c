/*
 * A record becomes samples, on their way to the master: the worker's half of the format.
 *
 * The problem: the format wants all samples of a family together, and records come host by host in any order,
 * from several processes. So nothing can be written before all are there; the lines that are made here
 * begin with their family, the master sorts them (layout.h) and prometheus_families.c makes the file. The host's
 * label is put there, too: it is the same in all lines, and whose they are is not for a worker to say.
 *
 * Strings: a sample is a number, so what is none is a label of a sample that is 1. Label values may hold
 * any UTF-8, with three escapes; but readers that open the file as text take a carriage return for a line
 * end, and terminals act on controls. So those never come through; a label that has them is marked
 * by its name. Rejected: replacing them, which makes two values look alike.
 *
 * The trap: names. A MIB file may call an object snmp-up, or a column `host`, which is a family or a label of
 * ours once its hyphen is gone. Such a name is not used: the object is known by its OID then, the label is
 * called "label".
 */
#include "out/prometheus.h"

#include <math.h>
#include <string.h>

#include "snmp/mib.h"

#define OURS "snmp_" /* no other family begins so */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Appends name as Prometheus allows it; false, and nothing is appended: it would be one of ours. */
static bool put_name(struct buf *out, const char *name)
{
	size_t start = out->len;

	if (!is_letter(*name))
		buf_putc(out, '_');
	for (; *name; name++)
		buf_putc(out, (char)(is_letter(*name) || is_digit(*name) ? *name : '_'));
	if (out->len - start >= strlen(OURS) && !memcmp(out->data + start, OURS, strlen(OURS))) {
		out->len = start;
		return false;
	}
	return true;
}

void prometheus_label(struct buf *out, size_t start, const char *key, enum value_form form)
{
	const char *mark = form == VALUE_HEX ? "_hex" : "";

	if (form != VALUE_HEX && value_escape(out, start, "\r"))
		mark = "_escaped";
	value_guard(out, start, "\"\\\n", '\\');
	for (size_t i = start; i < out->len; i++)
		if (out->data[i] == '\n')
			out->data[i] = 'n';
	value_insert(out, start, "=\"");
	value_insert(out, start, mark);
	value_insert(out, start, key);
	buf_putc(out, '"');
}

/* The name of the column that v comes from, if no label of ours has it. */
static const char *label_name(const struct varbind *v)
{
	static const char *const taken[] = {"host", "index", "oid", "value", "le", "quantile"};
	size_t used = 0;
	const struct mib_object *object = mib_find(v->oid, v->noid, &used);

	if (!object || !is_letter(*object->name))
		return "label";
	for (const char *c = object->name; *c; c++)
		if (!is_letter(*c) && !is_digit(*c))
			return "label";
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!strcmp(object->name, taken[i]))
			return "label";
	return object->name;
}

static void put_index_label(struct buf *out, const struct varbind *label)
{
	size_t start;

	buf_putc(out, ',');
	start = out->len;
	prometheus_label(out, start, label_name(label), value_put(out, label));
}

static bool is_number(const struct varbind *v)
{
	switch ((enum var_type)v->type) {
	case VAR_OCTETS:
	case VAR_OID:
	case VAR_IPADDRESS:
	case VAR_OPAQUE:
		return false;
	default:
		return true;
	}
}

/* Class, family, and the labels that say which object it is. Returns whether it has a name. */
static bool put_object(struct buf *out, const struct varbind *v)
{
	size_t used = 0, start;
	const struct mib_object *object = mib_find(v->oid, v->noid, &used);
	bool named;

	buf_putc(out, '1');
	named = object && put_name(out, object->name);
	if (!named) {
		buf_puts(out, "snmp_object");
		used = 0;
	}
	if (!is_number(v))
		buf_puts(out, "_info");
	buf_putc(out, '\0');
	start = out->len;
	value_put_oid(out, v->oid + used, v->noid - used);
	prometheus_label(out, start, named ? "index" : "oid", VALUE_TEXT);
	return named;
}

static void put_number(struct buf *out, const struct varbind *v)
{
	bool real = v->type == VAR_FLOAT || v->type == VAR_DOUBLE;

	if (real && isinf(v->value.d))
		buf_puts(out, v->value.d < 0 ? "-Inf" : "+Inf");
	else
		value_put(out, v); /* "NaN" is what it is called here, too */
}

static char type_of(const struct varbind *v, bool named)
{
	if (!named)
		return 'u';
	return v->type == VAR_COUNTER32 || v->type == VAR_COUNTER64 ? 'c' : 'g';
}

static void put_row(struct buf *out, const struct varbind *v)
{
	bool named = put_object(out, v);
	size_t start;

	if (value_has_label(v))
		put_index_label(out, v->label);
	if (is_number(v)) {
		buf_putc(out, '\0');
		buf_putc(out, type_of(v, named));
		put_number(out, v);
	} else {
		buf_putc(out, ',');
		start = out->len;
		prometheus_label(out, start, "value", value_put(out, v));
		buf_putc(out, '\0');
		buf_puts(out, "g1");
	}
	buf_putc(out, '\n');
}

void prometheus_rows(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)o;
	for (size_t i = 0; i < r->nvars; i++)
		if (r->vars[i].type < VAR_NULL)
			put_row(out, &r->vars[i]);
}

static void put_rtt(struct buf *out, const struct record *r)
{
	char fraction[7] = "000000"; /* of a second, in microseconds */
	uint64_t us = (uint64_t)r->rtt_us % 1000000;

	for (int i = 5; i >= 0; i--, us /= 10)
		fraction[i] = (char)('0' + us % 10);
	buf_puts(out, "1" OURS "rtt_seconds");
	buf_putc(out, '\0');
	buf_putc(out, '\0');
	buf_putc(out, 'g');
	buf_put_u64(out, (uint64_t)r->rtt_us / 1000000);
	buf_putc(out, '.');
	buf_puts(out, fraction);
	buf_putc(out, '\n');
}

void prometheus_rest(struct buf *out, const struct record *r, const struct format_options *o)
{
	bool up = r->status == RECORD_OK || r->status == RECORD_PARTIAL;

	(void)o;
	buf_puts(out, "0" OURS "up");
	buf_putc(out, '\0');
	buf_putc(out, '\0');
	buf_puts(out, up ? "g1\n" : "g0\n");
	if (r->rtt_us >= 0)
		put_rtt(out, r);
}

void prometheus_record(struct buf *out, const struct record *r, const struct format_options *o)
{
	prometheus_rows(out, r, o);
	prometheus_rest(out, r, o);
}

/*
 * A record becomes lines of four columns.
 *
 * The problem: this is what people read and what cut(1) and awk(1) split, and both break on what
 * devices send: a sysDescr of three lines, a tab in ifAlias, a location that clears the screen.
 * How a value looks must follow from the object and not from what happens to be in it: pollers that choose
 * between text and hex by content show one column of one table in two ways (FIELD.md). So a known
 * syntax decides, whatever the octets are, and what cannot be shown is escaped. Only where the
 * syntax is unknown does the content decide, and then the hex is marked by 0x.
 *
 * Rejected: dropping or replacing what cannot be shown. A file name in hrSWRunPath with a bad octet
 * could then not be found again; \xHH can be turned back.
 *
 * The trap: hints are applied first and escaped afterwards, in one pass over the result. A character of
 * three octets that a hint cuts in two comes out whole that way.
 */
#include "out/text.h"

#include <string.h>

#include "base/oid.h"
#include "base/utc.h"
#include "out/text_hint.h"
#include "out/value.h"
#include "snmp/mib.h"

/* Text of others. raw: as it is, for who reads up to a NUL. */
static void put_shown(struct buf *out, const void *p, size_t len, bool raw)
{
	if (raw)
		value_put_raw(out, p, len);
	else
		value_put_shown(out, p, len);
}

/* The same for an octet string, whose text must not look like our hex. */
static void put_shown_octets(struct buf *out, const uint8_t *p, size_t len, bool raw)
{
	if (!raw && len >= 2 && p[0] == '0' && p[1] == 'x') {
		value_put_escaped(out, p, 1);
		p++;
		len--;
	}
	put_shown(out, p, len, raw);
}

static void put_hex(struct buf *out, const uint8_t *p, size_t len)
{
	buf_puts(out, "0x");
	value_hex((char *)buf_room(out, len * 2), p, len);
	out->len += len * 2;
}

/* The label of value v; NULL: it has none. */
static const char *label_of(const struct mib_label *l, int64_t v)
{
	while (l && l->label && l->value != v)
		l++;
	return l ? l->label : NULL;
}

/* Bit 0 is the highest of the first octet (RFC 3417 §8 (3)). */
static void put_bits(struct buf *out, const struct mib_label *names, const uint8_t *p, size_t len)
{
	const char *before = "";

	buf_putc(out, '{');
	for (size_t bit = 0; bit < len * 8; bit++) {
		const char *name = label_of(names, (int64_t)bit);

		if (!(p[bit / 8] & 0x80 >> bit % 8))
			continue;
		buf_puts(out, before);
		before = ",";
		buf_puts(out, name ? name : "");
		buf_puts(out, name ? "(" : "");
		buf_put_u64(out, bit);
		buf_puts(out, name ? ")" : "");
	}
	buf_putc(out, '}');
}

static void put_octets(struct buf *out, const struct mib_object *object, const uint8_t *p,
		       size_t len, bool raw)
{
	struct buf hinted = {0};

	if (object && object->bits)
		put_bits(out, object->bits, p, len);
	else if (object && object->hint && text_hint_octets(&hinted, object->hint, p, len))
		put_shown_octets(out, hinted.data, hinted.len, raw);
	else if (value_is_text(p, len))
		put_shown_octets(out, p, len, raw);
	else
		put_hex(out, p, len);
	buf_free(&hinted);
}

static void put_integer(struct buf *out, const struct mib_object *object, int64_t v)
{
	const char *label = object ? label_of(object->labels, v) : NULL;

	if (label) {
		buf_puts(out, label);
		buf_putc(out, '(');
		buf_put_i64(out, v);
		buf_putc(out, ')');
	} else if (!object || !object->hint || !text_hint_integer(out, object->hint, v)) {
		buf_put_i64(out, v);
	}
}

static void put_ticks(struct buf *out, uint64_t ticks)
{
	uint64_t seconds = ticks / 100;
	uint64_t days = seconds / 86400;

	buf_put_u64(out, ticks);
	buf_puts(out, " (");
	if (days) {
		buf_put_u64(out, days);
		buf_puts(out, days == 1 ? " day, " : " days, ");
	}
	buf_put_u64(out, seconds / 3600 % 24);
	buf_printf(out, ":%02u:%02u.%02u)", (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60),
		   (unsigned)(ticks % 100));
}

static void put_real(struct buf *out, const struct varbind *v)
{
	char number[VALUE_MAX];
	char *end = value_real(number, v->value.d, v->type == VAR_FLOAT);

	buf_put(out, number, (size_t)(end - number));
}

static void put_oid(struct buf *out, const uint32_t *id, size_t len)
{
	char text[OID_TEXT_MAX];

	buf_put(out, text, oid_text(id, len, text));
}

static void put_address(struct buf *out, const struct varbind *v)
{
	char text[VALUE_MAX];

	if (v->value.octets.len == 4)
		buf_put(out, text, (size_t)(value_ipv4(text, v->value.octets.p) - text));
	else
		put_hex(out, v->value.octets.p, v->value.octets.len);
}

/* one line a type */
static void put_value(struct buf *out, const struct varbind *v, const struct mib_object *object,
		      bool raw)
{
	switch ((enum var_type)v->type) {
	case VAR_INTEGER:
		put_integer(out, object, v->value.i);
		return;
	case VAR_OCTETS:
		put_octets(out, object, v->value.octets.p, v->value.octets.len, raw);
		return;
	case VAR_OID:
		put_oid(out, v->value.oid.id, v->value.oid.len);
		return;
	case VAR_IPADDRESS:
		put_address(out, v);
		return;
	case VAR_GAUGE32: /* Unsigned32 too, which may have a hint */
		put_integer(out, object, (int64_t)v->value.u);
		return;
	case VAR_COUNTER32:
	case VAR_COUNTER64:
		buf_put_u64(out, v->value.u);
		return;
	case VAR_TIMETICKS:
		put_ticks(out, v->value.u);
		return;
	case VAR_OPAQUE:
		put_hex(out, v->value.octets.p, v->value.octets.len);
		return;
	case VAR_FLOAT:
	case VAR_DOUBLE:
		put_real(out, v);
		return;
	case VAR_NULL:
	case VAR_NO_SUCH_OBJECT:
	case VAR_NO_SUCH_INSTANCE:
	case VAR_END_OF_MIB_VIEW:
	case VAR_TYPE_COUNT:
		break;
	}
	buf_putc(out, '-');
}

static void put_host(struct buf *out, const struct record *r, bool raw)
{
	char address[ADDR_TEXT_MAX];

	if (r->host)
		put_shown(out, r->host, strlen(r->host), raw);
	else
		put_shown(out, address, addr_text(&r->addr, address), raw);
}

static void put_label(struct buf *out, const struct varbind *label, bool raw)
{
	size_t used = 0;

	put_value(out, label, mib_find(label->oid, label->noid, &used), raw);
}

static void put_object(struct buf *out, const struct fields_var *var, bool raw)
{
	const struct varbind *v = var->v;

	if (var->object) {
		buf_puts(out, var->object->name);
		if (var->used < v->noid)
			buf_putc(out, '.');
	}
	put_oid(out, v->oid + var->used, v->noid - var->used);
	if (!value_has_label(v))
		return;
	buf_puts(out, " [");
	put_label(out, v->label, raw);
	buf_putc(out, ']');
}

static void put_words(struct buf *out, const char *words)
{
	value_put_shown(out, (const uint8_t *)words, strlen(words));
}

/* Message and note. */
static void put_message(struct buf *out, const struct record *r)
{
	bool has_message = r->message && *r->message;

	if (has_message)
		put_words(out, r->message);
	if (has_message && r->note)
		buf_puts(out, "; ");
	if (r->note)
		put_words(out, r->note);
	if (!has_message && !r->note)
		buf_putc(out, '-');
}

/* --- the four columns --------------------------------------------------------------------- */

static void put_end(struct buf *out, const struct format_options *o)
{
	buf_putc(out, o->null ? '\0' : '\n');
}

static void put_row(struct buf *out, const struct record *r, const struct varbind *v,
		    const struct format_options *o)
{
	struct fields_var var = {.v = v};

	var.object = mib_find(v->oid, v->noid, &var.used);
	put_host(out, r, o->null);
	buf_putc(out, '\t');
	put_object(out, &var, o->null);
	buf_putc(out, '\t');
	buf_puts(out, var_type_name((enum var_type)v->type));
	buf_putc(out, '\t');
	put_value(out, v, var.object, o->null);
	put_end(out, o);
}

static void put_ending(struct buf *out, const struct record *r, const struct format_options *o)
{
	put_host(out, r, o->null);
	buf_puts(out, "\t-\t");
	buf_puts(out, record_status_name(r->status));
	buf_putc(out, '\t');
	put_message(out, r);
	put_end(out, o);
}

/* --- columns that were asked for ---------------------------------------------------------- */

static void put_of_record(struct buf *out, const struct record *r, enum field f,
			  const struct format_options *o)
{
	char text[ADDR_TEXT_MAX + VALUE_MAX];

	if (f == FIELD_HOST)
		put_host(out, r, o->null);
	else if (f == FIELD_ADDRESS && r->addr.family)
		buf_put(out, text, addr_text_port(&r->addr, text));
	else if (f == FIELD_TIME)
		buf_put(out, text, (size_t)(utc_put(text, r->time_ms) - text));
	else if (f == FIELD_STATUS)
		buf_puts(out, record_status_name(r->status));
	else if (f == FIELD_RTT_MS && r->rtt_us >= 0)
		buf_put(out, text, (size_t)(value_ms(text, r->rtt_us) - text));
	else if (f == FIELD_TRIES)
		buf_put_u64(out, r->tries);
	else if (f == FIELD_MESSAGE)
		put_message(out, r);
	else
		buf_putc(out, '-');
}

static void put_of_var(struct buf *out, const struct fields_var *var, enum field f,
		       const struct format_options *o)
{
	const struct varbind *v = var->v;

	if (f == FIELD_OBJECT)
		put_object(out, var, o->null);
	else if (f == FIELD_OID)
		put_oid(out, v->oid, v->noid);
	else if (f == FIELD_TYPE)
		buf_puts(out, var_type_name((enum var_type)v->type));
	else if (f == FIELD_VALUE)
		put_value(out, v, var->object, o->null);
	else if (f == FIELD_NAME && var->object)
		buf_puts(out, var->object->name);
	else if (f == FIELD_INDEX && var->object && var->used < v->noid)
		put_oid(out, v->oid + var->used, v->noid - var->used);
	else if (f == FIELD_LABEL && value_has_label(v))
		put_label(out, v->label, o->null);
	else
		buf_putc(out, '-');
}

static const struct fields_rows chosen = {.between = '\t',
					  .nothing = "-",
					  .end = "\n",
					  .of_record = put_of_record,
					  .of_var = put_of_var};

/* --- records ------------------------------------------------------------------------------ */

void text_front(struct buf *out, const struct record *r, const struct format_options *o)
{
	if (o->fields.count)
		fields_front(out, r, &chosen, o);
}

void text_rows(struct buf *out, const struct record *r, const struct format_options *o)
{
	if (o->fields.count) {
		fields_ahead(out, r, &chosen, o);
		return;
	}
	for (size_t i = 0; i < r->nvars; i++)
		put_row(out, r, &r->vars[i], o);
}

void text_rest(struct buf *out, const struct record *r, const struct format_options *o)
{
	if (o->fields.count)
		fields_rest(out, r, &chosen, o);
	else if (r->status != RECORD_OK || (!r->nvars && !r->ahead) || r->note)
		put_ending(out, r, o);
}

void text_record(struct buf *out, const struct record *r, const struct format_options *o)
{
	if (o->fields.count) {
		fields_record(out, r, &chosen, o);
		return;
	}
	text_rows(out, r, o);
	text_rest(out, r, o);
}

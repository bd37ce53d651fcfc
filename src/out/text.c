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
#include "out/text_hint.h"
#include "out/value.h"
#include "snmp/mib.h"

/* The same for an octet string, whose text must not look like our hex. */
static void put_shown_octets(struct buf *out, const uint8_t *p, size_t len)
{
	if (len >= 2 && p[0] == '0' && p[1] == 'x') {
		value_put_escaped(out, p, 1);
		p++;
		len--;
	}
	value_put_shown(out, p, len);
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
		       size_t len)
{
	struct buf raw = {0};

	if (object && object->bits)
		put_bits(out, object->bits, p, len);
	else if (object && object->hint && text_hint_octets(&raw, object->hint, p, len))
		put_shown_octets(out, raw.data, raw.len);
	else if (value_is_text(p, len))
		put_shown_octets(out, p, len);
	else
		put_hex(out, p, len);
	buf_free(&raw);
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
static void put_value(struct buf *out, const struct varbind *v, const struct mib_object *object)
{
	switch ((enum var_type)v->type) {
	case VAR_INTEGER:
		put_integer(out, object, v->value.i);
		return;
	case VAR_OCTETS:
		put_octets(out, object, v->value.octets.p, v->value.octets.len);
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

static void put_host(struct buf *out, const struct record *r)
{
	char address[ADDR_TEXT_MAX];

	if (r->host)
		value_put_shown(out, (const uint8_t *)r->host, strlen(r->host));
	else
		value_put_shown(out, (const uint8_t *)address, addr_text(&r->addr, address));
	buf_putc(out, '\t');
}

static void put_label(struct buf *out, const struct varbind *label)
{
	size_t used = 0;

	buf_puts(out, " [");
	put_value(out, label, mib_find(label->oid, label->noid, &used));
	buf_putc(out, ']');
}

static void put_row(struct buf *out, const struct record *r, const struct varbind *v)
{
	size_t used = 0;
	const struct mib_object *object = mib_find(v->oid, v->noid, &used);

	put_host(out, r);
	if (object) {
		buf_puts(out, object->name);
		if (used < v->noid)
			buf_putc(out, '.');
	}
	put_oid(out, v->oid + used, v->noid - used);
	if (value_has_label(v))
		put_label(out, v->label);
	buf_putc(out, '\t');
	buf_puts(out, var_type_name((enum var_type)v->type));
	buf_putc(out, '\t');
	put_value(out, v, object);
	buf_putc(out, '\n');
}

static void put_words(struct buf *out, const char *words)
{
	value_put_shown(out, (const uint8_t *)words, strlen(words));
}

static void put_ending(struct buf *out, const struct record *r)
{
	bool has_message = r->message && *r->message;

	put_host(out, r);
	buf_puts(out, "-\t");
	buf_puts(out, record_status_name(r->status));
	buf_putc(out, '\t');
	if (has_message)
		put_words(out, r->message);
	if (has_message && r->note)
		buf_puts(out, "; ");
	if (r->note)
		put_words(out, r->note);
	if (!has_message && !r->note)
		buf_putc(out, '-');
	buf_putc(out, '\n');
}

void text_rows(struct buf *out, const struct record *r)
{
	for (size_t i = 0; i < r->nvars; i++)
		put_row(out, r, &r->vars[i]);
}

void text_rest(struct buf *out, const struct record *r)
{
	if (r->status != RECORD_OK || (!r->nvars && !r->ahead) || r->note)
		put_ending(out, r);
}

void text_record(struct buf *out, const struct record *r)
{
	text_rows(out, r);
	text_rest(out, r);
}

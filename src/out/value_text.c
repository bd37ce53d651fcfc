/*
 * The values of devices as octets that a format may quote.
 *
 * The problem: a device sends octets and calls them text, and each format breaks on others of them: a
 * line end makes a second line of line protocol, which may then speak for another host; a quote ends a
 * label of Prometheus; an escape repaints the screen of who looks at the file. What a format can carry it
 * carries as it came; the rest comes as a substitute that is marked as one, so that no two values look
 * alike.
 *
 * The design: here a value becomes plain octets at the end of the buffer, and its form is told: number,
 * text, hex. What the format must guard (quotes, backslashes, commas) is guarded there in place, from the
 * end, so that no value is copied to a second buffer. Rejected: a table of 256 escapes for each format;
 * they differ in two or three octets.
 *
 * The trap: `text` is UTF-8 with tabs and line ends and no other control. Every format relies on it that
 * no NUL, no escape and no C1 control comes through as text.
 */
#include "out/value.h"

#include <string.h>

#include "base/oid.h"
#include "base/utf8.h"

void value_put_escaped(struct buf *out, const uint8_t *p, size_t len)
{
	char *at = (char *)buf_room(out, len * 4);
	char *start = at;

	for (size_t i = 0; i < len; i++) {
		*at++ = '\\';
		*at++ = 'x';
		at = value_hex(at, p + i, 1);
	}
	out->len += (size_t)(at - start);
}

/* The character at p, which is no plain one; returns its octets. */
static size_t put_special(struct buf *out, const uint8_t *p, size_t len)
{
	uint32_t code = 0;
	size_t n = utf8_decode(p, len, &code);
	bool shown = n && utf8_shown(code);

	if (code == '\\' && len > 1 && p[1] == 'x')
		shown = false;
	if (!n)
		n = 1;
	if (shown)
		buf_put(out, p, n);
	else
		value_put_escaped(out, p, n);
	return n;
}

void value_put_shown(struct buf *out, const uint8_t *p, size_t len)
{
	while (len) {
		size_t n = utf8_plain(p, len);

		if (n)
			buf_put(out, p, n);
		else
			n = put_special(out, p, len);
		p += n;
		len -= n;
	}
}

static bool is_raw(uint8_t c)
{
	return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
}

void value_put_raw(struct buf *out, const uint8_t *p, size_t len)
{
	while (len) {
		size_t n = 0;

		while (n < len && is_raw(p[n]))
			n++;
		buf_put(out, p, n);
		if (n < len)
			value_put_escaped(out, p + n++, 1);
		p += n;
		len -= n;
	}
}

bool value_is_text(const uint8_t *p, size_t len)
{
	while (len) {
		uint32_t code = 0;
		size_t n = utf8_plain(p, len);

		if (!n) {
			n = utf8_decode(p, len, &code);
			if (!n ||
			    (!utf8_shown(code) && code != '\t' && code != '\n' && code != '\r'))
				return false;
		}
		p += n;
		len -= n;
	}
	return true;
}

/* --- values ------------------------------------------------------------------------------- */

enum value_form value_put_octets(struct buf *out, const uint8_t *p, size_t len)
{
	if (value_is_text(p, len)) {
		buf_put(out, p, len);
		return VALUE_TEXT;
	}
	value_hex((char *)buf_room(out, len * 2), p, len);
	out->len += len * 2;
	return VALUE_HEX;
}

static enum value_form put_hex(struct buf *out, const struct varbind *v)
{
	size_t len = v->value.octets.len;

	value_hex((char *)buf_room(out, len * 2), v->value.octets.p, len);
	out->len += len * 2;
	return len ? VALUE_HEX : VALUE_TEXT;
}

static enum value_form put_address(struct buf *out, const struct varbind *v)
{
	char *start = (char *)buf_room(out, VALUE_MAX);

	if (v->value.octets.len != 4)
		return put_hex(out, v);
	out->len += (size_t)(value_ipv4(start, v->value.octets.p) - start);
	return VALUE_TEXT;
}

static enum value_form put_real(struct buf *out, const struct varbind *v)
{
	char *start = (char *)buf_room(out, VALUE_MAX);

	out->len += (size_t)(value_real(start, v->value.d, v->type == VAR_FLOAT) - start);
	return VALUE_REAL;
}

bool value_is_hex(const struct varbind *v)
{
	const uint8_t *p = v->value.octets.p;

	switch ((enum var_type)v->type) {
	case VAR_OCTETS:
		return !value_is_text(p, v->value.octets.len);
	case VAR_OPAQUE:
		return v->value.octets.len > 0;
	case VAR_IPADDRESS:
		return v->value.octets.len > 0 && v->value.octets.len != 4;
	default:
		return false;
	}
}

/* one line a type */
enum value_form value_put(struct buf *out, const struct varbind *v)
{
	switch ((enum var_type)v->type) {
	case VAR_INTEGER:
		buf_put_i64(out, v->value.i);
		return VALUE_NUMBER;
	case VAR_COUNTER32:
	case VAR_GAUGE32:
	case VAR_TIMETICKS:
	case VAR_COUNTER64:
		buf_put_u64(out, v->value.u);
		return VALUE_NUMBER;
	case VAR_FLOAT:
	case VAR_DOUBLE:
		return put_real(out, v);
	case VAR_OCTETS:
		return value_put_octets(out, v->value.octets.p, v->value.octets.len);
	case VAR_OPAQUE:
		return put_hex(out, v);
	case VAR_IPADDRESS:
		return put_address(out, v);
	case VAR_OID:
		value_put_oid(out, v->value.oid.id, v->value.oid.len);
		return VALUE_TEXT;
	case VAR_NULL:
	case VAR_NO_SUCH_OBJECT:
	case VAR_NO_SUCH_INSTANCE:
	case VAR_END_OF_MIB_VIEW:
	case VAR_TYPE_COUNT:
		break;
	}
	return VALUE_NOTHING;
}

void value_put_oid(struct buf *out, const uint32_t *id, size_t len)
{
	out->len += oid_text(id, len, (char *)buf_room(out, OID_TEXT_MAX));
}

enum value_form value_put_host(struct buf *out, const struct record *r)
{
	if (r->host)
		return value_put_octets(out, (const uint8_t *)r->host, strlen(r->host));
	out->len += addr_text(&r->addr, (char *)buf_room(out, ADDR_TEXT_MAX));
	return VALUE_TEXT;
}

bool value_has_label(const struct varbind *v)
{
	return v->label && v->label->type < VAR_NULL;
}

void value_guard(struct buf *out, size_t start, const char *special, char guard)
{
	size_t more = 0, from = out->len, to;

	for (size_t i = start; i < out->len; i++)
		more += out->data[i] && strchr(special, out->data[i]);
	buf_room(out, more);
	out->len += more;
	for (to = out->len; to > from;) {
		uint8_t c = out->data[--from];

		out->data[--to] = c;
		if (c && strchr(special, c))
			out->data[--to] = (uint8_t)guard;
	}
}

void value_insert(struct buf *out, size_t at, const char *text)
{
	size_t len = strlen(text);

	buf_room(out, len);
	memmove(out->data + at + len, out->data + at, out->len - at);
	memcpy(out->data + at, text, len);
	out->len += len;
}

bool value_escape(struct buf *out, size_t start, const char *special)
{
	size_t len = out->len - start;
	struct buf text = {0};
	bool found = false;

	for (size_t i = start; i < out->len && !found; i++)
		found = out->data[i] && strchr(special, out->data[i]);
	if (!found)
		return false;
	buf_put(&text, out->data + start, len);
	out->len = start;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = text.data[i];

		if (strchr(special, c) || (c == '\\' && i + 1 < len && text.data[i + 1] == 'x'))
			value_put_escaped(out, &c, 1);
		else
			buf_putc(out, (char)c);
	}
	buf_free(&text);
	return true;
}

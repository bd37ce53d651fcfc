/*
 * A record becomes one line of JSON.
 *
 * The problem: this runs in the workers for every record, 200,000 a second are wanted of two of them,
 * and together with the codec it is what they spend their time on. So room for the whole head, then for each
 * varbind, is made once, by the worst case (every octet escaped), and everything below writes through a
 * bare pointer; text that needs no escape, which is nearly all of it, is found eight octets at a
 * time and copied in one piece. Rejected: a JSON library or a tree of values, which allocate for
 * each node, and printf(3), which alone costs more than the record.
 *
 * The trap: the bounds. ESCAPE_MAX times the octets must hold for whatever a device sends; the test
 * sends the worst of each length, so that under the address sanitiser no end of a buffer is missed.
 */
#include "out/jsonl.h"

#include <math.h>
#include <string.h>

#include "base/oid.h"
#include "base/utc.h"
#include "base/utf8.h"
#include "out/value.h"
#include "snmp/mib.h"

#define ESCAPE_MAX 6   /* octets that one octet may become: \u0000 */
#define HEAD_MAX   512 /* of a line, its keys and numbers, without host */
#define VAR_MAX    224 /* of a varbind, its keys and numbers, without OIDs, name and octets */
#define SUB_ID_MAX 11  /* digits and dot of one sub-identifier */

#define WORDS(at, literal) words(at, literal, sizeof(literal) - 1)

static inline char *words(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

static char *put_unicode(char *at, uint32_t code)
{
	uint8_t octets[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	at = WORDS(at, "\\u");
	return value_hex(at, octets, sizeof(octets));
}

/* The character at *p, which is no plain one; moves *p behind it. */
static char *put_special(char *at, const uint8_t **p, const uint8_t *end)
{
	uint32_t code = 0;
	size_t n = utf8_decode(*p, (size_t)(end - *p), &code);

	if (!n) {
		at = WORDS(at, "\\\\x");
		at = value_hex(at, *p, 1);
		n = 1;
	} else if (!utf8_shown(code)) {
		at = put_unicode(at, code);
	} else {
		if (code == '"' || code == '\\')
			*at++ = '\\';
		memcpy(at, *p, n);
		at += n;
	}
	*p += n;
	return at;
}

/* Quoted; at most ESCAPE_MAX * len + 2 octets. */
static char *put_string(char *at, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;

	*at++ = '"';
	while (p < end) {
		size_t run = utf8_plain(p, (size_t)(end - p));

		at = words(at, (const char *)p, run);
		p += run;
		if (p < end)
			at = put_special(at, &p, end);
	}
	*at++ = '"';
	return at;
}

/* Quoted; *hex: as hexadecimal, since it is no text. */
static char *put_text(char *at, const struct varbind *v, bool *hex)
{
	const uint8_t *p = v->value.octets.p;
	size_t len = v->value.octets.len;

	*hex = false;
	if (v->type == VAR_OCTETS && utf8_valid(p, len))
		return put_string(at, p, len);
	*at++ = '"';
	if (v->type == VAR_IPADDRESS && len == 4) {
		at = value_ipv4(at, p);
	} else {
		*hex = len > 0;
		at = value_hex(at, p, len);
	}
	*at++ = '"';
	return at;
}

static char *put_octets(char *at, const struct varbind *v)
{
	bool hex;

	at = put_text(at, v, &hex);
	return hex ? WORDS(at, ",\"hex\":true") : at;
}

static char *put_real(char *at, const struct varbind *v)
{
	bool number = isfinite(v->value.d);

	if (!number)
		*at++ = '"';
	at = value_real(at, v->value.d, v->type == VAR_FLOAT);
	if (!number)
		*at++ = '"';
	return at;
}

static char *put_oid(char *at, const uint32_t *id, size_t len)
{
	*at++ = '"';
	at += oid_text(id, len, at);
	*at++ = '"';
	return at;
}

static char *put_value(char *at, const struct varbind *v)
{
	switch ((enum var_type)v->type) {
	case VAR_INTEGER:
		return value_i64(at, v->value.i);
	case VAR_OCTETS:
	case VAR_IPADDRESS:
	case VAR_OPAQUE:
		return put_octets(at, v);
	case VAR_OID:
		return put_oid(at, v->value.oid.id, v->value.oid.len);
	case VAR_COUNTER32:
	case VAR_GAUGE32:
	case VAR_TIMETICKS:
	case VAR_COUNTER64:
		return value_u64(at, v->value.u);
	case VAR_FLOAT:
	case VAR_DOUBLE:
		return put_real(at, v);
	case VAR_NULL:
	case VAR_NO_SUCH_OBJECT:
	case VAR_NO_SUCH_INSTANCE:
	case VAR_END_OF_MIB_VIEW:
	case VAR_TYPE_COUNT:
		break;
	}
	return WORDS(at, "null");
}

/* Octets beyond VAR_MAX that v may need. */
static size_t value_bound(const struct varbind *v)
{
	switch ((enum var_type)v->type) {
	case VAR_OCTETS:
	case VAR_IPADDRESS:
	case VAR_OPAQUE:
		return v->value.octets.len * ESCAPE_MAX;
	case VAR_OID:
		return v->value.oid.len * SUB_ID_MAX;
	default:
		return 0;
	}
}

static char *put_name(char *at, const struct mib_object *object)
{
	at = WORDS(at, ",\"name\":");
	if (!object)
		return WORDS(at, "null");
	return put_string(at, (const uint8_t *)object->name, strlen(object->name));
}

static char *put_index(char *at, const struct varbind *v, const struct mib_object *object,
		       size_t used)
{
	at = WORDS(at, ",\"index\":");
	if (!object)
		return WORDS(at, "null");
	return put_oid(at, v->oid + used, v->noid - used);
}

static char *put_type(char *at, const struct varbind *v)
{
	const char *type = var_type_name((enum var_type)v->type);

	at = WORDS(at, ",\"type\":\"");
	at = words(at, type, strlen(type));
	*at++ = '"';
	return at;
}

/* Always a string, whatever the type. */
static char *put_label(char *at, const struct varbind *label)
{
	bool hex;

	at = WORDS(at, ",\"label\":");
	switch ((enum var_type)label->type) {
	case VAR_OCTETS:
	case VAR_IPADDRESS:
	case VAR_OPAQUE:
		at = put_text(at, label, &hex);
		return hex ? WORDS(at, ",\"label_hex\":true") : at;
	case VAR_OID:
		return put_value(at, label);
	default:
		*at++ = '"';
		if (label->type == VAR_FLOAT || label->type == VAR_DOUBLE)
			at = value_real(at, label->value.d, label->type == VAR_FLOAT);
		else
			at = put_value(at, label);
		*at++ = '"';
		return at;
	}
}

/* Each key has its comma before it; that of an object's first one becomes its brace. */
static void put_var(struct buf *out, const struct varbind *v, uint32_t has)
{
	size_t used = 0;
	const struct mib_object *object = (has & (FIELD(NAME) | FIELD(INDEX)))
						  ? mib_find(v->oid, v->noid, &used)
						  : NULL;
	size_t name = object ? strlen(object->name) * ESCAPE_MAX : 0;
	size_t oids = (size_t)v->noid * SUB_ID_MAX * 2;
	size_t label = value_has_label(v) ? value_bound(v->label) : 0;
	char *start = (char *)buf_room(out, VAR_MAX + name + oids + label + value_bound(v));
	char *at = start;

	if (has & FIELD(OID))
		at = put_oid(WORDS(at, ",\"oid\":"), v->oid, v->noid);
	if (has & FIELD(NAME))
		at = put_name(at, object);
	if (has & FIELD(INDEX))
		at = put_index(at, v, object, used);
	if (has & FIELD(LABEL) && value_has_label(v))
		at = put_label(at, v->label);
	if (has & FIELD(TYPE))
		at = put_type(at, v);
	if (has & FIELD(VALUE))
		at = put_value(WORDS(at, ",\"value\":"), v);
	if (at == start) /* a label is all that is asked for, and there is none */
		at++;
	*start = '{';
	*at++ = '}';
	out->len += (size_t)(at - start);
}

static char *put_host(char *at, const struct record *r)
{
	char address[ADDR_TEXT_MAX];

	if (r->host)
		return put_string(at, (const uint8_t *)r->host, strlen(r->host));
	return put_string(at, (const uint8_t *)address, addr_text(&r->addr, address));
}

static char *put_address(char *at, const struct addr *a)
{
	if (!a->family)
		return WORDS(at, "null");
	*at++ = '"';
	at += addr_text_port(a, at);
	*at++ = '"';
	return at;
}

static uint32_t keys_of(const struct format_options *o)
{
	return o->fields.count ? o->fields.has : FIELDS_ALL;
}

static char *put_time(char *at, const struct record *r)
{
	at = utc_put(WORDS(at, ",\"time\":\""), r->time_ms);
	*at++ = '"';
	return at;
}

static char *put_status(char *at, const struct record *r)
{
	const char *status = record_status_name(r->status);

	at = WORDS(at, ",\"status\":\"");
	at = words(at, status, strlen(status));
	*at++ = '"';
	return at;
}

static char *put_rtt(char *at, const struct record *r)
{
	at = WORDS(at, ",\"rtt_ms\":");
	return r->rtt_us < 0 ? WORDS(at, "null") : value_ms(at, r->rtt_us);
}

/* All before the variables, with the brace. */
void jsonl_front(struct buf *out, const struct record *r, const struct format_options *o)
{
	size_t host = r->host ? strlen(r->host) : ADDR_TEXT_MAX;
	char *start = (char *)buf_room(out, HEAD_MAX + host * ESCAPE_MAX);
	char *at = start;
	uint32_t has = keys_of(o);

	if (has & FIELD(HOST))
		at = put_host(WORDS(at, ",\"host\":"), r);
	if (has & FIELD(ADDRESS))
		at = put_address(WORDS(at, ",\"address\":"), &r->addr);
	if (has & FIELD(TIME))
		at = put_time(at, r);
	if (has & FIELD(STATUS))
		at = put_status(at, r);
	if (has & FIELD(RTT_MS))
		at = put_rtt(at, r);
	if (has & FIELD(TRIES))
		at = value_u64(WORDS(at, ",\"tries\":"), r->tries);
	if (has & FIELDS_OF_VAR)
		at = WORDS(at, ",\"vars\":[");
	if (at == start)
		at++;
	*start = '{';
	out->len += (size_t)(at - start);
}

void jsonl_rows(struct buf *out, const struct record *r, const struct format_options *o)
{
	uint32_t has = keys_of(o);

	if (!(has & FIELDS_OF_VAR))
		return;
	for (size_t i = 0; i < r->nvars; i++) {
		if (i || r->ahead)
			buf_putc(out, ',');
		put_var(out, &r->vars[i], has);
	}
}

/* key with its comma, quotes and colon, at most VAR_MAX octets of it. */
static void put_words(struct buf *out, const char *key, const char *text)
{
	size_t len = strlen(text), key_len = strlen(key);
	char *start = (char *)buf_room(out, len * ESCAPE_MAX + VAR_MAX);
	char *at = words(start, key, key_len);

	at = put_string(at, (const uint8_t *)text, len);
	out->len += (size_t)(at - start);
}

/* What is only there if there is something to say. */
static void put_message(struct buf *out, const struct record *r)
{
	if (r->note)
		put_words(out, ",\"note\":", r->note);
	if (r->status != RECORD_OK)
		put_words(out,
			  ",\"message\":", r->message ? r->message : record_status_name(r->status));
}

void jsonl_rest(struct buf *out, const struct record *r, const struct format_options *o)
{
	uint32_t has = keys_of(o);
	size_t start = out->len;

	if (has & FIELDS_OF_VAR)
		buf_putc(out, ']');
	if (has & FIELD(MESSAGE))
		put_message(out, r);
	if (has == FIELD(MESSAGE) && out->len > start) /* it is the first key: no comma */
		memmove(out->data + start, out->data + start + 1, --out->len - start);
	buf_putc(out, '}');
	buf_putc(out, o->null ? '\0' : '\n');
}

void jsonl_record(struct buf *out, const struct record *r, const struct format_options *o)
{
	jsonl_front(out, r, o);
	jsonl_rows(out, r, o);
	jsonl_rest(out, r, o);
}

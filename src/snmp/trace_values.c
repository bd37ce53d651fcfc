/*
 * Varbinds in words.
 *
 * Read with the bounded reader and nothing else: here is also what the codec would refuse, and that is when people
 * look. So what does not fit its type is shown as octets, and what is cut off ends the list.
 */
#include "snmp/trace.h"

#include <string.h>

#include "base/oid.h"
#include "base/vars.h"
#include "out/value.h"
#include "snmp/mib.h"

#define VALUE_SHOWN 160 /* octets of a value */
#define HEX_SHOWN   64

/* False: not an OID that BER can carry. */
static bool read_oid(const struct ber *in, struct oid *out)
{
	uint64_t sub = 0;

	out->len = 0;
	for (const uint8_t *at = in->at; at < in->end; at++) {
		sub = sub << 7 | (*at & 0x7f);
		if (sub > (uint64_t)UINT32_MAX + 80 || out->len >= OID_MAX - 1)
			return false;
		if (*at & 0x80)
			continue;
		if (out->len == 0) {
			uint32_t first = sub < 80 ? (uint32_t)sub / 40 : 2;

			out->id[out->len++] = first;
			sub -= (uint64_t)first * 40;
		}
		out->id[out->len++] = (uint32_t)sub;
		sub = 0;
	}
	return out->len > 0 && !(in->end[-1] & 0x80);
}

/* What a Report names (RFC 3414 §5, RFC 3413 §5), which is in no table of names. */
static const char *report_name(const struct oid *o)
{
	static const struct {
		uint32_t id[4]; /* below snmpModules */
		const char *name;
	} names[] = {{{15, 1, 1, 1}, "usmStatsUnsupportedSecLevels"},
		     {{15, 1, 1, 2}, "usmStatsNotInTimeWindows"},
		     {{15, 1, 1, 3}, "usmStatsUnknownUserNames"},
		     {{15, 1, 1, 4}, "usmStatsUnknownEngineIDs"},
		     {{15, 1, 1, 5}, "usmStatsWrongDigests"},
		     {{15, 1, 1, 6}, "usmStatsDecryptionErrors"},
		     {{12, 1, 4, 0}, "snmpUnavailableContexts"},
		     {{12, 1, 5, 0}, "snmpUnknownContexts"}};
	static const uint32_t modules[] = {1, 3, 6, 1, 6, 3};

	if (o->len < 10 || memcmp(o->id, modules, sizeof(modules)) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (memcmp(o->id + 6, names[i].id, sizeof(names[i].id)) == 0)
			return names[i].name;
	return NULL;
}

static void put_name(struct buf *out, const struct oid *o)
{
	char text[OID_TEXT_MAX];
	size_t used = 0;
	const struct mib_object *object = mib_find(o->id, o->len, &used);
	const char *report = report_name(o);

	if (report) {
		buf_puts(out, report);
		return;
	}
	if (object)
		buf_printf(out, "%s%s", object->name, used < o->len ? "." : "");
	else
		used = 0;
	buf_put(out, text, oid_text(o->id + used, o->len - used, text));
}

static void put_hex(struct buf *out, const struct ber *in)
{
	size_t len = ber_left(in), shown = len < HEX_SHOWN ? len : HEX_SHOWN;
	char hex[2 * HEX_SHOWN];

	buf_puts(out, "0x");
	buf_put(out, hex, (size_t)(value_hex(hex, in->at, shown) - hex));
	if (shown < len)
		buf_printf(out, "... (%zu octets)", len);
}

static void put_octets(struct buf *out, const struct ber *in)
{
	size_t len = ber_left(in), shown = len < VALUE_SHOWN ? len : VALUE_SHOWN;

	if (!value_is_text(in->at, len)) {
		put_hex(out, in);
		return;
	}
	buf_putc(out, '"');
	value_put_shown(out, in->at, shown);
	buf_putc(out, '"');
	if (shown < len)
		buf_printf(out, "... (%zu octets)", len);
}

static void put_number(struct buf *out, const struct ber *in, bool is_signed)
{
	size_t len = ber_left(in);
	uint64_t v = is_signed && len && *in->at & 0x80 ? UINT64_MAX : 0;

	if (len == 0 || len > (is_signed ? 8 : 9)) {
		put_hex(out, in);
		return;
	}
	for (const uint8_t *at = in->at; at < in->end; at++)
		v = v << 8 | *at;
	if (is_signed)
		buf_put_i64(out, (int64_t)v);
	else
		buf_put_u64(out, v);
}

static void put_ip(struct buf *out, const struct ber *in)
{
	char text[VALUE_MAX];

	if (ber_left(in) != 4)
		put_hex(out, in);
	else
		buf_put(out, text, (size_t)(value_ipv4(text, in->at) - text));
}

static void put_oid(struct buf *out, const struct ber *in)
{
	struct oid oid;

	if (read_oid(in, &oid))
		put_name(out, &oid);
	else
		put_hex(out, in);
}

/* The names that records have (base/vars.h). */
static const char *type_name(uint8_t tag)
{
	static const struct {
		uint8_t tag;
		enum var_type type;
	} types[] = {{BER_INTEGER, VAR_INTEGER},
		     {BER_OCTETS, VAR_OCTETS},
		     {BER_NULL, VAR_NULL},
		     {BER_OID, VAR_OID},
		     {BER_IPADDRESS, VAR_IPADDRESS},
		     {BER_COUNTER32, VAR_COUNTER32},
		     {BER_GAUGE32, VAR_GAUGE32},
		     {BER_UINTEGER32, VAR_GAUGE32},
		     {BER_TIMETICKS, VAR_TIMETICKS},
		     {BER_OPAQUE, VAR_OPAQUE},
		     {BER_COUNTER64, VAR_COUNTER64},
		     {BER_NO_SUCH_OBJECT, VAR_NO_SUCH_OBJECT},
		     {BER_NO_SUCH_INSTANCE, VAR_NO_SUCH_INSTANCE},
		     {BER_END_OF_MIB_VIEW, VAR_END_OF_MIB_VIEW}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].tag == tag)
			return var_type_name(types[i].type);
	return NULL;
}

static void put_value(struct buf *out, uint8_t tag, const struct ber *in)
{
	const char *name = type_name(tag);

	if (name)
		buf_printf(out, " = %s", name);
	else
		buf_printf(out, " = type 0x%02x", tag);
	if (ber_left(in) == 0 && tag != BER_OCTETS && tag != BER_INTEGER)
		return;
	buf_putc(out, ' ');
	switch (tag) {
	case BER_INTEGER:
		put_number(out, in, true);
		break;
	case BER_COUNTER32:
	case BER_GAUGE32:
	case BER_UINTEGER32:
	case BER_TIMETICKS:
	case BER_COUNTER64:
		put_number(out, in, false);
		break;
	case BER_OCTETS:
		put_octets(out, in);
		break;
	case BER_OID:
		put_oid(out, in);
		break;
	case BER_IPADDRESS:
		put_ip(out, in);
		break;
	default:
		put_hex(out, in);
	}
}

static bool put_varbind(struct buf *out, struct ber *list, bool values)
{
	struct ber varbind, name, value;
	uint8_t tag;
	size_t len;

	if (!ber_enter(list, BER_SEQUENCE, "a varbind is no SEQUENCE", &varbind))
		return false;
	if (!ber_enter(&varbind, BER_OID, "a varbind has no name", &name) ||
	    !ber_header(&varbind, &tag, &len))
		return ber_fail(list, varbind.words);
	if (len > ber_left(&varbind))
		return ber_fail(list, "a value is cut off, or its length is wrong");
	put_oid(out, &name);
	value = (struct ber){.at = varbind.at, .end = varbind.at + len};
	if (values || tag != BER_NULL)
		put_value(out, tag, &value);
	return true;
}

void trace_put_varbinds(struct buf *out, struct ber *list, bool values)
{
	size_t start = out->len;

	buf_puts(out, " {");
	while (list->at < list->end && !list->words && out->len < TRACE_LINE_MAX) {
		if (out->len > start + 2)
			buf_puts(out, "; ");
		put_varbind(out, list, values);
	}
	if (list->words)
		buf_printf(out, " (%s)", list->words);
	else if (list->at < list->end)
		buf_puts(out, "; ...");
	buf_putc(out, '}');
}

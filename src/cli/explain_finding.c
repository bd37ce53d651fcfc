/*
 * A poll's outcome on its way from the worker that saw it to --explain, which draws conclusions.
 *
 * The problem: the master, in whose process --explain runs, reads no octet of the network, and a record's message is
 * for people. The design: one more format, which nobody can name on the command line. Its octets are packed by
 * the worker and read back here, bounded like anything that a worker says; rows come as the text format shows
 * them, cut.
 *
 * The trap: the master wants a record to end with a newline, and formats those itself that no worker saw: they have
 * neither cause nor addresses.
 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/vars.h"
#include "cli/explain_internal.h"
#include "out/text.h"

#define ROWS_SHOWN     5
#define LINE_SHOWN     200 /* octets */
#define PACKED_MAX     4096
#define VARBIND_OCTETS 10 /* of tags and lengths */

static bool is_missing(const struct varbind *v)
{
	return v->type == VAR_NO_SUCH_OBJECT || v->type == VAR_NO_SUCH_INSTANCE;
}

/* As much of a line as is shown, whole characters. */
static size_t cut(const uint8_t *line, size_t len)
{
	size_t at = 0;
	uint32_t code;

	while (at < len && at < LINE_SHOWN) {
		size_t n = utf8_decode(line + at, len - at, &code);

		at += n ? n : 1;
	}
	return at;
}

/* Rows that are missing, or those that are not, as text has them without the host. */
static size_t put_rows(struct buf *out, const struct record *r, bool missing, size_t shown)
{
	static const struct format_options as_ever;
	struct buf text = {0};

	for (size_t i = 0; i < r->nvars && shown < ROWS_SHOWN; i++) {
		struct record one = {.host = "-", .rtt_us = -1, .vars = &r->vars[i], .nvars = 1};
		size_t len;

		if (is_missing(&r->vars[i]) != missing)
			continue;
		text.len = 0;
		text_record(&text, &one, &as_ever);
		len = cut(text.data + 2, text.len - 3);
		buf_put(out, text.data + 2, len);
		buf_puts(out, len < text.len - 3 ? "…\n" : "\n");
		shown++;
	}
	buf_free(&text);
	return shown;
}

static uint32_t octets_of(const struct record *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->nvars; i++) {
		const struct varbind *v = &r->vars[i];
		bool octets = v->type == VAR_OCTETS || v->type == VAR_OPAQUE;

		sum += v->noid + (octets ? v->value.octets.len : 4) + VARBIND_OCTETS;
	}
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* Counterpart: unpack_addresses(). */
static void pack_addresses(const struct record *r, struct wire_out *w)
{
	uint8_t n = r->addrs ? r->naddrs : 0;

	wire_put_u8(w, r->addr.family ? 1 : 0);
	if (r->addr.family)
		addr_pack(&r->addr, w);
	wire_put_u8(w, n);
	wire_put_u8(w, n ? r->asked : 0);
	for (uint8_t i = 0; i < n; i++) {
		addr_pack(&r->addrs[i], w);
		wire_put_u8(w, i + 1 < r->asked ? r->verdicts[i] : (uint8_t)r->status);
	}
}

/* Counterpart: unpack_cause(). */
static void pack_cause(const struct record *r, struct wire_out *w)
{
	struct cause none = {0};
	const struct cause *c = r->cause ? r->cause : &none;

	wire_put_u8(w, (uint8_t)c->kind);
	wire_put_u64(w, (uint64_t)c->number);
	wire_put_u8(w, c->from.family ? 1 : 0);
	if (c->from.family)
		addr_pack(&c->from, w);
}

static void put_text(struct wire_out *w, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	wire_put_str(w, text, (uint16_t)(len < FINDING_TEXT_MAX ? len : FINDING_TEXT_MAX - 1));
}

/* Counterpart: finding_unpack(). */
static void finding_pack(struct buf *out, const struct record *r, const struct format_options *o)
{
	uint8_t packed[PACKED_MAX];
	struct wire_out w = {.at = packed, .end = packed + sizeof(packed)};
	struct buf rows = {0};
	uint64_t missing = 0;

	(void)o; /* it is for what people read */
	for (size_t i = 0; i < r->nvars; i++)
		missing += is_missing(&r->vars[i]);
	put_rows(&rows, r, false, put_rows(&rows, r, true, 0));
	wire_put_u8(&w, (uint8_t)r->status);
	pack_cause(r, &w);
	wire_put_u64(&w, (uint64_t)r->rtt_us);
	wire_put_u32(&w, r->tries);
	pack_addresses(r, &w);
	wire_put_str(&w, r->engine_id, r->engine_id_len);
	wire_put_u64(&w, r->ahead + r->nvars);
	wire_put_u64(&w, missing);
	wire_put_u32(&w, octets_of(r));
	put_text(&w, r->message);
	wire_put_str(&w, rows.data, (uint16_t)(rows.len < FINDING_ROWS_MAX ? rows.len : 0));
	buf_free(&rows);
	buf_put(out, packed, (size_t)(w.at - packed));
	buf_putc(out, '\n');
}

static bool unpack_addresses(struct finding *f, struct wire_in *r)
{
	if (wire_get_u8(r) && !addr_unpack(&f->addr, r))
		return false;
	f->naddrs = wire_get_u8(r);
	f->asked = wire_get_u8(r);
	if (f->naddrs > TASK_ADDRS_MAX || f->asked > f->naddrs)
		return false;
	for (uint8_t i = 0; i < f->naddrs; i++) {
		if (!addr_unpack(&f->addrs[i], r))
			return false;
		f->verdicts[i] = wire_get_u8(r);
		if (f->verdicts[i] >= RECORD_STATUS_COUNT)
			return false;
	}
	return true;
}

static bool unpack_cause(struct cause *c, struct wire_in *r)
{
	c->kind = (enum cause_kind)wire_get_u8(r);
	c->number = (int64_t)wire_get_u64(r);
	return c->kind < CAUSE_COUNT && (!wire_get_u8(r) || addr_unpack(&c->from, r));
}

static bool get_text(struct wire_in *r, char *out, size_t room)
{
	uint16_t len;
	const uint8_t *text = wire_get_str(r, &len);

	if (r->bad || len >= room)
		return false;
	if (len)
		memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool get_engine_id(struct finding *f, struct wire_in *r)
{
	uint16_t len;
	const uint8_t *id = wire_get_str(r, &len);

	if (r->bad || len > ENGINE_ID_MAX)
		return false;
	if (len)
		memcpy(f->engine_id, id, len);
	f->engine_id_len = (uint8_t)len;
	return true;
}

bool finding_unpack(struct finding *f, const uint8_t *data, size_t len)
{
	struct wire_in r = {.at = data, .end = data + len};
	unsigned status = wire_get_u8(&r);

	*f = (struct finding){.status = (enum record_status)status};
	if (status >= RECORD_STATUS_COUNT || !unpack_cause(&f->cause, &r))
		return false;
	f->rtt_us = (int64_t)wire_get_u64(&r);
	f->tries = wire_get_u32(&r);
	if (!unpack_addresses(f, &r) || !get_engine_id(f, &r))
		return false;
	f->nvars = wire_get_u64(&r);
	f->missing = wire_get_u64(&r);
	f->octets = wire_get_u32(&r);
	return get_text(&r, f->message, sizeof(f->message)) &&
	       get_text(&r, f->rows, sizeof(f->rows)) && !r.bad;
}

/* Of a large record the first rows are gone when the last ones come; their number is known. */
static void no_rows(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)out, (void)r, (void)o;
}

const struct format finding_format = {
	.name = "finding", .record = finding_pack, .rows = no_rows, .rest = finding_pack};

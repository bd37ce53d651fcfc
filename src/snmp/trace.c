/*
 * Messages in words: a line a datagram.
 *
 *   2026-11-21T20:48:19.123Z 4711 -> 127.0.0.2:161 [core-1] 43 octets: SNMPv2c community *** GET id 17 {sysDescr.0}
 *
 * The problem: who debugs wants all, strangers send anything, secrets stand in the clear in half of it, and it
 * all happens in several processes at once. The design: the line is made before the message is worked on, since that
 * decrypts in place and blanks the digest; a copy is decrypted here, with the keys of whom it seems to be from. What
 * became of it comes last. It is written in one go, and cut to what a pipe takes whole.
 *
 * Masked are the community, the digest and the salt, whatever is in them. Nothing is shown raw: an octet dump of a
 * message that cannot be read may hold a community, so there is none.
 *
 * The trap: what is encrypted for others decrypts to noise with our keys; so what comes of it counts only if it looks
 * like a scopedPDU.
 */
#include "snmp/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/utc.h"
#include "base/utf8.h"
#include "out/value.h"
#include "snmp/pdu.h"
#include "snmp/peek.h"
#include "snmp/usm.h"

#define FATE_MAX 200
#define HOST_MAX 80 /* octets of a host shown */

struct trace {
	struct buf line;
	struct buf copy; /* of a message that is to be decrypted */
	char fate[FATE_MAX];
	int pid;
};

struct trace *trace_new(void)
{
	struct trace *t = mem_zero(1, sizeof(*t));

	t->pid = (int)getpid();
	return t;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	buf_free(&t->line);
	buf_free(&t->copy);
	free(t);
}

/* ---- a PDU */

static const char *const pdu_names[] = {"GET",     "GETNEXT", "RESPONSE", "SET",   "TRAP-V1",
					"GETBULK", "INFORM",  "TRAP",     "REPORT"};
#define PDU_FIRST  0xa0
#define PDU_NAMES  (sizeof(pdu_names) / sizeof(pdu_names[0]))
#define TYPE_TRAP1 0xa4 /* of another form: RFC 1157 §4.1.6 */

static void put_type(struct buf *out, uint8_t type)
{
	if (type >= PDU_FIRST && type < PDU_FIRST + PDU_NAMES)
		buf_printf(out, " %s", pdu_names[type - PDU_FIRST]);
	else
		buf_printf(out, " PDU of type 0x%02x", type);
}

static void put_numbers(struct buf *out, uint8_t type, int64_t first, int64_t second)
{
	const char *name;

	if (type == PDU_GET_BULK) {
		buf_printf(out, " non-repeaters %lld max-repetitions %lld", (long long)first,
			   (long long)second);
		return;
	}
	if (type != PDU_RESPONSE && first == 0 && second == 0)
		return;
	name = pdu_error_name(first);
	buf_printf(out, " error-status %lld", (long long)first);
	if (name && first)
		buf_printf(out, " (%s)", name);
	buf_printf(out, " error-index %lld", (long long)second);
}

static void put_pdu(struct buf *out, struct ber *b)
{
	int64_t id, first, second;
	struct ber in, list;
	uint8_t type;
	size_t len;

	if (!ber_header(b, &type, &len))
		return;
	put_type(out, type);
	in = (struct ber){.at = b->at, .end = len < ber_left(b) ? b->at + len : b->end};
	if (type == TYPE_TRAP1)
		return;
	if (!ber_integer(&in, &id) || !ber_integer(&in, &first) || !ber_integer(&in, &second)) {
		buf_printf(out, " (%s)", in.words);
		return;
	}
	buf_printf(out, " id %lld", (long long)id);
	put_numbers(out, type, first, second);
	if (ber_enter(&in, BER_SEQUENCE, "there is no list of varbinds", &list))
		trace_put_varbinds(out, &list, type == PDU_RESPONSE || type == PDU_REPORT);
	else
		buf_printf(out, " (%s)", in.words);
}

/* ---- v1, v2c */

static void put_community(struct buf *out, const struct trace_datagram *d)
{
	struct ber b = {.at = d->data, .end = d->data + d->len}, community;
	int64_t version = -1;
	uint8_t tag;
	size_t len;

	if (!ber_header(&b, &tag, &len) || !ber_integer(&b, &version) ||
	    !ber_enter(&b, BER_OCTETS, "it has no community", &community)) {
		buf_printf(out, " (%s)", b.words);
		return;
	}
	buf_puts(out, " community ***");
	put_pdu(out, &b);
}

static void put_version(struct buf *out, int64_t version)
{
	if (version == SNMP_V1 || version == SNMP_V2C)
		buf_puts(out, version == SNMP_V1 ? "SNMPv1" : "SNMPv2c");
	else
		buf_printf(out, "version %lld", (long long)version);
}

/* ---- v3 */

static void put_hex(struct buf *out, const uint8_t *p, size_t len)
{
	char hex[2 * ENGINE_ID_MAX];
	size_t shown = len < ENGINE_ID_MAX ? len : ENGINE_ID_MAX;

	buf_put(out, hex, (size_t)(value_hex(hex, p, shown) - hex));
	buf_puts(out, len == 0 ? "none" : shown < len ? "..." : "");
}

static void put_head(struct buf *out, const struct peek_v3 *h)
{
	buf_printf(out, " msgID %u %s%s", (unsigned)h->msg_id,
		   h->flags & PEEK_PRIV   ? "authPriv"
		   : h->flags & PEEK_AUTH ? "authNoPriv"
					  : "noAuthNoPriv",
		   h->flags & 4 ? " reportable" : "");
	if (h->model != PEEK_USM) {
		buf_puts(out, " TSM");
		return;
	}
	buf_puts(out, " engine ");
	put_hex(out, h->engine_id, h->engine_id_len);
	buf_printf(out, " boots %lld time %lld user \"", (long long)h->boots, (long long)h->time_s);
	value_put_shown(out, h->user, h->user_len < 32 ? h->user_len : 32);
	buf_printf(out, "\"%s%s", h->digest_len ? " digest ***" : "",
		   h->salt_len ? " salt ***" : "");
}

/* Decrypts a copy. False: with these keys it is none. */
static bool decrypt(struct trace *t, const struct trace_datagram *d, const struct peek_v3 *h,
		    struct ber *scoped)
{
	struct usm_message m = {
		.len = h->len, .boots = (uint32_t)h->boots, .time_s = (uint32_t)h->time_s};
	struct ber b;

	if (!d->credential || !d->keys || !d->keys->keyed)
		return false;
	t->copy.len = 0;
	buf_put(&t->copy, d->data, d->len);
	m.octets = t->copy.data;
	m.salt = t->copy.data + (h->salt - d->data);
	m.salt_len = h->salt_len;
	m.data = t->copy.data + (h->data - d->data);
	m.data_len = h->data_len;
	if (!usm_decrypt(d->credential, d->keys, &m))
		return false;
	b = (struct ber){.at = m.data, .end = m.data + m.data_len};
	return ber_enter(&b, BER_SEQUENCE, "", scoped);
}

static void put_scoped(struct buf *out, struct ber *b)
{
	struct ber engine, context;

	if (!ber_enter(b, BER_OCTETS, "it has no contextEngineID", &engine) ||
	    !ber_enter(b, BER_OCTETS, "it has no contextName", &context)) {
		buf_printf(out, " (%s)", b->words);
		return;
	}
	if (ber_left(&context)) {
		buf_puts(out, " context \"");
		value_put_shown(out, context.at, ber_left(&context) < 32 ? ber_left(&context) : 32);
		buf_putc(out, '"');
	}
	put_pdu(out, b);
}

static void put_v3(struct trace *t, const struct trace_datagram *d)
{
	struct ber scoped;
	struct peek_v3 h;
	const char *words;

	buf_puts(&t->line, "SNMPv3");
	if (!peek_v3(d->data, d->len, &h, &words)) {
		buf_printf(&t->line, " (%s)", words);
		return;
	}
	if (!h.whole) {
		buf_printf(&t->line, " msgID %u (%s)", (unsigned)h.msg_id, words);
		return;
	}
	put_head(&t->line, &h);
	scoped = (struct ber){.at = h.data, .end = h.data + h.data_len};
	if (h.model == PEEK_USM && h.flags & PEEK_PRIV) {
		if (!decrypt(t, d, &h, &scoped)) {
			buf_printf(&t->line, " encrypted, %zu octets", h.data_len);
			return;
		}
		buf_puts(&t->line, " decrypted:");
	}
	put_scoped(&t->line, &scoped);
}

/* ---- the line */

static void put_message(struct trace *t, const struct trace_datagram *d)
{
	struct peek head;
	const char *words;
	bool good = peek_message(d->data, d->len, &head, &words);

	buf_printf(&t->line, " %zu octets: ", d->len);
	if (head.version == SNMP_V3) {
		put_v3(t, d);
	} else if (!good && head.version == -1) {
		buf_printf(&t->line, "no message (%s)", words);
	} else {
		put_version(&t->line, head.version);
		put_community(&t->line, d);
	}
}

void trace_begin(struct trace *t, const struct trace_datagram *d)
{
	static const char *const arrows[] = {"->", "<-", "!!"};
	char address[ADDR_TEXT_MAX], text[UTC_MAX];

	t->line.len = 0;
	t->fate[0] = '\0';
	buf_put(&t->line, text, (size_t)(utc_put(text, loop_wall_ms()) - text));
	addr_text_port(d->peer, address);
	buf_printf(&t->line, " %d %s %s", t->pid, arrows[d->way], address);
	if (d->host && strcmp(d->host, address) != 0) {
		size_t len = strlen(d->host);

		buf_puts(&t->line, " [");
		value_put_shown(&t->line, (const uint8_t *)d->host,
				len < HOST_MAX ? len : HOST_MAX);
		buf_putc(&t->line, ']');
	}
	if (d->way != TRACE_REFUSED)
		put_message(t, d);
}

void trace_fate(struct trace *t, const char *what, const char *words)
{
	snprintf(t->fate, sizeof(t->fate), "%s%s%s", what, *words ? ": " : "", words);
}

/* Whole characters only. */
static void cut(struct buf *line, size_t most)
{
	if (line->len <= most)
		return;
	line->len = most;
	while (line->len && (line->data[line->len] & 0xc0) == 0x80)
		line->len--;
	buf_puts(line, "...");
}

void trace_end(struct trace *t)
{
	cut(&t->line, TRACE_LINE_MAX - FATE_MAX);
	if (t->fate[0]) {
		utf8_make_shown(t->fate);
		buf_printf(&t->line, " | %s", t->fate);
	}
	buf_putc(&t->line, '\n');
	log_lines(LOG_LEVEL_DEBUG, (const char *)t->line.data, t->line.len);
}

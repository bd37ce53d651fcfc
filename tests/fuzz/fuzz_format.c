/*
 * Values of devices into every format: names, indices, enumerations, BITS, display hints; whole records, and records
 * in pieces.
 *
 * An input is a record: its head, then varbinds, whose names begin as known objects do. The last octets are a
 * DISPLAY-HINT, as a MIB file may have it, and what it is for.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/vars.h"
#include "out/text_hint.h"
#include "record.h"
#include "snmp/mib.h"

#define ROWS_MAX 40

/* With each kind of syntax: text, MAC addresses, dates, enumerations, BITS, tables with several indices. */
static const char *const known[] = {
	"sysDescr",
	"sysObjectID",
	"sysUpTime",
	"ifDescr",
	"ifType",
	"ifPhysAddress",
	"ifAdminStatus",
	"ifHCInOctets",
	"ipNetToMediaType",
	"ipAddressOrigin",
	"hrSystemDate",
	"hrSWRunType",
	"tcpConnectionState",
	"hrPrinterDetectedErrorState",
	"snmpEngineID",
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

/* Looked up once: by its name, an object takes longer to be found than all else here. */
static const struct oid *object(unsigned which)
{
	static struct oid found[KNOWN];
	char error[200];

	if (!found[which].len)
		FUZZ_CHECK(mib_resolve(known[which], &found[which], error, sizeof(error)));
	return &found[which];
}

static void read_name(struct input *in, struct oid *o)
{
	uint8_t which = input_u8(in);
	unsigned more = input_u8(in) % 24;

	*o = (struct oid){.id = {1, 3}, .len = 2};
	if (which < KNOWN)
		*o = *object(which);
	while (more-- > 0 && o->len < OID_MAX)
		o->id[o->len++] = which & 0x80 ? input_u32(in) : input_u8(in);
}

static double read_double(struct input *in)
{
	uint64_t bits = (uint64_t)input_u32(in) << 32 | input_u32(in);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static float read_float(struct input *in)
{
	uint32_t bits = input_u32(in);
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static void read_value(struct input *in, struct varbind *v, struct oid *room)
{
	v->type = input_u8(in) % VAR_TYPE_COUNT;
	switch (v->type) {
	case VAR_INTEGER:
		v->value.i = (int64_t)((uint64_t)input_u32(in) << 32 | input_u32(in));
		break;
	case VAR_OCTETS:
	case VAR_OPAQUE:
		v->value.octets.len = input_octets(in, &v->value.octets.p);
		break;
	case VAR_IPADDRESS:
		v->value.octets.p = (const uint8_t *)room->id;
		v->value.octets.len = 4;
		room->id[0] = input_u32(in);
		break;
	case VAR_OID:
		read_name(in, room);
		v->value.oid.id = room->id;
		v->value.oid.len = room->len;
		break;
	case VAR_FLOAT:
		v->value.d = (double)read_float(in);
		break;
	case VAR_DOUBLE:
		v->value.d = read_double(in);
		break;
	case VAR_COUNTER64:
		v->value.u = (uint64_t)input_u32(in) << 32 | input_u32(in);
		break;
	default:
		v->value.u = input_u32(in);
		break;
	}
}

/* A row; its label, if any, is the row that the last one was. */
static void read_row(struct input *in, struct vars *vars, const struct varbind **label)
{
	struct oid name, room;
	struct varbind v = {.oid = name.id};
	uint8_t flags = input_u8(in);

	read_name(in, &name);
	v.noid = name.len;
	read_value(in, &v, &room);
	if (v.type == VAR_END_OF_MIB_VIEW)
		v.type = VAR_NULL; /* never a row */
	if (flags & 1)
		v.label = *label;
	if (flags & 2) {
		struct varbind copy = v;

		copy.label = NULL;
		*label = vars_keep(vars, &copy);
	}
	vars_add(vars, &v);
}

static void hint(struct input *in)
{
	char *text = input_text(in);
	const uint8_t *p;
	size_t len = input_octets(in, &p), before;
	int64_t number = (int64_t)((uint64_t)input_u32(in) << 32 | input_u32(in));
	struct buf out = {0};

	if (!text_hint_octets(&out, text, p, len))
		FUZZ_CHECK(out.len == 0);
	before = out.len;
	if (!text_hint_integer(&out, text, number))
		FUZZ_CHECK(out.len == before);
	FUZZ_CHECK(out.len <= 256 * (len + 1) * 24);
	buf_free(&out);
	free(text);
}

static void read_head(struct input *in, struct record *r, char *words[3])
{
	for (int i = 0; i < 3; i++)
		words[i] = input_text(in);
	*r = (struct record){
		.host = *words[0] ? words[0] : NULL,
		.status = input_u8(in) % RECORD_STATUS_COUNT,
		.time_ms = (int64_t)((uint64_t)input_u32(in) << 32 | input_u32(in)),
		.rtt_us = (int64_t)input_u32(in) - 1,
		.tries = input_u8(in),
		.note = *words[1] ? words[1] : NULL,
	};
	if (r->status != RECORD_OK)
		r->message = words[2];
	r->addr.family = (const uint8_t[]){0, 4, 6}[input_u8(in) % 3];
	r->addr.port = r->addr.family ? input_u16(in) : 0;
	for (int i = 0; i < (r->addr.family == 6 ? 16 : r->addr.family); i++)
		r->addr.ip[i] = input_u8(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	struct pieces pieces = {0};
	struct vars vars = {0};
	const struct varbind *label = NULL;
	struct record r;
	char *words[3];
	uint8_t split;

	fuzz_library();
	hint(&in);
	read_head(&in, &r, words);
	split = input_u8(&in);
	for (int i = 0; i < ROWS_MAX && input_left(&in) > 0; i++)
		read_row(&in, &vars, &label);
	r.vars = vars.list;
	r.nvars = split % (vars.count + 1);
	if (r.nvars > 0) {
		pieces_rows(&pieces, &r);
		r.ahead = r.nvars;
	}
	if (vars.count > 0)
		r.vars = vars.list + r.nvars;
	r.nvars = vars.count - r.nvars;
	pieces_done(&pieces, &r);
	vars_free(&vars);
	for (int i = 0; i < 3; i++)
		free(words[i]);
	return 0;
}

/*
 * A codec of its own, sharing no line with Net-SNMP or the poller, so that the simulated agents are an
 * independent witness: a mistake made twice in the same way does not cancel out.
 *
 * The writer goes forwards, because GETBULK stops when the datagram is full and must be able to take back its
 * last varbind. An element is opened with room for a one-octet length; most stay below 128 octets. The few that
 * do not are moved up by one or two octets when they are closed, which keeps all lengths minimal.
 */
#include "ber.h"

#include <string.h>

enum {
	SUB_OCTETS_MAX = 5
};

static bool read_length(struct ber_in *in, size_t *len)
{
	if (in->at == in->end)
		return false;
	*len = *in->at++;
	if (*len < 0x80)
		return true;
	size_t octets = *len & 0x7f;
	if (octets == 0 || octets > 4 || octets > (size_t)(in->end - in->at))
		return false;
	for (*len = 0; octets > 0; octets--)
		*len = *len << 8 | *in->at++;
	return true;
}

bool ber_any(struct ber_in *in, uint8_t *tag, struct ber_in *contents)
{
	size_t len;

	if (in->at == in->end)
		return false;
	*tag = *in->at++;
	if (!read_length(in, &len) || len > (size_t)(in->end - in->at))
		return false;
	contents->at = in->at;
	contents->end = in->at + len;
	in->at += len;
	return true;
}

bool ber_enter(struct ber_in *in, uint8_t tag, struct ber_in *contents)
{
	uint8_t found;

	return ber_any(in, &found, contents) && found == tag;
}

bool ber_int(struct ber_in *in, int32_t *value)
{
	struct ber_in body;

	if (!ber_enter(in, BER_INTEGER, &body) || body.at == body.end || body.end - body.at > 4)
		return false;
	uint32_t bits = *body.at & 0x80 ? UINT32_MAX : 0;
	while (body.at < body.end)
		bits = bits << 8 | *body.at++;
	memcpy(value, &bits, sizeof bits);
	return true;
}

static bool read_sub(struct ber_in *in, uint32_t *sub)
{
	uint32_t value = 0;

	while (in->at < in->end) {
		uint8_t octet = *in->at++;
		if (value >> 25)
			return false;
		value = value << 7 | (octet & 0x7f);
		if (!(octet & 0x80)) {
			*sub = value;
			return true;
		}
	}
	return false;
}

bool ber_oid(struct ber_in *in, struct oid *oid)
{
	struct ber_in body;
	uint32_t first;

	if (!ber_enter(in, BER_OID, &body) || !read_sub(&body, &first))
		return false;
	oid->sub[0] = first < 80 ? first / 40 : 2;
	oid->sub[1] = first - oid->sub[0] * 40;
	oid->len = 2;
	while (body.at < body.end) {
		if (oid->len == OID_MAX || !read_sub(&body, &oid->sub[oid->len]))
			return false;
		oid->len++;
	}
	return true;
}

static bool has_room(struct ber_out *out, size_t len)
{
	if (len > (size_t)(out->end - out->at))
		out->full = true;
	return !out->full;
}

size_t ber_open(struct ber_out *out, uint8_t tag)
{
	size_t opened = (size_t)(out->at - out->start);

	if (has_room(out, 2)) {
		*out->at++ = tag;
		*out->at++ = 0;
	}
	return opened;
}

void ber_close(struct ber_out *out, size_t opened)
{
	uint8_t *length = out->start + opened + 1;

	if (out->full)
		return;
	size_t len = (size_t)(out->at - length - 1);
	if (len < 0x80) {
		*length = (uint8_t)len;
		return;
	}
	size_t extra = len < 0x100 ? 1 : 2;
	memmove(length + 1 + extra, length + 1, len);
	out->at += extra;
	*length = (uint8_t)(0x80 | extra);
	if (extra == 2)
		length[1] = (uint8_t)(len >> 8);
	length[extra] = (uint8_t)len;
}

void ber_put_raw(struct ber_out *out, const void *bytes, size_t len)
{
	if (len == 0 || !has_room(out, len))
		return;
	memcpy(out->at, bytes, len);
	out->at += len;
}

void ber_put_octets(struct ber_out *out, uint8_t tag, const void *bytes, size_t len)
{
	size_t opened = ber_open(out, tag);
	ber_put_raw(out, bytes, len);
	ber_close(out, opened);
}

/* The low `octets` octets of bits, most significant first. */
static void put_big_endian(struct ber_out *out, uint8_t tag, uint64_t bits, size_t octets)
{
	if (!has_room(out, octets + 2))
		return;
	*out->at++ = tag;
	*out->at++ = (uint8_t)octets;
	while (octets-- > 0)
		*out->at++ = (uint8_t)(octets < 8 ? bits >> (8 * octets) : 0);
}

void ber_put_signed(struct ber_out *out, uint8_t tag, int64_t value)
{
	size_t octets = 1;

	while (octets < 8 && (value >> (8 * octets - 1)) != 0 && (value >> (8 * octets - 1)) != -1)
		octets++;
	put_big_endian(out, tag, (uint64_t)value, octets);
}

void ber_put_unsigned(struct ber_out *out, uint8_t tag, uint64_t value)
{
	size_t octets = 1;

	while (octets < 9 && (value >> (8 * octets - 1)) != 0)
		octets++;
	put_big_endian(out, tag, value, octets);
}

static uint8_t *put_sub(uint8_t *at, uint32_t sub)
{
	if (sub >= 0x80)
		for (unsigned shift = 28; shift > 0; shift -= 7)
			if (sub >> shift)
				*at++ = (uint8_t)(0x80 | (sub >> shift));
	*at++ = sub & 0x7f;
	return at;
}

/* Room is asked for once, for the worst case where there is plenty: most of an answer's octets are these. */
void ber_put_oid(struct ber_out *out, const struct oid *oid)
{
	uint8_t octets[SUB_OCTETS_MAX * OID_MAX];
	size_t opened = ber_open(out, BER_OID);
	bool plenty = !out->full && SUB_OCTETS_MAX * oid->len <= (size_t)(out->end - out->at);
	uint8_t *start = plenty ? out->at : octets;
	uint8_t *at = put_sub(start, oid->sub[0] * 40 + oid->sub[1]);

	for (size_t i = 2; i < oid->len; i++)
		at = put_sub(at, oid->sub[i]);
	if (plenty)
		out->at = at;
	else
		ber_put_raw(out, octets, (size_t)(at - start));
	ber_close(out, opened);
}

int oid_compare(const struct oid *a, const struct oid *b)
{
	size_t common = a->len < b->len ? a->len : b->len;

	for (size_t i = 0; i < common; i++)
		if (a->sub[i] != b->sub[i])
			return a->sub[i] < b->sub[i] ? -1 : 1;
	return a->len == b->len ? 0 : a->len < b->len ? -1 : 1;
}

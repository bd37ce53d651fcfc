/*
 * What came of one target: the names of the verdicts, and the head that the master reads.
 *
 * A record crosses the done queue as a head and a text. The text is made in the worker, in the format that
 * was asked for, and is opaque to the master; the head is all that the master looks at: which
 * lease is answered, what to count, what to show in the summary, and whether two devices have one
 * SNMPv3 engine ID, which is to be told.
 *
 * Rejected: sending varbinds and formatting in the master. That puts the most expensive work of a poll
 * on the one process that cannot be multiplied, and octets of devices before the eyes of the one
 * that must outlive them all.
 *
 * The trap: a status indexes tables wherever it goes. It is checked once, where it comes off the wire;
 * one that is out of range is a worker that cannot be trusted any more. So is the length of an engine ID, which
 * comes from a device (CVE-2024-36468: it was trusted).
 */
#include "base/record.h"

#include <string.h>

static const char *const status_names[RECORD_STATUS_COUNT] = {
	[RECORD_OK] = "ok",
	[RECORD_PARTIAL] = "partial",
	[RECORD_TIMEOUT] = "timeout",
	[RECORD_UNREACHABLE] = "unreachable",
	[RECORD_AUTH] = "auth",
	[RECORD_ERROR] = "error",
	[RECORD_MALFORMED] = "malformed",
	[RECORD_RESOLVE] = "resolve",
	[RECORD_CRASHED] = "crashed",
	[RECORD_CANCELLED] = "cancelled",
	[RECORD_LOST] = "lost",
};

const char *record_status_name(enum record_status s)
{
	return status_names[s];
}

/* Octets of status, tries, rtt and learns, which are put and got in one go. */
#define OUTCOME_FIXED (1 + 4 + 8 + 1)

/* Counterpart: record_outcome_unpack. */
void record_outcome_pack(const struct record_head *h, struct wire_out *w)
{
	uint8_t *place = wire_out_take(w, OUTCOME_FIXED);

	if (place == NULL)
		return;
	place[0] = h->status;
	wire_store32(place + 1, h->tries);
	wire_store64(place + 5, (uint64_t)h->rtt_us);
	place[13] = h->learns;
	if (h->learns)
		learnt_pack(&h->learnt, w);
	wire_put_u8(w, h->engine_id_len);
	if (h->engine_id_len == 0)
		return;
	wire_put_bytes(w, h->engine_id, h->engine_id_len);
	addr_pack(&h->addr, w);
}

/* Counterpart: record_head_unpack. */
void record_head_pack(const struct record_head *h, struct wire_out *w)
{
	wire_put_u64(w, h->seq);
	wire_put_u32(w, h->lease);
	record_outcome_pack(h, w);
}

/* Of record_outcome_pack(), what follows the engine ID's length. */
static bool engine_unpack(struct record_head *h, struct wire_in *r)
{
	const uint8_t *octets;

	if (h->engine_id_len > ENGINE_ID_MAX)
		return false;
	octets = wire_get_bytes(r, h->engine_id_len);
	if (octets != NULL)
		memcpy(h->engine_id, octets, h->engine_id_len);
	return addr_unpack(&h->addr, r);
}

/* Counterpart: record_outcome_pack. */
bool record_outcome_unpack(struct record_head *h, struct wire_in *r)
{
	const uint8_t *place = wire_in_take(r, OUTCOME_FIXED);

	if (place == NULL || place[13] > 1)
		return false;
	h->status = place[0];
	h->tries = (uint32_t)wire_load32(place + 1);
	h->rtt_us = (int64_t)wire_load64(place + 5);
	h->learns = place[13] == 1;
	if (h->learns && !learnt_unpack(&h->learnt, r))
		return false;
	h->engine_id_len = wire_get_u8(r);
	if (r->bad || h->status >= RECORD_STATUS_COUNT)
		return false;
	return h->engine_id_len == 0 || engine_unpack(h, r);
}

/* Counterpart: record_head_pack. */
bool record_head_unpack(struct record_head *h, struct wire_in *r)
{
	h->seq = wire_get_u64(r);
	h->lease = wire_get_u32(r);
	return record_outcome_unpack(h, r);
}

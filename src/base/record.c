/*
 * What came of one target: the names of the verdicts, and the head that the master reads.
 *
 * A record crosses the done queue as a head and a text. The text is made in the worker, in the format that
 * was asked for, and is opaque to the master; the head is all that the master looks at: which
 * lease is answered, what to count, what to show in the summary.
 *
 * Rejected: sending varbinds and formatting in the master. That puts the most expensive work of a poll
 * on the one process that cannot be multiplied, and octets of devices before the eyes of the one
 * that must outlive them all.
 *
 * The trap: a status indexes tables wherever it goes. It is checked once, where it comes off the wire;
 * one that is out of range is a worker that cannot be trusted any more.
 */
#include "base/record.h"

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
};

const char *record_status_name(enum record_status s)
{
	return status_names[s];
}

/* Counterpart: record_head_unpack. */
void record_head_pack(const struct record_head *h, struct wire_out *w)
{
	wire_put_u64(w, h->seq);
	wire_put_u32(w, h->lease);
	wire_put_u8(w, h->status);
	wire_put_u32(w, h->tries);
	wire_put_u64(w, (uint64_t)h->rtt_us);
}

/* Counterpart: record_head_pack. */
bool record_head_unpack(struct record_head *h, struct wire_in *r)
{
	h->seq = wire_get_u64(r);
	h->lease = wire_get_u32(r);
	h->status = wire_get_u8(r);
	h->tries = wire_get_u32(r);
	h->rtt_us = (int64_t)wire_get_u64(r);
	return !r->bad && h->status < RECORD_STATUS_COUNT;
}

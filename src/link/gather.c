/*
 * Results of a cell become the rows of one message.
 *
 * The problem: a record passes through the cell, the agent and the agent's process to the broker, and each that opens it and packs it
 * again costs a tenth of the poll. What the agent has to know is little: whose tasks have ended, and how.
 *
 * The design: rows are packed here once, as the master will read them, and mostly where it is sent from (link/slots.h). Apart from them
 * stands, by batch, how many tasks have ended, and of each of these what a person wants to see counted. So the agent forwards a slot, and
 * takes numbers down. Where no slot is free, the rows follow in the frame.
 *
 *     u8 slot, u32 octets of rows, u16 rows, u16 batches, u16 ended | batches * (u32 number, u16 ended) | ended * (u8 status,
 *     u32 tries, u64 round-trip time) | rows, unless they have a slot
 *
 * The trap: a piece that is not a record's last one ends nothing, and its batch may not stand in the list.
 */
#include "link/gather.h"

#include <assert.h>

#define FRAME 5 /* octets of a queue's frame before its payload */
#define HEAD  11

bool gather_fits(const struct gather *g, size_t octets)
{
	if (g->rows == 0)
		return true;
	return g->rows < BATCH_TASKS && g->len + BATCH_RESULT_MAX + octets <= GATHER_MAX;
}

void gather_begin(struct gather *g, uint8_t *room)
{
	g->room = room;
	g->len = 0;
}

static void count_end(struct gather *g, uint32_t batch, const struct record_head *h)
{
	unsigned i = g->nbatches;

	while (i > 0 && g->batch[i - 1].number != batch)
		i--;
	if (i == 0) {
		g->batch[g->nbatches++] = (struct gather_batch){.number = batch};
		i = g->nbatches;
	}
	g->batch[i - 1].ended++;
	g->end[g->nended++] = (struct gather_end){
		.status = h->status, .tries = h->tries, .rtt_us = h->rtt_us};
}

void gather_add(struct gather *g, uint32_t batch, const struct batch_result *r)
{
	struct wire_out w = {.at = g->room + g->len, .end = g->room + GATHER_MAX};

	batch_result_pack(r, &w);
	assert(!w.full);
	g->len = (size_t)(w.at - g->room);
	g->rows++;
	if (r->head != NULL)
		count_end(g, batch, r->head);
}

static void lists_put(const struct gather *g, struct wire_out *w)
{
	for (unsigned i = 0; i < g->nbatches; i++) {
		wire_put_u32(w, g->batch[i].number);
		wire_put_u16(w, g->batch[i].ended);
	}
	for (unsigned i = 0; i < g->nended; i++) {
		wire_put_u8(w, g->end[i].status);
		wire_put_u32(w, g->end[i].tries);
		wire_put_u64(w, (uint64_t)g->end[i].rtt_us);
	}
}

/* Counterpart: gathered_unpack. */
struct gather_frame gather_close(struct gather *g, uint8_t kind, uint8_t slot)
{
	size_t lists = FRAME + HEAD + (size_t)g->nbatches * GATHER_BATCH_PACKED +
		       (size_t)g->nended * GATHER_END_PACKED;
	struct queue_part rows = {g->room, slot == GATHER_INLINE ? g->len : 0};
	struct wire_out w;

	g->lists.len = 0;
	w = (struct wire_out){.at = buf_room(&g->lists, lists)};
	w.end = w.at + lists;
	wire_put_u32(&w, (uint32_t)(lists + rows.len - FRAME + 1));
	wire_put_u8(&w, kind);
	wire_put_u8(&w, slot);
	wire_put_u32(&w, (uint32_t)g->len);
	wire_put_u16(&w, (uint16_t)g->rows);
	wire_put_u16(&w, (uint16_t)g->nbatches);
	wire_put_u16(&w, (uint16_t)g->nended);
	lists_put(g, &w);
	g->rows = g->nbatches = g->nended = 0;
	return (struct gather_frame){{g->lists.data, lists}, rows};
}

void gather_free(struct gather *g)
{
	buf_free(&g->lists);
}

static struct wire_in list_get(struct wire_in *r, size_t len)
{
	const uint8_t *at = wire_get_bytes(r, len);

	return (struct wire_in){.at = at, .end = at ? at + len : NULL, .bad = !at};
}

/* Counterpart: gather_close. */
bool gathered_unpack(struct gathered *g, struct wire_in r)
{
	g->slot = wire_get_u8(&r);
	g->len = wire_get_u32(&r);
	g->rows = wire_get_u16(&r);
	g->nbatches = wire_get_u16(&r);
	g->nended = wire_get_u16(&r);
	g->batches = list_get(&r, (size_t)g->nbatches * GATHER_BATCH_PACKED);
	g->ends = list_get(&r, (size_t)g->nended * GATHER_END_PACKED);
	g->octets = g->slot == GATHER_INLINE ? wire_get_bytes(&r, g->len) : NULL;
	if (r.bad || r.at != r.end || g->rows < 1 || g->rows > BATCH_TASKS)
		return false;
	return g->nended <= g->rows && g->nbatches <= g->nended;
}

struct gather_batch gathered_batch(struct gathered *g)
{
	uint32_t number = wire_get_u32(&g->batches);

	return (struct gather_batch){.number = number, .ended = wire_get_u16(&g->batches)};
}

bool gathered_end(struct gathered *g, struct gather_end *end)
{
	end->status = wire_get_u8(&g->ends);
	end->tries = wire_get_u32(&g->ends);
	end->rtt_us = (int64_t)wire_get_u64(&g->ends);
	return !g->ends.bad && end->status < RECORD_STATUS_COUNT && end->rtt_us >= -1;
}

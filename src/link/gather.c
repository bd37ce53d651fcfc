/*
 * Results of a cell become the rows of one message.
 *
 * The problem: a record passes through the cell, the agent and the agent's process to the broker, and each that opens it and packs it
 * again costs a tenth of the poll. What the agent has to know is little: whose tasks have ended, and how.
 *
 * The design: rows are packed here once, as the master will read them. Behind them stands, by batch, how many tasks have ended, and of
 * each of these what a person wants to see counted. So the agent forwards octets and takes numbers down.
 *
 *     u32 octets of rows, u16 rows, u16 batches, u16 ended | rows | batches * (u32 number, u16 ended) | ended * (u8 status,
 *     u32 tries, u64 round-trip time)
 *
 * The trap: a piece that is not a record's last one ends nothing, and its batch may not stand in the list.
 */
#include "link/gather.h"

#define FRAME 5 /* octets of a queue's frame before its payload */
#define HEAD  10

bool gather_fits(const struct gather *g, size_t octets)
{
	if (g->rows == 0)
		return true;
	return g->rows < BATCH_TASKS && g->out.len + BATCH_RESULT_MAX + octets <= GATHER_MAX;
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
	size_t max = BATCH_RESULT_MAX + r->front_len + r->len;
	struct wire_out w;

	if (g->rows == 0) {
		g->out.len = 0;
		buf_room(&g->out, FRAME + HEAD);
		g->out.len = FRAME + HEAD;
	}
	w = (struct wire_out){.at = buf_room(&g->out, max)};
	w.end = w.at + max;
	batch_result_pack(r, &w);
	g->out.len = (size_t)(w.at - g->out.data);
	g->rows++;
	if (r->head != NULL)
		count_end(g, batch, r->head);
}

static void lists_put(struct gather *g)
{
	size_t max = (size_t)g->nbatches * GATHER_BATCH_PACKED +
		     (size_t)g->nended * GATHER_END_PACKED;
	struct wire_out w = {.at = buf_room(&g->out, max)};

	w.end = w.at + max;
	for (unsigned i = 0; i < g->nbatches; i++) {
		wire_put_u32(&w, g->batch[i].number);
		wire_put_u16(&w, g->batch[i].ended);
	}
	for (unsigned i = 0; i < g->nended; i++) {
		wire_put_u8(&w, g->end[i].status);
		wire_put_u32(&w, g->end[i].tries);
		wire_put_u64(&w, (uint64_t)g->end[i].rtt_us);
	}
	g->out.len += max;
}

/* Counterpart: gathered_unpack. */
struct queue_part gather_close(struct gather *g, uint8_t kind)
{
	size_t octets = g->out.len - FRAME - HEAD;
	struct wire_out w;

	lists_put(g);
	w = (struct wire_out){.at = g->out.data, .end = g->out.data + FRAME + HEAD};
	wire_put_u32(&w, (uint32_t)(g->out.len - FRAME + 1));
	wire_put_u8(&w, kind);
	wire_put_u32(&w, (uint32_t)octets);
	wire_put_u16(&w, (uint16_t)g->rows);
	wire_put_u16(&w, (uint16_t)g->nbatches);
	wire_put_u16(&w, (uint16_t)g->nended);
	g->rows = g->nbatches = g->nended = 0;
	return (struct queue_part){g->out.data, g->out.len};
}

void gather_free(struct gather *g)
{
	buf_free(&g->out);
}

static struct wire_in list_get(struct wire_in *r, size_t len)
{
	const uint8_t *at = wire_get_bytes(r, len);

	return (struct wire_in){.at = at, .end = at ? at + len : NULL, .bad = !at};
}

/* Counterpart: gather_close. */
bool gathered_unpack(struct gathered *g, struct wire_in r)
{
	g->len = wire_get_u32(&r);
	g->rows = wire_get_u16(&r);
	g->nbatches = wire_get_u16(&r);
	g->nended = wire_get_u16(&r);
	g->octets = wire_get_bytes(&r, g->len);
	g->batches = list_get(&r, (size_t)g->nbatches * GATHER_BATCH_PACKED);
	g->ends = list_get(&r, (size_t)g->nended * GATHER_END_PACKED);
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

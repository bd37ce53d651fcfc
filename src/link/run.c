/*
 * What an agent is told of a run, and the pieces that it comes in.
 *
 * The problem: a thousand profiles with a hundred objects each are some megabytes, and a message that travels through a
 * replicated queue, or a broker's memory, should be small. So the whole is cut at will into pieces, which carry
 * where they belong; one connection delivers them in order.
 *
 * Pieces come from anywhere that may write to the control exchange, so no length in them is believed: the buffer grows by
 * what has come, never by what was promised, and ends at RUN_OCTETS_MAX. A piece that is not the one expected
 * (told twice, since two agents asked; or one was lost with a connection) throws away what was there; one of
 * offset 0 begins anew. Who misses something asks again.
 */
#include "link/run.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_OCTETS 65536u /* of a run in a piece; well below BATCH_BODY_MAX */
#define TEXT_MAX     4096   /* octets of --fields; of a format's name far less */

/* ---- the whole */

static void put_text(struct wire_out *w, const char *text)
{
	wire_put_str(w, text, (uint16_t)strlen(text));
}

/* Field by field as run_unpack() reads it. Texts end with a NUL, since they are lent to who reads. */
void run_pack(const struct run *r, struct buf *out)
{
	size_t room = 8 + 2 + sizeof(r->master) + 2 + strlen(r->format) + 1 + 2 +
		      (r->fields ? strlen(r->fields) : 0) + 1 + 1 + 1 + 4 + 4 + 4 + 4;
	uint8_t *start = buf_room(out, room);
	struct wire_out w = {start, start + room, false};

	wire_put_u64(&w, r->number);
	put_text(&w, r->master);
	put_text(&w, r->format);
	wire_put_u8(&w, 0);
	wire_put_u8(&w, r->fields != NULL);
	put_text(&w, r->fields ? r->fields : "");
	wire_put_u8(&w, 0);
	wire_put_u8(&w, r->null_ends);
	wire_put_u32(&w, r->unwanted);
	wire_put_u32(&w, r->sessions);
	wire_put_u32(&w, r->rate);
	wire_put_u32(&w, (uint32_t)r->profiles_len);
	out->len += (size_t)(w.at - start);
	buf_put(out, r->profiles, r->profiles_len);
}

/* A text with a NUL behind it; NULL: is none. */
static const char *get_text(struct wire_in *r)
{
	uint16_t len;
	const uint8_t *text = wire_get_str(r, &len);
	uint8_t end = wire_get_u8(r);

	if (r->bad || end != 0 || len > TEXT_MAX || memchr(text, '\0', len))
		return NULL;
	return (const char *)text;
}

static bool get_master(struct run *r, struct wire_in *in)
{
	uint16_t len;
	const uint8_t *name = wire_get_str(in, &len);

	if (in->bad || len > BROKER_NAME_MAX || memchr(name, '\0', len))
		return false;
	memcpy(r->master, name, len);
	r->master[len] = '\0';
	return broker_name_ok(r->master);
}

bool run_unpack(struct run *r, const uint8_t *p, size_t len, const char **error)
{
	struct wire_in in = {p, p + len, false};
	bool has_fields;

	*r = (struct run){.number = wire_get_u64(&in)};
	*error = "its description is broken";
	if (!get_master(r, &in))
		return false;
	r->format = get_text(&in);
	has_fields = wire_get_u8(&in) != 0;
	r->fields = get_text(&in);
	if (!r->format || !r->fields)
		return false;
	if (!has_fields)
		r->fields = NULL;
	r->null_ends = wire_get_u8(&in) != 0;
	r->unwanted = wire_get_u32(&in);
	r->sessions = wire_get_u32(&in);
	r->rate = wire_get_u32(&in);
	r->profiles_len = wire_get_u32(&in);
	r->profiles = wire_get_bytes(&in, r->profiles_len);
	return !in.bad && in.at == in.end;
}

/* ---- pieces */

struct run_pieces {
	struct buf octets;
	size_t all; /* of the whole, as the first piece says; 0: none has come */
};

struct run_pieces *run_pieces_new(void)
{
	return mem_zero(1, sizeof(struct run_pieces));
}

void run_pieces_free(struct run_pieces *p)
{
	if (!p)
		return;
	buf_free(&p->octets);
	free(p);
}

size_t run_pieces_octets(const struct run_pieces *p)
{
	return p ? p->octets.len : 0;
}

/* False, always: what has come is nothing. */
static bool forget(struct run_pieces *p)
{
	p->octets.len = 0;
	p->all = 0;
	return false;
}

bool run_pieces_take(struct run_pieces *p, struct wire_in *r, const uint8_t **whole, size_t *len)
{
	size_t all = wire_get_u32(r);
	size_t offset = wire_get_u32(r);
	size_t left = (size_t)(r->end - r->at);

	*whole = NULL;
	*len = 0;
	if (r->bad || !all || all > RUN_OCTETS_MAX || !left)
		return forget(p);
	if (offset == 0) {
		forget(p);
		p->all = all;
	}
	if (all != p->all || offset != p->octets.len || left > all - offset)
		return forget(p);
	buf_put(&p->octets, wire_get_bytes(r, left), left);
	if (p->octets.len < p->all)
		return true;
	*whole = p->octets.data;
	*len = p->octets.len;
	return true;
}

bool run_piece_put(const struct buf *whole, size_t *offset, struct buf *out)
{
	uint8_t head[8];
	struct wire_out w = {head, head + sizeof(head), false};
	size_t len = whole->len - *offset;

	if (*offset >= whole->len)
		return false;
	if (len > PIECE_OCTETS)
		len = PIECE_OCTETS;
	wire_put_u32(&w, (uint32_t)whole->len);
	wire_put_u32(&w, (uint32_t)*offset);
	buf_put(out, head, sizeof(head));
	buf_put(out, whole->data + *offset, len);
	*offset += len;
	return true;
}

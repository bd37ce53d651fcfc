/*
 * Whole records, sorted.
 *
 * The problem: records come in any order, may be a gigabyte each, and ten million of them may come; who wants an order
 * must still not pay for it with memory. So their octets go into the spool, in pieces under a key, and come out of it
 * when the run is over.
 *
 *   KEY NUMBER-OF-THE-TARGET PIECE LAST
 *
 * The number makes the order one and the same for records whose key is, the order in which they are listed, and keeps
 * a record's pieces together; LAST tells the writer where a record ends, which others may write behind.
 *
 * Hosts that are addresses come first, by number, as nobody looks for 10.0.0.10 before 10.0.0.9; then names, octet by
 * octet, as sort(1) and join(1) have them with LC_ALL=C. Rejected: numbers in names by their value, which no other
 * tool that reads the output would do.
 *
 * The trap: keys are compared as octets, so no part of a key may be the beginning of another one: numbers have a fixed
 * length, behind an octet that says what they are, and a name ends with a NUL.
 */
#include "out/layout_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "out/writer.h"

#define SORT_MEMORY 4194304 /* octets */
#define PIECE       65536   /* octets of a record in an item */
#define FINISH_MAX  4194304 /* octets of items in a call, written or not */

struct order {
	enum layout_order by;
	struct spool_sort *sort;
	struct buf key;     /* of the record, without its pieces' numbers */
	struct buf octets;  /* that are not put yet */
	struct buf scratch; /* a piece's key */
	uint32_t pieces;    /* put */
	int error;          /* errno of what found no room; 0 */
};

struct order *order_new(enum layout_order by)
{
	struct order *o = mem_zero(1, sizeof(*o));

	o->by = by;
	o->sort = spool_sort_new(SORT_MEMORY);
	return o;
}

void order_free(struct order *o)
{
	if (!o)
		return;
	spool_sort_free(o->sort);
	buf_free(&o->key);
	buf_free(&o->octets);
	buf_free(&o->scratch);
	free(o);
}

/* --- keys --------------------------------------------------------------------------------- */

static void put_number(struct buf *key, uint64_t n, unsigned octets)
{
	while (octets-- > 0)
		buf_putc(key, (char)(uint8_t)(n >> octets * 8));
}

enum { /* what a key is of, in this order */
	KEY_IPV4 = 4,
	KEY_IPV6 = 6,
	KEY_NAME = 7,
	KEY_NOTHING = 255
};

static void put_address(struct buf *key, const struct addr *a)
{
	put_number(key, a->family == 4 ? KEY_IPV4 : KEY_IPV6, 1);
	buf_put(key, a->ip, a->family == 4 ? 4 : 16);
	put_number(key, a->zone, 4);
}

static void put_host(struct buf *key, const struct record *r)
{
	struct addr a = r->addr;

	if (!r->host || addr_parse(r->host, strlen(r->host), &a)) {
		put_address(key, &a);
		return;
	}
	put_number(key, KEY_NAME, 1);
	buf_put(key, r->host, strlen(r->host) + 1);
}

static void put_key(struct buf *key, enum layout_order by, const struct record *r)
{
	switch (by) {
	case LAYOUT_BY_ADDRESS:
		if (r->addr.family)
			put_address(key, &r->addr);
		else
			put_number(key, KEY_NOTHING, 1);
		put_number(key, r->addr.port, 2);
		return;
	case LAYOUT_BY_STATUS:
		put_number(key, r->status, 1);
		break;
	case LAYOUT_BY_RTT:
		put_number(key, (uint64_t)r->rtt_us, 8); /* -1 is the last */
		break;
	case LAYOUT_BY_HOST:
	case LAYOUT_AS_THEY_COME:
		break;
	}
	put_host(key, r);
}

/* --- in ----------------------------------------------------------------------------------- */

void order_begin(struct order *o, uint64_t seq, const struct record *r)
{
	o->key.len = 0;
	o->octets.len = 0;
	o->pieces = 0;
	put_key(&o->key, o->by, r);
	put_number(&o->key, seq, 8);
}

static void put_piece(struct order *o, const uint8_t *p, size_t len, bool last)
{
	o->scratch.len = 0;
	buf_put(&o->scratch, o->key.data, o->key.len);
	put_number(&o->scratch, o->pieces++, 4);
	put_number(&o->scratch, last, 1);
	if (o->error == 0 &&
	    !spool_sort_put(o->sort, &(struct spool_item){o->scratch.data, o->scratch.len, p, len}))
		o->error = errno;
}

void order_put(struct order *o, const void *p, size_t len)
{
	const uint8_t *at = p;

	while (len) {
		size_t n = PIECE - o->octets.len;

		if (n > len)
			n = len;
		buf_put(&o->octets, at, n);
		at += n;
		len -= n;
		if (o->octets.len < PIECE)
			return;
		put_piece(o, o->octets.data, o->octets.len, false);
		o->octets.len = 0;
	}
}

void order_end(struct order *o)
{
	if (o->octets.len || o->pieces)
		put_piece(o, o->octets.data, o->octets.len, true);
	o->octets.len = 0;
}

bool order_failed(const struct order *o)
{
	errno = o->error;
	return o->error != 0;
}

/* --- out ---------------------------------------------------------------------------------- */

enum layout_state order_finish(struct order *o, struct writer *w)
{
	struct spool_item item;

	for (size_t taken = 0; !writer_full(w) && taken < FINISH_MAX; taken += item.len) {
		enum spool_state state = spool_sort_next(o->sort, &item);

		if (state == SPOOL_END)
			return LAYOUT_DONE;
		if (state == SPOOL_FAILED)
			return LAYOUT_FAILED;
		if (state == SPOOL_LATER)
			return LAYOUT_MORE;
		if (item.key[item.key_len - 1])
			writer_put(w, item.p, item.len);
		else
			writer_put_part(w, item.p, item.len);
	}
	return LAYOUT_MORE;
}

/*
 * Records that go on to another process: pieces of bounded size, as that wants them.
 *
 * Nothing here stands around rows or is sorted; who writes the records in the end does that. A record's octets are gathered until
 * they are a piece, so that what was cut small by a queue's frames does not travel small; one that comes whole is passed on uncopied. All
 * but the last piece say only whose they are; the last one has the head and the front, which are known before the octets but may
 * be kept until their record is there to be written.
 *
 * The trap: a front is a worker's word, and a piece without bounds would break the queue of who reads it.
 */
#include "out/layout_frames.h"

#include <errno.h>
#include <stdlib.h>

struct frames {
	const struct layout_frames *config;
	struct layout_piece piece; /* of the record that is open: what holds for all its pieces */
	struct record_head head;
	struct addr addr;
	struct buf front, octets; /* of the next piece */
};

struct frames *frames_new(const struct layout_frames *config)
{
	struct frames *f = mem_zero(1, sizeof(*f));

	f->config = config;
	return f;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	buf_free(&f->front);
	buf_free(&f->octets);
	free(f);
}

bool frames_begin(struct frames *f, uint64_t seq, const struct record *r, const void *front,
		  size_t len)
{
	f->piece = (struct layout_piece){.seq = seq, .addr = &f->addr};
	f->addr = r->addr;
	if (r->head)
		f->head = *r->head;
	else
		f->head = (struct record_head){
			.status = (uint8_t)r->status, .rtt_us = r->rtt_us, .tries = r->tries};
	f->front.len = f->octets.len = 0;
	errno = EMSGSIZE;
	if (len > f->config->piece)
		return false;
	buf_put(&f->front, front, len);
	return true;
}

static void piece_put(struct frames *f, struct writer *w, const void *p, size_t len)
{
	f->piece.octets = p;
	f->piece.len = len;
	f->config->put(f->config->arg, &f->piece, w);
	f->piece.before += len;
	f->octets.len = 0;
}

void frames_part(struct frames *f, struct writer *w, const void *p, size_t len)
{
	const uint8_t *octets = p;

	while (len) {
		size_t room = f->config->piece - f->octets.len, n = len < room ? len : room;

		if (n == 0) {
			piece_put(f, w, f->octets.data, f->octets.len);
			continue;
		}
		buf_put(&f->octets, octets, n);
		octets += n;
		len -= n;
	}
}

bool frames_pass(struct frames *f, struct writer *w, const struct layout_piece *p)
{
	if (p->len > f->config->piece || p->front_len > f->config->piece)
		return false;
	f->config->put(f->config->arg, p, w);
	return true;
}

void frames_end(struct frames *f, struct writer *w, const void *p, size_t len)
{
	frames_part(f, w, p, len);
	f->piece.head = &f->head;
	f->piece.front = f->front.data;
	f->piece.front_len = f->front.len;
	piece_put(f, w, f->octets.data, f->octets.len);
}

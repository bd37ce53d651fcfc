/*
 * layout - how records stand in the output: one behind the other as they are, with what is common to a
 * record's rows around each of them, or in pieces that are sorted when all are there.
 *
 * The master brings octets of records, of which it knows nothing, and says where each begins and ends.
 */
#ifndef OUT_LAYOUT_H
#define OUT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/record.h"
#include "base/stats.h"
#include "out/spool.h"
struct writer;

/* Of a format whose records are lines to be sorted: what becomes of them. state is begin()'s. */
struct layout_sorted {
	void *(*begin)(void);
	/* The lines that follow are of target number seq, whose host and addr are in r, by the master's own
	 * word; no more is. r is lent for the call. */
	void (*target)(void *state, uint64_t seq, const struct record *r);
	/* Puts what a line (without its LF) is into sort. False: errno. */
	bool (*put)(void *state, struct spool_sort *sort, const void *line, size_t len);
	/* Appends what an item is in the output; they come in order. */
	void (*item)(void *state, struct buf *out, const struct spool_item *item);
	void (*end)(void *state); /* frees it */
};

/* Of records that go on to another process as they are. */
struct layout_piece {
	uint64_t seq;                   /* the record's target */
	uint64_t before;                /* octets of it in pieces before this one */
	const struct record_head *head; /* of the last one; NULL: more of the record come */
	const struct addr *addr;        /* shown in the record; family 0: none */
	const uint8_t *front, *octets;  /* the front of the last one alone */
	size_t front_len, len;
};
struct layout_frames {
	void *arg;
	size_t piece; /* octets of a piece, and of a front, at most */
	void (*put)(void *arg, const struct layout_piece *p, struct writer *w);
	void (*count)(void *arg, const struct stats *delta, struct writer *w);
	int64_t (*turn)(void *arg, int64_t now_us, struct writer *w);
};

/* In which order records stand. Those with the same key are in the order of their targets; LAYOUT_BY_HOST: addresses
 * by number, then names by octets; BY_ADDRESS: none comes last; BY_STATUS, BY_RTT (none comes last): then by host. */
enum layout_order {
	LAYOUT_AS_THEY_COME,
	LAYOUT_BY_HOST,
	LAYOUT_BY_ADDRESS,
	LAYOUT_BY_STATUS,
	LAYOUT_BY_RTT
};

/* {0}: as they are. */
struct layout_config {
	const char *head; /* stands at the beginning of a file that was empty; NULL: nothing */
	/* The front of a record is what stands before, and behind a VALUE_MARK after, each of its rows, each
	 * of which begins with a VALUE_MARK. With more marks in the front a row has as many, less one, and what
	 * is between those of the front comes in their places. A record without a front is as it is. */
	bool around;
	bool filled; /* VALUE_FILLs stand behind marks of rows, and are left out */
	const struct layout_sorted *sorted; /* NULL: they are not */
	const struct layout_frames *frames; /* instead of all others here; NULL: they are not */
	enum layout_order order;            /* of records whose lines are not sorted */
};

enum layout_state {
	LAYOUT_DONE,
	LAYOUT_MORE,  /* to be continued when the writer is not full */
	LAYOUT_FAILED /* errno: what has to wait finds no room, or cannot be read */
};

/* config and writer are lent. */
struct layout *layout_new(const struct layout_config *config, struct writer *writer);
void layout_free(struct layout *l);

/* A record of target number seq begins with its front; then octets, cut anywhere. r: as target() has it. False: as LAYOUT_FAILED. */
bool layout_begin(struct layout *l, uint64_t seq, const struct record *r, const void *front,
		  size_t len);
/* The most octets of this record in one go, at least 1: they become no more than a few times what the writer buffers. */
size_t layout_portion(const struct layout *l);
bool layout_part(struct layout *l, const void *p, size_t len);
bool layout_end(struct layout *l, const void *p, size_t len);
/* A record whose last piece is its only one. False: it is too large, or no frames are made: it is to be begun. */
bool layout_pass(struct layout *l, const struct layout_piece *p);

/* What workers have counted before the records that come next; only frames take it along. */
void layout_count(struct layout *l, const struct stats *delta);
/* The end of a turn: what frames kept and is due goes to the writer. When it is to be called again; INT64_MAX: for nothing. */
int64_t layout_turn(struct layout *l, int64_t now_us);
/* All records were brought: writes what had to wait for that. */
enum layout_state layout_finish(struct layout *l);

#endif

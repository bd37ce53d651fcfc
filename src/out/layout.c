/*
 * How records stand in the output.
 *
 * The problem: the master copies what workers have formatted. For two kinds of format a copy is not
 * enough. In csv and influx each row says when its record came and how it ended, which is known after
 * the rows of a large one were formatted; in prometheus the samples of all records stand together by
 * their names. Both are done here, knowing no more of the octets than where rows and lines end.
 *
 * - Around: each row begins with a mark; in its place comes what stands behind the last row and
 *   before this one.
 * - In order: whole records wait for the end of the run (layout_order.c), what stands around their rows in its place.
 * - Sorted: lines go into the spool with a key that the format makes of them, and come out of it when
 *   the run is over.
 *
 * - As frames: nothing of this is done, another process does it (layout_frames.c).
 *
 * Rejected: making the rows whole in the master, which would have to know formats, and to format on the one
 * process that cannot be multiplied.
 *
 * The trap: the octets are a worker's word. A line without an end is bounded by LINE_MAX and dropped; a
 * mark too many only repeats what the same worker said. But it repeats all of it: octets that are nothing but
 * marks become as many fronts, so they are brought in portions.
 */
#include "out/layout.h"

#include <stdlib.h>
#include <string.h>

#include "out/layout_frames.h"
#include "out/layout_order.h"
#include "out/value.h"
#include "out/writer.h"

#define SORT_MEMORY     4194304                 /* octets */
#define FINISH_MAX      4194304                 /* octets of items in a call, written or not */
#define SEGMENTS        16                      /* more than there are columns to alternate */
#define LINE_MAX_OCTETS (SPOOL_ITEM_MAX - 4096) /* the key has a little more */

struct layout {
	const struct layout_config *config;
	struct writer *writer;

	/* around */
	struct buf
		front; /* of the record, without marks: what stands before each row … what stands behind */
	size_t ends[SEGMENTS]; /* in it, of its segments */
	unsigned segments;     /* of them; 0: there is no front */
	unsigned done;         /* that this row has; 0: there is no row */
	bool filling;          /* the last octet was a mark, or fills one up */

	struct frames *frames; /* NULL: they are written here */
	struct order *order;   /* of whole records; NULL: as they come */

	/* sorted */
	struct spool_sort *sort; /* NULL: it is not */
	void *state;
	struct buf line; /* the beginning of one that is cut */
	bool too_long;   /* it was, and its rest is to come */
	struct buf scratch;
};

struct layout *layout_new(const struct layout_config *config, struct writer *writer)
{
	struct layout *l = mem_zero(1, sizeof(*l));

	l->config = config;
	l->writer = writer;
	if (config->frames) {
		l->frames = frames_new(config->frames);
		return l;
	}
	if (config->head)
		writer_put_head(writer, config->head, strlen(config->head));
	if (config->sorted) {
		l->sort = spool_sort_new(SORT_MEMORY);
		l->state = config->sorted->begin();
	} else if (config->order != LAYOUT_AS_THEY_COME)
		l->order = order_new(config->order);
	return l;
}

/* Octets of a record as they will be read, to where they wait. */
static void record_put(struct layout *l, const void *p, size_t len)
{
	if (l->order)
		order_put(l->order, p, len);
	else
		writer_put_part(l->writer, p, len);
}

void layout_free(struct layout *l)
{
	if (!l)
		return;
	if (l->sort)
		l->config->sorted->end(l->state);
	spool_sort_free(l->sort);
	order_free(l->order);
	frames_free(l->frames);
	buf_free(&l->front);
	buf_free(&l->line);
	buf_free(&l->scratch);
	free(l);
}

/* --- around ------------------------------------------------------------------------------- */

static void segment_put(struct layout *l)
{
	size_t start = l->done ? l->ends[l->done - 1] : 0;

	record_put(l, l->front.data + start, l->ends[l->done] - start);
	l->done++;
}

/* All that is still to come of the row: so each has each segment once, whatever its marks are. */
static void row_end(struct layout *l)
{
	while (l->done && l->done < l->segments)
		segment_put(l);
	l->done = 0;
}

/* The last segment takes what is too much, as it is. */
static void around_begin(struct layout *l, const uint8_t *front, size_t len)
{
	const uint8_t *mark = len ? memchr(front, VALUE_MARK, len) : NULL;

	l->front.len = 0;
	l->segments = 0;
	l->filling = false;
	if (!mark)
		return;
	while (mark) {
		buf_put(&l->front, front, (size_t)(mark - front));
		l->ends[l->segments++] = l->front.len;
		len -= (size_t)(mark + 1 - front);
		front = mark + 1;
		mark = l->segments < SEGMENTS - 1 ? memchr(front, VALUE_MARK, len) : NULL;
	}
	buf_put(&l->front, front, len);
	l->ends[l->segments++] = l->front.len;
}

static void mark_put(struct layout *l)
{
	if (l->done == l->segments - 1)
		row_end(l);
	segment_put(l);
	l->filling = l->config->filled;
}

/* How many octets at p fill up a mark. */
static size_t fill_len(struct layout *l, const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] == VALUE_FILL)
		n++;
	l->filling = n == len;
	return n;
}

static void around_part(struct layout *l, const uint8_t *p, size_t len)
{
	while (len) {
		const uint8_t *mark;
		size_t n = l->filling ? fill_len(l, p, len) : 0;

		p += n;
		len -= n;
		mark = len ? memchr(p, VALUE_MARK, len) : NULL;
		n = mark ? (size_t)(mark - p) : len;
		record_put(l, p, n);
		p += n;
		len -= n;
		if (!mark)
			return;
		mark_put(l);
		p++;
		len--;
	}
}

/* --- sorted ------------------------------------------------------------------------------- */

static bool line_put(struct layout *l, const uint8_t *p, size_t len)
{
	return l->config->sorted->put(l->state, l->sort, p, len);
}

/* The piece of a line that continues what was kept of it. */
static bool line_continue(struct layout *l, const uint8_t *p, size_t len, bool whole)
{
	bool put = true;

	l->too_long |= len > LINE_MAX_OCTETS - l->line.len;
	if (!l->too_long)
		buf_put(&l->line, p, len);
	if (!whole)
		return true;
	if (!l->too_long)
		put = line_put(l, l->line.data, l->line.len);
	l->line.len = 0;
	l->too_long = false;
	return put;
}

static bool sorted_part(struct layout *l, const uint8_t *p, size_t len)
{
	while (len) {
		const uint8_t *end = memchr(p, '\n', len);
		size_t n = end ? (size_t)(end - p) : len;

		if (!line_continue(l, p, n, end != NULL))
			return false;
		n += end != NULL;
		p += n;
		len -= n;
	}
	return true;
}

/* --- records ------------------------------------------------------------------------------ */

bool layout_begin(struct layout *l, uint64_t seq, const struct record *r, const void *front,
		  size_t len)
{
	if (l->frames)
		return frames_begin(l->frames, seq, r, front, len);
	l->line.len = 0;
	l->too_long = false;
	if (l->sort)
		l->config->sorted->target(l->state, seq, r);
	if (l->order)
		order_begin(l->order, seq, r);
	if (l->config->around)
		around_begin(l, front, len);
	else if (len)
		return layout_part(l, front, len);
	return true;
}

size_t layout_portion(const struct layout *l)
{
	if (l->frames)
		return l->config->frames->piece;
	return l->segments ? WRITER_BUFFER / (l->front.len + 1) + 1 : SIZE_MAX;
}

bool layout_part(struct layout *l, const void *p, size_t len)
{
	if (l->frames) {
		frames_part(l->frames, l->writer, p, len);
		return true;
	}
	if (l->sort)
		return sorted_part(l, p, len);
	if (l->config->around && l->segments)
		around_part(l, p, len);
	else
		record_put(l, p, len);
	return !l->order || !order_failed(l->order);
}

bool layout_end(struct layout *l, const void *p, size_t len)
{
	if (l->frames) {
		frames_end(l->frames, l->writer, p, len);
		return true;
	}
	if (!l->sort && !l->order &&
	    l->segments == 0) { /* as it is, and nothing of it is to come */
		writer_put(l->writer, p, len);
		return true;
	}
	if (!layout_part(l, p, len))
		return false;
	row_end(l);
	if (l->order)
		order_end(l->order);
	else if (!l->sort)
		writer_put(l->writer, NULL, 0);
	return !l->order || !order_failed(l->order);
}

bool layout_pass(struct layout *l, const struct layout_piece *p)
{
	return l->frames && frames_pass(l->frames, l->writer, p);
}

void layout_count(struct layout *l, const struct stats *delta)
{
	if (l->frames)
		l->config->frames->count(l->config->frames->arg, delta, l->writer);
}

int64_t layout_turn(struct layout *l, int64_t now_us)
{
	if (!l->frames)
		return INT64_MAX;
	return l->config->frames->turn(l->config->frames->arg, now_us, l->writer);
}

enum layout_state layout_finish(struct layout *l)
{
	struct spool_item item;
	size_t taken = 0;

	if (l->order)
		return order_finish(l->order, l->writer);
	while (l->sort) {
		enum spool_state state;

		if (writer_full(l->writer) || taken >= FINISH_MAX)
			return LAYOUT_MORE;
		state = spool_sort_next(l->sort, &item);
		if (state == SPOOL_FAILED)
			return LAYOUT_FAILED;
		if (state == SPOOL_LATER)
			return LAYOUT_MORE;
		if (state == SPOOL_END)
			break;
		taken += item.key_len + item.len;
		l->scratch.len = 0;
		l->config->sorted->item(l->state, &l->scratch, &item);
		writer_put(l->writer, l->scratch.data, l->scratch.len);
	}
	return LAYOUT_DONE;
}

/*
 * Numbers drawn in text.
 *
 * Latencies of one run reach over decades, a switch in the rack and a modem behind a satellite; on even ranges all but
 * one line would be empty. So the ranges are 1, 2, 5, 10 of each decade, from the fastest to the slowest, and where
 * that is more than a person wants to read, the decades. Empty ranges in between are shown: a gap is what one
 * looks for.
 *
 * A bucket of the histogram is counted where its upper edge lies, which is right but for 1/64 at a range's end.
 */
#include "cli/chart.h"

#include <inttypes.h>

#define ROWS_MAX 13
#define EDGE_MAX INT64_C(1000000000000) /* us: beyond all that is told apart */

static const char *const eighths[] = {
	"",
	"\xe2\x96\x8f",
	"\xe2\x96\x8e",
	"\xe2\x96\x8d",
	"\xe2\x96\x8c",
	"\xe2\x96\x8b",
	"\xe2\x96\x8a",
	"\xe2\x96\x89",
};
#define FULL "\xe2\x96\x88"

void chart_bar(struct buf *out, const struct chart *c, uint64_t n, uint64_t most)
{
	unsigned parts = c->blocks ? 8 : 1;
	double share = most > 0 ? (double)n / (double)most : 0;
	unsigned long len = (unsigned long)(share * c->width * parts + 0.5);

	if (n > 0 && len == 0)
		len = 1;
	for (unsigned long i = 0; i < len / parts; i++)
		buf_puts(out, c->blocks ? FULL : "#");
	if (c->blocks)
		buf_puts(out, eighths[len % parts]);
}

/* The edge after this one: 1, 2, 5, 10, 20 …; or 1, 10, 100 … */
static int64_t next_edge(int64_t edge, bool decades)
{
	int64_t one = 1;

	if (decades)
		return edge * 10;
	while (one * 10 <= edge)
		one *= 10;
	return edge / one == 2 ? one * 5 : edge * 2;
}

/* The first edge of the range in which us is. */
static int64_t edge_below(int64_t us, bool decades)
{
	int64_t edge = 1;

	while (edge < EDGE_MAX && next_edge(edge, decades) < us)
		edge = next_edge(edge, decades);
	return edge;
}

static unsigned rows_from(int64_t edge, int64_t max_us, bool decades)
{
	unsigned rows = 1;

	while (edge < EDGE_MAX && (edge = next_edge(edge, decades)) < max_us)
		rows++;
	return rows;
}

static void put_edge(struct buf *out, int64_t us)
{
	buf_printf(out, us < 1000 ? "%7g" : "%7.0f", (double)us / 1e3);
}

static void put_row(struct buf *out, int64_t from_us, int64_t to_us, uint64_t n)
{
	buf_puts(out, "  ");
	put_edge(out, from_us);
	buf_puts(out, " to");
	put_edge(out, to_us);
	buf_printf(out, " ms %10" PRIu64, n);
}

struct range {
	int64_t from_us, to_us;
	uint64_t count;
};

void chart_latency(struct buf *out, const struct chart *c, const struct histogram *h)
{
	int64_t min_us = histogram_quantile(h, 0), max_us = histogram_max(h);
	bool decades = rows_from(edge_below(min_us, false), max_us, false) > ROWS_MAX;
	struct range ranges[ROWS_MAX];
	uint64_t before = 0, most = 0;
	unsigned rows = 0;

	if (!histogram_count(h))
		return;
	for (int64_t edge = edge_below(min_us, decades); rows < ROWS_MAX; rows++) {
		int64_t to_us = next_edge(edge, decades);
		bool last = to_us >= max_us || rows == ROWS_MAX - 1;
		uint64_t upto = last ? histogram_count(h) : histogram_at_most(h, to_us);

		ranges[rows] = (struct range){edge, to_us, upto - before};
		most = ranges[rows].count > most ? ranges[rows].count : most;
		before = upto;
		edge = to_us;
		if (last) {
			rows++;
			break;
		}
	}
	for (unsigned i = 0; i < rows; i++) {
		put_row(out, ranges[i].from_us, ranges[i].to_us, ranges[i].count);
		buf_puts(out, ranges[i].count ? "  " : "");
		chart_bar(out, c, ranges[i].count, most);
		buf_putc(out, '\n');
	}
}

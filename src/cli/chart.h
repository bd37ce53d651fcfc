/*
 * chart - numbers drawn in text.
 */
#ifndef CLI_CHART_H
#define CLI_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/stats.h"

struct chart {
	bool blocks;    /* the reader has Unicode's, else '#' */
	unsigned width; /* columns of the longest bar */
};

/* A bar for n of most; a little something for whatever is not 0. */
void chart_bar(struct buf *out, const struct chart *c, uint64_t n, uint64_t most);
/* A line for each range of a latency, "     0.5 to      1 ms        120  #####": 1, 2, 5, 10 …, or powers of ten
 * where that would be too many. Nothing for an empty histogram. */
void chart_latency(struct buf *out, const struct chart *c, const struct histogram *h);

#endif

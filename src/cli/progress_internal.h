/*
 * progress_internal - the words of the progress line; private to it and its test.
 */
#ifndef CLI_PROGRESS_INTERNAL_H
#define CLI_PROGRESS_INTERNAL_H

#include "base/mem.h"
#include "cli/estimate.h"
#include "cli/progress.h"

struct progress_state {
	uint64_t round; /* 0: there are none */
	uint64_t total; /* 0: not known */
	uint64_t done;
	uint64_t ok;
	uint64_t failed;
	uint64_t in_flight;
	double rate; /* per second */
	struct estimate_left left;
	bool ending;
};

/* A whole line: "progress: round 3, 1200 of 4096 (29 %), 1100 ok, 100 failed, 2048 in flight, 410 per second,
 * about 7 s left". */
void progress_put_line(struct buf *out, const struct progress_state *s);
/* The same for a line that is drawn, without its end; where it is narrow, what matters least is left out. At
 * most columns - 1: at the last column some terminals begin a new line. */
void progress_put_drawn(struct buf *out, const struct progress_state *s, unsigned columns);

#endif

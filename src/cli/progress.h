/*
 * progress - how far the run is, on standard error, for who waits for it.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "out/writer.h"
#include "pool/watcher.h"

struct progress;

struct progress_config {
	bool wanted;   /* --progress: where no line can be drawn, lines are written */
	bool unwanted; /* --no-progress, -q; what is asked for by a signal comes all the same */
	int64_t silence_us; /* how long a silent host takes; 0: nobody knows */
	/* So many hosts are asked at once, and none takes longer than a silent one; 0: others may */
	uint64_t slots;
	/* Where records go; now, and then whatever stands there, or NULL: a line is drawn between two of them only. */
	struct writer *const *writer;
};

/* To be made before children are, who inherit how a log line gets past a line that is drawn. */
struct progress *progress_new(const struct progress_config *c);
struct watcher progress_watcher(struct progress *p); /* for the master; p is its argument */
/* Takes the line off the terminal. Harmless with NULL. */
void progress_free(struct progress *p);

#endif

/*
 * metrics - what the program knows of itself, for Prometheus's textfile collector (--stats-file).
 */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "out/writer.h"
#include "pool/watcher.h"

struct metrics;

/* Sees that path can be written, without changing it: to be called before the output is opened, which may have its
 * temporary file in the same folder. What is wrong is told, and is *result. NULL: not WRITER_OK. interval_us: of the rounds;
 * 0: there is one run. */
struct metrics *metrics_open(const char *path, int64_t interval_us, enum writer_result *result);
void metrics_free(struct metrics *m);

/* Counts, and writes the file at the end of the run or of each round. What fails then is told once, and polling goes
 * on. Lends m. */
struct watcher metrics_watcher(struct metrics *m);

void metrics_reloaded(struct metrics *m, bool good); /* the configuration was read again */

#endif

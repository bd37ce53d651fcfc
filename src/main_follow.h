/*
 * main_follow - who follows a run without being part of it: a manager, metrics, a progress line; private to main.
 */
#ifndef MAIN_FOLLOW_H
#define MAIN_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/notable.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "out/writer.h"
#include "plan/plan.h"
#include "pool/master.h"

#define FOLLOWERS_MAX 4
struct followers {
	struct watcher list[FOLLOWERS_MAX];
	size_t count;
	struct notify *notify;
	struct metrics *metrics; /* NULL: are not wanted */
	size_t lasting;          /* of the list: those above; the rest is of this run */
	struct progress *progress;
	struct notable notable; /* rounds have none */
};
/* Before the output is opened. What is not WRITER_OK was told. */
void main_followers_open(struct followers *f, const struct options *o, enum writer_result *result);
void main_followers_close(struct followers *f);
void main_reloading(struct followers *f);
void main_reloaded(struct followers *f, bool good); /* read, or not */
/* Of a run, before the children are made. All is lent until main_unfollow(). */
void main_follow(struct followers *f, const struct options *o, const struct plan *plan,
		 struct writer *const *writer);
void main_unfollow(struct followers *f);
/* The part of the summary that is not for scripts, on stderr; of a run, rounds have none. */
void main_tables(const struct followers *f, const struct master_result *r);

#endif

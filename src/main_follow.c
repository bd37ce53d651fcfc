/*
 * Who follows the run: made before it, listed for the master, ended after it.
 *
 * A service manager and metrics of our own live as long as the program, not as a run: a reload makes a new run, but the manager
 * is the same, and counters only grow. What they may find wrong is found before the output is opened and the first
 * child forked. The progress line is of one run.
 */
#include "main_internal.h"

#include <unistd.h>

#include "base/terminal.h"
#include "cli/metrics.h"
#include "cli/notify.h"
#include "cli/summary.h"

/* How long a silent host takes, and how many are asked at once; what answers walks may take longer. */
static void know_silence(struct progress_config *c, const struct options *o,
			 const struct plan *plan)
{
	size_t count;
	const struct profile *profiles = plan_profiles(plan, &count);
	bool bounded = o->rate_pps <= 0;

	for (size_t i = 0; i < count; i++) {
		int64_t silence_us = profile_worst_us(&profiles[i], 1);

		if (silence_us > c->silence_us)
			c->silence_us = silence_us;
		bounded = bounded && !profiles[i].nwalk && !profiles[i].ntable;
	}
	c->slots = bounded ? (uint64_t)o->window * o->workers : 0;
}

static void follow(struct followers *f, struct watcher w)
{
	f->list[f->count++] = w;
}

void main_followers_open(struct followers *f, const struct options *o, enum writer_result *result)
{
	*f = (struct followers){.notify = notify_open()};
	*result = WRITER_OK;
	follow(f, notify_watcher(f->notify));
	if (o->stats_file != NULL)
		f->metrics = metrics_open(o->stats_file, o->interval_us, result);
	if (f->metrics != NULL)
		follow(f, metrics_watcher(f->metrics));
	f->lasting = f->count;
}

void main_reloading(struct followers *f)
{
	notify_reloading(f->notify);
}

void main_reloaded(struct followers *f, bool good)
{
	notify_reloaded(f->notify,
			good ? "reloaded; the next round is of the new configuration"
			     : "reload failed, the log says why; polling goes on as before");
	if (f->metrics != NULL)
		metrics_reloaded(f->metrics, good);
}

void main_followers_close(struct followers *f)
{
	metrics_free(f->metrics);
	notify_free(f->notify);
}

void main_follow(struct followers *f, const struct options *o, const struct plan *plan,
		 struct writer *const *writer)
{
	struct progress_config c = {
		.wanted = o->progress, .unwanted = o->no_progress || o->quiet, .writer = writer};

	f->notable = (struct notable){0};
	know_silence(&c, o, plan);
	f->progress = progress_new(&c);
	follow(f, progress_watcher(f->progress));
	if (o->summary && o->interval_us == 0)
		follow(f, notable_watcher(&f->notable));
}

void main_unfollow(struct followers *f)
{
	progress_free(f->progress);
	f->progress = NULL;
	f->count = f->lasting;
}

void main_tables(const struct followers *f, const struct master_result *r)
{
	struct summary_look look = {.colour = terminal_colours(STDERR_FILENO),
				    .blocks = terminal_shows_utf8(),
				    .columns = terminal_columns(STDERR_FILENO)};
	struct buf text = {0};

	summary_put_tables(&text, r, &f->notable, &look);
	main_tell(LOG_LEVEL_INFO, &text);
}

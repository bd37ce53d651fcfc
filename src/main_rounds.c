/*
 * A service: the outputs of its rounds, and what it comes to in the end.
 *
 * A stream stays open, its records come as they come. A file is one round's: it appears whole when that is over, and
 * in the same act the next one is opened, though it is not written to for a while; for its lock says that this file is
 * ours, and a second service with the same file ends before it has polled anything. A name with the time in it can only be
 * opened when that has come.
 *
 * A round whose output cannot be had, or written, is told and counted, and the next one has its own chance: the
 * disk that is full now is empty in the morning, when nobody is there to start us again. Rejected: to poll all the
 * same; devices are not asked for nothing. A stream has no second chance: half a record may stand in it.
 */
#include "main_internal.h"

#include <string.h>

struct service {
	struct job *job;
	const struct options *o; /* the first ones: outputs do not change with what is polled */
	bool lasts;              /* the output serves all rounds */
	bool timed; /* its name has the time in it: only the round itself can open it */
	int status; /* for which the service ends; 0: goes on */
};

static void service_open(struct service *s)
{
	enum writer_result opened;

	s->job->writer = main_output(s->o, &opened);
	if (opened == WRITER_OK)
		return;
	main_writer_status(s->job->writer, opened);
	writer_free(s->job->writer);
	s->job->writer = NULL;
}

static struct writer *service_begin(void *arg)
{
	struct service *s = arg;

	if (s->job->writer == NULL)
		service_open(s);
	return s->job->writer;
}

/* What became of a round's output: 0, or an exit status. */
static int round_status(struct service *s, struct master_result *r)
{
	if (r->written == WRITER_OK && !s->lasts)
		r->written = writer_commit(s->job->writer);
	if (r->written != WRITER_OK)
		return main_writer_status(s->job->writer, r->written);
	return r->lost > 0 ? EXIT_NOT_WRITTEN : EXIT_ALL_OK;
}

static bool service_end(void *arg, const struct master_result *r)
{
	struct service *s = arg;
	struct master_result over = *r;
	int status = round_status(s, &over);
	bool broken = over.written != WRITER_OK && s->lasts;
	bool ends = broken || (status != 0 && r->signal != 0);

	if (ends)
		s->status = status;
	main_ended(s->job, &over);
	if (s->lasts || (writer_goes_on(s->job->writer) && r->signal == 0))
		return !ends;
	writer_free(s->job->writer);
	s->job->writer = NULL;
	if (!s->timed && r->signal == 0)
		service_open(s);
	return !ends;
}

/* The last good one counts, whatever comes after it. */
static bool service_reload(void *arg)
{
	struct service *s = arg;
	struct generation *g;

	main_reloading(&s->job->followers);
	g = main_generation(s->job->words);
	main_reloaded(&s->job->followers, g != NULL);
	if (g == NULL) {
		log_error("nothing was reloaded: what was polled before is polled on");
		return s->job->next != NULL;
	}
	main_generation_free(s->job->next);
	s->job->next = g;
	return true;
}

/* The exit status of all of it. */
static int service_status(struct service *s, const struct master_result *r)
{
	if (r->aborted)
		return r->signal != 0 ? 128 + r->signal : EXIT_SYSTEM;
	if (r->written == WRITER_CLOSED)
		return EXIT_CLOSED;
	if (s->status == 0 && s->lasts) {
		enum writer_result written = writer_commit(s->job->writer);

		if (written != WRITER_OK)
			s->status = main_writer_status(s->job->writer, written);
	}
	if (s->status != 0)
		return s->status;
	return r->signal != 0 ? 128 + r->signal : EXIT_SYSTEM;
}

/* What was polled goes, with its keys and communities, before the next children are forked. */
static void service_take_over(struct service *s, struct generation **now)
{
	struct job *job = s->job;

	plan_free(*job->first);
	*job->first = NULL;
	main_generation_free(*now);
	*now = job->next;
	job->next = NULL;
	job->o = &(*now)->options;
	job->plan = (*now)->plan;
}

/* One configuration after the other; the first plan is the caller's until then. */
static int service_run(struct service *s)
{
	struct generation *now = NULL;
	struct master_result r;
	bool reload;
	int status;

	do {
		if (!main_master(s->job, &r)) {
			status = EXIT_SYSTEM;
			break;
		}
		reload = r.reload;
		histogram_free(r.latency);
		if (!reload) {
			status = service_status(s, &r);
			break;
		}
		service_take_over(s, &now);
	} while (true);
	main_generation_free(s->job->next);
	main_generation_free(now);
	return status;
}

int main_rounds(struct job *job)
{
	const struct options *o = job->o;
	struct service service = {.job = job,
				  .o = o,
				  .lasts = writer_lasts(job->writer),
				  .timed = o->output != NULL && strchr(o->output, '%') != NULL};
	struct master_schedule schedule = {0};
	struct master_rounds rounds = {.interval_us = o->interval_us,
				       .spread = !o->no_spread,
				       .schedule = &schedule,
				       .arg = &service,
				       .begin = service_begin,
				       .end = service_end,
				       .reload = service_reload};
	int status;

	job->rounds = &rounds;
	job->learnt = memory_new();
	status = service_run(&service);
	memory_free(job->learnt);
	job->learnt = NULL;
	job->rounds = NULL;
	job->o = o;
	return status;
}

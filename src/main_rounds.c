/*
 * A service: the outputs of its rounds, and what it comes to in the end.
 *
 * A stream stays open, its records come as they come. A file is one round's: it appears whole when that is over, and
 * the next one is opened at once, though it is not written to for a while; for its lock says that this file is ours, and
 * a second service with the same file ends before it has polled anything. A name with the time in it can only be
 * opened when that has come.
 *
 * A round whose output cannot be had, or written, is told and counted, and the next one has its own chance: the
 * disk that is full now is empty in the morning, when nobody is there to start us again. Rejected: to poll all the
 * same; devices are not asked for nothing. A stream has no second chance: half a record may stand in it.
 */
#include "main_internal.h"

#include <string.h>

struct service {
	const struct options *o;
	const struct master_config *config;
	struct writer **writer; /* NULL: none is open */
	bool lasts;             /* it serves all rounds */
	bool timed;             /* its name has the time in it: only the round itself can open it */
	int status;             /* for which the service ends; 0: goes on */
};

static void service_open(struct service *s)
{
	enum writer_result opened;

	*s->writer = main_output(s->o, &opened);
	if (opened == WRITER_OK)
		return;
	main_writer_status(*s->writer, opened);
	writer_free(*s->writer);
	*s->writer = NULL;
}

static struct writer *service_begin(void *arg)
{
	struct service *s = arg;

	if (*s->writer == NULL)
		service_open(s);
	return *s->writer;
}

/* What became of a round's output: 0, or an exit status. */
static int round_status(struct service *s, struct master_result *r)
{
	if (r->written == WRITER_OK && !s->lasts)
		r->written = writer_commit(*s->writer);
	if (r->written != WRITER_OK)
		return main_writer_status(*s->writer, r->written);
	return r->lost > 0 ? EXIT_NOT_WRITTEN : EXIT_ALL_OK;
}

static bool service_end(void *arg, const struct master_result *r)
{
	struct service *s = arg;
	struct master_result over = *r;
	int status = round_status(s, &over);
	bool ends = status != 0 && (s->lasts || r->signal != 0);

	if (ends)
		s->status = status;
	main_ended(s->o, s->config, &over);
	if (s->lasts)
		return !ends;
	writer_free(*s->writer);
	*s->writer = NULL;
	if (!s->timed && !ends && r->signal == 0)
		service_open(s);
	return !ends;
}

/* The exit status of all of it. */
static int service_status(struct service *s, const struct master_result *r)
{
	if (r->aborted)
		return r->signal != 0 ? 128 + r->signal : EXIT_SYSTEM;
	if (r->written == WRITER_CLOSED)
		return EXIT_CLOSED;
	if (s->status == 0 && s->lasts) {
		enum writer_result written = writer_commit(*s->writer);

		if (written != WRITER_OK)
			s->status = main_writer_status(*s->writer, written);
	}
	if (s->status != 0)
		return s->status;
	return r->signal != 0 ? 128 + r->signal : EXIT_SYSTEM;
}

int main_rounds(const struct options *o, struct master_config *config, struct writer **writer)
{
	struct service service = {.o = o,
				  .config = config,
				  .writer = writer,
				  .lasts = writer_lasts(*writer),
				  .timed = o->output != NULL && strchr(o->output, '%') != NULL};
	struct master_schedule schedule = {0};
	struct master_rounds rounds = {.interval_us = o->interval_us,
				       .spread = !o->no_spread,
				       .schedule = &schedule,
				       .arg = &service,
				       .begin = service_begin,
				       .end = service_end};
	struct master_result result;
	int status;

	config->rounds = &rounds;
	config->memory = memory_new();
	master_run(config, &result);
	memory_free(config->memory);
	status = service_status(&service, &result);
	histogram_free(result.latency);
	return status;
}

/*
 * A cell of an agent: a run without a list, in the format of who asked for it.
 *
 * What the run's description says of the format and of what to ask comes from another machine; how many workers there are, how
 * much is in flight, from where it is sent and what children give up is this one's. Credentials are looked up here, and are gone from
 * this process and its children, but for the keys, before the first of them is forked.
 *
 * The trap: the records of a wrong description would be of no use to anybody. So it ends with EXIT_WRONG, which the agent takes for what it
 * is: no death, and nothing that trying again would mend.
 */
#include "main_agent.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/broker.h"
#include "link/cell.h"
#include "plan/fed.h"
#include "pool/resolver.h"
#include "pool/sandbox.h"
#include "pool/worker.h"

#define SESSION_WINDOW 1000 /* what `per_host` is at most: there is one host */

struct life { /* what children are given; not to be moved */
	struct sandbox sandbox;
	struct worker_config worker, session;
	struct resolver_options resolver;
	struct format_options shape;
	char head[FORMAT_HEAD_MAX];
	const struct format *format;
	struct plan *plan;
};

static int run_worker(const void *arg, int fd, _Atomic uint64_t *at_work)
{
	return worker_main(arg, fd, at_work);
}

static int run_resolver(const void *arg, int fd)
{
	return resolver_main(arg, fd);
}

static bool shape_read(struct life *life, const struct run *run)
{
	char error[FIELDS_ERROR_MAX];

	life->format = format_find(run->format);
	if (life->format == NULL) {
		log_error("there is no format '%.40s' here; is the master of the same version?",
			  run->format);
		return false;
	}
	life->shape.null = run->null_ends && life->format->null;
	if (run->fields == NULL ||
	    fields_parse(&life->shape.fields, run->fields, life->format->fields, error))
		return true;
	log_error("a run's --fields: %s", error);
	return false;
}

/* Who meets devices knows neither the words of the files nor how to be let in by the broker. This process's copies go. */
static void forget(const struct agency *agency)
{
	struct broker *broker = (struct broker *)&agency->o->own_broker;

	conf_forget_secrets(agency->o->conf);
	if (agency->words != NULL)
		reread_wipe(agency->words);
	if (broker->password != NULL)
		mem_wipe(broker->password, strlen(broker->password));
}

/* Secrets go as soon as profiles and keys have what is needed. */
static bool plan_read(struct life *life, const struct agency *agency, const struct run *run)
{
	const char *error;

	life->plan = plan_fed(agency->keys, run->profiles, run->profiles_len, &error);
	forget(agency);
	if (life->plan == NULL)
		log_error("what a run asks for cannot be read: %s", error);
	return life->plan != NULL;
}

static void workers_make(struct life *life, const struct options *o, const struct run *run)
{
	life->worker = (struct worker_config){.window = o->window,
					      .source4 = o->source4,
					      .source6 = o->source6,
					      .debug = o->debug,
					      .format = life->format,
					      .format_options = &life->shape,
					      .unwanted = run->unwanted,
					      .sandbox = &life->sandbox};
	life->worker.profiles = plan_profiles(life->plan, &life->worker.nprofiles);
	life->session = life->worker;
	life->session.sessions = true;
	if (life->session.window > SESSION_WINDOW)
		life->session.window = SESSION_WINDOW;
	life->resolver = (struct resolver_options){.sandbox = &life->sandbox};
}

static int poll_all(struct life *life, const struct agency *agency, const struct run *run,
		    struct writer *w, struct cell *cell)
{
	struct master_feed feed = cell_feed(cell);
	struct layout_frames frames = cell_frames(cell);
	struct master_config config = {.plan = life->plan,
				       .writer = w,
				       .feed = &feed,
				       .worker = run_worker,
				       .worker_arg = &life->worker,
				       .session_arg = &life->session,
				       .resolver = run_resolver,
				       .resolver_arg = &life->resolver,
				       .window = agency->o->window,
				       .workers = agency->alone ? 1 : agency->o->workers,
				       .format = life->format->record,
				       .format_options = &life->shape,
				       .null_ends = life->shape.null,
				       .one_line = life->format->one_line,
				       .even_quotes = life->format->quotes,
				       .unwanted = run->unwanted};
	struct master_result result;

	config.layout = format_layout(life->format, &life->shape, life->head);
	config.layout.frames = &frames;
	master_run(&config, &result);
	histogram_free(result.latency);
	if (result.written == WRITER_OK && !result.failed)
		result.written = writer_commit(w);
	return result.failed ? EXIT_SYSTEM : result.written != WRITER_OK ? EXIT_NOT_WRITTEN : 0;
}

/* Reads and writes the queue, each by a descriptor of its own. cell_new() makes both non-blocking: the writer is to find them so. */
static int cell_poll(struct life *life, const struct agency *agency, const struct run *run,
		     uint8_t *slots, int queue_fd)
{
	struct cell_config config = {.plan = life->plan,
				     .who = agency->who,
				     .sessions = run->sessions,
				     .alone = agency->alone,
				     .slots = slots,
				     .queue_fd = queue_fd};
	struct writer_options out = {.fd = dup(queue_fd)};
	enum writer_result opened;
	struct writer *w;
	struct cell *cell;
	int status = EXIT_SYSTEM;

	if (out.fd < 0) {
		log_error("no descriptor is left for a cell");
		return EXIT_SYSTEM;
	}
	cell = cell_new(&config);
	w = writer_open(&out, &opened);
	if (opened == WRITER_OK)
		status = poll_all(life, agency, run, w, cell);
	cell_free(cell);
	writer_free(w);
	return status;
}

int main_cell(const void *arg, const struct run *run, bool alone, uint8_t *slots, int queue_fd)
{
	struct agency agency = *(const struct agency *)arg;
	struct life life = {.sandbox = agency.sandbox};
	int status;

	agency.alone = alone;
	if (!shape_read(&life, run) || !plan_read(&life, &agency, run))
		return EXIT_WRONG;
	life.sandbox.paths = run->sessions > 0;
	sandbox_adopt(&life.sandbox);
	workers_make(&life, agency.o, run);
	log_set_level(agency.o->quiet ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING);
	status = cell_poll(&life, &agency, run, slots, queue_fd);
	plan_free(life.plan);
	return status;
}

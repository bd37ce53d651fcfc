/*
 * The run: puts the rooms together.
 *
 * Options and plan say what to do, the writer where to, the master does it with workers and a resolver that
 * it knows only as functions given to it here. When it is over, the output is committed, and what the run came
 * to becomes the exit status.
 *
 * The trap: a signal between the making of a temporary file and its removal would leave it behind. So those that end
 * a run wait, from before the output is opened, until the master hears them, and again from its end until the
 * output is committed.
 */
#include "main_internal.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/user.h"
#include "main_remote.h"
#include "cli/summary.h"
#include "pool/resolver.h"
#include "pool/sandbox.h"
#include "pool/worker.h"

struct worker_life {
	struct worker_config config;
	const struct job *job;
};

struct resolver_life {
	struct resolver_options options;
	const struct job *job;
};

/* Words and variables are for the master, which may have to read them again; passphrases for --explain. Keys are all
 * that polling takes. */
void main_forget(const struct job *job)
{
	conf_forget_secrets(job->o->conf);
	if (job->words != NULL)
		reread_wipe(job->words);
}

static int run_worker(const void *arg, int fd, _Atomic uint64_t *at_work)
{
	const struct worker_life *life = arg;

	main_forget(life->job);
	return worker_main(&life->config, fd, at_work);
}

/* Who reads name servers asks no device: the resolver's copies of plans go, and all secrets with them. */
static int run_resolver(const void *arg, int fd)
{
	const struct resolver_life *life = arg;

	main_forget(life->job);
	plan_free(life->job->plan);
	main_generation_free(life->job->next);
	return resolver_main(&life->options, fd);
}

/* --- what children give up ---------------------------------------------------------------- */

#define RUN_AS "nobody" /* if nothing else is set */

/* Whom children become. False: it cannot be had, which was told. */
static bool choose_user(struct sandbox *s, const struct conf *conf)
{
	const char *name = conf_run_as(conf, NULL);
	struct user user;

	if (!name && geteuid() != 0)
		return true;
	if (!user_find(name ? name : RUN_AS,
		       &user)) { /* plan_new() has found the one that is set */
		if (geteuid() == 0)
			log_error("there is no user '%s' to run workers as (see run_as)",
				  name ? name : RUN_AS);
		return geteuid() != 0;
	}
	if (geteuid() == 0) {
		s->becomes = user.uid != 0;
		s->user = user;
	} else if (name && user.uid != geteuid()) {
		log_warning("run_as: only root can become '%s'; workers stay who they are", name);
	}
	return true;
}

bool main_sandbox(struct sandbox *s, const struct conf *conf)
{
	return choose_user(s, conf) && sandbox_prepare(s);
}

/* --- the run ------------------------------------------------------------------------------ */

#define SESSION_WINDOW 1000 /* what `per_host` is at most: there is one host */

/* --- the end of a run --------------------------------------------------------------------- */

int main_writer_status(struct writer *w, enum writer_result result)
{
	if (result == WRITER_CLOSED)
		return EXIT_CLOSED;
	if (*writer_error(w) != '\0')
		log_error("%s", writer_error(w));
	if (result == WRITER_NOTHING)
		return EXIT_WRONG;
	return result == WRITER_LOCKED ? EXIT_SYSTEM : EXIT_NOT_WRITTEN;
}

/* Commits; what became of that is in the result, too. */
static int run_status(const struct options *o, struct writer *w, struct master_result *r)
{
	if (r->aborted)
		return r->signal != 0 ? 128 + r->signal : EXIT_SYSTEM;
	if (r->written == WRITER_OK)
		r->written = writer_commit(w);
	if (r->written != WRITER_OK)
		return main_writer_status(w, r->written);
	if (r->lost > 0)
		return EXIT_NOT_WRITTEN;
	if (r->signal != 0)
		return 128 + r->signal;
	if (r->failed)
		return EXIT_SYSTEM;
	return options_enough(o, r->status[RECORD_OK], r->targets) ? EXIT_ALL_OK : EXIT_NOT_ALL;
}

/* SIG_BLOCK or SIG_UNBLOCK: those that end a run. */
static void signals_hold(int how)
{
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(how, &ending, NULL);
}

/* What children are given; not to be moved. */
struct life {
	struct sandbox sandbox;
	struct worker_life worker;
	struct worker_life session;
	struct resolver_life resolver;
	struct remote_life remote;
};

static bool life_make(struct life *life, struct job *job)
{
	const struct options *o = job->o;

	*life = (struct life){.sandbox = {.paths = plan_has_paths(job->plan), .told = job->told},
			      .worker = {.job = job,
					 .config = {.window = o->window,
						    .source4 = o->source4,
						    .source6 = o->source6,
						    .debug = o->debug,
						    .format = o->format,
						    .format_options = &o->format_options,
						    .unwanted = o->unwanted,
						    .sandbox = &life->sandbox}},
			      .resolver = {.options = {.sandbox = &life->sandbox}, .job = job}};
	if (!main_sandbox(&life->sandbox, o->conf)) {
		log_error("workers cannot give up their rights, so none is started");
		return false;
	}
	job->told = life->sandbox.told;
	if (o->broker != NULL)
		main_remote_make(&life->remote, job, &life->sandbox);
	life->worker.config.profiles = plan_profiles(job->plan, &life->worker.config.nprofiles);
	life->session = life->worker;
	life->session.config.sessions = true;
	if (life->session.config.window > SESSION_WINDOW)
		life->session.config.window = SESSION_WINDOW;
	return true;
}

static struct master_config master_of(const struct job *job, const struct life *life)
{
	const struct options *o = job->o;

	return (struct master_config){.plan = job->plan,
				      .writer = job->rounds ? NULL : job->writer,
				      .rounds = job->rounds,
				      .memory = job->learnt,
				      .remote = job->o->broker != NULL ? &life->remote.config
								       : NULL,
				      .worker = run_worker,
				      .worker_arg = &life->worker,
				      .session_arg = &life->session,
				      .resolver = run_resolver,
				      .resolver_arg = &life->resolver,
				      .window = o->window,
				      .workers = o->workers,
				      .rate_pps = o->rate_pps,
				      .deadline_us = o->deadline_us,
				      .format = o->format->record,
				      .format_options = &o->format_options,
				      .layout = o->layout,
				      .null_ends = o->format_options.null,
				      .one_line = o->format->one_line,
				      .even_quotes = o->format->quotes,
				      .unwanted = o->unwanted,
				      .watchers = job->followers.list,
				      .nwatchers = job->followers.count,
				      .weigh = job->followers.metrics != NULL};
}

bool main_master(struct job *job, struct master_result *r)
{
	struct master_config config;
	struct life life;

	if (!life_make(&life, job))
		return false;
	config = master_of(job, &life);
	master_run(&config, r);
	main_remote_free(&life.remote);
	return true;
}

void main_ended(struct job *job, const struct master_result *r)
{
	const struct followers *f = &job->followers;
	struct buf summary = {0};

	for (size_t i = 0; i < f->count; i++)
		if (f->list[i].ended != NULL)
			f->list[i].ended(f->list[i].arg, r);
	if (!job->o->summary)
		return;
	summary_put(&summary, r);
	main_tell(LOG_LEVEL_INFO, &summary);
}

static int run_once(struct job *job)
{
	struct master_result result;
	int status;

	if (!main_master(job, &result)) {
		main_remains_close(job, NULL);
		return EXIT_SYSTEM;
	}
	status = run_status(job->o, job->writer, &result);
	main_remains_close(job, &result);
	/* nothing temporary is left, and a reader of stderr may be slow */
	signals_hold(SIG_UNBLOCK);
	if (status != EXIT_CLOSED)
		main_ended(job, &result);
	if (status != EXIT_CLOSED && job->o->summary)
		main_tables(&job->followers, &result);
	histogram_free(result.latency);
	return status;
}

static int run(struct job *job)
{
	int status;

	status = main_remains_open(job);
	if (status != EXIT_ALL_OK) {
		main_remains_close(job, NULL);
		return status;
	}
	main_follow(&job->followers, job->o, job->plan, &job->writer);
	status = job->o->interval_us > 0 ? main_rounds(job) : run_once(job);
	main_unfollow(&job->followers);
	return status;
}

/* Its reader may be long in coming, and who waits for it must be able to give up. */
static bool is_fifo(const char *path)
{
	struct stat st;

	return path != NULL && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* From the making of a temporary file to its removal signals wait until the master hears them. */
int main_poll(const struct options *o, struct plan **plan, struct reread *words)
{
	struct job job = {.o = o, .plan = *plan, .first = plan, .words = words};
	enum writer_result opened;
	int status;

	main_followers_open(&job.followers, o, &opened);
	if (opened != WRITER_OK) {
		main_followers_close(&job.followers);
		return opened == WRITER_LOCKED ? EXIT_SYSTEM : EXIT_NOT_WRITTEN;
	}
	if (!is_fifo(o->output))
		signals_hold(SIG_BLOCK);
	job.writer = main_output(o, &opened);
	signals_hold(SIG_BLOCK);
	main_remains_told(&job);
	status = opened == WRITER_OK ? run(&job) : main_writer_status(job.writer, opened);
	writer_free(job.writer);
	main_followers_close(&job.followers);
	signals_hold(SIG_UNBLOCK);
	return status;
}

/*
 * multisnmp: the words of a person in, one record per target out, an exit status that can be trusted.
 *
 * Puts the rooms together: options and plan say what to do, the writer where to, the master does
 * it with workers and a resolver that it knows only as functions given to it here. What is wrong
 * is told before anything is polled.
 *
 * The trap: a descriptor among 0, 1 and 2 that is closed at the start would be given to the first
 * file or queue opened, and what is meant for stderr would go there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core.h"
#include "base/log.h"
#include "base/quit.h"
#include "base/user.h"
#include "cli/options.h"
#include "cli/summary.h"
#include "out/writer.h"
#include "plan/plan.h"
#include "pool/master.h"
#include "pool/resolver.h"
#include "pool/sandbox.h"
#include "pool/worker.h"
#include "snmp/mib.h"
#include "snmp/pdu.h"
#include "snmp/udp.h"

enum exit_status { /* DESIGN.md, "Exit status and signals"; 128 + n: ended by signal n */
	EXIT_ALL_OK = 0,
	EXIT_NOT_ALL = 1,
	EXIT_WRONG = 2,
	EXIT_NOT_WRITTEN = 3,
	EXIT_SYSTEM = 4,
	EXIT_CLOSED = 141,
};

/* Standard output only for reading: who closed it must not believe that it was written. */
static void open_missing(void)
{
	static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			quit_now(EXIT_SYSTEM);
}

/* What is no result, on stderr; frees it. */
static void tell(enum log_level level, struct buf *text)
{
	log_lines(level, (const char *)text->data, text->len);
	buf_free(text);
}

static int run_worker(const void *arg, int fd, _Atomic uint64_t *at_work)
{
	return worker_main(arg, fd, at_work);
}

struct resolver_life {
	struct resolver_options options;
	struct plan *plan;
};

/* Who reads name servers asks no device: the resolver's copy of the plan goes, and all secrets with it. */
static int run_resolver(const void *arg, int fd)
{
	const struct resolver_life *life = arg;

	plan_free(life->plan);
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

static bool prepare_sandbox(struct sandbox *s, const struct conf *conf)
{
	return choose_user(s, conf) && sandbox_prepare(s);
}

/* --- the run ------------------------------------------------------------------------------ */

#define SESSION_WINDOW 1000 /* what `per_host` is at most: there is one host */

/* --- the end of a run --------------------------------------------------------------------- */

static int writer_status(struct writer *w, enum writer_result result)
{
	if (result == WRITER_CLOSED)
		return EXIT_CLOSED;
	if (*writer_error(w) != '\0')
		log_error("%s", writer_error(w));
	return result == WRITER_LOCKED ? EXIT_SYSTEM : EXIT_NOT_WRITTEN;
}

static int run_status(const struct options *o, struct writer *w, const struct master_result *r)
{
	enum writer_result written = r->written;

	if (r->aborted)
		return r->signal != 0 ? 128 + r->signal : EXIT_SYSTEM;
	if (written == WRITER_OK)
		written = writer_commit(w);
	if (written != WRITER_OK)
		return writer_status(w, written);
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

static int run(const struct options *o, struct plan *plan, struct writer *writer)
{
	struct sandbox sandbox = {.paths = plan_has_paths(plan)};
	struct worker_config worker = {.window = o->window,
				       .source4 = o->source4,
				       .source6 = o->source6,
				       .format = o->format,
				       .unwanted = o->unwanted,
				       .sandbox = &sandbox};
	struct worker_config session;
	struct resolver_life resolver = {.options = {.sandbox = &sandbox}, .plan = plan};
	struct master_config master = {.plan = plan,
				       .writer = writer,
				       .worker = run_worker,
				       .worker_arg = &worker,
				       .session_arg = &session,
				       .resolver = run_resolver,
				       .resolver_arg = &resolver,
				       .window = o->window,
				       .workers = o->workers,
				       .rate_pps = o->rate_pps,
				       .deadline_us = o->deadline_us,
				       .format = o->format->record,
				       .layout = o->format->layout,
				       .one_line = o->format->one_line,
				       .even_quotes = o->format->quotes,
				       .unwanted = o->unwanted};
	struct master_result result;
	struct buf summary = {0};
	int status;

	if (!prepare_sandbox(&sandbox, o->conf))
		return EXIT_SYSTEM;
	worker.profiles = plan_profiles(plan, &worker.nprofiles);
	session = worker;
	session.sessions = true;
	if (session.window > SESSION_WINDOW)
		session.window = SESSION_WINDOW;
	master_run(&master, &result);
	status = run_status(o, writer, &result);
	/* nothing temporary is left, and a reader of stderr may be slow */
	signals_hold(SIG_UNBLOCK);
	if (o->summary && status != EXIT_CLOSED) {
		summary_put(&summary, &result);
		tell(LOG_LEVEL_INFO, &summary);
	}
	histogram_free(result.latency);
	return status;
}

/* Its reader may be long in coming, and who waits for it must be able to give up. */
static bool is_fifo(const char *path)
{
	struct stat st;

	return path != NULL && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* From the making of a temporary file to its removal signals wait until the master hears them. */
static int open_and_run(const struct options *o, struct plan *plan)
{
	struct writer_options options = {.path = o->output, .append = o->append};
	enum writer_result opened;
	struct writer *writer;
	int status;

	if (!is_fifo(o->output))
		signals_hold(SIG_BLOCK);
	writer = writer_open(&options, &opened);
	signals_hold(SIG_BLOCK);
	status = opened == WRITER_OK ? run(o, plan, writer) : writer_status(writer, opened);
	writer_free(writer);
	signals_hold(SIG_UNBLOCK);
	return status;
}

/* --- what is asked for -------------------------------------------------------------------- */

/* Text that is the result, for standard output. */
static int show_result(struct buf *text)
{
	bool shown = text->len == 0 || fwrite(text->data, 1, text->len, stdout) == text->len;

	shown = fflush(stdout) == 0 && shown;
	buf_free(text);
	if (shown)
		return EXIT_ALL_OK;
	log_error("cannot write standard output: %s", strerror(errno));
	return EXIT_NOT_WRITTEN;
}

static int check(const struct plan *plan)
{
	struct buf text = {0};

	plan_describe(plan, &text);
	return show_result(&text);
}

/* A source address that is not ours is told here, once, and not by every worker. */
static bool can_send(const struct options *o)
{
	struct udp_config config = {.window = 1, .source4 = o->source4, .source6 = o->source6};
	char error[256];
	struct udp *udp;

	if (o->source4.family == 0 && o->source6.family == 0)
		return true;
	udp = udp_open(&config, error, sizeof(error));
	if (udp == NULL)
		log_error("%s", error);
	else
		udp_close(udp);
	return udp != NULL;
}

static int act(const struct options *o, enum options_action action)
{
	struct buf text = {0};
	struct plan *plan;
	int status;

	pdu_init();
	mib_setup(o->mib_dirs, o->mib_modules);
	plan = plan_new(&o->plan);
	conf_forget_secrets(o->conf); /* profiles and credentials have what is needed */
	if (!o->quiet)
		conf_warnings(o->conf, &text);
	tell(LOG_LEVEL_WARNING, &text);
	conf_errors(o->conf, &text);
	tell(LOG_LEVEL_ERROR, &text);
	if (plan == NULL)
		return EXIT_WRONG;
	if (!can_send(o))
		status = EXIT_WRONG;
	else
		status = action == OPTIONS_CHECK ? check(plan) : open_and_run(o, plan);
	plan_free(plan);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	struct buf text = {0};
	int status;

	core_forbid();
	open_missing();
	signal(SIGUSR1,
	       SIG_IGN); /* "how far is it?" asked too early, or too late, is no reason to die */
	log_set_style(log_style_of_stderr(false));
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a write that fails: exit 3 */
	switch (options_parse(&options, argc, argv, &text)) {
	case OPTIONS_SHOWN:
		status = show_result(&text);
		break;
	case OPTIONS_WRONG:
		tell(LOG_LEVEL_ERROR, &text);
		status = EXIT_WRONG;
		break;
	case OPTIONS_CHECK:
		status = act(&options, OPTIONS_CHECK);
		break;
	default:
		log_set_level(options.quiet ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING);
		status = act(&options, OPTIONS_RUN);
		break;
	}
	buf_free(&text);
	options_free(&options);
	return status;
}

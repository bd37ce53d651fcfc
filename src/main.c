/*
 * multisnmp: the words of a person in, one record per target out, an exit status that can be trusted.
 *
 * Here is what comes before the run: what is wrong is told before anything is polled. main_run.c is the run,
 * main_rounds.c what is different with --interval.
 *
 * The trap: a descriptor among 0, 1 and 2 that is closed at the start would be given to the first
 * file or queue opened, and what is meant for stderr would go there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/core.h"
#include "base/log.h"
#include "base/quit.h"
#include "base/user.h"
#include "main_check.h"
#include "main_drain.h"
#include "main_internal.h"
#include "snmp/mib.h"
#include "snmp/pdu.h"
#include "snmp/udp.h"

/* Standard output only for reading: who closed it must not believe that it was written. */
static void open_missing(void)
{
	static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			quit_now(EXIT_SYSTEM);
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

void main_tell_conf(const struct options *o)
{
	struct buf text = {0};

	if (!o->quiet)
		conf_warnings(o->conf, &text);
	main_tell(LOG_LEVEL_WARNING, &text);
	conf_errors(o->conf, &text);
	main_tell(LOG_LEVEL_ERROR, &text);
}

struct plan *main_plan(const struct options *o, enum options_action action)
{
	struct plan *plan;

	if (!o->plan.remote) /* else agents make the messages; a plan that is read again may be ours */
		pdu_init();
	mib_setup(o->mib_dirs, o->mib_modules);
	plan = plan_new(&o->plan);
	if (action != OPTIONS_EXPLAIN)        /* which needs them until its children forget them */
		conf_forget_secrets(o->conf); /* profiles and credentials have what is needed */
	main_tell_conf(o);
	if (plan == NULL || can_send(o))
		return plan;
	plan_free(plan);
	return NULL;
}

void main_tell(enum log_level level, struct buf *text)
{
	log_lines(level, (const char *)text->data, text->len);
	buf_free(text);
}

/* A service that is asked to read its files while it reads them does so when it has begun. */
static void hold_reload(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* What is remembered is for who reads it all again, and nobody else: gone before the first fork. */
static int act(const struct options *o, enum options_action action, struct reread **words)
{
	struct plan *plan;
	int status;

	if (o->drain)
		return main_drain(o);
	if (o->agent && action == OPTIONS_CHECK)
		return main_check_agent(o);
	if (o->interval_us > 0 || o->agent)
		hold_reload();
	if (o->agent && action == OPTIONS_RUN) {
		pdu_init();
		return main_agent(o, *words);
	}
	plan = main_plan(o, action);
	if (o->interval_us == 0) {
		reread_free(*words);
		*words = NULL;
	}
	if (plan == NULL)
		return EXIT_WRONG;
	if (action == OPTIONS_EXPLAIN)
		status = main_explain(o, plan);
	else
		status = action == OPTIONS_CHECK ? main_check(o, plan)
						 : main_poll(o, &plan, *words);
	plan_free(plan);
	return status;
}

int main(int argc, char **argv)
{
	struct reread *words;
	struct options options;
	struct buf text = {0};
	int status;

	core_forbid();
	open_missing();
	words = reread_new(argc, argv);
	signal(SIGUSR1,
	       SIG_IGN); /* "how far is it?" asked too early, or too late, is no reason to die */
	log_set_style(log_style_of_stderr(false));
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a write that fails: exit 3 */
	switch (options_parse_with(&options, argc, argv, &text, words)) {
	case OPTIONS_SHOWN:
		status = main_show(&text);
		break;
	case OPTIONS_WRONG:
		main_tell(LOG_LEVEL_ERROR, &text);
		status = EXIT_WRONG;
		break;
	case OPTIONS_CHECK:
		status = act(&options, OPTIONS_CHECK, &words);
		break;
	case OPTIONS_EXPLAIN:
		log_set_level(LOG_LEVEL_WARNING);
		status = act(&options, OPTIONS_EXPLAIN, &words);
		break;
	default:
		log_set_style(log_style_of_stderr(options.interval_us > 0 || options.agent));
		log_set_level(options.quiet   ? LOG_LEVEL_ERROR
			      : options.agent ? LOG_LEVEL_INFO
					      : LOG_LEVEL_WARNING);
		status = act(&options, OPTIONS_RUN, &words);
		break;
	}
	buf_free(&text);
	options_free(&options);
	reread_free(words);
	return status;
}

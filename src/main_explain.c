/*
 * --explain: its questions are polls, as main_run.c does them, with a format and an output of its own.
 *
 * What the command line says of the output, of rounds and of the exit status is not for these. One worker is
 * enough for one host.
 */
#include <unistd.h>

#include "base/terminal.h"
#include "cli/explain.h"
#include "main_internal.h"

struct asker {
	const struct options *options;
	struct plan *plan;
};

/* What asking takes is named here, so that no option for the output or for rounds can get in. */
static int ask(void *arg, const struct explain_ask *a)
{
	const struct asker *asker = arg;
	const struct options *given = asker->options;
	struct plan *plan = asker->plan;
	struct options o = {
		.conf = given->conf,
		.format = a->format,
		.output_fd = a->fd,
		.debug = given->debug,
		.quiet = given->quiet,
		.no_progress = true,
		.workers = 1,
		.window = given->window,
		.rate_pps = given->rate_pps,
		.deadline_us = a->deadline_us,
		.source4 = given->source4,
		.source6 = given->source6,
	};

	return main_poll(&o, &plan, NULL);
}

int main_explain(const struct options *o, struct plan *plan)
{
	struct asker asker = {o, plan};
	struct explain_config config = {
		.plan = plan,
		.conf = o->conf,
		.command = &o->settings,
		.ask = ask,
		.arg = &asker,
		.out = stdout,
		.colour = terminal_colours(STDOUT_FILENO),
		.source4 = o->source4,
		.source6 = o->source6,
	};
	int status = explain(&config);

	if (status == EXIT_NOT_WRITTEN)
		log_error("cannot write standard output");
	return status;
}

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

static int ask(void *arg, const struct explain_ask *a)
{
	const struct asker *asker = arg;
	struct options o = *asker->options;

	o.output = NULL;
	o.append = false;
	o.output_fd = a->fd;
	o.format = a->format;
	o.statuses = o.unwanted = 0;
	o.only_failed = o.summary = false;
	o.min_ok_kind = MIN_OK_ALL;
	o.workers = 1;
	o.interval_us = 0;
	o.progress = false;
	o.no_progress = true;
	o.format_options = (struct format_options){0};
	o.deadline_us = a->deadline_us;
	return main_poll(&o, asker->plan, NULL);
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

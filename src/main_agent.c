/*
 * --agent: takes targets of a site from a broker, for as long as it lives.
 *
 * Options and files say who we are, where the broker is, and what credentials there are; what is polled, and how it is written, comes with
 * the tasks. The agent (link/agent.c) does it with a process that speaks to the broker and cells that poll, which it knows only as
 * functions given to it here.
 *
 * SIGHUP: the files are read again whole, beside those that hold; only what has no error takes their place, and holds for children
 * that are born from then on. What these give up was tried by then: a cell finds it so, and tries nothing again. Name, site and
 * broker stay: they are what others know us by.
 *
 * The trap: the process that speaks to the broker reads certificates and connects; it needs no community and no passphrase, and
 * forgets them first.
 */
#include "main_agent.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/summary.h"
#include "link/batch.h"
#include "plan/fed.h"
#include "plan/reread.h"
#include "snmp/mib.h"

#define PREFETCH_MIN 4   /* runs of few slow hosts each that one agent serves side by side */
#define PREFETCH_MAX 128 /* 65,536 tasks, which is all that an agent has in cells' hands */
#define AHEAD        4   /* tasks for each place in the workers' windows; less from 5 workers on */

static int run_courier(const void *arg, const uint8_t *shared, size_t shared_len, int fd)
{
	const struct agency *agency = arg;
	struct courier_config config = agency->courier;

	config.shared = shared;
	config.shared_len = shared_len;
	conf_forget_secrets(agency->o->conf);
	reread_wipe(agency->words);
	plan_keys_free(agency->keys);
	return courier_main(&config, fd);
}

/* NULL: there are errors, told. */
static struct plan_keys *keys_read(const struct options *o)
{
	struct plan_keys *keys = plan_keys_new(o->conf);
	struct buf text = {0};

	if (!o->quiet)
		conf_warnings(o->conf, &text);
	main_tell(LOG_LEVEL_WARNING, &text);
	conf_errors(o->conf, &text);
	main_tell(LOG_LEVEL_ERROR, &text);
	return keys;
}

/* --- a reload --------------------------------------------------------------------------------- */

/* What the new files say: keys, and whom children become, which is tried. NULL: told why not. */
static struct plan_keys *agree(const struct options *o, struct sandbox *sandbox)
{
	struct plan_keys *keys = keys_read(o);

	if (keys == NULL || main_sandbox(sandbox, o->conf))
		return keys;
	plan_keys_free(keys);
	return NULL;
}

static bool take_over(struct agency *agency, struct generation *g)
{
	struct sandbox sandbox = {.told = agency->sandbox.told};
	struct plan_keys *keys = g != NULL ? agree(&g->options, &sandbox) : NULL;

	main_reloaded(&agency->followers, keys != NULL);
	if (keys == NULL) {
		log_error("nothing was reloaded: it is polled on as before");
		main_generation_free(g);
		return false;
	}
	plan_keys_free(agency->keys);
	main_generation_free(agency->changed);
	agency->keys = keys;
	agency->changed = g;
	agency->o = &g->options;
	agency->sandbox = sandbox;
	return true;
}

static bool reload(void *arg)
{
	struct agency *agency = arg;

	main_reloading(&agency->followers);
	return take_over(agency, main_words_again(agency->words));
}

/* --- the agent ---------------------------------------------------------------------------------- */

/* Enough to fill the workers, with silent hosts among them: a batch stays in hand until the slowest of its hosts is given up, and
 * others keep the workers busy meanwhile. A batch may have fewer tasks, but then there are few. More than four workers (with the
 * default window) have less ahead: what an agent holds is bounded, in memory and in what its death brings back. */
static unsigned prefetch_of(const struct options *o)
{
	uint64_t batches = (uint64_t)o->workers * o->window * AHEAD / BATCH_TASKS;

	return batches < PREFETCH_MIN   ? PREFETCH_MIN
	       : batches > PREFETCH_MAX ? PREFETCH_MAX
					: (unsigned)batches;
}

static int status_of(enum agent_end end, const struct agent_result *r)
{
	switch (end) {
	case AGENT_DRAINED:
		return EXIT_ALL_OK;
	case AGENT_HURRIED:
		return 128 + r->signal;
	default:
		return EXIT_SYSTEM;
	}
}

static void tell_end(struct agency *agency, const struct agent_result *r)
{
	const struct followers *f = &agency->followers;
	struct buf text = {0};

	for (size_t i = 0; i < f->count; i++)
		if (f->list[i].ended != NULL)
			f->list[i].ended(f->list[i].arg, &r->sum);
	if (!agency->o->summary)
		return;
	summary_put(&text, &r->sum);
	buf_printf(&text,
		   "agent: %" PRIu64 " tasks taken in %" PRIu64 " batches, of which %" PRIu64
		   " went back; %" PRIu64 " tasks that nobody wanted any more\n",
		   r->tasks, r->batches, r->returned, r->dropped);
	main_tell(LOG_LEVEL_INFO, &text);
}

static int agent(struct agency *agency, const struct options *o)
{
	char where[300];
	struct agent_config config = {.name = o->name,
				      .site = o->site,
				      .where = where,
				      .courier = run_courier,
				      .courier_arg = agency,
				      .cell = main_cell,
				      .cell_arg = agency,
				      .reload = reload,
				      .reload_arg = agency,
				      .rate_pps = o->rate_pps,
				      .watchers = agency->followers.list,
				      .nwatchers = agency->followers.count};
	struct agent_result result;
	enum agent_end end;

	broker_text(o->broker, where, sizeof(where));
	agency->courier = (struct courier_config){.role = COURIER_AGENT,
						  .broker = o->broker,
						  .name = o->name,
						  .site = o->site,
						  .prefetch = prefetch_of(o),
						  .sandbox = &agency->sandbox};
	end = agent_run(&config, &result);
	tell_end(agency, &result);
	histogram_free(result.sum.latency);
	return status_of(end, &result);
}

int main_agent(const struct options *o, struct reread *words)
{
	struct agency agency = {.o = o, .words = words};
	enum writer_result opened;
	int status = EXIT_SYSTEM;

	mib_setup(o->mib_dirs, o->mib_modules);
	agency.keys = keys_read(o);
	if (agency.keys == NULL)
		return EXIT_WRONG;
	snprintf(agency.who, sizeof(agency.who), "the agent %s of site %s", o->name, o->site);
	main_followers_open(&agency.followers, o, &opened);
	if (opened != WRITER_OK)
		status = opened == WRITER_LOCKED ? EXIT_SYSTEM : EXIT_NOT_WRITTEN;
	else if (main_sandbox(&agency.sandbox, o->conf))
		status = agent(&agency, o);
	else
		log_error("workers cannot give up their rights, so none is started");
	main_followers_close(&agency.followers);
	plan_keys_free(agency.keys);
	main_generation_free(agency.changed);
	return status;
}

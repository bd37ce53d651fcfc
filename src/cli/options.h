/*
 * options - the words of the command line become what the run needs to know.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/mem.h"
#include "link/broker.h"
#include "out/format.h"
#include "plan/reread.h"
#include "plan/plan.h"

enum options_action {
	OPTIONS_RUN,     /* poll */
	OPTIONS_CHECK,   /* print what would be polled */
	OPTIONS_EXPLAIN, /* say why the one target does or does not answer */
	OPTIONS_SHOWN,   /* --help, --version: the text is all there is, for stdout; exit 0 */
	OPTIONS_WRONG,   /* the text says what is wrong, for stderr; exit 2 */
};

#define OPTIONS_WORKERS_MAX 1024
#define OPTIONS_WINDOW_MAX  65536

/* Filled by options_parse(), which also sets `plan` up to point into it: not to be moved. */
struct options {
	struct plan_request plan; /* for plan_new(), after mib_setup() */
	struct conf *conf;        /* files and targets, read; its errors are told by the caller */
	struct settings settings; /* of the command line */
	const char **excludes;
	char *more_dirs; /* what mib_dirs may point to */

	const char *mib_dirs;    /* of -M; else "+" and those of the files; NULL: none */
	const char *mib_modules; /* of -m, else of the files; NULL: none */

	const char *
		output; /* NULL: standard output. A '%' in it is followed by a letter of strftime(3), or another */
	bool append;
	int output_fd; /* above 2: an open file instead of `output`, for --explain's own questions */
	const struct format *format;
	struct format_options format_options;
	struct layout_config layout; /* of the format with these; its head may be the next one */
	char head[FORMAT_HEAD_MAX];
	enum layout_order order;
	const char *fields; /* as they are written; NULL: the format's own */
	uint32_t statuses;  /* a bit for each whose records are asked for; 0: all */
	bool only_failed;
	uint32_t
		unwanted; /* a bit for each whose records are not to be written, of all that is said */
	bool summary;
	bool debug; /* each datagram on stderr */
	bool quiet;
	bool progress, no_progress; /* which came last; neither: where stderr is a terminal */
	double min_ok;              /* what exit status 0 takes: see options_enough() */
	enum {
		MIN_OK_ALL,
		MIN_OK_COUNT,
		MIN_OK_PERCENT
	} min_ok_kind;

	unsigned workers;
	unsigned window;
	double rate_pps;        /* 0: no limit */
	int64_t deadline_us;    /* of the run, or of each round; 0: none */
	const char *stats_file; /* NULL: none */
	int64_t interval_us;    /* from round to round; 0: there are none, but one run */
	bool no_spread;         /* all targets at the begin of a round */
	struct addr source4;    /* family 0: any */
	struct addr source6;

	struct broker
		own_broker; /* what `broker` points to; its password is wiped by options_free() */
	const struct broker *broker; /* NULL: all is done by this machine alone */
	unsigned broker_attempts;    /* how often a task is published, 1 to 20 */
	int64_t broker_patience_us; /* how long to wait for a site's answers; 0: what follows from the plan */
	bool agent;                 /* take targets from the broker */
	const char *site;           /* the agent's */
	const char *name;           /* the agent's */
	char own_name[BROKER_NAME_MAX + 1]; /* what `name` may point to */
	bool resume;                        /* take up the run of a master that died */
	const char *drain; /* the agent that is to finish and end, and nothing else; NULL: none */
};

/* Reads argv, then the files that it names. Wipes secrets in argv as it copies them. The text is
 * appended to out, whole lines. Strings of argv are kept. */
enum options_action options_parse(struct options *o, int argc, char **argv, struct buf *out);
/* Likewise, with a memory (lent for the life of o) of what can be read only once. */
enum options_action options_parse_with(struct options *o, int argc, char **argv, struct buf *out,
				       struct reread *memory);
void options_free(struct options *o);

/* Whether so many targets answered that the exit status is 0. */
bool options_enough(const struct options *o, uint64_t ok, uint64_t targets);

#endif

/*
 * explain - --explain: why one host does or does not answer, step by step, and what would mend it.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "out/format.h"
#include "plan/plan.h"

enum explain_verdict { /* exit statuses of DESIGN.md; others are those of a run that failed */
	EXPLAIN_ANSWERS = 0,
	EXPLAIN_NOT = 1,
	EXPLAIN_NOT_ONE = 2, /* not exactly one target: told */
	EXPLAIN_NOT_WRITTEN = 3,
};

struct explain_ask {                 /* one poll of what the plan hands out */
	const struct format *format; /* of the record … */
	int fd;                      /* … which goes to this file */
	int64_t deadline_us;         /* of the run */
};
struct explain_config {
	struct plan *plan;              /* with its secrets; lent, as all below */
	struct conf *conf;              /* its errors are emptied of what only a probe made wrong */
	const struct settings *command; /* those of the command line */
	/* 0 or 1: it was polled and its record written, whatever its status. Else the exit status. */
	int (*ask)(void *arg, const struct explain_ask *ask);
	void *arg;
	FILE *out; /* each step as soon as it is known */
	bool colour;
	struct addr source4, source6; /* to send from; family 0: any */
};

int explain(const struct explain_config *c); /* the exit status */

#endif

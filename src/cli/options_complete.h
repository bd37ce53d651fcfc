/*
 * options_complete - what the files of completion share: the word at the cursor, and what fits there.
 */
#ifndef CLI_OPTIONS_COMPLETE_H
#define CLI_OPTIONS_COMPLETE_H

#include "cli/options_internal.h"

struct completion {
	struct words files;           /* of -f, as written */
	const struct format *format;  /* of -F */
	const struct option_row *row; /* whose value stands at the cursor; NULL: nobody's */
	const char *word;             /* at the cursor, whole */
	const char *typed; /* into it: what a candidate must begin with; what is before it stays */
	const char *kind;  /* of the answer's first line: see options_complete.c */
	struct buf lines;  /* the candidates */
};

/* Adds text and suffix, if that is how the typed part could go on; case is not looked at. `what` says what
 * it is, NULL: nothing. */
void completion_offer(struct completion *c, const char *text, const char *suffix, const char *what);

/* Of options_complete_values.c: all that fits at the cursor, as value of c->row, or as target. */
void completion_offer_value(struct completion *c);
void completion_offer_targets(struct completion *c);

#endif

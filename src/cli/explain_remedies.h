/*
 * explain_remedies - the table of what may be wrong, a row each.
 */
#ifndef CLI_EXPLAIN_REMEDIES_H
#define CLI_EXPLAIN_REMEDIES_H

#include "cli/explain_internal.h"

struct remedy {
	unsigned causes; /* of these; 0: whatever */
	const char *words;
	const char *helped; /* said when it did; NULL: nothing */
	struct change changes[CHANGES_MAX];
	bool (*fits)(const struct explain *x, const struct remedy *r); /* NULL: always */
	bool (*helps)(const struct explain *x); /* NULL: it came further than before */
	void (*mend)(struct explain *x); /* what it takes beyond the changes; NULL: nothing */
	unsigned knows;                  /* what is known if it helps, which mends nothing then */
	bool whole, move;
	uint8_t transport; /* with move */
	uint16_t port;     /* 0: its own */
};

/* Ends with a row without words. */
extern const struct remedy explain_remedies[];

#endif

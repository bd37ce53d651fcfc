/*
 * walk_table - a table that is walked: what finding its columns, asking and joining share.
 */
#ifndef SNMP_WALK_TABLE_H
#define SNMP_WALK_TABLE_H

#include "snmp/walk_internal.h"

struct column {
	struct oid at;     /* the last OID taken; begins with the column's own */
	uint8_t root;      /* sub-identifiers of that */
	bool shown;        /* else only the others' label */
	bool over;         /* has no more cells */
	bool busy;         /* asked for, not answered yet */
	bool due;          /* its first cell belongs to the row that goes out */
	uint64_t taken;    /* cells */
	struct vars cells; /* taken, not joined yet: from head on */
	size_t head;
	size_t fresh,
		nfresh; /* and behind these, in the answer at hand: every stride-th from fresh on */
	const struct varbind *front; /* the first of all of them */
};

struct search {      /* for the columns of whole tables */
	size_t item; /* of the profile's table */
	bool started;
	size_t first;     /* columns known when it started */
	struct oid entry; /* the columns are the numbers below it */
	uint64_t from;    /* number to be asked next; 0: all of the item */
	uint64_t end;     /* no column has this number or a greater one */
	struct oid *names;
	size_t found; /* columns */
	bool over;    /* all are known */
};

#define NO_COLUMN ((size_t)-1)

struct table {
	struct walk walk;
	const struct profile *p;
	struct column
		*columns; /* in the order in which they are shown; do not move once all are known */
	size_t ncolumns;
	size_t cap;
	size_t label; /* NO_COLUMN: none */
	struct search search;
	struct walk_seen *seen;    /* NULL: OIDs must increase */
	const struct vars *answer; /* at hand */
	size_t stride;             /* names of its question */
	size_t asked;              /* questions under way */
	uint64_t taken;            /* cells of columns that are shown */
	bool alone; /* one column a question: the device does not say which is over */
	bool ended; /* nothing is asked any more */
};

/* Takes the column's cells out of the answer at hand: the first-th varbind and every stride-th after it.
 * False: it breaks the rules. */
bool walk_column_take(struct table *t, struct column *c, size_t first, char words[WALK_WORDS_MAX]);

/* ---- walk_find.c */

void walk_find_start(struct table *t);
void walk_find_free(struct table *t);
bool walk_find_ask(struct table *t, size_t columns, struct walk_question *q);
/* Of the answer at hand. False: it breaks the rules. */
bool walk_find_answer(struct table *t, const struct walk_question *q, char words[WALK_WORDS_MAX]);
void walk_find_none(struct table *t, size_t index); /* from 1 */

/* ---- walk_join.c */

/* Appends the rows that are whole; all: every row, whole or not. */
void walk_join(struct table *t, bool all, struct vars *rows);
void walk_join_keep(struct table *t); /* what the answer at hand has left, before it goes */
size_t walk_join_waiting(const struct column *c); /* cells that wait */

#endif

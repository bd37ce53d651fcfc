/*
 * walk - which objects to ask for next below an OID, and what the answers add: subtrees and tables.
 *
 * Pure: it knows neither sockets nor requests nor the codec. A subtree has one question at a time; a
 * table has several columns under way and joins their rows by index, in bounded memory.
 *
 * Guards (RFC 3416 §4.2.2, §4.2.3): an OID must increase, else the walk is broken (or, where that is
 * allowed, must not have been seen before); the first object beyond the subtree ends it and is no row,
 * so does endOfMibView; an answer may hold fewer repetitions than asked for, but not no varbind at all.
 */
#ifndef SNMP_WALK_H
#define SNMP_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/oid.h"
#include "base/profile.h"
#include "base/vars.h"

#define WALK_COLUMNS_MAX 32  /* varbinds of a question */
#define WALK_WORDS_MAX   400 /* octets of words, NUL included; two OIDs are cut to fit */

enum walk_kind {
	WALK_NEXT, /* GETBULK may be used (v2c, v3), GETNEXT else */
	WALK_GET   /* the OID itself: its subtree was empty, as snmpwalk does */
};

struct walk_question {
	enum walk_kind kind;
	bool single; /* one repetition is enough: columns are only looked for */
	uint16_t count;
	uint16_t octets;                          /* private: of its names, which fit a datagram */
	const struct oid *name[WALK_COLUMNS_MAX]; /* lent until the answer is given */
	uint32_t column[WALK_COLUMNS_MAX];        /* private */
};

struct walk;
/* root is copied; it may be of one number. nonincreasing: an OID that is not greater is accepted once. */
struct walk *walk_subtree(const struct oid *root, bool nonincreasing);
/* All objects of the profile's `table:` as one table, with its index_label; the profile is lent. Columns
 * of a whole table are found by asking. With per_host above 1 its columns are shared out, so that so
 * many questions can be under way. */
struct walk *walk_table(const struct profile *p);
void walk_free(struct walk *w);

/* What may be asked now, at most `columns` of it (1 to WALK_COLUMNS_MAX), furthest behind first. False:
 * nothing, until an answer comes; or ever, see walk_over(). May be called again before the answer. */
bool walk_ask(struct walk *w, size_t columns, struct walk_question *q);
/* Each question that was asked is given to exactly one of the next three; none of them after walk_flush().
 *
 * Its answer's varbinds, any number: whole rows are appended to rows (with their labels). False: the
 * device breaks the rules and the walk is over; words say how. Rows joined so far are not lost:
 * walk_flush(). */
bool walk_answer(struct walk *w, const struct walk_question *q, const struct vars *answer,
		 struct vars *rows, char words[WALK_WORDS_MAX]);
/* noSuchName (v1's end of the MIB) at varbind `index`, from 1: that column is over, the others are to be
 * asked again. An index that names none of several: all are asked again, one by one. */
void walk_none(struct walk *w, const struct walk_question *q, size_t index);
void walk_again(struct walk *w, const struct walk_question *q); /* was not answered: ask again */

bool walk_over(const struct walk *w); /* nothing is asked and nothing left to ask */
/* What was taken but not yet joined into whole rows, when the walk ends early or is over: always to be
 * called last (a column that walk_none() ended may have let rows go; a table that need not increase has
 * kept all of them). Nothing more is asked after it. */
void walk_flush(struct walk *w, struct vars *rows);

#endif

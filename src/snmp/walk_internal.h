/*
 * walk_internal - what the files of the room walk share.
 */
#ifndef SNMP_WALK_INTERNAL_H
#define SNMP_WALK_INTERNAL_H

#include "snmp/walk.h"

struct walk_ops { /* one a kind of walk; as the public functions */
	bool (*ask)(struct walk *w, size_t columns, struct walk_question *q);
	bool (*answer)(struct walk *w, const struct walk_question *q, const struct vars *answer,
		       struct vars *rows, char words[WALK_WORDS_MAX]);
	void (*none)(struct walk *w, const struct walk_question *q, size_t index);
	void (*again)(struct walk *w, const struct walk_question *q);
	bool (*over)(const struct walk *w);
	void (*flush)(struct walk *w, struct vars *rows);
	void (*free)(struct walk *w);
};

struct walk { /* the first member of each kind's own struct */
	const struct walk_ops *ops;
};

/* ---- walk_seen.c: a memory of OIDs, for walks that need not increase */

struct walk_seen;
struct walk_seen *walk_seen_new(void);
void walk_seen_free(struct walk_seen *s);
bool walk_seen_add(struct walk_seen *s, const uint32_t *id, size_t len); /* false: was there */

/* ---- walk.c: the rules that one varbind after the other has to keep */

/* The last OID of a walk below a root, which is the first `root` sub-identifiers of it. */
struct walk_place {
	const uint32_t *id;
	size_t len;
	size_t root;
};
enum walk_step {
	WALK_ROW,
	WALK_END,
	WALK_BROKEN
};
/* What v is to a walk that stands at p; a row becomes the new place. seen: of the walk, NULL where OIDs
 * must increase. */
enum walk_step walk_step(struct walk_place *p, struct walk_seen *seen, const struct varbind *v,
			 char words[WALK_WORDS_MAX]);
/* "A between B", both cut to fit. */
void walk_say(char words[WALK_WORDS_MAX], const struct varbind *v, const char *between,
	      const uint32_t *id, size_t len);
/* Adds a name. False: the question is full, by octets; it always takes one. */
bool walk_question_add(struct walk_question *q, const struct oid *name, size_t column);

#endif

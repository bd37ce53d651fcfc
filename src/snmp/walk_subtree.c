/*
 * A subtree: one question after the other, rows in the order in which they come.
 *
 * Every row costs a comparison with the root, one with the OID before it and the copy into the list;
 * the OID before it is read where the answer has it, and only an answer's last one is copied. Nothing
 * is kept of the rows, so a million of them cost as much memory as one.
 *
 * The root is the beginning of the place where the walk stands, so one OID serves for both, and for the
 * GET of the root itself when nothing is below it (`walk: sysDescr.0` is written often, and means that).
 * A root of one number is no name that can be asked for: what follows its .0 is, and stands for it.
 */
#include "snmp/walk_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct subtree {
	struct walk walk;
	struct oid at; /* the last OID; begins with the root */
	uint8_t root;  /* sub-identifiers of it */
	bool asked;
	bool any; /* a row came */
	bool get; /* nothing was below the root: ask for the root itself */
	bool over;
	struct walk_seen *seen; /* NULL: OIDs must increase */
};

static struct subtree *subtree_of(struct walk *w)
{
	return (struct subtree *)w;
}

static bool subtree_ask(struct walk *w, size_t columns, struct walk_question *q)
{
	struct subtree *s = subtree_of(w);

	(void)columns; /* one is asked for */
	if (s->asked || s->over)
		return false;
	q->kind = s->get ? WALK_GET : WALK_NEXT;
	s->asked = true;
	return walk_question_add(q, &s->at, 0);
}

static void subtree_end(struct subtree *s)
{
	s->over = s->any || s->get || s->root == 1;
	s->get = true; /* no row came, so it stands at the root */
}

static bool subtree_broken(struct subtree *s)
{
	s->over = true;
	return false;
}

/* The object at the root itself: a row if it exists. */
static bool take_root(struct subtree *s, const struct varbind *v, struct vars *rows, char *words)
{
	s->over = true;
	if (v->type == VAR_NO_SUCH_OBJECT || v->type == VAR_NO_SUCH_INSTANCE ||
	    v->type == VAR_END_OF_MIB_VIEW)
		return true;
	if (oid_compare(v->oid, v->noid, s->at.id, s->at.len) != 0) {
		walk_say(words, v, " came for ", s->at.id, s->at.len);
		return false;
	}
	vars_add(rows, v);
	return true;
}

static enum walk_step take_rows(struct subtree *s, const struct vars *answer, struct vars *rows,
				char *words)
{
	struct walk_place p = {.id = s->at.id, .len = s->at.len, .root = s->root};
	enum walk_step step = WALK_ROW;

	for (size_t i = 0; i < answer->count; i++) {
		step = walk_step(&p, s->seen, &answer->list[i], words);
		if (step != WALK_ROW)
			break;
		vars_add(rows, &answer->list[i]);
	}
	if (p.id != s->at.id) {
		memcpy(s->at.id, p.id, p.len * sizeof(*p.id));
		s->at.len = (uint8_t)p.len;
		s->any = true;
	}
	return step;
}

static bool subtree_answer(struct walk *w, const struct walk_question *q, const struct vars *answer,
			   struct vars *rows, char words[WALK_WORDS_MAX])
{
	struct subtree *s = subtree_of(w);
	enum walk_step step;

	s->asked = false;
	if (answer->count == 0) {
		snprintf(words, WALK_WORDS_MAX, "an answer without varbinds");
		return subtree_broken(s);
	}
	if (q->kind == WALK_GET)
		return take_root(s, &answer->list[0], rows, words);
	step = take_rows(s, answer, rows, words);
	if (step == WALK_BROKEN)
		return subtree_broken(s);
	if (step == WALK_END)
		subtree_end(s);
	return true;
}

static void subtree_none(struct walk *w, const struct walk_question *q, size_t index)
{
	struct subtree *s = subtree_of(w);

	(void)q;
	(void)index; /* one name was asked for */
	s->asked = false;
	subtree_end(s);
}

static void subtree_again(struct walk *w, const struct walk_question *q)
{
	(void)q;
	subtree_of(w)->asked = false;
}

static bool subtree_over(const struct walk *w)
{
	return ((const struct subtree *)w)->over;
}

static void subtree_flush(struct walk *w, struct vars *rows)
{
	(void)rows; /* all went out when they came */
	subtree_of(w)->over = true;
}

static void subtree_free(struct walk *w)
{
	walk_seen_free(subtree_of(w)->seen);
	free(w);
}

static const struct walk_ops subtree_ops = {
	.ask = subtree_ask,
	.answer = subtree_answer,
	.none = subtree_none,
	.again = subtree_again,
	.over = subtree_over,
	.flush = subtree_flush,
	.free = subtree_free,
};

struct walk *walk_subtree(const struct oid *root, bool nonincreasing)
{
	struct subtree *s = mem_zero(1, sizeof(*s));

	s->walk.ops = &subtree_ops;
	memcpy(s->at.id, root->id, root->len * sizeof(*root->id));
	s->at.len = s->root = root->len;
	if (root->len == 1)
		s->at.id[s->at.len++] = 0;
	if (nonincreasing) {
		s->seen = walk_seen_new();
		walk_seen_add(s->seen, root->id, root->len); /* nor may the root come */
	}
	return &s->walk;
}

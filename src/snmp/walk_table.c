/*
 * A table: its columns are found, walked side by side, and joined.
 *
 * The design: a column is a small subtree walk. Each question takes the columns that are furthest behind,
 * by the index at which they stand, so that rows become whole soon; with per_host above 1 the columns are
 * shared out, each in at most one question under way. What a column is ahead waits in memory, so a
 * column that is far ahead is left alone until the others have come near: a table needs memory for
 * its columns and the answers under way, however many rows it has, and however sparse a column is.
 *
 * Where OIDs need not increase (`nonincreasing: allow`) no row is known to be whole before the end. All
 * cells are kept until then, at most max_vars of them, and the rows come when the walk is flushed.
 *
 * The label's column is walked like the others as long as there are rows to be labelled. A device may
 * put any number of rows into it, and they are not the record's, so at most max_vars are looked at.
 *
 * The trap: a question with no answer, or none but noSuchName, ends a column where no rows can be handed
 * out. Then all that is left may be far ahead of nothing: when nobody is behind, anyone is asked.
 */
#include "snmp/walk_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define AHEAD 64 /* cells that may wait when a column is asked again */

static struct table *table_of(struct walk *w)
{
	return (struct table *)w;
}

bool walk_column_take(struct table *t, struct column *c, size_t first, char words[WALK_WORDS_MAX])
{
	struct walk_place p = {.id = c->at.id, .len = c->at.len, .root = c->root};
	enum walk_step step = WALK_ROW;

	c->fresh = first;
	for (size_t i = first; i < t->answer->count; i += t->stride) {
		step = walk_step(&p, t->seen, &t->answer->list[i], words);
		if (step != WALK_ROW)
			break;
		c->nfresh++;
	}
	if (c->nfresh) {
		memcpy(c->at.id + c->root, p.id + c->root, (p.len - c->root) * sizeof(*p.id));
		c->at.len = (uint8_t)p.len;
	}
	c->taken += c->nfresh;
	if (c->shown)
		t->taken += c->nfresh;
	if (step == WALK_END)
		c->over = true;
	return step != WALK_BROKEN;
}

/* Those that are not over; divided among the questions that may be under way. */
static size_t share(const struct table *t)
{
	size_t left = 0;

	if (t->alone)
		return 1;
	for (size_t i = 0; i < t->ncolumns; i++)
		left += !t->columns[i].over;
	return (left + t->p->per_host - 1) / t->p->per_host;
}

static bool is_behind(const struct column *a, const struct column *b)
{
	return oid_compare(a->at.id + a->root, (size_t)a->at.len - a->root, b->at.id + b->root,
			   (size_t)b->at.len - b->root) < 0;
}

/* The columns to be asked, at most `most`, furthest behind first. */
static size_t pick(const struct table *t, size_t most, bool any, size_t *picked)
{
	size_t n = 0;

	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];
		size_t at;

		if (c->over || c->busy || (!any && walk_join_waiting(c) > AHEAD))
			continue;
		if (n == most && !is_behind(c, &t->columns[picked[n - 1]]))
			continue;
		for (at = n < most ? n++ : n - 1; at > 0; at--) {
			if (!is_behind(c, &t->columns[picked[at - 1]]))
				break;
			picked[at] = picked[at - 1];
		}
		picked[at] = i;
	}
	return n;
}

static bool table_ask(struct walk *w, size_t columns, struct walk_question *q)
{
	struct table *t = table_of(w);
	size_t picked[WALK_COLUMNS_MAX], n, most = share(t);

	if (t->ended)
		return false;
	if (!t->search.over) {
		n = walk_find_ask(t, t->alone ? 1 : columns, q);
		t->asked += n;
		return n;
	}
	if (most > columns)
		most = columns;
	n = most ? pick(t, most, t->seen, picked) : 0;
	if (most && !n && !t->asked)
		n = pick(t, most, true, picked);
	for (size_t i = 0; i < n && walk_question_add(q, &t->columns[picked[i]].at, picked[i]); i++)
		t->columns[picked[i]].busy = true;
	t->asked += n > 0;
	return n > 0;
}

/* The question is no longer under way. */
static void unask(struct table *t, const struct walk_question *q)
{
	t->asked--;
	for (size_t i = 0; !q->single && i < q->count; i++)
		t->columns[q->column[i]].busy = false;
}

/* Columns that need not be asked any more, though they are not over: see the file's head. */
static void limit_columns(struct table *t)
{
	bool full = t->seen && t->taken > t->p->max_vars, rows = false;

	for (size_t i = 0; i < t->ncolumns; i++) {
		struct column *c = &t->columns[i];

		c->over = c->over || full || (!c->shown && c->taken > t->p->max_vars);
		rows = rows || (c->shown && (!c->over || walk_join_waiting(c) > 0));
	}
	for (size_t i = 0; t->search.over && !rows && i < t->ncolumns; i++)
		t->columns[i].over = true;
}

static bool is_over(const struct table *t)
{
	if (t->ended || t->asked || !t->search.over)
		return t->ended;
	for (size_t i = 0; i < t->ncolumns; i++) {
		if (!t->columns[i].over)
			return false;
	}
	return true;
}

/* Every column takes what is its own, also when another one breaks the rules. */
static bool take_columns(struct table *t, const struct walk_question *q, char words[WALK_WORDS_MAX])
{
	bool fine = true;

	if (q->single)
		return walk_find_answer(t, q, words);
	for (size_t i = 0; i < q->count; i++)
		fine = walk_column_take(t, &t->columns[q->column[i]], i, words) && fine;
	return fine;
}

static bool table_answer(struct walk *w, const struct walk_question *q, const struct vars *answer,
			 struct vars *rows, char words[WALK_WORDS_MAX])
{
	struct table *t = table_of(w);
	bool fine;

	unask(t, q);
	if (t->ended) /* by another question's answer */
		return true;
	if (answer->count == 0) {
		snprintf(words, WALK_WORDS_MAX, "an answer without varbinds");
		t->ended = true;
		return false;
	}
	t->answer = answer;
	t->stride = q->count;
	fine = take_columns(t, q, words);
	if (t->search.over && !t->seen)
		walk_join(t, false, rows);
	walk_join_keep(t);
	t->answer = NULL;
	limit_columns(t);
	t->ended = !fine;
	return fine;
}

static void table_none(struct walk *w, const struct walk_question *q, size_t index)
{
	struct table *t = table_of(w);

	unask(t, q);
	if (q->count == 1)
		index = 1;
	if (index < 1 || index > q->count)
		t->alone = true;
	else if (q->single)
		walk_find_none(t, index);
	else
		t->columns[q->column[index - 1]].over = true;
	limit_columns(t);
}

static void table_again(struct walk *w, const struct walk_question *q)
{
	unask(table_of(w), q);
}

static bool table_over(const struct walk *w)
{
	return is_over((const struct table *)w);
}

static void table_flush(struct walk *w, struct vars *rows)
{
	struct table *t = table_of(w);

	t->ended = true;
	walk_join(t, true, rows);
}

static void table_free(struct walk *w)
{
	struct table *t = table_of(w);

	for (size_t i = 0; i < t->ncolumns; i++)
		vars_free(&t->columns[i].cells);
	free(t->columns);
	walk_find_free(t);
	walk_seen_free(t->seen);
	free(t);
}

static const struct walk_ops table_ops = {
	.ask = table_ask,
	.answer = table_answer,
	.none = table_none,
	.again = table_again,
	.over = table_over,
	.flush = table_flush,
	.free = table_free,
};

struct walk *walk_table(const struct profile *p)
{
	struct table *t = mem_zero(1, sizeof(*t));

	t->walk.ops = &table_ops;
	t->p = p;
	if (p->nonincreasing)
		t->seen = walk_seen_new();
	walk_find_start(t);
	limit_columns(t);
	return &t->walk;
}

/*
 * Cells of columns become rows.
 *
 * The problem: the columns of a table have the same indexes, but not all of them, and their cells come
 * column by column, as far ahead of one another as questions and short answers happen to make them. A
 * row is whole when nothing can be added to it, and that is known long before the table ends.
 *
 * The design: a merge. OIDs of a column increase, so a column that stands at index 7 gives nothing below
 * 8 any more. The row with the least index of all first cells goes out when every column that is not
 * over either has a cell waiting or stands at that index or behind it. What the answer at hand has is
 * read where it lies: in a table without holes, whose columns fit one question, no cell is ever copied
 * but into its row. What must wait goes into its column's own list, which is reset when it drains, and
 * moved to its front when it never does.
 *
 * The label's column takes part like the others. Its cells make no rows of their own.
 *
 * Where OIDs need not increase nothing is known before the end: all cells wait, are sorted, and joined
 * then. walk_table.c bounds them.
 *
 * The trap: what the row's index points to lies in one of the cells that the row takes away. They are
 * added first, all of them, and taken away afterwards.
 */
#include "snmp/walk_table.h"

#include <stdlib.h>

#define DRAINED_LEAST 64 /* cells; so many are gone and half of the list before the rest is moved */

struct index { /* of a row: the OID behind the column's */
	const uint32_t *id;
	size_t len;
};

static int order(struct index a, struct index b)
{
	return oid_compare(a.id, a.len, b.id, b.len);
}

static struct index index_of(const struct column *c, const struct varbind *v)
{
	return (struct index){v->oid + c->root, (size_t)v->noid - c->root};
}

static const struct varbind *front(const struct table *t, const struct column *c)
{
	if (c->head < c->cells.count)
		return &c->cells.list[c->head];
	return c->nfresh ? &t->answer->list[c->fresh] : NULL;
}

static void pop(const struct table *t, struct column *c)
{
	if (c->head == c->cells.count) {
		c->fresh += t->stride;
		c->nfresh--;
	} else if (++c->head == c->cells.count) {
		vars_reset(&c->cells);
		c->head = 0;
	}
}

/* The least index that waits. False: there is none, or a column may still bring a cell for it or one
 * before it. */
static bool next_row(struct table *t, bool all, struct index *row)
{
	struct index behind = {0};

	row->id = NULL;
	for (size_t i = 0; i < t->ncolumns; i++) {
		struct column *c = &t->columns[i];
		struct index at;

		c->front = front(t, c);
		if (c->front) {
			at = index_of(c, c->front);
			if (!row->id || order(at, *row) < 0)
				*row = at;
		} else if (!c->over && !all) {
			at = (struct index){c->at.id + c->root, (size_t)c->at.len - c->root};
			if (!behind.id || order(at, behind) < 0)
				behind = at;
		}
	}
	return row->id && (!behind.id || order(behind, *row) >= 0);
}

/* The label of the row, unless it has no value. */
static const struct varbind *label_of(const struct table *t)
{
	const struct column *c = t->label == NO_COLUMN ? NULL : &t->columns[t->label];

	if (!c || !c->due || c->front->type == VAR_NO_SUCH_OBJECT ||
	    c->front->type == VAR_NO_SUCH_INSTANCE)
		return NULL;
	return c->front;
}

static void add_row(struct table *t, struct index row, struct vars *rows)
{
	const struct varbind *label, *kept = NULL;

	for (size_t i = 0; i < t->ncolumns; i++) {
		struct column *c = &t->columns[i];

		c->due = c->front && order(index_of(c, c->front), row) == 0;
	}
	label = label_of(t);
	for (size_t i = 0; i < t->ncolumns; i++) {
		struct varbind v;

		if (!t->columns[i].due || !t->columns[i].shown)
			continue;
		if (label && !kept)
			kept = vars_keep(rows, label);
		v = *t->columns[i].front;
		v.label = kept;
		vars_add(rows, &v);
	}
	for (size_t i = 0; i < t->ncolumns; i++) {
		if (t->columns[i].due)
			pop(t, &t->columns[i]);
	}
}

static int cell_order(const void *a, const void *b)
{
	const struct varbind *x = a, *y = b;

	return oid_compare(x->oid, x->noid, y->oid, y->noid);
}

void walk_join(struct table *t, bool all, struct vars *rows)
{
	struct index row;

	for (size_t i = 0; t->seen && i < t->ncolumns; i++) {
		struct column *c = &t->columns[i];

		if (walk_join_waiting(c))
			qsort(c->cells.list + c->head, walk_join_waiting(c), sizeof(*c->cells.list),
			      cell_order);
	}
	while (next_row(t, all, &row))
		add_row(t, row, rows);
}

/* A list that never drains would keep all that ever was in it. */
static void make_room(struct column *c)
{
	struct vars rest = {0};

	if (c->head < DRAINED_LEAST || c->head < c->cells.count / 2)
		return;
	for (size_t i = c->head; i < c->cells.count; i++)
		vars_add(&rest, &c->cells.list[i]);
	vars_free(&c->cells);
	c->cells = rest;
	c->head = 0;
}

void walk_join_keep(struct table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		struct column *c = &t->columns[i];

		if (!c->nfresh)
			continue;
		make_room(c);
		for (; c->nfresh; c->nfresh--, c->fresh += t->stride)
			vars_add(&c->cells, &t->answer->list[c->fresh]);
	}
}

size_t walk_join_waiting(const struct column *c)
{
	return c->cells.count - c->head;
}

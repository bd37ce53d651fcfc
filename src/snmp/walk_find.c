/*
 * Which columns a table has.
 *
 * The problem: no MIB needs to be at hand, and where one is, devices have columns that it does not know
 * and lack most of those that it does. Walking the whole entry finds them, but one after the other and
 * all rows at once: nothing can be joined before the last column begins.
 *
 * The design: GETNEXT of entry.k gives the first object in column k or behind it, so each answer says
 * which column really is next, and that those before it are not there. A batch of numbers is one
 * question; the next batch begins behind the greatest column found, so 1, 2 and 1000 are two questions.
 * Number 0 stands for the entry itself. The object that an answer gives is the first cell of its column
 * and is taken as such.
 *
 * An OID that no MIB knows is taken for a table's, whose only child is the entry, .1. Whoever wrote it
 * may have meant something else: as soon as an object turns up below the OID but not below a column of
 * .1, all that was found is forgotten and the OID itself becomes the one column, its rows all that is
 * below it. Nothing is joined then, and nothing lost.
 *
 * Nothing here repeats for ever: a batch that finds no column is the last one, and the columns of a
 * record are bounded, since a device may invent four thousand million of them without ever giving a row.
 *
 * The trap: what comes behind the table's last column is mostly the first object of another table, not
 * the end of the MIB; in v1 the end of the MIB fails the whole question.
 */
#include "snmp/walk_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIND_NAMES   24 /* of a question */
#define FIND_COLUMNS 1024
#define NUMBERS_END  (UINT64_C(1) << 32) /* behind the greatest sub-identifier */

static bool is_below(const struct varbind *v, const struct oid *o)
{
	return v->noid > o->len && memcmp(v->oid, o->id, o->len * sizeof(*o->id)) == 0;
}

static const struct table_object *item(const struct table *t)
{
	return &t->p->table[t->search.item];
}

static size_t column_find(const struct table *t, const struct oid *o)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];

		if (oid_compare(c->at.id, c->root, o->id, o->len) == 0)
			return i;
	}
	return NO_COLUMN;
}

/* The column's place; one that is asked for twice is shown once. */
static size_t column_add(struct table *t, const struct oid *o, bool shown)
{
	size_t i = column_find(t, o);
	struct column *c;

	if (i != NO_COLUMN)
		return i;
	if (t->ncolumns == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 4;
		t->columns = mem_resize(t->columns, t->cap, sizeof(*t->columns));
	}
	c = &t->columns[t->ncolumns];
	memset(c, 0, sizeof(*c));
	memcpy(c->at.id, o->id, o->len * sizeof(*o->id));
	c->at.len = c->root = o->len;
	c->shown = shown;
	if (t->seen)
		walk_seen_add(t->seen, o->id, o->len);
	return t->ncolumns++;
}

static void item_end(struct search *s)
{
	s->started = false;
	s->item++;
}

/* The item was no table: what is below it is one column. */
static void item_is_column(struct table *t)
{
	while (t->ncolumns > t->search.first)
		vars_free(&t->columns[--t->ncolumns].cells);
	column_add(t, &item(t)->oid, true);
	item_end(&t->search);
}

static void item_start(struct table *t)
{
	struct search *s = &t->search;
	const struct table_object *o = item(t);

	s->entry = o->oid;
	s->from = 0;
	s->end = NUMBERS_END;
	s->first = t->ncolumns;
	s->started = true;
	if (o->guessed && s->entry.len < OID_MAX)
		s->entry.id[s->entry.len++] = 1;
	if (s->entry.len == OID_MAX) /* no OID is long enough to be below it */
		item_is_column(t);
}

/* Goes on to what must be asked for, or to the end. */
static void settle(struct table *t)
{
	struct search *s = &t->search;

	while (s->item < t->p->ntable) {
		if (item(t)->column) {
			column_add(t, &item(t)->oid, true);
			s->item++;
		} else if (!s->started) {
			item_start(t);
		} else if (s->from >= s->end) {
			item_end(s);
		} else {
			return;
		}
	}
	if (t->p->index_label)
		t->label = column_add(t, t->p->index_label, false);
	s->over = true;
	walk_find_free(t);
}

void walk_find_start(struct table *t)
{
	t->label = NO_COLUMN;
	t->search.names = mem_zero(FIND_NAMES, sizeof(*t->search.names));
	settle(t);
}

void walk_find_free(struct table *t)
{
	free(t->search.names);
	t->search.names = NULL;
}

bool walk_find_ask(struct table *t, size_t columns, struct walk_question *q)
{
	struct search *s = &t->search;

	if (t->asked)
		return false;
	q->single = true;
	for (size_t i = 0; i < columns && i < FIND_NAMES && s->from + i < s->end; i++) {
		struct oid *name = &s->names[i];

		*name = (s->from + i) ? s->entry : item(t)->oid;
		if (s->from + i)
			name->id[name->len++] = (uint32_t)(s->from + i);
		if (!walk_question_add(q, name, i))
			break;
	}
	return true;
}

/* A cell of a column of the entry came: the column is found. False: one too many. */
static bool find_column(struct table *t, const struct varbind *v, size_t i,
			char words[WALK_WORDS_MAX])
{
	struct search *s = &t->search;
	struct oid o = s->entry;
	size_t known = t->ncolumns, at;

	o.id[o.len++] = v->oid[s->entry.len];
	at = column_add(t, &o, true);
	if (at < known)
		return true;
	if (++s->found > FIND_COLUMNS) {
		snprintf(words, WALK_WORDS_MAX, "more than %d columns", FIND_COLUMNS);
		return false;
	}
	if (t->seen || v->noid == o.len) /* came for another name; has no index */
		return true;
	return walk_column_take(t, &t->columns[at], i, words);
}

enum found {
	FOUND_COLUMN,
	FOUND_NOTHING, /* that can be used */
	FOUND_END,     /* behind the table */
	FOUND_OTHER,   /* it is no table */
	FOUND_BROKEN
};

static enum found judge(const struct table *t, const struct varbind *v, const struct oid *name,
			char words[WALK_WORDS_MAX])
{
	const struct search *s = &t->search;
	bool guessed = item(t)->guessed, inside = is_below(v, &s->entry);

	if (v->type == VAR_END_OF_MIB_VIEW || (!inside && !is_below(v, &item(t)->oid)))
		return FOUND_END;
	if (oid_compare(v->oid, v->noid, name->id, name->len) <= 0) {
		if (v->type == VAR_NO_SUCH_OBJECT || v->type == VAR_NO_SUCH_INSTANCE)
			return FOUND_END;
		if (t->seen)
			return FOUND_NOTHING;
		walk_say(words, v, " came after ", name->id, name->len);
		return FOUND_BROKEN;
	}
	if (guessed && (!inside || v->noid == s->entry.len + 1))
		return FOUND_OTHER;
	return FOUND_COLUMN;
}

bool walk_find_answer(struct table *t, const struct walk_question *q, char words[WALK_WORDS_MAX])
{
	struct search *s = &t->search;
	uint64_t next = s->from;
	enum found found = FOUND_NOTHING;

	for (size_t i = 0; i < q->count && i < t->answer->count; i++) {
		const struct varbind *v = &t->answer->list[i];

		found = judge(t, v, q->name[i], words);
		if (found > FOUND_NOTHING)
			break;
		if (found == FOUND_NOTHING)
			continue;
		if (!find_column(t, v, i, words))
			return false;
		if (v->oid[s->entry.len] >= next)
			next = (uint64_t)v->oid[s->entry.len] + 1;
	}
	if (found == FOUND_BROKEN)
		return false;
	if (found == FOUND_OTHER)
		item_is_column(t);
	else
		s->from = found == FOUND_END || next == s->from ? s->end : next;
	settle(t);
	return true;
}

void walk_find_none(struct table *t, size_t index)
{
	t->search.end = t->search.from + index - 1;
	settle(t);
}

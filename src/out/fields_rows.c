/*
 * A record becomes rows of cells, in any order that a person wants.
 *
 * The problem: each row says all of its record, so that a reader of lines needs no second one; but the rows of a large
 * record are formatted before it is known how it ends. So the cells of a row fall into runs, of the record and
 * of the variable by turns. Of a large record the variables' runs go ahead, each behind a mark, and the record's runs
 * follow as its front, from which the master puts each row together (layout.h).
 *
 * Of a record in one piece its own runs are made once, for the first row, and copied for the others.
 *
 * Rejected: the record's columns always first. Who asks for an order has a program that wants it.
 *
 * The trap: a row of a large record may be two octets long, and the master takes a frame of nothing but marks for a lie,
 * since each becomes a row. So marks have octets with them that are left out again.
 */
#include <string.h>

#include "out/fields.h"
#include "out/value.h"

#define OF_OBJECT (FIELD(NAME) | FIELD(INDEX) | FIELD(OBJECT) | FIELD(VALUE))

struct making { /* of rows */
	struct buf *out;
	const struct record *r;
	const struct fields_rows *rows;
	const struct format_options *o;
	const struct fields *f;
	struct {
		size_t start, len; /* in out, of the first row */
	} runs[FIELD_COUNT + 1];   /* of the record, by where they begin */
};

static struct making making_begin(struct buf *out, const struct record *r,
				  const struct fields_rows *rows, const struct format_options *o)
{
	const struct fields *f = o->fields.count ? &o->fields : rows->standard;

	return (struct making){.out = out, .r = r, .rows = rows, .o = o, .f = f};
}

static bool is_of_var(const struct making *m, unsigned at)
{
	return FIELDS_OF_VAR >> m->f->list[at] & 1;
}

/* Where the run that begins at `at` ends. */
static unsigned run_end(const struct making *m, unsigned at, bool of_var)
{
	while (at < m->f->count && is_of_var(m, at) == of_var)
		at++;
	return at;
}

static void put_end(const struct making *m)
{
	if (m->o->null)
		buf_putc(m->out, '\0');
	else
		buf_puts(m->out, m->rows->end);
}

static void put_between(const struct making *m, unsigned at)
{
	if (at)
		buf_putc(m->out, m->rows->between);
}

/* The record's cells from `at` on, and the row's end if it ends there. */
static void put_record_run(const struct making *m, unsigned at, unsigned end)
{
	for (; at < end; at++) {
		put_between(m, at);
		m->rows->of_record(m->out, m->r, (enum field)m->f->list[at], m->o);
	}
	if (end == m->f->count)
		put_end(m);
}

static void put_var_run(const struct making *m, const struct fields_var *v, unsigned at,
			unsigned end)
{
	for (; at < end; at++) {
		put_between(m, at);
		m->rows->of_var(m->out, v, (enum field)m->f->list[at], m->o);
	}
}

static struct fields_var var_of(const struct making *m, const struct varbind *v)
{
	struct fields_var var = {.v = v};

	if (m->f->has & OF_OBJECT)
		var.object = mib_find(v->oid, v->noid, &var.used);
	return var;
}

/* A run of the record, which the first row has made. */
static void copy_run(struct making *m, unsigned at, unsigned end, bool first)
{
	if (first) {
		m->runs[at].start = m->out->len;
		put_record_run(m, at, end);
		m->runs[at].len = m->out->len - m->runs[at].start;
		return;
	}
	buf_room(m->out, m->runs[at].len);
	buf_put(m->out, m->out->data + m->runs[at].start, m->runs[at].len);
}

static void put_row(struct making *m, const struct varbind *v, bool first)
{
	struct fields_var var = var_of(m, v);

	for (unsigned at = 0, end;; at = end) {
		end = run_end(m, at, false);
		copy_run(m, at, end, first);
		if (end == m->f->count)
			return;
		at = end;
		end = run_end(m, at, true);
		put_var_run(m, &var, at, end);
	}
}

/* The one row of a record whose variables are not shown, or which has none. */
static void put_bare_row(const struct making *m)
{
	for (unsigned at = 0; at < m->f->count; at++) {
		put_between(m, at);
		if (is_of_var(m, at))
			buf_puts(m->out, m->rows->nothing);
		else
			m->rows->of_record(m->out, m->r, (enum field)m->f->list[at], m->o);
	}
	put_end(m);
}

static bool shows_vars(const struct making *m)
{
	return m->f->has & FIELDS_OF_VAR;
}

void fields_record(struct buf *out, const struct record *r, const struct fields_rows *rows,
		   const struct format_options *o)
{
	struct making m = making_begin(out, r, rows, o);

	if (!r->nvars || !shows_vars(&m))
		put_bare_row(&m);
	else
		for (size_t i = 0; i < r->nvars; i++)
			put_row(&m, &r->vars[i], i == 0);
}

void fields_front(struct buf *out, const struct record *r, const struct fields_rows *rows,
		  const struct format_options *o)
{
	struct making m = making_begin(out, r, rows, o);

	for (unsigned at = 0; shows_vars(&m);) {
		unsigned end = run_end(&m, at, false);

		put_record_run(&m, at, end);
		if (end == m.f->count)
			return;
		buf_putc(out, VALUE_MARK);
		at = run_end(&m, end, true);
	}
}

static void put_mark(const struct making *m)
{
	buf_putc(m->out, VALUE_MARK);
	for (unsigned i = 1; m->o->fields.count && i < VALUE_MARK_LEAST; i++)
		buf_putc(m->out, VALUE_FILL);
}

void fields_ahead(struct buf *out, const struct record *r, const struct fields_rows *rows,
		  const struct format_options *o)
{
	struct making m = making_begin(out, r, rows, o);

	for (size_t i = 0; i < r->nvars && shows_vars(&m); i++) {
		struct fields_var var = var_of(&m, &r->vars[i]);

		for (unsigned end, at = run_end(&m, 0, false); at < m.f->count;
		     at = run_end(&m, end, false)) {
			end = run_end(&m, at, true);
			put_mark(&m);
			put_var_run(&m, &var, at, end);
		}
	}
}

void fields_rest(struct buf *out, const struct record *r, const struct fields_rows *rows,
		 const struct format_options *o)
{
	struct making m = making_begin(out, r, rows, o);

	if (!shows_vars(&m))
		put_bare_row(&m);
}

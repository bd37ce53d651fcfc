/* walk: tables of a simulated agent against a join made the plain way; sparse ones, large ones, broken
 * ones, and devices that never end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "snmp/walk_table.h"
#include "walk_agent.h"

#define SEED  UINT64_C(0x5eed0002)
#define AHEAD 64 /* cells, as in walk_table.c */

struct spec {                   /* of a table that is asked for, and how */
	const char *objects[8]; /* "c:OID" a column, "e:OID" an entry, "g:OID" no MIB knows it */
	const char *label;      /* column; NULL: none */
	unsigned per_host;      /* 0: 1 */
	size_t columns;         /* of a question; 0: all */
	unsigned repetitions;   /* 0: 10 */
	bool nonincreasing;
	uint64_t max_vars; /* 0: a million */
};

struct run {
	bool fine;
	struct vars rows;
	char words[WALK_WORDS_MAX];
};

struct asked_for { /* a profile made of a spec */
	struct profile p;
	struct table_object objects[8];
	struct oid label;
};

static void make_profile(const struct spec *s, struct asked_for *a)
{
	memset(a, 0, sizeof(*a));
	a->p.table = a->objects;
	for (; s->objects[a->p.ntable]; a->p.ntable++) {
		const char *text = s->objects[a->p.ntable];
		struct table_object *o = &a->objects[a->p.ntable];

		o->oid = agent_oid(text + 2);
		o->column = *text == 'c';
		o->guessed = *text == 'g';
	}
	if (s->label) {
		a->label = agent_oid(s->label);
		a->p.index_label = &a->label;
	}
	a->p.per_host = s->per_host ? s->per_host : 1;
	a->p.nonincreasing = s->nonincreasing;
	a->p.max_vars = s->max_vars ? s->max_vars : 1000000;
}

static void run_profile(struct agent *a, const struct profile *p, const struct spec *s,
			struct run *r)
{
	uint64_t x = SEED;
	struct agent_engine e = {
		.agent = a,
		.walk = walk_table(p),
		.columns = s->columns ? s->columns : WALK_COLUMNS_MAX,
		.per_host = p->per_host,
		.repetitions = s->repetitions ? s->repetitions : 10,
		.random = &x,
		.rows = &r->rows,
		.words = r->words,
	};

	*r = (struct run){.words = ""};
	r->fine = agent_run(&e);
	assert_true(walk_over(e.walk));
	assert_false(walk_ask(e.walk, 1, &e.asked[0]));
	walk_free(e.walk);
}

static void run_spec(struct agent *a, const struct spec *s, struct run *r)
{
	struct asked_for f;

	make_profile(s, &f);
	run_profile(a, &f.p, s, r);
}

/* "OID" or "OID=LABEL" for each row, where LABEL is the last sub-identifiers of the label's OID. */
static void rows_text(const struct vars *rows, size_t skip, struct buf *out)
{
	char text[OID_TEXT_MAX];

	for (size_t i = 0; i < rows->count; i++) {
		const struct varbind *v = &rows->list[i];

		oid_text(v->oid + skip, v->noid - skip, text);
		buf_printf(out, "%s%s", i ? " " : "", text);
		if (v->label) {
			oid_text(v->label->oid + skip, v->label->noid - skip, text);
			buf_printf(out, "=%s", text);
		}
	}
	buf_putc(out, '\0');
}

static void assert_rows(const struct vars *rows, size_t skip, const char *wanted)
{
	struct buf text = {0};

	rows_text(rows, skip, &text);
	assert_string_equal((const char *)text.data, wanted);
	buf_free(&text);
}

/* Two columns of three rows, the second with a hole, the third empty; something before and behind. */
static const char *const small_mib[] = {
	"1.3.6.1.1.1.0",     "1.3.6.1.2.1.1.5",   "1.3.6.1.2.1.1.6",    "1.3.6.1.2.1.1.10",
	"1.3.6.1.2.1.2.5",   "1.3.6.1.2.1.2.10",  "1.3.6.1.2.1.4.6",    "1.3.6.1.2.1.4.7.1",
	"1.3.6.1.3.1.1.1.5", "1.3.6.1.3.1.1.1.7", "1.3.6.1.3.1.1.1.10", NULL};

static void test_rows_are_joined_by_index(void **state)
{
	static const struct {
		struct spec s;
		const char *rows;
	} cases[] = {
		{{.objects = {"e:1.3.6.1.2.1"}}, "1.5 2.5 1.6 4.6 4.7.1 1.10 2.10"},
		{{.objects = {"g:1.3.6.1.2"}}, "1.5 2.5 1.6 4.6 4.7.1 1.10 2.10"},
		{{.objects = {"c:1.3.6.1.2.1.2", "c:1.3.6.1.2.1.1"}}, "2.5 1.5 1.6 2.10 1.10"},
		{{.objects = {"c:1.3.6.1.2.1.4", "e:1.3.6.1.2.1", "c:1.3.6.1.2.1.1"}},
		 "1.5 2.5 4.6 1.6 4.7.1 1.10 2.10"},
		{{.objects = {"c:1.3.6.1.2.1.1", "c:1.3.6.1.2.1.1"}}, "1.5 1.6 1.10"},
		{{.objects = {"c:1.3.6.1.2.1.3", "c:1.3.6.1.2.1.1"}}, "1.5 1.6 1.10"},
		{{.objects = {"c:1.3.6.1.2.1.3"}}, ""},
		{{.objects = {"e:1.3.6.1.2.2"}}, ""},
		{{.objects = {"g:1.3.6.1.2.2"}}, ""},
		{{.objects = {"e:1.3.6.1.9.1"}}, ""},
		{{.objects = {NULL}}, ""},
		{{.objects = {"e:1.3.6.1.2.2"}, .label = "1.3.6.1.2.1.1"}, ""},
		{{.objects = {"e:1.3.6.1.2.1"}, .label = "1.3.6.1.2.1.1"},
		 "1.5=1.5 2.5=1.5 1.6=1.6 4.6=1.6 4.7.1 1.10=1.10 2.10=1.10"},
		{{.objects = {"c:1.3.6.1.2.1.2"}, .label = "1.3.6.1.2.1.4"}, "2.5 2.10"},
		{{.objects = {"c:1.3.6.1.2.1.2"}, .label = "1.3.6.1.2.1.1"}, "2.5=1.5 2.10=1.10"},
		{{.objects = {"c:1.3.6.1.2.1.2"}, .label = "1.3.6.1.2.1.3"}, "2.5 2.10"},
	};

	(void)state;
	for (size_t i = 0; i < 8 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct agent a = {.v1 = i & 1, .most = i & 2 ? 3 : 0};
		struct spec s = cases[i / 8].s;
		struct run r;

		s.nonincreasing = i & 4;
		agent_puts(&a, small_mib);
		run_spec(&a, &s, &r);
		assert_string_equal(r.words, "");
		assert_rows(&r.rows, 6, cases[i / 8].rows);
		vars_free(&r.rows);
		agent_free(&a);
	}
}

/* The label may stand in another table; what it lacks is no label, what it has more is no row. */
static void test_a_label_of_another_table(void **state)
{
	static const struct spec s = {.objects = {"c:1.3.6.1.2.1.1"}, .label = "1.3.6.1.3.1.1.1"};
	struct agent a = {0};
	struct run r;

	(void)state;
	agent_puts(&a, small_mib);
	run_spec(&a, &s, &r);
	assert_rows(&r.rows, 4, "2.1.1.5=3.1.1.1.5 2.1.1.6 2.1.1.10=3.1.1.1.10");
	vars_free(&r.rows);
	agent_free(&a);
}

/* An OID that no MIB knows: a table, an entry, a column, a scalar, a group. Nothing below it is lost. */
static void test_what_a_guessed_object_is(void **state)
{
	static const struct {
		const char *const mib[6];
		const char *rows;
	} cases[] = {
		{{"1.3.9.1.1.1", "1.3.9.1.1.2", "1.3.9.1.2.1", "1.3.10.0"}, "1.1.1 1.2.1 1.1.2"},
		{{"1.3.9.1.1", "1.3.9.1.2", "1.3.9.2.1", "1.3.9.2.2"}, "1.1 1.2 2.1 2.2"},
		{{"1.3.9.1", "1.3.9.2", "1.3.9.7"}, "1 2 7"},
		{{"1.3.9.1.0", "1.3.9.2.0"}, "1.0 2.0"},
		{{"1.3.9.0"}, "0"},
		{{"1.3.9.10101", "1.3.9.10102"}, "10101 10102"},
		{{"1.3.9.1.1.5", "1.3.9.1.2.5", "1.3.9.3.1.5"}, "1.1.5 1.2.5 3.1.5"},
		{{"1.3.9.0.5", "1.3.9.1.2.5"}, "0.5 1.2.5"},
		{{"1.3.8.1.1.5", "1.3.10.1.2.5"}, ""},
	};
	static const struct spec s = {.objects = {"g:1.3.9"}};

	(void)state;
	for (size_t i = 0; i < 4 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct agent a = {.v1 = i & 1};
		struct spec with = s;
		struct run r;

		with.nonincreasing = i & 2;
		agent_puts(&a, cases[i / 4].mib);
		run_spec(&a, &with, &r);
		assert_string_equal(r.words, "");
		assert_rows(&r.rows, 3, cases[i / 4].rows);
		vars_free(&r.rows);
		agent_free(&a);
	}
}

static struct oid column_oid(uint32_t number)
{
	struct oid o = agent_oid("1.3.6.1.9.1");

	o.id[o.len++] = number;
	return o;
}

static void put_cell(struct agent *a, uint32_t number, const struct oid *index)
{
	struct oid o = column_oid(number);

	memcpy(o.id + o.len, index->id, index->len * sizeof(*index->id));
	o.len = (uint8_t)(o.len + index->len);
	agent_put(a, &o);
}

static void fill_columns(struct agent *a, uint32_t columns, uint32_t rows)
{
	for (uint32_t c = 1; c <= columns; c++) {
		for (uint32_t i = 1; i <= rows; i++) {
			struct oid index = {.id = {i}, .len = 1};

			put_cell(a, c, &index);
		}
	}
}

/* Columns 1, 2, 1000 and 4294967295: two questions find them, and their first cells are not asked for
 * again. */
static void test_sparse_columns_are_found(void **state)
{
	static const char *const mib[] = {"1.3.9.1.1.7",          "1.3.9.1.2.7", "1.3.9.1.1000.7",
					  "1.3.9.1.4294967295.7", "1.4.1.0",     NULL};
	static const struct spec s = {.objects = {"e:1.3.9.1"}};
	struct agent a = {.never_loses = true};
	struct run r;

	(void)state;
	agent_puts(&a, mib);
	run_spec(&a, &s, &r);
	assert_rows(&r.rows, 4, "1.7 2.7 1000.7 4294967295.7");
	assert_int_equal(a.questions, 2 + 1); /* and one that sees all of them end */
	vars_free(&r.rows);
	agent_free(&a);

	a.questions = 0;
	fill_columns(&a, 5,
		     9); /* few columns: one question, and what is behind them ends the search */
	run_spec(&a, &s, &r);
	assert_int_equal(r.rows.count, 0);
	vars_free(&r.rows);
	run_spec(&a, &(struct spec){.objects = {"e:1.3.6.1.9.1"}}, &r);
	assert_int_equal(r.rows.count, 45);
	assert_int_equal(a.questions, 1 + 1 + 1);
	vars_free(&r.rows);
	agent_free(&a);
}

/* ---- random tables against a plain join */

#define RANDOM_COLUMNS 48

struct random_table {
	uint32_t number[RANDOM_COLUMNS]; /* of the columns, increasing; the entry is 1.3.6.1.9.1 */
	size_t ncolumns;
	struct agent agent;
	struct asked_for asked;
	struct table_object objects[8 + RANDOM_COLUMNS];
	struct spec how;
};

static struct oid random_index(uint64_t *x, uint32_t spread)
{
	struct oid o = {.len = (uint8_t)(1 + agent_draw(x) % 3)};

	for (size_t i = 0; i < o.len; i++)
		o.id[i] = (uint32_t)(agent_draw(x) % spread);
	return o;
}

static void sort_once(struct agent *a)
{
	size_t n = 0;

	if (a->count)
		qsort(a->objects, a->count, sizeof(*a->objects), agent_order);
	for (size_t i = 0; i < a->count; i++)
		if (!n || agent_order(&a->objects[n - 1], &a->objects[i]) != 0)
			a->objects[n++] = a->objects[i];
	a->count = n;
}

static void random_cells(struct random_table *t, uint64_t *x)
{
	size_t rows = agent_draw(x) % 40;
	uint32_t spread = 1 + (uint32_t)(agent_draw(x) % 6);

	t->ncolumns = agent_draw(x) % RANDOM_COLUMNS;
	if (agent_draw(x) % 2)
		t->ncolumns %= 6;
	for (size_t i = 0; i < t->ncolumns; i++)
		t->number[i] = (i ? t->number[i - 1] : 0) + 1 +
			       (uint32_t)(agent_draw(x) % 8 ? 0 : agent_draw(x) % 50);
	for (size_t row = 0; row < rows; row++) {
		struct oid index = random_index(x, spread);
		uint64_t holes = 1 + agent_draw(x) % 4;

		for (size_t i = 0; i < t->ncolumns; i++)
			if (agent_draw(x) % holes == 0)
				put_cell(&t->agent, t->number[i], &index);
	}
	for (size_t i = 0; agent_draw(x) % 2 && i < t->ncolumns; i++) { /* one goes on alone */
		struct oid index = {.id = {100 + (uint32_t)i}, .len = 1};

		put_cell(&t->agent, t->number[agent_draw(x) % t->ncolumns], &index);
	}
	if (agent_draw(x) % 2)
		agent_puts(&t->agent,
			   (const char *const[]){"1.3.6.1.8.5.1", "1.3.6.1.10.1.0", NULL});
	sort_once(&t->agent);
}

/* The whole table, or some of its columns in any order, or both; a label. */
static void random_wishes(struct random_table *t, uint64_t *x)
{
	struct profile *p = &t->asked.p;
	size_t columns = agent_draw(x) % 3 ? 0 : 1 + agent_draw(x) % 5;

	p->table = t->objects;
	for (size_t i = 0; i < columns; i++) {
		uint32_t number = 1 + (uint32_t)(agent_draw(x) % 60);

		if (t->ncolumns && agent_draw(x) % 4)
			number = t->number[agent_draw(x) % t->ncolumns];
		t->objects[p->ntable++] = (struct table_object){.oid = column_oid(number),
								.column = true};
	}
	if (!columns || agent_draw(x) % 2) {
		struct table_object *o = &t->objects[p->ntable++];

		*o = (struct table_object){.oid = agent_oid("1.3.6.1.9.1")};
		o->guessed = agent_draw(x) % 2;
		o->oid.len = (uint8_t)(o->oid.len - o->guessed);
	}
	if (t->ncolumns && agent_draw(x) % 2) {
		t->asked.label = column_oid(t->number[agent_draw(x) % t->ncolumns]);
		p->index_label = &t->asked.label;
	}
	p->per_host = 1 + (unsigned)(agent_draw(x) % AGENT_UNDER_WAY);
	p->nonincreasing = agent_draw(x) % 4 == 0;
	p->max_vars = 1000000;
}

static void random_behaviour(struct random_table *t, uint64_t *x)
{
	t->agent.v1 = agent_draw(x) % 4 == 0;
	t->agent.most = agent_draw(x) % 2 ? 0 : 1 + agent_draw(x) % 20;
	t->agent.exceptions = agent_draw(x) % 4 == 0;
	t->agent.never_loses = agent_draw(x) % 2;
	t->agent.surplus = agent_draw(x) % 4 == 0;
	t->how.columns = 1 + agent_draw(x) % WALK_COLUMNS_MAX;
	t->how.repetitions = 1 + (unsigned)(agent_draw(x) % 12);
}

/* The columns in the order in which they are to be shown. */
static size_t wished_columns(const struct random_table *t, uint32_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->asked.p.ntable; i++) {
		const struct table_object *o = &t->objects[i];
		size_t many = o->column ? 1 : t->ncolumns;

		for (size_t k = 0; k < many; k++) {
			uint32_t number = o->column ? o->oid.id[6] : t->number[k];
			size_t known = 0;

			while (known < n && out[known] != number)
				known++;
			if (known == n)
				out[n++] = number;
		}
	}
	return n;
}

static size_t find_cell(const struct agent *a, uint32_t number, const uint32_t *index, size_t len)
{
	struct oid o = column_oid(number);
	size_t i;

	memcpy(o.id + o.len, index, len * sizeof(*index));
	o.len = (uint8_t)(o.len + len);
	i = agent_after(a, o.id, o.len);
	return i > 0 && agent_order(&a->objects[i - 1], &o) == 0 ? i - 1 : SIZE_MAX;
}

static int index_order(const void *a, const void *b)
{
	const struct oid *x = a, *y = b;

	return oid_compare(x->id + 7, x->len - 7u, y->id + 7, y->len - 7u);
}

/* Index by index, column by column. */
static void plain_join(const struct random_table *t, struct vars *out)
{
	struct oid *by_index = mem_alloc((t->agent.count + 1) * sizeof(*by_index));
	uint32_t columns[RANDOM_COLUMNS + 8];
	size_t ncolumns = wished_columns(t, columns), n = 0;

	for (size_t i = 0; i < t->agent.count; i++)
		if (t->agent.objects[i].id[4] == 9)
			by_index[n++] = t->agent.objects[i];
	qsort(by_index, n, sizeof(*by_index), index_order);
	for (size_t i = 0; i < n; i++) {
		const uint32_t *index = by_index[i].id + 7;
		size_t len = by_index[i].len - 7u, at;
		const struct varbind *label = NULL;

		if (i && index_order(&by_index[i - 1], &by_index[i]) == 0)
			continue;
		at = t->asked.p.index_label ? find_cell(&t->agent, t->asked.label.id[6], index, len)
					    : SIZE_MAX;
		if (at != SIZE_MAX) {
			struct varbind v = agent_value(&t->agent, at);

			label = v.type == VAR_INTEGER ? vars_keep(out, &v) : NULL;
		}
		for (size_t k = 0; k < ncolumns; k++) {
			struct varbind v;

			at = find_cell(&t->agent, columns[k], index, len);
			if (at == SIZE_MAX)
				continue;
			v = agent_value(&t->agent, at);
			v.label = label;
			vars_add(out, &v);
		}
	}
	free(by_index);
}

static bool same_varbind(const struct varbind *a, const struct varbind *b)
{
	if (!a || !b)
		return a == b;
	return a->type == b->type && a->value.i == b->value.i &&
	       oid_compare(a->oid, a->noid, b->oid, b->noid) == 0;
}

/* The cells of a row share their label. */
static bool shares_labels(const struct vars *rows)
{
	for (size_t i = 1; i < rows->count; i++) {
		const struct varbind *a = rows->list[i - 1].label, *b = rows->list[i].label;

		if (a && b && a != b && same_varbind(a, b))
			return false;
	}
	return true;
}

static void test_random_tables(void **state)
{
	uint64_t x = SEED;
	size_t rows = 0, parallel = 0;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		static struct random_table t;
		struct vars wanted = {0};
		struct run r;

		t = (struct random_table){0};
		random_cells(&t, &x);
		random_wishes(&t, &x);
		random_behaviour(&t, &x);
		plain_join(&t, &wanted);
		run_profile(&t.agent, &t.asked.p, &t.how, &r);
		if (!r.fine || r.rows.count != wanted.count)
			fail_msg("round %u: %zu rows for %zu: %s", round, r.rows.count,
				 wanted.count, r.words);
		for (size_t i = 0; i < wanted.count; i++)
			if (!same_varbind(&r.rows.list[i], &wanted.list[i]) ||
			    !same_varbind(r.rows.list[i].label, wanted.list[i].label))
				fail_msg("round %u: row %zu", round, i);
		assert_true(shares_labels(&r.rows));
		rows += wanted.count;
		parallel += t.agent.outstanding > 1;
		assert_true(t.agent.columns <= t.how.columns);
		vars_free(&wanted);
		vars_free(&r.rows);
		agent_free(&t.agent);
	}
	assert_true(rows > 50000 && parallel > 500); /* it did try something */
	printf("%zu rows of 2000 tables, seed %#llx\n", rows, (unsigned long long)SEED);
}

/* ---- devices that are made up as they are asked: no array could hold them */

struct virtual_table { /* 1.3.6.1.9.1.COLUMN.INDEX */
	uint32_t columns, rows;
	uint32_t sparse; /* of every second column, only each so many-th row; 0: all */
	struct oid now;
};

static bool virtual_next(void *arg, const struct oid *name, struct varbind *v)
{
	struct virtual_table *t = arg;
	uint32_t column = 1, index = 0, step;
	struct oid entry = agent_oid("1.3.6.1.9.1");

	if (oid_compare(name->id, name->len, entry.id, entry.len) >= 0 && name->len > 6) {
		column = name->id[6];
		index = name->len > 7 ? name->id[7] : 0;
	}
	step = t->sparse && column % 2 == 0 ? t->sparse : 1;
	index = index - index % step + step;
	if (index > t->rows) {
		column++;
		index = t->sparse && column % 2 == 0 ? t->sparse : 1;
	}
	if (column > t->columns)
		return false;
	t->now = entry;
	t->now.id[t->now.len++] = column;
	t->now.id[t->now.len++] = index;
	*v = (struct varbind){.oid = t->now.id, .noid = t->now.len, .type = VAR_COUNTER32};
	return true;
}

/* Waiting cells of all columns, at most; rows are counted and dropped, as the engine does. */
static size_t walk_virtual(struct virtual_table *v, const struct spec *s, size_t *rows,
			   bool *in_order)
{
	struct agent a = {.lie = virtual_next, .arg = v, .most = 70, .never_loses = true};
	struct vars answer = {0}, out = {0};
	char words[WALK_WORDS_MAX] = "";
	struct walk_question q;
	struct asked_for f;
	struct walk *w;
	size_t most = 0;
	uint32_t last = 0;

	make_profile(s, &f);
	w = walk_table(&f.p);
	*in_order = true;
	while (walk_ask(w, s->columns ? s->columns : WALK_COLUMNS_MAX, &q)) {
		agent_answer(&a, &q, 100, &answer);
		assert_true(walk_answer(w, &q, &answer, &out, words));
		for (size_t i = 0; i < out.count; i++) {
			*in_order = *in_order && out.list[i].oid[7] >= last;
			last = out.list[i].oid[7];
		}
		for (size_t i = 0; i < ((struct table *)w)->ncolumns; i++) {
			const struct column *c = &((struct table *)w)->columns[i];
			size_t waiting = walk_join_waiting(c);

			assert_true(c->cells.count < 500); /* what is gone does not stay */

			if (waiting > most)
				most = waiting;
		}
		*rows += out.count;
		vars_reset(&out);
		vars_reset(&answer);
	}
	assert_true(walk_over(w));
	walk_free(w);
	vars_free(&out);
	vars_free(&answer);
	return most;
}

/* 22 columns of 100,000 rows: what waits has nothing to do with the number of rows, however the
 * columns fit a question, dense or sparse. */
static void test_a_large_table_needs_little_memory(void **state)
{
	static const struct {
		struct virtual_table t;
		size_t columns, most;
	} cases[] = {
		{{.columns = 22, .rows = 100000}, 0, 4},
		{{.columns = 22, .rows = 20000}, 5, 80},
		{{.columns = 60, .rows = 5000}, 0, 80},
		{{.columns = 60, .rows = 5000}, 10000, 80}, /* more than a question has */
		{{.columns = 22, .rows = 20000, .sparse = 10}, 0, AHEAD + 70},
		{{.columns = 2, .rows = 50000, .sparse = 3}, 1, AHEAD + 70},
		{{.columns = 2, .rows = 50000, .sparse = 1000}, 0, AHEAD + 70},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spec s = {.objects = {"e:1.3.6.1.9.1"}, .columns = cases[i].columns};
		struct virtual_table t = cases[i].t;
		size_t rows = 0, dense = t.columns, wanted, waited;
		bool in_order;

		if (t.sparse)
			dense = (t.columns + 1) / 2;
		wanted = dense * t.rows;
		wanted += t.sparse ? (t.columns - dense) * (t.rows / t.sparse) : 0;
		waited = walk_virtual(&t, &s, &rows, &in_order);
		printf("%u columns, %u rows: at most %zu cells of a column waited\n", t.columns,
		       t.rows, waited);
		assert_int_equal(rows, wanted);
		assert_true(in_order);
		assert_true(waited <= cases[i].most);
	}
}

/* A label's column that is longer than anything: labels end, the walk does too. */
static void test_a_label_that_never_ends(void **state)
{
	static const struct spec s = {
		.objects = {"c:1.3.6.1.9.1.3"}, .label = "1.3.6.1.9.1.1", .max_vars = 500};
	struct virtual_table v = {.columns = 1, .rows = UINT32_MAX - 1};
	struct agent a = {.lie = virtual_next, .arg = &v, .never_loses = true};
	struct run r;

	(void)state;
	run_spec(&a, &s, &r); /* no row: labels for nothing are not asked for */
	assert_true(r.fine);
	assert_int_equal(r.rows.count, 0);
	assert_true(a.questions <= 3);
	vars_free(&r.rows);
}

struct far_row { /* a column with one row, far behind a label's that never comes there */
	struct oid now;
};

static bool far_next(void *arg, const struct oid *name, struct varbind *v)
{
	struct far_row *f = arg;

	f->now = agent_oid("1.3.6.1.9.1.1");
	if (name->len == 7 && name->id[6] == 2) {
		f->now.id[6] = 2;
		f->now.id[f->now.len++] = UINT32_MAX;
	} else if (name->id[6] == 1) {
		f->now.id[f->now.len++] = name->len > 7 ? name->id[7] + 1 : 1;
	} else {
		return false;
	}
	*v = (struct varbind){.oid = f->now.id, .noid = f->now.len, .type = VAR_INTEGER};
	return true;
}

static void test_a_label_that_does_not_come_near(void **state)
{
	static const struct spec s = {
		.objects = {"c:1.3.6.1.9.1.2"}, .label = "1.3.6.1.9.1.1", .max_vars = 500};
	struct far_row f;
	struct agent a = {.lie = far_next, .arg = &f, .never_loses = true};
	struct run r;

	(void)state;
	run_spec(&a, &s, &r);
	assert_true(r.fine);
	assert_rows(&r.rows, 6, "2.4294967295");
	assert_true(a.questions < 60);
	vars_free(&r.rows);
}

/* A column for every number there is. */
static bool endless_columns(void *arg, const struct oid *name, struct varbind *v)
{
	struct oid *now = arg;

	*now = *name;
	now->id[now->len++] = 1;
	if (now->len == 7) { /* the entry itself was asked for */
		now->id[now->len++] = 1;
	}
	*v = (struct varbind){.oid = now->id, .noid = now->len, .type = VAR_INTEGER};
	return true;
}

static void test_columns_without_end(void **state)
{
	struct oid now;

	(void)state;
	for (int nonincreasing = 0; nonincreasing < 2; nonincreasing++) {
		struct spec s = {.objects = {"e:1.3.6.1.9.1"}, .nonincreasing = nonincreasing};
		struct agent a = {.lie = endless_columns, .arg = &now, .never_loses = true};
		struct run r;

		run_spec(&a, &s, &r);
		assert_false(r.fine);
		assert_string_equal(r.words, "more than 1024 columns");
		assert_true(a.questions < 60);
		vars_free(&r.rows);
	}
}

/* nonincreasing keeps all rows until the end, but not more than a record may have. */
static void test_all_rows_are_kept_up_to_the_cap(void **state)
{
	static const struct spec s = {
		.objects = {"e:1.3.6.1.9.1"}, .nonincreasing = true, .max_vars = 500};
	struct virtual_table v = {.columns = 2, .rows = UINT32_MAX - 1};
	struct agent a = {.lie = virtual_next, .arg = &v, .never_loses = true};
	struct run r;

	(void)state;
	run_spec(&a, &s, &r);
	assert_true(r.fine);
	assert_true(r.rows.count > 500 && r.rows.count < 600);
	vars_free(&r.rows);
}

/* ---- devices that break the rules */

struct broken_column { /* column 2 begins again after `after` */
	struct agent *agent;
	uint32_t after;
	bool backwards; /* its rows come from the last to the first */
	struct oid now;
};

static bool broken_next(void *arg, const struct oid *name, struct varbind *v)
{
	struct broken_column *b = arg;
	uint32_t index = name->len > 7 ? name->id[7] : 0;

	if (name->len < 7 || name->id[6] != 2)
		return false;
	if (b->backwards) {
		if (index == 1) /* the last: something behind the column follows */
			index = 0;
		else
			index = index ? index - 1 : b->after;
	} else {
		index = index == b->after ? 3 : index + 1;
	}
	b->now = agent_oid(index ? "1.3.6.1.9.1.2" : "1.3.6.1.9.1.3.1");
	if (index)
		b->now.id[b->now.len++] = index;
	*v = (struct varbind){.oid = b->now.id, .noid = b->now.len, .type = VAR_INTEGER};
	return true;
}

/* What came before is shown, joined, with its labels; also what came in the same answer. */
static void test_a_column_that_goes_back(void **state)
{
	static const struct spec s = {.objects = {"c:1.3.6.1.9.1.1", "c:1.3.6.1.9.1.2"},
				      .label = "1.3.6.1.9.1.3"};

	(void)state;
	for (unsigned repetitions = 1; repetitions < 12; repetitions++) {
		struct broken_column b = {.after = 5};
		struct agent a = {.lie = broken_next, .arg = &b, .never_loses = true};
		struct spec with = s;
		struct run r;

		with.repetitions = repetitions;
		fill_columns(&a, 3, 9);
		run_spec(&a, &with, &r);
		assert_false(r.fine);
		assert_string_equal(r.words, "1.3.6.1.9.1.2.3 came after 1.3.6.1.9.1.2.5");
		r.rows.count = 10; /* the first column may have come further */
		assert_rows(&r.rows, 6,
			    "1.1=3.1 2.1=3.1 1.2=3.2 2.2=3.2 1.3=3.3 2.3=3.3 1.4=3.4 2.4=3.4 "
			    "1.5=3.5 2.5=3.5");
		vars_free(&r.rows);
		agent_free(&a);
	}
}

/* Backwards: with nonincreasing the rows are in order nevertheless; without, it is broken. */
static void test_a_column_that_comes_backwards(void **state)
{
	static const char all[] = "1.1=3.1 2.1=3.1 1.2=3.2 2.2=3.2 1.3=3.3 2.3=3.3 1.4=3.4 2.4=3.4";

	(void)state;
	for (unsigned i = 0; i < 24; i++) {
		struct broken_column b = {.after = 4, .backwards = true};
		struct agent a = {.lie = broken_next, .arg = &b};
		struct spec s = {
			.objects = {"c:1.3.6.1.9.1.1", "c:1.3.6.1.9.1.2"},
			.label = "1.3.6.1.9.1.3",
			.nonincreasing = i % 2,
			.repetitions = 1 + i / 2,
			.per_host = 1 + i % 3,
		};
		struct run r;

		fill_columns(&a, 3, 4);
		run_spec(&a, &s, &r);
		assert_int_equal(r.fine, s.nonincreasing);
		if (s.nonincreasing)
			assert_rows(&r.rows, 6, all);
		else
			assert_string_equal(r.words, "1.3.6.1.9.1.2.3 came after 1.3.6.1.9.1.2.4");
		vars_free(&r.rows);
		agent_free(&a);
	}
}

/* With nonincreasing a column that begins again comes to its end, and what came is shown. */
static void test_a_column_that_comes_again(void **state)
{
	struct broken_column b = {.after = 4};
	struct agent a = {.lie = broken_next, .arg = &b, .never_loses = true};
	static const struct spec s = {.objects = {"c:1.3.6.1.9.1.2"}, .nonincreasing = true};
	struct run r;

	(void)state;
	run_spec(&a, &s, &r);
	assert_false(r.fine);
	assert_string_equal(r.words, "1.3.6.1.9.1.2.3 came again");
	assert_rows(&r.rows, 6, "2.1 2.2 2.3 2.4");
	vars_free(&r.rows);
}

static bool same_object(void *arg, const struct oid *name, struct varbind *v)
{
	const struct oid *o = arg;

	(void)name;
	*v = (struct varbind){.oid = o->id, .noid = o->len, .type = VAR_INTEGER};
	return true;
}

/* The same object, whatever is asked: found as a column, and then broken, or come again. */
static void test_the_same_object_for_ever(void **state)
{
	static const char *const objects[] = {"1.3.6.1.9.1.1.1", "1.3.6.1.9.1.70.1",
					      "1.3.6.1.9.1.4294967295.1"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct oid o = agent_oid(objects[i / 2]);
		struct agent a = {.lie = same_object, .arg = &o, .never_loses = true};
		struct spec s = {.objects = {"e:1.3.6.1.9.1"}, .nonincreasing = i % 2};
		struct run r;

		run_spec(&a, &s, &r);
		assert_false(r.fine);
		assert_non_null(strstr(r.words, " came "));
		if (i < 2)
			assert_string_equal(r.words,
					    i ? "1.3.6.1.9.1.1.1 came again"
					      : "1.3.6.1.9.1.1.1 came after 1.3.6.1.9.1.2");
		assert_true(a.questions < 10);
		vars_free(&r.rows);
	}
}

static void test_an_answer_without_varbinds(void **state)
{
	static const char *const texts[] = {"e:1.3.6.1.9.1", "c:1.3.6.1.9.1.1"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct spec s = {.objects = {texts[i]}};
		struct vars nothing = {0}, rows = {0};
		char words[WALK_WORDS_MAX] = "";
		struct walk_question q;
		struct asked_for f;
		struct walk *w;

		make_profile(&s, &f);
		w = walk_table(&f.p);
		assert_false(walk_over(w));
		assert_true(walk_ask(w, 32, &q));
		assert_int_equal(q.single, i == 0);
		assert_false(walk_answer(w, &q, &nothing, &rows, words));
		assert_string_equal(words, "an answer without varbinds");
		assert_true(walk_over(w));
		walk_free(w);
	}
}

/* v1 does not say which name is the one: all are asked again, one by one. */
static void test_no_such_name_without_index(void **state)
{
	static const struct spec s = {.objects = {"c:1.3.6.1.9.1.1", "c:1.3.6.1.9.1.2"}};
	struct agent a = {.v1 = true};
	struct vars answer = {0}, rows = {0};
	char words[WALK_WORDS_MAX] = "";
	struct walk_question q;
	struct asked_for f;
	struct walk *w;

	(void)state;
	fill_columns(&a, 2, 3);
	make_profile(&s, &f);
	w = walk_table(&f.p);
	assert_true(walk_ask(w, 32, &q));
	assert_int_equal(q.count, 2);
	walk_none(w, &q, 0);
	for (int i = 0; i < 100 && walk_ask(w, 32, &q); i++) {
		assert_int_equal(q.count, 1);
		if (agent_answer(&a, &q, 1, &answer))
			walk_none(w, &q, 0);
		else
			assert_true(walk_answer(w, &q, &answer, &rows, words));
		vars_reset(&answer);
	}
	assert_true(walk_over(w));
	walk_flush(w, &rows);
	assert_rows(&rows, 6, "1.1 2.1 1.2 2.2 1.3 2.3");
	walk_free(w);
	agent_free(&a);
	vars_free(&answer);
	vars_free(&rows);
}

/* ---- several questions under way */

/* per_host 3 of five columns: two, two and one, each in one question. */
static void test_columns_are_shared_out(void **state)
{
	static const struct spec s = {.objects = {"c:1.3.6.1.9.1.1", "c:1.3.6.1.9.1.2",
						  "c:1.3.6.1.9.1.3", "c:1.3.6.1.9.1.4",
						  "c:1.3.6.1.9.1.5"},
				      .per_host = 3};
	struct walk_question q[4];
	unsigned seen = 0, n;
	struct asked_for f;
	struct walk *w;

	(void)state;
	make_profile(&s, &f);
	w = walk_table(&f.p);
	for (n = 0; n < 4 && walk_ask(w, 32, &q[n]); n++) {
		assert_int_equal(q[n].count, n < 2 ? 2 : 1);
		for (size_t i = 0; i < q[n].count; i++) {
			assert_false(seen & 1u << q[n].name[i]->id[6]);
			seen |= 1u << q[n].name[i]->id[6];
		}
	}
	assert_int_equal(n, 3);
	assert_int_equal(seen, 0x3e);
	walk_free(w);
}

/* Five questions under way, the fourth answer breaks the rules: what came is joined, what still comes
 * does no harm. */
static void test_answers_after_the_end(void **state)
{
	static const struct spec s = {.objects = {"c:1.3.6.1.9.1.1", "c:1.3.6.1.9.1.2",
						  "c:1.3.6.1.9.1.3", "c:1.3.6.1.9.1.4",
						  "c:1.3.6.1.9.1.5"},
				      .per_host = 5};
	struct agent a = {0};
	struct vars answers[5] = {{0}}, rows = {0}, nothing = {0};
	char words[WALK_WORDS_MAX] = "";
	struct walk_question q[5];
	struct asked_for f;
	struct walk *w;

	(void)state;
	fill_columns(&a, 5, 3);
	make_profile(&s, &f);
	w = walk_table(&f.p);
	for (size_t i = 0; i < 5; i++) {
		assert_true(walk_ask(w, 32, &q[i]));
		agent_answer(&a, &q[i], 2, &answers[i]);
	}
	assert_false(walk_ask(w, 32, &(struct walk_question){0}));
	assert_true(walk_answer(w, &q[4], &answers[4], &rows, words));
	assert_true(walk_answer(w, &q[0], &answers[0], &rows, words));
	assert_true(walk_answer(w, &q[1], &answers[1], &rows, words));
	assert_int_equal(rows.count, 0); /* two columns have not come */
	assert_false(walk_answer(w, &q[2], &nothing, &rows, words));
	assert_true(walk_over(w));
	assert_true(walk_answer(w, &q[3], &answers[3], &rows, words));
	assert_true(walk_over(w));
	assert_int_equal(rows.count, 0);
	walk_flush(w, &rows);
	assert_rows(&rows, 6, "1.1 2.1 5.1 1.2 2.2 5.2");
	walk_free(w);
	for (size_t i = 0; i < 5; i++)
		vars_free(&answers[i]);
	vars_free(&rows);
	agent_free(&a);
}

/* A label that nobody needs any more is still asked for: the walk is over when that is answered. */
static void test_over_means_that_nothing_is_under_way(void **state)
{
	static const struct spec s = {
		.objects = {"c:1.3.6.1.9.1.7"}, .label = "1.3.6.1.9.1.1", .per_host = 2};
	struct agent a = {0};
	struct vars answer = {0}, rows = {0};
	char words[WALK_WORDS_MAX] = "";
	struct walk_question q[3];
	struct asked_for f;
	struct walk *w;

	(void)state;
	fill_columns(&a, 1, 3);
	make_profile(&s, &f);
	w = walk_table(&f.p);
	assert_true(walk_ask(w, 32, &q[0]));
	assert_true(walk_ask(w, 32, &q[1]));
	agent_answer(&a, &q[0], 1, &answer);
	assert_true(walk_answer(w, &q[0], &answer, &rows, words));
	assert_false(walk_ask(w, 32, &q[2]));
	assert_false(walk_over(w));
	walk_again(w, &q[1]);
	assert_false(walk_ask(w, 32, &q[2]));
	assert_true(walk_over(w));
	walk_free(w);
	vars_free(&answer);
	vars_free(&rows);
	agent_free(&a);
}

/* noSuchName ends the column that was behind; the other is far ahead of nothing, and goes on. */
static void test_nobody_is_behind(void **state)
{
	static const struct spec s = {.objects = {"c:1.3.6.1.9.1.1", "c:1.3.6.1.9.1.2"}};
	struct agent a = {0};
	struct vars answer = {0}, rows = {0};
	char words[WALK_WORDS_MAX] = "";
	struct walk_question q;
	struct asked_for f;
	struct walk *w;

	(void)state;
	fill_columns(&a, 1, 200);
	make_profile(&s, &f);
	w = walk_table(&f.p);
	assert_true(walk_ask(w, 1, &q));
	agent_answer(&a, &q, AHEAD + 1, &answer);
	assert_true(walk_answer(w, &q, &answer, &rows, words));
	assert_true(walk_ask(w, 32, &q)); /* the other one alone */
	assert_int_equal(q.count, 1);
	assert_int_equal(q.name[0]->id[6], 2);
	walk_none(w, &q, 1);
	assert_true(walk_ask(w, 32, &q));
	assert_int_equal(q.name[0]->id[6], 1);
	vars_reset(&answer);
	agent_answer(&a, &q, 200, &answer);
	assert_true(walk_answer(w, &q, &answer, &rows, words));
	assert_int_equal(rows.count, 200);
	assert_true(walk_over(w));
	walk_free(w);
	vars_free(&answer);
	vars_free(&rows);
	agent_free(&a);
}

/* The walk ends early, by a deadline: what waits comes out in index order. */
static void test_a_walk_that_is_cut(void **state)
{
	static const struct spec s = {.objects = {"c:1.3.6.1.9.1.1", "c:1.3.6.1.9.1.2"},
				      .columns = 1};
	struct agent a = {.never_loses = true};
	struct vars answer = {0}, rows = {0};
	char words[WALK_WORDS_MAX] = "";
	struct walk_question q;
	struct asked_for f;
	struct walk *w;

	(void)state;
	fill_columns(&a, 2, 9);
	make_profile(&s, &f);
	w = walk_table(&f.p);
	for (int i = 0; i < 3; i++) {
		assert_true(walk_ask(w, 1, &q));
		agent_answer(&a, &q, 2, &answer);
		assert_true(walk_answer(w, &q, &answer, &rows, words));
		vars_reset(&answer);
	}
	assert_rows(&rows, 6, "1.1 2.1 1.2 2.2");
	assert_true(walk_ask(w, 1, &q)); /* and is not answered any more */
	walk_flush(w, &rows);
	assert_rows(&rows, 6, "1.1 2.1 1.2 2.2 1.3 1.4");
	assert_true(walk_over(w));
	assert_false(walk_ask(w, 1, &q));
	walk_free(w);
	agent_free(&a);
	vars_free(&answer);
	vars_free(&rows);
}

/* Names that are long: the question stays below a datagram, and one always fits. */
static void test_long_names_make_several_questions(void **state)
{
	struct asked_for f = {0};
	struct walk_question q;
	struct walk *w;
	size_t asked = 0;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		f.objects[i].column = true;
		f.objects[i].oid.len = OID_MAX;
		for (size_t k = 0; k < OID_MAX; k++)
			f.objects[i].oid.id[k] = k < 2 ? 1 : UINT32_MAX;
		f.objects[i].oid.id[OID_MAX - 1] = (uint32_t)i;
	}
	f.p.table = f.objects;
	f.p.ntable = 8;
	f.p.per_host = 1;
	w = walk_table(&f.p);
	while (walk_ask(w, 32, &q)) {
		assert_int_equal(q.count, 1); /* 650 octets each */
		asked += q.count;
	}
	assert_int_equal(asked, 8);
	walk_free(w);
}

/* OIDs of 128 sub-identifiers, and of 127: nothing, or not enough, is below them. */
static void test_the_longest_oids(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct agent a = {.never_loses = true};
		struct asked_for f = {0};
		struct spec s = {0};
		struct run r;

		f.objects[0].guessed = i % 2;
		f.objects[0].oid.len = (uint8_t)(OID_MAX - i / 2);
		for (size_t k = 0; k < OID_MAX; k++)
			f.objects[0].oid.id[k] = 1;
		f.p.table = f.objects;
		f.p.ntable = 1;
		f.p.per_host = 1;
		f.p.max_vars = 10;
		agent_put(&a, &f.objects[0].oid);
		if (a.objects[0].len < OID_MAX)
			a.objects[0].len = OID_MAX;
		run_profile(&a, &f.p, &s, &r);
		assert_string_equal(r.words, "");
		/* 127: a guessed one is a column; 126: an entry has a column with an object, but no index */
		assert_int_equal(r.rows.count, (i / 2 == 1 && i % 2) || i / 2 == 2);
		vars_free(&r.rows);
		agent_free(&a);
	}
}

/* Below an entry, but not below a column: no cell, and no reason to stop. Nor may it come for one. */
static void test_objects_without_an_index(void **state)
{
	static const char *const mib[] = {"1.3.6.1.9.1.1", "1.3.6.1.9.1.2.5", NULL};

	(void)state;
	for (int nonincreasing = 0; nonincreasing < 2; nonincreasing++) {
		struct spec s = {.objects = {"e:1.3.6.1.9.1"}, .nonincreasing = nonincreasing};
		struct agent a = {.never_loses = true};
		struct oid column = agent_oid("1.3.6.1.9.1.2");
		struct run r;

		agent_puts(&a, mib);
		run_spec(&a, &s, &r);
		assert_string_equal(r.words, "");
		assert_rows(&r.rows, 6, "2.5");
		vars_free(&r.rows);
		a.lie = same_object;
		a.arg = &column;
		s.objects[0] = "c:1.3.6.1.9.1.2";
		run_spec(&a, &s, &r);
		assert_string_equal(r.words, nonincreasing
						     ? "1.3.6.1.9.1.2 came again"
						     : "1.3.6.1.9.1.2 came after 1.3.6.1.9.1.2");
		assert_int_equal(r.rows.count, 0);
		vars_free(&r.rows);
		agent_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_joined_by_index),
		cmocka_unit_test(test_a_label_of_another_table),
		cmocka_unit_test(test_what_a_guessed_object_is),
		cmocka_unit_test(test_sparse_columns_are_found),
		cmocka_unit_test(test_random_tables),
		cmocka_unit_test(test_a_large_table_needs_little_memory),
		cmocka_unit_test(test_a_label_that_never_ends),
		cmocka_unit_test(test_a_label_that_does_not_come_near),
		cmocka_unit_test(test_columns_without_end),
		cmocka_unit_test(test_all_rows_are_kept_up_to_the_cap),
		cmocka_unit_test(test_a_column_that_goes_back),
		cmocka_unit_test(test_a_column_that_comes_backwards),
		cmocka_unit_test(test_a_column_that_comes_again),
		cmocka_unit_test(test_the_same_object_for_ever),
		cmocka_unit_test(test_an_answer_without_varbinds),
		cmocka_unit_test(test_no_such_name_without_index),
		cmocka_unit_test(test_columns_are_shared_out),
		cmocka_unit_test(test_answers_after_the_end),
		cmocka_unit_test(test_over_means_that_nothing_is_under_way),
		cmocka_unit_test(test_nobody_is_behind),
		cmocka_unit_test(test_the_longest_oids),
		cmocka_unit_test(test_objects_without_an_index),
		cmocka_unit_test(test_a_walk_that_is_cut),
		cmocka_unit_test(test_long_names_make_several_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

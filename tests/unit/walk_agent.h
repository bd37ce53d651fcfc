/*
 * A simulated agent for the tests of walk: a sorted array of OIDs that answers questions as GETNEXT,
 * GETBULK and GET do (RFC 3416 §4.2), with knobs for what devices do instead. And the engine's part: it
 * asks, keeps several questions under way, loses some, and gives answers in any order.
 */
#ifndef TESTS_WALK_AGENT_H
#define TESTS_WALK_AGENT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/walk.h"

#define AGENT_UNDER_WAY 8
#define AGENT_PATIENCE  20000 /* questions: no walk in the tests needs so many */

struct agent {
	struct oid *objects; /* sorted; the value of the i-th is i */
	size_t count;
	bool v1;            /* noSuchName at the end; one repetition */
	size_t most;        /* varbinds of an answer; 0: as asked */
	bool surplus;       /* two repetitions where one was asked for */
	bool exceptions;    /* odd values are noSuchInstance or noSuchObject */
	bool never_loses;   /* every question is answered at once, in order */
	size_t questions;   /* counted */
	size_t columns;     /* most names of a question, counted */
	size_t outstanding; /* most questions under way, counted */
	/* Instead of the next object, in answers to WALK_NEXT: true, with the object in *v. */
	bool (*lie)(void *arg, const struct oid *name, struct varbind *v);
	void *arg;
};

static inline uint64_t agent_draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x >> 11;
}

static inline struct oid agent_oid(const char *text)
{
	struct oid o = {.id = {(uint32_t)(*text - '0')}, .len = 1};

	if (!text[1])
		return o; /* the top of the tree */
	if (!oid_parse(text, strlen(text), &o))
		abort();
	return o;
}

static inline int agent_order(const void *a, const void *b)
{
	const struct oid *x = a, *y = b;

	return oid_compare(x->id, x->len, y->id, y->len);
}

/* Copies and sorts. */
static inline void agent_put(struct agent *a, const struct oid *o)
{
	if ((a->count & (a->count + 1)) == 0) /* 0, 1, 3, 7 …: doubled */
		a->objects = mem_resize(a->objects, a->count * 2 + 1, sizeof(*o));
	a->objects[a->count++] = *o;
}

static inline void agent_puts(struct agent *a, const char *const *texts)
{
	for (; *texts; texts++) {
		struct oid o = agent_oid(*texts);

		agent_put(a, &o);
	}
	qsort(a->objects, a->count, sizeof(*a->objects), agent_order);
}

static inline void agent_free(struct agent *a)
{
	free(a->objects);
	a->objects = NULL;
	a->count = 0;
}

static inline size_t agent_after(const struct agent *a, const uint32_t *id, size_t len)
{
	size_t low = 0, high = a->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (oid_compare(a->objects[mid].id, a->objects[mid].len, id, len) > 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static inline struct varbind agent_value(const struct agent *a, size_t i)
{
	struct varbind v = {
		.oid = a->objects[i].id,
		.noid = a->objects[i].len,
		.type = VAR_INTEGER,
		.value.i = (int64_t)i,
	};

	if (a->exceptions && i % 2)
		v.type = i % 4 == 1 ? VAR_NO_SUCH_INSTANCE : VAR_NO_SUCH_OBJECT;
	return v;
}

/* What follows name; the end is endOfMibView under that name. */
static inline struct varbind agent_next(struct agent *a, const struct oid *name)
{
	struct varbind v = {.oid = name->id, .noid = name->len, .type = VAR_END_OF_MIB_VIEW};
	size_t i = agent_after(a, name->id, name->len);

	if (a->lie && a->lie(a->arg, name, &v))
		return v;
	return i < a->count ? agent_value(a, i) : v;
}

static inline void agent_get(struct agent *a, const struct oid *name, struct vars *out)
{
	struct varbind v = {.oid = name->id, .noid = name->len, .type = VAR_NO_SUCH_OBJECT};
	size_t i = agent_after(a, name->id, name->len);

	if (i > 0 && agent_order(&a->objects[i - 1], name) == 0)
		v = agent_value(a, i - 1);
	vars_add(out, &v);
}

/* Appends the answer; returns v1's error-index, or 0. */
static inline size_t agent_answer(struct agent *a, const struct walk_question *q,
				  unsigned repetitions, struct vars *out)
{
	struct oid at[WALK_COLUMNS_MAX];

	a->questions++;
	for (size_t i = 0; i < q->count; i++)
		at[i] = *q->name[i];
	if (q->kind == WALK_GET)
		agent_get(a, &at[0], out);
	else if (a->v1 || q->single)
		repetitions = 1;
	if (a->surplus && !a->v1 && repetitions == 1)
		repetitions = 2;
	for (unsigned r = 0; q->kind == WALK_NEXT && r < repetitions; r++) {
		for (size_t i = 0; i < q->count; i++) {
			struct varbind v = agent_next(a, &at[i]);

			if (v.type == VAR_END_OF_MIB_VIEW && a->v1)
				return i + 1;
			if (a->most && out->count == a->most)
				return 0;
			vars_add(out, &v);
			memcpy(at[i].id, out->list[out->count - 1].oid, v.noid * sizeof(*v.oid));
			at[i].len = v.noid;
		}
	}
	return a->v1 && q->kind == WALK_GET && out->list[0].type == VAR_NO_SUCH_OBJECT ? 1 : 0;
}

struct agent_engine {
	struct agent *agent;
	struct walk *walk;
	size_t columns, per_host;
	unsigned repetitions;
	uint64_t *random;
	struct walk_question asked[AGENT_UNDER_WAY];
	size_t nasked;
	struct vars *rows;
	char *words;
};

/* One question of those under way gets its answer, or is lost. False: the walk is broken. */
static inline bool agent_turn(struct agent_engine *e)
{
	struct vars answer = {0}, rows = {0};
	size_t pick = e->agent->never_loses ? 0 : agent_draw(e->random) % e->nasked, index;
	struct walk_question q = e->asked[pick];
	bool fine = true;

	e->asked[pick] = e->asked[--e->nasked];
	if (!e->agent->never_loses && agent_draw(e->random) % 8 == 0) {
		walk_again(e->walk, &q);
		return true;
	}
	index = agent_answer(e->agent, &q, e->repetitions, &answer);
	if (index) {
		walk_none(e->walk, &q, index);
	} else {
		fine = walk_answer(e->walk, &q, &answer, &rows, e->words);
		vars_free(&answer); /* rows must not point into it */
		vars_append(e->rows, &rows);
	}
	vars_free(&answer);
	vars_free(&rows);
	return fine;
}

/* As the engine does. True: the walk came to its end; rows holds all in any case. */
static inline bool agent_run(struct agent_engine *e)
{
	struct vars last = {0};
	bool fine = true;

	e->nasked = 0;
	while (fine && e->agent->questions < AGENT_PATIENCE) {
		while (e->nasked < e->per_host &&
		       walk_ask(e->walk, e->columns, &e->asked[e->nasked]))
			e->nasked++;
		if (e->nasked > e->agent->outstanding)
			e->agent->outstanding = e->nasked;
		for (size_t i = 0; i < e->nasked; i++)
			if (e->asked[i].count > e->agent->columns)
				e->agent->columns = e->asked[i].count;
		if (!e->nasked)
			break;
		fine = agent_turn(e);
	}
	if (!fine && !walk_over(e->walk))
		snprintf(e->words, WALK_WORDS_MAX, "broken, but not over");
	if (e->agent->questions == AGENT_PATIENCE) {
		snprintf(e->words, WALK_WORDS_MAX, "asks for ever");
		fine = false;
	}
	if (fine && !walk_over(e->walk)) {
		snprintf(e->words, WALK_WORDS_MAX, "stuck: not over, and nothing to ask");
		fine = false;
	}
	walk_flush(e->walk, &last);
	vars_append(e->rows, &last);
	vars_free(&last);
	return fine;
}

#endif

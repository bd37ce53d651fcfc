/*
 * Walks: the rules that hold for every one of them.
 *
 * The problem: a walk ends when the device says so, and devices say so in many ways: endOfMibView, the
 * first object beyond the subtree, noSuchName, noSuchObject where GETNEXT may not give one, the same
 * object for ever, an older one again. Whoever believes the wrong one asks for ever or stops early
 * without a word, and both have been reported of every poller in use.
 *
 * The rules, in this order. endOfMibView, and any object outside the subtree, wherever it lies, is the
 * end: many devices begin again at the front when their MIB is through. An object in the subtree must
 * be greater than the one before, else the device is broken; noSuchObject or noSuchInstance under an
 * OID that is not greater is the end (the name asked for, echoed: snmpwalk ends there too). With a
 * greater OID it is a row: the device knows of the object and has no value, which is an answer, and the
 * walk goes on behind it. snmpwalk shows it and stops; what follows would be lost without a word.
 * Everything that goes on therefore makes a row or a smaller rest: nothing loops, and max_vars bounds
 * what is left.
 *
 * Rejected: asking whether an OID equals the root. It cannot be greater than the place where a walk
 * begins, so the rule about increasing says all that there is to say.
 *
 * The trap: the names of a table's columns must fit a datagram, and a name may have 128
 * sub-identifiers of five octets each. A question is full by octets long before it is by number.
 */
#include "snmp/walk_internal.h"

#include <stdio.h>
#include <string.h>

#define NAMES_OCTETS 1200 /* of a question's names: the message around them has some, too */
#define NAME_HEAD    8    /* tags and lengths of a name, its NULL and their varbind */
#define WORDS_OID    190  /* octets of an OID in words: two, what stands between, a NUL */
#define ELLIPSIS     "…"

_Static_assert(NAME_HEAD + 5 * OID_MAX <= NAMES_OCTETS, "a question takes one name at least");
_Static_assert(2 * WORDS_OID + 20 <= WALK_WORDS_MAX, "two OIDs and what stands between them fit");

static bool is_exception(const struct varbind *v)
{
	return v->type == VAR_NO_SUCH_OBJECT || v->type == VAR_NO_SUCH_INSTANCE;
}

static bool is_inside(const struct walk_place *p, const struct varbind *v)
{
	return v->noid >= p->root && memcmp(v->oid, p->id, p->root * sizeof(*p->id)) == 0;
}

static bool is_greater(const struct walk_place *p, const struct varbind *v)
{
	return oid_compare(v->oid + p->root, v->noid - p->root, p->id + p->root, p->len - p->root) >
	       0;
}

enum walk_step walk_step(struct walk_place *p, struct walk_seen *seen, const struct varbind *v,
			 char words[WALK_WORDS_MAX])
{
	bool greater;

	if (v->type == VAR_END_OF_MIB_VIEW || !is_inside(p, v))
		return WALK_END;
	greater = is_greater(p, v);
	if (!greater && is_exception(v))
		return WALK_END;
	if (seen && !walk_seen_add(seen, v->oid, v->noid)) {
		walk_say(words, v, " came again", NULL, 0);
		return WALK_BROKEN;
	}
	if (!seen && !greater) {
		walk_say(words, v, " came after ", p->id, p->len);
		return WALK_BROKEN;
	}
	p->id = v->oid;
	p->len = v->noid;
	return WALK_ROW;
}

/* Dotted, at most WORDS_OID octets: the middle of a longer one is left out. */
static void say_oid(const uint32_t *id, size_t len, char out[WORDS_OID + 1])
{
	char text[OID_TEXT_MAX];
	size_t n = oid_text(id, len, text), half = (WORDS_OID - strlen(ELLIPSIS)) / 2;

	if (n <= WORDS_OID)
		memcpy(out, text, n + 1);
	else
		snprintf(out, WORDS_OID + 1, "%.*s" ELLIPSIS "%s", (int)half, text,
			 text + n - half);
}

void walk_say(char words[WALK_WORDS_MAX], const struct varbind *v, const char *between,
	      const uint32_t *id, size_t len)
{
	char first[WORDS_OID + 1], second[WORDS_OID + 1];

	say_oid(v->oid, v->noid, first);
	say_oid(id, len, second);
	snprintf(words, WALK_WORDS_MAX, "%s%s%s", first, between, second);
}

/* At most; X.690 §8.19.2 puts seven bits into an octet. */
static size_t name_octets(const struct oid *o)
{
	size_t octets = NAME_HEAD;

	for (size_t i = 0; i < o->len; i++) {
		octets++;
		for (uint32_t rest = o->id[i] >> 7; rest; rest >>= 7)
			octets++;
	}
	return octets;
}

bool walk_question_add(struct walk_question *q, const struct oid *name, size_t column)
{
	size_t octets = name_octets(name);

	if (q->octets + octets > NAMES_OCTETS)
		return false;
	q->octets = (uint16_t)(q->octets + octets);
	q->name[q->count] = name;
	q->column[q->count] = (uint32_t)column;
	q->count++;
	return true;
}

bool walk_ask(struct walk *w, size_t columns, struct walk_question *q)
{
	if (columns < 1)
		columns = 1;
	if (columns > WALK_COLUMNS_MAX)
		columns = WALK_COLUMNS_MAX;
	q->kind = WALK_NEXT;
	q->single = false;
	q->count = 0;
	q->octets = 0;
	return w->ops->ask(w, columns, q);
}

bool walk_answer(struct walk *w, const struct walk_question *q, const struct vars *answer,
		 struct vars *rows, char words[WALK_WORDS_MAX])
{
	return w->ops->answer(w, q, answer, rows, words);
}

void walk_none(struct walk *w, const struct walk_question *q, size_t index)
{
	w->ops->none(w, q, index);
}

void walk_again(struct walk *w, const struct walk_question *q)
{
	w->ops->again(w, q);
}

bool walk_over(const struct walk *w)
{
	return w->ops->over(w);
}

void walk_flush(struct walk *w, struct vars *rows)
{
	w->ops->flush(w, rows);
}

void walk_free(struct walk *w)
{
	if (w)
		w->ops->free(w);
}

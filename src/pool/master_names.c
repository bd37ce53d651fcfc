/*
 * Names to addresses: each name is asked once per run, of the resolver process; in rounds again (master_refresh.c).
 *
 * The problem: a name server that is slow or silent must hold up the targets of its names and nobody
 * else; and the resolver reads what strangers send, so it may die, and may lie.
 *
 * The design: a table of all names met so far; the first target of a name puts it in the row of names
 * to be asked, and all its targets wait in a chain until the answer moves them to the ready ones. At most
 * LOOKUP_IN_FLIGHT are asked at a time.
 *
 * A resolver's death is charged to all that it was asked, for nobody can tell what killed it; from then
 * on the charged ones are asked alone, so that the second and third charge meet the right one. The third
 * makes the name unknown. One that could not begin says so by its exit status, and nobody is charged. A resolver
 * that only dies is given up, and what it was to find is unknown; that is the system's fault and the run's exit
 * status, though addresses are polled as ever.
 */
#include "pool/master_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "pool/lookup.h"
#include "pool/message.h"

#define CHARGES_MAX 3
#define DEATHS_MAX  10 /* of the resolver in a row without an answer */
#define TABLE_MIN   64

/* --- the table ---------------------------------------------------------------------------- */

/* FNV-1a, letter case aside. */
static uint32_t hash(const char *text, uint8_t family)
{
	uint32_t h = 2166136261u ^ family;

	for (; *text != '\0'; text++)
		h = (h ^ (uint32_t)tolower((unsigned char)*text)) * 16777619u;
	return h;
}

/* Where the name is in the table, or the free place where it belongs. */
static uint32_t *table_place(const struct names *ns, const char *text, uint8_t family)
{
	uint32_t at = hash(text, family);

	for (;; at++) {
		uint32_t *place = &ns->table[at & ns->mask];
		const struct name *n = &ns->list[*place - (*place > 0)];
		if (*place == 0 || (n->family == family && strcasecmp(n->text, text) == 0))
			return place;
	}
}

static void table_grow(struct names *ns)
{
	uint32_t size = ns->table == NULL ? TABLE_MIN : (ns->mask + 1) * 2;

	free(ns->table);
	ns->table = mem_zero(size, sizeof(*ns->table));
	ns->mask = size - 1;
	for (uint32_t i = 0; i < ns->count; i++)
		*table_place(ns, ns->list[i].text, ns->list[i].family) = i + 1;
}

static void list_add(struct waiters *l, struct waiter *t)
{
	t->next = NULL;
	if (l->last == NULL)
		l->first = t;
	else
		l->last->next = t;
	l->last = t;
}

void names_wait(struct master *m, enum plan_kind kind, const struct waiter *t)
{
	struct waiter *copy = mem_alloc(sizeof(*copy));

	*copy = *t;
	list_add(&m->names.list[t->name].waiting[kind], copy);
}

static void waiters_free(struct waiters *l)
{
	while (l->first != NULL) {
		struct waiter *t = l->first;
		l->first = t->next;
		free(t);
	}
}

void names_free(struct master *m)
{
	struct names *ns = &m->names;

	for (uint32_t i = 0; i < ns->count; i++) {
		for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
			waiters_free(&ns->list[i].waiting[kind]);
		free(ns->list[i].addrs);
		free(ns->list[i].fresh);
		free(ns->list[i].message);
	}
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		waiters_free(&ns->ready[kind]);
	free(ns->list);
	free(ns->table);
}

/* --- what becomes of a name ----------------------------------------------------------------- */

/* Puts all of `more` behind what is in l; more is empty then. */
static void list_append(struct waiters *l, struct waiters *more)
{
	if (more->first == NULL)
		return;
	if (l->last == NULL)
		l->first = more->first;
	else
		l->last->next = more->first;
	l->last = more->last;
	*more = (struct waiters){0};
}

/* Its targets wait no longer. */
static void name_ready(struct names *ns, struct name *n)
{
	for (unsigned kind = 0; kind < PLAN_KINDS; kind++)
		list_append(&ns->ready[kind], &n->waiting[kind]);
}

static void name_unknown(struct names *ns, struct name *n, const char *message)
{
	n->state = NAME_UNKNOWN;
	n->message = mem_strdup(message);
	name_ready(ns, n);
}

static void name_known(struct master *m, struct name *n, const struct lookup_answer *a)
{
	struct names *ns = &m->names;

	n->state = NAME_KNOWN;
	n->known_us = loop_now_us(m->loop);
	n->naddrs = a->count;
	n->addrs = mem_alloc(a->count * sizeof(*n->addrs));
	memcpy(n->addrs, a->addrs, a->count * sizeof(*n->addrs));
	name_ready(ns, n);
}

/* The number of the target's name, which is new if nobody had it before. */
uint32_t names_find(struct master *m, const struct plan_target *t)
{
	struct names *ns = &m->names;
	uint32_t *place;

	if (ns->table == NULL || ns->count * 2 > ns->mask)
		table_grow(ns);
	if (ns->count == ns->cap) {
		ns->cap = ns->cap ? ns->cap * 2 : TABLE_MIN;
		ns->list = mem_resize(ns->list, ns->cap, sizeof(*ns->list));
	}
	place = table_place(ns, t->name, t->family);
	if (*place > 0)
		return *place - 1;
	ns->list[ns->count] = (struct name){.text = t->name, .family = t->family};
	if (ns->deaths >= DEATHS_MAX)
		name_unknown(ns, &ns->list[ns->count], "the resolver does not live");
	*place = ++ns->count;
	return *place - 1;
}

/* --- questions ---------------------------------------------------------------------------- */

/* The next name to be asked; NULL: none. */
static struct name *name_to_ask(struct names *ns)
{
	while (ns->next < ns->count && ns->list[ns->next].state != NAME_TO_ASK)
		ns->next++;
	return ns->next < ns->count ? &ns->list[ns->next] : NULL;
}

void name_put(struct master *m, struct name *n)
{
	struct lookup_question q = {.ticket = (uint32_t)(n - m->names.list), .family = n->family};
	uint8_t octets[LOOKUP_QUESTION_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	snprintf(q.name, sizeof(q.name), "%s", n->text);
	lookup_question_pack(&q, &w);
	queue_put(m->resolver->queue, MESSAGE_NAME, octets, (size_t)(w.at - octets));
	if (!child_owes(m->resolver))
		child_begins(m->resolver);
}

static void name_ask(struct master *m, struct name *n)
{
	name_put(m, n);
	n->state = NAME_ASKED;
	m->names.asked++;
	m->names.alone = n->charges > 0;
}

bool names_left(struct master *m)
{
	return m->names.asked > 0 || name_to_ask(&m->names) != NULL;
}

void names_ask(struct master *m)
{
	struct names *ns = &m->names;
	struct child *r = m->resolver;
	struct name *n;

	if (name_to_ask(ns) == NULL) {
		refresh_ask(m);
		return;
	}
	if (r->queue == NULL && r->respawn_us == LOOP_NEVER)
		child_birth(r);
	if (r->queue == NULL || r->killed)
		return;
	while (ns->asked + ns->refreshing < LOOKUP_IN_FLIGHT && !ns->alone &&
	       (n = name_to_ask(ns)) != NULL)
		name_ask(m, n); /* the charged ones come first: they were asked before */
}

/* --- answers ------------------------------------------------------------------------------ */

bool names_take(struct master *m, const struct queue_frame *f)
{
	struct wire_in r = {.at = f->data, .end = f->data + f->len};
	struct names *ns = &m->names;
	struct lookup_answer a;
	struct name *n;

	if (!lookup_answer_unpack(&a, &r) || a.ticket >= ns->count)
		return false;
	n = &ns->list[a.ticket];
	if (n->state != NAME_ASKED && !refresh_take(m, n, &a))
		return false;
	ns->deaths = 0;
	m->resolver->delivered = true;
	if (n->state != NAME_ASKED)
		return true;
	ns->asked--;
	ns->alone = false;
	if (a.count > 0)
		name_known(m, n, &a);
	else
		name_unknown(ns, n, a.message);
	return true;
}

void names_resolver_died(struct master *m, bool began)
{
	struct names *ns = &m->names;
	bool hopeless = ++ns->deaths >= DEATHS_MAX;

	if (hopeless) {
		log_error("the resolver dies again and again: no name is looked up any more");
		m->result->failed = m->config->rounds == NULL; /* a round has another chance */
	}
	refresh_lost(m);
	for (uint32_t i = ns->count; i-- > 0;) {
		struct name *n = &ns->list[i];
		bool asked = n->state == NAME_ASKED;
		if (asked && began && ++n->charges >= CHARGES_MAX)
			name_unknown(ns, n, "the resolver died three times over this name");
		else if (hopeless && (asked || n->state == NAME_TO_ASK))
			name_unknown(ns, n, "the resolver does not live");
		else if (asked)
			n->state = NAME_TO_ASK;
		if (n->state == NAME_TO_ASK)
			ns->next = i;
	}
	ns->asked = 0;
	ns->alone = false;
}

void names_release(struct master *m)
{
	for (uint32_t i = 0; i < m->names.count; i++)
		name_ready(&m->names, &m->names.list[i]);
	m->names.next = m->names.count;
	m->names.asked = 0;
	refresh_lost(m);
}

void names_begin(struct master *m)
{
	struct names *ns = &m->names;

	for (uint32_t i = 0; i < ns->count; i++) {
		struct name *n = &ns->list[i];

		if (n->state == NAME_KNOWN)
			refresh_begin(m, n);
		if (n->state == NAME_KNOWN || n->charges >= CHARGES_MAX)
			continue;
		free(n->message);
		n->message = NULL;
		n->state = NAME_TO_ASK;
	}
	ns->next = 0;
	ns->alone = false;
	ns->deaths = 0;
}

/*
 * Deadlines, thousands at a time, nearly all of which never come.
 *
 * The problem: each request in flight has a timer that is started with each send and stopped with each
 * answer. Starting and stopping is the work; firing is the exception.
 *
 * The design: a heap of pointers, four children to a node (half the levels of two, and the four lie in
 * one cache line), with its place written into the timer, so that stopping needs no search and starting
 * no memory. A deadline carries a start number, which makes equal deadlines fire first come, first
 * served. Deadlines are kept less `shift_us`: moving all of them, after a late turn, is one addition.
 *
 * Rejected: a wheel. It is faster to start and stop, but must tick or search for the next deadline, and
 * its resolution shows as silent hosts being tried in bursts.
 *
 * The trap: serving one due timer may stop, restart or free others that are due as well. The due list
 * is therefore an array with holes: a stopped timer takes its pointer out, a restarted one moves back
 * to the heap, and both are constant time.
 */
#include "base/timer.h"

#include <stdlib.h>

#include "base/mem.h"

#define CHILDREN 4

struct timer_list {
	struct timer **list;
	size_t n;
	size_t cap;
};

struct timers {
	struct timer_list heap;
	struct timer_list due; /* in firing order; NULL: stopped meanwhile */
	size_t due_at;         /* the next one to hand out */
	int64_t shift_us;      /* a deadline is due_us + shift_us */
	uint64_t next_order;
};

struct timers *timers_new(void)
{
	return mem_zero(1, sizeof(struct timers));
}

void timers_free(struct timers *ts)
{
	free(ts->heap.list);
	free(ts->due.list);
	free(ts);
}

static void list_add(struct timer_list *l, struct timer *t)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->list = mem_resize(l->list, l->cap, sizeof(struct timer *));
	}
	l->list[l->n++] = t;
	t->at = l->n;
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void place(struct timer_list *heap, size_t i, struct timer *t)
{
	heap->list[i] = t;
	t->at = i + 1;
}

static void sift_up(struct timer_list *heap, size_t i, struct timer *t)
{
	while (i > 0) {
		size_t parent = (i - 1) / CHILDREN;

		if (!before(t, heap->list[parent]))
			break;
		place(heap, i, heap->list[parent]);
		i = parent;
	}
	place(heap, i, t);
}

/* Index of the earliest child of i, or heap->n when it has none. */
static size_t earliest_child(const struct timer_list *heap, size_t i)
{
	size_t first = i * CHILDREN + 1, best = first;
	size_t end = first + CHILDREN < heap->n ? first + CHILDREN : heap->n;

	if (first >= heap->n)
		return heap->n;
	for (size_t child = first + 1; child < end; child++) {
		if (before(heap->list[child], heap->list[best]))
			best = child;
	}
	return best;
}

static void sift_down(struct timer_list *heap, size_t i, struct timer *t)
{
	size_t child;

	while ((child = earliest_child(heap, i)) < heap->n && before(heap->list[child], t)) {
		place(heap, i, heap->list[child]);
		i = child;
	}
	place(heap, i, t);
}

/* Puts t where i is, which may be too high or too low for it. */
static void settle(struct timer_list *heap, size_t i, struct timer *t)
{
	if (i > 0 && before(t, heap->list[(i - 1) / CHILDREN]))
		sift_up(heap, i, t);
	else
		sift_down(heap, i, t);
}

static void heap_remove(struct timer_list *heap, struct timer *t)
{
	size_t i = t->at - 1;
	struct timer *last = heap->list[--heap->n];

	if (last != t)
		settle(heap, i, last);
	t->at = 0;
}

void timer_start(struct timers *ts, struct timer *t, int64_t due_us)
{
	if (t->due)
		timer_stop(ts, t);
	t->due_us = due_us - ts->shift_us;
	t->order = ts->next_order++;
	if (t->at) {
		settle(&ts->heap, t->at - 1, t);
	} else {
		list_add(&ts->heap, t);
		sift_up(&ts->heap, t->at - 1, t);
	}
}

void timer_stop(struct timers *ts, struct timer *t)
{
	if (t->due) {
		ts->due.list[t->at - 1] = NULL;
		t->due = false;
		t->at = 0;
	} else if (t->at) {
		heap_remove(&ts->heap, t);
	}
}

bool timer_running(const struct timer *t)
{
	return t->at != 0;
}

int64_t timers_next_us(const struct timers *ts)
{
	for (size_t i = ts->due_at; i < ts->due.n; i++) {
		if (ts->due.list[i])
			return 0;
	}
	return ts->heap.n ? ts->heap.list[0]->due_us + ts->shift_us : INT64_MAX;
}

void timers_collect(struct timers *ts, int64_t now_us)
{
	while (ts->heap.n && ts->heap.list[0]->due_us + ts->shift_us <= now_us) {
		struct timer *t = ts->heap.list[0];

		heap_remove(&ts->heap, t);
		list_add(&ts->due, t);
		t->due = true;
	}
}

struct timer *timers_pop_due(struct timers *ts)
{
	while (ts->due_at < ts->due.n) {
		struct timer *t = ts->due.list[ts->due_at++];

		if (t) {
			t->due = false;
			t->at = 0;
			return t;
		}
	}
	ts->due_at = ts->due.n = 0;
	return NULL;
}

void timers_renew(struct timers *ts, int64_t late_us)
{
	ts->shift_us += late_us;
}

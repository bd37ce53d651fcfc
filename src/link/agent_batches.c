/*
 * Batches of tasks, from the broker's hand to the cells', and back when all is confirmed.
 *
 * A batch waits until its run is known and a cell has room for it; then all its tasks go to the cell at once, for what is
 * taken is bounded by the prefetch already. It is acknowledged when each of its tasks has a record, every message with one of
 * these was put, and all up to the last of them are confirmed. Whatever else becomes of it, it goes back, and somebody has it again.
 *
 * Dangerous is what went back ALONE_FROM times: something in it may kill whole agents. It waits for a cell of its own, one batch
 * at a time and few of its tasks at a time, later one, each record put at once; so what does not kill is answered in the end. In
 * another order each time: what kills stands in the way of those behind it.
 *
 * A tag dies with the courier's connection; its batch is polled to its end all the same. What of it comes again: agent_again.c.
 *
 * A run that nobody explains: its batches go back after a while, since its master may be on its way, and are buried when that has been
 * tried BURY_FROM times, or at once when its master has no queue any more.
 *
 * The trap: to send back what cannot be done now is no pause. It comes again at once, and each time counts.
 */
#include "link/agent_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define ALONE_FROM 2        /* deliveries before this one */
#define BURY_FROM  6        /* of a run that nobody explains */
#define NEED_US    10000000 /* default of need_us */
#define ASK_US     2000000  /* between two BATCH_NEEDs */
#define MOAN_US \
	10000000 /* between two lines about batches that are wrong: there may be thousands */
#define TASKS_MAX \
	65536 /* in cells' hands: of batches whose tags have died, for those with one are bounded */

/* A line about a batch is due. */
static bool may_moan(struct agent *a)
{
	int64_t now_us = loop_now_us(a->loop);

	if (now_us < a->moan_us)
		return false;
	a->moan_us = now_us + MOAN_US;
	return true;
}

/* --- life --------------------------------------------------------------------------------- */

static void batch_free(struct agent *a, size_t at)
{
	struct batch *b = a->batches[at];

	memmove(a->batches + at, a->batches + at + 1,
		(a->nbatches - at - 1) * sizeof(struct batch *));
	a->nbatches--;
	free(b->targets);
	free(b);
}

/* It leaves us. A cell that still has tasks of it is dead, or was told to cancel: it is not heard any more. */
static void batch_leave(struct agent *a, size_t at, enum courier_message how)
{
	struct batch *b = a->batches[at];

	if (b->tagged)
		courier_put_tag(a, how, b->tag);
	a->result->returned += how == COURIER_REQUEUE && b->tagged;
	batch_free(a, at);
}

void batches_free(struct agent *a)
{
	while (a->nbatches > 0)
		batch_free(a, a->nbatches - 1);
	free(a->batches);
}

void batches_void(struct agent *a)
{
	for (size_t i = a->nbatches; i-- > 0;) {
		a->batches[i]->tagged = false;
		if (a->batches[i]->cell == NULL)
			batch_leave(a, i,
				    COURIER_REQUEUE); /* nothing of it was done: it comes again */
	}
}

void batches_return(struct agent *a, const struct agent_cell *c)
{
	for (size_t i = a->nbatches; i-- > 0;) {
		const struct batch *b = a->batches[i];
		bool wanted = run_is_wanted(a, b);

		if (b->cell != c || (c != NULL && b->owed == 0))
			continue;
		a->result->dropped += wanted ? 0 : b->owed;
		batch_leave(a, i, wanted ? COURIER_REQUEUE : COURIER_ACK);
	}
}

void batches_drop(struct agent *a, uint64_t run, uint64_t to)
{
	for (size_t i = a->nbatches; i-- > 0;) {
		struct batch *b = a->batches[i];

		if (b->run != run || b->head.number > to)
			continue;
		a->result->dropped += b->owed;
		if (b->cell != NULL && b->owed > 0)
			cell_cancel(b->cell);
		batch_leave(a, i, COURIER_ACK);
	}
	for (unsigned i = 0; i < AGENT_CELLS; i++) /* what else those had, is wanted or not */
		if (a->cells[i].cancelled)
			batches_return(a, &a->cells[i]);
}

/* --- birth -------------------------------------------------------------------------------- */

/* As many targets as it says, and nothing else. What they say is their cell's to read; it may refuse them. */
static bool targets_are_whole(const struct batch *b)
{
	struct wire_in r = {.at = b->targets, .end = b->targets + b->len};

	for (unsigned i = 0; i < b->head.count; i++)
		if (!batch_target_skip(&r))
			return false;
	return r.at == r.end;
}

/* What is given one by one must be known to be right before the first has a record. */
static bool targets_are_sound(const struct batch *b)
{
	struct wire_in r = {.at = b->targets, .end = b->targets + b->len};

	for (unsigned i = 0; i < b->head.count; i++) {
		struct batch_store store;
		struct plan_target t;
		struct learnt known;
		bool learns;

		if (!batch_target_unpack(&t, &store, &learns, &known, &r))
			return false;
	}
	return true;
}

static void tell_of_targets(struct agent *a, const struct batch *b)
{
	if (may_moan(a))
		log_warning("a batch of run %016" PRIx64
			    " has a target that cannot be read; it goes to the dead letters",
			    b->run);
}

static bool batch_read(struct agent *a, struct batch *b, const struct taken *t)
{
	struct wire_in r = {.at = t->body, .end = t->body + t->len};
	struct batch_head head;
	bool other;

	if (!batch_head_unpack(&head, &r, &other) || head.kind != BATCH_OF_TASKS || head.run == 0 ||
	    !batch_tasks_unpack(&b->head, &r)) {
		if (may_moan(a))
			log_warning("a batch of tasks %s; it goes to the dead letters",
				    other ? "is of a master of another version" : "cannot be read");
		return false;
	}
	b->run = head.run;
	b->len = (size_t)(r.end - r.at);
	b->targets = mem_alloc(b->len + 1);
	memcpy(b->targets, r.at, b->len);
	if (targets_are_whole(b) && (!b->alone || targets_are_sound(b)))
		return true;
	tell_of_targets(a, b);
	return false;
}

static void batch_add(struct agent *a, const struct batch *b)
{
	struct batch *own = mem_alloc(sizeof(*own));

	if (a->nbatches == a->cap_batches) {
		a->cap_batches = a->cap_batches > 0 ? a->cap_batches * 2 : 64;
		a->batches = mem_resize(a->batches, a->cap_batches, sizeof(struct batch *));
	}
	*own = *b;
	own->number = ++a->numbers;
	a->batches[a->nbatches++] = own;
	a->result->batches++;
	a->result->tasks += b->head.count;
}

/* The broker throws away what is too late, so this one has come in time by the clock of another machine. */
static void warn_of_clocks(struct agent *a, const struct batch *b)
{
	if (b->head.until_us > 0 && b->head.until_us <= loop_wall_ms() * 1000 && may_moan(a))
		log_warning("tasks of master %s come after their time, and are dropped; are the "
			    "clocks of both machines right?",
			    b->head.master);
}

void batch_take(struct agent *a, const struct taken *t)
{
	struct batch b = {.tag = t->tag,
			  .tagged = true,
			  .deliveries = t->deliveries,
			  .alone = t->deliveries >= ALONE_FROM,
			  .taken_us = loop_now_us(a->loop)},
		     *old;

	if (!batch_read(a, &b, t)) {
		courier_put_tag(a, COURIER_BURY, t->tag);
		free(b.targets);
		return;
	}
	b.owed = b.head.count;
	old = batch_again(a, &b);
	if (old != NULL) {
		old->tag = t->tag;
		old->tagged = true;
		free(b.targets);
	} else if (batch_has_ended(a, &b)) {
		courier_put_tag(a, COURIER_ACK, t->tag);
		free(b.targets);
	} else if (a->draining) {
		courier_put_tag(a, COURIER_REQUEUE, t->tag);
		a->result->returned++;
		free(b.targets);
	} else {
		batch_add(a, &b);
		warn_of_clocks(a, &b);
	}
}

/* --- to a cell ------------------------------------------------------------------------------ */

struct batch *batch_find(const struct agent_cell *c, uint32_t number)
{
	for (size_t i = 0; i < c->agent->nbatches; i++) {
		struct batch *b = c->agent->batches[i];

		if (b->number == number && b->cell == c)
			return b;
	}
	return NULL;
}

unsigned batch_in_hand(const struct batch *b)
{
	return b->owed - (b->head.count - b->given);
}

bool batch_refused(struct agent_cell *c, uint32_t number)
{
	struct agent *a = c->agent;

	for (size_t i = 0; i < a->nbatches; i++) {
		struct batch *b = a->batches[i];

		if (b->number != number || b->cell != c || b->owed < b->head.count)
			continue;
		tell_of_targets(a, b);
		c->open -= batch_in_hand(b);
		c->idle_us = loop_now_us(a->loop);
		batch_leave(a, i, COURIER_BURY);
		return true;
	}
	return false;
}

static uint32_t tasks_open(const struct agent *a)
{
	uint32_t open = 0;

	for (unsigned i = 0; i < AGENT_CELLS; i++)
		open += a->cells[i].open;
	return open;
}

/* Its run is not known. False: it was given up. */
static bool ask_for_run(struct agent *a, size_t at)
{
	struct batch *b = a->batches[at];
	int64_t now_us = loop_now_us(a->loop);
	int64_t need_us = a->config->need_us > 0 ? a->config->need_us : NEED_US;

	if (now_us - b->taken_us >= need_us) {
		bool bury = b->unheard || b->deliveries >= BURY_FROM;

		if (may_moan(a))
			log_warning("master %s does not say what its run %016" PRIx64
				    " is to ask%s; a batch of it goes %s",
				    b->head.master, b->run,
				    b->unheard ? ", and has no queue any more" : "",
				    bury ? "to the dead letters" : "back");
		batch_leave(a, at, bury ? COURIER_BURY : COURIER_REQUEUE);
		return false;
	}
	for (size_t i = 0; i < a->nbatches; i++) /* one question for all of them */
		if (a->batches[i]->run == b->run && a->batches[i]->needed_us > 0 &&
		    now_us - a->batches[i]->needed_us < ASK_US)
			return true;
	run_need(a, b);
	return true;
}

/* What may be done with one that waits. False: it has left us. */
static bool batch_advance(struct agent *a, size_t at)
{
	struct batch *b = a->batches[at];
	struct known_run *r = run_find(a, b->run);

	if (r == NULL || !r->known)
		return ask_for_run(a, at);
	b->needed_us = 0; /* it waits for a cell, which wakes us by itself */
	if (r->refused || strcmp(r->run.master, b->head.master) != 0) { /* or it is forged */
		batch_leave(a, at, COURIER_BURY);
		return false;
	}
	if (tasks_open(a) >= TASKS_MAX)
		return true;
	r->used_us = loop_now_us(a->loop);
	b->cell = cell_for(a, b);
	if (b->cell != NULL)
		cell_give(b->cell, b);
	return true;
}

/* The next of a dangerous batch, when the record of the one before is put. */
static void alone_advance(struct batch *b)
{
	if (b->given < b->head.count && batch_in_hand(b) == 0 && !b->cell->stopping)
		cell_give(b->cell, b);
}

static bool is_done(const struct agent *a, const struct batch *b)
{
	return b->owed == 0 && window_settled(a->window) >= b->last_id;
}

void batches_turn(struct agent *a)
{
	for (size_t i = 0; i < a->nbatches;) {
		struct batch *b = a->batches[i];
		bool stays = true;

		if (is_done(a, b)) {
			batch_ended(a, b);
			batch_leave(a, i, COURIER_ACK);
			continue;
		}
		if (b->owed > 0 && !run_is_wanted(a, b)) {
			uint64_t run = b->run, number = b->head.number;

			batches_drop(a, run, number);
			i = 0; /* others went with it */
			continue;
		}
		if (b->cell != NULL && b->alone && b->owed > 0)
			alone_advance(b);
		else if (b->cell == NULL && !a->draining)
			stays = batch_advance(a, i);
		i += stays;
	}
}

/* When something is due: a question again, an end of waiting, a time that is over. */
int64_t batches_next_us(const struct agent *a)
{
	int64_t need_us = a->config->need_us > 0 ? a->config->need_us : NEED_US;
	int64_t next_us = LOOP_NEVER, wall_us = loop_wall_ms() * 1000;

	for (size_t i = 0; i < a->nbatches; i++) {
		const struct batch *b = a->batches[i];
		int64_t due_us = LOOP_NEVER, now_us = loop_now_us(a->loop);

		if (b->owed > 0 && b->head.until_us > 0 &&
		    b->head.until_us - wall_us < LOOP_NEVER - now_us) /* any number may come */
			due_us = now_us + (b->head.until_us - wall_us);
		if (b->cell == NULL && b->needed_us > 0 && b->needed_us + ASK_US < due_us)
			due_us = b->needed_us + ASK_US;
		if (b->cell == NULL && b->needed_us > 0 && b->taken_us + need_us < due_us)
			due_us = b->taken_us + need_us;
		next_us = due_us < next_us ? due_us : next_us;
	}
	return next_us;
}

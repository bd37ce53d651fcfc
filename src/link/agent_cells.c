/*
 * The cells' lives: one for each run, forked when it has tasks and ended when it has none for a while.
 *
 * A cell inherits what the agent's files say of credentials; so after a reload those that live get no more tasks, finish what they
 * have and end, and others are born. What is dangerous has a cell of its own, in which it meets nobody.
 *
 * A cell that dies has its batches sent back: somebody has them again, perhaps we. Who dies again and again without a record
 * cannot live here, and others should have the tasks: then the agent ends, which its manager sees.
 *
 * The trap: its last records may still be in its queue when it has gone. A place is free when they are put, its slots maybe later.
 */
#include "link/agent_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"

#define PAUSE_MIN_US 100000
#define PAUSE_MAX_US 5000000
#define BARREN_MAX   8 /* deaths without a record in a row */
#define IDLE_US      INT64_C(300000000)
#define STOP_US      10000000 /* without a task, after STOP */
#define RATE_UNIT    1000
#define ALONE        (AGENT_CELLS - 1)

/* --- birth ---------------------------------------------------------------------------------- */

static int cell_main(void *arg, int fd)
{
	const struct agent_cell *c = arg;
	const struct agent_config *config = c->agent->config;

	return config->cell(config->cell_arg, &run_find(c->agent, c->run)->run, c->alone,
			    slots_of_cell(c->agent->slots, cell_part(c)), fd);
}

static void spawn_later(struct agent *a)
{
	a->spawn_us = loop_now_us(a->loop) + a->spawn_pause_us;
	a->spawn_pause_us = a->spawn_pause_us * 2 < PAUSE_MAX_US ? a->spawn_pause_us * 2
								 : PAUSE_MAX_US;
}

static bool cell_birth(struct agent *a, struct agent_cell *c, const struct batch *b)
{
	*c = (struct agent_cell){
		.agent = a, .run = b->run, .alone = b->alone, .idle_us = loop_now_us(a->loop)};
	memcpy(c->master, b->head.master, sizeof(c->master));
	slots_begin(a->slots, cell_part(c));
	if (!proc_spawn(&c->proc, cell_main, c)) {
		log_warning("cannot start a cell: %s", strerror(errno));
		slots_end(a->slots, cell_part(c));
		spawn_later(a);
		return false;
	}
	c->queue = queue_new(c->proc.fd);
	c->state = QUEUE_OPEN;
	cell_lend(c);
	log_info("run %016" PRIx64 " of master %s: taken up%s", b->run, b->head.master,
		 b->alone ? ", few tasks at a time: its batches came back again and again" : "");
	run_find(a, b->run)->waits = false; /* it is known, or we were not here */
	agent_cells_rate(a);
	return true;
}

/* Some batch of it is not done. */
static bool is_busy(const struct agent *a, const struct agent_cell *c)
{
	for (size_t i = 0; i < a->nbatches; i++)
		if (a->batches[i]->cell == c && a->batches[i]->owed > 0)
			return true;
	return false;
}

/* A place without a cell: one whose slots are empty, if there is one, for the cell has none otherwise. NULL: there is none. */
static struct agent_cell *place_for(struct agent *a, unsigned first, unsigned end)
{
	struct agent_cell *found = NULL;

	for (unsigned i = first; i < end; i++)
		if (a->cells[i].queue == NULL &&
		    (found == NULL || !slots_are_free(a->slots, cell_part(found))))
			found = &a->cells[i];
	return found;
}

/* One that has nothing to do makes room. False: all have. */
static bool make_room(struct agent *a, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		if (a->cells[i].stopping)
			return true; /* it is about to */
	for (unsigned i = first; i < end; i++) {
		struct agent_cell *c = &a->cells[i];

		if (c->queue != NULL && c->open == 0 && !is_busy(a, c)) {
			cell_tell(c, CELL_STOP);
			return true;
		}
	}
	return false;
}

/* Its batches stay here meanwhile: to give them back would be a delivery each, and they would come again at once. */
static void tell_of_wait(struct agent *a, const struct batch *b)
{
	struct known_run *r = run_find(a, b->run);

	if (r == NULL || r->waits)
		return;
	r->waits = true;
	log_warning("run %016" PRIx64 " of master %s waits: this agent is at work for %d others, "
		    "which is all that it does at a time",
		    b->run, b->head.master, ALONE);
}

struct agent_cell *cell_for(struct agent *a, const struct batch *b)
{
	unsigned first = b->alone ? ALONE : 0, end = b->alone ? AGENT_CELLS : ALONE;
	struct agent_cell *place;

	for (unsigned i = first; i < end; i++) {
		struct agent_cell *c = &a->cells[i];

		if (c->queue != NULL && c->run == b->run && !c->stopping &&
		    strcmp(c->master, b->head.master) == 0)
			return b->alone && is_busy(a, c) ? NULL : c;
	}
	if (loop_now_us(a->loop) < a->spawn_us)
		return NULL;
	place = place_for(a, first, end);
	if (place != NULL)
		return cell_birth(a, place, b) ? place : NULL;
	if (!make_room(a, first, end) && !b->alone)
		tell_of_wait(a, b);
	return NULL;
}

/* --- what is sent --------------------------------------------------------------------------- */

void cell_tell(struct agent_cell *c, enum cell_message kind)
{
	if (c->queue == NULL || (kind == CELL_STOP && c->stopping))
		return;
	queue_put(c->queue, (uint8_t)kind, NULL, 0);
	c->stopping |= kind == CELL_STOP;
	c->idle_us = loop_now_us(c->agent->loop);
}

void cell_cancel(struct agent_cell *c)
{
	if (c->queue == NULL || c->cancelled)
		return;
	c->cancelled = true;
	c->open = 0; /* that somebody waits for */
	cell_tell(c, CELL_CANCEL);
	cell_tell(c, CELL_STOP);
}

/* Of all limits the least: the run's for this agent, and its own, of which each cell has an equal share. */
static uint32_t rate_of(struct agent *a, const struct agent_cell *c, unsigned live)
{
	const struct known_run *r = run_find(a, c->run);
	double own = a->config->rate_pps * RATE_UNIT / live;
	uint32_t rate = r != NULL && r->known ? r->run.rate : 0;

	if (own > 0 && (rate == 0 || own < rate))
		rate = own < 1 ? 1 : own < UINT32_MAX ? (uint32_t)own : UINT32_MAX;
	return rate;
}

void agent_cells_rate(struct agent *a)
{
	unsigned live = 0;

	for (unsigned i = 0; i < AGENT_CELLS; i++)
		live += a->cells[i].queue != NULL;
	for (unsigned i = 0; i < AGENT_CELLS; i++) {
		struct agent_cell *c = &a->cells[i];
		uint32_t rate = c->queue != NULL ? rate_of(a, c, live) : 0;
		uint8_t octets[4];
		struct wire_out w = {.at = octets, .end = octets + 4};

		if (c->queue == NULL || rate == c->rate)
			continue;
		wire_put_u32(&w, rate);
		queue_put(c->queue, CELL_RATE, octets, 4);
		c->rate = rate;
	}
}

void agent_cells_stop(struct agent *a, bool cancel)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (cancel)
			cell_cancel(&a->cells[i]);
		else
			cell_tell(&a->cells[i], CELL_STOP);
}

bool agent_cells_live(const struct agent *a)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (a->cells[i].queue != NULL)
			return true;
	return false;
}

/* --- death ---------------------------------------------------------------------------------- */

static void cell_mourn(struct agent_cell *c, const char *how)
{
	struct agent *a = c->agent;

	log_warning("the cell of run %016" PRIx64 " %s; what it had in hand goes back", c->run,
		    how);
	if (c->delivered)
		a->spawn_pause_us = PAUSE_MIN_US;
	else if (!c->alone) /* of what is dangerous, it is to be expected */
		a->barren++;
	spawn_later(a);
	if (a->barren >= BARREN_MAX) {
		log_error("cells die again and again without a record; giving up");
		agent_drain(a, AGENT_FAILED, "no cell can live");
	}
}

/* What it was told cannot be read, which it has said why: nobody of our version can. */
static void cell_refuses(struct agent_cell *c)
{
	struct known_run *r = run_find(c->agent, c->run);

	log_warning("run %016" PRIx64 " cannot be polled; its batches go to the dead letters",
		    c->run);
	if (r != NULL)
		r->refused = true;
}

static void cell_death(struct agent_cell *c)
{
	struct agent *a = c->agent;
	char how[100];
	int status;

	loop_forget(a->loop, c->proc.fd);
	c->watched = false;
	queue_free(c->queue);
	c->queue = NULL;
	status = proc_end(&c->proc);
	slots_end(a->slots, cell_part(c));
	proc_status_text(status, how, sizeof(how));
	if (WIFEXITED(status) && WEXITSTATUS(status) == AGENT_CELL_WRONG)
		cell_refuses(c);
	else if (!c->cancelled && (!c->stopping || c->open > 0))
		cell_mourn(c, how);
	else
		log_info("run %016" PRIx64 ": its cell has ended", c->run);
	c->open = 0;
	batches_return(a, c);
	agent_cells_rate(a);
}

static bool frame_next(struct agent_cell *c)
{
	if (!c->held)
		c->held = queue_next(c->queue, &c->frame);
	return c->held;
}

static void cell_serve(struct agent_cell *c)
{
	c->unread = false;
	cell_heard(c);
	while (frame_next(c)) {
		if (results_must_wait(c, &c->frame)) {
			c->unread = true; /* not all; the loop does not tell of it again */
			return;
		}
		c->held = false;
		if (!result_take(c, &c->frame)) {
			log_warning("a cell said what it may not say (message %u); it is killed",
				    c->frame.kind);
			c->cancelled = false;
			cell_death(c);
			return;
		}
	}
	if (c->state != QUEUE_OPEN)
		cell_death(c);
}

static void cell_ready(void *arg, unsigned ready)
{
	struct agent_cell *c = arg;

	if (!(ready & LOOP_READ) || c->unread)
		return;
	c->state = queue_read(c->queue);
	cell_serve(c);
}

bool agent_cells_serve(struct agent *a)
{
	bool served = false;

	for (unsigned i = 0; i < AGENT_CELLS; i++) {
		struct agent_cell *c = &a->cells[i];

		if (c->queue == NULL || !c->unread)
			continue;
		cell_serve(c);
		served = true;
	}
	return served;
}

/* --- when ----------------------------------------------------------------------------------- */

/* A hang-up is told even to who asks for nothing: who is not read leaves the loop. */
static void cell_watch(struct agent_cell *c)
{
	struct loop *loop = c->agent->loop;
	unsigned want = LOOP_READ;

	queue_flush(c->queue); /* false: it is dead, which its end of file says */
	if (queue_backlog(c->queue) > 0)
		want |= LOOP_WRITE;
	if (c->unread)
		loop_forget(loop, c->proc.fd);
	else if (c->watched)
		loop_want(loop, c->proc.fd, want);
	else
		loop_watch(loop, c->proc.fd, want, cell_ready, c);
	c->watched = !c->unread;
}

void agent_cells_watch(struct agent *a)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (a->cells[i].queue != NULL)
			cell_watch(&a->cells[i]);
}

static int64_t due_us(const struct agent_cell *c)
{
	int64_t idle_us = c->agent->config->idle_us > 0 ? c->agent->config->idle_us : IDLE_US;

	if (c->queue == NULL || (c->open > 0 && !c->cancelled))
		return LOOP_NEVER;
	return c->idle_us + (c->stopping ? STOP_US : idle_us);
}

void agent_cells_times(struct agent *a)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++) {
		struct agent_cell *c = &a->cells[i];

		if (due_us(c) > loop_now_us(a->loop) || c->unread)
			continue;
		if (!c->stopping) {
			cell_tell(c, CELL_STOP);
			continue;
		}
		log_warning("a cell does not stop; it is killed");
		kill(c->proc.pid, SIGKILL);
		c->idle_us = LOOP_NEVER - STOP_US;
	}
}

int64_t agent_cells_next_us(const struct agent *a)
{
	int64_t next_us = LOOP_NEVER;
	bool waits = false;

	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (!a->cells[i].unread && due_us(&a->cells[i]) < next_us)
			next_us = due_us(&a->cells[i]);
	for (size_t i = 0; i < a->nbatches && !waits; i++)
		waits = a->batches[i]->cell == NULL;
	if (waits && a->spawn_us > loop_now_us(a->loop) && a->spawn_us < next_us)
		next_us = a->spawn_us;
	return next_us;
}

void agent_cells_free(struct agent *a)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++) {
		struct agent_cell *c = &a->cells[i];

		if (c->queue != NULL)
			loop_forget(a->loop, c->proc.fd);
		queue_free(c->queue);
		proc_end(&c->proc);
	}
}

/*
 * Cells that hang.
 *
 * A cell watches its workers, and dies when it cannot go on; but one that stands still (stopped, or in a loop of its own) says
 * nothing, and its tasks would wait for the master's patience, which may be an hour. So one that has tasks in hand and has said nothing
 * for SILENCE_US is asked; it answers with its counters. No word in as much time again, and it is killed: what it had goes back
 * to the broker, and somebody has it.
 *
 * Silence is no fault: a host may take minutes to be given up. No tick while nothing is in hand.
 *
 * The trap: who is not read cannot be heard. While the window does not want its records, a cell's time stands still, and begins
 * anew when it is read again. And it may be we who stood still: so the time for an answer begins with the question, not with
 * the last word.
 */
#include "link/agent_internal.h"

#include <inttypes.h>
#include <signal.h>

#include "base/log.h"

#define SILENCE_US INT64_C(15000000) /* default */

void cell_heard(struct agent_cell *c)
{
	c->heard_us = loop_now_us(c->agent->loop);
	c->pinged = false;
}

/* When it is asked, or killed. What is told to end has its time for that. */
static int64_t due_us(const struct agent_cell *c)
{
	const struct agent_config *config = c->agent->config;
	int64_t silence_us = config->silence_us > 0 ? config->silence_us : SILENCE_US;

	if (c->queue == NULL || c->open == 0 || c->cancelled || c->unread)
		return LOOP_NEVER;
	return c->heard_us + silence_us;
}

void cells_hang_times(struct agent *a)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++) {
		struct agent_cell *c = &a->cells[i];

		if (due_us(c) > loop_now_us(a->loop))
			continue;
		if (!c->pinged) {
			queue_put(c->queue, CELL_PING, NULL, 0);
			cell_heard(c);
			c->pinged = true;
			continue;
		}
		log_warning("the cell of run %016" PRIx64 " does not answer; it is killed", c->run);
		kill(c->proc.pid, SIGKILL); /* its end of file comes */
		cell_heard(c);
	}
}

int64_t cells_hang_next_us(const struct agent *a)
{
	int64_t next_us = LOOP_NEVER;

	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (due_us(&a->cells[i]) < next_us)
			next_us = due_us(&a->cells[i]);
	return next_us;
}

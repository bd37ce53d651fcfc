/*
 * How far the run is, for who waits for it.
 *
 * The problem: a line that is drawn again and again shares its terminal with three others: records, if they are not
 * redirected; what log says, here and in every child; and what the person types. Each must find a clean line, and
 * nobody may wait for a terminal that stands still.
 *
 * The design: the line is drawn on the cursor's own line, which everybody who wants to write erases first. log does,
 * in the same write(2), by log_set_eraser(), which children inherit; the writer does when it is told that a
 * line was drawn (writer_interrupt()), and says no where its own line is not at its end. So nobody has to ask
 * us, and the next tick, an eighth of a second later, draws the line again below. It is narrower than the terminal, which is
 * asked each time, or it would wrap, and the next one erase only its second half. (A window that is made narrower while a
 * line stands wraps that one; erasing it would risk the line above, so it stays.)
 *
 * A quick run draws nothing: the first line comes after half a second. Where nothing can be drawn (no terminal, TERM
 * says dumb), --progress gives whole lines, and few. In the background nothing is drawn (terminal.c). Between two
 * rounds there is nothing to wait for: no line and no tick.
 *
 * SIGUSR1 is answered by a line in every case; somebody asked. Then there were no ticks, perhaps, to sample the rate
 * in, so records do: each 16th, which costs nothing.
 */
#include "cli/progress_internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/terminal.h"

#define FIRST_US     500000   /* a run that takes no longer shows nothing */
#define DRAW_US      125000   /* eight times a second: never more than ten, however late one was */
#define FIRST_LINE   1000000  /* lines: the first one … */
#define LINE_US      10000000 /* … and the others */
#define RECORDS_SKIP 16

struct progress {
	enum {
		PROGRESS_NONE,
		PROGRESS_DRAWN,
		PROGRESS_LINES
	} mode;
	struct terminal terminal;
	struct writer *const *writer;
	bool drawn;      /* our line stands, unless somebody has erased it */
	int64_t next_us; /* nothing is shown before, however often we are called */
	int64_t silence_us;
	uint64_t slots; /* 0: no end is known for who is asked */
	struct estimate estimate;
	uint64_t round; /* of the estimate */
	uint64_t seen;  /* records in it */
	struct buf text;
};

struct progress *progress_new(const struct progress_config *c)
{
	struct progress *p = mem_zero(1, sizeof(*p));

	if (c->wanted || !c->unwanted)
		p->mode = terminal_draws(STDERR_FILENO) ? PROGRESS_DRAWN
			  : c->wanted                   ? PROGRESS_LINES
							: PROGRESS_NONE;
	p->silence_us = c->silence_us;
	p->slots = c->slots;
	p->writer = c->writer;
	terminal_open(&p->terminal, STDERR_FILENO);
	if (p->mode == PROGRESS_DRAWN)
		log_set_eraser(TERMINAL_ERASER);
	estimate_begin(&p->estimate, loop_clock_us(), p->silence_us);
	return p;
}

/* Nothing of a record stands where the cursor is; `eraser`: what the writer is to begin with. */
static bool is_free(const struct progress *p, const char *eraser)
{
	return !*p->writer || writer_interrupt(*p->writer, eraser);
}

static void erase(struct progress *p)
{
	if (p->drawn && is_free(p, NULL) && !terminal_is_lent(p->terminal.fd))
		terminal_put(&p->terminal, TERMINAL_ERASER, sizeof(TERMINAL_ERASER) - 1);
	p->drawn = false;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	erase(p);
	log_set_eraser("");
	terminal_close(&p->terminal);
	buf_free(&p->text);
	free(p);
}

/* --- what is shown ------------------------------------------------------------------------ */

static struct progress_state state_of(struct progress *p, const struct watcher_view *v,
				      int64_t now_us)
{
	struct progress_state s = {.round = v->round,
				   .total = v->targets,
				   .ok = v->status[RECORD_OK],
				   .in_flight = v->in_flight,
				   .ending = v->ending};
	uint64_t left, slots;

	for (int i = 0; i < RECORD_STATUS_COUNT; i++)
		s.done += v->status[i];
	s.failed = s.done - s.ok;
	left = s.total > s.done ? s.total - s.done : 0;
	estimate_see(&p->estimate, s.done, now_us);
	slots = s.in_flight < p->slots ? s.in_flight : p->slots;
	estimate_wait(&p->estimate, left > slots ? left - slots : 0, now_us);
	s.rate = estimate_rate(&p->estimate, s.done, now_us);
	s.left = estimate_left(&p->estimate, s.done, left, now_us);
	return s;
}

static void draw(struct progress *p, const struct progress_state *s)
{
	if (terminal_is_lent(p->terminal.fd) || !is_free(p, TERMINAL_ERASER))
		return;
	p->text.len = 0;
	buf_putc(&p->text, '\r');
	progress_put_drawn(&p->text, s, terminal_columns(p->terminal.fd));
	buf_puts(&p->text, "\033[K");
	terminal_put(&p->terminal, p->text.data, p->text.len);
	p->drawn = true;
}

static void write_line(struct progress *p, const struct progress_state *s)
{
	p->text.len = 0;
	if (p->mode == PROGRESS_DRAWN && is_free(p, NULL))
		buf_puts(&p->text, TERMINAL_ERASER);
	progress_put_line(&p->text, s);
	if (p->mode == PROGRESS_DRAWN)
		terminal_put(&p->terminal, p->text.data, p->text.len);
	else if (terminal_takes(&p->terminal)) /* in a journal or a file, as all else there */
		log_lines(LOG_LEVEL_INFO, (const char *)p->text.data, p->text.len);
	p->drawn = false;
}

/* --- as a watcher ------------------------------------------------------------------------- */

/* Another round, another estimate. */
static void begin(struct progress *p, const struct watcher_view *v, int64_t now_us)
{
	if (v->round == p->round)
		return;
	p->round = v->round;
	p->seen = 0;
	for (int i = 0; i < RECORD_STATUS_COUNT; i++)
		p->seen += v->status[i];
	estimate_begin(&p->estimate, now_us - v->elapsed_us, p->silence_us);
}

/* What lies between two rounds is no round that anybody waits for. */
static bool is_between(const struct progress_state *s)
{
	return s->round > 0 && s->done >= s->total;
}

static int64_t tick(void *arg, const struct watcher_view *v, int64_t now_us)
{
	struct progress *p = arg;
	int64_t first_us = p->mode == PROGRESS_DRAWN ? FIRST_US : FIRST_LINE;
	struct progress_state s;

	begin(p, v, now_us);
	if (p->mode == PROGRESS_NONE)
		return LOOP_NEVER;
	if (v->elapsed_us < first_us)
		return now_us + first_us - v->elapsed_us;
	if (now_us < p->next_us)
		return p->next_us;
	s = state_of(p, v, now_us);
	if (is_between(&s)) {
		erase(p);
		return LOOP_NEVER;
	}
	if (p->mode == PROGRESS_DRAWN)
		draw(p, &s);
	else
		write_line(p, &s);
	p->next_us = now_us + (p->mode == PROGRESS_DRAWN ? DRAW_US : LINE_US);
	return p->next_us;
}

static void asked(void *arg, const struct watcher_view *v)
{
	struct progress *p = arg;
	int64_t now_us = loop_clock_us();
	struct progress_state s;

	begin(p, v, now_us);
	s = state_of(p, v, now_us);
	write_line(p, &s);
}

static void record(void *arg, const struct record *r)
{
	struct progress *p = arg;

	(void)r;
	if (++p->seen % RECORDS_SKIP == 0)
		estimate_see(&p->estimate, p->seen, loop_clock_us());
}

static void ended(void *arg, const struct master_result *r)
{
	struct progress *p = arg;

	(void)r;
	erase(p);
	p->seen = 0;
	if (p->round == 0) /* no line comes any more */
		log_set_eraser("");
}

struct watcher progress_watcher(struct progress *p)
{
	return (struct watcher){
		.arg = p, .tick = tick, .asked = asked, .record = record, .ended = ended};
}

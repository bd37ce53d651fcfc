/*
 * What is known of runs, and what masters tell all agents.
 *
 * A run's description comes once to all, or to who asks its master for it, in pieces. It is kept for as long as there is
 * room: AGENT_RUNS places, of which the one that was used longest ago goes first. A run that is over keeps its place without
 * its description, so that what still comes of it is acknowledged unasked; its cells end, for nobody comes
 * back to it.
 *
 * A description may have 64 MiB, and anybody who may speak for a master may send many: all together have RUNS_MAX octets, and
 * again who was used longest ago goes first.
 *
 * The trap: rounds share a run's number, so "cancelled" is up to a batch's number, and later ones are polled again.
 */
#include "link/agent_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "link/form.h"

#define RUNS_MAX ((size_t)128 << 20) /* default of runs_max: two of the largest */

struct known_run *run_find(struct agent *a, uint64_t number)
{
	for (unsigned i = 0; i < AGENT_RUNS; i++)
		if (a->runs[i].number == number && number != 0)
			return &a->runs[i];
	return NULL;
}

static void run_forget(struct known_run *r)
{
	run_pieces_free(r->pieces);
	r->pieces = NULL;
	r->known = false;
}

static bool is_in_use(const struct agent *a, uint64_t number)
{
	for (unsigned i = 0; i < AGENT_CELLS; i++)
		if (a->cells[i].queue != NULL && a->cells[i].run == number)
			return true;
	for (size_t i = 0; i < a->nbatches; i++)
		if (a->batches[i]->run == number)
			return true;
	return false;
}

/* The one that was used longest ago; NULL: there is none of that kind. */
static struct known_run *run_oldest(struct agent *a, bool unused, bool described)
{
	struct known_run *oldest = NULL;

	for (unsigned i = 0; i < AGENT_RUNS; i++) {
		struct known_run *r = &a->runs[i];

		if ((unused && is_in_use(a, r->number)) || (described && r->pieces == NULL))
			continue;
		if (oldest == NULL || r->used_us < oldest->used_us)
			oldest = r;
	}
	return oldest;
}

struct known_run *run_get(struct agent *a, uint64_t number)
{
	struct known_run *r = run_find(a, number);

	if (r == NULL) {
		r = run_oldest(a, true, false);
		if (r == NULL)
			r = run_oldest(a, false, false);
		run_forget(r);
		*r = (struct known_run){.number = number};
	}
	r->used_us = loop_now_us(a->loop);
	return r;
}

bool run_is_wanted(struct agent *a, const struct batch *b)
{
	const struct known_run *r = run_find(a, b->run);

	if (b->head.until_us > 0 && b->head.until_us <= loop_wall_ms() * 1000)
		return false;
	return r == NULL || (!r->over && !(r->some_cancelled && b->head.number <= r->cancelled));
}

void run_need(struct agent *a, struct batch *b)
{
	uint8_t octets[BATCH_HEAD_PACKED + 2 * (BROKER_NAME_MAX + 2)];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct batch_head head = {.kind = BATCH_NEED, .run = b->run};
	struct window_to to = {.to = COURIER_RESULTS, .key = b->head.master, .mark = b->run};

	b->needed_us = loop_now_us(a->loop);
	batch_head_pack(&head, &w);
	wire_put_str(&w, a->config->name, (uint16_t)strlen(a->config->name));
	wire_put_str(&w, a->config->site, (uint16_t)strlen(a->config->site));
	if (window_full(a->window))
		return; /* it is asked again */
	window_put(a->window, &to, &(struct queue_part){octets, (size_t)(w.at - octets)}, 1,
		   b->needed_us);
}

void run_asked(struct agent *a, uint64_t number, bool heard)
{
	for (size_t i = 0; i < a->nbatches; i++)
		if (a->batches[i]->run == number)
			a->batches[i]->unheard = !heard;
}

/* --- what masters say ----------------------------------------------------------------------- */

static void described(struct known_run *r, const uint8_t *whole, size_t len)
{
	const char *error;

	r->known = run_unpack(&r->run, whole, len, &error) && r->run.number == r->number;
	if (r->known) {
		log_info("run %016" PRIx64 " of master %s: known, %s", r->number, r->run.master,
			 r->run.format);
		return;
	}
	log_warning("run %016" PRIx64 ": what its master says of it cannot be read; is it of the "
		    "same version?",
		    r->number);
	run_forget(r);
}

static size_t runs_octets(const struct agent *a)
{
	size_t sum = 0;

	for (unsigned i = 0; i < AGENT_RUNS; i++)
		sum += run_pieces_octets(a->runs[i].pieces);
	return sum;
}

/* What has come last is the youngest: it goes only if all others are in use. */
static void runs_trim(struct agent *a)
{
	size_t max = a->config->runs_max > 0 ? a->config->runs_max : RUNS_MAX;
	struct known_run *r;

	while (runs_octets(a) > max && (r = run_oldest(a, true, true)) != NULL)
		run_forget(r);
}

static void piece_take(struct agent *a, uint64_t number, struct wire_in *in)
{
	struct known_run *r = run_get(a, number);
	const uint8_t *whole = NULL;
	size_t len;

	if (r->known || r->over)
		return; /* for another who has asked */
	if (r->pieces == NULL)
		r->pieces = run_pieces_new();
	run_pieces_take(r->pieces, in, &whole, &len); /* what is no piece of it begins anew */
	if (whole != NULL)
		described(r, whole, len);
	runs_trim(a);
}

static void run_over(struct agent *a, uint64_t number)
{
	struct known_run *r = run_get(a, number);

	r->over = true;
	batches_drop(a, number, UINT64_MAX);
	for (unsigned i = 0; i < AGENT_CELLS; i++) /* those that had nothing in hand, too */
		if (a->cells[i].run == number)
			cell_tell(&a->cells[i], CELL_STOP);
	run_forget(r);
}

static void run_cancel(struct agent *a, uint64_t number, struct wire_in *in)
{
	struct known_run *r = run_get(a, number);
	uint64_t to = in->at == in->end ? UINT64_MAX : wire_get_u64(in);

	if (!r->some_cancelled || to > r->cancelled)
		r->cancelled = to;
	r->some_cancelled = true;
	batches_drop(a, number, to);
}

static void rate_take(struct agent *a, uint64_t number, struct wire_in *in)
{
	struct known_run *r = run_find(a, number);
	uint32_t rate = wire_get_u32(in);

	if (r == NULL || !r->known || in->bad)
		return;
	r->run.rate = rate;
	agent_cells_rate(a);
}

static void drain_take(struct agent *a, struct wire_in *in)
{
	uint16_t len;
	const uint8_t *name = wire_get_str(in, &len);

	if (name != NULL && len == strlen(a->config->name) &&
	    memcmp(name, a->config->name, len) == 0)
		agent_drain(a, AGENT_DRAINED, "asked to by a control message");
}

/* Its tasks are in a queue that is not ours, and what it tells all agents is for its own. */
static void warn_of_other(struct agent *a, uint8_t version)
{
	if (!a->told_other)
		log_warning("a multisnmp of another version is at this broker: its messages are of "
			    "version %u, ours of %u; it and this agent do nothing for each other",
			    version, form_version);
	a->told_other = true;
}

void run_control(struct agent *a, const uint8_t *p, size_t len)
{
	struct wire_in in = {.at = p, .end = p + len};
	struct batch_head head;
	bool other;

	if (!batch_head_unpack(&head, &in, &other)) {
		if (other)
			warn_of_other(a, p[1]);
		return;
	}
	if (head.run == 0 && head.kind != BATCH_DRAIN)
		return; /* no run has that number */
	switch (head.kind) {
	case BATCH_RUN:
		piece_take(a, head.run, &in);
		break;
	case BATCH_OVER:
		run_over(a, head.run);
		break;
	case BATCH_CANCEL:
		run_cancel(a, head.run, &in);
		break;
	case BATCH_RATE:
		rate_take(a, head.run, &in);
		break;
	case BATCH_DRAIN:
		drain_take(a, &in);
		break;
	default:
		break;
	}
}

void runs_free(struct agent *a)
{
	for (unsigned i = 0; i < AGENT_RUNS; i++)
		run_forget(&a->runs[i]);
}

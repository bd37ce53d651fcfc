/*
 * What all agents are told: what a run is, how fast they may ask, that it is cancelled or over.
 *
 * The run's description (profiles by value, credentials by name) goes out once, before any task; an agent that comes later
 * and has tasks of a run that it does not know asks, and it goes out to all again, at most once a second.
 *
 * --rate is for all together: each agent gets its part of it, by how many consume from our sites' queues. So the first
 * description waits until the broker has said how many those are. It is not exact while agents come and go; it is told
 * anew when that is seen.
 */
#include "pool/master_internal.h"

#include "base/log.h"

#define ANNOUNCE_US 1000000 /* at most so often */
#define RATE_UNIT   1000    /* packets per so many seconds */

static void control_put(struct master *m, enum batch_kind kind, const void *p, size_t len)
{
	struct batch_head head = {.kind = (uint8_t)kind, .run = m->remote->config->run->number};
	uint8_t octets[BATCH_HEAD_PACKED];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct queue_part parts[] = {{octets, sizeof(octets)}, {p, len}};
	struct window_to to = {.to = COURIER_CONTROL, .key = ""};

	batch_head_pack(&head, &w);
	window_put(m->remote->window, &to, parts, 2, loop_now_us(m->loop));
}

/* --- rate --------------------------------------------------------------------------------- */

static bool sites_are_known(const struct remote *r)
{
	for (size_t i = 0; i < r->nsites; i++)
		if (!r->sites[i].answered)
			return false;
	return true;
}

/* For each agent; 0: no limit. */
static uint32_t rate_now(const struct master *m)
{
	const struct remote *r = m->remote;
	double share = m->config->rate_pps * RATE_UNIT;
	uint64_t agents = 0;

	if (share <= 0)
		return 0;
	for (size_t i = 0; i < r->nsites; i++)
		agents += r->sites[i].consumers;
	share /= agents > 0 ? (double)agents : 1;
	return share < 1 ? 1 : share > UINT32_MAX ? UINT32_MAX : (uint32_t)share;
}

void control_rate(struct master *m)
{
	struct remote *r = m->remote;
	uint32_t rate = rate_now(m);
	uint8_t octets[4];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	if (r->announced_us == 0 || rate == r->rate || window_full(r->window))
		return;
	r->rate = rate;
	wire_put_u32(&w, rate);
	control_put(m, BATCH_RATE, octets, sizeof(octets));
}

/* --- the run ------------------------------------------------------------------------------ */

void control_need(struct master *m)
{
	m->remote->announce = true;
}

static bool may_announce(const struct master *m)
{
	const struct remote *r = m->remote;

	return r->link.was_up && r->words.len == 0 && r->announce &&
	       (m->config->rate_pps <= 0 || sites_are_known(r)) &&
	       (r->announced_us == 0 || loop_now_us(m->loop) - r->announced_us >= ANNOUNCE_US);
}

static void announce_begin(struct master *m)
{
	struct remote *r = m->remote;
	struct run run = *r->config->run;

	run.rate = r->rate = rate_now(m);
	run_pack(&run, &r->words);
	r->words_at = 0;
	r->announce = false;
	r->announced_us = loop_now_us(m->loop);
}

int64_t control_next_us(const struct master *m)
{
	const struct remote *r = m->remote;
	bool waits = r->link.puts && r->announce && r->announced_us != 0 && r->words.len == 0;

	return waits ? r->announced_us + ANNOUNCE_US : LOOP_NEVER;
}

void control_turn(struct master *m)
{
	struct remote *r = m->remote;
	struct buf piece = {0};

	if (may_announce(m))
		announce_begin(m);
	while (r->words.len > 0 && !window_full(r->window)) {
		piece.len = 0;
		if (run_piece_put(&r->words, &r->words_at, &piece))
			control_put(m, BATCH_RUN, piece.data, piece.len);
		else
			buf_free(&r->words);
	}
	buf_free(&piece);
}

/* --- ends --------------------------------------------------------------------------------- */

void control_cancel(struct master *m, uint64_t last)
{
	uint8_t octets[8];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};

	if (!m->remote->link.was_up)
		return;
	wire_put_u64(&w, last);
	control_put(m, BATCH_CANCEL, octets, sizeof(octets));
}

bool control_over(struct master *m)
{
	struct remote *r = m->remote;

	if (!r->link.was_up || r->over)
		return true;
	if (window_full(r->window))
		return false;
	control_put(m, BATCH_OVER, NULL, 0);
	r->over = true;
	return true;
}

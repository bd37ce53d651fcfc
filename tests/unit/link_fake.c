/*
 * A broker on demand. Tags say their epoch, as AMQP's backend has them; what is settled twice, or in another epoch, is counted.
 */
#include "link_fake.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/courier.h"

#define EPOCH_SHIFT 32

struct link_fake *fake_new(void)
{
	struct link_fake *f = calloc(1, sizeof(*f));

	f->room = -1;
	f->heartbeat_us = INT64_MAX;
	f->why = "it was pulled out";
	for (int i = LINK_PUTS; i <= LINK_TAKES; i++) {
		if (pipe(f->side[i].pipe) != 0)
			abort();
		fcntl(f->side[i].pipe[0], F_SETFL, O_NONBLOCK);
		fcntl(f->side[i].pipe[1], F_SETFL, O_NONBLOCK);
	}
	return f;
}

void fake_free(struct link_fake *f)
{
	for (int i = LINK_PUTS; i <= LINK_TAKES; i++) {
		close(f->side[i].pipe[0]);
		close(f->side[i].pipe[1]);
	}
	free(f);
}

/* --- events --------------------------------------------------------------------------------- */

static struct fake_event *event_add(struct link_fake *f, enum link_side side,
				    enum link_event_kind kind)
{
	struct fake_event *e = &f->events[(f->first + f->nevents) % FAKE_MAX];

	if (f->nevents == FAKE_MAX)
		abort();
	f->nevents++;
	*e = (struct fake_event){.event = {.kind = kind, .side = side},
				 .epoch = f->side[side].epoch};
	if (!f->buffered && write(f->side[side].pipe[1], "", 1) < 0)
		return e; /* the pipe is full: it is readable */
	return e;
}

void fake_say(struct link_fake *f, enum link_side side, enum link_event_kind kind)
{
	struct fake_event *e = event_add(f, side, kind);

	snprintf(e->why, sizeof(e->why), "%s", f->why);
	if (kind == LINK_BLOCKED || kind == LINK_UNBLOCKED)
		f->blocked = kind == LINK_BLOCKED;
}

void fake_hang_up(struct link_fake *f, enum link_side side, bool final)
{
	fake_say(f, side, LINK_GONE);
	f->events[(f->first + f->nevents - 1) % FAKE_MAX].event.final = final;
}

void fake_answer(struct link_fake *f, uint64_t id, enum link_event_kind kind)
{
	for (size_t i = f->nput; i-- > 0;) {
		struct fake_put *p = &f->put[i];

		if (p->id != id || p->answered)
			continue;
		p->answered = true;
		p->kept = p->kept || kind == LINK_CONFIRMED;
		if (p->epoch == f->side[LINK_PUTS].epoch && f->side[LINK_PUTS].open)
			event_add(f, LINK_PUTS, kind)->event.id = id;
		return;
	}
}

void fake_answer_all(struct link_fake *f)
{
	for (size_t i = 0; i < f->nput; i++)
		if (!f->put[i].answered && f->put[i].epoch == f->side[LINK_PUTS].epoch)
			fake_answer(f, f->put[i].id, LINK_CONFIRMED);
}

uint64_t fake_give(struct link_fake *f, enum courier_from from, const char *body,
		   uint32_t deliveries)
{
	struct fake_event *e = event_add(f, LINK_TAKES, LINK_TAKEN);

	snprintf(e->body, sizeof(e->body), "%s", body);
	e->event.from = (uint8_t)from;
	e->event.deliveries = deliveries;
	e->event.len = strlen(e->body);
	if (from != COURIER_FROM_CONTROL)
		e->event.id = (uint64_t)f->side[LINK_TAKES].epoch << EPOCH_SHIFT | ++f->tags;
	return e->event.id;
}

bool fake_keeps(const struct link_fake *f, uint64_t id)
{
	for (size_t i = 0; i < f->nput; i++)
		if (f->put[i].id == id && f->put[i].kept)
			return true;
	return false;
}

const struct fake_put *fake_last(const struct link_fake *f)
{
	return f->nput > 0 ? &f->put[f->nput - 1] : NULL;
}

/* --- the table ------------------------------------------------------------------------------ */

static void *fake_start(const struct courier_config *config, char why[LINK_WHY_MAX])
{
	struct link_fake *f = config->calls_arg;

	snprintf(why, LINK_WHY_MAX, "%s", f->why);
	return f->start_fails ? NULL : f;
}

static void fake_end(void *l)
{
	((struct link_fake *)l)->frees++;
}

static void side_shut(struct link_fake *f, enum link_side side)
{
	f->side[side].open = false;
	f->side[side].epoch++;
	f->blocked = f->blocked && side != LINK_PUTS;
	if (side == LINK_TAKES) {
		f->tags = 0;
		memset(f->tag_done, 0, sizeof(f->tag_done));
	}
}

static enum link_state fake_open(void *l, enum link_side side, char why[LINK_WHY_MAX])
{
	struct link_fake *f = l;
	enum link_state state = f->answers[side] > 0 ? f->answer[side] : LINK_OPEN;

	if (f->answers[side] > 0)
		f->answers[side]--;
	f->side[side].opens++;
	if (f->opening)
		f->opening();
	side_shut(f, side);
	f->side[side].open = state == LINK_OPEN || state == LINK_WAITS;
	if (state != LINK_OPEN)
		snprintf(why, LINK_WHY_MAX, "%s", f->why);
	return state;
}

static int fake_fd(const void *l, enum link_side side)
{
	const struct link_fake *f = l;

	return f->side[side].open ? f->side[side].pipe[0] : -1;
}

static bool fake_pending(const void *l)
{
	const struct link_fake *f = l;

	return f->buffered && f->nevents > 0;
}

static int64_t fake_next_us(const void *l)
{
	return ((const struct link_fake *)l)->heartbeat_us;
}

/* Lent, as the table says: the next call overwrites it. */
static bool fake_next(void *l, struct link_event *e)
{
	struct link_fake *f = l;
	char octet;

	f->visits++;
	while (f->nevents > 0) {
		struct fake_event *one = &f->events[f->first];

		f->first = (f->first + 1) % FAKE_MAX;
		f->nevents--;
		if (read(f->side[one->event.side].pipe[0], &octet, 1) < 0)
			octet = 0;
		if (one->epoch != f->side[one->event.side].epoch && !f->late)
			continue;
		*e = one->event;
		one->piece[0] = (struct link_piece){one->body, e->len / 2};
		one->piece[1] = (struct link_piece){one->body + e->len / 2, e->len - e->len / 2};
		e->body = one->piece;
		e->npieces = 2;
		e->why = one->why;
		if (e->kind == LINK_GONE)
			side_shut(f, e->side);
		return true;
	}
	return false;
}

static void fake_heard(void *l, enum link_side side)
{
	struct link_fake *f = l;

	f->heard[side]++;
}

static bool goes(struct link_fake *f, enum fake_call call, enum link_side side)
{
	if (!f->side[side].open)
		f->wrong++;
	if (!(f->gone_at & call))
		return false;
	f->gone_at &= ~(unsigned)call;
	side_shut(f, side);
	return true;
}

static enum link_put fake_put(void *l, const struct link_message *m)
{
	struct link_fake *f = l;
	struct fake_put *p = &f->put[f->nput];

	if (goes(f, FAKE_PUT, LINK_PUTS))
		return LINK_PUT_GONE;
	if (f->blocked || f->room == 0)
		return LINK_LATER;
	if (f->nput == FAKE_MAX)
		abort();
	f->room -= f->room > 0;
	*p = (struct fake_put){.id = m->id, .to = m->to, .len = m->len};
	p->epoch = f->side[LINK_PUTS].epoch;
	snprintf(p->key, sizeof(p->key), "%s", m->key);
	snprintf(p->name, sizeof(p->name), "%s", m->name ? m->name : "");
	snprintf(p->body, sizeof(p->body), "%.*s", (int)m->len, (const char *)m->body);
	f->nput++;
	if (f->confirms != FAKE_LATER)
		fake_answer(f, m->id,
			    f->confirms == FAKE_NACKS     ? LINK_NACKED
			    : f->confirms == FAKE_RETURNS ? LINK_RETURNED
							  : LINK_CONFIRMED);
	return LINK_PUT;
}

static bool fake_settle(void *l, uint64_t tag, enum link_verdict v)
{
	struct link_fake *f = l;
	uint64_t number = tag & UINT32_MAX;

	if (goes(f, FAKE_SETTLE, LINK_TAKES))
		return false;
	if (tag >> EPOCH_SHIFT != f->side[LINK_TAKES].epoch) {
		f->stale++;
		return true;
	}
	if (number > f->tags || number == 0 || f->tag_done[number % FAKE_MAX])
		f->twice++;
	f->tag_done[number % FAKE_MAX] = 1;
	f->settled[f->nsettled % FAKE_MAX] = (struct fake_settled){.tag = tag, .verdict = v};
	f->nsettled++;
	return true;
}

static bool fake_flush(void *l)
{
	struct link_fake *f = l;

	f->flushed = f->nsettled;
	return !goes(f, FAKE_FLUSH, LINK_TAKES);
}

static bool fake_site(void *l, const char *site, struct link_site *out, char why[LINK_WHY_MAX])
{
	struct link_fake *f = l;

	(void)site;
	f->sites++;
	if (goes(f, FAKE_SITE, LINK_TAKES) || f->site_fails) {
		snprintf(why, LINK_WHY_MAX, "%s", f->why);
		return false;
	}
	*out = f->site;
	return true;
}

static enum link_health fake_cure(void *l, const char *site, char why[LINK_WHY_MAX])
{
	struct link_fake *f = l;

	snprintf(f->cured, sizeof(f->cured), "%s", site);
	f->cures++;
	if (f->curing)
		f->curing(f->curing_arg);
	if (f->health != LINK_WELL)
		snprintf(why, LINK_WHY_MAX, "%s", f->why);
	return f->health;
}

static bool fake_reopen(void *l)
{
	struct link_fake *f = l;

	f->reopens++;
	if (goes(f, FAKE_REOPEN, LINK_PUTS))
		return false;
	f->side[LINK_PUTS].epoch++;
	return true;
}

static bool fake_leave(void *l)
{
	struct link_fake *f = l;

	f->leaves++;
	return !goes(f, FAKE_LEAVE, LINK_TAKES);
}

static void fake_close(void *l, bool forget)
{
	struct link_fake *f = l;

	f->closes++;
	f->forgot = forget;
	f->side[LINK_PUTS].open = f->side[LINK_TAKES].open = false;
}

const struct link_calls link_fake = {
	.start = fake_start,
	.free = fake_end,
	.open = fake_open,
	.fd = fake_fd,
	.pending = fake_pending,
	.next_us = fake_next_us,
	.heard = fake_heard,
	.next = fake_next,
	.put = fake_put,
	.settle = fake_settle,
	.flush = fake_flush,
	.site = fake_site,
	.cure = fake_cure,
	.reopen = fake_reopen,
	.leave = fake_leave,
	.close = fake_close,
};

/*
 * Messages for a broker, each kept until that has confirmed it.
 *
 * The problem: a message is the broker's when its confirm is here. Before that a courier may die, a connection go, a queue be full.
 *
 * The design: a list in the order of ids. A message is in it, with the one copy of its body, until it is confirmed or
 * returned; what goes to the courier is sent from here each time. What is settled ends before the oldest. A list and not a
 * ring: where one site's queue is full for hours, its messages stay at the front, and others go on behind them.
 *
 * So that those others find room, a key wants no more than is left free of the window: one key that is stuck takes half of
 * it, two take a third each, and there is always something left for the next.
 *
 * A nacked message stays. Its key pauses; then its oldest message goes alone, and each confirm lets two more go. Rejected: to
 * send all of them again after each pause, which brings the same nacks for megabytes.
 *
 * Only a confirm is progress (or a return): 3.10.8 nacks for ever on a channel that was opened in an election. Each other
 * channel that does not help doubles the time to the next one, since a queue may just be full, or the line so slow that
 * a message takes longer; the time shrinks again when confirms come in a quarter of it.
 *
 * The first trap: BLOCKED, DOWN and a REOPEN without an answer stop sending, but not hearing: confirms that were on their way
 * count, and an id that nobody knows is one of a message that was sent twice.
 *
 * The second: a body that is lent may be written anew as soon as it was confirmed, so a PUT of it that the courier reads later must be
 * nothing to it. In one epoch there is none: it goes out once, and again after a nack. Of an older one there may be: each PUT
 * says of which it is, both sides count the UPs, and what was confirmed before an UP is told before it.
 */
#include "link/window_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/wire.h"

#define STALL_MAX_US INT64_C(60000000)
#define LENT_PLACE   (4 + 4 + 4) /* octets that say where a body lies */
#define HEAD_MAX     (8 + 1 + 2 + BROKER_NAME_MAX + LENT_PLACE) /* before a body, or instead of it */

struct window *window_new(void)
{
	struct window *w = mem_zero(1, sizeof(*w));

	w->ends.prev = w->ends.next = &w->ends;
	w->stall_us = WINDOW_STALL_US;
	return w;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	for (struct message *m = w->ends.next, *next; m != &w->ends; m = next) {
		next = m->next;
		free(m);
	}
	keys_free(w);
	free(w);
}

/* --- towards the courier ------------------------------------------------------------------ */

static void message_send(struct window *w, struct message *m)
{
	uint8_t head[HEAD_MAX];
	struct wire_out out = {.at = head, .end = head + sizeof(head)};
	struct queue_part parts[2] = {{head, 0}, {m->body, m->len}};

	wire_put_u64(&out, m->id);
	wire_put_u8(&out, (uint8_t)m->key->to);
	wire_put_str(&out, m->key->name, (uint16_t)strlen(m->key->name));
	if (m->body) {
		parts[0].len = (size_t)(out.at - head);
		queue_send_parts(w->queue, COURIER_PUT, parts, 2);
	} else {
		wire_put_u32(&out, w->epoch);
		wire_put_u32(&out, (uint32_t)m->at);
		wire_put_u32(&out, (uint32_t)m->len);
		queue_put(w->queue, COURIER_PUT_LENT, head, (size_t)(out.at - head));
	}
	m->out = true;
	m->key->out++;
}

static bool window_sends(const struct window *w)
{
	return w->queue && w->up && !w->blocked;
}

/* Sends what may go now: of one key, or of all (NULL). */
static void window_send(struct window *w, const struct key *k)
{
	if (!window_sends(w))
		return;
	for (struct message *m = w->ends.next; m != &w->ends; m = m->next)
		if (!m->out && (!k || m->key == k) && key_may(m->key))
			message_send(w, m);
}

/* What the courier had is as if it had never gone. */
static void window_void(struct window *w)
{
	for (struct message *m = w->ends.next; m != &w->ends; m = m->next)
		m->out = false;
	for (struct key *k = w->keys; k; k = k->next)
		k->out = 0;
}

void window_attach(struct window *w, struct queue *q)
{
	w->queue = q;
	w->epoch = 0;
	window_down(w);
}

void window_up(struct window *w, int64_t now_us)
{
	window_void(w);
	w->up = true;
	w->epoch++;
	w->blocked = false;
	w->progress_us = now_us;
	window_send(w, NULL);
}

void window_down(struct window *w)
{
	window_void(w);
	w->up = w->blocked = false;
}

void window_block(struct window *w, bool blocked, int64_t now_us)
{
	w->blocked = blocked;
	w->progress_us = now_us;
	window_send(w, NULL);
}

/* --- from the owner ----------------------------------------------------------------------- */

bool window_full(const struct window *w)
{
	return w->open >= WINDOW_MAX || w->octets >= WINDOW_OCTETS;
}

bool window_wants(const struct window *w, enum courier_to to, const char *key)
{
	const struct key *k = key_find(w, to, key);

	if (window_full(w))
		return false;
	return !k || (k->until_us == 0 && k->open < k->allow && k->open < WINDOW_MAX - w->open &&
		      k->octets < WINDOW_OCTETS - w->octets);
}

/* The youngest of all, with room for so many octets behind it. */
static struct message *message_new(struct window *w, const struct window_to *to, size_t room)
{
	struct message *m = mem_alloc(sizeof(*m) + room);

	*m = (struct message){.prev = w->ends.prev,
			      .next = &w->ends,
			      .key = key_get(w, to->to, to->key),
			      .id = ++w->last,
			      .mark = to->mark};
	return m;
}

/* Of m->len octets; it goes, if it may. Returns its id. */
static uint64_t message_enter(struct window *w, struct message *m, int64_t now_us)
{
	m->prev->next = m->next->prev = m;
	m->key->open++;
	m->key->octets += m->len;
	w->octets += m->len;
	if (w->open++ == 0)
		w->progress_us = now_us;
	if (window_sends(w) && key_may(m->key))
		message_send(w, m);
	return m->id;
}

uint64_t window_put(struct window *w, const struct window_to *to, const struct queue_part *parts,
		    size_t n, int64_t now_us)
{
	struct message *m;
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += parts[i].len;
	assert(len <= WINDOW_BODY_MAX);
	m = message_new(w, to, len);
	m->body = (uint8_t *)(m + 1);
	for (size_t i = 0; i < n; m->len += parts[i++].len)
		if (parts[i].len > 0)
			memcpy(m->body + m->len, parts[i].p, parts[i].len);
	return message_enter(w, m, now_us);
}

uint64_t window_put_lent(struct window *w, const struct window_to *to,
			 const struct window_lent *body, int64_t now_us)
{
	struct message *m = message_new(w, to, 0);

	assert(body->len <= WINDOW_BODY_MAX);
	m->at = body->at;
	m->len = body->len;
	return message_enter(w, m, now_us);
}

/* --- the courier's answers ---------------------------------------------------------------- */

static struct message *message_find(const struct window *w, uint64_t id)
{
	struct message *m = w->ends.next;

	while (m != &w->ends && m->id < id)
		m = m->next;
	return m != &w->ends && m->id == id ? m : NULL;
}

/* It is no more with the courier: answered, or void. */
static void message_back(struct message *m)
{
	if (m->out)
		m->key->out--;
	m->out = false;
}

static void window_progress(struct window *w, int64_t now_us)
{
	bool quick = now_us - w->progress_us <= w->stall_us / 4;

	w->progress_us = now_us;
	if (quick)
		w->stall_us = w->stall_us / 2 > WINDOW_STALL_US ? w->stall_us / 2 : WINDOW_STALL_US;
}

/* The broker has said its last word about it. */
static void message_leave(struct window *w, struct message *m)
{
	message_back(m);
	m->prev->next = m->next;
	m->next->prev = m->prev;
	w->open--;
	w->octets -= m->len;
	m->key->open--;
	m->key->octets -= m->len;
	free(m);
}

bool window_confirmed(struct window *w, uint64_t id, uint64_t *mark, int64_t now_us)
{
	struct message *m = message_find(w, id);
	struct key *k = m ? m->key : NULL;

	if (!m)
		return false;
	*mark = m->mark;
	message_leave(w, m);
	window_progress(w, now_us);
	key_confirmed(k);
	if (k->open > k->out)
		window_send(w, k);
	return true;
}

bool window_returned(struct window *w, uint64_t id, uint64_t *mark, int64_t now_us)
{
	return window_confirmed(w, id, mark, now_us);
}

bool window_nacked(struct window *w, uint64_t id, int64_t now_us)
{
	struct message *m = message_find(w, id);

	if (!m)
		return false;
	message_back(m);
	key_pause(m->key, now_us);
	return true;
}

/* --- what is due -------------------------------------------------------------------------- */

size_t window_open(const struct window *w)
{
	return w->open;
}

size_t window_keys(const struct window *w)
{
	return w->nkeys;
}

uint64_t window_settled(const struct window *w)
{
	return w->open > 0 ? w->ends.next->id - 1 : w->last;
}

int64_t window_next_us(const struct window *w)
{
	int64_t next_us = w->progress_us + w->stall_us;

	if (!window_sends(w) || w->open == 0)
		return LOOP_NEVER;
	for (const struct key *k = w->keys; k; k = k->next)
		if (k->until_us > 0 && k->until_us < next_us)
			next_us = k->until_us;
	return next_us;
}

/* Another channel. Until its UP comes nothing is sent: it would be void. */
static void window_reopen(struct window *w)
{
	queue_put(w->queue, COURIER_REOPEN, NULL, 0);
	w->up = false;
	w->stall_us = w->stall_us * 2 < STALL_MAX_US ? w->stall_us * 2 : STALL_MAX_US;
}

void window_turn(struct window *w, int64_t now_us)
{
	for (struct key *k = w->keys; k; k = k->next)
		if (k->until_us > 0 && k->until_us <= now_us) {
			k->until_us = 0;
			window_send(w, k);
		}
	if (window_sends(w) && w->open > 0 && w->progress_us + w->stall_us <= now_us)
		window_reopen(w);
}

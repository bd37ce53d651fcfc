/*
 * The bodies of messages between masters and agents.
 *
 * The problem: what is unpacked here may come from another machine, of another version, or from who has stolen a
 * site's certificate. The master must outlive all of it, and an agent must not ask what nobody has written down.
 *
 * The design: base/wire's cursor, straight code in field order, one check at the end; names by the rule of names,
 * text without NUL and within what a target may have, numbers of enumerations within their tables, exactly one of name,
 * path and address. A target has its length in front, so that one that is wrong is known where it ends; it must fill
 * that length.
 *
 * The trap: an instant of this machine's monotonic clock means nothing on another. What is learnt of an engine's clock
 * goes out as an age, and becomes an instant again where it arrives; an age beyond that machine's own start would be an instant below zero: the
 * clock of the engine is then not known, which costs an exchange.
 *
 * How many tasks: each message costs every process on its way, and the broker, some ten microseconds, of which a record has its
 * part; with 64 to a message that was a tenth of what a poll costs, with 512 it is hardly seen. More would not fit a body, with
 * a row of JSON Lines for each, and be lost at once with the agent that has them in hand; a list that is short is cut into
 * smaller ones, or one agent would have it alone.
 *
 * Rejected: JSON or protocol buffers. The first costs more than the poll, the second is a compiler to be had on each system
 * for a dozen fields.
 */
#include "link/batch.h"

#include <string.h>

#include "base/loop.h"
#include "base/task.h"
#include "link/form.h"

_Static_assert(sizeof(((struct batch_store *)0)->host) == TASK_HOST_MAX + 1, "a task's host fits");
_Static_assert(sizeof(((struct batch_store *)0)->path) > TASK_PATH_MAX, "a task's path fits");

#define BATCH_MAGIC 'M'
#define KIND_MAX    BATCH_DRAIN
#define SHARES      16 /* batches of a short list: agents of a site share it */
#define SHARE_MIN   8

/* Counterpart: batch_head_unpack. */
void batch_head_pack(const struct batch_head *h, struct wire_out *w)
{
	wire_put_u8(w, BATCH_MAGIC);
	wire_put_u8(w, form_version);
	wire_put_u8(w, h->kind);
	wire_put_u64(w, h->run);
}

/* Counterpart: batch_head_pack. */
bool batch_head_unpack(struct batch_head *h, struct wire_in *r, bool *other)
{
	uint8_t magic = wire_get_u8(r), version = wire_get_u8(r);

	*other = !r->bad && magic == BATCH_MAGIC && version != form_version;
	h->kind = wire_get_u8(r);
	h->run = wire_get_u64(r);
	if (r->bad || magic != BATCH_MAGIC || version != form_version)
		return false;
	return h->kind >= BATCH_OF_TASKS && h->kind <= KIND_MAX;
}

/* ---- text */

static void text_pack(const char *text, size_t max, struct wire_out *w)
{
	wire_put_str(w, text, (uint16_t)strnlen(text, max));
}

/* To a place of max + 1 octets. NULL: r is bad, of an empty one, too. */
static const char *text_unpack(char *place, size_t max, struct wire_in *r)
{
	uint16_t len;
	const uint8_t *text = wire_get_str(r, &len);

	place[0] = '\0';
	r->bad = r->bad || len < 1 || len > max || memchr(text, '\0', len) != NULL;
	if (r->bad)
		return NULL;
	memcpy(place, text, len);
	place[len] = '\0';
	return place;
}

static void name_unpack(char place[BROKER_NAME_MAX + 1], struct wire_in *r)
{
	const char *name = text_unpack(place, BROKER_NAME_MAX, r);

	r->bad = r->bad || !name || !broker_name_ok(name);
}

/* ---- what was learnt of a host */

static int64_t age_of(int64_t instant_us, int64_t now_us)
{
	return now_us > instant_us ? now_us - instant_us : 0;
}

/* An instant of this machine becomes an age. */
static struct learnt learnt_aged(const struct learnt *l)
{
	struct learnt out = *l;

	if (out.clocked)
		out.stamp_us = age_of(l->stamp_us, loop_clock_us());
	return out;
}

/* And back. */
static void learnt_stamp(struct learnt *l)
{
	int64_t now_us;

	if (!l->clocked)
		return;
	now_us = loop_clock_us();
	l->clocked = l->stamp_us <= now_us;
	l->stamp_us = l->clocked ? now_us - l->stamp_us : 0;
}

/* ---- tasks */

unsigned batch_share(uint64_t tasks)
{
	uint64_t share = tasks / SHARES;

	return share < SHARE_MIN ? SHARE_MIN : share > BATCH_TASKS ? BATCH_TASKS : (unsigned)share;
}

/* Counterpart: batch_tasks_unpack. */
void batch_tasks_pack(const struct batch_tasks *t, struct wire_out *w)
{
	wire_put_u64(w, t->number);
	wire_put_u8(w, t->attempt);
	wire_put_u64(w, (uint64_t)t->until_us);
	text_pack(t->master, BROKER_NAME_MAX, w);
	wire_put_u16(w, t->count);
}

/* Counterpart: batch_tasks_pack. */
bool batch_tasks_unpack(struct batch_tasks *t, struct wire_in *r)
{
	t->number = wire_get_u64(r);
	t->attempt = wire_get_u8(r);
	t->until_us = (int64_t)wire_get_u64(r);
	name_unpack(t->master, r);
	t->count = wire_get_u16(r);
	return !r->bad && t->attempt >= 1 && t->until_us >= 0 && t->count >= 1 &&
	       t->count <= BATCH_TASKS;
}

enum { /* bits of a target's first octet: what it has */
	TARGET_HOST = 1,
	TARGET_NAME = 2, /* with the port and family of its addresses */
	TARGET_PATH = 4, /* instead of a name; without either it has an address */
	TARGET_KNOWN = 8,
	TARGET_ALL = 15
};
/* Octets of what each has, put and got in one go: has, seq, profile, transport. */
#define TARGET_FIXED (1 + 8 + 4 + 1)

/* What stands behind a target's length. Counterpart: target_unpack. */
static void target_pack(const struct plan_target *t, const struct learnt *known, struct wire_out *w)
{
	bool host = t->host && t->host[0] != '\0';
	uint8_t *place = wire_out_take(w, TARGET_FIXED);

	if (!place)
		return;
	place[0] = (uint8_t)((host ? TARGET_HOST : 0) | (t->name ? TARGET_NAME : 0) |
			     (t->path ? TARGET_PATH : 0) | (known ? TARGET_KNOWN : 0));
	wire_store64(place + 1, t->seq);
	wire_store32(place + 9, t->profile);
	place[13] = t->transport;
	if (host)
		text_pack(t->host, TASK_HOST_MAX, w);
	if (t->name) {
		text_pack(t->name, TASK_HOST_MAX, w);
		wire_put_u16(w, t->port);
		wire_put_u8(w, t->family);
	}
	if (t->path)
		text_pack(t->path, TASK_PATH_MAX, w);
	if (!t->name && !t->path)
		addr_pack(&t->addr, w);
	if (known) {
		struct learnt aged = learnt_aged(known);

		learnt_pack(&aged, w);
	}
}

/* Where it comes to lie; its length when that is known. Counterpart: batch_target_unpack. */
void batch_target_pack(const struct plan_target *t, const struct learnt *known, struct wire_out *w)
{
	struct wire_out length = *w;
	const uint8_t *body;

	wire_put_u16(w, 0);
	body = w->at;
	target_pack(t, known, w);
	wire_put_u16(&length, (uint16_t)(w->at - body));
}

static bool known_unpack(struct learnt *known, struct wire_in *r)
{
	if (!learnt_unpack(known, r) || known->address >= TASK_ADDRS_MAX)
		return false;
	learnt_stamp(known);
	return true;
}

static bool family_ok(uint8_t family)
{
	return family == 0 || family == 4 || family == 6;
}

/* All but what is known of it. Counterpart: target_pack. */
static bool target_unpack(struct plan_target *t, struct batch_store *store, const uint8_t *fixed,
			  struct wire_in *r)
{
	uint8_t has = fixed[0];

	*t = (struct plan_target){.seq = wire_load64(fixed + 1),
				  .profile = (uint32_t)wire_load32(fixed + 9),
				  .transport = fixed[13]};
	if (has & TARGET_HOST)
		t->host = text_unpack(store->host, TASK_HOST_MAX, r);
	if (has & TARGET_NAME) {
		t->name = text_unpack(store->name, TASK_HOST_MAX, r);
		t->port = wire_get_u16(r);
		t->family = wire_get_u8(r);
	}
	if (has & TARGET_PATH)
		t->path = text_unpack(store->path, TASK_PATH_MAX, r);
	if (r->bad || !family_ok(t->family) || t->transport >= TRANSPORT_COUNT)
		return false;
	if ((t->path != NULL) != (t->transport == TRANSPORT_UNIX) || (t->path && t->name))
		return false;
	return t->path || t->name || addr_unpack(&t->addr, r);
}

/* Counterpart: batch_target_pack. */
bool batch_target_unpack(struct plan_target *t, struct batch_store *store, bool *learns,
			 struct learnt *known, struct wire_in *r)
{
	uint16_t len;
	const uint8_t *octets = wire_get_str(r, &len);
	struct wire_in body = {.at = octets, .end = octets ? octets + len : NULL};
	const uint8_t *fixed = wire_in_take(&body, TARGET_FIXED);

	if (!fixed || len > BATCH_TARGET_MAX - 2 || fixed[0] > TARGET_ALL)
		return false;
	*learns = fixed[0] & TARGET_KNOWN;
	return target_unpack(t, store, fixed, &body) && (!*learns || known_unpack(known, &body)) &&
	       body.at == body.end;
}

bool batch_target_skip(struct wire_in *r)
{
	uint16_t len;

	wire_get_str(r, &len);
	return !r->bad;
}

/* ---- results */

/* Counterpart: batch_results_unpack. */
void batch_results_pack(const struct batch_results *b, struct wire_out *w)
{
	text_pack(b->agent, BROKER_NAME_MAX, w);
	text_pack(b->site, BROKER_NAME_MAX, w);
	wire_put_u64(w, b->incarnation);
	wire_put_u64(w, b->number);
	stats_pack(&b->stats, w);
	wire_put_u16(w, b->count);
}

/* Counterpart: batch_results_pack. */
bool batch_results_unpack(struct batch_results *b, struct wire_in *r)
{
	name_unpack(b->agent, r);
	name_unpack(b->site, r);
	b->incarnation = wire_get_u64(r);
	b->number = wire_get_u64(r);
	if (r->bad || !stats_unpack(&b->stats, r))
		return false;
	b->count = wire_get_u16(r);
	return !r->bad && b->number >= 1;
}

enum { /* bits of a result's first octet: what it has */
	HAS_BEFORE = 1,
	HAS_HEAD = 2,
	HAS_ADDR = 4, /* these two with a head only */
	HAS_FRONT = 8,
	HAS_ALL = 15
};
/* Likewise: has, seq, poll, attempt. */
#define RESULT_FIXED (1 + 8 + 4 + 1)

static uint8_t has_what(const struct batch_result *b)
{
	unsigned has = b->before > 0 ? HAS_BEFORE : 0;

	if (b->head != NULL)
		has |= HAS_HEAD | (b->addr.family != 0 ? HAS_ADDR : 0u) |
		       (b->front_len > 0 ? HAS_FRONT : 0u);
	return (uint8_t)has;
}

static void outcome_pack(const struct record_head *h, struct wire_out *w)
{
	struct record_head aged;

	if (h->learns) {
		aged = *h;
		aged.learnt = learnt_aged(&h->learnt);
		h = &aged;
	}
	record_outcome_pack(h, w);
}

/* Counterpart: batch_result_unpack. */
void batch_result_pack(const struct batch_result *b, struct wire_out *w)
{
	uint8_t has = has_what(b), *place = wire_out_take(w, RESULT_FIXED);

	if (!place)
		return;
	place[0] = has;
	wire_store64(place + 1, b->seq);
	wire_store32(place + 9, b->poll);
	place[13] = b->attempt;
	if (has & HAS_BEFORE)
		wire_put_u32(w, b->before);
	if (has & HAS_HEAD)
		outcome_pack(b->head, w);
	if (has & HAS_ADDR)
		addr_pack(&b->addr, w);
	if (has & HAS_FRONT) {
		wire_put_u32(w, b->front_len);
		wire_put_bytes(w, b->front, b->front_len);
	}
	wire_put_u32(w, b->len);
	wire_put_bytes(w, b->octets, b->len);
}

/* What only a last piece has. */
static bool last_unpack(struct batch_result *b, struct record_head *head, uint8_t has,
			struct wire_in *r)
{
	if (!record_outcome_unpack(head, r))
		return false;
	head->seq = b->seq;
	head->lease = 0;
	if (head->learns)
		learnt_stamp(&head->learnt);
	b->head = head;
	if (has & HAS_ADDR && !addr_unpack(&b->addr, r))
		return false;
	if (has & HAS_FRONT) {
		b->front_len = wire_get_u32(r);
		b->front = wire_get_bytes(r, b->front_len);
	}
	return true;
}

/* Counterpart: batch_result_pack. */
bool batch_result_unpack(struct batch_result *b, struct record_head *head, struct wire_in *r)
{
	const uint8_t *place = wire_in_take(r, RESULT_FIXED);
	uint8_t has;

	if (!place)
		return false;
	has = place[0];
	b->seq = wire_load64(place + 1);
	b->poll = (uint32_t)wire_load32(place + 9);
	b->attempt = place[13];
	b->before = has & HAS_BEFORE ? wire_get_u32(r) : 0;
	b->head = NULL;
	b->addr = (struct addr){0};
	b->front = NULL;
	b->front_len = 0;
	if (r->bad || has > HAS_ALL || b->attempt < 1)
		return false;
	if (!(has & HAS_HEAD) && has & (HAS_ADDR | HAS_FRONT))
		return false;
	if (has & HAS_HEAD && !last_unpack(b, head, has, r))
		return false;
	b->len = wire_get_u32(r);
	b->octets = wire_get_bytes(r, b->len);
	return !r->bad;
}

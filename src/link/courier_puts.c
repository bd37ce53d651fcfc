/*
 * PUTs on their way to the broker.
 *
 * A PUT goes from the owner's frame, or from memory of his, into the library without a copy, as long as the broker takes it. When it does not (an
 * alarm, a slow line), it is held here, and all that come behind it: the owner's other frames, acknowledgements and PING,
 * stand in the same queue and must go on. Its window bounds what there is to hold; it has heard BLOCKED, or hears no
 * confirms.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "link/courier_internal.h"
#include "link/form.h"

/* False: there is no room now. */
static bool put_write(struct courier *c, const struct link_message *m)
{
	char name[PUTS_NAME_MAX];
	struct link_message named = *m;

	if (puts_name(m->body, m->len, name))
		named.name = name;
	switch (c->calls->put(c->link, &named)) {
	case LINK_LATER:
		return false;
	case LINK_PUT_GONE:
		side_gone(&c->puts);
		return true; /* and this is void with all others */
	case LINK_PUT:
		c->unanswered++;
	}
	return true;
}

static void put_hold(struct courier *c, const struct link_message *m)
{
	size_t key_len = strlen(m->key) + 1;
	struct held *h = mem_alloc(sizeof(*h) + key_len + m->len);
	char *behind = (char *)(h + 1);

	h->next = NULL;
	h->message = *m;
	h->message.key = memcpy(behind, m->key, key_len);
	h->message.body = behind + key_len;
	if (m->len > 0)
		memcpy(behind + key_len, m->body, m->len);
	*c->held_end = h;
	c->held_end = &h->next;
	c->held_octets += m->len;
}

void puts_take(struct courier *c, const struct link_message *m)
{
	if (c->puts.state != SIDE_UP) {
		c->owed = true; /* it comes again after UP */
		return;
	}
	c->owed = false;
	if (c->held || !put_write(c, m))
		put_hold(c, m);
}

static void held_free(struct courier *c)
{
	struct held *h = c->held;

	c->held = h->next;
	c->held_octets -= h->message.len;
	if (!c->held)
		c->held_end = &c->held;
	free(h);
}

void puts_turn(struct courier *c)
{
	while (c->held && put_write(c, &c->held->message))
		if (c->held) /* else it was the end of the side, and all are dropped */
			held_free(c);
}

void puts_drop(struct courier *c)
{
	if (c->held || c->unanswered > 0)
		c->owed = true;
	while (c->held)
		held_free(c);
	c->unanswered = 0;
}

/* What batch_head_pack() and batch_tasks_pack() have at the front: 'M', version, kind 1, run, number. Only people read it. */
bool puts_name(const void *body, size_t len, char out[PUTS_NAME_MAX])
{
	struct wire_in r = {.at = body, .end = (const uint8_t *)body + len};
	uint8_t magic = wire_get_u8(&r), version = wire_get_u8(&r), kind = wire_get_u8(&r);
	uint64_t run = wire_get_u64(&r), number = wire_get_u64(&r);

	if (r.bad || magic != 'M' || version != form_version || kind != 1)
		return false;
	snprintf(out, PUTS_NAME_MAX, "%016" PRIx64 ":%" PRIu64, run, number);
	return true;
}

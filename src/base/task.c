/*
 * Whom to ask: the task's wire form.
 *
 * The problem: ten million tasks go through a socketpair each way, so a task is small and holds no
 * secret: only what differs from target to target. What to ask and how to authenticate is in the
 * profile, which the worker has inherited.
 *
 * The wire form borrows in both directions. Packing reads the host's text and the addresses where the plan
 * has them; unpacking puts them into a store of the caller's, which lives as long as the task is
 * looked at. A missing host (blocks and ranges: the address is the name) is an empty string. After the
 * transport's number stands what it needs: addresses, or the path of a socket. What was learnt of the host comes last,
 * where the master keeps it.
 */
#include "base/task.h"

#include <string.h>

static void addrs_pack(const struct task *t, struct wire_out *w)
{
	wire_put_u8(w, t->naddrs);
	for (size_t i = 0; i < t->naddrs; i++)
		addr_pack(&t->addrs[i], w);
}

static bool addrs_unpack(struct task *t, struct task_store *store, struct wire_in *r)
{
	t->naddrs = wire_get_u8(r);
	if (r->bad || t->naddrs < 1 || t->naddrs > TASK_ADDRS_MAX)
		return false;
	for (size_t i = 0; i < t->naddrs; i++) {
		if (!addr_unpack(&store->addrs[i], r))
			return false;
	}
	return true;
}

static void text_pack(const char *text, size_t max, struct wire_out *w)
{
	wire_put_str(w, text, (uint16_t)(text ? strnlen(text, max) : 0));
}

/* Text of at most max octets, to a place of max + 1; NULL: there is none, or r is bad. */
static const char *text_unpack(char *place, size_t max, struct wire_in *r)
{
	uint16_t len;
	const uint8_t *text = wire_get_str(r, &len);

	r->bad = r->bad || len > max;
	if (r->bad || !len)
		return NULL;
	memcpy(place, text, len);
	place[len] = '\0';
	return place;
}

/* Counterpart: task_unpack. */
void task_pack(const struct task *t, struct wire_out *w)
{
	wire_put_u64(w, t->seq);
	wire_put_u32(w, t->lease);
	wire_put_u32(w, t->profile);
	text_pack(t->host, TASK_HOST_MAX, w);
	wire_put_u8(w, t->transport);
	if (t->transport == TRANSPORT_UNIX)
		text_pack(t->path, TASK_PATH_MAX, w);
	else
		addrs_pack(t, w);
	wire_put_u8(w, t->learns);
	if (t->learns)
		learnt_pack(&t->learnt, w);
}

static bool learnt_take(struct task *t, struct wire_in *r)
{
	uint8_t learns = wire_get_u8(r);

	t->learns = learns == 1;
	if (r->bad || learns > 1)
		return false;
	return !t->learns || (learnt_unpack(&t->learnt, r) && t->learnt.address < TASK_ADDRS_MAX);
}

/* Counterpart: task_pack. */
bool task_unpack(struct task *t, struct task_store *store, struct wire_in *r)
{
	*t = (struct task){.seq = wire_get_u64(r), .addrs = store->addrs};
	t->lease = wire_get_u32(r);
	t->profile = wire_get_u32(r);
	t->host = text_unpack(store->host, TASK_HOST_MAX, r);
	t->transport = wire_get_u8(r);
	if (r->bad || t->transport >= TRANSPORT_COUNT)
		return false;
	if (t->transport != TRANSPORT_UNIX)
		return addrs_unpack(t, store, r) && learnt_take(t, r);
	t->path = text_unpack(store->path, TASK_PATH_MAX, r);
	return t->path != NULL && learnt_take(t, r);
}

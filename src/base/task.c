/*
 * Whom to ask: the task's wire form.
 *
 * The problem: ten million tasks go through a socketpair each way, so a task is small and holds no
 * secret: only what differs from target to target. What to ask and how to authenticate is in the
 * profile, which the worker has inherited.
 *
 * The wire form borrows in both directions. Packing reads the host's text and the addresses where the plan
 * has them; unpacking puts them into a store of the caller's, which lives as long as the task is
 * looked at. A missing host (blocks and ranges: the address is the name) is an empty string.
 */
#include "base/task.h"

#include <string.h>

/* Counterpart: addr_unpack. */
static void addr_pack(const struct addr *a, struct wire_out *w)
{
	wire_put_u8(w, a->family);
	wire_put_bytes(w, a->ip, sizeof(a->ip));
	wire_put_u32(w, a->zone);
	wire_put_u16(w, a->port);
}

/* Counterpart: addr_pack. */
static bool addr_unpack(struct addr *a, struct wire_in *r)
{
	const uint8_t *ip;

	*a = (struct addr){.family = wire_get_u8(r)};
	ip = wire_get_bytes(r, sizeof(a->ip));
	if (ip)
		memcpy(a->ip, ip, sizeof(a->ip));
	a->zone = wire_get_u32(r);
	a->port = wire_get_u16(r);
	return !r->bad && (a->family == 4 || a->family == 6);
}

/* Counterpart: task_unpack. */
void task_pack(const struct task *t, struct wire_out *w)
{
	size_t len = t->host ? strnlen(t->host, TASK_HOST_MAX) : 0;

	wire_put_u64(w, t->seq);
	wire_put_u32(w, t->lease);
	wire_put_u32(w, t->profile);
	wire_put_str(w, t->host, (uint16_t)len);
	wire_put_u8(w, t->naddrs);
	for (size_t i = 0; i < t->naddrs; i++)
		addr_pack(&t->addrs[i], w);
}

/* Counterpart: task_pack. */
bool task_unpack(struct task *t, struct task_store *store, struct wire_in *r)
{
	uint16_t len;
	const uint8_t *host;

	t->seq = wire_get_u64(r);
	t->lease = wire_get_u32(r);
	t->profile = wire_get_u32(r);
	host = wire_get_str(r, &len);
	t->naddrs = wire_get_u8(r);
	if (r->bad || len > TASK_HOST_MAX || t->naddrs < 1 || t->naddrs > TASK_ADDRS_MAX)
		return false;
	memcpy(store->host, host, len);
	store->host[len] = '\0';
	t->host = len ? store->host : NULL;
	t->addrs = store->addrs;
	for (size_t i = 0; i < t->naddrs; i++) {
		if (!addr_unpack(&store->addrs[i], r))
			return false;
	}
	return true;
}

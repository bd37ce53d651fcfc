/*
 * What is remembered of a target from round to round: out with its task, back with its record.
 *
 * A target is known by a hash of what makes it this one to this asker: host, address, port, transport, community or user. So
 * it is found again after a reload, wherever in the list it stands now. Two entries that are the same in all of this share
 * what is known, which is as true for the one as for the other.
 *
 * Of a name, memory holds which address answered, as a hash of it, since addresses come in another order, or are others,
 * when the name is looked up again. If it is gone, what was learnt of its engine and its times is not used.
 *
 * What comes back is a worker's word. It may lie about what was leased to it, and reaches no further: the target is
 * taken from the lease, the address is one that we resolved, numbers are bounded where they come off the wire, a clock
 * was right at some time that has been, a silent round is one. All of it is a hint to whoever is asked next.
 */
#include "pool/master_internal.h"

#include <string.h>

#include "pool/memory.h"

#define HASH_BASE UINT64_C(14695981039346656037)

/* FNV-1a of 64 bits. */
static uint64_t hash_more(uint64_t h, const void *p, size_t len)
{
	const uint8_t *octets = p;

	while (len-- > 0)
		h = (h ^ *octets++) * UINT64_C(1099511628211);
	return h;
}

static uint64_t hash_text(uint64_t h, const char *text)
{
	return text != NULL ? hash_more(h, text, strlen(text) + 1) : h;
}

static uint64_t hash_addr(uint64_t h, const struct addr *a)
{
	h = hash_more(h, &a->family, sizeof(a->family));
	h = hash_more(h, &a->zone, sizeof(a->zone));
	return hash_more(h, a->ip, sizeof(a->ip));
}

static uint64_t target_of(const struct master *m, const struct dispatch_task *t)
{
	uint64_t asker = plan_asker(m->config->plan, t->profile);
	uint64_t h = hash_more(HASH_BASE, &asker, sizeof(asker));
	uint16_t port = t->addrs != NULL ? t->port : t->addr.port;

	h = hash_more(h, &t->transport, sizeof(t->transport));
	h = hash_more(h, &port, sizeof(port));
	h = hash_text(hash_text(h, t->host), t->path);
	return t->addrs != NULL ? h : hash_addr(h, &t->addr);
}

/* What stands for one of a target's addresses. */
static uint32_t where_is(const struct dispatch_task *t, unsigned address)
{
	const struct addr *a = t->addrs != NULL ? &t->addrs[address] : &t->addr;
	uint64_t h = hash_addr(HASH_BASE, a);

	return (uint32_t)(h ^ h >> 32);
}

/* What is remembered elsewhere: who feeds us knows it. */
static void lend_fed(const struct master_feed *feed, const struct dispatch_task *t,
		     struct task *task)
{
	struct learnt *l = &task->learnt;

	task->learns = feed->known(feed->arg, t->seq, l);
	if (task->learns && l->address > 0 && l->address >= t->naddrs)
		*l = (struct learnt){.silent = l->silent}; /* of an address that is gone */
}

void recall_lend(const struct master *m, const struct dispatch_task *t, struct task *task)
{
	struct learnt *l = &task->learnt;
	uint32_t where;

	if (m->config->feed != NULL) {
		lend_fed(m->config->feed, t, task);
		return;
	}
	if (m->config->memory == NULL)
		return;
	task->learns = true;
	if (!memory_find(m->config->memory, target_of(m, t), l, &where))
		return;
	for (unsigned i = 0; i < t->naddrs; i++) {
		l->address = (uint8_t)i;
		if (where_is(t, i) == where)
			return;
	}
	if (t->naddrs > 0)
		*l = (struct learnt){.silent = l->silent};
}

bool recall_believes(const struct master *m, const struct dispatch_task *t, const struct learnt *l)
{
	return (m->config->memory != NULL || m->config->feed != NULL) &&
	       (l->address < t->naddrs || l->address == 0) && l->stamp_us <= loop_clock_us();
}

void recall_take(const struct master *m, const struct dispatch_task *t, const struct record_head *h)
{
	if (m->config->memory != NULL && h->learns)
		memory_keep(m->config->memory, target_of(m, t), &h->learnt,
			    where_is(t, h->learnt.address));
}

/* --- of targets whose names an agent looks up: addresses are known by their place, which is a hint like all else */

static uint64_t planned_of(const struct master *m, const struct plan_target *p)
{
	struct dispatch_task t = {.host = p->host,
				  .path = p->path,
				  .addr = p->addr,
				  .profile = p->profile,
				  .transport = p->transport};

	if (p->name != NULL)
		t.addr = (struct addr){.port = p->port};
	return target_of(m, &t);
}

bool recall_known(const struct master *m, const struct plan_target *p, struct learnt *l)
{
	uint32_t where;

	if (m->config->memory == NULL)
		return false;
	*l = (struct learnt){0};
	if (memory_find(m->config->memory, planned_of(m, p), l, &where))
		l->address = p->name != NULL && where < TASK_ADDRS_MAX ? (uint8_t)where : 0;
	return true;
}

void recall_learn(const struct master *m, const struct plan_target *p, const struct record_head *h)
{
	if (m->config->memory != NULL && h->learns)
		memory_keep(m->config->memory, planned_of(m, p), &h->learnt, h->learnt.address);
}

/*
 * Names that are known are asked again, in rounds: addresses change.
 *
 * A name is asked again when its answer is older than REFRESH_US, or as soon as a host of it gave no answer: that may be
 * the reason. Nobody waits for it: the round goes on with the addresses that there are, and the new ones hold
 * from the next round on, when no lease points to the old ones any more. If there is no answer, or none with an
 * address, the old ones stay: a name server that fails must not stop the polling of what has not moved.
 *
 * Rejected: to ask before the target is leased, which puts the name server's silence into each round; and to take
 * "no such name" for an end: it is also what a half-configured server says, and a host that is really gone is
 * removed from the list.
 *
 * What says how names become addresses changes, too: a laptop comes to another network, /etc/hosts is edited. The library
 * reads most of that once, and the resolver's sandbox knows files, not names: one that was put in place of another may
 * not be read. So at the begin of a round we look whether they are still those of the resolver's birth; if not, it
 * ends, and the next name brings another. That is four stat(2) a round, and no tick.
 *
 * A resolver that dies over such a question takes no blame: the name is asked again when it is old again, so a name
 * that kills can do so once in REFRESH_US.
 */
#include "pool/master_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pool/lookup.h"

#define REFRESH_US INT64_C(300000000) /* default */

static void want(struct names *ns, struct name *n)
{
	if (n->refresh != REFRESH_NOT || n->state != NAME_KNOWN)
		return;
	n->refresh = REFRESH_WANTED;
	ns->wanted++;
}

void refresh_doubt(struct master *m, const struct dispatch_task *t, unsigned status)
{
	bool silent = status == RECORD_TIMEOUT || status == RECORD_UNREACHABLE;
	struct name *n;

	if ((m->config->rounds == NULL && m->config->feed == NULL) || t->addrs == NULL || !silent)
		return;
	n = &m->names.list[t->name];
	if (n->known_us < (m->config->feed != NULL
				   ? m->names.begun_us
				   : m->start_us)) /* once a round, however many hosts have it */
		want(&m->names, n);
}

/* The next that is wanted, from where the last one was; there is one. */
static struct name *next_wanted(struct names *ns)
{
	for (;; ns->next_wanted++) {
		struct name *n;

		if (ns->next_wanted >= ns->count)
			ns->next_wanted = 0;
		n = &ns->list[ns->next_wanted];
		if (n->refresh == REFRESH_WANTED)
			return n;
	}
}

void refresh_ask(struct master *m)
{
	struct names *ns = &m->names;
	struct child *r = m->resolver;

	if (ns->wanted == 0 || ns->alone || m->cancelled != NULL || m->stopping)
		return;
	if (r->queue == NULL && r->respawn_us == LOOP_NEVER)
		child_birth(r);
	if (r->queue == NULL || r->killed)
		return;
	while (ns->wanted > 0 && ns->asked + ns->refreshing < LOOKUP_IN_FLIGHT) {
		struct name *n = next_wanted(ns);

		name_put(m, n);
		n->refresh = REFRESH_ASKED;
		ns->wanted--;
		ns->refreshing++;
	}
}

bool refresh_take(struct master *m, struct name *n, const struct lookup_answer *a)
{
	if (n->refresh != REFRESH_ASKED)
		return false;
	n->refresh = REFRESH_NOT;
	n->known_us = loop_now_us(m->loop);
	m->names.refreshing--;
	if (a->count == 0)
		return true;
	free(n->fresh);
	n->nfresh = a->count;
	n->fresh = mem_alloc(a->count * sizeof(*n->fresh));
	memcpy(n->fresh, a->addrs, a->count * sizeof(*n->fresh));
	return true;
}

void refresh_lost(struct master *m)
{
	struct names *ns = &m->names;

	for (uint32_t i = 0; ns->refreshing > 0 && i < ns->count; i++) {
		struct name *n = &ns->list[i];

		if (n->refresh != REFRESH_ASKED)
			continue;
		n->refresh = REFRESH_NOT;
		n->known_us = loop_now_us(m->loop);
		ns->refreshing--;
	}
}

void refresh_begin(struct master *m, struct name *n)
{
	int64_t after_us = m->config->names_us > 0 ? m->config->names_us : REFRESH_US;

	if (n->fresh != NULL) {
		free(n->addrs);
		n->addrs = n->fresh;
		n->naddrs = n->nfresh;
		n->fresh = NULL;
	}
	if (loop_now_us(m->loop) - n->known_us >= after_us)
		want(&m->names, n);
}

/* --- another resolver ---------------------------------------------------------------------- */

/* What stands for the files that it reads (sandbox_landlock.c has the same), as they are now. */
static uint64_t files_now(void)
{
	static const char *const files[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
					    "/etc/gai.conf"};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct stat st = {0};

		if (stat(files[i], &st) < 0)
			st = (struct stat){0};
		sum = sum * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)st.st_ino;
		sum = sum * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)st.st_size;
		sum = sum * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)st.st_ctime;
	}
	return sum;
}

void refresh_born(struct master *m)
{
	m->names.files = files_now();
}

void refresh_renew(struct master *m)
{
	if (m->resolver->queue == NULL || m->names.files == files_now())
		return;
	refresh_lost(m);
	resolver_leave(m);
	m->resolver->stopping = false; /* the next name brings another */
}

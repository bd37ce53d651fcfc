/*
 * The hosts that a person wants to hear of.
 *
 * Ten of each kind and no more, whatever the number of targets: a record costs a comparison with the tenth, and a
 * name is made into text only when it is kept. The first ten that fail, not the last: they are known while the run
 * goes on, and a list that stays as it is needs no explanation.
 *
 * A label is what somebody wrote into a file, so it is cut, and what would act on a terminal is replaced, before it
 * is kept.
 */
#include "cli/notable.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/utf8.h"

/* text as far as there is room, whole characters only. */
static void keep(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len < size) {
		memcpy(out, text, len + 1);
	} else {
		len = size - sizeof("...");
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		memcpy(out, text, len);
		memcpy(out + len, "...", sizeof("..."));
	}
	utf8_make_shown(out);
}

static void host_of(struct notable_host *h, const struct record *r)
{
	char address[ADDR_TEXT_MAX] = "?";

	if (!r->host && r->addr.family)
		addr_text(&r->addr, address);
	*h = (struct notable_host){.status = r->status, .tries = r->tries, .rtt_us = r->rtt_us};
	keep(h->name, sizeof(h->name), r->host ? r->host : address);
	keep(h->words, sizeof(h->words), r->message ? r->message : "");
}

/* Equal ones stand in the order in which they came. */
static void meet_slow(struct notable *n, const struct record *r)
{
	size_t at = n->nslowest;

	while (at > 0 && n->slowest[at - 1].rtt_us < r->rtt_us)
		at--;
	if (at == NOTABLE_MAX)
		return;
	if (n->nslowest < NOTABLE_MAX)
		n->nslowest++;
	memmove(&n->slowest[at + 1], &n->slowest[at],
		(n->nslowest - at - 1) * sizeof(n->slowest[0]));
	host_of(&n->slowest[at], r);
}

void notable_meet(struct notable *n, const struct record *r)
{
	if (r->rtt_us >= 0)
		meet_slow(n, r);
	if (r->status == RECORD_OK)
		return;
	n->failed++;
	if (n->nfailing < NOTABLE_MAX)
		host_of(&n->failing[n->nfailing++], r);
}

static void record(void *arg, const struct record *r)
{
	notable_meet(arg, r);
}

struct watcher notable_watcher(struct notable *n)
{
	return (struct watcher){.arg = n, .record = record};
}

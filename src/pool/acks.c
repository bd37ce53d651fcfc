/*
 * Which messages of results may be acknowledged.
 *
 * The problem: a message that is acknowledged is gone from the broker, so whatever dies afterwards must not take its records
 * along. Octets that were put lie in the writer; octets that were written lie in the kernel, and a machine that loses its power
 * loses them. A sync for each message would make the disk the measure of everything.
 *
 * The design: groups. Records and messages are noted with the output's length behind them, in the order in which they
 * come. When a group is large enough, or its first message has waited long enough, the output is flushed and synced, the
 * journal says so, on disk itself, and then the group is acknowledged. What a stream was given is out of our hands:
 * there it is enough that it was taken.
 *
 * Rejected: a process that syncs while the master goes on. A sync of a group is some milliseconds, in which messages arrive
 * in the courier's socket; and what it would save is bought with a second state of everything that is noted here.
 *
 * The trap: the journal's sums are of the records that are on disk, not of those that were counted; the exit status of a run
 * that is taken up comes from them. So each status waits here with its record.
 */
#include "pool/acks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct record_note {
	uint64_t seq;
	uint64_t end; /* octets of the output behind it */
	uint8_t status;
};

struct tag_note {
	uint64_t tag;
	uint64_t end;
};

struct acks {
	struct acks_config config;
	struct writer *writer; /* NULL: what comes is safe */
	bool spooled, syncs;
	struct journal_sums sums; /* of what the journal has */
	struct record_note *records;
	size_t nrecords, records_cap;
	struct tag_note *tags;
	size_t ntags, tags_cap;
	int64_t due_us; /* when what waits is a group, if there is a tag */
	uint64_t *seqs; /* of a group, for the journal; as many as records_cap */
	enum writer_result failed;
};

struct acks *acks_new(const struct acks_config *c)
{
	struct acks *a = mem_zero(1, sizeof(*a));

	a->config = *c;
	if (c->begun != NULL)
		a->sums = *c->begun;
	return a;
}

void acks_free(struct acks *a)
{
	if (a == NULL)
		return;
	free(a->records);
	free(a->tags);
	free(a->seqs);
	free(a);
}

void acks_output(struct acks *a, struct writer *w, bool spooled)
{
	a->writer = w;
	a->spooled = spooled;
	a->failed = WRITER_OK;
	a->syncs = w != NULL &&
		   writer_syncs(w); /* a writer that has failed knows no more what it was */
}

/* --- what waits ---------------------------------------------------------------------------- */

/* Octets of the output behind what was put last. */
static uint64_t end_now(const struct acks *a)
{
	return a->writer != NULL && !a->spooled ? writer_octets(a->writer) : 0;
}

void acks_seq(struct acks *a, uint64_t seq, enum record_status status)
{
	if (a->config.journal == NULL)
		return;
	if (a->nrecords == a->records_cap) {
		a->records_cap = a->records_cap > 0 ? a->records_cap * 2 : 256;
		a->records = mem_resize(a->records, a->records_cap, sizeof(*a->records));
		a->seqs = mem_resize(a->seqs, a->records_cap, sizeof(*a->seqs));
	}
	a->records[a->nrecords++] = (struct record_note){seq, end_now(a), (uint8_t)status};
}

void acks_tag(struct acks *a, uint64_t tag, int64_t now_us)
{
	if (a->ntags == a->tags_cap) {
		a->tags_cap = a->tags_cap > 0 ? a->tags_cap * 2 : 128;
		a->tags = mem_resize(a->tags, a->tags_cap, sizeof(*a->tags));
	}
	if (a->ntags == 0)
		a->due_us = now_us + ACKS_GROUP_US;
	a->tags[a->ntags++] = (struct tag_note){tag, end_now(a)};
	if (a->ntags == ACKS_GROUP)
		a->due_us = now_us;
}

void acks_void(struct acks *a)
{
	a->ntags = 0;
}

bool acks_owes(const struct acks *a)
{
	return a->ntags > 0 || a->nrecords > 0;
}

/* --- what goes ----------------------------------------------------------------------------- */

/* How many records, from the first one on, end where the output is now, or before. */
static size_t records_until(const struct acks *a, uint64_t through)
{
	size_t n = 0;

	while (n < a->nrecords && a->records[n].end <= through)
		n++;
	return n;
}

static bool journal_records(struct acks *a, size_t n)
{
	struct journal_sums sums = a->sums;

	for (size_t i = 0; i < n; i++) {
		a->seqs[i] = a->records[i].seq;
		sums.status[a->records[i].status]++;
	}
	sums.length = a->records[n - 1].end;
	sums.stats = *a->config.stats;
	if (!journal_put(a->config.journal, &sums, a->seqs, n)) {
		log_error("cannot write the run's journal: %s", strerror(errno));
		return false;
	}
	a->sums = sums;
	a->nrecords -= n;
	memmove(a->records, a->records + n, a->nrecords * sizeof(*a->records));
	return true;
}

/* Those whose records end there, or before. */
static void send_until(struct acks *a, uint64_t through)
{
	size_t n = 0;

	while (n < a->ntags && a->tags[n].end <= through)
		a->config.send(a->config.arg, a->tags[n++].tag);
	if (n == 0)
		return; /* there may be no array yet */
	a->ntags -= n;
	memmove(a->tags, a->tags + n, a->ntags * sizeof(*a->tags));
}

static bool is_due(const struct acks *a, int64_t now_us)
{
	return a->nrecords >= ACKS_RECORDS_MAX || (a->ntags > 0 && now_us >= a->due_us);
}

/* A group: to the disk, into the journal, acknowledged. */
static enum writer_result group_end(struct acks *a, int64_t now_us)
{
	enum writer_result result = writer_flush(a->writer, true);
	uint64_t through = writer_through(a->writer);
	size_t n = records_until(a, through);

	if (result == WRITER_OK && (n > 0 || (a->ntags > 0 && a->tags[0].end <= through)))
		result = writer_sync(a->writer);
	if (result == WRITER_OK && n > 0 && !journal_records(a, n))
		result = WRITER_FAILED;
	if (result == WRITER_OK)
		send_until(a, through);
	a->due_us = now_us +
		    ACKS_GROUP_US; /* what could not be flushed (a lock) is no reason for haste */
	return a->failed = result;
}

enum writer_result acks_turn(struct acks *a, bool all, int64_t now_us)
{
	if (a->failed != WRITER_OK || !acks_owes(a))
		return a->failed;
	if (a->writer == NULL || a->spooled) {
		send_until(a, UINT64_MAX);
		a->nrecords = 0;
		return WRITER_OK;
	}
	if (!a->syncs) {
		send_until(a, writer_through(a->writer));
		return WRITER_OK;
	}
	return all || is_due(a, now_us) ? group_end(a, now_us) : WRITER_OK;
}

int64_t acks_next_us(const struct acks *a)
{
	bool waits = a->failed == WRITER_OK && a->ntags > 0 && a->syncs && !a->spooled;

	return waits ? a->due_us : INT64_MAX;
}

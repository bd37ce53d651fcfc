/*
 * What a journal says, as octets: numbers of seven bits an octet, least first, and runs of tasks.
 *
 * A group's tasks come in batches that were neighbours in the list, so they are written as runs: how many are left out, and
 * how many follow. Tasks that all stand alone among a million cost two octets each; a bitmap from the first to the last of them
 * would cost more, and where they stand close the runs are a few octets for all. So there is one form.
 *
 * For that they are put in order, digit by digit from the lowest: those of a group differ in few digits, so that is two passes for
 * a million tasks. Rejected: qsort(3), which compares each a dozen times; it was a tenth of what a master does itself for
 * a record.
 */
#include "link/journal_internal.h"

#include <stdio.h>
#include <string.h>

#define MAGIC   "multisnmp run\n"
#define VERSION 1
#define DIGIT   11 /* bits */
#define DIGITS  (1u << DIGIT)

static void put_number(struct buf *out, uint64_t v)
{
	for (; v > 127; v >>= 7)
		buf_putc(out, (char)((v & 127) | 128));
	buf_putc(out, (char)v);
}

static uint64_t get_number(struct wire_in *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t octet = wire_get_u8(r);

		if (shift == 63 && octet > 1)
			break;
		v |= (uint64_t)(octet & 127) << shift;
		if (octet < 128)
			return v;
	}
	r->bad = true;
	return 0;
}

uint64_t journal_checksum(uint64_t before, const uint8_t *p, size_t len)
{
	uint64_t sum = before;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return sum ^ sum >> 32;
}

/* Counterpart: journal_head_take. */
void journal_head_pack(const struct journal_head *h, struct buf *out)
{
	size_t len = strlen(h->master);

	buf_puts(out, MAGIC);
	put_number(out, VERSION);
	put_number(out, RECORD_STATUS_COUNT);
	put_number(out, STATS_COUNT);
	put_number(out, h->run);
	put_number(out, len);
	buf_put(out, h->master, len);
	put_number(out, h->what);
	put_number(out, h->tasks);
}

#define ANEW "leave --resume out to begin anew"

bool journal_head_take(struct journal_head *h, const uint8_t *p, size_t len,
		       char error[JOURNAL_ERROR_MAX])
{
	struct wire_in r = {.at = p, .end = p + len};
	const uint8_t *magic = wire_get_bytes(&r, sizeof(MAGIC) - 1), *name;
	uint64_t what, tasks, name_len;
	bool version;

	snprintf(error, JOURNAL_ERROR_MAX,
		 "--resume: what the run that died left behind cannot be "
		 "read; " ANEW);
	if (magic == NULL || memcmp(magic, MAGIC, sizeof(MAGIC) - 1) != 0)
		return false;
	version = get_number(&r) == VERSION && get_number(&r) == RECORD_STATUS_COUNT &&
		  get_number(&r) == STATS_COUNT;
	if (!version)
		snprintf(error, JOURNAL_ERROR_MAX,
			 "--resume: the run that died was of another version of multisnmp; use "
			 "that one, or " ANEW);
	h->run = get_number(&r);
	name_len = get_number(&r);
	name = name_len <= BROKER_NAME_MAX ? wire_get_bytes(&r, (size_t)name_len) : NULL;
	what = get_number(&r);
	tasks = get_number(&r);
	if (!version || r.bad || name == NULL || r.at != r.end)
		return false;
	memcpy(h->master, name, (size_t)name_len);
	h->master[name_len] = '\0';
	if (!broker_name_ok(h->master))
		return false;
	if (tasks == h->tasks && what == h->what)
		return true;
	snprintf(error, JOURNAL_ERROR_MAX,
		 "--resume: the run that died was another one: of %s; use its list and its "
		 "options, or " ANEW,
		 tasks != h->tasks ? "another number of targets"
				   : "other targets, questions or options of the output");
	return false;
}

/* --- order --------------------------------------------------------------------------------- */

static unsigned digit_of(uint64_t seq, unsigned shift)
{
	return (unsigned)(seq >> shift) & (DIGITS - 1);
}

/* By one digit; those that have the same one stay as they stood. */
static void sort_digit(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
	size_t place[DIGITS] = {0}, next = 0;

	for (size_t i = 0; i < n; i++)
		place[digit_of(from[i], shift)]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		size_t count = place[d];

		place[d] = next;
		next += count;
	}
	for (size_t i = 0; i < n; i++)
		to[place[digit_of(from[i], shift)]++] = from[i];
}

const uint64_t *journal_sort(const uint64_t *seqs, size_t n, uint64_t *room)
{
	uint64_t unlike = 0; /* bits in which they are not all the same */
	bool in_order = true;

	for (size_t i = 1; i < n; i++) {
		unlike |= seqs[i] ^ seqs[i - 1];
		in_order = in_order && seqs[i] > seqs[i - 1];
	}
	for (unsigned shift = 0; !in_order && shift < 64; shift += DIGIT) {
		uint64_t *to = seqs == room ? room + n : room;

		if (digit_of(unlike, shift) == 0)
			continue;
		sort_digit(seqs, to, n, shift);
		seqs = to;
	}
	return seqs;
}

/* --- entries ------------------------------------------------------------------------------- */

/* Counterpart: journal_entry_take. */
void journal_entry_pack(const struct journal_sums *sums, const uint64_t *seqs, size_t n,
			struct buf *out)
{
	uint64_t next = 0; /* behind the last run */

	put_number(out, sums->length);
	for (unsigned i = 0; i < RECORD_STATUS_COUNT; i++)
		put_number(out, sums->status[i]);
	for (unsigned i = 0; i < STATS_COUNT; i++)
		put_number(out, sums->stats.count[i]);
	for (size_t i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && seqs[i + run] == seqs[i] + run;)
			run++;
		put_number(out, (seqs[i] - next) << 1 | (run > 1));
		if (run > 1)
			put_number(out, run - 2);
		next = seqs[i] + run;
	}
}

static void take_sums(struct journal_sums *sums, struct wire_in *r)
{
	sums->length = get_number(r);
	for (unsigned i = 0; i < RECORD_STATUS_COUNT; i++)
		sums->status[i] = get_number(r);
	for (unsigned i = 0; i < STATS_COUNT; i++)
		sums->stats.count[i] = get_number(r);
}

/* All runs, to who wants to hear of them: NULL: nobody yet. False: there is one that cannot be. */
static bool take_runs(struct wire_in r, uint64_t tasks, const struct journal_reader *reader)
{
	uint64_t next = 0;

	while (!r.bad && r.at != r.end) {
		uint64_t gap = get_number(&r);
		uint64_t more = gap & 1 ? get_number(&r) : 0, run = gap & 1 ? more + 2 : 1;

		gap >>= 1;
		if (r.bad || more >= tasks || gap >= tasks - next || run > tasks - next - gap)
			return false;
		next += gap;
		for (; run > 0; run--, next++)
			if (reader != NULL)
				reader->taken(reader->arg, next);
	}
	return !r.bad;
}

bool journal_entry_take(const uint8_t *p, size_t len, uint64_t tasks, struct journal_sums *sums,
			const struct journal_reader *r)
{
	struct wire_in in = {.at = p, .end = p + len};
	struct journal_sums read = {0};

	take_sums(&read, &in);
	if (in.bad || read.length < sums->length || !take_runs(in, tasks, NULL))
		return false;
	take_runs(in, tasks, r);
	*sums = read;
	return true;
}

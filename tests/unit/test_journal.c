/* journal: what is on disk of a run comes back, whatever tore its end; what is not a journal of this run is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "link/journal_internal.h"

#define PATH "./.out.multisnmp.run"

static struct {
	size_t room;     /* octets that the disk still has */
	int fsync_errno; /* 0: works */
	unsigned fsyncs;
} disk;

static ssize_t disk_write(int fd, const void *p, size_t len)
{
	size_t n = len < disk.room ? len : disk.room;

	disk.room -= n;
	errno = ENOSPC;
	return n > 0 ? write(fd, p, n) : -1;
}

static int disk_fsync(int fd)
{
	disk.fsyncs++;
	errno = disk.fsync_errno;
	return disk.fsync_errno ? -1 : fsync(fd);
}

static const struct journal_system system_in_hand = {disk_write, disk_fsync};

static int setup(void **state)
{
	char folder[] = "/tmp/test-journal-XXXXXX";

	disk.room = SIZE_MAX;
	disk.fsync_errno = 0;
	disk.fsyncs = 0;
	if (!mkdtemp(folder))
		return -1;
	*state = strdup(folder);
	return chdir(folder);
}

static int teardown(void **state)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "chmod -R u+rwx '%s' && rm -rf '%s'", (char *)*state,
		 (char *)*state);
	free(*state);
	return chdir("/") || system(command);
}

static const struct journal_head head = {
	.run = UINT64_C(0xfedcba9876543210), .master = "m-1", .what = 42, .tasks = 1000};

static struct journal *make(void)
{
	char error[JOURNAL_ERROR_MAX];
	struct journal *j = journal_new_with(PATH, &head, &system_in_hand, error);

	if (j == NULL)
		fail_msg("%s", error);
	return j;
}

/* What came back. */
static struct {
	uint8_t times[1000];
	unsigned count;
} heard;

static void taken(void *arg, uint64_t seq)
{
	assert_ptr_equal(arg, &heard);
	assert_true(seq < 1000);
	heard.times[seq]++;
	heard.count++;
}

static const struct journal_reader reader = {taken, &heard};

static struct journal *resume(struct journal_sums *sums)
{
	struct journal_head h = {.what = head.what, .tasks = head.tasks};
	char error[JOURNAL_ERROR_MAX];
	struct journal *j;

	memset(&heard, 0, sizeof(heard));
	j = journal_resume(PATH, &h, sums, &reader, error);
	if (j == NULL)
		fail_msg("%s", error);
	assert_true(h.run == head.run);
	assert_string_equal(h.master, "m-1");
	return j;
}

static void check_refused(struct journal_head h, const char *words)
{
	struct journal_sums sums;
	char error[JOURNAL_ERROR_MAX];

	memset(&heard, 0, sizeof(heard));
	assert_null(journal_resume(PATH, &h, &sums, &reader, error));
	assert_int_equal(heard.count, 0);
	if (!strstr(error, words) || !strstr(error, "leave --resume out"))
		fail_msg("'%s' is not in '%s'", words, error);
}

static struct journal_sums sums_of(uint64_t length)
{
	struct journal_sums s = {.length = length};

	for (unsigned i = 0; i < RECORD_STATUS_COUNT; i++)
		s.status[i] = length + i;
	for (unsigned i = 0; i < STATS_COUNT; i++)
		s.stats.count[i] = length * 1000 + i;
	return s;
}

static size_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(PATH, &st), 0);
	return (size_t)st.st_size;
}

static size_t file_read(uint8_t *octets, size_t max)
{
	FILE *f = fopen(PATH, "r");
	size_t len;

	assert_non_null(f);
	len = fread(octets, 1, max, f);
	fclose(f);
	return len;
}

static void file_write(const uint8_t *octets, size_t len)
{
	FILE *f = fopen(PATH, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* --- what is put comes back ---------------------------------------------------------------- */

static void test_comes_back(void **state)
{
	static const uint64_t first[] = {7, 3, 4, 5, 999, 0}, second[] = {1, 2, 500};
	struct journal_sums sums = sums_of(100), back;
	struct journal *j = make();

	(void)state;
	assert_int_equal(disk.fsyncs, 2); /* itself, and its name */
	assert_true(journal_put(j, &sums, first, 6));
	assert_int_equal(disk.fsyncs, 3);
	sums = sums_of(250);
	assert_true(journal_put(j, &sums, second, 3));
	assert_true(journal_put(j, &sums, NULL, 0)); /* what came of all, and nobody new */
	assert_int_equal(journal_size(j), file_size());
	journal_free(j);
	j = resume(&back);
	assert_memory_equal(&back, &sums, sizeof(sums));
	assert_int_equal(heard.count, 9);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(heard.times[first[i]], 1);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(heard.times[second[i]], 1);
	journal_end(j);
	assert_int_equal(access(PATH, F_OK), -1);
}

static void test_nothing_was_put(void **state)
{
	static const struct journal_sums none;
	struct journal_sums back;

	(void)state;
	journal_free(make());
	journal_free(resume(&back));
	assert_memory_equal(&back, &none, sizeof(none));
	assert_int_equal(heard.count, 0);
}

/* Whatever a group is: runs, single ones, both, in any order. */
static void test_any_groups(void **state)
{
	(void)state;
	srand(1);
	for (int turn = 0; turn < 200; turn++) {
		uint64_t seqs[1000];
		uint8_t wanted[1000] = {0};
		struct journal_sums sums = sums_of(1), back;
		struct journal *j = make();
		unsigned all = 0, share = (unsigned)rand() % 100;

		for (int group = 0; group < 3; group++) {
			size_t n = 0;

			for (uint64_t i = 0; i < 1000; i++)
				if (!wanted[i] && (unsigned)rand() % 100 < share)
					wanted[seqs[n++] = i] = 1;
			for (size_t i = n; i > 1; i--) {
				size_t other = (size_t)rand() % i;
				uint64_t kept = seqs[i - 1];

				seqs[i - 1] = seqs[other];
				seqs[other] = kept;
			}
			all += (unsigned)n;
			assert_true(journal_put(j, &sums, seqs, n));
		}
		journal_free(j);
		journal_free(resume(&back));
		assert_int_equal(heard.count, all);
		assert_memory_equal(heard.times, wanted, sizeof(wanted));
	}
}

/* --- what tore its end --------------------------------------------------------------------- */

/* Entries of 10, 20 and 30; `ends`: of the head and of each. Returns how many octets they have together. */
static size_t put_three(size_t ends[4], uint8_t *octets, size_t room)
{
	static const uint64_t seqs[] = {10, 20, 30};
	struct journal *j = make();

	ends[0] = file_size();
	for (uint64_t i = 0; i < 3; i++) {
		struct journal_sums sums = sums_of(100 * (i + 1));

		assert_true(journal_put(j, &sums, &seqs[i], 1));
		ends[i + 1] = file_size();
	}
	journal_free(j);
	return file_read(octets, room);
}

/* Three entries, cut at every octet: as many come back as are whole, and the next one is put behind them. */
static void test_torn_at_every_octet(void **state)
{
	size_t ends[4], len, whole;
	uint8_t octets[4096];
	struct journal_sums back, sums;
	struct journal *j;

	(void)state;
	len = put_three(ends, octets, sizeof(octets));
	for (size_t cut = 0; cut <= len; cut++) {
		file_write(octets, cut);
		if (cut < ends[0]) {
			check_refused(head, "cannot be read");
			continue;
		}
		for (whole = 3; ends[whole] > cut;)
			whole--;
		j = resume(&back);
		assert_int_equal(heard.count, whole);
		assert_int_equal(back.length, 100 * whole);
		assert_int_equal(journal_size(j), ends[whole]);
		assert_int_equal(file_size(), ends[whole]);
		sums = sums_of(1000);
		assert_true(journal_put(j, &sums, (uint64_t[]){40, 41}, 2));
		journal_free(j);
		journal_free(resume(&back));
		assert_int_equal(heard.count, whole + 2);
		assert_int_equal(back.length, 1000);
	}
}

/* An octet that is another one: what stood before it comes back, what stands behind it does not. */
static void test_each_octet_counts(void **state)
{
	size_t ends[4], len;
	uint8_t octets[4096];
	struct journal_sums back;

	(void)state;
	len = put_three(ends, octets, sizeof(octets));
	for (size_t at = 0; at < len; at++) {
		size_t whole = 0;

		octets[at] ^= 0x10;
		file_write(octets, len);
		octets[at] ^= 0x10;
		if (at < ends[0]) {
			check_refused(head, "cannot be read");
			continue;
		}
		while (whole < 3 && ends[whole + 1] <= at)
			whole++;
		journal_free(resume(&back));
		assert_int_equal(heard.count, whole);
		assert_int_equal(back.length, 100 * whole);
	}
}

/* The end of an older, longer journal behind a new one is no entry of it. */
static void test_old_entries_behind(void **state)
{
	uint8_t octets[8192];
	size_t len, second;
	struct journal_sums sums = sums_of(10), back;
	struct journal *j = make();

	(void)state;
	assert_true(journal_put(j, &sums, (uint64_t[]){1}, 1));
	second = file_size();
	sums = sums_of(20);
	assert_true(journal_put(j, &sums, (uint64_t[]){2}, 1));
	journal_free(j);
	len = file_read(octets, sizeof(octets));
	j = make();
	sums = sums_of(10);
	assert_true(journal_put(j, &sums, (uint64_t[]){9}, 1));
	journal_free(j);
	assert_int_equal(file_size(), second); /* so that the old one's next entry would fit */
	assert_int_equal(file_read(octets, second), second);
	file_write(octets, len);
	journal_free(resume(&back));
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.times[9], 1);
	assert_int_equal(back.length, 10);
}

/* An entry whose checksum is right says what cannot be: nobody is told of a part of it. */
static void check_entry(const struct buf *b, bool good)
{
	struct journal_sums sums = {.length = 50};

	memset(&heard, 0, sizeof(heard));
	assert_int_equal(journal_entry_take(b->data, b->len, 1000, &sums, &reader), good);
	if (!good) {
		assert_int_equal(heard.count, 0);
		assert_int_equal(sums.length, 50);
	}
}

static void test_entries_that_cannot_be(void **state)
{
	static const uint64_t beyond[] = {0, 1, 2, 1000}, last[] = {0, 1, 2, 999},
			      over[] = {997, 998, 999, 1000}, least[] = {0};
	static const struct {
		const uint64_t *seqs;
		size_t n;
		uint64_t length;
		bool good;
	} all[] = {{last, 4, 60, true},    {last, 4, 50, true},  {last, 4, 49, false},
		   {beyond, 4, 60, false}, {over, 4, 60, false}, {least, 0, 60, true}};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct journal_sums sums = sums_of(all[i].length);

		b.len = 0;
		journal_entry_pack(&sums, all[i].seqs, all[i].n, &b);
		check_entry(&b, all[i].good);
	}
	for (int turn = 0; turn < 200000; turn++) { /* no octets whatever do harm */
		struct journal_sums sums = sums_of(60);

		b.len = 0;
		journal_entry_pack(&sums, last, 4, &b);
		for (int i = 0; i < 3; i++)
			b.data[(size_t)rand() % b.len] = (uint8_t)rand();
		if (turn % 2)
			b.len = (size_t)rand() % (b.len + 1);
		sums = (struct journal_sums){.length = 50};
		memset(&heard, 0, sizeof(heard));
		if (!journal_entry_take(b.data, b.len, 1000, &sums, &reader))
			assert_int_equal(heard.count, 0);
		assert_true(heard.count <= 1000);
	}
	for (size_t i = 0; i < 3;
	     i++) { /* numbers of 2^64 and more; a run that is longer than there are numbers */
		static const char *const runs[] = {
			"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
			"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
			"\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		};
		struct journal_sums sums = sums_of(60);

		b.len = 0;
		journal_entry_pack(&sums, least, 0, &b);
		check_entry(&b, true);
		buf_puts(&b, runs[i]);
		check_entry(&b, false);
	}
	buf_free(&b);
}

/* A length that no entry has is not believed, whatever the file's size. */
static void test_forged_length(void **state)
{
	static const uint32_t lengths[] = {UINT32_MAX, JOURNAL_ENTRY_MAX + 1, 1 << 30};
	struct journal_sums back;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t frame[JOURNAL_FRAME] = {0};
		struct wire_out w = {.at = frame, .end = frame + sizeof(frame)};
		FILE *f;

		journal_free(make());
		wire_put_u32(&w, lengths[i]);
		wire_put_u64(&w, 0);
		f = fopen(PATH, "a");
		assert_int_equal(fwrite(frame, 1, sizeof(frame), f), sizeof(frame));
		fclose(f);
		assert_int_equal(truncate(PATH, (off_t)1 << 33), 0); /* there would be so much */
		journal_free(resume(&back));
		assert_true(file_size() < 1000);
	}
}

/* --- another run's ------------------------------------------------------------------------- */

static void test_refused(void **state)
{
	struct journal_head h = head;
	uint8_t octets[4096];
	struct buf b = {0};
	struct journal_sums sums = sums_of(10);
	struct journal *j = make();
	size_t len;

	(void)state;
	assert_true(journal_put(j, &sums, (uint64_t[]){1}, 1));
	journal_free(j);
	h.tasks = 1001;
	check_refused(h, "another number of targets");
	h = head;
	h.what++;
	check_refused(h, "other targets, questions or options");
	len = file_read(octets, sizeof(octets));
	journal_head_pack(&head, &b);
	for (size_t at = 14; at < 17; at++) { /* its version, its statuses, its counters */
		char error[JOURNAL_ERROR_MAX];

		h = head;
		b.data[at]++;
		assert_false(journal_head_take(&h, b.data, b.len, error));
		assert_non_null(strstr(error, "another version"));
		b.data[at]--;
	}
	b.len = 0;
	h = head;
	strcpy(h.master, "../m");
	journal_head_pack(&h, &b);
	assert_false(journal_head_take(&h, b.data, b.len, (char[JOURNAL_ERROR_MAX]){0}));
	b.len = 0;
	journal_head_pack(&head, &b);
	for (size_t cut = 0; cut < b.len; cut++) {
		char error[JOURNAL_ERROR_MAX];

		h = head;
		assert_false(journal_head_take(&h, b.data, cut, error));
	}
	buf_free(&b);
	file_write(octets, len);
	journal_free(resume(&sums)); /* nobody who was refused has changed it */
	assert_int_equal(heard.count, 1);
}

static void test_no_journal(void **state)
{
	(void)state;
	check_refused(head, "No such file");
	assert_int_equal(mkdir(PATH, 0700), 0);
	check_refused(head, "cannot read");
	assert_int_equal(rmdir(PATH), 0);
	file_write((const uint8_t *)"whatever stands here is none\n", 29);
	check_refused(head, "cannot be read");
	assert_int_equal(rename(PATH, "other"), 0);
	assert_int_equal(symlink("other", PATH), 0);
	check_refused(head, "cannot read");
	assert_int_equal(unlink(PATH), 0);
	assert_int_equal(link("other", PATH), 0); /* somebody else has a name for it */
	check_refused(head, "cannot read");
}

/* What lies there goes, and is not written through. */
static void test_planted(void **state)
{
	struct journal_sums back;

	(void)state;
	file_write((const uint8_t *)"precious", 8);
	assert_int_equal(rename(PATH, "other"), 0);
	assert_int_equal(symlink("other", PATH), 0);
	journal_free(make());
	journal_free(resume(&back));
	assert_int_equal(rename("other", PATH), 0);
	assert_int_equal(file_size(), 8);
}

/* --- disks --------------------------------------------------------------------------------- */

static void check_not_made(const char *path, const char *words)
{
	char error[JOURNAL_ERROR_MAX];

	assert_null(journal_new_with(path, &head, &system_in_hand, error));
	if (!strstr(error, words))
		fail_msg("'%s' is not in '%s'", words, error);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_cannot_be_made(void **state)
{
	(void)state;
	check_not_made("./not/there", "No such file");
	if (geteuid() != 0) {
		assert_int_equal(mkdir("closed", 0500), 0);
		check_not_made("./closed/journal", "Permission denied");
	}
	disk.room = 5;
	check_not_made(PATH, "No space left");
	disk.room = SIZE_MAX;
	disk.fsync_errno = EIO;
	check_not_made(PATH, "Input/output error");
}

/* At whatever octet: what was put before is there, nothing else is, and nothing more is taken. */
static void test_full_disk(void **state)
{
	static const uint64_t seqs[] = {100, 102, 104, 106};
	bool put = false;

	(void)state;
	for (size_t room = 0; !put; room++) {
		struct journal_sums sums = sums_of(10), back;
		struct journal *j;

		disk.room = SIZE_MAX;
		j = make();
		assert_true(journal_put(j, &sums, (uint64_t[]){1, 2}, 2));
		disk.room = room;
		sums = sums_of(20);
		put = journal_put(j, &sums, seqs, 4);
		if (!put)
			assert_int_equal(errno, ENOSPC);
		disk.room = SIZE_MAX;
		if (!put) /* half of it may stand there */
			assert_false(journal_put(j, &sums, seqs, 4));
		journal_free(j);
		j = resume(&back);
		assert_int_equal(heard.count, put ? 6 : 2);
		assert_int_equal(back.length, put ? 20 : 10);
		assert_true(journal_put(j, &sums, (uint64_t[]){500}, 1));
		journal_free(j);
		journal_free(resume(&back));
		assert_int_equal(heard.count, put ? 7 : 3);
	}
}

static void test_sync_that_fails(void **state)
{
	struct journal_sums sums = sums_of(10);
	struct journal *j = make();

	(void)state;
	disk.fsync_errno = EIO;
	assert_false(journal_put(j, &sums, (uint64_t[]){1}, 1));
	assert_int_equal(errno, EIO);
	disk.fsync_errno = 0;
	assert_false(journal_put(j, &sums, (uint64_t[]){1}, 1)); /* nobody knows what is there */
	journal_free(j);
}

/* --- a million ----------------------------------------------------------------------------- */

#define MILLION UINT64_C(1000000)
#define GROUP   4096 /* 8 messages of 512 records; a group has up to 16 */

static uint64_t million_heard;

static void count(void *arg, uint64_t seq)
{
	(void)arg;
	million_heard += seq;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* step: from one task to the next, modulo a million: how far the records are apart. Returns the journal's octets. */
static uint64_t million(uint64_t step, const char *what)
{
	struct journal_head h = head, back = {.what = head.what, .tasks = MILLION};
	struct journal_sums sums = {0};
	static uint64_t seqs[GROUP];
	char error[JOURNAL_ERROR_MAX];
	struct journal_reader r = {count, NULL};
	struct journal *j;
	uint64_t size, seq = 0;
	double start = seconds(), put, read;

	h.tasks = MILLION;
	j = journal_new(PATH, &h, error);
	assert_non_null(j);
	for (uint64_t done = 0; done < MILLION;) {
		size_t n = 0;

		for (; n < GROUP && done < MILLION; done++, seq = (seq + step) % MILLION)
			seqs[n++] = seq;
		sums.length += n * 300;
		sums.status[RECORD_OK] += n;
		sums.stats.count[STATS_SENT] += n;
		assert_true(journal_put(j, &sums, seqs, n));
	}
	size = journal_size(j);
	put = seconds() - start;
	journal_free(j);
	million_heard = 0;
	start = seconds();
	j = journal_resume(PATH, &back, &sums, &r, error);
	assert_non_null(j);
	read = seconds() - start;
	assert_int_equal(million_heard, MILLION * (MILLION - 1) / 2);
	assert_int_equal(sums.status[RECORD_OK], MILLION);
	print_message("a million tasks, %s: %lu octets, put in %.3f s, read in %.3f s\n", what,
		      (unsigned long)size, put, read);
	journal_end(j);
	return size;
}

static void test_a_million(void **state)
{
	(void)state;
	assert_in_range(million(1, "as listed"), 0, 20000);
	assert_in_range(million(UINT64_C(611953), "scattered"), 0, 2200000);
}

/* More than an entry takes. */
static void test_a_large_group(void **state)
{
	enum {
		N = 3 * JOURNAL_SEQS + 1
	};
	uint64_t *seqs = malloc(N * sizeof(*seqs)), wanted = 0;
	struct journal_head h = head, back = {.what = head.what, .tasks = UINT64_C(1) << 60};
	struct journal_sums sums = sums_of(5);
	struct journal_reader r = {count, NULL};
	char error[JOURNAL_ERROR_MAX];
	struct journal *j;

	(void)state;
	h.tasks = back.tasks;
	for (uint64_t i = 0; i < N; i++)
		wanted += seqs[i] = (N - i) << 40;
	j = journal_new(PATH, &h, error);
	assert_non_null(j);
	assert_true(journal_put(j, &sums, seqs, N));
	journal_free(j);
	million_heard = 0;
	j = journal_resume(PATH, &back, &sums, &r, error);
	assert_non_null(j);
	assert_true(million_heard == wanted);
	journal_end(j);
	free(seqs);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* As qsort(3) has them: of any number of digits, some of them the same in all; where they stand is not changed. */
static void test_order(void **state)
{
	enum {
		N = 500
	};
	static uint64_t seqs[N], before[N], wanted[N], room[2 * N];
	uint64_t random = 1;

	(void)state;
	for (unsigned bits = 1; bits <= 64; bits++)
		for (unsigned low = 0; low < bits; low += 7)
			for (size_t n = 0; n < N; n = n * 2 + 1) {
				for (size_t i = 0; i < n; i++) {
					random = random * UINT64_C(6364136223846793005) + 99;
					seqs[i] = (random >> (64 - bits) | 1) >> low << low;
				}
				memcpy(before, seqs, sizeof(seqs));
				memcpy(wanted, seqs, sizeof(seqs));
				qsort(wanted, n, sizeof(*wanted), by_number);
				assert_memory_equal(journal_sort(seqs, n, room), wanted,
						    n * sizeof(*wanted));
				assert_memory_equal(seqs, before, sizeof(seqs));
			}
	for (size_t i = 0; i < N; i++) /* what is in order already stays where it is */
		seqs[i] = i * i * 1000;
	for (size_t n = 0; n <= N; n += N / 2)
		assert_ptr_equal(journal_sort(seqs, n, room), seqs);
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_order),
		RUN(test_comes_back),
		RUN(test_nothing_was_put),
		RUN(test_any_groups),
		RUN(test_torn_at_every_octet),
		RUN(test_each_octet_counts),
		RUN(test_old_entries_behind),
		RUN(test_entries_that_cannot_be),
		RUN(test_forged_length),
		RUN(test_refused),
		RUN(test_no_journal),
		RUN(test_planted),
		RUN(test_cannot_be_made),
		RUN(test_full_disk),
		RUN(test_sync_that_fails),
		RUN(test_a_million),
		RUN(test_a_large_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

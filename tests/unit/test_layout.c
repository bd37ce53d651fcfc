/* layout: as they are, with what stands around each row, sorted; whatever the cuts between pieces are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out/layout.h"
#include "out/writer.h"

#define FILE_NAME "out"

static int setup(void **state)
{
	char folder[] = "/tmp/test-layout-XXXXXX";

	assert_non_null(mkdtemp(folder));
	*state = strdup(folder);
	return setenv("TMPDIR", folder, 1) || chdir(folder);
}

static int teardown(void **state)
{
	int left;

	unlink(FILE_NAME);
	left = chdir("/") || rmdir(*state);
	free(*state);
	return left;
}

struct output {
	struct writer *writer;
	struct layout *layout;
};

static struct output open_output(const struct layout_config *config, bool append)
{
	struct writer_options o = {.path = FILE_NAME, .append = append};
	enum writer_result result;
	struct output out = {.writer = writer_open(&o, &result)};

	assert_int_equal(result, WRITER_OK);
	out.layout = layout_new(config, out.writer);
	return out;
}

static void finish(struct output *out)
{
	enum layout_state state;

	do {
		state = layout_finish(out->layout);
		assert_int_equal(writer_flush(out->writer, true), WRITER_OK);
	} while (state == LAYOUT_MORE);
	assert_int_equal(state, LAYOUT_DONE);
	assert_int_equal(writer_commit(out->writer), WRITER_OK);
	writer_free(out->writer);
	layout_free(out->layout);
}

static void check_file(const char *wanted)
{
	char got[4096] = "";
	int fd = open(FILE_NAME, O_RDONLY);
	ssize_t n = read(fd, got, sizeof(got) - 1);

	close(fd);
	assert_int_equal(n, strlen(wanted));
	assert_string_equal(got, wanted);
}

static const struct record whose = {.host = "h"};

/* A record whose octets come in pieces of `piece`, the last of them as its end. */
static void put_record(struct output *out, uint64_t seq, const char *front, const char *octets,
		       size_t piece)
{
	size_t len = strlen(octets);

	assert_true(layout_begin(out->layout, seq, &whose, front, strlen(front)));
	for (; len > piece; len -= piece, octets += piece)
		assert_true(layout_part(out->layout, octets, piece));
	assert_true(layout_end(out->layout, octets, len));
}

static void test_as_they_are(void **state)
{
	static const struct layout_config config = {.head = NULL};

	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		struct output out = open_output(&config, false);

		put_record(&out, 0, "", "a\n", piece);
		put_record(&out, 1, "front ", "rows\1 rest\n", piece);
		finish(&out);
		check_file("a\nfront rows\1 rest\n");
	}
}

/* A record without rows, without a front, with an empty piece before and behind. */
static void test_around(void **state)
{
	static const struct layout_config config = {.head = "head\n", .around = true};

	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		struct output out = open_output(&config, false);

		put_record(&out, 0, "", "whole\n", piece);
		put_record(&out, 1, "<\1>\n", "\1row 1\1row 2\1", piece);
		put_record(&out, 2, "\1;\n", "\1a\1b", piece);
		put_record(&out, 3, "[\1", "", piece);
		put_record(&out, 4, "", "whole, too\n", piece);
		finish(&out);
		check_file("head\nwhole\n<row 1>\n<row 2>\n<>\na;\nb;\nwhole, too\n");
	}
}

/* What stands between the pieces of a row, too, and what only fills up a mark. */
static void test_between(void **state)
{
	static const struct layout_config config = {.around = true, .filled = true};

	(void)state;
	for (size_t piece = 1; piece < 20; piece++) {
		struct output out = open_output(&config, false);

		put_record(&out, 0, "<\1|\1>\n", "\1\2\2\2a\1\2b\1\2\2\1\1c\1d\1", piece);
		put_record(&out, 1, "<\1|\1>\n", "\1e", piece); /* a liar's: no piece is left out */
		put_record(&out, 2, "<\1>\n", "\1\2\2f\2\1\2", piece);
		put_record(&out, 3, "", "whole\n", piece);
		finish(&out);
		check_file("<a|b>\n<|>\n<c|d>\n<|>\n<e|>\n<f\2>\n<>\nwhole\n");
	}
}

/* More pieces than any format has: the last takes them as they are. */
static void test_too_many_marks(void **state)
{
	static const struct layout_config config = {.around = true};
	struct output out = open_output(&config, false);

	(void)state;
	put_record(&out, 0, "a\1b\1c\1d\1e\1f\1g\1h\1i\1j\1k\1l\1m\1n\1o\1p\1q\n", "\1", 9);
	finish(&out);
	check_file("abcdefghijklmnop\1q\n");
}

/* However long the front, a portion of nothing but marks becomes not much more than the writer buffers. */
static void test_portions(void **state)
{
	static const struct layout_config config = {.around = true};
	static char front[300000];
	struct output out = open_output(&config, false);

	(void)state;
	memset(front, 'f', sizeof(front));
	for (size_t len = 1; len <= sizeof(front); len = len * 3 + 1) {
		front[len - 1] = '\1';
		assert_true(layout_begin(out.layout, 0, &whose, front, len));
		assert_true(layout_portion(out.layout) >= 1);
		assert_true(layout_portion(out.layout) * len < 2 * WRITER_BUFFER);
		assert_true(layout_end(out.layout, NULL, 0));
		front[len - 1] = 'f';
	}
	assert_true(layout_begin(out.layout, 0, &whose, NULL, 0));
	assert_true(layout_portion(out.layout) > WRITER_BUFFER);
	assert_true(layout_end(out.layout, NULL, 0));
	finish(&out);
}

static void test_head_once_when_appended(void **state)
{
	static const struct layout_config config = {.head = "head\n", .around = true};
	struct output out;

	(void)state;
	out = open_output(&config, true);
	finish(&out);
	check_file(""); /* nobody wrote: the next one begins it */
	for (int run = 0; run < 2; run++) {
		out = open_output(&config, true);
		put_record(&out, 0, "", "a\n", 9);
		assert_int_equal(writer_flush(out.writer, true), WRITER_OK);
		put_record(&out, 1, "", "b\n", 9);
		finish(&out);
	}
	check_file("head\na\nb\na\nb\n");
	assert_int_equal(unlink(FILE_NAME), 0); /* log rotation */
	out = open_output(&config, true);
	put_record(&out, 0, "", "a\n", 9);
	assert_int_equal(writer_flush(out.writer, true), WRITER_OK);
	assert_int_equal(unlink(FILE_NAME), 0);
	put_record(&out, 1, "", "b\n", 9);
	finish(&out);
	check_file("head\nb\n");
}

/* --- in order --- */

struct entry {
	const char *host;    /* NULL: the address */
	const char *address; /* NULL: none */
	enum record_status status;
	int64_t rtt_us;
};

static void put_entry(struct output *out, uint64_t seq, const struct entry *e, const char *text,
		      size_t piece)
{
	struct record r = {.host = e->host, .status = e->status, .rtt_us = e->rtt_us};
	size_t len = strlen(text);

	if (e->address)
		assert_true(addr_parse(e->address, strlen(e->address), &r.addr));
	assert_true(layout_begin(out->layout, seq, &r, NULL, 0));
	for (; len > piece; len -= piece, text += piece)
		assert_true(layout_part(out->layout, text, piece));
	assert_true(layout_end(out->layout, text, len));
}

/* Brought from the last to the first, and each twice: those that are equal stand as they are numbered. */
static void check_order(enum layout_order by, const char *wanted)
{
	static const struct entry entries[] = {
		/* a */ {"router", "10.0.0.9", RECORD_OK, 5},
		/* b */ {NULL, "10.0.0.10", RECORD_TIMEOUT, -1},
		/* c */ {NULL, "10.0.0.9", RECORD_OK, 70000},
		/* d */ {"router2", "2001:db8::1", RECORD_ERROR, 6},
		/* e */ {"nowhere", NULL, RECORD_RESOLVE, -1},
		/* f */ {"9.0.0.255", "127.0.0.1", RECORD_OK, 4},
		/* g */ {"2001:db8::", "2001:db8::", RECORD_OK, INT64_MAX},
		/* h */ {"Router", "10.0.0.9", RECORD_OK, 0},
		/* i */ {"", "11.0.0.0", RECORD_OK, 7},
	};
	const unsigned n = sizeof(entries) / sizeof(entries[0]);
	struct layout_config config = {.head = "head\n", .order = by};
	struct output out = open_output(&config, false);
	struct buf all = {0};
	char text[3] = "?\n";

	for (unsigned i = 2 * n; i-- > 0;) {
		text[0] = (char)((i < n ? 'a' : 'A') + (int)(i % n));
		put_entry(&out, i, &entries[i % n], text, 1 + i % 2);
	}
	finish(&out);
	buf_puts(&all, "head\n");
	for (; *wanted; wanted++)
		buf_printf(&all, "%c\n%c\n", *wanted, *wanted - 'a' + 'A');
	buf_putc(&all, '\0');
	check_file((const char *)all.data);
	buf_free(&all);
}

static void test_order(void **state)
{
	(void)state;
	check_order(LAYOUT_BY_HOST, "fcbgihead");
	check_order(LAYOUT_BY_STATUS, "fcgihabde");
	check_order(LAYOUT_BY_RTT, "hfadicgbe");
}

/* Of the same address those that are equal: by number, whoever they are. */
static void test_order_of_addresses(void **state)
{
	static const struct layout_config config = {.order = LAYOUT_BY_ADDRESS};
	static const char *const addresses[] = {"10.0.0.10", NULL, "10.0.0.9", "::1", "10.0.0.9"};
	struct output out = open_output(&config, false);
	char text[3] = "?\n";

	(void)state;
	for (unsigned i = 5; i-- > 0;) {
		struct entry e = {"h", addresses[i], RECORD_OK, -1};

		text[0] = (char)('0' + i);
		put_entry(&out, i, &e, text, 9);
	}
	finish(&out);
	check_file("2\n4\n0\n3\n1\n");
}

/* Records of several items, with something around their rows, and records without octets. */
static void test_order_of_large(void **state)
{
	static const struct layout_config config = {.around = true, .order = LAYOUT_BY_HOST};
	struct output out = open_output(&config, false);
	const size_t len = 65536 * 3;
	char *octets = malloc(len + 1);
	struct stat st;
	int fd;

	(void)state;
	memset(octets, 'x', len);
	octets[len] = '\0';
	octets[0] = octets[len / 2] = '\1';
	for (unsigned i = 4; i-- > 0;) {
		char host[2] = {(char)('a' + i), '\0'}, front[] = "<?\1>\n";
		struct record r = {.host = host};

		front[1] = host[0];
		assert_true(layout_begin(out.layout, i, &r, front, i == 2 ? 0 : 5));
		assert_true(layout_part(out.layout, octets, i == 2 ? 0 : len / 3));
		assert_true(layout_end(out.layout, octets + len / 3, i == 2 ? 0 : len - len / 3));
	}
	finish(&out);
	assert_int_equal(stat(FILE_NAME, &st), 0);
	assert_int_equal(st.st_size, 3 * (len - 2 + 8));
	fd = open(FILE_NAME, O_RDONLY);
	for (unsigned i = 0; i < 6; i++) {
		char row[5] = "", wanted[5] = "<?xx";

		wanted[1] = "abd"[i / 2];
		assert_int_equal(pread(fd, row, 4, (off_t)((len / 2 - 1 + 4) * i)), 4);
		assert_string_equal(row, wanted);
	}
	close(fd);
	free(octets);
}

/* Whether another process would have to wait for the file. */
static bool is_locked(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(FILE_NAME, O_RDWR);

		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* A file that others add to is ours until a record is whole, also where that takes several turns; and a record
 * ends, too, where it fills its last item. */
static void test_order_when_appended(void **state)
{
	static const struct layout_config config = {.order = LAYOUT_BY_HOST};
	const size_t sizes[] = {65536, 6000000, 131072};
	struct output out = open_output(&config, true);
	char *octets = malloc(6000000);
	struct stat st;

	(void)state;
	memset(octets, 'x', 6000000);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(layout_begin(out.layout, i, &whose, NULL, 0));
		assert_true(layout_end(out.layout, octets, sizes[i]));
	}
	assert_int_equal(layout_finish(out.layout), LAYOUT_MORE);
	assert_int_equal(writer_flush(out.writer, true), WRITER_OK);
	assert_true(is_locked()); /* in the middle of the second one */
	finish(&out);
	assert_int_equal(stat(FILE_NAME, &st), 0);
	assert_int_equal(st.st_size, 65536 + 6000000 + 131072);
	free(octets);
}

/* --- sorted ------------------------------------------------------------------------------- */

static int begun, ended;
static uint64_t number; /* of the target */
static size_t longest;

static void *begin(void)
{
	begun++;
	return &begun;
}

static void target(void *state, uint64_t seq, const struct record *r)
{
	assert_ptr_equal(state, &begun);
	assert_ptr_equal(r, &whose);
	number = seq;
}

static bool put(void *state, struct spool_sort *sort, const void *line, size_t len)
{
	struct spool_item item = {line, len, (const uint8_t *)"01234567" + number, 1};

	assert_ptr_equal(state, &begun);
	longest = len > longest ? len : longest;
	return spool_sort_put(sort, &item);
}

static void item(void *state, struct buf *out, const struct spool_item *i)
{
	assert_ptr_equal(state, &begun);
	buf_put(out, i->key, i->key_len);
	buf_put(out, i->p, i->len);
	buf_putc(out, '\n');
}

static void end(void *state)
{
	assert_ptr_equal(state, &begun);
	ended++;
}

static const struct layout_sorted sorted = {begin, target, put, item, end};
static const struct layout_config sorted_config = {.sorted = &sorted};

static void test_sorted(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		struct output out = open_output(&sorted_config, false);

		put_record(&out, 2, "", "c\nbb\n", piece);
		put_record(&out, 1, "", "no end", piece);
		put_record(&out, 3, "d\n", "a\n\nb\n", piece);
		assert_false(writer_pending(out.writer));
		finish(&out);
		check_file("3\na3\nb3\nbb2\nc2\nd3\n");
	}
	assert_int_equal(begun, 11);
	assert_int_equal(ended, 11);
}

/* What a worker sends without a line's end is not held for ever. */
static void test_line_too_long(void **state)
{
	static uint8_t octets[100000];
	struct output out = open_output(&sorted_config, false);

	(void)state;
	memset(octets, 'x', sizeof(octets));
	longest = 0;
	assert_true(layout_begin(out.layout, 5, &whose, NULL, 0));
	for (int i = 0; i < 50; i++)
		assert_true(layout_part(out.layout, octets, sizeof(octets)));
	assert_true(layout_part(out.layout, "\nnext\n", 6));
	assert_true(layout_end(out.layout, NULL, 0));
	finish(&out);
	assert_int_equal(longest, 4);
	check_file("next5\n");
}

/* More than the writer buffers is given to it piece by piece. */
static void test_finish_heeds_the_writer(void **state)
{
	struct output out = open_output(&sorted_config, false);
	char line[1000];

	(void)state;
	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	assert_true(layout_begin(out.layout, 0, &whose, NULL, 0));
	for (int i = 0; i < 3000; i++)
		assert_true(layout_part(out.layout, line, sizeof(line)));
	assert_true(layout_end(out.layout, NULL, 0));
	assert_int_equal(layout_finish(out.layout), LAYOUT_MORE);
	assert_true(writer_full(out.writer));
	assert_int_equal(layout_finish(out.layout), LAYOUT_MORE);
	finish(&out);
}

static void item_left_out(void *state, struct buf *out, const struct spool_item *i)
{
	(void)state;
	(void)out;
	(void)i;
}

/* Items of which nothing is written do not hold up the master either. */
static void test_finish_in_turns(void **state)
{
	static const struct layout_sorted nothing = {begin, target, put, item_left_out, end};
	static const struct layout_config config = {.sorted = &nothing};
	struct output out = open_output(&config, false);
	static char line[100000];

	(void)state;
	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	assert_true(layout_begin(out.layout, 0, &whose, NULL, 0));
	for (int i = 0; i < 100; i++)
		assert_true(layout_part(out.layout, line, sizeof(line)));
	assert_true(layout_end(out.layout, NULL, 0));
	assert_int_equal(layout_finish(out.layout), LAYOUT_MORE);
	assert_false(writer_full(out.writer));
	finish(&out);
}

static void test_no_room(void **state)
{
	struct output out = open_output(&sorted_config, false);
	char line[100000];
	bool had_room = true;

	(void)state;
	setenv("TMPDIR", "/nowhere/at/all", 1);
	memset(line, 'z', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	assert_true(layout_begin(out.layout, 0, &whose, NULL, 0));
	for (int i = 0; i < 100 && had_room; i++)
		had_room = layout_part(out.layout, line, sizeof(line));
	assert_false(had_room);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(layout_finish(out.layout), LAYOUT_FAILED);
	writer_abort(out.writer);
	writer_free(out.writer);
	layout_free(out.layout);
}

/* --- frames ------------------------------------------------------------------------------- */

static void put_piece(void *arg, const struct layout_piece *p, struct writer *w)
{
	struct buf *out = arg;

	out->len = 0;
	buf_printf(out, "%u+%u ", (unsigned)p->seq, (unsigned)p->before);
	if (p->head)
		buf_printf(out, "%s %u %.*s|",
			   record_status_name((enum record_status)p->head->status),
			   (unsigned)p->head->tries, (int)p->front_len, (const char *)p->front);
	buf_put(out, p->octets, p->len);
	buf_putc(out, '\n');
	writer_put(w, out->data, out->len);
}

static void put_count(void *arg, const struct stats *delta, struct writer *w)
{
	struct buf *out = arg;

	out->len = 0;
	buf_printf(out, "%u sent\n", (unsigned)delta->count[STATS_SENT]);
	writer_put(w, out->data, out->len);
}

static int64_t put_turn(void *arg, int64_t now_us, struct writer *w)
{
	(void)arg;
	writer_put(w, "turn\n", 5);
	return now_us + 7;
}

static struct buf frame;
static const struct layout_frames frames = {
	.arg = &frame, .piece = 4, .put = put_piece, .count = put_count, .turn = put_turn};
static const struct layout_config framed = {.head = "none", .around = true, .frames = &frames};

/* However it was cut before, a record is in pieces of 4, and only the last has its head. */
static void test_frames(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		struct output out = open_output(&framed, false);

		put_record(&out, 7, "<\1>", "abcdefghij", piece);
		layout_count(out.layout, &(struct stats){.count[STATS_SENT] = 5});
		put_record(&out, 7, "", "k", piece); /* the same number again */
		put_record(&out, 8, "", "", piece);
		put_record(&out, 9, "f", "lmno", piece);
		finish(&out);
		check_file("7+0 abcd\n7+4 efgh\n7+8 ok 0 <\1>|ij\n5 sent\n7+0 ok 0 |k\n"
			   "8+0 ok 0 |\n9+0 ok 0 f|lmno\n");
	}
}

/* What the worker said of it is kept until its end, though the record is gone by then. */
static void test_frames_keep_the_head(void **state)
{
	struct output out = open_output(&framed, false);
	struct record_head head = {.status = RECORD_PARTIAL, .tries = 3};
	struct record r = {.status = RECORD_PARTIAL, .tries = 3, .head = &head};
	char front[] = "f";

	(void)state;
	assert_true(layout_begin(out.layout, 1, &r, front, 1));
	head = (struct record_head){.tries = 99};
	r = (struct record){.tries = 98};
	front[0] = 'x';
	assert_true(layout_end(out.layout, "o", 1));
	finish(&out);
	check_file("1+0 partial 3 f|o\n");
}

/* A record of which all is there, if that is no more than a piece. */
static void test_frames_pass(void **state)
{
	static const struct layout_config plain;
	struct output out = open_output(&framed, false);
	struct record_head head = {.status = RECORD_PARTIAL, .tries = 3};
	struct layout_piece p = {.seq = 5,
				 .head = &head,
				 .front = (const uint8_t *)"1234",
				 .octets = (const uint8_t *)"56789",
				 .front_len = 4,
				 .len = 4};

	(void)state;
	assert_true(layout_pass(out.layout, &p));
	p.len = 5;
	assert_false(layout_pass(out.layout, &p));
	p = (struct layout_piece){.head = &head, .front = p.octets, .front_len = 5};
	assert_false(layout_pass(out.layout, &p));
	finish(&out);
	check_file("5+0 partial 3 1234|5678\n");
	out = open_output(&plain, false);
	p.front_len = 0;
	assert_false(layout_pass(out.layout, &p)); /* this one writes rows itself */
	finish(&out);
}

/* Who keeps frames is told of each turn's end, and nobody else has one. */
static void test_frames_have_turns(void **state)
{
	static const struct layout_config plain;
	struct output out = open_output(&plain, false);

	(void)state;
	assert_true(layout_turn(out.layout, 5) == INT64_MAX);
	finish(&out);
	out = open_output(&framed, false);
	put_record(&out, 1, "", "a", 1);
	assert_true(layout_turn(out.layout, 5) == 12);
	finish(&out);
	check_file("1+0 ok 0 |a\nturn\n");
}

static void test_frames_front_too_long(void **state)
{
	struct output out = open_output(&framed, false);

	(void)state;
	assert_int_equal(layout_portion(out.layout), 4);
	assert_false(layout_begin(out.layout, 1, &whose, "12345", 5));
	assert_int_equal(errno, EMSGSIZE);
	put_record(&out, 2, "1234", "", 1);
	finish(&out);
	check_file("2+0 ok 0 1234|\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_as_they_are),
		TEST(test_around),
		TEST(test_between),
		TEST(test_too_many_marks),
		TEST(test_order),
		TEST(test_order_of_addresses),
		TEST(test_order_of_large),
		TEST(test_order_when_appended),
		TEST(test_portions),
		TEST(test_head_once_when_appended),
		TEST(test_sorted),
		TEST(test_line_too_long),
		TEST(test_finish_heeds_the_writer),
		TEST(test_finish_in_turns),
		TEST(test_no_room),
		TEST(test_frames),
		TEST(test_frames_keep_the_head),
		TEST(test_frames_pass),
		TEST(test_frames_front_too_long),
		TEST(test_frames_have_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * queue: over a real socketpair, its other end a queue too or plain octets written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool/queue.h"

struct ends {
	int fd[2];
	struct queue *q[2]; /* [1] is made by the tests that want it */
};

static int set_up(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, e->fd), 0);
	e->q[0] = queue_new(e->fd[0]);
	e->q[1] = queue_new(e->fd[1]);
	*state = e;
	return 0;
}

static int tear_down(void **state)
{
	struct ends *e = *state;

	for (int i = 0; i < 2; i++) {
		queue_free(e->q[i]);
		if (e->fd[i] >= 0)
			close(e->fd[i]);
	}
	free(e);
	return 0;
}

static void hang_up(struct ends *e)
{
	close(e->fd[1]);
	e->fd[1] = -1;
}

/* Octets as a stranger would write them to the other end of q[0]. */
static void write_raw(struct ends *e, const void *p, size_t len)
{
	assert_int_equal(write(e->fd[1], p, len), len);
}

static void assert_frame(struct queue *q, uint8_t kind, const void *p, size_t len)
{
	struct queue_frame f;

	assert_true(queue_next(q, &f));
	assert_int_equal(f.kind, kind);
	assert_int_equal(f.len, len);
	if (len > 0)
		assert_memory_equal(f.data, p, len);
}

static void assert_no_frame(struct queue *q)
{
	struct queue_frame f;

	assert_false(queue_next(q, &f));
}

static void test_round_trip(void **state)
{
	struct ends *e = *state;
	struct queue_part parts[] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};

	queue_put(e->q[0], 7, "hello", 5);
	queue_put(e->q[0], 8, NULL, 0);
	queue_put_parts(e->q[0], 255, parts, 3);
	assert_int_equal(queue_backlog(e->q[0]), 3 * 5 + 5 + 5);
	assert_int_equal(queue_read(e->q[1]), QUEUE_OPEN); /* nothing goes before the flush */
	assert_no_frame(e->q[1]);
	assert_true(queue_flush(e->q[0]));
	assert_int_equal(queue_backlog(e->q[0]), 0);
	assert_int_equal(queue_read(e->q[1]), QUEUE_OPEN);
	assert_frame(e->q[1], 7, "hello", 5);
	assert_frame(e->q[1], 8, NULL, 0);
	assert_frame(e->q[1], 255, "abcde", 5);
	assert_no_frame(e->q[1]);
}

static void test_the_form_on_the_wire(void **state)
{
	struct ends *e = *state;
	uint8_t got[16];

	queue_put(e->q[0], 9, "xy", 2);
	queue_flush(e->q[0]);
	assert_int_equal(read(e->fd[1], got, sizeof(got)), 7);
	assert_memory_equal(got, "\0\0\0\3\11xy", 7);
}

static void test_octet_by_octet(void **state)
{
	struct ends *e = *state;
	static const uint8_t two[] = {0, 0, 0, 3, 1, 'a', 'b', 0, 0, 0, 1, 2};

	for (size_t i = 0; i < sizeof(two); i++) {
		if (i != 7 && i != sizeof(two))
			assert_no_frame(e->q[0]);
		write_raw(e, two + i, 1);
		assert_int_equal(queue_read(e->q[0]), QUEUE_OPEN);
		if (i == 6)
			assert_frame(e->q[0], 1, "ab", 2);
	}
	assert_frame(e->q[0], 2, NULL, 0);
}

/* Moves everything from q[0] to q[1]; frames are numbered and of `len` octets. */
static void move_numbered(struct ends *e, size_t count, size_t len)
{
	struct queue_frame f;
	size_t got = 0;

	while (got < count) {
		assert_true(queue_flush(e->q[0]));
		assert_int_equal(queue_read(e->q[1]), QUEUE_OPEN);
		while (queue_next(e->q[1], &f)) {
			assert_int_equal(f.len, len);
			assert_int_equal(f.data[0], (uint8_t)got);
			assert_int_equal(f.data[len - 1], (uint8_t)(got + 1));
			got++;
		}
	}
	assert_int_equal(queue_backlog(e->q[0]), 0);
}

static void test_largest_frames(void **state)
{
	struct ends *e = *state;
	uint8_t *big = calloc(1, QUEUE_PAYLOAD_MAX);

	for (size_t i = 0; i < 9; i++) {
		big[0] = (uint8_t)i;
		big[QUEUE_PAYLOAD_MAX - 1] = (uint8_t)(i + 1);
		queue_put(e->q[0], 3, big, QUEUE_PAYLOAD_MAX);
	}
	move_numbered(e, 9, QUEUE_PAYLOAD_MAX);
	free(big);
}

/* The reader stops: putting and flushing go on without waiting, nothing is lost or reordered. */
static void test_a_reader_that_stops(void **state)
{
	struct ends *e = *state;
	uint8_t p[700] = {0};
	size_t i;

	for (i = 0; queue_backlog(e->q[0]) < 3000000; i++) {
		p[0] = (uint8_t)i;
		p[sizeof(p) - 1] = (uint8_t)(i + 1);
		queue_put(e->q[0], 4, p, sizeof(p));
		if (i % 64 == 0)
			assert_true(queue_flush(e->q[0]));
	}
	move_numbered(e, i, sizeof(p));
}

static void test_reserve_and_fill(void **state)
{
	struct ends *e = *state;
	static char filler[100000];
	size_t place;

	queue_put(e->q[0], 1, "before", 6);
	place = queue_reserve(e->q[0], 2, 4);
	queue_put(e->q[0], 3, filler, sizeof(filler)); /* makes the buffer move */
	queue_fill(e->q[0], place, "sum!", 4);
	queue_flush(e->q[0]);
	queue_read(e->q[1]);
	assert_frame(e->q[1], 1, "before", 6);
	assert_frame(e->q[1], 2, "sum!", 4);
	assert_frame(e->q[1], 3, filler, sizeof(filler));
}

/* The kernel has taken a part, so the front has moved when the place is reserved. */
static void test_reserve_behind_a_backlog(void **state)
{
	struct ends *e = *state;
	uint8_t *big = calloc(1, QUEUE_PAYLOAD_MAX);
	struct queue_frame f = {0};
	size_t place, kept;

	for (int i = 0; i < 4; i++)
		queue_put(e->q[0], 1, big, QUEUE_PAYLOAD_MAX);
	assert_true(queue_flush(e->q[0]));
	kept = queue_backlog(e->q[0]);
	assert_in_range(kept, 1, 4 * QUEUE_FRAME_MAX);
	place = queue_reserve(e->q[0], 2, 3);
	for (int i = 0; i < 4; i++) /* the buffer is moved to its front and grows */
		queue_put(e->q[0], 1, big, QUEUE_PAYLOAD_MAX);
	queue_fill(e->q[0], place, "abc", 3);
	for (int frames = 0; frames < 9;) {
		queue_flush(e->q[0]);
		queue_read(e->q[1]);
		for (; queue_next(e->q[1], &f); frames++)
			if (frames == 4)
				assert_memory_equal(f.data, "abc", 3);
			else
				assert_int_equal(f.len, QUEUE_PAYLOAD_MAX);
	}
	free(big);
}

/* --- frames that are sent from where they lie ------------------------------------------------ */

#define LARGE_LEN 100000 /* octets */

/* Of two parts, whose octets are numbered from `first` on. */
static void send_large(struct queue *q, uint8_t kind, uint8_t first, size_t len)
{
	uint8_t *p = malloc(len);
	struct queue_part parts[] = {{p, 100}, {p + 100, len - 100}};

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(first + i * 7 + i / 251);
	queue_send_parts(q, kind, parts, 2);
	memset(p, 0xee, len); /* what is still to go was copied */
	free(p);
}

static void assert_large(struct queue *q, uint8_t kind, uint8_t first, size_t len)
{
	struct queue_frame f;

	assert_true(queue_next(q, &f));
	assert_int_equal(f.kind, kind);
	assert_int_equal(f.len, len);
	for (size_t i = 0; i < len; i++)
		if (f.data[i] != (uint8_t)(first + i * 7 + i / 251))
			fail_msg("octet %zu is wrong", i);
}

static bool has_come(struct ends *e, size_t octets)
{
	uint8_t *p = malloc(octets);
	ssize_t n = recv(e->fd[1], p, octets, MSG_PEEK | MSG_DONTWAIT);

	free(p);
	return n > 0 && (size_t)n == octets;
}

static void holds(int fd, int octets)
{
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
}

static void test_large_goes_at_once(void **state)
{
	struct ends *e = *state;

	holds(e->fd[0], 2 * LARGE_LEN); /* macOS has less */
	queue_put(e->q[0], 1, "before", 6);
	send_large(e->q[0], 2, 0, LARGE_LEN);
	assert_int_equal(queue_backlog(e->q[0]), 0);
	queue_put(e->q[0], 3, "behind", 6);
	assert_int_equal(queue_backlog(e->q[0]), 5 + 6); /* that waits as ever */
	assert_true(has_come(e, 5 + 6 + 5 + LARGE_LEN));
	assert_true(queue_flush(e->q[0]));
	queue_read(e->q[1]);
	assert_frame(e->q[1], 1, "before", 6);
	assert_large(e->q[1], 2, 0, LARGE_LEN);
	assert_frame(e->q[1], 3, "behind", 6);
}

static void test_small_waits_for_company(void **state)
{
	struct ends *e = *state;

	send_large(e->q[0], 2, 0, 1000);
	assert_int_equal(queue_backlog(e->q[0]), 5 + 1000);
	assert_false(has_come(e, 1));
	assert_true(queue_flush(e->q[0]));
	queue_read(e->q[1]);
	assert_large(e->q[1], 2, 0, 1000);
}

/* More parts than a call is made for. */
static void test_many_parts(void **state)
{
	struct ends *e = *state;
	static char p[30][1000];
	struct queue_part parts[30];

	for (size_t i = 0; i < 30; i++) {
		memset(p[i], (int)i + 1, sizeof(p[i]));
		parts[i] = (struct queue_part){p[i], sizeof(p[i])};
	}
	queue_send_parts(e->q[0], 9, parts, 30);
	assert_true(queue_flush(e->q[0]));
	queue_read(e->q[1]);
	assert_frame(e->q[1], 9, p, sizeof(p));
}

/* Takes all frames that come: a small one, large ones, a small one behind them. */
static void take_mixed(struct ends *e, size_t small, unsigned large, size_t len)
{
	static uint8_t filler[16384];
	unsigned got = 0;

	for (size_t idle = 0; got < large + 2; idle++) {
		struct queue_frame f;

		assert_true(idle < 100000);
		assert_true(queue_flush(e->q[0]));
		assert_int_equal(queue_read(e->q[1]), QUEUE_OPEN);
		for (; queue_next(e->q[1], &f); got++) {
			assert_int_equal(f.kind, got);
			assert_int_equal(f.len, got == 0 ? small : got <= large ? len : 4);
			for (size_t i = 0; i < f.len && got > 0 && got <= large; i++)
				if (f.data[i] != (uint8_t)(got + i * 7 + i / 251))
					fail_msg("octet %zu of frame %u is wrong", i, got);
			if (got == 0)
				assert_memory_equal(f.data, filler, small);
			if (got == large + 1)
				assert_memory_equal(f.data, "last", 4);
		}
	}
	assert_int_equal(queue_backlog(e->q[0]), 0);
}

/* The kernel takes a part, wherever that ends: in what waits, in a header, in a payload. */
static void test_cut_anywhere(void **state)
{
	struct ends *e = *state;
	static const uint8_t filler[16384];
	size_t taken;

	holds(e->fd[0], 4096);
	send_large(e->q[0], 0, 0, LARGE_LEN);
	taken = 5 + LARGE_LEN - queue_backlog(e->q[0]);
	assert_in_range(taken, 1, 16384 - 300); /* so that what waits can be as much */
	while (queue_backlog(e->q[0]) > 0) {
		queue_flush(e->q[0]);
		queue_read(e->q[1]);
	}
	queue_read(e->q[1]);
	assert_large(e->q[1], 0, 0, LARGE_LEN);
	for (size_t small = taken > 200 ? taken - 200 : 0; small < taken + 200; small++) {
		queue_put(e->q[0], 0, filler, small);
		send_large(e->q[0], 1, 1, 20000);
		send_large(e->q[0], 2, 2, 20000);
		queue_put(e->q[0], 3, "last", 4);
		take_mixed(e, small, 2, 20000);
	}
}

/* Larger than the kernel holds, many of them, one that is small behind them. */
static void test_large_to_a_slow_reader(void **state)
{
	struct ends *e = *state;
	size_t put = 5 + 2;

	queue_put(e->q[0], 0, "\0\0", 2);
	for (uint8_t i = 1; i <= 40; i++) {
		send_large(e->q[0], i, i, QUEUE_PAYLOAD_MAX);
		put += 5 + QUEUE_PAYLOAD_MAX;
	}
	assert_in_range(queue_backlog(e->q[0]), 1, put);
	queue_put(e->q[0], 41, "last", 4);
	take_mixed(e, 2, 40, QUEUE_PAYLOAD_MAX);
}

/* The other end goes when it has had half of a frame: no signal, and the next flush says so. */
static void test_large_to_nobody(void **state)
{
	struct ends *e = *state;
	size_t waits;

	holds(e->fd[0], 4096);
	send_large(e->q[0], 1, 0, LARGE_LEN);
	waits = queue_backlog(e->q[0]);
	assert_in_range(waits, 1, LARGE_LEN);
	hang_up(e);
	send_large(e->q[0], 2, 0, LARGE_LEN);
	assert_int_equal(queue_backlog(e->q[0]), waits + 5 + LARGE_LEN);
	assert_false(queue_flush(e->q[0]));
}

static void test_large_to_nobody_from_the_start(void **state)
{
	struct ends *e = *state;

	hang_up(e);
	send_large(e->q[0], 1, 0, LARGE_LEN);
	assert_int_equal(queue_backlog(e->q[0]), 5 + LARGE_LEN);
	assert_false(queue_flush(e->q[0]));
}

static void test_end_of_file(void **state)
{
	struct ends *e = *state;
	static const uint8_t one_and_a_half[] = {0, 0, 0, 2, 5, 'z', 0, 0, 0, 9, 6, 'c', 'u'};

	write_raw(e, one_and_a_half, sizeof(one_and_a_half));
	hang_up(e);
	assert_int_equal(queue_read(e->q[0]), QUEUE_OPEN);
	assert_int_equal(queue_read(e->q[0]), QUEUE_END);
	assert_int_equal(queue_read(e->q[0]), QUEUE_END);
	assert_frame(e->q[0], 5, "z", 1); /* what came before the end counts */
	assert_no_frame(e->q[0]);         /* what it cut off does not */
}

/* The other end died with octets of ours unread: the kernel says ECONNRESET, we say end of file. */
static void test_reset(void **state)
{
	struct ends *e = *state;

	queue_put(e->q[0], 1, "x", 1);
	queue_flush(e->q[0]);
	hang_up(e);
	assert_int_equal(queue_read(e->q[0]), QUEUE_END);
}

static void test_flush_to_nobody(void **state)
{
	struct ends *e = *state;

	hang_up(e);
	queue_put(e->q[0], 1, "x", 1);
	assert_false(queue_flush(e->q[0])); /* and no SIGPIPE */
}

static void assert_broken(struct ends *e, const uint8_t *p, size_t len)
{
	static const uint8_t good[] = {0, 0, 0, 2, 5, 'z'};

	write_raw(e, good, sizeof(good));
	write_raw(e, p, len);
	assert_int_equal(queue_read(e->q[0]), QUEUE_BROKEN); /* by this very read */
	assert_frame(e->q[0], 5, "z", 1);
	assert_no_frame(e->q[0]);
	write_raw(e, good, sizeof(good));
	assert_int_equal(queue_read(e->q[0]), QUEUE_BROKEN); /* for good */
	assert_no_frame(e->q[0]);
}

static void test_length_zero(void **state)
{
	assert_broken(*state, (const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 1, 7}, 9);
}

static void test_length_one_too_large(void **state)
{
	const uint8_t length[] = {(QUEUE_FRAME_MAX + 1) >> 24, (QUEUE_FRAME_MAX + 1) >> 16 & 255,
				  (QUEUE_FRAME_MAX + 1) >> 8 & 255, (QUEUE_FRAME_MAX + 1) & 255};

	assert_broken(*state, length, sizeof(length));
}

static void test_length_of_4_gigabytes(void **state)
{
	assert_broken(*state, (const uint8_t[]){255, 255, 255, 255}, 4);
}

/* What has gone through leaves nothing behind. */
static void test_memory_is_bounded(void **state)
{
	struct ends *e = *state;
	static uint8_t large[LARGE_LEN];
	uint8_t p[1000] = {0};
	struct queue_frame f;
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 100000; i++) { /* 100 MB in all */
		queue_put(e->q[0], 1, p, sizeof(p));
		queue_flush(e->q[0]);
		queue_read(e->q[1]);
		while (queue_next(e->q[1], &f))
			;
	}
	for (int i = 0; i < 1000; i++) { /* and as much again */
		queue_send_parts(e->q[0], 1, &(struct queue_part){large, sizeof(large)}, 1);
		while (queue_backlog(e->q[0]) > 0 || has_come(e, 1)) {
			queue_flush(e->q[0]);
			queue_read(e->q[1]);
			while (queue_next(e->q[1], &f))
				;
		}
	}
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(queue_backlog(e->q[0]), 0);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 8000); /* KiB */
}

static void test_descriptor_is_the_callers(void **state)
{
	struct ends *e = *state;
	struct queue *q = queue_new(e->fd[0]);

	assert_int_equal(queue_fd(q), e->fd[0]);
	assert_true(fcntl(e->fd[0], F_GETFL) & O_NONBLOCK);
	queue_free(q);
	assert_true(fcntl(e->fd[0], F_GETFL) >= 0);
	queue_free(NULL);
}

int main(void)
{
#define WITH_ENDS(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_ENDS(test_round_trip),
		WITH_ENDS(test_the_form_on_the_wire),
		WITH_ENDS(test_octet_by_octet),
		WITH_ENDS(test_largest_frames),
		WITH_ENDS(test_a_reader_that_stops),
		WITH_ENDS(test_reserve_and_fill),
		WITH_ENDS(test_reserve_behind_a_backlog),
		WITH_ENDS(test_large_goes_at_once),
		WITH_ENDS(test_small_waits_for_company),
		WITH_ENDS(test_many_parts),
		WITH_ENDS(test_cut_anywhere),
		WITH_ENDS(test_large_to_a_slow_reader),
		WITH_ENDS(test_large_to_nobody),
		WITH_ENDS(test_large_to_nobody_from_the_start),
		WITH_ENDS(test_end_of_file),
		WITH_ENDS(test_reset),
		WITH_ENDS(test_flush_to_nobody),
		WITH_ENDS(test_length_zero),
		WITH_ENDS(test_length_one_too_large),
		WITH_ENDS(test_length_of_4_gigabytes),
		WITH_ENDS(test_memory_is_bounded),
		WITH_ENDS(test_descriptor_is_the_callers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* amqp_write: what stands on the line is the message, in frames that the broker allows, however few octets go at a time. Against a broker:
 * tests/e2e/test_amqp.py. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "link/amqp_calls.h"

#define CHANNEL 4
#define DROP    1000 /* octets */

struct line { /* what a reader at its other end has got */
	int fd;
	pid_t reader;
	FILE *got;
};

struct frame {
	unsigned type, channel;
	const uint8_t *at;
	size_t len;
};

static uint8_t octets[LINK_BODY_MAX];

static void read_on(int fd, FILE *got, useconds_t pause_us)
{
	char some[7001];
	ssize_t n;

	while ((n = read(fd, some, pause_us > 0 ? DROP : sizeof(some))) > 0) {
		fwrite(some, 1, (size_t)n, got);
		if (pause_us > 0)
			usleep(pause_us);
	}
	fflush(got);
	_exit(n < 0);
}

/* Its writer cannot wait, and the kernel holds little. pause_us: its reader takes a drop at a time, and rests after each; 0: all. */
static struct line line_open(useconds_t pause_us)
{
	struct line l = {.got = tmpfile()};
	int pair[2], little = 4096;

	assert_non_null(l.got);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	fflush(NULL);
	l.reader = fork();
	assert_true(l.reader >= 0);
	if (l.reader == 0) {
		close(pair[0]);
		read_on(pair[1], l.got, pause_us);
	}
	close(pair[1]);
	l.fd = pair[0];
	return l;
}

static void line_close(struct line *l, struct buf *out)
{
	int status;
	char some[4096];
	size_t n;

	close(l->fd);
	assert_int_equal(waitpid(l->reader, &status, 0), l->reader);
	assert_int_equal(status, 0);
	rewind(l->got);
	while ((n = fread(some, 1, sizeof(some), l->got)) > 0)
		buf_put(out, some, n);
	fclose(l->got);
}

static struct frame frame_next(const struct buf *b, size_t *at)
{
	const uint8_t *p = b->data + *at;
	struct frame f = {.at = p + 7};

	assert_true(b->len - *at >= 8);
	f.type = p[0];
	f.channel = (unsigned)p[1] << 8 | p[2];
	f.len = (size_t)p[3] << 24 | (size_t)p[4] << 16 | (size_t)p[5] << 8 | p[6];
	assert_true(b->len - *at >= f.len + 8);
	assert_int_equal(p[7 + f.len], AMQP_FRAME_END);
	assert_int_equal(f.channel, CHANNEL);
	*at += f.len + 8;
	return f;
}

static void expect_text(amqp_bytes_t b, const char *text)
{
	assert_true(rabbit_is(b, text));
}

static void expect_front(const struct buf *b, size_t *at, size_t len)
{
	amqp_pool_t pool;
	const amqp_basic_publish_t *method;
	const amqp_basic_properties_t *properties;
	struct frame f = frame_next(b, at);
	void *decoded;

	init_amqp_pool(&pool, 4096);
	assert_int_equal(f.type, AMQP_FRAME_METHOD);
	assert_memory_equal(f.at, "\0\x3c\0\x28", 4);
	assert_true(amqp_decode_method(AMQP_BASIC_PUBLISH_METHOD, &pool,
				       (amqp_bytes_t){f.len - 4, (void *)(uintptr_t)(f.at + 4)},
				       &decoded) >= 0);
	method = decoded;
	expect_text(method->exchange, "multisnmp.results");
	expect_text(method->routing_key, "m1");
	assert_true(method->mandatory && !method->immediate);
	f = frame_next(b, at);
	assert_int_equal(f.type, AMQP_FRAME_HEADER);
	assert_memory_equal(f.at, "\0\x3c\0\0\0\0\0\0", 8);
	assert_int_equal((size_t)f.at[8] << 24 | (size_t)f.at[9] << 16 | (size_t)f.at[10] << 8 |
				 f.at[11],
			 len);
	assert_true(
		amqp_decode_properties(AMQP_BASIC_CLASS, &pool,
				       (amqp_bytes_t){f.len - 12, (void *)(uintptr_t)(f.at + 12)},
				       &decoded) >= 0);
	properties = decoded;
	expect_text(properties->app_id, "multisnmp");
	assert_int_equal(properties->delivery_mode, 2);
	empty_amqp_pool(&pool);
}

static bool publish_within(int64_t limit_us, int fd, size_t frame_max, size_t len, int *status)
{
	amqp_basic_properties_t properties = {._flags = AMQP_BASIC_APP_ID_FLAG |
							AMQP_BASIC_DELIVERY_MODE_FLAG,
					      .app_id = amqp_cstring_bytes("multisnmp"),
					      .delivery_mode = 2};
	struct rabbit_publish p = {.channel = CHANNEL,
				   .exchange = amqp_cstring_bytes("multisnmp.results"),
				   .key = amqp_cstring_bytes("m1"),
				   .properties = &properties,
				   .limit_us = limit_us,
				   .body = {len, octets}};

	return rabbit_write(fd, frame_max, &p, status);
}

static bool publish(int fd, size_t frame_max, size_t len, int *status)
{
	return publish_within(RABBIT_ANSWER_US, fd, frame_max, len, status);
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 11 + i / 253);
	return 0;
}

/* Bodies of no, one and more frames, and at their edges, one behind the other. */
static void test_frames(void **state)
{
	static const size_t maxes[] = {RABBIT_FRAME, 65536};
	struct buf got = {0};
	size_t at = 0;

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		const size_t most = maxes[m] - 8,
			     lens[] = {0, 1, 17, most - 1, most, most + 1, LINK_BODY_MAX};
		struct line l = line_open(0);

		for (size_t i = 0; i < 7; i++) {
			int status = -1;

			assert_true(publish(l.fd, maxes[m], lens[i], &status));
			assert_int_equal(status, AMQP_STATUS_OK);
		}
		line_close(&l, &got);
		for (size_t i = 0; i < 7; i++) {
			size_t done = 0;

			expect_front(&got, &at, lens[i]);
			while (done < lens[i]) {
				struct frame f = frame_next(&got, &at);

				assert_int_equal(f.type, AMQP_FRAME_BODY);
				assert_int_equal(f.len,
						 lens[i] - done < most ? lens[i] - done : most);
				assert_memory_equal(f.at, octets + done, f.len);
				done += f.len;
			}
		}
		assert_int_equal(at, got.len);
	}
	buf_free(&got);
}

/* Too many frames: nothing is written, and somebody else does it. */
static void test_small_frames(void **state)
{
	struct line l = line_open(0);
	struct buf got = {0};
	int status;

	(void)state;
	assert_false(publish(l.fd, 4096, 20000, &status));
	assert_false(publish(l.fd, 0, 1, &status));
	line_close(&l, &got);
	assert_int_equal(got.len, 0);
}

/* Nobody reads it any more. */
static void test_gone(void **state)
{
	int pair[2], status = AMQP_STATUS_OK;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	assert_true(publish(pair[0], RABBIT_FRAME, 100, &status));
	assert_int_equal(status, AMQP_STATUS_SOCKET_ERROR);
	close(pair[0]);
}

/* It is there, and takes nothing. */
static void test_stuck(void **state)
{
	int pair[2], status = AMQP_STATUS_OK;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 100 && status == AMQP_STATUS_OK; i++)
		assert_true(publish_within(50000, pair[0], RABBIT_FRAME, LINK_BODY_MAX, &status));
	assert_int_equal(status, AMQP_STATUS_TIMEOUT);
	close(pair[0]);
	close(pair[1]);
}

/* It takes a drop now and then, never long after the one before: the whole message would need two seconds at the least. */
static void test_drops(void **state)
{
	struct line l = line_open(10000);
	struct buf got = {0};
	int status = AMQP_STATUS_OK;

	(void)state;
	assert_true(publish_within(500000, l.fd, RABBIT_FRAME, LINK_BODY_MAX, &status));
	assert_int_equal(status, AMQP_STATUS_TIMEOUT);
	line_close(&l, &got);
	assert_in_range(got.len, 1, LINK_BODY_MAX - 1);
	buf_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames), cmocka_unit_test(test_small_frames),
		cmocka_unit_test(test_gone),   cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_drops),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

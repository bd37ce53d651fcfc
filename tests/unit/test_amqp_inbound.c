/* amqp_inbound: a body of one frame, of several, of many; what does not fit, and channels in turn. The rest has a broker:
 * tests/e2e/test_amqp.py. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "link/amqp_calls.h"

static struct rabbit r;
static uint8_t octets[LINK_BODY_MAX + 1];

static int setup(void **state)
{
	static const struct courier_config config = {.role = COURIER_MASTER};

	(void)state;
	memset(&r, 0, sizeof(r));
	r.config = &config;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < RABBIT_CHANNELS; i++)
		buf_free(&r.inbound[i].body);
	rabbit_tags_clear(&r.tags);
	return 0;
}

static struct rabbit_inbound *begin(amqp_channel_t channel, uint64_t tag, uint64_t len)
{
	amqp_basic_properties_t none = {0};
	amqp_frame_t f = {.frame_type = AMQP_FRAME_HEADER, .channel = channel};

	f.payload.properties.body_size = len;
	f.payload.properties.decoded = &none;
	rabbit_inbound_begin(&r.inbound[channel], INBOUND_TAKEN, tag, false);
	rabbit_inbound_header(&r.inbound[channel], &f);
	return &r.inbound[channel];
}

static bool give(amqp_channel_t channel, size_t from, size_t len)
{
	amqp_frame_t f = {.frame_type = AMQP_FRAME_BODY, .channel = channel};

	f.payload.body_fragment = (amqp_bytes_t){len, octets + from};
	return rabbit_inbound_body(&r.inbound[channel], &f);
}

/* Its body is the first len octets. */
static struct link_event expect_whole(amqp_channel_t channel, size_t len)
{
	struct link_event e;
	size_t at = 0;

	assert_true(r.inbound[channel].left == 0);
	assert_true(rabbit_inbound_whole(&r, channel, &e));
	assert_int_equal(e.kind, LINK_TAKEN);
	assert_int_equal(e.len, len);
	assert_true(e.npieces <= LINK_PIECES);
	for (size_t i = 0; i < e.npieces; i++) {
		assert_true(at + e.body[i].len <= len);
		assert_memory_equal(e.body[i].at, octets + at, e.body[i].len);
		at += e.body[i].len;
	}
	assert_int_equal(at, len);
	return e;
}

/* From where the library has it, whatever number of frames that is. */
static void test_as_it_lies(void **state)
{
	(void)state;
	for (size_t frames = 0; frames <= LINK_PIECES; frames++) {
		struct link_event e;

		begin(RABBIT_WORK, 1 + frames, frames * 1000);
		for (size_t i = 0; i < frames; i++)
			assert_true(give(RABBIT_WORK, i * 1000, 1000));
		e = expect_whole(RABBIT_WORK, frames * 1000);
		assert_int_equal(e.npieces, frames);
		for (size_t i = 0; i < frames; i++)
			assert_ptr_equal(e.body[i].at, octets + i * 1000);
	}
}

/* More than we hold: together, and the next one is as if nothing had been. */
static void test_put_together(void **state)
{
	(void)state;
	for (size_t frames = LINK_PIECES + 1; frames < 60; frames++) {
		begin(RABBIT_WORK, 2 * frames, frames * 4088);
		if (frames * 4088 > LINK_BODY_MAX)
			break;
		for (size_t i = 0; i < frames; i++)
			assert_true(give(RABBIT_WORK, i * 4088, 4088));
		assert_int_equal(expect_whole(RABBIT_WORK, frames * 4088).npieces, 1);
		begin(RABBIT_WORK, 2 * frames + 1, 10);
		assert_true(give(RABBIT_WORK, 0, 10));
		assert_ptr_equal(expect_whole(RABBIT_WORK, 10).body[0].at, octets);
	}
}

/* Frames of one come between those of the other. */
static void test_side_by_side(void **state)
{
	struct link_event e;

	(void)state;
	begin(RABBIT_WORK, 5, 3000);
	assert_true(give(RABBIT_WORK, 0, 2000));
	begin(RABBIT_CONTROL, 9, 50);
	assert_true(give(RABBIT_CONTROL, 0, 50));
	e = expect_whole(RABBIT_CONTROL, 50);
	assert_int_equal(e.from, COURIER_FROM_CONTROL);
	assert_int_equal(e.id, 0);
	assert_true(give(RABBIT_WORK, 2000, 1000));
	e = expect_whole(RABBIT_WORK, 3000);
	assert_int_equal(e.from, COURIER_FROM_RESULTS);
	assert_int_equal(e.id, 5);
}

/* More than its header says; and a body before its header. */
static void test_too_much(void **state)
{
	(void)state;
	begin(RABBIT_WORK, 1, 100);
	assert_true(give(RABBIT_WORK, 0, 99));
	assert_false(give(RABBIT_WORK, 99, 2));
	rabbit_inbound_begin(&r.inbound[RABBIT_WORK], INBOUND_TAKEN, 2, false);
	assert_false(give(RABBIT_WORK, 0, 1));
}

/* Longer than any of ours: nothing of it is kept, and nobody hears of it. */
static void test_too_long(void **state)
{
	struct rabbit_inbound *in = begin(RABBIT_CONTROL, 1, LINK_BODY_MAX + 1);
	struct link_event e;

	(void)state;
	assert_true(give(RABBIT_CONTROL, 0, LINK_BODY_MAX));
	assert_true(give(RABBIT_CONTROL, LINK_BODY_MAX, 1));
	assert_true(in->left == 0 && in->npieces == 0 && in->body.len == 0);
	assert_false(rabbit_inbound_whole(&r, RABBIT_CONTROL, &e));
}

/* The largest that is allowed, over and over. */
static void test_largest(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 20; i++) {
		begin(RABBIT_WORK, i, LINK_BODY_MAX);
		assert_true(give(RABBIT_WORK, 0, RABBIT_FRAME - 8));
		assert_true(
			give(RABBIT_WORK, RABBIT_FRAME - 8, LINK_BODY_MAX - (RABBIT_FRAME - 8)));
		assert_int_equal(expect_whole(RABBIT_WORK, LINK_BODY_MAX).npieces, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_as_it_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_put_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_side_by_side, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_much, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_largest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

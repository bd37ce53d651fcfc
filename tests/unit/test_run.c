/* run: there and back, in pieces, cut everywhere, and out of random octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "link/run.h"

static const uint8_t profiles[] = {1, 2, 3, 0, 5};

static struct run sample(void)
{
	return (struct run){
		.number = 0x1122334455667788,
		.master = "host.1-a_B",
		.format = "jsonl",
		.fields = "host,value",
		.null_ends = true,
		.unwanted = 5,
		.sessions = 7,
		.rate = 1500,
		.profiles = profiles,
		.profiles_len = sizeof(profiles),
	};
}

static void check_same(const struct run *a, const struct run *b)
{
	assert_true(a->number == b->number);
	assert_string_equal(a->master, b->master);
	assert_string_equal(a->format, b->format);
	assert_int_equal(a->fields == NULL, b->fields == NULL);
	if (a->fields)
		assert_string_equal(a->fields, b->fields);
	assert_int_equal(a->null_ends, b->null_ends);
	assert_int_equal(a->unwanted, b->unwanted);
	assert_int_equal(a->sessions, b->sessions);
	assert_int_equal(a->rate, b->rate);
	assert_int_equal(a->profiles_len, b->profiles_len);
	assert_memory_equal(a->profiles, b->profiles, a->profiles_len);
}

static void test_there_and_back(void **state)
{
	struct run r = sample(), back;
	struct buf packed = {0};
	const char *error;

	(void)state;
	run_pack(&r, &packed);
	assert_true(run_unpack(&back, packed.data, packed.len, &error));
	check_same(&r, &back);
	packed.len = 0;
	r.fields = NULL;
	r.null_ends = false;
	r.profiles_len = 0;
	run_pack(&r, &packed);
	assert_true(run_unpack(&back, packed.data, packed.len, &error));
	check_same(&r, &back);
	buf_free(&packed);
}

/* Every cut is told, each time from memory that ends there; so is what follows. */
static void test_cut(void **state)
{
	struct run r = sample(), back;
	struct buf packed = {0};
	const char *error;

	(void)state;
	run_pack(&r, &packed);
	for (size_t len = 0; len < packed.len; len++) {
		uint8_t *cut = malloc(len + 1);

		memcpy(cut, packed.data, len);
		error = NULL;
		assert_false(run_unpack(&back, cut, len, &error));
		assert_non_null(error);
		free(cut);
	}
	buf_putc(&packed, 'x');
	assert_false(run_unpack(&back, packed.data, packed.len, &error));
	buf_free(&packed);
}

/* A master's name becomes the name of a queue, and a format's a search: neither may hold what it must not. */
static void test_names(void **state)
{
	struct run r = sample(), back;
	struct buf packed = {0};
	const char *error;

	(void)state;
	run_pack(&r, &packed);
	packed.data[10] = '/'; /* the master's first */
	assert_false(run_unpack(&back, packed.data, packed.len, &error));
	packed.data[10] = 'h';
	assert_true(run_unpack(&back, packed.data, packed.len, &error));
	packed.data[9] = 0; /* a name without an octet */
	assert_false(run_unpack(&back, packed.data, packed.len, &error));
	packed.data[9] = 10;
	packed.data[10 + 10 + 2 + 2] = 0; /* the format's */
	assert_false(run_unpack(&back, packed.data, packed.len, &error));
	buf_free(&packed);
}

static void fill(struct buf *whole, size_t len)
{
	whole->len = 0;
	buf_room(whole, len);
	for (size_t i = 0; i < len; i++)
		whole->data[i] = (uint8_t)(i * 7 + (i >> 8));
	whole->len = len;
}

static bool take(struct run_pieces *p, const struct buf *piece, const uint8_t **whole, size_t *len)
{
	struct wire_in in = {piece->data, piece->data + piece->len, false};

	return run_pieces_take(p, &in, whole, len);
}

static void check_pieces(size_t size, size_t expected)
{
	struct run_pieces *p = run_pieces_new();
	struct buf whole = {0}, piece = {0};
	const uint8_t *got = NULL;
	size_t offset = 0, len = 0, count = 0;

	fill(&whole, size);
	while (run_piece_put(&whole, &offset, &piece)) {
		assert_null(got); /* the last one alone makes it whole */
		assert_true(piece.len <= 100000);
		assert_true(take(p, &piece, &got, &len));
		piece.len = 0;
		count++;
	}
	assert_int_equal(count, expected);
	assert_non_null(got);
	assert_int_equal(len, size);
	assert_memory_equal(got, whole.data, size);
	buf_free(&whole);
	buf_free(&piece);
	run_pieces_free(p);
}

static void test_pieces(void **state)
{
	(void)state;
	check_pieces(1, 1);
	check_pieces(65536, 1);
	check_pieces(65537, 2);
	check_pieces(1000000, 16);
}

/* Told again from the begin, while the first time was under way; and whole after what was broken. */
static void test_anew(void **state)
{
	struct run_pieces *p = run_pieces_new();
	struct buf whole = {0}, first = {0}, second = {0};
	const uint8_t *got;
	size_t offset = 0, len;

	(void)state;
	fill(&whole, 70000);
	run_piece_put(&whole, &offset, &first);
	run_piece_put(&whole, &offset, &second);
	assert_false(take(p, &second, &got, &len)); /* before the first */
	assert_true(take(p, &first, &got, &len));
	assert_true(take(p, &first, &got, &len));
	assert_null(got);
	assert_true(take(p, &second, &got, &len));
	assert_int_equal(len, 70000);
	assert_memory_equal(got, whole.data, len);
	assert_false(take(p, &second, &got, &len)); /* nothing is missing any more */
	assert_true(take(p, &first, &got, &len));
	assert_true(take(p, &second, &got, &len));
	assert_int_equal(len, 70000);
	buf_free(&whole);
	buf_free(&first);
	buf_free(&second);
	run_pieces_free(p);
}

static bool take_raw(struct run_pieces *p, uint32_t all, uint32_t offset, size_t octets)
{
	struct buf piece = {0};
	struct wire_out w;
	const uint8_t *got;
	size_t len;
	bool taken;

	buf_room(&piece, 8 + octets);
	memset(piece.data, 0, 8 + octets);
	w = (struct wire_out){piece.data, piece.data + 8, false};
	wire_put_u32(&w, all);
	wire_put_u32(&w, offset);
	piece.len = 8 + octets;
	taken = take(p, &piece, &got, &len);
	buf_free(&piece);
	return taken;
}

static void test_bounds(void **state)
{
	struct run_pieces *p = run_pieces_new();

	(void)state;
	assert_false(take_raw(p, 0, 0, 1));
	assert_false(take_raw(p, RUN_OCTETS_MAX + 1, 0, 1));
	assert_true(
		take_raw(p, RUN_OCTETS_MAX, 0, 1)); /* and takes no memory for what is promised */
	assert_false(take_raw(p, 10, 0, 11));       /* more than all */
	assert_false(take_raw(p, 10, 0, 0));
	assert_true(take_raw(p, 10, 0, 4));
	assert_false(take_raw(p, 11, 4, 4)); /* of another whole */
	assert_false(take_raw(p, 10, 4, 6)); /* what had come is gone */
	assert_true(take_raw(p, 10, 0, 4));
	assert_false(take_raw(p, 10, 3, 7)); /* overlaps */
	assert_true(take_raw(p, 10, 0, 4));
	assert_false(take_raw(p, 10, UINT32_MAX, 4));
	run_pieces_free(p);
}

static void test_random(void **state)
{
	struct run_pieces *p = run_pieces_new();
	struct run r = sample(), back;
	struct buf packed = {0};
	const char *error;
	unsigned seed = 4711;

	(void)state;
	run_pack(&r, &packed);
	for (unsigned i = 0; i < 200000; i++) {
		size_t len = (size_t)rand_r(&seed) % (packed.len + 1);
		uint8_t *octets = malloc(len + 1);
		struct wire_in in = {octets, octets + len, false};
		const uint8_t *got;

		memcpy(octets, packed.data, len);
		for (unsigned n = (unsigned)rand_r(&seed) % 4; n > 0 && len > 0; n--)
			octets[(size_t)rand_r(&seed) % len] = (uint8_t)rand_r(&seed);
		if (run_unpack(&back, octets, len, &error)) {
			assert_true(back.profiles_len <= len);
			assert_true(strlen(back.format) < len);
		}
		run_pieces_take(p, &in, &got, &len);
		free(octets);
	}
	buf_free(&packed);
	run_pieces_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_names),          cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_anew),           cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

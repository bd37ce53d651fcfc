/* lookup: a question and an answer survive the wire; what is out of bounds is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool/lookup.h"

static size_t pack_answer(const struct lookup_answer *a, uint8_t *out)
{
	struct wire_out w = {.at = out, .end = out + LOOKUP_ANSWER_PACKED_MAX};
	lookup_answer_pack(a, &w);
	assert_false(w.full);
	return (size_t)(w.at - out);
}

static bool unpack_answer(struct lookup_answer *a, const uint8_t *in, size_t len)
{
	struct wire_in r = {.at = in, .end = in + len};
	return lookup_answer_unpack(a, &r);
}

static void question_survives(void **state)
{
	(void)state;
	struct lookup_question q = {.ticket = 77, .family = 6}, back;
	memset(q.name, 'x', LOOKUP_NAME_MAX);
	uint8_t bytes[LOOKUP_QUESTION_PACKED_MAX];
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
	lookup_question_pack(&q, &w);
	assert_false(w.full);
	struct wire_in r = {.at = bytes, .end = w.at};
	assert_true(lookup_question_unpack(&back, &r));
	assert_int_equal(back.ticket, 77);
	assert_int_equal(back.family, 6);
	assert_string_equal(back.name, q.name);
}

static void question_out_of_bounds(void **state)
{
	(void)state;
	uint8_t bytes[512];
	struct lookup_question q;
	uint16_t lengths[] = {0, LOOKUP_NAME_MAX + 1};
	for (size_t i = 0; i < 2; i++) {
		struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
		uint8_t name[LOOKUP_NAME_MAX + 1] = {'a'};
		wire_put_u32(&w, 1);
		wire_put_u8(&w, 0);
		wire_put_str(&w, name, lengths[i]);
		struct wire_in r = {.at = bytes, .end = w.at};
		assert_false(lookup_question_unpack(&q, &r));
	}
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
	wire_put_u32(&w, 1);
	wire_put_u8(&w, 5); /* no such family */
	wire_put_str(&w, "a", 1);
	struct wire_in r = {.at = bytes, .end = w.at};
	assert_false(lookup_question_unpack(&q, &r));
}

static void answer_survives(void **state)
{
	(void)state;
	struct lookup_answer a = {.ticket = 9, .count = TASK_ADDRS_MAX}, back;
	for (unsigned i = 0; i < TASK_ADDRS_MAX; i++) {
		a.addrs[i].family = i % 2 ? 6 : 4;
		a.addrs[i].zone = i % 2 ? i : 0;
		memset(a.addrs[i].ip, (int)(i + 1), i % 2 ? 16 : 4);
	}
	uint8_t bytes[LOOKUP_ANSWER_PACKED_MAX];
	size_t len = pack_answer(&a, bytes);
	assert_true(unpack_answer(&back, bytes, len));
	assert_int_equal(back.count, TASK_ADDRS_MAX);
	for (unsigned i = 0; i < TASK_ADDRS_MAX; i++)
		assert_true(addr_equal(&a.addrs[i], &back.addrs[i]));
	for (size_t cut = 0; cut < len; cut++)
		assert_false(unpack_answer(&back, bytes, cut));
}

static void answer_out_of_bounds(void **state)
{
	(void)state;
	struct lookup_answer a = {.ticket = 9, .message = "no such name"}, back;
	uint8_t bytes[LOOKUP_ANSWER_PACKED_MAX];
	size_t len = pack_answer(&a, bytes);
	assert_true(unpack_answer(&back, bytes, len));
	assert_string_equal(back.message, "no such name");
	a.message[0] = '\0'; /* neither an address nor a reason */
	len = pack_answer(&a, bytes);
	assert_false(unpack_answer(&back, bytes, len));
}

/* A whole and consistent message of n addresses of a family that the packer would not write. */
static bool unpack_forged(uint8_t n, uint8_t family, uint16_t message_len)
{
	uint8_t bytes[1024], message[LOOKUP_MESSAGE_MAX] = {0};
	struct lookup_answer back;
	struct wire_out w = {.at = bytes, .end = bytes + sizeof(bytes)};
	wire_put_u32(&w, 1);
	wire_put_u8(&w, n);
	for (unsigned i = 0; i < n; i++) {
		wire_put_u8(&w, family);
		wire_put_bytes(&w, "0123456789abcdef", family == 4 ? 4 : 16);
	}
	wire_put_str(&w, message, message_len);
	return unpack_answer(&back, bytes, (size_t)(w.at - bytes));
}

static void forged_answers(void **state)
{
	(void)state;
	assert_true(unpack_forged(TASK_ADDRS_MAX, 4, LOOKUP_MESSAGE_MAX - 1));
	assert_false(unpack_forged(TASK_ADDRS_MAX + 1, 4, 0)); /* more than there is room for */
	assert_false(unpack_forged(1, 4, LOOKUP_MESSAGE_MAX)); /* no room for its NUL */
	assert_false(unpack_forged(1, 7, 0));                  /* no such family */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_survives), cmocka_unit_test(question_out_of_bounds),
		cmocka_unit_test(answer_survives),   cmocka_unit_test(answer_out_of_bounds),
		cmocka_unit_test(forged_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

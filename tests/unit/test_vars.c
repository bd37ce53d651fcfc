/* vars: names of types, and the list that owns its varbinds: growing, reset, given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/vars.h"

static void test_every_type_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VAR_TYPE_COUNT; i++) {
		assert_non_null(var_type_name(i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(var_type_name(i), var_type_name(j));
	}
	assert_string_equal(var_type_name(VAR_OCTETS), "OCTET STRING");
	assert_string_equal(var_type_name(VAR_NO_SUCH_INSTANCE), "noSuchInstance");
}

static const uint32_t sys_descr[] = {1, 3, 6, 1, 2, 1, 1, 1, 0};

static void assert_same_varbind(const struct varbind *a, const struct varbind *b)
{
	assert_int_equal(a->noid, b->noid);
	assert_memory_equal(a->oid, b->oid, a->noid * sizeof(*a->oid));
	assert_int_equal(a->type, b->type);
	switch (a->type) {
	case VAR_OCTETS:
	case VAR_IPADDRESS:
	case VAR_OPAQUE:
		assert_int_equal(a->value.octets.len, b->value.octets.len);
		assert_true(!memcmp(a->value.octets.p, b->value.octets.p, a->value.octets.len));
		break;
	case VAR_OID:
		assert_int_equal(a->value.oid.len, b->value.oid.len);
		assert_memory_equal(a->value.oid.id, b->value.oid.id, 4 * a->value.oid.len);
		break;
	default:
		assert_true(a->value.u == b->value.u);
	}
}

static struct varbind octets_var(const void *p, size_t len)
{
	return (struct varbind){
		.oid = sys_descr,
		.noid = 9,
		.type = VAR_OCTETS,
		.value.octets = {.p = p, .len = len},
	};
}

/* One of each type; what they point to is overwritten after adding, the list must not care. */
static void test_the_list_owns_its_values(void **state)
{
	uint32_t oid[9], value_oid[3] = {1, 3, 6};
	uint8_t octets[7] = "octets";
	struct vars vs = {0};

	(void)state;
	memcpy(oid, sys_descr, sizeof(oid));
	for (uint8_t type = 0; type < VAR_TYPE_COUNT; type++) {
		struct varbind v = {.oid = oid, .noid = 9, .type = type};

		if (type == VAR_OCTETS || type == VAR_IPADDRESS || type == VAR_OPAQUE) {
			v.value.octets.p = octets;
			v.value.octets.len = 7;
		} else if (type == VAR_OID) {
			v.value.oid.id = value_oid;
			v.value.oid.len = 3;
		} else {
			v.value.u = UINT64_C(0xfedcba9876543210) + type;
		}
		vars_add(&vs, &v);
		assert_same_varbind(&vs.list[type], &v);
	}
	memset(oid, 0, sizeof(oid));
	memset(octets, 0, sizeof(octets));
	memset(value_oid, 0, sizeof(value_oid));
	assert_int_equal(vs.count, VAR_TYPE_COUNT);
	for (size_t i = 0; i < vs.count; i++)
		assert_memory_equal(vs.list[i].oid, sys_descr, sizeof(sys_descr));
	assert_memory_equal(vs.list[VAR_OPAQUE].value.octets.p, "octets", 7);
	assert_int_equal(vs.list[VAR_OID].value.oid.id[2], 6);
	assert_true(vs.list[VAR_COUNTER64].value.u == UINT64_C(0xfedcba9876543210) + VAR_COUNTER64);
	vars_free(&vs);
	assert_null(vs.list);
	assert_null(vs.chunks);
}

/* Odd lengths in between, so that OIDs would be misaligned if nobody cared (UBSan looks). */
static void test_pointers_stay_good_while_it_grows(void **state)
{
	static uint8_t octets[65535];
	struct vars vs = {0};
	const uint8_t *first;

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < 3000; i++) {
		struct varbind v = octets_var(octets, i % 1000 == 999 ? sizeof(octets) : i % 97);

		vars_add(&vs, &v);
	}
	first = vs.list[1].value.octets.p;
	assert_int_equal(vs.count, 3000);
	for (size_t i = 0; i < 3000; i++) {
		struct varbind v = octets_var(octets, i % 1000 == 999 ? sizeof(octets) : i % 97);

		assert_same_varbind(&vs.list[i], &v);
	}
	assert_ptr_equal(first, vs.list[1].value.octets.p);
	vars_free(&vs);
}

static void test_empty_values(void **state)
{
	struct varbind v = octets_var(NULL, 0), no_oid = {.type = VAR_NULL};
	struct vars vs = {0};

	(void)state;
	vars_reset(&vs); /* of an empty one */
	vars_add(&vs, &v);
	vars_add(&vs, &no_oid);
	assert_int_equal(vs.count, 2);
	assert_int_equal(vs.list[0].value.octets.len, 0);
	assert_int_equal(vs.list[1].noid, 0);
	vars_free(&vs);
}

static void test_adding_an_element_of_itself(void **state)
{
	struct varbind v = octets_var("again", 5);
	struct vars vs = {0};

	(void)state;
	vars_add(&vs, &v);
	for (size_t i = 0; i < 100; i++)
		vars_add(&vs, &vs.list[i]); /* the list moves at each doubling */
	for (size_t i = 0; i <= 100; i++)
		assert_same_varbind(&vs.list[i], &v);
	vars_free(&vs);
}

static void test_append_copies(void **state)
{
	struct varbind a = octets_var("a", 1), b = octets_var("bb", 2);
	struct vars vs = {0}, more = {0};

	(void)state;
	vars_add(&vs, &a);
	vars_append(&vs, &more);
	assert_int_equal(vs.count, 1);
	vars_add(&more, &b);
	vars_add(&more, &a);
	vars_append(&vs, &more);
	vars_free(&more);
	assert_int_equal(vs.count, 3);
	assert_same_varbind(&vs.list[0], &a);
	assert_same_varbind(&vs.list[1], &b);
	assert_same_varbind(&vs.list[2], &a);
	vars_free(&vs);
}

/* A kept one stands beside the list, owns what it points to, and stays where it is. Strings of odd
 * lengths in between, so that it would be misaligned if nobody cared. */
static void test_keep_stands_beside_the_list(void **state)
{
	const struct varbind *kept[200];
	char text[] = "label 000";
	uint32_t oid[9];
	struct vars vs = {0};

	(void)state;
	memcpy(oid, sys_descr, sizeof(oid));
	for (size_t i = 0; i < 200; i++) {
		struct varbind v = octets_var(text, sizeof(text)), odd = octets_var("odd", i % 4);

		text[8] = (char)('0' + i % 10);
		v.oid = oid;
		v.label = &odd; /* would dangle */
		vars_add(&vs, &odd);
		kept[i] = vars_keep(&vs, &v);
		assert_int_equal((uintptr_t)kept[i] % _Alignof(struct varbind), 0);
	}
	memset(text, 0, sizeof(text));
	memset(oid, 0, sizeof(oid));
	assert_int_equal(vs.count, 200);
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(vs.list[i].value.octets.len, i % 4);
		assert_memory_equal(vs.list[i].value.octets.p, "odd", i % 4);
		assert_memory_equal(kept[i]->oid, sys_descr, sizeof(sys_descr));
		assert_int_equal(kept[i]->value.octets.len, sizeof(text));
		assert_int_equal(kept[i]->value.octets.p[8], '0' + i % 10);
		assert_null(kept[i]->label);
	}
	vars_free(&vs);
}

/* What is added only lends its label; what is appended brings it along, once for a row's cells. */
static void test_append_copies_labels(void **state)
{
	struct varbind v = octets_var("cell", 4);
	const struct varbind first = octets_var("eth0", 4), second = octets_var("eth1", 4);
	const struct varbind *labels[] = {NULL, &first, &first, &second, NULL, &first};
	struct vars vs = {0}, more = {0};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		v.label = labels[i] ? vars_keep(&more, labels[i]) : NULL;
		if (i == 2)
			v.label = more.list[1].label;
		vars_add(&more, &v);
		assert_ptr_equal(more.list[i].label, v.label);
	}
	vars_append(&vs, &more);
	vars_free(&more);
	assert_int_equal(vs.count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(vs.list[i].label == NULL, labels[i] == NULL);
		if (labels[i])
			assert_same_varbind(vs.list[i].label, labels[i]);
	}
	assert_ptr_equal(vs.list[1].label, vs.list[2].label);
	vars_free(&vs);
}

static void fill(struct vars *vs, size_t count)
{
	static const char text[] = "Linux router 6.1.0 #1 SMP x86_64, as a sysDescr may be";
	struct varbind v = octets_var(text, sizeof(text));

	for (size_t i = 0; i < count; i++)
		vars_add(vs, &v);
}

/* After two rounds of a load nothing is allocated for it any more: list and chunk are the same. */
static void test_reset_keeps_the_memory(void **state)
{
	struct vars vs = {0};
	const struct vars_chunk *chunk;
	const struct varbind *list;

	(void)state;
	fill(&vs, 50);
	vars_reset(&vs);
	assert_int_equal(vs.count, 0);
	chunk = vs.chunks;
	list = vs.list;
	assert_non_null(chunk);
	assert_non_null(list);
	for (int round = 0; round < 10; round++) {
		fill(&vs, 50);
		assert_ptr_equal(vs.chunks, chunk);
		vars_reset(&vs);
		assert_ptr_equal(vs.chunks, chunk);
		assert_ptr_equal(vs.list, list);
	}
	vars_free(&vs);
}

static void test_reset_lets_go_of_a_large_answer(void **state)
{
	struct vars vs = {0};

	(void)state;
	fill(&vs, 10000);
	vars_reset(&vs);
	assert_null(vs.chunks);
	assert_null(vs.list);
	assert_int_equal(vs.cap, 0);
	fill(&vs, 3); /* and is usable */
	assert_int_equal(vs.count, 3);
	vars_free(&vs);
}

/* One value larger than any chunk gets a chunk of its own, and a reset gives that back too. */
static void test_one_huge_value(void **state)
{
	static uint8_t octets[100001]; /* odd: what follows begins behind the chunk's end */
	struct varbind v = octets_var(octets, sizeof(octets)), small = octets_var("a", 1);
	struct vars vs = {0};

	(void)state;
	octets[sizeof(octets) - 1] = 1;
	vars_add(&vs, &v);
	vars_add(&vs, &small);
	assert_same_varbind(&vs.list[0], &v);
	assert_same_varbind(&vs.list[1], &small);
	vars_reset(&vs);
	assert_null(vs.chunks);
	vars_free(&vs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_has_a_name),
		cmocka_unit_test(test_the_list_owns_its_values),
		cmocka_unit_test(test_pointers_stay_good_while_it_grows),
		cmocka_unit_test(test_empty_values),
		cmocka_unit_test(test_adding_an_element_of_itself),
		cmocka_unit_test(test_append_copies),
		cmocka_unit_test(test_keep_stands_beside_the_list),
		cmocka_unit_test(test_append_copies_labels),
		cmocka_unit_test(test_reset_keeps_the_memory),
		cmocka_unit_test(test_reset_lets_go_of_a_large_answer),
		cmocka_unit_test(test_one_huge_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

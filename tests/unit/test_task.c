/* task: the wire form cut, lied about and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/task.h"

/* The largest task: all addresses, the longest host. */
static struct task largest(char host[TASK_HOST_MAX + 1], struct addr addrs[TASK_ADDRS_MAX])
{
	memset(host, 'h', TASK_HOST_MAX);
	host[TASK_HOST_MAX] = '\0';
	for (size_t i = 0; i < TASK_ADDRS_MAX; i++) {
		addrs[i] = (struct addr){
			.family = i % 2 ? 6 : 4,
			.port = (uint16_t)(161 + i),
			.zone = i % 2 ? (uint32_t)i << 24 : 0,
		};
		memset(addrs[i].ip, (int)i + 1, i % 2 ? 16 : 4);
	}
	return (struct task){
		.seq = UINT64_C(0x0102030405060708),
		.lease = 0xfffffffe,
		.profile = 7,
		.host = host,
		.addrs = addrs,
		.naddrs = TASK_ADDRS_MAX,
		.transport = TRANSPORT_COUNT - 1,
		.learns = true,
		.learnt = {.clocked = true,
			   .timed = true,
			   .silent = 9,
			   .address = TASK_ADDRS_MAX - 1,
			   .engine_id_len = ENGINE_ID_MAX,
			   .engine_id = {7, [ENGINE_ID_MAX - 1] = 9},
			   .boots = 3},
	};
}

static void assert_same_task(const struct task *a, const struct task *b)
{
	assert_true(a->seq == b->seq);
	assert_int_equal(a->lease, b->lease);
	assert_int_equal(a->profile, b->profile);
	assert_int_equal(a->naddrs, b->naddrs);
	for (size_t i = 0; i < a->naddrs; i++)
		assert_true(addr_equal(&a->addrs[i], &b->addrs[i]));
	if (a->host)
		assert_string_equal(a->host, b->host);
	else
		assert_null(b->host);
	assert_int_equal(a->transport, b->transport);
	if (a->path)
		assert_string_equal(a->path, b->path);
	else
		assert_null(b->path);
	assert_int_equal(a->learns, b->learns);
	assert_int_equal(a->learnt.silent, b->learnt.silent);
	assert_int_equal(a->learnt.boots, b->learnt.boots);
	assert_memory_equal(a->learnt.engine_id, b->learnt.engine_id, ENGINE_ID_MAX);
}

static void test_there_and_back(void **state)
{
	uint8_t octets[TASK_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	char host[TASK_HOST_MAX + 1];
	struct addr addrs[TASK_ADDRS_MAX];
	struct task t = largest(host, addrs), back;
	struct task_store store;
	struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};

	(void)state;
	task_pack(&t, &w);
	assert_false(w.full);
	assert_ptr_equal(w.at, w.end); /* TASK_PACKED_MAX is exact */
	assert_true(task_unpack(&back, &store, &r));
	assert_ptr_equal(r.at, r.end);
	assert_same_task(&t, &back);
}

static void test_cut_anywhere(void **state)
{
	uint8_t octets[TASK_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	char host[TASK_HOST_MAX + 1];
	struct addr addrs[TASK_ADDRS_MAX];
	struct task t = largest(host, addrs), back;
	struct task_store store;

	(void)state;
	task_pack(&t, &w);
	for (size_t have = 0; have < sizeof(octets); have++) {
		struct wire_in r = {.at = octets, .end = octets + have};

		assert_false(task_unpack(&back, &store, &r));
	}
}

static void test_no_host(void **state)
{
	uint8_t octets[TASK_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct addr a = {.family = 4, .ip = {192, 0, 2, 1}, .port = 161};
	struct task t = {.seq = 1, .addrs = &a, .naddrs = 1}, back;
	struct task_store store;
	struct wire_in r = {.at = octets};

	(void)state;
	task_pack(&t, &w);
	r.end = w.at;
	assert_true(task_unpack(&back, &store, &r));
	assert_same_task(&t, &back);
}

static void test_path_instead_of_addresses(void **state)
{
	uint8_t octets[TASK_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	char path[TASK_PATH_MAX + 1];
	struct task t = {.seq = 1, .host = "unix:...", .path = path, .transport = TRANSPORT_UNIX};
	struct task back;
	struct task_store store;
	struct wire_in r = {.at = octets};

	(void)state;
	memset(path, 'p', TASK_PATH_MAX);
	path[TASK_PATH_MAX] = '\0';
	task_pack(&t, &w);
	assert_false(w.full);
	for (r.end = octets; r.end < w.at; r.end++) {
		struct wire_in cut = r;

		assert_false(task_unpack(&back, &store, &cut));
	}
	assert_true(task_unpack(&back, &store, &r));
	assert_ptr_equal(r.at, r.end);
	assert_same_task(&t, &back);
}

/* An address that no task has; neither yes nor no. */
static void test_learnt_out_of_bounds(void **state)
{
	struct addr a = {.family = 4};
	struct task t = {.addrs = &a, .naddrs = 1, .learns = true}, back;
	struct task_store store;

	(void)state;
	for (unsigned address = 0; address < 256; address++) {
		uint8_t octets[TASK_PACKED_MAX];
		struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
		struct wire_in r = {.at = octets};

		t.learnt.address = (uint8_t)address;
		task_pack(&t, &w);
		r.end = w.at;
		assert_int_equal(task_unpack(&back, &store, &r), address < TASK_ADDRS_MAX);
	}
	t.learns = false;
	for (unsigned learns = 0; learns < 256; learns++) {
		uint8_t octets[TASK_PACKED_MAX] = {0};
		struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
		struct wire_in r = {.at = octets, .end = octets + sizeof(octets)};

		task_pack(&t, &w);
		w.at[-1] = (uint8_t)learns;
		assert_int_equal(task_unpack(&back, &store, &r), learns < 2);
	}
}

/* A host longer than a record may show is cut when packed: the sender never makes a bad message. */
static void test_host_too_long(void **state)
{
	uint8_t octets[TASK_PACKED_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct addr a = {.family = 4};
	char host[TASK_HOST_MAX + 100];
	struct task t = {.host = host, .addrs = &a, .naddrs = 1}, back;
	struct task_store store;
	struct wire_in r = {.at = octets};

	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	task_pack(&t, &w);
	assert_false(w.full);
	r.end = w.at;
	assert_true(task_unpack(&back, &store, &r));
	assert_int_equal(strlen(back.host), TASK_HOST_MAX);
}

/* Packs by hand what task_pack() never would; says whether it is taken. */
static bool taken_over(uint8_t transport, uint16_t host_len, uint8_t naddrs, uint8_t family)
{
	static uint8_t octets[70000];
	static const uint8_t zeros[UINT16_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets};
	struct task_store store;
	struct task t;

	wire_put_u64(&w, 0);
	wire_put_u32(&w, 0);
	wire_put_u32(&w, 0);
	wire_put_str(&w, zeros, host_len);
	wire_put_u8(&w, transport);
	wire_put_u8(&w, naddrs);
	for (unsigned i = 0; i < naddrs; i++) {
		wire_put_u8(&w, family);
		wire_put_bytes(&w, zeros, 16 + 4 + 2);
	}
	wire_put_u8(&w, 0); /* nothing is learnt */
	r.end = w.at;
	return task_unpack(&t, &store, &r);
}

static bool taken(uint16_t host_len, uint8_t naddrs, uint8_t family)
{
	return taken_over(TRANSPORT_UDP, host_len, naddrs, family);
}

static bool path_taken(uint16_t len)
{
	static uint8_t octets[70000];
	static const uint8_t zeros[UINT16_MAX];
	struct wire_out w = {.at = octets, .end = octets + sizeof(octets)};
	struct wire_in r = {.at = octets};
	struct task_store store;
	struct task t;

	wire_put_bytes(&w, zeros, 8 + 4 + 4 + 2);
	wire_put_u8(&w, TRANSPORT_UNIX);
	wire_put_str(&w, zeros, len);
	wire_put_u8(&w, 0);
	r.end = w.at;
	return task_unpack(&t, &store, &r);
}

static void test_out_of_bounds(void **state)
{
	(void)state;
	assert_true(taken(TASK_HOST_MAX, TASK_ADDRS_MAX, 4));
	assert_true(taken(0, 1, 6));
	assert_false(taken(TASK_HOST_MAX + 1, 1, 4));
	assert_false(taken(UINT16_MAX, 1, 4));
	assert_false(taken(0, 0, 4));
	assert_false(taken(0, TASK_ADDRS_MAX + 1, 4));
	assert_false(taken(0, 255, 4));
	assert_false(taken(0, 1, 0));
	assert_false(taken(0, 1, 5));
	assert_false(taken(0, 1, 255));
	assert_true(taken_over(TRANSPORT_TCP, 0, 1, 4));
	assert_true(taken_over(TRANSPORT_COUNT - 1, 0, 1, 4));
	assert_false(taken_over(TRANSPORT_COUNT, 0, 1, 4));
	assert_false(taken_over(255, 0, 1, 4));
	assert_true(path_taken(TASK_PATH_MAX));
	assert_false(path_taken(TASK_PATH_MAX + 1));
	assert_false(path_taken(0)); /* a socket without a path is nowhere */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_no_host),
		cmocka_unit_test(test_learnt_out_of_bounds),
		cmocka_unit_test(test_host_too_long),
		cmocka_unit_test(test_out_of_bounds),
		cmocka_unit_test(test_path_instead_of_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

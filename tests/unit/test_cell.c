/* cell: tasks as they came become targets, records become rows of one message; the agent's end of the queue is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/task.h"
#include "link/batch.h"
#include "link/cell.h"
#include "link/gather.h"
#include "link/slots.h"
#include "out/writer.h"
#include "plan/fed.h"
#include "plan/plan_internal.h"

#define NOW    INT64_C(1000000)
#define GATHER INT64_C(200000) /* us that a row waits for others */

static const struct addr address = {.family = 4, .ip = {192, 0, 2, 1}};

struct world {
	struct plan plan;
	struct cell *cell;
	struct master_feed feed;
	struct layout_frames frames;
	struct writer *writer;
	struct queue *agent;
	struct master_orders orders;
	int fd[2], out;
};

static struct world *world_with(bool alone, uint8_t *slots)
{
	struct cell_config config = {
		.who = "the agent me of site here", .sessions = 10, .alone = alone, .slots = slots};
	struct world *w = mem_zero(1, sizeof(*w));
	enum writer_result opened;

	plan_feed_open(&w->plan);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, w->fd), 0);
	w->out = dup(w->fd[1]);
	config.plan = &w->plan;
	config.queue_fd = w->fd[1];
	w->cell = cell_new(&config);
	w->writer = writer_open(&(struct writer_options){.fd = w->out}, &opened);
	assert_int_equal(opened, WRITER_OK);
	w->feed = cell_feed(w->cell);
	w->frames = cell_frames(w->cell);
	w->agent = queue_new(w->fd[0]);
	return w;
}

static struct world *world_new(bool alone)
{
	return world_with(alone, NULL);
}

static void world_free(struct world *w)
{
	cell_free(w->cell);
	writer_free(w->writer);
	queue_free(w->agent);
	plan_feed_free(&w->plan);
	close(w->fd[0]);
	close(w->fd[1]);
	close(w->out);
	free(w);
}

/* Target number seq, learnt with that many silent rounds. */
static void target_put(struct wire_out *w, uint64_t seq, uint8_t silent)
{
	struct plan_target t = {.seq = seq, .addr = address};
	struct learnt known = {.silent = silent};

	batch_target_pack(&t, silent > 0 ? &known : NULL, w);
}

static void frame_put(struct world *w, uint32_t batch, uint32_t poll, unsigned count,
		      struct queue_part targets)
{
	uint8_t head[CELL_TASKS_HEAD];
	struct wire_out h = {.at = head, .end = head + sizeof(head)};

	wire_put_u32(&h, batch);
	wire_put_u32(&h, poll);
	wire_put_u8(&h, 3);
	wire_put_u16(&h, (uint16_t)count);
	struct queue_part parts[] = {{head, sizeof(head)}, targets};
	queue_put_parts(w->agent, CELL_TASKS, parts, 2);
	assert_true(queue_flush(w->agent));
	w->feed.ready(w->feed.arg, &w->orders);
}

static void give_octets(struct world *w, uint32_t batch, uint32_t poll, unsigned count,
			const struct wire_out *targets, const uint8_t *begin)
{
	frame_put(w, batch, poll, count, (struct queue_part){begin, (size_t)(targets->at - begin)});
	assert_false(w->orders.ended);
}

/* Targets seq, seq + 1 and so on; polls likewise. */
static void give(struct world *w, uint32_t batch, uint64_t seq, uint32_t poll, unsigned count)
{
	static uint8_t octets[BATCH_BODY_MAX];
	struct wire_out out = {.at = octets, .end = octets + sizeof(octets)};

	for (unsigned i = 0; i < count; i++)
		target_put(&out, seq + i, (uint8_t)i);
	give_octets(w, batch, poll, count, &out, octets);
}

static uint64_t next_local(struct world *w)
{
	struct plan_target t;

	assert_true(plan_next(&w->plan, PLAN_DATAGRAMS, &t));
	return t.seq;
}

static void piece(struct world *w, uint64_t local, uint64_t before, const char *octets,
		  const struct record_head *head)
{
	struct layout_piece p = {.seq = local,
				 .addr = &address,
				 .before = before,
				 .head = head,
				 .octets = (const uint8_t *)octets,
				 .len = strlen(octets)};

	w->frames.put(w->frames.arg, &p, w->writer);
}

static void answer(struct world *w, uint64_t local, enum record_status status)
{
	struct record_head head = {
		.seq = local, .lease = 9, .status = (uint8_t)status, .rtt_us = 77, .tries = 2};

	piece(w, local, 0, "row\n", &head);
}

static int64_t turn(struct world *w, int64_t now_us)
{
	int64_t next_us = w->frames.turn(w->frames.arg, now_us, w->writer);

	assert_int_equal(writer_flush(w->writer, true), WRITER_OK);
	queue_read(w->agent);
	return next_us;
}

static bool silent(struct world *w)
{
	struct queue_frame f;

	return !queue_next(w->agent, &f);
}

static struct queue_frame heard(struct world *w, uint8_t kind)
{
	struct queue_frame f = {0};

	assert_true(queue_next(w->agent, &f));
	assert_int_equal(f.kind, kind);
	return f;
}

static struct gathered heard_rows(struct world *w)
{
	struct queue_frame f = heard(w, CELL_RESULTS);
	struct gathered g;

	assert_true(gathered_unpack(&g, (struct wire_in){f.data, f.data + f.len, false}));
	return g;
}

/* Its head is good until the next one. */
static struct batch_result row_next(struct wire_in *r)
{
	static struct record_head head;
	struct batch_result b;

	assert_true(batch_result_unpack(&b, &head, r));
	return b;
}

/* As the master reads them, with the numbers of the wire; and who has ended, by batch. */
static void test_rows(void **state)
{
	struct world *w = world_new(false);
	uint64_t local[3];
	struct gathered g;
	struct wire_in r;

	(void)state;
	give(w, 5, 100, 40, 2);
	give(w, 6, UINT64_MAX, 42, 1);
	for (unsigned i = 0; i < 3; i++)
		local[i] = next_local(w);
	answer(w, local[0], RECORD_OK);
	answer(w, local[2], RECORD_TIMEOUT);
	answer(w, local[1], RECORD_OK);
	assert_true(turn(w, NOW) == LOOP_NEVER); /* there is nothing to wait for */
	g = heard_rows(w);
	assert_int_equal(g.rows, 3);
	r = (struct wire_in){g.octets, g.octets + g.len, false};
	for (unsigned i = 0; i < 3; i++) {
		struct batch_result b = row_next(&r);

		assert_true(b.seq == (i == 0 ? 100 : i == 1 ? UINT64_MAX : 101));
		assert_int_equal(b.poll, i == 0 ? 40 : i == 1 ? 42 : 41);
		assert_int_equal(b.attempt, 3);
		assert_true(b.head != NULL && b.len == 4 && b.head->rtt_us == 77);
		assert_int_equal(b.addr.family, 0); /* it was told to us */
	}
	assert_ptr_equal(r.at, r.end);
	assert_int_equal(g.nbatches, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct gather_batch b = gathered_batch(&g);

		assert_int_equal(b.number, 5 + i);
		assert_int_equal(b.ended, 2 - i);
	}
	for (unsigned i = 0; i < 3; i++) {
		struct gather_end e;

		assert_true(gathered_end(&g, &e));
		assert_int_equal(e.status, i == 1 ? RECORD_TIMEOUT : RECORD_OK);
		assert_true(e.tries == 2 && e.rtt_us == 77);
	}
	world_free(w);
}

/* Which address a name came to, only we know. */
static void test_address_of_a_name(void **state)
{
	struct world *w = world_new(false);
	struct plan_target t = {.seq = 7, .name = "n"};
	uint8_t octets[100];
	struct wire_out out = {.at = octets, .end = octets + sizeof(octets)};
	struct gathered g;
	struct batch_result b;
	struct wire_in r;

	(void)state;
	batch_target_pack(&t, NULL, &out);
	give_octets(w, 5, 40, 1, &out, octets);
	answer(w, next_local(w), RECORD_OK);
	turn(w, NOW);
	g = heard_rows(w);
	r = (struct wire_in){g.octets, g.octets + g.len, false};
	b = row_next(&r);
	assert_true(addr_equal(&b.addr, &address));
	world_free(w);
}

/* While others are asked, a row waits for theirs, and no longer than GATHER; counters go before it. */
static void test_gathered(void **state)
{
	struct world *w = world_new(false);
	uint64_t first, second;
	struct queue_frame f;
	struct stats counted = {.count[STATS_SENT] = 2}, got;
	struct wire_in r;

	(void)state;
	give(w, 5, 100, 40, 3);
	first = next_local(w);
	second = next_local(w);
	assert_true(turn(w, NOW) == LOOP_NEVER);
	w->frames.count(w->frames.arg, &counted, w->writer);
	answer(w, first, RECORD_OK);
	assert_true(turn(w, NOW) == NOW + GATHER);
	w->frames.count(w->frames.arg, &counted, w->writer);
	answer(w, second, RECORD_OK);
	assert_true(turn(w, NOW + GATHER - 1) == NOW + GATHER);
	assert_true(silent(w));
	assert_true(turn(w, NOW + GATHER) == LOOP_NEVER);
	f = heard(w, CELL_STATS);
	r = (struct wire_in){f.data, f.data + f.len, false};
	assert_true(stats_unpack(&got, &r) && got.count[STATS_SENT] == 4);
	assert_int_equal(heard_rows(w).rows, 2);
	answer(w, next_local(w), RECORD_OK); /* the last one */
	assert_true(turn(w, NOW + GATHER) == LOOP_NEVER);
	assert_int_equal(heard_rows(w).rows, 1);
	assert_true(silent(w));
	world_free(w);
}

static void test_alone_does_not_wait(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	give(w, 5, 100, 40, 3);
	answer(w, next_local(w), RECORD_OK);
	assert_true(turn(w, NOW) == LOOP_NEVER);
	assert_int_equal(heard_rows(w).rows, 1);
	world_free(w);
}

/* No more than a message may have, be it rows or octets; each once. */
static void test_full(void **state)
{
	struct world *w = world_new(false);
	char large[30001];
	struct record_head head = {.rtt_us = -1};
	unsigned rows = 0;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	give(w, 5, 100, 40, BATCH_TASKS);
	give(w, 6, 1000, 400, 20);
	for (unsigned i = 0; i < BATCH_TASKS - 1; i++)
		answer(w, next_local(w), RECORD_OK);
	turn(w, NOW);
	assert_true(silent(w));
	answer(w, next_local(w), RECORD_OK);
	assert_true(turn(w, NOW) == LOOP_NEVER);
	assert_int_equal(heard_rows(w).rows, BATCH_TASKS);
	for (unsigned i = 0; i < 20; i++)
		piece(w, next_local(w), 0, large, &head);
	for (unsigned i = 0; rows < 20; i++) {
		struct queue_frame f = {0};
		struct gathered g;

		for (unsigned k = 0; k < 10 && !queue_next(w->agent, &f); k++)
			turn(w, NOW + GATHER); /* the socket has less room */
		assert_int_equal(f.kind, CELL_RESULTS);
		assert_true(gathered_unpack(&g, (struct wire_in){f.data, f.data + f.len, false}));
		assert_int_equal(g.nended, g.rows);
		assert_in_range(g.len, 1, BATCH_BODY_MAX - 1000);
		rows += g.rows;
	}
	assert_int_equal(rows, 20);
	world_free(w);
}

/* As many as a message may have find room in it, if each is a record of one object as JSON Lines: some 300 octets. */
static void test_full_of_lines(void **state)
{
	struct world *w = world_new(false);
	struct record_head head = {.rtt_us = 77, .tries = 1};
	struct queue_frame f = {0};
	struct gathered g;
	char line[301];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	give(w, 5, 100, 40, BATCH_TASKS);
	for (unsigned i = 0; i < BATCH_TASKS; i++)
		piece(w, next_local(w), 0, line, &head);
	for (unsigned k = 0; k < 10 && !queue_next(w->agent, &f); k++)
		turn(w, NOW); /* the socket has less room */
	assert_int_equal(f.kind, CELL_RESULTS);
	assert_true(gathered_unpack(&g, (struct wire_in){f.data, f.data + f.len, false}));
	assert_int_equal(g.rows, BATCH_TASKS);
	assert_in_range(g.len, BATCH_TASKS * 300, BATCH_BODY_MAX - 1000);
	world_free(w);
}

/* --- slots */

static void lend(struct world *w, uint8_t slot)
{
	queue_put(w->agent, CELL_SLOT, &slot, 1);
	assert_true(queue_flush(w->agent));
	w->feed.ready(w->feed.arg, &w->orders);
}

/* One message of one task's. */
static struct gathered one_message(struct world *w, uint32_t batch)
{
	give(w, batch, batch, batch, 1);
	answer(w, next_local(w), RECORD_OK);
	turn(w, NOW);
	return heard_rows(w);
}

static void assert_in_slot(const struct gathered *g, const uint8_t *slots, uint8_t slot,
			   uint64_t seq)
{
	const uint8_t *at = slots + (size_t)slot * SLOT_OCTETS + GATHER_HEADS;
	struct wire_in r = {at, at + g->len, false};

	assert_int_equal(g->slot, slot);
	assert_null(g->octets);
	assert_true(row_next(&r).seq == seq);
	assert_ptr_equal(r.at, r.end);
}

/* Rows lie in the slot that was lent last, and leave room for heads; without a slot they follow the lists. */
static void test_slots(void **state)
{
	uint8_t *slots = mem_zero(SLOTS_EACH, SLOT_OCTETS);
	struct world *w = world_with(false, slots);
	struct gathered g;

	(void)state;
	assert_int_equal(one_message(w, 5).slot, GATHER_INLINE);
	lend(w, 0);
	lend(w, SLOTS_EACH - 1);
	g = one_message(w, 6);
	assert_in_slot(&g, slots, SLOTS_EACH - 1, 6);
	g = one_message(w, 7);
	assert_in_slot(&g, slots, 0, 7);
	g = one_message(w, 8);
	assert_true(g.slot == GATHER_INLINE && g.octets != NULL);
	lend(w, 3);
	g = one_message(w, 9);
	assert_in_slot(&g, slots, 3, 9);
	assert_false(w->orders.ended);
	for (size_t i = 0; i < GATHER_HEADS; i++)
		assert_int_equal(slots[3 * SLOT_OCTETS + i], 0);
	world_free(w);
	free(slots);
}

/* It has none of the memory, whatever it is lent. */
static void test_slots_without_memory(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	lend(w, 0);
	assert_int_equal(one_message(w, 6).slot, GATHER_INLINE);
	world_free(w);
}

/* One that there is not, and more than there are. */
static void test_mad_slots(void **state)
{
	uint8_t *slots = mem_zero(SLOTS_EACH, SLOT_OCTETS);
	struct world *w = world_with(false, slots);

	(void)state;
	lend(w, SLOTS_EACH);
	assert_true(w->orders.ended);
	world_free(w);
	w = world_with(false, slots);
	for (uint8_t i = 0; i < SLOTS_EACH; i++)
		lend(w, i);
	assert_false(w->orders.ended);
	lend(w, 0);
	assert_true(w->orders.ended);
	world_free(w);
	free(slots);
}

/* Pieces in their order, of which only the last ends a task. */
static void test_pieces(void **state)
{
	struct world *w = world_new(false);
	struct record_head head = {.rtt_us = -1};
	struct gathered g;
	struct wire_in r;
	uint64_t local;

	(void)state;
	give(w, 5, 100, 40, 1);
	local = next_local(w);
	piece(w, local, 0, "first ", NULL);
	piece(w, local, 6, "second", NULL);
	assert_true(turn(w, NOW) == NOW + GATHER); /* it is not through */
	piece(w, local, 12, "", &head);
	turn(w, NOW);
	g = heard_rows(w);
	assert_true(g.rows == 3 && g.nended == 1 && g.nbatches == 1);
	r = (struct wire_in){g.octets, g.octets + g.len, false};
	for (unsigned i = 0; i < 3; i++) {
		struct batch_result b = row_next(&r);

		assert_true(b.poll == 40 && b.before == 6 * i && (b.head != NULL) == (i == 2));
	}
	piece(w, local, 0, "again", &head); /* there is no such task any more */
	assert_true(turn(w, NOW) == LOOP_NEVER);
	assert_true(silent(w));
	world_free(w);
}

/* One target of three that makes no sense, one too few, one too many: none of the batch is asked, others are, and the
 * agent is told. */
static void test_unreadable(void **state)
{
	struct world *w = world_new(false);
	uint8_t octets[300];
	struct plan_target t;

	(void)state;
	give(w, 4, 50, 40, 2);
	for (unsigned i = 0; i < 3; i++) {
		struct wire_out out = {.at = octets, .end = octets + sizeof(octets)};
		struct queue_frame f;

		target_put(&out, 100, 0);
		target_put(&out, 101, 0);
		if (i == 0)
			wire_put_str(&out, "no target", 9);
		give_octets(w, 5 + i, 50, i == 2 ? 1 : 3, &out, octets);
		turn(w, NOW);
		f = heard(w, CELL_UNREADABLE);
		assert_true(f.len == 4 && f.data[3] == 5 + i);
		assert_true(silent(w));
	}
	assert_int_equal(plan_total(&w->plan), 2);
	give(w, 9, 200, 60, 1);
	for (unsigned i = 0; i < 3; i++)
		answer(w, next_local(w), RECORD_OK);
	assert_false(plan_next(&w->plan, PLAN_DATAGRAMS, &t));
	turn(w, NOW);
	assert_int_equal(heard_rows(w).nended, 3);
	world_free(w);
}

/* A batch in the place of one that has ended is another one: what is said of that one's tasks is nobody's. Polls come to their
 * end and begin again within the first one. */
static void test_place_again(void **state)
{
	struct world *w = world_new(false);
	uint64_t old[3];
	struct gathered g;
	struct wire_in r;

	(void)state;
	give(w, 5, 100, UINT32_MAX, 3);
	for (unsigned i = 0; i < 3; i++)
		old[i] = next_local(w);
	for (unsigned i = 0; i < 3; i++)
		answer(w, old[i], RECORD_OK);
	turn(w, NOW);
	g = heard_rows(w);
	r = (struct wire_in){g.octets, g.octets + g.len, false};
	for (unsigned i = 0; i < 3; i++) {
		struct batch_result b = row_next(&r);

		assert_true(b.seq == 100 + i && b.poll == UINT32_MAX + i);
	}
	give(w, 6, 200, 2, 3); /* with the polls that follow */
	for (unsigned i = 0; i < 3; i++)
		answer(w, old[i], RECORD_OK);
	assert_true(turn(w, NOW) == LOOP_NEVER);
	assert_true(silent(w));
	for (unsigned i = 0; i < 3; i++) {
		uint64_t local = next_local(w);

		assert_true((local & 0xfffff) == (old[i] & 0xfffff)); /* the place */
		answer(w, local, RECORD_OK);
	}
	turn(w, NOW);
	assert_int_equal(heard_rows(w).nended, 3);
	world_free(w);
}

/* More than there were places for at first, ended in another order than they came. */
static void test_many_batches(void **state)
{
	struct world *w = world_new(false);
	uint64_t local[100][2];
	struct gathered g;
	struct wire_in r;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		give(w, i, 1000 + 2 * i, 500 + 2 * i, 2);
		local[i][0] = next_local(w);
		local[i][1] = next_local(w);
	}
	for (unsigned i = 0; i < 200; i++)
		for (unsigned times = 0; times < 2; times++) /* the second one is nobody's */
			answer(w, local[i * 37 % 100][i % 2 != i / 100], RECORD_OK);
	turn(w, NOW);
	g = heard_rows(w);
	assert_true(g.rows == 200 && g.nended == 200 && g.nbatches == 100);
	r = (struct wire_in){g.octets, g.octets + g.len, false};
	for (unsigned i = 0; i < 200; i++)
		assert_true(row_next(&r).seq == 1000 + 2 * (i * 37 % 100) + (i % 2 != i / 100));
	for (unsigned i = 0; i < 100; i++) {
		struct gather_batch b = gathered_batch(&g);

		assert_true(b.number == i * 37 % 100 && b.ended == 2);
	}
	world_free(w);
}

/* Which no agent says: it would never end. */
static void test_batch_of_none(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	frame_put(w, 5, 40, 0, (struct queue_part){.p = ""});
	assert_true(w->orders.ended);
	world_free(w);
}

/* What is known of a host is lent until its task has ended, and a place that is used again is another task. */
static void test_known(void **state)
{
	struct world *w = world_new(false);
	struct learnt l;
	uint64_t local[2], again;

	(void)state;
	give(w, 5, 100, 40, 2);
	local[0] = next_local(w);
	local[1] = next_local(w);
	assert_false(w->feed.known(w->feed.arg, local[0], &l)); /* nothing is to be learnt of it */
	for (unsigned i = 0; i < 2; i++)
		assert_true(w->feed.known(w->feed.arg, local[1], &l) && l.silent == 1);
	answer(w, local[1], RECORD_OK);
	assert_false(w->feed.known(w->feed.arg, local[1], &l));
	give(w, 6, 100, 42, 2);
	next_local(w);
	again = next_local(w);
	assert_true(again != local[0] && again != local[1]);
	assert_true(w->feed.known(w->feed.arg, again, &l) && l.silent == 1);
	assert_false(w->feed.known(w->feed.arg, local[1], &l));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_address_of_a_name),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_slots_without_memory),
		cmocka_unit_test(test_mad_slots),
		cmocka_unit_test(test_gathered),
		cmocka_unit_test(test_alone_does_not_wait),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_place_again),
		cmocka_unit_test(test_many_batches),
		cmocka_unit_test(test_batch_of_none),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_full_of_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * amqp_cure: when a queue is deleted, when it is not, and what is said of it. The library's calls are ours here, so that the broker
 * answers at the instant that a test names; the clock moves only while somebody waits. With a real broker: tests/e2e/test_broker_hangs.py.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/double_loop.h"
#include "../fuzz/fuzz.h"
#include "link/amqp_calls.h"

#define SECOND   INT64_C(1000000)
#define MS       INT64_C(1000)
#define NEVER    (-1)
#define CHANNELS 10
#define SAID_MAX 20
#define OURS     "multisnmp.tasks.north"

enum {
	MINE, /* the queue that is examined */
	DEAD, /* that of what is lost */
	QUEUES
};

struct said { /* a frame of the broker's on its way */
	int64_t at_us;
	amqp_channel_t channel;
	amqp_method_number_t id;
	uint16_t code;
};

static struct {
	/* the script: instants in us after the question; NEVER: silence */
	int64_t consumer_us[QUEUES], deleted_us[QUEUES];
	uint16_t consumer_code[QUEUES], deleted_code[QUEUES]; /* not 0: so it is refused */
	uint16_t held[QUEUES];                                /* of who wants to examine it */
	int64_t fresh_us;              /* what another queue takes; NEVER: none can be made */
	int64_t goodbye_us, broken_us; /* the connection, after its beginning */
	/* what happened */
	int64_t begun_us;
	bool open[CHANNELS];
	struct said said[SAID_MAX];
	size_t nsaid;
	amqp_rpc_reply_t reply;
	amqp_channel_close_t close;
	bool deleted[QUEUES];
	unsigned consumers, examined, declared;
	char why[LINK_WHY_MAX];
} b;

void fuzz_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	abort();
}

/* --- the broker ------------------------------------------------------------------------------- */

static size_t queue_named(amqp_bytes_t name)
{
	const char *text = name.bytes;

	assert_true(name.len >= strlen(OURS) || strcmp(text, RABBIT_LOST_QUEUE) == 0);
	return strstr(text, RABBIT_LOST_QUEUE) ? DEAD : MINE;
}

static void say(int64_t in_us, amqp_channel_t channel, amqp_method_number_t id, uint16_t code)
{
	if (in_us == NEVER)
		return;
	assert_true(b.nsaid < SAID_MAX);
	b.said[b.nsaid++] = (struct said){loop_clock_us() + in_us, channel,
					  code ? AMQP_CHANNEL_CLOSE_METHOD : id, code};
}

static void reply(uint16_t code, amqp_channel_t channel)
{
	b.reply = (amqp_rpc_reply_t){.reply_type = AMQP_RESPONSE_NORMAL};
	if (code == 0)
		return;
	b.close = (amqp_channel_close_t){.reply_code = code};
	b.reply.reply_type = AMQP_RESPONSE_SERVER_EXCEPTION;
	b.reply.reply.id = AMQP_CHANNEL_CLOSE_METHOD;
	b.reply.reply.decoded = &b.close;
	b.open[channel] = false;
}

amqp_channel_open_ok_t *amqp_channel_open(amqp_connection_state_t state, amqp_channel_t channel)
{
	static amqp_channel_open_ok_t ok;

	(void)state;
	assert_true(channel < CHANNELS && !b.open[channel]);
	b.open[channel] = true;
	reply(0, channel);
	return &ok;
}

amqp_rpc_reply_t amqp_get_rpc_reply(amqp_connection_state_t state)
{
	(void)state;
	return b.reply;
}

amqp_queue_declare_ok_t *amqp_queue_declare(amqp_connection_state_t state, amqp_channel_t channel,
					    amqp_bytes_t queue, amqp_boolean_t passive,
					    amqp_boolean_t durable, amqp_boolean_t exclusive,
					    amqp_boolean_t auto_delete, amqp_table_t arguments)
{
	(void)state, (void)passive, (void)durable, (void)auto_delete, (void)arguments;
	assert_true(b.open[channel]);
	reply(0, channel);
	if (exclusive) {
		assert_memory_equal(queue.bytes, "multisnmp.exam.", 15);
		reply(b.held[queue_named(queue)], channel);
		b.examined++;
		return NULL;
	}
	assert_memory_equal(queue.bytes, "multisnmp.fresh.", 16);
	double_clock_step(b.fresh_us == NEVER ? RABBIT_ANSWER_US : b.fresh_us);
	if (b.fresh_us == NEVER)
		b.reply = (amqp_rpc_reply_t){.reply_type = AMQP_RESPONSE_LIBRARY_EXCEPTION,
					     .library_error = AMQP_STATUS_TIMEOUT};
	return NULL;
}

amqp_basic_consume_ok_t *amqp_basic_consume(amqp_connection_state_t state, amqp_channel_t channel,
					    amqp_bytes_t queue, amqp_bytes_t tag,
					    amqp_boolean_t no_local, amqp_boolean_t no_ack,
					    amqp_boolean_t exclusive, amqp_table_t arguments)
{
	(void)state, (void)tag, (void)no_local, (void)no_ack, (void)exclusive, (void)arguments;
	assert_memory_equal(queue.bytes, "multisnmp.fresh.", 16);
	reply(0, channel);
	return NULL;
}

amqp_queue_delete_ok_t *amqp_queue_delete(amqp_connection_state_t state, amqp_channel_t channel,
					  amqp_bytes_t queue, amqp_boolean_t if_unused,
					  amqp_boolean_t if_empty)
{
	(void)state, (void)if_unused, (void)if_empty;
	assert_memory_equal(queue.bytes, "multisnmp.fresh.", 16);
	reply(0, channel);
	return NULL;
}

static void consume_asked(amqp_channel_t channel, const amqp_basic_consume_t *m)
{
	size_t q = queue_named(m->queue);

	b.consumers++;
	say(b.consumer_us[q], channel, AMQP_BASIC_CONSUME_OK_METHOD, b.consumer_code[q]);
}

static void delete_asked(amqp_channel_t channel, const amqp_queue_delete_t *m)
{
	size_t q = queue_named(m->queue);

	assert_false(b.deleted[q]);
	b.deleted[q] = true;
	say(b.deleted_us[q], channel, AMQP_QUEUE_DELETE_OK_METHOD, b.deleted_code[q]);
}

int amqp_send_method(amqp_connection_state_t state, amqp_channel_t channel, amqp_method_number_t id,
		     void *decoded)
{
	(void)state;
	if (id == AMQP_CHANNEL_CLOSE_OK_METHOD)
		return AMQP_STATUS_OK;
	assert_true(b.open[channel]);
	if (id == AMQP_BASIC_QOS_METHOD)
		say(0, channel, AMQP_BASIC_QOS_OK_METHOD, 0);
	else if (id == AMQP_BASIC_CONSUME_METHOD)
		consume_asked(channel, decoded);
	else if (id == AMQP_QUEUE_DELETE_METHOD)
		delete_asked(channel, decoded);
	else
		fail();
	return AMQP_STATUS_OK;
}

static struct said *earliest(void)
{
	struct said *first = NULL;

	for (size_t i = 0; i < b.nsaid; i++)
		if (!first || b.said[i].at_us < first->at_us)
			first = &b.said[i];
	return first;
}

/* As the library: nothing is read where there is no time for it. */
int amqp_simple_wait_frame_noblock(amqp_connection_state_t state, amqp_frame_t *f,
				   const struct timeval *limit)
{
	int64_t now_us = loop_clock_us(), us = limit->tv_sec * SECOND + limit->tv_usec;
	struct said *s = earliest();

	(void)state;
	assert_true(us > 0);
	if (!s || s->at_us > now_us + us) {
		double_clock_step(us);
		return AMQP_STATUS_TIMEOUT;
	}
	if (s->at_us > now_us)
		double_clock_step(s->at_us - now_us);
	if (s->id == 0)
		return AMQP_STATUS_SOCKET_ERROR;
	b.close = (amqp_channel_close_t){.reply_code = s->code};
	*f = (amqp_frame_t){.frame_type = AMQP_FRAME_METHOD, .channel = s->channel};
	f->payload.method = (amqp_method_t){.id = s->id, .decoded = &b.close};
	*s = b.said[--b.nsaid];
	return AMQP_STATUS_OK;
}

void amqp_maybe_release_buffers(amqp_connection_state_t state)
{
	(void)state;
}

/* --- its neighbours --------------------------------------------------------------------------- */

enum link_state rabbit_connect(struct rabbit *r, struct rabbit_side *s, char why[LINK_WHY_MAX])
{
	(void)r, (void)s, (void)why;
	say(b.goodbye_us, 0, AMQP_CONNECTION_CLOSE_METHOD, 0);
	say(b.broken_us, 0, 0, 0);
	return LINK_OPEN;
}

void rabbit_drop(struct rabbit *r, struct rabbit_side *s)
{
	(void)r, (void)s;
}

const char *rabbit_site_name(const char *site, char out[RABBIT_QUEUE_NAME])
{
	snprintf(out, RABBIT_QUEUE_NAME, "multisnmp.tasks.%s", site);
	return out;
}

const char *rabbit_queue_name(struct rabbit *r, char out[RABBIT_QUEUE_NAME])
{
	(void)r;
	snprintf(out, RABBIT_QUEUE_NAME, "multisnmp.results.of-the-master");
	return out;
}

enum rabbit_answer rabbit_declare_again(struct rabbit *r, struct rabbit_side *s, const char *site,
					char why[LINK_WHY_MAX])
{
	(void)r, (void)s, (void)site, (void)why;
	b.declared++;
	return RABBIT_YES;
}

void rabbit_library_words(int status, const struct rabbit *r, const char *where,
			  char why[LINK_WHY_MAX])
{
	(void)r, (void)where;
	snprintf(why, LINK_WHY_MAX, "status %d", status);
}

void rabbit_close_words(uint16_t code, amqp_bytes_t text, char why[LINK_WHY_MAX])
{
	(void)text;
	snprintf(why, LINK_WHY_MAX, "code %u", (unsigned)code);
}

/* --- tests ------------------------------------------------------------------------------------ */

/* Both queues hang, and may be deleted: forced, after 5 s. */
static int set_up(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	double_clock_start(NULL, NULL);
	b.begun_us = loop_clock_us();
	b.consumer_us[MINE] = b.consumer_us[DEAD] = NEVER;
	b.deleted_us[MINE] = b.deleted_us[DEAD] = 5 * SECOND;
	b.fresh_us = 300 * MS;
	b.goodbye_us = b.broken_us = NEVER;
	return 0;
}

static enum link_health examine(const char *site)
{
	struct broker broker = {.nnodes = 1, .vhost = "ours"};
	struct rabbit r = {.broker = &broker};

	return rabbit_cure(&r, site, b.why);
}

static void expect(enum link_health health, bool mine, bool dead)
{
	assert_int_equal(examine("north"), health);
	assert_int_equal(b.deleted[MINE], mine);
	assert_int_equal(b.deleted[DEAD], dead);
	assert_int_equal(b.declared, health == LINK_CURED);
}

static int64_t taken_us(void)
{
	return loop_clock_us() - b.begun_us;
}

static void test_both_hang(void **state)
{
	(void)state;
	expect(LINK_CURED, true, true);
	assert_non_null(strstr(b.why, OURS " hung"));
	assert_int_equal(b.examined, QUEUES);
	assert_in_range(taken_us(), 13 * SECOND, 14 * SECOND);
}

static void test_a_masters_own(void **state)
{
	(void)state;
	assert_int_equal(examine(NULL), LINK_CURED);
	assert_true(b.deleted[MINE] && b.deleted[DEAD]);
	assert_non_null(strstr(b.why, "multisnmp.results.of-the-master hung"));
}

static void test_sound(void **state)
{
	(void)state;
	b.consumer_us[MINE] = b.consumer_us[DEAD] = 1 * SECOND;
	expect(LINK_WELL, false, false);
	assert_in_range(taken_us(), 1 * SECOND, 2 * SECOND);
	set_up(NULL);
	b.consumer_us[MINE] = 7900 * MS;
	expect(LINK_WELL, false, false);
	set_up(NULL);
	b.consumer_us[MINE] = 1 * SECOND; /* it may not be asked */
	b.consumer_code[MINE] = AMQP_ACCESS_REFUSED;
	expect(LINK_WELL, false, false);
	set_up(NULL);
	b.consumer_us[DEAD] = 7900 * MS;
	expect(LINK_CURED, true, false);
}

/* After the time for it, while the broker makes another queue or just after: slow, and sound. */
static void test_late(void **state)
{
	(void)state;
	for (int64_t us = 8050 * MS; us < 8500 * MS; us += 50 * MS) {
		set_up(NULL);
		b.consumer_us[MINE] = us;
		expect(LINK_WELL, false, false);
		set_up(NULL);
		b.consumer_us[DEAD] = us;
		expect(LINK_CURED, true, false);
	}
}

/* A broker that cannot make another one, or only slowly, is not judged. */
static void test_broker_in_trouble(void **state)
{
	(void)state;
	b.fresh_us = NEVER;
	expect(LINK_AWAY, false, false);
	assert_non_null(strstr(b.why, "cluster_status"));
	set_up(NULL);
	b.fresh_us = 3500 * MS;
	expect(LINK_WELL, false, false);
}

/* A closing broker is silent, too. */
static void test_connection_goes(void **state)
{
	(void)state;
	b.goodbye_us = 2 * SECOND;
	expect(LINK_WELL, false, false);
	assert_int_equal(taken_us(), 2 * SECOND);
	set_up(NULL);
	b.broken_us = 2 * SECOND;
	expect(LINK_WELL, false, false);
	set_up(NULL);
	b.broken_us = 8200 * MS;
	expect(LINK_WELL, false, false);
}

/* Of two that examine, one leaves it to the other; of what is lost, too, and its channel is open again. */
static void test_somebody_else_examines(void **state)
{
	(void)state;
	b.held[MINE] = AMQP_RESOURCE_LOCKED;
	expect(LINK_WELL, false, false);
	assert_int_equal(b.consumers, 0);
	set_up(NULL);
	b.held[DEAD] = AMQP_RESOURCE_LOCKED;
	expect(LINK_CURED, true, false);
	set_up(NULL);
	b.held[DEAD] = AMQP_ACCESS_REFUSED;
	expect(LINK_CURED, true, false);
}

static void expect_words_of_a_remedy(void)
{
	assert_non_null(strstr(b.why, "rabbitmqctl delete_queue -p 'ours' " OURS));
}

static void test_barred(void **state)
{
	(void)state;
	b.held[MINE] = AMQP_ACCESS_REFUSED;
	b.fresh_us = NEVER; /* nor may it make another */
	expect(LINK_HANGS, false, false);
	expect_words_of_a_remedy();
	set_up(NULL);
	b.held[MINE] = AMQP_ACCESS_REFUSED;
	b.consumer_us[MINE] = 8100 * MS;
	expect(LINK_WELL, false, false);
}

static void test_deletion_refused(void **state)
{
	(void)state;
	b.deleted_us[MINE] = 10 * MS;
	b.deleted_code[MINE] = AMQP_ACCESS_REFUSED;
	expect(LINK_HANGS, true, true);
	expect_words_of_a_remedy();
	set_up(NULL);
	b.deleted_us[DEAD] = 10 * MS;
	b.deleted_code[DEAD] = AMQP_ACCESS_REFUSED;
	expect(LINK_CURED, true, true);
}

/* Nobody knows what became of it: it is examined again. */
static void test_deletion_unanswered(void **state)
{
	(void)state;
	b.deleted_us[MINE] = 9 * SECOND;
	expect(LINK_WELL, true, true);
	set_up(NULL);
	b.goodbye_us = 10 * SECOND;
	expect(LINK_WELL, true, true);
	set_up(NULL);
	b.broken_us = 10 * SECOND;
	expect(LINK_WELL, true, true);
}

/* What matters was done. */
static void test_only_ours_deleted(void **state)
{
	(void)state;
	b.deleted_us[DEAD] = NEVER;
	expect(LINK_CURED, true, true);
	set_up(NULL);
	b.deleted_us[MINE] = 1 * SECOND;
	b.broken_us = 10 * SECOND;
	expect(LINK_CURED, true, true);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_both_hang),
		TEST(test_a_masters_own),
		TEST(test_sound),
		TEST(test_late),
		TEST(test_broker_in_trouble),
		TEST(test_connection_goes),
		TEST(test_somebody_else_examines),
		TEST(test_barred),
		TEST(test_deletion_refused),
		TEST(test_deletion_unanswered),
		TEST(test_only_ours_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

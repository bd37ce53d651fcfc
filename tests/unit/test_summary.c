/* summary: the whole text of a good, an empty and a bad run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/summary.h"

static void check(const struct master_result *r, const char *wanted)
{
	struct buf out = {0};

	summary_put(&out, r);
	buf_putc(&out, '\0');
	assert_string_equal((char *)out.data, wanted);
	buf_free(&out);
}

static void test_good_run(void **state)
{
	struct master_result r = {.targets = 100, .elapsed_us = 1250000};

	(void)state;
	r.status[RECORD_OK] = 97;
	r.status[RECORD_TIMEOUT] = 2;
	r.status[RECORD_CANCELLED] = 1;
	for (unsigned c = 0; c < STATS_DROPPED; c++)
		r.stats.count[c] = c + 1;
	r.latency = histogram_new();
	for (int i = 1; i <= 50; i++)
		histogram_add(r.latency, i);
	check(&r, "targets: 100 in 1.250 s, 80 per second\n"
		  "status: 97 ok, 2 timeout, 1 cancelled\n"
		  "packets: 1 sent, 2 retries, 3 received\n"
		  "sends: 4 answered, 5 refused, 6 superseded, 7 unanswered\n"
		  "replies: 8 late, 9 duplicate, 10 foreign, 11 malformed, 0 dropped\n"
		  "latency: p50 0.025 ms, p90 0.045 ms, p99 0.050 ms, max 0.050 ms\n");
	histogram_free(r.latency);
}

static void test_no_target(void **state)
{
	struct master_result r = {.targets = 0};

	(void)state;
	check(&r, "targets: 0 in 0.000 s, 0 per second\n"
		  "status: 0 ok\n"
		  "packets: 0 sent, 0 retries, 0 received\n"
		  "sends: 0 answered, 0 refused, 0 superseded, 0 unanswered\n"
		  "replies: 0 late, 0 duplicate, 0 foreign, 0 malformed, 0 dropped\n"
		  "latency: none\n");
}

static void test_troubles(void **state)
{
	struct master_result r = {.targets = 5, .elapsed_us = 1000000, .deaths = 1};
	struct buf out = {0};

	(void)state;
	r.status[RECORD_CRASHED] = 2;
	r.stats.count[STATS_DROPPED] = 3;
	r.latency = histogram_new();
	summary_put(&out, &r);
	r.deaths = 2;
	r.lost = 1;
	summary_put(&out, &r);
	buf_putc(&out, '\0');
	assert_non_null(strstr((char *)out.data, "status: 0 ok, 2 crashed\n"));
	assert_non_null(strstr((char *)out.data, "latency: none\n"));
	assert_non_null(strstr((char *)out.data, "\nmissing: 3 targets have no record\n"));
	assert_non_null(strstr((char *)out.data, "\ndeaths: 1 process died and was replaced\n"));
	assert_non_null(strstr((char *)out.data, "\ndeaths: 2 processes died and were replaced\n"));
	assert_non_null(strstr((char *)out.data, "\nlost: 1 record without the rows"));
	assert_non_null(strstr((char *)out.data, "\nhint: packets were dropped"));
	buf_free(&out);
	histogram_free(r.latency);
}

static void test_broker(void **state)
{
	struct master_result r = {
		.targets = 5000,
		.elapsed_us = 1000000,
		.status = {[RECORD_OK] = 4990, [RECORD_LOST] = 10},
		.remote = {.messages = 157,
			   .duplicates = 3,
			   .late = 1,
			   .republished = 64,
			   .dead = 2,
			   .agents = 4,
			   .sites = 2},
	};
	struct buf out = {0};
	const char *text;

	(void)state;
	summary_put(&out, &r);
	buf_putc(&out, '\0');
	text = (const char *)out.data;
	assert_non_null(strstr(text, "targets: 5000 in 1.000 s, 5000 per second\n"));
	assert_non_null(strstr(text, "status: 4990 ok, 10 lost\n"));
	assert_non_null(strstr(text, "latency: none\nbroker: 157 messages, 3 duplicates, 1 late, "
				     "64 republished, 2 dead, 4 agents, 2 sites\n"));
	assert_null(strstr(text, "resumed"));
	out.len = 0;
	r.remote.resumed = 4000; /* which took no time of this run */
	r.stats.count[STATS_DROPPED] = 1;
	summary_put(&out, &r);
	buf_putc(&out, '\0');
	text = (const char *)out.data;
	assert_non_null(strstr(text, "targets: 5000 in 1.000 s, 1000 per second\n"));
	assert_non_null(strstr(text, "2 sites\nresumed: 4000 records were there; "));
	assert_non_null(strstr(text, "dropped by the receive buffer of an agent's machine, "));
	out.len = 0;
	r.targets = 0; /* the broker was not there */
	summary_put(&out, &r);
	buf_putc(&out, '\0');
	assert_non_null(strstr((const char *)out.data, "targets: 0 in 1.000 s, 0 per second\n"));
	buf_free(&out);
}

static void check_tables(const struct master_result *r, const struct notable *n,
			 const struct summary_look *look, const char *wanted)
{
	struct buf out = {0};

	summary_put_tables(&out, r, n, look);
	buf_putc(&out, '\0');
	assert_string_equal((char *)out.data, wanted);
	buf_free(&out);
}

static void meet(struct notable *n, const char *host, enum record_status status, int64_t rtt_us,
		 const char *message)
{
	struct record r = {.host = host, .status = status, .rtt_us = rtt_us, .message = message};

	r.tries = 3;
	notable_meet(n, &r);
}

/* All of it, in a narrow window. */
static void test_tables(void **state)
{
	const struct summary_look look = {.columns = 60};
	struct master_result r = {.targets = 2003};
	struct notable n = {0};

	(void)state;
	r.status[RECORD_OK] = 2000;
	r.status[RECORD_TIMEOUT] = 1;
	r.status[RECORD_RESOLVE] = 2;
	r.latency = histogram_new();
	for (int i = 0; i < 20; i++)
		histogram_add(r.latency, i < 15 ? 300 : 1500);
	meet(&n, "core", RECORD_OK, 300, NULL);
	meet(&n,
	     "d\xc3\xa4"
	     "ch",
	     RECORD_OK, 1500, NULL);
	meet(&n, "no where", RECORD_RESOLVE, -1, "no such name");
	meet(&n, "quiet", RECORD_TIMEOUT, -1, NULL);
	check_tables(&r, &n, &look,
		     "\n"
		     "  status                hosts    share\n"
		     "  ok                     2000   99.9 %  ####################\n"
		     "  timeout                   1   <0.1 %  #\n"
		     "  resolve                   2   <0.1 %  #\n"
		     "\n"
		     "  first answer after         hosts\n"
		     "      0.2 to    0.5 ms         15  ####################\n"
		     "      0.5 to      1 ms          0\n"
		     "        1 to      2 ms          5  #######\n"
		     "\n"
		     "  slowest\n"
		     "  d\xc3\xa4"
		     "ch        1.500 ms\n"
		     "  core        0.300 ms\n"
		     "\n"
		     "  failing\n"
		     "  no where  resolve: no such name\n"
		     "  quiet     timeout, 3 tries\n"
		     "\n"
		     "hint: multisnmp --explain quiet, with this run's options, says why, step by "
		     "step\n");
	histogram_free(r.latency);
}

/* A name that was cut for the table is none to be typed. */
static void test_hint(void **state)
{
	const struct summary_look look = {.columns = 60};
	const struct master_result r = {.targets = 2, .status = {[RECORD_TIMEOUT] = 2}};
	char longest[200];
	struct notable n = {0};
	struct buf out = {0};

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	meet(&n, "gone", RECORD_LOST, -1, NULL); /* no fault of the host's */
	meet(&n, longest, RECORD_TIMEOUT, -1, NULL);
	summary_put_tables(&out, &r, &n, &look);
	buf_putc(&out, '\0');
	assert_non_null(strstr((char *)out.data, "aaa...  timeout"));
	assert_null(strstr((char *)out.data, "hint"));
	out.len = 0;
	meet(&n, "short", RECORD_TIMEOUT, -1, NULL);
	summary_put_tables(&out, &r, &n, &look);
	buf_putc(&out, '\0');
	assert_non_null(strstr((char *)out.data, "hint: multisnmp --explain short,"));
	buf_free(&out);
}

/* Colour and blocks where they are wanted; no more than ten; what is not worth a table is none. */
static void test_look(void **state)
{
	const struct summary_look look = {.colour = true, .blocks = true, .columns = 200};
	struct master_result r = {.targets = 12};
	struct notable n = {0};
	struct buf out = {0};
	const char *text;

	(void)state;
	r.status[RECORD_CRASHED] = 12;
	for (int i = 0; i < 12; i++)
		meet(&n, "h", RECORD_CRASHED, -1, "\033[2J");
	summary_put_tables(&out, &r, &n, &look);
	buf_putc(&out, '\0');
	text = (const char *)out.data;
	assert_non_null(strstr(text, "\033[31mcrashed\033[0m"));
	assert_non_null(strstr(text, "100.0 %  \xe2\x96\x88\xe2\x96\x88"));
	assert_non_null(strstr(text, "\n  and 2 more\n"));
	assert_null(strstr(text, "\033[2J"));
	assert_null(strstr(text, "slowest"));
	assert_null(strstr(text, "answer"));
	assert_null(strstr(text, "hint")); /* no fault of the host's */
	buf_free(&out);
	check_tables(&(struct master_result){0}, &n, &look, "");
	r = (struct master_result){.targets = 100000, .status = {[RECORD_OK] = 99999}};
	n = (struct notable){0};
	check_tables(&r, &n, &(struct summary_look){.columns = 50},
		     "\n"
		     "  status                hosts    share\n"
		     "  ok                    99999  >99.9 %  ##########\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_run), cmocka_unit_test(test_no_target),
		cmocka_unit_test(test_troubles), cmocka_unit_test(test_tables),
		cmocka_unit_test(test_broker),   cmocka_unit_test(test_hint),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

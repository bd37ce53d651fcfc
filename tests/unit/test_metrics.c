/* metrics: what the file says of a broker. All else of it is read by test_stats_file.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/metrics_internal.h"

static char *text_of(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* Counters grow from round to round; who is there now is of the last one. */
static void test_broker(void **state)
{
	static const char *const wanted[] = {
		"multisnmp_broker_messages_total 30\n",
		"multisnmp_broker_duplicates_total 5\n",
		"multisnmp_broker_late_total 7\n",
		"multisnmp_broker_republished_total 64\n",
		"multisnmp_broker_dead_total 1\n",
		"multisnmp_broker_agents 2\n",
		"multisnmp_broker_sites 3\n",
		"multisnmp_records_total{status=\"lost\"} 4\n",
	};
	struct master_result r = {.targets = 10,
				  .status = {[RECORD_OK] = 8, [RECORD_LOST] = 2},
				  .remote = {.messages = 10,
					     .duplicates = 5,
					     .late = 3,
					     .republished = 64,
					     .agents = 5,
					     .sites = 3}};
	char path[] = "/tmp/test-metrics-XXXXXX";
	enum writer_result opened;
	struct metrics *m;
	struct watcher w;
	const char *text;

	(void)state;
	close(mkstemp(path));
	m = metrics_open(path, 1000000, &opened);
	assert_non_null(m);
	w = metrics_watcher(m);
	w.ended(w.arg, &r);
	r.remote = (struct remote_result){
		.messages = 20, .late = 4, .dead = 1, .agents = 2, .sites = 3};
	w.ended(w.arg, &r);
	text = text_of(path);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("'%s' is not in\n%s", wanted[i], text);
	metrics_free(m);
	unlink(path);
}

static void test_no_broker(void **state)
{
	struct master_result r = {.targets = 1, .status = {[RECORD_OK] = 1}};
	struct metrics m = {.rounds = 1};
	struct buf out = {0};

	(void)state;
	metrics_put(&out, &m, &r, 0);
	buf_putc(&out, '\0');
	assert_non_null(strstr((char *)out.data, "multisnmp_targets 1\n"));
	assert_null(strstr((char *)out.data, "broker"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broker),
		cmocka_unit_test(test_no_broker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

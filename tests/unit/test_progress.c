/* progress: the words, what a narrow terminal gets, and when something is drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "cli/progress_internal.h"

static const struct progress_state usual = {
	.round = 3,
	.total = 4096,
	.done = 1200,
	.ok = 1100,
	.failed = 100,
	.in_flight = 2048,
	.rate = 410.4,
	.left = {LEFT_ABOUT, 6200000},
};

static void check_line(const struct progress_state *s, const char *wanted)
{
	struct buf out = {0};

	progress_put_line(&out, s);
	buf_putc(&out, '\0');
	assert_string_equal((char *)out.data, wanted);
	buf_free(&out);
}

static void test_line(void **state)
{
	struct progress_state s = usual;

	(void)state;
	check_line(&s, "progress: round 3, 1200 of 4096 (29 %), 1100 ok, 100 failed, 2048 in "
		       "flight, 410 per second, about 7 s left\n");
	s.round = 0;
	s.rate = 0.44;
	s.left = (struct estimate_left){LEFT_AT_MOST, 3500 * INT64_C(1000000)};
	check_line(&s,
		   "progress: 1200 of 4096 (29 %), 1100 ok, 100 failed, 2048 in flight, 0.4 per "
		   "second, at most 58 min 20 s left\n");
	s.left.us = 7265 * INT64_C(1000000);
	s.done = s.ok = 4095;
	s.failed = s.in_flight = 0;
	s.rate = 0;
	check_line(&s,
		   "progress: 4095 of 4096 (99 %), 4095 ok, 0 failed, 0 in flight, 0 per second, "
		   "at most 2 h 1 min left\n");
	s.left.kind = LEFT_UNKNOWN;
	check_line(&s,
		   "progress: 4095 of 4096 (99 %), 4095 ok, 0 failed, 0 in flight, 0 per second, "
		   "time left unknown\n");
	s.done = s.ok = 4096; /* between two rounds: what a silent host takes matters no more */
	s.left.kind = LEFT_AT_MOST;
	check_line(&s,
		   "progress: 4096 of 4096 (100 %), 4096 ok, 0 failed, 0 in flight, 0 per second, "
		   "nothing left\n");
	s.done = s.ok = 4095;
	s.ending = true;
	s.total = 0;
	check_line(&s, "progress: 4095 done, 4095 ok, 0 failed, 0 in flight, 0 per second\n");
}

static void check_drawn(unsigned columns, const char *wanted)
{
	struct buf out = {0};

	progress_put_drawn(&out, &usual, columns);
	buf_putc(&out, '\0');
	assert_string_equal((char *)out.data, wanted);
	buf_free(&out);
}

static void test_narrow(void **state)
{
	(void)state;
	check_drawn(200, "round 3, 1200 of 4096 (29 %), 1100 ok, 100 failed, 2048 in flight, "
			 "410/s, 7 s left");
	check_drawn(80,
		    "1200 of 4096 (29 %), 1100 ok, 100 failed, 2048 in flight, 410/s, 7 s left");
	check_drawn(60, "1200 of 4096 (29 %), 1100 ok, 100 failed, 410/s, 7 s left");
	check_drawn(50, "1200 of 4096 (29 %), 100 failed, 7 s left");
	check_drawn(32, "1200 of 4096 (29 %), 100 failed");
	check_drawn(20, "1200 of 4096 (29 %)");
	check_drawn(10, "1200 of 4");
	check_drawn(1, "");
	check_drawn(0, "");
}

/* At every width: narrower than it. */
static void test_never_as_wide(void **state)
{
	struct progress_state s = usual;

	(void)state;
	s.total = s.done = s.ok = s.failed = s.in_flight = s.round = UINT64_MAX;
	s.left.us = INT64_MAX;
	for (unsigned columns = 1; columns < 300; columns++) {
		struct buf out = {0};

		progress_put_drawn(&out, &s, columns);
		assert_true(out.len < columns);
		buf_free(&out);
	}
}

/* --- as a watcher, on a pipe -------------------------------------------------------------- */

struct stage {
	int reader;
	int saved;
	struct progress *progress;
	struct watcher watcher;
	struct writer *writer; /* NULL: records go elsewhere */
};

static void stage_open(struct stage *s, struct progress_config c)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	s->reader = ends[0];
	s->saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	s->writer = NULL;
	c.writer = &s->writer;
	s->progress = progress_new(&c);
	s->watcher = progress_watcher(s->progress);
}

/* What it wrote; and its end. */
static void stage_close(struct stage *s, char *got, size_t size)
{
	ssize_t len;

	progress_free(s->progress);
	dup2(s->saved, STDERR_FILENO);
	close(s->saved);
	len = read(s->reader, got, size - 1);
	assert_true(len >= 0);
	got[len] = '\0';
	close(s->reader);
}

static const struct watcher_view half = {
	.targets = 10, .status = {[RECORD_OK] = 3, [RECORD_TIMEOUT] = 2}, .in_flight = 4};

static void test_piped(void **state)
{
	struct watcher_view v = half;
	struct stage s;
	char got[1024];

	(void)state;
	stage_open(&s, (struct progress_config){0});
	assert_true(s.watcher.tick(s.watcher.arg, &v, 0) == LOOP_NEVER);
	v.elapsed_us = 5000000;
	assert_true(s.watcher.tick(s.watcher.arg, &v, 5000000) == LOOP_NEVER);
	stage_close(&s, got, sizeof(got));
	assert_string_equal(got, "");
}

/* Asked for, it writes lines: the first after a second, the next ten later, however often it is called. */
static void test_forced(void **state)
{
	struct watcher_view v = half;
	struct stage s;
	char got[4096], *lines[8];
	int n = 0;

	(void)state;
	stage_open(&s, (struct progress_config){.wanted = true, .unwanted = true});
	for (int64_t at = 0; at < 12000000; at += 1000) {
		v.elapsed_us = at;
		assert_true(s.watcher.tick(s.watcher.arg, &v, at) > at);
	}
	stage_close(&s, got, sizeof(got));
	for (char *at = strtok(got, "\n"); at && n < 8; at = strtok(NULL, "\n"))
		lines[n++] = at;
	assert_int_equal(n, 2);
	for (int i = 0; i < n; i++) {
		assert_memory_equal(lines[i], "progress: 5 of 10 (50 %), 3 ok, 2 failed", 40);
		assert_null(strchr(lines[i], '\033'));
	}
}

static void test_asked(void **state)
{
	struct watcher_view v = half;
	struct stage s;
	char got[1024];

	(void)state;
	v.round = 7;
	v.elapsed_us = 2000000;
	stage_open(&s, (struct progress_config){.unwanted = true});
	s.watcher.asked(s.watcher.arg, &v);
	stage_close(&s, got, sizeof(got));
	assert_memory_equal(
		got, "progress: round 7, 5 of 10 (50 %), 3 ok, 2 failed, 4 in flight, 2.5 ", 68);
	assert_non_null(strchr(got, '\n'));
}

/* A service that is asked answers in its log's manner. */
static void test_asked_in_a_journal(void **state)
{
	struct stage s;
	char got[1024];

	(void)state;
	stage_open(&s, (struct progress_config){.unwanted = true});
	log_set_style(LOG_STYLE_JOURNAL);
	s.watcher.asked(s.watcher.arg, &half);
	log_set_style(LOG_STYLE_PLAIN);
	stage_close(&s, got, sizeof(got));
	assert_memory_equal(got, "<6>progress: 5 of 10 (50 %), 3 ok, ", 35);
}

/* Rounds: nothing between two of them, and the next has an estimate of its own. */
static void test_between(void **state)
{
	struct watcher_view v = {.round = 1, .targets = 10, .elapsed_us = 5000000};
	struct stage s;
	char got[1024];

	(void)state;
	stage_open(&s, (struct progress_config){.wanted = true});
	v.status[RECORD_OK] = 10;
	assert_true(s.watcher.tick(s.watcher.arg, &v, 5000000) == LOOP_NEVER);
	v.round = 2;
	v.status[RECORD_OK] = 4;
	v.elapsed_us = 2000000;
	assert_true(s.watcher.tick(s.watcher.arg, &v, 62000000) > 62000000);
	stage_close(&s, got, sizeof(got));
	assert_memory_equal(
		got, "progress: round 2, 4 of 10 (40 %), 4 ok, 0 failed, 0 in flight, 2.0 ", 68);
}

/* --- as a watcher, on a terminal ------------------------------------------------------------- */

/* Stderr becomes a terminal that adds nothing; false: there are none here. */
static bool stage_terminal(struct stage *s, struct progress_config c)
{
	struct termios raw;
	int terminal;

	s->reader = posix_openpt(O_RDWR | O_NOCTTY);
	if (s->reader < 0)
		return false;
	assert_int_equal(grantpt(s->reader), 0);
	assert_int_equal(unlockpt(s->reader), 0);
	terminal = open(ptsname(s->reader), O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0 && tcgetattr(terminal, &raw) == 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(terminal, TCSANOW, &raw), 0);
	s->saved = dup(STDERR_FILENO);
	dup2(terminal, STDERR_FILENO);
	close(terminal);
	s->writer = NULL;
	c.writer = &s->writer;
	s->progress = progress_new(&c);
	s->watcher = progress_watcher(s->progress);
	return true;
}

/* What has come so far, at most size - 1 octets. */
static size_t take(struct stage *s, char *got, size_t size)
{
	struct pollfd p = {.fd = s->reader, .events = POLLIN};
	size_t len = 0;

	while (len < size - 1 && poll(&p, 1, 50) == 1) {
		ssize_t n = read(s->reader, got + len, size - 1 - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	got[len] = '\0';
	return len;
}

static unsigned count_of(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* Five seconds, called a thousand times each: nothing at first, then never more than ten lines in any second, one
 * over the other; a log line has a clean line to itself; at the end nothing is left. */
static void test_drawn(void **state)
{
	static char got[65536];
	struct watcher_view v = half;
	struct stage s;

	(void)state;
	setenv("TERM", "xterm", 1);
	if (!stage_terminal(&s, (struct progress_config){.silence_us = 1000000}))
		skip();
	for (int64_t at = 0; at < 5000000; at += 1000) {
		v.elapsed_us = at;
		assert_true(s.watcher.tick(s.watcher.arg, &v, at) > at);
		if (at % 1000000 == 499000) {
			unsigned drawn = take(&s, got, sizeof(got)) ? count_of(got, "\033[K") : 0;

			assert_in_range(drawn, at < 500000 ? 0 : 5, at < 500000 ? 0 : 10);
			assert_int_equal(count_of(got, "\r5 of 10 (50 %), 3 ok, 2 failed"), drawn);
			assert_int_equal(count_of(got, "\n"), 0);
		}
	}
	take(&s, got, sizeof(got));
	log_error("told");
	take(&s, got, sizeof(got));
	assert_string_equal(got, "\r\033[Kmultisnmp: told\n");
	v.elapsed_us = 6000000;
	s.watcher.tick(s.watcher.arg, &v, 6000000);
	take(&s, got, sizeof(got));
	s.watcher.ended(s.watcher.arg, NULL);
	take(&s, got, sizeof(got));
	assert_string_equal(got, "\r\033[K");
	log_error("told");
	take(&s, got, sizeof(got));
	assert_string_equal(got, "multisnmp: told\n");
	progress_free(s.progress);
	take(&s, got, sizeof(got));
	assert_string_equal(got, "");
	dup2(s.saved, STDERR_FILENO);
	close(s.saved);
	close(s.reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drawn),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_never_as_wide),
		cmocka_unit_test(test_piped),
		cmocka_unit_test(test_forced),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_asked_in_a_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

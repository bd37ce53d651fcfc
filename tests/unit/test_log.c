/* log: one write a line, levels, and nothing on stderr that a terminal would obey. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utc.h"

/* Stderr becomes a datagram socket: what one write(2) gave is what one read(2) takes. */
static int capture(int *saved)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	*saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

static void release(int end, int saved)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(end);
}

static void assert_logged(const char *text, const char *line)
{
	char got[4096];
	int saved, end = capture(&saved);
	ssize_t len;

	log_error("%s", text);
	len = recv(end, got, sizeof(got) - 1, MSG_DONTWAIT);
	release(end, saved);
	assert_true(len > 0);
	got[len] = '\0';
	assert_string_equal(got, line);
}

static void test_plain(void **state)
{
	(void)state;
	assert_logged("hosts.yaml:14:5: unknown key", "multisnmp: hosts.yaml:14:5: unknown key\n");
	assert_logged("", "multisnmp: \n");
}

static void test_controls(void **state)
{
	(void)state;
	assert_logged("a\nb\r\tc\033[2Jd\177", "multisnmp: a\\x0Ab\\x0D\\x09c\\x1B[2Jd\\x7F\n");
	assert_logged("\x9b"
		      "31m",
		      "multisnmp: \\x9B31m\n"); /* C1 as one octet */
	assert_logged("\xc2\x9b"
		      "31m",
		      "multisnmp: \\xC2\\x9B31m\n"); /* C1 as UTF-8 */
	assert_logged("\xe2\x80\xae"
		      "x",
		      "multisnmp: \\xE2\\x80\\xAEx\n");                /* U+202E */
	assert_logged("\xe2\x81\xa6", "multisnmp: \\xE2\\x81\\xA6\n"); /* U+2066 */
}

static void test_utf8(void **state)
{
	(void)state;
	assert_logged("/home/j\xc3\xbcrgen", "multisnmp: /home/j\xc3\xbcrgen\n");
	assert_logged("\xe2\x82\xac \xf0\x9f\x98\x80",
		      "multisnmp: \xe2\x82\xac \xf0\x9f\x98\x80\n");
}

static void test_not_utf8(void **state)
{
	(void)state;
	assert_logged("\xff", "multisnmp: \\xFF\n");
	assert_logged("\xc3", "multisnmp: \\xC3\n");                   /* cut */
	assert_logged("\xe2\x82", "multisnmp: \\xE2\\x82\n");          /* cut */
	assert_logged("\xc0\x9b", "multisnmp: \\xC0\\x9B\n");          /* overlong ESC */
	assert_logged("\xc1\x81", "multisnmp: \\xC1\\x81\n");          /* overlong 'A' */
	assert_logged("\xed\xa0\x80", "multisnmp: \\xED\\xA0\\x80\n"); /* a surrogate */
	assert_logged("\xf4\x90\x80\x80", "multisnmp: \\xF4\\x90\\x80\\x80\n");
	assert_logged("\xf8\x88\x80\x80\x80", "multisnmp: \\xF8\\x88\\x80\\x80\\x80\n");
}

/* At every length around the limit: at most 1,024 octets, a newline at the end, nothing halved. */
static void assert_cut_well(const char *unit, const char *shown)
{
	size_t one = strlen(unit), as = strlen(shown);

	for (size_t n = 200 / one; n < 1100 / one; n++) {
		char text[1200], got[4096];
		int saved, end = capture(&saved);
		size_t at = strlen("multisnmp: ");
		ssize_t len;

		for (size_t i = 0; i < n; i++)
			memcpy(text + i * one, unit, one);
		text[n * one] = '\0';
		log_error("%s", text);
		len = recv(end, got, sizeof(got) - 1, MSG_DONTWAIT);
		release(end, saved);
		assert_in_range(len, 1, 1024);
		for (; at + as <= (size_t)len && memcmp(got + at, shown, as) == 0; at += as)
			;
		got[len] = '\0';
		if (at == strlen("multisnmp: ") + n * as)
			assert_string_equal(got + at, "\n");
		else
			assert_string_equal(got + at, "...\n");
	}
}

static void test_long_lines(void **state)
{
	(void)state;
	assert_cut_well("x", "x");
	assert_cut_well("\033", "\\x1B");
	assert_cut_well("\xe2\x82\xac", "\xe2\x82\xac");
}

/* Where a wide character does not fit any more, a narrow one behind it must not slip in. */
static void test_cut_is_the_end(void **state)
{
	char text[1100], line[1100] = "multisnmp: ";

	(void)state;
	memset(text, 'x', 1008);
	strcpy(text + 1008, "\xe2\x82\xac"
			    "y");
	memset(line + strlen(line), 'x', 1008);
	strcat(line, "...\n");
	assert_logged(text, line);
}

static size_t lines_shown(enum log_level level)
{
	char got[256];
	int saved, end = capture(&saved);
	size_t lines = 0;

	log_set_level(level);
	log_error("e");
	log_warning("w");
	log_info("i");
	log_debug("d");
	log_set_level(LOG_LEVEL_WARNING);
	while (recv(end, got, sizeof(got), MSG_DONTWAIT) > 0)
		lines++;
	release(end, saved);
	return lines;
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(lines_shown(LOG_LEVEL_ERROR), 1);
	assert_int_equal(lines_shown(LOG_LEVEL_WARNING), 2);
	assert_int_equal(lines_shown(LOG_LEVEL_INFO), 3);
	assert_int_equal(lines_shown(LOG_LEVEL_DEBUG), 4);
}

static void test_warning_says_so(void **state)
{
	char got[64];
	int saved, end = capture(&saved);
	ssize_t len;

	(void)state;
	log_warning("%s is readable by everyone", "x");
	len = recv(end, got, sizeof(got), MSG_DONTWAIT);
	release(end, saved);
	assert_int_equal(len, strlen("multisnmp: warning: x is readable by everyone\n"));
	assert_memory_equal(got, "multisnmp: warning: x is readable by everyone\n", (size_t)len);
}

/* One write with the line, uncounted by its length and not escaped; gone when it is taken back. */
static void test_eraser(void **state)
{
	(void)state;
	log_set_eraser("\r\033[K");
	assert_logged("a\rb", "\r\033[Kmultisnmp: a\\x0Db\n");
	log_set_eraser("");
	assert_logged("a", "multisnmp: a\n");
}

/* A time stamp and a space, of the last minute. */
static bool is_now(const char *line)
{
	char least[UTC_MAX + 1] = "", most[UTC_MAX + 1] = "";
	int64_t now = (int64_t)time(NULL) * 1000;

	utc_put(least, now - 60000);
	utc_put(most, now + 1000);
	return strncmp(least, line, UTC_MAX) <= 0 && strncmp(line, most, UTC_MAX) <= 0 &&
	       line[UTC_MAX] == ' ';
}

/* What one call says at one style; the time stamp is checked and becomes '#'. */
static void assert_styled(enum log_style style, void (*say)(void), const char *lines)
{
	char got[4096] = "";
	int saved, end = capture(&saved);
	ssize_t len;

	log_set_style(style);
	say();
	log_set_style(LOG_STYLE_PLAIN);
	for (size_t at = 0; (len = recv(end, got + at, 512, MSG_DONTWAIT)) > 0;) {
		at += (size_t)len;
		got[at] = '\0';
		if (style != LOG_STYLE_TIMES)
			continue;
		assert_true(is_now(got + at - len));
		memmove(got + at - len + 1, got + at - len + UTC_MAX, (size_t)len - UTC_MAX + 1);
		got[at - (size_t)len] = '#';
		at -= UTC_MAX - 1;
	}
	release(end, saved);
	assert_string_equal(got, lines);
}

static void say_all(void)
{
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("e");
	log_warning("w");
	log_info("i");
	log_debug("d");
	log_set_level(LOG_LEVEL_WARNING);
}

static void say_lines(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	log_lines(LOG_LEVEL_ERROR, "a.yaml:1:2: one\na.yaml:3:4: two\n", 32);
	log_lines(LOG_LEVEL_INFO, "a total\n\nand more", 17);
	log_lines(LOG_LEVEL_INFO, "", 0);
	log_set_level(LOG_LEVEL_WARNING);
}

static void test_styles(void **state)
{
	(void)state;
	assert_styled(LOG_STYLE_JOURNAL, say_all, "<3>e\n<4>warning: w\n<6>i\n<7>d\n");
	assert_styled(LOG_STYLE_TIMES, say_all,
		      "# multisnmp: e\n# multisnmp: warning: w\n# multisnmp: i\n# multisnmp: d\n");
	assert_styled(LOG_STYLE_PLAIN, say_lines,
		      "a.yaml:1:2: one\na.yaml:3:4: two\na total\n\nand more\n");
	assert_styled(LOG_STYLE_JOURNAL, say_lines,
		      "<3>a.yaml:1:2: one\n<3>a.yaml:3:4: two\n<6>a total\n<6>\n<6>and more\n");
	assert_styled(LOG_STYLE_TIMES, say_lines,
		      "# a.yaml:1:2: one\n# a.yaml:3:4: two\n# a total\n# \n# and more\n");
}

/* The journal is believed only if stderr is the stream that it names; a terminal shows no times. */
static void test_style_of_stderr(void **state)
{
	char stream[64];
	int saved, error, end = capture(&saved);
	struct stat st;
	enum log_style service, once, journal, other, words;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	errno = 77; /* isatty() sets it */
	service = log_style_of_stderr(true);
	error = errno;
	once = log_style_of_stderr(false);
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	journal = log_style_of_stderr(false);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	other = log_style_of_stderr(false);
	setenv("JOURNAL_STREAM", "", 1);
	words = log_style_of_stderr(false);
	unsetenv("JOURNAL_STREAM");
	release(end, saved);
	assert_int_equal(error, 77);
	assert_int_equal(service, LOG_STYLE_TIMES);
	assert_int_equal(once, LOG_STYLE_PLAIN);
	assert_int_equal(journal, LOG_STYLE_JOURNAL);
	assert_int_equal(other, LOG_STYLE_PLAIN);
	assert_int_equal(words, LOG_STYLE_PLAIN);
}

static void test_no_times_at_a_terminal(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), saved;
	enum log_style style;

	(void)state;
	if (terminal < 0)
		skip();
	saved = dup(STDERR_FILENO);
	dup2(terminal, STDERR_FILENO);
	style = log_style_of_stderr(true);
	release(terminal, saved);
	assert_int_equal(style, LOG_STYLE_PLAIN);
}

static void test_errno_is_kept(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	close(STDERR_FILENO); /* so that write(2) fails with EBADF */
	errno = ENOENT;
	log_error("lost");
	assert_int_equal(errno, ENOENT);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_cut_is_the_end),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_warning_says_so),
		cmocka_unit_test(test_styles),
		cmocka_unit_test(test_style_of_stderr),
		cmocka_unit_test(test_no_times_at_a_terminal),
		cmocka_unit_test(test_eraser),
		cmocka_unit_test(test_errno_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

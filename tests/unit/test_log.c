/* log: one write a line, levels, and nothing on stderr that a terminal would obey. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

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
		cmocka_unit_test(test_plain),      cmocka_unit_test(test_controls),
		cmocka_unit_test(test_utf8),       cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_long_lines), cmocka_unit_test(test_cut_is_the_end),
		cmocka_unit_test(test_levels),     cmocka_unit_test(test_warning_says_so),
		cmocka_unit_test(test_eraser),     cmocka_unit_test(test_errno_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

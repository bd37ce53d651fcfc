/* terminal: what a pseudo-terminal and the environment say, and writing that never waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/terminal.h"

struct pty {
	int reader, terminal;
};

static void open_pty(struct pty *p)
{
	struct termios raw;

	p->reader = posix_openpt(O_RDWR | O_NOCTTY);
	if (p->reader < 0)
		skip(); /* no /dev/pts here */
	assert_int_equal(grantpt(p->reader), 0);
	assert_int_equal(unlockpt(p->reader), 0);
	p->terminal = open(ptsname(p->reader), O_RDWR | O_NOCTTY);
	assert_true(p->terminal >= 0);
	assert_int_equal(tcgetattr(p->terminal, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(p->terminal, TCSANOW, &raw), 0);
}

static void close_pty(struct pty *p)
{
	close(p->terminal);
	close(p->reader);
}

static void test_kinds(void **state)
{
	struct pty p;
	int ends[2];

	(void)state;
	open_pty(&p);
	assert_int_equal(pipe(ends), 0);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_true(terminal_draws(p.terminal) && terminal_colours(p.terminal));
	assert_false(terminal_draws(ends[1]) || terminal_colours(ends[1]));
	setenv("NO_COLOR", "", 1);
	assert_true(terminal_colours(p.terminal));
	setenv("NO_COLOR", "0", 1);
	assert_true(terminal_draws(p.terminal));
	assert_false(terminal_colours(p.terminal));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(terminal_draws(p.terminal) || terminal_colours(p.terminal));
	unsetenv("TERM");
	assert_false(terminal_draws(p.terminal) || terminal_colours(p.terminal));
	close(ends[0]);
	close(ends[1]);
	close_pty(&p);
}

static void test_columns(void **state)
{
	struct winsize size = {.ws_col = 33, .ws_row = 10};
	struct pty p;

	(void)state;
	open_pty(&p);
	assert_int_equal(terminal_columns(p.terminal), 80); /* 0 until somebody says */
	assert_int_equal(ioctl(p.terminal, TIOCSWINSZ, &size), 0);
	assert_int_equal(terminal_columns(p.terminal), 33);
	assert_int_equal(terminal_columns(-1), 80);
	close_pty(&p);
}

static void test_locale(void **state)
{
	(void)state;
	setenv("LC_ALL", "C", 1);
	assert_false(terminal_shows_utf8());
	setenv("LC_ALL", "no-such-locale", 1);
	assert_false(terminal_shows_utf8());
	if (setlocale(LC_CTYPE, "C.UTF-8")) { /* where the system has it */
		setlocale(LC_CTYPE, "C");
		setenv("LC_ALL", "C.UTF-8", 1);
		assert_true(terminal_shows_utf8());
	}
	assert_string_equal(setlocale(LC_CTYPE, NULL), "C");
}

/* The descriptor that we were given stays as it is; a terminal that nobody reads takes no more, at once. */
static void test_never_waits(void **state)
{
	static char much[65536];
	struct terminal t;
	struct pty p;

	(void)state;
	open_pty(&p);
	alarm(60); /* who waits here has failed */
	terminal_open(&t, p.terminal);
	assert_true(t.own && t.fd != p.terminal);
	assert_int_equal(fcntl(p.terminal, F_GETFL) & O_NONBLOCK, 0);
	for (int i = 0; i < 10; i++)
		terminal_put(&t, much, sizeof(much));
	terminal_close(&t);
	assert_true(fcntl(p.terminal, F_GETFD) >= 0);
	close_pty(&p);
	alarm(0);
}

static void test_full_pipe(void **state)
{
	static char much[65536];
	struct terminal t;
	char got[8];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	terminal_open(&t, ends[1]);
	assert_false(t.own);
	terminal_put(&t, "line\n", 5);
	assert_int_equal(read(ends[0], got, sizeof(got)), 5);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], much, sizeof(much)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	alarm(60);
	terminal_put(&t, "line\n", 5);
	alarm(0);
	terminal_close(&t);
	assert_true(fcntl(ends[1], F_GETFD) >= 0); /* not ours to close */
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),     cmocka_unit_test(test_columns),
		cmocka_unit_test(test_locale),    cmocka_unit_test(test_never_waits),
		cmocka_unit_test(test_full_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What is known of the terminal that a descriptor is.
 *
 * The problem: what is pleasant for a person (a line that is drawn again and again, colours, bars of blocks) is
 * rubbish for a file, a dumb terminal, or a locale that has no blocks. All of that is asked here, each time anew:
 * a window is resized while we run.
 *
 * Writing must not stop the caller: a terminal stands still after Ctrl-S, and one that is shown over a slow line
 * takes a while. O_NONBLOCK on the descriptor that we were given is wrong, for that flag belongs to the open
 * file, which the shell and everybody else there share. So the terminal is opened once more under its own name;
 * where that fails (another user's terminal, a pipe), poll(2) is asked first.
 *
 * No escape sequence but two is used, "clear to the end of the line" and colours, which every terminal of the last
 * forty years knows: terminfo would be a library for two strings. The trap: a shell's background job that
 * writes to a terminal draws into what the person types, or is stopped for it (stty tostop).
 */
#include "base/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

#define COLUMNS 80

bool terminal_draws(int fd)
{
	const char *kind = getenv("TERM");

	return isatty(fd) && kind && *kind && strcmp(kind, "dumb") != 0;
}

bool terminal_colours(int fd)
{
	const char *none = getenv("NO_COLOR");

	return terminal_draws(fd) && (!none || !*none);
}

/* The process's own locale stays what it is: nothing else of ours may depend on the person's. */
bool terminal_shows_utf8(void)
{
	char *before = mem_strdup(setlocale(LC_CTYPE, NULL));
	bool utf8 = setlocale(LC_CTYPE, "") && strcasecmp(nl_langinfo(CODESET), "UTF-8") == 0;

	setlocale(LC_CTYPE, before);
	free(before);
	return utf8;
}

unsigned terminal_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS;
	return size.ws_col;
}

bool terminal_is_lent(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	return foreground > 0 && foreground != getpgrp();
}

int terminal_reopen(int fd)
{
	char name[256];
	struct stat mine, theirs;
	int own;

	if (!isatty(fd) || ttyname_r(fd, name, sizeof(name)))
		return -1;
	own = open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return -1;
	if (fstat(own, &mine) < 0 || fstat(fd, &theirs) < 0 || mine.st_rdev != theirs.st_rdev) {
		close(own);
		return -1;
	}
	return own;
}

void terminal_open(struct terminal *t, int fd)
{
	int own = terminal_reopen(fd);

	*t = (struct terminal){.fd = own < 0 ? fd : own, .own = own >= 0};
}

void terminal_close(struct terminal *t)
{
	if (t->own)
		close(t->fd);
	*t = (struct terminal){.fd = -1};
}

bool terminal_takes(const struct terminal *t)
{
	struct pollfd ready = {.fd = t->fd, .events = POLLOUT};

	return poll(&ready, 1, 0) == 1;
}

void terminal_put(const struct terminal *t, const void *p, size_t len)
{
	ssize_t n;

	if (!terminal_takes(t))
		return;
	do {
		n = write(t->fd, p, len);
	} while (n < 0 && errno == EINTR);
}

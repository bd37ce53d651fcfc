/*
 * What a person should know, on stderr, a whole line at a time.
 *
 * The problem: master, resolver and workers share one stderr, and much of what is worth saying quotes
 * somebody else: a line of YAML, a file name, sometimes a device. Written in pieces, lines of several
 * processes mix; written raw, a sysDescr can retitle, recolour or clear the terminal of whoever reads.
 *
 * The design: a line is made in a fixed array and leaves in one writev(2), which the kernel does not
 * split on a terminal or a pipe at this size. What is not printable UTF-8 comes as \xHH: C0 and C1
 * controls, line breaks, the bidi overrides that show text in another order than it has, and octets
 * that are no UTF-8 at all. A line that does not fit ends in "...".
 *
 * Where a progress line stands on the same terminal, what erases it goes in front of the line, in the same
 * write. It is set before the fork, so that children's lines do not mix with it either.
 *
 * Who reads decides what stands before a line: journald takes a priority in front and has name and time itself;
 * a file into which a service writes for months has no time unless the line brings it. That stderr is the journal is
 * believed only if it is the very stream of which $JOURNAL_STREAM speaks: the variable is inherited by whoever has
 * its stderr sent elsewhere.
 *
 * Rejected: stdio. A forked child would inherit what is buffered, and write it a second time.
 *
 * The trap: people look at errno after they have logged. It is kept.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/utc.h"
#include "base/utf8.h"

#define LINE_MAX_OCTETS 1024 /* with its newline; a pipe takes 4,096 in one piece */
#define CUT             "...\n"

#define NAME "multisnmp: "

static enum log_level most_verbose_shown = LOG_LEVEL_WARNING;
static const char *eraser = "";
static enum log_style style_shown = LOG_STYLE_PLAIN;

struct line {
	char text[LINE_MAX_OCTETS];
	size_t len;
};

void log_set_level(enum log_level most_verbose)
{
	most_verbose_shown = most_verbose;
}

void log_set_eraser(const char *octets)
{
	eraser = octets;
}

/* Adds len octets, or says that they do not fit in front of CUT. */
static bool line_add(struct line *l, const char *octets, size_t len)
{
	if (l->len + len > sizeof(l->text) - strlen(CUT))
		return false;
	memcpy(l->text + l->len, octets, len);
	l->len += len;
	return true;
}

static bool line_add_escaped(struct line *l, const uint8_t *octets, size_t len)
{
	char escaped[4 * 4 + 1]; /* of one character */

	for (size_t i = 0; i < len; i++)
		snprintf(escaped + 4 * i, 5, "\\x%02X", octets[i]);
	return line_add(l, escaped, 4 * len);
}

static bool line_add_text(struct line *l, const char *text)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
	bool fits = true;

	while (fits && at < end) {
		uint32_t code;
		size_t len = utf8_decode(at, (size_t)(end - at), &code);

		fits = len && utf8_shown(code) ? line_add(l, (const char *)at, len)
					       : line_add_escaped(l, at, len ? len : 1);
		at += len ? len : 1;
	}
	return fits;
}

/* --- what stands before a line ------------------------------------------------------------- */

void log_set_style(enum log_style style)
{
	style_shown = style;
}

/* "DEVICE:INODE" of $JOURNAL_STREAM, sd_journal_stream_fd(3) and systemd.exec(5). */
static bool is_journal(const char *stream)
{
	char is[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(is, sizeof(is), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(is, stream) == 0;
}

enum log_style log_style_of_stderr(bool service)
{
	int error = errno;
	enum log_style style = LOG_STYLE_PLAIN;

	if (is_journal(getenv("JOURNAL_STREAM")))
		style = LOG_STYLE_JOURNAL;
	else if (service && !isatty(STDERR_FILENO))
		style = LOG_STYLE_TIMES;
	errno = error;
	return style;
}

/* Priorities are those of syslog(3). */
static void line_begin(struct line *l, enum log_level level)
{
	static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};
	struct timespec now;

	l->len = 0;
	line_add(l, eraser, strlen(eraser));
	if (style_shown == LOG_STYLE_JOURNAL)
		line_add(l, priorities[level], 3);
	if (style_shown != LOG_STYLE_TIMES)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	l->len = (size_t)(utc_put(l->text + l->len,
				  (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000) -
			  l->text);
	line_add(l, " ", 1);
}

/* --- a line -------------------------------------------------------------------------------- */

static void write_out(const struct iovec *pieces, int count)
{
	ssize_t written;

	do {
		written = writev(STDERR_FILENO, pieces, count);
	} while (written < 0 && errno == EINTR);
}

void log_lines(enum log_level level, const char *text, size_t len)
{
	const char *end = text + len;
	int error = errno;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((newline ? newline : end) - text);
		struct line before;

		line_begin(&before, level);
		write_out((struct iovec[]){{before.text, before.len},
					   {(char *)(uintptr_t)text, line},
					   {(char[]){'\n'}, 1}},
			  3);
		text += line + 1;
	}
	errno = error;
}

static void log_line(enum log_level level, const char *prefix, const char *format, va_list args)
{
	char text[LINE_MAX_OCTETS]; /* nothing that is cut here would have fitted */
	const char *ending;
	int error = errno;
	struct line l;

	vsnprintf(text, sizeof(text), format, args);
	line_begin(&l, level);
	if (style_shown != LOG_STYLE_JOURNAL)
		line_add(&l, NAME, strlen(NAME));
	line_add(&l, prefix, strlen(prefix));
	ending = line_add_text(&l, text) ? "\n" : CUT;
	memcpy(l.text + l.len, ending, strlen(ending));
	l.len += strlen(ending);
	write_out(&(struct iovec){l.text, l.len}, 1);
	errno = error;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_ERROR, "", format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	if (most_verbose_shown < LOG_LEVEL_WARNING)
		return;
	va_start(args, format);
	log_line(LOG_LEVEL_WARNING, "warning: ", format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	if (most_verbose_shown < LOG_LEVEL_INFO)
		return;
	va_start(args, format);
	log_line(LOG_LEVEL_INFO, "", format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (most_verbose_shown < LOG_LEVEL_DEBUG)
		return;
	va_start(args, format);
	log_line(LOG_LEVEL_DEBUG, "", format, args);
	va_end(args);
}

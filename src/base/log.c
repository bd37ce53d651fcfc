/*
 * What a person should know, on stderr, a whole line at a time.
 *
 * The problem: master, resolver and workers share one stderr, and much of what is worth saying quotes
 * somebody else: a line of YAML, a file name, sometimes a device. Written in pieces, lines of several
 * processes mix; written raw, a sysDescr can retitle, recolour or clear the terminal of whoever reads.
 *
 * The design: a line is made in a fixed array and leaves in one write(2), which the kernel does not
 * split on a terminal or a pipe at this size. What is not printable UTF-8 comes as \xHH: C0 and C1
 * controls, line breaks, the bidi overrides that show text in another order than it has, and octets
 * that are no UTF-8 at all. A line that does not fit ends in "...".
 *
 * Where a progress line stands on the same terminal, what erases it goes in front of the line, in the same
 * write. It is set before the fork, so that children's lines do not mix with it either.
 *
 * Rejected: stdio. A forked child would inherit what is buffered, and write it a second time.
 *
 * The trap: people look at errno after they have logged. It is kept.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

#define LINE_MAX_OCTETS 1024 /* with its newline; a pipe takes 4,096 in one piece */
#define CUT             "...\n"

static enum log_level most_verbose_shown = LOG_LEVEL_WARNING;
static const char *eraser = "";

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

static void log_line(const char *prefix, const char *format, va_list args)
{
	char text[LINE_MAX_OCTETS]; /* nothing that is cut here would have fitted */
	const char *ending;
	struct line l = {.len = 0};
	int saved = errno;
	ssize_t written;

	vsnprintf(text, sizeof(text), format, args);
	line_add(&l, eraser, strlen(eraser));
	line_add(&l, prefix, strlen(prefix));
	ending = line_add_text(&l, text) ? "\n" : CUT;
	memcpy(l.text + l.len, ending, strlen(ending));
	l.len += strlen(ending);
	do {
		written = write(STDERR_FILENO, l.text, l.len);
	} while (written < 0 && errno == EINTR);
	errno = saved;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("multisnmp: ", format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	if (most_verbose_shown < LOG_LEVEL_WARNING)
		return;
	va_start(args, format);
	log_line("multisnmp: warning: ", format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	if (most_verbose_shown < LOG_LEVEL_INFO)
		return;
	va_start(args, format);
	log_line("multisnmp: ", format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (most_verbose_shown < LOG_LEVEL_DEBUG)
		return;
	va_start(args, format);
	log_line("multisnmp: ", format, args);
	va_end(args);
}

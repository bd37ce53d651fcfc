/*
 * log.h without a line on stderr: what devices and workers say is written by the million here. The text is made all
 * the same, since its arguments are what is looked at.
 *
 * A double stands for a whole room: the linker takes it, and never looks for the room in the library.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "fuzz.h"

static unsigned lines;

unsigned double_log_lines(void)
{
	return lines;
}

void log_set_level(enum log_level most_verbose)
{
	(void)most_verbose;
}

static void __attribute__((format(printf, 1, 0))) make(const char *format, va_list args)
{
	char text[2048];

	vsnprintf(text, sizeof(text), format, args);
	lines++;
}

#define LOG(name)                          \
	void name(const char *format, ...) \
	{                                  \
		va_list args;              \
                                           \
		va_start(args, format);    \
		make(format, args);        \
		va_end(args);              \
	}

LOG(log_error)
LOG(log_warning)
LOG(log_info)
LOG(log_debug)

void log_lines(enum log_level level, const char *text, size_t len)
{
	(void)level, (void)text, (void)len;
	lines++;
}

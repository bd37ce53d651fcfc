/*
 * log - what a person should know, on stderr, a whole line at a time (one write(2) each).
 *
 * The prefix is "multisnmp: ". Devices never cause a line each: they get a record and a counter.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Not LOG_WARNING and the like: <syslog.h>, which Net-SNMP's headers include, makes those macros. */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Default LOG_LEVEL_WARNING; -q sets LOG_LEVEL_ERROR. Errors are always shown. */
void log_set_level(enum log_level most_verbose);
/* What stands in front of every line from now on, here and in children to come: it takes a progress line off
 * the terminal. Kept, not copied; "": nothing. */
void log_set_eraser(const char *octets);

/* What stands before each line. */
enum log_style {
	LOG_STYLE_PLAIN, /* nothing: a person reads along */
	LOG_STYLE_JOURNAL, /* "<4>", sd-daemon(3); the journal adds name and time, so "multisnmp: " goes */
	LOG_STYLE_TIMES /* "2026-11-21T03:10:11.123Z " */
};

/* Of this process and of those that it forks. Default LOG_STYLE_PLAIN. */
void log_set_style(enum log_style style);
/* What suits stderr as it is now: the journal's if it is what $JOURNAL_STREAM says; times for what runs for long
 * (`service`) and writes to no terminal. */
enum log_style log_style_of_stderr(bool service);

/* Whole lines that were made elsewhere and may be shown as they are, whatever the level; the style puts before each
 * what it has to. */
void log_lines(enum log_level level, const char *text, size_t len);

/* One line, without its newline. Controls come as \xHH, a long line is cut and ends in "...". errno
 * is as it was before. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...)
	__attribute__((format(printf, 1, 2))); /* adds "warning: " */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

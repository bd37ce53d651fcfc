/*
 * log - what a person should know, on stderr, a whole line at a time (one write(2) each).
 *
 * The prefix is "multisnmp: ". Devices never cause a line each: they get a record and a counter.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

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

/* One line, without its newline. Controls come as \xHH, a long line is cut and ends in "...". errno
 * is as it was before. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...)
	__attribute__((format(printf, 1, 2))); /* adds "warning: " */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

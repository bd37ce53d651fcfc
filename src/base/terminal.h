/*
 * terminal - what is known of the terminal that a descriptor is, and writing to it without waiting.
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Takes off the line on which the cursor stands, and leaves the cursor at its beginning. */
#define TERMINAL_ERASER "\r\033[K"

bool terminal_draws(int fd); /* is one that TERMINAL_ERASER works on: TERM is set and not "dumb" */
bool terminal_colours(int fd);     /* … and NO_COLOR is not set, or empty (no-color.org) */
bool terminal_shows_utf8(void);    /* by the locale; whatever the descriptor is */
unsigned terminal_columns(int fd); /* now; 80 if nobody knows */
bool terminal_is_lent(int fd);     /* to another job of the shell: we are in the background */

/* The same terminal through an open file of our own, non-blocking, which the caller closes; -1: it is none,
 * or cannot be had. */
int terminal_reopen(int fd);

/* Somewhere to write lines for a person, whatever it is; never waits. */
struct terminal {
	int fd;
	bool own; /* opened by us */
};
void terminal_open(struct terminal *t, int fd);
void terminal_close(struct terminal *t);
bool terminal_takes(const struct terminal *t); /* a line, now */
/* One write(2), if it can be taken now. What is not taken is lost. */
void terminal_put(const struct terminal *t, const void *p, size_t len);

#endif

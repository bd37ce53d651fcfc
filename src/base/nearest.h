/*
 * nearest - the word that a person most likely meant.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX      64 /* octets of a word with its NUL; longer ones are not looked at */
#define NEAREST_HINT_MAX (NEAREST_MAX + 24)

/* Starts as {.written = TEXT}; then every word that would have been right is tried. */
struct nearest {
	const char *written;
	char word[NEAREST_MAX]; /* the nearest so far; empty: none is near */
	size_t distance;        /* from written to word */
};

void nearest_try(struct nearest *n, const char *word); /* the first of equals stays */
/* " (did you mean 'WORD'?)", or "" when none is near. Returns out. */
const char *nearest_hint(const struct nearest *n, char out[NEAREST_HINT_MAX]);

#endif

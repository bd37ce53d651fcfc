/*
 * denied - why a file may not be opened, for who has to mend it.
 */
#ifndef BASE_DENIED_H
#define BASE_DENIED_H

#define DENIED_MAX 200

/* The words for errno after a call that wanted to open path: strerror(3), and where it was not allowed, whose the
 * file (or, where there is none, its folder) is, its mode, and who we are; or which folder above it may not be entered. errno is kept. Returns out. */
const char *denied_words(const char *path, char out[DENIED_MAX]);

#endif

/*
 * writer_again - a file that is replaced round after round, and is ours without a moment's break.
 */
#ifndef OUT_WRITER_AGAIN_H
#define OUT_WRITER_AGAIN_H

#include "out/writer_internal.h"

/* Puts what is written and synced in FILE's place and takes the lock of the next one, never without one of both. False:
 * nothing was done, where it cannot be had so. After true the descriptor is the next file's, or the writer has failed. */
bool writer_again(struct writer *w);
/* Removes what it leaves when it is killed; under the temporary file's lock. */
void writer_again_clean(const struct writer *w);

/* The file itself, which need not exist, behind whatever links lead to path; NULL: they go in a ring. From writer_file.c;
 * to be freed. */
char *writer_file_target(const char *path);

#endif

/*
 * reread - what was read and cannot be read again: for who reads the configuration a second time.
 *
 * The words of the command line and the environment's variables, of which those that were secrets have been overwritten
 * where they stood; and whether standard input was read, which gives nothing a second time.
 */
#ifndef PLAN_REREAD_H
#define PLAN_REREAD_H

#include <stdbool.h>

struct reread;

/* Copies the words, before anything is overwritten in them. */
struct reread *reread_new(int argc, char *const *argv);
void reread_free(struct reread *m); /* wipes; NULL is nothing */
/* In a child, which has no use for it: nothing of it is in its memory afterwards. */
void reread_wipe(struct reread *m);

/* A copy of the words, to be read and overwritten like the first ones; ends with NULL. The caller frees it. */
char **reread_words(struct reread *m);
void reread_words_free(char **words); /* wipes */

/* For conf, which may have none of it (NULL): */
const char *reread_variable(const struct reread *m, const char *name); /* NULL: none */
void reread_keep(struct reread *m, const char *name, const char *value);
bool reread_stdin(struct reread *m); /* standard input is read; false: it was before */
/* Whether the file is a pipe, and this is not the first time that all is read. Not to be opened then. */
bool reread_is_spent(const struct reread *m, const char *path);

#endif
